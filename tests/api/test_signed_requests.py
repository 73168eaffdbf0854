# SPDX-License-Identifier: Apache-2.0
"""A node's request counts when its operator signed exactly this, just now."""

import pytest

from tests.api.conftest import Api, code

PROGRESS = {"task": "0x" + "00" * 32, "attempt": 0, "frame": 1, "permille": 5}


def test_a_signed_request_is_answered(api: Api) -> None:
    answer = api.node(2, "GET", "/node/work")
    assert answer.json() == {"time": api.chain.network.time, "work": []}
    assert next(row for row in api.http.get("/nodes").json() if row["id"] == 2)["seen_at"] == api.chain.network.time


def test_a_request_without_a_signature_is_refused(api: Api) -> None:
    assert api.http.get("/node/work").status_code == 422


def test_a_request_signed_by_another_key_is_refused(api: Api) -> None:
    status, says = code(api.node(2, "GET", "/node/work", signer=3))
    assert status == 403
    assert "not signed by the operator of node 2" in says


def test_a_node_that_is_not_registered_is_refused(api: Api) -> None:
    assert "not registered" in code(api.node(99, "GET", "/node/work"))[1]


@pytest.mark.parametrize("off", [-121, 121])
def test_an_old_or_early_request_is_refused(api: Api, off: int) -> None:
    status, says = code(api.node(2, "GET", "/node/work", time=api.chain.network.time + off))
    assert status == 403
    assert "GET /network" in says


def test_a_signature_over_another_path_is_refused(api: Api) -> None:
    assert api.node(2, "GET", "/node/work", signed_path="/node/messages").status_code == 403
    assert api.node(2, "GET", "/node/work?all=1", signed_path="/node/work").status_code == 403


def test_a_signature_over_another_method_is_refused(api: Api) -> None:
    signed = api.node(2, "GET", "/node/messages").request.headers
    headers = {name: value for name, value in signed.items() if name.lower().startswith("x-inferix")}
    assert api.http.post("/node/messages", headers=headers, content=b"").status_code == 403


def test_a_body_that_was_changed_on_the_way_is_refused(api: Api) -> None:
    honest = api.node(2, "POST", "/node/progress", PROGRESS)
    assert "does not work on that attempt" in code(honest)[1]  # the signature was taken
    tampered = api.node(2, "POST", "/node/progress", PROGRESS, sent_body=b'{"task": "0x00"}')
    assert tampered.status_code in (403, 422)
    other = api.node(2, "POST", "/node/progress", PROGRESS, sent_body=str(PROGRESS).replace("'", '"').encode() + b" ")
    assert "not signed by the operator" in code(other)[1]


@pytest.mark.parametrize("signature", ["0x", "zz", "0x" + "00" * 65, "0x" + "11" * 64 + "1b"])
def test_a_malformed_signature_is_refused(api: Api, signature: str) -> None:
    headers = {
        "X-Inferix-Node": "2",
        "X-Inferix-Time": str(api.chain.network.time),
        "X-Inferix-Signature": signature,
    }
    assert api.http.get("/node/work", headers=headers).status_code in (403, 422)
