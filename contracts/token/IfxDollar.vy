# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title IfxDollar
@license AGPL-3.0-only
@author Inferix
@notice Clients' prepaid credit, 1 ifxDollar = 1 USD at top-up, paid back in the coin paid in. Charges never touch an account here:
        what is spent and reserved stands in the epochs' accounts root, so thousands of tasks cost no storage. A request
        leaves free credit at once and is paid by a root whose cut-off is after it, which knows every order that could
        still have counted on that credit.
        An account opens with a USD, since it is a row in every epoch's accounts from then on.
        Credit is what arrived, rounded down; every payment is booked before it is made and bounded by the coin's pool.
        Charges of work go to the FeeBurner, charges of leases to whom Leases names, each bounded by a sum of its own.
@custom:kill `pause_coin` stops top-ups; withdrawing and releasing never stop.
"""

from ..interfaces import IAccounts
from ..interfaces import IBatches
from ..interfaces import IIfxDollar
from ..modules import coins
from ..modules import governed
from ..modules import lease

implements: IIfxDollar
initializes: governed
initializes: coins[governed := governed]


exports: (
    governed.parameters,
    governed.wired,
    coins.add_coin,
    coins.set_coin_cap,
    coins.pause_coin,
    coins.coin_count,
    coins.coin,
    coins.coin_at,
    coins.leased,
    coins.withdrawable,
)


MAX_CREDIT: constant(uint256) = 2**96 - 1
# What opens an account [nano-USD]
OPENING_CREDIT: public(constant(uint256)) = 10**9


# Amounts in nano-USD. Two words an account:
#   identity  credit << 160 | owner
#   request   coin << 136 | requested_at << 96 | requested
_LANE: constant(uint256) = 2**96 - 1
_ADDRESS: constant(uint256) = 2**160 - 1
_TIME: constant(uint256) = 2**40 - 1


batches: public(IBatches)
accounts: public(IAccounts)
fee_burner: public(address)
claims: public(address)
leases: public(address)

account_count: public(uint32)
account_of: public(HashMap[address, HashMap[address, uint32]])

_identities: HashMap[uint32, uint256]
_requests: HashMap[uint32, uint256]


@deploy
def __init__(parameters: address):
    """
    @notice Starts without coins.
    """
    governed.__init__(parameters)


@external
def wire(batches: address, accounts: address, fee_burner: address, claims: address, leases: address):
    """
    @notice Names the contracts that it works with. The deployer, once.
    """
    governed._wire_once()
    self.batches = IBatches(batches)
    self.accounts = IAccounts(accounts)
    self.fee_burner = fee_burner
    self.claims = claims
    self.leases = leases


@external
@nonreentrant
def top_up(coin: address, amount: uint256, owner: address) -> uint32:
    """
    @notice Pays `amount` units of the coin from the caller into the credit of `owner`; at least `OPENING_CREDIT` the first time.
    @return The account's id.
    """
    return self._top_up(coin, amount, owner)


@external
@nonreentrant
def top_up_with_permit(
    coin: address, amount: uint256, owner: address, deadline: uint256, v: uint8, r: bytes32, s: bytes32
) -> uint32:
    """
    @notice `top_up` with the caller's EIP-2612 permit over `amount`.
    @return The account's id.
    """
    # Whoever saw the permit may have used it first: then the allowance is there, and the failure means nothing.
    coins._known(coin)
    permitted: bool = raw_call(
        coin,
        abi_encode(
            msg.sender, self, amount, deadline, v, r, s,
            method_id=method_id("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"),
        ),
        revert_on_failure=False,
    )
    return self._top_up(coin, amount, owner)


@external
@nonreentrant
def request_withdrawal(account: uint32, amount: uint96):
    """
    @notice Takes `amount` [nano-USD] out of free credit. A further request adds to the first and waits anew. Owner only.
    """
    self._check_owner(account)
    assert amount != 0, "IfxDollar: nothing requested"
    request: uint256 = self._requests[account]
    requested: uint256 = (request & _LANE) + convert(amount, uint256)
    assert requested <= self._identities[account] >> 160, "IfxDollar: over the credit"
    self._write_request(account, request >> 136, block.timestamp, requested)
    log IIfxDollar.WithdrawalRequested(account=account, amount=amount)


@external
@nonreentrant
def cancel_request(account: uint32):
    """
    @notice Puts what is still requested back into free credit. Owner only.
    """
    self._check_owner(account)
    request: uint256 = self._requests[account]
    requested: uint256 = request & _LANE
    assert requested != 0, "IfxDollar: nothing requested"
    self._write_request(account, request >> 136, 0, 0)
    log IIfxDollar.RequestCancelled(account=account, amount=convert(requested, uint96))


@external
@nonreentrant
def withdraw(account: uint32, spent: uint96, reserved: uint96, proof: DynArray[bytes32, 64]) -> uint96:
    """
    @notice Pays what is requested to the account's owner, as far as credit, spent and reserved [nano-USD] of the newest final
            accounts root and the coin's allowance of this epoch let it; the rest stays requested. Anybody.
    @param proof Of the leaf (account, spent, reserved) in that root.
    @return nano-USD paid.
    """
    request: uint256 = self._requests[account]
    assert request & _LANE != 0, "IfxDollar: nothing requested"
    # A root up to an earlier moment does not know the orders posted between it and the request.
    assert staticcall self.accounts.cut_off() > request >> 96 & _TIME, "IfxDollar: no accounts root after the request yet"
    assert staticcall self.accounts.verify_account(account, spent, reserved, proof), "IfxDollar: not in the accounts root"
    credit: uint256 = self._identities[account] >> 160
    used: uint256 = convert(spent, uint256) + convert(reserved, uint256)
    assert credit > used, "IfxDollar: no credit left"
    return self._withdraw(account, request, credit - used)


@external
@nonreentrant
def pay_claim(account: uint32, amount: uint96) -> uint96:
    """
    @notice Pays up to `amount` [nano-USD] of what is requested to the account's owner, as far as the coin's allowance of this
            epoch lets it. BalanceClaims only, of claims that nobody could refute.
    @return nano-USD paid.
    """
    assert msg.sender == self.claims, "IfxDollar: not BalanceClaims"
    return self._withdraw(account, self._requests[account], convert(amount, uint256))


@external
@nonreentrant
def release(coin: address) -> uint256:
    """
    @notice Pays the FeeBurner the final charges of a coin, leases aside, that it has not had yet. FeeBurner only.
    @return Units of the coin paid.
    """
    assert msg.sender == self.fee_burner, "IfxDollar: not the fee burner"
    index: uint8 = coins._known(coin)
    units: uint256 = 0
    paid: uint256 = 0
    units, paid = coins._release(index, msg.sender, staticcall self.batches.final_charge(index))
    if units != 0:
        log IIfxDollar.Released(coin=coin, amount=convert(paid, uint96))
    return units


@external
@nonreentrant
def release_lease(index: uint8, to: address, amount: uint96) -> uint256:
    """
    @notice Pays out of the final charges of leases in a coin. Leases only, which knows for which leaf and whom.
    @param index Of the coin.
    @param amount nano-USD; what is under a unit of the coin stays.
    @return Units of the coin paid.
    """
    assert msg.sender == self.leases, "IfxDollar: not Leases"
    charged: uint256 = staticcall self.batches.final_charge(index | lease.MARK)
    units: uint256 = 0
    paid: uint256 = 0
    units, paid = coins._release_lease(index, to, convert(amount, uint256), charged)
    log IIfxDollar.LeaseReleased(
        coin=coins._books[index].coin, to=to, charge=amount, amount=convert(paid, uint96)
    )
    return units


@external
@view
def account(id: uint32) -> IIfxDollar.Account:
    """
    @notice An account; empty when there is none.
    """
    identity: uint256 = self._identities[id]
    request: uint256 = self._requests[id]
    return IIfxDollar.Account(
        owner=convert(convert(identity & _ADDRESS, uint160), address),
        coin=coins._books[convert(request >> 136, uint8)].coin,
        credit=convert(identity >> 160, uint96),
        requested=convert(request & _LANE, uint96),
        requested_at=convert(request >> 96 & _TIME, uint40),
    )


@internal
def _withdraw(account: uint32, request: uint256, most: uint256) -> uint96:
    # What is requested, at most `most`, out of the account's credit to its owner.
    requested: uint256 = request & _LANE
    identity: uint256 = self._identities[account]
    index: uint8 = convert(request >> 136, uint8)
    paid: uint256 = coins._payable(index, min(requested, most))
    self._write_identity(account, (identity >> 160) - paid, identity & _ADDRESS)
    self._write_request(account, request >> 136, request >> 96 & _TIME, requested - paid)
    coins._withdraw(index, convert(convert(identity & _ADDRESS, uint160), address), paid)
    log IIfxDollar.Withdrawn(account=account, amount=convert(paid, uint96))
    return convert(paid, uint96)


@internal
@view
def _check_owner(account: uint32):
    owner: address = convert(convert(self._identities[account] & _ADDRESS, uint160), address)
    assert msg.sender == owner, "IfxDollar: not the account's owner"


@internal
def _top_up(coin: address, amount: uint256, owner: address) -> uint32:
    assert owner != empty(address), "IfxDollar: no owner"
    received: uint256 = 0
    credit: uint256 = 0
    received, credit = coins._receive(coin, amount)
    account: uint32 = self.account_of[owner][coin]
    if account == 0:
        assert credit >= OPENING_CREDIT, "IfxDollar: an account opens with a USD"
        account = self._open(owner, coin)
    identity: uint256 = self._identities[account]
    self._write_identity(account, (identity >> 160) + credit, identity & _ADDRESS)
    log IIfxDollar.ToppedUp(
        account=account, owner=owner, coin=coin, amount=received, credit=convert(credit, uint96)
    )
    return account


@internal
def _open(owner: address, coin: address) -> uint32:
    account: uint32 = self.account_count + 1
    self.account_count = account
    self.account_of[owner][coin] = account
    self._identities[account] = convert(owner, uint256)
    self._write_request(account, convert(coins._known(coin), uint256), 0, 0)
    return account


@internal
def _write_identity(account: uint32, credit: uint256, owner: uint256):
    assert credit <= MAX_CREDIT, "IfxDollar: too much credit"
    self._identities[account] = credit << 160 | owner


@internal
def _write_request(account: uint32, index: uint256, requested_at: uint256, requested: uint256):
    self._requests[account] = index << 136 | requested_at << 96 | requested
