# SPDX-License-Identifier: AGPL-3.0-only
# pragma version 0.4.3
# pragma optimize gas
"""
@title PoolMarket
@license AGPL-3.0-only
@author Inferix
@notice Buys IFX in pairs of Uniswap V2, one a coin, and prices it by them. Two prices, both means of what the pair itself
        accumulates, so that what a pool is moved to within a block counts for nothing:
        the mean over the 30 minutes before guards swaps; the mean over the epoch before, moving at most a fifth an
        epoch, is `price`, for stakes, bonds and what they cap. Without a whole epoch of a pool, `price` moves towards the
        reference market's. Here nothing is ever held: a swap goes from the buyer to the pair and back.
@custom:security A circuit breaker (after AEP-76 of Akash): with spot and mean further apart than `price_halt_bps`, or with
                 no observation younger than `price_stale`, nothing is bought; further apart than `price_warn_bps`, an event.
@custom:kill The governor takes a pool out, or names another market where this one is read.
"""

from ethereum.ercs import IERC20

from ..interfaces import IIfxDollar
from ..interfaces import IMarket
from ..modules import governed

implements: IMarket
initializes: governed


exports: governed.parameters


interface Factory:
    def getPair(one: address, other: address) -> address: view


interface Pair:
    def token0() -> address: view
    def getReserves() -> (uint112, uint112, uint32): view
    def price0CumulativeLast() -> uint256: view
    def price1CumulativeLast() -> uint256: view
    def swap(out0: uint256, out1: uint256, to: address, data: Bytes[32]): nonpayable


# A pair of IFX and a coin. scale: units of the coin a USD; ifx_first: whether IFX is the pair's token 0.
struct Pool:
    pair: address
    scale: uint256
    ifx_first: bool


# The pair's accumulated price of IFX, units of the coin a wei in UQ112x112 times seconds, as it was at a time; it wraps.
struct Observation:
    time: uint256
    cumulative: uint256


# What a pool shows now: spot and 30-minute mean as UQ112x112, age of the mean's start [s] (0: none), reserves, what
# its price has accumulated to.
struct View:
    spot: uint256
    mean: uint256
    age: uint256
    ifx: uint256
    coin: uint256
    cumulative: uint256


# bps: how much the lower of spot and mean is of the higher; both in nano-USD per IFX; age [s], 0: no mean yet.
struct Health:
    bps: uint256
    spot: uint256
    mean: uint256
    age: uint256


event PoolAdded:
    coin: indexed(address)
    pair: address


event PoolRemoved:
    coin: indexed(address)


event Observed:
    coin: indexed(address)
    mean: uint256
    health: uint256


event HealthWarned:
    coin: indexed(address)
    health: uint256


event PriceRolled:
    epoch: indexed(uint256)
    price: uint256
    observed: bool


BPS: constant(uint256) = 10_000
# Over how long the mean goes at least that guards swaps [s]
WINDOW: public(constant(uint256)) = 1800
# `price` moves by at most a fifth in an epoch.
MOVE: constant(uint256) = 5
# The fee that a pair takes: 3 of 1000
FEE: constant(uint256) = 3
_TIMES: constant(uint256) = 2**32 - 1
# No mean is as high as this; it keeps what follows within a word.
_HIGHEST: constant(uint256) = 2**166 - 1


_IFX: immutable(address)
_IFX_DOLLAR: immutable(IIfxDollar)
_REFERENCE: immutable(IMarket)
_FACTORY: immutable(Factory)
_EPOCH_LENGTH: immutable(uint256)


# nano-USD per IFX; the epoch in which it was last rolled, counted from time 0
price: public(uint256)
epoch: public(uint256)
# The coin whose pool prices, and what its pair had accumulated when the epoch was rolled
pricing_coin: public(address)
epoch_start: public(Observation)

pool: public(HashMap[address, Pool])
# The newest observation of a coin's pool, and the one before it
newest: public(HashMap[address, Observation])
older: public(HashMap[address, Observation])
# buyer => coin => when it last bought [s]
bought_at: public(HashMap[address, HashMap[address, uint256]])


@deploy
def __init__(parameters: address, ifx: address, ifx_dollar: address, reference: address, factory: address):
    """
    @notice Starts without pools, at the reference market's price.
    @param reference A market with a price at all times: `price` follows it where no pool was observed.
    @param factory Uniswap V2's: only its pairs become pools.
    """
    governed.__init__(parameters)
    assert empty(address) not in [ifx, ifx_dollar, reference, factory], "PoolMarket: empty address"
    _IFX = ifx
    _IFX_DOLLAR = IIfxDollar(ifx_dollar)
    _REFERENCE = IMarket(reference)
    _FACTORY = Factory(factory)
    _EPOCH_LENGTH = governed._parameter(keccak256("epoch_length"))
    self.price = staticcall _REFERENCE.price()
    assert self.price != 0, "PoolMarket: no price"
    self.epoch = block.timestamp // _EPOCH_LENGTH


