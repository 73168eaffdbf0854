# SPDX-License-Identifier: Apache-2.0
"""Clients' claims to what is left of their credit while no accounts root comes, as BalanceClaims reports them."""

from collections.abc import Mapping
from typing import Any

from inferix.models.anchor import BatchLeaf
from inferix.models.event import ChainEvent
from inferix.models.job import case_id
from inferix.models.roles import BatchStatus
from inferix.replay.handlers import Handlers
from inferix.replay.network import Network
from inferix.replay.state import BalanceClaim, Batch


def entry(leaf: BatchLeaf) -> bytes:
    """A charge as a claim lists it: 24 bytes of ``keccak256(abi.encode(task, attempt))``, then nano-USD."""
    return case_id(leaf.task, leaf.attempt)[:24] + leaf.charge.to_bytes(8, "big")


def claimed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """A claim stands until somebody shows a charge that it leaves out, or its window is over."""
    network.balance_claims[args["account"]] = BalanceClaim(
        account=args["account"],
        left=args["amount"],
        since=args["since"],
        counted=[bytes(item) for item in args["counted"]],
        claimed_at=event.timestamp,
        window=args["until"] - network.clock(event.timestamp),
        bond=args["bond"],
    )


def paid(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """What the coin's allowance let go; the bond went back with the first payment."""
    claim = network.balance_claims[args["account"]]
    claim.left, claim.bond = args["left"], 0
    if not claim.left:
        del network.balance_claims[claim.account]


def fell(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """By a final charge of before it with its bond; by any other nothing is left, and its bond waits."""
    if int(args["winner"], 16):
        del network.balance_claims[args["account"]]
    else:
        network.balance_claims[args["account"]].left = 0


def dropped(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """Its bond alone is back."""
    del network.balance_claims[args["account"]]


def charges(network: Network, account: int, since: int, claimed_at: int) -> list[tuple[Batch, int]]:
    """(batch, index) of each charge of an account that is final since an epoch, or was on its way at a time."""
    found = []
    for batch in network.batches.values():
        is_final = batch.status is BatchStatus.FINAL and batch.epoch >= since
        is_on_its_way = batch.status is BatchStatus.PROPOSED and is_before(network, batch, claimed_at)
        for index, leaf in enumerate(batch.leaves) if is_final or is_on_its_way else ():
            if leaf.account == account and leaf.charge and index not in batch.voided:
                found.append((batch, index))
    return found


def takes_bond(network: Network, batch: Batch, claimed_at: int) -> bool:
    """Whether a claim that leaves out a charge of this batch loses its bond too."""
    return batch.status is BatchStatus.FINAL and is_before(network, batch, claimed_at)


def is_before(network: Network, batch: Batch, claimed_at: int) -> bool:
    """Whether a batch was proposed no later than a claim: on the protocol's clock, for which a pause is one moment."""
    return network.clock(batch.proposed_at) <= network.clock(claimed_at)


EVENTS: Handlers = {
    "BalanceClaimed": claimed,
    "ClaimPaid": paid,
    "ClaimFell": fell,
    "ClaimDropped": dropped,
}
