# SPDX-License-Identifier: Apache-2.0
"""Settings of one deployment, from a JSON file (see deploy/README.md)."""

from pathlib import Path
from typing import Annotated

from eth_utils.address import is_checksum_address
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from inferix.errors import Misconfigured
from inferix.models.parameters import DEFAULTS, clash

DEPLOYER = "deployer"
TIMELOCK = "timelock"
FUND = "fund"


def _address(text: str) -> str:
    if text != DEPLOYER and not is_checksum_address(text):
        raise ValueError(f"neither a checksummed address nor {DEPLOYER!r}: {text}")
    return text


def _governor(text: str) -> str:
    return text if text == TIMELOCK else _address(text)


def _holder(text: str) -> str:
    return text if text == FUND else _address(text)


Address = Annotated[str, AfterValidator(_address)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Allocation(_Model):
    """Who is behind which share of the allocation.

    Seed to foundation vest: the beneficiary of one schedule over the whole share; null: the foundation makes schedules
    of it later. Liquidity and ecosystem are free at TGE, and so is the community's part that its holder gets. Ecosystem
    "fund": it lies in CommunityFund beside the community's, and only the governor grants of it.
    """

    seed: Address | None
    strategic: Address | None
    kol: Address | None
    public: Address | None
    foundation: Address | None
    liquidity: Address
    community: Address
    ecosystem: Annotated[str, AfterValidator(_holder)]


class Coin(_Model):
    """A stablecoin that clients pay in. cap: most that its pool may hold [nano-USD]."""

    address: Address
    cap: int = Field(gt=0, lt=2**96)


class Sale(_Model):
    """The licence sale. whitelist_at, public_at, ends_at: seconds; rate: nano-USD of a whole coin of wrapped native,
    good for a day; rate_setter: who keeps it, null: the governor alone; buyback_ifx: wei set aside for the buyback.
    """

    whitelist_at: int = Field(ge=0)
    public_at: int = Field(ge=0)
    ends_at: int = Field(gt=0, lt=2**40)
    rate: int = Field(gt=0, lt=2**96)
    rate_setter: Address | None
    buyback_ifx: int = Field(ge=0)


class Development(_Model):
    """A network where nothing is worth anything: a coin, wrapped native and a Uniswap V2 of its own, and a faucet.

    usd_cap: nano-USD; drip_usd: units of 10^-6 DevUSD; drip_ifx, faucet_ifx: wei; pool_ifx: wei of the ecosystem's
    share in the pool of DevUSD, beside as much DevUSD as they are worth at the reference price.
    """

    usd_cap: int = Field(gt=0, lt=2**96)
    drip_usd: int = Field(gt=0)
    drip_ifx: int = Field(gt=0)
    faucet_ifx: int = Field(gt=0)
    pool_ifx: int = Field(gt=0)


class Voting(_Model):
    """Rules of Governor and Timelock to begin with; contracts/governance bounds them, a vote changes them.

    delay, period, timelock: seconds from proposal to snapshot, of the vote, and from queue to execution; threshold: wei
    of votes that a proposer needs; quorum_bps: share of the supply that must vote for or abstain.
    """

    delay: int = Field(default=86_400, gt=0)
    period: int = Field(default=7 * 86_400, gt=0)
    threshold: int = Field(default=10**24, gt=0)
    quorum_bps: int = Field(default=400, gt=0)
    timelock: int = Field(default=2 * 86_400, gt=0)


class Settings(_Model):
    """governor: an address, or "timelock": holders of IFX govern by votes once all stands; ifx_price: nano-USD per
    IFX, the reference price until a pool prices it; market_ifx: wei that the reference market sells; tge: second at
    which vesting starts, null: the time of the deployment; native, factory: wrapped native and Uniswap V2's factory of
    the chain, null on a development network only, which has its own."""

    chain_id: int = Field(gt=0)
    governor: Annotated[str, AfterValidator(_governor)]
    guardian: Address
    foundation: Address
    treasury: Address
    tge: int | None = Field(default=None, gt=0)
    parameters: dict[str, int]
    voting: Voting = Voting()
    allocation: Allocation
    ifx_price: int = Field(gt=0)
    market_ifx: int = Field(ge=0)
    licence_uri: str = Field(max_length=80)
    coins: list[Coin]
    native: Address | None
    factory: Address | None
    sale: Sale
    development: Development | None = None

    @model_validator(mode="after")
    def _has_parameters_that_go_together(self) -> "Settings":
        why = clash(DEFAULTS | self.parameters)
        if why:
            raise ValueError(f"parameters: {why}")
        return self

    @model_validator(mode="after")
    def _has_native_and_factory(self) -> "Settings":
        if any((named is None) != (self.development is not None) for named in (self.native, self.factory)):
            raise ValueError("wrapped native and factory are named, but on a development network, which has its own")
        return self


def load_settings(path: Path) -> Settings:
    """The settings in a file. Raises Misconfigured."""
    try:
        return Settings.model_validate_json(path.read_bytes())
    except OSError as error:
        raise Misconfigured(f"no deployment settings at {path}: name the file with --config") from error
    except ValidationError as error:
        empty = [".".join(map(str, each["loc"])) for each in error.errors() if each["input"] == ""]
        if empty:
            raise Misconfigured(f"{path}: fill in the addresses that are empty: {', '.join(empty)}") from error
        raise Misconfigured(f"{path} is no deployment settings: {error}") from error
