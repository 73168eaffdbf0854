# SPDX-License-Identifier: Apache-2.0
"""A panel's verdict that differs from what the rules alone give is named."""

from typing import Any

import pytest

from inferix.models.anchor import AccountsData
from inferix.replay.settlement import BatchDraft, draft_batch
from tests.audit.conftest import audit
from tests.replay.chain import MANAGER, Chain
from tests.replay.objecting import close, newest_roots, object_to_leaf, object_to_outcomes

UPHELD, REJECTED, UNDECIDED = 2, 3, 4


def verdicts(chain: Chain) -> list[str]:
    return [problem for problem in audit(chain).problems if problem.startswith("verdicts")]


@pytest.mark.parametrize("status", [UPHELD, REJECTED, UNDECIDED])
def test_an_objection_to_a_right_leaf_of_accounts(closed: Chain, accounts: AccountsData, status: int) -> None:
    closed.post_accounts(accounts)
    close(closed, object_to_leaf(closed, newest_roots(closed)[0], 1), status)
    says = "verdicts: the objection to leaf 1 of account root 1 is wrong, and was upheld"
    assert verdicts(closed) == ([says] if status == UPHELD else [])


@pytest.mark.parametrize("status", [UPHELD, REJECTED, UNDECIDED])
def test_an_objection_to_a_false_leaf_of_accounts(closed: Chain, accounts: AccountsData, status: int) -> None:
    rows = [accounts.accounts[0].model_copy(update={"spent": 1})]
    closed.post_accounts(accounts.model_copy(update={"accounts": rows}))
    close(closed, object_to_leaf(closed, newest_roots(closed)[0], 1), status)
    says = "verdicts: the objection to leaf 1 of account root 1 is right, and was rejected"
    assert verdicts(closed) == ([says] if status == REJECTED else [])


@pytest.mark.parametrize("status", [UPHELD, REJECTED])
def test_outcomes_that_votes_gave_are_for_the_panel_to_judge(chain: Chain, draft: BatchDraft, status: int) -> None:
    close(chain, object_to_outcomes(chain, chain.propose(draft), 0), status)
    assert verdicts(chain) == []


def test_no_panel_may_let_an_outcome_stand_that_the_rules_do_not_give(chain: Chain, draft: BatchDraft) -> None:
    leaves = [leaf.model_copy(update={"charge": leaf.charge + 1}) for leaf in draft.leaves]
    commitment = chain.propose(draft_batch(MANAGER, 1, 0, leaves, bytes(32)))
    close(chain, object_to_outcomes(chain, commitment, 0, 1), REJECTED)
    assert verdicts(chain) == ["verdicts: the objection to batch 1/1 is right, and was rejected"]


@pytest.mark.parametrize(
    ("changes", "status"), [({}, UPHELD), ({"voters": bytes(32)}, UPHELD), ({"charge": 1}, REJECTED)]
)
def test_no_panel_may_punish_a_manager_for_what_votes_say_or_spare_it_for_what_they_do_not(
    chain: Chain, draft: BatchDraft, changes: dict[str, Any], status: int
) -> None:
    leaves = [leaf.model_copy(update=changes) for leaf in draft.leaves]
    commitment = chain.propose(draft_batch(MANAGER, 1, 0, leaves, bytes(32)))
    close(chain, object_to_outcomes(chain, commitment, 0, is_managers=True), status)
    says = "is wrong, and was upheld" if status == UPHELD else "is right, and was rejected"
    assert verdicts(chain) == [f"verdicts: the objection to batch 1/1 {says}"]
