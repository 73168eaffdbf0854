# SPDX-License-Identifier: Apache-2.0
"""Requests: signed, timed by the block clock, patient with a network that is busy, plain about one that refuses."""

import gzip
import json
import threading
import tracemalloc
from typing import Any

import httpx
import pytest

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
from inferix.keystore import Keys, new_keys
from inferix.messages import Request, request_content
from inferix.models.work import ProbeDuty
from node.api import Api, _work_item
from node.identity import Identity
from node.transport import BlockClock, Connection, NotAuthenticated, back_off
from tests.node.network import DOMAIN, START
from tests.storage.test_files import ordinary_stack

URL = "http://network.test/base"


class Stop(threading.Event):
    """Does not wait, but remembers how long it should have."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout or 0)
        return self.is_set()


def unread(answer: httpx.Response) -> httpx.Response:
    """As it comes from a network: bytes that are still to be read."""
    return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.content))


def connect(
    answers: list[httpx.Response | Exception], stop: Stop | None = None
) -> tuple[Connection, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return unread(answer)

    clock = BlockClock()
    return Connection(URL, clock, transport=httpx.MockTransport(handle), stop=stop or Stop()), seen


@pytest.fixture
def keys() -> Keys:
    return new_keys()


def test_signed_request__is_what_the_server_recomputes(keys: Keys) -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return unread(httpx.Response(200, json={}))

    clock = BlockClock()
    clock.set(START)
    identity = Identity(7, DOMAIN, keys)
    connection = Connection(URL, clock, identity=identity, transport=httpx.MockTransport(handle))
    connection.call("POST", "/node/messages?x=1", {"kind": "Probe"})
    (request,) = seen
    content = request_content("POST", "/base/node/messages?x=1", request.content)
    message = Request(node=7, content=content, time=int(request.headers["X-Inferix-Time"]))
    assert message.time in (START, START + 1)
    assert request.headers["X-Inferix-Node"] == "7"
    assert message.signer(DOMAIN, bytes.fromhex(request.headers["X-Inferix-Signature"][2:])) == keys.address
    connection.call("GET", "/network", signed=False)
    assert not any(name.startswith("x-inferix") for name in seen[1].headers)


def test_clock__counts_from_what_the_network_said_last() -> None:
    ticks = [100.0]
    clock = BlockClock(lambda: ticks[0])
    with pytest.raises(Unavailable, match="not known"):
        clock.now()
    clock.set(START)
    ticks[0] += 30
    assert clock.now() == START + 30
    clock.set(START + 7)  # blocks come slower than seconds
    assert clock.now() == START + 7


def test_call__busy_network__waited_out() -> None:
    stop = Stop()
    answers = [httpx.Response(503), httpx.ConnectError("refused"), httpx.Response(200, json={"a": 1})]
    connection, seen = connect(list(answers), stop)
    assert connection.call("GET", "/network", attempts=3) == {"a": 1}
    assert len(seen) == 3
    assert 0.25 <= stop.waited[0] <= 0.5
    assert 0.5 <= stop.waited[1] <= 1


def test_call__too_many_requests__waits_as_long_as_it_is_told() -> None:
    stop = Stop()
    connection, _ = connect([httpx.Response(429, headers={"Retry-After": "17"}), httpx.Response(200, json=[])], stop)
    connection.call("GET", "/network", attempts=2)
    assert stop.waited == [17]


def test_call__never_answers__gives_up_and_says_what_it_tried() -> None:
    connection, seen = connect([httpx.ReadTimeout("late")] * 3)
    with pytest.raises(Unavailable, match="ReadTimeout"):
        connection.call("GET", "/network", attempts=3)
    assert len(seen) == 3


def test_call__stopped_while_waiting__ends_at_once() -> None:
    stop = Stop()
    stop.set()
    connection, seen = connect([httpx.Response(503)] * 3, stop)
    with pytest.raises(Unavailable, match="stopped"):
        connection.call("GET", "/network", attempts=3)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidInput),
        (401, NotAuthenticated),
        (403, Refused),
        (404, NotFound),
        (409, Conflict),
        (413, LimitExceeded),
        (422, InvalidInput),
        (507, LimitExceeded),
        (500, Unavailable),
        (302, Refused),
    ],
)
def test_call__refusal__has_the_servers_words_and_is_not_repeated(status: int, kind: type[InferixError]) -> None:
    answer = httpx.Response(status, json={"error": {"code": "x", "message": "because of this"}})
    connection, seen = connect([answer])
    with pytest.raises(kind, match="because of this"):
        connection.call("GET", "/nodes/1", attempts=1)
    assert len(seen) == 1


def test_call__answer_of_something_else__says_so() -> None:
    connection, _ = connect([httpx.Response(200, text="<html>")])
    with pytest.raises(Unavailable, match="JSON"):
        connection.call("GET", "/network")
    connection, _ = connect([httpx.Response(200, content=b"[" + b"1," * 5_000_000)])
    with pytest.raises(Unavailable, match="more than"):
        connection.call("GET", "/network")


def test_call__not_an_address__says_so() -> None:
    connection = Connection("network.test", BlockClock())
    with pytest.raises(Misconfigured, match="--api"):
        connection.call("GET", "/network")


def test_back_off__grows_to_a_limit_and_never_below_what_was_asked_up_to_a_minute() -> None:
    assert all(0.25 <= back_off(1) <= 0.5 for _ in range(50))
    assert all(15 <= back_off(30) <= 30 for _ in range(50))
    assert back_off(1, 60) == 60
    assert back_off(1, 61) == 60


def _api(answer: Any) -> Api:
    return Api(URL, transport=httpx.MockTransport(lambda _: unread(httpx.Response(200, json=answer))), attempts=1)


def test_work__unknown_and_malformed_items__are_left_out() -> None:
    probe = ProbeDuty(manager=1, anchor=10, seed=bytes(32), deadline=START)
    items = [probe.model_dump(mode="json"), {"kind": "dance"}, {"kind": "probe"}, "nonsense"]
    api = _api({"time": START, "work": items})
    assert api.work() == [probe]
    assert api.clock.now() in (START, START + 1)


@pytest.mark.parametrize("answer", [None, [], {"work": []}, {"time": "x", "work": []}, {"time": 1}])
def test_work__answer_without_time_or_work__is_unavailable(answer: Any) -> None:
    with pytest.raises(Unavailable, match="time and work"):
        _api(answer).work()


def test_network__answer_of_another_program__says_what_is_missing() -> None:
    with pytest.raises(Unavailable, match="chain_id"):
        _api({"time": 1}).network()


@pytest.mark.parametrize("time", ["Infinity", "NaN", "-1", str(2**40), "1e999", "1" * 5_000, '"soon"'])
def test_attack_a_time_that_no_request_could_be_signed_at_is_not_taken(time: str) -> None:
    """Every later request was to be signed with it, the one that would have brought the right time too."""
    text = f'{{"time": {time}, "work": []}}'
    answers = [{"time": START, "work": []}, text]
    content = [json.dumps(answer) if isinstance(answer, dict) else answer for answer in answers]
    transport = httpx.MockTransport(lambda _: unread(httpx.Response(200, text=content.pop(0))))
    api = Api(URL, transport=transport, attempts=1)
    api.work()
    with pytest.raises(Unavailable):
        api.work()
    assert api.clock.now() in (START, START + 1)


@pytest.mark.parametrize("status", [200, 503, 409])
def test_attack_a_hundred_thousand_brackets_are_no_answer(status: int) -> None:
    connection, _ = connect([httpx.Response(status, text="[" * 100_000)])
    with ordinary_stack(), pytest.raises((Unavailable, Conflict)):
        connection.call("GET", "/node/work")


def test_attack_an_item_too_deep_to_be_looked_at_is_left_out() -> None:
    deep: list[Any] = []
    for _ in range(2_000):
        deep = [deep]
    probe = ProbeDuty(manager=1, anchor=10, seed=bytes(32), deadline=START)
    with ordinary_stack():
        items = [{"kind": deep}, deep, probe.model_dump(mode="json")]
        assert [_work_item(item) for item in items] == [None, None, probe]


def test_attack_an_answer_is_not_unpacked() -> None:
    """Twelve kilobytes became eight hundred megabytes before anybody counted them."""
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(bomb))

    connection = Connection(URL, BlockClock(), transport=httpx.MockTransport(handle))
    tracemalloc.start()
    try:
        with pytest.raises(Unavailable, match="does not answer in JSON"):
            connection.call("GET", "/node/work")
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert seen[0].headers["Accept-Encoding"] == "identity"
