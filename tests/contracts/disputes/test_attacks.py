# SPDX-License-Identifier: Apache-2.0
"""Attacks that the courts must stand, each named after what the attacker tries."""

from dataclasses import replace

import boa
import pytest
from eth_utils import keccak

from inferix.messages import compact, pack_voters, unpack_voters, votes_hash
from inferix.models.roles import Outcome
from tests.contracts.disputes.court import NEEDED, Batch, Court, pack
from tests.contracts.disputes.test_panels import APPEALED, CLEARED, OPEN, Trial, appealed, charged, trial, vote
from tests.contracts.disputes.test_votes import answer, disputed, expire
from tests.contracts.system import ACTIVE, DAY, FROZEN, VERIFIER, WORKER, acting, advance
from tests.contracts.work.network import batch_leaf


def test_replayed_votes_from_another_attempt(court: Court) -> None:
    """The votes of attempt 0 under a leaf of attempt 1, which came to the same pixels."""
    first = court.ballot()
    second = court.ballot(attempt=1, worker=court.workers[1])
    same = court.receipt_of(second.leaf, result=first.leaf.result)
    anchor, second.place = court.receive(same)
    second.receipt = compact(same.sign(court.domain, bytes(court.workers[1].operator.key)))
    second.leaf = second.leaf.model_copy(update={"result": same.result, "anchor": anchor})
    second.packed, second.members = first.packed, first.members
    changes = {"votes": first.leaf.votes, "voters": first.leaf.voters}
    second.leaf = second.leaf.model_copy(update=changes)
    batch = disputed(court, second)
    with boa.reverts("Committees: not signed by the voter"):
        answer(court, second, batch)


def test_replayed_votes_on_another_result(court: Court) -> None:
    ballot = court.ballot()
    cheaper = court.receipt_of(ballot.leaf, result=keccak(text="a cheaper result"))
    anchor, ballot.place = court.receive(cheaper)
    ballot.receipt = compact(cheaper.sign(court.domain, bytes(court.workers[0].operator.key)))
    ballot.leaf = ballot.leaf.model_copy(update={"result": cheaper.result, "anchor": anchor})
    batch = disputed(court, ballot)
    with boa.reverts("Committees: not signed by the voter"):
        answer(court, ballot, batch)


def test_foreign_committee(court: Court) -> None:
    """Three registered, bonded, honest-looking verifiers, whom the seed did not draw."""
    court.set_parameter("committee", 3)
    task = court.ballot().leaf.task
    drawn = court.drawn(task, 0, court.workers[0], seats=6)
    foreign = [node for node in court.verifiers if node not in drawn][:NEEDED]
    ballot = court.ballot(voters=foreign)
    batch = disputed(court, ballot)
    with boa.reverts("Committees: a voter was not drawn"):
        answer(court, ballot, batch)
    ballot.members = court.members([*foreign, *drawn[:5]])
    with boa.reverts("Committees: a voter was not drawn"):
        answer(court, ballot, batch)


def test_committee_of_another_seed(court: Court) -> None:
    """Votes of the committee that an earlier anchor drew, under a leaf that names a later one."""
    for name, value in (("committee", 4), ("committee", 3), ("votes_needed", 2), ("committee", 2)):
        court.set_parameter(name, value)
    first = court.ballot()
    receipt = court.receipt_of(first.leaf)
    early = late = court.drawn(first.leaf.task, 0, court.workers[0], seats=2)
    while {node.id for node in early} <= {node.id for node in late}:
        court.receive(receipt, anew=True)
        late = court.drawn(first.leaf.task, 0, court.workers[0], seats=4)
    ballot = court.ballot(voters=early)
    assert ballot.leaf.anchor > first.leaf.anchor
    batch = disputed(court, ballot)
    with boa.reverts("Committees: a voter was not drawn"):
        answer(court, ballot, batch)
    ballot.place, ballot.leaf = first.place, ballot.leaf.model_copy(update={"anchor": first.leaf.anchor})
    answer(court, ballot, disputed(court, ballot))


def test_seed_that_is_not_sealed(court: Court) -> None:
    ballot = court.ballot(anchor=99)
    batch = disputed(court, ballot)
    with boa.reverts("Committees: receipt not in the anchor"):
        answer(court, ballot, batch)


def test_a_member_that_no_roster_holds(court: Court) -> None:
    ballot = court.ballot()
    leaf, proof = ballot.members[0]
    batch = disputed(court, ballot)
    for other in ((*leaf[:4], 10**6), (leaf[0], leaf[1] + 1, *leaf[2:])):
        ballot.members[0] = (other, proof)
        with boa.reverts("draws: not in this roster"):
            answer(court, ballot, batch)


