# SPDX-License-Identifier: Apache-2.0
"""The contracts' arithmetic of money, as pure functions of integers: emission, fees, stakes, slashes, streams, vesting.

Each function names the contract whose sum it is, and rounds as that contract does. ``rules`` are the governed numbers
(``inferix.models.parameters``). tests/simulator/test_beside_the_contracts.py holds them to the contracts, to the wei.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from inferix.models.roles import Role
from inferix.units import WEI_PER_IFX, MicroIb, NanoIbm, NanoUsd, Wei, ceil_div, mul_div_down

BPS = 10_000
CAP = 1_000_000_000 * WEI_PER_IFX
BUDGET = 462_500_000 * WEI_PER_IFX
"""What BurnMintWork may ever mint; the rest of the cap is minted at deployment."""
PARTS: Mapping[Role, int] = {Role.WORKER: 30, Role.VERIFIER: 6, Role.MANAGER: 1}
"""Of each epoch's mint."""
KEEP_BPS = 8_000
"""A qualified node stays in while its stake is worth this much of what is required."""
MONTH = 2_628_000
"""A twelfth of 365 days [s]."""

Rules = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FeeSplit:
    """Units of a coin; they add up to what was collected."""

    burn: int
    managers: int
    foundation: int


@dataclass(frozen=True, slots=True)
class SlashSplit:
    """Wei; they add up to what was taken."""

    burned: int
    pooled: int
    reporter: int


@dataclass(frozen=True, slots=True)
class Terms:
    """How a share of the allocation vests. ``at_tge``: basis points; cliff and linear: months, one after the other."""

    at_tge: int
    cliff: int
    linear: int


VESTING: Mapping[str, Terms] = {
    "seed": Terms(0, 6, 12),
    "strategic": Terms(0, 6, 12),
    "kol": Terms(1_000, 3, 15),
    "public": Terms(1_000, 3, 4),
    "foundation": Terms(0, 12, 24),
}


def emission(epoch: int, work: NanoIbm, burned: Wei, minted: Wei, rules: Rules) -> Wei:
    """BurnMintWork: what closing an epoch mints. ``burned``: since the last close of an epoch with
    work; ``minted``: before this one."""
    if work == 0 or epoch >= rules["epochs"]:
        return Wei(0)
    share = (BUDGET - minted) // (rules["epochs"] - epoch)
    paid = burned * rules["mint_multiple_bps"] // rules["burn_bps"]
    return Wei(min(share, paid, BUDGET - minted))


def split_mint(minted: Wei) -> dict[Role, Wei]:
    """Inferix' reducer: the roles' parts, rounded down; what is left over is dust for the penalty pool."""
    total = sum(PARTS.values())
    return {role: Wei(minted * part // total) for role, part in PARTS.items()}


def split_fee(amount: int, rules: Rules) -> FeeSplit:
    """FeeBurner.collect: what of collected units buys IFX, is kept for managers, and is the foundation's."""
    burn = amount * rules["burn_bps"] // BPS
    managers = amount * rules["manager_fee_bps"] // BPS
    return FeeSplit(burn, managers, amount - burn - managers)


def least_purchase(spent: int, scale: int, price: NanoUsd, rules: Rules) -> Wei:
    """FeeBurner: the least that a purchase must bring. ``scale``: units of the coin a USD; ``price``: of an IFX."""
    return Wei(reference_purchase(spent, scale, price) * (BPS - rules["swap_slippage_bps"]) // BPS)


def reference_purchase(spent: int, scale: int, price: NanoUsd) -> Wei:
    """ReferenceMarket.buy: what these units of a coin buy."""
    return Wei(spent * 10**27 // (scale * price))


def moved_price(price: NanoUsd, wanted: NanoUsd) -> NanoUsd:
    """The nearest to ``wanted`` that is at most a fifth off: how far ReferenceMarket's price moves in an epoch."""
    step = price // 5
    return NanoUsd(min(max(wanted, price - step, 1), price + step))


def worker_stake_usd(speed: MicroIb, price_of_work: NanoUsd, rules: Rules) -> NanoUsd:
    """S = 2 x E x IB x P: twice what an epoch of full work earns. The price counts as no less than the default."""
    price = max(price_of_work, rules["price_default"])
    return NanoUsd(2 * (rules["epoch_length"] // 60) * speed * price // 10**6)


def required_stake(
    role: Role, rules: Rules, ifx_price: NanoUsd, speed: MicroIb | None = None, price_of_work: NanoUsd | None = None
) -> Wei:
    """Staking.required: wei, rounded up. A worker's depends on its speed and on its price, if it has one."""
    if role is Role.WORKER:
        usd = worker_stake_usd(speed or MicroIb(0), price_of_work or NanoUsd(0), rules)
    else:
        usd = NanoUsd(rules["verifier_bond" if role is Role.VERIFIER else "manager_bond"])
    return Wei(ceil_div(usd * WEI_PER_IFX, ifx_price))


def keeps_bonded(stake: Wei, required: Wei) -> bool:
    """Staking.is_bonded, of a node that qualified and has nothing frozen."""
    return stake * BPS >= required * KEEP_BPS


def split_slash(taken: Wei, reporter_bps: int = 0) -> SlashSplit:
    """Staking.slash: half is burned, the reporter's part comes out of the other half."""
    reporter = taken * reporter_bps // BPS
    pooled = taken // 2 - reporter
    return SlashSplit(taken - pooled - reporter, pooled, reporter)


def streamed(matured: Wei, vesting: Wei, start: int, time: int, vesting_time: int) -> Wei:
    """Accounts.claim: what of a node's leaf is earned at a time, claimed or not. ``start``: sum of wei x seconds."""
    grown = max(0, time * vesting - start) // vesting_time
    return Wei(matured + min(grown, vesting))


def share(amount: int, weights: Mapping[str, int]) -> dict[str, int]:
    """The reducer: an amount in proportion to weights, each part rounded down; no weight, no part."""
    total = sum(weights.values())
    return {name: mul_div_down(amount, weight, total) for name, weight in weights.items() if weight}


def vested(amount: Wei, terms: Terms, elapsed: int) -> Wei:
    """Vesting.vested: what of a schedule is free so many seconds after TGE."""
    if elapsed < 0:
        return Wei(0)
    at_once = amount * terms.at_tge // BPS
    cliff, linear = terms.cliff * MONTH, terms.linear * MONTH
    if elapsed <= cliff:
        return Wei(at_once)
    return Wei(at_once + (amount - at_once) * min(elapsed - cliff, linear) // max(linear, 1))
