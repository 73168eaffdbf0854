# SPDX-License-Identifier: Apache-2.0
"""A chain small enough to write by hand: it makes the events that the contracts would make, for the reducer's tests."""

from collections.abc import Sequence
from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_account import Account as Wallet
from eth_utils.crypto import keccak

from inferix.draws import Roster
from inferix.machines import machine_name, to_bytes32
from inferix.messages import Acceptance, Domain, Message, Order, Probe, Receipt, Vote
from inferix.models.anchor import AccountsData, AnchorData, Chunked, RosterData, RosterLeaf, SignedMessage
from inferix.models.document import Document
from inferix.models.event import ChainEvent
from inferix.models.job import JobSpec, LeaseSpec, QuoteRequest, RenderSettings
from inferix.models.parameters import DEV_OVERRIDES
from inferix.models.roles import BatchStatus, Outcome, Role, RosterKind
from inferix.replay import Network, apply
from inferix.replay.accounting import accounts_tree, nodes_tree, roster_leaves
from inferix.replay.attempts import open_draws, seats
from inferix.replay.jobs import quote_of
from inferix.replay.settlement import BatchDraft, commitment_of, draft_batches
from inferix.replay.state import Attempt, TaskState
from inferix.trees import anchor_root, split

DOMAIN = Domain(chain_id=1337, contract="0x" + "11" * 20)
GENESIS = 1_000_000
MANAGER = 1
WORKERS = (2, 3, 4)
VERIFIERS = (5, 6, 7)
COIN = "0x" + "cc" * 20
KERNEL = "avx2"
MACHINE = machine_name("cpu", KERNEL)
"""What the benchmarks of all workers say."""


def key(node: int) -> bytes:
    """The operator key of a node; 0 is the client's."""
    return keccak(f"test key {node}".encode())


def address(node: int) -> str:
    """The address of that key."""
    return str(Wallet.from_key(key(node)).address)


def block_hash(number: int) -> bytes:
    """The hash of a block of this chain."""
    return keccak(b"block" + number.to_bytes(8, "big"))


