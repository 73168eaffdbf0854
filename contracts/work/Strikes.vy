# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
# pragma nonreentrancy on
"""
@title Strikes
@license AGPL-3.0-only
@author Inferix
@notice Each false result costs a worker a part of its stake (Panels). Whose results were found false three times within thirty
        days loses all that is left, and is banned: what one fine does not deter, the third one ends.
@custom:security A time is not a task. A broken graphics card spoils all that was under way before the first rejection took the
                 worker out of work: those are one time, whenever a manager proposes them. The next begins with a
                 result that was delivered a week after the case before was charged: after its owner was told, and had
                 a week to mend or to appeal. When a result was delivered is known from the seal of its receipt's anchor,
                 which Batches forgets after some weeks: so it is noted here.
                 A case counts once: who was pardoned begins anew, and a ban through another node saves no stake.
@custom:kill None. The days stand still while the protocol is paused.
"""

from ..interfaces import IBatches
from ..interfaces import INodeRegistry
from ..interfaces import IPanels
from ..interfaces import IStaking
from ..interfaces import IStrikes
from ..modules import governed

implements: IStrikes
initializes: governed


exports: governed.parameters


SLASHED: constant(uint8) = 4
BANNED: constant(uint8) = 4

# From the first delivery to the third
TERM: public(constant(uint256)) = 30 * 86400
# From the charge of a case to the first delivery that is another time
REST: public(constant(uint256)) = 7 * 86400


_REGISTRY: immutable(INodeRegistry)
_STAKING: immutable(IStaking)
_BATCHES: immutable(IBatches)
_PANELS: immutable(IPanels)


# commitment => index => protocol clock [s]
_delivered: HashMap[bytes32, HashMap[uint32, uint256]]
# case => whether it counted
is_counted: public(HashMap[bytes32, bool])


@deploy
def __init__(parameters: address, registry: address, staking: address, batches: address, panels: address):
    """
    @notice Needs no wiring.
    """
    governed.__init__(parameters)
    assert empty(address) not in [registry, staking, batches, panels], "Strikes: empty address"
    _REGISTRY = INodeRegistry(registry)
    _STAKING = IStaking(staking)
    _BATCHES = IBatches(batches)
    _PANELS = IPanels(panels)


@external
def note(rejected: IBatches.Inclusion):
    """
    @notice Remembers when the result of a case was delivered, once, as long as the seed of its anchor is kept. Anybody.
    @param rejected The leaf that the case is about, in its batch.
    """
    leaf: IBatches.BatchLeaf = rejected.leaf
    id: bytes32 = keccak256(abi_encode(leaf.task, leaf.attempt))
    case: IPanels.Case = staticcall _PANELS.case(id)
    assert case.status != 0, "Strikes: no case"
    assert keccak256(abi_encode(rejected.header)) == case.commitment, "Strikes: another batch"
    assert convert(rejected.index, uint32) == case.index and staticcall _BATCHES.verify(
        rejected.header, leaf, rejected.index, rejected.proof
    ), "Strikes: no such leaf"
    assert self._delivered[case.commitment][case.index] == 0, "Strikes: noted before"
    sealed_at: uint256 = staticcall _BATCHES.sealed_at(rejected.header.manager, leaf.anchor)
    assert sealed_at != 0, "Strikes: nobody knows any more"
    # A pause in between makes it seem earlier, never later.
    delivered: uint256 = governed._clock() - (block.timestamp - sealed_at)
    self._delivered[case.commitment][case.index] = delivered
    log IStrikes.DeliveryNoted(case=id, delivered_at=delivered)


@external
def strike_out(cases: bytes32[3]) -> uint256:
    """
    @notice Takes all stake of a worker, bonded and unbonding, and bans it. Anybody; nobody is paid for it.
    @param cases Three cases of the worker that ended with a slash, in the order of their deliveries, all of them noted.
    @return Wei taken.
    """
    first: IPanels.Case = self._count(cases[0])
    began: uint256 = self._delivered[first.commitment][first.index]
    before: IPanels.Case = first
    last: uint256 = began
    for id: bytes32 in [cases[1], cases[2]]:
        case: IPanels.Case = self._count(id)
        assert case.node == first.node, "Strikes: of two workers"
        last = self._delivered[case.commitment][case.index]
        assert last > convert(before.charged_at, uint256) + REST, "Strikes: not a time of its own"
        before = case
    assert last <= began + TERM, "Strikes: more than thirty days"
    taken: uint256 = extcall _STAKING.slash(first.node, max_value(uint256), 0)
    extcall _REGISTRY.set_status(first.node, BANNED)
    log IStrikes.StruckOut(node=first.node, cases=cases, amount=taken)
    return taken


@external
@view
def delivered_at(commitment: bytes32, index: uint32) -> uint256:
    """
    @notice When the result of this leaf was delivered [protocol clock]; 0 where nobody noted it.
    """
    return self._delivered[commitment][index]


@internal
def _count(id: bytes32) -> IPanels.Case:
    case: IPanels.Case = staticcall _PANELS.case(id)
    assert case.status == SLASHED, "Strikes: not slashed"
    assert self._delivered[case.commitment][case.index] != 0, "Strikes: not noted"
    assert not self.is_counted[id], "Strikes: counted before"
    self.is_counted[id] = True
    return case
