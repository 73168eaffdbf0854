# SPDX-License-Identifier: Apache-2.0
"""Uniswap V2 on titanoboa, as its authors built it, and people who trade there."""

from typing import Any

import boa
from boa.contracts.abi.abi_contract import ABIContractFactory
from eth_abi import encode

from deploy.packages import built
from tests.contracts.system import STAND_INS, Contract, System, acting, advance, deployer, key, now

NEVER = 2**256 - 1


def deploy(contract: str, types: list[str], *arguments: Any) -> Contract:
    """A contract of deploy/packages.py."""
    package = built(contract)
    address, _ = boa.env.deploy_code(bytecode=package.bytecode + encode(types, [str(each) for each in arguments]))
    return at(contract, address)


def at(contract: str, address: Any) -> Contract:
    """The contract at an address."""
    return ABIContractFactory(contract, built(contract).abi).at(address)


class Exchange:
    """Factory and router, and a trader with a purse of coins of the test's choice."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.trader = key("trader")
        self.factory = deploy("UniswapV2Factory", ["address"], key("fee setter").address)
        self.wrapped = deploy("WETH9", [])
        types = ["address", "address"]
        self.router = deploy("UniswapV2Router02", types, self.factory.address, self.wrapped.address)

    def give(self, token: Contract, to: str, amount: int) -> None:
        """Units of a coin or wei of IFX."""
        if token is self.system.ifx:
            self.system.give_ifx(to, amount)
        else:
            with acting(self.system.deployer):
                token.mint(to, amount)

    def add_liquidity(self, coin: Contract, ifx: int, units: int) -> Contract:
        """IFX [wei] and units of the coin of the trader's into their pair; returns the pair."""
        for token, amount in ((self.system.ifx, ifx), (coin, units)):
            self.give(token, self.trader.address, amount)
            with acting(self.trader):
                token.approve(self.router.address, amount)
        with acting(self.trader):
            tokens = self.system.ifx.address, coin.address
            self.router.addLiquidity(*tokens, ifx, units, 0, 0, self.trader.address, NEVER)
        return self.pair(coin)

    def pair(self, coin: Contract) -> Contract:
        """The pair of IFX and a coin."""
        return at("UniswapV2Pair", self.factory.getPair(self.system.ifx.address, coin.address))

    def reserves(self, coin: Contract) -> tuple[int, int]:
        """Wei of IFX, units of the coin."""
        pair = self.pair(coin)
        first, second, _ = pair.getReserves()
        return (first, second) if pair.token0() == self.system.ifx.address else (second, first)

    def buy(self, coin: Contract, units: int) -> int:
        """The trader buys IFX for units of a coin; returns wei."""
        return self._swap(coin, self.system.ifx, units)

    def sell(self, coin: Contract, ifx: int) -> int:
        """The trader sells wei of IFX; returns units of the coin."""
        return self._swap(self.system.ifx, coin, ifx)

    def move(self, coin: Contract, bps: int) -> None:
        """Trades until IFX costs about so many basis points of what it does."""
        ifx, units = self.reserves(coin)
        if bps > 10_000:
            self.buy(coin, units * _root(bps) // 100_000_000 - units)
        else:
            self.sell(coin, ifx * 100_000_000 // _root(bps) - ifx)

    def _swap(self, paid: Contract, got: Contract, amount: int) -> int:
        self.give(paid, self.trader.address, amount)
        with acting(self.trader):
            paid.approve(self.router.address, amount)
            path = [paid.address, got.address]
            amounts = self.router.swapExactTokensForTokens(amount, 0, path, self.trader.address, NEVER)
        return int(amounts[-1])


def _root(bps: int) -> int:
    # Of bps / 10,000, in parts of 10^8
    low, high = 0, 10**10
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle * middle <= bps * 10**12 else (low, middle - 1)
    return low


def odd_coin(system: System, decimals: int, habit: int = 0, *, after_ifx: bool | None = None) -> Contract:
    """A coin that IfxDollar takes; after_ifx: on which side of IFX it is in a pair, None: either."""
    while True:
        coin = deployer("OddCoin.vy", STAND_INS).deploy(decimals, habit)
        is_after = int(coin.address, 16) > int(system.ifx.address, 16)
        if after_ifx in (None, is_after):
            break
    with acting(system.governor):
        system.ifx_dollar.add_coin(coin, 10**15)
    return coin


def spot(exchange: Exchange, coin: Contract, scale: int) -> int:
    """nano-USD per IFX, by the pair's reserves."""
    ifx, units = exchange.reserves(coin)
    return units * 10**27 // (scale * ifx)


def wait(seconds: int) -> None:
    """The clock moves on; a block later."""
    advance(seconds)


def until_epoch(length: int) -> None:
    """To the first second of the next epoch."""
    wait(length - now() % length)
