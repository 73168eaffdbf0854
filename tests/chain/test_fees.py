# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferix.chain.errors import FeeTooHigh
from inferix.chain.fees import GWEI, Fee, FeePolicy, bumped_fee, first_fee

POLICY = FeePolicy(max_fee=100 * GWEI)
AMOUNTS = st.integers(0, 200 * GWEI)


def test_first_fee__twice_the_base_fee_and_the_tip() -> None:
    assert first_fee(POLICY, 10 * GWEI, GWEI) == Fee(21 * GWEI, GWEI)


def test_first_fee__base_fee_over_the_limit__waits() -> None:
    with pytest.raises(FeeTooHigh, match="waiting"):
        first_fee(POLICY, 100 * GWEI, GWEI)


@given(base=AMOUNTS, tip=AMOUNTS)
def test_first_fee__never_over_the_limit(base: int, tip: int) -> None:
    try:
        fee = first_fee(POLICY, base, tip)
    except FeeTooHigh:
        return
    assert base <= fee.max_fee <= POLICY.max_fee
    assert fee.tip <= fee.max_fee


@given(max_fee=st.integers(1, 100 * GWEI), tip=AMOUNTS, base=AMOUNTS, suggested=AMOUNTS)
def test_bumped_fee__both_an_eighth_higher_and_within_the_limit(
    max_fee: int, tip: int, base: int, suggested: int
) -> None:
    old = Fee(max_fee, min(tip, max_fee))
    new = bumped_fee(POLICY, old, base, suggested)
    if new is None:
        return
    assert new.max_fee * 8 > old.max_fee * 9 - 8
    assert new.tip * 8 > old.tip * 9 - 8
    assert new.tip <= new.max_fee <= POLICY.max_fee


def test_bumped_fee__at_the_limit__none() -> None:
    assert bumped_fee(POLICY, Fee(95 * GWEI, GWEI), GWEI, GWEI) is None
    assert bumped_fee(POLICY, Fee(80 * GWEI, GWEI), GWEI, GWEI) is not None
