# SPDX-License-Identifier: Apache-2.0
"""What courts hold of nodes' stake, because of whom and until when: from the reducer's state alone."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from api.values import hexed
from inferix.models.roles import CaseStatus, DisputeStatus, ObjectionStatus
from inferix.replay import Network
from inferix.replay.contradictions import heard
from inferix.replay.hearings import DECISION_TERM, REDO_TERM
from inferix.replay.state import Contradiction

What = Literal["withdrawals", "bond", "stake"]


@dataclass(frozen=True, slots=True)
class Hold:
    """``what``: the withdrawals of all its stake, or this ``amount`` [wei] of it, frozen as a bond, or for a case as
    far as it was free; ``at_risk``: what it can lose there [wei], a bond beside not counted; ``by``: who made it so,
    None where the rules did; ``until``: the last second [block time], when it has not ended earlier; ``id``: of what
    holds it."""

    node: int
    what: What
    amount: int
    at_risk: int
    by: str | None
    because: str
    id: bytes
    until: int


def holds(network: Network) -> dict[int, list[Hold]]:
    """By node; those of which nothing is held are not in it."""
    found: dict[int, list[Hold]] = defaultdict(list)
    for each in (_contradicted, _bonds, _disputed, _cases):
        for hold in each(network):
            found[hold.node].append(hold)
    return found


def hold_view(hold: Hold) -> dict[str, Any]:
    """As JSON."""
    return {
        "what": hold.what,
        "amount": str(hold.amount),
        "at_risk": str(hold.at_risk),
        "by": hold.by,
        "because": hold.because,
        "id": hexed(hold.id),
        "until": hold.until,
    }


def _contradicted(network: Network) -> Iterator[Hold]:
    """A contradicted vote holds everything that would leave, and freezes nothing."""
    for found in network.contradictions.values():
        node = network.nodes.get(found.vote.node)
        if found.status is ObjectionStatus.OPEN and node is not None:
            because = f"its vote on attempt {found.vote.attempt} of a task is contradicted"
            until = network.last_second(found.asked_at, DECISION_TERM)
            yield Hold(node.id, "withdrawals", node.staked, found.share, found.challenger, because, found.id, until)


def _bonds(network: Network) -> Iterator[Hold]:
    """Behind what a node objects to or contradicts itself."""
    for item in heard(network):
        if item.status is ObjectionStatus.OPEN and item.node:
            because = "it contradicts a vote" if isinstance(item, Contradiction) else "it objects"
            until = network.last_second(item.asked_at, DECISION_TERM)
            yield Hold(item.node, "bond", item.bond, item.bond, item.challenger, because, item.id, until)


def _disputed(network: Network) -> Iterator[Hold]:
    """Behind what a node demands."""
    for dispute in (*network.disputes.values(), *network.root_disputes.values()):
        if dispute.status is DisputeStatus.OPEN and dispute.node:
            because = "it demands votes or data"
            who, bond, until = dispute.challenger, dispute.bond, network.last_second(0, dispute.until)
            yield Hold(dispute.node, "bond", bond, bond, who, because, dispute.id, until)


def _cases(network: Network) -> Iterator[Hold]:
    """Of a worker whose result was rejected; its last second is that of the state the case is in."""
    for case in network.cases.values():
        ends = {
            CaseStatus.FROZEN: (case.opened_at, REDO_TERM),
            CaseStatus.SLASHABLE: (case.charged_at, network.parameters["appeal_window"]),
            CaseStatus.APPEALED: (case.asked_at, DECISION_TERM),
        }
        if case.status in ends:
            until = network.last_second(*ends[case.status])
            because = f"its result of attempt {case.attempt} of a task was rejected"
            yield Hold(case.node, "stake", case.amount, case.amount, None, because, case.id, until)
