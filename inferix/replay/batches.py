# SPDX-License-Identifier: Apache-2.0
"""Batches as they are proposed: what storage gives for one, and whether that is what its header says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inferix.errors import InferixError
from inferix.models.anchor import BatchData, BatchLeaf
from inferix.models.event import ChainEvent, NamedBy
from inferix.models.roles import BatchStatus, Outcome
from inferix.replay import jobs
from inferix.replay.availability import NOT_SERVED
from inferix.replay.handlers import Handlers
from inferix.replay.network import Network
from inferix.replay.settlement import CHUNK
from inferix.replay.state import Batch
from inferix.trees import Tree, batch_leaf, lanes

OTHER_ROOT = "its root is not that of its leaves"


@dataclass(frozen=True)
class Given:
    """What storage gives for a batch. ``problem``: what is wrong with it; ``broken``: the first chunk not to be had."""

    leaves: list[BatchLeaf]
    problem: str = ""
    broken: int | None = None


def given(network: Network, batch: Batch) -> Given:
    """The leaves of a batch, checked against its header: those in its documents or, where these are not what they
    should be, those that answers on chain have shown, all of them."""
    found = _served(network, batch)
    shown = network.later.leaves(batch.commitment, int(batch.header["count"])) if found.problem else None
    return found if shown is None else Given(shown, _problem(batch, shown))


def _served(network: Network, batch: Batch) -> Given:
    leaves: list[BatchLeaf] = []
    digests, by, count = [batch.data], NamedBy(batch.manager), int(batch.header["count"])
    for chunk, digest in enumerate(digests):
        body = network.document(digest, by)
        if body is None:
            for other in digests[chunk + 1 :]:
                network.document(other, by)  # so that all that are missing are asked for at once
            return Given([], NOT_SERVED, chunk)
        try:
            data = BatchData.decode(body, digest)
        except InferixError as error:
            return Given([], str(error), chunk)
        leaves += data.leaves
        if len(leaves) > count:  # what is beyond it has no place in the tree
            return Given([], _count(leaves), count // CHUNK)
        if chunk == 0:
            digests += data.chunks
    return Given(leaves, _problem(batch, leaves))


def _problem(batch: Batch, leaves: list[BatchLeaf]) -> str:
    try:
        root = Tree([batch_leaf(leaf) for leaf in leaves]).root
    except InferixError as error:
        return str(error)
    if root.hash != batch.root:
        return OTHER_ROOT
    if len(leaves) != batch.header["count"]:
        return _count(leaves)
    if root.sum != lanes(batch.charge, batch.work):
        return "its totals are not those of its leaves"
    return ""


def _count(leaves: list[BatchLeaf]) -> str:
    return f"it has {len(leaves)} leaves, not as many as it says"


def proposed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """A new batch at the end of its lane; one with a problem has no leaves here."""
    header = dict(args["header"])
    batch = Batch(
        commitment=args["commitment"],
        manager=header["manager"],
        sequence=header["sequence"],
        coin=header["coin"],
        charge=header["charge"],
        work=header["work"],
        root=header["root"],
        data=header["data"],
        header=header,
        proposed_at=event.timestamp,
        transaction=event.transaction,
    )
    network.batches[batch.commitment] = batch
    if batch.is_alone:
        network.lane(batch.manager).alone.append(batch.commitment)
        return  # its leaf follows in a log of its own
    found = given(network, batch)
    batch.problem = found.problem
    batch.leaves = [] if found.problem else found.leaves
    network.lane(batch.manager).batches.append(batch.commitment)
    jobs.batched(network, batch)


def shown(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """Leaves of a batch that nobody serves: once all are known, the state that was made without them is no more."""
    network.later.take(event)
    batch = network.batches.get(args["commitment"])
    if batch is not None and batch.problem and network.later.leaves(batch.commitment, int(batch.header["count"])):
        network.is_stale = network.is_stale or not given(network, batch).problem


def escaped(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """The leaf of a batch that stands alone, and who proposed it."""
    batch = network.batches[args["commitment"]]
    batch.leaves = [BatchLeaf(**args["leaf"] | {"outcome": Outcome(args["leaf"]["outcome"])})]
    batch.proposer, batch.bond = args["proposer"], args["bond"]
    jobs.batched(network, batch)


def escape_closed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """Its bond went back, or was lost."""
    network.batches[args["commitment"]].bond = 0


def finalized(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """Its charges and work count, in this epoch."""
    batch = network.batches[args["commitment"]]
    batch.status, batch.epoch, batch.final_at = BatchStatus.FINAL, args["epoch"], event.timestamp
    if batch.is_alone:
        jobs.batched(network, batch)


def cancelled(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """It fell: its attempts are to be proposed again."""
    batch = network.batches[args["commitment"]]
    batch.status, batch.cancelled_at = BatchStatus.CANCELLED, event.timestamp
    lane = network.lane(batch.manager)
    (lane.alone if batch.is_alone else lane.batches).remove(batch.commitment)
    jobs.unbatched(network, batch)


def voided(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """A panel found a leaf false: nobody is charged or paid for it.

    Where it is the one that the attempt's votes gave, they were false: it is not proposed again if its batch falls.
    Where it is not, the one that they gave may be proposed.
    """
    batch = network.batches[args["commitment"]]
    batch.voided.add(args["index"])
    if args["index"] < len(batch.leaves):
        jobs.voided(network, batch, args["index"], event.timestamp)


EVENTS: Handlers = {
    "Proposed": proposed,
    "Escaped": escaped,
    "EscapeClosed": escape_closed,
    "BatchFinalized": finalized,
    "BatchCancelled": cancelled,
    "LeafVoided": voided,
    "LeavesShown": shown,
}