@external
def add_pool(coin: address):
    """
    @notice Takes in the factory's pair of IFX and a coin that IfxDollar takes. The first one prices IFX, or the first one
            after that was taken out. Governor only.
    """
    governed._check_governor()
    terms: IIfxDollar.Coin = staticcall _IFX_DOLLAR.coin(coin)
    assert terms.index != 0, "PoolMarket: no such coin"
    assert self.pool[coin].pair == empty(address), "PoolMarket: added already"
    pair: address = staticcall _FACTORY.getPair(_IFX, coin)
    assert pair != empty(address), "PoolMarket: no such pair"
    pool: Pool = Pool(pair=pair, scale=terms.scale, ifx_first=staticcall Pair(pair).token0() == _IFX)
    seen: View = self._look(coin, pool)
    assert seen.spot != 0, "PoolMarket: empty pair"
    self._roll()
    self.pool[coin] = pool
    self.newest[coin] = Observation(time=block.timestamp, cumulative=seen.cumulative)
    self.older[coin] = empty(Observation)
    if self.pricing_coin == empty(address):
        self.pricing_coin = coin
        self.epoch_start = self.newest[coin]
    log PoolAdded(coin=coin, pair=pair)


@external
def remove_pool(coin: address):
    """
    @notice Nothing more is bought for this coin. If its pool priced IFX, the next one that is added does. Governor only.
    """
    governed._check_governor()
    assert self.pool[coin].pair != empty(address), "PoolMarket: no such pool"
    self.pool[coin] = empty(Pool)
    if self.pricing_coin == coin:
        self.pricing_coin = empty(address)
    log PoolRemoved(coin=coin)


@external
def observe(coin: address):
    """
    @notice Remembers what a pool's pair has accumulated; once in 30 minutes at most. Rolls the epoch too. Anybody.
    """
    pool: Pool = self.pool[coin]
    assert pool.pair != empty(address), "PoolMarket: no such pool"
    newest: Observation = self.newest[coin]
    assert block.timestamp >= newest.time + WINDOW, "PoolMarket: observed within 30 minutes"
    self._roll()
    seen: View = self._look(coin, pool)
    self.older[coin] = newest
    self.newest[coin] = Observation(time=block.timestamp, cumulative=seen.cumulative)
    health: uint256 = self._health(seen)
    log Observed(coin=coin, mean=self._nano(seen.mean, pool.scale), health=health)
    self._warn(coin, health)


@external
def roll() -> uint256:
    """
    @notice Takes the mean of the epoch before for the price of this one, once. Anybody.
    @return nano-USD per IFX.
    """
    assert self._roll(), "PoolMarket: rolled already"
    return self.price


@external
@nonreentrant
def buy(coin: address, amount: uint256, minimum: uint256) -> uint256:
    """
    @notice Buys IFX in the coin's pool, for what arrives there, for the caller. Anybody, within what `offer` says.
    @param amount Units of the coin, from the caller's allowance.
    @param minimum Wei; less is refused.
    @return Wei bought.
    """
    self._roll()
    pool: Pool = self.pool[coin]
    seen: View = self._look(coin, pool)
    reason: String[64] = self._refusal(msg.sender, coin, pool, seen)
    assert reason == "", reason
    self._warn(coin, self._health(seen))
    self.bought_at[msg.sender][coin] = block.timestamp
    before: uint256 = staticcall IERC20(coin).balanceOf(pool.pair)
    assert extcall IERC20(coin).transferFrom(
        msg.sender, pool.pair, amount, default_return_value=True
    ), "PoolMarket: transfer failed"
    spent: uint256 = staticcall IERC20(coin).balanceOf(pool.pair) - before
    # Looked at again: a coin may do anything while it moves.
    ifx: uint256 = 0
    units: uint256 = 0
    time: uint256 = 0
    ifx, units, time = self._reserves(pool)
    assert spent * BPS <= units * governed._parameter(keccak256("swap_share_bps")), "PoolMarket: more than a swap may take"
    paid: uint256 = spent * (1000 - FEE)
    bought: uint256 = paid * ifx // (units * 1000 + paid)
    assert bought != 0 and bought >= minimum, "PoolMarket: less than the minimum"
    if pool.ifx_first:
        extcall Pair(pool.pair).swap(bought, 0, msg.sender, b"")
    else:
        extcall Pair(pool.pair).swap(0, bought, msg.sender, b"")
    log IMarket.Bought(buyer=msg.sender, coin=coin, spent=spent, bought=bought)
    return bought


@external
@view
def offer(buyer: address, coin: address) -> (uint256, uint256):
    """
    @notice What a buyer may spend now.
    @return Units of the coin at most, 0 while nothing is sold to it; and the 30-minute mean that its purchase is to be held
            to [nano-USD per IFX].
    """
    pool: Pool = self.pool[coin]
    seen: View = self._look(coin, pool)
    if self._refusal(buyer, coin, pool, seen) != "":
        return 0, 0
    return seen.coin * governed._parameter(keccak256("swap_share_bps")) // BPS, self._nano(seen.mean, pool.scale)


@external
@view
def refusal(buyer: address, coin: address) -> String[64]:
    """
    @notice Why nothing is sold to a buyer for a coin now; empty when something is.
    """
    pool: Pool = self.pool[coin]
    return self._refusal(buyer, coin, pool, self._look(coin, pool))


