# SPDX-License-Identifier: Apache-2.0
"""Fees collected, IFX bought and minted, managers paid: at once and in parts."""

import boa
import pytest

from tests.contracts.issuance.pools import EPOCH, HALF_HOUR, USD_IN, Pools
from tests.contracts.system import IFX, PRICE, USD, Node, acting, key
from tests.contracts.uniswap import until_epoch, wait
from tests.contracts.work.books import Ledger
from tests.contracts.work.network import Network, batch_leaf

# Charges [nano-USD], with halves of units of the coin and of basis points among them
CHARGES = [
    [3 * USD, 7 * USD],
    [10_000_333, 12_345_679, 1_999_999_999],
    [10_000_000] * 7,
    [1_001] * 9,
]
BURNED = PRICE * 10**6 // 10**9  # units that an IFX costs


def charged(network: Network, manager: Node, amount: int, place: int) -> None:
    """Charges of a lane become final."""
    network.settle(manager, [batch_leaf(place, charge=amount)])


@pytest.mark.parametrize("amounts", CHARGES)
def test_fees_collected_in_parts_burn_and_mint_no_more(network: Network, amounts: list[int]) -> None:
    """What two divisions leave is the foundation's: two units of the coin a purchase at most."""
    ends = []
    for in_parts in (False, True):
        with boa.env.anchor():
            Ledger(network)
            burner, usd = network.fee_burner, network.usd
            for place, amount in enumerate(amounts):
                charged(network, network.manager, amount, place)
                units = int(network.batches.final_charge(1)) // 1_000 - int(burner.collected(usd))
                if units and (in_parts or place == len(amounts) - 1):
                    burner.collect(usd)
            network.end_epoch()
            while network.burn_mint_work.closed() < network.burn_mint_work.epoch():
                network.burn_mint_work.close_epoch()
            minted = int(network.burn_mint_work.minted())
            foundation = int(burner.foundation_due(usd))
            ends.append((int(burner.burned()), minted, foundation, int(burner.kept(usd)), int(burner.collected(usd))))
    (burned, minted, foundation, kept, all_), (parts_burned, parts_minted, parts_foundation, parts_kept, parts) = ends
    assert all_ == parts
    assert 0 <= burned - parts_burned <= len(amounts) * IFX // BURNED
    assert 0 <= minted - parts_minted <= (burned - parts_burned) * 10 // 8 + len(amounts)
    assert 0 <= kept - parts_kept < len(amounts)
    assert 0 <= parts_foundation - foundation <= 2 * (len(amounts) - 1)


def test_a_manager_of_two_lanes_is_paid_no_more_than_of_one(network: Network) -> None:
    """A unit a lane less at most, and what nobody gets stays for whoever claims later."""
    paid = []
    for lanes in (1, 2):
        with boa.env.anchor():
            Ledger(network)
            managers = [network.manager, network.second_manager()][:lanes]
            for place, amount in enumerate((33_333_333, 66_666_669)):
                charged(network, managers[place % lanes], amount, place)
            network.fee_burner.collect(network.usd)
            each_paid = [int(network.fee_burner.claim_manager(each.id, network.usd)) for each in managers]
            assert lanes == 1 or each_paid[0] == 33_333 * 1_000 // 100_000, "its lane's part, rounded down"
            paid.append(sum(each_paid))
            assert network.fee_burner.unpaid(network.usd) == 100_000_002 // 100_000 - paid[-1]
    assert 0 <= paid[0] - paid[1] <= 1


@pytest.mark.parametrize("units", [1_000_003, 7, 999_999_937])
def test_the_reference_market_sells_no_more_in_parts(network: Network, units: int) -> None:
    """At a price that divides nothing evenly."""
    with acting(network.governor):
        network.market.set_price(PRICE * 11 // 10 + 7)
    buyer, got = key("buyer").address, []
    for parts in ([units], [units // 3, units // 3, units - 2 * (units // 3)]):
        with boa.env.anchor():
            network.give_usd(buyer, units)
            with acting(buyer):
                network.usd.approve(network.market, units)
                got.append(sum(int(network.market.buy(network.usd, part, 0)) for part in parts))
    assert 0 <= got[0] - got[1] < 3


@pytest.mark.parametrize("parts", [2, 3, 10])
@pytest.mark.parametrize("units", [USD_IN * 30 // 10_000, 1_000_003])
def test_a_pool_sells_no_more_in_parts(pools: Pools, units: int, parts: int) -> None:
    """Ten minutes apart, nobody else trading: the fee stays in the pair, and each part pays on a price that the one before
    has raised."""
    cuts = [units // parts] * (parts - 1)
    got = []
    for each in ([units], [*cuts, units - sum(cuts)]):
        with boa.env.anchor():
            bought = 0
            for part in each:
                bought += pools.buy(part)
                wait(pools.network.window("swap_interval"))
            got.append(bought)
    assert 0 <= got[0] - got[1] <= got[0] // 1_000


def test_observing_and_rolling_often_gives_the_price_that_once_gives(pools: Pools) -> None:
    """Means are of the pair's own sum: how often anybody looks changes neither of them."""
    prices = []
    for looks in (1, 40):
        with boa.env.anchor():
            until_epoch(EPOCH)
            pools.market.roll()
            pools.exchange.move(pools.usd, 10_700)
            for _ in range(looks):
                wait((EPOCH - 2 * HALF_HOUR) // looks)
                pools.observe()
            until_epoch(EPOCH)
            prices.append(int(pools.market.roll()))
            with boa.reverts("PoolMarket: rolled already"):
                pools.market.roll()
    assert prices[0] == prices[1] > PRICE
