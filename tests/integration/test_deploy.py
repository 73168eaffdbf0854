# SPDX-License-Identifier: Apache-2.0
"""scripts/deploy.py by Ape on a real chain: once, again, after an interruption, and what it refuses."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from devnet.anvil import CHAIN_ID, Anvil, anvil
from inferix.chain.abi import Interface
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, load_deployment
from inferix.chain.rpc import Rpc
from tests.integration.scripts import DEPLOYER, ROOT, nonce, refused, rpc, run_script


def run(chain: Anvil, out: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    return run_script(chain, "deploy", "--out", out, *options)


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
    other = tmp_path / "other.json"
    other.write_text((ROOT / "deploy" / "dev.json").read_text().replace("1337", "1338"))
    said = refused(chain, "deploy", "--out", tmp_path / "none", "--config", other)
    assert "the network is chain 1337" in said
    said = refused(chain, "deploy", "--out", tmp_path / "none", "--config", ROOT / "deploy" / "sepolia.json")
    assert "Error: " in said and "fill in the addresses that are empty: guardian, foundation" in said

    data = json.loads(copied.read_text())
    data["contracts"]["Orders"]["address"] = data["contracts"]["Rosters"]["address"]
    copied.write_text(json.dumps(data))
    assert "Orders is not what this source compiles to" in refused(chain, "deploy", "--out", copied.parent)

    balance = rpc(chain, "eth_getBalance", DEPLOYER, "latest")
    rpc(chain, "anvil_setBalance", DEPLOYER, "0x1")
    said = refused(chain, "deploy", "--out", tmp_path / "none")
    rpc(chain, "anvil_setBalance", DEPLOYER, balance)
    assert "fund it first" in said
    assert "nothing to verify" in refused(chain, "deploy", "--verify", "--out", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_verification_names_foreign_code_and_other_immutables(chain: Anvil, record: Path) -> None:
    """Orders with a byte of its code changed, Rosters with one of an address that it was made with."""
    deployed = load_deployment(record.parent, CHAIN_ID)
    codes = {name: str(rpc(chain, "eth_getCode", deployed[name].address, "latest")) for name in ("Orders", "Rosters")}
    orders, rosters = (bytearray.fromhex(codes[name][2:]) for name in ("Orders", "Rosters"))
    orders[-1000] ^= 1
    rosters[-1] ^= 1
    for name, code in {"Orders": orders, "Rosters": rosters}.items():
        rpc(chain, "anvil_setCode", deployed[name].address, "0x" + code.hex())
    said = refused(chain, "deploy", "--verify", "--out", record.parent)
    for name, whole in codes.items():
        rpc(chain, "anvil_setCode", deployed[name].address, whole)
    assert "Orders is not what this source compiles to" in said
    assert "Rosters was made with other arguments: its immutable" in said
    assert said.count("\n  ") == 2, said


def test_verification_names_a_changed_wire_a_court_a_parameter_and_a_guardian(chain: Anvil, record: Path) -> None:
    deployed = load_deployment(record.parent, CHAIN_ID)
    pool, accounts, faucet = (deployed[name].address for name in ("PenaltyPool", "Accounts", "Faucet"))
    guardian = "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"
    was = rpc(chain, "evm_snapshot")
    slot = next(hex(at) for at in range(32) if word(chain, pool, hex(at)) == int(accounts, 16))
    rpc(chain, "anvil_setStorageAt", pool, slot, padded(faucet))
    court = court_slot(chain, deployed["Rosters"].address, deployed["Availability"].address, faucet)
    rpc(chain, "anvil_setStorageAt", deployed["Rosters"].address, court, padded("0x1"))
    parameters = deployed["Parameters"]
    for call in (("set", [keccak(text="burn_bps"), 9000]), ("set_guardian", [guardian])):
        data = "0x" + Interface("Parameters", parameters.interface.abi).encode(*call).hex()
        rpc(chain, "anvil_setBalance", DEPLOYER, "0xde0b6b3a7640000000")
        rpc(chain, "eth_sendTransaction", {"from": DEPLOYER, "to": parameters.address, "data": data})
    rpc(chain, "evm_mine")
    said = refused(chain, "deploy", "--verify", "--out", record.parent)
    assert rpc(chain, "evm_revert", was)
    assert f"PenaltyPool.accounts() is {faucet}, expected {accounts}: it is wired for good" in said
    assert "Rosters.is_court(Faucet) is True, expected False" in said
    assert "Parameters.get(burn_bps) is 9000, expected 8000: if a vote changed it" in said
    assert f"Parameters.guardian() is {guardian}, expected {DEPLOYER}: the governor calls" in said
    assert said.count("\n  ") == 4, said


def word(chain: Anvil, address: str, slot: str) -> int:
    return int(str(rpc(chain, "eth_getStorageAt", address, slot, "latest")), 16)


def padded(number: str) -> str:
    return f"0x{int(number, 16):064x}"


def court_slot(chain: Anvil, contract: str, court: str, other: str) -> str:
    """Where a contract would keep whether `other` is a court: the map's place is the one that names `court`."""
    for at in range(64):
        if word(chain, contract, mapped(at, court)) == 1:
            return mapped(at, other)
    raise AssertionError("the court is nowhere")


def mapped(at: int, address: str) -> str:
    return "0x" + keccak(at.to_bytes(32, "big") + bytes(12) + bytes.fromhex(address[2:])).hex()
