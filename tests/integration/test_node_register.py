# SPDX-License-Identifier: Apache-2.0
"""An owner registers a node and stakes for it, by command, on real contracts."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from eth_account import Account

from devnet.anvil import CHAIN_ID
from inferix import keystore
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, load_deployment
from inferix.chain.errors import CallReverted
from inferix.chain.rpc import Rpc
from inferix.chain.transact import transact
from inferix.errors import LimitExceeded, Refused
from inferix.keystore import Keys, new_keys
from inferix.models.roles import Role
from inferix.units import NANO_PER_USD
from node.config import Home
from node.register import Owner

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
MNEMONIC = "test test test test test test test test test test test junk"  # the accounts of every dev chain
PRICE = 16_000_000


def wallet(index: int) -> bytes:
    Account.enable_unaudited_hdwallet_features()
    return bytes(Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}").key)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("register")


@pytest.fixture(scope="module")
def contracts(anvil: str, folder: Path) -> Contracts:
    out = folder / "deployments"
    environment = {**os.environ, "HOME": str(folder), "PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    environment |= {"INFERIX_RPC_URL": anvil, "INFERIX_RPC_URLS": anvil, "INFERIX_CHAIN_ID": str(CHAIN_ID)}
    command = [BIN / "ape", "run", "deploy", "--network", "ethereum:local:node", "--out", out]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return Contracts(ChainClient(Rpc([anvil], CHAIN_ID)), load_deployment(out, CHAIN_ID))


def licensed(contracts: Contracts, index: int, role: Role) -> tuple[Owner, int]:
    """An owner with a licence from the dev network's faucet."""
    owner = Owner(contracts, wallet(index))
    transact(contracts.client, owner.key, contracts.deployment.call("Faucet", "claim_licence", int(role)))
    return owner, int(contracts.read("NodeLicence", "tokenOfOwnerByIndex", owner.address, 0))


def register(owner: Owner, licence: int, keys: Keys, role: str = "worker", price: int = PRICE) -> int:
    return owner.register(licence, keys.address, keys.sealing_public, price, role)


def give_ifx(contracts: Contracts, owner: Owner, amount: int) -> None:
    transact(contracts.client, wallet(0), contracts.deployment.call("IFX", "transfer", owner.address, amount))


def test_register__once__and_again_is_the_same_node(contracts: Contracts) -> None:
    owner, licence = licensed(contracts, 4, Role.WORKER)
    keys = new_keys()
    node = register(owner, licence, keys)
    assert register(owner, licence, keys) == node
    found = contracts.read("NodeRegistry", "node", node)
    assert (found["owner"], found["operator"]) == (owner.address, keys.address)
    assert (found["sealing_key"], found["price"]) == (keys.sealing_public, PRICE)


def test_register__somebody_elses_licence_other_role_or_price_under_the_floor__refused(contracts: Contracts) -> None:
    owner, licence = licensed(contracts, 5, Role.VERIFIER)
    other, _ = licensed(contracts, 6, Role.WORKER)
    with pytest.raises(Refused, match=f"nobody holds licence 99999: name one that the wallet {other.address} owns"):
        register(other, 99_999, new_keys())
    with pytest.raises(Refused, match="belongs to"):
        register(other, licence, new_keys(), "verifier")
    with pytest.raises(Refused, match="is for a verifier"):
        register(owner, licence, new_keys(), "worker")
    with pytest.raises(CallReverted, match="price under the floor"):
        register(
            other, int(contracts.read("NodeLicence", "tokenOfOwnerByIndex", other.address, 0)), new_keys(), price=1
        )


def test_stake__what_is_missing__makes_the_node_bonded(contracts: Contracts) -> None:
    owner, licence = licensed(contracts, 7, Role.VERIFIER)
    node = register(owner, licence, new_keys(), "verifier", 0)
    missing = owner.missing_stake(node)
    assert missing
    with pytest.raises(LimitExceeded, match="wallet holds 0 IFX"):
        owner.stake(node, missing)
    assert not contracts.read("Staking", "is_bonded", node)
    give_ifx(contracts, owner, missing)
    owner.stake(node, missing)
    assert owner.missing_stake(node) == 0
    assert contracts.read("Staking", "is_bonded", node)


