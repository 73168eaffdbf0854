# SPDX-License-Identifier: Apache-2.0
"""Anchors: one root a slot over new messages, or over none when somebody waits for a seed or calls this manager out;
sealed as early as it goes.

The index of the next anchor is read from the newest block, so that a lane need not wait until its last anchor is final.
Messages are marked with that index before the anchor is sent; a keeper that dies in between makes the same anchor again
from its marks. Marks come off only when another anchor took that index.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from sqlmodel import Session, col, select

from inferix.chain.deployment import Contracts
from inferix.errors import InferixError
from inferix.messages import ANCHORED, Acceptance, CanaryOpening, OfTask, Probe, Receipt, Vote, VoteCommitment
from inferix.models.anchor import AnchorData, SignedMessage
from inferix.replay import Network, probes
from inferix.replay.attempts import why_not
from inferix.replay.canaries import EARLY
from inferix.replay.jobs import LIVE
from inferix.replay.state import AttemptStatus
from inferix.storage.documents import put_document
from inferix.storage.tables import Message
from inferix.trees import anchor_root
from keepers.canaries import Canaries, Given, is_due, keep, openings, why_not_given
from keepers.desk import MONEY, WORK, Desk
from keepers.posted import take_posted

log = logging.getLogger(__name__)

MESSAGES_AT_ONCE = 280  # forty tasks with their committees
PROBES_AT_ONCE = 100  # beside these
VOTES_WAIT_PART = 8  # of a vote's window
PROBES_WAIT = 600  # seconds, for what is done or for others: they are in no hurry, and an anchor costs gas
SEAL_AFTER = 2  # blocks
SEAL_FIRST_AFTER = 200  # blocks; past 256 the block hash is out of reach and the next anchor is refused
COMPARED = 50  # of the newest anchors, at the start
REFUSE_AFTER = 30  # seconds: who checked the message may have seen newer blocks than this program


@dataclass(frozen=True)
class LaneNow:
    """A lane as of the newest block. ``time``: of that block; ``anchored_at``, ``block``: of the newest anchor;
    ``is_called_out``: without another anchor its jobs are lost."""

    anchors: int
    sealed: int
    block: int
    anchored_at: int
    head: int
    time: int
    is_called_out: bool = False


def needs_seed(network: Network, manager: int, lane: LaneNow) -> bool:
    """Whether an attempt of the lane waits for an anchor that is not on its way yet."""
    for job in network.jobs.values():
        for state in job.tasks if job.status in LIVE else ():
            attempt = state.current
            if attempt is None or attempt.lane != manager or attempt.status is not AttemptStatus.WAITING:
                continue
            served = lane.block > attempt.after_block and lane.anchored_at > attempt.after_time
            if attempt.seed_anchor is None and not served and lane.time > attempt.after_time:
                return True
    return False


def decide_messages(network: Network, manager: int, rows: Sequence[Message]) -> tuple[list[Message], dict[bytes, str]]:
    """(messages that count if they are anchored now, reasons of those that never will).

    One acceptance and one receipt an attempt, one answer of a node: what comes second has lost the race. Openings come
    last, with the votes that they wait for.
    """
    refused: dict[bytes, str] = {}
    take: list[tuple[Message, OfTask]] = []
    taken: set[tuple[str, bytes, int]] = set()
    found = _read(rows, refused)
    given = openings(message for _, message in found)
    for row, message in sorted(found, key=lambda each: isinstance(each[1], CanaryOpening)):
        state = network.tasks.get(message.task)
        current = state.current if state else None
        if current is not None and current.lane != manager and not isinstance(message, CanaryOpening):
            continue  # another manager's
        race = (row.kind, message.task, message.attempt)
        reason = why_not(network, manager, signed(row), message, network.time)
        if isinstance(message, CanaryOpening) and reason == EARLY:
            if not is_due(network, manager, message, [other for _, other in take]):
                continue
            reason = ""
        if not reason and isinstance(message, Receipt):
            reason = why_not_given(given, message)
        if not reason and row.kind != "Vote" and race in taken:
            reason = "another message came first"
        if not reason and len(take) < MESSAGES_AT_ONCE:
            taken.add(race)
            take.append((row, message))
        elif reason and network.time > row.received_at + REFUSE_AFTER:
            refused[row.digest] = reason
    answers = _decide_answers(network, rows, PROBES_AT_ONCE, refused)
    chosen = {row.digest for row in (*answers, *(row for row, _ in take))}
    return [row for row in sorted(rows, key=_is_opening) if row.digest in chosen], refused


def together(
    network: Network, rows: Sequence[Message], committed: Mapping[tuple[bytes, int], set[int]]
) -> list[Message]:
    """Rows without the votes of an attempt of which more were ``committed`` to and are about to be shown.

    They are to decide together, since one that rejects calls a second draw. For an eighth of their window at most.
    """
    shown: dict[tuple[bytes, int], list[Message]] = {}
    for row in rows:
        if row.kind == Vote.kind and row.task is not None and row.attempt is not None:
            shown.setdefault((row.task, row.attempt), []).append(row)
    last = network.time - network.parameters["vote_window"] // VOTES_WAIT_PART
    held = {
        row.digest
        for key, votes in shown.items()
        if min(row.received_at for row in votes) > last
        if committed.get(key, set()) - {row.node for row in votes} - _voted(network, *key)
        for row in votes
    }
    return [row for row in rows if row.digest not in held]


def _voted(network: Network, task: bytes, attempt: int) -> set[int]:
    state = network.tasks.get(task)
    return set(state.attempts[attempt].votes) if state is not None and attempt < len(state.attempts) else set()


def _is_opening(row: Message) -> bool:
    return row.kind == CanaryOpening.kind


def _decide_answers(
    network: Network, rows: Sequence[Message], most: int, refused: dict[bytes, str]
) -> Sequence[Message]:
    """Of the probes the first so many that count if they are anchored now."""
    answers: dict[int, Message] = {}
    for row in rows:
        if len(answers) >= most:
            break
        if row.kind == Probe.kind:
            try:
                reason = probes.why_not(network, signed(row), Probe.from_body(row.body), network.time)
            except InferixError as error:
                refused[row.digest] = str(error)
                continue
            if not reason:
                answers.setdefault(row.node, row)
            elif network.time > row.received_at + REFUSE_AFTER:
                refused[row.digest] = reason
    return list(answers.values())


def can_wait(network: Network, rows: Sequence[Message]) -> bool:
    """Whether these are a few probes only, new and in no hurry."""
    return len(rows) < PROBES_AT_ONCE and all(row.kind == Probe.kind and _is_early(network, row) for row in rows)


def _is_early(network: Network, row: Message) -> bool:
    probe = Probe.from_body(row.body)
    left = network.lanes[probe.manager].anchors[probe.anchor].sealed_at + probes.PROBE_TERM - network.time
    return network.time < row.received_at + PROBES_WAIT and left > 2 * PROBES_WAIT


def _read(rows: Sequence[Message], refused: dict[bytes, str]) -> list[tuple[Message, OfTask]]:
    found: list[tuple[Message, OfTask]] = []
    for row in rows:
        try:
            message = ANCHORED[row.kind].from_body(row.body)
        except InferixError as error:
            refused[row.digest] = str(error)
            continue
        if not isinstance(message, Probe):
            found.append((row, message))
    return found


def decide_anchor(network: Network, manager: int, lane: LaneNow, messages: int) -> str:
    """``seal``, ``anchor`` or nothing."""
    unsealed, age = lane.sealed < lane.anchors, lane.head - lane.block
    if unsealed and (age < SEAL_AFTER or age > SEAL_FIRST_AFTER):
        return "seal" if age > SEAL_FIRST_AFTER else ""
    slot_over = lane.time >= lane.anchored_at + network.parameters["slot"]
    if slot_over and (messages or lane.is_called_out or needs_seed(network, manager, lane)):
        return "anchor"
    return "seal" if unsealed else ""


def signed(row: Message) -> SignedMessage:
    """A row as it stands in an anchor's document."""
    return SignedMessage(kind=row.kind, body=row.body, signature=row.signature)  # type: ignore[arg-type]


