# SPDX-License-Identifier: Apache-2.0
"""Disputes about the votes of a leaf: opened, answered, expired; each refusal beside its success."""

import boa
import pytest
from eth_utils import keccak

from inferix.messages import compact
from inferix.models.roles import Outcome
from tests.contracts.disputes.court import ASSEMBLE, NEEDED, Ballot, Batch, Court
from tests.contracts.system import JAILED, VERIFIER, acting, advance, key

VOTES = 1
OPEN, ANSWERED, UPHELD, DROPPED = 1, 2, 3, 4
PROPOSED, FINAL, CANCELLED = 1, 2, 3


def disputed(court: Court, ballot: Ballot) -> Batch:
    """A batch of this leaf, its votes challenged."""
    batch = court.batch([ballot.leaf])
    court.challenge(batch)
    return batch


def status(court: Court, batch: Batch) -> int:
    return int(court.disputes.dispute(court.disputes.dispute_id(batch.commitment, VOTES, 0)).status)


def answer(court: Court, ballot: Ballot, batch: Batch) -> None:
    court.disputes.answer_votes(*batch.item(0), ballot.encoded())


def expire(court: Court, batch: Batch, index: int = 0) -> None:
    advance(court.window("answer_window") + 1)
    court.disputes.expire(batch.header.values(), VOTES, index)


def test_an_answer_costs_the_challenger_its_bond(court: Court) -> None:
    ballot = court.ballot()
    owner, supply = court.keeper.owner.address, court.ifx.totalSupply()
    paid, won = court.ifx.balanceOf(court.challenger.address), court.ifx.balanceOf(owner)
    batch = disputed(court, ballot)
    bond = paid - court.ifx.balanceOf(court.challenger.address)
    assert bond >= court.bond() > 0
    assert court.disputes.dispute(court.disputes.dispute_id(batch.commitment, VOTES, 0)).bond == bond
    answer(court, ballot, batch)
    assert status(court, batch) == ANSWERED
    assert court.ifx.balanceOf(owner) - won == bond // 2
    assert supply - court.ifx.totalSupply() == bond - bond // 2
    assert court.ifx.balanceOf(court.disputes) == 0
    court.make_final(batch)
    assert court.status(batch) == FINAL


def test_silence_costs_the_proposer_its_batch_and_more(court: Court) -> None:
    batch = disputed(court, court.ballot())
    later = court.batch([court.ballot("another").leaf])
    with boa.reverts("Disputes: answer window open"):
        court.disputes.expire(batch.header.values(), VOTES, 0)
    stake, supply = court.staking.bonded(court.keeper.id), court.ifx.totalSupply()
    pool, balance = court.ifx.balanceOf(court.penalty_pool), court.ifx.balanceOf(court.challenger.address)
    bond = court.disputes.dispute(court.disputes.dispute_id(batch.commitment, VOTES, 0)).bond
    fine = court.staking.required(court.keeper.id) * court.window("slash_failed_bps") // 10_000
    expire(court, batch)
    assert status(court, batch) == UPHELD
    assert court.status(batch) == court.status(later) == CANCELLED
    lost = stake - court.staking.bonded(court.keeper.id)
    burned = supply - court.ifx.totalSupply()
    reward = court.ifx.balanceOf(court.challenger.address) - balance - bond
    assert lost == court.bond() + fine
    assert burned == lost - lost // 2
    assert 0 < reward <= court.bond() // 2 < burned
    assert court.ifx.balanceOf(court.penalty_pool) - pool == lost - burned - reward
    assert court.registry.node(court.keeper.id).status == JAILED
    with boa.reverts(), acting(court.keeper.operator):
        court.batches.anchor(court.keeper.id, b"\1" * 32, bytes(32))


def test_an_answer_comes_too_late(court: Court) -> None:
    ballot = court.ballot()
    batch = disputed(court, ballot)
    advance(court.window("answer_window") + 1)
    with boa.reverts("Disputes: too late to answer"):
        answer(court, ballot, batch)
    court.disputes.expire(batch.header.values(), VOTES, 0)
    with boa.reverts("Disputes: not open"):
        answer(court, ballot, batch)
    with boa.reverts("Disputes: not open"):
        court.disputes.expire(batch.header.values(), VOTES, 0)


