# SPDX-License-Identifier: Apache-2.0
"""The pictures of a run, each an SVG by its file's name."""

from collections.abc import Callable
from fractions import Fraction
from statistics import fmean

from deploy.plan import SHARES
from inferix.models.parameters import DEFAULTS
from inferix.units import NanoUsd
from simulator import cheating
from simulator.collusion import passes, passes_among_many, wins, wins_among_many
from simulator.machines import load_machines
from simulator.results import Results
from simulator.settings import Job
from simulator.svg import Bars, Panel, Points, figure
from simulator.world import Row

EVERY = 6  # epochs a point
FEWEST = 10  # tasks checked [ppm] of the widest scale
YEAR_SECONDS = 365 * 86_400
FLEET = ("Tesla T4", "GeForce RTX 4090", "A100 80G", "H200")


def draw(results: Results) -> dict[str, str]:
    """All of them."""
    return {
        "paths.svg": paths(results),
        "income.svg": incomes(results),
        "washing.svg": washing(results),
        "cheating.svg": cheating_stakes(results),
        "collusion.svg": collusion(results),
    }


def paths(results: Results) -> str:
    """Money of each scenario over four years; each point is the mean of some epochs."""

    def panel(title: str, value: Callable[[Row], float], log: bool = True) -> Panel:
        lines: dict[str, Points] = {}
        for name, world in results.worlds.items():
            years = world.rules["epoch_length"] / YEAR_SECONDS
            parts = [world.rows[at : at + EVERY] for at in range(0, len(world.rows), EVERY)]
            lines[name] = [(part[0].epoch * years, fmean(value(row) for row in part)) for part in parts]
        return Panel(title, "years", lines, log_y=log, low=None if log else 0.0)

    panels = [
        panel("Fees an epoch, USD", lambda row: row.fees / 1e9),
        panel("Price of an IFX, USD", lambda row: row.price / 1e9),
        panel("Minted so far, IFX", lambda row: row.total_minted / 1e18),
        panel("Burned so far, IFX", lambda row: row.total_burned / 1e18),
        panel("Supply beyond the allocation at TGE, IFX", lambda row: row.supply / 1e18 - sum(SHARES.values())),
        panel("Efficiency IBME, % of machine time paid for", lambda row: row.ibme / 1e4, log=False),
    ]
    return figure(panels, 2)


def incomes(results: Results) -> str:
    """What a machine of one GPU earns a day in the first scenario, beside what it would rent for."""
    single = {name for name, machine in load_machines().items() if machine.gpus == 1}
    names = ("at once", "vesting, 180 days", "rent elsewhere")
    panels = []
    scenario = next(iter(results.worlds))
    for year in ("first", "last"):
        rows = {
            each.machine: (each.usd_now / 1e9, each.usd_vesting / 1e9, each.rent / 1e9)
            for each in results.incomes
            if (each.scenario, each.year) == (scenario, year) and each.machine in single
        }
        panels.append(
            Bars(f"{scenario}, {year} year: income of a machine", "USD a day, at the price of the day", rows, names)
        )
    return figure(panels, 2)


