# SPDX-License-Identifier: Apache-2.0
"""A client's fee, one order or many: each task's is rounded up, so nobody pays less by cutting its work into parts."""

import pytest

from inferix.replay.settlement import draft_batches
from inferix.units import fee_of
from tests.replay.chain import MANAGER, Chain

FRAMES = 4
WORK, ASSEMBLY = 1_000_001, 500_001
PRICE = 16_000_000  # what the workers ask: no fee is a whole number of nano-dollars


def charged(orders: int, frames_per_task: int) -> int:
    """Fees of all frames, in so many orders, as the manager settles them [nano-USD]."""
    chain = Chain()
    chain.start()
    fields = {"work": WORK, "assemble_work": ASSEMBLY, "frames_per_task": frames_per_task}
    for _ in range(orders):
        chain.finish(chain.order(chain.spec(frames=FRAMES // orders, **fields)))
    assert not chain.network.missing
    return sum(int(draft.header["charge"]) for draft in draft_batches(chain.network, MANAGER))


@pytest.mark.parametrize("orders", [2, FRAMES])
def test_a_job_split_over_orders_costs_an_assembly_more_each(orders: int) -> None:
    assert charged(orders, 1) - charged(1, 1) == (orders - 1) * fee_of(ASSEMBLY, PRICE) > 0


@pytest.mark.parametrize("frames_per_task", [1, 2])
def test_frames_in_smaller_tasks_cost_no_less(frames_per_task: int) -> None:
    """And under a nano-dollar a task more."""
    whole, parts = charged(1, FRAMES), charged(1, frames_per_task)
    assert whole == fee_of(FRAMES * WORK, PRICE) + fee_of(ASSEMBLY, PRICE)
    assert 0 < parts - whole < FRAMES // frames_per_task
