# SPDX-License-Identifier: Apache-2.0
"""A store in an IPFS node (Kubo), reached by its RPC.

Blocks travel one by one: CIDs are made here, so they do not hang on the node's import settings, and everything read
is checked here, so the node need not be trusted. For what it does not hold it asks its network, within ``timeout``.
Source: https://docs.ipfs.tech/reference/kubo/rpc/.
"""

import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ipfshttpclient  # type: ignore[import-untyped]
import requests
from ipfshttpclient import exceptions as ipfs

from inferix.errors import Misconfigured
from inferix.storage.blobs import OwnedStore
from inferix.storage.cid import Cid, Codec
from inferix.storage.dag import MAX_BLOCK, checked_block
from inferix.storage.errors import (
    BlockCorrupt,
    BlockMissing,
    InvalidCid,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from inferix.units import Seconds

_CODEC = {Codec.RAW: "raw", Codec.DAG_PB: "dag-pb"}
_MISSING = ("not found", "could not find", "deadline exceeded", "no such block")
_CONNECT_TIMEOUT = 5
DEFAULT_TIMEOUT = Seconds(60)
_LONG_TIMEOUT = 600  # pinning and collecting walk the node's disk


class KuboStore(OwnedStore):
    """Blocks in Kubo.

    ``address``: multiaddr of the RPC, ``/ip4/127.0.0.1/tcp/5001/http``. ``timeout``: seconds to wait for a block.
    Kubo keeps no ages: `gc` also takes what was put and not pinned yet; whoever put it is told so when pinning.
    """

    def __init__(self, address: str, *, timeout: Seconds = DEFAULT_TIMEOUT) -> None:
        self._address = address
        self._timeout = timeout
        self._local = threading.local()  # its HTTP session is not made for several threads
        with self._errors("connect"):
            self._client()

    def get_block(self, cid: Cid) -> bytes:
        return self.get_block_within(cid, self._timeout)

    def get_block_within(self, cid: Cid, seconds: Seconds) -> bytes:
        with self._errors(f"get {cid}", cid):
            stream = self._client().block.get(str(cid), stream=True, **self._wait(seconds))
            data = bytearray()
            with stream:
                for piece in stream:
                    data += piece
                    if len(data) > MAX_BLOCK:
                        break
        return checked_block(cid, bytes(data))

    def put_block(self, cid: Cid, data: bytes) -> None:
        checked_block(cid, data)
        options = {"cid-codec": _CODEC[cid.codec], "mhtype": "sha2-256", "allow-big-block": "true"}
        with self._errors(f"put {cid}", cid):
            answer = self._client().block.put(io.BytesIO(data), **self._wait(self._timeout, options))
        if answer["Key"] != str(cid):
            raise BlockCorrupt(f"the IPFS node keeps {cid} as {answer['Key']}; check its version")

    def missing(self, cids: Sequence[Cid]) -> list[Cid]:
        return [cid for cid in cids if not self.has_block(cid)]

    def has_block(self, cid: Cid) -> bool:
        return self.block_size(cid) is not None

    def block_size(self, cid: Cid) -> int | None:
        try:
            with self._errors(f"look for {cid}", cid):
                return int(self._client().block.stat(str(cid), offline=True, **self._wait(self._timeout))["Size"])
        except BlockMissing:
            return None

    def pin(self, cid: Cid) -> None:
        with self._errors(f"pin {cid}", cid):
            self._client().pin.add(str(cid), offline=True, **self._wait(_LONG_TIMEOUT))

    def unpin(self, cid: Cid) -> None:
        try:
            with self._errors(f"unpin {cid}", cid):
                self._client().pin.rm(str(cid), **self._wait(self._timeout))
        except StorageError as error:
            if "not pinned" not in str(error):
                raise

    def pins(self) -> Iterator[Cid]:
        with self._errors("list the pins"):
            answer = self._client().pin.ls(type="recursive", **self._wait(_LONG_TIMEOUT))
        for text in answer["Keys"]:
            try:
                yield Cid.parse(text)
            except InvalidCid:
                continue  # the node's owner may pin what is not ours

    def gc(self) -> int:
        with self._errors("collect"):
            return len(self._client().repo.gc(**self._wait(_LONG_TIMEOUT)))

    def _client(self) -> Any:
        client = getattr(self._local, "client", None)
        if client is None:
            client = ipfshttpclient.Client(self._address, timeout=(_CONNECT_TIMEOUT, self._timeout))
            self._local.client = client.__enter__()  # keeps the connection open
        return client

    def _wait(self, seconds: int, options: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Both sides give up after this time, ours a little later so that the node's reason arrives."""
        return {"timeout": (_CONNECT_TIMEOUT, seconds + 5), "opts": {**(options or {}), "timeout": f"{seconds}s"}}

    @contextmanager
    def _errors(self, action: str, cid: Cid | None = None) -> Iterator[None]:
        try:
            yield
        except ipfs.AddressError as error:
            raise Misconfigured(f"{self._address!r} is not like /ip4/127.0.0.1/tcp/5001/http") from error
        except ipfs.ErrorResponse as error:
            raise _refusal(action, str(error), cid) from error
        except (ipfs.Error, requests.RequestException) as error:
            raise StorageUnavailable(
                f"cannot {action}: the IPFS node at {self._address} does not answer; is it running? ({error})"
            ) from error


def _refusal(action: str, reason: str, cid: Cid | None) -> StorageError:
    """The node's own words as our error; Kubo gives no codes, only texts."""
    if "no space left" in reason:
        return StorageFull(f"cannot {action}: the disk of the IPFS node is full; free some")
    if cid is not None and any(text in reason for text in _MISSING):
        return BlockMissing(f"cannot {action}: the IPFS node has no such block and found none in time ({reason})")
    return StorageUnavailable(f"cannot {action}: the IPFS node says: {reason}")