def test_a_voter_whose_owner_is_the_worker(court: Court) -> None:
    """The worker's owner owns a verifier too, which the draw hits: its vote has no seat."""
    worker = court.workers[0]
    own = court.register(VERIFIER, owner=worker.owner)
    court.stake(own, court.staking.required(own.id))
    court.nodes[own.id] = own
    court.roster = court.post_roster({**{node.id: 1 for node in court.verifiers}, own.id: 12})
    court.anchor_index = court.seal_anchor(court.keeper)
    drawn = court.drawn(court.ballot().leaf.task, 0, worker)
    ballot = court.ballot(voters=[own, *drawn[: NEEDED - 1]])
    with boa.env.anchor(), boa.reverts("Committees: a voter was not drawn"):
        answer(court, ballot, disputed(court, ballot))
    honest = court.ballot(voters=drawn[:NEEDED])
    # Most draws hit the heavy node: shown as a misfit, they take no seats.
    honest = replace(honest, members=court.members([*honest.voters, own]))
    answer(court, honest, disputed(court, honest))


def test_unsorted_voters(court: Court) -> None:
    voters = court.ballot().voters[::-1]
    check_order(court, [node.id for node in voters])


def test_one_voter_three_times(court: Court) -> None:
    check_order(court, [court.ballot().voters[0].id] * NEEDED)


def check_order(court: Court, ids: list[int]) -> None:
    """Votes in this order, by voters named in this order, are no answer."""
    ballot = court.ballot()
    task, result = ballot.leaf.task, ballot.leaf.result
    packed = pack([court.vote(court.nodes[id], task, 0, result, Outcome.ACCEPTED) for id in ids])
    voters = b"".join(id.to_bytes(4, "big") for id in ids).ljust(32, b"\0")
    ballot.leaf = ballot.leaf.model_copy(update={"votes": keccak(packed), "voters": voters})
    ballot.packed = packed
    batch = disputed(court, ballot)
    with boa.reverts("Committees: voters not ascending"):
        answer(court, ballot, batch)


def test_the_helpers_order_is_the_contracts(court: Court) -> None:
    """What the two tests above change is all that they change."""
    ballot = court.ballot()
    votes = [court.vote(node, ballot.leaf.task, 0, ballot.leaf.result, Outcome.ACCEPTED) for node in ballot.voters]
    assert votes_hash(votes) == ballot.leaf.votes == keccak(pack(votes))
    assert pack_voters([node.id for node in ballot.voters]) == ballot.leaf.voters
    answer(court, ballot, disputed(court, ballot))


def test_dispute_on_a_reorged_commitment(court: Court) -> None:
    """The chain lost the batch and another one took its place: a dispute of the first finds nothing, and costs nothing."""
    first, other = court.ballot("lost"), court.ballot("kept")
    with boa.env.anchor():
        lost = court.batch([first.leaf])
        court.challenge(lost)
    kept = court.batch([other.leaf])
    assert (kept.header.sequence, kept.header.previous) == (lost.header.sequence, lost.header.previous)
    balance = court.ifx.balanceOf(court.challenger.address)
    with boa.reverts("Disputes: no such leaf"):
        court.challenge(lost)
    with boa.reverts("Batches: not proposed"), acting(court.challenger):
        court.disputes.challenge_data(lost.header.values(), 0, 0)
    assert court.ifx.balanceOf(court.challenger.address) == balance
    assert court.batches.batch(kept.commitment).disputes == 0
    court.challenge(kept)
    assert court.batches.batch(kept.commitment).disputes == 1


def test_a_cancelled_batch_does_not_come_back(court: Court) -> None:
    """Its commitment is spent, and so is every dispute about it."""
    batch = disputed(court, court.ballot())
    expire(court, batch)
    court.set_active(court.keeper)
    with boa.reverts("Batches: proposed before"):
        court.batch(batch.leaves)
    with boa.reverts("Disputes: disputed before"):
        court.challenge(batch)


def test_self_dispute_is_not_free(court: Court) -> None:
    """A manager that disputes its own batch to hold it up loses half a bond each time."""
    ballot, owner = court.ballot(), court.keeper.owner
    court.give_ifx(owner.address, court.bond() * 2)
    before = court.ifx.balanceOf(owner.address)
    batch = court.batch([ballot.leaf])
    with acting(owner):
        court.ifx.approve(court.disputes, 2**256 - 1)
        court.disputes.challenge_votes(*batch.item(0), 0)
    answer(court, ballot, batch)
    assert before - court.ifx.balanceOf(owner.address) >= court.bond() // 2


