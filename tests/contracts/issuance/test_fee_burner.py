# SPDX-License-Identifier: Apache-2.0
"""The fee burner: four fifths of what is final buys IFX and burns it, the managers' part waits for them."""

import boa
import pytest

from tests.contracts.system import (
    BANNED,
    IFX,
    PRICE,
    STAND_INS,
    USD,
    Contract,
    Node,
    acting,
    check_locked,
    deployer,
    key,
)
from tests.contracts.work.books import Ledger
from tests.contracts.work.network import Network, batch_leaf

CHARGE = 10 * USD
RETURNS_FALSE, KEEPS_A_FEE, TAKES_MORE = 2, 3, 4


@pytest.fixture
def ledger(network: Network) -> Ledger:
    """10 USD of final charges of the manager, nothing collected."""
    ledger = Ledger(network)
    charge(ledger, network.manager, CHARGE)
    return ledger


def charge(ledger: Ledger, manager: Node, amount: int, coin: int = 1) -> None:
    """Charges of this manager's lane become final."""
    ledger.batches += 1
    leaf = batch_leaf(ledger.batches, charge=amount, account=ledger.account)
    ledger.network.settle(manager, [leaf], coin)


def usd(network: Network, who: str) -> int:
    return int(network.usd.balanceOf(who))


def test_collect_burns_four_fifths_and_keeps_the_foundations_part(ledger: Ledger) -> None:
    network = ledger.network
    supply = network.ifx.totalSupply()
    with acting(key("anybody")):
        burned = network.fee_burner.collect(network.usd)
    events = {type(event).__name__: event for event in network.fee_burner.get_logs()}
    assert burned == 8 * USD * IFX // PRICE == supply - network.ifx.totalSupply() == network.fee_burner.burned()
    assert network.fee_burner.foundation_due(network.usd) == 1_900_000
    assert (usd(network, network.treasury), usd(network, network.fee_burner.address)) == (8_000_000, 2_000_000)
    collected = events["Collected"]
    assert (collected.coin, collected.amount, collected.foundation) == (network.usd.address, 10_000_000, 1_900_000)
    assert collected.managers == 100_000
    burnt = events["FeesBurned"]
    assert (burnt.coin, burnt.spent, burnt.burned) == (network.usd.address, 8_000_000, burned)
    with boa.reverts():
        network.fee_burner.collect(network.usd)
    charge(ledger, network.manager, CHARGE)
    assert network.fee_burner.collect(network.usd) == burned
    assert network.fee_burner.burned() == 2 * burned


def test_collect_follows_the_parameters(ledger: Ledger) -> None:
    network = ledger.network
    network.set_parameter("burn_bps", 9000)
    network.set_parameter("manager_fee_bps", 200)
    assert network.fee_burner.collect(network.usd) == 9 * USD * IFX // PRICE
    assert network.fee_burner.foundation_due(network.usd) == 800_000
    assert network.fee_burner.unpaid(network.usd) == 200_000


def test_unknown_coin_is_refused(ledger: Ledger) -> None:
    other = deployer("token/dev/DevUSD.vy").deploy()
    with boa.reverts("FeeBurner: no such coin"):
        ledger.network.fee_burner.collect(other)


def test_market_without_inventory_keeps_the_fees_where_they_are(ledger: Ledger) -> None:
    network = ledger.network
    with acting(network.governor):
        network.market.withdraw_inventory(network.ifx.balanceOf(network.market))
    with boa.reverts("ReferenceMarket: not enough inventory"):
        network.fee_burner.collect(network.usd)
    assert network.ifx_dollar.coin(network.usd).released == 0
    network.give_ifx(network.market.address, 10**6 * IFX)
    network.fee_burner.collect(network.usd)


def stingy(network: Network, off_bps: int) -> Contract:
    """A market that gives this much less than its price says."""
    market = deployer("Stingy.vy", STAND_INS.parent / "issuance").deploy(network.ifx, PRICE, off_bps)
    network.give_ifx(market.address, 10**6 * IFX)
    return market


def test_collect_never_pays_more_than_the_slippage_over_the_price(ledger: Ledger) -> None:
    network = ledger.network
    with acting(network.governor):
        network.fee_burner.set_market(stingy(network, 201))
        with boa.reverts("FeeBurner: bought too little"):
            network.fee_burner.collect(network.usd)
        network.fee_burner.set_market(stingy(network, 200))
    assert network.fee_burner.collect(network.usd) == 8 * USD * IFX // PRICE * 98 // 100


def test_only_the_governor_names_a_market(ledger: Ledger) -> None:
    network = ledger.network
    market = stingy(network, 0)
    with acting(key("anybody")), boa.reverts("governed: not the governor"):
        network.fee_burner.set_market(market)
    with acting(network.governor):
        network.fee_burner.set_market(market)
    assert network.fee_burner.market() == market.address


