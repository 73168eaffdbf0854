# SPDX-License-Identifier: Apache-2.0
"""Objections to outcomes: a panel decides, leaves are voided one by one, the loser's bond is half burned."""

import boa
import pytest
from eth_abi.abi import encode as abi_encode
from eth_utils import keccak

from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Batch, Court
from tests.contracts.disputes.objecting import (
    DROPPED,
    OPEN,
    REASON,
    REJECTED,
    UNDECIDED,
    UPHELD,
    Heard,
    money,
    outcomes,
)
from tests.contracts.system import ACTIVE, DAY, JAILED, acting, advance

PROPOSED, FINAL, CANCELLED = 1, 2, 3
CHARGE = 10**6


@pytest.fixture
def batch(court: Court) -> Batch:
    return court.batch([court.ballot(f"task {at}", worker=court.workers[at % 3]).leaf for at in range(4)])


def finalize(court: Court, batch: Batch) -> None:
    court.batches.finalize(batch.header.values())


def test_an_objection_says_what_it_names_and_takes_a_bond(court: Court, batch: Batch) -> None:
    before = money(court, court.challenger)
    heard = outcomes(court, batch, [0, 2])
    event = next(each for each in court.objections.get_logs() if type(each).__name__ == "OutcomesObjected")
    assert (bytes(event.id), bytes(event.commitment), list(event.places)) == (heard.id, batch.commitment, [0, 2])
    assert (bytes(event.reason), event.node, event.bond) == (REASON, 0, court.bond())
    packed = keccak(abi_encode(["uint16[]"], [[0, 2]]))
    assert heard.id == keccak(abi_encode(["bytes32", "uint8", "uint8", "bytes32"], [batch.commitment, 1, 0, packed]))
    info = heard.info()
    assert (info.kind, info.status, bytes(info.subject), info.place) == (1, OPEN, batch.commitment, 2)
    assert (info.manager, info.challenger, info.bond) == (court.keeper.id, court.challenger.address, court.bond())
    assert (info.node, info.is_referred, info.unvoided, info.index, info.of) == (0, False, 0, 0, 0)
    assert before - money(court, court.challenger) == money(court, court.objections) == court.bond()
    assert court.objections.objection(bytes(32)).status == 0


def test_an_upheld_one_voids_what_it_names_and_nobody_is_fined(court: Court, batch: Batch) -> None:
    before, stake = money(court, court.challenger), court.staking.bonded(court.keeper.id)
    supply, charged = court.ifx.totalSupply(), court.batches.final_charge(1)
    heard = outcomes(court, batch, [1, 3])
    heard.hear(True, False, True)
    heard.resolve()
    assert heard.status() == UPHELD
    assert heard.info().unvoided == 2
    assert money(court, court.challenger) == before
    assert (court.staking.bonded(court.keeper.id), court.ifx.totalSupply()) == (stake, supply)
    assert court.registry.node(court.keeper.id).status == ACTIVE
    advance(court.window("batch_window"))
    heard.void(1)
    assert heard.info().unvoided == 1
    with boa.reverts("Batches: dispute open"):
        finalize(court, batch)
    heard.void(0)
    assert [court.batches.is_void(batch.commitment, at) for at in range(4)] == [False, True, False, True]
    finalize(court, batch)
    assert court.batches.final_charge(1) - charged == 2 * CHARGE
    with boa.reverts("Objections: not open"):
        heard.resolve()


@pytest.mark.parametrize("votes", [(False, False, True), (True, False, True, False)], ids=["majority", "tie"])
def test_a_rejected_one_costs_the_bond_half_of_it_burned(court: Court, batch: Batch, votes: tuple[bool, ...]) -> None:
    before, won = money(court, court.challenger), money(court, court.keeper.owner)
    supply = court.ifx.totalSupply()
    heard = outcomes(court, batch, [0])
    heard.hear(*votes)
    heard.resolve()
    bond = heard.info().bond
    assert heard.status() == REJECTED
    assert before - money(court, court.challenger) == bond
    assert money(court, court.keeper.owner) - won == bond // 2
    assert supply - court.ifx.totalSupply() == bond - bond // 2
    assert money(court, court.objections) == 0
    with boa.reverts("Objections: not to be voided"):
        heard.void(0)
    advance(court.window("batch_window"))
    finalize(court, batch)
    assert court.batches.batch(batch.commitment).voided_charge == 0


