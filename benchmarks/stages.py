# SPDX-License-Identifier: Apache-2.0
"""Seconds per stage of a job, from its client's log and the block times in its view."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from benchmarks.stamps import Stamp, first
from inferix.errors import Corrupt

RENDERED: Final = "it is rendered, its receipt anchored"
BLENDER: Final = "  of which Blender renders"
ASSEMBLED: Final = "it is assembled, its receipt anchored"
ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class Stage:
    """``seconds``: one figure, or one a frame. ``clock``: client (its log), block (whole seconds), node (a result)."""

    name: str
    clock: str
    seconds: list[float]

    @property
    def spread(self) -> tuple[float, float, float]:
        """Least, median, most."""
        return min(self.seconds), float(median(self.seconds)), max(self.seconds)


def accepted(task: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attempt that was accepted. Raises Corrupt without one."""
    found = next((attempt for attempt in task["attempts"] if attempt["outcome"] == "accepted"), None)
    if found is None:
        raise Corrupt(f"task {task['index']} of a complete job has no accepted attempt")
    return dict(found)


def stages(
    started: float, lines: list[Stamp], view: Mapping[str, Any], results: Sequence[Mapping[str, Any]], lag: float
) -> list[Stage]:
    """Every stage in order.

    :param started: when the client's program was, seconds since the epoch.
    :param results: the accepted results with their documents.
    :param lag: seconds by which a block's time is behind the clock when the block is there.
    """
    frames = [accepted(task) for task in view["tasks"] if task["kind"] == "render"]
    film = next(accepted(task) for task in view["tasks"] if task["kind"] == "assemble")
    check, upload, quote, home = (first(lines, start) for start in ("check", "upload", "quote", "fetch"))
    posted, last = view["posted_at"], max(frame["ended_at"] for frame in frames)
    spent = [frame["milliseconds"] / 1000 for result in results for frame in result["document"]["frames"]]
    return [
        Stage("check the scene", "client", [check - started]),
        Stage("seal and upload it", "client", [upload - check]),
        Stage("quote", "client", [quote - upload]),
        Stage("order on chain", "client, block", [posted + lag - quote]),
        Stage("a frame is drawn and accepted", "block", [float(frame["accepted_at"] - posted) for frame in frames]),
        Stage(RENDERED, "block", _steps(frames, "accepted_at", "received_at")),
        Stage(BLENDER, "node", spent),
        Stage("its committee and votes", "block", _steps(frames, "received_at", "ended_at")),
        Stage("the film is drawn and accepted", "block", [float(film["accepted_at"] - last)]),
        Stage(ASSEMBLED, "block", _steps([film], "accepted_at", "received_at")),
        Stage("its committee and vote", "block", _steps([film], "received_at", "ended_at")),
        Stage("it is fetched", "block, client", [home - film["ended_at"] - lag]),
        Stage(ALL, "client", [home - started]),
    ]


def _steps(attempts: Sequence[Mapping[str, Any]], start: str, end: str) -> list[float]:
    return [float(attempt[end] - attempt[start]) for attempt in attempts]
