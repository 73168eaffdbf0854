# SPDX-License-Identifier: Apache-2.0
"""Purchases in the licence sale, with the licence's mint and without, beside those of a sale that mints none."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.table import Row, Sheet, percent, whole
from inferix.errors import Corrupt

PEERS: Final = Path(__file__).parent / "sales.csv"


@dataclass(frozen=True, slots=True)
class Sold:
    """A peer's purchase. ``ours``: ours that it stands beside; ``source``: whose code at which commit."""

    purchase: str
    gas: int
    ours: str
    source: str


def load_sales(text: str) -> list[Sold]:
    """The rows of sales.csv; lines that begin with # are comments. Raises Corrupt."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    try:
        return [
            Sold(str(row["purchase"]), int(row["gas"]), str(row["ours"]), str(row["source"]))
            for row in csv.DictReader(lines, strict=True)
        ]
    except (ValueError, TypeError, KeyError, csv.Error) as error:
        raise Corrupt(f"sales.csv is malformed: {error}") from error


def sale_rows(figures: Mapping[str, int], without_mint: Mapping[str, int], sold: Sequence[Sold]) -> list[Row]:
    """A row for each of our purchases and of the peer's beside it. Raises Corrupt for one beside none of ours."""
    strange = {peer.ours for peer in sold} - without_mint.keys()
    if strange:
        raise Corrupt(f"sales.csv names purchases that are not measured: {', '.join(sorted(strange))}")
    rows: list[Row] = []
    for name, alone in without_mint.items():
        ours = (name, whole(figures[name]), whole(alone))
        beside = [peer for peer in sold if peer.ours == name]
        rows += [(*ours, peer.purchase, whole(peer.gas), percent(alone / peer.gas)) for peer in beside]
        if not beside:
            rows.append((*ours, "-", "-", "-"))
    return rows


def sale_sheet(figures: Mapping[str, int], without_mint: Mapping[str, int], sold: Sequence[Sold]) -> Sheet:
    """The table."""
    return Sheet(
        "Purchases in the licence sale, beside a peer's, which mints no licence",
        ("purchase", "gas", "without the mint", "the peer's", "its gas", "ours without the mint, of it"),
        sale_rows(figures, without_mint, sold),
        [
            "first tier, in use before; a purchase of five is one transaction; our whitelisted one has a proof of ten",
            "sources: benchmarks/sales.csv",
        ],
        words=(3,),
    )
