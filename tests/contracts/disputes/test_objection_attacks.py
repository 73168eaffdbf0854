# SPDX-License-Identifier: Apache-2.0
"""Attacks on objections and by them; exits where everybody is silent; batches that stand alone."""

import boa
import pytest
from eth_utils import keccak

from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Batch, Court
from tests.contracts.disputes.objecting import DROPPED, REASON, REJECTED, UPHELD, money, outcomes
from tests.contracts.disputes.worker import delivered, fund
from tests.contracts.system import DAY, VERIFIER, acting, advance

FINAL, CANCELLED = 2, 3


@pytest.fixture
def batch(court: Court) -> Batch:
    return court.batch([court.ballot(f"task {at}", worker=court.workers[at % 3]).leaf for at in range(4)])


def finalize(court: Court, batch: Batch) -> None:
    court.batches.finalize(batch.header.values())


def test_parties_and_voters_have_no_seat(court: Court, batch: Batch) -> None:
    """Verifiers of the client, the worker's owner, the manager's and the challenger's: drawn, and passed over."""
    theirs = []
    for owner in (court.client, court.workers[0].owner, court.keeper.owner, court.challenger):
        node = court.register(VERIFIER, owner=owner)
        court.stake(node, court.staking.required(node.id))
        court.nodes[node.id] = node
        theirs.append(node)
    court.roster = court.post_roster({**{node.id: 3 for node in court.verifiers}, **{node.id: 9 for node in theirs}})
    heard = outcomes(court, batch, [0, 1])
    seats = {node.id for node in heard.fill()}
    voters = {node.id for node in court.verifiers if node.id in heard.voters}
    assert len(voters) == 3
    assert seats == {node.id for node in court.verifiers} - voters
    for id in [*voters, *(node.id for node in theirs)]:
        assert court.objections.ballot(heard.id, id) == 0
        with boa.reverts("Panels: no seat"):
            heard.vote(court.nodes[id], True)


def test_the_challengers_node_has_no_seat(court: Court, batch: Batch) -> None:
    voters = outcomes(court, batch, [0]).voters
    node = next(node for node in court.verifiers if node.id not in voters)
    heard = outcomes(court, batch, [0, 1], node)
    heard.fill()
    assert node in heard.met()
    assert court.objections.ballot(heard.id, node.id) == 0


def test_votes_are_the_seats_signed_and_once(court: Court, batch: Batch) -> None:
    court.set_parameter("panel", 3)
    heard, other = outcomes(court, batch, [0]), outcomes(court, batch, [0, 1])
    seat = court.verifiers[0]
    with boa.reverts("Panels: panel not complete"):
        heard.vote(seat, True)
    with boa.reverts("Panels: too young to seal"):
        court.objections.seal(heard.id)
    seats = heard.fill()
    stranger = next(node for node in court.verifiers if node not in seats)
    with boa.reverts("Panels: no seat"):
        heard.vote(stranger, True)
    id, upheld, measured, _ = court.panel_vote(seats[0], heard.id, True)
    for forged in (
        court.panel_vote(stranger, heard.id, True)[3],
        court.panel_vote(seats[0], heard.id, False)[3],
        court.panel_vote(seats[0], other.id, True)[3],
    ):
        with boa.reverts("Panels: not signed by the node's operator"):
            court.objections.vote(heard.id, id, upheld, measured, forged)
    heard.vote(seats[0], True)
    assert court.objections.ballot(heard.id, seats[0].id) == 2
    with boa.reverts("Panels: voted already"):
        heard.vote(seats[0], False)
    with boa.reverts("Panels: voting goes on"):
        heard.resolve()
    advance(court.window("panel_window") + 1)
    with boa.reverts("Panels: voting is over"):
        heard.vote(seats[1], True)


def test_a_friend_drawn_later_does_not_sit_first(court: Court, batch: Batch) -> None:
    heard = outcomes(court, batch, [0])
    with boa.reverts("Panels: not sealed"):
        heard.seat(court.verifiers[:1])
    advance(60)
    court.objections.seal(heard.id)
    met = heard.met()
    with boa.reverts("Panels: not the next draw"):
        heard.seat([met[1], met[0]])
    heard.seat(met[:1])


