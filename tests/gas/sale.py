# SPDX-License-Identifier: Apache-2.0
"""Purchases in the licence sale when it has been going on for a while: the coin, the tier and the role are in use."""

from typing import Any

import boa

from tests.contracts.licences.shop import NATIVE_RATE, NONE, PARTNER, Shop, wallet_code
from tests.contracts.merkle.lists import listed, load
from tests.contracts.system import WORKER, key
from tests.gas.meter import transaction_gas

FURTHER = 4
FOUR_MORE = "four more in a purchase of five"


class Counter:
    """Measures purchases; `figures` maps one to its gas, `without_mint` to what of that is not the licence's mint."""

    def __init__(self, figures: dict[str, int]) -> None:
        self.figures = figures
        self.without_mint: dict[str, int] = {}
        self.shop = Shop()
        self.shop.open_sale()

    def run(self) -> None:
        """All figures."""
        shop, first, again = self.shop, key("first buyer"), key("second buyer")
        self.whitelisted()
        shop.start_public_sale()
        shop.set_rate(NATIVE_RATE)
        for earlier in ("earlier buyer", "another earlier buyer"):
            for coin in (shop.usd, shop.native):
                shop.buy(key(earlier), coin=coin, code=PARTNER)
        self.buy("purchase of one", first)
        self.buy("purchase of one more", first)
        self.buy("purchase of five", again, count=1 + FURTHER)
        self.figures[FOUR_MORE] = self.figures["purchase of five"] - self.figures["purchase of one"]
        self.buy("purchase for wrapped native", key("third buyer"), coin=shop.native)
        self.buy("purchase with a partner's code", key("fourth buyer"), code=PARTNER)
        self.buy("purchase with a wallet's code", key("fifth buyer"), code=wallet_code(first))

    def buy(self, name: str, buyer: Any, count: int = 1, coin: Any = None, code: bytes = NONE) -> None:
        """A purchase of worker licences of the first tier by a buyer who has more money and has approved it."""
        shop, coin = self.shop, coin or self.shop.usd
        due = shop.node_sale.quote(WORKER, 1, count, coin, code, buyer.address)
        shop.fund(buyer, coin, 3 * due)
        self._measure(name, shop.node_sale.buy, WORKER, 1, count, coin, due, code, sender=buyer)

    def whitelisted(self) -> None:
        """A purchase with a proof out of about a thousand leaves, after another."""
        shop = self.shop
        for index in range(3):
            buyer = listed(index)
            shop.fund(buyer, shop.usd, 10**9)
            proof = load("whitelist")[buyer.address, WORKER, 1]
            arguments = (WORKER, 1, shop.usd, 10**9, proof)
            self._measure("whitelisted purchase", shop.node_sale.buy_whitelisted, *arguments, sender=buyer)

    def _measure(self, name: str, call: Any, *args: Any, sender: Any) -> None:
        self.figures[name] = transaction_gas(call, *args, sender=sender)
        licences = bytes.fromhex(str(self.shop.licence.address)[2:])
        calls = [child for child in self.shop.node_sale._computation.children if child.msg.to == licences]
        self.without_mint[name] = self.figures[name] - calls[-1].get_gas_used()


if __name__ == "__main__":
    with boa.swap_env(boa.Env()):
        counter = Counter({})
        counter.run()
    for name, gas in counter.without_mint.items():
        print(f"{name:36} {counter.figures[name]:9,}  without the mint {gas:9,}")
