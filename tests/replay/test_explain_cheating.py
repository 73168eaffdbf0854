# SPDX-License-Identifier: Apache-2.0
"""What `inferix explain` says a worker could expect of cheating."""

from inferix.replay.cheating import by_device_class, of_worker
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


def test_cheating__by_device_class_is_that_of_the_worker_who_can_expect_most() -> None:
    chain, _, worker = _task()
    work, price = 10**9, 16_000_000
    slow = chain.network.nodes[worker]
    slow.ib //= 2
    (found,) = by_device_class(chain.network, work, price)
    assert found == of_worker(chain.network, slow, work, price)
    assert found.stake == 82_944_000
    assert found.expected_value < 0
    slow.device_class = b"hip".ljust(32, b"\0")
    assert [item.device_class for item in by_device_class(chain.network, work, price)] == ["hip", "cpu"]


def test_cheating__what_has_to_be_checked_falls_with_the_stake() -> None:
    chain, _, worker = _task()
    node = chain.network.nodes[worker]
    found = of_worker(chain.network, node, 10**9, 16_000_000)
    assert found.audit_ppm is not None
    assert 0 < found.audit_ppm < 100_000  # a tenth of the attempts would do; all are checked
    dear = of_worker(chain.network, node, 10**12, 16_000_000)
    assert dear.audit_ppm is not None
    assert dear.audit_ppm > 10 * found.audit_ppm
    node.device_class = b"hip".ljust(32, b"\0")
    assert of_worker(chain.network, node, 10**9, 16_000_000).audit_ppm is None
