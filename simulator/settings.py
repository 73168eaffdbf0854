# SPDX-License-Identifier: Apache-2.0
"""What is simulated: a TOML file of scenarios and experiments (scenarios.toml is the one that comes with it)."""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from inferix.errors import Misconfigured
from inferix.models.parameters import DEFAULTS
from simulator.machines import load_machines

FILE = Path(__file__).parent / "scenarios.toml"
PPM = 1_000_000
LEAST_POOL = 1_000 * 10**9  # nano-USD
FLEET = {
    "GeForce RTX 3090": 30,
    "GeForce RTX 4060": 30,
    "GeForce RTX 4070": 30,
    "GeForce RTX 4080": 20,
    "GeForce RTX 4090": 60,
    "A100 40G": 5,
    "A100 80G": 5,
    "H100": 3,
    "H200": 2,
    "Tesla T4": 20,
}

Share = int
"""Parts per million."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _share(default: int) -> Any:
    return Field(default=default, ge=0, le=PPM)


class Demand(_Model):
    """What clients order. ``usd``: a whole number of USD an epoch at the start; ``ppm``: growth an epoch, what is left
    after the bust, or the season's swing; ``noise``: of each epoch, either way."""

    kind: Literal["steady", "growth", "bust", "seasonal"] = "steady"
    usd: int = Field(default=5_000, ge=0, le=10**9)
    ppm: int = _share(0)
    at: int = Field(default=243, ge=0)
    noise: int = _share(50_000)


class Trades(_Model):
    """Strangers' trades with the pool. ``ppm``: of the dollars in it, net, an epoch from ``at`` on for ``length``
    epochs, bought in a rally and sold in a crash; ``noise``: of each epoch, either way."""

    kind: Literal["steady", "rally", "crash"] = "steady"
    ppm: int = _share(0)
    at: int = Field(default=122, ge=0)
    length: int = Field(default=122, ge=1)
    noise: int = _share(10_000)


class Whale(_Model):
    """Buys for ``usd`` from epoch ``buys_at`` on, over ``over`` epochs, stakes, unbonds at ``sells_at``, then sells."""

    usd: int = Field(gt=0, le=10**10)
    buys_at: int = Field(ge=0)
    sells_at: int = Field(ge=0)
    over: int = Field(ge=1)

    @model_validator(mode="after")
    def _is_in_order(self) -> "Whale":
        if self.sells_at < self.buys_at + self.over:
            raise ValueError("the whale sells before it has bought: sells_at is at least buys_at + over")
        return self


class Scenario(_Model):
    """A network and its market. Prices in nano-USD, of an IFX and of an IBM; ``pool_ifx``, ``inventory_ifx``: whole
    IFX; ``machines``: how many honest ones of each name; ``sold``: of what nodes claim; ``unlocked_sold``: of what the
    vesting of investors and the foundation frees; ``step``: how much of the fleet comes or goes in an epoch."""

    rules: dict[str, int] = {}
    market: Literal["pool", "reference"] = "pool"
    ifx_price: int = Field(default=50_000_000, gt=0, lt=2**64)
    work_price: int = Field(default=16_000_000, gt=0, lt=2**64)
    pool_ifx: int = Field(default=6_000_000, gt=0, le=43_500_000)
    inventory_ifx: int = Field(default=10_000_000, gt=0, le=37_500_000)
    demand: Demand = Demand()
    trades: Trades = Trades()
    whale: Whale | None = None
    machines: dict[str, int] = FLEET
    verifiers: int = Field(default=100, ge=5)
    managers: int = Field(default=3, ge=1)
    sold: Share = _share(800_000)
    unlocked_sold: Share = _share(0)
    step: Share = _share(20_000)
    lazy: int = Field(default=0, ge=0)
    cheating: int = Field(default=0, ge=0)
    colluding: Share = _share(0)
    washing_usd: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _is_whole(self) -> "Scenario":
        known = load_machines()
        _refuse("no such machine", set(self.machines) - set(known))
        _refuse("no such governed number", set(self.rules) - set(DEFAULTS))
        _refuse("negative numbers of machines", {name for name, count in self.machines.items() if count < 0})
        if self.pool_ifx * self.ifx_price < LEAST_POOL:
            raise ValueError("the pool holds less than 1,000 USD at the start: raise pool_ifx or ifx_price")
        if not sum(self.machines.values()):
            raise ValueError("no honest machine: nobody would do the work")
        if self.governed["burn_bps"] + self.governed["manager_fee_bps"] > 10_000 or self.governed["burn_bps"] < 1:
            raise ValueError("burn_bps is at least 1, and leaves room for manager_fee_bps")
        if any(self.governed[name] < 1 for name in ("epochs", "worker_vesting", "price_default")):
            raise ValueError("epochs, worker_vesting and price_default are at least 1")
        if self.governed["epoch_length"] < 3_600 or min(self.rules.values(), default=0) < 0:
            raise ValueError("an epoch lasts an hour at least, and no governed number is negative")
        return self

    @property
    def governed(self) -> dict[str, int]:
        """All governed numbers."""
        return DEFAULTS | self.rules


