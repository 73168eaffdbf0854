# SPDX-License-Identifier: Apache-2.0
"""What was asked for on chain: anchors that are cancelled or posted, and disputes about roots."""

from typing import Any

import pytest

from inferix.messages import Message, Order
from inferix.models.event import NamedBy
from inferix.models.roles import DisputeStatus, Outcome, RootKind
from inferix.replay import Network, apply
from inferix.replay.availability import CANCELLED, NOT_SERVED
from inferix.replay.later import look_ahead
from tests.replay.chain import DOMAIN, GENESIS, MANAGER, Chain, address, key

KINDS = {"Acceptance": 1, "Receipt": 2, "Vote": 3}


@pytest.fixture
def chain() -> Chain:
    """One job whose first task was accepted."""
    chain = Chain()
    chain.start()
    chain.run(chain.state(chain.order(), 0))
    return chain


def replayed(chain: Chain, ahead: bool = True) -> Network:
    """The state of somebody who comes by now."""
    network = Network(DOMAIN, GENESIS, chain.documents, look_ahead(chain.events) if ahead else None)
    for event in chain.events:
        apply(network, event)
    return network


def carrying(chain: Chain, messages: int) -> int:
    """The newest anchor with so many messages."""
    anchors = chain.network.lane(MANAGER).anchors.values()
    return next(anchor.index for anchor in reversed(list(anchors)) if anchor.messages == messages)


def values(signed: list[tuple[Message, bytes]]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"kind": KINDS[message.kind], "body": message.body(), "signature": signature} for message, signature in signed
    )


def outcome(network: Network) -> Outcome | None:
    return next(iter(network.jobs.values())).tasks[0].attempts[0].outcome


def test_messages_of_a_cancelled_anchor_never_count(chain: Chain) -> None:
    votes = carrying(chain, 2)
    assert outcome(chain.network) is Outcome.ACCEPTED
    chain.emit("AnchorCancelled", manager=MANAGER, index=votes)
    assert chain.network.is_stale
    network = replayed(chain)
    assert not network.is_stale
    assert outcome(network) is not Outcome.ACCEPTED
    anchor = network.lane(MANAGER).anchors[votes]
    assert (anchor.problem, anchor.messages) == (CANCELLED, 0)
    assert anchor.seed is not None, "its seed still draws"
    assert anchor.data not in network.missing


def test_whoever_replays_without_looking_ahead_learns_that_it_was_wrong(chain: Chain) -> None:
    chain.emit("AnchorCancelled", manager=MANAGER, index=carrying(chain, 2))
    assert replayed(chain, ahead=False).is_stale
    chain.emit("AnchorCancelled", manager=7, index=1)
    assert not replayed(chain).is_stale, "of a lane that nobody knows"


def test_attack_an_order_whose_spec_is_an_anchors_document__takes_no_bond_from_behind_it(chain: Chain) -> None:
    ours, theirs = b"\1" * 32, b"\2" * 32

    def order(nonce: int, spec: bytes) -> bytes:
        terms = {"cap": 10**9, "price": 20_000_000, "attempts": 3}
        times = {"deadline": chain.time + 86_400, "post_by": chain.time + 600}
        order = Order(account=1, nonce=nonce, manager=MANAGER, spec=spec, **terms, **times)
        return order.record(order.sign(DOMAIN, key(0)))

    chain.emit("OrdersPosted", poster=address(0), records=order(100, ours) + order(101, theirs))
    unbacked = NamedBy(1, is_backed=False)
    assert chain.network.missing == {ours: unbacked, theirs: unbacked}
    chain.emit("Anchored", manager=MANAGER, index=chain.anchors + 1, root=b"\3" * 32, data=ours)
    chain.emit("OrdersPosted", poster=address(0), records=order(102, ours))
    assert chain.network.missing == {ours: NamedBy(MANAGER), theirs: unbacked}


def test_messages_that_were_posted_count_without_their_document() -> None:
    chain = Chain()
    chain.start()
    state = chain.state(chain.order(), 0)
    chain.anchor()
    acceptance = chain.acceptance(state)
    chain.anchor(acceptance)
    anchor = chain.network.lane(MANAGER).anchors[chain.anchors]
    del chain.documents[anchor.data]
    hidden = replayed(chain)
    assert hidden.lane(MANAGER).anchors[chain.anchors].problem == NOT_SERVED
    assert hidden.tasks[state.task.id].attempts[0].node == 0
    posted = {"manager": MANAGER, "index": chain.anchors, "chunks": 2}
    chain.emit("MessagesPosted", chunk=0, messages=values([acceptance]), **posted)
    assert replayed(chain).tasks[state.task.id].attempts[0].node == 0, "half of it is not there"
    chain.emit("MessagesPosted", chunk=1, messages=(), **posted)
    network = replayed(chain)
    assert network.tasks[state.task.id].attempts[0].node == state.attempts[0].node
    assert anchor.data in network.missing, "its document is still asked for, and goes first when it comes"
    assert not network.is_stale


def test_a_document_that_is_there_goes_before_what_was_posted(chain: Chain) -> None:
    """Another signature of the same message, shown later, changes nothing that everybody has seen."""
    index = carrying(chain, 2)
    votes = values(chain.votes(chain.network.jobs[next(iter(chain.network.jobs))].tasks[0]))
    spoiled = tuple(item | {"signature": b"\1" * 65} for item in votes)
    chain.emit("MessagesPosted", manager=MANAGER, index=index, chunk=0, chunks=1, messages=spoiled)
    assert not chain.network.is_stale
    assert outcome(replayed(chain)) is Outcome.ACCEPTED


def disputed(chain: Chain, kind: RootKind, chunk: int = 0) -> bytes:
    id = bytes([chunk + 1]) * 32
    root = {"kind": int(kind), "of": MANAGER, "index": 1, "root": b"\7" * 32, "chunk": chunk}
    chain.emit("RootDisputed", id=id, challenger="0x", node=3, bond=5, until=chain.time + 21_600, **root)
    return id


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("RootServed", DisputeStatus.ANSWERED),
        ("RootDisputeUpheld", DisputeStatus.UPHELD),
        ("RootDisputeDropped", DisputeStatus.DROPPED),
    ],
)
def test_a_dispute_about_a_root_from_its_opening_to_its_end(chain: Chain, event: str, status: DisputeStatus) -> None:
    id, other = disputed(chain, RootKind.ROSTER), disputed(chain, RootKind.NODES, 1)
    dispute = chain.network.root_disputes[id]
    assert (dispute.name.kind, dispute.chunk, dispute.status) == (RootKind.ROSTER, 0, DisputeStatus.OPEN)
    chain.wait(60)
    chain.emit(event, id=id)
    assert (dispute.status, dispute.ended_at) == (status, chain.time)
    assert chain.network.root_disputes[other].status is DisputeStatus.OPEN
