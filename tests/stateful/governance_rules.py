# SPDX-License-Identifier: Apache-2.0
"""Holders move IFX and lend their votes; proposals go their way, to the second, and change what the rest of the model reads."""

from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.stateful.epoch_rules import GOVERNED
from tests.stateful.model.basics import BPS, DAY, WEI
from tests.stateful.model.governance import (
    ADMIN,
    BOUNDS,
    CANCELLER,
    EXECUTOR,
    FOR,
    GRACE,
    PROPOSER,
    Call,
    Governance,
    Proposal,
)
from tests.stateful.model.vesting import WEEK
from tests.stateful.model.votes import NOBODY
from tests.stateful.stage import PART, PICK, SMALL
from tests.stateful.treasury_rules import MILLION, TreasuryRules

MOVES = ("delegate", "delegate", "delegate signed", "transfer", "permit", "spend", "burn", "burn from", "borrow")
STEPS = (
    "propose",
    "propose",
    "cast",
    "cast signed",
    "queue",
    "execute",
    "directly",
    "cancel",
    "role",
    "drop",
    "to end",
    "enact",
    "enact",
)
SETTINGS: dict[str, tuple[int, ...]] = GOVERNED | {"dispute_bond": (10**9, 100 * 10**9)}
ROLES = (PROPOSER, CANCELLER, EXECUTOR, ADMIN)
RULES = {
    "setVotingDelay": (DAY - 1, DAY, 2 * DAY, 30 * DAY + 1),
    "setVotingPeriod": (3 * DAY - 1, 3 * DAY, 4 * DAY, 30 * DAY + 1),
    "setProposalThreshold": (10_000 * WEI - 1, 10_000 * WEI, 20_000 * WEI, 20_000_001 * WEI),
    "updateQuorumNumerator": (99, 100, 150, 2_001),
    "updateDelay": (DAY - 1, DAY, 2 * DAY, 30 * DAY + 1),
}


def _role(function: str, name: str, who: str) -> Call:
    return Call("timelock", function, (name, who))


