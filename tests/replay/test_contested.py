# SPDX-License-Identifier: Apache-2.0
"""An acceptance that one of the committee rejects: a second draw decides, with the tiles before it that the first names."""

import pytest
from eth_utils.crypto import keccak

from api.views import waits_for
from inferix.messages import Message, Vote, unpack_voters
from inferix.models.roles import NodeStatus, Outcome, RosterKind
from inferix.models.work import Named
from inferix.replay import settlement
from inferix.replay.accounting import roster_leaves
from inferix.replay.answers import committee_behind, members
from inferix.replay.attempts import rejections, seats
from inferix.replay.settlement import MAX_NAMED, outcome_leaf
from inferix.replay.state import Attempt, TaskState
from tests.replay.chain import MANAGER, Chain, signed
from tests.replay.test_silence import delivered, pass_to, sealed_at

SEATS, NEEDED, WINDOW = 5, 3, 30
ACCEPTED, REJECTED, VOID = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.VOID


def started(verifiers: int) -> Chain:
    chain = Chain()
    chain.start(range(5, 5 + verifiers))
    for name, value in (("committee", SEATS), ("votes_needed", NEEDED)):
        chain.emit("ParameterSet", name=keccak(text=name), value=value)
    return chain


@pytest.fixture
def chain() -> Chain:
    """Ten verifiers: five in each draw, of which three equal votes decide."""
    return started(2 * SEATS)


def draws(chain: Chain, state: TaskState, attempt: Attempt) -> tuple[list[int], list[int]]:
    """The seats of the first draw and of the second."""
    nodes = [seat.leaf.node for seat in seats(chain.network, state, attempt)]
    return nodes[:SEATS], nodes[SEATS:]


def cast(chain: Chain, state: TaskState, nodes: list[int], *outcomes: Outcome) -> None:
    """In one anchor: what each of these says, in this order."""
    result = state.attempts[-1].result
    chain.anchor(*(said(state, node, result, outcome) for node, outcome in zip(nodes, outcomes, strict=False)))


def said(state: TaskState, node: int, result: bytes, outcome: Outcome) -> tuple[Message, bytes]:
    number = len(state.attempts) - 1
    vote = Vote(
        task=state.task.id, attempt=number, node=node, result=result, outcome=int(outcome), measured=bytes([node]) * 32
    )
    return signed(vote)


def contested(chain: Chain) -> tuple[TaskState, Attempt, list[int]]:
    """Four of the first draw accept, the last one of the anchor rejects; the second draw, whose time has come."""
    state, attempt = delivered(chain)
    first, second = draws(chain, state, attempt)
    cast(chain, state, first, ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED, REJECTED)
    assert attempt.outcome is None, "the four are not heard before the fifth"
    pass_to(chain, sealed_at(chain, attempt) + WINDOW)
    return state, attempt, second


def test_votes_of_one_anchor_decide_together_in_whatever_order(chain: Chain) -> None:
    for rejects in range(SEATS):
        state, attempt = delivered(chain)
        first, _ = draws(chain, state, attempt)
        cast(chain, state, first, *(REJECTED if at == rejects else ACCEPTED for at in range(SEATS)))
        assert attempt.outcome is None and len(attempt.votes) == SEATS


def test_without_a_rejection_three_that_accept_decide(chain: Chain) -> None:
    state, attempt = delivered(chain)
    first, _ = draws(chain, state, attempt)
    cast(chain, state, first, VOID, ACCEPTED, ACCEPTED, ACCEPTED)
    assert attempt.outcome is ACCEPTED


def test_three_that_reject_decide_at_once(chain: Chain) -> None:
    state, attempt = delivered(chain)
    first, _ = draws(chain, state, attempt)
    cast(chain, state, first, ACCEPTED, ACCEPTED, REJECTED, REJECTED, REJECTED)
    assert attempt.outcome is REJECTED


def test_the_second_draw_confirms_and_the_worker_is_rejected(chain: Chain) -> None:
    state, attempt, second = contested(chain)
    against = draws(chain, state, attempt)[0][4]
    assert waits_for(chain.network, state, attempt) == (
        f"a second draw of verifiers: {against} rejects what others accept"
    )
    cast(chain, state, second, REJECTED, REJECTED)
    assert attempt.outcome is None, "the first draw's rejection is not counted again"
    cast(chain, state, second[2:], REJECTED)
    assert attempt.outcome is REJECTED and waits_for(chain.network, state, attempt) is None
    leaf = outcome_leaf(chain.network, state, attempt)
    assert len(leaf.voters.rstrip(b"\0")) == 4 * 4, "who found it and who confirmed it"


