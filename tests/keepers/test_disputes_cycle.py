# SPDX-License-Identifier: Apache-2.0
"""The disputes keeper as a program: from mirrored events to transactions that the contracts take, each once."""

import logging
from pathlib import Path

import pytest
from eth_account import Account
from eth_utils import keccak

from inferix.messages import outcome_record
from inferix.models.roles import BatchStatus, DisputeStatus, NodeStatus, Outcome
from inferix.replay.answers import arguments_of
from inferix.replay.settlement import HEADER, draft_batches
from inferix.storage.tables import Message
from tests.keepers.live import Live
from tests.keepers.live_program import Endpoint, Program


@pytest.fixture
def endpoint(live: Live) -> Endpoint:
    return Endpoint(live)


@pytest.fixture
def honest(live: Live, tmp_path: Path, endpoint: Endpoint) -> Program:
    """The keeper of the manager whose lane it is."""
    return Program(live, live.keeper, tmp_path, endpoint)


@pytest.fixture
def other(live: Live, tmp_path: Path, endpoint: Endpoint) -> Program:
    """The keeper of another manager."""
    return Program(live, live.other_keeper, tmp_path, endpoint)


def sent(endpoint: Endpoint) -> int:
    return len(endpoint.sent)


def test_an_attack_on_an_honest_batch_is_answered_once_and_costs_its_bond(
    live: Live, honest: Program, endpoint: Endpoint
) -> None:
    live.run(live.state(live.order()))
    batch = live.settle_ready()
    before = live.ifx.balanceOf(live.challenger.address)
    live.send(("", "challenge_votes", (*arguments_of(batch, 0), 0)), live.challenger)
    live.send(("", "challenge_data", (batch.header, 0, 0)), live.challenger)
    for _ in range(3):
        honest.cycle()
    assert sent(endpoint) == 2
    assert {dispute.status for dispute in live.network.disputes.values()} == {DisputeStatus.ANSWERED}
    assert before - live.ifx.balanceOf(live.challenger.address) >= 2 * live.bond()
    live.wait(live.window("batch_window"))
    live.batches.finalize(tuple(batch.header.values()))


def test_a_false_batch_is_challenged_out_of_stake_and_expired(
    live: Live, other: Program, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    live.run(live.state(live.order()))
    right = draft_batches(live.network, live.keeper.id)[0].leaves[0]
    false = right.model_copy(update={"outcome": Outcome.REJECTED, "work": 0, "charge": 0})
    batch = live.hand_in(live.serve(live.draft([false])))
    stake = live.staking.bonded(live.other_keeper.id)
    other.cycle()
    assert sent(endpoint) == 0, "documents may still come"
    live.wait(1_800)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            other.cycle()
    assert sent(endpoint) == 1
    assert "challenge_votes: task" in caplog.text
    assert "has another work, charge, outcome" in caplog.text
    (dispute,) = live.network.disputes.values()
    assert (dispute.node, dispute.status) == (live.other_keeper.id, DisputeStatus.OPEN)
    live.wait(live.window("answer_window") + 1)
    for _ in range(3):
        other.cycle()
    assert sent(endpoint) == 2
    assert live.network.batches[batch.commitment].status is BatchStatus.CANCELLED
    assert live.network.nodes[live.keeper.id].status is NodeStatus.JAILED
    assert (live.staking.frozen(live.other_keeper.id), live.staking.bonded(live.other_keeper.id)) == (0, stake)


def test_without_leave_to_stake_a_false_batch_is_only_spoken_of(
    live: Live, tmp_path: Path, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    cautious = Program(live, live.other_keeper, tmp_path, endpoint, stake=False)
    live.hand_in(live.draft([live.ballot(voters=[]).leaf]))
    live.wait(1_800)
    with caplog.at_level(logging.WARNING):
        cautious.cycle()
        cautious.cycle()
    assert sent(endpoint) == 0
    assert caplog.text.count("its data is not served: no bond is put up for it") == 1


def test_false_records_are_read_from_the_transaction_that_posted_them(
    live: Live, other: Program, endpoint: Endpoint
) -> None:
    live.run(live.state(live.order()))
    draft = live.serve(draft_batches(live.network, live.keeper.id)[0])
    leaf = draft.leaves[0]
    records = outcome_record(leaf.task, leaf.node, leaf.charge + 1, leaf.outcome)
    header = draft.header | {"records": keccak(records)}
    call = other.deployment.call("Batches", "propose", {name: header[name] for name in HEADER}, records)
    raw = Account.sign_transaction(
        {
            "type": 2, "chainId": endpoint.chain_id, "nonce": 0, "to": call.to, "data": call.data, "value": 0,
            "gas": 10**6, "maxFeePerGas": 1, "maxPriorityFeePerGas": 1,
        },
        live.keeper.operator.key,
    )  # fmt: skip
    endpoint.request("eth_sendRawTransaction", ["0x" + bytes(raw.raw_transaction).hex()])
    other.cycle()
    (batch,) = live.network.batches.values()
    assert batch.status is BatchStatus.CANCELLED
    assert batch.lie is not None
    assert batch.lie.name == "RECORD"


def test_a_verifier_that_told_two_managers_different_things_is_convicted(live: Live, other: Program) -> None:
    state = live.state(live.order())
    live.deliver(state)
    voter, *_ = live.seated(state)
    live.cast([voter], state, Outcome.ACCEPTED)
    told, _ = state.attempts[0].votes[voter.id]
    for outcome in (Outcome.ACCEPTED, Outcome.REJECTED):
        vote, signature = live.sign(told.model_copy(update={"outcome": int(outcome)}))
        with other.database.session() as session:
            session.add(
                Message(
                    digest=vote.digest(live.domain), kind="Vote", node=voter.id, task=told.task, attempt=0,
                    body=vote.body(), signature=signature, received_at=0, anchored_in=1,
                )
            )  # fmt: skip
        other.cycle()
        is_first = outcome is Outcome.ACCEPTED
        assert (live.network.nodes[voter.id].status is NodeStatus.ACTIVE) is is_first


def test_a_dispute_that_has_no_answer_is_spoken_of_and_the_others_are_answered(
    live: Live, honest: Program, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    first = live.hand_in(live.serve(live.draft([live.ballot().leaf])))
    live.run(live.state(live.order()))
    second = live.settle_ready()
    for batch in (first, second):
        live.send(("", "challenge_votes", (*arguments_of(batch, 0), 0)), live.challenger)
    with caplog.at_level(logging.WARNING):
        honest.cycle()
        honest.cycle()
    assert sent(endpoint) == 1
    assert caplog.text.count("has no answer: there is no such attempt") == 1


def test_an_answer_that_the_contract_refuses_today_is_sent_when_it_takes_it(
    live: Live, honest: Program, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    live.run(live.state(live.order()))
    batch = live.settle_ready()
    live.send(("", "challenge_votes", (*arguments_of(batch, 0), 0)), live.challenger)
    honest.mirror()
    live.set_parameter("votes_needed", 4)
    with caplog.at_level(logging.INFO):
        honest.keeper.cycle()
    assert sent(endpoint) == 0
    assert "has to wait: Committees: too few votes" in caplog.text
    live.set_parameter("votes_needed", 3)
    honest.cycle()
    assert sent(endpoint) == 1