def _refuse(why: str, names: set[str]) -> None:
    if names:
        raise ValueError(f"{why}: {', '.join(sorted(names))}")


class Job(_Model):
    """A kind of work. ``audit``: share of tasks that are checked; ``detection``: of checked cheats, those found out;
    ``saved``: share of the cost that the cheat saves; ``work``: of a task, thousandths of an IBM."""

    name: str
    audit: Share = Field(gt=0, le=PPM)
    detection: Share = Field(gt=0, le=PPM)
    saved: Share = Field(gt=0, le=PPM)
    work: int = Field(gt=0)


class Experiments(_Model):
    """Questions beside the scenarios. ``washing_usd``: a washer's own fees an epoch; ``prices``: nano-USD an IFX;
    ``pool_usd``: dollars in the pool; ``verifiers``: sizes of the roster; ``jobs``: the kinds, the first is that of the
    scenarios' tasks."""

    washing_usd: int = Field(default=1_000, gt=0)
    others_usd: int = Field(default=5_000, ge=0)
    prices: list[int] = Field(default=[5_000_000, 50_000_000], min_length=1)
    pool_usd: list[int] = Field(default=[100_000, 300_000, 3_000_000], min_length=1)
    verifiers: list[int] = Field(default=[25, 100, 1_000], min_length=1)
    machine: str = "GeForce RTX 4090"
    jobs: list[Job] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_whole(self) -> "Experiments":
        _refuse("no such machine", {self.machine} - set(load_machines()))
        if min(self.prices) <= 0 or min(self.pool_usd) < 1_000 or min(self.verifiers) < 15:
            raise ValueError("prices are more than 0, a pool holds 1,000 USD at least, a roster 15 verifiers")
        return self


class Settings(_Model):
    """All of a file."""

    seed: int = Field(default=1, ge=0)
    epochs: int = Field(default=487, ge=1, le=487)
    experiments: Experiments
    scenarios: dict[str, Scenario] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_file_names(self) -> "Settings":
        _refuse("not a name for a scenario (letters, digits, _)", {n for n in self.scenarios if not n.isidentifier()})
        return self


def load_settings(path: Path = FILE) -> Settings:
    """The settings in a file. Raises Misconfigured, which says where the file is wrong."""
    try:
        return Settings.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise Misconfigured(f"no scenarios at {path}: name the file with --scenarios") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise Misconfigured(f"{path}: {faults}") from error


def only(settings: Settings, names: tuple[str, ...]) -> Settings:
    """The same with these scenarios alone; no name: all. Raises Misconfigured for a name that is none of them."""
    strange = sorted(set(names) - set(settings.scenarios))
    if strange:
        known = ", ".join(settings.scenarios)
        raise Misconfigured(f"no scenario {', '.join(strange)}; there are: {known}")
    chosen = {name: each for name, each in settings.scenarios.items() if name in names or not names}
    return settings.model_copy(update={"scenarios": chosen})
