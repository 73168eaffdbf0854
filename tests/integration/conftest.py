# SPDX-License-Identifier: Apache-2.0
"""Real services, started once for the whole run and always stopped. A test that needs its own uses devnet itself."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from devnet.anvil import anvil as run_anvil
from devnet.anvil import find_anvil
from devnet.kubo import find_kubo
from devnet.kubo import kubo as run_kubo
from devnet.postgres import find_postgres, in_database
from devnet.postgres import postgres as run_postgres
from devnet.processes import NotInstalled


def _require(find: Callable[[], Path]) -> None:
    """Skip where a program is not installed, saying how to get it; in CI that is a failure."""
    try:
        find()
        return
    except NotInstalled as missing:
        reason = str(missing)
    if os.environ.get("CI"):
        pytest.fail(f"CI must have it: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def services_folder() -> Iterator[Path]:
    """Where the services keep their data and logs."""
    folder = Path(tempfile.mkdtemp(prefix="inferix-tests-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def anvil(services_folder: Path) -> Iterator[str]:
    """RPC URL of a chain with a block each second, final two blocks later."""
    _require(find_anvil)
    with run_anvil(services_folder / "anvil", block_seconds=1) as chain:
        yield chain.rpc_url


@pytest.fixture(scope="session")
def anvil_automine(services_folder: Path) -> Iterator[str]:
    """RPC URL of a chain that makes a block of each transaction."""
    _require(find_anvil)
    with run_anvil(services_folder / "anvil-automine") as chain:
        yield chain.rpc_url


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """SQLAlchemy URL of a database that all tests of this run share."""
    _require(find_postgres)
    with run_postgres() as url:
        yield url


@pytest.fixture
def fresh_postgres_url(postgres_url: str) -> Iterator[str]:
    """SQLAlchemy URL of an empty database for this test alone."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield in_database(postgres_url, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def kubo_api(services_folder: Path) -> Iterator[str]:
    """Multiaddr of a private IPFS node's API, as ipfshttpclient.Client takes it."""
    _require(find_kubo)
    with run_kubo(services_folder / "kubo") as node:
        yield node.api
