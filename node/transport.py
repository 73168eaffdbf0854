# SPDX-License-Identifier: Apache-2.0
"""Signed HTTP requests: outbound connections only.

Time is the block clock: each answer that tells it sets `BlockClock` anew; the clock of this machine only counts the
seconds in between. What cannot be reached, 429 and 5xx are waited out with back-off and jitter, then `Unavailable`.
"""

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, Final

import httpx

from inferix.errors import (
    Conflict,
    InferixError,
    InvalidInput,
    LimitExceeded,
    Misconfigured,
    NotFound,
    Refused,
    Unavailable,
)
from inferix.messages import Request, request_content
from node.identity import Identity

log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
LONGEST_ASKED: Final = 60.0  # whatever the other side asks for: a node that sleeps on misses probes and votes
TIMEOUT: Final = httpx.Timeout(20.0, connect=5.0)
MAX_ANSWER: Final = 8 * 1024 * 1024
_RETRIED: Final = frozenset((408, 425, 429))
_KINDS: Final[dict[int, type[InferixError]]] = {
    400: InvalidInput,
    403: Refused,
    404: NotFound,
    409: Conflict,
    413: LimitExceeded,
    422: InvalidInput,
    507: LimitExceeded,
}


class NotAuthenticated(Unavailable):
    """The network does not take this node's signature (now): wrong time, wrong key or not registered."""


class BlockClock:
    """Seconds of the block clock."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._told: tuple[int, float] | None = None

    def set(self, block_time: int) -> None:
        """Take what the network says now."""
        self._told = (block_time, self._monotonic())

    def now(self) -> int:
        """Raises Unavailable before the network was heard for the first time."""
        if self._told is None:
            raise Unavailable("the block clock is not known yet: the network has not answered so far")
        block_time, at = self._told
        return block_time + int(self._monotonic() - at)


class NodeAuth(httpx.Auth):
    """Signs every request of a node (EIP-712 ``Request``): who, what and when."""

    requires_request_body = True

    def __init__(self, identity: Identity, clock: BlockClock) -> None:
        self._identity = identity
        self._clock = clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Adds the three headers."""
        content = request_content(request.method, request.url.raw_path.decode("ascii"), request.content)
        message = Request(node=self._identity.node, content=content, time=self._clock.now())
        request.headers["X-Inferix-Node"] = str(message.node)
        request.headers["X-Inferix-Time"] = str(message.time)
        request.headers["X-Inferix-Signature"] = "0x" + self._identity.sign(message).hex()
        yield request


class Connection:
    """One server. Without an identity nothing is signed. ``stop`` ends every wait."""

    def __init__(
        self,
        url: str,
        clock: BlockClock,
        *,
        identity: Identity | None = None,
        transport: httpx.BaseTransport | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._stop = stop or threading.Event()
        auth = NodeAuth(identity, clock) if identity else None
        self.client = httpx.Client(transport=transport, auth=auth, timeout=TIMEOUT, follow_redirects=False)

    def call(self, method: str, path: str, body: Any = None, *, signed: bool = True, attempts: int = 1) -> Any:
        """The parsed answer; raises the InferixError that fits the status."""
        content = b"" if body is None else json.dumps(body).encode()
        for attempt in range(1, attempts + 1):
            try:
                return self._once(method, path, content, signed)
            except Unavailable as error:
                if attempt == attempts or isinstance(error, NotAuthenticated):
                    raise
                pause = back_off(attempt, error.retry_after)
                log.info("%s; next try in %.0f s", error, pause)
            if self._stop.wait(pause):
                raise Unavailable("stopped while waiting for the network")
        raise InvalidInput("attempts must be at least 1")

    def _once(self, method: str, path: str, content: bytes, signed: bool) -> Any:
        headers = {"Accept-Encoding": "identity"}  # some kilobytes may unpack to gigabytes
        if content:
            headers["Content-Type"] = "application/json"
        auth: Any = httpx.USE_CLIENT_DEFAULT if signed else None
        try:
            with self.client.stream(method, self.url + path, content=content, headers=headers, auth=auth) as response:
                data = _limited(response)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Misconfigured(f"{self.url} is not an HTTP address: correct --api") from error
        except httpx.TransportError as error:
            raise Unavailable(f"{self.url} cannot be reached ({type(error).__name__}: {error})") from error
        if response.is_success:
            return _json(data, self.url + path)
        raise _error(response, data, f"{method} {path}")


def back_off(attempt: int, retry_after: int | None = None) -> float:
    """Seconds to wait after the n-th failure: doubling, with jitter; as long as the other side asks for, up to 60."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(attempt - 1, 10)))
    return max(longest * random.uniform(0.5, 1), min(LONGEST_ASKED, float(retry_after or 0)))  # noqa: S311


def _limited(response: httpx.Response) -> bytes:
    data = bytearray()
    for piece in response.iter_raw():
        data += piece
        if len(data) > MAX_ANSWER:
            raise Unavailable(
                f"{response.url} answers with more than {MAX_ANSWER:,} bytes; is this the network's address?"
            )
    return bytes(data)


def _json(data: bytes, url: str) -> Any:
    try:
        return json.loads(data) if data else None
    except (ValueError, RecursionError) as error:
        raise Unavailable(f"{url} does not answer in JSON; is this the network's address?") from error


def _error(response: httpx.Response, data: bytes, request: str) -> InferixError:
    try:
        words = str(json.loads(data)["error"]["message"])[:300]
    except (ValueError, LookupError, TypeError, RecursionError):
        words = f"status {response.status_code}"
    text = f"{request}: {words}"
    if response.status_code == 401:
        return NotAuthenticated(text)
    if response.status_code in _RETRIED or (response.status_code >= 500 and response.status_code != 507):
        header = response.headers.get("Retry-After", "")
        return Unavailable(text, int(header) if header.isascii() and header.isdecimal() and len(header) < 6 else None)
    return _KINDS.get(response.status_code, Refused)(text)
