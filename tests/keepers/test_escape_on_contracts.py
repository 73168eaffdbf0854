# SPDX-License-Identifier: Apache-2.0
"""A silent manager's work on its way out through the real contract, and what reducer, keepers and audit make of it."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import boa
import pytest
from eth.exceptions import Revert
from eth_account import Account

from inferix.audit import Audit
from inferix.chain.deployment import Call
from inferix.cli import escape as command
from inferix.errors import NotFound, Refused
from inferix.escape import PATIENCE, Escape, draft, waiting
from inferix.models.roles import BatchStatus, DisputeKind, DisputeStatus, Lie, Outcome
from inferix.replay import Network
from inferix.replay.settlement import outcome_leaf, ready
from inferix.replay.state import Batch, TaskState
from keepers.disputes import decide_answers
from keepers.lies import examine
from keepers.objections import Objection, decide_objections
from keepers.settle import decide_finalize, decide_propose
from tests.contracts.system import Node, acting, block_hash, now, set_time
from tests.contracts.work.network import mine
from tests.keepers.live import Live


@pytest.fixture
def task(live: Live) -> TaskState:
    """Accepted in the lane of `live.keeper`, and in no batch."""
    with live.listening():
        for worker in live.workers:
            live.give_ifx(worker.owner.address, 10**24)
            boa.env.raw_call(
                live.ifx.address,
                sender=worker.owner.address,
                data=live.interfaces[str(live.ifx.address)].encode("approve", (str(live.escape.address), 2**255)),
            )
    return with_hashes(live, lambda: live.run(live.state(live.order())))


def with_hashes(live: Live, run: Callable[[], TaskState]) -> TaskState:
    """As `run` does, on a chain whose block hashes are known."""
    seal = live.batches.seal

    def sealed(manager: int) -> None:
        word = live.batches.lane(manager).block
        number = int(boa.env.evm.patch.block_number)
        mine(0)
        assert word < number
        seal(manager)

    live.batches.seal = sealed  # type: ignore[method-assign]
    try:
        return run()
    finally:
        live.batches.seal = seal  # type: ignore[method-assign]


def worker_of(live: Live, node: int) -> Node:
    return next(worker for worker in live.workers if worker.id == node)


def propose(live: Live, state: TaskState, **changes: Any) -> Batch:
    """Sends the draft as the command does; some fields of its leaf changed."""
    found = draft(live.network, state.task.id, block_hash)
    manager, coin, leaf, *rest = found.arguments
    arguments = (manager, coin, leaf | changes, *rest)
    data = live.interfaces[str(live.escape.address)].encode("propose", arguments)
    boa.env.raw_call(live.escape.address, sender=worker_of(live, found.leaf.node).owner.address, data=data)
    live.follow()
    return list(live.network.batches.values())[-1]


def tried(live: Live, found: Escape, at: int, refusal: str = "") -> None:
    """Its worker proposes it at this second: taken, or refused with these words."""
    with boa.env.anchor():
        set_time(at)
        data = live.interfaces[str(live.escape.address)].encode("propose", found.arguments)
        sender = worker_of(live, found.leaf.node).owner.address
        with pytest.raises(Revert, match=refusal) if refusal else nullcontext():
            boa.env.raw_call(live.escape.address, sender=sender, data=data)


def objections(live: Live, manager: Node) -> list[Objection]:
    found, _ = decide_objections(
        live.network, manager.id, 0, True, partial(examine, live.network, block_hash=block_hash)
    )
    return [objection for chain in found for objection in chain]


def audit(live: Live) -> list[str]:
    """What a stranger's replay finds false of batches and leaves."""
    network = Network(live.domain, live.genesis, live.documents)
    report = Audit(network, block_hash).run(live.events())
    return [problem for problem in report.problems if problem.startswith(("batches", "leaves"))]


def test_it_becomes_final_and_everybody_agrees(live: Live, task: TaskState) -> None:
    assert len(ready(live.network, live.keeper.id)) == 1
    live.wait(PATIENCE)
    batch = propose(live, task)
    assert waiting(live.network, task.task.id) is batch
    assert batch.proposer == worker_of(live, task.attempts[-1].node).owner.address
    assert batch.bond > 0
    assert waiting(live.network, bytes(32)) is None
    assert task.attempts[-1].batch == batch.commitment
    assert decide_propose(live.network, live.keeper.id, 0) is None, "its manager proposes it no more"
    assert objections(live, live.keeper) == objections(live, live.other_keeper) == []
    assert decide_finalize(live.network) == []
    live.wait(live.window("batch_window"))
    assert decide_finalize(live.network) == [batch]
    live.batches.finalize(tuple(batch.header.values()))
    live.escape.release(batch.commitment)
    live.follow()
    assert (batch.status, batch.bond) == (BatchStatus.FINAL, 0)
    assert audit(live) == []
    with pytest.raises(Refused, match="already"):
        draft(live.network, task.task.id, block_hash)


