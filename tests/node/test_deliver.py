# SPDX-License-Identifier: Apache-2.0
"""``inferix node deliver``: what the journal holds goes on chain, or the command says why not."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result
from eth_account import Account

from inferix import keystore
from inferix.errors import InferixError, InvalidInput, NotFound, Refused
from inferix.keystore import Keys
from inferix.messages import Acceptance, Message, Receipt
from inferix.models.roles import Outcome
from inferix.replay.attempts import GRACE
from inferix.replay.posted import BEFORE
from inferix.replay.state import Attempt, AttemptStatus, TaskState
from node import deliver, replay
from node.cli import node as commands
from node.config import Home, NodeConfig
from node.identity import Identity
from node.journal import Journal, owner_of
from node.signer import Signer
from node.transport import BlockClock
from tests.node.test_own_replay import Endpoint
from tests.replay.chain import DOMAIN, GENESIS, WORKERS, Chain, address, key

PASSWORD = "correct horse battery"
OWNER = 99


@dataclass
class Contracts:
    """The contracts of a test's chain. ``sent``: (payer, contract, function); each transaction is mined at once."""

    chain: Chain
    client: Endpoint
    sent: list[tuple[str, ...]] = field(default_factory=list)
    slow: int = 0  # seconds until it is mined

    @property
    def deployment(self) -> Any:
        return SimpleNamespace(block=0, domain=lambda: DOMAIN, call=lambda *call: call)

    def read(self, *_: str) -> int:
        return GENESIS

    def transact(self, client: Any, payer: bytes, call: Any) -> Any:
        contract, function, kind, body, signature = call
        self.sent.append((str(Account.from_key(payer).address), contract, function))
        self.chain.wait(self.slow)
        self.chain.emit("MessagePosted", kind=kind, body=body, signature=signature)
        return SimpleNamespace(block=self.chain.block)


@dataclass
class Machine:
    """A worker that has accepted a task, and its home."""

    chain: Chain
    contracts: Contracts
    state: TaskState
    acceptance: Message
    home: Home
    wallet: Path

    @property
    def attempt(self) -> Attempt:
        return self.state.attempts[0]

    def sign(self, *messages: Message) -> None:
        """As the node's program does."""
        identity = Identity(self.attempt.node, DOMAIN, Keys(key(self.attempt.node), bytes(31) + b"\x01"))
        journal = Journal(self.home.journal, owner_of(identity.address, DOMAIN))
        clock = BlockClock(lambda: 0.0)
        clock.set(self.chain.time)
        for message in messages:
            Signer(identity, journal, clock).sign(message)
        journal.close()

    def render(self) -> None:
        """Its receipt is signed, and arrives nowhere."""
        self.sign(self.acceptance, self.chain.receipt(self.state)[0])

    def __call__(self, task: bytes | None = None) -> Result:
        words = ["deliver", (task or self.state.task.id).hex(), "--home", str(self.home.path), "--rpc", "http://chain"]
        words += ["--owner-keystore", str(self.wallet), "--store", (self.home.path / "store").as_uri()]
        return CliRunner().invoke(commands, words, env={"INFERIX_OWNER_PASSWORD": PASSWORD})

    def refused(self, kind: type[InferixError], says: str, task: bytes | None = None, sent: int = 0) -> None:
        """The command ends with this, and has sent so much, or nothing."""
        known = len(self.contracts.sent)
        error = self(task).exception
        assert isinstance(error, kind), error
        assert says in str(error)
        assert len(self.contracts.sent) == known + sent


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    chain = Chain()
    chain.start()
    state = chain.state(chain.order(), 0)
    chain.anchor()
    acceptance = chain.acceptance(state)
    chain.anchor(acceptance)
    node, home = state.attempts[0].node, Home(tmp_path / "home")
    endpoint = Endpoint(chain)
    contracts = Contracts(chain, endpoint)
    home.save(NodeConfig(api="http://api", node=node, chain_id=DOMAIN.chain_id, registry=DOMAIN.contract))
    wallet = tmp_path / "wallet.json"
    keystore.create(home.keystore, PASSWORD, Keys(key(node), bytes(31) + b"\x01"), work=2**4)
    keystore.create(wallet, PASSWORD, Keys(key(OWNER), bytes(31) + b"\x02"), work=2**4)
    monkeypatch.setattr(deliver, "own_contracts", lambda *_: contracts)
    monkeypatch.setattr(deliver, "open_store", lambda _: endpoint)
    monkeypatch.setattr(deliver, "transact", contracts.transact)
    monkeypatch.setattr(replay, "read_events", endpoint.events)
    return Machine(chain, contracts, state, acceptance[0], home, wallet)


