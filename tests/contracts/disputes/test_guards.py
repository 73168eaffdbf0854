# SPDX-License-Identifier: Apache-2.0
"""What courts refuse before they judge: papers that fit nothing, bonds that no word holds, roots of another kind."""

from typing import Any

import boa
import pytest
from eth_utils import keccak

from inferix.models.roles import Outcome
from tests.contracts.disputes.court import Ballot, Court
from tests.contracts.disputes.objecting import outcomes
from tests.contracts.disputes.shown import anchored, answer, challenge, rostered
from tests.contracts.disputes.test_panels import APPEALED, appealed, charged, trial
from tests.contracts.disputes.worker import delivered, fund
from tests.contracts.system import IFX, USD, acting, advance, slot
from tests.contracts.work.network import leaf_values

SEATS_RING = 65_536  # seals whose time is kept


def check(court: Court, ballot: Ballot) -> int:
    """What an answer about this leaf comes to."""
    return int(court.committees.check_votes(court.keeper.id, leaf_values(ballot.leaf), ballot.encoded()))


def with_votes(ballot: Ballot, packed: bytes) -> Ballot:
    """The same leaf over these bytes."""
    ballot.packed = packed
    ballot.leaf = ballot.leaf.model_copy(update={"votes": keccak(packed)})
    return ballot


@pytest.mark.parametrize("more", [b"\0", b"\0" * 100], ids=["one byte", "a vote less a byte"])
def test_bytes_behind_the_last_vote_are_refused(court: Court, more: bytes) -> None:
    ballot = court.ballot()
    assert check(court, ballot) == 3
    with boa.reverts("Committees: length of votes"):
        check(court, with_votes(ballot, ballot.packed + more))


@pytest.mark.parametrize("outcome", [0, Outcome.LATE, Outcome.VOID, Outcome.UNSERVED, 8])
def test_votes_for_what_is_no_verdict_prove_none(court: Court, outcome: int) -> None:
    """Signed by those who were drawn, all the same."""
    assert check(court, court.ballot(outcome=Outcome.REJECTED)) == 3
    ballot = court.ballot(outcome=Outcome.REJECTED, said=outcome) if outcome else court.ballot()
    ballot.leaf = ballot.leaf.model_copy(update={"outcome": outcome, "work": 0, "charge": 0})
    with boa.reverts("Committees: no such outcome" if outcome else "Committees: vote for another outcome"):
        check(court, ballot)


def test_a_first_rejection_that_is_in_no_batch_or_voided_is_none(court: Court) -> None:
    second = court.ballot(outcome=Outcome.CLIENT_FAULT, said=Outcome.REJECTED, attempt=1, worker=court.workers[1])
    batch = court.batch([court.ballot(outcome=Outcome.REJECTED).leaf])
    second.earlier = [batch.item(0)]
    assert check(court, second) == 3
    header, leaf, _, proof = batch.item(0)
    second.earlier = [(header, leaf, 1, proof)]
    with boa.reverts("Committees: no such leaf"):
        check(court, second)
    second.earlier = [batch.item(0)]
    outcomes(court, batch, [0]).decided(True).void(0)
    with boa.reverts("Committees: leaf void"):
        check(court, second)


def test_a_charge_names_the_batch_of_its_case(court: Court) -> None:
    """What was frozen by a batch that fell is frozen again, and charged, by the one in its place."""
    fallen = trial(court)
    fallen.freeze()
    court.challenge(fallen.batch)
    advance(court.window("answer_window") + 1)
    court.disputes.expire(fallen.batch.header.values(), 1, 0)
    court.set_active(court.keeper)
    other = court.make_final(court.batch(fallen.batch.leaves, data=keccak(text="anew")))
    with boa.reverts("Panels: another batch"):
        court.panels.charge(other.item(0), other.item(1))
    court.panels.clear(fallen.id)
    court.panels.freeze(*other.item(0))
    court.panels.charge(other.item(0), other.item(1))


def test_only_an_appeal_has_a_panel(court: Court) -> None:
    case = charged(court)
    node = court.verifiers[0]
    calls = {
        "seal": (),
        "seat": ([], []),
        "vote": court.panel_vote(node, case.id, True),
        "resolve": (),
    }
    for name, arguments in calls.items():
        with boa.reverts("Panels: not appealed"):
            getattr(court.panels, name)(case.id, *arguments)
    with acting(court.governor), boa.reverts("Panels: not appealed"):
        court.panels.decide(case.id, True)
    with acting(court.workers[0].owner):
        court.panels.appeal(case.id)
    advance(60)
    court.panels.seal(case.id)
    assert case.status() == APPEALED


def test_members_are_seated_by_a_proof_each(court: Court) -> None:
    case = appealed(court)
    advance(60)
    court.panels.seal(case.id)
    (member, proof), *_ = court.members(court.met(case.id))
    for members, proofs in (([member], []), ([member], [proof, proof]), ([], [proof])):
        with boa.reverts("Panels: a proof for each member"):
            court.panels.seat(case.id, members, proofs)
    court.panels.seat(case.id, [member], [proof])


