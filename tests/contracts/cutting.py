# SPDX-License-Identifier: Apache-2.0
"""Wholes cut into parts: nobody is to get more by doing in parts what can be done at once."""

from itertools import pairwise

from hypothesis import strategies as st

BPS = 10_000
# Where a whole is cut, in basis points of it
CUTS = st.lists(st.integers(1, BPS - 1), min_size=1, max_size=4)


def cut(whole: int, cuts: list[int]) -> list[int]:
    """Parts that add up to the whole, none of them empty."""
    edges = sorted({0, whole, *(whole * each // BPS for each in cuts)})
    return [last - first for first, last in pairwise(edges)]