def test_a_dispute_holds_up_its_own_batch_alone(court: Court) -> None:
    index = court.seal_anchor(court.other_keeper)
    ballot = court.ballot()
    free = court.batch([court.ballot("elsewhere", anchor=index).leaf], court.other_keeper)
    batch = court.batch([ballot.leaf])
    advance(court.window("batch_window") - 60)
    court.challenge(batch)
    advance(120)
    court.batches.finalize(free.header.values())
    assert court.status(free) == FINAL
    with boa.reverts():
        court.batches.finalize(batch.header.values())
    answer(court, ballot, batch)
    court.batches.finalize(batch.header.values())
    assert court.status(batch) == FINAL


def test_no_dispute_after_the_window(court: Court) -> None:
    batch = court.batch([court.ballot().leaf])
    advance(court.window("batch_window"))
    with boa.reverts("Batches: window over"):
        court.challenge(batch)


def test_a_leaf_is_disputed_once(court: Court) -> None:
    ballot = court.ballot()
    batch = disputed(court, ballot)
    with boa.reverts("Disputes: disputed before"):
        court.challenge(batch)
    answer(court, ballot, batch)
    with boa.reverts("Disputes: disputed before"):
        court.challenge(batch)


def test_only_a_leaf_of_the_batch_is_disputed(court: Court) -> None:
    batch = court.batch([court.ballot().leaf])
    stranger = Batch(batch.header, [court.ballot("elsewhere").leaf], batch.tree)
    with boa.reverts("Disputes: no such leaf"):
        court.challenge(stranger)


@pytest.mark.parametrize("outcome", [Outcome.LATE, Outcome.VOID])
def test_an_unpaid_outcome_needs_no_votes(court: Court, outcome: Outcome) -> None:
    honest = court.batch([court.ballot(outcome=outcome, voters=[]).leaf])
    with boa.reverts("Disputes: no votes needed"):
        court.challenge(honest)
    # But it must be unpaid: no votes can be shown for a late attempt that is charged.
    charged = court.ballot("charged", outcome=outcome, voters=[], charge=5)
    batch = disputed(court, charged)
    with boa.reverts():
        answer(court, charged, batch)
    expire(court, batch)
    assert court.status(batch) == CANCELLED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"outcome": Outcome.REJECTED, "charge": 5}, "Committees: charge without acceptance"),
        ({"outcome": Outcome.REJECTED, "work": 5}, "Committees: work without acceptance"),
        ({"outcome": Outcome.CLIENT_FAULT, "work": 5}, "Committees: work without acceptance"),
    ],
)
def test_votes_do_not_cover_more_than_they_say(court: Court, changes: dict[str, int], reason: str) -> None:
    ballot = court.ballot(**changes)
    batch = disputed(court, ballot)
    with boa.reverts(reason):
        answer(court, ballot, batch)


def test_a_bond_out_of_stake(court: Court) -> None:
    verifier, ballot = court.verifiers[0], court.ballot()
    batch = court.batch([ballot.leaf])
    with boa.reverts("bonds: not the node's owner or operator"), acting(court.challenger):
        court.disputes.challenge_votes(*batch.item(0), verifier.id)
    with acting(verifier.operator):
        court.disputes.challenge_votes(*batch.item(0), verifier.id)
    bond, stake = court.staking.frozen(verifier.id), court.staking.bonded(verifier.id)
    assert bond >= court.bond()
    owner = court.ifx.balanceOf(court.keeper.owner.address)
    answer(court, ballot, batch)
    assert court.staking.frozen(verifier.id) == 0
    assert court.staking.bonded(verifier.id) == stake - bond
    assert court.ifx.balanceOf(court.keeper.owner.address) - owner == bond // 2


