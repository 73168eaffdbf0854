# SPDX-License-Identifier: Apache-2.0
"""What comes from outside: clients' demand and strangers' trades, epoch by epoch, the same for the same seed.

Shapes are rounded to parts per million before they touch money: no amount depends on a machine's floating point.
"""

import math
from random import Random

from inferix.units import NANO_PER_USD, NanoUsd
from simulator.settings import PPM, Demand, Trades

YEAR = 365 * 86_400


class Paths:
    """One scenario's. ``length``: of an epoch, seconds."""

    def __init__(self, seed: int, name: str, length: int) -> None:
        self._demand = Random(f"{seed} {name} demand")  # noqa: S311 - a model, not a secret
        self._trades = Random(f"{seed} {name} trades")  # noqa: S311
        self._length = length

    def demand(self, epoch: int, of: Demand) -> NanoUsd:
        """What clients order in an epoch."""
        noisy = PPM + self._demand.randint(-of.noise, of.noise)
        return NanoUsd(of.usd * NANO_PER_USD * self._shape(epoch, of) * noisy // PPM**2)

    def _shape(self, epoch: int, of: Demand) -> int:
        """Of the demand at the start, parts per million."""
        if of.kind == "growth":
            return round(PPM * (1 + of.ppm / PPM) ** epoch)
        if of.kind == "bust":
            return PPM if epoch < of.at else of.ppm
        if of.kind == "seasonal":
            return PPM + round(of.ppm * math.sin(2 * math.pi * epoch * self._length / YEAR))
        return PPM

    def trades(self, epoch: int, of: Trades) -> int:
        """Net purchases, parts per million of the pool's dollars; negative: sales."""
        noise = self._trades.randint(-of.noise, of.noise)
        is_on = of.kind != "steady" and of.at <= epoch < of.at + of.length
        return noise + (of.ppm if of.kind == "rally" else -of.ppm) * is_on
