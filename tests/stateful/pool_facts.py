# SPDX-License-Identifier: Apache-2.0
"""What must be the same everywhere of markets, pair, fees that wait to be burned and the penalty pool: as facts.py."""

from typing import Any

from inferix.replay import Network as Mirror
from tests.stateful.model.basics import BPS, Ground, Token
from tests.stateful.model.credit import Credit
from tests.stateful.model.pair import NOBODY, Pair
from tests.stateful.model.pool import LEAST_HALT, MOST_SHARE, Markets, Pools, Reference, Seen
from tests.stateful.model.whole import Model
from tests.stateful.world import NAMES as CONTRACTS
from tests.stateful.world import World

NAMES = ("pair", "shares", "price", "market of", "pools", "ifx pool", "bought at", "offer", "penalties")
Facts = dict[tuple[Any, ...], Any]
FIELDS = ("time", "cumulative")


def markets_of(world: World, ground: Ground, credit: Credit) -> Markets:
    """Reads what there is before the first step."""
    usd, users = world.addresses["usd"], {world.trader.address, world.treasury}
    payers = {world.trader.address, world.addresses["fee_burner"]}
    reference = Reference(ground, credit, world.treasury, world.read("market", "price"), payers)
    price, epoch = world.read("pool_market", "price"), world.read("pool_market", "epoch")
    pools = Pools(ground, credit, reference, {usd: _pair(world, ground, usd, users)}, price, epoch, payers)
    pools.rolled = [(epoch, price)]
    pools.open, pools.pricing = {usd}, world.read("pool_market", "pricing_coin")
    pools.newest, pools.older = ({usd: _seen(world, name, usd)} for name in ("newest", "older"))
    pools.start = _seen(world, "epoch_start")
    return Markets(ground, reference, pools)


def _pair(world: World, ground: Ground, coin: str, users: set[str]) -> Pair:
    ifx_first = world.read("pair", "token0") == world.addresses["ifx"]
    holders = [*users, world.addresses["pair"], NOBODY]
    shares = {holder: world.read("pair", "balanceOf", holder) for holder in holders}
    ifx, units, noted_at, *sums = _read_pair(world)
    supply = world.read("pair", "totalSupply")
    assert sum(shares.values()) == supply
    numbers = (ifx_first, ifx, units, noted_at, (sums[0], sums[1]))
    return Pair(ground, world.addresses["pair"], coin, *numbers, Token(shares, supply), users)


def _read_pair(world: World) -> tuple[int, ...]:
    """Reserves and time; the sums of IFX's price and of the coin's."""
    first, second, time = world.read("pair", "getReserves")
    sums = [world.read("pair", f"price{at}CumulativeLast") for at in (0, 1)]
    if world.read("pair", "token0") == world.addresses["ifx"]:
        return first, second, time, *sums
    return second, first, time, *sums[::-1]


def _seen(world: World, name: str, *coin: str) -> Seen:
    found = world.read("pool_market", name, *coin)
    return Seen(*(found[name] for name in FIELDS))


def of_model(model: Model) -> Facts:
    """Everything that the model says of these contracts' state; what changes with time is asked again as time passes."""
    markets, pools = model.markets, model.markets.pools
    found: Facts = {("price",): (markets.reference.price, pools.price, pools.epoch, pools.pricing, pools.start)}
    for pair in pools.pairs.values():
        found["pair",] = (pair.ifx, pair.units, pair.noted_at, *pair.sums, pair.shares.supply)
        found |= {("shares", holder): amount for holder, amount in pair.shares.balances.items()}
    found |= {("market of", reader): model.ground.own[name] for reader, name in markets.read.items()}
    found["penalties",] = sum(epoch.pooled for epoch in model.work.epochs)
    for coin in model.credit.coins:
        listed = pools.pairs[coin].address if coin in pools.open else NOBODY
        found["ifx pool", coin] = (listed, pools.newest.get(coin, Seen()), pools.older.get(coin, Seen()))
        for buyer in pools.payers:
            found["bought at", buyer, coin] = pools.bought_at.get((buyer, coin), 0)
            found["offer", buyer, coin] = (pools.refusal(buyer, coin), pools.offer(buyer, coin), pools.health(coin))
    return found


