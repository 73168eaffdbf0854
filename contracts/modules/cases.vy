# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title cases
@license AGPL-3.0-only
@author Inferix
@notice Storage of slashing cases, packed by hand, and what opening and ending one does to the accused's stake and status.
@custom:kill None: a case must be able to end.
"""

from ..interfaces import INodeRegistry
from ..interfaces import IPanels
from ..interfaces import IStaking


STATUS_FROZEN: constant(uint8) = 1
STATUS_SLASHABLE: constant(uint8) = 2
STATUS_APPEALED: constant(uint8) = 3
STATUS_SLASHED: constant(uint8) = 4
STATUS_CLEARED: constant(uint8) = 5

NODE_ACTIVE: constant(uint8) = 1
NODE_FROZEN: constant(uint8) = 2

_LOW_8: constant(uint256) = 2**8 - 1
_LOW_32: constant(uint256) = 2**32 - 1
_LOW_40: constant(uint256) = 2**40 - 1
_LOW_96: constant(uint256) = 2**96 - 1


_REGISTRY: immutable(INodeRegistry)
_STAKING: immutable(IStaking)


# Cases of a node that are neither slashed nor cleared
open_cases: public(HashMap[uint32, uint256])

# id => amount << 120 | frozen_at << 80 | account << 48 | node << 16 | attempt << 8 | status
_accused: HashMap[bytes32, uint256]
# id => index << 209 | bond << 113 | appealed_at << 73 | charged_at << 33 | redone_by << 1 | is_referred
_courses: HashMap[bytes32, uint256]
# id => wei of its amount that were not free to be frozen
_missing: HashMap[bytes32, uint256]
_tasks: HashMap[bytes32, bytes32]
_commitments: HashMap[bytes32, bytes32]
_voters: HashMap[bytes32, bytes32]


@deploy
def __init__(registry: address, staking: address):
    assert registry != empty(address), "cases: no registry"
    assert staking != empty(address), "cases: no staking"
    _REGISTRY = INodeRegistry(registry)
    _STAKING = IStaking(staking)


@external
@view
def case(id: bytes32) -> IPanels.Case:
    """
    @notice A case; status 0 when there is none.
    """
    return self._read(id)


@internal
def _begin(id: bytes32, case: IPanels.Case):
    """
    @dev A new case, frozen: freezes `amount` of the accused's stake, or what of it is free, blocks its withdrawal, and takes the
         node out of work.
    """
    node: uint32 = case.node
    self.open_cases[node] += 1
    # What is frozen for something else may come free before the end: then it pays for this too.
    self._missing[id] = case.amount - extcall _STAKING.freeze(node, case.amount)
    self._tasks[id] = case.task
    self._commitments[id] = case.commitment
    self._voters[id] = case.voters
    self._write(id, case)
    extcall _STAKING.hold(node)
    if self.open_cases[node] == 1:
        extcall _REGISTRY.set_status(node, NODE_FROZEN)
    log IPanels.CaseFrozen(case=id, task=case.task, attempt=case.attempt, node=node, amount=case.amount)


@internal
def _slash(id: bytes32):
    """
    @dev Ends a case against the accused: the amount and an appeal's bond, as far as its stake goes now, half burned, half to
         the penalty pool.
    """
    case: IPanels.Case = self._end(id, STATUS_SLASHED)
    taken: uint256 = extcall _STAKING.slash(case.node, case.amount + case.bond, 0)
    log IPanels.CaseSlashed(case=id, node=case.node, amount=taken)


@internal
def _clear(id: bytes32, reason: uint8):
    """
    @dev Ends a case for the accused: stake and bond are its own again.
    """
    self._end(id, STATUS_CLEARED)
    log IPanels.CaseCleared(case=id, reason=reason)


@internal
def _end(id: bytes32, status: uint8) -> IPanels.Case:
    case: IPanels.Case = self._read(id)
    case.status = status
    self._write(id, case)
    self.open_cases[case.node] -= 1
    extcall _STAKING.unfreeze(case.node, case.amount + case.bond - self._missing[id])
    extcall _STAKING.release_hold(case.node)
    if self.open_cases[case.node] == 0:
        # The registry leaves a jail or a ban as it is.
        extcall _REGISTRY.set_status(case.node, NODE_ACTIVE)
    return case


@internal
def _write(id: bytes32, case: IPanels.Case):
    self._accused[id] = (
        case.amount << 120
        | convert(case.frozen_at, uint256) << 80
        | convert(case.account, uint256) << 48
        | convert(case.node, uint256) << 16
        | convert(case.attempt, uint256) << 8
        | convert(case.status, uint256)
    )
    self._courses[id] = (
        convert(case.index, uint256) << 209
        | case.bond << 113
        | convert(case.appealed_at, uint256) << 73
        | convert(case.charged_at, uint256) << 33
        | convert(case.redone_by, uint256) << 1
        | convert(case.is_referred, uint256)
    )


@internal
@view
def _read(id: bytes32) -> IPanels.Case:
    accused: uint256 = self._accused[id]
    course: uint256 = self._courses[id]
    return IPanels.Case(
        task=self._tasks[id],
        attempt=convert(accused >> 8 & _LOW_8, uint8),
        node=convert(accused >> 16 & _LOW_32, uint32),
        account=convert(accused >> 48 & _LOW_32, uint32),
        amount=accused >> 120,
        status=convert(accused & _LOW_8, uint8),
        commitment=self._commitments[id],
        index=convert(course >> 209, uint32),
        voters=self._voters[id],
        frozen_at=convert(accused >> 80 & _LOW_40, uint40),
        charged_at=convert(course >> 33 & _LOW_40, uint40),
        redone_by=convert(course >> 1 & _LOW_32, uint32),
        appealed_at=convert(course >> 73 & _LOW_40, uint40),
        bond=course >> 113 & _LOW_96,
        is_referred=course & 1 == 1,
    )
