# SPDX-License-Identifier: Apache-2.0
"""Managers that propose what was voted on, but for one thing that order or anchors contradict."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.stateful.misfits import FLAWS
from tests.stateful.objection_rules import ObjectionRules
from tests.stateful.stage import PICK
from tests.stateful.work_rules import JOB


class MisfitRules(ObjectionRules):
    """Whoever likes shows it; with wrong papers, and against what is right, both sides must refuse."""

    @rule(job=JOB, flaw=st.sampled_from(FLAWS), pick=PICK, shown=st.booleans())
    def misfit(self, job: tuple, flaw: str, pick: int, shown: bool) -> None:  # type: ignore[type-arg]
        """Shown at once, or when time passes; other batches that wait are tried too."""
        misfits = self.docket.misfits
        self._job(*job)
        batch = misfits.settle(self.world.managers[job[2]].id, flaw)
        right = [other for other in self.bench.model.work.batches.values() if other.is_honest]
        if right:
            misfits.refute(self._of(right, pick), pick)
        if batch is not None and shown:
            self.bench.compare()
            self.docket.convict(batch)