def test_attack_one_that_rejects_what_is_honest_is_outvoted_by_the_second_draw(chain: Chain) -> None:
    state, attempt, second = contested(chain)
    cast(chain, state, second, ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED)
    assert attempt.outcome is ACCEPTED
    leaf = outcome_leaf(chain.network, state, attempt)
    named = unpack_voters(leaf.voters)
    drawn = [node for draw in draws(chain, state, attempt) for node in draw]
    assert named == sorted([node for node in drawn if attempt.votes[node][0].outcome == ACCEPTED][:MAX_NAMED]), (
        "nine accepted; who was drawn first is named, so that the fewest without a seat come before"
    )


def test_attack_who_rejects_in_both_draws_needs_three_of_the_second(chain: Chain) -> None:
    state, attempt, second = contested(chain)
    cast(chain, state, second, REJECTED, REJECTED, ACCEPTED, ACCEPTED)
    assert attempt.outcome is None
    cast(chain, state, second[4:], ACCEPTED)
    assert attempt.outcome is ACCEPTED


def test_attack_one_in_league_of_the_second_draw_passes_nothing_beside_four_that_reject(chain: Chain) -> None:
    """Two of the first draw accept, as two are away: three acceptances in all came before three rejections."""
    state, attempt = delivered(chain)
    first, second = draws(chain, state, attempt)
    cast(chain, state, first, ACCEPTED, ACCEPTED, REJECTED)
    pass_to(chain, sealed_at(chain, attempt) + WINDOW)
    cast(chain, state, second, ACCEPTED, REJECTED, REJECTED, REJECTED, REJECTED)
    assert attempt.outcome is REJECTED


@pytest.mark.parametrize("allies", [1, 3])
def test_attack_who_accepts_and_retires_is_not_counted_for_the_second_draw(chain: Chain, allies: int) -> None:
    state, attempt = delivered(chain)
    first, second = draws(chain, state, attempt)
    cast(chain, state, first, ACCEPTED, ACCEPTED, ACCEPTED, REJECTED)
    for node in first[:allies]:
        chain.emit("StatusChanged", node=node, status=int(NodeStatus.RETIRED))
    pass_to(chain, sealed_at(chain, attempt) + WINDOW)
    cast(chain, state, second, REJECTED)
    assert attempt.outcome is None
    cast(chain, state, second[1:], REJECTED, REJECTED)
    assert attempt.outcome is REJECTED, "who moved up into the place of who left is no first draw"


@pytest.mark.parametrize(
    ("accept", "reject", "outcome"), [(3, 4, REJECTED), (4, 3, ACCEPTED), (4, 4, VOID), (3, 3, VOID)]
)
def test_of_votes_that_are_enough_for_either_most_decide(
    chain: Chain, accept: int, reject: int, outcome: Outcome
) -> None:
    """Where nobody of the first draw rejects, there is nothing to look at again."""
    state, attempt = delivered(chain)
    first, second = draws(chain, state, attempt)
    cast(chain, state, first, ACCEPTED, ACCEPTED)
    pass_to(chain, sealed_at(chain, attempt) + WINDOW)
    late = [ACCEPTED] * (accept - 2)
    cast(chain, state, [*first[2:accept], *second[:reject]], *late, *[REJECTED] * reject)
    assert attempt.outcome is outcome


def test_a_second_draw_that_says_nothing_leaves_it_void(chain: Chain) -> None:
    state, attempt, second = contested(chain)
    cast(chain, state, second, ACCEPTED, ACCEPTED)
    pass_to(chain, sealed_at(chain, attempt) + 2 * WINDOW + 1)
    assert attempt.outcome is VOID


def test_a_rejection_that_comes_after_the_decision_contests_nothing(chain: Chain) -> None:
    state, attempt = delivered(chain)
    first, _ = draws(chain, state, attempt)
    cast(chain, state, first, ACCEPTED, ACCEPTED, ACCEPTED)
    cast(chain, state, first[3:], REJECTED)
    assert attempt.outcome is ACCEPTED and len(attempt.votes) == NEEDED


