# SPDX-License-Identifier: Apache-2.0
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferix.errors import InvalidInput
from inferix.units import (
    MicroIb,
    NanoIbm,
    NanoUsd,
    Seconds,
    Wei,
    ceil_div,
    fee_of,
    format_decimal,
    format_duration,
    format_ifx,
    format_speed,
    format_usd,
    format_work,
    mul_div_down,
    mul_div_up,
    parse_decimal,
    usd_to_wei,
    wei_to_usd_down,
    wei_to_usd_up,
    work_of,
)

integers = st.integers(-(2**256), 2**256)
positive = st.integers(1, 2**128)


@given(integers, integers, positive)
def test_rounding__as_exact_fractions(value: int, numerator: int, denominator: int) -> None:
    assert ceil_div(value, denominator) == ceil(Fraction(value, denominator))
    assert mul_div_up(value, numerator, denominator) == ceil(Fraction(value * numerator, denominator))
    assert mul_div_down(value, numerator, denominator) == floor(Fraction(value * numerator, denominator))


@pytest.mark.parametrize("denominator", [0, -1])
def test_rounding__denominator_not_positive__refused(denominator: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        ceil_div(1, denominator)
    with pytest.raises(ValueError, match="must be positive"):
        mul_div_up(1, 1, denominator)
    with pytest.raises(ValueError, match="must be positive"):
        mul_div_down(1, 1, denominator)


def test_work_of__ib_times_minutes_rounded_down() -> None:
    assert work_of(MicroIb(1_700_000), Seconds(90)) == 2_550_000_000
    assert work_of(MicroIb(1), Seconds(1)) == 16  # 16.67 nano-IBM


def test_fee_of__rounded_up() -> None:
    assert fee_of(NanoIbm(2_500_000_000), NanoUsd(16_000_000)) == 40_000_000
    assert fee_of(NanoIbm(1), NanoUsd(1)) == 1
    assert fee_of(NanoIbm(0), NanoUsd(16_000_000)) == 0


@given(st.integers(0, 2**200))
def test_usd_and_wei__never_in_favour_of_the_client(amount: int) -> None:
    down, up = wei_to_usd_down(Wei(amount)), wei_to_usd_up(Wei(amount))
    assert usd_to_wei(down) <= amount <= usd_to_wei(up)
    assert up - down == (amount % 10**9 != 0)


@given(integers, st.integers(0, 20), st.integers(0, 20))
def test_decimal__round_trip(value: int, decimals: int, keep: int) -> None:
    assert parse_decimal(format_decimal(value, decimals, keep).replace(",", ""), decimals) == value


@pytest.mark.parametrize(
    "text", ["", ".", "1.", ".5", "1e3", " 1", "1 ", "+1", "1,000", "0x1", "--1", "٣", "1.0000001", "nan", "1\n"]
)
def test_parse_decimal__anything_inexact_or_unusual__refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_decimal(text, 6)


def test_parse_decimal__exact() -> None:
    assert parse_decimal("0.000001", 6) == 1
    assert parse_decimal("-12.5", 6) == -12_500_000
    assert parse_decimal("7", 0) == 7


def test_format__for_people() -> None:
    assert format_ifx(Wei(1_234_500_000_000_000_000_000)) == "1,234.5 IFX"
    assert format_usd(NanoUsd(16_000_000)) == "0.016 USD"
    assert format_usd(NanoUsd(-2_000_000_000)) == "-2.00 USD"
    assert format_work(NanoIbm(1)) == "0.000000001 IBM"
    assert format_speed(MicroIb(1_700_000)) == "1.7 IB"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_661, "1 h 1 min"),
        (90_000, "1 d 1 h"),
        (86_401, "1 d 1 s"),
        (-5, "-5 s"),
    ],
)
def test_format_duration__two_largest_units(seconds: int, text: str) -> None:
    assert format_duration(Seconds(seconds)) == text
