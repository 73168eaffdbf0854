# SPDX-License-Identifier: Apache-2.0
"""Clients' claims to what is left of their credit while no accounts root becomes final. Amounts in nano-USD."""

from collections.abc import Collection
from dataclasses import dataclass, field

from inferix.models.anchor import BatchLeaf
from tests.stateful.model.basics import BPS, DAY, NANO, Ground, need, up
from tests.stateful.model.books import Books, Root
from tests.stateful.model.credit import Credit
from tests.stateful.model.work import FINAL, PROPOSED, Batch, Work

SILENCE, WINDOW = 21 * DAY, 7 * DAY
ORDER, LAST = 30 * DAY, 3 * DAY  # of block time, then of the protocol's clock: how old a request is
BOND_BPS = 500

Charge = tuple[bytes, int, int]
"""Task, attempt and nano-USD of a leaf."""


def charge_of(leaf: BatchLeaf) -> Charge:
    """As a claim lists it."""
    return leaf.task, leaf.attempt, leaf.charge


@dataclass
class Claim:
    """What stands. ``used``: what its owner says was spent or is charged; ``bond``: units, 0 once it is back."""

    left: int
    used: int
    since: int
    root: Root | None
    requested_at: int
    claimed_at: int
    bond: int
    counted: frozenset[Charge]


@dataclass
class Claims:
    """One an account at most."""

    ground: Ground
    credit: Credit
    work: Work
    books: Books
    standing: dict[int, Claim] = field(default_factory=dict)

    @property
    def _address(self) -> str:
        return self.ground.own["balance_claims"]

    def charges(self, id: int, since: int, claimed_at: int) -> list[tuple[Batch, BatchLeaf]]:
        """All of an account that a root of the epoch before does not know: final since, or on their way at a time."""
        return [
            (batch, leaf)
            for batch in self.work.batches.values()
            for leaf in batch.standing
            if leaf.account == id and leaf.charge
            if self._counts(batch, since, claimed_at)
        ]

    def claim(
        self, who: str, id: int, amount: int, counted: Collection[Charge], known: tuple[int, bool] | None
    ) -> None:
        """By the owner; ``known``: what the newest root is said to say was spent, and whether it does. None: no proof."""
        account, newest, clock = self.credit.accounts[id], self.books.newest, self.ground.clock
        need(who == account.owner and id not in self.standing, "not the owner, or claimed already")
        need(0 < amount <= account.requested, "nothing, or more than was requested")
        silent_since = max(self.books.final_at, self.ground.genesis)
        need(clock.running(silent_since, clock.now) >= SILENCE, "roots come")
        need(clock.running(account.requested_at + ORDER, clock.now) >= LAST, "request too young")
        need(known is None or known[1], "not in the root")
        used = (known[0] if known else 0) + sum(charge for _, _, charge in counted)
        need(used + amount <= account.credit, "over what is left")
        bond = self.bond(account.coin, amount)
        self.ground.coins[account.coin].move(who, self._address, bond)
        since = newest.epoch + 1 if newest and known else 0
        times = (account.requested_at, clock.protocol)
        self.standing[id] = Claim(amount, used, since, newest, *times, bond, frozenset(counted))

    def bond(self, coin: str, amount: int) -> int:
        """Units, rounded up."""
        return up(amount * BOND_BPS * self.credit.coins[coin].scale, BPS * NANO)

    def prove(self, who: str, id: int, batch: Batch, leaf: BatchLeaf, *, is_list: bool = True) -> None:
        """A charge that a claim leaves out: it falls; by one that came after it, or is not final, without a fine for now."""
        need(id in self.standing and is_list, "no claim, or not its list")
        claim = self.standing[id]
        need(self.ground.clock.protocol < claim.claimed_at + WINDOW, "window over")
        need(leaf.account == id and leaf.charge, "no charge of this account")
        need(not batch.is_void(leaf), "leaf void")
        need(self._counts(batch, claim.since, claim.claimed_at), "it does not count")
        need(charge_of(leaf) not in claim.counted, "counted")
        if not self.takes_bond(batch, claim):
            need(claim.left, "fell already")
            claim.left = 0
            return
        bond = self.standing.pop(id).bond
        coin = self.credit.accounts[id].coin
        self.ground.coins[coin].move(self._address, who, bond // 2)
        self.work.keep("balance_claims", coin, bond - bond // 2)

    @staticmethod
    def takes_bond(batch: Batch, claim: Claim) -> bool:
        """Whether a claim that leaves out a charge of this batch loses its bond too."""
        return batch.status == FINAL and batch.proposed_at <= claim.claimed_at

    def settle(self, id: int) -> int:
        """After the window: pays what stood, as the allowance lets it; drops what rests on what is no more so."""
        need(id in self.standing, "no claim")
        need(self.ground.clock.protocol >= self.standing[id].claimed_at + WINDOW, "window not over")
        claim, account = self.standing[id], self.credit.accounts[id]
        if claim.root is not self.books.newest or claim.requested_at != account.requested_at:
            self._drop(id)
            return 0
        # What was withdrawn by the newest root since is not there twice.
        left = min(claim.left, account.requested, max(0, account.credit - claim.used))
        if not left:
            self._drop(id)
            return 0
        paid = self.credit.pay(account, left)
        self._give_back(id)
        claim.left = left - paid
        if not claim.left:
            del self.standing[id]
        return paid

    def _counts(self, batch: Batch, since: int, claimed_at: int) -> bool:
        if batch.status == FINAL:
            return batch.epoch >= since
        return batch.status == PROPOSED and batch.proposed_at <= claimed_at

    def _drop(self, id: int) -> None:
        self._give_back(id)
        del self.standing[id]

    def _give_back(self, id: int) -> None:
        claim, account = self.standing[id], self.credit.accounts[id]
        self.ground.coins[account.coin].move(self._address, account.owner, claim.bond)
        claim.bond = 0
