# SPDX-License-Identifier: Apache-2.0
"""The keeper's answers, taken by the real contracts: honest leaves of each outcome stand."""

import pytest
from eth.exceptions import Revert

from inferix.models.roles import BatchStatus, DisputeStatus, NodeStatus, Outcome
from inferix.replay.answers import MAX_MEMBERS, arguments_of, encode_votes, votes_answer
from inferix.replay.settlement import draft_batches, outcome_leaf
from inferix.replay.state import Batch, TaskState
from inferix.storage.tables import Message
from keepers.disputes import decide_answers, decide_equivocation
from tests.contracts.system import BANNED, FROZEN, Node, acting, block_hash
from tests.keepers.live import Live


def challenge(live: Live, batch: Batch, index: int = 0) -> bytes:
    """An attacker's dispute about the votes of a leaf."""
    with acting(live.challenger):
        live.send(("", "challenge_votes", (*arguments_of(batch, index), 0)), live.challenger)
    return list(live.network.disputes)[-1]


def answer(live: Live, manager: Node | None = None) -> None:
    """The keeper's answers, carried by anybody."""
    steps, silent = decide_answers(live.network, (manager or live.keeper).id, block_hash)
    assert (len(steps), silent) == (1, {})
    live.send(steps[0], live.fresh_key("anybody"))


def set_status(live: Live, node: Node, status: int) -> None:
    with acting(live.governor):
        live.registry.set_status(node.id, status)
    live.follow()


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.REJECTED])
@pytest.mark.parametrize("status", [BANNED, FROZEN])
def test_an_honest_leaf_stands_though_one_drawn_never_voted_and_another_is_gone(
    live: Live, outcome: Outcome, status: int
) -> None:
    state = live.state(live.order())
    live.deliver(state)
    _silent, gone, *voters = live.seated(state)[:5]
    live.cast(voters, state, outcome)
    batch = live.settle_ready()
    set_status(live, gone, status)
    dispute = challenge(live, batch)
    shown = {member["leaf"]["node"] for member in votes_answer(live.network, batch, 0, block_hash)["members"]}
    assert shown == {node.id for node in voters}, "seats are left: nobody else need be explained"
    answer(live)
    assert live.network.disputes[dispute].status is DisputeStatus.ANSWERED
    live.wait(live.window("batch_window"))
    live.batches.finalize(tuple(batch.header.values()))
    assert live.follow().batches[batch.commitment].status is BatchStatus.FINAL


def test_the_last_seats_of_the_second_draw_stand_with_all_that_has_to_be_explained(live: Live) -> None:
    """Before the last three seats draws hit nodes twice; unexplained, each hit would take a seat. One is banned today."""
    state = live.state(live.order())
    live.deliver(state)
    live.wait(live.window("vote_window"))
    *silent, a, b, c = live.seated(state)
    live.cast([a, b, c], state, Outcome.ACCEPTED)
    batch = live.settle_ready()
    set_status(live, silent[0], BANNED)
    dispute = challenge(live, batch)
    votes = votes_answer(live.network, batch, 0, block_hash)
    assert 3 < len(votes["members"]) <= MAX_MEMBERS
    bare = votes | {"members": votes["members"][:3]}
    with pytest.raises(Revert, match="Committees: a voter was not drawn"):
        live.send(("", "answer_votes", (*arguments_of(batch, 0), encode_votes(bare))), live.challenger)
    answer(live)
    assert live.network.disputes[dispute].status is DisputeStatus.ANSWERED


def test_an_assembly_stands_by_its_one_vote(live: Live) -> None:
    job = live.order()
    live.run(live.state(job))
    live.settle_ready()
    live.run(live.state(job, -1))
    batch = live.settle_ready()
    dispute = challenge(live, batch)
    assert votes_answer(live.network, batch, 0, block_hash)["task_index"] == 2**32 - 1
    answer(live)
    assert live.network.disputes[dispute].status is DisputeStatus.ANSWERED


def twice_rejected(live: Live) -> TaskState:
    state = live.state(live.order())
    live.run(state, Outcome.REJECTED)
    live.run(state, Outcome.REJECTED)
    assert state.attempts[1].outcome is Outcome.CLIENT_FAULT
    return state


def finalize(live: Live, batch: Batch) -> None:
    live.wait(live.window("batch_window"))
    live.batches.finalize(tuple(batch.header.values()))
    live.follow()


def test_a_second_rejection_stands_beside_the_first(live: Live) -> None:
    twice_rejected(live)
    first = live.settle_ready()
    assert [leaf.outcome for leaf in first.leaves] == [Outcome.REJECTED]
    assert draft_batches(live.network, live.keeper.id) == [], "what the second rests on may still fall"
    finalize(live, first)
    batch = live.settle_ready()
    index = next(at for at, leaf in enumerate(batch.leaves) if leaf.outcome is Outcome.CLIENT_FAULT)
    dispute = challenge(live, batch, index)
    answer(live)
    assert live.network.disputes[dispute].status is DisputeStatus.ANSWERED


def test_a_second_rejection_whose_first_fell_has_no_answer(live: Live) -> None:
    """The first is in a batch that was cancelled, and in no other yet: the keeper says so."""
    state = live.state(live.order())
    live.run(state, Outcome.REJECTED)
    live.run(state, Outcome.REJECTED)
    batch = live.hand_in(live.serve(live.draft([outcome_leaf(live.network, state, state.attempts[1])])))
    dispute = challenge(live, batch)
    steps, silent = decide_answers(live.network, live.keeper.id, block_hash)
    assert steps == []
    assert silent == {dispute: "the earlier rejection that it rests on is in no batch"}


def test_another_manager_answers_when_half_of_the_window_is_over(live: Live) -> None:
    live.run(live.state(live.order()))
    dispute = challenge(live, live.settle_ready())
    assert decide_answers(live.network, live.other_keeper.id, block_hash) == ([], {})
    live.wait(live.window("answer_window") // 2)
    answer(live, live.other_keeper)
    assert live.network.disputes[dispute].status is DisputeStatus.ANSWERED


@pytest.mark.parametrize("chunk", [0, 1])
def test_the_leaves_of_a_chunk_are_shown(live: Live, chunk: int) -> None:
    late = [live.fabricated(f"{at}", outcome=Outcome.LATE) for at in range(70)]
    batch = live.hand_in(live.serve(live.draft(sorted(late, key=lambda leaf: leaf.task))))
    with acting(live.challenger):
        live.send(("", "challenge_data", (batch.header, chunk, 0)), live.challenger)
    answer(live)
    assert [dispute.status for dispute in live.network.disputes.values()] == [DisputeStatus.ANSWERED]


def test_two_votes_of_a_verifier_cost_it_everything(live: Live) -> None:
    """One is anchored, the other was sent to this manager alone."""
    state = live.state(live.order())
    live.deliver(state)
    voter, *_ = live.seated(state)
    live.cast([voter], state, Outcome.ACCEPTED)
    anchored, _ = state.attempts[0].votes[voter.id]
    other, signature = live.sign(anchored.model_copy(update={"outcome": int(Outcome.REJECTED)}))
    row = Message(
        digest=other.digest(live.domain),
        kind="Vote",
        node=voter.id,
        body=other.body(),
        signature=signature,
        received_at=0,
    )
    (step,) = decide_equivocation(live.network, [row])
    live.send(step, live.challenger)
    assert live.network.nodes[voter.id].status is NodeStatus.BANNED
    assert live.staking.bonded(voter.id) == 0
    assert decide_equivocation(live.network, [row]) == [], "once"
