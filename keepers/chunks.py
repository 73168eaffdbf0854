# SPDX-License-Identifier: Apache-2.0
"""The leaves behind anchors, rosters and accounts, chunk by chunk, as Availability takes them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inferix.errors import NotFound
from inferix.models.anchor import AccountsData
from inferix.models.document import Value
from inferix.models.roles import RootKind, RosterKind
from inferix.replay import Network, anchors
from inferix.replay.accounting import accounts_tree, nodes_tree
from inferix.replay.availability import CANCELLED
from inferix.replay.later import MESSAGE_KINDS
from inferix.replay.settlement import CHUNK
from inferix.replay.state import FinalRoster, RootName
from inferix.trees import Tree, flat, message_leaf

KIND_OF = {name: kind for kind, name in MESSAGE_KINDS.items()}
NO_MESSAGE = {"kind": 0, "body": b"", "signature": b""}
NO_ROSTER_LEAF = {"node": 0, "ib": 0, "price": 0, "device_class": bytes(32), "weight": 0}
NO_ACCOUNT = {"account": 0, "spent": 0, "reserved": 0}
NO_REWARD = {"node": 0, "matured": 0, "vesting": 0, "start": 0}


@dataclass(frozen=True)
class Shelf:
    """What is behind a root: its tree and, by place, what an answer shows."""

    tree: Tree
    places: Sequence[Any]

    def chunk(self, asked: int) -> tuple[int, list[Any], list[bytes]]:
        """As an answer takes it: the chunk asked for or, of a narrower tree, the last; the proof of its subtree."""
        levels = self.tree.levels
        height = min(CHUNK.bit_length() - 1, len(levels) - 1)
        at = min(asked, len(levels[height]) - 1)
        proof = [level[(at >> depth) ^ 1] for depth, level in enumerate(levels[height:-1])]
        return asked, list(self.places[at * CHUNK :][:CHUNK]), flat(proof)


def proposer(network: Network, name: RootName) -> int | None:
    """Who put a root up that still waits, or an anchor that still counts; None for all others."""
    if name.kind is RootKind.ANCHOR:
        lane = network.lanes.get(name.of)
        anchor = lane.anchors.get(name.index) if lane else None
        return name.of if anchor and anchor.root == name.root and anchor.problem != CANCELLED else None
    if name.kind is RootKind.ROSTER:
        roster = waiting_roster(network, name.of)
        return roster.manager if roster and (roster.index, roster.root) == (name.index, name.root) else None
    root = network.waiting_accounts()
    if root is None or root.index != name.index:
        return None
    return root.manager if name.root == (root.accounts_root, root.nodes_root)[name.kind is RootKind.NODES] else None


def waiting_roster(network: Network, kind: int) -> FinalRoster | None:
    """The posted roster that is not final yet."""
    posted = [roster for (of, _), roster in network.posted_rosters.items() if of == kind]
    newest = max(posted, key=lambda roster: roster.index, default=None)
    return newest if newest is not None and not newest.final_at else None


def shelf(network: Network, name: RootName) -> Shelf:
    """What is behind a root that waits. Raises NotFound where its data are not to be had, Corrupt where malformed."""
    if name.kind is RootKind.ANCHOR:
        found = _anchor(network, name)
    elif name.kind is RootKind.ROSTER:
        found = _roster(network, name)
    else:
        found = _accounts(network, name)
    if found.tree.root.hash != name.root:
        raise NotFound("its root is not that of its leaves")
    return found


def _anchor(network: Network, name: RootName) -> Shelf:
    messages = anchors.read(network, name.of, network.lane(name.of).anchors[name.index])
    places = [{"kind": KIND_OF[item.kind], "body": item.body, "signature": item.signature} for item, _, _ in messages]
    digests = [digest for _, _, digest in messages]
    return Shelf(Tree([message_leaf(digest) for digest in digests or [bytes(32)]]), places or [NO_MESSAGE])


def _roster(network: Network, name: RootName) -> Shelf:
    roster = network.posted_rosters[RosterKind(name.of), name.index].roster
    if roster is None:
        raise NotFound("its data are not to be had, or are not those of its root")
    places = range(len(roster.tree.levels[0]))
    leaves = {node: leaf.model_dump() for node, leaf in roster.leaves.items()}
    return Shelf(roster.tree, [leaves.get(at, NO_ROSTER_LEAF) for at in places])


def _accounts(network: Network, name: RootName) -> Shelf:
    root = network.waiting_accounts()
    assert root is not None
    data = AccountsData.read(root.data, network.document)
    if data is None:
        raise NotFound("its data are not to be had")
    # An id far away would make a tree of billions of places.
    if not {leaf.account for leaf in data.accounts} <= network.accounts.keys():
        raise NotFound("it has an account that there is not")
    if not {leaf.node for leaf in data.nodes} <= {0, *network.nodes}:
        raise NotFound("it has a node that there is not")
    if name.kind is RootKind.NODES:
        return _shelf(nodes_tree(data), {leaf.node: leaf for leaf in data.nodes}, NO_REWARD)
    return _shelf(accounts_tree(data), {leaf.account: leaf for leaf in data.accounts}, NO_ACCOUNT)


def _shelf(tree: Tree, leaves: dict[int, Any], empty: dict[str, int]) -> Shelf:
    found: dict[int, Value] = leaves
    places = range(len(tree.levels[0]))
    return Shelf(tree, [found[at].model_dump() if at in found else empty for at in places])