def washing(results: Results) -> str:
    """Profit by m, a panel for each price, in the middle pool."""
    of = results.settings.experiments
    pool = sorted(of.pool_usd)[len(of.pool_usd) // 2]
    panels = []
    for price in of.prices:
        lines: dict[str, Points] = {}
        for name in dict.fromkeys(each.washer for each in results.washed):
            lines[name] = [
                (each.multiple / 1e4, each.profit / 1e4)
                for each in results.washed
                if (each.washer, each.price, each.pool_usd) == (name, price, pool)
            ]
        title = f"Profit, % of own fees; IFX at {price / 1e9:g} USD"
        panels.append(Panel(title, "mint multiple m", lines, marks={0.0: ""}, low=-100, high=300))
    return figure(panels, min(2, len(panels)))


def cheating_stakes(results: Results) -> str:
    """By audit rate: the stake that deters each kind of work; how large a task of the first kind a slash deters;
    and what a cheat expects with a slash at stake."""
    of, known, price = results.settings.experiments, load_machines(), NanoUsd(DEFAULTS["price_default"])
    least: dict[str, Points] = {}
    for job in of.jobs:
        at = cheating.at_stake(job, known[of.machine], price, DEFAULTS)
        least[job.name] = _by_audit(job, lambda job, at=at: cheating.least_stake(job, at) / 10**9)  # type: ignore[misc]
    most: dict[str, Points] = {}
    for name in FLEET:
        at = cheating.at_stake(of.jobs[0], known[name], price, DEFAULTS)
        most[name] = _by_audit(of.jobs[0], lambda job, at=at: _in_ibm(cheating.largest_task(job, at, at.slash)))  # type: ignore[misc]
    slash = cheating.at_stake(of.jobs[0], known[of.machine], price, DEFAULTS)
    marks = {slash.slash / 1e9: "a slash", slash.all / 1e9: "the whole stake"}
    gains: dict[str, Points] = {}
    for job in of.jobs:
        at = cheating.at_stake(job, known[of.machine], price, DEFAULTS)
        gains[job.name] = gains_by_audit(job, at)
    checked, title = "tasks checked, %", f"Stake that deters, USD ({of.machine})"
    panels = [
        Panel(title, checked, least, log_x=True, log_y=True, marks=marks, low=1e-3),
        Panel("Largest rendering task that a slash deters, IBM", checked, most, log_x=True, log_y=True),
        Panel(
            "Expected gain of a cheat, % of the reward", checked, gains, log_x=True, marks={0.0: ""}, low=-100, high=100
        ),
    ]
    return figure(panels, 3, is_shared=False)


def gains_by_audit(job: Job, at: cheating.Stakes) -> Points:
    """What a cheat expects over an honest worker with a slash at stake, per cent of the reward, by tasks checked, per
    cent; as far as it loses no more than the reward."""

    def of_reward(job: Job) -> Fraction | None:
        gain = cheating.gain(job, at, at.slash) * 100 / at.reward
        return gain if gain >= -100 else None

    return _by_audit(job, of_reward, FEWEST)


def _by_audit(job: Job, value: Callable[[Job], Fraction | None], fewest: int = 1_000) -> Points:
    """From ``fewest`` [ppm], a power of ten, to all tasks."""
    points = []
    for step in range(16 * (7 - len(str(fewest))) + 1):
        audit = round(fewest * 10 ** (step / 16))
        found = value(job.model_copy(update={"audit": audit}))
        points += [] if found is None else [(audit / 1e4, float(found))]
    return points


def _in_ibm(thousandths: Fraction | None) -> Fraction | None:
    return None if thousandths is None else thousandths / 1_000


def collusion(results: Results) -> str:
    """Chances of a committee and of a panel, by the share of the verifiers."""
    committee, needed, panel = (DEFAULTS[name] for name in ("committee", "votes_needed", "panel"))
    half = panel // 2 + 1
    ways: dict[str, tuple[Callable[[int, int], Fraction], Callable[[Fraction], Fraction]]] = {
        "Chance to pass a forgery that the others see": (
            lambda roster, own: passes(roster, own, committee, needed),
            lambda share: passes_among_many(share, committee, needed),
        ),
        f"Of {needed} of {2 * committee}: with the manager's help": (
            lambda roster, own: wins(roster, own, 2 * committee, needed),
            lambda share: wins_among_many(share, 2 * committee, needed),
        ),
        f"Of {half} of {panel}: a panel": (
            lambda roster, own: wins(roster, own, panel, half),
            lambda share: wins_among_many(share, panel, half),
        ),
        "To pass it, and of the panel on its task": (
            lambda roster, own: passes(roster, own, committee, needed) * wins(roster, own, panel, half),
            lambda share: passes_among_many(share, committee, needed) * wins_among_many(share, panel, half),
        ),
    }
    panels = []
    for title, (of, among_many) in ways.items():
        lines: dict[str, Points] = {}
        for roster in results.settings.experiments.verifiers:
            owned = sorted({roster * at // 100 for at in range(1, 101)})
            lines[f"{roster:,} verifiers"] = [(own * 100 / roster, float(of(roster, own))) for own in owned]
        lines["any number, large"] = [(at, float(among_many(Fraction(at, 100)))) for at in range(1, 101)]
        panels.append(Panel(title, "own verifiers, %", lines, log_y=True, low=1e-9, high=1.0))
    return figure(panels, 2)
