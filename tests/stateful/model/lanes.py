# SPDX-License-Identifier: Apache-2.0
"""Managers that are silent, and whose jobs others take over. How many anchors a lane has is told, as all anchors are."""

from dataclasses import dataclass, field

from tests.stateful.model.basics import Ground, need
from tests.stateful.model.stake import MANAGER, Stakes


@dataclass
class Lanes:
    """``called``: when each was called out last, and its anchors then; ``taken``: by job and its order's manager, who
    took it over, and the anchors of both lanes then."""

    ground: Ground
    stakes: Stakes
    called: dict[int, tuple[int, int]] = field(default_factory=dict)
    taken: dict[tuple[bytes, int], tuple[int, int, int]] = field(default_factory=dict)

    def call_out(self, who: str, id: int, by: int, anchors: int) -> None:
        """Once, until it anchors: another call would begin the time anew."""
        self._check_manager(who, by)
        need(id not in self.called or self.called[id][1] != anchors, "called out before")
        self.called[id] = (self.ground.clock.now, anchors)

    def take_over(self, who: str, job: bytes, id: int, by: int, anchors: int, by_anchors: int) -> None:
        """Once a job, from a manager that has not anchored for the whole time since it was called out."""
        self._check_manager(who, by)
        need(id != by and (job, id) not in self.taken, "the same manager, or taken over before")
        need(id in self.called and self.called[id][1] == anchors, "not called out")
        need(self.ground.clock.now >= self.called[id][0] + self.ground.parameters["takeover_after"], "too early")
        self.taken[job, id] = (by, anchors, by_anchors)

    def has(self, manager: int, job: bytes, ordered_from: int, anchor: int) -> bool:
        """Whether an attempt of a job is a lane's, by the anchor with its receipt; 0: it has none, and may be of either."""
        if (job, ordered_from) not in self.taken:
            return manager == ordered_from
        heir, last, heirs = self.taken[job, ordered_from]
        if manager == ordered_from:
            return anchor <= last
        return manager == heir and (anchor == 0 or anchor > heirs)

    def _check_manager(self, who: str, by: int) -> None:
        node = self.stakes.nodes.get(by)
        need(node is not None and who == node.operator and node.role == MANAGER, "not a manager's operator")
        assert node
        need(self.stakes.is_bonded(node), "not active and bonded")
