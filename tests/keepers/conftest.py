# SPDX-License-Identifier: Apache-2.0
"""What keepers work with: a database, a store, and the real chain of the chain's own tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inferix.storage.database import Database
from inferix.storage.embedded import EmbeddedStore
from tests.chain.conftest import accounts, chain, client, deployment, interface, proxy, rpc

__all__ = ["accounts", "chain", "client", "deployment", "interface", "proxy", "rpc"]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(f"sqlite:///{tmp_path}/keeper.db")
    found.migrate()
    yield found
    found.close()


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore(tmp_path / "store", reserve=0)
