# SPDX-License-Identifier: Apache-2.0
"""Whether cheating pays: expected values of a task, exact.

Honest: r - c. Cheating, with a part f of the cost saved, found out with probability p x d (audit times detection):
(1 - p d) r - (1 - f) c - p d S. The difference is f c - p d (S + r): cheating does not pay where p d (S + r) >= f c.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from inferix.economy import BPS, PARTS, Rules, worker_stake_usd
from inferix.models.roles import Role
from inferix.units import NANO_PER_IBM, NanoIbm, NanoUsd, fee_of
from simulator.collusion import passes_among_many, wins_among_many
from simulator.machines import Machine
from simulator.settings import PPM, Job

MICRO_IBM = 10**6


PRICES: Final = ("price_default", "price_floor")
"""Of ``GOVERNED``, what a worker asks for its work: the default, as most do, or the floor, the least that it may."""
GOVERNED: Final = {
    "slash_failed_bps": (0, 10_000),
    "mint_multiple_bps": (0, 50_000),
    "poc_bps": (0, 10_000),
    **dict.fromkeys(PRICES, (10**6, 10**9)),
}
"""What a vote may change of what a cheat expects, and the contract's bounds of it."""
COMMITTEES: Final = ((2, 2), (2, 3), (3, 5), (4, 6), (5, 8))
"""(votes_needed, committee): majorities of committees that the contract takes."""


@dataclass(frozen=True, slots=True)
class Stakes:
    """Of one task, nano-USD: ``reward``: what the worker gets, at par; ``cost``: its machine's time; ``slash``: what it
    loses when a rejection stands; ``all``: the whole required stake."""

    reward: int
    cost: int
    slash: int
    all: int


def at_stake(job: Job, machine: Machine, price: NanoUsd, rules: Rules) -> Stakes:
    """What a task of this kind is about. The reward is the delivered part of the workers' share of the mint, sold at
    the price that fees burned at; what vests counts whole."""
    work = NanoIbm(job.work * MICRO_IBM)
    fee = fee_of(work, price)
    minted = fee * rules["mint_multiple_bps"] * PARTS[Role.WORKER] * (BPS - rules["poc_bps"])
    stake = worker_stake_usd(machine.speed, price, rules)
    return Stakes(
        reward=minted // (BPS * BPS * sum(PARTS.values())),
        cost=work * machine.rent_per_ibm // NANO_PER_IBM,
        slash=stake * rules["slash_failed_bps"] // BPS,
        all=stake,
    )


def gain(job: Job, of: Stakes, stake: Fraction | int, audit: int | None = None) -> Fraction:
    """What a cheat expects over an honest worker, nano-USD a task. ``audit``: in place of the job's own, ppm."""
    found = Fraction((job.audit if audit is None else audit) * job.detection, PPM**2)
    return Fraction(job.saved, PPM) * of.cost - found * (stake + of.reward)


def least_stake(job: Job, of: Stakes) -> Fraction:
    """The stake at which cheating brings nothing, nano-USD; 0 where losing the reward is enough."""
    found = Fraction(job.audit * job.detection, PPM**2)
    return max(Fraction(0), Fraction(job.saved, PPM) * of.cost / found - of.reward)


def least_audit(job: Job, of: Stakes, stake: int) -> Fraction:
    """The share of tasks that must be checked; over 1: no audit is enough."""
    return Fraction(job.saved * of.cost, job.detection * (stake + of.reward))


def largest_task(job: Job, of: Stakes, stake: int) -> Fraction | None:
    """Thousandths of an IBM up to which this stake deters; None: any. Only reward and cost grow with the task."""
    found = Fraction(job.audit * job.detection, PPM**2)
    surplus = Fraction(job.saved * of.cost, PPM) - found * of.reward
    return None if surplus <= 0 else found * stake * job.work / surplus


def pays_with(job: Job, machine: Machine, price: NanoUsd, rules: Rules, **changed: int) -> bool:
    """Whether a cheat expects more than an honest worker where these parameters are changed; a slash is at risk. The
    worker asks ``price``, or the one of ``PRICES`` that is changed."""
    price = next((NanoUsd(changed[name]) for name in PRICES if name in changed), price)
    of = at_stake(job, machine, price, {**rules, **changed})
    return gain(job, of, of.slash) > 0


def turns(pays: Callable[[int], bool], low: int, high: int) -> tuple[bool, int | None]:
    """Whether cheating pays at ``low``, and the first value up to ``high`` at which that is otherwise; None: nowhere.
    What pays must turn once at most, as it does with what a cheat loses."""
    first = pays(low)
    if pays(high) is first:
        return first, None
    same, other = low, high
    while other - same > 1:
        middle = (same + other) // 2
        same, other = (middle, other) if pays(middle) is first else (same, middle)
    return first, other


def gain_colluding(job: Job, of: Stakes, stake: int, share: Fraction, rules: Rules) -> Fraction:
    """The same for a worker who owns a share of a large roster: its committee accepts, or its panel acquits."""
    passed = passes_among_many(share, rules["committee"], rules["votes_needed"])
    acquitted = wins_among_many(share, rules["panel"], rules["panel"] // 2 + 1)
    found = Fraction(job.audit * job.detection, PPM**2) * (1 - passed)
    return Fraction(job.saved, PPM) * of.cost - found * (of.reward + stake * (1 - acquitted))


def least_collusion(job: Job, of: Stakes, stake: int, rules: Rules) -> int:
    """The least share of the verifiers, in per cent, with which cheating pays; 100 where it never does below."""
    for percent in range(100):
        if gain_colluding(job, of, stake, Fraction(percent, 100), rules) > 0:
            return percent
    return 100
