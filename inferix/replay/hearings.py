# SPDX-License-Identifier: Apache-2.0
"""What a panel comes to, and until when it may: as the contracts count."""

from inferix.replay.contradictions import Heard
from inferix.replay.network import Network
from inferix.replay.state import Hearing

DECISION_TERM = 14 * 86_400
"""From the opening to the governor's last second [s], as in the contracts."""
REDO_TERM = 40 * 86_400
"""So long may a task whose result was rejected wait to be redone [s], as in Panels."""


def due_at(network: Network, item: Heard) -> int:
    """The last second of what an open objection or contradiction waits for: its panel, the votes of that, the governor.

    Block time, with all pauses that are known.
    """
    return network.last_second(item.asked_at, DECISION_TERM) if item.is_referred else panel_due_at(network, item)


def panel_due_at(network: Network, hearing: Hearing) -> int:
    """The last second of a panel's seats, and once it is complete of its votes; block time."""
    return network.last_second(hearing.complete_at or hearing.asked_at, network.parameters["panel_window"])


def majority(network: Network, hearing: Hearing, votes: dict[int, bool]) -> bool | None:
    """Whether these votes of a panel uphold, a tie does not; None where it comes to nothing: no panel, one that is too
    small, or not more than half of its seats voted."""
    seats = len(hearing.seats)
    if not hearing.complete_at or seats < network.parameters["panel_minimum"] or 2 * len(votes) <= seats:
        return None
    return 2 * sum(votes.values()) > len(votes)
