# SPDX-License-Identifier: Apache-2.0
"""Canaries from the coin to the redone task: whom a keeper asks, what it anchors, and who is found."""

from dataclasses import replace
from typing import Any

import pytest
from eth_utils.crypto import keccak
from sqlmodel import select

from inferix.canaries import commitment_of, opening_for, unseal_opening
from inferix.errors import Corrupt
from inferix.messages import Acceptance, CanaryOpening, Receipt
from inferix.messages import Message as Signed
from inferix.models.job import case_id
from inferix.models.roles import Outcome
from inferix.replay.state import AttemptStatus, TaskState
from inferix.sealing import sealing_keypair
from inferix.storage.database import Database
from inferix.storage.tables import Message, SealedKey
from keepers.anchor import REFUSE_AFTER, decide_messages
from keepers.canaries import Canaries, Given, keep
from keepers.settings import KeeperSettings
from tests.replay.chain import DOMAIN, MANAGER, VERIFIERS, WORKERS, Chain, key, signed

ALL = 1_000_000
KEYS = {node: sealing_keypair() for node in WORKERS}


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    for node, (_, public) in KEYS.items():
        chain.emit("SealingKeyChanged", node=node, sealing_key=public)
    return chain


def canaries(ppm: int = ALL, **changes: Any) -> Canaries:
    return replace(Canaries(MANAGER, key(MANAGER), ppm), **changes)


def drawing(chain: Chain, **changes: Any) -> TaskState:
    state = chain.state(chain.order(chain.spec(1), **changes), 0)
    chain.anchor()
    return state


def given(chain: Chain, state: TaskState, found: Canaries) -> list[Given]:
    message, _ = chain.acceptance(state)
    assert isinstance(message, Acceptance)
    return list(found.given(chain.network, [message]))


def row_of(chain: Chain, pair: tuple[Signed, bytes]) -> Message:
    message, signature = pair
    kind, body = message.kind, message.body()
    return Message(
        digest=message.digest(DOMAIN), kind=kind, node=1, body=body, signature=signature, received_at=chain.time
    )


def opening_in(row: Message) -> CanaryOpening:
    return CanaryOpening.from_body(row.body)


# -- the coin


def test_the_coin_is_the_same_again_and_nobody_elses() -> None:
    def coins(secret: bytes, ppm: int) -> list[bool]:
        return [opening_for(secret, 1, at.to_bytes(32, "big"), 0, 2, ppm).is_canary for at in range(1_000)]

    mine = coins(b"mine", 20_000)
    assert mine == coins(b"mine", 20_000) != coins(b"another's", 20_000)
    assert 8 <= sum(mine) <= 40
    assert sum(coins(b"mine", 0)) == 0 and sum(coins(b"mine", ALL)) == 1_000


def test_salts_tell_nothing_of_each_other() -> None:
    first = opening_for(b"mine", 1, bytes(32), 0, 2, 0)
    assert first.salt != opening_for(b"mine", 1, bytes(32), 1, 2, 0).salt
    assert first.salt != opening_for(b"mine", 1, bytes(32), 0, 3, 0).salt
    assert commitment_of(first, 2) != commitment_of(first, 3)
    assert commitment_of(first, 2) != commitment_of(first.model_copy(update={"is_canary": True}), 2)


def test_two_per_cent_unless_it_is_set() -> None:
    assert KeeperSettings().canary_ppm == 20_000
    assert KeeperSettings(canary_ppm=0).canary_ppm == 0
    with pytest.raises(ValueError, match="canary_ppm"):
        KeeperSettings(canary_ppm=1_000_001)


# -- what is given, and to whom


