# SPDX-License-Identifier: Apache-2.0
"""The machines that people lend, as machines.csv says."""

import csv
from dataclasses import dataclass
from pathlib import Path

from inferix.errors import Corrupt, InferixError
from inferix.units import IB_DECIMALS, USD_DECIMALS, MicroIb, NanoUsd, parse_decimal

FILE = Path(__file__).parent / "machines.csv"
COLUMNS = ["machine", "gpu_count", "inferix_bench_ib", "rent_usd_per_hour"]


@dataclass(frozen=True, slots=True)
class Machine:
    """``speed``: of all its GPUs; ``rent``: nano-USD an hour, what its owner could have elsewhere."""

    name: str
    gpus: int
    speed: MicroIb
    rent: NanoUsd

    @property
    def rent_per_ibm(self) -> NanoUsd:
        """What an IBM of its time would bring elsewhere, nano-USD, rounded up."""
        return NanoUsd(-(-self.rent * 10**IB_DECIMALS // (60 * self.speed)))


def load_machines(path: Path = FILE) -> dict[str, Machine]:
    """Machines by name, in the file's order. Raises Corrupt."""
    try:
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        rows = list(csv.DictReader(lines, strict=True))
        if not rows or list(rows[0]) != COLUMNS:
            raise ValueError(f"its columns are not {', '.join(COLUMNS)}")
        found = {row["machine"]: _machine(row) for row in rows}
    except (OSError, ValueError, TypeError, csv.Error, InferixError) as error:
        raise Corrupt(f"{path} holds no machines: {error}") from error
    if any(min(machine.speed, machine.rent, machine.gpus) <= 0 for machine in found.values()):
        raise Corrupt(f"{path} holds a machine without speed, rent or GPU")
    return found


def _machine(row: dict[str, str]) -> Machine:
    return Machine(
        name=row["machine"],
        gpus=int(row["gpu_count"]),
        speed=MicroIb(parse_decimal(row["inferix_bench_ib"], IB_DECIMALS)),
        rent=NanoUsd(parse_decimal(row["rent_usd_per_hour"], USD_DECIMALS)),
    )
