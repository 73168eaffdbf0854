# SPDX-License-Identifier: Apache-2.0
"""The fee burner on a pool: what one swap may not take waits, anybody goes on with it, and every unit is accounted for."""

import boa
import pytest

from tests.contracts.issuance.pools import HALF_HOUR, USD_IN, Pools, charge
from tests.contracts.system import STAND_INS, USD, acting, advance, deployer, key
from tests.contracts.uniswap import wait
from tests.contracts.work.books import Ledger
from tests.contracts.work.network import batch_leaf

MOST = USD_IN * 30 // 10_000


@pytest.fixture
def ledger(pools: Pools) -> Ledger:
    """10 USD of final charges, the market a pool that was observed."""
    ledger = Ledger(pools.network)
    charge(ledger, 10 * USD)
    pools.burn_here()
    pools.observe()
    wait(HALF_HOUR)
    return ledger


def collect(pools: Pools, who: str = "anybody") -> int:
    with acting(key(who)):
        return int(pools.network.fee_burner.collect(pools.usd))


def test_a_large_burn_is_done_in_several_collects_by_anybody(pools: Pools, ledger: Ledger) -> None:
    network, burner = pools.network, pools.network.fee_burner
    supply = network.ifx.totalSupply()
    burned = [collect(pools, "somebody")]
    assert burner.to_burn(pools.usd) == 8 * 10**6 - MOST
    assert burner.foundation_due(network.usd) == 1_900_000
    for who, left in (("another", 2 * 10**6 - 9_000), ("a third", 0)):
        with boa.reverts("FeeBurner: the market sells nothing now"):
            collect(pools, who)
        wait(600)
        burned.append(collect(pools, who))
        names = [type(event).__name__ for event in burner.get_logs()]
        assert "FeesBurned" in names and "Collected" not in names
        assert burner.to_burn(pools.usd) == left
    with boa.reverts("FeeBurner: nothing to collect"):
        collect(pools)
    assert sum(burned) == burner.burned() == supply - network.ifx.totalSupply()
    assert (burner.collected(pools.usd), burner.unpaid(pools.usd)) == (10**7, 10**5)
    assert burner.foundation_due(network.usd) == 1_900_000, "kept once"
    assert network.usd.balanceOf(burner) == 10**5 + 1_900_000


def test_new_fees_join_what_waits(pools: Pools, ledger: Ledger) -> None:
    collect(pools)
    charge(ledger, 5 * USD)
    pools.observe()
    wait(HALF_HOUR)
    collect(pools)
    first, second = MOST, (USD_IN + MOST) * 30 // 10_000
    assert pools.network.fee_burner.to_burn(pools.usd) == 8 * 10**6 + 4 * 10**6 - first - second
    assert pools.network.fee_burner.collected(pools.usd) == 15 * 10**6


def test_managers_get_their_part_while_the_burn_waits(pools: Pools, ledger: Ledger) -> None:
    network = pools.network
    collect(pools)
    assert network.fee_burner.to_burn(pools.usd) > 0
    assert network.fee_burner.claim_manager(network.manager.id, pools.usd) == 10**5
    network.fee_burner.pay_foundation(pools.usd)
    assert network.usd.balanceOf(network.fee_burner) == network.fee_burner.to_burn(pools.usd)
    with boa.reverts("FeeBurner: nothing to claim"):
        network.fee_burner.claim_manager(network.manager.id, pools.usd)


def test_a_halted_market_keeps_nobody_from_its_part_and_another_market_goes_on(pools: Pools, ledger: Ledger) -> None:
    network = pools.network
    pools.exchange.move(pools.usd, 8_500)
    assert collect(pools) == 0
    assert network.fee_burner.to_burn(pools.usd) == 8 * 10**6
    assert network.fee_burner.claim_manager(network.manager.id, pools.usd) == 10**5
    with acting(network.governor):
        network.fee_burner.set_market(network.market)
    assert collect(pools) == 8 * 10**6 * 10**27 // (10**6 * network.market.price())
    network.fee_burner.pay_foundation(pools.usd)
    assert network.fee_burner.to_burn(pools.usd) == network.usd.balanceOf(network.fee_burner) == 0


def test_a_coin_without_a_pool_waits_until_there_is_one(pools: Pools, ledger: Ledger) -> None:
    network = pools.network
    with acting(network.governor):
        pools.market.remove_pool(pools.usd)
    assert collect(pools) == 0
    with boa.reverts("FeeBurner: the market sells nothing now"):
        collect(pools)
    pools.add_pool(pools.usd)
    wait(HALF_HOUR)
    assert collect(pools) > 0


@pytest.mark.parametrize("habit", [3, 4])
def test_a_coin_that_takes_a_part_of_each_move_is_not_spent(pools: Pools, ledger: Ledger, habit: int) -> None:
    """3 loses a tenth on its way into the pool, which the minimum refuses; 4 takes a tenth more, which would be the
    managers': both wait untouched until the coin mends its ways."""
    network, coin = pools.network, pools.coin(6)
    owner = network.fresh_key("client")
    coin.mint(owner.address, 10**8)
    with acting(owner):
        coin.approve(network.ifx_dollar, 10**8)
        network.ifx_dollar.top_up(coin, 10**8, owner.address)
    charge(ledger, 10 * USD, coin=int(network.ifx_dollar.coin(coin).index))
    pools.observe(coin)
    wait(HALF_HOUR)
    with boa.env.anchor():
        pools.exchange.move(coin, 8_500)
        assert network.fee_burner.collect(coin) == 0
        pools.exchange.move(coin, 11_764)
        coin.set_habit(habit)
        with boa.reverts():
            network.fee_burner.collect(coin)
        assert network.fee_burner.to_burn(coin) == 8 * 10**6
        coin.set_habit(0)
        assert network.fee_burner.collect(coin) > 0
    coin.set_habit(1)
    assert network.fee_burner.collect(coin) > 0, "a coin that returns nothing is as good as any"


def test_a_market_that_takes_less_than_it_was_given_is_refused(pools: Pools, ledger: Ledger) -> None:
    """Else what it left would be nobody's."""
    lazy = deployer("Stingy.vy", STAND_INS.parent / "issuance").deploy(pools.network.ifx, pools.market.price(), 0)
    pools.network.give_ifx(lazy.address, 10**24)
    lazy.leave(1)
    with acting(pools.network.governor):
        pools.network.fee_burner.set_market(lazy)
    with boa.reverts("FeeBurner: not what was to be spent"):
        collect(pools)
    lazy.leave(0)
    assert collect(pools) > 0


def test_what_is_burned_counts_in_the_epoch_in_which_it_is(pools: Pools, ledger: Ledger) -> None:
    network = pools.network
    collect(pools)
    first = network.fee_burner.burned()
    network.end_epoch()
    while network.burn_mint_work.closed() < network.burn_mint_work.epoch():
        network.burn_mint_work.close_epoch()
    newest = int(network.burn_mint_work.closed()) - 1
    counted = sum(network.burn_mint_work.epoch_info(epoch).burned for epoch in range(newest + 1))
    assert counted == first
    # An epoch without work leaves what was burned to the next one.
    network.settle(network.manager, [batch_leaf(2, charge=0, account=ledger.account)])
    pools.observe()
    advance(HALF_HOUR)
    second = collect(pools)
    network.end_epoch()
    network.burn_mint_work.close_epoch()
    assert network.burn_mint_work.epoch_info(newest + 1).burned == second == network.fee_burner.burned() - first
