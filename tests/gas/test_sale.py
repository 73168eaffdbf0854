# SPDX-License-Identifier: Apache-2.0
"""The accounting of a purchase in the licence sale beside that of a sale that mints no licence. Its bounds: bounds.py."""

import pytest

from benchmarks.sale import PEERS, Sold, load_sales
from tests.gas.sale import Counter


@pytest.mark.parametrize("peer", load_sales(PEERS.read_text()), ids=lambda peer: f"{peer.ours}, {peer.purchase}")
def test_the_accounting_alone_costs_less_than_a_peers(counter: Counter, peer: Sold) -> None:
    assert counter.without_mint[peer.ours] < peer.gas