def test_a_bond_out_of_a_nodes_stake(court: Court, batch: Batch) -> None:
    node = court.workers[0]
    upheld, rejected = outcomes(court, batch, [0], node), outcomes(court, batch, [1], node)
    stake, bond, won = court.staking.bonded(node.id), court.bond(), money(court, court.keeper.owner)
    assert court.staking.frozen(node.id) == 2 * bond
    assert upheld.info().challenger == node.owner.address
    with acting(court.client), boa.reverts("bonds: not the node's owner or operator"):
        court.objections.object_outcomes(*batch.item(2)[:2], batch.item(2)[3], [2], False, node.id, REASON)
    upheld.decided(True)
    assert (court.staking.frozen(node.id), court.staking.bonded(node.id)) == (bond, stake)
    rejected.decided(False)
    assert (court.staking.frozen(node.id), court.staking.bonded(node.id)) == (0, stake - bond)
    assert money(court, court.keeper.owner) - won == bond // 2


def test_without_the_bond_no_objection(court: Court, batch: Batch) -> None:
    header, leaf, _, proof = batch.item(0)
    with acting(court.client), boa.reverts():
        court.objections.object_outcomes(header, leaf, proof, [0], False, 0, REASON)
    assert court.batches.batch(batch.commitment).disputes == 0


@pytest.mark.parametrize("upheld", [True, False])
def test_without_quorum_the_governor_decides_and_nobody_pays_for_silence(
    court: Court, batch: Batch, upheld: bool
) -> None:
    court.set_parameter("panel", 3)
    heard, before = outcomes(court, batch, [2]), money(court, court.challenger)
    seats = heard.fill()
    heard.vote(seats[0], not upheld)
    with boa.reverts("Panels: voting goes on"):
        heard.resolve()
    with acting(court.governor), boa.reverts("Panels: not referred"):
        court.objections.decide(heard.id, upheld)
    advance(court.window("panel_window") + 1)
    stakes = [court.staking.bonded(seat.id) for seat in seats]
    heard.resolve()
    lost = [stake - court.staking.bonded(seat.id) for stake, seat in zip(stakes, seats, strict=True)]
    assert lost == [0, 0, 0]
    assert heard.info().is_referred
    with boa.reverts("governed: not the governor"):
        court.objections.decide(heard.id, upheld)
    with boa.reverts("Panels: governor may yet decide"):
        heard.resolve()
    with acting(court.governor):
        court.objections.decide(heard.id, upheld)
    assert heard.status() == (UPHELD if upheld else REJECTED)
    assert money(court, court.challenger) - before == (court.bond() if upheld else 0)
    with acting(court.governor), boa.reverts("Objections: not open"):
        court.objections.decide(heard.id, upheld)