def test_an_id_of_nothing_opens_nothing(court: Court, batch: Batch) -> None:
    id = keccak(text="no objection")
    for call in (court.objections.seal, court.objections.resolve):
        with boa.reverts("Objections: not open"):
            call(id)
    with boa.reverts("Objections: not open"):
        court.objections.seat(id, [], [])
    with acting(court.governor), boa.reverts("Objections: not open"):
        court.objections.decide(id, True)
    case_vote = court.panel_vote(court.verifiers[0], id, True)
    with boa.reverts("Objections: not open"):
        court.objections.vote(id, *case_vote)


def test_only_what_was_named_is_voided_and_once(court: Court, batch: Batch) -> None:
    heard = outcomes(court, batch, [1, 2])
    with boa.reverts("Objections: not to be voided"):
        heard.void(0)
    heard.decided(True)
    for places in ([0, 2], [1, 2, 3], [1], [2, 1]):
        with boa.reverts("Objections: not what it names"):
            heard.void(0, places=places)
    with boa.reverts("Objections: no such place"):
        court.objections.void(heard.id, *batch.item(1)[:2], 2, batch.item(1)[3], [1, 2])
    with boa.reverts("Batches: no such leaf"):
        heard.void(0, index=2)
    heard.void(0)
    with boa.reverts("Objections: not to be voided"):
        heard.void(0)
    assert court.batches.batch(batch.commitment).voided_charge == 10**6


def test_no_leaf_of_another_batch_is_voided(court: Court, batch: Batch) -> None:
    other = court.batch([court.ballot(f"other {at}").leaf for at in range(2)], court.other_keeper)
    heard = outcomes(court, batch, [0]).decided(True)
    with boa.reverts("Objections: not what it names"):
        heard.void(0, other)
    with acting(court.challenger), boa.reverts("Batches: not Objections"):
        court.batches.void_leaf(*batch.item(0))


def test_two_that_name_the_same_leaf_both_end(court: Court, batch: Batch) -> None:
    first, second = outcomes(court, batch, [0, 1]), outcomes(court, batch, [1, 2])
    for heard in (first, second):
        heard.decided(True)
        for at in (0, 1):
            heard.void(at)
    voided = court.batches.batch(batch.commitment)
    assert (voided.voided_charge, voided.disputes) == (3 * 10**6, 0)
    advance(court.window("batch_window"))
    finalize(court, batch)


def test_leaves_that_nobody_shows_do_not_hold_a_lane_up_for_ever(court: Court, batch: Batch) -> None:
    heard = outcomes(court, batch, [0, 3]).decided(True)
    heard.void(0)
    with boa.reverts("Objections: leaves may still be voided"):
        heard.resolve()
    advance(28 * DAY)
    with boa.reverts("Batches: dispute open"):
        finalize(court, batch)
    heard.resolve()
    assert (heard.status(), heard.info().unvoided) == (UPHELD, 0)
    with boa.reverts("Objections: not to be voided"):
        heard.void(1)
    finalize(court, batch)
    assert court.batches.batch(batch.commitment).voided_charge == 10**6
    with boa.reverts("Objections: not open"):
        heard.resolve()