def test_every_worker_is_given_an_opening_that_it_alone_can_read(chain: Chain) -> None:
    for ppm, is_canary in ((ALL, True), (1, False)):
        state = drawing(chain)
        ((row, box),) = given(chain, state, canaries(ppm))
        assert (row.kind, row.node, row.task, row.attempt) == ("CanaryOpening", MANAGER, state.task.id, 0)
        assert box.subject == case_id(state.task.id, 0)
        opening, signature = unseal_opening(box.sealed, KEYS[box.node][0])
        assert (opening.is_canary, opening.body(), signature) == (is_canary, row.body, row.signature)
        other = next(node for node in WORKERS if node != box.node)
        with pytest.raises(Corrupt):
            unseal_opening(box.sealed, KEYS[other][0])
        assert len(box.sealed) == 160 + 65 + 48  # whichever it is


def test_nobody_is_given_one_without_canaries_or_of_a_quote_of_another_key(chain: Chain) -> None:
    state = drawing(chain)
    assert given(chain, state, canaries(0)) == []
    assert given(chain, state, canaries(manager=9)) == []
    assert given(chain, state, canaries(operator_key=key(99))) == []
    assert len(given(chain, state, canaries())) == 1


def test_a_worker_whose_key_takes_no_box_is_passed_over(chain: Chain) -> None:
    state = drawing(chain)
    for node in WORKERS:
        chain.emit("SealingKeyChanged", node=node, sealing_key=bytes(32))
    assert given(chain, state, canaries()) == []


def test_an_assembly_has_none(chain: Chain) -> None:
    state = drawing(chain)
    chain.run(state)
    assemble = chain.state(state.task.job, -1)
    chain.anchor()
    assert given(chain, assemble, canaries()) == []


def test_no_canary_that_would_cost_the_frame(chain: Chain) -> None:
    def is_asked(state: TaskState) -> bool:
        ((row, _),) = given(chain, state, canaries())
        return opening_in(row).is_canary

    assert is_asked(drawing(chain))
    assert not is_asked(drawing(chain, deadline=chain.time + 150))
    state = drawing(chain)
    state.attempts[0].is_canary = True
    assert not is_asked(state)


def test_what_is_written_down_again_keeps_its_marks(chain: Chain, database: Database) -> None:
    found = given(chain, drawing(chain), canaries())
    with database.session() as session:
        keep(session, found)
    with database.session() as session:
        session.exec(select(Message)).one().anchored_in = 7
    with database.session() as session:
        keep(session, given_again(found))
    with database.reading() as session:
        assert session.exec(select(Message)).one().anchored_in == 7
        assert len(session.exec(select(SealedKey)).all()) == 1


def given_again(found: list[Given]) -> list[Given]:
    return [(Message(**row.model_dump()), SealedKey(**box.model_dump())) for row, box in found]


# -- what is anchored


def received(chain: Chain, state: TaskState, found: Canaries) -> Message:
    """The attempt has a receipt that commits; the opening as it is kept."""
    accepted = chain.acceptance(state)
    assert isinstance(accepted[0], Acceptance)
    ((row, box),) = found.given(chain.network, [accepted[0]])
    chain.anchor(accepted)
    opening, _ = unseal_opening(box.sealed, KEYS[box.node][0])
    canary = commitment_of(opening, box.node)
    chain.anchor(signed(Receipt(task=state.task.id, attempt=0, node=box.node, result=b"\x01" * 32, canary=canary)))
    return row


def test_an_opening_waits_for_the_votes_and_follows_them_in_their_anchor(chain: Chain) -> None:
    state = drawing(chain)
    row = received(chain, state, canaries())
    first, second = (row_of(chain, vote) for vote in chain.votes(state))
    row.received_at -= REFUSE_AFTER + 1
    assert decide_messages(chain.network, MANAGER, [row]) == ([], {})
    assert decide_messages(chain.network, MANAGER, [row, first]) == ([first], {})
    assert decide_messages(chain.network, MANAGER, [row, first, second])[0] == [first, second, row]
    assert decide_messages(chain.network, 9, [row, first, second]) == ([], {})


