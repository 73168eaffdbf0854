# SPDX-License-Identifier: Apache-2.0
"""A vote that others' renderings of its tiles contradict: a panel decides, the verifier pays, or who said so."""

import boa
import pytest
from eth_utils import keccak

from inferix.messages import Vote
from inferix.models.roles import Outcome
from tests.contracts.disputes.contradicting import (
    OPEN,
    REJECTED,
    UNDECIDED,
    UPHELD,
    accused,
    contradict,
    settled,
    signed,
)
from tests.contracts.disputes.court import Batch, Court
from tests.contracts.disputes.objecting import REASON, money
from tests.contracts.system import ACTIVE, DAY, JAILED, VERIFIER, Node, acting, advance, key


@pytest.fixture
def batch(court: Court) -> Batch:
    return settled(court)


@pytest.fixture
def verifier(court: Court, batch: Batch) -> Node:
    return accused(court, batch)


def test_a_contradiction_says_what_it_names_and_takes_a_bond(court: Court, batch: Batch, verifier: Node) -> None:
    before = money(court, court.challenger)
    values, signature = signed(court, batch, verifier)
    doubted = contradict(court, batch, (values, signature))
    event = next(each for each in court.contradictions.get_logs() if type(each).__name__ == "VoteContradicted")
    vote = Vote(**dict(zip(Vote.model_fields, values, strict=True)))
    assert doubted.id == vote.digest(court.domain) == bytes(event.id)
    assert tuple(getattr(event, name) for name in ("task", "attempt", "verifier", "result", "outcome", "measured")) == (
        values
    )
    share = court.staking.required(verifier.id) * 2_000 // 10_000
    assert (bytes(event.reason), event.node, event.bond, event.share) == (REASON, 0, court.bond(), share)
    info = doubted.info()
    assert (info.status, info.verifier, info.share, info.worker) == (OPEN, verifier.id, share, batch.leaves[0].node)
    assert (info.account, bytes(info.voters)) == (court.account, batch.leaves[0].voters)
    assert (info.challenger, info.node, info.bond, info.is_referred) == (
        court.challenger.address,
        0,
        court.bond(),
        False,
    )
    assert before - money(court, court.challenger) == money(court, court.contradictions) == court.contradictions.bond()
    assert court.contradictions.contradiction(bytes(32)).status == 0


