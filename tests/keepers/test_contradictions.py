# SPDX-License-Identifier: Apache-2.0
"""Which votes a keeper contradicts, and when; who gets the job's key to judge one."""

import pytest

from inferix.contradict import final_leaf
from inferix.messages import Vote
from inferix.models.roles import ObjectionStatus, Outcome
from inferix.replay.state import TaskState
from keepers.assign import decide_verifiers
from keepers.contradictions import SignedVote, decide_contradictions, missed_canaries
from keepers.objections import BONDS_AN_EPOCH, bonds_left
from tests.replay.chain import MANAGER, VERIFIERS, Chain
from tests.replay.objecting import contradict, propose_all, seat


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


@pytest.fixture
def state(chain: Chain) -> TaskState:
    state = chain.state(chain.order(), 0)
    chain.run(state)
    return state


def votes(state: TaskState) -> list[SignedVote]:
    return [pair for _, pair in sorted(state.attempts[0].votes.items())]


def settle(chain: Chain) -> bytes:
    commitment = propose_all(chain)
    chain.wait(86_400)
    chain.emit("BatchFinalized", commitment=commitment, epoch=0)
    return commitment


def doubted(chain: Chain, state: TaskState) -> list[int]:
    return [item.vote.node for item in decide_contradictions(chain.network, votes(state))]


def test_votes_are_contradicted_once_their_leaf_is_final_and_once_each(chain: Chain, state: TaskState) -> None:
    nodes = [vote.node for vote, _ in votes(state)]
    assert (len(nodes) > 1, doubted(chain, state)) == (True, [])
    commitment = propose_all(chain)
    assert doubted(chain, state) == []
    chain.wait(86_400)
    chain.emit("BatchFinalized", commitment=commitment, epoch=0)
    assert doubted(chain, state) == nodes
    first = contradict(chain, votes(state)[0][0])
    assert doubted(chain, state) == nodes[1:]
    chain.emit("ContradictionClosed", id=first.id, status=3)
    assert doubted(chain, state) == nodes[1:]


def test_votes_that_accepted_a_canary_are_the_keepers_and_no_others(chain: Chain, state: TaskState) -> None:
    assert missed_canaries(chain.network) == []
    (first, *_) = votes(state)
    state.attempts[0].missed[first[0].node] = first
    assert missed_canaries(chain.network) == [first]


def test_a_doubt_carries_the_vote_its_signature_and_the_leaf(chain: Chain, state: TaskState) -> None:
    batch = chain.network.batches[settle(chain)]
    (item, *_) = decide_contradictions(chain.network, votes(state))
    assert (item.vote, item.signature) == votes(state)[0]
    assert item.final["header"] == batch.header
    leaf, index = item.final["leaf"], item.final["index"]
    assert isinstance(leaf, dict)
    assert (leaf["task"], index) == (
        state.task.id,
        next(at for at, one in enumerate(batch.leaves) if one.task == state.task.id),
    )


@pytest.mark.parametrize("outcome", [Outcome.VOID, Outcome.UNSERVED, Outcome.CLIENT_FAULT])
def test_votes_that_are_not_on_pixels_are_let_be(chain: Chain, state: TaskState, outcome: Outcome) -> None:
    settle(chain)
    vote = votes(state)[0][0]
    assert final_leaf(chain.network, vote) is not None
    assert final_leaf(chain.network, vote.model_copy(update={"outcome": int(outcome)})) is None


@pytest.mark.parametrize("change", [{"task": b"\x01" * 32}, {"attempt": 7}])
def test_votes_on_nothing_have_no_leaf(chain: Chain, state: TaskState, change: dict[str, object]) -> None:
    settle(chain)
    assert final_leaf(chain.network, votes(state)[0][0].model_copy(update=change)) is None


def test_who_has_nothing_left_to_lose_is_let_be(chain: Chain, state: TaskState) -> None:
    settle(chain)
    vote = votes(state)[0][0]
    node = chain.network.nodes[vote.node]
    node.bonded, node.unbonding = 0, 5
    assert vote.node in doubted(chain, state)
    node.unbonding = 0
    assert vote.node not in doubted(chain, state)


def test_a_bond_behind_a_contradiction_is_one_of_the_few(chain: Chain, state: TaskState) -> None:
    vote: Vote = votes(state)[0][0]
    assert bonds_left(chain.network, MANAGER) == BONDS_AN_EPOCH
    found = contradict(chain, vote, node=MANAGER)
    contradict(chain, votes(state)[1][0], node=VERIFIERS[0])
    assert bonds_left(chain.network, MANAGER) == BONDS_AN_EPOCH - 1
    found.status = ObjectionStatus.UPHELD
    assert bonds_left(chain.network, MANAGER) == BONDS_AN_EPOCH


def test_the_panel_gets_the_key_of_the_job_from_its_manager_while_it_sits(chain: Chain, state: TaskState) -> None:
    settle(chain)
    found = contradict(chain, votes(state)[0][0])
    seat(chain, found, VERIFIERS[0])
    assert decide_verifiers(chain.network, MANAGER) == {(state.task.job, VERIFIERS[0])}
    assert decide_verifiers(chain.network, 77) == set()
    chain.emit("ContradictionClosed", id=found.id, status=2)
    assert decide_verifiers(chain.network, MANAGER) == set()
