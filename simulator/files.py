# SPDX-License-Identifier: Apache-2.0
"""What a run leaves on disk: CSVs of each scenario's epochs and of the experiments, a report, a summary, pictures.

Money is written as exact decimals in the unit that the column's name ends with.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inferix.models.parameters import DEFAULTS
from inferix.units import format_decimal
from simulator.collusion import Capture
from simulator.figures import draw
from simulator.findings import sentences
from simulator.fleet import Group
from simulator.results import Cheated, Income, Results, Washed
from simulator.summary import summary
from simulator.world import Row

Table = list[dict[str, Any]]
NANO, WEI, MICRO = 9, 18, 6
EPOCH_COLUMNS: Mapping[str, tuple[str, int]] = {
    "epoch": ("epoch", 0),
    "demand": ("demand_usd", NANO),
    "fees": ("fees_usd", NANO),
    "unserved": ("unserved_usd", NANO),
    "uncollected": ("uncollected_usd", NANO),
    "work": ("work_ibm", NANO),
    "ibme": ("ibme", MICRO),
    "burned": ("burned_by_fees_ifx", WEI),
    "minted": ("minted_ifx", WEI),
    "pooled": ("penalties_paid_ifx", WEI),
    "slashed": ("slashed_ifx", WEI),
    "supply": ("supply_ifx", WEI),
    "total_burned": ("total_burned_ifx", WEI),
    "total_minted": ("total_minted_ifx", WEI),
    "price": ("price_usd", NANO),
    "mean_price": ("stakes_price_usd", NANO),
    "machines": ("machines", 0),
    "speed": ("speed_ib", MICRO),
    "staked": ("staked_ifx", WEI),
    "topped_up": ("topped_up_ifx", WEI),
    "under": ("machines_under_stake", 0),
    "reward_per_ib_day": ("reward_ifx_per_ib_day", WEI),
    "worth_per_ib_day": ("reward_usd_per_ib_day", NANO),
}


def write(results: Results, out: Path) -> list[str]:
    """All files, into a folder that is made where it is missing. The sentences of the run."""
    out.mkdir(parents=True, exist_ok=True)
    for name, world in results.worlds.items():
        _csv(out / f"{name}.csv", epochs(world.rows))
    for name, table in tables(results).items():
        _csv(out / f"{name}.csv", table)
    for name, picture in draw(results).items():
        (out / name).write_text(picture)
    found = sentences(results)
    (out / "summary.md").write_text(summary(results, found))
    (out / "report.json").write_text(json.dumps(report(results, found), indent=2, ensure_ascii=False) + "\n")
    return found


def plain(value: int, decimals: int) -> str:
    """An exact decimal without separators of thousands."""
    return format_decimal(value, decimals).replace(",", "")


def epochs(rows: Iterable[Row]) -> Table:
    """One scenario's."""
    return [{to: plain(getattr(row, of), unit) for of, (to, unit) in EPOCH_COLUMNS.items()} for row in rows]


def tables(results: Results) -> dict[str, Table]:
    """The experiments', by the names of their files."""
    return {
        "income": [_income(each) for each in results.incomes],
        "agents": [_agent(name, group) for name, world in results.worlds.items() for group in world.groups],
        "washing": [_washed(each) for each in results.washed],
        "cheating": [_cheated(each) for each in results.cheated],
        "collusion": [_captured(each, DEFAULTS["verifier_bond"]) for each in results.captured],
    }


def _income(row: Income) -> dict[str, Any]:
    return {
        "scenario": row.scenario,
        "year": row.year,
        "machine": row.machine,
        "ifx_at_once_a_day": plain(row.ifx_now, WEI),
        "ifx_vesting_a_day": plain(row.ifx_vesting, WEI),
        "usd_at_once_a_day": plain(row.usd_now, NANO),
        "usd_vesting_a_day": plain(row.usd_vesting, NANO),
        "rent_usd_a_day": plain(row.rent, NANO),
    }


def _washed(row: Washed) -> dict[str, Any]:
    return {
        "washer": row.washer,
        "ifx_price_usd": plain(row.price, NANO),
        "pool_usd": row.pool_usd,
        "mint_multiple": plain(row.multiple, 4),
        "profit_of_fees": plain(row.profit, MICRO),
        "pays_from_multiple": "" if row.least is None else plain(row.least, 4),
    }


def _cheated(row: Cheated) -> dict[str, Any]:
    return {
        "job": row.job,
        "audited": plain(row.audit, MICRO),
        "detected": plain(row.detection, MICRO),
        "stake_at_risk_usd": plain(row.stake, NANO),
        "expected_gain_usd": f"{float(row.gain) / 10**NANO:.9f}",
        "stake_that_deters_usd": f"{float(row.least) / 10**NANO:.9f}",
    }


def _captured(row: Capture, bond: int) -> dict[str, Any]:
    return {
        "verifiers": row.roster,
        "own": row.own,
        "bonds_usd": plain(row.own * bond, NANO),
        "chance_of_committee": f"{float(row.committee):.9g}",
        "chance_of_seats_with_the_manager": f"{float(row.seats):.9g}",
        "chance_of_panel": f"{float(row.panel):.9g}",
        "chance_of_both": f"{float(row.both):.9g}",
    }


def _agent(scenario: str, group: Group) -> dict[str, Any]:
    return {
        "scenario": scenario,
        "machine": group.machine.name,
        "behaviour": group.behaviour,
        "machines_at_the_end": group.count,
        "earned_at_once_ifx": plain(group.at_once, WEI),
        "earned_vesting_ifx": plain(group.vesting, WEI),
        "earned_worth_usd": plain(group.worth, NANO),
        "machine_time_usd": plain(group.cost, NANO),
        "own_fees_usd": plain(group.fees_paid, NANO),
        "slashed_ifx": plain(group.slashed, WEI),
        "profit_usd": plain(group.profit, NANO),
    }


def report(results: Results, found: Sequence[str]) -> dict[str, Any]:
    """What somebody needs to repeat the run, and what came of it."""
    return {
        "seed": results.settings.seed,
        "epochs": results.settings.epochs,
        "settings": results.settings.model_dump(),
        "scenarios": {name: epochs([world.rows[-1]])[0] for name, world in results.worlds.items()},
        "balances_wei": {
            name: {holder: str(amount) for holder, amount in sorted(world.book.ifx.balances.items()) if amount}
            for name, world in results.worlds.items()
        },
        "findings": list(found),
    }


def _csv(path: Path, table: Table) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