@pytest.fixture
def api(folder: Path) -> Iterator[str]:
    """Serves the deployment, as the network's API does."""
    body = (folder / "deployments" / f"{CHAIN_ID}.json").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class Commands:
    """``inferix node`` of a home of its own, with the owner's wallet."""

    def __init__(self, owner: Owner, folder: Path, role: str, api: str, rpc: str) -> None:
        self.home = Home(folder / "home")
        config = self.home.load().pinned(owner.contracts.deployment.domain())  # as `init` does
        self.home.save(config.model_copy(update={"api": api, "role": role}))
        password, wallet, file = "correct horse battery", folder / "wallet.json", folder / "password"
        self.keys = keystore.create(self.home.keystore, password, work=2**4)
        keystore.create(wallet, password, Keys(owner.key, self.keys.sealing), work=2**4)
        file.write_text(password)
        self._options = ["--rpc", rpc, "--owner-keystore", str(wallet), "--owner-password-file", str(file)]

    def __call__(self, *words: str) -> "subprocess.CompletedProcess[str]":
        program = [
            sys.executable,
            "-c",
            "from inferix.cli import main; main()",
            "node",
            *words,
            "--home",
            str(self.home.path),
            *self._options,
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(program, env=environment, capture_output=True, text=True, timeout=120)


def test_commands__register_then_stake(contracts: Contracts, anvil: str, api: str, tmp_path: Path) -> None:
    owner, licence = licensed(contracts, 8, Role.VERIFIER)
    run = Commands(owner, tmp_path, "verifier", api, anvil)
    done = run("register", "--licence", str(licence))
    assert done.returncode == 0, done.stderr
    node = run.home.load().node
    assert f"node {node}; stake still missing: " in done.stdout
    assert f"Staking is {contracts.deployment['Staking'].address}, chain {CHAIN_ID}" in done.stderr
    assert contracts.read("NodeRegistry", "node_of_operator", run.keys.address) == node
    assert "the wallet holds 0 IFX" in run("stake").stderr
    missing = owner.missing_stake(node)
    assert missing and missing > NANO_PER_USD
    give_ifx(contracts, owner, missing)
    done = run("stake")
    assert re.search(r"stake still missing: 0 IFX", done.stdout), done.stderr
    assert contracts.read("Staking", "is_bonded", node)


def test_regression_what_a_worker_has_to_stake_is_not_nothing_before_it_is_measured(
    contracts: Contracts, anvil: str, api: str, tmp_path: Path
) -> None:
    owner, licence = licensed(contracts, 9, Role.WORKER)
    run = Commands(owner, tmp_path, "worker", api, anvil)
    assert "depends on its speed" in run("register", "--licence", str(licence)).stdout
    node = run.home.load().node
    done = run("stake")
    assert (done.returncode, owner.missing_stake(node)) == (3, None)
    assert "not measured yet: leave `inferix node start` running until `doctor` shows a benchmark" in done.stderr
    manager, of_manager = licensed(contracts, 3, Role.MANAGER)
    operator = Keys(wallet(3), new_keys().sealing)
    lane = register(manager, of_manager, operator, "manager", 0)
    bond = manager.missing_stake(lane)
    assert bond
    give_ifx(contracts, manager, bond)
    manager.stake(lane, bond)
    attest = contracts.deployment.call("NodeRegistry", "attest_benchmark", node, 6_000, bytes(32))
    transact(contracts.client, operator.operator, attest)
    missing = owner.missing_stake(node)
    assert missing
    give_ifx(contracts, owner, missing)
    assert "stake still missing: 0 IFX" in run("stake").stdout
    assert contracts.read("Staking", "is_bonded", node)


def test_call__any_function_by_name__is_sent_or_refused_before_it_costs_gas(
    contracts: Contracts, anvil: str, api: str, tmp_path: Path
) -> None:
    store = tmp_path / "wallet.json"
    keystore.create(store, "correct horse battery", Keys(wallet(2), new_keys().sealing), work=2**4)
    told = {"INFERIX_PASSWORD": "correct horse battery", "INFERIX_KEYSTORE": str(store), "INFERIX_API": api,
            "INFERIX_HOME": str(tmp_path / "home")}  # fmt: skip

    def call(*words: str) -> "subprocess.CompletedProcess[str]":
        program = [sys.executable, "-c", "from inferix.cli import main; main()", "call", *words, "--rpc", anvil]
        environment = {**os.environ, **told, "PYTHONPATH": str(ROOT)}
        return subprocess.run(program, env=environment, capture_output=True, text=True, timeout=120)

    before = contracts.client.nonce(Owner(contracts, wallet(2)).address, "latest")
    done = call("Faucet", "claim_licence", "9")
    assert done.returncode != 0
    assert "the contract refuses: NodeLicence: no such role" in done.stderr
    assert contracts.client.nonce(Owner(contracts, wallet(2)).address, "latest") == before
    done = call("Faucet", "claim_licence", str(int(Role.MANAGER)))
    assert "Faucet.claim_licence: mined in block" in done.stdout, done.stderr
    licence = call("NodeLicence", "tokenOfOwnerByIndex", "me", "0").stdout.strip()
    keys = new_keys()
    done = call("NodeRegistry", "register", licence, keys.address, "0x" + keys.sealing_public.hex(), "0")
    assert "NodeRegistry.NodeRegistered: node " in done.stdout, done.stderr
    node = contracts.read("NodeRegistry", "node_of_operator", keys.address)
    assert call("NodeRegistry", "owner_of", str(node)).stdout.strip() == f'"{Owner(contracts, wallet(2)).address}"'
    give_ifx(contracts, Owner(contracts, wallet(2)), 3 * 10**18)
    assert call("IFX", "approve", "Staking", "3ifx").returncode == 0
    assert call("Staking", "stake", str(node), "2.5ifx").returncode == 0
    assert contracts.read("Staking", "bonded", node) == 25 * 10**17
    assert "more than bonded" in call("Staking", "unbond", str(node), "4ifx").stderr
