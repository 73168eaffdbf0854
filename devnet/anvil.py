# SPDX-License-Identifier: Apache-2.0
"""A local chain: Anvil (Foundry) on a free port of 127.0.0.1."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devnet.processes import Child, find_program, running, start

CHAIN_ID = 1337  # the one that Ape's node provider expects of a local chain


@dataclass(frozen=True, slots=True)
class Anvil:
    """A running chain. Its ten accounts are those of the well-known test phrase, with 10,000 ether each."""

    rpc_url: str
    chain_id: int
    child: Child


def find_anvil() -> Path:
    """The program; NotInstalled tells how to get it."""
    return find_program("anvil", "run `make setup`")


@contextmanager
def anvil(
    folder: Path, *, block_seconds: int | None = None, chain_id: int = CHAIN_ID, arguments: Sequence[str] = ()
) -> Iterator[Anvil]:
    """Run a chain for the length of a with block; folder gets anvil.log.

    block_seconds: time between blocks; None makes a block of each transaction. Either way a block is final when two
    more stand on it (Anvil's default is 64, which a chain without steady blocks may never reach).
    """
    log = folder / "anvil.log"
    argv: list[str | Path] = [find_anvil(), "--host", "127.0.0.1", "--port", "0", "--chain-id", str(chain_id)]
    argv += ["--slots-in-an-epoch", "1"]
    if block_seconds is not None:
        argv += ["--block-time", str(block_seconds)]
    skip = log.stat().st_size if log.exists() else 0  # an earlier run's port is of no use

    def port() -> str | None:
        found = re.search(rb"^Listening on 127\.0\.0\.1:(\d+)", log.read_bytes()[skip:], re.MULTILINE)
        return found[1].decode() if found else None

    with running(start("anvil", [*argv, *arguments], log=log)) as child:
        yield Anvil(f"http://127.0.0.1:{child.wait_ready(port)}", chain_id, child)
