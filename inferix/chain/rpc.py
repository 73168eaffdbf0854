# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC over several endpoints: a time limit on every call, waits instead of crashes.

An endpoint that answers 429 or 5xx, or not at all, rests for a while (Retry-After, else exponential back-off with full
jitter) and the next one is asked. When all rest, the caller waits up to ``patience`` seconds and then gets
ChainUnavailable. Asking twice is harmless: reads have no effect and a signed transaction stays the same one.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import requests
from web3 import HTTPProvider
from web3.types import RPCEndpoint

from inferix.chain.errors import ChainUnavailable, RpcError, WrongChain
from inferix.errors import Misconfigured

log = logging.getLogger(__name__)

_FIRST_REST = 0.5
_LONGEST_REST = 60.0
_RESTING_STATUS = (401, 403, 408, 429)  # of a hosted endpoint whose quota is used up, too
_LIMIT_CODES = (-32005, -32029, 429)
_LIMIT_WORDS = ("rate limit", "too many requests", "exceeded its compute", "capacity exceeded", "throughput")
_LAGGING_WORDS = ("header not found", "missing trie node", "unknown block", "block not found", "historical state")

Wait = Callable[[float], object]


def _check(number: int, url: str) -> None:
    try:
        requests.Request("POST", url).prepare()
        is_http = url.lower().startswith(("http://", "https://"))
    except requests.RequestException:
        is_http = False
    if not is_http:
        raise Misconfigured(f"endpoint {number} of the chain is no HTTP address: write it like http://127.0.0.1:8545")


class Endpoint:
    """One URL and how it has behaved. The URL may hold an access key: only ``name`` is for logs."""

    def __init__(self, number: int, url: str, timeout: float) -> None:
        _check(number, url)
        host = url.split("//", 1)[-1].split("/", 1)[0].rsplit("@", 1)[-1]
        self.name = f"endpoint {number} ({host})"
        self.provider = HTTPProvider(url, request_kwargs={"timeout": timeout}, exception_retry_configuration=None)
        self.rests_until = 0.0
        self.failures = 0
        self.chain_checked = False


class _Resting(Exception):
    """The endpoint cannot answer now. ``seconds``: how long it asks us to stay away, None when it did not say."""

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.seconds = seconds


