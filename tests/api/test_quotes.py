# SPDX-License-Identifier: Apache-2.0
"""Quotes: asked for by a signed-in wallet about a package that is here, answered to nobody else."""

from dataclasses import asdict
from typing import Any

from sqlmodel import select

from inferix.models.job import QuoteRequest
from inferix.models.roles import Role
from inferix.replay.cheating import by_device_class
from inferix.storage.tables import ManagerHere, QuoteJob, SealedKey
from tests.api.conftest import SEALED, Api, code
from tests.replay.chain import MANAGER, address


def ask(api: Api, headers: dict[str, str], **changes: Any) -> Any:
    cid = changes.pop("input", None) or str(api.context.store.add(b"a sealed package"))
    request = {**api.chain.spec().request.model_dump(mode="json"), "input": cid, **changes}
    return api.http.post("/quotes", json={"request": request, "sealed_key": SEALED}, headers=headers)


def test_a_quote_is_kept_for_the_manager_and_answered_to_who_asked(api: Api) -> None:
    headers = api.bearer()
    answer = ask(api, headers)
    assert answer.status_code == 202, answer.text
    quote = answer.json()["id"]
    waiting = api.http.get(f"/quotes/{quote}", headers=headers).json()
    assert (waiting["state"], waiting["cheating"]) == ("waiting", []), "what is not priced has no expected value"
    with api.database.session() as session:
        row = session.exec(select(QuoteJob)).one()
        assert row.owner == address(0)
        assert QuoteRequest.decode(row.request).manager == MANAGER
        assert session.get(SealedKey, (row.id, MANAGER)) is not None
        row.state, row.work, row.low_price, row.high_price, row.expires = "ready", 7, 8, 9, 10
        row.signature = b"\x01" * 65
        session.add(row)
    view = api.http.get(f"/quotes/{quote}", headers=headers).json()
    assert (view["state"], view["work"], view["low_price"], view["high_price"]) == ("ready", 7, 8, 9)
    assert view["signature"] == "0x" + "01" * 65
    assert view["cheating"] == [asdict(item) for item in by_device_class(api.chain.network, 7, 8)]
    (worst,) = view["cheating"]
    assert (worst["device_class"], worst["reward"]) == ("cpu", 1)
    assert worst["expected_value"] < 0 < worst["stake"]
    assert api.http.get(f"/quotes/{quote}", headers=api.bearer(2)).status_code == 404
    assert api.http.get(f"/quotes/{quote}").status_code == 401


def test_a_quote_needs_a_wallet(api: Api) -> None:
    assert ask(api, {}).status_code == 401


def test_a_quote_needs_a_manager(api: Api) -> None:
    headers = api.bearer()
    for node in (2, 99):
        status, says = code(ask(api, headers, manager=node))
        assert status == 422
        assert "no manager" in says


def test_regression_a_quote_of_a_manager_whose_keepers_are_elsewhere_is_refused(api: Api) -> None:
    """Nobody here would ever answer it."""
    headers = api.bearer()
    fields = {"owner": address(100), "role": int(Role.MANAGER), "sealing_key": b"\1" * 32, "price": 0}
    api.chain.emit("NodeRegistered", node=50, operator=address(50), licence=50, **fields)
    assert ask(api, headers, manager=50).status_code == 202, "nobody's keepers are known yet"
    with api.database.session() as session:
        session.add(ManagerHere(operator=address(MANAGER), node=MANAGER))
    status, says = code(ask(api, headers, manager=50))
    assert status == 422
    assert f"ask manager {MANAGER}" in says
    assert ask(api, headers).status_code == 202


def test_a_quote_needs_its_input(api: Api) -> None:
    headers = api.bearer()
    cid = str(api.context.store.add(b"elsewhere"))
    for block in (api.context.store._root / "blocks").rglob("bafk*"):  # type: ignore[attr-defined]
        block.unlink()
    status, says = code(ask(api, headers, input=cid))
    assert status == 404
    assert "upload it first" in says
    assert code(ask(api, headers, input="b" * 50))[0] == 422


def test_a_quote_needs_a_whole_sealed_key(api: Api) -> None:
    headers = api.bearer()
    request = api.chain.spec().request.model_dump(mode="json")
    status, says = code(api.http.post("/quotes", json={"request": request, "sealed_key": "0x00"}, headers=headers))
    assert status == 422
    assert "80 bytes" in says


def test_a_wallet_has_few_quotes_in_work_at_once(api: Api) -> None:
    headers = api.bearer()
    assert [ask(api, headers).status_code for _ in range(5)] == [202, 202, 202, 202, 409]
    assert ask(api, api.bearer(2)).status_code == 202
    with api.database.session() as session:
        row = session.exec(select(QuoteJob).where(QuoteJob.owner == address(0))).first()
        assert row is not None
        row.state = "refused"
        session.add(row)
    assert ask(api, headers).status_code == 202


def test_malformed_quote_requests_are_refused(api: Api) -> None:
    headers = api.bearer()
    settings = api.chain.spec().request.settings.model_dump(mode="json")
    for changes in ({"first_frame": 3, "last_frame": 2}, {"width": 1}, {"samples": 0}, {"foreign": 1}):
        answer = ask(api, headers, settings={**settings, **changes})
        assert answer.status_code == 422
    assert api.http.post("/quotes", content=b"{", headers=headers).status_code == 422


def test_regression_a_problem_with_a_name_that_is_no_text_is_answered(api: Api) -> None:
    headers, request = api.bearer(), api.chain.spec().request.encode()
    problem = {"code": "missing_file", "message": "tex\udcff.png is missing", "severity": "error"}
    with api.database.session() as session:
        fields = {"request": request, "asked_at": 1, "state": "refused", "problems": [problem]}
        session.add(QuoteJob(id=b"\1" * 32, owner=address(0), **fields))
    answer = api.http.get("/quotes/0x" + "01" * 32, headers=headers)
    assert (answer.status_code, answer.json()["problems"]) == (200, [{**problem, "message": "tex?.png is missing"}])
