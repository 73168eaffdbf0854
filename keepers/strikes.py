# SPDX-License-Identifier: Apache-2.0
"""Whose results were found false three times within thirty days: `Strikes` takes what is left, and bans."""

from collections.abc import Iterator
from itertools import groupby, permutations

from inferix.models.roles import CaseStatus
from inferix.replay import Network
from inferix.replay.answers import inclusion
from inferix.replay.state import Case

TERM = 30 * 86_400
REST = 7 * 86_400
TIMES = 3
KNOWN = 12
"""Of a worker so many cases, the newest, are tried with one another."""

Step = tuple[str, str, tuple[object, ...]]
"""(key, function of Strikes, arguments)"""


def decide_notes(network: Network) -> Iterator[Step]:
    """When the results of charged cases were delivered, as long as the chain knows."""
    for case in network.cases.values():
        if case.delivered_at or case.status not in (CaseStatus.SLASHABLE, CaseStatus.APPEALED, CaseStatus.SLASHED):
            continue
        state = network.tasks.get(case.task)
        attempt = state.attempts[case.attempt] if state is not None and case.attempt < len(state.attempts) else None
        batch = network.batches.get(attempt.batch or b"") if attempt is not None else None
        for index, leaf in enumerate(batch.leaves if batch is not None else []):
            if batch is not None and (leaf.task, leaf.attempt) == (case.task, case.attempt):
                yield f"note:{case.id.hex()}", "note", (inclusion(batch, index),)


def decide_strikes(network: Network) -> Iterator[Step]:
    """Three times of a worker each. The contract compares on the protocol's clock: after a pause it may refuse some of
    these, and take others."""
    known = [
        case
        for case in network.cases.values()
        if case.status is CaseStatus.SLASHED and case.delivered_at and not case.is_counted
    ]
    known.sort(key=lambda case: (case.node, case.delivered_at))
    for node, cases in groupby(known, key=lambda case: case.node):
        for times in permutations(list(cases)[-KNOWN:], TIMES):
            if _are_three(*times):
                ids = [case.id for case in times]
                yield f"strike:{node}:{b''.join(ids).hex()}", "strike_out", (ids,)


def _are_three(first: Case, second: Case, third: Case) -> bool:
    apart = second.delivered_at > first.charged_at + REST and third.delivered_at > second.charged_at + REST
    return apart and third.delivered_at <= first.delivered_at + TERM
