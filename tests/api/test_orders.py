# SPDX-License-Identifier: Apache-2.0
"""Orders and cancellations: what a keeper will post is kept, what would be void is refused at once."""

from typing import Any

import pytest
from httpx import Response
from sqlmodel import select

from inferix.messages import Cancel, Domain, Order
from inferix.models.job import JobSpec
from inferix.storage.documents import get_document
from inferix.storage.tables import SealedKey, SignedOrder, WantedCancel
from tests.api.conftest import SEALED, Api, code
from tests.replay.chain import COIN, DOMAIN, MANAGER, address, key

ELSEWHERE = Domain(chain_id=1, contract=DOMAIN.contract)


@pytest.fixture
def headers(api: Api) -> dict[str, str]:
    return api.bearer()


def terms(api: Api, spec: JobSpec, **changes: Any) -> Order:
    now = api.chain.network.time
    fields: dict[str, Any] = {
        "account": 1,
        "nonce": 1,
        "manager": MANAGER,
        "spec": spec.digest(),
        "cap": 10**9,
        "price": 20_000_000,
        "attempts": 3,
        "deadline": now + 86_400,
        "post_by": now + 600,
    }
    return Order(**{**fields, **changes})


def place(
    api: Api,
    headers: dict[str, str],
    spec: JobSpec | None = None,
    *,
    signer: int = 0,
    domain: Domain = DOMAIN,
    **changes: Any,
) -> Response:
    spec = spec or api.quoted()
    order = terms(api, spec, **changes)
    body = {
        "spec": spec.model_dump(mode="json"),
        "order": order.model_dump(mode="json"),
        "signature": "0x" + order.sign(domain, key(signer)).hex(),
        "sealed_key": SEALED,
    }
    return api.http.post("/orders", json=body, headers=headers)


def kept(api: Api) -> list[SignedOrder]:
    with api.database.reading() as session:
        return list(session.exec(select(SignedOrder)))


def test_an_order_is_kept_with_its_spec_and_key(api: Api, headers: dict[str, str]) -> None:
    spec = api.quoted()
    answer = place(api, headers, spec)
    assert answer.status_code == 202, answer.text
    job = bytes.fromhex(answer.json()["job"][2:])
    (row,) = kept(api)
    order, signature = Order.from_record(row.record)
    assert order.digest(DOMAIN) == row.job == job
    assert order.signer(DOMAIN, signature) == address(0)
    assert get_document(api.context.store, JobSpec, order.spec) == spec
    with api.database.reading() as session:
        key_row = session.get(SealedKey, (job, MANAGER))
    assert key_row is not None
    assert "0x" + key_row.sealed.hex() == SEALED
    view = api.http.get(f"/jobs/0x{job.hex()}").json()
    assert view["status"] == "signed"
    api.chain.store(spec)
    api.chain.emit("OrdersPosted", poster=address(MANAGER), records=row.record)
    assert api.http.get(f"/jobs/0x{job.hex()}").json()["status"] == "posted"  # the reducer takes it too


def test_who_is_not_signed_in_orders_nothing(api: Api) -> None:
    assert place(api, {}).status_code == 401
    assert kept(api) == []


def test_another_wallets_account_is_refused(api: Api) -> None:
    status, says = code(place(api, api.bearer(2), signer=2))
    assert status == 403
    assert "not yours" in says
    assert "not yours" in code(place(api, api.bearer(2)))[1]  # though its owner signed


def test_an_account_that_does_not_exist_is_refused(api: Api, headers: dict[str, str]) -> None:
    assert "account 7 is not yours" in code(place(api, headers, account=7))[1]


def test_an_order_that_another_key_signed_is_refused(api: Api, headers: dict[str, str]) -> None:
    status, says = code(place(api, headers, signer=2))
    assert status == 403
    assert "not signed by the wallet" in says


def test_an_order_for_another_chain_is_refused(api: Api, headers: dict[str, str]) -> None:
    status, says = code(place(api, headers, domain=ELSEWHERE))
    assert status == 403
    assert "check the chain id" in says


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cap": 101 * 10**9}, "free credit"),
        ({"price": 7_999_999}, "under the floor"),
        ({"price": 0}, "without a price"),
        ({"deadline": 1}, "deadline is past"),
        ({"deadline": 2**39}, "more than 30 days"),
        ({"post_by": 1}, "post-by"),
        ({"attempts": 0}, "no attempt"),
        ({"attempts": 17}, "at most 16"),
        ({"cap": 29_999_999}, "at least 30000000"),
        ({"manager": 2}, "different managers"),
    ],
)
def test_an_order_that_would_be_void_is_refused(
    api: Api, headers: dict[str, str], changes: dict[str, Any], reason: str
) -> None:
    status, says = code(place(api, headers, **changes))
    assert status == 422
    assert reason in says
    assert kept(api) == []


def test_an_order_that_names_another_spec_is_refused(api: Api, headers: dict[str, str]) -> None:
    spec = api.quoted()
    order = terms(api, spec)
    body = {
        "spec": api.quoted(frames=3).model_dump(mode="json"),
        "order": order.model_dump(mode="json"),
        "signature": "0x" + order.sign(DOMAIN, key(0)).hex(),
        "sealed_key": SEALED,
    }
    assert "another spec" in code(api.http.post("/orders", json=body, headers=headers))[1]


