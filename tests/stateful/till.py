# SPDX-License-Identifier: Apache-2.0
"""Acts of those who buy, own and sell back licences, on world and model alike; each says whether it was let through."""

from collections.abc import Callable
from typing import Any

from inferix.lists import StandardTree
from inferix.replay.participation import TYPES
from tests.contracts.system import FLOOR, key
from tests.stateful.bench import Bench
from tests.stateful.model.basics import Refused
from tests.stateful.model.sale import Basket
from tests.stateful.model.whole import Model

COINS = ("usd", "native", "cents")
DECIMALS = {"usd": 6, "native": 18, "cents": 2}


def wallet_code(who: str) -> bytes:
    """The code that is a wallet's address."""
    return bytes.fromhex(who[2:]).rjust(32, b"\0")


class Till:
    """Nothing of its own: all is in the bench."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.world = bench, bench.world

    @property
    def model(self) -> Model:
        """At the world's time."""
        return self.bench.sync()

    def _both(self, who: Any, ask: Callable[[], Any], name: str, function: str, *arguments: Any) -> bool:
        return self.bench.both(who, ask, name, function, *arguments)

    def _coin(self, name: str) -> str:
        return self.world.addresses[name]

    # -- buying

    def buy(self, who: Any, basket: Basket) -> bool:
        """In the public sale; one by one it would not be cheaper, for the buyer or together with its referrer."""
        self.bench.parts(lambda m: -m.sale.buy(who.address, basket), lambda m: -self._one_by_one(m, who, basket))
        self.bench.parts(
            lambda m: -m.sale.buy(who.address, basket) + sum(m.sale.commissions.values()),
            lambda m: -self._one_by_one(m, who, basket) + sum(m.sale.commissions.values()),
        )
        ask = lambda: self.model.sale.buy(who.address, basket)  # noqa: E731
        return self._both(who, ask, "node_sale", "buy", *basket)

    def _one_by_one(self, model: Model, who: Any, basket: Basket) -> int:
        return sum(model.sale.buy(who.address, basket._replace(count=1)) for _ in range(basket.count))

    def buy_whitelisted(self, who: Any, basket: Basket, row: tuple[str, int, int] | None = None) -> bool:
        """With its row's proof, or another row's."""
        own, invited = (who.address, basket.role, basket.tier), self.world.invited
        row = row or (own if own in invited else invited[0])
        proof = self.world.whitelist.proof(invited.index(row))
        ask = lambda: self.model.sale.buy_whitelisted(who.address, basket, shown=row == own)  # noqa: E731
        terms = (basket.role, basket.tier, basket.coin, basket.maximum, proof, basket.code)
        return self._both(who, ask, "node_sale", "buy_whitelisted", *terms)

    def claim_commission(self, owner: str, coin: str) -> bool:
        """In a coin of this address, by anybody."""
        ask = lambda: self.model.sale.claim_commission(owner, coin)  # noqa: E731
        return self._both(self.world.stranger, ask, "node_sale", "claim_commission", owner, coin)

    def release(self, coin: str) -> bool:
        """By anybody, to the treasury."""
        ask = lambda: self.model.buyback.release(self._coin(coin))  # noqa: E731
        return self._both(self.world.stranger, ask, "node_sale", "release", self._coin(coin))

    def fund(self, value: int) -> bool:
        """What only the buyback may ask for."""
        return self._both(self.world.stranger, _refuse, "node_sale", "fund_buyback", value)

    def exchange(self, who: Any, coin: str, native: int, minimum: int = 0) -> bool:
        """Wrapped native for proceeds; in two parts it brings no more."""
        place = (who.address, self._coin(coin))
        self.bench.parts(
            lambda m: m.buyback.exchange(*place, native, 0),
            lambda m: m.buyback.exchange(*place, native // 2, 0) + m.buyback.exchange(*place, native - native // 2, 0),
        )
        ask = lambda: self.model.buyback.exchange(*place, native, minimum)  # noqa: E731
        return self._both(who, ask, "node_sale", "exchange", place[1], native, minimum)

    # -- governing the sale

    def set_rate(self, who: Any, rate: int) -> bool:
        """Of wrapped native."""
        ask = lambda: self.model.sale.set_rate(getattr(who, "address", who), rate)  # noqa: E731
        return self._both(who, ask, "node_sale", "set_rate", rate)

    def accept(self, coin: str, accepted: bool, who: Any = None) -> bool:
        """The governor, or somebody who may not."""
        ask = lambda: self.model.sale.accept(self._coin(coin), DECIMALS[coin], accepted)  # noqa: E731
        return self._govern(who, ask, "node_sale", "accept_coin", self._coin(coin), accepted)

    def set_partner(self, code: bytes, owner: str, bps: int, who: Any = None) -> bool:
        """A new one, other terms, or none any more."""
        ask = lambda: self.model.sale.set_partner(code, owner, bps)  # noqa: E731
        return self._govern(who, ask, "node_sale", "set_partner", code, owner, bps)

    def set_times(self, times: tuple[int, int, int], who: Any = None) -> bool:
        """Of the whitelist sale, the public sale, the end."""
        return self._govern(who, lambda: self.model.sale.set_times(times), "node_sale", "set_times", *times)

    def _govern(self, who: Any, ask: Callable[[], Any], name: str, function: str, *arguments: Any) -> bool:
        ask = ask if who is None else _refuse
        return self._both(who or self.world.governor, ask, name, function, *arguments)

    # -- licences

    def give(self, to: str, role: int, locked: bool, who: Any = None) -> bool:
        """By the foundation, for nothing."""
        ask = lambda: self.model.licences.mint(to, role, 1, 0, locked=locked)  # noqa: E731
        return self._both(
            who or self.world.foundation, ask if who is None else _refuse, "licence", "mint", to, role, locked
        )

    def approve(self, who: str, id: int, to: str) -> bool:
        """Lets another take it."""
        return self._both(who, lambda: self.model.licences.approve(who, id, to), "licence", "approve", to, id)

    def approve_all(self, who: str, to: str, *, allowed: bool) -> bool:
        """Lets another take all that it has, or no more."""
        ask = lambda: self.model.licences.approve_all(who, to, allowed=allowed)  # noqa: E731
        return self._both(who, ask, "licence", "setApprovalForAll", to, allowed)

    def transfer(self, who: str, id: int, to: str) -> bool:
        """From its owner."""
        owner = self.model.licences.items[id].owner
        ask = lambda: self.model.licences.move(who, id, to)  # noqa: E731
        return self._both(who, ask, "licence", "transferFrom", owner, to, id)

    def hand_over(self, who: str, id: int, to: str) -> bool:
        """From its owner, asking a receiver that is a contract; of those here the coin of cents takes licences."""
        owner, contracts = self.model.licences.items[id].owner, self.world.addresses
        takes = to not in contracts.values() or to == contracts["cents"]
        ask = lambda: self.model.licences.move(who, id, to, takes=takes)  # noqa: E731
        return self._both(who, ask, "licence", "safeTransferFrom", owner, to, id)

    def burn(self, who: str, id: int) -> bool:
        """For good."""
        return self._both(who, lambda: self.model.licences.burn(who, id), "licence", "burn", id)

    def register(self, who: str, id: int, price: int = 2 * FLOOR) -> bool:
        """A node on it, with an operator nobody has seen."""
        operator = key(f"operator {len(self.model.stakes.nodes)} of licence {id}").address
        ask = lambda: self.model.licences.register(who, id, operator, price)  # noqa: E731
        return self._both(who, ask, "registry", "register", id, operator, bytes(32), price)

    def retire(self, who: str, node: int) -> bool:
        """For good."""
        return self._both(who, lambda: self.model.stakes.retire(who, node), "registry", "retire", node)

    def set_status(self, node: int, status: int) -> bool:
        """By the governor."""
        ask = lambda: self.model.licences.set_status(self.model.stakes.nodes[node], status)  # noqa: E731
        return self._both(self.world.governor, ask, "registry", "set_status", node, status)

    def apply_ban(self, node: int) -> bool:
        """By anybody."""
        ask = lambda: self.model.licences.apply_ban(self.model.stakes.nodes[node])  # noqa: E731
        return self._both(self.world.stranger, ask, "registry", "apply_ban", node)

    # -- the buyback

    def post_list(self, listed: dict[int, int], who: Any = None) -> bool:
        """Licences' participation [basis points]."""
        root = self._tree(listed).root
        ask = lambda: self.model.buyback.post_list(listed)  # noqa: E731
        return self._govern(who, ask, "buyback", "post_participation", root, bytes(32))

    def _tree(self, listed: dict[int, int]) -> StandardTree:
        return StandardTree(TYPES, sorted(listed.items()))

    def offer(self, who: str, id: int, option: int, share: int | None = None, *, approved: bool = True) -> bool:
        """Approved first; with the proof of the licence's row, if any. ``share``: another than the row's."""
        listed = self.model.buyback.listed or {}
        proof = self._tree(listed).proof(sorted(listed).index(id)) if id in listed else []
        share = listed.get(id, 0) if share is None else share
        if approved:
            self.approve(who, id, self.world.addresses["buyback"])
        ask = lambda: self.model.buyback.offer(who, id, option, share, shown=id in listed)  # noqa: E731
        return self._both(who, ask, "buyback", "request", id, option, share, proof)

    def take_back(self, who: str, id: int) -> bool:
        """What was not paid for."""
        return self._both(who, lambda: self.model.buyback.take_back(who, id), "buyback", "take_back", id)

    def give_pool(self, option: int, amount: int) -> bool:
        """The foundation's IFX, or a buyer's wrapped native, sent there."""
        name, who = ("ifx", self.world.foundation) if option == 1 else ("native", self.world.buyers[0].address)
        to = self.world.addresses["buyback"]
        ask = lambda: self.model.buyback.token(option).move(who, to, amount)  # noqa: E731
        return self._both(who, ask, name, "transfer", to, amount)

    def settle(self) -> bool:
        """By anybody."""
        return self._both(self.world.stranger, lambda: self.model.buyback.settle(), "buyback", "settle")

    def claim(self, id: int) -> bool:
        """By anybody, for whoever offered it; what it paid before is not paid again."""
        self.bench.parts(lambda m: m.buyback.claim(id), lambda m: m.buyback.claim(id) + self._again(m, id))
        return self._both(self.world.stranger, lambda: self.model.buyback.claim(id), "buyback", "claim", id)

    def _again(self, model: Model, id: int) -> int:
        offer = model.buyback.offers[id]
        return model.buyback.due(offer) if offer.option == 1 else 0

    def sweep(self) -> bool:
        """By anybody, to the treasury."""
        return self._both(self.world.stranger, lambda: self.model.buyback.sweep(), "buyback", "sweep")

    def unwrap(self, who: str, amount: int) -> bool:
        """Wrapped native to native coin."""
        ask = lambda: self.model.sale.native.burn(who, amount)  # noqa: E731
        return self._both(who, ask, "native", "withdraw", amount)


def _refuse() -> None:
    raise Refused("not who may")