def test_dust_holds_a_lane_up_for_no_longer_than_it_takes_to_decide(court: Court, batch: Batch) -> None:
    """Each costs a bond and is new in the window only: afterwards the last one's end is the lane's."""
    supply = court.ifx.totalSupply()
    all_heard = [outcomes(court, batch, [at]) for at in range(4)]
    advance(court.window("batch_window"))
    for places in ([0, 1], [1, 2], [0, 1, 2, 3]):
        with boa.reverts("Batches: window over"):
            outcomes(court, batch, places)
    for heard in all_heard:
        heard.decided(False)
    finalize(court, batch)
    assert supply - court.ifx.totalSupply() >= 4 * (court.bond() // 2)


def test_nobody_moves_for_a_month_and_the_lane_goes_on(court: Court, batch: Batch) -> None:
    """No panel, no governor, nobody voids: two calls of anybody are enough."""
    heard = outcomes(court, batch, [0])
    advance(28 * DAY + 1)
    for _ in range(3):
        heard.resolve()
    finalize(court, batch)
    assert court.status(batch) == FINAL


def test_to_object_to_ones_own_batch_burns_half(court: Court, batch: Batch) -> None:
    owner = court.keeper.owner
    court.give_ifx(owner.address, 2 * court.bond())
    with acting(owner):
        court.ifx.approve(court.objections, 2**256 - 1)
    court.challenger, before = owner, money(court, owner)
    outcomes(court, batch, [0]).decided(False)
    assert before - money(court, owner) == court.bond() - court.bond() // 2


def test_a_lost_vote_is_not_dropped_while_the_batch_stands(court: Court, batch: Batch) -> None:
    heard = outcomes(court, batch, [0])
    heard.hear(False, False, False)
    heard.resolve()
    assert heard.status() == REJECTED
    with acting(court.disputes):
        court.batches.cancel(batch.commitment)
    with boa.reverts("Objections: not open"):
        heard.resolve()
    assert money(court, court.objections) == 0


def test_one_objections_bond_pays_no_other(court: Court, batch: Batch) -> None:
    """Of two open ones each gives back its own: the contract holds both, to the wei."""
    first = outcomes(court, batch, [0])
    court.set_parameter("dispute_bond", 3 * court.window("dispute_bond"))
    second = outcomes(court, batch, [1])
    bonds = [int(heard.info().bond) for heard in (first, second)]
    assert money(court, court.objections) == sum(bonds)
    first.decided(True)
    assert money(court, court.objections) == bonds[1]
    second.decided(False)
    assert money(court, court.objections) == 0


def test_while_paused_the_clock_stands_and_what_is_voted_ends(court: Court, batch: Batch) -> None:
    voted, silent = outcomes(court, batch, [0]), outcomes(court, batch, [1])
    voted.hear(True, True, True)
    with acting(court.guardian):
        court.parameters.pause()
    advance(2 * court.window("panel_window"))
    with boa.reverts("Panels: may still be seated"):
        silent.resolve()
    voted.resolve()
    voted.void(0)
    assert court.batches.is_void(batch.commitment, 0)
    with acting(court.disputes):
        court.batches.cancel(batch.commitment)
    silent.resolve()
    assert silent.status() == DROPPED


def test_a_cancelled_batch_voids_no_more(court: Court, batch: Batch) -> None:
    heard = outcomes(court, batch, [0]).decided(True)
    with acting(court.disputes):
        court.batches.cancel(batch.commitment)
    with boa.reverts("Batches: not proposed"):
        heard.void(0)
    assert court.status(batch) == CANCELLED


@pytest.mark.parametrize("upheld", [True, False])
def test_a_batch_that_stands_alone_is_its_proposers(court: Court, upheld: bool) -> None:
    """Rejected, the half is the proposer's; upheld, the bond that it stands on is burned and no manager pays."""
    worker = court.workers[0]
    fund(court, worker.owner)
    batch = delivered(court).propose()
    heard, escape = outcomes(court, batch, [0]), court.escape.bond_of(batch.commitment)
    before, won, stake = (
        money(court, worker.owner),
        money(court, court.keeper.owner),
        court.staking.bonded(court.keeper.id),
    )
    supply, bond = court.ifx.totalSupply(), heard.info().bond
    heard.decided(upheld)
    if upheld:
        heard.void(0)
    advance(court.window("batch_window"))
    finalize(court, batch)
    court.escape.release(batch.commitment)
    gained = 0 if upheld else escape + bond // 2
    assert money(court, worker.owner) - before == gained
    assert supply - court.ifx.totalSupply() == (escape if upheld else bond - bond // 2)
    assert money(court, court.keeper.owner) == won
    assert court.staking.bonded(court.keeper.id) == stake
    assert court.batches.final_charge(1) == (0 if upheld else batch.leaves[0].charge)


def test_whoever_proposed_a_batch_alone_has_no_seat(court: Court) -> None:
    """A rejection, which anybody may propose: neither its worker nor its manager is the same owner."""
    proposer = court.workers[1].owner
    own = court.register(VERIFIER, owner=proposer)
    court.stake(own, court.staking.required(own.id))
    court.nodes[own.id] = own
    fund(court, proposer)
    batch = delivered(court, "rejected", Outcome.REJECTED).propose(proposer)
    # Only now, or it would be a voter, who has no seat either.
    court.roster = court.post_roster({**{node.id: 1 for node in court.verifiers}, own.id: 5})
    heard = outcomes(court, batch, [0])
    heard.fill()
    assert own in heard.met()
    assert court.objections.ballot(heard.id, own.id) == 0


def test_a_challenger_that_is_no_party_to_the_stake(court: Court, batch: Batch) -> None:
    header, leaf, _, proof = batch.item(0)
    with acting(court.challenger), boa.reverts("bonds: not the node's owner or operator"):
        court.objections.object_outcomes(header, leaf, proof, [0], False, court.workers[0].id, REASON)