def test_the_cap_covers_all_tasks_at_the_orders_price(api: Api, headers: dict[str, str]) -> None:
    spec = api.quoted(work=10**9, assemble_work=10**9)
    price = 20_000_000
    assert "at least 60000000" in code(place(api, headers, spec, cap=3 * price - 1, price=price))[1]
    assert place(api, headers, spec, cap=3 * price, price=price).status_code == 202


def test_an_order_counts_once(api: Api, headers: dict[str, str]) -> None:
    spec = api.quoted()
    assert place(api, headers, spec).status_code == 202
    status, says = code(place(api, headers, spec))
    assert status == 409
    assert "placed before" in says
    assert len(kept(api)) == 1


def test_an_order_on_chain_is_not_placed_again(api: Api, headers: dict[str, str]) -> None:
    spec = api.quoted()
    place(api, headers, spec)
    (row,) = kept(api)
    api.chain.store(spec)
    api.chain.emit("OrdersPosted", poster=address(MANAGER), records=row.record)
    with api.database.session() as session:
        session.delete(session.merge(row))  # the keeper forgets what is on chain
    assert place(api, headers, spec).status_code == 409
    assert "nonce" in code(place(api, headers, spec, cap=2 * 10**9))[1]


def test_a_cancelled_nonce_is_refused(api: Api, headers: dict[str, str]) -> None:
    api.chain.emit("OrderCancelled", account=1, nonce=1)
    assert "nonce was used before or cancelled" in code(place(api, headers))[1]


def test_waiting_orders_hold_credit(api: Api, headers: dict[str, str]) -> None:
    assert place(api, headers, cap=60 * 10**9).status_code == 202
    status, says = code(place(api, headers, cap=60 * 10**9, nonce=2))
    assert status == 403
    assert "waiting orders" in says
    assert place(api, headers, cap=40 * 10**9, nonce=2).status_code == 202


def test_a_quote_of_another_manager_is_refused(api: Api, headers: dict[str, str]) -> None:
    status, says = code(place(api, headers, api.quoted(signer=2)))
    assert status == 403
    assert "not signed by the manager" in says


def test_a_quote_that_its_client_signed_as_a_worker_is_refused(api: Api, headers: dict[str, str]) -> None:
    request = api.chain.spec().request.model_copy(update={"manager": 2})
    assert "no manager" in code(place(api, headers, api.quoted(request=request, signer=2), manager=2))[1]


@pytest.mark.parametrize("changes", [{"work": 1}, {"low_price": 1}, {"high_price": 1}])
def test_a_spec_that_differs_from_its_quote_is_refused(
    api: Api, headers: dict[str, str], changes: dict[str, int]
) -> None:
    forged = api.quoted().model_copy(update=changes)
    assert "not signed by the manager" in code(place(api, headers, forged))[1]


def test_an_expired_quote_is_refused(api: Api, headers: dict[str, str]) -> None:
    status, says = code(place(api, headers, api.quoted(expires=api.chain.network.time - 1)))
    assert status == 403
    assert "expired" in says


def test_a_malformed_order_is_refused(api: Api, headers: dict[str, str]) -> None:
    spec = api.quoted()
    order = terms(api, spec).model_dump(mode="json")
    whole = {"spec": spec.model_dump(mode="json"), "order": order, "signature": "0x" + "00" * 65, "sealed_key": SEALED}
    for name, value in (("signature", "0x00"), ("signature", "0x" + "11" * 65), ("sealed_key", "0x"), ("order", {})):
        assert api.http.post("/orders", json={**whole, name: value}, headers=headers).status_code == 422
    assert api.http.post("/orders", json={**whole, "order": {**order, "cap": -1}}, headers=headers).status_code == 422


def cancel(api: Api, job: bytes, signer: int = 0, domain: Domain = DOMAIN) -> Response:
    order = api.chain.network.jobs[job].order
    signature = Cancel(account=order.account, nonce=order.nonce).sign(domain, key(signer))
    return api.http.post(f"/orders/0x{job.hex()}/cancel", json={"signature": "0x" + signature.hex()})


def test_a_job_is_cancelled_by_its_client(api: Api) -> None:
    job = api.chain.order()
    assert cancel(api, job).json() == {"status": "cancelling"}
    assert cancel(api, job).status_code == 202
    with api.database.reading() as session:
        assert session.exec(select(WantedCancel)).one().job == job


def test_another_wallets_job_is_not_cancelled(api: Api) -> None:
    job = api.chain.order()
    assert cancel(api, job, signer=2).status_code == 403
    assert cancel(api, job, domain=ELSEWHERE).status_code == 403
    with api.database.reading() as session:
        assert session.exec(select(WantedCancel)).first() is None


def test_a_job_that_has_ended_or_is_unknown_is_not_cancelled(api: Api) -> None:
    job = api.chain.order()
    order = api.chain.network.jobs[job].order
    api.chain.emit("OrderCancelled", account=order.account, nonce=order.nonce)
    status, says = code(cancel(api, job))
    assert status == 409
    assert "cancelled" in says
    unknown = api.http.post("/orders/0x" + "01" * 32 + "/cancel", json={"signature": "0x" + "00" * 65})
    assert unknown.status_code == 404
    assert api.http.post("/orders/nonsense/cancel", json={"signature": "0x" + "00" * 65}).status_code == 422


def test_the_second_coins_account_is_its_own(api: Api, headers: dict[str, str]) -> None:
    api.chain.emit("ToppedUp", account=2, owner=address(0), coin=COIN, amount=1, credit=10**9)
    assert place(api, headers, account=2, cap=10**9).status_code == 202
    assert "free credit" in code(place(api, headers, account=2, cap=10**9 + 1, nonce=2))[1]
