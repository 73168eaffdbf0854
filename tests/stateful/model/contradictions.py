# SPDX-License-Identifier: Apache-2.0
"""Contradicted votes, as far as they move money, hold stake or jail verifiers."""

from dataclasses import dataclass, field

from inferix.messages import Vote, unpack_voters
from inferix.models.anchor import BatchLeaf
from inferix.models.roles import Outcome
from tests.stateful.model.basics import need
from tests.stateful.model.bonds import Bond, Bonds
from tests.stateful.model.panel import OPEN, REJECTED, UNDECIDED, UPHELD, Panel, Panels
from tests.stateful.model.stake import JAILED, VERIFIER
from tests.stateful.model.work import FINAL, Batch, Work


@dataclass
class Contradiction:
    """``share``: of the verifier's stake, what it loses if upheld [wei]; ``voters``: of the leaf."""

    vote: Vote
    share: int
    bond: Bond
    panel: Panel
    voters: list[int]
    status: int = OPEN


@dataclass
class Contradictions:
    """By the digest of the vote."""

    bonds: Bonds
    panels: Panels
    work: Work
    items: dict[bytes, Contradiction] = field(default_factory=dict)

    def contradict(self, who: str, id: bytes, vote: Vote, final: tuple[Batch, BatchLeaf], node: int) -> Contradiction:
        """Once a vote about pixels, of a verifier that has stake left, about a leaf of a final batch."""
        need(id not in self.items, "contradicted before")
        need(vote.outcome in (Outcome.ACCEPTED, Outcome.REJECTED), "neither accepted nor rejected")
        verifier, (batch, leaf) = self.bonds.stakes.nodes[vote.node], final
        need(verifier.role == VERIFIER, "not a verifier")
        need(batch.status == FINAL, "not final")
        need((leaf.task, leaf.attempt) == (vote.task, vote.attempt), "not the leaf of the vote's attempt")
        need(verifier.total, "no stake left")
        bond = self.bonds.take(who, "contradictions", node, self.bonds.ground.dispute_bond)
        client = self.work.credit.accounts[leaf.account].owner
        parties = {client, self.bonds.stakes.nodes[leaf.node].owner, verifier.owner, bond.challenger}
        voters = unpack_voters(leaf.voters)
        panel = self.panels.summon(parties, voters)
        self.items[id] = Contradiction(vote, self.bonds.share(verifier), bond, panel, voters)
        verifier.holds += 1
        return self.items[id]

    def resolve(self, item: Contradiction) -> None:
        """By the panel; where there is none, the governor; where he is silent, nothing but half of the bond."""
        need(item.status == OPEN, "not open")
        if item.panel.is_referred:
            self.panels.check_silent(item.panel)
            self._close(item, UNDECIDED)
            self.bonds.forfeit(item.bond, item.bond.challenger)
            return
        verdict = self.panels.verdict(item.panel)
        if verdict is None:
            item.panel.is_referred = True
        else:
            self._judge(item, verdict)

    def decide(self, item: Contradiction, upheld: bool, is_governor: bool) -> None:
        """The governor's word on what was referred."""
        need(item.status == OPEN, "not open")
        self.panels.check_governor(item.panel, is_governor)
        self._judge(item, upheld)

    def vote(self, item: Contradiction, node: int, upheld: bool) -> None:
        """A seat's."""
        need(item.status == OPEN, "not open")
        self.panels.vote(item.panel, node, upheld)

    def _judge(self, item: Contradiction, upheld: bool) -> None:
        verifier = self.bonds.stakes.nodes[item.vote.node]
        if not upheld:
            self._close(item, REJECTED)
            self.bonds.forfeit(item.bond, verifier.owner)
            return
        self.bonds.give_back(item.bond)
        if self.bonds.slash(verifier, item.share, item.bond.challenger):
            # Not for those who voted on the same attempt: they judged it too.
            self.bonds.stakes.fines[-1].seats = [*item.panel.seats, *item.voters]
        self.bonds.stakes.judge(verifier, JAILED)
        self._close(item, UPHELD)

    def _close(self, item: Contradiction, status: int) -> None:
        item.status = status
        self.bonds.stakes.nodes[item.vote.node].holds -= 1
