# SPDX-License-Identifier: Apache-2.0
"""The contracts' own events, replayed: what a keeper decides here was read from the contracts and is sent to them.

A ``Live`` is a Court (tests/contracts/disputes) whose logs and documents make a ``Network``, with people who post orders,
accept, deliver and vote as nodes do. Calls are encoded by the contracts' own ABIs, as keepers encode them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any

import boa
from eth_utils import keccak

from inferix.canaries import commitment_of
from inferix.chain.abi import Interface
from inferix.draws import Roster
from inferix.messages import Acceptance, CanaryOpening, Message, Order, Receipt, Vote
from inferix.models.anchor import AnchorData, BatchLeaf, RosterData, SignedMessage
from inferix.models.document import Document
from inferix.models.event import ChainEvent
from inferix.models.job import JobSpec, QuoteRequest, RenderSettings
from inferix.models.roles import Outcome, RosterKind
from inferix.replay import Network, apply
from inferix.replay.accounting import roster_leaves
from inferix.replay.attempts import open_draws, seats
from inferix.replay.jobs import quote_of
from inferix.replay.settlement import HEADER, BatchDraft, draft_batch, draft_batches, outcome_leaf
from inferix.replay.state import Batch, TaskState
from inferix.trees import anchor_root
from keepers.desk import Step
from tests.contracts.disputes.court import Court, roster_leaf
from tests.contracts.system import Node, acting, advance, now, own_time
from tests.contracts.work.network import mine

Signed = tuple[Message, bytes]
RawLog = tuple[str, list[bytes], bytes, int, int]


class Live(Court):
    """``network``: the state that a keeper reads, brought up to date by each call here."""

    def __init__(self) -> None:
        self.logs: list[RawLog] = []
        self.transactions: dict[int, bytes] = {}
        self.documents: dict[bytes, bytes] = {}
        self.nonce = 0
        with own_time(), self.listening():
            super().__init__()
            self.interfaces = {
                str(each.address): Interface(name, each.abi)
                for name, each in vars(self).items()
                if hasattr(each, "abi") and hasattr(each, "address")
            }
            self.populate()
            self.post_workers()
            self.remember()
            self.replay()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Within, the logs of every call are kept."""
        execute = boa.env.execute_code

        def heard(*args: Any, **kwargs: Any) -> Any:
            done = execute(*args, **kwargs)
            if not done.is_error and not kwargs.get("simulate"):
                for _, address, topics, data in done.get_raw_log_entries():
                    words = [topic.to_bytes(32, "big") for topic in topics]
                    emitter = boa.util.abi.Address("0x" + address.hex())
                    self.logs.append((str(emitter), words, data, int(boa.env.evm.patch.block_number), now()))
            return done

        boa.env.execute_code = heard
        try:
            yield
        finally:
            boa.env.execute_code = execute

    @contextmanager
    def fresh(self) -> Iterator["Live"]:
        """A copy, on a chain that is rolled back afterwards."""
        with boa.env.anchor():
            self.resume()
            live = copy(self)
            live.logs, live.documents, live.nodes = list(self.logs), dict(self.documents), dict(self.nodes)
            live.received = {}
            live.transactions = dict(self.transactions)
            live.replay()
            with live.listening():
                yield live

    def replay(self) -> Network:
        """The state from the start, as of now."""
        self.network = Network(self.domain, self.genesis, self.documents)
        self._read = 0
        return self.follow()

    def follow(self) -> Network:
        """The state as of now."""
        for event in self.events(self._read):
            apply(self.network, event)
        self._read = len(self.logs)
        self.network.tick(now())
        return self.network

    def events(self, start: int = 0) -> Iterator[ChainEvent]:
        """What happened, from the ``start``-th log on."""
        for at in range(start, len(self.logs)):
            address, topics, data, block, timestamp = self.logs[at]
            interface = self.interfaces[address]
            found = interface.event(topics, data)
            assert found is not None, f"the ABI of {interface.contract} lacks an event"
            yield ChainEvent(block, at, timestamp, interface.contract, *found, self.transactions.get(at, bytes(32)))

    def wait(self, seconds: int) -> Network:
        """Lets time pass."""
        advance(seconds)
        return self.follow()

    def store(self, document: Document) -> bytes:
        """As a store that serves it."""
        self.documents[document.digest()] = document.encode()
        return document.digest()

    # -- rosters, anchors, orders

    def post_roster(self, weights: dict[int, int]) -> Roster:
        leaves = [roster_leaf(node, weight) for node, weight in sorted(weights.items())]
        return self._post(RosterKind.VERIFIERS, leaves)

    def post_workers(self) -> None:
        """The workers' roster, as the registry gives it."""
        self._post(RosterKind.WORKERS, roster_leaves(self.replay(), RosterKind.WORKERS))

    def _post(self, kind: RosterKind, leaves: list[Any]) -> Roster:
        roster, data = Roster(leaves), self.store(RosterData(kind=int(kind), leaves=leaves))
        with acting(self.governor):
            root = roster.tree.root.hash
            self.rosters.post(int(kind), root, roster.total, max(leaf.node for leaf in leaves) + 1, data)
        advance(30)
        return roster

    def anchor(self, *messages: Signed, manager: Node | None = None) -> Network:
        """Anchors and seals."""
        manager = manager or self.keeper
        items = [SignedMessage(kind=m.kind, body=m.body(), signature=s) for m, s in messages]  # type: ignore[arg-type]
        data = self.store(AnchorData(manager=manager.id, messages=items))
        root = anchor_root([message.digest(self.domain) for message, _ in messages])
        with acting(manager.operator):
            self.batches.anchor(manager.id, root, data)
        mine(2)
        self.batches.seal(manager.id)
        return self.follow()

    def order(self, manager: Node | None = None, **changes: Any) -> bytes:
        """A posted order of one frame; returns its job."""
        manager = manager or self.keeper
        self.nonce += 1
        settings = RenderSettings(first_frame=1, last_frame=1, width=64, height=64, samples=4)
        request = QuoteRequest(
            manager=manager.id, input="b" * 50, input_bytes=9, key=bytes(32), engine="blender", settings=settings
        )
        spec = JobSpec(
            request=request, work=10**9, assemble_work=10**8, frames_per_task=1, attempt_seconds=6_000,
            quote_signature="0x" + "00" * 65, quote_expires=now() + 600, low_price=1, high_price=2,
        )  # fmt: skip
        quote = quote_of(spec).sign(self.domain, bytes(manager.operator.key))
        spec = spec.model_copy(update={"quote_signature": "0x" + quote.hex()})
        fields = {
            "account": self.account, "nonce": self.nonce, "manager": manager.id, "spec": self.store(spec),
            "cap": 10**9, "price": 10**8, "attempts": 3, "deadline": now() + 86_400 * 20, "post_by": now() + 600,
        }  # fmt: skip
        order = Order(**(fields | changes))
        with acting(manager.operator):
            self.orders.post(order.record(order.sign(self.domain, bytes(self.client.key))))
        advance(24)
        self.follow()
        return order.digest(self.domain)

    # -- what nodes do

    def state(self, job: bytes, index: int = 0) -> TaskState:
        """A task; -1 is the assembly."""
        return self.network.jobs[job].tasks[index]

    def sign(self, message: Any) -> Signed:
        """By the operator of the node that it names."""
        node = next(item for item in (*self.workers, *self.nodes.values()) if item.id == message.node)
        return message, message.sign(self.domain, bytes(node.operator.key))

    def deliver(self, state: TaskState, is_canary: bool | None = None) -> Signed | None:
        """An attempt from its draw to its receipt; what opens it, if it commits to a canary or none."""
        self.anchor()
        attempt = state.attempts[-1]
        earlier = {other.node for other in state.attempts[:-1]}
        drawn = None
        while drawn is None:
            self.wait(24)
            open_now = open_draws(self.network, state, attempt, self.network.time)
            drawn = next((item for item in open_now if item.leaf.node not in earlier), None)
        fields = {"task": state.task.id, "attempt": attempt.number, "node": drawn.leaf.node}
        self.anchor(self.sign(Acceptance(**fields, draw=drawn.index)))
        if is_canary is None:
            self.anchor(self.sign(Receipt(**fields, result=state.task.id[::-1])))
            return None
        opening = CanaryOpening(**(fields | {"node": self.keeper.id}), is_canary=is_canary, salt=state.task.id)
        canary = commitment_of(opening, drawn.leaf.node)
        self.anchor(self.sign(Receipt(**fields, result=state.task.id[::-1], canary=canary)))
        return opening, opening.sign(self.domain, bytes(self.keeper.operator.key))

    def seated(self, state: TaskState) -> list[Node]:
        """Both draws of the newest attempt's committee."""
        places = seats(self.network, state, state.attempts[-1])
        return [self.nodes[seat.leaf.node] for seat in places]

    def cast(self, voters: Sequence[Node], state: TaskState, outcome: Outcome) -> None:
        """Their votes, anchored together."""
        attempt = state.attempts[-1]
        common = {"task": state.task.id, "attempt": attempt.number, "result": attempt.result, "measured": bytes(32)}
        self.anchor(*(self.sign(Vote(**common, node=node.id, outcome=int(outcome))) for node in voters))

    def run(self, state: TaskState, outcome: Outcome = Outcome.ACCEPTED, skip: int = 0) -> TaskState:
        """One attempt; the first ``skip`` seats of its committee stay silent."""
        self.deliver(state)
        needed = 1 if state.task.index == 2**32 - 1 else 3
        voters = self.seated(state)[skip : skip + needed]
        self.cast(voters, state, outcome)
        return state

    # -- batches and what keepers send

    def hand_in(
        self, draft: BatchDraft, manager: Node | None = None, posted: bytes | None = None, **changes: Any
    ) -> Batch:
        """Proposes a draft, its header changed, with these records; its documents are served by ``serve`` alone."""
        records = draft.records if posted is None else posted
        header = draft.header | {"records": keccak(records)} | changes
        with acting((manager or self.keeper).operator):
            self.batches.propose(tuple(header[name] for name in HEADER), records)
        self.follow()
        return list(self.network.batches.values())[-1]

    def serve(self, draft: BatchDraft) -> BatchDraft:
        """Its documents, for everybody."""
        for document in draft.documents:
            self.store(document)
        return draft

    def settle_ready(self, manager: Node | None = None) -> Batch:
        """An honest batch of what the lane has ready."""
        manager = manager or self.keeper
        return self.hand_in(self.serve(draft_batches(self.network, manager.id)[0]), manager)

    def fabricated(self, name: str = "made up", **changes: Any) -> BatchLeaf:
        """A leaf of a task that nobody ordered."""
        fields = {
            "task": keccak(text=name), "attempt": 0, "node": self.workers[0].id, "account": self.account, "work": 0,
            "charge": 0, "outcome": Outcome.REJECTED, "result": bytes(32), "votes": bytes(32), "voters": bytes(32),
            "anchor": 1,
        }  # fmt: skip
        return BatchLeaf(**(fields | changes))

    def ready(self) -> BatchLeaf:
        """The right leaf of a task that was accepted."""
        state = self.run(self.state(self.order()))
        return outcome_leaf(self.network, state, state.attempts[-1])

    def draft(self, leaves: list[BatchLeaf], manager: Node | None = None) -> BatchDraft:
        """The next batch of a lane with these leaves."""
        manager = manager or self.keeper
        lane = self.network.lane(manager.id).batches
        return draft_batch(manager.id, len(lane) + 1, 1, leaves, lane[-1] if lane else bytes(32))

    def send(self, step: Step, sender: Any) -> None:
        """A keeper's step, encoded as keepers encode it. Reverts as the contract does."""
        _, function, arguments = step
        data = self.interfaces[str(self.disputes.address)].encode(function, arguments)
        boa.env.raw_call(self.disputes.address, sender=sender.address, data=data)
        self.follow()
