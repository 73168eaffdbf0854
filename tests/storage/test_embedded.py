# SPDX-License-Identifier: Apache-2.0
"""What only the store in a directory promises: whole blocks or none, whatever happens to the process or the disk."""

import fcntl
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inferix.storage.cid import Cid, Codec
from inferix.storage.dag import CHUNK_SIZE, blocks_of
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.errors import BlockCorrupt, BlockMissing, StorageFull, StorageUnavailable
from inferix.storage.files import write_atomic
from inferix.units import Seconds

Content = Callable[..., bytes]
NOTHING = Seconds(0)


def files_in(store: Path, folder: str) -> list[Path]:
    return [path for path in (store / folder).rglob("*") if path.is_file()]


def start(program: str, store: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", program, store], stdout=subprocess.PIPE)


def age(path: Path, seconds: float) -> None:
    past = time.time() - seconds
    os.utime(path, (past, past))


def test_layout__one_file_a_block_by_first_byte_of_its_hash(embedded: EmbeddedStore, tmp_path: Path) -> None:
    root = embedded.add(b"hello")
    embedded.pin(root)
    assert (tmp_path / "store" / "blocks" / "2c" / str(root)).read_bytes() == b"hello"
    assert [path.name for path in files_in(tmp_path / "store", "pins")] == [str(root)]


def test_reserve__kept_free__nothing_written(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path, reserve=2**60)
    with pytest.raises(StorageFull, match="free some disk"):
        store.add(b"no room")
    assert files_in(tmp_path, "blocks") == files_in(tmp_path, "parts") == []


# A process that may write no file over 100,000 bytes: the kernel refuses as it does on a full disk.
DISK_FULL = """
import resource, sys
from pathlib import Path
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.errors import StorageFull
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
store = EmbeddedStore(Path(sys.argv[1]), reserve=0)
small = store.add(b"fits")
try:
    store.add(bytes(100_001))
except StorageFull as error:
    print(error)
assert store.get_block(small) == b"fits"
"""


def test_disk_full_while_writing__refused_and_nothing_half_written(tmp_path: Path) -> None:
    process = start(DISK_FULL, tmp_path)
    assert b"no room to keep bafk" in process.communicate()[0]
    assert process.returncode == 0
    assert [path.read_bytes() for path in files_in(tmp_path, "blocks")] == [b"fits"]
    assert files_in(tmp_path, "parts") == []


def test_stream_fails_midway__its_error_passes_and_blocks_stay_whole(embedded: EmbeddedStore, tmp_path: Path) -> None:
    def cut_off() -> object:
        yield bytes(CHUNK_SIZE + 10)
        raise ConnectionResetError("cut")

    with pytest.raises(ConnectionResetError):
        embedded.add(cut_off())
    assert [path.stat().st_size for path in files_in(tmp_path / "store", "blocks")] == [CHUNK_SIZE]
    assert files_in(tmp_path / "store", "parts") == []


@pytest.mark.parametrize("damage", [b"", b"hellp", b"hello!", bytes(3 * 2**20)], ids=["cut", "bit", "longer", "huge"])
def test_damaged_on_disk__refused_put_aside_and_healed(embedded: EmbeddedStore, tmp_path: Path, damage: bytes) -> None:
    root = embedded.add(b"hello")
    (path,) = files_in(tmp_path / "store", "blocks")
    path.write_bytes(damage)
    with pytest.raises(BlockCorrupt, match="damaged on disk"):
        embedded.get_block(root)
    assert not embedded.has_block(root)
    assert [path.name for path in files_in(tmp_path / "store", "damaged")] == [str(root)]
    assert embedded.missing([root]) == [root]
    embedded.add(b"hello")
    assert embedded.get_block(root) == b"hello"


def test_gc__unpinned_blocks_outlive_their_last_use_by_the_grace(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path, reserve=0, grace=Seconds(1_000))
    fresh, asked, put, old = (store.add(name) for name in (b"fresh", b"asked", b"put", b"old"))
    for path in files_in(tmp_path, "blocks"):
        age(path, 500 if path.name == str(fresh) else 1_500)
    assert store.missing([asked]) == []
    store.put_block(put, b"put")
    assert store.gc() == 1
    assert [store.has_block(cid) for cid in (fresh, asked, put, old)] == [True, True, True, False]


def test_gc__removes_parts_of_dead_processes_not_of_running_ones(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path, grace=NOTHING)
    for name in ("old", "running"):
        (tmp_path / "parts" / name).touch()
    age(tmp_path / "parts" / "old", 3_700)
    assert store.gc() == 0
    assert [path.name for path in files_in(tmp_path, "parts")] == ["running"]


def test_gc__pinned_file_lost_a_node__removes_nothing(tmp_path: Path, content: Content) -> None:
    store = EmbeddedStore(tmp_path, reserve=0, grace=NOTHING)
    data = content(3 * CHUNK_SIZE)
    root = store.add(data)
    store.pin(root)
    (path,) = (path for path in files_in(tmp_path, "blocks") if path.name == str(root))
    path.unlink()
    with pytest.raises(StorageUnavailable, match="nothing was removed"):
        store.gc()
    *_, top = blocks_of(data)
    store.put_block(top.cid, top.data)
    assert store.gc() == 0
    assert b"".join(store.open(root, len(data))) == data


def test_gc__waits_for_a_pin_under_way_and_counts_it(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path, reserve=0, grace=NOTHING)
    root = store.add(b"being pinned")
    age(files_in(tmp_path, "blocks")[0], 10)
    with ThreadPoolExecutor() as pool, (tmp_path / "lock").open() as pin_under_way:
        fcntl.flock(pin_under_way, fcntl.LOCK_SH)
        collection = pool.submit(store.gc)
        time.sleep(0.2)
        (tmp_path / "pins" / str(root)).touch()
        fcntl.flock(pin_under_way, fcntl.LOCK_UN)
        assert collection.result() == 0
    assert store.get_block(root) == b"being pinned"


def test_pin__missing_leaf__not_recorded(embedded: EmbeddedStore, content: Content) -> None:
    _, leaf, root = blocks_of(content(2 * CHUNK_SIZE))
    embedded.put_block(leaf.cid, leaf.data)
    embedded.put_block(root.cid, root.data)
    with pytest.raises(BlockMissing, match="cannot be pinned"):
        embedded.pin(root.cid)
    assert list(embedded.pins()) == []


def test_directory_is_a_file__says_so(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(StorageUnavailable, match="check the disk"):
        EmbeddedStore(tmp_path / "store")


KILLED_WRITER = """
import os, sys
from pathlib import Path
from inferix.storage.embedded import EmbeddedStore
store = EmbeddedStore(Path(sys.argv[1]), reserve=0)
while True:
    store.add(os.urandom(200_000))
    print("one more", flush=True)
"""


def test_killed_while_writing__every_block_left_is_whole(tmp_path: Path) -> None:
    for _ in range(3):
        process = start(KILLED_WRITER, tmp_path)
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        time.sleep(random.random() / 100)  # anywhere in the writing of the next
        process.kill()
        process.communicate()
    store = EmbeddedStore(tmp_path)
    names = [Cid.parse(path.name) for path in files_in(tmp_path, "blocks")]
    assert len(names) >= 9
    assert {len(store.get_block(cid)) for cid in names} == {200_000}


# Adds, pins and reads back a file of three leaves again and again; pins must hold whatever a collector does meanwhile.
PINNER = """
import sys, time
from pathlib import Path
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.errors import BlockMissing
store = EmbeddedStore(Path(sys.argv[1]), reserve=0, grace=0)
data = bytes(range(256)) * 2_100
held = 0
until = time.monotonic() + 50
removed = Path(sys.argv[1]) / "removed"
while (held < 20 or not removed.exists()) and time.monotonic() < until:
    root = store.add(data)
    try:
        store.pin(root)
    except BlockMissing:
        continue  # collected before it was pinned: allowed, with a grace of nothing
    assert b"".join(store.open(root, len(data))) == data
    held += 1
    store.unpin(root)
(Path(sys.argv[1]) / "done").touch()
print(held)
"""
# Its pauses go from one millisecond to half a second: on a slow disk a file is still whole when it is pinned.
COLLECTOR = """
import sys, time
from itertools import cycle
from pathlib import Path
from inferix.storage.embedded import EmbeddedStore
store = EmbeddedStore(Path(sys.argv[1]), reserve=0, grace=0)
removed = 0
pauses = cycle(0.001 * 2**n for n in range(10))
while not (Path(sys.argv[1]) / "done").exists():
    removed += store.gc()
    if removed:
        (Path(sys.argv[1]) / "removed").touch()
    time.sleep(next(pauses))
print(removed)
"""


def test_processes_pin_while_another_collects__no_pinned_block_is_lost(tmp_path: Path) -> None:
    pinner, collector = (start(program, tmp_path) for program in (PINNER, COLLECTOR))
    held, removed = (int(process.communicate(timeout=60)[0]) for process in (pinner, collector))
    assert (pinner.returncode, collector.returncode) == (0, 0)
    assert held >= 20
    assert removed > 0


def test_processes_write_the_same_file__one_copy(tmp_path: Path) -> None:
    program = PINNER.replace("store.unpin(root)", "break")
    writers = [start(program, tmp_path) for _ in range(3)]
    assert [int(process.communicate(timeout=60)[0]) for process in writers] == [1, 1, 1]
    assert len(files_in(tmp_path, "blocks")) == 3  # two of the three leaves are equal
    assert files_in(tmp_path, "parts") == []


def test_write_atomic__old_file_stays_when_the_stream_fails(tmp_path: Path) -> None:
    target = tmp_path / "result"
    assert write_atomic(target, [b"old", b" bytes"]) == 9

    def failing() -> object:
        yield b"new"
        raise BlockCorrupt("bad piece")

    with pytest.raises(BlockCorrupt):
        write_atomic(target, failing())
    assert target.read_bytes() == b"old bytes"
    assert list(tmp_path.iterdir()) == [target]


def test_empty_block__is_a_block(embedded: EmbeddedStore) -> None:
    empty = Cid.of(Codec.RAW, b"")
    assert not embedded.has_block(empty)
    embedded.put_block(empty, b"")
    assert embedded.get_block(empty) == b""