def test_a_delivery_whose_seal_is_forgotten_is_not_noted(court: Court) -> None:
    """Times of seals are kept in a ring: later ones take the place of what nobody noted."""
    case = trial(court)
    case.freeze()
    item = case.batch.item(case.rejected)
    anchor = case.batch.leaves[case.rejected].anchor
    place = slot(court.batches, "anchors._times", court.keeper.id, anchor // 6)
    with boa.env.anchor():
        boa.env.set_storage(court.batches.address, place, 0)
        with boa.reverts("Strikes: nobody knows any more"):
            court.strikes.note(item)
    court.strikes.note(item)


def set_price(court: Court, price: int) -> None:
    """Of IFX, as if it had fallen for years [nano-USD]."""
    boa.env.set_storage(court.market.address, slot(court.market, "price"), price)


def enrich(court: Court, who: Any) -> None:
    """More IFX than any bond of these tests."""
    boa.env.set_storage(court.ifx.address, slot(court.ifx, "erc20.balanceOf", int(who.address, 16)), 10**38)


def test_a_bond_that_its_dispute_could_not_remember_is_not_taken(court: Court) -> None:
    enrich(court, court.challenger)
    batch = court.batch([court.ballot(f"task {at}").leaf for at in range(2)])
    bond, most = court.window("dispute_bond"), (2**56 - 1) * 10**9
    price = bond * IFX // most + 1
    set_price(court, price - 1)
    with boa.reverts("Disputes: bond too large"):
        court.challenge(batch)
    set_price(court, price)
    court.challenge(batch)
    id = court.disputes.dispute_id(batch.commitment, 1, 0)
    assert 0 <= court.disputes.dispute(id).bond - court.bond() < 10**9


def test_a_bond_that_its_objection_could_not_remember_is_not_taken(court: Court) -> None:
    enrich(court, court.challenger)
    batch = court.batch([court.ballot(f"task {at}").leaf for at in range(2)])
    court.set_parameter("dispute_bond", 100 * USD)
    price = 100 * USD * IFX // 2**96 + 1
    set_price(court, price - 1)
    with boa.reverts("Objections: bond too large"):
        outcomes(court, batch, [0])
    set_price(court, price)
    assert outcomes(court, batch, [0]).info().bond == court.bond()


def test_a_bond_that_its_escape_could_not_remember_is_not_taken(court: Court) -> None:
    """The dearest leaf there can be, where the most is minted for it and IFX is worth next to nothing."""
    most = 2**64 - 1
    court.set_parameter("mint_multiple_bps", 50_000)
    case = delivered(court, "dear", cap=most, price=10**10)
    fund(court, case.worker.owner)
    enrich(court, case.worker.owner)
    case.change(charge=most, work=most)
    set_price(court, 2)
    with boa.reverts("Escape: bond too large"):
        case.propose()
    set_price(court, 3)
    arguments = case.arguments()
    with acting(case.worker.owner):
        commitment = court.escape.propose(*arguments)
    assert 0 <= court.escape.bond_of(commitment) - court.escape.bond(most) < 10**9


def test_each_kind_of_root_is_answered_as_what_it_is(court: Court) -> None:
    anchor, roster = anchored(court, 65), rostered(court, range(1, 100))
    reasons = {
        "answer_anchor": "Availability: not an anchor",
        "answer_roster": "Availability: not a roster",
        "answer_accounts": "Availability: not of accounts",
        "answer_nodes": "Availability: not of nodes",
    }
    for shown, own in ((anchor, "answer_anchor"), (roster, "answer_roster")):
        challenge(court, shown)
        for name, reason in reasons.items():
            if name != own:
                with boa.reverts(reason):
                    getattr(court.availability, name)(shown.root(), 0, [], [])
        answer(court, shown)


def test_a_root_of_no_kind_is_nobodys(court: Court) -> None:
    shown = rostered(court, range(1, 100))
    for changes in ({"kind": 0}, {"kind": 5}, {"kind": 3, "of": 2}):
        with boa.reverts("Availability: no such kind"):
            challenge(court, shown, **changes)
    challenge(court, shown)


def test_leaves_of_another_tree_are_not_the_data_of_a_root(court: Court) -> None:
    shown = rostered(court, range(1, 100))
    challenge(court, shown)
    first, leaves, proof = shown.answer(0)
    node, ib, price, kind, weight = leaves[7]
    for parts in (
        (first, [*leaves[:7], (node, ib, price, kind, weight + 1), *leaves[8:]], proof),
        (first, leaves[:-1], proof),
        (first, leaves, proof[:-2]),
    ):
        with boa.reverts("Availability: not the data of the root"):
            answer(court, shown, parts=parts)
    answer(court, shown)