class Chain:
    """Makes events and feeds them to a Network; keeps them for another replay."""

    def __init__(self) -> None:
        self.documents: dict[bytes, bytes] = {}
        self.network = Network(DOMAIN, GENESIS, self.documents)
        self.events: list[ChainEvent] = []
        self.block = 1
        self.time = GENESIS + 10
        self.anchors = 0
        self.seed = MANAGER.to_bytes(32, "big")
        self.nonce = 0

    def emit(self, name: str, /, **args: Any) -> None:
        event = ChainEvent(self.block, len(self.events), self.time, "test", name, args)
        self.events.append(event)
        apply(self.network, event)

    def wait(self, seconds: int = 1) -> None:
        self.block += 1
        self.time += seconds

    def store(self, document: Document) -> bytes:
        parts = document.cut() if isinstance(document, Chunked) else [document]
        self.documents |= {part.digest(): part.encode() for part in parts}
        return parts[0].digest()

    def start(self, verifiers: Sequence[int] = VERIFIERS) -> None:
        """A dev network with one manager, three workers and these verifiers, and a client with 100 USD."""
        for name, value in DEV_OVERRIDES.items():
            self.emit("ParameterSet", name=keccak(text=name), value=value)
        roles = [
            (MANAGER, Role.MANAGER),
            *((n, Role.WORKER) for n in WORKERS),
            *((n, Role.VERIFIER) for n in verifiers),
        ]
        for node, role in roles:
            self.emit(
                "NodeRegistered",
                node=node,
                owner=address(100 + node),
                operator=address(node),
                role=int(role),
                licence=node,
                sealing_key=keccak(text=f"sealing {node}"),
                price=16_000_000,
            )
            self.emit("Staked", node=node, payer=address(100 + node), amount=10**20)
            self.emit("Qualified", node=node, qualified=True)
            if role is Role.WORKER:
                self.emit("BenchmarkAttested", node=node, manager=MANAGER, ib=6_000, device_class=to_bytes32(MACHINE))
        self.emit("CoinAdded", coin=COIN, index=0, scale=1_000, cap=10**20)
        self.emit("ToppedUp", account=1, owner=address(0), coin=COIN, amount=10**8, credit=100 * 10**9)
        self.post_rosters(1)

    def post_rosters(self, index: int) -> None:
        for kind in RosterKind:
            self.post_roster(kind, index, roster_leaves(self.network, kind))
            self.wait(5)
            self.emit("RosterFinalized", kind=int(kind), index=index)

    def post_roster(self, kind: RosterKind, index: int, leaves: list[RosterLeaf], **changes: Any) -> None:
        roster = Roster(leaves)
        fields = {
            "root": roster.tree.root.hash,
            "total": roster.total,
            "count": max(roster.leaves) + 1,
            "manager": MANAGER,
            "data": self.store(RosterData(kind=int(kind), leaves=leaves)),
        }
        self.emit("RosterPosted", kind=int(kind), index=index, **{**fields, **changes})

    def spec(self, frames: int = 2, **changes: Any) -> JobSpec:
        request = QuoteRequest(
            manager=MANAGER,
            input="b" * 50,
            input_bytes=1000,
            key=bytes(32),
            engine="blender",
            settings=RenderSettings(first_frame=1, last_frame=frames, width=64, height=64, samples=4),
        )
        fields = {
            "request": request,
            "work": 1_000_001,
            "assemble_work": 500_000,
            "frames_per_task": 1,
            "attempt_seconds": 60,
            "quote_signature": "0x" + "00" * 65,
            "quote_expires": self.time + 600,
            "low_price": 8_000_000,
            "high_price": 32_000_000,
        }
        spec = JobSpec(**{**fields, **changes})
        if "quote_signature" in changes:
            return spec
        signed = quote_of(spec).sign(DOMAIN, key(spec.request.manager))
        return spec.model_copy(update={"quote_signature": "0x" + signed.hex()})

    def order(self, spec: JobSpec | LeaseSpec | None = None, signer: int = 0, **changes: Any) -> bytes:
        """Posts an order and returns the job id."""
        self.nonce += 1
        spec = spec or self.spec()
        fields = {
            "account": 1,
            "nonce": self.nonce,
            "manager": MANAGER,
            "spec": self.store(spec),
            "cap": 10**9,
            "price": 20_000_000,
            "attempts": 3,
            "deadline": self.time + 86_400,
            "post_by": self.time + 600,
        }
        order = Order(**{**fields, **changes})
        record = order.record(order.sign(DOMAIN, key(signer)))
        self.wait()
        self.emit("OrdersPosted", poster=address(0), records=record)
        return order.digest(DOMAIN)

    def anchor(self, *messages: tuple[Message, bytes]) -> None:
        """Anchors and seals."""
        self.anchors += 1
        data = AnchorData(
            manager=MANAGER,
            messages=[SignedMessage(kind=m.kind, body=m.body(), signature=s) for m, s in messages],  # type: ignore[arg-type]
        )
        root = anchor_root([m.digest(DOMAIN) for m, _ in messages])
        self.wait()
        block = self.block
        self.emit("Anchored", manager=MANAGER, index=self.anchors, root=root, data=self.store(data))
        self.wait()
        self.wait()
        self.seed = keccak(abi_encode(["bytes32"] * 3, [self.seed, block_hash(block + 1), root]))
        self.emit("Sealed", manager=MANAGER, index=self.anchors, seed=self.seed)

    # -- what a manager settles

    def propose(self, draft: BatchDraft, **changes: Any) -> bytes:
        """Proposes a batch; its commitment. ``changes``: fields of the header."""
        for document in draft.documents:
            self.store(document)
        header = {**draft.header, **changes}
        self.emit("Proposed", commitment=commitment_of(header), header=header)
        return commitment_of(header)

    def settle(self) -> None:
        """All that has ended, in a final batch."""
        for draft in draft_batches(self.network, MANAGER):
            commitment = self.propose(draft)
            self.wait(86_400)
            self.emit("BatchFinalized", commitment=commitment, epoch=0)

    def close_first_epoch(self) -> "Chain":
        """With one job in it, done and settled; the same chain."""
        self.finish(self.order())
        self.settle()
        self.close_epoch(1_000_000_007)
        return self

    def close_epoch(self, minted: int, **changes: int) -> None:
        """The first epoch; ``changes``: of what the contract counts."""
        self.time = GENESIS + 259_201
        final = [batch for batch in self.network.batches.values() if batch.status is BatchStatus.FINAL]
        sums = {"charge": sum(batch.charge for batch in final), "work": sum(batch.work for batch in final)}
        self.emit("EpochClosed", **{"epoch": 0, **sums, "burned": minted, "minted": minted, "pooled": 0, **changes})

    def post_accounts(self, data: AccountsData, /, **changes: Any) -> None:
        accounts, nodes = accounts_tree(data).root, nodes_tree(data).root
        (spent, reserved), (matured, vesting) = split(accounts.sum), split(nodes.sum)
        fields = {
            "index": len(self.network.accounts_roots) + 1,
            "manager": MANAGER,
            "accounts_root": accounts.hash,
            "spent": spent,
            "reserved": reserved,
            "nodes_root": nodes.hash,
            "matured": matured,
            "vesting": vesting,
            "data": self.store(data),
        }
        self.emit("AccountsPosted", epoch=data.epoch, **{**fields, **changes})

    # -- what nodes do

    def state(self, job: bytes, index: int) -> TaskState:
        return self.network.jobs[job].tasks[index]

    def acceptance(self, state: TaskState, skip: tuple[int, ...] = ()) -> tuple[Message, bytes]:
        """Waits until a fitting worker's draw is open and signs its acceptance."""
        attempt = state.attempts[-1]
        earlier = {other.node for other in state.attempts[:-1]}
        for _ in range(100):
            for drawn in open_draws(self.network, state, attempt, self.time):
                if drawn.leaf.node not in earlier and drawn.leaf.node not in skip:
                    message = Acceptance(
                        task=state.task.id, attempt=attempt.number, node=drawn.leaf.node, draw=drawn.index
                    )
                    return signed(message)
            self.wait(4)
        raise AssertionError("nobody was drawn")

    def answer(self, node: int) -> tuple[Message, bytes]:
        """A probe, answered by the newest seed."""
        return signed(Probe(manager=MANAGER, anchor=self.anchors, seed=self.seed, node=node))

    def receipt(self, state: TaskState, result: bytes = b"\x01" * 32) -> tuple[Message, bytes]:
        attempt = state.attempts[-1]
        return signed(Receipt(task=state.task.id, attempt=attempt.number, node=attempt.node, result=result))

    def votes(self, state: TaskState, outcome: Outcome = Outcome.ACCEPTED) -> list[tuple[Message, bytes]]:
        attempt: Attempt = state.attempts[-1]
        now = [seat.leaf.node for seat in seats(self.network, state, attempt) if seat.from_time <= self.time]
        return [
            signed(
                Vote(
                    task=state.task.id,
                    attempt=attempt.number,
                    node=node,
                    result=attempt.result,
                    outcome=int(outcome),
                    measured=bytes(32),
                )
            )
            for node in now
        ]

    def run(self, state: TaskState, outcome: Outcome = Outcome.ACCEPTED) -> None:
        """One attempt from draw to votes."""
        self.anchor()
        self.anchor(self.acceptance(state))
        self.anchor(self.receipt(state))
        self.anchor(*self.votes(state, outcome))

    def finish(self, job: bytes) -> None:
        """One accepted attempt of each of its tasks."""
        for state in self.network.jobs[job].tasks:
            self.run(state)


def signed(message: Message) -> tuple[Message, bytes]:
    """A message with its node's signature."""
    return message, message.sign(DOMAIN, key(message.node))  # type: ignore[attr-defined]
