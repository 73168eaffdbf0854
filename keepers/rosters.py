# SPDX-License-Identifier: Apache-2.0
"""Rosters: posts the list of who can be drawn when it has changed, makes it final when its window is over."""

import logging
from dataclasses import dataclass

from inferix.draws import Roster
from inferix.models.anchor import RosterData, RosterLeaf
from inferix.models.roles import RosterKind
from inferix.replay import Network
from inferix.replay.accounting import roster_leaves
from inferix.replay.state import FinalRoster
from inferix.storage.documents import put_chunked
from keepers.chunks import waiting_roster
from keepers.desk import MONEY, WORK, Desk

log = logging.getLogger(__name__)


def decide_roster(network: Network, kind: RosterKind) -> list[RosterLeaf] | None:
    """The leaves to post, when they differ from the newest final roster and none waits."""
    if waiting_roster(network, kind) is not None:
        return None
    leaves = roster_leaves(network, kind)
    final = network.rosters[kind][-1] if network.rosters[kind] else None
    known = list(final.roster.leaves.values()) if final and final.roster else []
    return leaves if leaves and leaves != known else None


def decide_final(network: Network, kind: RosterKind) -> FinalRoster | None:
    """The waiting roster whose window is over."""
    waiting = waiting_roster(network, kind)
    over = waiting is not None and network.passed(waiting.posted_at) >= network.parameters["roster_window"]
    return waiting if over else None


@dataclass
class RosterKeeper:
    """Both kinds, each on its own."""

    desk: Desk

    def cycle(self) -> None:
        """Posts and finalizes what is due."""
        for kind in RosterKind:
            with self.desk.follower.reading() as network:
                due = decide_final(network, kind)
                leaves = decide_roster(network, kind)
                posted = max((index for of, index in network.posted_rosters if of == kind), default=0)
            if due is not None:
                self.desk.try_send(MONEY, f"roster-final:{kind}:{due.index}", "Rosters", "finalize", int(kind))
            if leaves is not None:
                self._post(kind, leaves, posted + 1)

    def _post(self, kind: RosterKind, leaves: list[RosterLeaf], index: int) -> None:
        key = f"roster:{int(kind)}:{index}"
        if self.desk.sender.done(key):
            return
        roster, digest = Roster(leaves), put_chunked(self.desk.store, RosterData(kind=int(kind), leaves=leaves))
        root, count = roster.tree.root.hash, max(roster.leaves) + 1
        if self.desk.try_send(WORK, key, "Rosters", "post", int(kind), root, roster.total, count, digest):
            log.info("posted roster %d of %s: %d nodes", index, kind.name.lower(), len(leaves))