def test_who_is_silent_where_most_vote_pays(court: Court, batch: Batch) -> None:
    court.set_parameter("panel", 3)
    heard = outcomes(court, batch, [2])
    seats = heard.fill()
    for seat in seats[:2]:
        heard.vote(seat, True)
    advance(court.window("panel_window") + 1)
    stakes = [court.staking.bonded(seat.id) for seat in seats]
    heard.resolve()
    lost = [stake - court.staking.bonded(seat.id) for stake, seat in zip(stakes, seats, strict=True)]
    assert lost == [0, 0, court.staking.required(seats[2].id) * 5 // 100]
    assert heard.status() == UPHELD


def test_where_the_governor_is_silent_too_the_leaves_fall_and_half_of_the_bond_is_burned(
    court: Court, batch: Batch
) -> None:
    before, stake = money(court, court.challenger), court.staking.bonded(court.keeper.id)
    supply = court.ifx.totalSupply()
    heard = outcomes(court, batch, [0, 1])
    with boa.reverts("Panels: may still be seated"):
        heard.resolve()
    heard.refer()
    advance(14 * DAY)
    with acting(court.governor), boa.reverts("Panels: too late to decide"):
        court.objections.decide(heard.id, False)
    heard.resolve()
    assert heard.status() == UNDECIDED
    half = court.bond() // 2
    assert (money(court, court.challenger), court.staking.bonded(court.keeper.id)) == (before - half, stake)
    assert supply - court.ifx.totalSupply() == half
    for at in (0, 1):
        heard.void(at)
    finalize(court, batch)
    assert court.batches.batch(batch.commitment).voided_charge == 2 * CHARGE


def test_too_few_eligible_are_no_panel(court: Court, batch: Batch) -> None:
    heard = outcomes(court, batch, [0])
    advance(60)
    for node in [node for node in court.verifiers if heard.fits(node)][2:]:
        with acting(court.governor):
            court.registry.set_status(node.id, JAILED)
    assert len(heard.fill()) == 2 < court.window("panel_minimum")
    heard.resolve()
    assert heard.info().is_referred


def test_places_are_some_ascending_and_in_the_batch(court: Court, batch: Batch) -> None:
    for places, reason in [
        ([], "Objections: no places"),
        ([1, 0], "Objections: places not ascending"),
        ([1, 1], "Objections: places not ascending"),
        ([0, 4], "Objections: no such leaf"),
        ([4], "Objections: no such leaf"),
    ]:
        header, leaf, _, proof = batch.item(places[0] % 4 if places else 0)
        with acting(court.challenger), boa.reverts(reason):
            court.objections.object_outcomes(header, leaf, proof, places, False, 0, REASON)
    with boa.reverts("Objections: no such leaf"):
        outcomes(court, batch, [0], first=1)
    outcomes(court, batch, [0, 1, 2, 3])


def test_sixty_four_leaves_in_one(court: Court) -> None:
    leaf = court.ballot().leaf
    batch = court.batch([leaf.model_copy(update={"attempt": at}) for at in range(70)])
    places = list(range(6, 70))
    heard = outcomes(court, batch, places).decided(True)
    assert heard.info().unvoided == 64
    for at in reversed(range(64)):
        heard.void(at)
    assert heard.info().unvoided == court.batches.batch(batch.commitment).disputes == 0
    with acting(court.challenger), boa.reverts():
        court.objections.object_outcomes(*batch.item(0)[:2], batch.item(0)[3], list(range(65)), False, 0, REASON)


def test_once_and_within_the_window(court: Court, batch: Batch) -> None:
    heard = outcomes(court, batch, [0])
    with boa.reverts("Objections: objected before"):
        outcomes(court, batch, [0])
    heard.decided(False)
    with boa.reverts("Objections: objected before"):
        outcomes(court, batch, [0])
    advance(court.window("batch_window"))
    with boa.reverts("Batches: window over"):
        outcomes(court, batch, [1])
    finalize(court, batch)
    with boa.reverts("Batches: not proposed"):
        outcomes(court, batch, [1])


def test_other_batches_go_on(court: Court) -> None:
    """It holds up what it names, and what waits behind that in its lane: nothing of another."""
    leaves = [court.ballot(f"task {at}").leaf for at in range(3)]
    held, behind = court.batch(leaves[:1]), court.batch(leaves[1:2])
    other = court.batch(leaves[2:], court.other_keeper)
    heard = outcomes(court, held, [0])
    advance(court.window("batch_window"))
    finalize(court, other)
    with boa.reverts("Batches: not the oldest open one of its lane"):
        finalize(court, behind)
    heard.decided(False)
    for batch in (held, behind):
        finalize(court, batch)


def voided(court: Court, batch: Batch, *places: int) -> Heard:
    heard = outcomes(court, batch, list(places)).decided(True)
    for at in range(len(places)):
        heard.void(at)
    return heard


def test_a_case_about_a_void_leaf_is_cleared_at_once(court: Court) -> None:
    worker = court.workers[0]
    task = court.ballot().leaf.task
    leaves = [
        court.ballot(outcome=Outcome.REJECTED).leaf,
        court.ballot(attempt=1, worker=court.workers[1], voters=court.drawn(task, 1, court.workers[1])[:3]).leaf,
    ]
    batch = court.batch(leaves)
    id = bytes(court.panels.freeze(*batch.item(0)))
    heard = outcomes(court, batch, [0], worker).decided(True)
    with boa.reverts("Panels: may still be redone"):
        court.panels.clear(id)
    heard.void(0)
    court.panels.clear(id)
    event = court.panels.get_logs()[-1]
    assert (type(event).__name__, event.reason) == ("CaseCleared", 6)
    assert court.registry.node(worker.id).status == ACTIVE
    assert court.staking.frozen(worker.id) == 0
    with boa.reverts("Panels: leaf void"):
        court.panels.freeze(*batch.item(0))


def test_a_void_leaf_is_no_charge(court: Court) -> None:
    task = court.ballot().leaf.task
    voters = court.drawn(task, 1, court.workers[1])[:3]
    rejected = court.ballot(outcome=Outcome.REJECTED).leaf
    accepted = court.ballot(attempt=1, worker=court.workers[1], voters=voters).leaf
    batch = court.batch([rejected, accepted])
    frozen = bytes(court.panels.freeze(*batch.item(0)))
    voided(court, batch, 0)
    court.make_final(batch)
    with boa.reverts("Panels: leaf void"):
        court.panels.charge(batch.item(0), batch.item(1))
    court.panels.clear(frozen)
    assert court.panels.open_cases(court.workers[0].id) == 0


def test_what_fell_otherwise_gives_the_bond_back_at_any_time(court: Court, batch: Batch) -> None:
    before, heard = money(court, court.challenger), outcomes(court, batch, [0])
    referred = outcomes(court, batch, [1])
    referred.refer()
    with acting(court.disputes):
        court.batches.cancel(batch.commitment)
    with acting(court.governor), boa.reverts("Objections: fell otherwise"):
        court.objections.decide(referred.id, True)
    for each in (heard, referred):
        each.resolve()
        assert each.status() == DROPPED
        with boa.reverts("Objections: not open"):
            each.resolve()
        with boa.reverts("Objections: not open"):
            court.objections.seal(each.id)
        with boa.reverts("Objections: not to be voided"):
            each.void(0)
    assert money(court, court.challenger) == before
    assert money(court, court.objections) == 0
