# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from api.settings import ApiSettings
from inferix.errors import Misconfigured
from inferix.storage import open_owned_store, open_store
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.remote import HttpStore
from keepers.settings import KeeperSettings


def test_open_store__directory(tmp_path: Path) -> None:
    store = open_store((tmp_path / "my store").as_uri())
    assert isinstance(store, EmbeddedStore)
    store.pin(store.add(b"x"))
    assert (tmp_path / "my store" / "pins").is_dir()


def test_open_store__http__the_owner_s_calls_refused() -> None:
    assert isinstance(open_store("http://127.0.0.1:8000"), HttpStore)
    assert isinstance(open_store("https://example.org/api"), HttpStore)
    with pytest.raises(Misconfigured, match="another program's"):
        open_owned_store("http://127.0.0.1:8000")


@pytest.mark.parametrize(
    "url",
    [
        *("", "store", "file:store", "file://host/store", "ftp://host/", "kubo:http://127.0.0.1"),
        *("http://", "http://[::1", "file://[::1"),
    ],
)
def test_open_store__anything_else__refused(url: str) -> None:
    with pytest.raises(Misconfigured):
        open_store(url)


def test_regression_api_and_keepers_that_are_told_nothing_share_a_store_that_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INFERIX_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    cid = open_owned_store(ApiSettings().store).add(b"x")
    assert open_owned_store(KeeperSettings().store).get_block(cid) == b"x"
    assert (tmp_path / "store").is_dir()
