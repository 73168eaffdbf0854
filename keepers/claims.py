# SPDX-License-Identifier: Apache-2.0
"""Clients' claims to their balance while no accounts root comes: shows what one leaves out, and settles the others.

The bond's half is small beside what a false claim takes out of a pool that is everybody's.
"""

import logging
from dataclasses import dataclass
from functools import partial

from inferix.models.roles import BatchStatus
from inferix.replay import Network
from inferix.replay.answers import inclusion
from inferix.replay.balances import charges, entry, takes_bond
from inferix.replay.state import BalanceClaim
from keepers.desk import MONEY, Desk, Step

log = logging.getLogger(__name__)


def decide_claims(network: Network) -> list[Step]:
    """For each claim a charge that it leaves out, while it stands; its settlement afterwards."""
    steps: list[Step] = []
    for claim in network.balance_claims.values():
        key = f"claim:{claim.account}:{claim.claimed_at}"
        if network.passed(claim.claimed_at) >= claim.window:
            epoch = (network.time - network.genesis) // network.parameters["epoch_length"]
            steps.append((f"{key}:settle:{epoch}", "settle", (claim.account,)))
            continue
        steps += _left_out(network, claim, key)
    return steps


def _left_out(network: Network, claim: BalanceClaim, key: str) -> list[Step]:
    """First what takes its bond: a final charge of before it. Any other ends it once, and is shown again when final."""
    listed = set(claim.counted)
    found = [
        (takes_bond(network, batch, claim.claimed_at), batch, index)
        for batch, index in charges(network, claim.account, claim.since, claim.claimed_at)
        if entry(batch.leaves[index]) not in listed
    ]
    if not found:
        return []
    # Then what is final: of a batch on its way a proof fails where that falls first.
    is_lost, batch, index = max(found, key=lambda item: (item[0], item[1].status is BatchStatus.FINAL))
    if not (claim.left or is_lost):
        return []
    # Of each charge by itself: what somebody makes fail with one must not count against another.
    step = f"{key}:prove:{batch.commitment.hex()}:{index}:{'bond' if is_lost else 'left'}"
    return [(step, "prove_charge", (claim.account, claim.counted, inclusion(batch, index)))]


@dataclass
class ClaimKeeper:
    """Sends what is decided."""

    desk: Desk

    def cycle(self) -> None:
        """Each step by itself: one that is refused or given up holds up no other."""
        with self.desk.follower.reading() as network:
            steps = decide_claims(network)
        self.desk.try_each([partial(self._turn, step) for step in steps])

    def _turn(self, step: Step) -> None:
        key, function, arguments = step
        if self.desk.try_send(MONEY, key, "BalanceClaims", function, *arguments):
            log.info("%s: %s", key, function, extra={"key": key})
