# SPDX-License-Identifier: Apache-2.0
"""Those who do the work: groups of equal machines, each with a behaviour, a stake, and one leaf in the accounts."""

from collections import deque
from dataclasses import dataclass, field

from inferix.economy import BPS, Rules, streamed
from inferix.units import MicroIb, NanoIbm, NanoUsd, Wei
from simulator.machines import Machine, load_machines
from simulator.settings import PPM, Scenario

HONEST, LAZY, CHEATING, WASHING = "honest", "lazy", "cheating", "washing"
ACCEPTED = {HONEST: PPM, LAZY: PPM // 10, CHEATING: PPM, WASHING: 0}
"""Share of strangers' tasks that each takes when drawn. A washer keeps its machines for its own orders."""
ABSENT = (LAZY,)
"""Who takes under nine tenths of what it is drawn for: its capacity is not paid."""


@dataclass
class Leaf:
    """A node's cumulative rewards as a root says them, wei, and what was claimed. ``grants``: wei and start."""

    matured: int = 0
    claimed: int = 0
    grants: deque[tuple[int, int]] = field(default_factory=deque)
    vesting: int = 0
    start: int = 0
    _root: tuple[int, int, int] = (0, 0, 0)

    def earn(self, amount: int, at: int, at_once_bps: int) -> int:
        """A reward of an epoch that ended at this second; returns the part that needs no time."""
        now = amount * at_once_bps // BPS
        self.matured += now
        if amount > now:
            self.grants.append((amount - now, at))
            self.vesting += amount - now
            self.start += (amount - now) * at
        return now

    def mature(self, at: int, vesting_time: int) -> None:
        """Grants whose time has come by this cut-off vest no longer."""
        while self.grants and self.grants[0][1] + vesting_time <= at:
            amount, start = self.grants.popleft()
            self.vesting -= amount
            self.start -= amount * start
            self.matured += amount

    def publish(self) -> None:
        """The books as they are become the newest final root's."""
        self._root = (self.matured, self.vesting, self.start)

    def claim(self, at: int, vesting_time: int) -> Wei:
        """What the newest final root has streamed by now and was not claimed."""
        matured, vesting, start = self._root
        due = max(0, streamed(Wei(matured), Wei(vesting), start, at, vesting_time) - self.claimed)
        self.claimed += due
        return Wei(due)


@dataclass
class Group:
    """``stake``: bonded wei; ``leaving``: (epoch, wei) that may be withdrawn; sums over all epochs: rewards at once and
    vesting in wei, their worth when earned, cost of the machine time used, and what was lost, in nano-USD."""

    machine: Machine
    behaviour: str
    count: int
    leaf: Leaf = field(default_factory=Leaf)
    stake: int = 0
    leaving: deque[tuple[int, int]] = field(default_factory=deque)
    at_once: int = 0
    vesting: int = 0
    worth: int = 0
    cost: int = 0
    fees_paid: int = 0
    slashed: int = 0
    slashed_worth: int = 0

    @property
    def name(self) -> str:
        """Its holder in the book."""
        return f"{self.behaviour} {self.machine.name}"

    @property
    def speed(self) -> MicroIb:
        """Of all its machines."""
        return MicroIb(self.count * self.machine.speed)

    @property
    def profit(self) -> int:
        """Worth of rewards less what they cost, nano-USD."""
        return self.worth - self.cost - self.fees_paid - self.slashed_worth


def make_fleet(scenario: Scenario, machine: str) -> list[Group]:
    """All groups of a scenario. The misbehaving have machines of this name; a washer has what its own work needs."""
    known = load_machines()
    groups = [Group(known[name], HONEST, count) for name, count in scenario.machines.items() if count]
    for behaviour, count in ((LAZY, scenario.lazy), (CHEATING, scenario.cheating)):
        groups += [Group(known[machine], behaviour, count)] if count else []
    if scenario.washing_usd:
        work = scenario.washing_usd * 10**18 // scenario.work_price
        each = capacity(known[machine].speed, scenario.governed)
        groups.append(Group(known[machine], WASHING, -(-work // each)))
    return groups


def capacity(speed: int, rules: Rules) -> NanoIbm:
    """What a machine of this speed could do in an epoch."""
    return NanoIbm(speed * 1_000 * (rules["epoch_length"] // 60))


def assign(groups: list[Group], wanted: NanoIbm, rules: Rules) -> dict[str, int]:
    """Work by group: drawn by speed among those who accept, at most what they all can do. Rounded down."""
    weights = {group.name: group.speed * ACCEPTED[group.behaviour] for group in groups}
    total = sum(weights.values())
    if not total:
        return dict.fromkeys(weights, 0)
    done = min(wanted, capacity(total, rules) // PPM)
    return {name: done * weight // total for name, weight in weights.items()}


def usd(amount: Wei, price: NanoUsd) -> NanoUsd:
    """What wei are worth, rounded down."""
    return NanoUsd(amount * price // 10**18)
