# SPDX-License-Identifier: Apache-2.0
"""Who gets an epoch's mint: the reducer's shares, the accounts' streams, and what of it is sold."""

from dataclasses import dataclass, field

from inferix.economy import BPS, Rules, share, split_mint
from inferix.models.roles import Role
from inferix.units import MICRO_PER_IB, NanoUsd, Wei
from simulator.book import Book
from simulator.fleet import ABSENT, Group, Leaf, usd
from simulator.issuance import Closed
from simulator.markets import Market
from simulator.settings import PPM, Scenario

DAY = 86_400


@dataclass
class Rewards:
    """Leaves of all nodes. ``last``: what the newest epoch gave each group: wei, and what it was worth in nano-USD."""

    book: Book
    market: Market
    rules: Rules
    scenario: Scenario
    groups: list[Group]
    verifiers: Leaf = field(default_factory=Leaf)
    managers: Leaf = field(default_factory=Leaf)
    last: dict[str, tuple[int, int]] = field(default_factory=dict)
    _speeds: dict[str, int] = field(default_factory=dict)

    def pay(self, closed: Closed, work: dict[str, int], price: NanoUsd, at: int) -> None:
        """Shares a closed epoch out. Fees are in proportion to work, as every order here pays one price."""
        parts = split_mint(closed.minted)
        self._speeds = {group.name: group.speed for group in self.groups}
        capacities = {group.name: group.speed for group in self.groups if group.behaviour not in ABSENT}
        probed = parts[Role.WORKER] * self.rules["poc_bps"] // BPS if sum(capacities.values()) else 0
        delivered = share(parts[Role.WORKER] - probed, work)
        present = share(probed, capacities)
        self.last = {}
        for group in self.groups:
            amount = delivered.get(group.name, 0) + present.get(group.name, 0)
            now = group.leaf.earn(amount, at, self.rules["matured_bps"])
            worth = usd(Wei(amount), price)
            group.at_once += now
            group.vesting += amount - now
            group.worth += worth
            self.last[group.name] = (amount, worth)
        given = sum(amount for amount, _ in self.last.values())
        has_checked = bool(closed.work)
        verified = parts[Role.VERIFIER] + closed.pooled if has_checked else 0
        self.verifiers.earn(verified, at, BPS)
        self.managers.earn(parts[Role.MANAGER], at, BPS)
        dust = closed.minted + closed.pooled - given - verified - parts[Role.MANAGER]
        self.book.ifx.move("accounts", "penalty_pool", dust)

    def claim(self, at: int) -> None:
        """All claim by the root of the epoch before, which is final by now, and sell a part."""
        for holder, leaf in self._leaves():
            due = leaf.claim(at, self.rules["worker_vesting"])
            self.book.ifx.move("accounts", holder, due)
            self.market.sell(holder, Wei(due * self.scenario.sold // PPM))
            leaf.mature(at, self.rules["worker_vesting"])
            leaf.publish()

    def _leaves(self) -> list[tuple[str, Leaf]]:
        own = [(group.name, group.leaf) for group in self.groups]
        return [*own, ("verifiers", self.verifiers), ("managers", self.managers)]

    def per_ib_day(self, groups: list[Group]) -> tuple[int, int]:
        """What these earned in the newest epoch, an IB and day: wei at once and vesting together, nano-USD."""
        speed = sum(self._speeds.get(group.name, 0) for group in groups)
        days = max(1, speed * self.rules["epoch_length"])
        wei = sum(self.last.get(group.name, (0, 0))[0] for group in groups)
        worth = sum(self.last.get(group.name, (0, 0))[1] for group in groups)
        return wei * MICRO_PER_IB * DAY // days, worth * MICRO_PER_IB * DAY // days
