# SPDX-License-Identifier: Apache-2.0
"""Leases that were paid as they were ordered are clean; any other payment is named."""

from typing import Any

import pytest

from inferix.models.job import LEASE_INDEX, task_id
from tests.audit.conftest import audit, problem
from tests.replay.chain import WORKERS, Chain, address
from tests.replay.test_leases import COST, handed_over, lease, pay


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


def test_a_lease_from_order_to_payment_is_clean(chain: Chain) -> None:
    state = handed_over(chain)
    chain.settle()
    pay(chain, state)
    report = audit(chain)
    assert report.problems == []
    assert (report.checked["leases"], report.checked["leaves"]) == (1, 1)


@pytest.mark.parametrize(
    "changes", [{"node": WORKERS[1]}, {"charge": COST + 1}, {"owner": address(0)}], ids=["node", "charge", "owner"]
)
def test_a_lease_paid_otherwise_is_named(chain: Chain, changes: dict[str, Any]) -> None:
    state = handed_over(chain)
    chain.settle()
    pay(chain, state, **changes)
    assert problem(chain).startswith(f"leases: lease {state.task.id.hex()[:12]}: paid as ")


def test_a_lease_paid_without_an_order_or_a_receipt_is_named(chain: Chain) -> None:
    waiting = chain.state(lease(chain), 0)
    pay(chain, waiting)
    assert problem(chain) == f"leases: lease {waiting.task.id.hex()[:12]}: paid without an order or a receipt"
    nobodys = task_id(b"\1" * 32, LEASE_INDEX)
    pay(chain, waiting, task=nobodys)
    assert len(audit(chain).problems) == 2
