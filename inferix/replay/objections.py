# SPDX-License-Identifier: Apache-2.0
"""Objections as the Objections contract reports them: what no contract can compute, and a panel of verifiers can."""

from collections.abc import Collection, Mapping
from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from inferix.models.event import ChainEvent
from inferix.models.roles import ObjectionKind, ObjectionStatus, RosterKind
from inferix.replay.handlers import Handlers
from inferix.replay.network import Network
from inferix.replay.stake import bar
from inferix.replay.state import Job, Objection

CHECKED = 3
"""So many of the outcomes that an objection names are checked again."""


def to_outcomes(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """Somebody says that outcomes of a batch are not what the rules give; the batch waits."""
    batch = network.batches[args["commitment"]]
    network.objections[args["id"]] = Objection(
        kind=ObjectionKind.OUTCOMES,
        subject=args["commitment"],
        of=0,
        index=0,
        places=tuple(args["places"]),
        manager=batch.manager,
        is_managers=args["is_managers"],
        **_opening(event, args),
    )


def to_leaf(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """Somebody says that a leaf of a roster or of accounts is not what the chain gives; the root waits."""
    network.objections[args["id"]] = Objection(
        kind=ObjectionKind(args["kind"]),
        subject=args["root"],
        of=args["of"],
        index=args["index"],
        places=(args["place"],),
        manager=_poster(network, args),
        **_opening(event, args),
    )


def _opening(event: ChainEvent, args: Mapping[str, Any]) -> dict[str, Any]:
    names = ("id", "challenger", "reason", "node", "bond")
    opened = {"asked_at": event.timestamp, "asked_block": args["block"]}
    return {name: args[name] for name in names} | opened


def _poster(network: Network, args: Mapping[str, Any]) -> int:
    if args["kind"] == ObjectionKind.ROSTER:
        roster = network.posted_rosters.get((RosterKind(args["of"]), args["index"]))
        return roster.manager if roster is not None else 0
    roots = (root.manager for root in network.accounts_roots if root.index == args["index"])
    return next(roots, 0)


def closed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """The panel, the governor or time decided, or what it is about fell otherwise.

    Who put a false root up, or wrote of outcomes what no vote says, was slashed just before, in the same transaction:
    none of that is the panel's. A manager that followed the votes is not, nor one whose lane another proposed beside.
    """
    objection = network.objections[args["id"]]
    objection.status, objection.ended_at = ObjectionStatus(args["status"]), event.timestamp
    is_punished = objection.status is ObjectionStatus.UPHELD
    if objection.kind is ObjectionKind.OUTCOMES:
        is_punished = is_punished and objection.is_managers and not network.batches[objection.subject].is_alone
    if is_punished:
        bar(network, event, objection.manager, objection.seats)


def checked_again(places: Collection[int], seed: bytes) -> list[int]:
    """Which of the named outcomes a panel checks again: all, or three that its seed draws."""

    def drawn(place: int) -> bytes:
        return keccak(abi_encode(["bytes32", "uint256"], [seed, place]))

    return sorted(sorted(places, key=drawn)[:CHECKED])


def job_of(network: Network, objection: Objection) -> Job | None:
    """The job of the first outcome that an objection names; the others' have to be the same."""
    batch = network.batches.get(objection.subject)
    at = objection.places[0] if objection.places else 0
    state = network.tasks.get(batch.leaves[at].task) if batch is not None and at < len(batch.leaves) else None
    return network.jobs[state.task.job] if state is not None else None


def naming(network: Network, commitment: bytes, place: int) -> list[Objection]:
    """Which objections name a leaf of a batch, the newest last, whatever became of them."""
    return [item for item in network.objections.values() if item.subject == commitment and place in item.places]


def _referred(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.objections[args["id"]].is_referred = True


EVENTS: Handlers = {
    "OutcomesObjected": to_outcomes,
    "LeafObjected": to_leaf,
    "ObjectionReferred": _referred,
    "ObjectionClosed": closed,
}
