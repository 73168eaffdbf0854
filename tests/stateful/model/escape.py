# SPDX-License-Identifier: Apache-2.0
"""Batches of one leaf for the work of a silent manager: who may propose them when, and the bonds that they stand on."""

from dataclasses import dataclass, field

from inferix.models.anchor import BatchLeaf
from inferix.models.roles import Outcome
from tests.stateful.model.basics import BPS, DAY, NANO, WEI, Ground, need, up
from tests.stateful.model.stake import Stakes
from tests.stateful.model.work import CANCELLED, FINAL, PROPOSED, Batch, Work

PATIENCE = DAY  # that a manager has, from the seal of the receipt's anchor on, on the protocol's clock
LAST = 72 * 3_600  # after an order's deadline, on the protocol's clock


@dataclass
class Papers:
    """What a proposal shows. ``is_right``: whether signatures, votes, order and coin say what the leaf says."""

    leaf: BatchLeaf
    sealed_at: int
    deadline: int
    is_right: bool


@dataclass
class Bond:
    """Wei, and whose."""

    proposer: str
    amount: int


@dataclass
class Escapes:
    """The bonds that are held, by commitment."""

    ground: Ground
    stakes: Stakes
    work: Work
    bonds: dict[bytes, Bond] = field(default_factory=dict)

    @property
    def _address(self) -> str:
        return self.ground.own["escape"]

    def bond(self, charge: int) -> int:
        """Twice charge and mint, and a dispute's bond; wei, whole gwei."""
        parameters = self.ground.parameters
        cost = charge * (BPS + parameters["mint_multiple_bps"]) // BPS
        wei = up((2 * cost + parameters["dispute_bond"]) * WEI, self.ground.price)
        return up(wei, NANO) * NANO

    def propose(self, who: str, batch: Batch, papers: Papers) -> None:
        """The worker's, of a rejection anybody's; paused or not, of whatever status the worker is."""
        leaf, now = papers.leaf, self.ground.clock.now
        need(self.ground.clock.running(papers.sealed_at, now) >= PATIENCE, "its manager may still propose it")
        need(self.ground.clock.running(papers.deadline, now) < LAST, "its reserve is free")
        node = self.stakes.nodes[leaf.node]
        need(leaf.outcome is Outcome.REJECTED or who in (node.owner, node.operator), "not the worker")
        need(papers.is_right, "not as signed, voted or ordered")
        need(batch.commitment not in self.work.batches, "proposed before")
        amount = self.bond(leaf.charge)
        self.ground.ifx.move(who, self._address, amount)
        self.bonds[batch.commitment] = Bond(who, amount)
        self.work.batches[batch.commitment] = batch

    def close(self, batch: Batch, winner: str) -> None:
        """A batch that fell: half burned, half to who showed the lie; to nobody where it only gave way."""
        bond = self.bonds.pop(batch.commitment)
        kept = bond.amount if not winner else bond.amount // 2
        self.ground.ifx.burn(self._address, bond.amount - kept)
        self.ground.ifx.move(self._address, winner or bond.proposer, kept)

    def release(self, batch: Batch) -> None:
        """Back to its proposer once the batch is final; burned where its leaf is void."""
        need(batch.commitment in self.bonds and batch.status in (FINAL, CANCELLED), "no bond, or not final")
        bond = self.bonds.pop(batch.commitment)
        if batch.status == FINAL and not batch.voids:
            self.ground.ifx.move(self._address, bond.proposer, bond.amount)
        else:
            self.ground.ifx.burn(self._address, bond.amount)

    def falls(self, alone: Batch, beside: Batch) -> tuple[Batch, bool]:
        """Of two batches with the same leaf, the first of which stands alone: which falls, and whether that is a lie."""
        if beside.is_alone:
            return (alone if alone.proposed_at > beside.proposed_at else beside), True
        if alone.status == PROPOSED:
            return alone, alone.proposed_at > beside.proposed_at
        window = self.ground.parameters["batch_window"]
        return beside, beside.proposed_at >= alone.proposed_at + window
