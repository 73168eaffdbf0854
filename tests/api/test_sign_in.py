# SPDX-License-Identifier: Apache-2.0
"""Wallet sign-in: one nonce, one session, and every way in that is closed."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from siwe import ISO8601Datetime
from sqlmodel import select

from api import auth
from inferix.storage.tables import Session, SiweNonce
from tests.api.conftest import Api, code, login_message, personal_sign
from tests.replay.chain import address


def test_a_wallet_signs_in_with_header_or_cookie_and_out(api: Api) -> None:
    answer = api.sign_in()
    assert answer.json()["address"] == address(0)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert api.http.get("/auth/me").json() == {"address": address(0)}
    bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
    api.http.cookies.clear()
    assert api.http.get("/auth/me", headers=bearer).status_code == 200
    assert api.http.post("/auth/logout", headers=bearer).status_code == 204
    assert api.http.get("/auth/me", headers=bearer).status_code == 401


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Bearer "}])
def test_nobody_is_signed_in_without_a_session(api: Api, headers: dict[str, str]) -> None:
    assert api.http.get("/auth/me", headers=headers).status_code == 401


def test_a_session_runs_out(api: Api) -> None:
    bearer = api.bearer()
    with api.database.session() as session:
        row = session.exec(select(Session)).one()
        row.expires_wall = int(time.time()) - 1
        session.add(row)
    assert api.http.get("/auth/me", headers=bearer).status_code == 401


def test_the_token_is_kept_as_a_hash_only(api: Api) -> None:
    token = api.sign_in().json()["token"]
    with api.database.reading() as session:
        row = session.exec(select(Session)).one()
    assert token.encode() not in row.token
    assert len(row.token) == 32


def test_a_nonce_is_good_once(api: Api) -> None:
    asked = api.http.get("/auth/nonce").json()
    message = login_message(0, asked)
    body = {"message": message, "signature": personal_sign(0, message)}
    assert api.http.post("/auth/login", json=body).status_code == 200
    status, says = code(api.http.post("/auth/login", json=body))
    assert status == 401
    assert "nonce" in says


def test_a_nonce_is_used_up_by_a_wrong_signature_too(api: Api) -> None:
    message = login_message(0, api.http.get("/auth/nonce").json())
    wrong = api.http.post("/auth/login", json={"message": message, "signature": personal_sign(2, message)})
    assert "InvalidSignature" in code(wrong)[1]
    right = api.http.post("/auth/login", json={"message": message, "signature": personal_sign(0, message)})
    assert "nonce" in code(right)[1]


def test_a_nonce_gets_old(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "NONCE_SECONDS", -1)
    status, says = code(api.sign_in())
    assert status == 401
    assert "too old" in says
    api.http.get("/auth/nonce")
    with api.database.reading() as session:
        assert len(session.exec(select(SiweNonce)).all()) == 1  # the older one is forgotten


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"domain": "evil.example"}, "evil.example"),
        ({"chain_id": 1}, "chain 1, this network is on chain 1337"),
        ({"nonce": "0123456789abcdef"}, "nonce"),
        ({"expiration_time": ISO8601Datetime.from_datetime(datetime.now(UTC) - timedelta(seconds=1))}, "Expired"),
        ({"not_before": ISO8601Datetime.from_datetime(datetime.now(UTC) + timedelta(hours=1))}, "NotYetValid"),
    ],
)
def test_a_message_for_another_place_or_time_is_refused(api: Api, changes: dict[str, Any], reason: str) -> None:
    status, says = code(api.sign_in(**changes))
    assert status == 401
    assert reason in says


@pytest.mark.parametrize(
    "signature",
    ["", "0x", "zz", "0x" + "00" * 65, "0x" + "ff" * 65, "0x" + "11" * 64],
    ids=["none", "empty", "no hex", "zeros", "ones", "short"],
)
def test_a_malformed_signature_is_refused(api: Api, signature: str) -> None:
    message = login_message(0, api.http.get("/auth/nonce").json())
    assert api.http.post("/auth/login", json={"message": message, "signature": signature}).status_code == 401


@pytest.mark.parametrize(
    "text",
    ["", "hello", "\0" * 100, "x" * 1_500, "http://" + "1." * 700, "a:" * 700],
    ids=["empty", "short", "zeros", "long", "host", "colons"],
)
def test_a_text_that_is_no_message_is_refused_at_once(api: Api, text: str) -> None:
    started = time.monotonic()
    answer = api.http.post("/auth/login", json={"message": text, "signature": "0x"})
    assert answer.status_code == 422
    assert time.monotonic() - started < 5


def test_attack_a_sign_in_of_many_resources_is_refused_unread(api: Api) -> None:
    message = login_message(0, api.http.get("/auth/nonce").json())
    for line in ("\n- a:b", "\n- a://b", "\n- a"):
        started = time.monotonic()
        body = {"message": f"{message}\nResources:{line * 12}\n- a b", "signature": "0x"}
        status, says = code(api.http.post("/auth/login", json=body))
        assert (status, "names no resources" in says) == (422, True)
        assert time.monotonic() - started < 5
    body = {"message": message, "signature": personal_sign(0, message)}
    assert api.http.post("/auth/login", json=body).status_code == 200  # whose nonce nothing of that has used


def test_a_long_message_is_read_at_once(api: Api) -> None:
    started = time.monotonic()
    message = login_message(0, api.http.get("/auth/nonce").json(), statement="a " * 500)
    answer = api.http.post("/auth/login", json={"message": message, "signature": personal_sign(0, message)})
    assert answer.status_code == 200
    assert time.monotonic() - started < 5
    message = login_message(0, api.http.get("/auth/nonce").json(), statement="a " * 800)
    assert api.http.post("/auth/login", json={"message": message, "signature": "0x"}).status_code == 422
