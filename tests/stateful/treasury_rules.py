# SPDX-License-Identifier: Apache-2.0
"""The foundation makes schedules, beneficiaries vote and hand over, everybody is paid; the fund grants and opens airdrops."""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.stateful.chamber import Chamber
from tests.stateful.model.basics import BPS, DAY, WEI
from tests.stateful.model.vesting import SHARES, WEEK, YEAR, Fund, Vesting
from tests.stateful.model.votes import NOBODY
from tests.stateful.purse import OWN, PROOFS, Purse
from tests.stateful.stage import PART, PICK, SMALL, Stage

MILLION = 10**6 * WEI
SOON = 100 * DAY  # how far off a second is waited for
ACTS = ("create", "claim", "claim", "delegate", "hand over", "grant", "open", "collect", "collect", "sweep", "until")


class TreasuryRules(Stage):
    """Also wrong amounts, wrong people and wrong proofs: both sides must refuse them."""

    @property
    def purse(self) -> Purse:
        """What acts on these contracts."""
        return Purse(self.bench)

    @property
    def chamber(self) -> Chamber:
        """What acts on IFX and Governor."""
        return Chamber(self.bench)

    @property
    def _vesting(self) -> Vesting:
        return self.bench.model.vesting

    @property
    def _fund(self) -> Fund:
        return self.bench.model.governance.fund

    @initialize(first=st.integers(1, MILLION), second=st.integers(1, MILLION))
    def endow(self, first: int, second: int) -> None:
        """Clients and an investor have schedules of two kinds; the foundation votes with what it has."""
        people = [*(client.address for client in self.world.clients), self.world.investors[0].address]
        assert self.purse.create(self.world.founder, 4, people, [2 * MILLION + first, MILLION + second, 3])
        assert self.purse.create(self.world.founder, 1, people[:1], [3 * MILLION + second])
        assert self.chamber.delegate(self.world.founder, self.world.foundation)

    @rule(act=st.sampled_from(ACTS), pick=PICK, by=PICK, part=PART, more=SMALL)
    def treasury(self, act: str, pick: int, by: int, part: int, more: int) -> None:
        match act:
            case "create":
                self._create(pick, by, part, more)
            case "claim":
                self.purse.claim(pick % (len(self._vesting.schedules) + 2))
            case "delegate" | "hand over":
                self._lend(act, pick, by)
            case "until":
                self._until(pick, more)
            case _:
                self._spend(act, pick, by, part, more)

    def _create(self, pick: int, by: int, part: int, more: int) -> None:
        share, voters = pick % (len(SHARES) + 2), self.chamber.voters
        people = [self._of(voters, pick + at).address if more else NOBODY for at in range(1 + more % 2)]
        amount = self._vesting.unallocated(share) * part // BPS // 2 + more if share in SHARES else more
        who = self.world.founder if by % 5 else self.world.stranger
        self.purse.create(who, share, people, [amount] * (len(people) + (by % 7 == 0)))

    def _lend(self, act: str, pick: int, by: int) -> None:
        voters = self.chamber.voters
        id, to = 1 + pick % (len(self._vesting.schedules) + 1), self._of(voters, by)
        schedule = self._vesting.schedules.get(id)
        owners = [voter for voter in voters if schedule and voter.address == schedule.beneficiary]
        who = owners[0] if owners and by % 4 else self.world.stranger
        if act == "delegate":
            self.purse.delegate(who, id, to.address if pick % 6 else NOBODY)
            return
        self.purse.hand_over(who, id, to.address if pick % 6 else NOBODY)
        self.purse.take_over(self.world.stranger, id)
        if by % 2:
            self.purse.take_over(to, id)

    def _until(self, pick: int, more: int) -> None:
        """A second before, at, or after one from which something is otherwise."""
        seconds = [self._vesting.boundaries(schedule.share) for schedule in self._vesting.schedules.values()]
        ends = {second for three in seconds for second in three} | {drop.until for drop in self._fund.airdrops.values()}
        ahead = sorted(end for end in ends if 1 < end - self.world.now < SOON)
        if ahead:
            self._pass(self._of(ahead, pick) - self.world.now + more - 1)

    def _spend(self, act: str, pick: int, by: int, part: int, more: int) -> None:
        voters, drops = self.chamber.voters, self._fund.airdrops
        id, who = 1 + pick % (len(drops) + 1), self.world.governor if by % 5 else self.world.stranger
        rest = self._fund.available * part // BPS + more
        if act == "grant":
            self.purse.grant(who, self._of(voters, pick).address, rest if part > BPS else rest // 4)
        elif act == "open":
            # Lists that add up to what is set aside, or to more.
            rows = tuple((self._of(voters, pick + at).address, rest // 8 + at + 1) for at in range(3))
            term = self._of([WEEK - 1, WEEK, WEEK + DAY, 90 * DAY, YEAR, YEAR + 1], pick)
            amount = sum(amount for _, amount in rows) - (part == 9_999)
            self.purse.open(who, rows, amount if part <= BPS else rest, self.world.now + term)
        elif act == "collect":
            account = self.world.stranger.address if by == 1 else ""
            self.purse.collect(id, by, self._of(PROOFS, pick), int(part == 1), account)
            if by % 3 == 0:
                self.purse.collect(id, by, OWN)
        else:
            self.purse.sweep(id)
