# SPDX-License-Identifier: Apache-2.0
"""Roots that wait: rosters, and the two trees of the books; who put them up, and what holds them up."""

from dataclasses import dataclass, field

from tests.stateful.model.basics import Ground, need
from tests.stateful.model.books import Books
from tests.stateful.model.stake import MANAGER, Stakes

ANCHOR, ROSTER, ACCOUNTS, NODES = 1, 2, 3, 4


@dataclass(frozen=True)
class Name:
    """As the courts name a root. ``of``: the anchor's manager, the roster's kind, else 0."""

    kind: int
    of: int
    index: int
    root: bytes

    @property
    def values(self) -> tuple[int, int, int, bytes]:
        """As a contract takes it."""
        return self.kind, self.of, self.index, self.root


@dataclass
class Roster:
    """A roster that waits. ``is_right``: as the registry gives it."""

    index: int
    root: bytes
    manager: int
    posted_at: int
    is_right: bool
    disputes: int = 0


@dataclass
class Roots:
    """``rosters``: that wait, by kind; ``posted``: how many there were of each; ``fallen``: anchors."""

    ground: Ground
    stakes: Stakes
    books: Books
    posted: dict[int, int]
    rosters: dict[int, Roster] = field(default_factory=dict)
    fallen: set[Name] = field(default_factory=set)

    # -- rosters

    def post(self, manager: int, kind: int, root: bytes, is_right: bool) -> None:
        """A bonded manager's waits; the one before it is final, or must have fallen."""
        node = self.stakes.nodes[manager]
        need(node.role == MANAGER and self.stakes.is_bonded(node), "not a bonded manager")
        need(kind not in self.rosters or self._is_due(kind), "another one waits")
        self.posted[kind] += 1
        self.rosters[kind] = Roster(self.posted[kind], root, manager, self.ground.clock.protocol, is_right)

    def replace(self, kind: int) -> None:
        """The governor's is final at once, and drops what waits."""
        self.posted[kind] += 1
        self.rosters.pop(kind, None)

    def finalize(self, kind: int) -> None:
        """Its window over, undisputed."""
        need(kind in self.rosters and self._is_due(kind), "none waits, or too early, or disputed")
        del self.rosters[kind]

    def _is_due(self, kind: int) -> bool:
        return not self.rosters[kind].disputes and self._is_over(kind)

    def _is_over(self, kind: int) -> bool:
        return self.ground.clock.protocol >= self.rosters[kind].posted_at + self.ground.parameters["roster_window"]

    # -- what courts do to a root

    def waiting(self) -> list[Name]:
        """All roots that wait."""
        found = [Name(ROSTER, kind, roster.index, roster.root) for kind, roster in self.rosters.items()]
        books = self.books.pending
        if books is None:
            return found
        return [*found, *(Name(kind, 0, books.index, root) for kind, root in zip((3, 4), books.roots, strict=True))]

    def proposer(self, name: Name) -> int:
        """Who put it up, as long as it waits; of an anchor, until it falls; else 0."""
        if name.kind == ANCHOR:
            return 0 if name in self.fallen else name.of
        if name not in self.waiting():
            return 0
        found = self.rosters[name.of] if name.kind == ROSTER else self.books.pending
        assert found is not None
        return found.manager

    def is_undecided(self, name: Name) -> bool:
        """Whether an objection to it may still be decided: of books that others overtook too."""
        return bool(self.proposer(name)) or (name.kind > ROSTER and name.index in self.books.overtaken)

    def check_open(self, name: Name) -> None:
        """Something may be said against it: it waits, and its window is not over."""
        need(self.proposer(name), "no such root waits")
        if name.kind == ROSTER:
            need(not self._is_over(name.of), "window over")
        elif name.kind != ANCHOR:
            need(not self.books.is_over(), "window over")

    def hold(self, name: Name) -> None:
        """One more thing is said against it; an anchor is in force all the same."""
        if name.kind == ROSTER:
            self.rosters[name.of].disputes += 1
        elif name.kind != ANCHOR:
            assert self.books.pending is not None
            self.books.pending.disputes += 1

    def release(self, name: Name) -> None:
        """One less."""
        if name.kind == ROSTER:
            self.rosters[name.of].disputes -= 1
        elif name.kind != ANCHOR and name.index not in self.books.overtaken:
            assert self.books.pending is not None
            self.books.pending.disputes -= 1

    def cancel(self, name: Name) -> None:
        """It falls."""
        if name.kind == ANCHOR:
            self.fallen.add(name)
        elif name.kind == ROSTER:
            del self.rosters[name.of]
        elif name.index in self.books.overtaken:
            del self.books.overtaken[name.index]
        else:
            self.books.pending = None
