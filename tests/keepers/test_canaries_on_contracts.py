# SPDX-License-Identifier: Apache-2.0
"""Receipts that commit, and the real contracts: what escapes, what does not, and what keepers do about false leaves."""

import boa
import pytest
from eth.exceptions import Revert

from inferix.errors import NotFound
from inferix.escape import PATIENCE, draft
from inferix.models.roles import BatchStatus, DisputeKind, Outcome
from inferix.replay.settlement import outcome_leaf
from inferix.replay.state import Batch, TaskState
from keepers.lies import Findings, examine
from tests.contracts.system import block_hash
from tests.keepers.live import Live
from tests.keepers.test_escape_on_contracts import propose, with_hashes, worker_of


def checked(live: Live, *, is_canary: bool, opened: bool = True, outcome: Outcome = Outcome.ACCEPTED) -> TaskState:
    """An attempt whose receipt commits, its votes, and their opening."""

    def run() -> TaskState:
        state = live.state(live.order())
        opening = live.deliver(state, is_canary)
        assert opening is not None
        live.cast(live.seated(state)[:3], state, outcome)
        assert state.attempts[0].decided is outcome
        live.anchor(opening) if opened else live.wait(2 * live.network.parameters["vote_window"] + 24)
        return state

    with live.listening():
        for worker in live.workers:
            live.give_ifx(worker.owner.address, 10**24)
            data = live.interfaces[str(live.ifx.address)].encode("approve", (str(live.escape.address), 2**255))
            boa.env.raw_call(live.ifx.address, sender=worker.owner.address, data=data)
    return with_hashes(live, run)


def test_work_that_was_shown_to_be_no_canary_escapes(live: Live) -> None:
    state = checked(live, is_canary=False)
    live.wait(PATIENCE)
    batch = propose(live, state)
    assert (batch.status, batch.is_alone) == (BatchStatus.PROPOSED, True)
    assert state.attempts[0].batch == batch.commitment


@pytest.mark.parametrize("is_canary", [True, False])
def test_what_is_unopened_or_a_canary_does_not_escape(live: Live, is_canary: bool) -> None:
    state = checked(live, is_canary=is_canary, opened=is_canary)
    live.wait(PATIENCE)
    assert state.attempts[0].outcome is Outcome.VOID
    with pytest.raises(NotFound, match="nothing is owed"):
        draft(live.network, state.task.id, block_hash)


def test_attack_a_canary_proposed_as_accepted_finds_no_contract_that_takes_it(live: Live) -> None:
    state = checked(live, is_canary=True)
    attempt = state.attempts[0]
    live.wait(PATIENCE)
    attempt.outcome = Outcome.ACCEPTED  # as its worker would have it
    found = draft(live.network, state.task.id, block_hash)
    attempt.outcome = Outcome.VOID
    owner = worker_of(live, found.leaf.node).owner.address
    data = live.interfaces[str(live.escape.address)].encode("propose", found.arguments)
    with pytest.raises(Revert, match="Committees: not shown to be no canary"):
        boa.env.raw_call(live.escape.address, sender=owner, data=data)


def examined(live: Live, state: TaskState, outcome: Outcome) -> tuple[Batch, Findings]:
    """The manager proposes the first attempt with this outcome."""
    attempt = state.attempts[0]
    true, attempt.outcome = attempt.outcome, outcome
    leaf = outcome_leaf(live.network, state, attempt)
    attempt.outcome = true
    batch = live.hand_in(live.serve(live.draft([leaf])))
    return batch, examine(live.network, batch, block_hash)


def test_keepers_ask_for_votes_of_a_canary_that_is_charged(live: Live) -> None:
    _, found = examined(live, checked(live, is_canary=True), Outcome.ACCEPTED)
    assert [doubt.kind for doubt in found.doubts] == [DisputeKind.VOTES] and not found.beyond


@pytest.mark.parametrize(
    ("is_canary", "opened", "outcome"), [(True, True, Outcome.REJECTED), (False, False, Outcome.ACCEPTED)]
)
def test_keepers_object_to_what_votes_would_answer_for_and_the_opening_does_not(
    live: Live, is_canary: bool, opened: bool, outcome: Outcome
) -> None:
    """A canary's worker called a cheat; work charged that was never shown to be no canary."""
    state = checked(live, is_canary=is_canary, opened=opened, outcome=outcome)
    _, found = examined(live, state, outcome)
    assert not found.doubts and not found.proofs
    assert [beyond.place for beyond in found.beyond] == [0], "its manager alone says so"
