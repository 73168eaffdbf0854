# SPDX-License-Identifier: Apache-2.0
"""The meter says what a real chain charges: fresh and used storage, refunds, cold and warm accounts, the calldata floor."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import boa
import pytest
from web3 import Web3

from devnet.anvil import anvil, find_anvil
from devnet.processes import NotInstalled
from tests.contracts.system import deployer
from tests.gas.meter import transaction_gas

pytestmark = pytest.mark.integration
STEPS = [
    ("put", 1, 5),
    ("put", 1, 7),
    ("put", 1, 0),
    ("put", 2, 0),
    ("fill",),
    ("clear",),
    ("give", Random(2).randbytes(6750)),
    ("give", bytes(6000)),
    ("ask", "other", 1),
    ("ask", "other", 1),
    ("fill",),
]


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Web3]:
    try:
        find_anvil()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    with anvil(tmp_path, arguments=["--hardfork", "prague"]) as running:
        yield Web3(Web3.HTTPProvider(running.rpc_url))


def test_meter_agrees_with_anvil(chain: Web3) -> None:
    costs, sender = deployer("Costs.vy", Path(__file__).parent), chain.eth.accounts[0]
    with boa.swap_env(boa.Env()):
        here = [costs.deploy(), costs.deploy()]
        factory = chain.eth.contract(abi=here[0].abi, bytecode=costs.compiler_data.bytecode)
        deployed = [factory.constructor().transact({"from": sender}) for _ in here]
        addresses = [chain.eth.wait_for_transaction_receipt(each)["contractAddress"] for each in deployed]
        there = chain.eth.contract(address=addresses[0], abi=here[0].abi)
        for name, *given in STEPS:
            arguments = [addresses[1] if each == "other" else each for each in given]
            sent = there.functions[name](*arguments).transact({"from": sender, "gas": 5_000_000})
            used = chain.eth.wait_for_transaction_receipt(sent)["gasUsed"]
            arguments = [here[1].address if each == "other" else each for each in given]
            assert transaction_gas(getattr(here[0], name), *arguments, sender=sender) == used, name
