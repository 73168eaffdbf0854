# SPDX-License-Identifier: Apache-2.0
"""HTTP as a wallet: sign-in when asked, patience with a server in trouble, errors of the right kind."""

from collections.abc import Callable

import httpx
import pytest

from inferix.client.session import Session, ask
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
from tests.api.conftest import Api
from tests.replay.chain import address, key

URL = "http://network"


def over(handle: Callable[[httpx.Request], httpx.Response], waits: list[float]) -> Session:
    return Session(URL, key(0), httpx.Client(transport=httpx.MockTransport(handle)), waits.append)


def error(status: int, message: str = "why", **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": "X", "message": message}}, headers=headers)


def test_it_signs_in_when_the_server_asks_for_it(api: Api) -> None:
    session = Session("http://testserver", key(3), api.http)
    api.http.cookies.clear()
    assert session.get("/auth/me") == {"address": address(3)}
    assert session.address == address(3)


def test_a_session_that_ran_out_is_renewed_once(api: Api) -> None:
    session = Session("http://testserver", key(3), api.http)
    session.get("/auth/me")
    api.http.cookies.clear()
    session._token = "old"
    assert session.get("/auth/me") == {"address": address(3)}


def test_a_server_that_never_lets_in_refuses() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/nonce":
            return httpx.Response(200, json={"nonce": "0123456789abcdef", "domain": "network", "chain_id": 1})
        return error(401, "not you")

    with pytest.raises(Refused, match="not you"):
        over(handle, []).get("/quotes/1")


@pytest.mark.parametrize(
    "lie",
    [
        {"domain": "exchange.example"},
        {"domain": "network:8600"},
        {"domain": "network\n\nI give away all"},
        {"domain": None},
        {"nonce": "01234567\n\nI give away all"},
        {"nonce": "0123456"},
        {"nonce": "0" * 65},
        {"chain_id": "1\nNonce: 0123456789"},
    ],
)
def test_attack_a_server_has_nothing_signed_for_another_site(lie: dict[str, object]) -> None:
    sent: list[str] = []
    asked: dict[str, object] = {"nonce": "0123456789abcdef", "domain": "network", "chain_id": 1}

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        return httpx.Response(200, json=asked if request.url.path == "/auth/nonce" else {"token": "t"})

    over(handle, []).sign_in()
    assert sent == ["/auth/nonce", "/auth/login"]
    asked |= lie
    with pytest.raises(Refused, match="nothing is signed"):
        over(handle, []).sign_in()
    assert sent[2:] == ["/auth/nonce"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, Refused), (404, NotFound), (409, Conflict), (413, LimitExceeded), (422, InvalidInput), (507, LimitExceeded)],
)
def test_errors_keep_their_kind_and_words(status: int, kind: type[InferixError]) -> None:
    waits: list[float] = []
    with pytest.raises(kind, match="why"):
        over(lambda request: error(status), waits).get("/x")
    assert waits == []


def test_trouble_is_waited_out() -> None:
    answers = [error(503), error(429, **{"Retry-After": "7"}), httpx.Response(200, json={"well": 1})]
    waits: list[float] = []
    assert over(lambda request: answers.pop(0), waits).get("/x") == {"well": 1}
    assert waits[0] < 1
    assert waits[1] >= 7


def test_cut_connections_are_tried_again_then_reported() -> None:
    calls = 0

    def cut(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        raise httpx.ConnectError("refused", request=request)

    waits: list[float] = []
    with pytest.raises(Unavailable, match=r"ConnectError.*check the address"):
        over(cut, waits).get("/x")
    assert (calls, len(waits)) == (8, 7)


def test_a_server_that_wants_to_be_left_alone_for_long_is_not_waited_for() -> None:
    waits: list[float] = []
    with pytest.raises(Unavailable) as caught:
        over(lambda request: error(429, **{"Retry-After": "86000"}), waits).get("/x")
    assert caught.value.retry_after == 86_000
    assert waits == []


@pytest.mark.parametrize("body", [b"<html>", b'{"error": "x"}', b"[]", b""])
def test_an_error_of_another_shape_is_an_error_still(body: bytes) -> None:
    with pytest.raises(NotFound, match="no reason given"):
        over(lambda request: httpx.Response(404, content=body), []).get("/x")


def test_an_answer_that_is_no_json_is_another_server() -> None:
    with pytest.raises(Misconfigured, match="--api"):
        over(lambda request: httpx.Response(200, content=b"<html>"), []).get("/x")


@pytest.mark.parametrize("url", ["nonsense", "ftp://network", "http://[::1", ""])
def test_an_address_that_is_none_is_named(url: str) -> None:
    session = Session(url, key(0), httpx.Client(transport=httpx.HTTPTransport()), lambda _: None)
    with pytest.raises(Misconfigured, match="not an HTTP address"):
        session.get("/x")


def test_attack_a_server_gives_no_orders_to_the_terminal() -> None:
    hidden = "\x1b[2J\x1b]0;title\x07\u009b31m\u202e a job\nof two lines, été"
    session = over(lambda _: httpx.Response(200, json={"reason": [hidden]}), [])
    (shown,) = session.get("/jobs")["reason"]
    assert not set(shown) & set("\x1b\x07\u009b\u202e")
    assert shown.endswith(" a job\nof two lines, été")
    with pytest.raises(NotFound) as caught:
        over(lambda _: error(404, hidden), []).get("/jobs")
    assert "\x1b" not in str(caught.value)


def test_ask_needs_no_wallet() -> None:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=[1])

    assert ask(URL + "/", "/epochs", http=httpx.Client(transport=httpx.MockTransport(handle))) == [1]
    assert str(seen[0].url) == URL + "/epochs"
    assert "authorization" not in seen[0].headers
    with pytest.raises(NotFound, match="why"):
        ask(URL, "/x", http=httpx.Client(transport=httpx.MockTransport(lambda _: error(404))))
