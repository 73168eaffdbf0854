# SPDX-License-Identifier: Apache-2.0
"""What somebody may try against the purchase of IFX, each named after the attack, with the trades of a real pool."""

import boa
import pytest

from tests.contracts.issuance.pools import EPOCH, HALF_HOUR, USD_IN, Pools, charge
from tests.contracts.system import PRICE, USD, acting, key, now
from tests.contracts.uniswap import spot, until_epoch, wait
from tests.contracts.work.books import Ledger

MOST = USD_IN * 30 // 10_000


@pytest.fixture
def burning(pools: Pools) -> Pools:
    """8 USD of the fee burner's wait, which is more than two swaps."""
    pools.burn_here()
    charge(Ledger(pools.network), 10 * USD)
    pools.observe()
    wait(HALF_HOUR)
    return pools


def collect(pools: Pools) -> int:
    with acting(key("anybody")):
        return int(pools.network.fee_burner.collect(pools.usd))


def sandwich(pools: Pools, stake: int) -> int:
    """Buys before the fee burner and sells after it, in one block; what that brings in units of the coin."""
    ifx = pools.exchange.buy(pools.usd, stake)
    collect(pools)
    return pools.exchange.sell(pools.usd, ifx) - stake


@pytest.mark.parametrize("stake", [10**4, 10**6, 3 * 10**6, 6 * 10**6])
def test_attack_sandwich_around_collect_costs_whoever_tries(burning: Pools, stake: int) -> None:
    """The pair's fee is taken twice from the attacker and is more than a swap of 30 basis points moves the price."""
    assert sandwich(burning, stake) < 0


def test_attack_sandwich_pays_where_the_share_is_governed_higher_and_is_bounded(burning: Pools) -> None:
    """Why the share is 30 basis points: at the highest, 50, an attacker gains, yet never more than the slippage allows."""
    burning.network.set_parameter("swap_share_bps", 50)
    gain = sandwich(burning, 3 * 10**6)
    assert 0 < gain < USD_IN // 200 * 200 // 10_000


def test_attack_sandwich_that_moves_the_price_further_than_the_slippage_stops_the_swap(burning: Pools) -> None:
    ifx = burning.exchange.buy(burning.usd, 10 * 10**6)
    before = burning.network.fee_burner.to_burn(burning.usd)
    with boa.reverts("PoolMarket: less than the minimum"):
        collect(burning)
    assert burning.network.fee_burner.to_burn(burning.usd) == before
    burning.exchange.sell(burning.usd, ifx)
    assert collect(burning) > 0


@pytest.mark.parametrize("bps", [5_000, 8_900, 11_500, 30_000])
def test_attack_flash_moved_spot_price_buys_nothing(burning: Pools, bps: int) -> None:
    """Within one block, or over a flash loan: the mean has not moved, and the price is too far from it."""
    before = burning.market.health(burning.usd).mean
    burning.exchange.move(burning.usd, bps)
    assert burning.market.health(burning.usd).mean == before
    assert burning.market.refusal(burning.network.fee_burner, burning.usd) == "PoolMarket: price too far from its mean"
    collect(burning)
    assert burning.network.fee_burner.burned() == 0
    assert burning.network.fee_burner.to_burn(burning.usd) == 8 * 10**6, "taken, and waits"
    with boa.reverts("FeeBurner: the market sells nothing now"):
        collect(burning)


def test_attack_flash_moved_spot_price_moves_no_stake(pools: Pools) -> None:
    until_epoch(EPOCH)
    pools.market.roll()
    wait(EPOCH - 1)
    pools.exchange.move(pools.usd, 50_000)
    wait(1)
    assert abs(pools.market.roll() - PRICE) <= PRICE // 50_000


def test_attack_stale_oracle_sells_nothing_until_it_is_observed_again(burning: Pools) -> None:
    age = burning.market.health(burning.usd).age
    wait(7200 - age)
    assert collect(burning) > 0
    wait(600)
    assert burning.market.refusal(burning.network.fee_burner, burning.usd) == "PoolMarket: observation too old"
    with boa.reverts("FeeBurner: the market sells nothing now"):
        collect(burning)
    burning.observe()
    wait(HALF_HOUR - 1)
    assert burning.market.refusal(burning.network.fee_burner, burning.usd) == "PoolMarket: observation too old"
    wait(1)
    assert collect(burning) > 0


def test_attack_price_manipulated_over_one_block_boundary_hardly_moves_the_mean(burning: Pools) -> None:
    """Twice the price for a block of 12 s: at most 12 of 1,800 seconds of it get into the mean, and nothing is bought."""
    mean = burning.market.health(burning.usd).mean
    ifx = burning.exchange.buy(burning.usd, USD_IN * 42 // 100)
    high = spot(burning.exchange, burning.usd, 10**6)
    assert high > 2 * PRICE
    wait(12)
    health = burning.market.health(burning.usd)
    assert 0 < health.mean - mean <= (high - PRICE) * 12 // health.age + 2
    collect(burning)
    assert burning.network.fee_burner.burned() == 0
    burning.exchange.sell(burning.usd, ifx)
    assert burning.market.health(burning.usd).bps > 9_900
    assert collect(burning) > 0


def test_attack_observing_at_a_moved_price_changes_nothing(burning: Pools) -> None:
    """An observation takes the pair's sum, which knows nothing of a price that no second has seen."""
    ifx = burning.exchange.buy(burning.usd, USD_IN)
    burning.observe()
    burning.exchange.sell(burning.usd, ifx)
    wait(HALF_HOUR)
    assert abs(burning.market.health(burning.usd).mean - burning.market.health(burning.usd).spot) <= 2


@pytest.mark.parametrize("is_ifx", [False, True])
def test_attack_donation_with_sync_moves_the_spot_price_only(burning: Pools, is_ifx: bool) -> None:
    mean = burning.market.health(burning.usd).mean
    token = burning.network.ifx if is_ifx else burning.usd
    burning.exchange.give(token, burning.pair.address, burning.exchange.reserves(burning.usd)[0 if is_ifx else 1] // 5)
    before = burning.market.health(burning.usd)
    assert before.bps > 9_990, "a gift that the pair took no note of is nothing"
    assert collect(burning) > 0
    burning.pair.sync()
    wait(600)
    assert abs(burning.market.health(burning.usd).mean - mean) < PRICE // 10
    with boa.reverts("FeeBurner: the market sells nothing now"):
        collect(burning)


def test_attack_gift_before_a_swap_does_not_raise_what_the_swap_counts(burning: Pools) -> None:
    """What was sent to the pair by another is not the buyer's: it gets for its own coins only, and no less."""
    ifx, units = burning.exchange.reserves(burning.usd)
    burning.exchange.give(burning.usd, burning.pair.address, 10**8)
    assert burning.buy(MOST) == MOST * 997 * ifx // (units * 1000 + MOST * 997)


def test_attack_dust_swaps_of_others_do_not_hold_up_the_burner(burning: Pools) -> None:
    burning.buy(1)
    start = now()
    assert collect(burning) > 0
    assert now() == start
