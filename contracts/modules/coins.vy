# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
"""
@title coins
@license AGPL-3.0-only
@author Inferix
@notice The coins that IfxDollar takes, each with its own pool, cap and pause. What the pool of one holds is paid in that coin
        alone: a coin that loses its peg, or keeps a fee, hurts nobody's credit in another. A part of IfxDollar, whose name
        its reasons bear.
@custom:kill `pause_coin` stops top-ups; paying out never stops.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from ..interfaces import IIfxDollar
from . import governed
from . import lease
from . import payments

uses: governed


NANO: constant(uint256) = 10**9
BPS: constant(uint256) = 10_000


# Amounts in nano-USD
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


coin_count: public(uint8)

# coin => charges of leases that were paid so far [nano-USD]
_leased: HashMap[uint8, uint256]

_index_of: HashMap[address, uint8]
_books: HashMap[uint8, Book]


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
    assert index < lease.MARK, "IfxDollar: too many coins"
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
    @notice The coin of an index, from 1; with the mark of a batch of leases or without.
    """
    return self._books[lease._coin(index)].coin


@external
@view
def leased(coin: address) -> uint96:
    """
    @notice Charges of leases in a coin that were paid so far [nano-USD].
    """
    return convert(self._leased[self._index_of[coin]], uint96)


@external
@view
def withdrawable(coin: address) -> uint96:
    """
    @notice What the accounts of a coin together may still withdraw in this epoch [nano-USD].
    """
    return convert(self._allowance(self._known(coin)), uint96)


@internal
@view
def _known(coin: address) -> uint8:
    index: uint8 = self._index_of[coin]
    assert index != 0, "IfxDollar: unknown coin"
    return index


@internal
def _receive(coin: address, amount: uint256) -> (uint256, uint256):
    """
    @dev Takes a top-up from the caller.
    @return Units that arrived and nano-USD to credit.
    """
    index: uint8 = self._known(coin)
    assert not self._books[index].paused, "IfxDollar: coin paused"
    # What arrived counts, not what was asked for: a coin may keep a fee.
    before: uint256 = staticcall IERC20(coin).balanceOf(self)
    assert extcall IERC20(coin).transferFrom(msg.sender, self, amount, default_return_value=True), "IfxDollar: transfer failed"
    received: uint256 = staticcall IERC20(coin).balanceOf(self) - before
    credit: uint256 = self._to_nano(index, received)
    assert credit != 0, "IfxDollar: nothing to credit"
    pool: uint256 = self._books[index].pool + credit
    assert pool <= self._books[index].cap, "IfxDollar: over the coin's cap"
    self._books[index].pool = pool
    return received, credit


@internal
@view
def _payable(index: uint8, amount: uint256) -> uint256:
    """
    @dev What of `amount` nano-USD the allowance of this epoch lets go; reverts when that is nothing.
    @return nano-USD, whole units of the coin.
    """
    units: uint256 = self._to_units(index, min(amount, self._allowance(index)))
    assert units != 0, "IfxDollar: allowance used up, or under one unit"
    return self._to_nano(index, units)


@internal
def _withdraw(index: uint8, to: address, amount: uint256):
    """
    @dev Pays `amount` nano-USD, at most what `_payable` says.
    """
    withdrawn: uint256 = self._withdrawn(index)
    self._books[index].epoch = self._epoch()
    self._books[index].withdrawn = withdrawn + amount
    self._books[index].pool -= amount
    payments._pay(self._books[index].coin, to, self._to_units(index, amount))


@internal
def _release(index: uint8, to: address, charged: uint256) -> (uint256, uint256):
    """
    @dev Pays what of the cumulative `charged` nano-USD has not been paid yet, as far as the pool goes.
    @return Units and nano-USD paid.
    """
    pool: uint256 = self._books[index].pool
    released: uint256 = self._books[index].released
    units: uint256 = self._to_units(index, min(charged - released, pool))
    paid: uint256 = self._to_nano(index, units)
    if units != 0:
        self._books[index].released = released + paid
        self._books[index].pool = pool - paid
        payments._pay(self._books[index].coin, to, units)
    return units, paid


@internal
def _release_lease(index: uint8, to: address, amount: uint256, charged: uint256) -> (uint256, uint256):
    """
    @dev Pays `amount` nano-USD of the cumulative `charged` of leases, all of it or nothing: what is under a unit stays.
    @return Units and nano-USD paid.
    """
    leased: uint256 = self._leased[index] + amount
    assert leased <= charged, "IfxDollar: over the charges of leases"
    pool: uint256 = self._books[index].pool
    units: uint256 = self._to_units(index, amount)
    paid: uint256 = self._to_nano(index, units)
    assert paid <= pool, "IfxDollar: over the pool"
    self._leased[index] = leased
    if units != 0:
        self._books[index].pool = pool - paid
        payments._pay(self._books[index].coin, to, units)
    return units, paid


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
