# SPDX-License-Identifier: Apache-2.0
"""A document that a stranger wrote never stops a replay: its order is void, or its tasks run."""

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from inferix.messages import Order
from inferix.models.document import canonical
from inferix.models.job import MAX_FRAME_WORK, MAX_FRAMES_A_TASK, JobSpec
from inferix.replay.jobs import quote_of
from inferix.replay.state import JobStatus
from tests.replay.chain import DOMAIN, MANAGER, VERIFIERS, WORKERS, Chain, address, key

EDGES = (-1, 0, 1, 255, 600, 1_440, *(2**bits + step for bits in (16, 20, 31, 32, 40, 53, 63, 64) for step in (-1, 0)))
OF_SPEC = (
    "work", "assemble_work", "frames_per_task", "attempt_seconds", "quote_expires", "low_price", "high_price",
    "quote_signature", "kind", "request",
)  # fmt: skip
OF_REQUEST = ("manager", "input", "input_bytes", "key", "engine", "settings", "kind")
OF_SETTINGS = (
    "first_frame", "last_frame", "width", "height", "samples", "fps_milli", "camera", "layer", "eye"
)  # fmt: skip
ODD = st.sampled_from(EDGES) | st.sampled_from(("", "0x", "1", "\x00", "é" * 300, None, True, [], {}, 1.5, 10**400))


def post(chain: Chain, document: Any, signer: int = MANAGER, **changes: int) -> bytes:
    """Orders by a document as it stands, its quote signed wherever one can be."""
    try:
        spec = JobSpec.model_validate_json(canonical(document))
        document["quote_signature"] = "0x" + quote_of(spec).sign(DOMAIN, key(signer)).hex()
    except (ValidationError, ValueError):
        pass
    data = canonical(document)
    digest = hashlib.sha256(data).digest()
    chain.documents[digest] = data
    chain.nonce += 1
    fields: dict[str, Any] = {
        "account": 1, "nonce": chain.nonce, "manager": MANAGER, "spec": digest, "cap": 10**9, "price": 20_000_000,
        "attempts": 3, "deadline": chain.time + 86_400, "post_by": chain.time + 600,
    }  # fmt: skip
    order = Order(**{**fields, **changes})
    chain.wait()
    chain.emit("OrdersPosted", poster=address(0), records=order.record(order.sign(DOMAIN, key(0))))
    return order.digest(DOMAIN)


@settings(max_examples=120, deadline=None)
@given(
    of_spec=st.dictionaries(st.sampled_from(OF_SPEC), ODD, max_size=3),
    of_request=st.dictionaries(st.sampled_from(OF_REQUEST), ODD, max_size=2),
    of_settings=st.dictionaries(st.sampled_from(OF_SETTINGS), ODD, max_size=3),
    price=st.sampled_from((8_000_000, 20_000_000, 2**64 - 1)),
)
def test_no_spec_stops_a_replay(
    of_spec: dict[str, Any], of_request: dict[str, Any], of_settings: dict[str, Any], price: int
) -> None:
    chain = Chain()
    chain.start()
    document = chain.spec().model_dump(mode="json")
    document["request"]["settings"] |= of_settings
    document["request"] |= of_request
    job = chain.network.jobs[post(chain, document | of_spec, price=price)]
    chain.anchor()
    chain.anchor()
    if job.status is JobStatus.VOID:
        assert job.reason
    else:
        assert [state.current is not None for state in job.tasks[:-1]] == [True] * (len(job.tasks) - 1)


@pytest.mark.parametrize("work", [MAX_FRAME_WORK + 1, 2**63, 2**64 - 1])
def test_regression_a_task_of_more_work_than_its_number_holds_is_void(chain: Chain, work: int) -> None:
    """It stopped every replay at its order, and the order stays on chain."""
    document = chain.spec().model_dump(mode="json") | {"work": work, "frames_per_task": 2}
    job = chain.network.jobs[post(chain, document)]
    assert job.status is JobStatus.VOID
    assert "work" in job.reason
    chain.finish(chain.order())
    assert MAX_FRAME_WORK * MAX_FRAMES_A_TASK < 2**63


@pytest.mark.parametrize("node", [WORKERS[0], VERIFIERS[0]])
def test_regression_only_a_manager_quotes(chain: Chain, node: int) -> None:
    document = chain.spec().model_dump(mode="json")
    document["request"]["manager"] = node
    job = chain.network.jobs[post(chain, document, signer=node, manager=node)]
    assert job.status is JobStatus.VOID
    assert job.reason == "it names no manager"
