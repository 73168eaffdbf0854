# SPDX-License-Identifier: Apache-2.0
"""Each service comes up, does its work, keeps its data where told to, and is gone afterwards."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import ipfshttpclient
import psycopg
import pytest
from web3 import Web3

from devnet.anvil import CHAIN_ID
from devnet.anvil import anvil as run_anvil
from devnet.kubo import find_kubo
from devnet.kubo import kubo as run_kubo
from devnet.postgres import find_postgres
from devnet.postgres import postgres as run_postgres
from devnet.processes import NotInstalled


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter (pytest's own are private)."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_chain_with_steady_blocks_makes_them_final_by_itself(anvil: str) -> None:
    w3 = Web3(Web3.HTTPProvider(anvil))
    assert w3.eth.chain_id == CHAIN_ID
    head = w3.eth.block_number
    while w3.eth.block_number < head + 3:
        pass
    assert w3.eth.get_block("finalized")["number"] >= head + 1


def test_a_chain_without_steady_blocks_makes_one_of_each_transaction(anvil_automine: str) -> None:
    w3 = Web3(Web3.HTTPProvider(anvil_automine))
    payer, payee, *_ = w3.eth.accounts
    before = w3.eth.block_number
    w3.eth.send_transaction({"from": payer, "to": payee, "value": Web3.to_wei(1, "gwei")})
    assert w3.eth.block_number == before + 1


def test_two_chains_share_a_folder_one_after_the_other(tmp_path: Path) -> None:
    with run_anvil(tmp_path) as first:
        assert Web3(Web3.HTTPProvider(first.rpc_url)).is_connected()
    assert not first.child.running
    with run_anvil(tmp_path, chain_id=31337) as second:
        assert Web3(Web3.HTTPProvider(second.rpc_url)).eth.chain_id == 31337


def plain(url: str) -> str:
    return url.replace("+psycopg", "")


def test_the_shared_database_answers(postgres_url: str) -> None:
    with psycopg.connect(plain(postgres_url)) as connection:
        assert connection.execute("SELECT 6 * 7").fetchone() == (42,)


def test_a_fresh_database_is_empty(fresh_postgres_url: str) -> None:
    with psycopg.connect(plain(fresh_postgres_url)) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchone() == (0,)


def test_a_database_in_a_folder_is_there_the_next_time(postgres_url: str, open_folder: Path) -> None:
    with run_postgres(open_folder) as url, psycopg.connect(plain(url)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(plain(url))
    with run_postgres(open_folder) as url, psycopg.connect(plain(url)) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_ipfs_returns_what_was_added(kubo_api: str) -> None:
    with ipfshttpclient.Client(kubo_api) as client:
        assert client.cat(client.add_bytes(b"a frame")) == b"a frame"


def test_ipfs_refuses_what_nobody_added(kubo_api: str) -> None:
    with ipfshttpclient.Client(kubo_api) as client, pytest.raises(ipfshttpclient.exceptions.ErrorResponse):
        client.cat("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG", timeout=10)


def test_ipfs_in_a_folder_keeps_its_blocks_and_has_no_peers(kubo_api: str, tmp_path: Path) -> None:
    with run_kubo(tmp_path) as node, ipfshttpclient.Client(node.api) as client:
        cid = client.add_bytes(b"kept")
        assert httpx.post(f"{node.url}/api/v0/bootstrap/list").json() == {"Peers": []}
        assert httpx.post(f"{node.url}/api/v0/swarm/peers").status_code == 500  # offline: there is no swarm
    assert not node.child.running
    with run_kubo(tmp_path) as node, ipfshttpclient.Client(node.api) as client:
        assert client.cat(cid) == b"kept"


def test_a_service_that_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("devnet.processes.ROOT", tmp_path)
    monkeypatch.setattr("devnet.postgres.DEBIAN", tmp_path)
    with pytest.raises(NotInstalled, match="make kubo"):
        find_kubo()
    with pytest.raises(NotInstalled, match="apt-get install postgresql"):
        find_postgres()
