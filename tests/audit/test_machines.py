# SPDX-License-Identifier: Apache-2.0
"""An accepted result that names another machine than its worker was ever measured as is named."""

from typing import Any

import pytest

from inferix.machines import machine_name, to_bytes32
from inferix.models.result import Result
from inferix.models.roles import Outcome
from tests.audit.conftest import audit, problem
from tests.replay.chain import KERNEL, MANAGER, Chain


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


def delivered(chain: Chain, outcome: Outcome = Outcome.ACCEPTED, **made: Any) -> int:
    """A task whose worker says that this made its result; the worker."""
    state = chain.state(chain.order(), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    attempt = state.attempts[0]
    fields = {"engine": "blender", "build": "1.0", "device_class": "cpu", "kernel": KERNEL, **made}
    result = Result(kind=state.task.kind, task=state.task.id, attempt=0, node=attempt.node, **fields)
    chain.anchor(chain.receipt(state, chain.store(result)))
    chain.anchor(*chain.votes(state, outcome))
    return attempt.node


def test_what_its_worker_was_measured_as_is_clean(chain: Chain) -> None:
    delivered(chain)
    report = audit(chain)
    assert (report.problems, report.checked["machines"]) == ([], 1)


@pytest.mark.parametrize("made", [{"kernel": "another"}, {"kernel": ""}, {"device_class": "optix"}])
def test_attack_a_committee_in_league_that_accepts_another_machines_name_is_named(
    chain: Chain, made: dict[str, str]
) -> None:
    worker = delivered(chain, **made)
    name = machine_name(**{"device_class": "cpu", "kernel": KERNEL, **made})
    assert problem(chain).endswith(f"node {worker} never was measured as {name}")


def test_what_is_rejected_may_name_what_it_likes(chain: Chain) -> None:
    delivered(chain, Outcome.REJECTED, kernel="another")
    assert audit(chain).problems == []


def test_who_was_measured_anew_may_have_been_either(chain: Chain) -> None:
    for worker in (2, 3, 4):
        name = to_bytes32(machine_name("cpu", "another"))
        chain.emit("BenchmarkAttested", node=worker, manager=MANAGER, ib=6_000, device_class=name)
    delivered(chain)
    delivered(chain, kernel="another")
    assert audit(chain).problems == []