def test_a_bond_out_of_stake_comes_back_to_it(court: Court) -> None:
    verifier = court.verifiers[0]
    batch = court.batch([court.ballot().leaf])
    with acting(verifier.owner):
        court.disputes.challenge_votes(*batch.item(0), verifier.id)
    stake, balance = court.staking.bonded(verifier.id), court.ifx.balanceOf(verifier.owner.address)
    expire(court, batch)
    assert court.staking.frozen(verifier.id) == 0
    assert court.staking.bonded(verifier.id) == stake
    assert court.ifx.balanceOf(verifier.owner.address) > balance


def test_a_node_without_stake_cannot_post_a_bond(court: Court) -> None:
    poor = court.register(VERIFIER)
    batch = court.batch([court.ballot().leaf])
    with boa.reverts("bonds: stake too small for the bond"), acting(poor.operator):
        court.disputes.challenge_votes(*batch.item(0), poor.id)


def test_a_dispute_falls_with_its_batch(court: Court) -> None:
    first = court.batch([court.ballot("first").leaf])
    second = court.batch([court.ballot("second").leaf])
    court.challenge(first)
    balance = court.ifx.balanceOf(court.challenger.address)
    court.challenge(second)
    expire(court, first)
    assert court.status(second) == CANCELLED
    reward = court.ifx.balanceOf(court.challenger.address)
    court.disputes.expire(second.header.values(), VOTES, 0)
    assert status(court, second) == DROPPED
    assert court.ifx.balanceOf(court.challenger.address) - reward >= court.bond()
    assert court.ifx.balanceOf(court.challenger.address) > balance


def test_nobody_answers_for_a_batch_that_fell(court: Court) -> None:
    first = court.batch([court.ballot("first").leaf])
    ballot = court.ballot("second")
    second = court.batch([ballot.leaf])
    court.challenge(first)
    advance(court.window("answer_window"))
    court.challenge(second)
    advance(1)
    court.disputes.expire(first.header.values(), VOTES, 0)
    with boa.reverts("Disputes: batch not proposed"):
        answer(court, ballot, second)


def test_too_few_votes(court: Court) -> None:
    task = court.ballot().leaf.task
    ballot = court.ballot(voters=court.drawn(task, 0, court.workers[0])[: NEEDED - 1])
    batch = disputed(court, ballot)
    with boa.reverts("Committees: too few votes"):
        answer(court, ballot, batch)


def test_more_votes_than_needed(court: Court) -> None:
    task = court.ballot().leaf.task
    ballot = court.ballot(voters=court.drawn(task, 0, court.workers[0])[:8])
    batch = disputed(court, ballot)
    answer(court, ballot, batch)
    assert status(court, batch) == ANSWERED


def test_votes_for_another_outcome(court: Court) -> None:
    ballot = court.ballot(outcome=Outcome.ACCEPTED, said=Outcome.REJECTED)
    batch = disputed(court, ballot)
    with boa.reverts("Committees: vote for another outcome"):
        answer(court, ballot, batch)


def test_votes_that_are_not_the_leafs(court: Court) -> None:
    ballot, other = court.ballot(), court.ballot("other")
    batch = disputed(court, ballot)
    with boa.reverts("Committees: not the votes of the leaf"):
        court.disputes.answer_votes(*batch.item(0), other.encoded())


def test_a_voter_that_is_not_named(court: Court) -> None:
    ballot = court.ballot()
    named = bytes(ballot.leaf.voters)
    for voters, reason in [
        (named[:8].ljust(32, b"\0"), "Committees: voters not ascending"),
        (named[:8] + (2**32 - 1).to_bytes(4, "big") + bytes(20), "Committees: not the voter of the leaf"),
        (named[:12] + (2**32 - 1).to_bytes(4, "big") + bytes(16), "Committees: a voter without a vote"),
    ]:
        with boa.env.anchor():
            wrong = court.ballot(voters=ballot.voters)
            wrong.leaf = wrong.leaf.model_copy(update={"voters": voters})
            batch = disputed(court, wrong)
            with boa.reverts(reason):
                answer(court, wrong, batch)


