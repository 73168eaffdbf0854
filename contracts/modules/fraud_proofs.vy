# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title fraud_proofs
@license AGPL-3.0-only
@author Inferix
@notice Lies that a contract sees at once, with nobody to be asked and no window to wait: a wrong sum, a task twice, 12 bytes
        that differ from their leaf, a leaf against its order; and a verifier's double vote.
@custom:security The reporter gets as much as is burned of one dispute bond, and nothing of the fine: nobody gains by
                 reporting itself.
@custom:kill None: proofs must always work.
"""

from ..interfaces import IBatches
from ..interfaces import IDisputes
from ..interfaces import IIfxDollar
from ..interfaces import IMerkleSum
from ..interfaces import INodeRegistry
from ..interfaces import IOrders
from ..interfaces import IStaking
from . import convictions
from . import eip712
from . import governed
from . import merkle_sum

uses: convictions
uses: eip712
uses: governed


WRONG_SUM: constant(uint8) = 3
DUPLICATE: constant(uint8) = 4
RECORD: constant(uint8) = 5
ORDER: constant(uint8) = 6

ACCEPTED: constant(uint8) = 1
LATE: constant(uint8) = 3
VOID: constant(uint8) = 5
PROPOSED: constant(uint8) = 1
CANCELLED: constant(uint8) = 3
BANNED: constant(uint8) = 4

ORDER_TYPEHASH: constant(bytes32) = keccak256(
    "Order(uint32 account,uint32 nonce,uint32 manager,bytes32 spec,uint64 cap,uint64 price,uint8 attempts,uint40 deadline,uint40 postBy)"
)
VOTE_TYPEHASH: constant(bytes32) = keccak256(
    "Vote(bytes32 task,uint8 attempt,uint32 node,bytes32 result,uint8 outcome,bytes32 measured)"
)
# Of a double voter's stake, the reporter's part
EQUIVOCATION_REWARD_BPS: constant(uint256) = 1_000
RECORD_BYTES: constant(uint256) = 12
# A batch of another lane is known this long after it was proposed, finality and an outage of a keeper included; protocol
# time [s]
SEEN_AFTER: constant(uint40) = 3_600


_REGISTRY: immutable(INodeRegistry)
_STAKING: immutable(IStaking)
_BATCHES: immutable(IBatches)
_ORDERS: immutable(IOrders)
_IFX_DOLLAR: immutable(IIfxDollar)


# keccak256(task, attempt, node) of each double vote that was punished
_proven: HashMap[bytes32, bool]


@deploy
def __init__(registry: address, staking: address, batches: address, orders: address, ifx_dollar: address):
    assert empty(address) not in [orders, ifx_dollar], "fraud_proofs: empty address"
    _REGISTRY = INodeRegistry(registry)
    _STAKING = IStaking(staking)
    _BATCHES = IBatches(batches)
    _ORDERS = IOrders(orders)
    _IFX_DOLLAR = IIfxDollar(ifx_dollar)


@external
def prove_wrong_sum(
    header: IBatches.BatchHeader,
    left: IMerkleSum.SumNode,
    right: IMerkleSum.SumNode,
    index: uint256,
    proof: DynArray[bytes32, 64],
):
    """
    @notice Shows a node of the batch's tree whose claimed sum is not that of its two children. Of several wrong nodes one
            above the other, the highest.
    @param index Of the node, at its height.
    @param proof Siblings from the node up; none for the root.
    """
    commitment: bytes32 = convictions._check_proposed(header)
    # What the node claims is what the siblings leave of the total.
    claimed: uint256 = convictions._root(header).sum
    for i: uint256 in range(len(proof) // 2, bound=32):
        sibling: uint256 = convert(proof[2 * i + 1], uint256)
        assert claimed >= sibling, "Disputes: siblings over the total"
        claimed = unsafe_sub(claimed, sibling)
    node: IMerkleSum.SumNode = IMerkleSum.SumNode(hash=merkle_sum._pair(left, right), sum=claimed)
    assert merkle_sum._verify(convictions._root(header), node, index, proof), "Disputes: no such node"
    assert not merkle_sum._is_valid(left.sum, right.sum, claimed), "Disputes: the sum is right"
    self._convict(commitment, header.manager, WRONG_SUM)


@external
def prove_duplicate(a: IBatches.Inclusion, b: IBatches.Inclusion, order: IDisputes.Order, task_index: uint32):
    """
    @notice Shows one attempt twice, or one task accepted twice, or two leaves of a batch out of order. The later leaf is
            the lie; of two lanes the one that the attempt does not belong to, or where a job was taken over and either may
            be right, the one that was proposed so much later that it was seen. A batch that stands alone gives way to its
            lane's while it waits, without a fine where it was not there later; once it is final, the lane's repeats it,
            without a fine where it was proposed while the other still waited.
    @param order The task's order, needed when the batches are of two lanes; else empty.
    @param task_index The task's index in its job.
    """
    first: bytes32 = self._check_included(a)
    second: bytes32 = self._check_included(b)
    if first == second:
        assert a.index < b.index, "Disputes: not two leaves in order"
        assert not self._is_sorted(a.leaf, b.leaf) or self._is_repeated(a.leaf, b.leaf), "Disputes: no duplicate"
        self._convict(second, b.header.manager, DUPLICATE)
        return
    assert self._is_repeated(a.leaf, b.leaf), "Disputes: no duplicate"
    if a.header.manager == b.header.manager and (a.header.sequence == 0 or b.header.sequence == 0):
        # Late and void leaves need no votes and pay nobody: one of them does not stop who has shown what is behind the other.
        assert a.leaf.outcome not in [LATE, VOID] and b.leaf.outcome not in [LATE, VOID], "Disputes: no duplicate"
        if a.header.sequence == b.header.sequence:
            self._settle_alone(first, second, a.header.manager)
        elif a.header.sequence == 0:
            self._settle_beside(first, second, a.header.manager)
        else:
            self._settle_beside(second, first, a.header.manager)
        return
    if self._is_b_guilty(a, first, b, second, order, task_index):
        self._convict(second, b.header.manager, DUPLICATE)
    else:
        self._convict(first, a.header.manager, DUPLICATE)


@external
def prove_record(
    header: IBatches.BatchHeader,
    records: Bytes[12000],
    leaf: IBatches.BatchLeaf,
    index: uint256,
    proof: DynArray[bytes32, 64],
):
    """
    @notice Shows a leaf that differs from the 12 bytes that were posted for it.
    """
    commitment: bytes32 = convictions._check_proposed(header)
    assert keccak256(records) == header.records, "Disputes: not the records of the batch"
    convictions._check_leaf(header, leaf, index, proof)
    posted: uint256 = convert(slice(records, index * RECORD_BYTES, RECORD_BYTES), uint256)
    right: uint256 = (
        convert(leaf.node, uint256) << 64
        | convert(leaf.charge, uint256) << 24
        | convert(leaf.outcome, uint256) << 16
        | convert(leaf.task, uint256) & 65535
    )
    assert posted != right, "Disputes: the record is right"
    self._convict(commitment, header.manager, RECORD)


@external
def prove_order(
    header: IBatches.BatchHeader,
    leaf: IBatches.BatchLeaf,
    index: uint256,
    proof: DynArray[bytes32, 64],
    order: IDisputes.Order,
    task_index: uint32,
):
    """
    @notice Shows a leaf that its order contradicts: another account, another coin than the account's, an attempt too
            many, a charge above the order's price or cap, or a lane that the attempt does not belong to.
    """
    commitment: bytes32 = convictions._check_proposed(header)
    convictions._check_leaf(header, leaf, index, proof)
    job: bytes32 = self._job(order, task_index, leaf.task)
    # Rounded up, as fees are. The price of a client_fault is that of the work not done: only the cap bounds it here.
    fee: uint256 = (convert(leaf.work, uint256) * convert(order.price, uint256) + 10**9 - 1) // 10**9
    # One attempt more than ordered, where one of them was a canary.
    fair: bool = leaf.account == order.account and leaf.attempt <= order.attempts and order.attempts != 0
    fair = fair and leaf.charge <= order.cap
    if leaf.outcome == ACCEPTED:
        fair = fair and convert(leaf.charge, uint256) <= fee
    fair = fair and self._is_in_lane(job, order.manager, header.manager, leaf.anchor)
    # Else the charge would be taken out of the pool of clients who paid in another coin.
    paid_in: address = (staticcall _IFX_DOLLAR.account(leaf.account)).coin
    fair = fair and staticcall _IFX_DOLLAR.coin_at(header.coin) == paid_in
    assert not fair, "Disputes: as ordered"
    self._convict(commitment, header.manager, ORDER)


@external
def prove_equivocation(
    vote_a: IDisputes.Vote, signature_a: Bytes[65], vote_b: IDisputes.Vote, signature_b: Bytes[65]
):
    """
    @notice Shows two votes of one verifier on one result of one attempt with different outcomes: all its stake, bonded and
            unbonding, and a ban for ever. Anybody, at any time; a key that the node has replaced since counts too.
    """
    node: uint32 = vote_a.node
    assert node == vote_b.node, "Disputes: votes of two verifiers"
    assert vote_a.task == vote_b.task and vote_a.attempt == vote_b.attempt, "Disputes: votes on two attempts"
    assert vote_a.result == vote_b.result, "Disputes: votes on two results"
    assert vote_a.outcome != vote_b.outcome, "Disputes: the same outcome"
    key: bytes32 = keccak256(abi_encode(vote_a.task, vote_a.attempt, node))
    assert not self._proven[key], "Disputes: punished already"
    self._check_vote(vote_a, signature_a)
    self._check_vote(vote_b, signature_b)
    self._proven[key] = True
    taken: uint256 = extcall _STAKING.slash(node, max_value(uint256), EQUIVOCATION_REWARD_BPS, msg.sender)
    extcall _REGISTRY.set_status(node, BANNED)
    log IDisputes.EquivocationProven(
        node=node, task=vote_a.task, attempt=vote_a.attempt, amount=taken, reporter=msg.sender
    )


@internal
def _convict(commitment: bytes32, manager: uint32, kind: uint8):
    log IDisputes.LieProven(commitment=commitment, kind=kind, reporter=msg.sender)
    convictions._punish(commitment, manager, msg.sender)


@internal
def _settle_alone(first: bytes32, second: bytes32, manager: uint32):
    # Of two batches that stand alone the later one is the lie.
    is_first_later: bool = convictions._batch(first).proposed_at > convictions._batch(second).proposed_at
    self._convict(first if is_first_later else second, manager, DUPLICATE)


@internal
def _settle_beside(alone: bytes32, lane: bytes32, manager: uint32):
    # A batch that stands alone, and its lane's. Had the lane to give way, anybody who sees a manager's batch come could
    # copy a leaf of it and be first. Of two in one block neither has seen the other.
    one: IBatches.Batch = convictions._batch(alone)
    two: IBatches.Batch = convictions._batch(lane)
    falls: bytes32 = alone
    gives_way: bool = one.proposed_at <= two.proposed_at
    if one.status != PROPOSED:
        # A lane may propose what still waits alone: that nobody showed both in time is no lie of its manager.
        falls = lane
        window: uint256 = governed._parameter(keccak256("batch_window"))
        gives_way = convert(two.proposed_at, uint256) < convert(one.proposed_at, uint256) + window
    if gives_way:
        convictions._give_way(falls)
    else:
        self._convict(falls, manager, DUPLICATE)


@internal
@view
def _check_included(item: IBatches.Inclusion) -> bytes32:
    # In a batch that is not cancelled, and not void: what counts no more repeats nothing.
    commitment: bytes32 = keccak256(abi_encode(item.header))
    convictions._check_leaf(item.header, item.leaf, item.index, item.proof)
    assert convictions._batch(commitment).status != CANCELLED, "Disputes: batch cancelled"
    assert not staticcall _BATCHES.is_void(commitment, item.index), "Disputes: leaf void"
    return commitment


@internal
@view
def _check_vote(vote: IDisputes.Vote, signature: Bytes[65]):
    signer: address = eip712._recover(keccak256(abi_encode(VOTE_TYPEHASH, vote)), signature)
    assert staticcall _REGISTRY.node_of_operator(signer) == vote.node, "Disputes: not signed by the verifier"


@internal
@view
def _job(order: IDisputes.Order, task_index: uint32, task: bytes32) -> bytes32:
    # The order's id, which names the task: no signature is needed to know whose it is.
    job: bytes32 = eip712._digest(keccak256(abi_encode(ORDER_TYPEHASH, order)))
    assert keccak256(abi_encode(job, task_index)) == task, "Disputes: not a task of this order"
    return job


@internal
@view
def _is_b_guilty(
    a: IBatches.Inclusion,
    first: bytes32,
    b: IBatches.Inclusion,
    second: bytes32,
    order: IDisputes.Order,
    task_index: uint32,
) -> bool:
    # Of one lane the later batch; of two lanes the one that the attempt does not belong to. Who was first in time says
    # nothing there: a leaf could be copied and proposed just before its owner does.
    if a.header.manager == b.header.manager:
        return b.header.sequence > a.header.sequence
    job: bytes32 = self._job(order, task_index, a.leaf.task)
    if not self._is_in_lane(job, order.manager, b.header.manager, b.leaf.anchor):
        return True
    if not self._is_in_lane(job, order.manager, a.header.manager, a.leaf.anchor):
        return False
    # Each lane may have had it, of a job that was taken over. No keeper proposes what it sees in the other lane's
    # batch: who comes that much later has seen it. Of two that cross, the votes tell.
    one: uint40 = convictions._batch(first).proposed_at
    two: uint40 = convictions._batch(second).proposed_at
    assert max(one, two) - min(one, two) >= SEEN_AFTER, "Disputes: proposed together, dispute the votes"
    return two > one


@internal
@view
def _is_in_lane(job: bytes32, from_manager: uint32, manager: uint32, anchor: uint32) -> bool:
    return staticcall _ORDERS.is_in_lane(job, from_manager, manager, anchor)


@internal
@pure
def _is_repeated(a: IBatches.BatchLeaf, b: IBatches.BatchLeaf) -> bool:
    if a.task != b.task:
        return False
    return a.attempt == b.attempt or (a.outcome == ACCEPTED and b.outcome == ACCEPTED)


@internal
@pure
def _is_sorted(a: IBatches.BatchLeaf, b: IBatches.BatchLeaf) -> bool:
    if a.task == b.task:
        return a.attempt < b.attempt
    return convert(a.task, uint256) < convert(b.task, uint256)