@pytest.mark.parametrize(("verifiers", "outcome"), [(SEATS + NEEDED - 1, ACCEPTED), (SEATS + NEEDED, None)])
def test_where_no_second_draw_could_decide_all_votes_count(verifiers: int, outcome: Outcome | None) -> None:
    chain = started(verifiers)
    state, attempt = delivered(chain)
    first, _ = draws(chain, state, attempt)
    cast(chain, state, first, REJECTED, ACCEPTED, ACCEPTED, ACCEPTED)
    assert attempt.outcome is outcome


def test_whoever_looks_later_is_told_whose_tiles_to_look_at(chain: Chain) -> None:
    state, attempt, _ = contested(chain)
    first, _ = draws(chain, state, attempt)
    seed = chain.network.lane(attempt.lane).anchors[attempt.receipt_anchor].seed
    assert rejections(chain.network, attempt) == [Named(verifier=first[4], measured=bytes([first[4]]) * 32, seed=seed)]


def test_a_job_that_ends_within_an_anchor_leaves_its_other_votes_alone(chain: Chain) -> None:
    """Votes on two frames in one anchor, the first of which leaves the job without attempts."""
    job = chain.order(attempts=1)
    one, two = chain.state(job, 0), chain.state(job, 1)
    chain.anchor()
    chain.anchor(chain.acceptance(one), chain.acceptance(two))
    chain.anchor(chain.receipt(one), chain.receipt(two))
    votes = []
    for state in (one, two):
        first, _ = draws(chain, state, state.attempts[0])
        votes += [said(state, node, state.attempts[0].result, REJECTED) for node in first]
    chain.anchor(*votes)
    assert one.failed and one.attempts[0].outcome is REJECTED
    assert two.attempts[0].outcome is not None


@pytest.mark.parametrize("named", [MAX_NAMED, 8])
def test_attack_a_clients_own_verifiers_leave_no_right_leaf_without_an_answer(
    named: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committees is shown twelve of those drawn. Eight voters would leave four places for nodes that have no seat."""
    monkeypatch.setattr(settlement, "MAX_NAMED", named)
    chain = started(30)
    for node in range(5, 15):
        chain.network.nodes[node].owner = chain.network.accounts[1].owner
    unanswered = 0
    for _ in range(12):
        state, attempt, second = contested(chain)
        cast(chain, state, second, ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED)
        leaf = outcome_leaf(chain.network, state, attempt)
        committee = committee_behind(chain.network, MANAGER, leaf)
        assert committee is not None and len(unpack_voters(leaf.voters)) == named
        unanswered += members(chain.network, leaf, committee) is None
    assert (unanswered > 0) is (named > MAX_NAMED)


def test_regression_a_clients_fault_that_rests_on_a_rejection_names_who_rejects(chain: Chain) -> None:
    """Where four votes decide: with three of each, which a leaf of six had room for, it had no answer."""
    chain.emit("ParameterSet", name=keccak(text="votes_needed"), value=4)
    state = chain.state(chain.order(deadline=chain.time + 10 * 86_400), 0)
    chain.run(state, REJECTED)
    chain.settle()
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.anchor(chain.receipt(state))
    attempt = state.attempts[1]
    first, second = draws(chain, state, attempt)
    fault = Outcome.CLIENT_FAULT
    cast(chain, state, first, REJECTED, REJECTED, fault, fault, fault)
    pass_to(chain, sealed_at(chain, attempt) + WINDOW)
    cast(chain, state, second, REJECTED, REJECTED)
    assert attempt.outcome is fault
    votes = [vote.outcome for vote, _ in settlement.standing_votes(chain.network, state, attempt)]
    assert (votes.count(REJECTED), votes.count(fault)) == (4, 2)


def test_attack_a_roster_that_is_final_in_the_block_of_a_seal_makes_no_other_first_draw(chain: Chain) -> None:
    state, attempt = delivered(chain)
    first, second = draws(chain, state, attempt)
    leaves = [leaf for leaf in roster_leaves(chain.network, RosterKind.VERIFIERS) if leaf.node in second]
    chain.post_roster(RosterKind.VERIFIERS, 2, leaves)
    chain.emit("RosterFinalized", kind=int(RosterKind.VERIFIERS), index=2)
    assert chain.network.rosters[RosterKind.VERIFIERS][-1].final_at == sealed_at(chain, attempt)
    assert draws(chain, state, attempt) == (first, second) and attempt.first == set(first)
    chain.wait()
    later, attempt = delivered(chain)
    assert set(draws(chain, later, attempt)[0]) == set(second), "whom later seals draw"
