# SPDX-License-Identifier: Apache-2.0
"""Stake behind others' nodes, each claim given to each holder at once: what the contract does lazily must come to the same."""

from dataclasses import dataclass, field

from tests.stateful.model.basics import BPS, WEI, Ground, need
from tests.stateful.model.stake import ACTIVE, MANAGER, Node, Stakes

EPOCHS_AT_ONCE = 16
SPENT, WORTHLESS = 1_000, 10**6


@dataclass
class Holder:
    """Shares of one delegator in one node; ``raw``, ``raw_joined``: earned since the last act, in 10^-18 wei."""

    active: int = 0
    waiting: int = 0
    epoch: int = 0
    joined: int = 0  # let in since its last act
    raw: int = 0
    raw_joined: int = 0
    credit: int = 0
    votes: int = 0

    @property
    def shares(self) -> int:
        """All at work."""
        return self.active + self.joined + self.waiting

    @property
    def rewards(self) -> int:
        """Wei that it may claim."""
        return self.credit + self.raw // WEI + self.raw_joined // WEI

    def settle(self) -> None:
        """An act of its own rounds down what it earned by then."""
        self.credit, self.raw, self.raw_joined = self.rewards, 0, 0
        self.active, self.joined = self.active + self.joined, 0


@dataclass
class Pool:
    """What others put behind a node. ``waiting``: epochs with joins that wait, in order; ``share`` until ``since``."""

    holders: dict[str, Holder] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)
    out: int = 0
    round: int = 0
    limit: int = 0
    share: int = 5_000
    next: int = 5_000
    since: int = 0

    @property
    def shares(self) -> int:
        """All at work."""
        return sum(holder.shares for holder in self.holders.values())

    @property
    def earning(self) -> int:
        """Those that take part in claims."""
        return self.shares - sum(holder.waiting for holder in self.holders.values())


@dataclass
class Exit:
    """Shares on their way out."""

    node: int
    delegator: str
    shares: int
    round: int
    free_at: int


