# SPDX-License-Identifier: Apache-2.0
"""IFX that waits for its owners: schedules of investors and the foundation, the community's fund and its airdrops."""

from dataclasses import dataclass, field

from eth_utils import keccak, to_checksum_address

from tests.stateful.model.basics import BPS, DAY, WEI, Ground, need
from tests.stateful.model.votes import NOBODY, Votes

MONTH = 365 * DAY // 12
AT_ONCE = 50  # schedules in a call
# Share: millions of IFX, basis points free at TGE, months until the rest begins to flow, months that it flows
SHARES = {
    1: (80, 0, 6, 12),
    2: (70, 0, 6, 12),
    3: (25, 1_000, 3, 15),
    4: (50, 1_000, 3, 4),
    5: (125, 0, 12, 24),
}
WEEK, YEAR = 7 * DAY, 365 * DAY


def made_by(maker: str, nonce: int) -> str:
    """The address of the contract that a contract makes as its nonce-th, 1 to 127: RLP of the two, hashed."""
    assert 0 < nonce < 128
    return to_checksum_address(keccak(b"\xd6\x94" + bytes.fromhex(maker[2:]) + bytes([nonce]))[12:])


@dataclass
class Schedule:
    """Wei for somebody; ``paid``: when, how much."""

    beneficiary: str
    wallet: str
    share: int
    amount: int
    paid: list[tuple[int, int]] = field(default_factory=list)
    proposed: str = NOBODY

    @property
    def claimed(self) -> int:
        """All that was paid."""
        return sum(amount for _, amount in self.paid)


@dataclass
class Vesting:
    """``tge``: second from which all terms count."""

    ground: Ground
    votes: Votes
    foundation: str
    tge: int
    schedules: dict[int, Schedule] = field(default_factory=dict)

    @property
    def _address(self) -> str:
        return self.ground.own["vesting"]

    def unallocated(self, share: int) -> int:
        """What of a share no schedule was made of."""
        made = sum(schedule.amount for schedule in self.schedules.values() if schedule.share == share)
        return SHARES[share][0] * 10**6 * WEI - made

    def boundaries(self, share: int) -> tuple[int, int, int]:
        """Seconds: the first that something is free, the last before the rest flows, the first that all is free."""
        _, _, cliff, linear = SHARES[share]
        return self.tge, self.tge + cliff * MONTH, self.tge + (cliff + linear) * MONTH

    def vested(self, schedule: Schedule, at: int) -> int:
        """Free at a second: the TGE's part, and of the rest each second's part from the cliff on, rounded down."""
        first, cliff, end = self.boundaries(schedule.share)
        if at < first:
            return 0
        at_once = schedule.amount * SHARES[schedule.share][1] // BPS
        flowed = min(max(at, cliff), end) - cliff
        return at_once + (schedule.amount - at_once) * flowed // (end - cliff)

    def free(self, schedule: Schedule) -> int:
        """Not paid yet, now."""
        return self.vested(schedule, self.ground.clock.now) - schedule.claimed

    def create(self, who: str, share: int, people: list[str], amounts: list[int]) -> None:
        """By the foundation, of what is left of the share; all or none. They vote from now on."""
        need(who == self.foundation and share in SHARES, "not the foundation, or no such share")
        need(len(people) == len(amounts) <= AT_ONCE, "numbers")
        need(NOBODY not in people and all(amounts), "nobody or nothing")
        need(sum(amounts) <= self.unallocated(share), "over the share")
        for person, amount in zip(people, amounts, strict=True):
            id = len(self.schedules) + 1
            wallet = made_by(self._address, id)
            self.schedules[id] = Schedule(person, wallet, share, amount)
            self.ground.ifx.move(self._address, wallet, amount)
            self.votes.delegate(wallet, person)

    def claim(self, id: int) -> int:
        """What is free, to the beneficiary."""
        need(id in self.schedules, "no such schedule")
        schedule = self.schedules[id]
        amount = self.free(schedule)
        need(amount, "nothing")
        self.ground.ifx.move(schedule.wallet, schedule.beneficiary, amount)
        schedule.paid.append((self.ground.clock.now, amount))
        return amount

    def _of(self, who: str, id: int) -> Schedule:
        need(id in self.schedules and self.schedules[id].beneficiary == who, "not the beneficiary")
        return self.schedules[id]

    def delegate(self, who: str, id: int, to: str) -> None:
        """The beneficiary says who votes with what the wallet still holds."""
        self.votes.delegate(self._of(who, id).wallet, to)

    def propose(self, who: str, id: int, to: str) -> None:
        """A next beneficiary."""
        self._of(who, id).proposed = to

    def accept(self, who: str, id: int) -> None:
        """With the votes."""
        need(id in self.schedules and self.schedules[id].proposed == who, "not proposed")
        schedule = self.schedules[id]
        schedule.beneficiary, schedule.proposed = who, NOBODY
        self.votes.delegate(schedule.wallet, who)

    def check(self) -> None:
        """What is owed is there; nothing was ever paid before it was free."""
        ifx = self.ground.ifx
        assert ifx.of(self._address) >= sum(map(self.unallocated, SHARES))
        for schedule in self.schedules.values():
            assert ifx.of(schedule.wallet) >= schedule.amount - schedule.claimed
            sums = [sum(amount for _, amount in schedule.paid[: at + 1]) for at in range(len(schedule.paid))]
            assert all(paid <= self.vested(schedule, at) for paid, (at, _) in zip(sums, schedule.paid, strict=True))
            assert sums == sorted(set(sums)), "paid nothing, or took something back"


