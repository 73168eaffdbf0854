# SPDX-License-Identifier: Apache-2.0
"""Disputes and objections, one or many small ones: whoever raises many wins no more by it, and loses a bond each."""

from dataclasses import dataclass
from typing import Any

import boa
import pytest

from tests.contracts.disputes.court import Batch, Court
from tests.contracts.disputes.objecting import OPEN, Heard, money, outcomes
from tests.contracts.system import acting, advance

VOTES, DROPPED = 1, 4
LEAVES = 3
CANCELLED = 3
FINE_BPS, BPS = 2_000, 10_000


@dataclass
class Ends:
    """What everybody has when all is over [wei]."""

    challenger: int
    owner: int
    stake: int
    supply: int
    held: int

    def __sub__(self, other: "Ends") -> "Ends":
        return Ends(*(mine - theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)))


def ends(court: Court, challenger: Any = None) -> Ends:
    return Ends(
        money(court, challenger or court.challenger),
        money(court, court.keeper.owner),
        int(court.staking.bonded(court.keeper.id)),
        int(court.ifx.totalSupply()),
        money(court, court.disputes) + money(court, court.objections),
    )


def expire(court: Court, batch: Batch, place: int = 0) -> None:
    court.disputes.expire(batch.header.values(), VOTES, place)


def test_many_disputes_about_a_batch_win_what_one_wins(court: Court) -> None:
    """The first that nobody answers takes the batch, and its proposer pays once; the others have their bond back."""
    found = []
    for count in (1, LEAVES):
        with boa.env.anchor():
            batch = court.batch([court.ballot(f"task {at}").leaf for at in range(LEAVES)])
            before = ends(court)
            for place in range(count):
                court.challenge(batch, place)
            advance(court.window("answer_window") + 1)
            for place in range(count):
                expire(court, batch, place)
            found.append(ends(court) - before)
    one, many = found
    assert one == many
    assert 0 < one.challenger <= court.bond() // 2 and one.supply < 0 == one.held


def test_a_lie_spread_over_batches_of_a_lane_wins_no_more(court: Court) -> None:
    """All later ones fall with the first."""
    found = []
    for count in (1, LEAVES):
        with boa.env.anchor():
            ballots = [court.ballot(f"task {at}").leaf for at in range(LEAVES)]
            batches = [court.batch(ballots)] if count == 1 else [court.batch([leaf]) for leaf in ballots]
            before = ends(court)
            for batch in batches:
                court.challenge(batch)
            advance(court.window("answer_window") + 1)
            for batch in batches:
                expire(court, batch)
            assert [court.status(batch) for batch in batches] == [CANCELLED] * count
            found.append(ends(court) - before)
    assert found[0] == found[1]


def test_many_lost_disputes_cost_a_bond_each(court: Court) -> None:
    """Half of each is burned, half the proposer's: as often as it was raised, to the wei."""
    found = []
    for count in (1, LEAVES):
        with boa.env.anchor():
            ballots = {ballot.leaf: ballot for ballot in (court.ballot(f"task {at}") for at in range(LEAVES))}
            batch, before = court.batch(list(ballots)), ends(court)
            for place in range(count):
                court.challenge(batch, place)
            for place in range(count):
                court.disputes.answer_votes(*batch.item(place), ballots[batch.leaves[place]].encoded())
            found.append(ends(court) - before)
    one, many = found
    assert [LEAVES * each for each in vars(one).values()] == list(vars(many).values())
    assert one.owner == -one.challenger // 2 and one.supply == one.challenger + one.owner < 0


def test_attack_many_disputes_with_oneself_burn_half_of_each(court: Court) -> None:
    """The manager's owner disputes its own batch, and answers."""
    owner = court.keeper.owner
    court.give_ifx(owner.address, 10 * court.bond())
    with acting(owner):
        court.ifx.approve(court.disputes, 2**256 - 1)
    ballots = {ballot.leaf: ballot for ballot in (court.ballot(f"task {at}") for at in range(LEAVES))}
    batch, before = court.batch(list(ballots)), ends(court, owner)
    with acting(owner):
        for place in range(LEAVES):
            court.disputes.challenge_votes(*batch.item(place), 0)
            court.disputes.answer_votes(*batch.item(place), ballots[batch.leaves[place]].encoded())
    lost = before - ends(court, owner)
    assert lost.owner == lost.supply >= LEAVES * (court.bond() - court.bond() // 2)


def objected(court: Court, batch: Batch, count: int, **changes: Any) -> list[Heard]:
    """All leaves in one objection, or one each."""
    places = [[*range(LEAVES)]] if count == 1 else [[place] for place in range(LEAVES)]
    return [outcomes(court, batch, each, **changes) for each in places]


@pytest.mark.parametrize("upheld", [True, False])
def test_objections_one_by_one_win_no_more_than_one_and_lose_a_bond_each(court: Court, upheld: bool) -> None:
    found = []
    for count in (1, LEAVES):
        with boa.env.anchor():
            batch = court.batch([court.ballot(f"task {at}").leaf for at in range(LEAVES)])
            before = ends(court)
            heard = objected(court, batch, count)
            for each in heard:
                assert each.status() == OPEN
                each.decided(upheld)
            found.append(ends(court) - before)
    one, many = found
    if upheld:
        assert one == many == Ends(0, 0, 0, 0, 0)
    else:
        assert [LEAVES * each for each in vars(one).values()] == list(vars(many).values())
        assert -one.challenger == court.bond() and one.owner == court.bond() // 2


@pytest.mark.parametrize("sets", [[[0], [1], [2]], [[0, 1, 2], [0], [1, 2]], [[1], [0, 1], [0, 1, 2], [0, 2]]])
def test_attack_a_managers_faults_in_a_batch_are_fined_once_however_they_are_named(
    court: Court, sets: list[list[int]]
) -> None:
    """The same faults in every combination: else a few of them would take all that a manager has."""
    batch = court.batch([court.ballot(f"task {at}").leaf for at in range(3)])
    before, fine = ends(court), court.bond() + court.staking.required(court.keeper.id) * FINE_BPS // BPS
    for heard in [outcomes(court, batch, places, is_managers=True) for places in sets]:
        heard.decided(True)
    found = ends(court) - before
    assert -found.stake == fine
    assert 0 < found.challenger <= court.bond() // 2 and found.challenger < -found.supply


def test_a_managers_faults_in_two_batches_are_fined_twice(court: Court) -> None:
    batches = [court.batch([court.ballot(label).leaf]) for label in ("one", "another")]
    before = ends(court)
    for batch in batches:
        outcomes(court, batch, [0], is_managers=True).decided(True)
    found = ends(court) - before
    assert -found.stake == 2 * (court.bond() + court.staking.required(court.keeper.id) * FINE_BPS // BPS)
