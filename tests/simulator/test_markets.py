# SPDX-License-Identifier: Apache-2.0
"""The pool's arithmetic, and what the reference market sells and does not buy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferix.economy import least_purchase
from inferix.models.parameters import DEFAULTS
from inferix.units import NanoUsd, Wei
from simulator.book import SCALE, Book, Imbalance
from simulator.markets import Pool, ReferenceMarket, swapped

WEI = 10**18


def pool(ifx: int = 6_000_000 * WEI, usd: int = 300_000 * SCALE) -> Pool:
    book = Book()
    book.allocate("pool", ifx)
    book.usd.create("pool", usd)
    book.allocate("seller", ifx)
    book.usd.create("buyer", usd)
    return Pool(book)


@pytest.mark.parametrize(
    ("amount", "reserve_in", "reserve_out", "out"),
    # As in the tests of Uniswap V2's core
    [
        (1, 5, 10, 1662497915624478906),
        (1, 10, 5, 453305446940074565),
        (2, 5, 10, 2851015155847869602),
        (2, 10, 5, 831248957812239453),
        (1, 10, 10, 906610893880149131),
        (1, 100, 100, 987158034397061298),
        (1, 1000, 1000, 996006981039903216),
    ],
)
def test_a_swap_gives_what_uniswap_gives(amount: int, reserve_in: int, reserve_out: int, out: int) -> None:
    assert swapped(amount * WEI, reserve_in * WEI, reserve_out * WEI) == out


@given(st.integers(1, 10**12), st.integers(10**6, 10**13), st.integers(10**18, 10**27))
def test_a_swap_never_lessens_the_product(amount: int, usd: int, ifx: int) -> None:
    out = swapped(amount, usd, ifx)
    assert (usd + amount) * (ifx - out) >= usd * ifx
    assert swapped(out, ifx - out, usd + amount) <= amount


def test_buying_raises_the_price_and_selling_lowers_it() -> None:
    market = pool()
    first = market.price()
    assert first == 50_000_000
    bought = market.buy("buyer", 1_000 * SCALE)
    assert market.price() > first
    market.sell("seller", Wei(2 * bought))
    assert market.price() < first
    market.book.check()


def test_one_piece_for_burning_slips_by_less_than_the_contract_lets_it() -> None:
    market = pool()
    price, units = market.price(), market.piece()
    least = least_purchase(units, SCALE, price, DEFAULTS)
    assert market.buy("buyer", units) >= least
    assert pool().buy("buyer", 4 * units) < least_purchase(4 * units, SCALE, price, DEFAULTS)


def test_the_pool_takes_nothing_that_the_buyer_has_not() -> None:
    market = pool()
    with pytest.raises(Imbalance, match="buyer has 300000000000"):
        market.buy("buyer", 300_000 * SCALE + 1)


def test_the_reference_market_sells_at_its_price_while_it_can_and_never_buys() -> None:
    book = Book()
    book.allocate("market", 20 * WEI)
    book.usd.create("buyer", 2 * SCALE)
    market = ReferenceMarket(book, NanoUsd(50_000_000))
    assert market.buy("buyer", SCALE) == 20 * WEI
    assert market.buy("buyer", SCALE) == 0
    assert (book.usd.of("buyer"), book.usd.of("treasury")) == (SCALE, SCALE)
    assert market.sell("buyer", Wei(WEI)) == 0
