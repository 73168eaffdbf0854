# SPDX-License-Identifier: Apache-2.0
"""Workers who cheat: what they save, how often they are found out, what a slash takes. Expected values, not draws."""

import math
from dataclasses import dataclass
from fractions import Fraction

from inferix.economy import BPS, Rules, keeps_bonded, required_stake, split_slash
from inferix.models.roles import Role
from inferix.units import NANO_PER_IBM, NanoUsd, Wei
from simulator.book import Book
from simulator.collusion import passes_among_many, wins_among_many
from simulator.fleet import CHEATING, HONEST, Group, usd
from simulator.settings import PPM, Job


@dataclass
class Misconduct:
    """``colluding``: share of verifiers who accept whatever a cheat delivers; ppm."""

    book: Book
    rules: Rules
    job: Job
    colluding: int

    def __post_init__(self) -> None:
        ours, rules = Fraction(self.colluding, PPM), self.rules
        caught = Fraction(self.job.audit * self.job.detection, PPM**2)
        passed = passes_among_many(ours, rules["committee"], rules["votes_needed"])
        self.found = caught * (1 - passed)
        self.convicted = 1 - wins_among_many(ours, rules["panel"], rules["panel"] // 2 + 1)
        self._rejected: dict[str, int] = {}

    def redo(self, groups: list[Group], work: dict[str, int]) -> dict[str, int]:
        """What is found out is not paid, and done again by the honest, in proportion to their speed."""
        self._rejected = {g.name: math.floor(work[g.name] * self.found) for g in groups if g.behaviour == CHEATING}
        again = sum(self._rejected.values())
        speeds = {group.name: group.speed for group in groups if group.behaviour == HONEST}
        total = sum(speeds.values())
        return {
            name: done - self._rejected.get(name, 0) + again * speeds.get(name, 0) // total
            for name, done in work.items()
        }

    def cost(self, group: Group, done: int) -> int:
        """Machine time at what it would rent for, nano-USD; a cheat saves its part, also of what is rejected."""
        whole: int = (done + self._rejected.get(group.name, 0)) * group.machine.rent_per_ibm // NANO_PER_IBM
        return whole * (PPM - self.job.saved) // PPM if group.behaviour == CHEATING else whole

    def punish(self, groups: list[Group], work: dict[str, int], price: NanoUsd) -> int:
        """Slashes: a part of the required stake for each task that is found out, at most all there is; wei."""
        taken = 0
        for group in groups:
            rejected = self._rejected.get(group.name, 0) // (self.job.work * 10**6)
            tasks = math.floor(rejected * self.convicted)
            if not tasks or not group.stake:
                continue
            needed = required_stake(Role.WORKER, self.rules, price, group.machine.speed)
            amount = min(group.stake, tasks * needed * self.rules["slash_failed_bps"] // BPS)
            self._take(group, amount, price)
            taken += amount
            if not keeps_bonded(Wei(group.stake), Wei(needed * group.count)):
                group.count = 0  # drawn no more
        return taken

    def _take(self, group: Group, amount: int, price: NanoUsd) -> None:
        parts = split_slash(Wei(amount))
        group.stake -= amount
        group.slashed += amount
        group.slashed_worth += usd(Wei(amount), price)
        self.book.burn("staking", parts.burned)
        self.book.ifx.move("staking", "penalty_pool", parts.pooled)
