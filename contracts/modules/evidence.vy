# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title evidence
@license AGPL-3.0-only
@author Inferix
@notice What a leaf rests on beside its votes: the client's order, of which its task is, and the worker's receipt, in the
        anchor whose seed drew the voters; where the receipt commits to a canary or none, that it was none.
@custom:security Draws hang on the task's id and on the seed. Without the order anybody could look for an id, and without the
                 receipt for an anchor, that draws its friends.
@custom:kill Stateless.
"""

from ..interfaces import IAvailability
from ..interfaces import IBatches
from ..interfaces import ICommittees
from ..interfaces import INodeRegistry
from ..interfaces import IOrders
from . import eip712
from . import leaves
from . import merkle_sum

uses: eip712


ORDER_TYPEHASH: constant(bytes32) = keccak256(
    "Order(uint32 account,uint32 nonce,uint32 manager,bytes32 spec,uint64 cap,uint64 price,uint8 attempts,uint40 deadline,uint40 postBy)"
)
RECEIPT_TYPEHASH: constant(bytes32) = keccak256(
    "Receipt(bytes32 task,uint8 attempt,uint32 node,bytes32 result,bytes32 canary)"
)
# Of what a receipt's `canary` is the hash, unless it is zero
CANARY_TYPEHASH: constant(bytes32) = keccak256(
    "Canary(bytes32 task,uint8 attempt,uint32 node,bool isCanary,bytes32 salt)"
)

ORDER_BYTES: constant(uint256) = 135
ACCEPTED: constant(uint8) = 1
REJECTED: constant(uint8) = 2
_LOW_8: constant(uint256) = 2**8 - 1
_LOW_32: constant(uint256) = 2**32 - 1
_LOW_40: constant(uint256) = 2**40 - 1
_LOW_64: constant(uint256) = 2**64 - 1
_LOW_255: constant(uint256) = 2**255 - 1


_REGISTRY: immutable(INodeRegistry)
_BATCHES: immutable(IBatches)
_ORDERS: immutable(IOrders)
_AVAILABILITY: immutable(IAvailability)


@deploy
def __init__(registry: address, batches: address, orders: address, availability: address):
    assert empty(address) not in [registry, batches, orders, availability], "evidence: empty address"
    _REGISTRY = INodeRegistry(registry)
    _BATCHES = IBatches(batches)
    _ORDERS = IOrders(orders)
    _AVAILABILITY = IAvailability(availability)


@internal
@view
def _check_order(
    manager: uint32, leaf: IBatches.BatchLeaf, order: Bytes[135], task_index: uint32, client: address
):
    """
    @dev The client signed it, this task is of it, and the leaf is within it.
    @param client Owner of the leaf's account.
    """
    assert len(order) == ORDER_BYTES, "Committees: length of the order"
    # account 4, nonce 4, manager 4, then the spec; and from its last 5 bytes on cap 8, price 8, attempts 1, deadline 5,
    # postBy 5
    head: uint256 = convert(extract32(order, 0), uint256)
    terms: uint256 = convert(extract32(order, 39), uint256)
    lane: uint256 = head >> 160 & _LOW_32
    cap: uint256 = terms >> 152 & _LOW_64
    price: uint256 = terms >> 88 & _LOW_64
    attempts: uint256 = terms >> 80 & _LOW_8
    job: bytes32 = eip712._digest(
        keccak256(
            abi_encode(
                ORDER_TYPEHASH,
                head >> 224,
                head >> 192 & _LOW_32,
                lane,
                extract32(order, 12),
                cap,
                price,
                attempts,
                terms >> 40 & _LOW_40,
                terms & _LOW_40,
            )
        )
    )
    assert keccak256(abi_encode(job, task_index)) == leaf.task, "Committees: not a task of this order"
    assert client == self._signer(
        job, extract32(order, 71), extract32(order, 103)
    ), "Committees: not signed by the account's owner"
    assert staticcall _ORDERS.is_in_lane(
        job, convert(lane, uint32), manager, leaf.anchor
    ), "Committees: not the attempt's lane"
    charge: uint256 = convert(leaf.charge, uint256)
    assert convert(leaf.account, uint256) == head >> 224, "Committees: not as ordered"
    # One more than ordered, where one of them was a canary: that costs the client none.
    assert attempts != 0 and convert(leaf.attempt, uint256) <= attempts, "Committees: not as ordered"
    assert charge <= cap, "Committees: not as ordered"
    if leaf.outcome == ACCEPTED:
        fee: uint256 = (convert(leaf.work, uint256) * price + 10**9 - 1) // 10**9
        assert charge <= fee, "Committees: not as ordered"


@internal
@view
def _check_receipt(
    manager: uint32, leaf: IBatches.BatchLeaf, signature: bytes32[2], canary: bytes32, place: ICommittees.Place
):
    """
    @dev The worker signed it, and it is in the leaf's anchor.
    """
    digest: bytes32 = self._receipt(leaf, leaf.result, canary)
    # An address is its node's for ever: a key that was replaced since still counts, the anchor tells when it spoke.
    signer: address = self._signer(digest, signature[0], signature[1])
    assert (
        leaf.node != 0 and staticcall _REGISTRY.node_of_operator(signer) == leaf.node
    ), "Committees: not signed by the worker"
    assert self._is_in(manager, leaf.anchor, digest, place), "Committees: receipt not in the anchor"


@internal
@pure
def _check_canary(leaf: IBatches.BatchLeaf, canary: bytes32, salt: bytes32):
    """
    @dev Nobody is charged for a result that was bad on purpose. A rejection needs no salt: or who withholds it would save
         a cheat.
    """
    if canary == empty(bytes32) or leaf.outcome == REJECTED:
        return
    assert canary == keccak256(
        abi_encode(CANARY_TYPEHASH, leaf.task, leaf.attempt, leaf.node, False, salt)
    ), "Committees: not shown to be no canary"


@internal
@view
def _is_in(manager: uint32, anchor: uint32, digest: bytes32, place: ICommittees.Place) -> bool:
    """
    @dev Whether a message is in a sealed anchor of the lane whose messages count.
    """
    root: bytes32 = merkle_sum._locate(leaves._message(digest), place.index, place.proof).root.hash
    if not staticcall _BATCHES.is_anchored(manager, anchor, root, place.block_hash):
        return False
    return not staticcall _AVAILABILITY.is_cancelled(manager, anchor, root)


@internal
@view
def _receipt(leaf: IBatches.BatchLeaf, result: bytes32, canary: bytes32) -> bytes32:
    """
    @dev Digest of the receipt over this result that the worker of the leaf's attempt signs.
    """
    return eip712._digest(keccak256(abi_encode(RECEIPT_TYPEHASH, leaf.task, leaf.attempt, leaf.node, result, canary)))


@internal
@pure
def _signer(digest: bytes32, r: bytes32, vs: bytes32) -> address:
    packed: uint256 = convert(vs, uint256)
    return eip712._signer(digest, (packed >> 255) + 27, r, packed & _LOW_255)