def test_deliver__signed_and_never_anchored__on_chain_with_the_owners_money(machine: Machine) -> None:
    machine.render()
    done = machine()
    assert done.exit_code == 0, done.exception
    assert machine.contracts.sent == [(address(OWNER), "Orders", "post_message")]
    assert "the node is not late" in done.output
    attempt = machine.attempt
    assert attempt.posted is not None
    assert attempt.posted[0] == machine.chain.receipt(machine.state)[0]
    machine.chain.network.tick(attempt.deadline + GRACE)
    assert attempt.status is AttemptStatus.ACCEPTED


def test_deliver__mined_a_second_after_the_deadline__told_that_it_is_late(machine: Machine) -> None:
    machine.render()
    machine.contracts.slow = machine.attempt.deadline + 1 - machine.chain.time
    machine.refused(Refused, "came after the deadline", sent=1)
    assert machine.attempt.outcome is Outcome.LATE


def test_deliver__a_second_time__refused(machine: Machine) -> None:
    machine.render()
    assert machine().exit_code == 0
    machine.refused(Refused, BEFORE)


def test_deliver__its_receipt_is_anchored__refused(machine: Machine) -> None:
    machine.render()
    machine.chain.anchor(machine.chain.receipt(machine.state))
    machine.refused(Refused, "its receipt is anchored")


def test_deliver__the_deadline_is_past__refused(machine: Machine) -> None:
    machine.render()
    machine.chain.time = machine.attempt.deadline + 1
    machine.refused(Refused, "attempt 0 ended late; its deadline was ")
    machine.chain.network.tick(machine.chain.time)
    assert machine.attempt.outcome is Outcome.LATE


def test_deliver__another_node_has_the_task__refused(machine: Machine) -> None:
    other = next(node for node in WORKERS if node != machine.attempt.node)
    machine.render()
    machine.home.save(machine.home.load().model_copy(update={"node": other}))
    machine.refused(Refused, f"node {other} has accepted no attempt of task")


def test_deliver__not_rendered_yet__says_so(machine: Machine) -> None:
    machine.refused(NotFound, "has signed no receipt of attempt 0")
    assert not machine.home.journal.exists()
    machine.sign(machine.acceptance)
    machine.refused(NotFound, "has signed no receipt of attempt 0")


def test_deliver__no_such_task__says_so(machine: Machine) -> None:
    machine.refused(NotFound, "no task 0909", b"\x09" * 32)
    machine.refused(InvalidInput, "is no task", b"\x09")


def test_deliver__a_home_without_a_node__says_what_to_do(machine: Machine) -> None:
    machine.home.save(NodeConfig(api="http://api"))
    machine.refused(InvalidInput, "inferix node register")


def test_deliver__signed_by_a_key_that_the_node_has_no_more__refused(machine: Machine) -> None:
    machine.render()
    machine.chain.emit("OperatorChanged", node=machine.attempt.node, operator=address(OWNER))
    machine.refused(Refused, "not signed by the node's operator")


def test_the_acceptance_is_not_anchored_yet__nothing_to_deliver(machine: Machine) -> None:
    other = machine.chain.state(machine.state.task.job, 1)
    early = Acceptance(task=other.task.id, attempt=0, node=machine.attempt.node, draw=0)
    machine.sign(early, Receipt(task=other.task.id, attempt=0, node=machine.attempt.node, result=bytes(32)))
    machine.refused(Refused, "or its acceptance is not anchored yet", other.task.id)
