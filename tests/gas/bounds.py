# SPDX-License-Identifier: Apache-2.0
"""What each transaction was designed to cost at most, and what it is known to cost beyond that, and why."""

from dataclasses import dataclass

from tests.gas.sale import FOUR_MORE, FURTHER
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
RECEIPT = "an answer shows the client's order and the worker's receipt in its anchor"
EPOCH = "the epoch is kept with the batch, so that a client can leave without a root"
VOTES = "sums in the proof, status and owner from NodeRegistry, two delegates of a token with votes"

# Planned and of no call that is measured (docs/decisions/026-left-out.md): 10,000 for an order of fifty with its signature
# checked on chain.
BOUNDS = [
    Bound("anchor and seal", 1, 60_000),
    Bound("propose", 1, 75_000, 6_300, f"{PERMANENT}; {PAUSE}; a ring of commitments; no work among leases"),
    Bound("propose 1000 root only", TASKS, 85),
    Bound("propose 1000 with records", TASKS, 540),
    Bound("orders of fifty", ORDERS, 6_000),
    Bound("finalize", 1, 45_000, 11_900, f"{PAUSE}; charges counted by coin, epoch and manager; {EPOCH}"),
    Bound("accounts", 1, 110_000),
    Bound("claim", 1, 65_000, 15_900, VOTES),
    Bound("claim, votes delegated", 1, 90_000, 23_100, f"{VOTES}, and a checkpoint of one of them"),
    Bound(
        "claim with delegators", 1, 90_000, 28_000, f"{VOTES}; both parts asked of Staking, a second transfer, credit"
    ),
    Bound("claim_many of fifty", MANY, 32_000, 9_100, f"{VOTES}: keepers use claim_chunk"),
    Bound(
        "claim_many of fifty, votes delegated", MANY, 58_000, 15_700, f"{VOTES}, and a checkpoint of one of them each"
    ),
    Bound("claim_chunk of 64", 64, 32_000),
    Bound(
        "dispute with its answer, bond in IFX", 1, 200_000, 278_500, f"{RECEIPT}; twelve members by proofs of 32 levels"
    ),
    Bound("dispute with its answer, bond in stake", 1, 200_000, 344_000, f"{RECEIPT}; a bond lost takes votes along"),
    Bound(
        "batch of one", 1, 250_000, 133_000, f"it shows what an answer shows; {PERMANENT}; order, acceptance, the clock"
    ),
    Bound("purchase of one", 1, 150_000),
    Bound("purchase for wrapped native", 1, 150_000),
    Bound(FOUR_MORE, FURTHER, 30_000),
    Bound("whitelisted purchase", 1, 150_000, 6_700, "a proof out of a thousand leaves: its calldata and hashes"),
    Bound(
        "purchase with a partner's code",
        1,
        150_000,
        9_800,
        "the partner's word, and a commission that is owed, in two counters",
    ),
    Bound(
        "purchase with a wallet's code",
        1,
        150_000,
        27_300,
        "a wallet's first commission is a new word; its licences are asked for",
    ),
]
