# SPDX-License-Identifier: Apache-2.0
"""How verification has judged so far, and how often it was shown to be wrong. All of it follows from the chain."""

from collections import Counter
from dataclasses import dataclass

from inferix.models.roles import CaseStatus, ClearedBy, Outcome
from inferix.proofs.calibration import Counted
from inferix.replay.network import Network

ENDS = tuple(outcome.name.lower() for outcome in Outcome if outcome is not Outcome.UNSERVED)
FALSE = frozenset((ClearedBy.PANEL_REVERSED, ClearedBy.BATCH_CANCELLED, ClearedBy.LEAF_VOID))


@dataclass(frozen=True, slots=True)
class Record:
    """Attempts by outcome, and what became of the cases against workers that were rejected.

    ``open``: not over; ``false``: cleared since the accusation was wrong (a panel reversed it, or the batch or leaf it
    rests on fell); ``cleared``: for another reason, such as a task that nobody could do or nobody decided.
    """

    outcomes: dict[str, int]
    cases: int
    open: int
    slashed: int
    cleared: int
    false: int

    @property
    def false_ppm(self) -> tuple[int, int]:
        """Share of the cases that ended which accused a worker falsely: as counted, and the upper end of its interval
        (95 %, Clopper and Pearson); parts per million."""
        ended = self.cases - self.open
        counted = Counted("false", ended, self.false)
        return (self.false * 1_000_000 // ended if ended else 0), (counted.at_most_ppm if ended else 1_000_000)


def record_of(network: Network) -> Record:
    """Of everything until now."""
    outcomes = Counter(
        attempt.outcome.name.lower()
        for state in network.tasks.values()
        for attempt in state.attempts
        if attempt.outcome is not None
    )
    cases = list(network.cases.values())
    ended = Counter(case.status for case in cases)
    false = sum(case.reason in FALSE for case in cases)
    cleared, slashed = ended[CaseStatus.CLEARED], ended[CaseStatus.SLASHED]
    return Record(
        {
            outcome.name.lower(): outcomes[outcome.name.lower()]
            for outcome in Outcome
            if outcome is not Outcome.UNSERVED
        },
        len(cases),
        len(cases) - cleared - slashed,
        slashed,
        cleared - false,
        false,
    )
