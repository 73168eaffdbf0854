# SPDX-License-Identifier: Apache-2.0
"""Anchors: one root a slot over new messages, or over none when somebody waits for a seed; sealed as early as it goes.

A message counts at its first anchor, so it is marked before it is sent and unmarked only if nothing was sent.
"""

import logging
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from inferix.chain.deployment import Contracts
from inferix.messages import ANCHORED
from inferix.models.anchor import AnchorData, SignedMessage
from inferix.replay import Network
from inferix.replay.attempts import why_not
from inferix.replay.state import AttemptStatus
from inferix.storage.documents import put_document
from inferix.storage.tables import Message
from inferix.trees import Tree, message_leaf
from keepers.desk import Desk

log = logging.getLogger(__name__)

MESSAGES_AT_ONCE = 200
SEAL_AFTER = 2  # blocks


def needs_seed(network: Network, manager: int) -> bool:
    """Whether an attempt of the lane waits for an anchor."""
    return any(
        attempt.status is AttemptStatus.WAITING and attempt.seed_anchor is None and attempt.lane == manager
        for job in network.jobs.values()
        if job.status in ("posted", "running")
        for state in job.tasks
        if (attempt := state.current) is not None
    )


def decide_messages(network: Network, manager: int, rows: list[Message]) -> tuple[list[Message], dict[bytes, str]]:
    """(messages that count if they are anchored now, reasons of those that never will).

    One acceptance and one receipt an attempt: what comes second has lost the race.
    """
    take: list[Message] = []
    refused: dict[bytes, str] = {}
    taken: set[tuple[str, bytes | None, int | None]] = set()
    for row in rows:
        message = ANCHORED[row.kind].from_body(row.body)
        state = network.tasks.get(message.task)
        current = state.current if state else None
        if current is not None and current.lane != manager:
            continue  # another manager's
        item = SignedMessage(kind=row.kind, body=row.body, signature=row.signature)  # type: ignore[arg-type]
        reason = why_not(network, manager, item, message, network.time)
        race = (row.kind, row.task, row.attempt)
        if not reason and row.kind != "Vote" and race in taken:
            reason = "another message came first"
        if reason:
            refused[row.digest] = reason
        elif len(take) < MESSAGES_AT_ONCE:
            taken.add(race)
            take.append(row)
    return take, refused


@dataclass
class AnchorKeeper:
    """The lane's anchors; ``contracts`` reads the lane as it is now, ahead of what is final."""

    desk: Desk
    contracts: Contracts

    def cycle(self) -> None:
        """Anchors or seals, whichever is due."""
        lane = self.contracts.read("Batches", "lane", self.desk.manager)
        head = self.contracts.client.header("latest")
        self._unmark(lane["anchors"])
        with self.desk.database.reading() as session:
            wanted = select(Message).where(
                col(Message.kind).in_(list(ANCHORED)),
                col(Message.anchored_in).is_(None),
                col(Message.refused).is_(None),
            )
            rows = list(session.exec(wanted.order_by(col(Message.received_at))).all())
        with self.desk.follower.reading() as network:
            take, refused = decide_messages(network, self.desk.manager, rows)
            anchors = network.lane(self.desk.manager).anchors
            known = max(anchors, default=0)
            last = anchors[known].timestamp if anchors else 0
            wanted_seed = needs_seed(network, self.desk.manager)
            slot_over = network.time >= last + network.parameters["slot"]
        self._refuse(refused)
        caught_up = known == lane["anchors"]  # what is on its way must be known before the next
        if caught_up and slot_over and (take or wanted_seed):
            self._anchor(lane["anchors"] + 1, take)
        elif lane["sealed"] < lane["anchors"] and head.number >= lane["block"] + SEAL_AFTER:
            self._seal(lane)

    def _seal(self, lane: Any) -> None:
        key = f"seal:{self.desk.manager}:{lane['anchors']}:{lane['block']}"
        self.desk.send("work", key, "Batches", "seal", self.desk.manager)

    def _key(self, index: int) -> str:
        return f"anchor:{self.desk.manager}:{index}"

    def _anchor(self, index: int, rows: list[Message]) -> None:
        if self.desk.sender.done(self._key(index)):
            return
        data = AnchorData(
            manager=self.desk.manager,
            messages=[
                SignedMessage(kind=row.kind, body=row.body, signature=row.signature)  # type: ignore[arg-type]
                for row in rows
            ],
        )
        digest = put_document(self.desk.store, data)
        root = Tree([message_leaf(row.digest) for row in rows]).root.hash
        with self.desk.database.session() as session:
            for row in rows:
                row.anchored_in = index
                session.merge(row)
        self.desk.send("work", self._key(index), "Batches", "anchor", self.desk.manager, root, digest)
        log.info("anchor %d with %d messages", index, len(rows))

    def _unmark(self, anchors: int) -> None:
        """Messages marked for an anchor that was never sent wait again."""
        with self.desk.database.session() as session:
            for row in session.exec(select(Message).where(col(Message.anchored_in) > anchors)):
                assert row.anchored_in is not None
                if not self.desk.sender.done(self._key(row.anchored_in)):
                    row.anchored_in = None
                    session.add(row)

    def _refuse(self, reasons: dict[bytes, str]) -> None:
        if not reasons:
            return
        with self.desk.database.session() as session:
            for digest, reason in reasons.items():
                row = session.get(Message, digest)
                assert row is not None
                row.refused = reason
                session.add(row)
                log.info("%s of node %d is not anchored: %s", row.kind, row.node, reason)
