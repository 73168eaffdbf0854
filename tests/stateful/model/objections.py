# SPDX-License-Identifier: Apache-2.0
"""Objections to outcomes of batches and to leaves of roots, as far as they move money, void leaves or let roots fall."""

from dataclasses import dataclass, field

from inferix.messages import unpack_voters
from tests.stateful.model.basics import BPS, DAY, need
from tests.stateful.model.bonds import Bond, Bonds
from tests.stateful.model.panel import DROPPED, OPEN, REJECTED, UNDECIDED, UPHELD, Panel, Panels
from tests.stateful.model.roots import ROSTER, Name, Roots
from tests.stateful.model.work import PROPOSED, Batch, Work

VOID_TERM = 28 * DAY


@dataclass
class Objection:
    """``batch``: of outcomes, else None; ``name``: of a root; ``places``: of the leaves; ``unvoided``: of those, which
    are not void yet, where they have to be; ``is_managers``: no vote says what is wrong."""

    batch: Batch | None
    name: Name | None
    places: list[int]
    is_managers: bool
    manager: int
    bond: Bond
    panel: Panel
    status: int = OPEN
    unvoided: set[int] = field(default_factory=set)

    @property
    def is_lie(self) -> bool:
        """Whether who put it up answers for what is wrong with it."""
        return self.batch is None or self.is_managers


@dataclass
class Objections:
    """By the objection's id."""

    bonds: Bonds
    panels: Panels
    roots: Roots
    work: Work
    items: dict[bytes, Objection] = field(default_factory=dict)

    def to_outcomes(
        self, who: str, id: bytes, batch: Batch, places: list[int], is_managers: bool, node: int
    ) -> Objection:
        """In the batch's window: it waits. Parties and the voters of the first leaf have no seat."""
        need(id not in self.items, "objected before")
        need(places and places == sorted(set(places)) and places[-1] < len(batch.leaves), "no such places")
        end = batch.proposed_at + self.bonds.ground.parameters["batch_window"]
        need(batch.status == PROPOSED and self.bonds.ground.clock.protocol < end, "not proposed, or too late")
        bond = self.bonds.take(who, "objections", node, self.bonds.ground.dispute_bond)
        first, nodes = batch.leaves[places[0]], self.bonds.stakes.nodes
        client = self.work.credit.accounts[first.account].owner
        parties = {nodes[batch.manager].owner, nodes[first.node].owner, bond.challenger, client}
        panel = self.panels.summon(parties, unpack_voters(first.voters))
        self.items[id] = Objection(batch, None, places, is_managers, batch.manager, bond, panel)
        batch.disputes += 1
        return self.items[id]

    def to_leaf(self, who: str, id: bytes, name: Name, place: int, node: int) -> Objection:
        """In the root's window: it waits."""
        need(id not in self.items, "objected before")
        self.roots.check_open(name)
        amount = self.bonds.ground.dispute_bond if name.kind == ROSTER else self.accounts_bond
        delegated = self.bonds.stakes.nodes[node].delegated if node else 0
        need(name.kind == ROSTER or not delegated, "others' stake")
        bond = self.bonds.take(who, "objections", node, amount)
        manager = self.roots.proposer(name)
        panel = self.panels.summon({self.bonds.stakes.nodes[manager].owner, bond.challenger}, [])
        self.items[id] = Objection(None, name, [place], False, manager, bond, panel)
        self.roots.hold(name)
        return self.items[id]

    @property
    def accounts_bond(self) -> int:
        """Half a percent of the rewards that are held up, within bounds [wei]."""
        ground = self.bonds.ground
        return max(ground.dispute_bond, min(self.roots.books.added * 50 // BPS, ground.root_bond))

    def waits(self, item: Objection) -> bool:
        """Whether what it is about has not fallen."""
        if item.batch is not None:
            return item.batch.status == PROPOSED
        assert item.name is not None
        return self.roots.is_undecided(item.name)

    def resolve(self, item: Objection) -> None:
        """The next end that it can come to."""
        if item.unvoided:
            need(self.panels.is_over(item.panel, VOID_TERM), "leaves may still be voided")
            item.unvoided = set()
            self._release(item)
            return
        need(item.status == OPEN, "not open")
        if not self.waits(item):
            item.status = DROPPED
            self.bonds.give_back(item.bond)
        elif item.panel.is_referred:
            self.panels.check_silent(item.panel)
            self._uphold(item, UNDECIDED)
        else:
            verdict = self.panels.verdict(item.panel)
            if verdict is None:
                item.panel.is_referred = True
            else:
                self._judge(item, verdict)

    def decide(self, item: Objection, upheld: bool, is_governor: bool) -> None:
        """The governor's word on what was referred."""
        need(item.status == OPEN, "not open")
        self.panels.check_governor(item.panel, is_governor)
        need(self.waits(item), "fell otherwise")
        self._judge(item, upheld)

    def vote(self, item: Objection, node: int, upheld: bool) -> None:
        """A seat's."""
        need(item.status == OPEN, "not open")
        self.panels.vote(item.panel, node, upheld)

    def void(self, item: Objection, at: int) -> None:
        """A leaf that it named counts no more; with the last one the batch goes on."""
        batch = item.batch
        need(batch and at in item.unvoided, "not to be voided")
        assert batch is not None
        place = item.places[at]
        if place not in batch.voids:
            need(batch.status == PROPOSED, "not proposed")
            batch.voids[place] = self.bonds.ground.clock.now
        item.unvoided.remove(at)
        if not item.unvoided:
            self._release(item)

    def _judge(self, item: Objection, upheld: bool) -> None:
        if upheld:
            self._uphold(item, UPHELD)
            return
        item.status = REJECTED
        self._release(item)
        self.bonds.forfeit(item.bond, self.bonds.stakes.nodes[item.manager].owner)

    def _uphold(self, item: Objection, status: int) -> None:
        item.status = status
        if status == UPHELD:
            self.bonds.give_back(item.bond)
        else:
            self.bonds.forfeit(item.bond, item.bond.challenger)
        if item.name is not None:
            self.roots.cancel(item.name)
        else:
            item.unvoided = set(range(len(item.places)))
        if status == UPHELD and item.is_lie and not (item.batch and item.batch.is_fined):
            if item.batch:
                item.batch.is_fined = True
            if self.bonds.punish(item.manager, item.bond.challenger):
                self.bonds.stakes.fines[-1].seats = item.panel.seats

    def _release(self, item: Objection) -> None:
        if item.batch is not None:
            item.batch.disputes -= 1
        else:
            assert item.name is not None
            self.roots.release(item.name)
