# SPDX-License-Identifier: Apache-2.0
"""What every part of the model stands on: refusals, tokens, the clock, the governed numbers."""

from dataclasses import dataclass, field

BPS = 10_000
NANO = 10**9
WEI = 10**18
DAY = 86_400
TOGETHER = [
    ("votes_needed", 1, 0, "committee"),
    ("panel_minimum", 1, 0, "panel"),
    ("slot", 2, 0, "takeover_after"),
    ("vote_window", 2, 0, "batch_window"),
    ("price_floor", 1, 0, "price_default"),
    ("root_bond", 2, 0, "manager_bond"),
    ("dispute_bond", 2, 0, "manager_bond"),
    ("swap_share_bps", 1, 40, "swap_slippage_bps"),
    ("price_halt_bps", 1, 0, "price_warn_bps"),
]
"""Governed numbers: so many times the first, and so much more, is never over the second."""


class Refused(Exception):
    """The protocol does not let this happen."""


def need(condition: object, why: str) -> None:
    """Refuse, for this reason, unless the condition holds."""
    if not condition:
        raise Refused(why)


def up(amount: int, divisor: int) -> int:
    """Division rounded up."""
    return -(-amount // divisor)


@dataclass
class Token:
    """Balances by holder (an address), in the smallest unit, how many there are, and how many were burned."""

    balances: dict[str, int] = field(default_factory=dict)
    supply: int = 0
    burned: int = 0

    def of(self, holder: str) -> int:
        """What a holder has."""
        return self.balances.get(holder, 0)

    def move(self, sender: str, to: str, amount: int) -> None:
        """Refused where the sender has less."""
        need(self.of(sender) >= amount, "not enough money")
        self.balances[sender] = self.of(sender) - amount
        self.balances[to] = self.of(to) + amount

    def mint(self, to: str, amount: int) -> None:
        """More of it."""
        self.balances[to] = self.of(to) + amount
        self.supply += amount

    def burn(self, holder: str, amount: int) -> None:
        """Less of it."""
        need(self.of(holder) >= amount, "not enough money")
        self.balances[holder] -= amount
        self.supply -= amount
        self.burned += amount


@dataclass
class Clock:
    """Block time and, less all pauses, protocol time [s]."""

    now: int
    paused_at: int = 0
    paused_until: int = 0
    earlier: int = 0
    pauses: list[tuple[int, int]] = field(default_factory=list)  # before the latest: from, until

    @property
    def paused(self) -> bool:
        """Whether new orders, batches and mints are stopped."""
        return self.now < self.paused_until

    @property
    def protocol(self) -> int:
        """What windows are counted in."""
        return self.now - self.earlier - (min(self.now, self.paused_until) - self.paused_at)

    def running(self, since: int, until: int) -> int:
        """Protocol time between two block times that have come, or less than 0."""
        pauses = [*self.pauses, (self.paused_at, self.paused_until)]
        return until - since - sum(max(0, min(until, end) - max(since, start)) for start, end in pauses)

    def pause(self) -> None:
        """Seven days at most, and none within thirty days after one."""
        need(not self.paused_until or self.now >= self.paused_until + 30 * DAY, "too soon after a pause")
        self.pauses.append((self.paused_at, self.paused_until))
        self.earlier += self.paused_until - self.paused_at
        self.paused_at, self.paused_until = self.now, self.now + 7 * DAY

    def resume(self) -> None:
        """An early end."""
        need(self.paused, "not paused")
        self.paused_until = self.now


@dataclass
class Ground:
    """What all parts share. ``own``: the addresses of the contracts by name."""

    clock: Clock
    parameters: dict[str, int]
    own: dict[str, str]
    ifx: Token
    coins: dict[str, Token]
    price: int  # nano-USD per IFX
    genesis: int
    epoch_length: int
    minted: int = 0
    guardian: str = ""

    def set(self, name: str, value: int) -> None:
        """A governed number within its bounds; refused where it does not go with the others."""
        after = self.parameters | {name: value}
        for low, times, more, high in TOGETHER:
            need(after[low] * times + more <= after[high], f"{low} and {high} do not go together")
        need(after["committee"] < 2 * after["votes_needed"], "no majority")
        self.parameters[name] = value

    def set_guardian(self, who: str, guardian: str) -> None:
        """The governor's word."""
        need(who == self.own["timelock"], "not the governor")
        self.guardian = guardian

    def pause(self, who: str) -> None:
        """By the guardian."""
        need(who == self.guardian, "not the guardian")
        self.clock.pause()

    def resume(self, who: str) -> None:
        """By the guardian or the governor."""
        need(who in (self.guardian, self.own["timelock"]), "not the guardian")
        self.clock.resume()

    def epoch_end(self, epoch: int) -> int:
        """First second after it: epochs are those of the deployment, whatever the parameter says later."""
        return self.genesis + (epoch + 1) * self.epoch_length

    @property
    def epoch(self) -> int:
        """The present one."""
        return (self.clock.now - self.genesis) // self.epoch_length

    @property
    def dispute_bond(self) -> int:
        """Wei, rounded up."""
        return up(self.parameters["dispute_bond"] * WEI, self.price)

    @property
    def root_bond(self) -> int:
        """Wei, rounded up."""
        return up(self.parameters["root_bond"] * WEI, self.price)
