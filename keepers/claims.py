# SPDX-License-Identifier: Apache-2.0
"""Clients' claims to their balance while no accounts root comes: shows what one leaves out, and settles the others.

The bond's half is small beside what a false claim takes out of a pool that is everybody's.
"""

import logging
from dataclasses import dataclass

from inferix.replay import Network
from inferix.replay.answers import inclusion
from inferix.replay.balances import charges, entry, is_before
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
    """First what takes its bond: a charge of before it."""
    listed = set(claim.counted)
    found = [
        (not is_before(network, batch, claim.claimed_at), batch, index)
        for batch, index in charges(network, claim.account, claim.since, claim.claimed_at)
        if entry(batch.leaves[index]) not in listed
    ]
    for is_after, batch, index in sorted(found, key=lambda item: item[0])[:1]:
        if claim.left or not is_after:
            arguments = (claim.account, claim.counted, inclusion(batch, index))
            return [(f"{key}:prove:{'after' if is_after else 'before'}", "prove_charge", arguments)]
    return []


@dataclass
class ClaimKeeper:
    """Sends what is decided."""

    desk: Desk

    def cycle(self) -> None:
        """Each step by itself: one that is refused holds up no other."""
        with self.desk.follower.reading() as network:
            steps = decide_claims(network)
        for key, function, arguments in steps:
            if self.desk.try_send(MONEY, key, "BalanceClaims", function, *arguments):
                log.info("%s: %s", key, function, extra={"key": key})
