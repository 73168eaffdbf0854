# SPDX-License-Identifier: Apache-2.0
"""Where the network's files are kept: IPFS, a directory, or another program's blocks over HTTP."""

from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from inferix.errors import Misconfigured
from inferix.storage.blobs import BlobStore, OwnedStore, copy
from inferix.storage.cid import Cid, Codec
from inferix.storage.dag import FileStat, Source

__all__ = [
    "BlobStore",
    "Cid",
    "Codec",
    "FileStat",
    "OwnedStore",
    "Source",
    "copy",
    "default_store",
    "open_owned_store",
    "open_store",
]


def default_store() -> str:
    """The folder ``store`` here: where programs of one machine that are told nothing find each other's documents."""
    return Path("store").absolute().as_uri()


def open_store(url: str) -> BlobStore:
    """The store at ``http://host:port``, ``file:///directory`` or ``kubo:/ip4/127.0.0.1/tcp/5001/http``.

    Raises Misconfigured for any other address. An HTTP store that wants a signature or a token: make the HttpStore with
    a client of your own.
    """
    if _split(url).scheme in ("http", "https"):
        from inferix.storage.remote import HttpStore

        return HttpStore(url)
    return open_owned_store(url)


def open_owned_store(url: str) -> OwnedStore:
    """The store at ``file:///directory`` or ``kubo:<multiaddr of its RPC>``, with the calls of its owner."""
    parts = _split(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        from inferix.storage.embedded import EmbeddedStore

        return EmbeddedStore(Path(unquote(parts.path)))
    if parts.scheme == "kubo":
        from inferix.storage.kubo import KuboStore  # its package is in the extra `storage`

        return KuboStore(url.removeprefix("kubo:"))
    raise Misconfigured(
        f"no store at {url!r}: write file:///directory or kubo:/ip4/127.0.0.1/tcp/5001/http; "
        "http://host:port only where the store is another program's"
    )


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # no address at all
        return urlsplit("")
