# SPDX-License-Identifier: Apache-2.0
"""Blocks, pins and files over HTTP: what is missing is sent, what is false, too large or too much is refused."""

import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import cast

import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.testclient import TestClient

from api.__main__ import server_options
from api.app import create_app
from api.context import Context
from api.settings import ApiSettings
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


def stored_through(context: Context, peer: str, forwarded: str, proxies: str) -> int:
    """The status of a block of half a quota and a byte, sent by ``peer`` to the API as it is served."""
    settings = context.settings.model_copy(update={"trusted_proxies": proxies})
    config = uvicorn.Config(create_app(context), **server_options(settings))
    config.load()
    body = os.urandom(QUOTA // 2 + 1)
    with TestClient(cast(FastAPI, config.loaded_app), client=(peer, 1)) as http:
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}
        return http.put(f"/blocks/{Cid.of(Codec.RAW, body)}", content=body, headers=headers).status_code


def test_attack_a_forwarded_header_is_nobodys_new_quota(context: Context) -> None:
    assert stored_through(context, "127.0.0.1", "203.0.113.1", "") == 204
    assert stored_through(context, "127.0.0.1", "203.0.113.2", "") == 429
    assert stored_through(context, "127.0.0.1", "203.0.113.2", "127.0.0.1") == 204  # a proxy that is trusted says so
    assert stored_through(context, "127.0.0.1", "203.0.113.3, 203.0.113.2", "127.0.0.1") == 429  # and has the last word
    assert stored_through(context, "192.0.2.1", "203.0.113.4", "127.0.0.1") == 204
    assert stored_through(context, "192.0.2.1", "203.0.113.5", "127.0.0.1") == 429


def test_attack_another_address_of_ones_ipv6_network_has_no_quota_of_its_own(context: Context) -> None:
    assert stored_through(context, "2001:db8:1:2::1", "", "") == 204
    assert stored_through(context, "2001:db8:1:2:ffff::1", "", "") == 429
    assert stored_through(context, "2001:db8:1:3::1", "", "") == 204
    assert stored_through(context, "::ffff:192.0.2.7", "", "") == 204
    assert stored_through(context, "192.0.2.7", "", "") == 429
    assert stored_through(context, "::ffff:192.0.2.8", "", "") == 204


@pytest.mark.parametrize("proxies", ["*", "proxy.example", "127.0.0.1, *", "10.0.0.1/8"])
def test_a_proxy_that_is_no_address_is_no_setting(proxies: str) -> None:
    with pytest.raises(ValidationError, match="no IP address and no network"):
        ApiSettings(trusted_proxies=proxies)
    assert ApiSettings(trusted_proxies="127.0.0.1, 10.0.0.0/8").trusted_proxies


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
