# SPDX-License-Identifier: Apache-2.0
"""What `inferix explain` says a worker could expect of cheating."""

from inferix.replay.explain import explain_task
from inferix.units import NANO_PER_USD
from tests.replay.chain import Chain


def _task() -> tuple[Chain, bytes, int]:
    chain = Chain()
    chain.start()
    state = chain.state(chain.order(), 0)
    chain.run(state)
    return chain, state.task.id, state.attempts[0].node


def test_cheating__costs_more_than_it_brings_where_it_would_be_found() -> None:
    chain, task, _ = _task()
    found = explain_task(chain.network, task)["attempts"][0]["cheating"]
    assert found["found_ppm"] > 990_000
    # 0.2 of 2 x 4,320 minutes x 0.006 IB x 0.016 USD
    assert found["stake"] == 165_888_000
    assert -found["stake"] <= found["expected_value"] < 0
    assert 0 < found["reward"] < NANO_PER_USD


def test_cheating__where_no_kernels_were_compared_nothing_is_found_and_that_is_said() -> None:
    chain, task, worker = _task()
    chain.network.nodes[worker].device_class = b"hip".ljust(32, b"\0")
    found = explain_task(chain.network, task)["attempts"][0]["cheating"]
    assert found["found_ppm"] == 0
    assert found["expected_value"] == found["reward"]


def test_cheating__nothing_is_said_before_anybody_works() -> None:
    chain = Chain()
    chain.start()
    state = chain.state(chain.order(), 0)
    rows = explain_task(chain.network, state.task.id)["attempts"]
    assert all(row["cheating"] is None for row in rows)
