# SPDX-License-Identifier: Apache-2.0
"""Whom an answer shows: the voters, and of those whom the draws hit before them no more than it takes."""

import pytest

from inferix.draws import draws
from inferix.messages import pack_voters
from inferix.models.anchor import BatchLeaf
from inferix.models.roles import Draw, NodeStatus, Outcome, Role
from inferix.replay.answers import MAX_MEMBERS, Committee, committee_behind, members
from inferix.replay.settlement import draft_batches
from tests.keepers.batches import ended
from tests.replay.chain import MANAGER, Chain, address


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


def drawn_order(committee: Committee, leaf: BatchLeaf) -> list[int]:
    found = draws(committee.roster, committee.seed, leaf.task, Draw.VERIFIER, leaf.attempt)
    return [item.leaf.node for item in found]


@pytest.fixture
def crowd(chain: Chain) -> Chain:
    """Twenty more verifiers."""
    for node in range(20, 40):
        who = {"owner": address(100 + node), "operator": address(node), "role": int(Role.VERIFIER), "licence": node}
        chain.emit("NodeRegistered", node=node, sealing_key=bytes(32), price=0, **who)
        chain.emit("Staked", node=node, payer=address(node), amount=10**20)
        chain.emit("Qualified", node=node, qualified=True)
    chain.post_rosters(2)
    return chain


def voted(chain: Chain, committee: Committee, leaf: BatchLeaf, *places: int) -> tuple[BatchLeaf, list[int]]:
    """The leaf as if the nodes that were first hit at these places had voted; the distinct nodes in order."""
    order = list(dict.fromkeys(drawn_order(committee, leaf)))
    return leaf.model_copy(update={"voters": pack_voters([order[place] for place in places])}), order


def behind(chain: Chain) -> tuple[BatchLeaf, Committee]:
    leaf = ended(chain, Outcome.ACCEPTED)[0]
    committee = committee_behind(chain.network, MANAGER, leaf)
    assert committee is not None
    return leaf, committee


def test_members__silent_ones_leave_their_seats_empty__the_voters_alone(crowd: Chain) -> None:
    right, committee = behind(crowd)
    leaf, order = voted(crowd, committee, right, 1, 2)
    assert members(crowd.network, leaf, committee) == sorted([order[1], order[2]])


def test_members__one_is_banned_since__shown_when_the_seats_are_short(crowd: Chain) -> None:
    right, committee = behind(crowd)
    leaf, order = voted(crowd, committee, right, 3, 4)
    assert committee.seats == 4
    assert members(crowd.network, leaf, committee) is None, "three fitting nodes before two voters: five seats"
    crowd.emit("StatusChanged", node=order[1], status=int(NodeStatus.BANNED))
    shown = members(crowd.network, leaf, committee)
    assert shown is not None
    assert order[1] in shown
    assert set(shown) <= set(order[:5])


def test_members__a_voter_that_was_banned_since__keeps_its_seat(crowd: Chain) -> None:
    right, committee = behind(crowd)
    leaf, order = voted(crowd, committee, right, 0, 1)
    crowd.emit("StatusChanged", node=order[0], status=int(NodeStatus.BANNED))
    assert members(crowd.network, leaf, committee) == sorted(order[:2])


def test_members__a_voter_of_a_partys_owner__has_no_seat(crowd: Chain) -> None:
    right, committee = behind(crowd)
    leaf, order = voted(crowd, committee, right, 0, 1)
    crowd.network.nodes[order[0]].owner = crowd.network.accounts[1].owner
    assert members(crowd.network, leaf, committee) is None


def test_members__a_voter_that_no_draw_hits__has_no_seat(crowd: Chain) -> None:
    right, committee = behind(crowd)
    leaf = right.model_copy(update={"voters": pack_voters([3])})
    assert members(crowd.network, leaf, committee) is None


def test_members__more_misfits_than_an_answer_can_show__none(crowd: Chain) -> None:
    right, committee = behind(crowd)
    leaf, order = voted(crowd, committee, right, 18, 19)
    for node in order[:18]:
        crowd.emit("StatusChanged", node=node, status=int(NodeStatus.BANNED))
    assert members(crowd.network, leaf, committee) is None
    near, _ = voted(crowd, committee, right, 10, 11)
    shown = members(crowd.network, near, committee)
    assert shown is not None
    assert len(shown) <= MAX_MEMBERS


def test_committee__of_a_render_task_and_of_an_assembly(chain: Chain) -> None:
    job = chain.order()
    for state in chain.network.jobs[job].tasks:
        chain.run(state)
    leaves = {leaf.task: leaf for leaf in draft_batches(chain.network, MANAGER)[0].leaves}
    render, *_, assembly = (
        committee_behind(chain.network, MANAGER, leaves[state.task.id]) for state in chain.network.jobs[job].tasks
    )
    assert render is not None
    assert assembly is not None
    assert (render.seats, render.needed) == (4, 2)
    assert (assembly.seats, assembly.needed) == (2, 1)


def test_committee__of_an_anchor_that_is_not_sealed_or_of_another_lane__none(chain: Chain) -> None:
    leaf = ended(chain, Outcome.ACCEPTED)[0]
    assert committee_behind(chain.network, MANAGER, leaf.model_copy(update={"anchor": 99})) is None
    assert committee_behind(chain.network, 9, leaf) is None