@external
@view
def health(coin: address) -> Health:
    """
    @notice How far spot and 30-minute mean of a coin's pool are apart, and how old the mean's start is; empty without a pool.
    """
    pool: Pool = self.pool[coin]
    seen: View = self._look(coin, pool)
    if pool.pair == empty(address):
        return empty(Health)
    return Health(
        bps=self._health(seen),
        spot=self._nano(seen.spot, pool.scale),
        mean=self._nano(seen.mean, pool.scale),
        age=seen.age,
    )


@internal
def _roll() -> bool:
    # Once an epoch: the sooner after its start, the closer to it the next mean begins.
    epoch: uint256 = block.timestamp // _EPOCH_LENGTH
    if epoch == self.epoch:
        return False
    self.epoch = epoch
    target: uint256 = self._epoch_mean()
    observed: bool = target != 0
    if not observed:
        target = staticcall _REFERENCE.price()
    step: uint256 = self.price // MOVE
    self.price = max(1, min(max(target, self.price - step), self.price + step))
    log PriceRolled(epoch=epoch, price=self.price, observed=observed)
    return True


@internal
def _epoch_mean() -> uint256:
    # nano-USD per IFX since the epoch was rolled before, 0 when that is not about a whole epoch: too short a time could
    # be bought, too long a one says nothing of the last epoch.
    if self.pricing_coin == empty(address):
        return 0
    pool: Pool = self.pool[self.pricing_coin]
    cumulative: uint256 = self._look(self.pricing_coin, pool).cumulative
    start: Observation = self.epoch_start
    self.epoch_start = Observation(time=block.timestamp, cumulative=cumulative)
    length: uint256 = block.timestamp - start.time
    if length * 10 < _EPOCH_LENGTH * 9 or length > _EPOCH_LENGTH * 2:
        return 0
    return self._nano(unsafe_sub(cumulative, start.cumulative) // length, pool.scale)


@internal
def _warn(coin: address, health: uint256):
    if health < governed._parameter(keccak256("price_warn_bps")):
        log HealthWarned(coin=coin, health=health)


@internal
@view
def _refusal(buyer: address, coin: address, pool: Pool, seen: View) -> String[64]:
    if pool.pair == empty(address):
        return "PoolMarket: no such pool"
    if seen.age == 0:
        return "PoolMarket: not observed for 30 minutes"
    if seen.age > governed._parameter(keccak256("price_stale")):
        return "PoolMarket: observation too old"
    if self._health(seen) < governed._parameter(keccak256("price_halt_bps")):
        return "PoolMarket: price too far from its mean"
    if block.timestamp < self.bought_at[buyer][coin] + governed._parameter(keccak256("swap_interval")):
        return "PoolMarket: too soon after a swap"
    return ""


@internal
@pure
def _health(seen: View) -> uint256:
    highest: uint256 = max(seen.spot, seen.mean)
    if highest == 0:
        return 0
    return min(seen.spot, seen.mean) * BPS // highest


@internal
@view
def _look(coin: address, pool: Pool) -> View:
    # The mean goes back to the newest observation that is 30 minutes old.
    seen: View = empty(View)
    if pool.pair == empty(address):
        return seen
    time: uint256 = 0
    seen.ifx, seen.coin, time = self._reserves(pool)
    if seen.ifx != 0:
        seen.spot = (seen.coin << 112) // seen.ifx
    seen.cumulative = self._accumulated(pool, seen.spot, time)
    start: Observation = self.newest[coin]
    if block.timestamp < start.time + WINDOW:
        start = self.older[coin]
    if start.time != 0:
        seen.age = block.timestamp - start.time
        seen.mean = unsafe_sub(seen.cumulative, start.cumulative) // seen.age
    return seen


@internal
@view
def _reserves(pool: Pool) -> (uint256, uint256, uint256):
    # IFX and units of the coin as the pair last took note of them, and when, mod 2**32
    first: uint112 = 0
    second: uint112 = 0
    time: uint32 = 0
    first, second, time = staticcall Pair(pool.pair).getReserves()
    if pool.ifx_first:
        return convert(first, uint256), convert(second, uint256), convert(time, uint256)
    return convert(second, uint256), convert(first, uint256), convert(time, uint256)


@internal
@view
def _accumulated(pool: Pool, spot: uint256, time: uint256) -> uint256:
    # As UniswapV2OracleLibrary does: the pair's own sum, and the time since, with the price since. Sum and time wrap.
    cumulative: uint256 = 0
    if pool.ifx_first:
        cumulative = staticcall Pair(pool.pair).price0CumulativeLast()
    else:
        cumulative = staticcall Pair(pool.pair).price1CumulativeLast()
    return unsafe_add(cumulative, unsafe_mul(spot, unsafe_sub(block.timestamp, time) & _TIMES))


@internal
@pure
def _nano(mean: uint256, scale: uint256) -> uint256:
    # Units of the coin a wei (UQ112x112) as nano-USD per IFX
    return min(mean, _HIGHEST) * 10**27 // scale >> 112
