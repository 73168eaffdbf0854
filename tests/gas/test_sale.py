# SPDX-License-Identifier: Apache-2.0
"""What a purchase in the licence sale may cost, and its accounting beside that of a sale that mints no licence."""

import pytest

from tests.contracts.system import deployer
from tests.gas.sale import FURTHER, Counter
from tests.gas.test_gas import MAX_CODE

# inferixgpu/node-sale-contract at 23c89bb: a purchase adds to counters
PEER, PEER_WHITELISTED, PEER_WITH_CODE = 108_017, 119_775, 118_558
CONTRACTS = [
    "licences/NodeSale.vy",
    "licences/Buyback.vy",
    "licences/NodeLicence.vy",
    "token/Vesting.vy",
    "token/VestingWallet.vy",
    "token/CommunityFund.vy",
]


def test_a_new_buyers_first_licence_with_its_mint(counter: Counter) -> None:
    assert counter.figures["purchase of one"] <= 150_000
    assert counter.figures["purchase for wrapped native"] <= 150_000


def test_each_further_licence_of_a_purchase(counter: Counter) -> None:
    further = counter.figures["purchase of five"] - counter.figures["purchase of one"]
    assert further / FURTHER <= 30_000


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("purchase of one", PEER),
        ("purchase for wrapped native", PEER),
        ("whitelisted purchase", PEER_WHITELISTED),
        ("purchase with a partner's code", PEER_WITH_CODE),
    ],
)
def test_the_accounting_alone_costs_less_than_a_peers(counter: Counter, name: str, peer: int) -> None:
    assert counter.without_mint[name] < peer


@pytest.mark.parametrize("path", CONTRACTS)
def test_contract_fits_on_chain(path: str) -> None:
    """EIP-170."""
    assert len(deployer(path).compiler_data.bytecode_runtime) < MAX_CODE
