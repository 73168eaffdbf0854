# SPDX-License-Identifier: Apache-2.0
"""Rosters as they are posted: what storage gives for one, or answers on chain show of it, and which of its leaves are
not what the registry gives.

Whose leaves are shown on chain is as good as served: who has no document comes to the same roster. Nothing rests on one
before it is final, and it is not while an answer is due: whoever replays needs to know of no answer in advance.

Keepers decide by a block and their transaction is in a later one: a leaf is right that the registry gave at any moment
of the hour before. What it gave earlier is remembered when it changes, no longer than that.
"""

from collections.abc import Iterable, Mapping
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
    found.known = max(network.nodes, default=0)
    found.right = _right(network, kind, event.timestamp)
    try:
        data = RosterData.read(args["data"], partial(network.document, by=NamedBy(args["manager"])))
        if data is None:
            return
    except InferixError:
        return
    if _is_near(found, data.leaves):
        _fill(found, data.leaves)
    else:
        _compare(found, data.leaves)


def _is_near(found: FinalRoster, leaves: Iterable[RosterLeaf]) -> bool:
    """Whether all are of nodes that there were: an id far away would make a tree of billions of places."""
    return all(0 < leaf.node <= found.known for leaf in leaves)


def _fill(found: FinalRoster, leaves: list[RosterLeaf]) -> None:
    """Takes the leaves for the roster's if they are those of its root and total."""
    found.roster = Roster.behind(found.root, found.total, leaves)
    if found.roster is not None:
        _compare(found, leaves)
        found.right = None


def _compare(found: FinalRoster, leaves: list[RosterLeaf]) -> None:
    """What of a whole roster is wrong."""
    assert found.right is not None
    given = {leaf.node: leaf for leaf in leaves}
    nodes = sorted(found.right.keys() | given.keys())
    found.wrong = _wrong(found.right, {node: given.get(node) for node in nodes})


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
    """Leaves of a roster whose document nobody serves; a false one among them is seen all the same.

    Where all places of nodes are shown and do not make up the root, something is hidden behind them, or it is deeper
    than ids are: the next place is wrong.
    """
    found = network.posted_rosters.get((RosterKind(args["of"]), args["index"]))
    if found is None or found.right is None:
        return
    places = range(args["chunk"] * CHUNK, (args["chunk"] + 1) * CHUNK)
    leaves = [RosterLeaf.model_validate(values) for values in args["leaves"]]
    given = dict.fromkeys(places) | {leaf.node: leaf for leaf in leaves if leaf.node}
    found.shown |= given
    told = [leaf for _, leaf in sorted(found.shown.items()) if leaf is not None]
    if _is_near(found, told):
        _fill(found, told)
    if found.roster is None:
        found.wrong |= _wrong(found.right, given)
        if all(place in found.shown for place in range(found.known + 1)):
            found.wrong[max(found.shown) + 1] = None


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