def test_self_conviction_is_not_free(court: Court) -> None:
    """A manager about to be caught reports itself through a friend: more is burned than the friend gets."""
    batch = court.batch([batch_leaf(1), batch_leaf(1)])
    owner = court.keeper.owner
    stake, balance = court.staking.bonded(court.keeper.id), court.ifx.balanceOf(owner.address)
    with acting(owner):
        court.disputes.prove_duplicate(batch.item(0), batch.item(1), (0, 0, 0, bytes(32), 0, 0, 0, 0, 0), 0)
    lost = stake - court.staking.bonded(court.keeper.id)
    assert court.ifx.balanceOf(owner.address) - balance < lost // 2


def own_worker(court: Court, second: bool) -> int:
    """Place of the accused among the workers, or of its owner's second node."""
    if not second:
        return 0
    court.workers = [*court.workers, court.register(WORKER, owner=court.workers[0].owner)]
    return len(court.workers) - 1


@pytest.mark.parametrize("second", [False, True])
def test_charge_with_the_same_owner(court: Court, second: bool) -> None:
    """The accused's owner redoes the task with another of its nodes, or a rival of one owner accuses itself."""
    case = trial(court, worker=own_worker(court, second), final=True)
    case.freeze()
    with boa.reverts("Panels: redone by the same owner"):
        case.charge()


@pytest.mark.parametrize("second", [False, True])
def test_clear_with_the_same_owner(court: Court, second: bool) -> None:
    """The accused fails the task once more with a node of its own, to blame the client."""
    case = trial(court, redone=Outcome.CLIENT_FAULT, worker=own_worker(court, second), final=True)
    case.freeze()
    with boa.reverts("Panels: redone by the same owner"):
        court.panels.clear_redone(case.id, case.batch.item(1))


def test_charge_with_another_task(court: Court) -> None:
    case = trial(court, final=True)
    case.freeze()
    other = court.make_final(court.batch([court.ballot("other", attempt=1, worker=court.workers[1]).leaf]))
    with boa.reverts("Panels: not the task redone"):
        court.panels.charge(case.batch.item(0), other.item(0))


def test_charge_with_an_earlier_acceptance(court: Court) -> None:
    leaves = [
        court.ballot(attempt=0, worker=court.workers[1]).leaf,
        court.ballot(attempt=1, outcome=Outcome.REJECTED, worker=court.workers[0]).leaf,
    ]
    case = Trial(court, court.make_final(court.batch(leaves)), 1, 0)
    case.freeze()
    with boa.reverts("Panels: not a later attempt"):
        case.charge()


def test_appeal_after_the_window(court: Court) -> None:
    case = charged(court)
    advance(court.window("appeal_window") + 1)
    with boa.reverts("Panels: appeal window over"), acting(court.workers[0].owner):
        court.panels.appeal(case.id)


def test_a_panel_member_that_is_a_voter(court: Court) -> None:
    """Whoever voted in the rejected attempt gets no seat, though the draws hit it."""
    case = appealed(court)
    seats = court.fill(case.id)
    info = court.panels.case(case.id)
    voters = {node.id for node in court.verifiers if not court.fits_panel(case.id, node)}
    assert voters == set(unpack_voters(bytes(info.voters)))
    assert len(voters) == NEEDED
    assert not voters & {seat.id for seat in seats}
    for id in voters:
        assert court.panels.ballot(case.id, id) == 0
        with boa.reverts("Panels: no seat"):
            vote(court, case, {id: False})


def test_a_panel_member_that_is_a_party(court: Court) -> None:
    worker = court.workers[0]
    own = court.register(VERIFIER, owner=worker.owner)
    court.stake(own, court.staking.required(own.id))
    court.nodes[own.id] = own
    court.roster = court.post_roster({**{node.id: 1 for node in court.verifiers}, own.id: 5})
    case = appealed(court)
    seats = court.fill(case.id)
    assert own.id not in {seat.id for seat in seats}
    assert court.panels.ballot(case.id, own.id) == 0


def test_seat_out_of_order(court: Court) -> None:
    """A friend of the accused is drawn tenth and would like to sit first."""
    case = appealed(court)
    advance(60)
    court.panels.seal(case.id)
    met = court.met(case.id)
    with boa.reverts("Panels: not the next draw"):
        court.seat(case.id, [met[1], met[0]])
    with boa.reverts("Panels: not the next draw"):
        court.seat(case.id, met[9:10])
    court.seat(case.id, met[:2])
    with boa.reverts("Panels: not the next draw"):
        court.seat(case.id, met[:1])
    court.seat(case.id, met[2:])
    with boa.reverts("Panels: the panel is complete"):
        court.panels.seat(case.id, [], [])


