# SPDX-License-Identifier: Apache-2.0
"""Whose results were found false three times within thirty days: `Strikes` takes what is left, and bans."""

from itertools import groupby

from inferix.models.roles import CaseStatus, NodeStatus
from inferix.replay import Network
from inferix.replay.state import Case

TERM = 30 * 86_400
TIMES = 3

Step = tuple[str, str, tuple[object, ...]]
"""(key, function of Strikes, arguments)"""


def spells(cases: list[Case], appeal_window: int) -> list[Case]:
    """Of a worker's slashed cases in order the first, and each that was opened after it was told of the one before."""
    found: list[Case] = []
    for case in cases:
        if not found or case.opened_at > found[-1].charged_at + appeal_window:
            found.append(case)
    return found


def decide_strikes(network: Network) -> list[Step]:
    """Calls of `Strikes`. The contract counts on the protocol's clock: after a pause it may refuse what this asks."""
    slashed = sorted(
        (case for case in network.cases.values() if case.status is CaseStatus.SLASHED),
        key=lambda case: (case.node, case.opened_at),
    )
    window = network.parameters["appeal_window"]
    steps: list[Step] = []
    for node, cases in groupby(slashed, key=lambda case: case.node):
        known = list(cases)
        if network.nodes[node].status is NodeStatus.BANNED:
            continue
        for start in range(len(known) - TIMES + 1):
            times = spells(known[start:], window)[:TIMES]
            if len(times) == TIMES and times[-1].opened_at <= times[0].opened_at + TERM:
                ids = [case.id for case in times]
                steps.append((f"strike:{node}:{ids[-1].hex()}", "strike_out", (ids,)))
                break
    return steps
