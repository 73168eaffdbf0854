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
from inferix.storage.documents import put_document
from keepers.desk import Desk

log = logging.getLogger(__name__)


def waiting_roster(network: Network, kind: RosterKind) -> FinalRoster | None:
    """The posted roster that is not final yet."""
    posted = [roster for (of, _), roster in network.posted_rosters.items() if of == kind]
    newest = max(posted, key=lambda roster: roster.index, default=None)
    return newest if newest is not None and not newest.final_at else None


def decide_roster(network: Network, kind: RosterKind) -> list[RosterLeaf] | None:
    """The leaves to post, when they differ from the newest final roster and none waits."""
    if waiting_roster(network, kind) is not None:
        return None
    leaves = roster_leaves(network, kind)
    final = network.rosters[kind][-1] if network.rosters[kind] else None
    known = list(final.roster.leaves.values()) if final and final.roster else []
    return leaves if leaves and leaves != known else None


@dataclass
class RosterKeeper:
    """Both kinds, each on its own."""

    desk: Desk

    def cycle(self) -> None:
        """Posts and finalizes what is due."""
        for kind in RosterKind:
            with self.desk.follower.reading() as network:
                waiting = waiting_roster(network, kind)
                over = waiting is not None and network.time >= waiting.posted_at + network.parameters["roster_window"]
                leaves = decide_roster(network, kind)
                count = len(network.posted_rosters)
            if waiting is not None and over:
                key = f"roster-final:{kind}:{waiting.index}"
                self.desk.send("money", key, "Rosters", "finalize", int(kind))
            if leaves is not None:
                self._post(kind, leaves, count)

    def _post(self, kind: RosterKind, leaves: list[RosterLeaf], count: int) -> None:
        data = RosterData(kind=int(kind), leaves=leaves)
        roster, digest = Roster(leaves), put_document(self.desk.store, data)
        places = max(roster.leaves) + 1
        key = f"roster:{kind}:{count}:{digest.hex()}"
        self.desk.send("work", key, "Rosters", "post", int(kind), roster.tree.root.hash, roster.total, places, digest)
        log.info("posted the roster of %s: %d nodes", kind.name.lower(), len(leaves))