def test_an_opening_whose_manager_kept_it_back_is_anchored_by_another(chain: Chain) -> None:
    state = drawing(chain)
    row = received(chain, state, canaries())
    chain.anchor(*chain.votes(state, Outcome.REJECTED))
    assert decide_messages(chain.network, 9, [row]) == ([row], {})


@pytest.mark.parametrize("canary", [bytes(32), b"\x07" * 32])
def test_a_receipt_that_does_not_commit_as_it_was_told_is_not_anchored(chain: Chain, canary: bytes) -> None:
    state = drawing(chain)
    accepted = chain.acceptance(state)
    assert isinstance(accepted[0], Acceptance)
    ((row, box),) = canaries().given(chain.network, [accepted[0]])
    chain.anchor(accepted)
    fields: dict[str, Any] = {"task": state.task.id, "attempt": 0, "node": box.node, "result": b"\x01" * 32}
    other = row_of(chain, signed(Receipt(**fields, canary=canary)))
    other.received_at -= REFUSE_AFTER + 1
    taken, refused = decide_messages(chain.network, MANAGER, [row, other])
    assert taken == [] and "opening" in refused[other.digest]
    assert decide_messages(chain.network, MANAGER, [other])[0] == [other], "who was given nothing commits to nothing"
    right = row_of(chain, signed(Receipt(**fields, canary=commitment_of(opening_in(row), box.node))))
    assert decide_messages(chain.network, MANAGER, [row, right])[0] == [right]


# -- whole


def test_a_canary_finds_who_accepts_without_looking_and_its_task_is_done_anew(chain: Chain) -> None:
    """Three verifiers, of which two decide: one renders tiles again, two sign whatever comes."""
    chain.emit("ParameterSet", name=keccak(text="committee"), value=len(VERIFIERS))
    state = drawing(chain, attempts=1)
    job = chain.network.jobs[state.task.job]
    row = received(chain, state, canaries())
    attempt = state.attempts[0]
    careful, *lazy = chain.votes(state)
    rejected = next(vote for vote in chain.votes(state, Outcome.REJECTED) if vote[0].node == careful[0].node)  # type: ignore[attr-defined]
    waiting = [row, *(row_of(chain, vote) for vote in (rejected, *lazy))]
    taken, _ = decide_messages(chain.network, MANAGER, waiting)
    assert taken[-1] is row
    chain.anchor(rejected, *lazy, (opening_in(row), row.signature))
    assert (attempt.status, attempt.outcome, attempt.is_canary) == (AttemptStatus.ENDED, Outcome.VOID, True)
    assert set(attempt.missed) == {vote[0].node for vote in lazy}  # type: ignore[attr-defined]
    assert not state.failed and state.attempts[1].status is not AttemptStatus.ENDED
    received_again = _redone(chain, state)
    assert received_again.outcome is Outcome.ACCEPTED and state.done
    chain.run(chain.state(job.id, -1))
    chain.settle()
    chain.close_epoch(0)
    reputation = chain.network.epochs[0].record.reputation
    assert {node for node in VERIFIERS if reputation.get(node, 1_000) < 1_000} == set(attempt.missed)
    assert all(attempt.node != node for node in reputation if reputation[node] < 1_000), "who did as asked has no fault"


def _redone(chain: Chain, state: TaskState) -> Any:
    chain.anchor()
    accepted = chain.acceptance(state)
    assert isinstance(accepted[0], Acceptance)
    ((row, box),) = canaries().given(chain.network, [accepted[0]])
    assert not opening_in(row).is_canary, "one a task"
    chain.anchor(accepted)
    canary = commitment_of(opening_in(row), box.node)
    fields: dict[str, Any] = {"task": state.task.id, "attempt": 1, "node": box.node, "result": b"\x02" * 32}
    chain.anchor(signed(Receipt(**fields, canary=canary)))
    chain.anchor(*chain.votes(state)[:2], (opening_in(row), row.signature))
    return state.attempts[1]
