# SPDX-License-Identifier: Apache-2.0
"""HTTP to the network's API as a wallet: sign-in (EIP-4361), retries, clear errors."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
from eth_account import Account
from eth_account.messages import encode_defunct
from siwe import ISO8601Datetime, SiweMessage  # type: ignore[import-untyped]

from inferix.errors import Conflict, InferixError, InvalidInput, LimitExceeded, NotFound, Refused, Unavailable

RETRIES = 6
_KINDS: dict[int, type[InferixError]] = {
    401: Refused,
    403: Refused,
    404: NotFound,
    409: Conflict,
    413: LimitExceeded,
    422: InvalidInput,
    507: LimitExceeded,
}


class Session:
    """One wallet's session. ``key``: 32-byte private key; it signs and is never sent."""

    def __init__(self, url: str, key: bytes, *, http: httpx.Client | None = None) -> None:
        self.url = url.rstrip("/")
        self.http = http or httpx.Client(timeout=httpx.Timeout(30.0, connect=5.0))
        self._key = key
        self.address: str = Account.from_key(key).address
        self._token: str | None = None

    def get(self, path: str, **params: Any) -> Any:
        """JSON of a GET. Raises the error's kind."""
        return self._call("GET", path, params=params or None)

    def post(self, path: str, body: Any = None) -> Any:
        """JSON of a POST; signs in first when the server asks for it."""
        return self._call("POST", path, json=body)

    def lines(self, path: str) -> Iterator[str]:
        """The data lines of a stream of server-sent events, until it ends or breaks."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        timeout = httpx.Timeout(30.0, read=90.0)
        with self.http.stream("GET", self.url + path, headers=headers, timeout=timeout) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield line[6:]

    def sign_in(self) -> None:
        """Signs the wallet in."""
        asked = self._send("GET", "/auth/nonce")
        message = SiweMessage(
            domain=asked["domain"],
            address=self.address,
            statement="Sign in to Inferix.",
            uri=f"http://{asked['domain']}",
            version="1",
            chain_id=asked["chain_id"],
            nonce=asked["nonce"],
            issued_at=ISO8601Datetime.from_datetime(datetime.now(UTC)),
        ).prepare_message()
        signed = Account.sign_message(encode_defunct(text=message), self._key)
        body = {"message": message, "signature": "0x" + bytes(signed.signature).hex()}
        self._token = self._send("POST", "/auth/login", json=body)["token"]

    def _call(self, method: str, path: str, **request: Any) -> Any:
        try:
            return self._send(method, path, **request)
        except SignInFirst:
            self.sign_in()
            return self._send(method, path, **request)

    def _send(self, method: str, path: str, **request: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}

        def once() -> httpx.Response:
            return self.http.request(method, self.url + path, headers=headers, **request)

        answer = _retried(once, self.url)
        if answer.status_code >= 400:
            raise _error(answer)
        return answer.json() if answer.content else None


class SignInFirst(Refused):
    """The server wants a session."""


def _retried(once: Callable[[], httpx.Response], url: str) -> httpx.Response:
    """Waits out cut connections, 429 and 5xx, a little longer each time."""
    why = ""
    for attempt in range(RETRIES):
        try:
            answer = once()
        except httpx.TransportError as error:
            why = type(error).__name__
        else:
            if answer.status_code != 429 and answer.status_code < 500:
                return answer
            why = f"status {answer.status_code}"
        time.sleep(min(8.0, 0.25 * 2**attempt) * (0.5 + random.random()))  # noqa: S311
    raise Unavailable(f"{url} does not answer ({why}): check the address, or try again later", 10)


def _error(answer: httpx.Response) -> InferixError:
    try:
        message = str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = f"status {answer.status_code}"
    if answer.status_code == 401:
        return SignInFirst(message)
    return _KINDS.get(answer.status_code, InferixError)(message)
