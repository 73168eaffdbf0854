# SPDX-License-Identifier: Apache-2.0
"""HTTP to the network's API as a wallet: sign-in (EIP-4361), retries, clear errors."""

import json
import random
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
from eth_account import Account
from eth_account.messages import encode_defunct

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

RETRIES = 8  # over half a minute: an API that is started anew is waited for
LONGEST_PAUSE = 30.0
Sleep = Callable[[float], None]
_KINDS: dict[int, type[InferixError]] = {
    400: InvalidInput,
    401: Refused,
    403: Refused,
    404: NotFound,
    405: Misconfigured,
    409: Conflict,
    413: LimitExceeded,
    422: InvalidInput,
    507: LimitExceeded,
}


class SignInFirst(Refused):
    """The server wants a session."""


class Session:
    """One wallet's session. ``key``: 32-byte private key; it signs and is never sent. ``http`` is not closed here."""

    def __init__(self, url: str, key: bytes, http: httpx.Client, sleep: Sleep = time.sleep) -> None:
        self.url = url.rstrip("/")
        self.address: str = Account.from_key(key).address
        self._key = key
        self._http = http
        self._sleep = sleep
        self._token: str | None = None

    def get(self, path: str, **params: Any) -> Any:
        """JSON of a GET. Raises the error's kind."""
        return self._call("GET", path, params=params or None)

    def post(self, path: str, body: Any = None) -> Any:
        """JSON of a POST; signs in first when the server asks for it."""
        return self._call("POST", path, json=body)

    def lines(self, path: str) -> Iterator[str]:
        """The data lines of a stream of server-sent events until it ends. Raises Unavailable when it breaks."""
        timeout = httpx.Timeout(30.0, read=90.0)
        try:
            with self._http.stream("GET", self.url + path, headers=self._headers(), timeout=timeout) as answer:
                if answer.status_code >= 400:
                    answer.read()
                    raise _error(answer)
                for line in answer.iter_lines():
                    if line.startswith("data: "):
                        yield line[6:]
        except httpx.HTTPError as error:
            raise Unavailable(f"the stream of {path} broke ({type(error).__name__}): ask again") from error

    def sign_in(self) -> None:
        """Signs the wallet in, at the host of ``url`` alone. Raises Refused where the server names another text."""
        # Only here: it brings a second of imports, and most commands sign nothing.
        from siwe import ISO8601Datetime, SiweMessage  # type: ignore[import-untyped]

        asked = self._send("GET", "/auth/nonce")
        self._check_asked(asked)
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

    def _check_asked(self, asked: Any) -> None:
        """A server chooses nonce and chain; another's domain, or words of its own, would be signed for it elsewhere."""
        own, named = httpx.URL(self.url).netloc.decode(), asked.get("domain") if isinstance(asked, dict) else None
        if not isinstance(named, str) or named.lower() != own.lower():
            raise Refused(
                f"{self.url} wants a sign-in at {str(named)[:80]!r}: nothing is signed. If that is the network's "
                "address, give it as --api; its manager says by INFERIX_DOMAIN where people sign in"
            )
        nonce, chain_id = asked.get("nonce"), asked.get("chain_id")
        if not isinstance(nonce, str) or not re.fullmatch("[A-Za-z0-9]{8,64}", nonce) or type(chain_id) is not int:
            raise Refused(f"{self.url} wants a sign-in with what is no nonce or no chain: nothing is signed")

    def _call(self, method: str, path: str, **request: Any) -> Any:
        try:
            return self._send(method, path, **request)
        except SignInFirst:
            self.sign_in()
            return self._send(method, path, **request)

    def _send(self, method: str, path: str, **request: Any) -> Any:
        return _json(
            lambda: self._http.request(method, self.url + path, headers=self._headers(), **request),
            self.url,
            self._sleep,
        )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}


def ask(url: str, path: str, *, http: httpx.Client | None = None, sleep: Sleep = time.sleep) -> Any:
    """JSON of a GET that needs no wallet. ``http`` is not closed here. Raises the error's kind."""
    if http is None:
        with httpx.Client(timeout=30.0) as own:
            return ask(url, path, http=own, sleep=sleep)
    address = url.rstrip("/")
    return _json(lambda: http.get(address + path), address, sleep)


def _json(once: Callable[[], httpx.Response], url: str, sleep: Sleep) -> Any:
    answer = _retried(once, url, sleep)
    if answer.status_code >= 400:
        raise _error(answer)
    try:
        return _shown(answer.json()) if answer.content else None
    except (ValueError, RecursionError) as error:
        raise Misconfigured(f"{url} does not answer with JSON: is this the network's address (--api)?") from error


def _shown(value: Any) -> Any:
    """A server's answer as people may be shown it: a control character in it would be an order to their terminal."""
    if isinstance(value, str):
        return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in value)
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return {_shown(key): _shown(item) for key, item in value.items()} if isinstance(value, dict) else value


def _retried(once: Callable[[], httpx.Response], url: str, sleep: Sleep) -> httpx.Response:
    """Waits out cut connections, 429 and 5xx: a little longer each time, or as long as the server says."""
    why, wait = "", 0.0
    for attempt in range(RETRIES):
        if attempt:
            sleep(max(wait, min(8.0, 0.25 * 2**attempt) * random.uniform(0.5, 1.5)))  # noqa: S311
        wait = 0.0
        try:
            answer = once()
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Misconfigured(f"{url!r} is not an HTTP address: write it like http://127.0.0.1:8600") from error
        except httpx.TransportError as error:
            why = type(error).__name__
            continue
        if (answer.status_code != 429 and answer.status_code < 500) or answer.status_code == 507:
            return answer
        why, wait = f"status {answer.status_code}: {_message(answer)}", _retry_after(answer)
        if wait > LONGEST_PAUSE:
            break
    raise Unavailable(f"{url} does not answer ({why}): check the address, or try again later", int(wait) or 10)


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0.0


def _message(answer: httpx.Response) -> str:
    try:
        return str(_shown(json.loads(answer.content)["error"]["message"]))[:500]
    except (ValueError, LookupError, TypeError, RecursionError):
        return "no reason given"


def _error(answer: httpx.Response) -> InferixError:
    kind = SignInFirst if answer.status_code == 401 else _KINDS.get(answer.status_code, InferixError)
    return kind(_message(answer))
