# SPDX-License-Identifier: Apache-2.0
"""Rosters whose document nobody serves, and whose leaves answers on chain show: who has it and who has it not replay the
same."""

from functools import partial
from hashlib import sha256
from typing import Any

import pytest

from inferix.draws import Roster
from inferix.models.anchor import RosterData, RosterLeaf
from inferix.models.roles import RosterKind
from inferix.replay import Network, apply
from inferix.replay.accounting import roster_leaves
from inferix.replay.attempts import open_draws, seats
from inferix.replay.roots import wrong_leaves
from inferix.trees import MAX_DEPTH, Sum, parent, root_of, roster_leaf
from keepers.availability import decide_demands
from keepers.hearings import decide_objections
from tests.replay.chain import DOMAIN, GENESIS, VERIFIERS, Chain

NOWHERE = b"\xee" * 32
OTHER = 77
"""A manager that watches."""
EMPTY = {"node": 0, "ib": 0, "price": 0, "device_class": bytes(32), "weight": 0}


def show(chain: Chain, kind: RosterKind, leaves: list[RosterLeaf], chunk: int = 0) -> None:
    """As Availability tells an answer; of roster 2."""
    rows = {leaf.node: leaf.model_dump() for leaf in leaves}
    last = min(max(rows, default=0) + 1, 64 * (chunk + 1))
    chain.emit(
        "RosterShown",
        of=int(kind),
        index=2,
        chunk=chunk,
        leaves=[rows.get(place, EMPTY) for place in range(64 * chunk, last)],
    )


def hide(chain: Chain, kind: RosterKind, leaves: list[RosterLeaf] | None = None, **changes: Any) -> list[RosterLeaf]:
    """Posts a second roster that nobody has the document of; its leaves."""
    leaves = roster_leaves(chain.network, kind) if leaves is None else leaves
    chain.post_roster(kind, 2, leaves, **{"data": NOWHERE, **changes})
    return leaves


def roster(network: Network, kind: RosterKind) -> Roster | None:
    return network.posted_rosters[kind, 2].roster


