# SPDX-License-Identifier: Apache-2.0
import json
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from inferix.chain.abi import Interface
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, Deployment, load_deployment
from inferix.chain.errors import CallReverted, WrongChain
from inferix.errors import Corrupt, Misconfigured, Unavailable

ADDRESS = "0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB"


@pytest.fixture
def body(interface: Callable[[str], Interface]) -> dict[str, Any]:
    contracts = {
        "NodeRegistry": {"address": ADDRESS.lower(), "abi": interface("NodeRegistry").abi},
        "IFX": {"address": "0x" + "11" * 20, "abi": []},
        "DevUSD": {"address": "0x" + "22" * 20, "abi": []},
        "Governor": {"address": "0x" + "33" * 20, "abi": []},
        "Timelock": {"address": "0x" + "44" * 20, "abi": []},
    }
    return {"chain_id": 1337, "block": 7, "complete": True, "contracts": contracts}


def write(folder: Path, body: Any) -> Path:
    path = folder / "1337.json"
    path.write_text(body if isinstance(body, str) else json.dumps(body))
    return path


def test_load__a_file_or_the_folder_of_it(tmp_path: Path, body: dict[str, Any]) -> None:
    path = write(tmp_path, body)
    for source in (path, str(path), tmp_path):
        found = load_deployment(source, 1337)
        assert (found.chain_id, found.block, found["NodeRegistry"].address) == (1337, 7, ADDRESS)
    assert found.domain().contract == ADDRESS
    assert found.mirrored() == [ADDRESS], "neither other people's transfers nor voters' texts are mirrored"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"complete": False}, "half-way"),
        ({"contracts": {"NodeRegistry": {"address": "0x12", "abi": []}}}, "malformed"),
        ({"contracts": []}, "malformed"),
        ({"block": "soon"}, "malformed"),
    ],
)
def test_load__not_a_whole_deployment__says_what_to_do(
    tmp_path: Path, body: dict[str, Any], change: dict[str, Any], says: str
) -> None:
    with pytest.raises(Misconfigured, match=says):
        load_deployment(write(tmp_path, body | change), 1337)


def test_load__absent_or_no_json_or_of_another_chain(tmp_path: Path, body: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured, match="name the network's contracts by INFERIX_DEPLOYMENT"):
        load_deployment(tmp_path, 1337)
    with pytest.raises(Misconfigured, match="malformed"):
        load_deployment(write(tmp_path, "<html>"), 1337)
    with pytest.raises(WrongChain, match="1337, the settings say 1"):
        load_deployment(write(tmp_path, body), 1)


def test_contract__not_deployed__named(tmp_path: Path, body: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured, match="no contract Panels"):
        load_deployment(write(tmp_path, body), 1337)["Panels"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(tmp_path))

        def log_message(self, format: str, *args: object) -> None:
            """The test's own output says enough."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.integration
def test_load__from_a_url(tmp_path: Path, body: dict[str, Any], served: str) -> None:
    write(tmp_path, body)
    assert load_deployment(f"{served}/1337.json", 1337).block == 7
    with pytest.raises(Unavailable):
        load_deployment(f"{served}/1.json", 1)


@pytest.mark.integration
def test_read__by_name__refusals_and_empty_addresses(client: ChainClient, deployment: Deployment) -> None:
    contracts = Contracts(client, deployment)
    assert contracts.read("NodeRegistry", "closed") is False
    with pytest.raises(CallReverted):
        client.call(deployment["NodeRegistry"].address, b"\x00\x00\x00\x00")
    with pytest.raises(Corrupt, match="0 bytes"):
        contracts.read("NodeRegistry", "closed", block=0)
    with pytest.raises(WrongChain):
        Contracts(client, Deployment(1, 0, {}))


@pytest.mark.integration
def test_bloom__says_which_blocks_may_have_logs(client: ChainClient, deployment: Deployment, accounts: Any) -> None:
    call = deployment.call("NodeRegistry", "post", b"x")
    data = {"from": accounts[2].address, "to": call.to, "data": "0x" + call.data.hex()}
    sent = client.rpc.request("eth_sendTransaction", [data])
    while (receipt := client.receipt(bytes.fromhex(sent[2:]))) is None:
        pass
    address = deployment["NodeRegistry"].address
    assert client.header(receipt.block).may_have_logs_of(address)
    assert not client.header(receipt.block - 1).may_have_logs_of(address)
