# SPDX-License-Identifier: Apache-2.0
"""Disputes about data: what it costs to ask for 64 leaves and to show them, out of roots over a thousand."""

from typing import Any

import boa

from tests.contracts.disputes.court import Court
from tests.contracts.disputes.shown import ACCOUNTS, ANCHOR, NODES, ROSTER, Shown, accounted, anchored, rostered
from tests.gas.meter import transaction_gas

NAMES = {ANCHOR: "anchor", ROSTER: "roster", ACCOUNTS: "accounts", NODES: "nodes"}
LEAVES = 1_000


class Shelves:
    """Measures challenges and answers; `figures` maps each to its gas. The second chunk of a root is the one measured:
    its first answer has fixed the depth, and who gets a bond has had one before."""

    def __init__(self, figures: dict[str, int]) -> None:
        self.figures = figures
        self.court = Court()
        self.court.populate()

    def run(self) -> None:
        """All figures."""
        court = self.court
        ids = range(1, LEAVES)
        for shown in (anchored(court, LEAVES), rostered(court, ids)):
            self._measure(shown)
        for shown in accounted(court, nodes=ids, reserved=dict.fromkeys(ids, 10**10)):
            self._measure(shown)

    def _measure(self, shown: Shown) -> None:
        court, name = self.court, NAMES[shown.kind]
        answer = getattr(court.availability, f"answer_{name}")
        for chunk in (0, 1):
            arguments: tuple[Any, ...] = (shown.root(), chunk, 0, shown.block_hash)
            asked = transaction_gas(court.availability.challenge, *arguments, sender=court.challenger)
            arguments = (shown.root(), *shown.answer(chunk))
            self.figures[f"challenge of data, {name}"] = asked
            self.figures[f"answer of 64, {name}"] = transaction_gas(answer, *arguments, sender=court.keeper.operator)


if __name__ == "__main__":
    found: dict[str, int] = {}
    with boa.swap_env(boa.Env()):
        Shelves(found).run()
    for figure, gas in found.items():
        print(f"{figure:36} {gas:9,}")
