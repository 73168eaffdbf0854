# SPDX-License-Identifier: Apache-2.0
"""What keepers work with: a database, a store, and the real chain of the chain's own tests."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inferix.chain.abi import Interface
from inferix.storage.database import Database
from inferix.storage.embedded import EmbeddedStore
from keepers.desk import Step
from tests.chain.conftest import accounts, chain, client, deployment, interface, proxy, rpc

if TYPE_CHECKING:
    from tests.keepers.live import Live

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


@pytest.fixture
def functions(interface: Callable[[str], Interface]) -> Callable[[Sequence[Step]], list[str]]:
    """The functions of Disputes in steps, whose arguments are encoded as the contract takes them."""

    def names(steps: Sequence[Step]) -> list[str]:
        for _, function, arguments in steps:
            assert interface("Disputes").encode(function, arguments)
        return [function for _, function, _ in steps]

    return names


@pytest.fixture(scope="session")
def populated_live() -> "Live":
    from tests.keepers.live import Live  # the contracts are compiled only where a test needs them

    return Live()


@pytest.fixture
def live(populated_live: "Live") -> "Iterator[Live]":
    with populated_live.fresh() as fresh:
        yield fresh