def test_upheld_it_costs_the_verifier_a_share_of_its_stake_and_its_work(
    court: Court, batch: Batch, verifier: Node
) -> None:
    before, stake = money(court, court.challenger), court.staking.bonded(verifier.id)
    supply, pool = court.ifx.totalSupply(), money(court, court.penalty_pool)
    doubted = contradict(court, batch, signed(court, batch, verifier))
    doubted.hear(True, False, True)
    doubted.resolve()
    events = {type(each).__name__: each for each in court.contradictions.get_logs()}
    taken = court.staking.required(verifier.id) * 2_000 // 10_000 + court.bond()
    assert stake - court.staking.bonded(verifier.id) == taken == events["VerifierPunished"].amount
    assert doubted.status() == UPHELD == events["ContradictionClosed"].status
    burned, won = supply - court.ifx.totalSupply(), money(court, court.challenger) - before
    assert burned == taken - taken // 2
    assert abs(won - court.bond() // 2) <= taken // 10_000
    assert money(court, court.penalty_pool) - pool == taken - burned - won
    assert court.registry.node(verifier.id).status == JAILED
    assert (court.staking.holds(verifier.id), money(court, court.contradictions)) == (0, 0)
    with boa.reverts("Contradictions: not open"):
        doubted.resolve()


def test_rejected_half_of_the_bond_is_burned_and_half_is_the_verifiers_owners(
    court: Court, batch: Batch, verifier: Node
) -> None:
    before, stake, supply = money(court, verifier.owner), court.staking.bonded(verifier.id), court.ifx.totalSupply()
    doubted = contradict(court, batch, signed(court, batch, verifier)).decided(False)
    assert (doubted.status(), court.staking.bonded(verifier.id)) == (REJECTED, stake)
    assert money(court, verifier.owner) - before == court.bond() // 2 == supply - court.ifx.totalSupply()
    assert court.registry.node(verifier.id).status == ACTIVE
    assert (court.staking.holds(verifier.id), money(court, court.contradictions)) == (0, 0)


def test_a_tie_of_the_panel_acquits(court: Court, batch: Batch, verifier: Node) -> None:
    doubted = contradict(court, batch, signed(court, batch, verifier))
    doubted.hear(True, False, False, True)
    doubted.resolve()
    assert doubted.status() == REJECTED


def test_until_it_is_decided_the_verifier_works_on_and_takes_nothing_out(
    court: Court, batch: Batch, verifier: Node
) -> None:
    with acting(verifier.owner):
        court.staking.unbond(verifier.id, court.staking.bonded(verifier.id) - court.staking.required(verifier.id))
    advance(court.window("unbonding"))
    doubted = contradict(court, batch, signed(court, batch, verifier))
    assert court.staking.is_bonded(verifier.id)
    assert (court.registry.node(verifier.id).status, court.staking.frozen(verifier.id)) == (ACTIVE, 0)
    with acting(verifier.owner), boa.reverts("Staking: held by an open case or batch"):
        court.staking.withdraw(verifier.id)
    doubted.decided(False)
    with acting(verifier.owner):
        assert court.staking.withdraw(verifier.id) == court.staking.required(verifier.id)


@pytest.mark.parametrize("upheld", [True, False])
def test_where_no_panel_comes_about_the_governor_judges_the_vote(
    court: Court, batch: Batch, verifier: Node, upheld: bool
) -> None:
    before = money(court, court.challenger)
    doubted = contradict(court, batch, signed(court, batch, verifier))
    with acting(court.governor), boa.reverts("Panels: not referred"):
        court.contradictions.decide(doubted.id, upheld)
    with boa.reverts("Panels: may still be seated"):
        doubted.resolve()
    doubted.refer()
    assert doubted.info().is_referred
    with boa.reverts("governed: not the governor"):
        court.contradictions.decide(doubted.id, upheld)
    with boa.reverts("Panels: governor may yet decide"):
        doubted.resolve()
    with acting(court.governor):
        court.contradictions.decide(doubted.id, upheld)
    assert doubted.status() == (UPHELD if upheld else REJECTED)
    assert (money(court, court.challenger) >= before) is upheld
    with acting(court.governor), boa.reverts("Contradictions: not open"):
        court.contradictions.decide(doubted.id, upheld)


def test_what_nobody_decides_leaves_the_verifier_alone_and_costs_half_of_the_bond(
    court: Court, batch: Batch, verifier: Node
) -> None:
    before, stake, supply = money(court, court.challenger), court.staking.bonded(verifier.id), court.ifx.totalSupply()
    doubted = contradict(court, batch, signed(court, batch, verifier))
    doubted.refer()
    advance(14 * DAY)
    with acting(court.governor), boa.reverts("Panels: too late to decide"):
        court.contradictions.decide(doubted.id, True)
    doubted.resolve()
    half = court.bond() // 2
    assert doubted.status() == UNDECIDED
    assert (before - money(court, court.challenger), supply - court.ifx.totalSupply()) == (half, half)
    assert (court.staking.bonded(verifier.id), court.staking.holds(verifier.id)) == (stake, 0)
    assert court.registry.node(verifier.id).status == ACTIVE


def test_a_bond_out_of_a_nodes_stake_is_its_owners_to_win_and_lose(court: Court, batch: Batch, verifier: Node) -> None:
    node = court.workers[1]
    stake = court.staking.bonded(node.id)
    vote = signed(court, batch, verifier)
    with acting(court.client), boa.reverts("bonds: not the node's owner or operator"):
        court.contradictions.contradict(*vote, batch.item(0), node.id, REASON)
    lost = contradict(court, batch, vote, node=node)
    assert court.staking.frozen(node.id) == court.bond()
    lost.decided(False)
    assert (court.staking.frozen(node.id), court.staking.bonded(node.id)) == (0, stake - court.bond())
    other = contradict(court, batch, signed(court, batch, verifier, measured=keccak(text="other")), node=node)
    won = money(court, node.owner)
    other.decided(True)
    assert (court.staking.frozen(node.id), court.staking.bonded(node.id)) == (0, stake - court.bond())
    assert money(court, node.owner) > won


def test_owners_of_client_worker_challenger_and_verifier_and_voters_judge_no_vote(
    court: Court, batch: Batch, verifier: Node
) -> None:
    parties = [court.client, court.nodes[batch.leaves[0].node].owner, verifier.owner, court.challenger]
    friends = [court.register(VERIFIER, owner) for owner in parties]
    court.nodes |= {friend.id: friend for friend in friends}
    weights = {node.id: 100 for node in court.verifiers} | {friend.id: 1_000 for friend in friends}
    court.roster = court.post_roster(weights)
    court.set_parameter("panel", 15)
    doubted = contradict(court, batch, signed(court, batch, verifier))
    sitting = {seat.id for seat in doubted.fill()}
    met = {node.id for node in doubted.met()}
    unfit = {verifier.id, *doubted.voters, *(friend.id for friend in friends)}
    assert unfit <= met
    assert sitting == met - unfit
    assert {node.id for node in court.nodes.values() if court.contradictions.ballot(doubted.id, node.id)} == sitting


def test_an_old_key_of_the_verifier_binds_it(court: Court, batch: Batch, verifier: Node) -> None:
    vote = signed(court, batch, verifier)
    fresh = key("fresh operator of the accused")
    with acting(verifier.owner):
        court.registry.set_operator(verifier.id, fresh.address)
    assert contradict(court, batch, vote).decided(True).status() == UPHELD


def test_a_rejection_is_a_vote_on_pixels_too(court: Court) -> None:
    batch = settled(court, outcome=Outcome.REJECTED)
    vote = signed(court, batch, accused(court, batch), outcome=Outcome.REJECTED)
    assert contradict(court, batch, vote).decided(True).status() == UPHELD


@pytest.mark.parametrize("outcome", [0, Outcome.LATE, Outcome.CLIENT_FAULT, Outcome.VOID, Outcome.UNSERVED, 7])
def test_other_votes_are_not_about_pixels(court: Court, batch: Batch, verifier: Node, outcome: int) -> None:
    with boa.reverts("Contradictions: neither accepted nor rejected"):
        contradict(court, batch, signed(court, batch, verifier, outcome=outcome))


def test_the_leaf_is_the_attempts_own_and_final(court: Court, batch: Batch, verifier: Node) -> None:
    other = settled(court, "another task")
    for changes in ({"task": other.leaves[0].task}, {"attempt": 1}):
        with boa.reverts("Contradictions: not the leaf of the vote's attempt"):
            contradict(court, batch, signed(court, batch, verifier, **changes))
    header, leaf, _, proof = batch.item(0)
    with boa.reverts("Contradictions: no such leaf"):
        contradict(court, batch, signed(court, batch, verifier), (header, leaf, 1, proof))
    waiting = court.batch([court.ballot("a third task").leaf])
    vote = signed(court, waiting, verifier)
    with boa.reverts("Contradictions: not final"):
        contradict(court, waiting, vote)
    with acting(court.disputes):
        court.batches.cancel(waiting.commitment)
    with boa.reverts("Contradictions: not final"):
        contradict(court, waiting, vote)
    assert contradict(court, batch, signed(court, batch, verifier)).status() == OPEN


def test_a_vote_whose_outcome_a_panel_voided_is_contradicted_all_the_same(court: Court) -> None:
    batch = court.batch([court.ballot().leaf])
    with acting(court.objections):
        court.batches.void_leaf(*batch.item(0))
    court.make_final(batch)
    assert contradict(court, batch, signed(court, batch, accused(court, batch))).decided(True).status() == UPHELD


def test_who_is_silent_on_a_vote_pays_where_most_spoke(court: Court, batch: Batch, verifier: Node) -> None:
    court.set_parameter("panel", 3)
    doubted = contradict(court, batch, signed(court, batch, verifier))
    seats = doubted.fill()
    for seat in seats[:2]:
        doubted.vote(seat, False)
    with boa.reverts("Panels: voting goes on"):
        doubted.resolve()
    advance(court.window("panel_window") + 1)
    stake = court.staking.bonded(seats[2].id)
    doubted.resolve()
    assert stake - court.staking.bonded(seats[2].id) == court.staking.required(seats[2].id) * 5 // 100
    assert doubted.status() == REJECTED
