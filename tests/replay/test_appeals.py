# SPDX-License-Identifier: Apache-2.0
"""A won appeal gives the worker what its frame would have earned; a third false result is a fine like any other."""

from typing import Any

import pytest

from inferix.models.job import case_id
from inferix.models.roles import ClearedBy, Outcome
from inferix.replay.accounting import epoch_rewards, restored
from inferix.replay.reputation import final_leaves
from tests.replay.chain import Chain
from tests.replay.test_fines import slash


def judged(chain: Chain, reason: ClearedBy) -> Any:
    """A task rejected once and redone, in a final batch; its case ends so. The task's state."""
    job = chain.order()
    state = chain.state(job, 0)
    chain.run(state, Outcome.REJECTED)
    chain.finish(job)
    chain.settle()
    case = case_id(state.task.id, 0)
    chain.emit("CaseFrozen", case=case, task=state.task.id, attempt=0, node=state.attempts[0].node, amount=1)
    chain.emit("CaseCharged", case=case)
    chain.emit("CaseAppealed", case=case, block=chain.block)
    chain.emit("CaseCleared", case=case, reason=int(reason))
    return state


def test_a_won_appeal_earns_as_much_as_whoever_redid_the_frame(chain: Chain) -> None:
    state = judged(chain, ClearedBy.PANEL_REVERSED)
    wronged, redoer = (attempt.node for attempt in state.attempts[:2])
    charge = next(
        leaf.charge
        for batch in chain.network.batches.values()
        for leaf in batch.leaves
        if (leaf.task, leaf.outcome) == (state.task.id, Outcome.ACCEPTED)
    )
    assert list(restored(chain.network, 0)) == [(wronged, charge)] and charge > 0
    assert list(restored(chain.network, 1)) == []
    chain.close_epoch(10**18)
    epoch = chain.network.epochs[0]
    epoch.record.reputation.clear()
    fees = {wronged: charge}
    for _, leaf in final_leaves(chain.network, 0):
        if leaf.outcome is Outcome.ACCEPTED:
            fees[leaf.node] = fees.get(leaf.node, 0) + leaf.charge
    total = epoch.minted * 30 // 37
    assert total and fees[redoer] >= charge
    shares = {node: total * fee // sum(fees.values()) for node, fee in fees.items()}
    assert epoch_rewards(chain.network, epoch).workers == shares, "of what was minted anyway"


@pytest.mark.parametrize("reason", [reason for reason in ClearedBy if reason is not ClearedBy.PANEL_REVERSED])
def test_a_case_that_ends_otherwise_gives_nothing(chain: Chain, reason: ClearedBy) -> None:
    """Nobody said that the frame was right."""
    judged(chain, reason)
    assert list(restored(chain.network, 0)) == []


def test_a_task_that_nobody_was_charged_for_gives_nothing(chain: Chain) -> None:
    state = judged(chain, ClearedBy.PANEL_REVERSED)
    for batch in chain.network.batches.values():
        batch.leaves = [leaf for leaf in batch.leaves if leaf.outcome is not Outcome.ACCEPTED]
    assert list(restored(chain.network, 0)) == [(state.attempts[0].node, 0)]


def test_who_judged_any_of_three_strikes_gains_nothing_by_the_last_fine(chain: Chain) -> None:
    ids, judges = [], set()
    for _ in range(3):
        state = chain.state(chain.order(), 0)
        chain.run(state, Outcome.REJECTED)
        ids.append(case_id(state.task.id, 0))
        chain.emit("CaseFrozen", case=ids[-1], task=state.task.id, attempt=0, node=state.attempts[0].node, amount=1)
        judges |= set(state.attempts[0].votes)
    assert not any(case.is_counted for case in chain.network.cases.values())
    slash(chain, 1, 1_000)
    assert not chain.network.fines[-1].barred
    chain.emit("StruckOut", node=1, cases=ids, amount=1_000)
    assert judges and chain.network.fines[-1].barred == judges
    assert all(case.is_counted for case in chain.network.cases.values())
