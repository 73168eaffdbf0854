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
        Credit is what arrived, rounded down; every payment is booked before it is made and bounded by the coin's pool.
@custom:kill `pause_coin` stops top-ups; withdrawing and releasing never stop.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from ..interfaces import IAccounts
from ..interfaces import IBatches
from ..interfaces import IIfxDollar
from ..modules import governed

implements: IIfxDollar
initializes: governed


exports: (governed.parameters, governed.wired)


NANO: constant(uint256) = 10**9
BPS: constant(uint256) = 10_000
MAX_CREDIT: constant(uint256) = 2**96 - 1


# Amounts in nano-USD. Two words an account:
#   identity  credit << 160 | owner
#   request   coin << 136 | requested_at << 96 | requested
_LANE: constant(uint256) = 2**96 - 1
_ADDRESS: constant(uint256) = 2**160 - 1
_TIME: constant(uint256) = 2**40 - 1


struct Book:
    coin: address
    scale: uint256
    cap: uint256
    pool: uint256
    released: uint256
    paused: bool
    # Paid out in the epoch numbered `epoch`
    epoch: uint256
    withdrawn: uint256


batches: public(IBatches)
accounts: public(IAccounts)
fee_burner: public(address)

account_count: public(uint32)
account_of: public(HashMap[address, HashMap[address, uint32]])
coin_count: public(uint8)

_identities: HashMap[uint32, uint256]
_requests: HashMap[uint32, uint256]
_index_of: HashMap[address, uint8]
_books: HashMap[uint8, Book]


@deploy
def __init__(parameters: address):
    """
    @notice Starts without coins.
    """
    governed.__init__(parameters)


@external
def wire(batches: address, accounts: address, fee_burner: address):
    """
    @notice Names the contracts that it works with. The deployer, once.
    """
    governed._wire_once()
    self.batches = IBatches(batches)
    self.accounts = IAccounts(accounts)
    self.fee_burner = fee_burner


@external
def add_coin(coin: address, cap: uint96):
    """
    @notice Accepts a coin at 1 USD. Governor only.
    @param cap Most that its pool may hold after a top-up [nano-USD].
    """
    governed._check_governor()
    assert self._index_of[coin] == 0, "IfxDollar: coin known"
    decimals: uint256 = convert(staticcall IERC20Detailed(coin).decimals(), uint256)
    assert decimals >= 2 and decimals <= 18, "IfxDollar: decimals"
    index: uint8 = self.coin_count + 1
    self.coin_count = index
    self._index_of[coin] = index
    self._books[index].coin = coin
    self._books[index].scale = 10**decimals
    self._books[index].cap = convert(cap, uint256)
    log IIfxDollar.CoinAdded(coin=coin, index=index, scale=10**decimals, cap=convert(cap, uint256))


@external
def set_coin_cap(coin: address, cap: uint96):
    """
    @notice Bounds a coin's pool [nano-USD]. Governor only.
    """
    governed._check_governor()
    self._books[self._known(coin)].cap = convert(cap, uint256)
    log IIfxDollar.CoinCapSet(coin=coin, cap=convert(cap, uint256))


@external
def pause_coin(coin: address, paused: bool):
    """
    @notice Stops top-ups in a coin, for instance when it loses its peg. Guardian or governor; only the governor ends it.
    """
    if paused:
        governed._check_guardian()
    else:
        governed._check_governor()
    self._books[self._known(coin)].paused = paused
    log IIfxDollar.CoinPaused(coin=coin, paused=paused)


