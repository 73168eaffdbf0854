# SPDX-License-Identifier: Apache-2.0
"""All that a run found, as rows: what the files, the pictures and the sentences are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from inferix.economy import BPS, Rules
from inferix.models.parameters import DEFAULTS
from inferix.units import NanoUsd
from simulator import cheating, washing
from simulator.collusion import Capture, captures
from simulator.machines import Machine, load_machines
from simulator.settings import PPM, Experiments, Settings
from simulator.washing import WASHERS, Market, Washer, break_even, wash, with_multiple
from simulator.world import Row, World

YEAR = 122  # epochs
MULTIPLES = range(washing.LEAST, washing.MOST + 1, 1_250)
AUDITS = (2_500, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, PPM)
DETECTIONS = (500_000, 877_100, 990_000)
"""Of which the second is what Golem's Blender verifier names as its own."""


@dataclass(frozen=True)
class Income:
    """Of a machine a day, in a year of a scenario: wei and nano-USD, at once and vesting; rent in nano-USD."""

    scenario: str
    year: str
    machine: str
    ifx_now: int
    ifx_vesting: int
    usd_now: int
    usd_vesting: int
    rent: int


@dataclass(frozen=True)
class Washed:
    """``profit``: ppm of the fees paid; ``least``: the least m at which it pays, basis points."""

    washer: str
    price: int
    pool_usd: int
    multiple: int
    profit: int
    least: int | None


@dataclass(frozen=True)
class Cheated:
    """What a cheat expects over an honest worker, nano-USD a task; ``least``: stake at which that is nothing."""

    job: str
    audit: int
    detection: int
    stake: int
    gain: Fraction
    least: Fraction


@dataclass(frozen=True)
class Results:
    """``worlds``: by scenario, run."""

    settings: Settings
    worlds: dict[str, World]
    incomes: list[Income]
    washed: list[Washed]
    cheated: list[Cheated]
    captured: list[Capture]


def collect(settings: Settings, worlds: dict[str, World]) -> Results:
    """Everything beside the scenarios, after them."""
    experiments, rules = settings.experiments, dict(DEFAULTS)
    machine = load_machines()[experiments.machine]
    return Results(
        settings,
        worlds,
        [income for name, world in worlds.items() for income in incomes(name, world.rows, world.rules)],
        [each for washer in WASHERS for each in washed(washer, experiments, rules)],
        cheats(experiments, machine, rules),
        captures(experiments.verifiers, rules),
    )


def incomes(name: str, rows: Sequence[Row], rules: Rules) -> list[Income]:
    """Every machine of machines.csv, as the honest fleet earned by its speed, in the first year and in the last."""
    found = []
    for year, part in (("first", rows[:YEAR]), ("last", rows[-YEAR:])):
        wei = sum(row.reward_per_ib_day for row in part) // len(part)
        usd = sum(row.worth_per_ib_day for row in part) // len(part)
        for machine in load_machines().values():
            ifx, worth = (amount * machine.speed // PPM for amount in (wei, usd))
            now, early = (amount * rules["matured_bps"] // BPS for amount in (ifx, worth))
            found.append(Income(name, year, machine.name, now, ifx - now, early, worth - early, 24 * machine.rent))
    return found


def washed(washer: Washer, of: Experiments, rules: Rules) -> list[Washed]:
    """Each price, pool and multiple."""
    rows = []
    for price in of.prices:
        for pool in of.pool_usd:
            market = Market(NanoUsd(price), pool, of.others_usd)
            least = break_even(washer, of.washing_usd, market, rules)
            for multiple in MULTIPLES:
                profit = wash(washer, of.washing_usd, market, with_multiple(rules, multiple)).profit_ppm
                rows.append(Washed(washer.name, price, pool, multiple, profit, least))
    return rows


def cheats(of: Experiments, machine: Machine, rules: Rules) -> list[Cheated]:
    """Each kind of work beside audit rate, detection, and stakes from a hundredth of a slash to the whole stake."""
    rows = []
    for job in of.jobs:
        stakes = cheating.at_stake(job, machine, NanoUsd(rules["price_default"]), rules)
        for audit in sorted({*AUDITS, job.audit}):
            for detection in sorted({*DETECTIONS, job.detection}):
                variant = job.model_copy(update={"audit": audit, "detection": detection})
                least = cheating.least_stake(variant, stakes)
                for stake in (0, stakes.slash // 100, stakes.slash, stakes.all):
                    gain = cheating.gain(variant, stakes, stake)
                    rows.append(Cheated(job.name, audit, detection, stake, gain, least))
    return rows