@dataclass
class AnchorKeeper:
    """The lane's anchors; ``contracts`` reads the lane as it is now, ahead of what is final; ``canary_ppm``: how many
    render attempts in a million are canaries."""

    desk: Desk
    contracts: Contracts
    canary_ppm: int = 0
    _compared: int = field(default=0)

    def cycle(self) -> None:
        """Anchors or seals, whichever is due."""
        lane = self._lane()
        self._answer()
        take_posted(self.desk)
        self._unmark_lost()
        index = lane.anchors + 1
        if self.desk.sender.done(self._key(index)):
            return  # on its way
        with self.desk.database.reading() as session:
            marked = self._marked(session, index)
            waiting = [] if marked else self._waiting(session)
            committed = _committed(session, waiting)
        with self.desk.follower.reading() as network:
            take, refused = decide_messages(network, self.desk.manager, together(network, waiting, committed))
            worth = marked or ([] if can_wait(network, take) else take)
            what = decide_anchor(network, self.desk.manager, lane, len(worth))
            accepted = [Acceptance.from_body(row.body) for row in take if row.kind == Acceptance.kind]
            canaries = Canaries(self.desk.manager, self.desk.operator_key, self.canary_ppm)
            given = list(canaries.given(network, accepted)) if what == "anchor" else []
        self._refuse(refused)
        if what == "anchor":
            self._anchor(index, marked or take, given)
        elif what == "seal":
            key = f"seal:{self.desk.manager}:{lane.anchors}:{lane.block}"
            self.desk.try_send(MONEY, key, "Batches", "seal", self.desk.manager)

    def _answer(self) -> None:
        """This manager is alive, too: an answer of its own among those of its nodes."""
        with self.desk.follower.reading() as network:
            node = network.nodes.get(self.desk.manager)
            is_mine = node is not None and node.operator == Account.from_key(self.desk.operator_key).address
            due = probes.due(network, node) if node is not None and is_mine else None
            domain, time = network.domain, network.time
        if due is None:
            return
        subject, probe, _ = due
        with self.desk.database.session() as session:
            same = (Message.kind == Probe.kind, Message.node == self.desk.manager, Message.task == subject)
            if session.exec(select(Message).where(*same, col(Message.refused).is_(None))).first() is None:
                signature = probe.sign(domain, self.desk.operator_key)
                row = Message(
                    digest=probe.digest(domain), kind=probe.kind, node=self.desk.manager, task=subject, attempt=0,
                    body=probe.body(), signature=signature, received_at=time,
                )  # fmt: skip
                session.merge(row)

    def _lane(self) -> LaneNow:
        client = self.contracts.client
        head = client.header("latest")
        lane: dict[str, Any] = self.contracts.read("Batches", "lane", self.desk.manager, block=head.number)
        anchored_at = client.header(lane["block"]).timestamp if lane["anchors"] else 0
        called_at, anchors = self.contracts.read("Orders", "called_out", self.desk.manager, block=head.number)
        is_called_out = called_at > 0 and anchors == lane["anchors"]
        place = (lane["anchors"], lane["sealed"], lane["block"], anchored_at, head.number, head.timestamp)
        return LaneNow(*place, is_called_out=is_called_out)

    def _key(self, index: int) -> str:
        return f"anchor:{self.desk.manager}:{index}"

    def _anchor(self, index: int, rows: list[Message], given: list[Given]) -> None:
        data = AnchorData(manager=self.desk.manager, messages=[signed(row) for row in rows])
        digest = put_document(self.desk.store, data)
        with self.desk.database.session() as session:
            keep(session, given)
            for row in rows:
                row.lane, row.anchored_in = self.desk.manager, index
                session.merge(row)
        root = anchor_root([row.digest for row in rows])
        manager = self.desk.manager
        if self.desk.try_send(WORK, self._key(index), "Batches", "anchor", manager, root, digest):
            log.info("anchor %d with %d messages", index, len(rows), extra={"anchor": index})

    def _marked(self, session: Session, index: int) -> list[Message]:
        """The messages of an anchor that was prepared and not sent, in its order."""
        wanted = select(Message).where(Message.lane == self.desk.manager, Message.anchored_in == index)
        is_last = col(Message.kind) == CanaryOpening.kind
        return list(session.exec(wanted.order_by(is_last, col(Message.received_at), col(Message.digest))))

    def _waiting(self, session: Session) -> list[Message]:
        wanted = select(Message).where(
            col(Message.kind).in_(list(ANCHORED)), col(Message.anchored_in).is_(None), col(Message.refused).is_(None)
        )
        return list(session.exec(wanted.order_by(col(Message.received_at), col(Message.digest))))

    def _unmark_lost(self) -> None:
        """Marks of an index that an anchor with other messages took: they wait again."""
        with self.desk.follower.reading() as network:
            anchors = network.lane(self.desk.manager).anchors
            start = max(self._compared, max(anchors, default=0) - COMPARED)
            fresh = {index: anchor.data for index, anchor in anchors.items() if index > start}
        for index, digest in fresh.items():
            with self.desk.database.reading() as session:
                rows = self._marked(session, index)
            data = AnchorData(manager=self.desk.manager, messages=[signed(row) for row in rows])
            if rows and data.digest() != digest:
                log.warning("anchor %d is not the one prepared here: %d messages wait again", index, len(rows))
                with self.desk.database.session() as session:
                    for row in rows:
                        row.lane = row.anchored_in = None
                        session.merge(row)
        self._compared = max(fresh, default=self._compared)

    def _refuse(self, reasons: dict[bytes, str]) -> None:
        if not reasons:
            return
        with self.desk.database.session() as session:
            for digest, reason in reasons.items():
                row = session.get(Message, digest)
                if row is not None:
                    row.refused = reason
                    session.add(row)
                    log.info("%s of node %d is not anchored: %s", row.kind, row.node, reason)


def _committed(session: Session, rows: Sequence[Message]) -> dict[tuple[bytes, int], set[int]]:
    """Who has committed to a vote, of the attempts that these rows have votes of."""
    found: dict[tuple[bytes, int], set[int]] = {}
    tasks = sorted({row.task for row in rows if row.kind == Vote.kind and row.task is not None})
    for start in range(0, len(tasks), MESSAGES_AT_ONCE):
        wanted = select(Message).where(
            Message.kind == VoteCommitment.kind,
            col(Message.refused).is_(None),
            col(Message.task).in_(tasks[start : start + MESSAGES_AT_ONCE]),
        )
        for row in session.exec(wanted):
            found.setdefault((row.task or b"", row.attempt or 0), set()).add(row.node)
    return found
