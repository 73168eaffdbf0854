# SPDX-License-Identifier: Apache-2.0
"""PoolMarket on the pairs of Uniswap V2 themselves: pools, the 30-minute mean, what a swap may be, and when none is."""

import boa
import pytest

from tests.contracts.issuance.pools import BUYER, HALF_HOUR, HOUR, IFX_IN, SHARE, USD_IN, Pools
from tests.contracts.system import PRICE, STAND_INS, acting, check_locked, deployer, key, now, set_time
from tests.contracts.uniswap import odd_coin, spot, wait

MOST = USD_IN * SHARE // 10_000


def test_a_pool_is_the_factorys_pair_of_ifx_and_a_coin_that_clients_pay_in(fresh_pools: Pools) -> None:
    market, network = fresh_pools.market, fresh_pools.network
    pool = market.pool(fresh_pools.usd)
    first = fresh_pools.pair.token0() == network.ifx.address
    assert (pool.pair, pool.scale, pool.ifx_first) == (fresh_pools.pair.address, 10**6, first)
    assert (market.pricing_coin(), market.price()) == (fresh_pools.usd.address, PRICE)
    stranger = deployer("token/dev/DevUSD.vy").deploy()
    with acting(network.governor):
        with boa.reverts("PoolMarket: added already"):
            market.add_pool(fresh_pools.usd)
        with boa.reverts("PoolMarket: no such coin"):
            market.add_pool(stranger)
        with boa.reverts("PoolMarket: no such pair"):
            market.add_pool(odd_coin(network, 6))
        empty = odd_coin(network, 18)
        fresh_pools.exchange.factory.createPair(empty.address, network.ifx.address)
        with boa.reverts("PoolMarket: empty pair"):
            market.add_pool(empty)
    with acting(key("anybody")), boa.reverts("governed: not the governor"):
        market.add_pool(fresh_pools.usd)


def test_a_pool_is_taken_out_and_the_next_one_prices(pools: Pools) -> None:
    market, other = pools.market, pools.coin(18)
    with acting(key("anybody")), boa.reverts("governed: not the governor"):
        market.remove_pool(pools.usd)
    with acting(pools.network.governor):
        market.remove_pool(pools.usd)
        with boa.reverts("PoolMarket: no such pool"):
            market.remove_pool(pools.usd)
    assert pools.refusal() == "PoolMarket: no such pool"
    assert pools.offer() == (0, 0)
    assert market.health(pools.usd).mean == 0
    with boa.reverts("PoolMarket: no such pool"):
        pools.observe()
    with boa.reverts("PoolMarket: no such pool"):
        pools.buy(MOST)
    assert int(market.pricing_coin(), 16) == 0
    pools.add_pool(pools.usd)
    assert market.pricing_coin() == pools.usd.address != other.address


@pytest.mark.parametrize("decimals", [6, 18])
@pytest.mark.parametrize("after_ifx", [True, False])
def test_buys_for_coins_of_any_decimals_on_either_side_of_the_pair(
    fresh_pools: Pools, decimals: int, after_ifx: bool
) -> None:
    coin = fresh_pools.coin(decimals, after_ifx=after_ifx)
    wait(HALF_HOUR)
    most, price = fresh_pools.offer(coin)
    assert most == 3 * 10**decimals
    assert abs(price - PRICE) <= 1
    ifx, units = fresh_pools.exchange.reserves(coin)
    bought = fresh_pools.buy(most, coin=coin)
    assert bought == most * 997 * ifx // (units * 1000 + most * 997)
    assert fresh_pools.network.ifx.balanceOf(BUYER.address) == bought
    assert fresh_pools.exchange.reserves(coin) == (ifx - bought, units + most)
    assert coin.balanceOf(fresh_pools.market) == fresh_pools.network.ifx.balanceOf(fresh_pools.market) == 0


def test_says_what_was_bought_and_gives_no_less_than_the_minimum(pools: Pools) -> None:
    expected = MOST * 997 * IFX_IN // (USD_IN * 1000 + MOST * 997)
    with boa.reverts("PoolMarket: less than the minimum"):
        pools.buy(MOST, expected + 1)
    with boa.reverts("PoolMarket: less than the minimum"):
        pools.buy(0)
    assert pools.buy(MOST, expected) == expected
    bought = pools.events()["Bought"]
    assert (bought.buyer, bought.coin, bought.spent) == (BUYER.address, pools.usd.address, MOST)
    assert bought.bought == expected


