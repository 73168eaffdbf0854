# SPDX-License-Identifier: Apache-2.0
"""Blocks, pins and files over HTTP: what is missing is sent, what is false, too large or too much is refused."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from inferix.storage.cid import Cid, Codec
from inferix.storage.dag import MAX_BLOCK, blocks_of
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.service import BlockService, Quota
from tests.api.conftest import QUOTA, Api, code


def content(size: int, seed: str = "file") -> bytes:
    return hashlib.shake_128(seed.encode()).digest(size)


def test_a_cut_off_upload_goes_on_with_what_is_missing(api: Api) -> None:
    blocks = list(blocks_of(content(700_000)))
    names = [str(block.cid) for block in blocks]
    assert api.http.post("/blocks/missing", json=names).json() == names
    for block in blocks[:2]:
        assert api.http.put(f"/blocks/{block.cid}", content=block.data).status_code == 204
    assert api.http.post(f"/pins/{names[-1]}").status_code == 404  # not all of it is here
    assert api.http.post("/blocks/missing", json=names).json() == names[2:]
    for block in blocks[2:]:
        api.http.put(f"/blocks/{block.cid}", content=block.data)
    assert api.http.post("/blocks/missing", json=names).json() == []
    assert api.http.post(f"/pins/{names[-1]}").status_code == 204
    answer = api.http.get(f"/files/{names[-1]}")
    assert answer.content == content(700_000)
    assert "immutable" in answer.headers["cache-control"]


def test_a_block_is_answered_as_it_was_sent(api: Api) -> None:
    cid = Cid.of(Codec.RAW, b"block")
    assert api.http.get(f"/blocks/{cid}").status_code == 404
    assert api.http.head(f"/blocks/{cid}").status_code == 404
    api.http.put(f"/blocks/{cid}", content=b"block")
    assert api.http.get(f"/blocks/{cid}").content == b"block"
    assert api.http.head(f"/blocks/{cid}").headers["content-length"] == "5"


def test_other_bytes_than_the_name_says_are_refused(api: Api) -> None:
    cid = Cid.of(Codec.RAW, b"block")
    status, _ = code(api.http.put(f"/blocks/{cid}", content=b"other"))
    assert status == 422
    assert api.http.get(f"/blocks/{cid}").status_code == 404


def test_what_is_no_cid_is_refused(api: Api) -> None:
    for method, path in (("GET", "/blocks/x"), ("PUT", "/blocks/x"), ("POST", "/pins/x"), ("GET", "/files/x")):
        assert api.http.request(method, path, content=b"").status_code == 422
    assert api.http.post("/blocks/missing", json=["x"]).status_code == 422
    assert api.http.post("/blocks/missing", json=["b" * 59] * 1_001).status_code == 422


def test_a_block_that_is_too_large_is_refused(api: Api) -> None:
    body = bytes(MAX_BLOCK + 1)
    status, says = code(api.http.put(f"/blocks/{Cid.of(Codec.RAW, body)}", content=body))
    assert status == 413
    assert "2,097,152 bytes" in says


def test_who_has_stored_its_share_waits(api: Api) -> None:
    for number in range(4):
        body = content(QUOTA // 4, str(number))
        assert api.http.put(f"/blocks/{Cid.of(Codec.RAW, body)}", content=body).status_code == 204
    answer = api.http.put(f"/blocks/{Cid.of(Codec.RAW, b'more')}", content=b"more")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 86_401
    again = api.http.put(f"/blocks/{Cid.of(Codec.RAW, body)}", content=body)
    assert again.status_code == 204  # what is here costs nothing


def test_a_file_with_a_missing_part_breaks_off(api: Api) -> None:
    blocks = list(blocks_of(content(700_000)))
    api.http.put(f"/blocks/{blocks[-1].cid}", content=blocks[-1].data)
    assert code(api.http.get(f"/files/{Cid.of(Codec.RAW, b'nowhere')}"))[0] == 404
    answer = api.http.get(f"/files/{blocks[-1].cid}")
    assert len(answer.content) < 700_000


def test_attack_many_pins_at_once_leave_threads_for_others(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    root = api.context.store.add(b"file")
    running: list[int] = []
    go_on = threading.Event()

    def slow(cid: str) -> None:
        running.append(1)
        go_on.wait(20)

    monkeypatch.setattr(api.context.blocks, "pin", slow)
    with ThreadPoolExecutor(50) as pool:
        pins = [pool.submit(api.http.post, f"/pins/{root}") for _ in range(50)]
        try:
            assert api.http.get(f"/blocks/{root}").status_code == 200
            wait(pins, timeout=0.5)
            assert len(running) == 2
            assert api.http.get(f"/blocks/{root}").status_code == 200
        finally:
            go_on.set()
        assert [pin.result().status_code for pin in pins] == [204] * 50


def test_a_store_without_room_says_so_and_keeps_nothing_half(api: Api, tmp_path: Path) -> None:
    full = EmbeddedStore(tmp_path / "full", reserve=2**60)
    api.context.blocks = BlockService(full, quota=Quota(QUOTA), max_file=QUOTA)
    cid = Cid.of(Codec.RAW, b"block")
    status, says = code(api.http.put(f"/blocks/{cid}", content=b"block"))
    assert (status, "free some disk" in says) == (507, True)
    assert not full.has_block(cid)
