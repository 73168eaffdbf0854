# SPDX-License-Identifier: Apache-2.0
"""What holds for every request: headers, a limit on bodies, errors of one shape that tell nothing of the inside."""

import json
import sqlite3
import time

from sqlalchemy.exc import OperationalError

from api.guard import MAX_BODY
from inferix.errors import Unavailable
from inferix.replay import Network
from inferix.storage.cid import Cid, Codec
from inferix.storage.service import MAX_ASKED
from tests.api.conftest import SEALED, Api, code


def test_browsers_are_told_not_to_guess_or_frame(api: Api) -> None:
    for answer in (api.http.get("/network"), api.http.get("/jobs/x")):
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_body_that_is_too_large_is_refused_unread(api: Api) -> None:
    status, says = code(api.http.post("/auth/login", content=b"x" * (MAX_BODY + 1)))
    assert status == 413
    assert "send less" in says
    assert code(api.http.post("/auth/login", content=b"x" * MAX_BODY))[0] == 422


def test_attack_hundreds_of_thousands_of_unknown_keys_are_refused_unread(api: Api) -> None:
    """Each of them would be an error of its own: five seconds in which nobody else is served."""
    bearer = api.bearer()
    started = time.monotonic()
    for number, expected in ((350_000, 413), (5_000, 422)):
        body = {"request": {f"{key:x}": 0 for key in range(number)}, "sealed_key": SEALED}
        assert code(api.http.post("/quotes", json=body, headers=bearer))[0] == expected
    assert time.monotonic() - started < 5
    cids = [str(Cid.of(Codec.RAW, b"%d" % number)) for number in range(MAX_ASKED)]
    assert len(json.dumps(cids)) < MAX_BODY
    assert api.http.post("/blocks/missing", json=cids).json() == cids
    assert code(api.http.post("/blocks/missing", json=["x" * MAX_BODY]))[0] == 413


def test_errors_have_one_shape(api: Api) -> None:
    for answer in (
        api.http.get("/nowhere"),
        api.http.delete("/network"),
        api.http.post("/auth/login", json={}),
        api.http.get("/nodes/99"),
        api.http.get("/batches/0x01"),
    ):
        assert answer.status_code >= 400
        assert set(answer.json()) == {"error"}
        assert set(answer.json()["error"]) == {"code", "message"}
    assert api.http.delete("/network").headers["allow"] == "GET"


def test_what_fails_inside_stays_inside(api: Api) -> None:
    def fail() -> Network:
        raise RuntimeError("the password is swordfish")

    api.context.follow = fail
    answer = api.http.get("/network")
    assert answer.status_code == 500
    assert "swordfish" not in answer.text
    assert "log" in code(answer)[1]


def test_a_busy_database_or_chain_is_told_as_such(api: Api) -> None:
    def busy() -> Network:
        raise OperationalError("SELECT", {}, sqlite3.OperationalError("database is locked"))

    api.context.follow = busy
    answer = api.http.get("/network")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")

    def full() -> Network:
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))

    api.context.follow = full
    status, says = code(api.http.get("/network"))
    assert (status, "disk is full and nothing of this was kept" in says) == (507, True)

    def silent() -> Network:
        raise Unavailable("the chain does not answer", 7)

    api.context.follow = silent
    answer = api.http.get("/network")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