@dataclass
class Wallet:
    """What the command talks to, on the contracts themselves; `sent`: what it sent."""

    live: Live
    sent: list[str] = field(default_factory=list)

    @property
    def client(self) -> Any:
        """The chain."""
        return SimpleNamespace(header=lambda number: SimpleNamespace(hash=block_hash(number)))

    @property
    def deployment(self) -> Any:
        """Addresses and calls."""
        return self

    def _at(self, name: str) -> Any:
        return {"Escape": self.live.escape, "IFX": self.live.ifx, "Batches": self.live.batches}[name]

    def __getitem__(self, name: str) -> Any:
        return SimpleNamespace(address=str(self._at(name).address))

    def read(self, name: str, function: str, *arguments: Any) -> Any:
        """A view."""
        return getattr(self._at(name), function)(*arguments)

    def call(self, name: str, function: str, *arguments: Any) -> Call:
        """As the deployment encodes it."""
        address = str(self._at(name).address)
        return Call(name, function, address, self.live.interfaces[address].encode(function, arguments))

    def transact(self, client: Any, key: bytes, call: Call) -> Any:
        """Mined at once."""
        self.sent.append(f"{call.contract}.{call.function}")
        boa.env.raw_call(call.to, sender=Account.from_key(key).address, data=call.data)
        return SimpleNamespace(block=1, transaction=bytes(32))


def test_the_command_carries_it_to_its_end(live: Live, task: TaskState, monkeypatch: Any, capsys: Any) -> None:
    wallet, found = Wallet(live), draft(live.network, task.task.id, block_hash)
    monkeypatch.setattr(command, "transact", wallet.transact)
    unlock = lambda: bytes(worker_of(live, found.leaf.node).owner.key)  # noqa: E731
    propose_it = partial(command._propose, wallet, live.network, task.task.id, True, unlock)
    with pytest.raises(Refused, match="its manager may propose it until"):
        propose_it()
    live.wait(PATIENCE)
    propose_it()
    assert wallet.sent == ["Escape.propose"]
    live.follow()
    batch = waiting(live.network, task.task.id)
    assert batch is not None
    command._carry_on(wallet, live.network, batch, unlock)
    assert len(wallet.sent) == 1
    live.wait(live.window("batch_window"))
    command._carry_on(wallet, live.network, batch, unlock)
    assert wallet.sent[1:] == ["Batches.finalize", "Escape.release"]
    shown = capsys.readouterr().out
    for text in ("accepted, charge 0.016", "bond 1,001.28 IFX: free from", "may be made final from", "is final"):
        assert text in shown
    assert waiting(live.follow(), task.task.id) is None


def test_the_command_comes_too_late(live: Live, task: TaskState) -> None:
    live.wait(24 * 86_400)
    with pytest.raises(Refused, match="nothing is charged for this order any more"):
        command._propose(Wallet(live), live.network, task.task.id, True, lambda: bytes(32))


def test_attack_a_pause_cuts_off_no_escape_as_reducer_and_contract_agree_to_the_second(
    live: Live, task: TaskState
) -> None:
    deadline = now() + 86_400
    task = with_hashes(live, lambda: live.run(live.state(live.order(deadline=deadline))))
    closes_at = draft(live.network, task.task.id, block_hash).closes_at
    assert closes_at == deadline + 3 * 86_400
    live.wait(closes_at - 86_400 - live.network.time)
    with acting(live.guardian):
        live.parameters.pause()
    began = live.network.time
    live.wait(7 * 86_400)
    found = draft(live.network, task.task.id, block_hash)
    assert found.closes_at == closes_at + 7 * 86_400
    assert began + 7 * 86_400 <= live.network.time < found.closes_at
    tried(live, found, found.closes_at - 1)
    tried(live, found, found.closes_at, "too long after the deadline")


def test_attack_a_pause_opens_no_escape_as_reducer_and_contract_agree_to_the_second(
    live: Live, task: TaskState
) -> None:
    opens_at = draft(live.network, task.task.id, block_hash).opens_at
    live.wait(opens_at - 3_600 - live.network.time)
    with acting(live.guardian):
        live.parameters.pause()
    live.wait(3_600)
    found = draft(live.network, task.task.id, block_hash)
    assert opens_at <= live.network.time < found.opens_at == opens_at + 7 * 86_400
    with pytest.raises(Refused, match="its manager may propose it until"):
        command._propose(Wallet(live), live.network, task.task.id, True, lambda: bytes(32))
    tried(live, found, found.opens_at - 1, "its manager may still propose it")
    tried(live, found, found.opens_at)


def test_nothing_to_escape_with(live: Live, task: TaskState) -> None:
    with pytest.raises(NotFound, match="no task"):
        draft(live.network, bytes(32), block_hash)
    late = live.state(live.order())
    live.anchor()
    with pytest.raises(NotFound, match="decided by votes"):
        draft(live.network, late.task.id, block_hash)
    live.settle_ready()
    with pytest.raises(Refused, match="already"):
        draft(live.network, task.task.id, block_hash)


