# SPDX-License-Identifier: Apache-2.0
"""Vesting, the fund, votes and governance in acts that are written down: each call let through, and refused."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any

from tests.stateful.life import Watched
from tests.stateful.machine import Machine
from tests.stateful.model.basics import DAY, WEI
from tests.stateful.model.governance import (
    ABSTAIN,
    ADMIN,
    AGAINST,
    CANCELED,
    CANCELLER,
    EXECUTOR,
    EXPIRED,
    FOR,
    GRACE,
    PROPOSER,
    QUEUED,
    Call,
    Proposal,
)
from tests.stateful.model.vesting import WEEK, YEAR
from tests.stateful.model.votes import NOBODY
from tests.stateful.purse import ANOTHERS, CUT, NONE
from tests.stateful.realm import THRESHOLD
from tests.stateful.stage import Stage

AMOUNT = 1_000_003  # divides by nothing
KOL, PUBLIC = 3, 4
NARROW, WIDE = ("dispute_bond", 10**13 + 1), ("dispute_bond", 100 * 10**9)
VESTING = ("create", "claim", "delegate", "propose_beneficiary", "accept_beneficiary")
FUND = ("grant", "open_airdrop", "claim", "sweep")
IFX = ("transfer", "transferFrom", "burn", "burn_from", "permit", "delegateBySig")
COUNCIL = ("propose", "castVote", "castVoteWithReason", "castVoteBySig", "queue", "execute", "cancel")


@contextmanager
def at_peace(world: Watched, contract: str, calls: Sequence[str]) -> Iterator[Machine]:
    """Nobody works; everybody leaves in the end. Each of ``calls`` must be let through and, at another time, refused."""
    Stage.world = world
    world.ended.clear()
    machine = Machine()
    try:
        yield machine
        machine.agrees()
        for call, done in product(calls, (True, False)):
            assert (f"{contract}.{call}", done) in world.ended, f"{call} never {'let through' if done else 'refused'}"
    finally:
        machine.teardown()


def test_what_vests_agrees_at_every_boundary_second_and_votes_from_its_wallet(world: Watched) -> None:
    with at_peace(world, "vesting", VESTING) as machine:
        purse, vesting, founder = machine.purse, machine.bench.model.vesting, world.founder
        first, second = world.clients
        people, amounts = [first.address, second.address], [AMOUNT, AMOUNT]
        assert not purse.create(first, PUBLIC, people, amounts), "not the foundation"
        assert not purse.create(founder, 0, people, amounts) and not purse.create(founder, 6, people, amounts)
        assert not purse.create(founder, PUBLIC, people, amounts[:1])
        assert not purse.create(founder, PUBLIC, people, [AMOUNT, 0])
        assert not purse.create(founder, PUBLIC, [first.address, NOBODY], amounts)
        assert not purse.create(founder, KOL, people, [25 * 10**6 * WEI, 1]), "over the share"
        assert purse.create(founder, KOL, people[:1], amounts[:1]) and purse.create(founder, PUBLIC, people, amounts)
        machine.agrees()
        assert not purse.delegate(second, 1, second.address) and purse.delegate(first, 1, second.address)
        assert not purse.hand_over(second, 1, second.address) and purse.hand_over(first, 2, second.address)
        assert not purse.take_over(world.stranger, 2) and purse.take_over(second, 2)
        assert not purse.take_over(second, 2) and not purse.delegate(first, 2, first.address)
        machine.agrees()
        assert machine.bench.model.votes.held(second.address) == 3 * AMOUNT
        ends = {end for share in (KOL, PUBLIC) for end in vesting.boundaries(share)}
        for moment in sorted(end + off for end in ends for off in (-1, 0, 1)):
            machine.until(moment)
            machine.bench.sync()
            for id in range(4):
                is_due = id > 0 and vesting.free(vesting.schedules[id]) > 0
                assert purse.claim(id) is is_due and not purse.claim(id)
            machine.agrees()
        assert all(schedule.claimed == AMOUNT for schedule in vesting.schedules.values())


def test_the_fund_agrees_from_a_grant_to_the_sweep(world: Watched) -> None:
    with at_peace(world, "community_fund", FUND) as machine:
        purse, fund, governor = machine.purse, machine.bench.model.governance.fund, world.governor
        rows = tuple((investor.address, 10**18 + at) for at, investor in enumerate([*world.clients, *world.investors]))
        total, soon = sum(amount for _, amount in rows), world.now + WEEK
        assert not purse.open(world.stranger, rows, total, soon) and not purse.grant(world.stranger, governor, 1)
        assert not purse.open(governor, rows, fund.available + 1, soon) and not purse.open(governor, rows, 0, soon)
        assert not purse.open(governor, rows, total, soon - 1)
        assert not purse.open(governor, rows, total, world.now + YEAR + 1)
        assert purse.open(governor, rows, total, soon) and purse.open(governor, rows, total - 1, world.now + YEAR)
        assert not purse.grant(governor, rows[0][0], fund.available + 1), "promised"
        assert purse.grant(governor, rows[0][0], fund.available) and fund.available == 0
        machine.agrees()
        for proof in (ANOTHERS, CUT, NONE):
            assert not purse.collect(1, 0, proof)
        assert not purse.collect(1, 0, more=1) and not purse.collect(1, 0, account=world.stranger.address)
        assert not purse.collect(3, 0), "no such airdrop"
        assert purse.collect(1, 0) and not purse.collect(1, 0), "claimed before"
        assert all(purse.collect(2, row) for row in range(3)) and not purse.collect(2, 3), "used up"
        machine.agrees()
        machine.until(soon - 1)
        assert not purse.sweep(1) and purse.collect(1, 1)
        machine.until(soon)
        assert not purse.collect(1, 2), "over"
        assert purse.sweep(1) and not purse.sweep(1) and not purse.sweep(3)
        assert not purse.sweep(2) and fund.available == rows[2][1] + rows[3][1]


def test_votes_agree_as_ifx_is_moved_lent_and_burned(world: Watched) -> None:
    with at_peace(world, "ifx", IFX) as machine:
        chamber, votes = machine.chamber, machine.bench.model.votes
        (first, second), other = world.clients, world.investors[0]
        assert chamber.delegate(first, first.address) and chamber.delegate(second, first.address)
        has = votes.held(first.address)
        assert not chamber.delegate_signed(second, other.address, off=1), "another nonce"
        assert not chamber.delegate_signed(second, other.address, late=1), "expired"
        assert chamber.delegate_signed(second, other.address)
        machine.agrees()
        assert votes.held(first.address) + votes.held(other.address) == has
        assert not chamber.permit(first, other, 10 * WEI, late=1) and chamber.permit(first, other, 10 * WEI)
        assert not chamber.transfer_from(other, first, second.address, 10 * WEI + 1)
        assert chamber.transfer_from(other, first, second.address, 7 * WEI)
        machine.agrees()
        assert not chamber.burn_from(other, first, 3 * WEI + 1) and chamber.burn_from(other, first, 3 * WEI)
        assert not chamber.burn(other, 1) and chamber.burn(second, WEI)
        assert not chamber.transfer(other, first.address, 1) and not chamber.transfer(first, NOBODY, 1)
        assert votes.held(first.address) + votes.held(other.address) == has - 4 * WEI
        machine._pass(1)
        machine.agrees()
        machine._borrow(first, other)
        machine._pass(1)
        machine.agrees()
        assert votes.past(first.address, world.now - 3)[0] == 0, "before all of it"


def _bills(machine: Machine) -> dict[str, Proposal]:
    """A proposal of each kind of end, all by the foundation."""
    propose = lambda *calls: machine.chamber.propose(machine.world.founder, calls)  # noqa: E731
    rows = ((machine.world.clients[0].address, 5), (machine.world.clients[1].address, 7))
    setting, beyond = (Call("parameters", "set", each) for each in (WIDE, NARROW))
    grant = Call("community_fund", "grant", (machine.world.stranger.address, 10**20))
    airdrop = Call("community_fund", "open_airdrop", (rows, 12, machine.world.now + 5 * DAY + 2 * WEEK))
    bills = {
        "good": propose(setting, grant, airdrop),
        "beyond": propose(grant, beyond),
        "forgotten": propose(setting),
        "late": propose(grant),
        "doomed": propose(grant, grant),
        "withdrawn": propose(grant, setting),
    }
    bills["end"] = propose(Call("council", "cancel", (bills["doomed"].id,)))  # type: ignore[union-attr]
    assert None not in bills.values()
    machine.agrees()
    return {name: bill for name, bill in bills.items() if bill is not None}


def test_proposals_agree_to_the_second_and_change_what_the_model_reads(world: Watched) -> None:
    with at_peace(world, "council", COUNCIL) as machine:
        chamber, model, founder = machine.chamber, machine.bench.model, world.founder
        voter, late = world.clients
        assert chamber.delegate(founder, founder.address) and chamber.propose(founder, (), "x") is None
        machine._pass(1)
        bills = _bills(machine)
        good = bills["good"]
        assert chamber.propose(founder, good.calls, good.words) is None, "proposed already"
        assert chamber.propose(founder, good.calls, only=voter.address) is None, "left to another"
        assert not chamber.cancel(world.guardian, good) and not chamber.cancel(voter, good)
        assert chamber.cancel(founder, bills["withdrawn"]) and not chamber.cancel(founder, bills["withdrawn"])
        machine.until(good.snapshot)
        assert not chamber.cast(founder, good, FOR), "a second too early"
        machine.until(good.snapshot + 1)
        for bill in bills.values():
            assert chamber.cast(founder, bill, FOR) is (bill is not bills["withdrawn"])
        assert not chamber.cast(founder, good, AGAINST), "voted"
        assert chamber.transfer(founder, late.address, 10**6 * WEI) and chamber.delegate(late, late.address)
        machine.agrees()
        machine._pass(1)
        assert not chamber.cast(late, good, FOR) and not chamber.cast(late, good, AGAINST), "moved after the snapshot"
        owner = world.managers[0].owner
        assert not chamber.cast_signed(owner, good, AGAINST, signer=voter), "forged"
        assert not chamber.cast_signed(owner, good, 3), "no such vote"
        machine.until(good.deadline)
        assert chamber.cast_signed(owner, good, AGAINST) and not chamber.cast_signed(owner, good, AGAINST)
        assert chamber.cast(world.workers[0].owner, good, ABSTAIN) and not chamber.queue(good)
        machine.agrees()
        _after_the_vote(machine, bills)
        assert model.ground.parameters["dispute_bond"] == WIDE[1]


def _after_the_vote(machine: Machine, bills: dict[str, Proposal]) -> None:
    chamber, governance, good = machine.chamber, machine.bench.model.governance, bills["good"]
    machine.until(good.deadline + 1)
    assert not chamber.cast(machine.world.workers[1].owner, good, FOR) and not chamber.execute(good)
    for name in ("good", "beyond", "doomed", "end", "late"):
        assert chamber.queue(bills[name]) and not chamber.queue(bills[name])
    assert not chamber.queue(bills["withdrawn"])
    machine.agrees()
    machine.until(good.eta - 1)
    assert not chamber.execute(good) and not chamber.execute(good, directly=True)
    machine.until(good.eta)
    assert not chamber.execute(bills["beyond"]) and governance.state(bills["beyond"]) == QUEUED
    machine.agrees()
    assert chamber.execute(good, directly=True) and not chamber.execute(good, directly=True)
    assert machine.purse.collect(1, 0) and not machine.purse.collect(1, 0)
    assert chamber.execute(bills["end"]) and not chamber.execute(bills["end"])
    assert not chamber.execute(bills["doomed"]) and not chamber.execute(bills["doomed"], directly=True)
    machine.agrees()
    machine.until(good.deadline + GRACE)
    assert not chamber.queue(bills["forgotten"]), "nobody queued it"
    machine.until(good.eta + GRACE - 1)
    assert governance.state(bills["late"]) == QUEUED
    machine.until(good.eta + GRACE)
    assert not chamber.execute(bills["late"]) and not chamber.execute(bills["late"], directly=True)
    assert governance.state(bills["late"]) == governance.state(bills["forgotten"]) == EXPIRED


def test_threshold_and_quorum_agree_to_the_wei(world: Watched) -> None:
    with at_peace(world, "council", ("propose", "queue")) as machine:
        chamber, model, founder = machine.chamber, machine.bench.model, world.founder
        (voter, _), poor = world.clients, world.investors[0]
        quorum = model.ground.ifx.supply // 100
        assert chamber.delegate(voter, voter.address) and chamber.delegate(poor, poor.address)
        assert chamber.transfer(founder, poor.address, THRESHOLD - 1)
        lacking = quorum - THRESHOLD - 1 - model.ground.ifx.of(voter.address)
        assert chamber.transfer(founder, voter.address, lacking)
        machine._pass(1)
        bill = (Call("timelock", "updateDelay", (2 * DAY,)),)
        assert chamber.propose(poor, bill) is None and chamber.transfer(founder, poor.address, 1)
        assert chamber.propose(poor, bill) is None, "votes of the second before"
        machine._pass(1)
        for off in (0, 1):
            assert chamber.transfer(founder, voter.address, off)
            machine._pass(1)
            item = chamber.propose(poor, bill)
            assert item is not None
            machine.until(item.snapshot + 1)
            assert machine.bench.sync().governance.quorum(item) == quorum
            assert chamber.cast(poor, item, ABSTAIN) and chamber.cast(voter, item, FOR)
            assert chamber.cast(world.managers[0].owner, item, AGAINST), "counts for no quorum"
            machine.until(item.deadline + 1)
            assert chamber.queue(item) is (off == 1), "a wei under the quorum"
            machine.agrees()
        machine.until(item.eta)
        assert chamber.execute(item) and model.governance.wait == 2 * DAY


def test_roles_agree_from_the_vote_to_what_they_let_people_do(world: Watched) -> None:
    with at_peace(world, "timelock", ("cancel", "grantRole", "revokeRole", "executeBatch")) as machine:
        chamber, model, own = machine.chamber, machine.bench.model, world.addresses
        friend, other = world.clients
        assert chamber.delegate(world.founder, world.founder.address)
        machine._pass(1)
        for function in ("grantRole", "revokeRole"):
            assert not chamber.set_role(world.founder, function, ADMIN, friend.address)
        assert not chamber.set_role(other, "renounceRole", CANCELLER, friend.address), "another's"
        give = lambda name, who: Call("timelock", "grantRole", (name, who))  # noqa: E731
        guard = Call("parameters", "set_guardian", (friend.address,))
        _enacted(machine, give(CANCELLER, friend.address), give(ADMIN, friend.address), guard)
        assert model.ground.guardian == friend.address
        late = _queued(machine, guard)
        assert not chamber.drop(other, late) and not chamber.drop(world.founder, late)
        assert chamber.drop(friend, late) and not chamber.drop(friend, late)
        assert model.governance.state(late) == CANCELED
        machine.agrees()
        for name, who in ((EXECUTOR, NOBODY), (CANCELLER, own["council"]), (PROPOSER, own["council"])):
            late = _queued(machine, Call("timelock", "updateDelay", (2 * DAY,)))
            assert not chamber.set_role(other, "revokeRole", name, who)
            assert chamber.set_role(friend, "revokeRole", name, who)
            machine.agrees()
            if name == EXECUTOR:
                _only_by(machine, friend, late)
            elif name == CANCELLER:
                end = _queued(machine, Call("council", "cancel", (late.id,)))
                machine.until(end.eta)
                assert not chamber.execute(end), "Governor cancels nothing any more"
        item = _won(machine, guard)
        assert not chamber.queue(item), "nor does it schedule anything"
        assert chamber.set_role(friend, "renounceRole", ADMIN, friend.address)
        assert not chamber.set_role(friend, "grantRole", PROPOSER, own["council"])


def _only_by(machine: Machine, friend: Any, item: Proposal) -> None:
    """While nobody else may execute, and then everybody again."""
    chamber = machine.chamber
    machine.until(item.eta)
    assert chamber.set_role(friend, "grantRole", EXECUTOR, friend.address)
    assert not chamber.execute(item) and not chamber.execute(item, directly=True)
    assert chamber.execute(item, directly=True, who=friend)
    assert chamber.set_role(friend, "grantRole", EXECUTOR, NOBODY)


def _won(machine: Machine, *calls: Call) -> Proposal:
    chamber, founder = machine.chamber, machine.world.founder
    item = chamber.propose(founder, calls)
    assert item is not None
    machine.until(item.snapshot + 1)
    assert chamber.cast(founder, item, FOR)
    machine.until(item.deadline + 1)
    return item


def _queued(machine: Machine, *calls: Call) -> Proposal:
    item = _won(machine, *calls)
    assert machine.chamber.queue(item)
    return item


def _enacted(machine: Machine, *calls: Call) -> None:
    item = _queued(machine, *calls)
    machine.until(item.eta)
    assert machine.chamber.execute(item)
    machine.agrees()
