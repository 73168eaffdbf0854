# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title Orders
@license AGPL-3.0-only
@author Inferix
@notice Orders enter the chain as events, 135 bytes each, many in one transaction, and are not stored: which of them count
        (signature, time, nonce, free credit) follows from the chain alone, so everybody works out the same.
        So do receipts and probes that no manager anchors.
        A manager that is silent is called out; where it has not anchored `takeover_after` later, others take its jobs over.
@custom:security A take-over counts because of what is seen here, not of what is claimed: no manager that anchors loses a
                 job, and whose lane an attempt belongs to follows from the anchor of its receipt.
@custom:kill Guardian: `Parameters.pause` stops `post`. Cancelling, messages of nodes and taking over go on.
"""

from ..interfaces import IBatches
from ..interfaces import IIfxDollar
from ..interfaces import IOrders
from ..modules import eip712
from ..modules import governed
from ..modules import managers

implements: IOrders
initializes: eip712
initializes: governed
initializes: managers


exports: governed.parameters


# account 4, nonce 4, manager 4, spec 32, cap 8, price 8, attempts 1, deadline 5, postBy 5, signature r 32, vs 32
RECORD_BYTES: public(constant(uint256)) = 135


# Kinds of messages and the lengths of their bodies, as in Availability.
RECEIPT: constant(uint8) = 2
PROBE: constant(uint8) = 5
RECEIPT_BYTES: constant(uint256) = 160
PROBE_BYTES: constant(uint256) = 128

CANCEL_TYPEHASH: constant(bytes32) = keccak256("Cancel(uint32 account,uint32 nonce)")


_LOW_32: constant(uint256) = 2**32 - 1


_IFX_DOLLAR: immutable(IIfxDollar)
_BATCHES: immutable(IBatches)


# manager => when it was called out << 32 | anchors that its lane had then
_calls: HashMap[uint32, uint256]
# job => manager of its order => anchors of that lane << 64 | anchors of the taker's lane << 32 | taker
_taken: HashMap[bytes32, HashMap[uint32, uint256]]


@deploy
def __init__(parameters: address, registry: address, staking: address, ifx_dollar: address, batches: address):
    """
    @notice Needs no wiring.
    """
    governed.__init__(parameters)
    managers.__init__(registry, staking)
    eip712.__init__(registry)
    assert ifx_dollar != empty(address), "Orders: no ifxDollar"
    assert batches != empty(address), "Orders: no Batches"
    _IFX_DOLLAR = IIfxDollar(ifx_dollar)
    _BATCHES = IBatches(batches)


@external
def post(records: Bytes[6750]):
    """
    @notice Posts up to 50 signed orders. The operator of a bonded manager; a single order, also its account's owner.
            Not while paused.
    @param records Order records one after the other.
    """
    governed._check_running()
    assert len(records) != 0 and len(records) % RECORD_BYTES == 0, "Orders: length of records"
    if len(records) != RECORD_BYTES or not self._is_owner(convert(slice(records, 0, 4), uint32)):
        managers._check_caller()
    log IOrders.OrdersPosted(poster=msg.sender, records=records)


@external
def cancel(account: uint32, nonce: uint32):
    """
    @notice Makes the order with this nonce void, posted or not, but for what runs already. The account's owner.
    """
    assert self._is_owner(account), "Orders: not the account's owner"
    log IOrders.OrderCancelled(account=account, nonce=nonce)


@external
def cancel_signed(account: uint32, nonce: uint32, signature: Bytes[65]):
    """
    @notice `cancel` signed by the account's owner. Anybody.
    """
    owner: address = (staticcall _IFX_DOLLAR.account(account)).owner
    assert owner != empty(address), "Orders: no such account"
    signer: address = eip712._recover(keccak256(abi_encode(CANCEL_TYPEHASH, account, nonce)), signature)
    assert signer == owner, "Orders: not signed by the account's owner"
    log IOrders.OrderCancelled(account=account, nonce=nonce)


@external
def post_message(kind: uint8, body: Bytes[160], signature: Bytes[65]):
    """
    @notice Puts a node's receipt or probe on chain itself, where no manager anchors it. Anybody, while paused too.
            Lengths are all that is checked: what counts follows from the chain.
    @param kind 2 Receipt, 5 Probe.
    @param body The message's fields as they are signed, `abi.encode`.
    """
    assert kind in [RECEIPT, PROBE], "Orders: no receipt or probe"
    assert len(body) == (RECEIPT_BYTES if kind == RECEIPT else PROBE_BYTES), "Orders: length of the body"
    assert len(signature) == 65, "Orders: length of the signature"
    log IOrders.MessagePosted(kind=kind, body=body, signature=signature)


@external
def call_out(manager: uint32, by_manager: uint32):
    """
    @notice Calls on a manager to anchor; once, until it does. The operator of a bonded manager.
    """
    managers._check_manager(by_manager)
    anchors: uint256 = self._anchors(manager)
    word: uint256 = self._calls[manager]
    # A further call would begin the time anew.
    assert word == 0 or word & _LOW_32 != anchors, "Orders: called out already"
    self._calls[manager] = block.timestamp << 32 | anchors
    log IOrders.ManagerCalledOut(manager=manager, by_manager=by_manager, anchors=convert(anchors, uint32))


@external
def take_over(job: bytes32, from_manager: uint32, by_manager: uint32):
    """
    @notice Takes a job over from its order's manager, which was called out `takeover_after` ago and has not anchored since.
            Once a job. The operator of the bonded manager that takes over.
    """
    managers._check_manager(by_manager)
    assert from_manager != by_manager, "Orders: the same manager"
    word: uint256 = self._calls[from_manager]
    anchors: uint256 = self._anchors(from_manager)
    assert word != 0 and word & _LOW_32 == anchors, "Orders: not called out"
    assert block.timestamp >= (word >> 32) + governed._parameter(
        keccak256("takeover_after")
    ), "Orders: called out a moment ago"
    assert self._taken[job][from_manager] == 0, "Orders: taken over before"
    by_anchors: uint256 = self._anchors(by_manager)
    self._taken[job][from_manager] = anchors << 64 | by_anchors << 32 | convert(by_manager, uint256)
    log IOrders.JobTakenOver(
        job=job,
        from_manager=from_manager,
        by_manager=by_manager,
        from_anchors=convert(anchors, uint32),
        by_anchors=convert(by_anchors, uint32),
    )


@external
@view
def called_out(manager: uint32) -> (uint256, uint256):
    """
    @notice When a manager was last called out [s], and how many anchors its lane had then; zero before the first time.
    """
    word: uint256 = self._calls[manager]
    return word >> 32, word & _LOW_32


@external
@view
def taken_over(job: bytes32, from_manager: uint32) -> IOrders.TakeOver:
    """
    @notice Who took a job over from this manager; empty where nobody did.
    @param from_manager The order's: of another there is no job to take over.
    """
    word: uint256 = self._taken[job][from_manager]
    return IOrders.TakeOver(
        manager=convert(word & _LOW_32, uint32),
        from_anchors=convert(word >> 64, uint32),
        by_anchors=convert(word >> 32 & _LOW_32, uint32),
    )


@external
@view
def is_in_lane(job: bytes32, from_manager: uint32, manager: uint32, anchor: uint32) -> bool:
    """
    @notice Whether an attempt of a job belongs to a manager's lane: with its receipt anchored before the job was taken over,
            to the lane of the order's manager, else to the taker's.
    @param from_manager The order's manager.
    @param anchor Index in that lane of the anchor that holds the attempt's receipt; 0 where it ended without one: that may
                  be in either lane.
    """
    word: uint256 = self._taken[job][from_manager]
    if word == 0:
        return manager == from_manager
    index: uint256 = convert(anchor, uint256)
    if manager == from_manager:
        return index <= word >> 64
    return convert(manager, uint256) == word & _LOW_32 and (index == 0 or index > word >> 32 & _LOW_32)


@internal
@view
def _anchors(manager: uint32) -> uint256:
    return convert((staticcall _BATCHES.lane(manager)).anchors, uint256)


@internal
@view
def _is_owner(account: uint32) -> bool:
    return msg.sender == (staticcall _IFX_DOLLAR.account(account)).owner