def test_a_document_that_storage_lost(live: Live, task: TaskState) -> None:
    anchor = live.network.lane(live.keeper.id).anchors[task.attempts[-1].receipt_anchor]
    del live.documents[anchor.data]
    with pytest.raises(NotFound, match="not to be had"):
        draft(live.network, task.task.id, block_hash)


def test_its_lane_comes_back_in_the_same_moment__and_it_gives_way(live: Live, task: TaskState) -> None:
    live.wait(PATIENCE)
    lane = live.draft([outcome_leaf(live.network, task, task.attempts[-1])])
    batch = propose(live, task)
    live.wait(12)
    first = live.hand_in(live.serve(lane))
    assert task.attempts[-1].batch == first.commitment
    for manager in (live.keeper, live.other_keeper):
        assert [item.step[1] for item in objections(live, manager)] == ["prove_duplicate"]
    live.send(objections(live, live.keeper)[0].step, live.keeper.operator)
    assert (batch.status, batch.bond, batch.lie) == (BatchStatus.CANCELLED, 0, None)
    assert task.attempts[-1].batch == first.commitment
    assert objections(live, live.other_keeper) == []
    assert audit(live) == []


def test_what_is_in_a_batch_of_its_lane_is_a_lie_alone(live: Live, task: TaskState) -> None:
    live.wait(PATIENCE)
    found = draft(live.network, task.task.id, block_hash)
    first = live.settle_ready()
    live.wait(12)
    data = live.interfaces[str(live.escape.address)].encode("propose", found.arguments)
    boa.env.raw_call(live.escape.address, sender=worker_of(live, found.leaf.node).owner.address, data=data)
    live.follow()
    batch = list(live.network.batches.values())[-1]
    (objection, *_) = objections(live, live.other_keeper)
    live.send(objection.step, live.other_keeper.operator)
    assert (batch.status, batch.lie) == (BatchStatus.CANCELLED, Lie.DUPLICATE)
    assert first.status is BatchStatus.PROPOSED
    assert len(audit(live)) == 1


def test_a_false_one_hides_nothing_from_its_manager(live: Live, task: TaskState) -> None:
    live.wait(PATIENCE)
    batch = propose(live, task, charge=5)
    assert task.attempts[-1].batch is None
    assert len(ready(live.network, live.keeper.id)) == 1
    assert objections(live, live.other_keeper) == []
    assert "another charge" in examine(live.network, batch, block_hash).beyond[0].says
    assert len(audit(live)) == 1
    honest = live.settle_ready()
    (objection,) = objections(live, live.keeper)
    live.send(objection.step, live.keeper.operator)
    assert (batch.status, honest.status) == (BatchStatus.CANCELLED, BatchStatus.PROPOSED)


def test_when_the_lanes_batch_falls_the_one_alone_counts_again(live: Live, task: TaskState) -> None:
    live.wait(PATIENCE)
    lane = live.draft([outcome_leaf(live.network, task, task.attempts[-1]), live.fabricated()])
    batch = propose(live, task)
    live.wait(12)
    first = live.hand_in(live.serve(lane))
    assert task.attempts[-1].batch == first.commitment
    live.send(next(i for i in objections(live, live.other_keeper) if i.is_staked).step, live.other_keeper.operator)
    live.wait(live.window("answer_window") + 1)
    live.send(("", "expire", (first.header, 1, 1)), live.fresh_key("anybody"))
    assert first.status is BatchStatus.CANCELLED
    assert task.attempts[-1].batch == batch.commitment


def test_a_dispute_about_it_is_answered_by_any_keeper(live: Live, task: TaskState) -> None:
    live.wait(PATIENCE)
    batch = propose(live, task)
    index = (0, tuple(outcome_leaf(live.network, task, task.attempts[-1]).model_dump().values()))
    with live.listening():
        boa.env.raw_call(
            live.disputes.address,
            sender=live.challenger.address,
            data=live.interfaces[str(live.disputes.address)].encode(
                "challenge_votes", (batch.header, dict(batch.leaves[0]), index[0], [], 0)
            ),
        )
    live.follow()
    assert decide_answers(live.network, live.keeper.id, block_hash)[0] == []
    live.wait(live.window("answer_window") // 2)
    (step,) = decide_answers(live.network, live.keeper.id, block_hash)[0]
    live.send(step, live.keeper.operator)
    (dispute,) = live.network.disputes.values()
    assert (dispute.kind, dispute.status) == (DisputeKind.VOTES, DisputeStatus.ANSWERED)


def test_a_rejection_and_an_assembly_have_drafts_too(live: Live, task: TaskState) -> None:
    rejected = with_hashes(live, lambda: live.run(live.state(live.order()), Outcome.REJECTED))
    assembly = with_hashes(live, lambda: live.run(live.state(live.network.tasks[task.task.id].task.job, -1)))
    live.wait(PATIENCE)
    for state in (rejected, assembly):
        batch = propose(live, state)
        assert examine(live.network, batch, block_hash).doubts == []
