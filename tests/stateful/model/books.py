# SPDX-License-Identifier: Apache-2.0
"""The books of an epoch: who spent and reserved what, who earned what; roots of them, and claims on the newest."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from inferix.models.anchor import BatchLeaf
from inferix.models.roles import Outcome
from tests.stateful.model.basics import BPS, DAY, Ground, Refused, need
from tests.stateful.model.delegation import Delegations
from tests.stateful.model.stake import ACTIVE, BANNED, FROZEN, MANAGER, VERIFIER, WORKER, Fine, Node, Stakes
from tests.stateful.model.work import Work

PARTS = {WORKER: 30, VERIFIER: 6, MANAGER: 1}
UNPROPOSED, ANEW = 72 * 3_600, 48 * 3_600


@dataclass
class Try:
    """An attempt that a worker accepted; the leaf it gives once it has ended."""

    leaf: BatchLeaf | None = None


@dataclass
class Order:
    """A valid order. ``ended_at``: 0 while it runs; ``work``: of each task."""

    id: bytes
    account: int
    cap: int
    posted_at: int
    deadline: int
    work: dict[bytes, int]
    is_void: bool = False  # by its spec alone: it never runs, but who has not read that can't know, so its cap counts
    nonce: int = 0
    ended_at: int = 0
    tries: list[Try] = field(default_factory=list)


@dataclass
class Grant:
    """What a worker earned in one epoch and has not at once: wei, from when, and whether it has matured."""

    amount: int
    start: int
    matured: bool = False


@dataclass
class Earned:
    """A node's rewards, wei."""

    at_once: int = 0
    grants: list[Grant] = field(default_factory=list)

    @property
    def matured(self) -> int:
        """What needs no more time."""
        return self.at_once + sum(grant.amount for grant in self.grants if grant.matured)

    @property
    def vesting(self) -> list[Grant]:
        """What does."""
        return [grant for grant in self.grants if not grant.matured]


@dataclass
class Root:
    """Posted books. ``used``: spent and reserved by account; ``nodes``: (matured, vesting, start) by node."""

    epoch: int
    used: dict[int, tuple[int, int]]
    nodes: dict[int, tuple[int, int, int]]
    posted_at: int
    until: int
    vesting_time: int
    roots: tuple[bytes, bytes] = (b"", b"")  # of accounts and nodes
    index: int = 0
    manager: int = 0
    disputes: int = 0

    @property
    def matured(self) -> int:
        """Of all nodes since the start [wei]."""
        return sum(node[0] for node in self.nodes.values())

    @property
    def rewards(self) -> int:
        """Matured and vesting, since the start [wei]."""
        return self.matured + sum(node[1] for node in self.nodes.values())


