# SPDX-License-Identifier: Apache-2.0
"""A run on one page of Markdown: out/economy/summary.md. docs/economy.md quotes it."""

from collections.abc import Iterator, Sequence

from deploy.plan import SHARES
from inferix.economy import BUDGET
from inferix.units import NANO_PER_USD, WEI_PER_IFX
from simulator.results import Results
from simulator.world import World

COLUMNS = (
    "scenario",
    "an IFX at the end, USD",
    "minted, million IFX",
    "of the budget",
    "burned, million",
    "supply grew by, million",
    "machines",
)


def summary(results: Results, found: Sequence[str]) -> str:
    """A row a scenario, then the sentences."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    lines += [f"| {' | '.join(_row(name, world))} |" for name, world in results.worlds.items()]
    return "\n".join([*lines, "", *(f"- {line}" for line in found)]) + "\n"


def _row(name: str, world: World) -> Iterator[str]:
    last, million = world.rows[-1], 10**6 * WEI_PER_IFX
    yield name
    yield f"{last.price / NANO_PER_USD:.4f}"
    yield f"{last.total_minted / million:,.1f}"
    yield f"{last.total_minted * 100 / BUDGET:.1f} %"
    yield f"{last.total_burned / million:,.1f}"
    yield f"{(last.supply - sum(SHARES.values()) * WEI_PER_IFX) / million:,.1f}"
    yield f"{last.machines:,}"