@dataclass
class Delegations:
    """All pools and exits; ``root``: epoch of the newest final root, which claims are made by."""

    ground: Ground
    stakes: Stakes
    pools: dict[int, Pool] = field(default_factory=dict)
    exits: dict[int, Exit] = field(default_factory=dict)
    count: int = 0
    received: int = 0
    paid: int = 0

    @property
    def _address(self) -> str:
        return self.ground.own["delegation"]

    def pool(self, id: int) -> Pool:
        """Of a node."""
        return self.pools.setdefault(id, Pool())

    def set_limit(self, who: str, id: int, limit: int) -> None:
        """By the owner; managers take none."""
        node = self.stakes.nodes[id]
        need(who == node.owner and node.role != MANAGER, "not the owner, or a manager")
        self.pool(id).limit = limit

    def set_share(self, who: str, id: int, share: int, root: int | None) -> None:
        """For the epoch after the next; the one before must not be asked for any more."""
        pool = self.pool(id)
        need(who == self.stakes.nodes[id].owner and 1_000 <= share <= 9_000, "not the owner, or out of bounds")
        if pool.since and self.ground.epoch >= pool.since:
            need(root is not None and root >= pool.since, "a change waits")
            pool.share = pool.next
        pool.next, pool.since = share, self.ground.epoch + 2

    def value(self, id: int, who: str) -> int:
        """Wei that somebody's shares at work are worth."""
        pool, node = self.pool(id), self.stakes.nodes[id]
        return node.delegated * pool.holders.get(who, Holder()).shares // max(1, pool.shares)

    def delegate(self, who: str, id: int, amount: int) -> int:
        """Shares at their price; they wait for the first claim by a root of this epoch."""
        pool, node = self.pool(id), self.stakes.nodes[id]
        need(amount >= WEI, "dust")
        need(node.status == ACTIVE, "not active")
        need(node.delegated + amount <= pool.limit, "over the limit")
        need(not pool.shares or node.delegated * SPENT >= pool.shares, "slashed to nothing")
        self.ground.ifx.move(who, self.ground.own["staking"], amount)
        shares = amount * pool.shares // node.delegated if pool.shares else amount
        holder = pool.holders.setdefault(who, Holder())
        holder.settle()
        holder.waiting += shares
        holder.epoch = self.ground.epoch
        if holder.epoch not in pool.waiting:
            pool.waiting.append(holder.epoch)
        node.bonded += amount
        node.delegated += amount
        self.stakes.qualify(node)
        self.count_votes(id, who)
        return shares

    def undelegate(self, who: str, id: int, shares: int) -> int:
        """Those that wait go first; returns the exit, 0 where nothing is left of them."""
        pool, node = self.pool(id), self.stakes.nodes[id]
        holder = pool.holders.get(who, Holder())
        need(shares and shares <= holder.shares, "nothing, or more than delegated")
        amount = node.delegated * shares // pool.shares
        holder.settle()
        first = min(shares, holder.waiting)
        holder.waiting -= first
        holder.active -= shares - first
        exit = self._open(pool, node, who, amount) if amount else 0
        node.bonded -= amount
        node.delegated -= amount
        node.delegated_unbonding += amount
        self.count_votes(id, who)
        if amount:
            self.stakes.disqualify(node)
        return exit

    def _open(self, pool: Pool, node: Node, who: str, amount: int) -> int:
        if node.delegated_unbonding * WORTHLESS < pool.out:
            pool.round, pool.out = pool.round + 1, 0
        shares = amount * pool.out // node.delegated_unbonding if pool.out else amount
        pool.out += shares
        self.count += 1
        free_at = self.ground.clock.now + self.ground.parameters["unbonding"]
        self.exits[self.count] = Exit(node.id, who, shares, pool.round, free_at)
        return self.count

    def worth(self, id: int) -> int:
        """Wei of an exit."""
        exit = self.exits[id]
        pool = self.pool(exit.node)
        if pool.round != exit.round:
            return 0
        return self.stakes.nodes[exit.node].delegated_unbonding * exit.shares // pool.out

    def withdraw(self, id: int) -> int:
        """To the delegator, once its time is over and nothing of the node is held or frozen."""
        need(id in self.exits, "no such exit")
        exit = self.exits[id]
        node, amount = self.stakes.nodes[exit.node], self.worth(id)
        need(self.ground.clock.now >= exit.free_at, "too early")
        need(not node.holds and not node.frozen, "held or frozen")
        if self.pool(exit.node).round == exit.round:
            self.pool(exit.node).out -= exit.shares
        del self.exits[id]
        node.delegated_unbonding -= amount
        self.ground.ifx.move(self.ground.own["staking"], exit.delegator, amount)
        return amount

    def share_out(self, id: int, due: int, root: int) -> int:
        """The delegators' part of a claim by the root of an epoch."""
        pool, node = self.pool(id), self.stakes.nodes[id]
        if not pool.shares:
            return 0
        due_epochs = [epoch for epoch in sorted(pool.waiting) if epoch <= root][:EPOCHS_AT_ONCE]
        for holder in pool.holders.values():
            if holder.waiting and holder.epoch in due_epochs:
                holder.joined, holder.waiting = holder.waiting, 0
        pool.waiting = [epoch for epoch in pool.waiting if epoch not in due_epochs]
        earning = node.delegated * pool.earning // pool.shares if pool.earning else 0
        if not earning:
            return 0
        share = pool.next if pool.since and root >= pool.since else pool.share
        part = due * earning * share // ((node.own + earning) * BPS)
        each = part * WEI // pool.earning
        for holder in pool.holders.values():
            holder.raw += holder.active * each
            holder.raw_joined += holder.joined * each
        self.received += part
        return part

    def claim(self, id: int, who: str) -> int:
        """Rewards, to the delegator."""
        holder = self.pool(id).holders.get(who, Holder())
        need(holder.rewards, "nothing to claim")
        holder.settle()
        amount, holder.credit = holder.credit, 0
        self.paid += amount
        self.ground.ifx.move(self._address, who, amount)
        return amount

    def count_votes(self, id: int, who: str) -> None:
        """A delegator's votes are those of now."""
        holder = self.pool(id).holders.get(who)
        if holder:
            holder.votes = self.value(id, who)

    def votes(self, who: str) -> int:
        """All stake of somebody at work, as it was last counted."""
        own = sum(node.own for node in self.stakes.nodes.values() if node.owner == who)
        return own + sum(pool.holders[who].votes for pool in self.pools.values() if who in pool.holders)
