# SPDX-License-Identifier: Apache-2.0
"""scripts/governance.py by Ape on a deployment that handed over to the timelock: planned, voted on, executed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from devnet.anvil import CHAIN_ID, Anvil, anvil
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, load_deployment
from inferix.chain.rpc import Rpc
from tests.integration.scripts import DEPLOYER, ROOT, refused, rpc, succeeds

DAY = 86_400
VOTING = {"delay": DAY, "period": 3 * DAY, "threshold": 10**24, "quorum_bps": 400, "timelock": DAY}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with anvil(tmp_path_factory.mktemp("chain"), block_seconds=1) as running:
        yield running


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "voted.json"
    dev = json.loads((ROOT / "deploy/dev.json").read_text())
    path.write_text(json.dumps(dev | {"governor": "timelock", "voting": VOTING}))
    return path


@pytest.fixture(scope="module")
def folder(chain: Anvil, settings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the record of the one deployment of these tests is."""
    folder = tmp_path_factory.mktemp("deployments")
    succeeds(chain, "deploy", "--config", settings, "--out", folder)
    return folder


@pytest.fixture(scope="module")
def contracts(chain: Anvil, folder: Path) -> Contracts:
    return Contracts(ChainClient(Rpc([chain.rpc_url], CHAIN_ID)), load_deployment(folder, CHAIN_ID))


def later(chain: Anvil, seconds: int) -> None:
    rpc(chain, "evm_increaseTime", seconds)
    rpc(chain, "evm_mine")


def test_the_deployment_hands_over_to_the_timelock_and_verifies(
    chain: Anvil, settings: Path, folder: Path, contracts: Contracts
) -> None:
    timelock = load_deployment(folder, CHAIN_ID)["Timelock"].address
    assert contracts.read("Parameters", "governor") == timelock
    assert contracts.read("Timelock", "governs")
    assert "nothing to deploy" in succeeds(chain, "deploy", "--verify", "--config", settings, "--out", folder)


def test_a_vote_changes_a_parameter_step_by_step_and_no_step_comes_early(
    chain: Anvil, folder: Path, contracts: Contracts, tmp_path: Path
) -> None:
    file = tmp_path / "proposal.json"
    calls = ("--function", "Parameters.set", "--args", "name:burn_bps 9000")
    where = ("--deployments", folder, "--file", file)

    planned = succeeds(chain, "governance", "plan", "--deployments", folder, *calls)
    assert "burn_bps 8000 -> 9000 (bounds 5000 to 9500)" in planned
    assert not file.exists()

    assert "is pending" in succeeds(chain, "governance", "propose", *where, *calls, "--why", "burn more")
    assert "Governor: not active" in refused(chain, "governance", "vote", *where, "--support", "for")

    later(chain, DAY + 1)
    assert "is active" in succeeds(chain, "governance", "vote", *where, "--support", "for", "--reason", "cheaper")

    later(chain, 3 * DAY + 1)
    assert "is queued" in succeeds(chain, "governance", "queue", *where)
    assert "operation is not ready" in refused(chain, "governance", "execute", *where)
    assert contracts.read("Parameters", "get", keccak(text="burn_bps")) == 8000

    later(chain, DAY + 1)
    assert "is executed" in succeeds(chain, "governance", "execute", *where)
    assert contracts.read("Parameters", "get", keccak(text="burn_bps")) == 9000
    shown = succeeds(chain, "governance", "show", *where)
    assert "is executed" in shown
    assert "votes [wei]: for 350000000000000000000000000, against 0" in shown


def test_a_plan_names_what_could_not_be_executed(chain: Anvil, folder: Path, tmp_path: Path) -> None:
    plan = ("governance", "plan", "--deployments", folder)
    said = refused(
        chain, *plan,
        "--function", "Parameters.set", "--args", "name:burn_bps 9501",
        "--function", "ReferenceMarket.set_price", "--args", "1",
        "--function", "Parameters.set", "--args", "name:epoch_length 3600",
    )  # fmt: skip
    assert "out of bounds, 5000 to 9500" in said
    assert "price 50000000 -> 1" in said
    assert "ReferenceMarket: moves more than a fifth" in said
    assert "Parameters: fixed at deployment" in said
    said = refused(chain, *plan, "--function", "Parameters.paint", "--args", "")
    assert "Error: Parameters has no function 'paint'" in said
    # Words that are not the calldata's: what voters would read, and not what would happen.
    address = load_deployment(folder, CHAIN_ID)["Parameters"].address
    calldata = "0x" + keccak(text="set_guardian(address)")[:4].hex() + bytes(31).hex() + "01"
    call = {"what": "Parameters.set name:slot 31", "target": address, "value": 0, "calldata": calldata}
    file = tmp_path / "false.json"
    file.write_text(json.dumps({"description": "longer slots", "calls": [call]}))
    said = refused(chain, *plan, "--file", file)
    assert f"guardian {DEPLOYER} -> 0x0000000000000000000000000000000000000001" in said
    assert "its words are of another call" in said
