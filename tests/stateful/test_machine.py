# SPDX-License-Identifier: Apache-2.0
"""The money paths of all contracts, the model and the mirror, driven together by generated acts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inferix.messages import unpack_voters
from inferix.models.roles import Outcome, RosterKind
from tests.contracts.system import parameter
from tests.stateful.exits import WRONG
from tests.stateful.floor import Posted
from tests.stateful.machine import Machine
from tests.stateful.model.basics import BPS, DAY
from tests.stateful.model.panel import DROPPED, REJECTED, UNDECIDED, UPHELD
from tests.stateful.model.stake import ACTIVE, JAILED
from tests.stateful.model.work import FINAL, LEASES, PROPOSED
from tests.stateful.soak import Place, search
from tests.stateful.stage import Stage
from tests.stateful.world import World

MINUTES = float(os.environ.get("SOAK_MINUTES", "8"))
KEPT = Path(".hypothesis")


def test_leases_agree_from_order_to_payment(world: World) -> None:
    """Always, and not only where the generated acts come by."""
    Stage.world = world
    machine = Machine()
    try:
        machine.begin(1, 1)
        machine.busy_leases([3 * 10**9 + 1, 10**7], manager=0, pick=0, days=0)
        docket, work = machine.docket, machine.bench.model.work
        assert [batch.coin for batch, _ in work.leases()] == [LEASES + 1, LEASES + 2]
        machine.agrees()
        assert not docket.pay_lease(*work.leases()[0]), "not final"
        machine._pass(DAY)
        for batch in docket.live():
            assert docket.finalize(batch)
        for batch, leaf in work.leases():
            assert not docket.pay_lease(batch, leaf, is_signed=False)
            assert docket.pay_lease(batch, leaf)
            assert not docket.pay_lease(batch, leaf), "paid before"
            machine.agrees()
        machine.lease(0, "usd", 10**9, 1, 0, forged=True)
        machine.agrees()
    finally:
        machine.teardown()


def test_escapes_agree_from_votes_to_bond(world: World) -> None:
    Stage.world = world
    machine = Machine()
    try:
        machine.begin(1, 1)
        machine.silence(0, 3 * 10**9 + 1, 0, [Outcome.ACCEPTED] * 2)
        docket = machine.docket
        first, second = docket.decided()
        owner = docket.worker_of(first)
        assert not docket.escape(first, owner), "its manager may still propose it"
        machine._pass(DAY)
        assert not docket.escape(first, machine.world.challenger), "not the worker"
        assert not any(docket.escape(first, owner, wrong) for wrong in WRONG)
        assert docket.escape(first, owner)
        assert not docket.escape(first, owner), "proposed before"
        machine.agrees()
        (alone,) = docket.alone(PROPOSED)
        assert not docket.release(alone), "not final"
        assert docket.repeat(alone), "its lane comes back"
        docket.convict(alone)
        machine.agrees()
        assert docket.alone(PROPOSED) == []
        assert docket.escape(first, owner), "beside its lane"
        docket.convict(docket.alone(PROPOSED)[0])
        machine.agrees()
        assert docket.escape(second, docket.worker_of(second))
        machine.cross_late(docket.alone(PROPOSED)[0])
        machine.agrees()
        assert docket.release(docket.alone(FINAL)[0])
        assert not docket.release(docket.alone(FINAL)[0]), "released before"
        machine.agrees()
    finally:
        machine.teardown()


def test_receipts_on_chain_agree_whether_their_lane_anchors_them_or_not(world: World) -> None:
    """Void, then accepted: both are settled, and nobody is to blame for the first."""
    Stage.world = world
    machine = Machine()
    try:
        machine.begin(1, 1)
        machine.silence(0, 3 * 10**9 + 1, 0, [])
        (job,) = world.mirror.jobs.values()
        for state in job.tasks:
            for posted in (Posted.NEVER, Posted.LATE):
                machine.bench.floor.deliver(state, Outcome.ACCEPTED, posted=posted)
            assert [attempt.outcome for attempt in state.attempts] == [Outcome.VOID, Outcome.ACCEPTED]
        machine.agrees()
        assert machine.docket.settle(world.managers[0].id)
        machine.agrees()
        machine._pass(DAY)
        (batch,) = machine.docket.live()
        assert not any(machine.docket.late(batch, index) for index in range(len(batch.leaves))), "nobody is late"
        assert machine.docket.finalize(batch)
        assert not any(machine.docket.late(batch, index) for index in range(len(batch.leaves)))
        machine.agrees()
    finally:
        machine.teardown()


def test_claims_to_a_balance_agree_from_silence_to_payment(world: World) -> None:
    Stage.world = world
    machine = Machine()
    try:
        machine.begin(1, 1)
        machine.silence(0, 3 * 10**9 + 1, 0, [Outcome.ACCEPTED] * 2)
        docket, account = machine.docket, machine.bench.model.credit.accounts[1]
        owner = docket.owner_of(account)
        docket.settle(machine.world.manager.id)
        machine.request(0, BPS, 0, 1)
        machine._pass(32 * DAY)
        assert not docket.claim_balance(1, owner), "request too young"
        machine._pass(DAY)
        assert not docket.claim_balance(1, machine.world.stranger), "not the owner"
        assert not docket.claim_balance(1, owner, account.requested), "over what is left"
        assert docket.claim_balance(1, owner, leave_out=1)
        assert not docket.claim_balance(1, owner), "claimed already"
        machine.agrees()
        machine._pass(1)
        assert not machine.bench.model.claims.standing, "a charge was left out"
        assert docket.claim_balance(1, owner)
        batch = next(iter(machine.bench.model.work.batches.values()))
        assert not docket.prove_charge(1, batch, batch.leaves[0]), "counted"
        assert not docket.settle_claim(1), "window not over"
        machine.cancel_request(0, 1)
        assert not docket.settle_claim(1), "window not over, whatever became of the request"
        machine._pass(7 * DAY)
        credit = account.credit
        assert docket.settle_claim(1)
        assert account.credit == credit and not machine.bench.model.claims.standing, "dropped, not paid"
        machine.request(0, BPS // 2, 0, 1)
        machine._pass(33 * DAY)
        assert docket.claim_balance(1, owner)
        machine._job(0, 10**10, 0, [Outcome.ACCEPTED])
        assert docket.settle(machine.world.manager.id)
        machine._pass(DAY + 1)
        assert machine.bench.model.claims.standing[1].left == 0, "a charge that came after it"
        machine.agrees()
        later = next(reversed(machine.bench.model.work.batches.values()))
        assert not docket.prove_charge(1, later, later.leaves[0]), "fell already"
        assert not docket.claim_balance(1, owner), "claimed already"
        assert not docket.settle_claim(1), "window not over"
        machine._pass(6 * DAY)
        assert docket.settle_claim(1)
        assert account.credit == credit and not machine.bench.model.claims.standing, "its bond alone is back"
        machine.cancel_request(0, 1)
        machine.request(0, BPS, 0, 1)
        machine._pass(33 * DAY)
        assert docket.claim_balance(1, owner)
        machine._pass(7 * DAY)
        assert docket.settle_claim(1)
        assert not docket.settle_claim(1), "paid"
        machine.agrees()
    finally:
        machine.teardown()


@contextmanager
def at_work(world: World) -> Iterator[Machine]:
    """One batch of two leaves waits; everybody leaves in the end. No fixture: after a test boa takes its state back."""
    Stage.world = world
    machine = Machine()
    try:
        machine.begin(1, 1)
        machine._job(0, 10**10, 0, [Outcome.ACCEPTED])
        assert machine.docket.settle(world.managers[0].id)
        yield machine
    finally:
        machine.teardown()


def test_objections_to_outcomes_agree_from_the_bond_to_the_last_void_leaf(world: World) -> None:
    with at_work(world) as machine:
        hearings, stranger = machine.docket.hearings, world.stranger
        batch = machine.docket.live()[0]
        every = range(len(batch.leaves))
        assert len(every) == 2
        assert not hearings.object_outcomes(batch, every, True, who=stranger), "no bond"
        assert not hearings.object_outcomes(batch, [0], True, world.verifiers[0].id, stranger), "another's stake"
        assert not hearings.object_outcomes(batch, [1, 0], True) and not hearings.object_outcomes(batch, [2], True)
        verifier = world.verifiers[-1].id
        assert hearings.object_outcomes(batch, every, True) and hearings.object_outcomes(batch, [0], False, verifier)
        assert hearings.object_outcomes(batch, [1], False)
        assert not hearings.object_outcomes(batch, [1], False), "objected before"
        machine.agrees()
        lie, followed, false = hearings.open()
        for place, votes in ((lie, [True, True]), (followed, [True, True]), (false, [False, True])):
            assert not hearings.resolve(place), "too early"
            hearings.hear(place, votes)
            assert not hearings.vote(place, hearings.item(place).panel.seats[0], True), "voted already"
            assert hearings.resolve(place)
            assert not hearings.decide(place, True), "decided"
            machine.agrees()
        assert [hearings.item(place).status for place in (lie, followed, false)] == [UPHELD, UPHELD, REJECTED]
        assert machine.bench.model.stakes.nodes[batch.manager].status == JAILED
        machine._pass(DAY)
        assert not machine.docket.finalize(batch), "leaves are still to be voided"
        for place, at in ((lie, 0), (followed, 0), (lie, 1)):
            assert hearings.void(place, at)
            assert not hearings.void(place, at), "voided before"
            assert not hearings.resolve(place)
            machine.agrees()
        assert batch.voids.keys() == {0, 1} and machine.docket.finalize(batch)
        assert not hearings.object_outcomes(batch, [0], True), "too late"
        machine.agrees()


def test_what_nobody_decides_agrees_and_leaves_that_nobody_shows_stand(world: World) -> None:
    with at_work(world) as machine:
        hearings, batch = machine.docket.hearings, machine.docket.live()[0]
        assert hearings.object_outcomes(batch, [0], True) and hearings.object_outcomes(batch, [1], False)
        shown, decided = hearings.open()
        machine._pass(DAY + 1)
        for place in (shown, decided):
            assert not hearings.decide(place, False), "not referred"
            assert hearings.resolve(place) and not hearings.resolve(place)
        assert not hearings.decide(decided, False, world.stranger)
        assert hearings.decide(decided, False)
        machine._pass(14 * DAY)
        assert not hearings.decide(shown, False), "too late"
        assert hearings.resolve(shown) and hearings.item(shown).status == UNDECIDED
        machine.agrees()
        assert not hearings.resolve(shown), "leaves may still be voided"
        machine._pass(14 * DAY)
        assert hearings.resolve(shown) and machine.docket.finalize(batch) and not batch.voids
        machine.agrees()


def test_contradictions_agree_from_the_bond_to_the_jail(world: World) -> None:
    with at_work(world) as machine:
        hearings, batch = machine.docket.hearings, machine.docket.live()[0]
        two = (at for at, leaf in enumerate(batch.leaves) if len(unpack_voters(leaf.voters)) == 2)
        at = next(two)
        leaf, other = batch.leaves[at], (at + 1) % len(batch.leaves)
        ballot = lambda node, said=Outcome.ACCEPTED: machine._vote(leaf, node, said)  # noqa: E731
        guilty, innocent = unpack_voters(leaf.voters)
        assert not hearings.contradict(batch, at, ballot(guilty)), "not final"
        machine._pass(DAY)
        assert machine.docket.finalize(batch)
        assert not hearings.contradict(batch, at, ballot(guilty, Outcome.CLIENT_FAULT)), "not about pixels"
        assert not hearings.contradict(batch, at, ballot(world.workers[0].id)), "not a verifier"
        assert not hearings.contradict(batch, other, ballot(guilty)), "another leaf"
        assert not hearings.contradict(batch, at, ballot(guilty), who=world.stranger), "no bond"
        third = next(node.id for node in world.verifiers if node.id not in (guilty, innocent))
        assert hearings.contradict(batch, at, ballot(guilty)) and hearings.contradict(
            batch, at, ballot(innocent), innocent
        )
        assert hearings.contradict(batch, at, ballot(third))
        assert not hearings.contradict(batch, at, ballot(guilty)), "contradicted before"
        machine.agrees()
        stakes = machine.bench.model.stakes.nodes
        assert [stakes[node].holds for node in (guilty, innocent, third)] == [1, 1, 1]
        for place, votes in zip(hearings.open()[:2], ([True, True], [False, False]), strict=True):
            hearings.hear(place, votes)
            assert hearings.resolve(place) and not hearings.resolve(place)
            machine.agrees()
        assert [stakes[node].status for node in (guilty, innocent)] == [JAILED, ACTIVE]
        assert [stakes[node].holds for node in (guilty, innocent, third)] == [0, 0, 1]


def test_disputes_about_data_agree_whether_it_is_shown_or_not(world: World) -> None:
    with at_work(world) as machine:
        archive = machine.docket.archive
        first, second = (world.managers[at].id for at in (0, 1))
        served, fallen = archive.withhold(first, 2), archive.withhold(second, 0)
        assert served and fallen and archive.post_roster(first, RosterKind.VERIFIERS, is_right=False)
        roster = archive.waiting()[0]
        assert not archive.ask(served, who=world.stranger), "no bond"
        assert not archive.ask(served, 2**26), "no such chunk"
        for name in (served, fallen, roster):
            assert archive.ask(name) and not archive.ask(name)
        assert archive.ask(served, 1, world.verifiers[0].id)
        machine.agrees()
        assert archive.answer(served) and archive.answer(served, 1) and not archive.answer(served)
        assert not archive.expire(served) and not archive.expire(fallen)
        machine.agrees()
        machine.post_rosters()
        assert archive.expire(roster) and not archive.expire(roster), "it fell otherwise: the bond is back, once"
        machine._pass(7 * 3_600)
        assert not archive.answer(fallen), "too late"
        assert archive.expire(fallen) and not archive.expire(fallen)
        assert not archive.ask(fallen, 1), "it fell"
        assert machine.bench.model.stakes.nodes[second].status == JAILED
        machine.agrees()
        machine._pass(DAY)
        assert not archive.ask(served, 2), "window over"


def test_late_books_agree_from_the_posters_bond_to_its_fine(world: World) -> None:
    """Who is no manager posts a week late, with a bond; who objects to it puts up a part of what it holds up."""
    with at_work(world) as machine:
        bench, hearings, archive = machine.bench, machine.docket.hearings, machine.docket.archive
        small, poster = world.workers[0].id, world.verifiers[0].id
        for _ in range(4):
            machine._job(0, 3 * 10**12, 0, [Outcome.ACCEPTED])
        machine.docket.settle(world.managers[0].id)
        govern(machine, "dispute_bond", 10**9)
        close_first_epoch(machine)
        ground = bench.sync().ground
        machine._pass(ground.epoch_end(0) + 7 * DAY - ground.clock.now - 60)
        assert not bench.post_books(poster, 0), "not a manager"
        machine._pass(60)
        assert not bench.post_books(small, 0), "too little stake"
        assert bench.post_books(poster, 0)
        machine.agrees()
        model = bench.model
        flat, part = model.ground.dispute_bond, model.books.added // 200
        assert flat < part < model.ground.root_bond
        for name in archive.waiting():
            assert hearings.object_leaf(name, 1)
        machine.agrees()
        assert [hearings.item(place).bond.amount for place in hearings.open()] == [part, part]
        stake, first = model.stakes.nodes[poster].bonded, hearings.open()[0]
        hearings.hear(first, [True, True])
        assert hearings.resolve(first) and model.stakes.nodes[poster].status == JAILED
        assert stake - model.stakes.nodes[poster].bonded == flat + model.ground.root_bond
        machine.agrees()


def test_held_up_books_are_overtaken_and_who_posted_them_answers_all_the_same(world: World) -> None:
    with at_work(world) as machine:
        bench, hearings, archive = machine.bench, machine.docket.hearings, machine.docket.archive
        first, second = (manager.id for manager in world.managers)
        close_first_epoch(machine)
        assert bench.post_books(first, 0)
        for name in archive.waiting():
            assert hearings.object_leaf(name, 1) and hearings.object_leaf(name, 2)
        machine._pass(2 * DAY + 6 * 3_600 - 60)
        assert not bench.post_books(second, 0), "panels may still decide"
        machine._pass(60)
        assert bench.post_books(second, 0)
        machine.agrees()
        assert not bench.post_books(first, 0) and not bench.finalize_books()
        right, false, *others = hearings.open()
        for place, votes in ((right, [False, False]), (false, [True, True])):
            hearings.hear(place, votes)
            assert hearings.resolve(place)
            machine.agrees()
        assert (hearings.item(right).status, hearings.item(false).status) == (REJECTED, UPHELD)
        assert bench.model.stakes.nodes[first].status == JAILED and not bench.model.books.overtaken
        for place in others:
            assert hearings.resolve(place) and hearings.item(place).status == DROPPED
        machine.agrees()
        machine._pass(DAY)
        assert bench.finalize_books()
        machine.agrees()


def close_first_epoch(machine: Machine) -> None:
    """What is proposed becomes final, and its fees are burned."""
    machine._pass(DAY)
    for batch in machine.docket.live():
        machine.docket.finalize(batch)
    machine.collect("usd")
    machine._pass(2 * DAY)
    machine.close_epoch()


def govern(machine: Machine, name: str, value: int) -> None:
    """The governor sets a parameter."""
    ask = lambda: machine.bench.model.ground.set(name, value)  # noqa: E731
    assert machine.bench.both(machine.world.governor, ask, "parameters", "set", parameter(name), value)


@pytest.mark.slow
@pytest.mark.timeout(60 * MINUTES + 900)
def test_they_agree_for_as_long_as_there_is_time(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    place = Place.read(KEPT / "stateful.json")
    first = place.next_seed
    try:
        found = search(world, seconds=60 * MINUTES, place=place, database=str(KEPT / "examples"))
    finally:  # after Ctrl-C too
        with capsys.disabled():
            seeds = f"seeds {first} to {place.next_seed}, which is next"
            print(f"\nstateful: {Stage.total:,} acts, {seeds}; {place.acts:,} acts of whole seeds in all runs")
    assert not found.failure, found.failure
