# SPDX-License-Identifier: Apache-2.0
"""Clients pay in and out; owners stake and leave."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.stateful.model.basics import BPS
from tests.stateful.stage import COINS, PART, PICK, SMALL, Stage


class MoneyRules(Stage):
    """Also wrong amounts and wrong people: both sides must refuse them."""

    @rule(client=PICK, coin=COINS, units=st.sampled_from([0, 1, 999, 10**6, 5 * 10**8, 10**10, 10**12]), other=PICK)
    def top_up(self, client: int, coin: str, units: int, other: int) -> None:
        payer, owner = (self.world.clients[at % 2].address for at in (client, other))
        address = self.world.addresses[coin]
        units = units if coin == "usd" else units // 10**4
        ask = lambda: self.bench.model.credit.top_up(payer, address, units, owner)  # noqa: E731
        self.bench.both(payer, ask, "ifx_dollar", "top_up", address, units, owner)

    @precondition(lambda self: self.bench.model.credit.accounts)
    @rule(pick=PICK, part=PART, more=SMALL, by=PICK)
    def request(self, pick: int, part: int, more: int, by: int) -> None:
        account = self._of(list(self.bench.model.credit.accounts.values()), pick)
        amount = (account.credit - account.requested) * part // BPS + more
        who = account.owner if by else self.world.stranger.address
        ask = lambda: self.bench.model.credit.request(who, account.id, amount)  # noqa: E731
        self.bench.both(who, ask, "ifx_dollar", "request_withdrawal", account.id, amount)

    @precondition(lambda self: self.bench.model.credit.accounts)
    @rule(pick=PICK, by=PICK)
    def cancel_request(self, pick: int, by: int) -> None:
        account = self._of(list(self.bench.model.credit.accounts.values()), pick)
        who = account.owner if by else self.world.stranger.address
        ask = lambda: self.bench.model.credit.cancel_request(who, account.id)  # noqa: E731
        self.bench.both(who, ask, "ifx_dollar", "cancel_request", account.id)

    @precondition(lambda self: self.bench.model.books.newest and self.bench.model.credit.accounts)
    @rule(pick=PICK, times=st.integers(1, 2))
    def withdraw(self, pick: int, times: int) -> None:
        account = self._of(list(self.bench.model.credit.accounts.values()), pick)
        for _ in range(times):
            self.bench.withdraw(account.id)

    @rule(coin=COINS, paused=st.booleans())
    def pause_coin(self, coin: str, paused: bool) -> None:
        address = self.world.addresses[coin]
        book = self.bench.model.credit.coins[address]
        ask = lambda: setattr(book, "paused", paused)  # noqa: E731
        self.bench.both(self.world.governor, ask, "ifx_dollar", "pause_coin", address, paused)

    # -- stake

    @rule(pick=PICK, amount=st.sampled_from([0, 1, 10**18, 10**22]), payer=PICK)
    def stake(self, pick: int, amount: int, payer: int) -> None:
        node, who = self._node(pick), self._node(payer).owner
        ask = lambda: self.bench.model.stakes.stake(who.address, node.id, amount)  # noqa: E731
        self.bench.both(who, ask, "staking", "stake", node.id, amount)

    @rule(pick=PICK, part=PART, more=SMALL, by=PICK)
    def unbond(self, pick: int, part: int, more: int, by: int) -> None:
        node = self._node(pick)
        amount = self.bench.model.stakes.nodes[node.id].own * part // BPS + more
        who = node.owner if by else self.world.stranger
        self.bench.parts(
            lambda m: m.stakes.unbond(node.owner.address, node.id, amount) or m.stakes.nodes[node.id].unbonding,
            lambda m: (
                m.stakes.unbond(node.owner.address, node.id, amount // 2)
                or m.stakes.unbond(node.owner.address, node.id, amount - amount // 2)
                or m.stakes.nodes[node.id].unbonding
            ),
        )
        ask = lambda: self.bench.model.stakes.unbond(who.address, node.id, amount)  # noqa: E731
        self.bench.both(who, ask, "staking", "unbond", node.id, amount)

    @rule(pick=PICK, by=PICK)
    def withdraw_stake(self, pick: int, by: int) -> None:
        leaving = [node for node in self.bench.model.stakes.nodes.values() if node.unbonding]
        node = self.world.nodes[self._of(leaving, pick).id] if leaving else self._node(pick)
        who = node.owner if by else self.world.stranger
        ask = lambda: self.bench.model.stakes.withdraw(who.address, node.id)  # noqa: E731
        self.bench.both(who, ask, "staking", "withdraw", node.id)

    @rule(pick=PICK)
    def refresh(self, pick: int) -> None:
        node = self._node(pick)
        self.bench.both(
            self.world.stranger, lambda: self.bench.model.stakes.refresh(node.id), "staking", "refresh", node.id
        )