@dataclass
class Airdrop:
    """``rows``: account and wei; ``left``: of what was set aside; ``until``: first second that nobody is paid."""

    rows: tuple[tuple[str, int], ...]
    amount: int
    left: int
    until: int
    claimed: dict[str, int] = field(default_factory=dict)
    is_swept: bool = False


@dataclass
class Fund:
    """The community's."""

    ground: Ground
    airdrops: dict[int, Airdrop] = field(default_factory=dict)

    @property
    def _address(self) -> str:
        return self.ground.own["community_fund"]

    @property
    def reserved(self) -> int:
        """What airdrops hold."""
        return sum(airdrop.left for airdrop in self.airdrops.values())

    @property
    def available(self) -> int:
        """The rest."""
        return self.ground.ifx.of(self._address) - self.reserved

    def _check(self, who: str) -> None:
        need(who == self.ground.own["timelock"], "not the governor")

    def grant(self, who: str, to: str, amount: int) -> None:
        """What no airdrop holds."""
        self._check(who)
        need(to != NOBODY and amount <= self.available, "nobody, or over what is available")
        self.ground.ifx.move(self._address, to, amount)

    def open(self, who: str, rows: tuple[tuple[str, int], ...], amount: int, until: int) -> None:
        """Sets aside for a week to a year."""
        self._check(who)
        need(rows and amount and amount <= self.available, "nothing, or over what is available")
        need(WEEK <= until - self.ground.clock.now <= YEAR, "deadline")
        self.airdrops[len(self.airdrops) + 1] = Airdrop(rows, amount, amount, until)

    def claim(self, id: int, account: str, amount: int, *, is_proven: bool) -> None:
        """A listed account, once, in time, while there is something left."""
        need(id in self.airdrops, "no such airdrop")
        airdrop = self.airdrops[id]
        need(self.ground.clock.now < airdrop.until, "over")
        need(account not in airdrop.claimed, "claimed")
        need(is_proven and (account, amount) in airdrop.rows, "not listed")
        need(amount <= airdrop.left, "used up")
        self.ground.ifx.move(self._address, account, amount)
        airdrop.left -= amount
        airdrop.claimed[account] = amount

    def sweep(self, id: int) -> None:
        """What is left is the fund's again."""
        need(id in self.airdrops, "no such airdrop")
        airdrop = self.airdrops[id]
        need(self.ground.clock.now >= airdrop.until and airdrop.left, "open, or nothing left")
        airdrop.left, airdrop.is_swept = 0, True

    def check(self) -> None:
        """Each airdrop can pay what it promised, once to each."""
        assert self.available >= 0
        for airdrop in self.airdrops.values():
            paid = sum(airdrop.claimed.values())
            assert airdrop.claimed.items() <= set(airdrop.rows)
            assert paid <= airdrop.amount and (airdrop.is_swept or paid + airdrop.left == airdrop.amount)