def test_a_key_replaced_after_its_vote_counts(court: Court) -> None:
    ballot = court.ballot()
    voter = ballot.voters[0]
    advance(10)
    with acting(voter.owner):
        court.registry.set_operator(voter.id, key("fresh operator").address)
    batch = disputed(court, ballot)
    answer(court, ballot, batch)
    assert status(court, batch) == ANSWERED


def test_a_key_replaced_before_the_seed_does_not_count(court: Court) -> None:
    voter = court.verifiers[0]
    with acting(voter.owner):
        court.registry.set_operator(voter.id, key("fresh operator").address)
    court.anchor_index = court.seal_anchor(court.keeper)
    name = next(
        f"task {i}"
        for i in range(99)
        if voter in court.drawn(court.ballot(f"task {i}").leaf.task, 0, court.workers[0])[:8]
    )
    task = court.ballot(name).leaf.task
    others = [node for node in court.drawn(task, 0, court.workers[0])[:8] if node is not voter]
    ballot = court.ballot(name, voters=[voter, *others[:2]])
    batch = disputed(court, ballot)
    with boa.reverts("Committees: signed by a former operator"):
        answer(court, ballot, batch)
    honest = court.ballot(name, voters=others[:3])
    with boa.env.anchor():
        answer(court, honest, disputed(court, honest))


def test_the_roster_of_the_seed_counts(court: Court) -> None:
    ballot = court.ballot()
    advance(30)
    court.post_roster({node.id: 7 for node in court.verifiers[:4]})
    batch = disputed(court, ballot)
    newest = court.roster_index()
    assert newest != ballot.roster
    right, ballot.roster = ballot.roster, newest
    with boa.reverts("Committees: roster not in force"):
        answer(court, ballot, batch)
    ballot.roster = right
    answer(court, ballot, batch)
    assert status(court, batch) == ANSWERED


def test_a_replaced_roster_does_not_count(court: Court) -> None:
    old = court.roster_index()
    court.post_roster({node.id: 50 + node.id for node in court.verifiers})
    court.anchor_index = court.seal_anchor(court.keeper)
    ballot = court.ballot()
    batch = disputed(court, ballot)
    ballot.roster = old
    with boa.reverts("Committees: roster not in force"):
        answer(court, ballot, batch)


def test_attack_a_roster_that_is_final_in_the_block_of_a_seal_draws_nobody_for_it(court: Court) -> None:
    """Whoever seals sees the seed: what comes after it in the same block would be chosen by it."""
    ballot = court.ballot()
    old, sealed_at = ballot.roster, court.batches.sealed_at(court.keeper.id, ballot.leaf.anchor)
    court.post_roster({node.id: 7 for node in court.verifiers[:4]})
    batch = disputed(court, ballot)
    ballot.roster = court.roster_index()
    assert court.rosters.term(2, ballot.roster).since == court.rosters.term(2, old).until == sealed_at
    with boa.reverts("Committees: roster not in force"):
        answer(court, ballot, batch)
    ballot.roster = old
    answer(court, ballot, batch)
    assert status(court, batch) == ANSWERED


def test_an_assemble_task_needs_one_vote(court: Court) -> None:
    worker = court.workers[0]
    task = court.ballot(index=ASSEMBLE).leaf.task
    voter = court.drawn(task, 0, worker)[0]
    ballot = court.ballot(index=ASSEMBLE, voters=[voter])
    batch = disputed(court, ballot)
    answer(court, ballot, batch)
    assert status(court, batch) == ANSWERED


def test_another_task_does_not_pass_for_an_assemble_task(court: Court) -> None:
    task = court.ballot(index=0).leaf.task
    ballot = court.ballot(index=0, voters=court.drawn(task, 0, court.workers[0])[:1])
    batch = disputed(court, ballot)
    with boa.env.anchor(), boa.reverts("Committees: too few votes"):
        answer(court, ballot, batch)
    ballot.index = ASSEMBLE
    with boa.reverts("Committees: not a task of this order"):
        answer(court, ballot, batch)