def read(world: World, key: tuple[Any, ...]) -> Any:
    """The same fact as the contracts have it."""
    match key:
        case ("price",):
            pools = [world.read("pool_market", name) for name in ("price", "epoch", "pricing_coin")]
            pricing = "" if pools[2] == NOBODY else pools[2]
            return (world.read("market", "price"), *pools[:2], pricing, _seen(world, "epoch_start"))
        case ("pair",):
            return (*_read_pair(world), world.read("pair", "totalSupply"))
        case ("shares", holder):
            return world.read("pair", "balanceOf", holder)
        case ("market of", reader):
            return world.read(reader, "market")
        case ("penalties",):
            pooled = world.read("ifx", "balanceOf", world.addresses["penalty_pool"])
            paid = world.read("penalty_pool", "paid")
            assert world.read("penalty_pool", "received") == paid + pooled
            return paid
        case ("ifx pool", coin):
            listed = world.read("pool_market", "pool", coin)["pair"]
            return (listed, _seen(world, "newest", coin), _seen(world, "older", coin))
        case ("bought at", buyer, coin):
            return world.read("pool_market", "bought_at", buyer, coin)
        case ("offer", buyer, coin):
            refusal, health = (
                world.read("pool_market", "refusal", buyer, coin),
                world.read("pool_market", "health", coin),
            )
            offer = tuple(world.read("pool_market", "offer", buyer, coin))
            return (refusal.removeprefix("PoolMarket: "), offer, tuple(health.values()))
    raise AssertionError(key)


def stakes_price(world: World) -> int:
    """nano-USD per IFX, at the market that Staking reads."""
    market = world.read("staking", "market")
    name = next(name for name in CONTRACTS if world.addresses[name] == market)
    return int(world.read(name, "price"))


def of_mirror(mirror: Mirror) -> Facts:
    """What the keepers' mirror has: what waits to be burned, when pools were looked at, the epoch that was rolled last."""
    found: Facts = {("to burn", coin): amount for coin, amount in mirror.to_burn.items() if amount}
    found |= {("observed", coin): time for coin, time in mirror.observed.items()}
    return found | {("rolled",): mirror.rolled}


def in_its_terms(model: Model) -> Facts:
    """The model's, likewise."""
    pools = model.markets.pools
    found: Facts = {("to burn", coin): amount for coin, amount in model.work.waiting.items() if amount}
    found |= {("observed", coin): pools.newest[coin].time for coin in pools.open}
    return found | {("rolled",): pools.epoch}


def check(model: Model) -> None:
    """What waits is here, nothing was spent twice; no purchase over its share or under its least; prices move a fifth."""
    ground, own, work, pools = model.ground, model.ground.own, model.work, model.markets.pools
    for coin, token in ground.coins.items():
        waiting, unpaid, due = (
            work.waiting.get(coin, 0),
            work.unpaid.get(coin, 0),
            work.due.get(("fee_burner", coin), 0),
        )
        assert token.of(own["fee_burner"]) == waiting + unpaid + due and waiting >= 0
        assert token.of(own["leases"]) == work.due.get(("leases", coin), 0)
        books = [book.get(coin, 0) for book in (work.spent, work.kept, work.given)]
        assert work.collected.get(coin, 0) == sum(books) + waiting, "spent twice"
        assert token.of(own["pool_market"]) == token.of(own["router"]) == token.of(own["market"]) == 0
    assert all(ground.ifx.of(own[name]) == 0 for name in ("fee_burner", "pool_market", "router"))
    for pair in pools.pairs.values():
        pair.check()
    _check_prices(pools)
    for spent, reserve, wei, least in pools.purchases:
        assert spent * BPS <= reserve * MOST_SHARE and wei >= least, "over its share, or under its least"
    pools.purchases.clear()
    for coin in pools.open:
        for buyer in pools.payers:
            units, mean = pools.offer(buyer, coin)
            bps, _, _, age = pools.health(coin)
            assert not units or (bps >= LEAST_HALT and age), f"sold at a mean of {mean} that is not sound"


def _check_prices(pools: Pools) -> None:
    """Once an epoch, by a fifth at most, and never to nothing."""
    for (epoch, price), (later, moved) in zip(pools.rolled, pools.rolled[1:], strict=False):
        assert later > epoch and moved > 0 and abs(moved - price) * 5 <= price, "more than a fifth"
    assert pools.rolled[-1] == (pools.epoch, pools.price)
    del pools.rolled[:-1]
