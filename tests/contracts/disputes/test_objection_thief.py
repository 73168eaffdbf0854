# SPDX-License-Identifier: AGPL-3.0-only
"""What a thief tried with objections, voided leaves and leaves that need no votes: each gains nothing now."""

import boa

from inferix.models.anchor import BatchLeaf
from inferix.models.roles import Outcome
from tests.contracts.disputes.court import NO_ORDER, Court
from tests.contracts.disputes.objecting import DROPPED, UNDECIDED, UPHELD, money, outcomes
from tests.contracts.disputes.test_panels import amount_of, trial
from tests.contracts.disputes.worker import delivered, fund
from tests.contracts.system import ACTIVE, DAY, JAILED, acting, advance

PROPOSED, FINAL = 1, 2


def voteless(leaf: BatchLeaf, outcome: Outcome) -> BatchLeaf:
    """The same attempt, as one that nobody voted on and nobody is paid for."""
    nothing = {"work": 0, "charge": 0, "votes": bytes(32), "voters": bytes(32)}
    return leaf.model_copy(update={"outcome": outcome, **nothing})


def test_attack_a_void_leaf_that_a_panel_voided_does_not_take_the_escaped_workers_bond(court: Court) -> None:
    fund(court, court.workers[0].owner)
    case = delivered(court)
    lane = court.batch([voteless(case.leaf, Outcome.REJECTED)])
    heard = outcomes(court, lane, [0]).decided(True)
    assert heard.status() == UPHELD
    heard.void(0)
    advance(court.window("batch_window"))
    court.batches.finalize(lane.header.values())
    batch = case.propose()
    with boa.reverts("Disputes: leaf void"), acting(court.keeper.owner):
        court.disputes.prove_duplicate(lane.item(0), batch.item(0), NO_ORDER, 0)
    assert court.status(batch) == PROPOSED


def test_attack_a_leaf_that_needs_no_votes_is_no_veto_of_an_escape(court: Court) -> None:
    fund(court, court.workers[0].owner)
    case = delivered(court)
    batch = case.propose()
    for outcome in (Outcome.VOID, Outcome.LATE):
        advance(60)
        lane = court.batch([voteless(case.leaf, outcome)])
        with boa.reverts("Disputes: no duplicate"):
            court.disputes.prove_duplicate(lane.item(0), batch.item(0), NO_ORDER, 0)
    advance(court.window("batch_window"))
    court.batches.finalize(batch.header.values())
    assert court.status(batch) == FINAL


def test_attack_objections_to_ones_own_batch_that_nobody_can_judge_fine_no_verifier(court: Court) -> None:
    thief = court.keeper.owner
    court.give_ifx(thief.address, 10**24)
    with acting(thief):
        court.ifx.approve(court.objections, 2**256 - 1)
    court.challenger = thief
    batch = court.batch([court.ballot(f"task {at}").leaf for at in range(3)])
    purse, stakes = money(court, thief), [court.staking.bonded(node.id) for node in court.verifiers]
    all_heard = [outcomes(court, batch, places) for places in ([0], [1], [0, 1])]
    bonds = purse - money(court, thief)
    for heard in all_heard:
        heard.fill()
    advance(court.window("panel_window") + 1)
    for heard in all_heard:
        heard.resolve()
    assert [court.staking.bonded(node.id) for node in court.verifiers] == stakes
    advance(14 * DAY)
    for heard in all_heard:
        heard.resolve()
        assert heard.status() == UNDECIDED
    assert purse - money(court, thief) == bonds // 2, "half of what nobody decides is burned"


def test_attack_a_manager_that_overcharges_pays_for_it(court: Court) -> None:
    greedy = [court.ballot(f"task {at}", work=100 * 10**9, charge=10**9).leaf for at in range(2)]
    batch = court.batch(greedy)
    stake, challenger = court.staking.bonded(court.keeper.id), money(court, court.challenger)
    heard = outcomes(court, batch, [0, 1], is_managers=True).decided(True)
    assert court.staking.bonded(court.keeper.id) < stake
    assert court.registry.terms(court.keeper.id).status == JAILED
    assert money(court, court.challenger) > challenger, "the reporter's part"
    for at in range(2):
        heard.void(at)
    advance(court.window("batch_window"))
    court.batches.finalize(batch.header.values())
    assert court.batches.final_charge(1) == 0


def test_a_manager_that_followed_wrong_votes_is_not_punished(court: Court) -> None:
    batch = court.batch([court.ballot("task").leaf])
    stake = court.staking.bonded(court.keeper.id)
    outcomes(court, batch, [0]).decided(True)
    assert court.staking.bonded(court.keeper.id) == stake
    assert court.registry.terms(court.keeper.id).status == ACTIVE


def test_attack_a_friends_objection_without_the_flag_is_in_nobodys_way(court: Court) -> None:
    batch = court.batch([court.ballot("task", work=100 * 10**9, charge=10**9).leaf])
    friend = outcomes(court, batch, [0])
    heard = outcomes(court, batch, [0], is_managers=True)
    assert friend.id != heard.id
    heard.decided(True)
    heard.void(0)
    assert court.registry.terms(court.keeper.id).status == JAILED


def test_attack_what_nobody_decides_does_not_burn_an_escaped_workers_bond(court: Court) -> None:
    fund(court, court.workers[0].owner)
    case = delivered(court)
    batch = case.propose()
    bond, owner = court.escape.bond_of(batch.commitment), case.worker.owner
    heard = outcomes(court, batch, [0])
    heard.refer()
    advance(14 * DAY)
    heard.resolve()
    assert heard.status() == UNDECIDED
    with boa.reverts("Objections: not to be voided"):
        heard.void(0)
    court.batches.finalize(batch.header.values())
    before = money(court, owner)
    court.escape.release(batch.commitment)
    assert money(court, owner) - before == bond


def test_attack_ones_own_stake_as_bonds_while_a_case_is_opened_saves_none_of_it(court: Court) -> None:
    """All of it objects to friends' batches, which give way without a fine: every bond comes back free."""
    worker, friend = court.workers[:2]
    fund(court, friend.owner)
    bond, fine = court.bond(), amount_of(court)
    court.stake(worker, -int(court.staking.bonded(worker.id)) % bond)
    stake = int(court.staking.bonded(worker.id))
    friends = [
        delivered(court, f"friend {at}", worker=friend, deadline=court.ends) for at in range(-(-stake // bond // 2))
    ]
    batches = [each.propose() for each in friends]
    accused = trial(court)
    heard = [outcomes(court, batch, [0], node=worker, is_managers=says) for batch in batches for says in (False, True)]
    assert court.staking.frozen(worker.id) == len(heard) * bond == stake
    accused.freeze()
    assert court.panels.case(accused.id).amount == fine
    advance(12)
    for each, batch in zip(friends, batches, strict=True):
        lane = court.batch([each.leaf])
        court.disputes.prove_duplicate(batch.item(0), lane.item(0), NO_ORDER, 0)
    for each in heard:
        each.resolve()
        assert each.status() == DROPPED
    assert court.staking.frozen(worker.id) == 0
    court.make_final(accused.batch)
    accused.charge()
    advance(court.window("appeal_window") + 1)
    court.panels.execute(accused.id)
    assert court.staking.bonded(worker.id) == stake - fine
