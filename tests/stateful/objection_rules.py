# SPDX-License-Identifier: Apache-2.0
"""Objections to outcomes and to leaves of roots, and how all hearings go on."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.stateful.model.basics import DAY
from tests.stateful.model.work import Batch
from tests.stateful.stage import PICK
from tests.stateful.work_rules import JOB, WorkRules

PLACES = st.lists(st.integers(0, 3), max_size=3)
VOTES = st.lists(st.booleans(), max_size=2)
SEVENTH = st.integers(0, 6)  # what goes one way in seven


class ObjectionRules(WorkRules):
    """Right or not is for the panel to say: here it says anything. What was said then has to follow."""

    def _honest(self) -> list[Batch]:
        return [batch for batch in self.bench.model.work.batches.values() if batch.is_honest and batch.sequence]

    @precondition(lambda self: self._honest())
    @rule(pick=PICK, places=PLACES, is_managers=st.booleans(), bond=PICK, poor=SEVENTH, times=st.integers(1, 2))
    def object_outcomes(
        self, pick: int, places: list[int], is_managers: bool, bond: int, poor: int, times: int
    ) -> None:
        batch = self._of(self.docket.hearings.objectionable() or self._honest(), pick)
        node = self._node(bond).id if bond % 2 else 0
        who = self.world.stranger if poor == 6 else None
        named = places if poor == 5 else sorted({place % len(batch.leaves) for place in [0, *places]})
        for _ in range(times):
            self.docket.hearings.object_outcomes(batch, named, is_managers, node, who)

    @precondition(lambda self: self.docket.archive.waiting() or self.docket.archive.shelf)
    @rule(pick=PICK, place=st.integers(0, 12), bond=PICK, poor=SEVENTH, times=st.integers(1, 2))
    def object_leaf(self, pick: int, place: int, bond: int, poor: int, times: int) -> None:
        known = [name for name in self.docket.archive.shelf if name.kind > 1]
        names = self.docket.archive.waiting() if pick % 5 or not known else known
        node = self._node(bond).id if bond % 2 else 0
        for _ in range(times if names else 0):
            who = self.world.stranger if poor == 6 else None
            self.docket.hearings.object_leaf(self._of(names, pick), place, node, who)

    @rule(jobs=st.lists(JOB, min_size=1, max_size=2), is_managers=st.booleans(), bond=PICK, votes=VOTES)
    def objected_days(self, jobs: list, is_managers: bool, bond: int, votes: list[bool]) -> None:  # type: ignore[type-arg]
        """Jobs from order to batch; all leaves of a batch and, apart, its first one are objected to, then heard."""
        for job in jobs:
            self._job(*job)
        for manager in self.world.managers:
            self.docket.settle(manager.id)
        hearings = self.docket.hearings
        for batch in hearings.objectionable():
            node = self._node(bond).id if bond % 2 else 0
            hearings.object_outcomes(batch, range(len(batch.leaves)), is_managers, node)
            hearings.object_outcomes(batch, [0], not is_managers)
        for name in self.docket.archive.waiting()[-2:]:
            hearings.object_leaf(name, 1)
        self._heard(votes)

    def _heard(self, votes: list[bool]) -> None:
        hearings = self.docket.hearings
        for place in hearings.open():
            hearings.hear(place, votes)
        self._pass(DAY + 1)
        for place in hearings.open():
            hearings.resolve(place)
            for at in hearings.unvoided(place):
                hearings.void(place, at)
                self.bench.compare()

    # -- hearings of all kinds

    @precondition(lambda self: self.docket.hearings.items())
    @rule(pick=PICK, votes=VOTES)
    def hear_panel(self, pick: int, votes: list[bool]) -> None:
        self.docket.hearings.hear(self._of(list(self.docket.hearings.items()), pick), votes)

    @precondition(lambda self: self.docket.hearings.items())
    @rule(pick=PICK, upheld=st.booleans())
    def vote_without_a_seat(self, pick: int, upheld: bool) -> None:
        place = self._of(list(self.docket.hearings.items()), pick)
        self.docket.hearings.vote(place, self._of(self.world.verifiers, pick).id, upheld)

    @precondition(lambda self: self.docket.hearings.items())
    @rule(pick=PICK, times=st.integers(1, 2))
    def resolve_hearing(self, pick: int, times: int) -> None:
        for _ in range(times):
            self.docket.hearings.resolve(self._of(list(self.docket.hearings.items()), pick))

    @precondition(lambda self: self.docket.hearings.items())
    @rule(pick=PICK, upheld=st.booleans(), by=SEVENTH)
    def decide_hearing(self, pick: int, upheld: bool, by: int) -> None:
        who = self.world.stranger if by == 6 else None
        self.docket.hearings.decide(self._of(list(self.docket.hearings.items()), pick), upheld, who)

    @precondition(lambda self: self.docket.hearings.open())
    @rule(votes=VOTES, days=st.sampled_from([0, 1, 15]), upheld=st.booleans())
    def court_day(self, votes: list[bool], days: int, upheld: bool) -> None:
        """All of them as far as they can go; the governor decides what is referred, while he may."""
        self._heard(votes)
        self._pass(days * DAY + 1)
        for place in self.docket.hearings.open():
            self.docket.hearings.decide(place, upheld)
            self.docket.hearings.resolve(place)

    @precondition(lambda self: any(item.batch for item in self.bench.model.objections.items.values()))
    @rule(pick=PICK, at=st.integers(0, 2), times=st.integers(1, 2))
    def void_leaf(self, pick: int, at: int, times: int) -> None:
        items = [id for id, item in self.bench.model.objections.items.items() if item.batch]
        for _ in range(times):
            self.docket.hearings.void(("objections", self._of(items, pick)), at)
