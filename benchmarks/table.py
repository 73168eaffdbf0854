# SPDX-License-Identifier: Apache-2.0
"""How figures are shown: one table a subject, numbers to the right, notes below."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

WIDTH = 120
Row = Sequence[str]
SECTION: Row = ()
"""A row that is a line across the table."""


@dataclass(frozen=True)
class Sheet:
    """A table. ``words``: columns of text, besides the first."""

    title: str
    columns: Row
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    words: Sequence[int] = ()


def show(sheet: Sheet) -> None:
    """Prints it."""
    table = Table(header_style="")
    for at, name in enumerate(sheet.columns):
        table.add_column(name, justify="left" if at == 0 or at in sheet.words else "right", overflow="fold")
    for row in sheet.rows:
        if row:
            table.add_row(*row)
        else:
            table.add_section()
    console = Console(width=WIDTH, highlight=False)
    console.print(f"\n{sheet.title}", style="bold")
    console.print(table)
    for note in sheet.notes:
        console.print(Padding(note, (0, 0, 0, 2), expand=False))


def whole(number: float) -> str:
    """``1,234,567``"""
    return f"{round(number):,}"


def seconds(number: float) -> str:
    """Tenths of a second; hundredths below ten."""
    return f"{number:,.2f}" if abs(number) < 10 else f"{number:,.1f}"


def times(number: float) -> str:
    """A ratio of two figures, three digits at least: ``1.40x``, ``1,145x``"""
    return f"{number:,.0f}x" if number >= 100 else f"{number:.1f}x" if number >= 10 else f"{number:.2f}x"


def percent(share: float) -> str:
    """A share of one in per cent; hundredths below ten."""
    return f"{100 * share:.2f} %" if share < 0.1 else f"{100 * share:.1f} %"
