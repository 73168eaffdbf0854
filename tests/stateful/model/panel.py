# SPDX-License-Identifier: Apache-2.0
"""A panel of verifiers that hears an objection or a contradiction, and what it comes to."""

from dataclasses import dataclass, field

from tests.stateful.model.basics import BPS, DAY, Ground, need
from tests.stateful.model.courts import SILENCE_BPS
from tests.stateful.model.stake import Stakes

DECISION_TERM = 14 * DAY
OPEN, UPHELD, REJECTED, UNDECIDED, DROPPED = 1, 2, 3, 4, 5


@dataclass
class Panel:
    """Times are the protocol's. ``parties``: owners none of whose nodes may sit; ``voters``: verifiers that may not."""

    summoned_at: int
    parties: set[str]
    voters: list[int]
    seats: list[int] = field(default_factory=list)
    seated_at: int = 0
    votes: dict[int, bool] = field(default_factory=dict)
    is_referred: bool = False


@dataclass
class Panels:
    """What all of them go by."""

    ground: Ground
    stakes: Stakes

    def summon(self, parties: set[str], voters: list[int]) -> Panel:
        """A new one, without seats."""
        return Panel(self.ground.clock.protocol, parties, voters)

    def is_over(self, panel: Panel, term: int) -> bool:
        """Whether this time has passed since it was summoned."""
        return self.ground.clock.protocol > panel.summoned_at + term

    def vote(self, panel: Panel, node: int, upheld: bool) -> None:
        """A seat's, once, in time."""
        need(panel.seated_at and not self._is_vote_over(panel), "not complete, or voting is over")
        need(node in panel.seats and node not in panel.votes, "no seat, or voted already")
        panel.votes[node] = upheld

    def verdict(self, panel: Panel) -> bool | None:
        """The majority of the votes, a tie rejects; None where it is the governor's now. The silent few pay."""
        if not panel.seated_at:
            need(self.is_over(panel, self.ground.parameters["panel_window"]), "may still be seated")
            return None
        if len(panel.seats) < self.ground.parameters["panel_minimum"]:
            return None
        need(len(panel.votes) == len(panel.seats) or self._is_vote_over(panel), "voting goes on")
        if 2 * len(panel.votes) <= len(panel.seats):
            return None
        for id in panel.seats:
            if id not in panel.votes:
                silent = self.stakes.nodes[id]
                self.stakes.slash(silent, self.stakes.required(silent) * SILENCE_BPS // BPS, 0, "")
        return 2 * sum(panel.votes.values()) > len(panel.votes)

    def check_governor(self, panel: Panel, is_governor: bool) -> None:
        """He decides what was referred to him, in time."""
        need(is_governor and panel.is_referred, "not the governor, or not referred")
        need(not self.is_over(panel, DECISION_TERM), "too late")

    def check_silent(self, panel: Panel) -> None:
        """He decides no more."""
        need(self.is_over(panel, DECISION_TERM), "the governor may still decide")

    def _is_vote_over(self, panel: Panel) -> bool:
        return self.ground.clock.protocol > panel.seated_at + self.ground.parameters["panel_window"]
