# SPDX-License-Identifier: Apache-2.0
"""Holders of IFX decide: proposals, their votes, the timelock, and what an executed call changes."""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.stateful.model.basics import BPS, DAY, WEI, Ground, need
from tests.stateful.model.vesting import Fund
from tests.stateful.model.votes import NOBODY, Votes

PENDING, ACTIVE, CANCELED, DEFEATED, SUCCEEDED, QUEUED, EXPIRED, EXECUTED = range(8)
AGAINST, FOR, ABSTAIN = range(3)
GRACE = 14 * DAY
PROPOSER, CANCELLER, EXECUTOR, ADMIN = "PROPOSER_ROLE", "CANCELLER_ROLE", "EXECUTOR_ROLE", "DEFAULT_ADMIN_ROLE"
BOUNDS = {
    "pool_withdrawal_floor": (0, 10**15),
    "pool_withdrawal_bps": (100, 10_000),
    "matured_bps": (0, 10_000),
    "worker_vesting": (30 * DAY, 730 * DAY),
    "mint_multiple_bps": (0, 50_000),
    "burn_bps": (5_000, 9_500),
    "manager_fee_bps": (50, 200),
    "lease_fee_bps": (0, 1_000),
    "slash_failed_bps": (0, 10_000),
    "claim_horizon": (DAY, 60 * DAY),
    "unbonding": (60 * DAY, 365 * DAY),
    "accounts_window": (3_600, 7 * DAY),
    "dispute_bond": (10**9, 10**13),
    "root_bond": (10**9, 10**14),
    "buyback_bps": (5_000, 10_000),
}
"""Of parameters that are set here; nano-USD, seconds or basis points."""
RULES = {
    "setVotingDelay": ("delay", DAY, 30 * DAY),
    "setVotingPeriod": ("period", 3 * DAY, 30 * DAY),
    "setProposalThreshold": ("threshold", 10_000 * WEI, 20_000_000 * WEI),
    "updateDelay": ("wait", DAY, 30 * DAY),
}


@dataclass(frozen=True)
class Call:
    """A call of a contract, by name; of ``Parameters.set`` the parameter's name as text, of ``cancel`` the proposal's id."""

    target: str
    function: str
    arguments: tuple[Any, ...]


@dataclass
class Proposal:
    """``ballots``: by voter, what it said and with how many votes. Seconds; 0: not yet."""

    id: int
    words: str
    calls: tuple[Call, ...]
    proposer: str
    snapshot: int
    deadline: int
    ballots: dict[str, tuple[int, int]] = field(default_factory=dict)
    is_cancelled: bool = False
    queued_at: int = 0
    eta: int = 0
    executed_at: int = 0

    def sum(self, *said: int) -> int:
        """Votes that said one of these [wei]."""
        return sum(weight for what, weight in self.ballots.values() if what in said)


