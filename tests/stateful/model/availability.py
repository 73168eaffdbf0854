# SPDX-License-Identifier: Apache-2.0
"""Disputes about the data behind anchors, rosters and books, as far as they move money or let a root fall."""

from dataclasses import dataclass, field

from tests.stateful.model.basics import NANO, need, up
from tests.stateful.model.bonds import Bond, Bonds
from tests.stateful.model.courts import ANSWERED, DROPPED, OPEN, UPHELD
from tests.stateful.model.roots import ANCHOR, Name, Roots

CHUNKS = 2**26


@dataclass
class RootDispute:
    """A question about 64 leaves of a root. ``until``: protocol time."""

    name: Name
    chunk: int
    bond: Bond
    until: int
    status: int = OPEN


@dataclass
class Availability:
    """By the dispute's id."""

    bonds: Bonds
    roots: Roots
    disputes: dict[bytes, RootDispute] = field(default_factory=dict)

    def challenge(self, who: str, id: bytes, name: Name, chunk: int, node: int, sealed_at: int = 0) -> None:
        """Asks, with a bond, in the root's window; of an anchor, counted from its seal in block time."""
        ground = self.bonds.ground
        need(chunk < CHUNKS and id not in self.disputes, "no such chunk, or asked before")
        if name.kind == ANCHOR:
            need(ground.clock.now < sealed_at + ground.parameters["batch_window"], "window over")
        self.roots.check_open(name)
        bond = self.bonds.take(who, "availability", node, up(ground.dispute_bond, NANO) * NANO)
        self.roots.hold(name)
        self.disputes[id] = RootDispute(name, chunk, bond, ground.clock.protocol + ground.parameters["answer_window"])

    def answer(self, id: bytes) -> None:
        """Shown in time: the bond is lost."""
        dispute = self._open(id)
        need(self.bonds.ground.clock.protocol <= dispute.until, "too late to answer")
        proposer = self.roots.proposer(dispute.name)
        need(proposer, "no such root waits")
        dispute.status = ANSWERED
        self.roots.release(dispute.name)
        self.bonds.forfeit(dispute.bond, self.bonds.stakes.nodes[proposer].owner)

    def expire(self, id: bytes) -> None:
        """Not shown: the root falls, who put it up is punished; fallen otherwise: the bond goes back at once."""
        dispute = self._open(id)
        proposer = self.roots.proposer(dispute.name)
        if not proposer:
            dispute.status = DROPPED
            self.bonds.give_back(dispute.bond)
            return
        need(self.bonds.ground.clock.protocol > dispute.until, "answer window open")
        dispute.status = UPHELD
        self.bonds.give_back(dispute.bond)
        self.roots.cancel(dispute.name)
        self.bonds.punish(proposer, dispute.bond.challenger)

    def _open(self, id: bytes) -> RootDispute:
        dispute = self.disputes.get(id)
        need(dispute and dispute.status == OPEN, "not open")
        assert dispute
        return dispute
