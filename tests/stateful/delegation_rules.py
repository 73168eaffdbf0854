# SPDX-License-Identifier: Apache-2.0
"""Holders put IFX behind others' nodes, earn and leave; owners say on what terms."""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.contracts.system import Node
from tests.stateful.model.basics import BPS, WEI
from tests.stateful.model.delegation import Delegations
from tests.stateful.model.stake import MANAGER
from tests.stateful.stage import PART, PICK, SMALL, Stage

AMOUNTS = st.sampled_from([0, WEI - 1, WEI, 7 * WEI + 1, 10**21, 10**22])
LIMITS = st.sampled_from([0, 10**19, 10**24, 10**24, 10**24])


class DelegationRules(Stage):
    """Also wrong amounts and wrong people: both sides must refuse them."""

    @property
    def _books(self) -> Delegations:
        return self.bench.model.delegations

    def _backed(self, pick: int) -> Node:
        """A node that may take delegations, of a few, so that their pools fill."""
        nodes = [node for node in self.world.nodes.values() if self.bench.model.stakes.nodes[node.id].role != MANAGER]
        return self._of(nodes[:3] + nodes[-1:], pick)

    def _holder(self, pick: int) -> str:
        return str(self._of([*self.world.clients, self.world.challenger, self.world.nodes[3].owner], pick).address)

    @initialize(first=st.integers(WEI, 10**22), second=st.integers(WEI, 10**22))
    def back(self, first: int, second: int) -> None:
        """Both clients are behind a worker and a verifier, one of them on its way out again: every run slashes and pays."""
        for pick in (0, 3):
            node = self._backed(pick)
            owner, clients = node.owner.address, [client.address for client in self.world.clients]
            ask = lambda o=owner, n=node.id: self._books.set_limit(o, n, 10**24)  # noqa: E731
            assert self.bench.both(owner, ask, "delegation", "set_limit", node.id, 10**24)
            for who, amount in zip(clients, (first, second), strict=True):
                ask = lambda w=who, n=node.id, a=amount: self._books.delegate(w, n, a)  # noqa: E731
                assert self.bench.both(who, ask, "delegation", "delegate", node.id, amount)
            ask = lambda w=clients[1], n=node.id, s=second // 2: self._books.undelegate(w, n, s)  # noqa: E731
            assert self.bench.both(clients[1], ask, "delegation", "undelegate", node.id, second // 2)

    @rule(pick=PICK, limit=LIMITS, by=PICK)
    def set_limit(self, pick: int, limit: int, by: int) -> None:
        node = self._node(pick) if pick % 5 == 0 else self._backed(pick)
        who = node.owner.address if by else self.world.stranger.address
        ask = lambda: self._books.set_limit(who, node.id, limit)  # noqa: E731
        self.bench.both(who, ask, "delegation", "set_limit", node.id, limit)

    @rule(pick=PICK, share=st.sampled_from([999, 1_000, 3_333, 9_000, 9_001]), by=PICK)
    def set_share(self, pick: int, share: int, by: int) -> None:
        node, newest = self._backed(pick), self.bench.model.books.newest
        who = node.owner.address if by else self.world.stranger.address
        ask = lambda: self._books.set_share(who, node.id, share, newest.epoch if newest else None)  # noqa: E731
        self.bench.both(who, ask, "delegation", "set_share", node.id, share)

    @rule(pick=PICK, amount=AMOUNTS, by=PICK, opened=st.booleans())
    def delegate(self, pick: int, amount: int, by: int, opened: bool) -> None:
        node, who = self._backed(pick), self._holder(by)
        if opened and self._books.pool(node.id).limit == 0:
            owner = node.owner.address
            ask = lambda: self._books.set_limit(owner, node.id, 10**24)  # noqa: E731
            self.bench.both(owner, ask, "delegation", "set_limit", node.id, 10**24)
        self.bench.parts(
            lambda m: m.delegations.delegate(who, node.id, amount) and m.delegations.value(node.id, who),
            lambda m: (
                m.delegations.delegate(who, node.id, amount // 2)
                and m.delegations.delegate(who, node.id, amount - amount // 2)
                and m.delegations.value(node.id, who)
            ),
        )
        ask = lambda: self._books.delegate(who, node.id, amount)  # noqa: E731
        self.bench.both(who, ask, "delegation", "delegate", node.id, amount)

    @rule(pick=PICK, part=PART, more=SMALL, by=PICK)
    def undelegate(self, pick: int, part: int, more: int, by: int) -> None:
        held = [(id, who) for id, pool in self._books.pools.items() for who in pool.holders]
        id, who = self._of(held, pick) if held and by else (self._backed(pick).id, self.world.stranger.address)
        holder = self._books.pool(id).holders.get(who)
        shares = (holder.shares if holder else 1) * part // BPS + more
        self.bench.parts(
            lambda m: m.delegations.worth(m.delegations.undelegate(who, id, shares)),
            lambda m: sum(
                m.delegations.worth(exit)
                for exit in [
                    m.delegations.undelegate(who, id, shares // 2),
                    m.delegations.undelegate(who, id, shares - shares // 2),
                ]
                if exit
            ),
        )
        ask = lambda: self._books.undelegate(who, id, shares)  # noqa: E731
        self.bench.both(who, ask, "delegation", "undelegate", id, shares)

    @rule(pick=PICK)
    def withdraw_exit(self, pick: int) -> None:
        exit = pick % (self._books.count + 2)
        self.bench.both(self.world.stranger, lambda: self._books.withdraw(exit), "delegation", "withdraw", exit)

    @precondition(lambda self: self.bench.model.delegations.received)
    @rule(pick=PICK, times=st.integers(1, 2))
    def claim_rewards(self, pick: int, times: int) -> None:
        held = [(id, who) for id, pool in self._books.pools.items() for who in pool.holders]
        id, who = self._of(held, pick)
        for _ in range(times):
            self.bench.both(self.world.stranger, lambda: self._books.claim(id, who), "delegation", "claim", id, who)

    @rule(pick=PICK, by=PICK)
    def poke(self, pick: int, by: int) -> None:
        node, who = self._backed(pick), self._holder(by)
        ask = lambda: self._books.count_votes(node.id, who)  # noqa: E731
        self.bench.both(self.world.stranger, ask, "delegation", "poke", node.id, who)