@external
@nonreentrant
def top_up(coin: address, amount: uint256, owner: address) -> uint32:
    """
    @notice Pays `amount` units of the coin from the caller into the credit of `owner`.
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
    self._known(coin)
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
    requested: uint256 = request & _LANE
    assert requested != 0, "IfxDollar: nothing requested"
    # A root up to an earlier moment does not know the orders posted between it and the request.
    assert staticcall self.accounts.cut_off() > request >> 96 & _TIME, "IfxDollar: no accounts root after the request yet"
    assert staticcall self.accounts.verify_account(account, spent, reserved, proof), "IfxDollar: not in the accounts root"
    identity: uint256 = self._identities[account]
    credit: uint256 = identity >> 160
    used: uint256 = convert(spent, uint256) + convert(reserved, uint256)
    assert credit > used, "IfxDollar: no credit left"
    index: uint8 = convert(request >> 136, uint8)
    # A coin pays whole units only; what is under one stays credit.
    units: uint256 = self._to_units(index, min(min(requested, credit - used), self._allowance(index)))
    paid: uint256 = self._to_nano(index, units)
    assert units != 0, "IfxDollar: allowance used up, or under one unit"
    self._write_identity(account, credit - paid, identity & _ADDRESS)
    self._write_request(account, request >> 136, request >> 96 & _TIME, requested - paid)
    self._count_withdrawal(index, paid)
    self._pay_out(index, convert(convert(identity & _ADDRESS, uint160), address), units)
    log IIfxDollar.Withdrawn(account=account, amount=convert(paid, uint96))
    return convert(paid, uint96)


@external
@nonreentrant
def release(coin: address) -> uint256:
    """
    @notice Pays the FeeBurner the final charges of a coin that it has not had yet. FeeBurner only.
    @return Units of the coin paid.
    """
    assert msg.sender == self.fee_burner, "IfxDollar: not the fee burner"
    index: uint8 = self._known(coin)
    released: uint256 = self._books[index].released
    pool: uint256 = self._books[index].pool
    due: uint256 = staticcall self.batches.final_charge(index) - released
    units: uint256 = self._to_units(index, min(due, pool))
    paid: uint256 = self._to_nano(index, units)
    if units == 0:
        return 0
    self._books[index].released = released + paid
    self._books[index].pool = pool - paid
    self._pay_out(index, msg.sender, units)
    log IIfxDollar.Released(coin=coin, amount=convert(paid, uint96))
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
        coin=self._books[convert(request >> 136, uint8)].coin,
        credit=convert(identity >> 160, uint96),
        requested=convert(request & _LANE, uint96),
        requested_at=convert(request >> 96 & _TIME, uint40),
    )


@external
@view
def coin(coin: address) -> IIfxDollar.Coin:
    """
    @notice A coin; index 0 when there is none.
    """
    index: uint8 = self._index_of[coin]
    book: Book = self._books[index]
    return IIfxDollar.Coin(
        index=index,
        scale=book.scale,
        cap=convert(book.cap, uint96),
        pool=convert(book.pool, uint96),
        released=convert(book.released, uint96),
        paused=book.paused,
    )


@external
@view
def coin_at(index: uint8) -> address:
    """
    @notice The coin of an index, from 1.
    """
    return self._books[index].coin


@external
@view
def withdrawable(coin: address) -> uint96:
    """
    @notice What the accounts of a coin together may still withdraw in this epoch [nano-USD].
    """
    return convert(self._allowance(self._known(coin)), uint96)


@internal
@view
def _check_owner(account: uint32):
    owner: address = convert(convert(self._identities[account] & _ADDRESS, uint160), address)
    assert msg.sender == owner, "IfxDollar: not the account's owner"


@internal
@view
def _known(coin: address) -> uint8:
    index: uint8 = self._index_of[coin]
    assert index != 0, "IfxDollar: unknown coin"
    return index


@internal
def _top_up(coin: address, amount: uint256, owner: address) -> uint32:
    index: uint8 = self._known(coin)
    assert not self._books[index].paused, "IfxDollar: coin paused"
    assert owner != empty(address), "IfxDollar: no owner"
    # What arrived counts, not what was asked for: a coin may keep a fee.
    before: uint256 = staticcall IERC20(coin).balanceOf(self)
    assert extcall IERC20(coin).transferFrom(msg.sender, self, amount, default_return_value=True), "IfxDollar: transfer failed"
    received: uint256 = staticcall IERC20(coin).balanceOf(self) - before
    credit: uint256 = self._to_nano(index, received)
    assert credit != 0, "IfxDollar: nothing to credit"
    pool: uint256 = self._books[index].pool + credit
    assert pool <= self._books[index].cap, "IfxDollar: over the coin's cap"
    self._books[index].pool = pool
    account: uint32 = self._open(owner, coin, index)
    identity: uint256 = self._identities[account]
    self._write_identity(account, (identity >> 160) + credit, identity & _ADDRESS)
    log IIfxDollar.ToppedUp(
        account=account, owner=owner, coin=coin, amount=received, credit=convert(credit, uint96)
    )
    return account


@internal
def _open(owner: address, coin: address, index: uint8) -> uint32:
    account: uint32 = self.account_of[owner][coin]
    if account == 0:
        account = self.account_count + 1
        self.account_count = account
        self.account_of[owner][coin] = account
        self._identities[account] = convert(owner, uint256)
        self._write_request(account, convert(index, uint256), 0, 0)
    return account


@internal
def _write_identity(account: uint32, credit: uint256, owner: uint256):
    assert credit <= MAX_CREDIT, "IfxDollar: too much credit"
    self._identities[account] = credit << 160 | owner


@internal
def _write_request(account: uint32, index: uint256, requested_at: uint256, requested: uint256):
    self._requests[account] = index << 136 | requested_at << 96 | requested


@internal
@view
def _to_units(index: uint8, amount: uint256) -> uint256:
    return amount * self._books[index].scale // NANO


@internal
@view
def _to_nano(index: uint8, units: uint256) -> uint256:
    return units * NANO // self._books[index].scale


@internal
@view
def _epoch() -> uint256:
    return block.timestamp // governed._parameter(keccak256("epoch_length"))


@internal
@view
def _withdrawn(index: uint8) -> uint256:
    if self._books[index].epoch != self._epoch():
        return 0
    return self._books[index].withdrawn


@internal
@view
def _allowance(index: uint8) -> uint256:
    # A share of what the pool would hold without this epoch's withdrawals: a false accounts root moves no more than that.
    # The floor lets the last accounts leave: a share alone would shrink with the pool for ever.
    withdrawn: uint256 = self._withdrawn(index)
    pool: uint256 = self._books[index].pool
    allowed: uint256 = max(
        (pool + withdrawn) * governed._parameter(keccak256("pool_withdrawal_bps")) // BPS,
        governed._parameter(keccak256("pool_withdrawal_floor")),
    )
    if allowed <= withdrawn:
        return 0
    return min(allowed - withdrawn, pool)


@internal
def _count_withdrawal(index: uint8, paid: uint256):
    withdrawn: uint256 = self._withdrawn(index)
    self._books[index].epoch = self._epoch()
    self._books[index].withdrawn = withdrawn + paid
    self._books[index].pool -= paid


@internal
def _pay_out(index: uint8, to: address, units: uint256):
    coin: address = self._books[index].coin
    before: uint256 = staticcall IERC20(coin).balanceOf(self)
    assert extcall IERC20(coin).transfer(to, units, default_return_value=True), "IfxDollar: transfer failed"
    # A coin that takes its fee from the sender would be paid out of other accounts' money.
    assert staticcall IERC20(coin).balanceOf(self) + units >= before, "IfxDollar: the coin took more"