@dataclass
class Books:
    """Orders, roots and claims."""

    ground: Ground
    stakes: Stakes
    work: Work
    orders: dict[bytes, Order] = field(default_factory=dict)
    newest: Root | None = None
    pending: Root | None = None
    final_at: int = 0  # when the newest became final [s]
    claimed: dict[int, int] = field(default_factory=dict)
    pool_received: int = 0
    delegations: Delegations | None = None
    posted: int = 0
    overtaken: dict[int, Root] = field(default_factory=dict)  # by index, until a court drops it
    cancelled: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)  # nonces: when, tries that go on

    @property
    def added(self) -> int:
        """Rewards that the books that wait add to the newest final ones [wei]."""
        if self.pending is None:
            return 0
        return self.pending.rewards - (self.newest.rewards if self.newest else 0)

    @property
    def cut_off(self) -> int:
        """End of the newest final root's epoch."""
        return self.ground.epoch_end(self.newest.epoch) if self.newest else 0

    def free(self, id: int) -> int:
        """Credit that a new order may reserve."""
        account = self.work.credit.accounts[id]
        later = [order for order in self.orders.values() if order.account == id and order.posted_at > self.cut_off]
        used = sum(self.newest.used.get(id, (0, 0))) if self.newest else 0
        return account.credit - account.requested - used - sum(order.cap for order in later)

    def cancel(self, signer: str, id: int, nonce: int) -> None:
        """The account's owner, as often as it likes; before the order is posted, too."""
        account = self.work.credit.accounts.get(id)
        need(account is not None and signer == account.owner, "not the owner")
        tries = sum(len(order.tries) for order in self.orders.values() if (order.account, order.nonce) == (id, nonce))
        self.cancelled.setdefault((id, nonce), (self.ground.clock.now, tries))

    def check_cancelled(self) -> None:
        """No order lives on without its nonce, nor gets another try."""
        for order in self.orders.values():
            if (order.account, order.nonce) in self.cancelled:
                when, tries = self.cancelled[order.account, order.nonce]
                assert order.is_void or 0 < order.ended_at <= when, "a cancelled order goes on"
                assert len(order.tries) <= tries, "a cancelled order is tried again"

    # -- what an honest root says

    def used(self, epoch: int) -> dict[int, tuple[int, int]]:
        """Spent and reserved, of each account, at an epoch's end."""
        spent = dict.fromkeys(self.work.credit.accounts, 0)
        for leaf in self._final_leaves(epoch):
            spent[leaf.account] = spent.get(leaf.account, 0) + leaf.charge
        reserved = dict.fromkeys(spent, 0)
        for order in self.orders.values():
            reserved[order.account] += self._held(order, epoch)
        return {id: (spent[id], reserved[id]) for id in sorted(spent)}

    def _held(self, order: Order, epoch: int) -> int:
        cut_off = self.ground.epoch_end(epoch)
        if order.posted_at > cut_off or order.is_void:
            return 0
        leaves = [leaf for leaf in self._final_leaves(epoch) if leaf.task in order.work]
        over = [*leaves, *self._voided(cut_off)]
        owed = [item for item in order.tries if item.leaf is None or item.leaf not in over]
        if order.ended_at and order.ended_at <= cut_off and not owed:
            return 0
        waited = self.ground.clock.running(order.deadline, cut_off)
        if waited >= UNPROPOSED and not self._is_proposed(order, cut_off):
            return 0
        return order.cap - sum(leaf.charge for leaf in leaves)

    def _is_proposed(self, order: Order, cut_off: int) -> bool:
        """Whether, at the cut-off, a batch waits that charges something to the order, or one fell 48 hours before."""
        return any(
            batch.proposed_when <= cut_off
            and not (batch.final_when and batch.final_when <= cut_off)
            and not (batch.fell_when and self.ground.clock.running(batch.fell_when, cut_off) >= ANEW)
            for batch in self.work.batches.values()
            if any(leaf.task in order.work for leaf in batch.leaves)
        )

    def _voided(self, time: int) -> Iterator[BatchLeaf]:
        for batch in self.work.batches.values():
            yield from (batch.leaves[at] for at, when in batch.voids.items() if when <= time)

    def _final_leaves(self, epoch: int) -> Iterator[BatchLeaf]:
        for batch in self.work.final():
            if batch.epoch <= epoch:
                yield from batch.standing

    def rewards(self, epoch: int) -> dict[int, tuple[int, int, int]]:
        """Matured, vesting and the sum of vesting times start, of each node, at an epoch's end; 0 is the dust."""
        earned: dict[int, Earned] = {0: Earned()}
        owed: list[Fine] = []
        for index, closed in enumerate(self.work.epochs[: epoch + 1]):
            owed += closed.fines
            shares = self._shares(index, owed)
            earned[0].at_once += closed.rewards - sum(sum(part.values()) for part in shares.values())
            for role, part in shares.items():
                for node, amount in part.items():
                    item = earned.setdefault(node, Earned())
                    now = amount * closed.parameters["matured_bps"] // BPS if role == WORKER else amount
                    item.at_once += now
                    item.grants += [Grant(amount - now, self.ground.epoch_end(index))] if amount > now else []
            over = self.ground.epoch_end(index) - closed.parameters["worker_vesting"]
            for grant in (grant for item in earned.values() for grant in item.grants):
                grant.matured = grant.matured or grant.start <= over
        return {
            node: (
                item.matured,
                sum(grant.amount for grant in item.vesting),
                sum(grant.amount * grant.start for grant in item.vesting),
            )
            for node, item in sorted(earned.items())
        }

    def _shares(self, epoch: int, owed: list[Fine]) -> dict[int, dict[int, int]]:
        """An epoch's mint by role and node; nobody answers probes here, so capacity earns nothing."""
        fees: dict[int, dict[int, int]] = {role: {} for role in PARTS}
        for batch in self.work.final(epoch):
            for leaf in batch.standing:
                if leaf.outcome is not Outcome.LEASED:
                    _add(fees[MANAGER], batch.manager, leaf.charge)
                if leaf.outcome is Outcome.ACCEPTED:
                    _add(fees[WORKER], leaf.node, leaf.charge)
                for voter in _voters(leaf):
                    _add(fees[VERIFIER], voter, self._work_of(leaf.task))
        for node, task in self.work.restored.get(epoch, []):
            redone = [leaf for leaf in self._final_leaves(epoch) if leaf.task == task]
            _add(fees[WORKER], node, sum(leaf.charge for leaf in redone if leaf.outcome is Outcome.ACCEPTED))
        minted, reputation = self.work.epochs[epoch].minted, self.work.epochs[epoch].reputation
        fees[WORKER] = {node: fee * reputation.get(node, 1_000) for node, fee in fees[WORKER].items()}
        shares = {role: _share(minted * part // 37, fees[role]) for role, part in PARTS.items()}
        for node, amount in self._pooled(epoch, fees[VERIFIER], owed):
            _add(shares[VERIFIER], node, amount)
        return shares

    def _pooled(self, epoch: int, checked: Mapping[int, int], owed: list[Fine]) -> Iterator[tuple[int, int]]:
        """What verifiers get of the penalty pool: a fine is not for those who judged it, and waits when all did."""
        left = self.work.epochs[epoch].pooled
        for fine in owed[:] if left else []:
            leaves = [item.leaf for order in self.orders.values() for item in order.tries if item.leaf]
            barred = {*fine.seats, *(node for leaf in leaves if leaf.task in fine.tasks for node in _voters(leaf))}
            others = {node: work for node, work in checked.items() if node not in barred}
            amount = min(fine.amount, left)
            left -= amount
            if others:
                owed.remove(fine)
                yield from _share(amount, others).items()
        yield from _share(left, checked).items()

    def _work_of(self, task: bytes) -> int:
        return next((order.work[task] for order in self.orders.values() if task in order.work), 0)

    # -- roots

    def has_bond(self, node: Node) -> bool:
        """For books that no manager posted."""
        return node.role == MANAGER or (not node.delegated and node.bonded - node.frozen >= self.ground.root_bond)

    def post(self, poster: int, root: Root, spent: int) -> None:
        """Of a closed epoch, newer than the final root's, held to what was counted."""
        node = self.stakes.nodes.get(poster)
        need(node and self.stakes.is_bonded(node), "not bonded")
        assert node
        clock = self.ground.clock
        late = clock.running(self.ground.epoch_end(root.epoch), clock.now) >= 7 * DAY
        need(late or node.role == MANAGER, "not a manager")
        need(self.has_bond(node), "too little stake")
        due, stuck = self._is_due(), self.is_stuck()
        newest = self.pending if due else self.newest
        need(due or stuck or self.pending is None, "another root waits")
        need(root.epoch < len(self.work.epochs), "epoch not closed")
        need(spent == sum(e.charge for e in self.work.epochs[: root.epoch + 1]), "spent")
        need(root.rewards == sum(e.rewards for e in self.work.epochs[: root.epoch + 1]), "minted")
        if newest:
            need(root.epoch > newest.epoch, "not newer")
            need(root.matured >= newest.matured, "matured shrinks")
        if stuck:
            assert self.pending
            need(node.role == MANAGER, "another root waits")
            need(root.epoch >= self.pending.epoch, "not newer")
            self.overtaken[self.pending.index] = self.pending
        self.posted += 1
        root.index, root.manager = self.posted, poster
        self.newest, self.pending = newest, root
        self.final_at = self.ground.clock.now if due else self.final_at

    def finalize(self) -> None:
        """When its window is over."""
        need(self._is_due(), "nothing waits, or too early, or disputed")
        self.newest, self.pending, self.final_at = self.pending, None, self.ground.clock.now

    def claim(self, id: int) -> int:
        """Pays a node what is earned by the newest root and was not claimed; wei to its owner."""
        need(self.newest, "no root")
        assert self.newest
        need(id in self.newest.nodes, "not in the root")
        status = self.stakes.nodes[id].status if id else ACTIVE
        need(status != FROZEN, "frozen")
        matured, vesting, start = self.newest.nodes[id]
        time = min(self.ground.clock.now, self.newest.until)
        vested = min(max(0, time * vesting - start) // self.newest.vesting_time, vesting)
        before = self.claimed.get(id, 0)
        due = max(0, matured + vested - before)
        lost = max(0, matured + vesting - before - due) if status == BANNED else 0
        need(due + lost, "nothing to claim")
        self.claimed[id] = before + due + lost
        accounts, pool = self.ground.own["accounts"], self.ground.own["penalty_pool"]
        part = self.delegations.share_out(id, due, self.newest.epoch) if self.delegations and id and due else 0
        self.ground.ifx.move(accounts, self.ground.own["delegation"], part)
        self.ground.ifx.move(accounts, self.stakes.nodes[id].owner if id else pool, due - part)
        self.ground.ifx.move(accounts, pool, lost)
        return due

    def claim_each(self, ids: Sequence[int], *, is_right: bool = True) -> int:
        """Pays all whom `claim` would pay, and passes over the others; nobody where what is shown is not of the root [wei]."""
        need(is_right, "not in the root")
        need(self.newest or not ids, "no root")
        paid = 0
        for id in ids:
            with suppress(Refused):
                paid += self.claim(id)
        return paid

    def is_over(self) -> bool:
        """Whether the window of the root that waits is."""
        window = self.ground.parameters["accounts_window"]
        return self.pending is not None and self.ground.clock.protocol >= self.pending.posted_at + window

    def is_stuck(self) -> bool:
        """Whether the root that waits is held up for longer than a panel needs."""
        if self.pending is None or not self.pending.disputes:
            return False
        term = sum(self.ground.parameters[name] for name in ("accounts_window", "answer_window", "panel_window"))
        return self.ground.clock.protocol >= self.pending.posted_at + term

    def _is_due(self) -> bool:
        return self.pending is not None and not self.pending.disputes and self.is_over()


def _add(book: dict[int, int], key: int, amount: int) -> None:
    book[key] = book.get(key, 0) + amount


def _share(amount: int, weights: Mapping[int, int]) -> dict[int, int]:
    total = sum(weights.values())
    return {node: amount * weight // total for node, weight in weights.items() if weight}


def _voters(leaf: BatchLeaf) -> list[int]:
    ids = [int.from_bytes(leaf.voters[at : at + 4], "big") for at in range(0, 32, 4)]
    return [id for id in ids if id]
