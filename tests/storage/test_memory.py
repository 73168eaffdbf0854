# SPDX-License-Identifier: Apache-2.0
"""200 MB pass through a store and through sealing while the process grows by less than 60 MB."""

import subprocess
import sys
from pathlib import Path

import pytest

from devnet.kubo import Kubo
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.service import BlockService, Quota

pytestmark = pytest.mark.integration
LIMIT = 60 * 2**20

PROGRAM = """
import hashlib, os, resource, sys
from inferix.sealing import job_key, open_stream, seal_stream, sealed_size
from inferix.storage import open_store

PIECE, COUNT = 100_000, 2_000

def source(digest):
    for _ in range(COUNT):
        piece = os.urandom(PIECE)
        digest.update(piece)
        yield piece

def grown():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before

store = open_store(sys.argv[1])
key = job_key()
store.add(b"warm up: load what is loaded once")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
sent, got = hashlib.sha256(), hashlib.sha256()
root = store.add(seal_stream(key, source(sent)))
store.pin(root)
for piece in open_stream(key, store.open(root, sealed_size(PIECE * COUNT))):
    got.update(piece)
assert sent.digest() == got.digest()
print(grown())
"""


@pytest.fixture(params=["embedded", "http", "kubo"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store of each kind is."""
    if request.param == "embedded":
        return (tmp_path / "store").as_uri()
    if request.param == "http":
        service = BlockService(EmbeddedStore(tmp_path / "store"), quota=Quota(2**30), max_file=2**30)
        return str(request.getfixturevalue("serve")(service))
    node: Kubo = request.getfixturevalue("kubo")
    return f"kubo:{node.api}/http"


def test_stream_200_mb__little_memory(url: str) -> None:
    output = subprocess.run([sys.executable, "-c", PROGRAM, url], capture_output=True, check=True, text=True)
    assert int(output.stdout) < LIMIT
