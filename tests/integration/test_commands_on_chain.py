# SPDX-License-Identifier: Apache-2.0
"""``top-up``, ``money`` and ``audit`` on real contracts, mirror and API, over an endpoint that fails and comes back."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from devnet.anvil import CHAIN_ID, anvil
from devnet.processes import Child, free_port, running, start
from inferix import keystore
from inferix.keystore import Keys, new_keys
from tests.chain.conftest import Proxy
from tests.integration.test_node_register import wallet

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PASSWORD = "correct horse battery"


@dataclass
class Network:
    """Contracts, mirror and API; everybody's endpoint is ``proxy``."""

    folder: Path
    proxy: Proxy
    api: str
    programs: dict[str, Child]
    settings: dict[str, str]
    chain_url: str

    def inferix(self, *words: str, index: int = 4, **told: str) -> "subprocess.CompletedProcess[str]":
        """A command of the wallet of a funded account."""
        store = self.folder / f"wallet-{index}.json"
        if not store.exists():
            keystore.create(store, PASSWORD, Keys(wallet(index), new_keys().sealing), work=2**4)
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "INFERIX_HOME": str(self.folder / "home"),
            "INFERIX_KEYSTORE": str(store),
            "INFERIX_PASSWORD": PASSWORD,
            "INFERIX_API": self.api,
            "INFERIX_RPC": self.chain_url,
            "INFERIX_STORAGE": self.api,
            "INFERIX_DEPLOYMENT": str(self.folder / "deployments"),
        }
        argv = [BIN / "inferix", *words]
        return subprocess.run(
            argv, env=environment | told, capture_output=True, text=True, timeout=200, cwd=self.folder
        )

    def until(self, probe: Callable[[], object], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not probe():
            assert time.monotonic() < end, {name: child.log_tail() for name, child in self.programs.items()}
            time.sleep(0.2)


def down(method: str) -> tuple[int, dict[str, str], bytes]:
    return 503, {}, b""


def limiting(method: str) -> tuple[int, dict[str, str], bytes]:
    return 429, {"Retry-After": "1"}, b"slow down"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Mirror and API are started while their endpoint is down."""
    folder = tmp_path_factory.mktemp("network")
    with ExitStack() as stack:
        chain = stack.enter_context(anvil(folder / "anvil", block_seconds=1))
        deploy(chain.rpc_url, folder)
        proxy = Proxy(chain.rpc_url)
        stack.callback(proxy.close)
        proxy.answer = down
        port = free_port()
        settings = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "INFERIX_CHAIN_ID": str(CHAIN_ID),
            "INFERIX_RPC_URLS": proxy.url,
            "INFERIX_DEPLOYMENT": str(folder / "deployments"),
            "INFERIX_DATABASE": f"sqlite:///{folder}/network.db",
            "INFERIX_STORE": (folder / "store").as_uri(),
            "INFERIX_PORT": str(port),
        }
        programs = {
            name: start(name, [sys.executable, "-m", *argv], log=folder / f"{name}.log", env=settings, cwd=ROOT)
            for name, argv in (("mirror", ["keepers", "mirror"]), ("api", ["api"]))
        }
        for child in programs.values():
            stack.enter_context(running(child))
        found = Network(folder, proxy, f"http://127.0.0.1:{port}", programs, settings, chain.rpc_url)
        for child in programs.values():
            found.until(lambda child=child: "rests for" in child.log_tail(50))  # type: ignore[misc]
        proxy.answer = lambda method: None
        found.until(lambda: answers(found.api))
        yield found


def deploy(rpc: str, folder: Path) -> None:
    environment = {**os.environ, "HOME": str(folder), "PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    environment |= {"INFERIX_RPC_URL": rpc, "INFERIX_CHAIN_ID": str(CHAIN_ID)}
    command = [BIN / "ape", "run", "deploy", "--network", "ethereum:local:node", "--out", folder / "deployments"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def answers(api: str) -> bool:
    try:
        return httpx.get(api + "/network", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def credit(network: Network, index: int) -> list[dict[str, str]]:
    address = keystore.public_parts(network.folder / f"wallet-{index}.json")[0]
    done = network.inferix("money", address, "--json")
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, str]] = json.loads(done.stdout)["holdings"]
    return [row for row in rows if row["unit"] == "ifxDollar"]


def test_programs_wait_for_an_endpoint_that_is_down_at_the_start(network: Network) -> None:
    for child in network.programs.values():
        assert child.running
        log = child.log.read_text()
        assert "rests for" in log
        assert "secret-key" not in log


@pytest.mark.parametrize("program", [("keepers", "mirror"), ("api",)])
@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"INFERIX_CHAIN_ID": "1"}, "serves chain 1337, not 1: correct the endpoints"),
        (
            {"INFERIX_DEPLOYMENT": "/nowhere"},
            "no deployment at /nowhere: name the network's contracts by INFERIX_DEPLOYMENT",
        ),
    ],
)
def test_a_program_that_is_told_another_chain_or_no_deployment__exit_2_and_what(
    network: Network, program: tuple[str, ...], told: dict[str, str], says: str
) -> None:
    settings = {**network.settings, "INFERIX_RPC_URLS": network.chain_url, **told}
    argv = [sys.executable, "-m", *program]
    done = subprocess.run(argv, env=settings, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr


def test_top_up__by_the_faucet__is_credit_once_its_block_is_final(network: Network) -> None:
    done = network.inferix("top-up", "12.5", "--faucet")
    assert done.returncode == 0, done.stderr
    assert "has 12.5 USD more" in done.stdout
    (row,) = credit(network, 4)
    assert (row["amount"], row["state"]) == (str(12_500_000_000), "free")


def test_top_up__more_than_the_wallet_holds__exit_3_and_nothing_is_sent(network: Network) -> None:
    done = network.inferix("top-up", "5", index=5)
    assert done.returncode == 3
    assert "the wallet holds 0 units of DevUSD, 5000000 are needed: buy some, or use --faucet" in done.stderr
    assert credit(network, 5) == []


def test_top_up__too_little_to_open_an_account__exit_2_and_nothing_is_sent(network: Network) -> None:
    done = network.inferix("top-up", "0.5", "--faucet", index=5)
    assert (done.returncode, "an account opens with" in done.stderr) == (2, True), done.stderr
    assert credit(network, 5) == []


def test_top_up__no_api__exit_5_and_nothing_is_paid(network: Network) -> None:
    """Also where the contracts are named by a file: the API is what tells that the credit has arrived."""
    done = network.inferix("top-up", "5", INFERIX_API=f"http://127.0.0.1:{free_port()}")
    assert (done.returncode, "does not answer: check --api" in done.stderr) == (5, True)
    assert "IfxDollar is" not in done.stderr, "no wallet was opened"


def test_audit__an_honest_network__exit_0_in_words_and_json(network: Network) -> None:
    done = network.inferix("audit")
    assert done.returncode == 0, done.stderr
    assert "everything is as the rules give it" in done.stdout
    done = network.inferix("audit", "--json")
    assert json.loads(done.stdout)["problems"] == []


def test_audit__an_endpoint_that_refuses_large_ranges__is_asked_in_smaller_ones(network: Network) -> None:
    proxy = Proxy(network.chain_url)
    error = {"code": -32005, "message": "query returned more than 10000 results"}
    refusals = [json.dumps({"jsonrpc": "2.0", "id": 0, "error": error}).encode()] * 3
    proxy.answer = lambda method: (200, {}, refusals.pop()) if method == "eth_getLogs" and refusals else None
    done = network.inferix("audit", INFERIX_RPC=proxy.url)
    proxy.close()
    assert (done.returncode, refusals) == (0, []), done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--chain-id", "1"), 2, "no deployment at"),
        (("--deployment", "deployments/1337.json", "--chain-id", "1"), 2, "of chain 1337, the settings say 1"),
        (("--storage", "nonsense"), 2, "no store at 'nonsense'"),
    ],
)
def test_audit__told_the_wrong_thing__exit_2_and_what(
    network: Network, words: tuple[str, ...], code: int, says: str
) -> None:
    done = network.inferix("audit", *words)
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr


@pytest.mark.parametrize("answer", [down, limiting])
def test_an_endpoint_that_fails_in_the_middle_is_waited_out_and_nothing_is_lost(
    network: Network, answer: Callable[[str], tuple[int, dict[str, str], bytes]]
) -> None:
    network.inferix("money", "0x" + "00" * 20)
    before = httpx.get(network.api + "/network", timeout=30).json()["block"]
    network.proxy.answer = answer
    address = "0x" + "00" * 20
    started = time.monotonic()
    told = httpx.get(f"{network.api}/money/{address}", timeout=30)
    assert time.monotonic() - started < 15
    assert (told.status_code, "no endpoint of chain 1337 answers" in told.text) == (503, True)
    assert int(told.headers["retry-after"]) > 0
    assert httpx.get(network.api + "/network", timeout=30).status_code == 200  # what is mirrored is there
    network.proxy.answer = lambda method: None
    network.until(lambda: httpx.get(network.api + "/network", timeout=30).json()["block"] > before, 120)
    network.until(lambda: httpx.get(f"{network.api}/money/{address}", timeout=30).status_code == 200, 120)
    assert network.inferix("audit").returncode == 0
    assert all(child.running for child in network.programs.values())