class GovernanceRules(TreasuryRules):
    """Also by those who have no votes, too early and too late: both sides must refuse it."""

    @property
    def _governance(self) -> Governance:
        return self.bench.model.governance

    # -- votes

    @rule(act=st.sampled_from(MOVES), pick=PICK, by=PICK, part=PART, more=SMALL)
    def votes(self, act: str, pick: int, by: int, part: int, more: int) -> None:
        chamber, voters = self.chamber, self.chamber.voters
        who, other = self._of(voters, pick), self._of(voters, pick + 1 + by % (len(voters) - 1))
        amount = self.bench.model.ground.ifx.of(who.address) * part // BPS
        amount = amount + more if part > BPS else min(amount // 2, MILLION)
        match act:
            case "delegate":
                chamber.delegate(who, self._of([who.address, other.address, NOBODY], by))
            case "delegate signed":
                chamber.delegate_signed(who, other.address, off=int(part == 1), late=int(part == 0))
            case "transfer":
                self._compare_parts(who.address, other.address, amount)
                chamber.transfer(who, NOBODY if by == 1 else other.address, amount)
            case "permit":
                chamber.permit(who, other, amount, late=int(part == 0))
            case "spend":
                chamber.transfer_from(other, who, self.world.stranger.address, amount)
            case "burn":
                chamber.burn(who, min(amount, 1_000 * WEI) if part <= BPS else amount)
            case "burn from":
                chamber.burn_from(other, who, min(amount, 1_000 * WEI))
            case _:
                self._borrow(who, other)

    def _compare_parts(self, who: str, to: str, amount: int) -> None:
        """What is split among voters votes as often as before."""

        def votes(model: Any, *parts: int) -> int:
            for part in parts:
                model.votes.transfer(who, to, part)
            return sum(model.votes.held(each.address) for each in self.chamber.voters)

        self.bench.parts(lambda m: votes(m, amount), lambda m: votes(m, amount // 2, amount - amount // 2))

    def _borrow(self, lender: Any, borrower: Any) -> None:
        """Everything of somebody's for a transaction: it proposes nothing and votes on nothing."""
        chamber, amount = self.chamber, self.bench.sync().ground.ifx.of(lender.address)
        before = {id: sum(item.sum(said) for said in range(3)) for id, item in self._governance.proposals.items()}
        own = sum(self.bench.model.votes.past(borrower.address, self.world.now - 1))
        assert chamber.transfer(lender, borrower.address, amount)
        for voter in (borrower, lender):
            chamber.delegate(borrower, voter.address)
            proposed = chamber.propose(borrower, (Call("timelock", "updateDelay", (DAY,)),))
            assert proposed is None or own >= self._governance.threshold
        for id, sums in before.items():
            item = self._governance.proposals[id]
            if chamber.cast(borrower, item, FOR):
                known = sum(self.bench.model.votes.past(borrower.address, item.snapshot))
                assert item.sum(0, 1, 2) == sums + known
        assert chamber.transfer(borrower, lender.address, amount)

    # -- proposals

    @rule(act=st.sampled_from(STEPS), kind=st.integers(0, 7), pick=PICK, by=PICK, said=st.sampled_from([1, 1, 0, 2, 3]))
    def decide(self, act: str, kind: int, pick: int, by: int, said: int) -> None:
        chamber, voters = self.chamber, self.chamber.voters
        who = self._of(voters, by)
        if act == "propose":
            only = self._of([None, None, who.address, self.world.stranger.address], pick)
            chamber.propose(who, self._calls(kind, pick), only=only)
            return
        if act == "role":
            function = self._of(["renounceRole", "grantRole", "revokeRole"], pick)
            chamber.set_role(who, function, self._of(ROLES, said), self._of([who, voters[0]], kind).address)
            return
        if act == "enact":
            self._enact(self._calls(kind, pick), by, said)
            return
        item = self._of(list(self._governance.proposals.values()), pick) if self._governance.proposals else None
        if item is None:
            return
        match act:
            case "cast":
                chamber.cast(who, item, said)
            case "cast signed":
                chamber.cast_signed(who, item, said, signer=self.world.stranger if by % 5 == 0 else None)
            case "queue":
                chamber.queue(item)
            case "execute" | "directly":
                chamber.execute(item, directly=act == "directly", who=who)
            case "drop":
                chamber.drop(who, item)
            case "cancel":
                proposer = next(voter for voter in voters if voter.address == item.proposer)
                chamber.cancel(self._of([proposer, self.world.guardian, self.world.stranger, who], pick), item)
            case _:
                self._to_end(item, pick)

    def _calls(self, kind: int, pick: int) -> tuple[Call, ...]:
        """What is proposed: settings, rules of votes, money of the fund, another's end; some of it cannot be executed."""
        name = self._of(sorted(SETTINGS), pick)
        setting = Call("parameters", "set", (name, self._of(SETTINGS[name], pick)))
        low, high = BOUNDS[name]
        beyond = Call("parameters", "set", (name, high + 1 if pick % 2 or not low else low - 1))
        fixed = Call("parameters", "set", (self._of(["epoch_length", "nothing"], pick), DAY))
        voters = self.chamber.voters
        rows = tuple((self._of(voters, pick + at).address, 10**20 + at) for at in range(3))
        grant = Call("community_fund", "grant", (self._of(voters, pick).address, 10**23 + pick))
        airdrop = Call("community_fund", "open_airdrop", (rows, 3 * 10**20 + 3, self.world.now + 5 * DAY + 4 * WEEK))
        rule = self._of(sorted(RULES), pick)
        target = "timelock" if rule == "updateDelay" else "council"
        ruled = Call(target, rule, (self._of(RULES[rule], pick // 5),))
        others = list(self._governance.proposals)
        ended = Call("council", "cancel", (self._of(others, pick),)) if others else setting
        nothing = Call(self.world.stranger.address, "nothing", ())
        table = [(setting,), (beyond,), (setting, self._of([fixed, nothing], pick)), (grant, setting), (airdrop,)]
        return (*table, (ruled,), (ended,), self._rights(pick))[kind]

    def _rights(self, pick: int) -> tuple[Call, ...]:
        """The guardian, or who schedules, cancels, executes and says who does."""
        voter, own = self._of(self.chamber.voters, pick // 7).address, self.world.addresses
        give, take = (partial(_role, function) for function in ("grantRole", "revokeRole"))
        guard = Call("parameters", "set_guardian", (voter,))
        choices = [
            (guard,),
            (give(CANCELLER, voter), guard),
            (give(PROPOSER, voter), give(ADMIN, voter)),
            (take(CANCELLER, own["council"]), give(CANCELLER, voter)),
            (take(EXECUTOR, NOBODY), give(EXECUTOR, own["council"])),
            (take(EXECUTOR, NOBODY), give(EXECUTOR, voter)),
            (_role("renounceRole", ADMIN, own["timelock"]),),
        ]
        return self._of(choices, pick)

    def until(self, second: int) -> None:
        """Time passes up to a second; none where it is over."""
        self._pass(max(0, second - self.world.now))

    def _to_end(self, item: Proposal, pick: int) -> None:
        """The end of one of its times, or a second off it."""
        ends = [item.snapshot, item.deadline, item.deadline + GRACE, item.eta, item.eta + GRACE]
        self.until(self._of(ends, pick) + pick % 3 - 1)

    def _enact(self, calls: tuple[Call, ...], by: int, said: int) -> Proposal | None:
        """The whole way, with each step tried a second too early; whoever has votes says something."""
        chamber, voters = self.chamber, self.chamber.voters
        item = chamber.propose(self._of(voters, by), calls) or chamber.propose(self.world.founder, calls)
        if item is None:
            return None
        self.until(item.snapshot)
        chamber.cast(voters[0], item, said)
        self.until(item.snapshot + 1)
        for voter in voters[:3]:
            chamber.cast(voter, item, said)
        self._move_after(item, by)
        self.until(item.deadline)
        chamber.queue(item)
        chamber.cast_signed(self.world.founder, item, FOR if said > 1 else said)
        self.until(item.deadline + (GRACE if by % 9 == 8 else 1))
        chamber.cast(voters[-1], item, said)
        chamber.queue(item)
        self.until(item.eta - 1)
        chamber.execute(item, directly=bool(by % 2))
        self.until(item.eta + (GRACE - by % 2 if by % 9 == 7 else 0))
        for _ in range(2):
            chamber.execute(item, directly=bool(by % 2))
        return item

    def _move_after(self, item: Proposal, by: int) -> None:
        """What moves after the snapshot has voted, or not, where it was."""
        chamber, voters = self.chamber, self.chamber.voters
        amount = self.bench.model.ground.ifx.of(voters[0].address)
        assert chamber.transfer(voters[0], voters[by % 2 + 4].address, amount)
        chamber.delegate(voters[by % 2 + 4], voters[by % 2 + 4].address)
        chamber.cast(voters[by % 2 + 4], item, FOR)
        assert chamber.transfer(voters[by % 2 + 4], voters[0].address, amount)