def test_an_assemble_committee_is_two_draws_of_one(court: Court) -> None:
    task = court.ballot(index=ASSEMBLE).leaf.task
    drawn = court.drawn(task, 0, court.workers[0])
    for voter, stands in [(drawn[1], True), (drawn[2], False)]:
        with boa.env.anchor():
            ballot = court.ballot(index=ASSEMBLE, voters=[voter])
            batch = disputed(court, ballot)
            # Repeats of earlier draws are explained by showing whom they hit.
            ballot.members = court.members([voter, *(node for node in drawn[:2] if node is not voter)])
            if stands:
                answer(court, ballot, batch)
            else:
                with boa.reverts("Committees: a voter was not drawn"):
                    answer(court, ballot, batch)


def test_a_second_rejection_is_the_clients_fault(court: Court) -> None:
    first, second = court.workers[:2]
    earlier = court.ballot(outcome=Outcome.REJECTED, worker=first)
    ballot = court.ballot(outcome=Outcome.CLIENT_FAULT, said=Outcome.REJECTED, attempt=1, worker=second)
    before = court.batch([earlier.leaf])
    batch = disputed(court, ballot)
    with boa.reverts("Committees: too few votes"):
        answer(court, ballot, batch)
    ballot.earlier = [before.item(0)]
    answer(court, ballot, batch)
    assert status(court, batch) == ANSWERED


@pytest.mark.parametrize(
    ("outcome", "attempt", "name", "worker", "reason"),
    [
        (Outcome.REJECTED, 0, "task", 1, "Committees: the same operator twice"),
        (Outcome.ACCEPTED, 0, "task", 0, "Committees: the earlier attempt was not rejected"),
        (Outcome.REJECTED, 2, "task", 0, "Committees: not an earlier attempt"),
        (Outcome.REJECTED, 0, "other", 0, "Committees: not an earlier attempt"),
    ],
)
def test_no_second_rejection_without_a_first(
    court: Court, outcome: Outcome, attempt: int, name: str, worker: int, reason: str
) -> None:
    earlier = court.ballot(name, outcome=outcome, attempt=attempt, worker=court.workers[worker])
    ballot = court.ballot(outcome=Outcome.CLIENT_FAULT, said=Outcome.REJECTED, attempt=1, worker=court.workers[1])
    ballot.earlier = [court.batch([earlier.leaf]).item(0)]
    batch = disputed(court, ballot)
    with boa.reverts(reason):
        answer(court, ballot, batch)


def test_a_first_rejection_that_was_cancelled_is_none(court: Court) -> None:
    earlier = court.ballot(outcome=Outcome.REJECTED)
    index = court.seal_anchor(court.other_keeper)
    fallen = court.batch([earlier.leaf.model_copy(update={"anchor": index})], court.other_keeper)
    court.challenge(fallen)
    expire(court, fallen)
    ballot = court.ballot(outcome=Outcome.CLIENT_FAULT, said=Outcome.REJECTED, attempt=1, worker=court.workers[1])
    ballot.earlier = [fallen.item(0)]
    batch = disputed(court, ballot)
    with boa.reverts("Committees: batch cancelled"):
        answer(court, ballot, batch)


def test_votes_of_client_fault_stand_alone(court: Court) -> None:
    ballot = court.ballot(outcome=Outcome.CLIENT_FAULT)
    batch = disputed(court, ballot)
    answer(court, ballot, batch)
    assert status(court, batch) == ANSWERED


def test_a_signature_of_another_key(court: Court) -> None:
    ballot = court.ballot()
    vote, _ = court.vote(ballot.voters[0], ballot.leaf.task, 0, ballot.leaf.result, Outcome.ACCEPTED)
    forged = compact(vote.sign(court.domain, bytes(court.challenger.key)))
    packed = ballot.packed[:37] + forged + ballot.packed[101:]
    ballot.packed = packed
    ballot.leaf = ballot.leaf.model_copy(update={"votes": keccak(packed)})
    batch = disputed(court, ballot)
    with boa.reverts("Committees: not signed by the voter"):
        answer(court, ballot, batch)
