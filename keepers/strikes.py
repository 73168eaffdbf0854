# SPDX-License-Identifier: Apache-2.0
"""Whose results were found false three times within thirty days: `Strikes` takes what is left, and bans."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, permutations

from inferix.models.roles import CaseStatus
from inferix.replay import Network
from inferix.replay.answers import inclusion
from inferix.replay.state import Batch, Case
from keepers.desk import Due, Step

TERM = 30 * 86_400
REST = 7 * 86_400
NOTE_AFTER = 5 * 86_400
"""So long a case is left to be cleared before its delivery is noted, unless it is charged [s]."""
TIMES = 3
KNOWN = 12
"""Of a worker so many cases, the newest, are tried with one another."""


def decide_notes(network: Network) -> Iterator[Due]:
    """When the results of cases were delivered, as long as the chain knows: for three weeks, where slots are short. A
    case that is opened again, in another batch, is noted again."""
    for case in network.cases.values():
        is_new = case.status is CaseStatus.FROZEN and network.time < case.opened_at + NOTE_AFTER
        if case.delivered_at or case.status is CaseStatus.CLEARED or is_new:
            continue
        state = network.tasks.get(case.task)
        attempt = state.attempts[case.attempt] if state is not None and case.attempt < len(state.attempts) else None
        batch = network.batches.get(attempt.batch or b"") if attempt is not None else None
        for index, leaf in enumerate(batch.leaves if batch is not None else []):
            if batch is not None and (leaf.task, leaf.attempt) == (case.task, case.attempt):
                yield f"note:{case.id.hex()}:{batch.commitment.hex()}", "note", partial(_shown, batch, index)


def _shown(batch: Batch, index: int) -> tuple[object, ...]:
    return (inclusion(batch, index),)


def suspects(network: Network) -> dict[int, list[Case]]:
    """By worker the slashed cases that may count, where these are three or more, in the order of their deliveries."""
    known = [
        case
        for case in network.cases.values()
        if case.status is CaseStatus.SLASHED and case.delivered_at and not case.is_counted
    ]
    known.sort(key=lambda case: (case.node, case.delivered_at))
    found = {node: list(cases)[-KNOWN:] for node, cases in groupby(known, key=lambda case: case.node)}
    return {node: cases for node, cases in found.items() if len(cases) >= TIMES}


def decide_strikes(cases: Mapping[int, Sequence[Case]], charged: Mapping[bytes, int]) -> Iterator[Step]:
    """Three times of a worker each. ``charged``: when, by case, on the protocol's clock, as Panels has it."""

    def are_three(first: Case, second: Case, third: Case) -> bool:
        apart = second.delivered_at > charged[first.id] + REST and third.delivered_at > charged[second.id] + REST
        return apart and third.delivered_at <= first.delivered_at + TERM

    for node, known in cases.items():
        for times in permutations(known, TIMES):
            if are_three(*times):
                ids = [case.id for case in times]
                yield f"strike:{node}:{b''.join(ids).hex()}", "strike_out", (ids,)
