# SPDX-License-Identifier: Apache-2.0
"""Clients pay in and out; owners stake and leave."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.stateful.chamber import signed_permit
from tests.stateful.model.basics import BPS
from tests.stateful.stage import COINS, PART, PICK, SMALL, Stage

FLAWS = ("late", "forged", "less", "used")
PERMITTED = st.sampled_from([10**7, 10**6, 10**8, 0, 10**12])


class MoneyRules(Stage):
    """Also wrong amounts and wrong people: both sides must refuse them."""

    @rule(client=PICK, coin=COINS, units=st.sampled_from([0, 1, 999, 10**6, 5 * 10**8, 10**10, 10**12]), other=PICK)
    def top_up(self, client: int, coin: str, units: int, other: int) -> None:
        payer, owner = (self.world.clients[at % 2].address for at in (client, other))
        address = self.world.addresses[coin]
        units = units if coin == "usd" else units // 10**4
        ask = lambda: self.bench.model.credit.top_up(payer, address, units, owner)  # noqa: E731
        self.bench.both(payer, ask, "ifx_dollar", "top_up", address, units, owner)

    @rule(payer=st.integers(0, 2), coin=COINS, units=PERMITTED, other=PICK, how=st.sampled_from(["", "", "", *FLAWS]))
    def permit(self, payer: int, coin: str, units: int, other: int, how: str) -> None:
        """By who allowed nothing before, or by a client, that allows everything again afterwards."""
        who, owner = (self.world.trader, *self.world.clients)[payer], self.world.clients[other % 2].address
        self.top_up_with_permit(who, coin, units if coin == "usd" else units // 10**4, owner, how)
        if payer:
            place = (who.address, self.world.addresses[coin])
            ask = lambda: self.bench.model.credit.approve(*place)  # noqa: E731
            assert self.bench.both(who, ask, coin, "approve", self.world.addresses["ifx_dollar"], 2**255)

    def top_up_with_permit(self, who: Any, coin: str, units: int, owner: str, how: str = "") -> bool:
        """Of `FLAWS`, a permit that was used makes no difference, whoever used it; the coin of cents knows no permits."""
        world, credit = self.world, self.bench.model.credit
        address, spender, until = world.addresses[coin], world.addresses["ifx_dollar"], world.now - (how == "late")
        terms = (who.address, spender, units - (how == "less"))
        signer, nonce = world.stranger if how == "forged" else who, credit.permits.get((who.address, address), 0)
        words = signed_permit(world, "usd", signer, terms, nonce, until)
        if how == "used" and coin == "usd":
            ask = lambda: credit.permit(who.address, address, units)  # noqa: E731
            assert self.bench.both(world.stranger, ask, coin, "permit", *terms, *words)
        is_permit = coin == "usd" and not how
        ask = lambda: credit.top_up(who.address, address, units, owner, is_permit=is_permit)  # noqa: E731
        return self.bench.both(who, ask, "ifx_dollar", "top_up_with_permit", address, units, owner, *words)

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

    @rule(coin=COINS, paused=st.booleans(), by=PICK)
    def pause_coin(self, coin: str, paused: bool, by: int) -> None:
        """By the governor, or by who is the guardian now, who does not end it."""
        address, guardian = self.world.addresses[coin], self.bench.model.ground.guardian
        who = self._of([self.world.governor, self.world.governor, guardian, self.world.stranger.address], by)
        ask = lambda: self.bench.model.credit.pause(str(who), address, paused=paused)  # noqa: E731
        self.bench.both(who, ask, "ifx_dollar", "pause_coin", address, paused)

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
