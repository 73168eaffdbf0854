# SPDX-License-Identifier: Apache-2.0
"""How a calibration in the shadow would have decided, beside what was decided: its error rates, on real work."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from inferix.models.result import Measurement
from inferix.models.roles import Outcome
from inferix.proofs.calibration import Counted
from inferix.replay.network import Network


@dataclass(frozen=True, slots=True)
class Tried:
    """One rule in the shadow. ``accepted``, ``rejected``: frames of which votes said so, with how many it rejects;
    ``unsure``: frames of either kind that it could not tell."""

    rule: str
    accepted: Counted
    rejected: Counted
    unsure: int


def tried(network: Network, measurement: Callable[[bytes], Measurement | None]) -> list[Tried]:
    """Every rule that verifiers try, over all votes. ``measurement``: a document by its digest, None where it is not to
    be had."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for state in network.tasks.values():
        for attempt in state.attempts:
            for vote, _ in attempt.votes.values():
                if attempt.outcome not in (Outcome.ACCEPTED, Outcome.REJECTED) or vote.outcome != attempt.outcome:
                    continue
                found = measurement(vote.measured)
                rows = found.shadow if found else []
                # A rejected result may have honest frames: only the last one checked is known to be false.
                rows = rows if attempt.outcome is Outcome.ACCEPTED else rows[-1:]
                seen.update((row.rule, attempt.outcome.name, row.verdict) for row in rows)
    rules = sorted({rule for rule, _, _ in seen})
    return [_tried(rule, seen) for rule in rules]


def _tried(rule: str, seen: Counter[tuple[str, str, str]]) -> Tried:
    def counted(outcome: Outcome) -> Counted:
        sure = {verdict: seen[rule, outcome.name, verdict] for verdict in ("accepted", "rejected")}
        return Counted(outcome.name.lower(), sum(sure.values()), sure["rejected"])

    unsure = sum(seen[rule, outcome.name, "unsure"] for outcome in (Outcome.ACCEPTED, Outcome.REJECTED))
    return Tried(rule, counted(Outcome.ACCEPTED), counted(Outcome.REJECTED), unsure)
