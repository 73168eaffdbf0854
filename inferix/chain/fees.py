# SPDX-License-Identifier: Apache-2.0
"""What to pay for gas (EIP-1559); pure. All in wei per gas."""

from contextvars import ContextVar
from dataclasses import dataclass

from inferix.chain.errors import FeeTooHigh

GWEI = 10**9
MIN_BUMP_BPS = 1_250  # nodes take a replacement only when both fees are 10 % higher; some ask 12.5 %
BPS = 10_000


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """``max_fee``: never more per gas. ``stuck_seconds``: unmined for so long, a transaction is replaced at more.

    ``max_gwei_a_day``: what one account may spend in 24 hours. ``max_waiting``: transactions of an account in flight.
    ``max_attempts``: failed so often on chain, an action rests for ``rest_seconds``.
    """

    max_fee: int = 200 * GWEI
    stuck_seconds: int = 60
    max_gwei_a_day: int = 500_000_000  # 0.5 of the chain's coin
    max_waiting: int = 8
    max_attempts: int = 3
    rest_seconds: int = 3_600
    gas_margin_bps: int = 2_500


MAX_FEE = ContextVar("MAX_FEE", default=FeePolicy().max_fee)
"""The most that a person's wallet pays per gas [wei]: what an endpoint asks is its own word."""


@dataclass(frozen=True, slots=True)
class Fee:
    """Fees of a transaction."""

    max_fee: int
    tip: int


def first_fee(policy: FeePolicy, base_fee: int, tip: int) -> Fee:
    """Room for six full blocks in a row (the base fee doubles). Raises FeeTooHigh when the next is out of reach."""
    if base_fee + 1 > policy.max_fee:
        raise FeeTooHigh(
            f"the base fee is {base_fee / GWEI:.2f} gwei, the settings allow {policy.max_fee / GWEI:.2f}: waiting", 30
        )
    max_fee = min(policy.max_fee, 2 * base_fee + tip)
    return Fee(max_fee, min(tip, max_fee))


def bumped_fee(policy: FeePolicy, old: Fee, base_fee: int, tip: int) -> Fee | None:
    """Fees that replace a stuck transaction; None when that would exceed the limit."""

    def raised(value: int) -> int:
        return value + value * MIN_BUMP_BPS // BPS + 1

    wanted_tip = max(raised(old.tip), tip)
    wanted = max(raised(old.max_fee), 2 * base_fee + wanted_tip)
    least = max(raised(old.max_fee), base_fee + 1)
    if least > policy.max_fee:
        return None
    max_fee = min(policy.max_fee, wanted)
    tip_now = min(wanted_tip, max_fee)
    return Fee(max_fee, tip_now) if tip_now >= raised(old.tip) else None
