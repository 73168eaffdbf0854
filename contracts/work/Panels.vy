# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize codesize
# pragma nonreentrancy on
"""
@title Panels
@license AGPL-3.0-only
@author Inferix
@notice How a worker whose result was rejected is judged. Its stake is frozen at once; it becomes slashable only when the same
        task, redone by another operator, is accepted (else the task was bad: nobody pays); the owner may appeal to a
        panel of verifiers drawn after the appeal; then half is burned, half goes to the penalty pool.
@custom:security Nobody is slashed on one signal. The accused cannot leave: frozen stake counts what is unbonding, and a hold
                 blocks withdrawal, of the accused alone. A case always ends: without a redone task after 40 days, without
                 a panel by the governor, without a governor 14 days after the appeal.
@custom:kill None: a case must be able to end. The windows stand still while the protocol is paused.
"""

from ..interfaces import IBatches
from ..interfaces import INodeRegistry
from ..interfaces import IPanels
from ..interfaces import IStaking
from ..modules import appeals
from ..modules import bonds
from ..modules import cases
from ..modules import eip712
from ..modules import governed
from ..modules import seats
from ..modules import verdicts

implements: IPanels
initializes: governed
initializes: eip712
initializes: bonds[governed := governed]
initializes: cases
initializes: seats[eip712 := eip712, governed := governed]
initializes: verdicts[governed := governed, seats := seats]
initializes: appeals[bonds := bonds, cases := cases, governed := governed, seats := seats, verdicts := verdicts]


exports: (
    governed.parameters,
    cases.case,
    cases.open_cases,
    seats.panel,
    seats.ballot,
    appeals.appeal,
    appeals.seal,
    appeals.seat,
    appeals.vote,
    appeals.resolve,
    appeals.decide,
)


ACCEPTANCE_TYPEHASH: constant(bytes32) = keccak256(
    "Acceptance(bytes32 task,uint8 attempt,uint32 node,uint16 draw)"
)

WORKER: constant(uint8) = 1

ACCEPTED: constant(uint8) = 1
REJECTED: constant(uint8) = 2
LATE: constant(uint8) = 3
CLIENT_FAULT: constant(uint8) = 4

FINAL: constant(uint8) = 2
CANCELLED: constant(uint8) = 3

# Why a case was cleared
BATCH_CANCELLED: constant(uint8) = 1
REJECTED_AGAIN: constant(uint8) = 2
NOT_REDONE: constant(uint8) = 3
LEAF_VOID: constant(uint8) = 6

BPS: constant(uint256) = 10_000
# An order ends within 30 days, its last leaf is proposed 72 hours later at most, and is final within days
REDO_TERM: public(constant(uint256)) = 40 * 86400


_REGISTRY: immutable(INodeRegistry)
_STAKING: immutable(IStaking)
_BATCHES: immutable(IBatches)


# Late attempts (by their case's id) that were penalised
is_penalised: public(HashMap[bytes32, bool])


@deploy
def __init__(
    parameters: address,
    registry: address,
    staking: address,
    ifx: address,
    ifx_dollar: address,
    batches: address,
    rosters: address,
):
    """
    @notice Starts without cases; needs no wiring.
    """
    governed.__init__(parameters)
    eip712.__init__(registry)
    bonds.__init__(registry, staking, ifx)
    cases.__init__(registry, staking)
    seats.__init__(registry)
    verdicts.__init__(staking, rosters)
    appeals.__init__(registry, ifx_dollar)
    assert batches != empty(address), "Panels: no Batches"
    _REGISTRY = INodeRegistry(registry)
    _STAKING = IStaking(staking)
    _BATCHES = IBatches(batches)


@external
def freeze(
    header: IBatches.BatchHeader, leaf: IBatches.BatchLeaf, index: uint256, proof: DynArray[bytes32, 64]
) -> bytes32:
    """
    @notice Opens the case of a rejected leaf and freezes part of its worker's stake; the worker is out of work until the
            case ends. Once an attempt, but for a leaf whose first batch was cancelled. Anybody.
    @return Id of the case.
    """
    return self._freeze(header, leaf, index, proof)


