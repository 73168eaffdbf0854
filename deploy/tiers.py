# SPDX-License-Identifier: Apache-2.0
"""The tiers of the licence sale, as deploy/tiers/<role>.csv says; pure but for reading those files."""

import csv
from dataclasses import dataclass
from pathlib import Path

from inferix.errors import Misconfigured

FOLDER = Path(__file__).parent / "tiers"
ROLES = ("worker", "verifier")
COLUMNS = ["tier", "cap_per_wallet", "usd_price", "licences", "whitelist_licences"]


@dataclass(frozen=True, slots=True)
class Tier:
    """price: USD cents; cap: most that one wallet buys in the public sale, 0 no limit; whitelisted: of the licences."""

    price: int
    cap: int
    licences: int
    whitelisted: int

    def values(self) -> tuple[int, int, int, int]:
        """As NodeSale takes it."""
        return self.price, self.cap, self.licences, self.whitelisted


def load_tiers(role: str, folder: Path = FOLDER) -> list[Tier]:
    """A role's tiers from the first. Raises Misconfigured for a file that is none, or skips a tier."""
    path = folder / f"{role}.csv"
    try:
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        rows = list(csv.DictReader(lines, strict=True))
        if not rows or list(rows[0]) != COLUMNS or [int(row["tier"]) for row in rows] != list(range(1, len(rows) + 1)):
            raise ValueError("its tiers are not numbered from 1, or its columns are others")
        return [_tier(row) for row in rows]
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise Misconfigured(f"{path} holds no tiers: {error}") from error


def _tier(row: dict[str, str]) -> Tier:
    return Tier(
        price=100 * int(row["usd_price"]),
        cap=int(row["cap_per_wallet"] or 0),
        licences=int(row["licences"]),
        whitelisted=int(row["whitelist_licences"]),
    )
