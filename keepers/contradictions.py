# SPDX-License-Identifier: Apache-2.0
"""Votes whose tiles, rendered again, say otherwise: names those that accepted a canary, turns all cranks.

A missed canary slashes nobody by itself: it says where to look, with a bond, and a panel does. That may find that the
tiles of that vote were fine; then the bond is lost.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from inferix.chain.deployment import Contracts
from inferix.contradict import final_leaf
from inferix.messages import Vote
from inferix.models.objection import VoteClaim
from inferix.models.roles import ObjectionStatus
from inferix.replay import Network
from inferix.storage.documents import put_document
from keepers.courts import panel_steps, sittings
from keepers.desk import MONEY, WORK, Desk, Step
from keepers.objections import bonds_left

log = logging.getLogger(__name__)

MISSED = "this result was ordered to be bad, and the vote accepts it"

SignedVote = tuple[Vote, bytes]


@dataclass(frozen=True)
class Doubt:
    """A vote to contradict, and the final leaf of its attempt as the contract takes it."""

    vote: Vote
    signature: bytes
    final: Mapping[str, object]


def missed_canaries(network: Network) -> Iterable[SignedVote]:
    """Votes that accepted what was ordered to be bad."""
    attempts = (attempt for state in network.tasks.values() for attempt in state.attempts)
    return [pair for attempt in attempts for _, pair in sorted(attempt.missed.items())]


def decide_contradictions(network: Network, votes: Iterable[SignedVote]) -> list[Doubt]:
    """Those of these votes that may be contradicted now and that nobody has: their leaf is final, their verifier has
    something to lose."""
    found: list[Doubt] = []
    for vote, signature in votes:
        verifier, final = network.nodes.get(vote.node), final_leaf(network, vote)
        is_new = vote.digest(network.domain) not in network.contradictions
        if is_new and final is not None and verifier is not None and verifier.staked:
            found.append(Doubt(vote, signature, final))
    return found


@dataclass
class Contradictions:
    """``stake``: whether bonds may be put up at all; ``votes``: which missed a canary."""

    desk: Desk
    contracts: Contracts
    stake: bool
    votes: Callable[[Network], Iterable[SignedVote]] = missed_canaries

    def cycle(self) -> None:
        """Turns what is due, then contradicts."""
        with self.desk.follower.reading() as network:
            heard = [item.id for item in network.contradictions.values() if item.status is ObjectionStatus.OPEN]
        panels = sittings(self.contracts, "Contradictions", "contradiction", heard)
        with self.desk.follower.reading() as network:
            steps: list[Step] = []
            for id, sitting in panels.items():
                item = network.contradictions.get(id)
                if item is not None and item.status is ObjectionStatus.OPEN:
                    steps += panel_steps(network, self.desk.database, item, sitting)
            domain, left = network.domain, bonds_left(network, self.desk.manager) if self.stake else 0
            found = decide_contradictions(network, self.votes(network))[:left]
        turns = [partial(self._turn, step) for step in steps]
        contradicting = [partial(self._contradict, item, item.vote.digest(domain)) for item in found]
        self.desk.try_each([*turns, *contradicting])

    def _turn(self, step: Step) -> bool:
        key, function, arguments = step
        return self.desk.try_send(MONEY, key, "Contradictions", function, *arguments)

    def _contradict(self, item: Doubt, digest: bytes) -> None:
        key = f"contradict:{digest.hex()}"
        if self.desk.sender.done(key):
            return
        reason = put_document(self.desk.store, VoteClaim(vote=digest, says=MISSED))
        values = tuple(getattr(item.vote, name) for name in Vote.model_fields)
        arguments = (values, item.signature, item.final, self.desk.manager, reason)
        # Only the manager's operator may put up its stake.
        if self.desk.try_send(WORK, key, "Contradictions", "contradict", *arguments):
            log.warning(
                "contradict: node %d accepted a canary, task %s/%d, with a bond",
                item.vote.node, item.vote.task.hex()[:8], item.vote.attempt, extra={"key": key},
            )  # fmt: skip