@external
def charge(rejected: IBatches.Inclusion, accepted: IBatches.Inclusion):
    """
    @notice The same task was accepted from another operator, and both leaves are final: the stake becomes slashable, and
            the owner may appeal. Opens the case where nobody did before. Anybody.
    """
    id: bytes32 = self._id(rejected.leaf)
    if cases._read(id).status == 0:
        self._freeze(rejected.header, rejected.leaf, rejected.index, rejected.proof)
    case: IPanels.Case = cases._read(id)
    assert case.status == cases.STATUS_FROZEN, "Panels: not frozen"
    assert keccak256(abi_encode(rejected.header)) == case.commitment, "Panels: another batch"
    assert self._status(case.commitment) == FINAL, "Panels: not final"
    assert not self._is_void(case), "Panels: leaf void"
    self._check_redone(case, accepted)
    assert accepted.leaf.outcome == ACCEPTED, "Panels: not accepted"
    assert accepted.leaf.attempt > case.attempt, "Panels: not a later attempt"
    case.status = cases.STATUS_SLASHABLE
    case.charged_at = convert(governed._clock(), uint40)
    case.redone_by = accepted.leaf.node
    cases._write(id, case)
    log IPanels.CaseCharged(case=id)


@external
def clear(id: bytes32):
    """
    @notice Ends a case whose batch was cancelled, whose leaf was voided, or whose task nobody redid for 40 days. Anybody.
    """
    case: IPanels.Case = cases._read(id)
    assert case.status == cases.STATUS_FROZEN, "Panels: not frozen"
    if self._status(case.commitment) == CANCELLED:
        cases._clear(id, BATCH_CANCELLED)
    elif self._is_void(case):
        cases._clear(id, LEAF_VOID)
    else:
        assert verdicts._is_over(case.frozen_at, REDO_TERM), "Panels: may still be redone"
        cases._clear(id, NOT_REDONE)


@external
def clear_redone(id: bytes32, redone: IBatches.Inclusion):
    """
    @notice Ends a case whose task failed from another operator's hands too, in a final batch: then it was the task.
            Anybody.
    """
    case: IPanels.Case = cases._read(id)
    assert case.status == cases.STATUS_FROZEN, "Panels: not frozen"
    self._check_redone(case, redone)
    assert redone.leaf.outcome in [REJECTED, CLIENT_FAULT], "Panels: not rejected again"
    cases._clear(id, REJECTED_AGAIN)


@external
def penalise_late(
    header: IBatches.BatchHeader,
    leaf: IBatches.BatchLeaf,
    index: uint256,
    proof: DynArray[bytes32, 64],
    draw: uint16,
    acceptance: Bytes[65],
):
    """
    @notice The small slash of a late leaf in a final batch, once an attempt. Anybody.
    @param draw Of the acceptance.
    @param acceptance Signature of the Acceptance by a present or former operator of the node: a late leaf has no votes, so
           without it a manager could name any node.
    """
    self._check_final(header, leaf, index, proof)
    assert leaf.outcome == LATE, "Panels: not late"
    signer: address = eip712._recover(
        keccak256(abi_encode(ACCEPTANCE_TYPEHASH, leaf.task, leaf.attempt, leaf.node, draw)), acceptance
    )
    assert staticcall _REGISTRY.node_of_operator(signer) == leaf.node, "Panels: not accepted by the node"
    id: bytes32 = self._id(leaf)
    assert not self.is_penalised[id], "Panels: penalised before"
    self.is_penalised[id] = True
    amount: uint256 = self._part_of_required(leaf.node, governed._parameter(keccak256("slash_late_bps")))
    taken: uint256 = extcall _STAKING.slash(leaf.node, amount, 0)
    log IPanels.LatePenalised(case=id, node=leaf.node, amount=taken)


