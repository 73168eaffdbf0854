# SPDX-License-Identifier: Apache-2.0
"""Which leaves of a posted roster or accounts root are not what the chain gives. Pure; the same for whoever audits,
objects or judges.

What the chain gives follows from documents too. Where one of them is not to be had here, nothing is said of anybody.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from inferix.errors import Corrupt, InferixError, NotFound
from inferix.models.anchor import AccountLeaf, AccountsData, NodeLeaf, RosterLeaf
from inferix.models.roles import BatchStatus, RootKind, RosterKind
from inferix.replay.accounting import accounts_data, accounts_tree, nodes_tree
from inferix.replay.availability import NOT_SERVED
from inferix.replay.network import Network
from inferix.replay.state import AccountsRoot, RootName

Leaf = RosterLeaf | AccountLeaf | NodeLeaf


@dataclass(frozen=True)
class WrongLeaf:
    """A place where another leaf should be; ``right``: None where there should be none."""

    kind: RootKind
    place: int
    right: Leaf | None


def wrong_leaves(network: Network, name: RootName) -> list[WrongLeaf]:
    """The false leaves of a root, in order of their places.

    Raises NotFound where it was never posted or has fallen, or where a document is not to be had from which it follows;
    Corrupt where the one behind it is malformed.
    """
    if name.kind is RootKind.ROSTER:
        return _of_roster(network, name)
    root = _posted(network, name)
    _check_served(network, root.epoch)
    try:
        found = wrong_rows(network, _of_root(network, root, name))
    except InferixError:
        if name.kind not in root.shown:
            raise
        found = _wrong_shown(network, root, name.kind)
    unknown = _unknown(network) if name.kind is RootKind.ACCOUNTS else set()
    return [row for row in found if row.kind is name.kind and row.place not in unknown]


def _of_root(network: Network, root: AccountsRoot, name: RootName) -> AccountsData:
    data = served(network, root)
    if knows(network, data):  # an id far away would be a tree of billions of places
        tree = nodes_tree(data) if name.kind is RootKind.NODES else accounts_tree(data)
        if tree.root.hash != name.root:
            raise NotFound("its root is not that of its leaves")
    return data


def _wrong_shown(network: Network, root: AccountsRoot, kind: RootKind) -> list[WrongLeaf]:
    """What answers on chain showed and is not what the chain gives."""
    shown, right = root.shown[kind], _rows(accounts_data(network, root.epoch), kind)
    given = {place: leaf for place, leaf in shown.items() if leaf is not None}
    right = {place: leaf for place, leaf in right.items() if place in shown}
    return list(_differing(network, root.epoch, kind, given, right))


def _rows(data: AccountsData, kind: RootKind) -> dict[int, Leaf]:
    if kind is RootKind.NODES:
        return {row.node: row for row in data.nodes}
    return {row.account: row for row in data.accounts}


def leaf_at(network: Network, name: RootName, place: int) -> tuple[Leaf | None, bool]:
    """(the right leaf at a place, whether another is there). Raises as ``wrong_leaves`` does."""
    wrong = {row.place: row.right for row in wrong_leaves(network, name)}
    if place in wrong:
        return wrong[place], True
    if name.kind is RootKind.ACCOUNTS and place in _unknown(network):
        raise NotFound("the spec of an order of this account is not to be had")
    return _given(network, name, place), False


def _given(network: Network, name: RootName, place: int) -> Leaf | None:
    """What is at a place that is right."""
    if name.kind is RootKind.ROSTER:
        roster = network.posted_rosters[RosterKind(name.of), name.index]
        if roster.roster is None and place not in roster.shown:
            raise NotFound("nobody has shown this place")
        given = roster.roster.leaves if roster.roster is not None else {}
        return given.get(place) if roster.right is None else roster.right.get(place, [None])[0]
    root = _posted(network, name)
    try:
        return _rows(_of_root(network, root, name), name.kind).get(place)
    except InferixError:
        if place not in root.shown.get(name.kind, {}):
            raise
        return root.shown[name.kind][place]


def _unknown(network: Network) -> set[int]:
    """Accounts of which it is not known what they reserve."""
    return {job.order.account for job in network.jobs.values() if job.order.spec in network.missing}


def _of_roster(network: Network, name: RootName) -> list[WrongLeaf]:
    found = network.posted_rosters.get((RosterKind(name.of), name.index)) if name.of in (1, 2) else None
    if found is None or found.root != name.root:
        raise NotFound("no such roster was posted, or it fell")
    if found.roster is None and not found.wrong and not found.shown:
        raise NotFound("its data are not to be had, or are not those of its root")
    return [WrongLeaf(name.kind, node, leaf) for node, leaf in found.wrong.items()]


def _posted(network: Network, name: RootName) -> AccountsRoot:
    for root in network.accounts_roots:
        hash = root.nodes_root if name.kind is RootKind.NODES else root.accounts_root
        if root.index == name.index and hash == name.root:
            return root
    raise NotFound("no such accounts were posted, or they fell")


def served(network: Network, root: AccountsRoot) -> AccountsData:
    """The leaves behind an accounts root. Raises NotFound, or Corrupt where they are malformed or of another epoch."""
    data = AccountsData.read(root.data, network.document)
    if data is None:
        raise NotFound("its data is not served")
    if data.epoch != root.epoch:
        raise Corrupt(f"its data is of epoch {data.epoch}")
    return data


def knows(network: Network, data: AccountsData) -> bool:
    """Whether all leaves are of accounts and nodes that there are."""
    accounts, nodes = {row.account for row in data.accounts}, {row.node for row in data.nodes}
    return accounts <= network.accounts.keys() and nodes <= {0, *network.nodes}


def _check_served(network: Network, epoch: int) -> None:
    cut_off = network.epoch_end(epoch)
    for batch in network.batches.values():
        if batch.status is BatchStatus.FINAL and batch.epoch <= epoch and not batch.leaves:
            raise NotFound(f"batch {batch.manager}/{batch.sequence}: {batch.problem}")
    for manager, lane in network.lanes.items():
        for anchor in lane.anchors.values():
            if anchor.problem == NOT_SERVED and anchor.timestamp <= cut_off:
                raise NotFound(f"anchor {manager}/{anchor.index}: {anchor.problem}")


def wrong_rows(network: Network, data: AccountsData) -> list[WrongLeaf]:
    """What in an epoch's accounts is not what the chain gives; an account of after the cut-off may be in it or not."""
    right = accounts_data(network, data.epoch)
    return [
        row
        for kind in (RootKind.ACCOUNTS, RootKind.NODES)
        for row in _differing(network, data.epoch, kind, _rows(data, kind), _rows(right, kind))
    ]


def _differing(
    network: Network, epoch: int, kind: RootKind, given: Mapping[int, Leaf], right: Mapping[int, Leaf]
) -> Iterator[WrongLeaf]:
    cut_off = network.epoch_end(epoch)
    accounts = network.accounts.values() if kind is RootKind.ACCOUNTS else ()
    young = {account.id for account in accounts if account.opened_at > cut_off}
    for place in sorted(given.keys() | right.keys()):
        if given.get(place) != right.get(place) and (place in given or place not in young):
            yield WrongLeaf(kind, place, right.get(place))
