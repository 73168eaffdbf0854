# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title Orders
@license AGPL-3.0-only
@author Inferix
@notice Orders enter the chain as events, 135 bytes each, many in one transaction, and are not stored: which of them count
        (signature, time, nonce, free credit) follows from the chain alone, so everybody works out the same.
@custom:kill Guardian: `Parameters.pause` stops `post`. Cancelling and taking over go on.
"""

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

CANCEL_TYPEHASH: constant(bytes32) = keccak256("Cancel(uint32 account,uint32 nonce)")


_IFX_DOLLAR: immutable(IIfxDollar)


# Jobs that somebody declared taken over, rightly or not: whose lane they are then in, no contract can say
is_taken_over: public(HashMap[bytes32, bool])


@deploy
def __init__(parameters: address, registry: address, staking: address, ifx_dollar: address):
    """
    @notice Needs no wiring.
    """
    governed.__init__(parameters)
    managers.__init__(registry, staking)
    eip712.__init__(registry)
    assert ifx_dollar != empty(address), "Orders: no ifxDollar"
    _IFX_DOLLAR = IIfxDollar(ifx_dollar)


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
def take_over(job: bytes32, from_manager: uint32, by_manager: uint32):
    """
    @notice Takes a job over from a manager that leaves it unanchored. It counts where the rules of docs/protocol.md say so;
            the first one does. The operator of the bonded manager that takes over.
    """
    managers._check_manager(by_manager)
    assert from_manager != by_manager, "Orders: the same manager"
    self.is_taken_over[job] = True
    log IOrders.JobTakenOver(job=job, from_manager=from_manager, by_manager=by_manager)


@internal
@view
def _is_owner(account: uint32) -> bool:
    return msg.sender == (staticcall _IFX_DOLLAR.account(account)).owner