class Rpc:
    """Calls to one chain. ``timeout``: seconds for one request; ``patience``: seconds for one call, waits included.

    Safe to share between threads. ``wait`` sleeps; when it returns True (a stop event's ``wait``) the call gives up.
    """

    def __init__(
        self,
        urls: Sequence[str],
        chain_id: int,
        *,
        timeout: float = 10.0,
        patience: float = 30.0,
        wait: Wait = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not urls:
            raise WrongChain("no endpoint of the chain is set: give at least one URL")
        self.chain_id = chain_id
        self._endpoints = [Endpoint(number, url, timeout) for number, url in enumerate(urls, 1)]
        self._patience = patience
        self._wait = wait
        self._clock = clock
        self._lock = threading.Lock()

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """The result of one call. Raises RpcError, ChainUnavailable or WrongChain."""
        return self._ask(lambda endpoint: _result(_send(endpoint, [(method, list(params))])[0]))

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """The results of several calls by one HTTP request to one endpoint, in order."""
        if not calls:
            return []
        wanted = [(method, list(params)) for method, params in calls]
        answers: list[Any] = self._ask(lambda endpoint: [_result(answer) for answer in _send(endpoint, wanted)])
        return answers

    def _ask(self, question: Callable[[Endpoint], Any]) -> Any:
        until = self._clock() + self._patience
        while True:
            endpoint = self._next()
            delay = endpoint.rests_until - self._clock()
            if delay > 0:
                if self._clock() + delay > until:
                    raise ChainUnavailable(
                        f"no endpoint of chain {self.chain_id} answers: check the addresses, or wait: the next try "
                        f"is in {delay:.0f} s",
                        int(delay) + 1,
                    )
                if self._wait(delay) is True:
                    raise ChainUnavailable("the program is stopping")
            try:
                self._check_chain(endpoint)
                answer = question(endpoint)
            except _Resting as reason:
                self._rest(endpoint, reason)
                if self._clock() >= until:
                    raise ChainUnavailable(
                        f"no endpoint of chain {self.chain_id} answers ({endpoint.name}: {reason}): check the "
                        "addresses, or try again later",
                        5,
                    ) from reason
                continue
            endpoint.failures = 0
            return answer

    def _next(self) -> Endpoint:
        """The first endpoint that does not rest, else the one that is back first."""
        now = self._clock()
        with self._lock:
            awake = [endpoint for endpoint in self._endpoints if endpoint.rests_until <= now]
            return awake[0] if awake else min(self._endpoints, key=lambda endpoint: endpoint.rests_until)

    def _rest(self, endpoint: Endpoint, reason: _Resting) -> None:
        with self._lock:
            endpoint.failures += 1
            ceiling = min(_LONGEST_REST, _FIRST_REST * 2 ** min(endpoint.failures, 10))
            seconds = reason.seconds if reason.seconds is not None else random.uniform(ceiling / 4, ceiling)  # noqa: S311
            endpoint.rests_until = self._clock() + min(seconds, 10 * _LONGEST_REST)
        log.warning("%s rests for %.1f s: %s", endpoint.name, seconds, reason)

    def _check_chain(self, endpoint: Endpoint) -> None:
        if endpoint.chain_checked:
            return
        found = int(_result(_send(endpoint, [("eth_chainId", [])])[0]), 16)
        if found != self.chain_id:
            raise WrongChain(f"{endpoint.name} serves chain {found}, not {self.chain_id}: correct the endpoints")
        endpoint.chain_checked = True


def _send(endpoint: Endpoint, calls: list[tuple[str, list[Any]]]) -> list[Any]:
    """The answers of an endpoint; _Resting when it cannot serve us now."""
    try:
        if len(calls) == 1:
            answers: Any = [endpoint.provider.make_request(RPCEndpoint(calls[0][0]), calls[0][1])]
        else:
            answers = endpoint.provider.make_batch_request([(RPCEndpoint(name), params) for name, params in calls])
    except requests.HTTPError as error:
        raise _http_trouble(error) from error
    except requests.RequestException as error:
        raise _Resting(type(error).__name__) from error  # the message holds the URL, which may hold a key
    except ValueError as error:
        raise _Resting("an answer that is not JSON") from error
    if isinstance(answers, dict):
        answers = [answers] * len(calls)  # one error for the whole batch
    if len(answers) != len(calls) or not all(isinstance(answer, dict) for answer in answers):
        raise _Resting(f"{len(answers)} answers to {len(calls)} calls")
    for answer in answers:
        _raise_if_resting(answer)
    return list(answers)


def _http_trouble(error: requests.HTTPError) -> _Resting:
    response = error.response
    status = response.status_code if response is not None else 0
    if status in _RESTING_STATUS or status >= 500:
        text = response.headers.get("Retry-After", "")
        return _Resting(f"HTTP {status}", float(text) if text.isdigit() else None)
    return _Resting(f"HTTP {status}", _LONGEST_REST)


def _raise_if_resting(answer: dict[str, Any]) -> None:
    error = answer.get("error")
    if not isinstance(error, dict):
        return
    text = str(error.get("message", "")).lower()
    too_often = any(word in text for word in _LIMIT_WORDS)
    # -32005 also says "this range has too many logs", which only a smaller question cures
    if too_often or (error.get("code") in _LIMIT_CODES and not too_large(text)):
        raise _Resting(f"it limits our rate: {text[:120]}")
    if any(word in text for word in _LAGGING_WORDS):
        raise _Resting(f"it lags behind: {text[:120]}", 1.0)


def too_large(text: str) -> bool:
    """Whether an endpoint's error text says that a range of logs is too wide or has too many of them."""
    text = text.lower()
    words = ("block range", "range is too", "range too", "more than", "too many results", "too large", "query returned")
    return any(word in text for word in (*words, "response size", "limited to", "exceed maximum"))


def _result(answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    if not isinstance(error, dict):
        raise RpcError(0, str(error))
    raise RpcError(int(error.get("code", 0)), str(error.get("message", "")), error.get("data"))