def test_one_swap_spends_no_more_than_its_share_of_the_pool(pools: Pools) -> None:
    assert pools.offer()[0] == MOST
    with boa.reverts("PoolMarket: more than a swap may take"):
        pools.buy(MOST + 1)
    pools.network.set_parameter("swap_share_bps", 50)
    assert pools.offer()[0] == USD_IN // 200
    with acting(pools.network.governor), boa.reverts("Parameters: out of bounds"):
        pools.network.parameters.set(boa.eval('keccak256("swap_share_bps")'), 51)
    pools.buy(USD_IN // 200)


def test_a_buyer_waits_between_two_swaps_and_holds_up_nobody_else(pools: Pools) -> None:
    pools.buy(MOST)
    start = now()
    assert pools.refusal() == "PoolMarket: too soon after a swap"
    assert pools.market.refusal(key("another").address, pools.usd) == ""
    set_time(start + 599)
    with boa.reverts("PoolMarket: too soon after a swap"):
        pools.buy(MOST)
    set_time(start + 600)
    pools.buy(MOST)


def test_no_swap_before_half_an_hour_was_observed(fresh_pools: Pools) -> None:
    """The first observation is of this very block: no time has passed that could be divided by."""
    start = now()
    assert fresh_pools.offer() == (0, 0)
    assert fresh_pools.market.health(fresh_pools.usd).age == 0
    for second in (0, HALF_HOUR - 1):
        set_time(start + second)
        assert fresh_pools.refusal() == "PoolMarket: not observed for 30 minutes"
        with boa.reverts("PoolMarket: not observed for 30 minutes"):
            fresh_pools.buy(MOST)
        with boa.reverts("PoolMarket: observed within 30 minutes"):
            fresh_pools.observe()
    set_time(start + HALF_HOUR)
    fresh_pools.observe()
    assert fresh_pools.offer() == (MOST, PRICE - 1)


def test_the_mean_is_that_of_the_pairs_own_sums(pools: Pools) -> None:
    """Ten minutes at the price of before, twenty at another: a third and two thirds."""
    pools.observe()
    wait(600)
    pools.exchange.move(pools.usd, 10_600)
    moved = spot(pools.exchange, pools.usd, 10**6)
    wait(1200)
    health = pools.market.health(pools.usd)
    assert abs(health.mean - (PRICE + 2 * moved) // 3) <= 2
    assert health.age == HALF_HOUR
    assert abs(health.spot - moved) <= 1
    assert health.bps == health.mean * 10_000 // health.spot
    pools.observe()
    observed = pools.events()["Observed"]
    assert (observed.coin, observed.mean, observed.health) == (pools.usd.address, health.mean, health.bps)


def test_the_mean_begins_at_the_newest_observation_that_is_half_an_hour_old(pools: Pools) -> None:
    pools.observe()
    for seconds, age in ((HALF_HOUR - 1, HOUR - 1), (1, HALF_HOUR), (HALF_HOUR, HOUR)):
        wait(seconds)
        assert pools.market.health(pools.usd).age == age
    pools.observe()
    wait(1)
    assert pools.market.health(pools.usd).age == HOUR + 1


def test_warns_and_goes_on_under_95_percent_and_halts_under_90(pools: Pools) -> None:
    pools.observe()
    wait(HALF_HOUR)
    pools.buy(MOST // 100)
    assert "HealthWarned" not in pools.events()
    wait(600)
    pools.exchange.move(pools.usd, 9_400)
    pools.buy(MOST // 100)
    warned = pools.events()["HealthWarned"]
    assert 9_000 <= warned.health < 9_500
    pools.observe()
    assert pools.events()["HealthWarned"].health == warned.health
    wait(600)
    pools.exchange.move(pools.usd, 9_200)
    assert pools.market.health(pools.usd).bps < 9_000
    assert pools.refusal() == "PoolMarket: price too far from its mean"
    assert pools.offer() == (0, 0)
    with boa.reverts("PoolMarket: price too far from its mean"):
        pools.buy(MOST // 100)
    pools.network.set_parameter("price_halt_bps", 8_000)
    pools.buy(MOST // 100)


def test_halts_when_the_price_is_too_high_as_well(pools: Pools) -> None:
    pools.exchange.move(pools.usd, 11_000)
    assert pools.refusal() == ""
    pools.exchange.move(pools.usd, 10_200)
    assert pools.refusal() == "PoolMarket: price too far from its mean"


def test_coins_that_keep_a_part_buy_for_what_arrives(fresh_pools: Pools) -> None:
    coin = fresh_pools.coin(6, habit=3)
    wait(HALF_HOUR)
    paid = 10**6 - 10**5
    expected = paid * 997 * IFX_IN // (USD_IN * 1000 + paid * 997)
    with boa.reverts("PoolMarket: less than the minimum"):
        fresh_pools.buy(10**6, expected + 1, coin)
    assert fresh_pools.buy(10**6, expected, coin) == expected


def test_a_coin_that_returns_nothing_is_taken_and_one_that_returns_false_is_not(fresh_pools: Pools) -> None:
    silent, false = fresh_pools.coin(6, habit=1), fresh_pools.coin(6, habit=2)
    wait(HALF_HOUR)
    assert fresh_pools.buy(10**6, coin=silent) > 0
    with boa.reverts("PoolMarket: transfer failed"):
        fresh_pools.buy(10**6, coin=false)


def test_a_coin_that_calls_back_buys_once(fresh_pools: Pools) -> None:
    """In another pool: its own pair pays no IFX to the coin itself, whatever the market does."""
    market, usd = fresh_pools.market, fresh_pools.usd
    coin = fresh_pools.coin(6)
    fresh_pools.exchange.give(usd, coin.address, 10**6)
    with acting(coin):
        usd.approve(market, 10**6)
    wait(HALF_HOUR)
    call = market.buy.prepare_calldata(usd, 10**6, 0)
    check_locked(coin, market, call, lambda: fresh_pools.buy(10**6, coin=coin))
    coin.set_habit(0)
    assert fresh_pools.buy(10**6, coin=coin) > 0


def test_time_wraps_at_two_to_the_32(fresh_pools: Pools) -> None:
    """The pair keeps its time in 32 bits: a mean over the wrap is as right as any."""
    set_time(2**32 - HOUR)
    fresh_pools.exchange.buy(fresh_pools.usd, 10**6)
    fresh_pools.observe()
    wait(HALF_HOUR)
    fresh_pools.observe()
    wait(HOUR)
    assert now() > 2**32
    before = fresh_pools.market.health(fresh_pools.usd)
    assert abs(before.mean - before.spot) <= 1
    fresh_pools.exchange.buy(fresh_pools.usd, 1)
    assert fresh_pools.pair.getReserves()[2] == now() - 2**32
    after = fresh_pools.market.health(fresh_pools.usd)
    assert abs(after.mean - before.mean) <= 1
    assert fresh_pools.buy(MOST) > 0


def test_sums_wrap_at_two_to_the_256(pools: Pools) -> None:
    """The pair's sum of prices lets the highest bits go: differences stay right."""
    first = pools.pair.token0() == pools.network.ifx.address
    slot = 9 if first else 10  # price0CumulativeLast, price1CumulativeLast
    view = pools.pair.price0CumulativeLast if first else pools.pair.price1CumulativeLast
    assert boa.env.get_storage(pools.pair.address, slot) == view()
    boa.env.set_storage(pools.pair.address, slot, 2**256 - 5)
    pools.exchange.buy(pools.usd, 1)
    assert view() < 2**255
    boa.env.set_storage(pools.pair.address, slot, 2**256 - 5)
    pools.observe()
    wait(HALF_HOUR)
    assert abs(pools.market.health(pools.usd).mean - PRICE) <= 2
    assert pools.buy(MOST) > 0


def test_a_market_begins_at_a_price_and_knows_whom_it_works_with(pools: Pools) -> None:
    network, factory = pools.network, pools.exchange.factory.address
    deploy = deployer("issuance/PoolMarket.vy").deploy
    with boa.reverts("PoolMarket: empty address"):
        deploy(network.parameters, network.ifx, network.ifx_dollar, network.market, "0x" + 40 * "0")
    with boa.reverts("PoolMarket: no price"):
        worthless = deployer("Market.vy", STAND_INS).deploy(0)
        deploy(network.parameters, network.ifx, network.ifx_dollar, worthless, factory)
