# SPDX-License-Identifier: Apache-2.0
"""How verification has judged, from the chain alone."""

import pytest

from inferix.models.job import case_id
from inferix.models.roles import ClearedBy, Outcome
from inferix.replay.record import record_of
from tests.replay.chain import Chain


def accused(chain: Chain) -> bytes:
    """A case against a worker that was rejected."""
    state = chain.state(chain.order(), 0)
    chain.run(state, Outcome.REJECTED)
    case = case_id(state.task.id, 0)
    node = state.attempts[0].node
    chain.emit("CaseFrozen", case=case, task=state.task.id, attempt=0, node=node, amount=1_000)
    return case


def test_nothing_has_been_judged(chain: Chain) -> None:
    found = record_of(chain.network)
    assert (found.cases, sum(found.outcomes.values())) == (0, 0)
    assert found.false_ppm == (0, 1_000_000)  # of nothing, nothing is known


def test_outcomes_and_a_case_that_is_open(chain: Chain) -> None:
    accused(chain)
    found = record_of(chain.network)
    assert (found.outcomes["rejected"], found.outcomes["accepted"], found.cases, found.open) == (1, 0, 1, 1)
    assert found.false_ppm == (0, 1_000_000)


def test_a_slash_counts_as_right(chain: Chain) -> None:
    case = accused(chain)
    chain.emit("CaseSlashed", case=case, node=2, amount=1_000)
    found = record_of(chain.network)
    assert (found.open, found.slashed, found.false) == (0, 1, 0)
    assert found.false_ppm == (0, 975_001)


@pytest.mark.parametrize(
    ("reason", "false"),
    [
        (ClearedBy.PANEL_REVERSED, 1),
        (ClearedBy.BATCH_CANCELLED, 1),
        (ClearedBy.LEAF_VOID, 1),
        (ClearedBy.REJECTED_AGAIN, 0),
        (ClearedBy.NOT_REDONE, 0),
        (ClearedBy.UNDECIDED, 0),
    ],
)
def test_only_what_was_shown_to_be_wrong_counts_as_false(chain: Chain, reason: ClearedBy, false: int) -> None:
    case = accused(chain)
    chain.emit("CaseCleared", case=case, reason=int(reason))
    found = record_of(chain.network)
    assert (found.cleared, found.false, found.slashed) == (1 - false, false, 0)
    assert found.false_ppm[0] == false * 1_000_000