def test_managers_get_their_part_in_proportion_to_their_lanes(ledger: Ledger) -> None:
    network = ledger.network
    first, second = network.manager, network.second_manager()
    charge(ledger, second, 3 * CHARGE)
    network.fee_burner.collect(network.usd)
    with acting(key("anybody")):
        assert network.fee_burner.claim_manager(first.id, network.usd) == 100_000
        (event,) = [each for each in network.fee_burner.get_logs() if type(each).__name__ == "ManagerPaid"]
        assert (event.manager, event.coin, event.amount) == (first.id, network.usd.address, 100_000)
        assert network.fee_burner.claim_manager(second.id, network.usd) == 300_000
    assert (usd(network, first.owner.address), usd(network, second.owner.address)) == (100_000, 300_000)
    assert network.fee_burner.unpaid(network.usd) == 0
    with boa.reverts("FeeBurner: nothing to claim"):
        network.fee_burner.claim_manager(first.id, network.usd)
    charge(ledger, first, CHARGE)
    with boa.reverts("FeeBurner: collect first"):
        network.fee_burner.claim_manager(first.id, network.usd)
    network.fee_burner.collect(network.usd)
    assert network.fee_burner.claim_manager(first.id, network.usd) == 100_000
    assert network.fee_burner.paid(first.id, network.usd) == 200_000


def test_claims_never_exceed_what_was_kept(ledger: Ledger) -> None:
    """A rate that falls: the early claimant keeps what it got, the others share what there is."""
    network = ledger.network
    first, second = network.manager, network.second_manager()
    network.fee_burner.collect(network.usd)
    network.fee_burner.claim_manager(first.id, network.usd)
    network.set_parameter("manager_fee_bps", 50)
    charge(ledger, second, CHARGE)
    network.fee_burner.collect(network.usd)
    network.fee_burner.pay_foundation(network.usd)
    assert network.fee_burner.claim_manager(second.id, network.usd) == 50_000
    assert network.fee_burner.unpaid(network.usd) == usd(network, network.fee_burner.address) == 0
    with boa.reverts("FeeBurner: nothing to claim"):
        network.fee_burner.claim_manager(first.id, network.usd)


def test_manager_claim_refusals(ledger: Ledger) -> None:
    network = ledger.network
    with boa.reverts("FeeBurner: nothing collected"):
        network.fee_burner.claim_manager(network.manager.id, network.usd)
    network.fee_burner.collect(network.usd)
    with boa.reverts("FeeBurner: no such manager"):
        network.fee_burner.claim_manager(10**6, network.usd)
    with boa.reverts("FeeBurner: nothing to claim"):
        network.fee_burner.claim_manager(network.second_manager().id, network.usd)
    with acting(network.panels):
        network.registry.set_status(network.manager.id, BANNED)
    with boa.reverts("FeeBurner: manager banned"):
        network.fee_burner.claim_manager(network.manager.id, network.usd)


def test_coins_are_apart(ledger: Ledger) -> None:
    """A second coin of 18 decimals: its own fees, its own managers' part."""
    network = ledger.network
    coin = deployer("OddCoin.vy", STAND_INS).deploy(18, 0)
    with acting(network.governor):
        network.ifx_dollar.add_coin(coin, 10**6 * USD)
    owner = network.fresh_key("client")
    coin.mint(owner.address, 10**20)
    with acting(owner):
        coin.approve(network.ifx_dollar, 10**20)
        network.ifx_dollar.top_up(coin, 10**20, owner.address)
    charge(ledger, network.manager, CHARGE, coin=2)
    assert network.fee_burner.collect(coin) == 8 * USD * IFX // PRICE
    assert network.fee_burner.pay_foundation(coin) == 19 * 10**17 == coin.balanceOf(network.foundation)
    assert network.fee_burner.claim_manager(network.manager.id, coin) == 10**17
    assert network.fee_burner.collected(network.usd) == 0
    network.fee_burner.collect(network.usd)
    assert network.fee_burner.claim_manager(network.manager.id, network.usd) == 100_000


def odd_coin(ledger: Ledger, *lanes: Node) -> Contract:
    """A second coin that a client has paid in, with 10 USD of final charges of each of these lanes."""
    network = ledger.network
    coin = deployer("OddCoin.vy", STAND_INS).deploy(6, 0)
    with acting(network.governor):
        network.ifx_dollar.add_coin(coin, 10**6 * USD)
    owner = network.fresh_key("client")
    coin.mint(owner.address, 10**8)
    with acting(owner):
        coin.approve(network.ifx_dollar, 10**8)
        network.ifx_dollar.top_up(coin, 10**8, owner.address)
    for lane in lanes:
        charge(ledger, lane, CHARGE, coin=2)
    return coin


