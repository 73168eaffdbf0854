# SPDX-License-Identifier: Apache-2.0
"""The integers of the protocol, each with its unit, and the few sums between them.

Amounts are integers; a float never touches money or work. Fees round up, rewards round down.

    Wei        10^-18 of IFX, of ifxDollar as a token, or of a chain's own coin
    NanoUsd    10^-9 ifxDollar; 1 ifxDollar = 1 USD at top-up
    NanoIbm    10^-9 IBM, work: Inferix Bench x minutes
    MicroIb    10^-6 IB, speed: the standard unit node's time for a frame over this node's time

A price of work is NanoUsd per whole IBM.
"""

import re
from typing import NewType

from inferix.errors import InvalidInput

Wei = NewType("Wei", int)
NanoUsd = NewType("NanoUsd", int)
NanoIbm = NewType("NanoIbm", int)
MicroIb = NewType("MicroIb", int)
Seconds = NewType("Seconds", int)
NodeId = NewType("NodeId", int)
AccountId = NewType("AccountId", int)
BlockNumber = NewType("BlockNumber", int)

IFX_DECIMALS = 18
USD_DECIMALS = 9
IBM_DECIMALS = 9
IB_DECIMALS = 6
WEI_PER_IFX = 10**IFX_DECIMALS
NANO_PER_USD = 10**USD_DECIMALS
NANO_PER_IBM = 10**IBM_DECIMALS
MICRO_PER_IB = 10**IB_DECIMALS
WEI_PER_NANO_USD = 10 ** (18 - USD_DECIMALS)

_DECIMAL = re.compile(r"(-?)([0-9]{1,78})(?:\.([0-9]{1,78}))?", re.ASCII)


def ceil_div(numerator: int, denominator: int) -> int:
    """The quotient rounded towards plus infinity. The denominator is positive."""
    if denominator <= 0:
        raise ValueError(f"ceil_div: the denominator must be positive, not {denominator}")
    return -(-numerator // denominator)


def mul_div_down(value: int, numerator: int, denominator: int) -> int:
    """``value * numerator / denominator`` rounded towards minus infinity: rewards."""
    if denominator <= 0:
        raise ValueError(f"mul_div_down: the denominator must be positive, not {denominator}")
    return value * numerator // denominator


def mul_div_up(value: int, numerator: int, denominator: int) -> int:
    """``value * numerator / denominator`` rounded towards plus infinity: fees."""
    return ceil_div(value * numerator, denominator)


def work_of(speed: MicroIb, elapsed: Seconds) -> NanoIbm:
    """Work that a node of this speed does in this time, rounded down: IBM = IB x minutes."""
    return NanoIbm(mul_div_down(speed, elapsed * (NANO_PER_IBM // MICRO_PER_IB), 60))


def fee_of(work: NanoIbm, price: NanoUsd) -> NanoUsd:
    """Fee F = W x P of work at a price per IBM, rounded up."""
    return NanoUsd(mul_div_up(work, price, NANO_PER_IBM))


def usd_to_wei(amount: NanoUsd) -> Wei:
    """The same amount of an 18-decimal dollar token; exact."""
    return Wei(amount * WEI_PER_NANO_USD)


def wei_to_usd_down(amount: Wei) -> NanoUsd:
    """An 18-decimal dollar amount in nano-ifxDollar, rounded down: what a client is credited."""
    return NanoUsd(amount // WEI_PER_NANO_USD)


def wei_to_usd_up(amount: Wei) -> NanoUsd:
    """An 18-decimal dollar amount in nano-ifxDollar, rounded up: what a client is charged."""
    return NanoUsd(ceil_div(amount, WEI_PER_NANO_USD))


def parse_decimal(text: str, decimals: int) -> int:
    """The integer that a decimal number stands for: ``parse_decimal("1.5", 6) == 1_500_000``.

    Exact or refused: no exponent, no blanks, no thousands separator, at most ``decimals`` digits after the point.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise InvalidInput(f"not a decimal number: {text[:40]!r}; write it like 12.34")
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if len(fraction) > decimals:
        raise InvalidInput(f"{text[:40]!r} has more than {decimals} digits after the point; round it first")
    value = int(whole + fraction.ljust(decimals, "0"))
    return -value if sign else value


def format_decimal(value: int, decimals: int, keep: int = 0) -> str:
    """The exact decimal number for people; at least ``keep`` digits after the point, no other trailing zeros."""
    whole, fraction = divmod(abs(value), 10**decimals)
    digits = f"{fraction:0{decimals}d}" if decimals else ""
    digits = digits.rstrip("0").ljust(min(keep, decimals), "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{whole:,}.{digits}" if digits else f"{sign}{whole:,}"


def format_ifx(amount: Wei) -> str:
    """``1,234.5 IFX``"""
    return f"{format_decimal(amount, IFX_DECIMALS)} IFX"


def format_usd(amount: NanoUsd) -> str:
    """``1,234.50 USD``: two digits at least, all that are there."""
    return f"{format_decimal(amount, USD_DECIMALS, keep=2)} USD"


def format_work(work: NanoIbm) -> str:
    """``0.25 IBM``"""
    return f"{format_decimal(work, IBM_DECIMALS)} IBM"


def format_speed(speed: MicroIb) -> str:
    """``1.7 IB``"""
    return f"{format_decimal(speed, IB_DECIMALS)} IB"


def format_duration(duration: Seconds) -> str:
    """``3 d 4 h``, ``2 h 5 min``, ``1 min 30 s``, ``12 s``: the two largest units that are not zero."""
    parts = []
    rest = abs(duration)
    for name, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count} {name}")
    sign = "-" if duration < 0 else ""
    return sign + (" ".join(parts[:2]) or "0 s")
