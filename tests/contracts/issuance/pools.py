# SPDX-License-Identifier: Apache-2.0
"""A network whose fee burner buys IFX in pools, with 1,000 USD and 20,000 IFX in each."""

from collections.abc import Iterator

import boa
import pytest

from tests.contracts.system import IFX, PRICE, USD, Contract, acting, deployer, key, own_time
from tests.contracts.uniswap import Exchange, odd_coin, until_epoch, wait
from tests.contracts.work.books import Ledger
from tests.contracts.work.fixtures import populate
from tests.contracts.work.network import Network, batch_leaf

HALF_HOUR, HOUR, EPOCH = 1800, 3600, 259_200
IFX_IN, USD_IN = 20_000 * IFX, 1000 * 10**6
SHARE = 30  # basis points of the pair's coin that one swap may spend
BUYER = key("buyer")


class Pools:
    """``market`` buys in the pairs of ``exchange``; the pool of DevUSD is there, just added."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.usd = network.usd
        self.exchange = Exchange(network)
        self.pair = self.exchange.add_liquidity(self.usd, IFX_IN, USD_IN)
        self.market = self.deploy()
        self.add_pool(self.usd)

    def deploy(self) -> Contract:
        """Another market, without pools."""
        network = self.network
        return deployer("issuance/PoolMarket.vy").deploy(
            network.parameters, network.ifx, network.ifx_dollar, network.market, self.exchange.factory.address
        )

    def add_pool(self, coin: Contract) -> None:
        """As the governor."""
        with acting(self.network.governor):
            self.market.add_pool(coin)

    def coin(self, decimals: int, habit: int = 0, *, after_ifx: bool | None = None) -> Contract:
        """A coin with a pool of its own, at the price of the others; its habit begins afterwards."""
        coin = odd_coin(self.network, decimals, after_ifx=after_ifx)
        self.exchange.add_liquidity(coin, IFX_IN, 1000 * 10**decimals)
        self.add_pool(coin)
        coin.set_habit(habit)
        return coin

    def burn_here(self) -> None:
        """The fee burner's market from now on."""
        with acting(self.network.governor):
            self.network.fee_burner.set_market(self.market)

    def buy(self, amount: int, minimum: int = 0, coin: Contract | None = None) -> int:
        """BUYER buys; it is given the coins."""
        coin = coin or self.usd
        self.exchange.give(coin, BUYER.address, amount)
        with acting(BUYER):
            coin.approve(self.market, amount)
            return int(self.market.buy(coin, amount, minimum))

    def offer(self, coin: Contract | None = None) -> tuple[int, int]:
        """What BUYER may spend now, and the price that holds."""
        units, price = self.market.offer(BUYER.address, coin or self.usd)
        return int(units), int(price)

    def refusal(self, coin: Contract | None = None) -> str:
        """Why BUYER gets nothing."""
        return str(self.market.refusal(BUYER.address, coin or self.usd))

    def observe(self, coin: Contract | None = None) -> None:
        """By anybody."""
        with acting(key("anybody")):
            self.market.observe(coin or self.usd)

    def events(self) -> dict[str, object]:
        """Of the newest call of the market, by name."""
        return {type(event).__name__: event for event in self.market.get_logs()}


def charge(ledger: Ledger, amount: int, coin: int = 1) -> None:
    """Charges [nano-USD] of the manager's lane become final."""
    ledger.batches += 1
    leaf = batch_leaf(ledger.batches, charge=amount, account=ledger.account)
    ledger.network.settle(ledger.network.manager, [leaf], coin)


@pytest.fixture(scope="session")
def populated_pools() -> Pools:
    with own_time():
        network = populate()
        # In the middle of an epoch: the pool's first one is not whole.
        until_epoch(EPOCH)
        wait(EPOCH // 2)
        network.remember()
        return Pools(network)


@pytest.fixture
def fresh_pools(populated_pools: Pools) -> Iterator[Pools]:
    """The pool of DevUSD was added in this very second."""
    with boa.env.anchor():
        populated_pools.network.resume()
        yield populated_pools


@pytest.fixture
def pools(fresh_pools: Pools) -> Pools:
    """The pool of DevUSD was added half an hour ago: its mean is there."""
    wait(HALF_HOUR)
    return fresh_pools


__all__ = ["BUYER", "PRICE", "USD", "Pools", "charge", "fresh_pools", "pools", "populated_pools"]
