# SPDX-License-Identifier: Apache-2.0
"""Data that is withheld, asked for, shown in time, too late or never."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from inferix.models.roles import RosterKind
from tests.stateful.model.roots import Name
from tests.stateful.stage import PICK, Stage

COUNTS = st.sampled_from([0, 1, 2, 3])  # messages of an anchor
CHUNKS = st.sampled_from([0, 0, 0, 1, 2**26 - 1, 2**26])
KINDS = st.sampled_from(RosterKind)
SEVENTH = st.integers(0, 6)  # what goes one way in seven


class AvailabilityRules(Stage):
    """Anybody asks, with a bond of its own or out of a stake; whoever has the data answers, or nobody."""

    def _askable(self) -> list[Name]:
        """Roots that wait, and anchors that nobody else has."""
        anchors = [name for name in self.docket.archive.withheld if name.kind == 1]
        return sorted({*self.docket.archive.waiting(), *anchors}, key=lambda name: name.values)

    @rule(pick=PICK, count=COUNTS)
    def withhold(self, pick: int, count: int) -> None:
        self.docket.archive.withhold(self.world.managers[pick % 2].id, count)

    @rule(pick=PICK, kind=KINDS, is_right=st.booleans(), is_served=st.booleans())
    def post_roster(self, pick: int, kind: RosterKind, is_right: bool, is_served: bool) -> None:
        node = self._node(pick) if pick % 9 == 0 else self.world.managers[pick % 2]
        self.docket.archive.post_roster(node.id, kind, is_right, is_served)

    @rule(kind=KINDS)
    def finalize_roster(self, kind: RosterKind) -> None:
        self.docket.archive.finalize_roster(kind)

    @precondition(lambda self: self._askable())
    @rule(pick=PICK, chunk=CHUNKS, bond=PICK, poor=SEVENTH, times=st.integers(1, 2))
    def ask(self, pick: int, chunk: int, bond: int, poor: int, times: int) -> None:
        name = self._of(self._askable(), pick)
        node = self._node(bond).id if bond % 2 else 0
        for _ in range(times):
            self.docket.archive.ask(name, chunk, node, self.world.stranger if poor == 6 else None)

    @precondition(lambda self: self.bench.model.availability.disputes)
    @rule(pick=PICK, times=st.integers(1, 2))
    def show(self, pick: int, times: int) -> None:
        item = self._of(list(self.bench.model.availability.disputes.values()), pick)
        for _ in range(times):
            self.docket.archive.answer(item.name, item.chunk)

    @precondition(lambda self: self.bench.model.availability.disputes)
    @rule(pick=PICK, times=st.integers(1, 2))
    def end(self, pick: int, times: int) -> None:
        item = self._of(list(self.bench.model.availability.disputes.values()), pick)
        for _ in range(times):
            self.docket.archive.expire(item.name, item.chunk)

    @precondition(lambda self: self.docket.archive.served_anchors())
    @rule(pick=PICK, bond=PICK, times=st.integers(1, 2))
    def ask_what_is_served(self, pick: int, bond: int, times: int) -> None:
        """Of an anchor whose messages count keepers show them at once."""
        name = self._of(self.docket.archive.served_anchors(), pick)
        asked = self.docket.archive.ask(name, 0, self._node(bond).id if bond % 2 else 0)
        for _ in range(times if asked else 0):
            self.docket.archive.answer(name)

    @rule(pick=PICK, count=COUNTS, bond=PICK, hours=st.sampled_from([0, 5, 6, 7]), chunks=st.integers(1, 2))
    def withheld_day(self, pick: int, count: int, bond: int, hours: int, chunks: int) -> None:
        """All that waits is asked for, one more anchor too; shown, where it is not too late, or ended."""
        archive = self.docket.archive
        archive.withhold(self.world.managers[pick % 2].id, count)
        for name in self._askable()[-3:]:
            for chunk in range(chunks):
                archive.ask(name, chunk, self._node(bond).id if bond % 2 else 0)
        self._pass(hours * 3_600 + 1)
        for item in archive.open():
            if item.chunk or bond % 3 == 0:
                archive.answer(item.name, item.chunk)
        for item in archive.open():
            archive.expire(item.name, item.chunk)