@dataclass
class Governance:
    """``wait``: the timelock's delay; ``shares``: since when the quorum is how many basis points of the supply; ``roles``: by
    role and account, whether it has it at the timelock."""

    ground: Ground
    votes: Votes
    fund: Fund
    delay: int
    period: int
    threshold: int
    wait: int
    shares: list[tuple[int, int]]
    proposals: dict[int, Proposal] = field(default_factory=dict)
    nonces: dict[str, int] = field(default_factory=dict)
    roles: dict[tuple[str, str], bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Governor schedules and cancels, anybody executes, and the timelock alone says who else may."""
        council, timelock = self.ground.own["council"], self.ground.own["timelock"]
        first = ((PROPOSER, council), (CANCELLER, council), (EXECUTOR, NOBODY), (ADMIN, timelock))
        self.roles = dict.fromkeys(first, True)

    def _now(self) -> int:
        return self.ground.clock.now

    def propose(self, who: str, id: int, words: str, calls: tuple[Call, ...], only: str | None = None) -> None:
        """Whoever had enough votes a second ago; ``only``: the words leave it to this account."""
        need(only in (None, who), "left to another")
        need(sum(self.votes.past(who, self._now() - 1)) >= self.threshold, "under the threshold")
        need(calls and id not in self.proposals, "no calls, or proposed already")
        snapshot = self._now() + self.delay
        self.proposals[id] = Proposal(id, words, calls, who, snapshot, snapshot + self.period)

    def quorum(self, item: Proposal) -> int:
        """Of the supply at the snapshot, by the share of then."""
        share = max(entry for entry in enumerate(self.shares) if entry[1][0] <= item.snapshot)[1][1]
        return self.votes.past_supply(item.snapshot) * share // BPS

    def is_won(self, item: Proposal) -> bool:
        """More for than against, and enough that did not say against."""
        return item.sum(FOR) > item.sum(AGAINST) and item.sum(FOR, ABSTAIN) >= self.quorum(item)

    def state(self, item: Proposal) -> int:
        """Now."""
        if item.is_cancelled:
            return CANCELED
        if self._now() <= item.deadline:
            return PENDING if self._now() <= item.snapshot else ACTIVE
        if not self.is_won(item):
            return DEFEATED
        if item.executed_at:
            return EXECUTED
        if self._now() >= (item.eta or item.deadline) + GRACE:
            return EXPIRED
        return QUEUED if item.eta else SUCCEEDED

    def _need(self, id: int, *states: int) -> Proposal:
        need(id in self.proposals and self.state(self.proposals[id]) in states, "another state")
        return self.proposals[id]

    def cast(self, who: str, id: int, said: int, *, is_signed: bool = True) -> int:
        """All that the voter had at the snapshot, once."""
        item = self._need(id, ACTIVE)
        weight = sum(self.votes.past(who, item.snapshot))
        need(is_signed and said in (AGAINST, FOR, ABSTAIN), "no such vote")
        need(who not in item.ballots and weight, "voted, or no votes")
        item.ballots[who] = (said, weight)
        return weight

    def cast_signed(self, who: str, id: int, said: int, *, is_signed: bool) -> None:
        """The same, carried by anybody."""
        self.cast(who, id, said, is_signed=is_signed)
        self.nonces[who] = self.nonces.get(who, 0) + 1

    def queue(self, id: int) -> None:
        """In time."""
        item = self._need(id, SUCCEEDED)
        self._check_role(PROPOSER, self.ground.own["council"])
        item.queued_at, item.eta = self._now(), self._now() + self.wait

    def cancel(self, who: str, id: int) -> None:
        """The proposer before the vote; the timelock until it is executed; no guardian."""
        if who == self.ground.own["timelock"]:
            item = self._need(id, PENDING, ACTIVE, SUCCEEDED, QUEUED)
            need(self.state(item) != QUEUED or self._has(CANCELLER, self.ground.own["council"]), "no canceller")
        else:
            item = self._need(id, PENDING)
            need(who == item.proposer, "not the proposer")
        item.is_cancelled = True

    def drop(self, who: str, id: int) -> None:
        """What waits at the timelock, past Governor, by a canceller."""
        self._check_role(CANCELLER, who)
        self._need(id, QUEUED).is_cancelled = True

    # -- roles

    def _has(self, role: str, who: str) -> bool:
        return self.roles.get((role, who), False)

    def _check_role(self, role: str, who: str) -> None:
        need(self._has(role, who), f"no {role}")

    def give_role(self, who: str, role: str, account: str, *, given: bool = True) -> None:
        """Or take it, by who administers them all."""
        self._check_role(ADMIN, who)
        self.roles[role, account] = given

    def renounce(self, who: str, role: str, account: str) -> None:
        """One's own."""
        need(who == account, "another's")
        self.roles[role, account] = False

    # -- execution

    def execute(self, who: str, id: int) -> None:
        """All its calls or none, from the eta on, by who may: everybody, if nobody is named to."""
        item = self._need(id, QUEUED)
        need(self._has(EXECUTOR, NOBODY) or self._has(EXECUTOR, who), "no executor")
        need(self._now() >= item.eta, "too early")
        trial = deepcopy(self)
        for books in (trial, self):
            for call in item.calls:
                books._perform(call, id)
        item.executed_at = self._now()

    def _perform(self, call: Call, own: int) -> None:
        """As the timelock, which is the governor."""
        me, said = self.ground.own["timelock"], call.arguments
        match call.target, call.function:
            case "parameters", "set":
                name, value = said
                need(name in BOUNDS and BOUNDS[name][0] <= value <= BOUNDS[name][1], "unknown, fixed, or out of bounds")
                self.ground.set(name, value)
            case "community_fund", "grant":
                self.fund.grant(me, *said)
            case "community_fund", "open_airdrop":
                self.fund.open(me, *said)
            case "council", "cancel":
                need(said[0] != own, "its own")
                self.cancel(me, *said)
            case "parameters", "set_guardian":
                self.ground.set_guardian(me, *said)
            case "timelock", ("grantRole" | "revokeRole" as function):
                self.give_role(me, *said, given=function == "grantRole")
            case "timelock", "renounceRole":
                self.renounce(me, *said)
            case "council", "updateQuorumNumerator":
                need(100 <= said[0] <= 2_000, "out of bounds")
                self.shares.append((self._now(), said[0]))
            case (("council" | "timelock"), function) if function in RULES:
                name, low, high = RULES[function]
                need(low <= said[0] <= high, "out of bounds")
                setattr(self, name, said[0])
            case _:
                need(False, "nothing that can be called")

    def check(self) -> None:
        """Nobody votes twice or with more than there was; nothing is executed without a vote won and a day's notice."""
        for item in self.proposals.values():
            if item.ballots:
                assert item.sum(AGAINST, FOR, ABSTAIN) <= self.votes.past_supply(item.snapshot)
            if item.executed_at:
                assert self.is_won(item) and item.deadline < item.queued_at and item.queued_at + DAY <= item.eta
                assert item.eta <= item.executed_at < item.eta + GRACE
