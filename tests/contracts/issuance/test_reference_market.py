# SPDX-License-Identifier: Apache-2.0
"""The reference market: sells what it has at the governed price, which moves by at most a fifth an epoch."""

import boa
import pytest
from eth_account.signers.local import LocalAccount

from tests.contracts.system import IFX, PRICE, STAND_INS, USD, Contract, acting, check_locked, deployer, key
from tests.contracts.work.network import Network

RETURNS_NOTHING, RETURNS_FALSE, KEEPS_A_FEE = 1, 2, 3
BUYER = key("buyer")


def pay(network: Network, coin: Contract, amount: int, who: LocalAccount = BUYER) -> None:
    """Money and allowance for a purchase."""
    if coin is network.usd:
        network.give_usd(who.address, amount)
    else:
        coin.mint(who.address, amount)
    with acting(who):
        coin.approve(network.market, amount)


def buy(network: Network, coin: Contract, amount: int, minimum: int = 0) -> int:
    with acting(BUYER):
        return int(network.market.buy(coin, amount, minimum))


def odd_coin(network: Network, decimals: int, habit: int = 0) -> Contract:
    coin = deployer("OddCoin.vy", STAND_INS).deploy(decimals, habit)
    with acting(network.governor):
        network.ifx_dollar.add_coin(coin, 10**6 * USD)
    return coin


def test_sells_at_its_price_to_the_caller(network: Network) -> None:
    pay(network, network.usd, 10**6)
    before = network.usd.balanceOf(network.treasury)
    assert buy(network, network.usd, 10**6, 20 * IFX) == 20 * IFX == network.ifx.balanceOf(BUYER.address)
    (event,) = [each for each in network.market.get_logs() if type(each).__name__ == "Bought"]
    assert (event.buyer, event.coin, event.spent, event.bought) == (BUYER.address, network.usd.address, 10**6, 20 * IFX)
    assert network.usd.balanceOf(network.treasury) - before == 10**6
    assert network.usd.balanceOf(network.market) == 0


def test_minimum_is_kept(network: Network) -> None:
    pay(network, network.usd, 10**6)
    with boa.reverts("ReferenceMarket: less than the minimum"):
        buy(network, network.usd, 10**6, 20 * IFX + 1)
    with boa.reverts("ReferenceMarket: less than the minimum"):
        buy(network, network.usd, 0)
    buy(network, network.usd, 10**6, 20 * IFX)


def test_inventory_is_the_limit(network: Network) -> None:
    inventory = network.ifx.balanceOf(network.market)
    cost = inventory * PRICE // IFX // 10**3
    pay(network, network.usd, cost + 1)
    with boa.reverts("ReferenceMarket: not enough inventory"):
        buy(network, network.usd, cost + 1)
    assert buy(network, network.usd, cost) == inventory


def test_unknown_coin_and_missing_allowance_are_refused(network: Network) -> None:
    stranger = deployer("token/dev/DevUSD.vy").deploy()
    with boa.reverts("ReferenceMarket: no such coin"):
        buy(network, stranger, 1)
    network.give_usd(BUYER.address, 10**6)
    with boa.reverts():
        buy(network, network.usd, 10**6)


@pytest.mark.parametrize(("decimals", "habit"), [(2, 0), (18, 0), (6, RETURNS_NOTHING)])
def test_coins_of_other_habits(network: Network, decimals: int, habit: int) -> None:
    coin = odd_coin(network, decimals, habit)
    pay(network, coin, 10**decimals)
    assert buy(network, coin, 10**decimals) == 20 * IFX


def test_coin_that_keeps_a_fee_buys_for_what_arrives(network: Network) -> None:
    coin = odd_coin(network, 6, KEEPS_A_FEE)
    pay(network, coin, 10**6)
    bought = buy(network, coin, 10**6)
    assert bought == coin.balanceOf(network.treasury) * 20 * IFX // 10**6 < 20 * IFX


def test_coin_that_says_no_is_refused(network: Network) -> None:
    coin = odd_coin(network, 6, RETURNS_FALSE)
    pay(network, coin, 10**6)
    with boa.reverts("ReferenceMarket: transfer failed"):
        buy(network, coin, 10**6)


def test_coin_that_calls_back_cannot_have_one_payment_counted_twice(network: Network) -> None:
    coin = odd_coin(network, 6)
    coin.mint(coin.address, 10**6)
    pay(network, coin, 10**6)
    call = network.market.buy.prepare_calldata(coin, 10**6, 0)
    check_locked(coin, network.market, call, lambda: buy(network, coin, 10**6))
    coin.set_call(network.usd, network.usd.totalSupply.prepare_calldata())
    assert buy(network, coin, 10**6) == 20 * IFX


def test_price_moves_by_a_fifth_an_epoch(network: Network) -> None:
    market = network.market
    with acting(network.governor):
        for price in (PRICE * 12 // 10, PRICE * 8 // 10):
            market.set_price(price)
            assert market.get_logs()[-1].price == price
            assert market.price() == price
        for price in (PRICE * 12 // 10 + 1, PRICE * 8 // 10 - 1):
            with boa.reverts("ReferenceMarket: moves more than a fifth"):
                market.set_price(price)
        with boa.reverts("ReferenceMarket: no price"):
            market.set_price(0)
        boa.env.evm.patch.timestamp = network.epoch_end() - 1
        with boa.reverts("ReferenceMarket: moves more than a fifth"):
            market.set_price(PRICE * 64 // 100)
        boa.env.evm.patch.timestamp = network.epoch_end()
        market.set_price(PRICE * 64 // 100)
        with boa.reverts("ReferenceMarket: moves more than a fifth"):
            market.set_price(PRICE * 64 // 100 * 8 // 10)


def test_only_the_governor_sets_the_price_and_takes_inventory_back(network: Network) -> None:
    before = network.ifx.balanceOf(network.treasury)
    with acting(BUYER):
        with boa.reverts("governed: not the governor"):
            network.market.set_price(PRICE)
        with boa.reverts("governed: not the governor"):
            network.market.withdraw_inventory(1)
    with acting(network.governor):
        network.market.withdraw_inventory(IFX)
    assert network.ifx.balanceOf(network.treasury) - before == IFX


def test_market_needs_a_price(network: Network) -> None:
    with boa.reverts("ReferenceMarket: no price"):
        network.market.deployer.deploy(network.parameters, network.ifx, network.ifx_dollar, network.treasury, 0)
