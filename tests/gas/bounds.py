# SPDX-License-Identifier: Apache-2.0
"""What each transaction was designed to cost at most, and what it is known to cost beyond that, and why."""

from dataclasses import dataclass

from tests.gas.scenario import MANY, ORDERS, TASKS


@dataclass(frozen=True)
class Bound:
    """Gas a unit; `over` is what a rule costs beyond it, and why."""

    figure: str
    units: int
    limit: int
    over: int = 0
    why: str = ""


PERMANENT = "a word a batch for ever: an old task that is repeated must be provable"
PAUSE = "the pause stops clocks, kept in Parameters"
EPOCH = "the epoch is kept with the batch, so that a client can leave without a root"
VOTES = "sums in the proof, status and owner from NodeRegistry, two delegates of a token with votes"

BOUNDS = [
    Bound("anchor and seal", 1, 60_000),
    Bound("propose", 1, 75_000, 6_300, f"{PERMANENT}; {PAUSE}; a ring of commitments; no work among leases"),
    Bound("propose 1000 root only", TASKS, 85),
    Bound("propose 1000 with records", TASKS, 540),
    Bound("orders of fifty", ORDERS, 6_000),
    Bound("finalize", 1, 45_000, 11_900, f"{PAUSE}; charges counted by coin, epoch and manager; {EPOCH}"),
    Bound("accounts", 1, 110_000, 900, f"{PAUSE}; the poster's bond is looked at"),
    Bound("claim", 1, 65_000, 15_900, VOTES),
    Bound(
        "claim with delegators", 1, 90_000, 28_000, f"{VOTES}; both parts asked of Staking, a second transfer, credit"
    ),
    Bound("claim_many of fifty", MANY, 32_000, 9_100, f"{VOTES}: keepers use claim_chunk"),
    Bound("claim_chunk of 64", 64, 32_000),
]
