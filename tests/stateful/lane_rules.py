# SPDX-License-Identifier: Apache-2.0
"""Managers that fall silent, and others that take their jobs over: too early, twice, or where there was an anchor."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.stateful.stage import PICK, Stage

SILENT = st.sampled_from([599, 600, 600, 600])  # seconds


class LaneRules(Stage):
    """What a lane has anchored, everybody reads from the chain."""

    def _anchors(self, manager: int) -> int:
        return int(self.world.read("batches", "lane", manager)["anchors"])

    def _operator(self, by: int, who: Any) -> Any:
        return who or self.world.nodes[by].operator

    def call_out(self, manager: int, by: int, who: Any = None) -> bool:
        """Of a manager, by another's operator or ``who``."""
        who, anchors = self._operator(by, who), self._anchors(manager)
        ask = lambda: self.bench.model.lanes.call_out(who.address, manager, by, anchors)  # noqa: E731
        return self.bench.both(who, ask, "orders", "call_out", manager, by)

    def take_over(self, job: bytes, manager: int, by: int, who: Any = None) -> bool:
        """A job of a manager, by another's operator or ``who``."""
        who, anchors = self._operator(by, who), (self._anchors(manager), self._anchors(by))
        ask = lambda: self.bench.model.lanes.take_over(who.address, job, manager, by, *anchors)  # noqa: E731
        return self.bench.both(who, ask, "orders", "take_over", job, manager, by)

    @precondition(lambda self: self.world.mirror.jobs)
    @rule(pick=PICK, by=PICK, seconds=SILENT, anchored=st.sampled_from([False, False, False, True]))
    def fall_silent(self, pick: int, by: int, seconds: int, anchored: bool) -> None:
        """A manager is called out; all its jobs that run, or one that is over, are taken over, if they can be."""
        jobs = list(self.world.mirror.jobs.values())
        running = [job for job in jobs if not job.ended_at] or jobs
        silent = self._of(running, pick).order.manager
        heir = next(node.id for node in self.world.managers if node.id != silent)
        heir, who = {0: (silent, None), 1: (heir, self.world.stranger)}.get(by, (heir, None))
        self.call_out(silent, heir, who)
        if anchored:
            self.bench.floor.anchor(silent)
        self._pass(seconds)
        for job in running:
            self.take_over(job.id, silent if by > 2 else job.order.manager, heir, who)
        self.bench.compare()

    @precondition(lambda self: self.world.mirror.jobs)
    @rule(pick=PICK, by=PICK, called=st.booleans())
    def claim_job(self, pick: int, by: int, called: bool) -> None:
        """At whatever time, from whichever of the two; of a job nobody knows, too."""
        (first, second), jobs = (node.id for node in self.world.managers), list(self.world.mirror.jobs)
        manager, heir = (first, second) if by % 2 else (second, first)
        if called:
            self.call_out(manager, heir)
        self.take_over(self._of([*jobs, bytes(32)], pick), manager, heir)