def test_seats_of_another_roster(court: Court) -> None:
    """A roster posted after the appeal, with the friend alone in it, draws nobody."""
    case = appealed(court)
    old = court.roster
    court.roster = court.post_roster({court.verifiers[0].id: 1})
    advance(60)
    court.panels.seal(case.id)
    with boa.reverts("draws: not in this roster"):
        court.seat(case.id, court.verifiers[:1])
    court.roster = old
    court.seat(case.id, court.met(case.id)[:1])


def test_more_seats_than_the_panel_has(court: Court) -> None:
    court.set_parameter("panel_minimum", 1)
    court.set_parameter("panel", 1)
    case = appealed(court)
    advance(60)
    court.panels.seal(case.id)
    met = court.met(case.id)
    first = next(at for at, node in enumerate(met) if court.fits_panel(case.id, node))
    with boa.reverts("Panels: the panel is complete"):
        court.seat(case.id, met[: first + 2])


def test_freeze_of_a_leaf_in_a_cancelled_batch(court: Court) -> None:
    case = trial(court)
    court.challenge(case.batch, 1)
    expire(court, Batch(case.batch.header, case.batch.leaves, case.batch.tree), 1)
    with boa.reverts("Panels: batch cancelled"):
        case.freeze()


def test_a_case_falls_with_its_batch_and_opens_with_the_next(court: Court) -> None:
    case = trial(court)
    case.freeze()
    with boa.reverts("Panels: may still be redone"):
        court.panels.clear(case.id)
    court.challenge(case.batch, 1)
    expire(court, case.batch, 1)
    court.panels.clear(case.id)
    assert case.status() == CLEARED
    with boa.reverts("Panels: batch cancelled"):
        case.freeze()
    court.set_active(court.keeper)
    again = Trial(court, court.batch([*case.batch.leaves], data=keccak(text="again")), 0, 1)
    again.freeze()
    assert again.status() == OPEN
    assert bytes(court.panels.case(case.id).commitment) == again.batch.commitment


def test_double_freeze(court: Court) -> None:
    case = trial(court)
    case.freeze()
    frozen = court.staking.frozen(court.workers[0].id)
    with boa.reverts("Panels: frozen before"):
        case.freeze()
    court.make_final(case.batch)
    advance(40 * DAY + 1)
    court.panels.clear(case.id)
    with boa.reverts("Panels: frozen before"):
        case.freeze()
    assert court.staking.frozen(court.workers[0].id) == 0 < frozen


def test_escape_by_unbonding_before_the_slash(court: Court) -> None:
    """The accused retires and unbonds everything before anybody freezes; it waits in vain."""
    worker, case = court.workers[0], trial(court, final=True)
    with acting(worker.owner):
        court.registry.retire(worker.id)
        court.staking.unbond(worker.id, court.staking.bonded(worker.id))
    case.charge()
    assert court.registry.node(worker.id).status == FROZEN
    stake, amount = court.staking.unbonding(worker.id), court.panels.case(case.id).amount
    assert amount > 0
    advance(court.window("unbonding") + 1)
    with boa.reverts("Staking: held by an open case or batch"), acting(worker.owner):
        court.staking.withdraw(worker.id)
    court.panels.execute(case.id)
    assert stake - court.staking.unbonding(worker.id) == amount
    with acting(worker.owner):
        assert court.staking.withdraw(worker.id) == stake - amount


def test_unbonding_is_blocked_for_nobody_else(court: Court) -> None:
    rival = court.workers[1]
    charged(court)
    with acting(rival.owner):
        stake = court.staking.bonded(rival.id)
        court.staking.unbond(rival.id, stake)
    advance(court.window("unbonding") + 1)
    with acting(rival.owner):
        assert court.staking.withdraw(rival.id) == stake


def test_a_panel_vote_of_another_case(court: Court) -> None:
    court.set_parameter("panel", 3)
    case = appealed(court)
    (seat, *_) = court.fill(case.id)
    with boa.reverts("Panels: not signed by the node's operator"):
        court.panels.vote(case.id, *court.panel_vote(seat, keccak(text="another case"), True))
    assert case.status() == APPEALED


def test_a_forged_rejection_freezes_no_other_manager_and_no_verifier(court: Court) -> None:
    victims = [court.keeper, court.verifiers[0]]
    forged = [
        court.ballot(f"forged {node.id}", outcome=Outcome.REJECTED, worker=node, voters=[]).leaf for node in victims
    ]
    batch = court.batch(sorted(forged, key=lambda leaf: leaf.task))
    for index in range(len(victims)):
        with boa.reverts("Panels: not a worker"):
            court.panels.freeze(*batch.item(index))
    for node in victims:
        assert (court.registry.terms(node.id).status, court.staking.frozen(node.id)) == (ACTIVE, 0)
