# SPDX-License-Identifier: Apache-2.0
"""A worker puts its receipt on chain: the keeper of an honest lane anchors it as if it had arrived."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlmodel import select

from inferix.chain.deployment import Contracts
from inferix.messages import Receipt
from inferix.models.anchor import AnchorData
from inferix.models.roles import Outcome
from inferix.replay import Network
from inferix.replay.attempts import GRACE, NOT_ITS
from inferix.replay.state import AttemptStatus, TaskState
from inferix.storage.database import Database
from inferix.storage.documents import get_document
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.tables import Message
from keepers.anchor import AnchorKeeper
from keepers.canaries import NOT_GIVEN
from keepers.desk import Desk
from keepers.posted import decide_posted
from tests.replay.chain import MANAGER, Chain, key

OTHER = 9


class Lane:
    """A manager's desk beside the chain of a test, which is final at once; `sent`: the digests of its anchors' data."""

    def __init__(self, chain: Chain, database: Database, store: EmbeddedStore, manager: int = MANAGER) -> None:
        self.chain, self.database, self.store, self.manager = chain, database, store, manager
        self.operator_key, self.sent, self.keys = key(manager), list[bytes](), set[str]()
        self.follower = SimpleNamespace(reading=self._reading)
        self.sender = SimpleNamespace(done=self.keys.__contains__)
        self.client = self

    @contextmanager
    def _reading(self) -> Iterator[Network]:
        self.chain.network.tick(self.chain.time)
        yield self.chain.network

    def header(self, number: int | str) -> Any:
        return SimpleNamespace(number=self.chain.block, timestamp=self.chain.time if number == "latest" else 0)

    def read(self, contract: str, function: str, manager: int, block: int) -> Any:
        """The lane, of which all is sealed; nobody was called out."""
        anchors = self.chain.network.lane(manager).anchored
        return (0, 0) if contract == "Orders" else {"anchors": anchors, "sealed": anchors, "block": 0}

    def try_send(self, lane: str, key: str, contract: str, function: str, *arguments: Any) -> bool:
        """Taken down, once a key."""
        if function == "anchor":
            self.keys.add(key)
            self.sent.append(arguments[2])
        return True

    def cycle(self) -> None:
        """One turn, a slot after the last."""
        self.chain.wait(10)
        keeper = AnchorKeeper(cast(Desk, self), cast(Contracts, self))
        keeper._answer = lambda: None  # type: ignore[method-assign]
        keeper.cycle()

    def inbox(self) -> list[Message]:
        with self.database.reading() as session:
            return list(session.exec(select(Message)).all())


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


def posted(chain: Chain) -> tuple[TaskState, Receipt]:
    """A receipt on chain that its lane never got, at its deadline."""
    state = chain.state(chain.order(), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    message, signature = chain.receipt(state)
    assert isinstance(message, Receipt)
    chain.time = state.attempts[0].deadline
    chain.emit("MessagePosted", kind=2, body=message.body(), signature=signature)
    return state, message


def test_it_is_taken_into_the_inbox_once_and_anchored(chain: Chain, database: Database, store: EmbeddedStore) -> None:
    state, message = posted(chain)
    lane = Lane(chain, database, store)
    lane.cycle()
    (row,) = lane.inbox()
    assert (row.digest, row.node, row.task) == (message.digest(chain.network.domain), message.node, message.task)
    assert (row.lane, row.anchored_in, row.refused) == (MANAGER, chain.anchors + 1, None)
    lane.cycle()
    assert lane.inbox()[0].anchored_in == chain.anchors + 1, "its mark stays"
    (digest,) = lane.sent
    (item,) = get_document(store, AnchorData, digest).messages
    assert Receipt.from_body(item.body) == message
    chain.anchor((message, item.signature))
    attempt = state.attempts[0]
    assert (attempt.status, attempt.receipt_anchor) == (AttemptStatus.RECEIVED, chain.anchors)
    chain.anchor(*chain.votes(state))
    assert attempt.outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(("reason", "taken"), [(NOT_ITS, True), (NOT_GIVEN, False)])
def test_what_was_refused_before_it_counted_is_taken_but_for_a_canarys_sake(
    chain: Chain, database: Database, store: EmbeddedStore, reason: str, taken: bool
) -> None:
    posted(chain)
    (row,) = decide_posted(chain.network, MANAGER)
    row.refused = reason
    with database.session() as session:
        session.add(row)
    lane = Lane(chain, database, store)
    lane.cycle()
    assert (lane.inbox()[0].refused is None, len(lane.sent) == 1) == (taken, taken)


def test_only_the_lane_of_its_attempt_takes_it_and_only_while_it_counts(
    chain: Chain, database: Database, store: EmbeddedStore
) -> None:
    state, _ = posted(chain)
    Lane(chain, database, store, OTHER).cycle()
    assert decide_posted(chain.network, OTHER) == []
    assert len(decide_posted(chain.network, MANAGER)) == 1
    chain.time = state.attempts[0].deadline + GRACE + 1
    lane = Lane(chain, database, store)
    lane.cycle()
    assert lane.inbox() == []
