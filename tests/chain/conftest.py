# SPDX-License-Identifier: Apache-2.0
"""ABIs as the compiler writes them; a real chain, and a proxy before it that fails as endpoints do."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from eth_account import Account
from eth_account.signers.local import LocalAccount
from vyper import compile_code

from devnet.anvil import Anvil, find_anvil
from devnet.anvil import anvil as run_anvil
from devnet.processes import NotInstalled
from inferix.chain.abi import Interface
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Deployment, parse_deployment
from inferix.chain.rpc import Rpc

INTERFACES = Path(__file__).parents[2] / "contracts/interfaces"
PHRASE = "test test test test test test test test test test test junk"

# Logs as Batches and Orders write them, from anybody, and a call that one may refuse.
EMITTER = """
# pragma version 0.4.3
event Anchored:
    manager: indexed(uint32)
    index: indexed(uint32)
    root: bytes32
    data: bytes32

event OrdersPosted:
    poster: indexed(address)
    records: Bytes[6750]

closed: public(bool)
count: public(uint256)

@external
def anchor(manager: uint32, root: bytes32, data: bytes32):
    assert not self.closed, "emitter: closed"
    self.count += 1
    log Anchored(manager=manager, index=convert(self.count, uint32), root=root, data=data)

@external
def post(records: Bytes[6750]):
    log OrdersPosted(poster=msg.sender, records=records)

@external
def set_closed(closed: bool):
    self.closed = closed
"""


@pytest.fixture(scope="session")
def interface() -> Callable[[str], Interface]:
    """``interface("Batches")``"""

    @cache
    def load(name: str) -> Interface:
        argv = [Path(sys.executable).parent / "vyper", "-f", "abi", INTERFACES / f"I{name}.vyi"]
        return Interface(name, json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout))

    return load


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Anvil]:
    """A chain that makes a block of each transaction; final two blocks later."""
    try:
        find_anvil()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    with run_anvil(tmp_path / "anvil") as running:
        yield running


@pytest.fixture(scope="session")
def accounts() -> list[LocalAccount]:
    """Keys of the chain's funded accounts."""
    Account.enable_unaudited_hdwallet_features()
    return [Account.from_mnemonic(PHRASE, account_path=f"m/44'/60'/0'/0/{at}") for at in range(4)]


@pytest.fixture
def rpc(chain: Anvil) -> Rpc:
    return Rpc([chain.rpc_url], chain.chain_id)


@pytest.fixture
def client(rpc: Rpc) -> ChainClient:
    return ChainClient(rpc)


@pytest.fixture
def deployment(client: ChainClient, accounts: list[LocalAccount]) -> Deployment:
    """The emitter, under the names of the contracts whose logs it writes."""
    compiled = compile_code(EMITTER, output_formats=["abi", "bytecode"])
    rpc = client.rpc
    sent = rpc.request("eth_sendTransaction", [{"from": accounts[3].address, "data": compiled["bytecode"]}])
    while (receipt := rpc.request("eth_getTransactionReceipt", [sent])) is None:
        time.sleep(0.02)
    contract = {"address": receipt["contractAddress"], "abi": compiled["abi"]}
    found = {"chain_id": client.chain_id, "block": int(receipt["blockNumber"], 16)}
    contracts = {"NodeRegistry": contract}
    return parse_deployment(json.dumps({**found, "contracts": contracts}).encode(), client.chain_id)


class Proxy:
    """An endpoint before the chain. ``answer(method) -> (status, headers, body) | None``: what it says instead."""

    def __init__(self, target: str) -> None:
        self.answer: Callable[[str], tuple[int, dict[str, str], bytes] | None] = lambda method: None
        self.methods: list[str] = []
        self.slow = 0.0
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                call = json.loads(body)
                method = call[0]["method"] if isinstance(call, list) else call["method"]
                proxy.methods.append(method)
                time.sleep(proxy.slow)
                reply = proxy.answer(method)
                if reply is None:
                    forwarded = requests.post(
                        target, data=body, headers={"Content-Type": "application/json"}, timeout=9
                    )
                    reply = forwarded.status_code, {}, forwarded.content
                status, headers, content = reply
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """The test's own output says enough."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/secret-key"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def proxy(chain: Anvil) -> Iterator[Proxy]:
    running = Proxy(chain.rpc_url)
    yield running
    running.close()


@pytest.fixture
def mine(client: ChainClient) -> Callable[[int], Any]:
    """``mine(3)`` blocks."""
    return lambda blocks: client.rpc.request("anvil_mine", [hex(blocks)])
