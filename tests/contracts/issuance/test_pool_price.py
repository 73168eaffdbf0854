# SPDX-License-Identifier: Apache-2.0
"""What PoolMarket says that an IFX is worth: the mean of a whole epoch, a fifth at most, the reference price else."""

import boa
import pytest

from tests.contracts.issuance.pools import EPOCH, HALF_HOUR, Pools
from tests.contracts.system import PRICE, acting, key, now
from tests.contracts.uniswap import spot, until_epoch, wait


def set_reference(pools: Pools, price: int) -> None:
    with acting(pools.network.governor):
        pools.network.market.set_price(price)


@pytest.fixture
def whole(fresh_pools: Pools) -> Pools:
    """The first second of an epoch, in which the price was rolled."""
    until_epoch(EPOCH)
    fresh_pools.market.roll()
    return fresh_pools


def test_until_a_whole_epoch_was_observed_the_price_is_the_references(fresh_pools: Pools) -> None:
    fresh_pools.exchange.move(fresh_pools.usd, 15_000)
    assert fresh_pools.market.price() == PRICE
    set_reference(fresh_pools, PRICE * 11 // 10)
    until_epoch(EPOCH)
    assert now() - fresh_pools.market.epoch_start().time < EPOCH * 9 // 10, "the pool came late in its first epoch"
    assert fresh_pools.market.roll() == PRICE * 11 // 10
    rolled = fresh_pools.events()["PriceRolled"]
    assert (rolled.epoch, rolled.price, rolled.observed) == (now() // EPOCH, PRICE * 11 // 10, False)


def test_the_price_is_the_mean_of_the_epoch_before(whole: Pools) -> None:
    wait(EPOCH // 3)
    whole.exchange.move(whole.usd, 11_500)
    moved = spot(whole.exchange, whole.usd, 10**6)
    until_epoch(EPOCH)
    assert whole.market.price() == PRICE
    assert abs(whole.market.roll() - (PRICE + 2 * moved) // 3) <= 2
    assert whole.events()["PriceRolled"].observed
    with boa.reverts("PoolMarket: rolled already"):
        whole.market.roll()
    wait(EPOCH - 1)
    with boa.reverts("PoolMarket: rolled already"):
        whole.market.roll()


@pytest.mark.parametrize(("bps", "most"), [(40_000, PRICE * 12 // 10), (2_500, PRICE * 8 // 10)])
def test_the_price_moves_by_a_fifth_an_epoch_at_most(whole: Pools, bps: int, most: int) -> None:
    whole.exchange.move(whole.usd, bps)
    until_epoch(EPOCH)
    assert whole.market.roll() == most
    until_epoch(EPOCH)
    whole.market.roll()
    step = most // 5
    assert whole.market.price() == (most + step if bps > 10_000 else most - step)


def test_whoever_observes_or_buys_first_rolls_the_epoch(whole: Pools) -> None:
    until_epoch(EPOCH)
    whole.observe()
    assert whole.events()["PriceRolled"].observed
    until_epoch(EPOCH)
    with acting(key("anybody")):
        whole.observe()
    wait(HALF_HOUR)
    whole.buy(10**6)
    assert "PriceRolled" not in whole.events()
    whole.network.set_parameter("price_stale", 7 * 86_400)
    until_epoch(EPOCH)
    whole.buy(10**6)
    assert whole.events()["PriceRolled"].observed


@pytest.mark.parametrize(
    ("late", "observed"), [(0, True), (EPOCH // 10, True), (EPOCH, True), (EPOCH + 1, False), (4 * EPOCH, False)]
)
def test_a_roll_that_comes_long_after_its_epoch_falls_back_to_the_reference(
    whole: Pools, late: int, observed: bool
) -> None:
    whole.exchange.move(whole.usd, 8_500)
    moved = spot(whole.exchange, whole.usd, 10**6)
    until_epoch(EPOCH)
    wait(late)
    whole.market.roll()
    rolled = whole.events()["PriceRolled"]
    assert rolled.observed == observed
    assert abs(rolled.price - (moved if observed else PRICE)) <= 2


def test_a_mean_that_began_late_in_its_epoch_counts_for_nothing(whole: Pools) -> None:
    """Else whoever finds that nobody rolled could choose how short the epoch is that counts."""
    until_epoch(EPOCH)
    wait(EPOCH // 10 + 1)
    whole.market.roll()
    whole.exchange.move(whole.usd, 8_500)
    until_epoch(EPOCH)
    assert whole.market.roll() == PRICE
    assert not whole.events()["PriceRolled"].observed
    until_epoch(EPOCH)
    assert whole.market.roll() < PRICE
    assert whole.events()["PriceRolled"].observed


def test_without_a_pool_the_price_follows_the_reference_a_fifth_at_a_time(whole: Pools) -> None:
    with acting(whole.network.governor):
        whole.market.remove_pool(whole.usd)
    for _ in range(2):
        set_reference(whole, int(whole.network.market.price()) * 8 // 10)
        wait(EPOCH)
    whole.network.market.price()
    assert whole.market.roll() == PRICE * 8 // 10
    wait(EPOCH)
    assert whole.market.roll() == PRICE * 64 // 100


def test_a_price_never_becomes_zero(whole: Pools) -> None:
    boa.env.set_storage(whole.market.address, slot_of_price(whole), 1)
    whole.exchange.move(whole.usd, 1_000)
    until_epoch(EPOCH)
    assert whole.market.roll() == 1


def slot_of_price(pools: Pools) -> int:
    layout = pools.market.compiler_data.storage_layout["storage_layout"]
    return int(layout["price"]["slot"])


def test_stakes_bonds_and_the_buyback_read_it_before_the_first_epoch(fresh_pools: Pools) -> None:
    network = fresh_pools.network
    before = network.staking.required(network.manager.id)
    with acting(network.governor):
        network.staking.set_market(fresh_pools.market)
        network.fee_burner.set_market(fresh_pools.market)
    assert network.staking.required(network.manager.id) == before
    assert network.staking.is_bonded(network.manager.id)
    assert network.fee_burner.market() == fresh_pools.market.address