def test_coin_that_returns_false_pays_no_manager_and_takes_nothing_from_it(ledger: Ledger) -> None:
    network = ledger.network
    coin = odd_coin(ledger, network.manager)
    coin.set_habit(RETURNS_FALSE)
    with boa.reverts("payments: transfer failed"):
        network.fee_burner.collect(coin)
    coin.set_habit(0)
    network.fee_burner.collect(coin)
    coin.set_habit(RETURNS_FALSE)
    with boa.reverts("payments: transfer failed"):
        network.fee_burner.claim_manager(network.manager.id, coin)
    coin.set_habit(0)
    assert network.fee_burner.claim_manager(network.manager.id, coin) == 100_000


def test_attack_a_coin_that_takes_more_on_the_way_out_eats_no_other_managers_part(ledger: Ledger) -> None:
    network = ledger.network
    first, second = network.manager, network.second_manager()
    coin = odd_coin(ledger, first, second)
    coin.set_habit(TAKES_MORE)
    with boa.reverts("payments: the coin took more"):
        network.fee_burner.collect(coin)
    coin.set_habit(0)
    network.fee_burner.collect(coin)
    coin.set_habit(TAKES_MORE)
    with boa.reverts("payments: the coin took more"):
        network.fee_burner.claim_manager(first.id, coin)
    coin.set_habit(0)
    assert [network.fee_burner.claim_manager(each.id, coin) for each in (first, second)] == [100_000, 100_000]
    assert coin.balanceOf(network.fee_burner) == network.fee_burner.foundation_due(coin)


def test_attack_a_coin_that_refuses_the_foundation_stops_no_burning_and_no_manager(ledger: Ledger) -> None:
    network = ledger.network
    coin = odd_coin(ledger, network.manager)
    coin.set_blocked(network.foundation)
    assert network.fee_burner.collect(coin) == 8 * USD * IFX // PRICE
    assert network.fee_burner.claim_manager(network.manager.id, coin) == 100_000
    with boa.reverts("blocked"):
        network.fee_burner.pay_foundation(coin)
    charge(ledger, network.manager, CHARGE, coin=2)
    network.fee_burner.collect(coin)
    coin.set_blocked(network.treasury)
    assert network.fee_burner.foundation_due(coin) == 3_800_000
    with acting(key("anybody")):
        assert network.fee_burner.pay_foundation(coin) == 3_800_000 == coin.balanceOf(network.foundation)
    paid = network.fee_burner.get_logs()[-1]
    assert (paid.coin, paid.amount) == (coin.address, 3_800_000)
    with boa.reverts("foundation_part: nothing due"):
        network.fee_burner.pay_foundation(coin)


def test_attack_a_coin_that_takes_more_on_the_way_out_to_the_foundation_eats_no_managers_part(ledger: Ledger) -> None:
    network = ledger.network
    coin = odd_coin(ledger, network.manager)
    network.fee_burner.collect(coin)
    coin.mint(network.fee_burner, 10**6)
    coin.set_habit(TAKES_MORE)
    with boa.reverts("payments: the coin took more"):
        network.fee_burner.pay_foundation(coin)
    coin.set_habit(0)
    assert network.fee_burner.pay_foundation(coin) == 1_900_000
    assert network.fee_burner.claim_manager(network.manager.id, coin) == 100_000
    assert coin.balanceOf(network.fee_burner) == 10**6


def test_a_coins_fee_is_borne_by_who_is_paid(ledger: Ledger) -> None:
    network = ledger.network
    first, second = network.manager, network.second_manager()
    coin = odd_coin(ledger, first, second)
    network.fee_burner.collect(coin)
    coin.set_habit(KEEPS_A_FEE)
    assert network.fee_burner.claim_manager(first.id, coin) == 100_000
    assert coin.balanceOf(first.owner.address) == 90_000
    coin.set_habit(0)
    assert network.fee_burner.claim_manager(second.id, coin) == 100_000 == coin.balanceOf(second.owner.address)


def test_coin_that_calls_back_cannot_collect_twice(ledger: Ledger) -> None:
    network = ledger.network
    coin = odd_coin(ledger, network.manager)
    network.fee_burner.collect(coin)
    charge(ledger, network.manager, CHARGE, coin=2)
    burner, manager = network.fee_burner, network.manager.id
    collect, claim = burner.collect.prepare_calldata(coin), burner.claim_manager.prepare_calldata(manager, coin)
    for call, outer in (
        (collect, lambda: burner.collect(coin)),
        (claim, lambda: burner.collect(coin)),
        (collect, lambda: burner.claim_manager(manager, coin)),
        (burner.pay_foundation.prepare_calldata(coin), lambda: burner.collect(coin)),
        (collect, lambda: burner.pay_foundation(coin)),
    ):
        check_locked(coin, burner, call, outer)
    coin.set_habit(0)
    assert burner.collect(coin) == 8 * USD * IFX // PRICE


def test_collect_goes_on_while_paused(ledger: Ledger) -> None:
    with acting(ledger.network.guardian):
        ledger.network.parameters.pause()
    assert ledger.network.fee_burner.collect(ledger.network.usd) > 0