@external
def execute(id: bytes32):
    """
    @notice Slashes when the time to appeal is over. Anybody.
    """
    case: IPanels.Case = cases._read(id)
    assert case.status == cases.STATUS_SLASHABLE, "Panels: not slashable"
    assert appeals._is_appeal_over(case), "Panels: appeal window open"
    cases._slash(id)


@internal
def _freeze(
    header: IBatches.BatchHeader, leaf: IBatches.BatchLeaf, index: uint256, proof: DynArray[bytes32, 64]
) -> bytes32:
    commitment: bytes32 = empty(bytes32)
    status: uint8 = 0
    commitment, status = self._look_up(header, leaf, index, proof)
    assert status != CANCELLED, "Panels: batch cancelled"
    assert leaf.outcome == REJECTED, "Panels: not rejected"
    # Votes are asked for elsewhere, and later: a forged leaf must not stop a manager or a verifier meanwhile.
    assert (staticcall _REGISTRY.terms(leaf.node)).role == WORKER, "Panels: not a worker"
    id: bytes32 = self._id(leaf)
    self._check_new(id)
    case: IPanels.Case = empty(IPanels.Case)
    case.task = leaf.task
    case.attempt = leaf.attempt
    case.node = leaf.node
    case.account = leaf.account
    # No stake has more than fits its word.
    case.amount = min(
        self._part_of_required(leaf.node, governed._parameter(keccak256("slash_failed_bps"))), cases._LOW_96
    )
    case.status = cases.STATUS_FROZEN
    case.commitment = commitment
    case.index = convert(index, uint32)
    case.voters = leaf.voters
    case.frozen_at = convert(governed._clock(), uint40)
    cases._begin(id, case)
    return id


@internal
@view
def _check_new(id: bytes32):
    # One case an attempt; a case that fell with its batch makes room for the batch that takes its place.
    old: IPanels.Case = cases._read(id)
    if old.status == 0:
        return
    assert old.status == cases.STATUS_CLEARED, "Panels: frozen before"
    assert self._status(old.commitment) == CANCELLED, "Panels: frozen before"


@internal
@view
def _look_up(
    header: IBatches.BatchHeader, leaf: IBatches.BatchLeaf, index: uint256, proof: DynArray[bytes32, 64]
) -> (bytes32, uint8):
    # The batch that a leaf that counts is in, and its status.
    assert staticcall _BATCHES.verify(header, leaf, index, proof), "Panels: no such leaf"
    commitment: bytes32 = keccak256(abi_encode(header))
    assert not staticcall _BATCHES.is_void(commitment, index), "Panels: leaf void"
    return commitment, self._status(commitment)


@internal
@view
def _check_final(
    header: IBatches.BatchHeader, leaf: IBatches.BatchLeaf, index: uint256, proof: DynArray[bytes32, 64]
):
    assert self._look_up(header, leaf, index, proof)[1] == FINAL, "Panels: not final"


@internal
@view
def _check_redone(case: IPanels.Case, redone: IBatches.Inclusion):
    # Another attempt at the same task by another operator, final.
    self._check_final(redone.header, redone.leaf, redone.index, redone.proof)
    assert redone.leaf.task == case.task and redone.leaf.attempt != case.attempt, "Panels: not the task redone"
    assert (
        staticcall _REGISTRY.owner_of(redone.leaf.node) != staticcall _REGISTRY.owner_of(case.node)
    ), "Panels: redone by the same owner"


@internal
@view
def _status(commitment: bytes32) -> uint8:
    # Of a batch.
    return (staticcall _BATCHES.batch(commitment)).status


@internal
@view
def _is_void(case: IPanels.Case) -> bool:
    return staticcall _BATCHES.is_void(case.commitment, convert(case.index, uint256))


@internal
@view
def _part_of_required(node: uint32, bps: uint256) -> uint256:
    return staticcall _STAKING.required(node) * bps // BPS


@internal
@pure
def _id(leaf: IBatches.BatchLeaf) -> bytes32:
    return keccak256(abi_encode(leaf.task, leaf.attempt))