def finish(chain: Chain) -> None:
    """Both become final, and a task goes from its draw to its votes."""
    for kind in RosterKind:
        chain.wait(5)
        chain.emit("RosterFinalized", kind=int(kind), index=2)
    state = chain.state(chain.order(), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.anchor(chain.receipt(state))


def drawn(network: Network) -> tuple[list[int], list[int]]:
    """(who is drawn for the only task within an hour, who votes on it)."""
    state = next(iter(network.jobs.values())).tasks[0]
    attempt = state.attempts[0]
    turns = [each.leaf.node for each in open_draws(network, state, attempt, network.time + 3_600)]
    return turns, [seat.leaf.node for seat in seats(network, state, attempt)]


def wrong(network: Network, kind: RosterKind = RosterKind.WORKERS) -> dict[int, RosterLeaf | None]:
    return network.posted_rosters[kind, 2].wrong


def grown(root: Sum, height: int, depth: int) -> Sum:
    """The same leaves in a tree of more places; ``height``: of theirs."""
    empty = Sum(bytes(32), 0)
    for at in range(depth):
        root = parent(root, empty) if at >= height else root
        empty = parent(empty, empty)
    return root


def replayed(chain: Chain, documents: dict[bytes, bytes]) -> Network:
    network = Network(DOMAIN, GENESIS, documents)
    for event in chain.events:
        apply(network, event)
    return network


@pytest.mark.parametrize("document", ["another order", "of a stranger", "another form"])
def test_attack_rosters_that_are_shown_on_chain_alone_are_drawn_from(chain: Chain, document: str) -> None:
    """Nobody was drawn for as long as somebody repeated it. Whatever is served later, nobody comes to another state."""
    late: dict[bytes, bytes] = {}
    for kind in RosterKind:
        leaves = roster_leaves(chain.network, kind)
        stranger = leaves[0].model_copy(update={"node": 2**32 - 1})
        rows = [*leaves, stranger] if document == "of a stranger" else leaves[::-1]
        body = RosterData(kind=int(kind), leaves=rows).encode() + b" " * (document == "another form")
        digest = sha256(body).digest()
        late[digest] = body
        hide(chain, kind, data=digest)
        assert roster(chain.network, kind) is None
        show(chain, kind, leaves)
        assert wrong(chain.network, kind) == {}
    finish(chain)
    turns, voters = drawn(chain.network)
    assert len(turns) > 100 and set(voters) == set(VERIFIERS)
    told = replayed(chain, chain.documents | late)
    assert (len(chain.network.missing), told.missing) == (2, {})
    assert drawn(told) == (turns, voters)
    for kind in RosterKind:
        one, other = roster(chain.network, kind), roster(told, kind)
        assert one is not None and other is not None
        assert (one.tree.levels, list(one.leaves.items())) == (other.tree.levels, list(other.leaves.items()))
        assert chain.network.roster_at(kind, chain.time).index == told.roster_at(kind, chain.time).index == 2  # type: ignore[union-attr]
        assert wrong(told, kind) == {}


def test_what_is_shown_in_part_is_no_roster_yet() -> None:
    chain = Chain()
    chain.start(verifiers=range(5, 90))
    leaves = roster_leaves(chain.network, RosterKind.VERIFIERS)
    hide(chain, RosterKind.VERIFIERS, leaves)
    show(chain, RosterKind.VERIFIERS, leaves, chunk=1)
    assert roster(chain.network, RosterKind.VERIFIERS) is None
    assert wrong(chain.network, RosterKind.VERIFIERS) == {}
    show(chain, RosterKind.VERIFIERS, leaves, chunk=0)
    whole = roster(chain.network, RosterKind.VERIFIERS)
    assert whole is not None and list(whole.leaves.values()) == leaves
    assert whole.tree.levels == Roster(leaves).tree.levels


@pytest.mark.parametrize("depth", [4, 7, MAX_DEPTH])
def test_attack_empty_places_behind_the_leaves_hide_no_roster(chain: Chain, depth: int) -> None:
    leaves = roster_leaves(chain.network, RosterKind.WORKERS)
    plain = Roster(leaves).tree
    root = grown(plain.root, len(plain.levels) - 1, depth)
    hide(chain, RosterKind.WORKERS, leaves, root=root.hash)
    show(chain, RosterKind.WORKERS, leaves)
    found = roster(chain.network, RosterKind.WORKERS)
    assert found is not None and found.tree.root == root
    assert wrong(chain.network) == {}
    assert [found.at(at).node for at in (0, found.total - 1)] == [leaves[0].node, leaves[-1].node]
    for leaf in leaves:
        proof = found.tree.proof(leaf.node)
        assert len(proof) == depth
        assert root_of(roster_leaf(leaf), leaf.node, proof) == root


@pytest.mark.parametrize("weight", [0, 1])
def test_attack_a_leaf_behind_all_nodes_that_nobody_shows_is_objected_to(chain: Chain, weight: int) -> None:
    """It would be final, and nobody could draw from it: all that anybody asks for was shown."""
    leaves = roster_leaves(chain.network, RosterKind.WORKERS)
    far = leaves[0].model_copy(update={"node": 640, "weight": weight})
    hide(chain, RosterKind.WORKERS, [*leaves, far])
    assert [demand.chunk for demand in decide_demands(chain.network, OTHER, 0)] == [0]
    show(chain, RosterKind.WORKERS, leaves)
    assert roster(chain.network, RosterKind.WORKERS) is None
    assert wrong(chain.network) == {64: None}
    found = decide_objections(chain.network, OTHER, partial(wrong_leaves, chain.network))
    assert [row.place for _, row in found] == [64]


def test_attack_a_tree_deeper_than_ids_is_objected_to(chain: Chain) -> None:
    leaves = roster_leaves(chain.network, RosterKind.WORKERS)
    plain = Roster(leaves).tree
    hide(chain, RosterKind.WORKERS, leaves, root=grown(plain.root, len(plain.levels) - 1, MAX_DEPTH + 1).hash)
    show(chain, RosterKind.WORKERS, leaves)
    assert (roster(chain.network, RosterKind.WORKERS), wrong(chain.network)) == (None, {64: None})


def test_attack_a_roster_with_a_false_total_is_asked_for(chain: Chain) -> None:
    """Its leaves are those of its root, and no proof of a draw is: nobody could answer for votes drawn from it."""
    leaves = roster_leaves(chain.network, RosterKind.WORKERS)
    chain.post_roster(RosterKind.WORKERS, 2, leaves, total=Roster(leaves).total + 1)
    assert roster(chain.network, RosterKind.WORKERS) is None
    assert [demand.name.of for demand in decide_demands(chain.network, OTHER, 0)] == [RosterKind.WORKERS]
    chain.post_roster(RosterKind.WORKERS, 3, leaves)
    assert decide_demands(chain.network, OTHER, 0) == []
