# SPDX-License-Identifier: Apache-2.0
"""scripts/deploy.py by Ape on a real chain: once, again, after an interruption, and what it refuses."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from devnet.anvil import CHAIN_ID, Anvil, anvil
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, load_deployment
from inferix.chain.rpc import Rpc

ROOT = Path(__file__).parents[2]
DEPLOYER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


def run(chain: Anvil, out: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    programs = str(Path(sys.executable).parent)
    env = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "INFERIX_RPC_URL": chain.rpc_url}
    command = [f"{programs}/ape", "run", "deploy", "--network", "ethereum:local:node", "--out", out, *options]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280)


def rpc(chain: Anvil, method: str, *params: object) -> object:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return requests.post(chain.rpc_url, json=body, timeout=10).json()["result"]


def nonce(chain: Anvil) -> int:
    return int(str(rpc(chain, "eth_getTransactionCount", DEPLOYER, "latest")), 16)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with anvil(tmp_path_factory.mktemp("chain"), block_seconds=1) as running:
        yield running


@pytest.fixture(scope="module")
def record(chain: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a complete deployment; tests copy it before they change it."""
    folder = tmp_path_factory.mktemp("deployments")
    done = run(chain, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / f"{CHAIN_ID}.json"


@pytest.fixture
def copied(record: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(record, tmp_path))


def test_programs_read_the_deployment_and_the_chain_agrees(chain: Anvil, record: Path) -> None:
    deployment = load_deployment(record.parent, CHAIN_ID)
    contracts = Contracts(ChainClient(Rpc([chain.rpc_url], CHAIN_ID)), deployment)
    assert contracts.read("BurnMintWork", "epoch") == 0
    assert contracts.read("IFX", "minter") == deployment["BurnMintWork"].address
    assert contracts.read("IfxDollar", "coin_at", 1) == deployment["DevUSD"].address
    assert contracts.read("Staking", "registry") == deployment["NodeRegistry"].address
    assert deployment.domain().contract == deployment["NodeRegistry"].address
    first = deployment["Parameters"].address
    assert rpc(chain, "eth_getCode", first, hex(deployment.block)) == "0x"
    assert rpc(chain, "eth_getCode", first, "latest") != "0x"


def test_second_run_sends_nothing(chain: Anvil, record: Path) -> None:
    before = nonce(chain)
    again = run(chain, record.parent)
    assert again.returncode == 0
    assert "nothing to deploy" in again.stdout
    assert nonce(chain) == before


def test_interrupted_run_makes_only_what_is_missing(chain: Anvil, copied: Path) -> None:
    data = json.loads(copied.read_text())
    faucet = data["contracts"].pop("Faucet")["address"]
    copied.write_text(json.dumps(data | {"complete": False}))
    before = nonce(chain)
    again = run(chain, copied.parent)
    assert again.returncode == 0, again.stdout + again.stderr
    now = json.loads(copied.read_text())
    assert now["complete"]
    assert now["contracts"]["Faucet"]["address"] != faucet
    assert {name: item["address"] for name, item in now["contracts"].items() if name != "Faucet"} == {
        name: item["address"] for name, item in data["contracts"].items()
    }
    # The faucet, its two rights to mint and its IFX.
    assert nonce(chain) == before + 4


def test_refusals_come_before_the_first_transaction(chain: Anvil, copied: Path, tmp_path: Path) -> None:
    before = nonce(chain)
    other = tmp_path / "other.json"
    other.write_text((ROOT / "deploy" / "dev.json").read_text().replace("1337", "1338"))
    refused = run(chain, tmp_path / "none", "--config", other)
    assert refused.returncode != 0
    assert "the network is chain 1337" in refused.stdout + refused.stderr

    data = json.loads(copied.read_text())
    data["contracts"]["Orders"]["address"] = data["contracts"]["Rosters"]["address"]
    copied.write_text(json.dumps(data))
    refused = run(chain, copied.parent)
    assert refused.returncode != 0
    assert "Orders" in refused.stdout + refused.stderr

    balance = rpc(chain, "eth_getBalance", DEPLOYER, "latest")
    rpc(chain, "anvil_setBalance", DEPLOYER, "0x1")
    refused = run(chain, tmp_path / "none")
    rpc(chain, "anvil_setBalance", DEPLOYER, balance)
    assert refused.returncode != 0
    assert "fund it first" in refused.stdout + refused.stderr
    assert nonce(chain) == before
    assert not (tmp_path / "none").exists()
