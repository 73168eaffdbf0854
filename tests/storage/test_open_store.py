# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from inferix.errors import Misconfigured
from inferix.storage import open_owned_store, open_store
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.remote import HttpStore


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
    "url", ["", "store", "file:store", "file://host/store", "ftp://host/", "kubo:http://127.0.0.1"]
)
def test_open_store__anything_else__refused(url: str) -> None:
    with pytest.raises(Misconfigured):
        open_store(url)
