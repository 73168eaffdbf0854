# SPDX-License-Identifier: Apache-2.0
"""What nodes stake: bought when they come, topped up when the price falls, given back 90 days after they go."""

from dataclasses import dataclass

from inferix.economy import Rules, keeps_bonded, required_stake
from inferix.errors import Misconfigured
from inferix.models.roles import Role
from inferix.units import NanoUsd, Wei, ceil_div, format_ifx
from simulator.book import NANO_PER_UNIT, Book
from simulator.fleet import HONEST, Group
from simulator.markets import Market
from simulator.rewards import Rewards
from simulator.settings import PPM, Scenario

SWAY = 100_000
"""Honest owners come when a machine earns so much more than its rent, and go when it earns so much less; ppm."""


@dataclass
class Stakes:
    """Holder ``staking``. The first stakes are bought from holders at the opening price, later ones on the market."""

    book: Book
    market: Market
    rules: Rules
    scenario: Scenario
    groups: list[Group]

    def open(self, price: NanoUsd) -> None:
        """Everybody who is there at the start stakes. Raises Misconfigured where holders have less than that."""
        total = 0
        for group in self.groups:
            group.stake = self._needed(group, group.count, price)
            total += group.stake
        for role, count in ((Role.VERIFIER, self.scenario.verifiers), (Role.MANAGER, self.scenario.managers)):
            total += count * required_stake(role, self.rules, price)
        held = self.book.ifx.of("holders")
        if total > held:
            raise Misconfigured(
                f"the first stakes come to {format_ifx(Wei(total))}, and at TGE people hold {format_ifx(Wei(held))}: "
                "fewer machines or verifiers, or a higher ifx_price"
            )
        self.book.ifx.move("holders", "staking", total)

    def turn(self, epoch: int, price: NanoUsd, rewards: Rewards) -> tuple[int, int]:
        """The end of an epoch: withdrawals, top-ups, newcomers, leavers. Wei topped up, machines that had to."""
        topped = under = 0
        for group in self.groups:
            self._withdraw(group, epoch)
            if group.behaviour == HONEST:
                self._resize(group, epoch, price, rewards)
            needed = self._needed(group, group.count, price)
            if not keeps_bonded(Wei(group.stake), Wei(needed)):
                under += group.count
                topped += self._buy(group, needed - group.stake)
        return topped, under

    def _needed(self, group: Group, count: int, price: NanoUsd) -> Wei:
        work_price = NanoUsd(self.scenario.work_price)
        each = required_stake(Role.WORKER, self.rules, price, group.machine.speed, work_price)
        return Wei(each * count)

    def _resize(self, group: Group, epoch: int, price: NanoUsd, rewards: Rewards) -> None:
        """A machine's worth of rewards against what its owner could have elsewhere."""
        _, worth = rewards.last.get(group.name, (0, 0))
        rent = group.machine.rent * group.count * self.rules["epoch_length"] // 3_600
        some = ceil_div(group.count * self.scenario.step, PPM)
        if worth * PPM > rent * (PPM + SWAY):
            self._buy(group, self._needed(group, some, price))
            group.count += some
        elif worth * PPM < rent * (PPM - SWAY) and group.count > some:
            freed = group.stake * some // group.count
            group.count -= some
            group.stake -= freed
            group.leaving.append((epoch + -(-self.rules["unbonding"] // self.rules["epoch_length"]), freed))

    def _buy(self, group: Group, amount: int) -> int:
        """About so much IFX at the market's price, staked; wei. The owner brings the dollars."""
        units = -(-amount * self.market.price() // (10**18 * NANO_PER_UNIT))
        self.book.usd.create(group.name, units)
        bought = self.market.buy(group.name, units)
        group.stake += bought
        self.book.ifx.move(group.name, "staking", bought)
        return bought

    def _withdraw(self, group: Group, epoch: int) -> None:
        while group.leaving and group.leaving[0][0] <= epoch:
            _, amount = group.leaving.popleft()
            self.book.ifx.move("staking", group.name, amount)
