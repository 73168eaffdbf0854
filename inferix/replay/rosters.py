# SPDX-License-Identifier: Apache-2.0
"""Rosters as they are posted: what storage gives for one, and which of its leaves are not what the registry gives.

Keepers decide by a block and their transaction is in a later one: a leaf is right that the registry gave at any moment
of the hour before. What it gave earlier is remembered when it changes, no longer than that.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from inferix.draws import Roster
from inferix.errors import InferixError
from inferix.models.anchor import RosterData, RosterLeaf
from inferix.models.event import ChainEvent, NamedBy
from inferix.models.roles import Role, RosterKind
from inferix.replay.accounting import roster_leaf, roster_leaves
from inferix.replay.handlers import Handlers
from inferix.replay.network import Network
from inferix.replay.settlement import CHUNK
from inferix.replay.state import FinalRoster

RECENT = 3_600  # seconds from the block that a keeper decides by to the one that its transaction is in
ROLES = {RosterKind.WORKERS: Role.WORKER, RosterKind.VERIFIERS: Role.VERIFIER}
OF_A_NODE = ("NodeRegistered", "PriceChanged", "BenchmarkAttested", "StatusChanged", "Qualified")
OF_ALL = ("ParameterSet", "EpochClosed")
CHANGES = frozenset((*OF_A_NODE, *OF_ALL))


def remember(network: Network, event: ChainEvent) -> None:
    """What the registry gives until this event."""
    former = network.former_leaves
    while former and former[0][0] < event.timestamp - RECENT:
        former.popleft()
    nodes = network.nodes if event.name in OF_ALL else (event.args["node"],)
    former.extend((event.timestamp, node, roster_leaf(network, node)) for node in nodes)


def posted(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """A roster that waits; without leaves where they are not to be had, or are not those of its root."""
    found = FinalRoster(
        args["index"], 0, args["root"], args["total"], args["data"], None, event.timestamp, args["manager"]
    )
    network.posted_rosters[args["kind"], args["index"]] = found
    kind = RosterKind(args["kind"])
    found.right = _right(network, kind, event.timestamp)
    try:
        data = RosterData.read(args["data"], partial(network.document, by=NamedBy(args["manager"])))
        if data is None:
            return
        leaves = data.leaves
        # An id far away would make a tree of billions of places.
        is_near = all(leaf.node in network.nodes for leaf in leaves)
        roster = Roster(leaves) if is_near else None
    except InferixError:
        return
    if roster is None or roster.tree.root.hash == args["root"]:
        given = {leaf.node: leaf for leaf in leaves}
        nodes = sorted(found.right.keys() | given.keys())
        found.roster, found.wrong = roster, _wrong(found.right, {node: given.get(node) for node in nodes})
        found.right = None


def _right(network: Network, kind: RosterKind, time: int) -> dict[int, list[RosterLeaf | None]]:
    """By node: the leaf that the registry gives, then those that it gave within the hour."""
    right: dict[int, list[RosterLeaf | None]] = {leaf.node: [leaf] for leaf in roster_leaves(network, kind)}
    for changed_at, node, leaf in network.former_leaves:
        if changed_at >= time - RECENT and network.nodes[node].role is ROLES[kind]:
            right.setdefault(node, [None]).append(leaf)
    return right


def _wrong(
    right: Mapping[int, list[RosterLeaf | None]], given: Mapping[int, RosterLeaf | None]
) -> dict[int, RosterLeaf | None]:
    none: list[RosterLeaf | None] = [None]
    return {node: right.get(node, none)[0] for node, leaf in given.items() if leaf not in right.get(node, none)}


def _shown(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """Leaves of a roster whose document nobody serves; a false one among them is seen all the same."""
    found = network.posted_rosters.get((RosterKind(args["of"]), args["index"]))
    if found is None or found.right is None:
        return
    places = range(args["chunk"] * CHUNK, (args["chunk"] + 1) * CHUNK)
    leaves = [RosterLeaf.model_validate(values) for values in args["leaves"]]
    given = dict.fromkeys(places) | {leaf.node: leaf for leaf in leaves if leaf.node}
    found.shown.update(places)
    found.wrong |= _wrong(found.right, given)


def _finalized(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    found = network.posted_rosters[args["kind"], args["index"]]
    found.final_at = event.timestamp
    network.rosters[RosterKind(args["kind"])].append(found)


def _cancelled(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.posted_rosters.pop((args["kind"], args["index"]), None)


EVENTS: Handlers = {
    "RosterPosted": posted,
    "RosterShown": _shown,
    "RosterFinalized": _finalized,
    "RosterCancelled": _cancelled,
}
