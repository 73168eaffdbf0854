# SPDX-License-Identifier: Apache-2.0
"""Disputes about batches: answers those about right leaves, ends unanswered ones, objects to false batches.

Anybody may answer, and a batch that falls takes later honest ones along: so this keeper answers for its own lane at
once and for any other when half of the answer's window has passed. Why: docs/decisions/012-who-answers-disputes.md.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from weakref import ReferenceType, ref

from sqlalchemy import exists
from sqlalchemy.orm import aliased
from sqlmodel import col, or_, select

from inferix.chain.client import ChainClient
from inferix.errors import Corrupt, InferixError, NotFound
from inferix.messages import Vote
from inferix.models.objection import MAX_SAYS, OutcomesClaim
from inferix.models.roles import BatchStatus, DisputeKind, DisputeStatus
from inferix.replay import Network
from inferix.replay.answers import arguments_of, data_answer, encode_votes, votes_answer
from inferix.replay.leaves import why_false
from inferix.replay.receipts import BlockHash
from inferix.replay.settlement import CHUNK
from inferix.replay.state import Batch, Dispute
from inferix.storage.documents import put_document
from inferix.storage.tables import Message
from keepers.desk import MONEY, WORK, Desk, Step
from keepers.lies import Findings, examine, has_false_records
from keepers.objections import Fault, Objection, bonds_left, decide_faults, decide_objections

log = logging.getLogger(__name__)


def decide_answers(network: Network, manager: int, block_hash: BlockHash) -> tuple[list[Step], dict[bytes, str]]:
    """(answers due now, this manager's first; why there is none, by dispute of this manager's lane)."""
    steps: list[tuple[bool, Step]] = []
    silent: dict[bytes, str] = {}
    for dispute in _open(network):
        batch = network.batches[dispute.commitment]
        is_own = batch.manager == manager and not batch.is_alone
        if batch.status is not BatchStatus.PROPOSED or not (is_own or _is_due(network, batch, dispute)):
            continue
        try:
            steps.append((is_own, _answer(network, batch, dispute, block_hash)))
        except NotFound as error:
            if is_own:
                silent[dispute.id] = str(error)
    return [step for _, step in sorted(steps, key=lambda item: not item[0])], silent


def _open(network: Network) -> Iterator[Dispute]:
    return (dispute for dispute in network.disputes.values() if dispute.status is DisputeStatus.OPEN)


def _is_due(network: Network, batch: Batch, dispute: Dispute) -> bool:
    """Whether to answer for another lane: its manager had its time, and what is asked for is right."""
    if network.time < dispute.opened_at + network.parameters["answer_window"] // 2:
        return False
    first, count = (dispute.place, 1) if dispute.kind is DisputeKind.VOTES else (dispute.place * CHUNK, CHUNK)
    return not any(why_false(network, batch, leaf) for leaf in batch.leaves[first : first + count])


def _answer(network: Network, batch: Batch, dispute: Dispute, block_hash: BlockHash) -> Step:
    if not batch.leaves:
        raise NotFound(batch.problem)
    key = f"answer:{dispute.id.hex()}"
    if dispute.kind is DisputeKind.DATA:
        return key, "answer_data", (batch.header, *data_answer(batch, dispute.place))
    answer = votes_answer(network, batch, dispute.place, block_hash)
    return key, "answer_votes", (*arguments_of(batch, dispute.place), encode_votes(answer))


def decide_expiry(network: Network, manager: int) -> list[Step]:
    """Disputes that are over: unanswered in time, in any lane but one's own, or of a batch that fell otherwise."""
    steps: list[Step] = []
    for dispute in _open(network):
        batch = network.batches[dispute.commitment]
        is_own = batch.manager == manager and not batch.is_alone
        unanswered = network.clock(network.time) > dispute.until and not is_own
        if unanswered or batch.status is BatchStatus.CANCELLED:
            arguments = (batch.header, int(dispute.kind), dispute.place)
            steps.append((f"expire:{dispute.id.hex()}:{batch.status.name.lower()}", "expire", arguments))
    return steps


def decide_equivocation(network: Network, rows: Sequence[Message]) -> list[Step]:
    """Two votes of a node on one result with different outcomes, among ``rows`` and what is anchored."""
    known: dict[tuple[bytes, int, int, bytes], dict[int, tuple[Vote, bytes]]] = {}
    for row in rows:
        try:
            vote = Vote.from_body(row.body)
        except InferixError:
            continue
        said = known.setdefault((vote.task, vote.attempt, vote.node, vote.result), {})
        said[vote.outcome] = (vote, row.signature)
        state = network.tasks.get(vote.task)
        if state is not None and vote.attempt < len(state.attempts):
            anchored = state.attempts[vote.attempt].votes.get(vote.node)
            if anchored is not None and anchored[0].result == vote.result:
                said[anchored[0].outcome] = anchored
    steps: list[Step] = []
    for (task, attempt, node, _), said in known.items():
        if len(said) > 1 and (task, attempt, node) not in network.equivocations:
            (first, one), (second, other) = [said[outcome] for outcome in sorted(said)][:2]
            arguments = (first.model_dump(), one, second.model_dump(), other)
            steps.append((f"equivocation:{task.hex()}:{attempt}:{node}", "prove_equivocation", arguments))
    return steps


@dataclass
class Disputes:
    """``stake``, ``patience``: as ``decide_objections`` takes them."""

    desk: Desk
    client: ChainClient
    stake: bool
    patience: int
    _seen: dict[bytes, Findings] = field(default_factory=dict)
    _seen_in: ReferenceType[Network] | None = None

    def cycle(self) -> None:
        """Answers first: silence costs most."""
        with self.desk.follower.reading() as network:
            steps, silent = decide_answers(network, self.desk.manager, self._block_hash)
            steps += decide_expiry(network, self.desk.manager)
        for dispute, reason in silent.items():
            self.desk.warn_once(log, f"dispute {dispute.hex()[:12]} about this manager's batch has no answer: {reason}")
        self.desk.try_each([partial(self._turn, step) for step in steps] + [self._object, self._equivocations])

    def _block_hash(self, number: int) -> bytes:
        return self.client.header(number).hash

    def _turn(self, step: Step, lane: str = MONEY) -> bool:
        key, function, arguments = step
        return self.desk.try_send(lane, key, "Disputes", function, *arguments)

    def _object(self) -> None:
        posted = self._posted_records()
        with self.desk.follower.reading() as network:
            look = partial(self._look, network, posted)
            lanes, told = decide_objections(network, self.desk.manager, self.patience, self.stake, look)
            faults = decide_faults(network, self.desk.manager, self.patience, look)
            left = bonds_left(network, self.desk.manager) if self.stake else 0
        left = max(0, left - sum(objections[-1].is_staked for objections in lanes))
        unstaked = "enough bonds are at stake" if self.stake else "no bond is put up for it"
        for says, why in (told | {fault.says: unstaked for fault in faults[left:]}).items():
            self.desk.warn_once(log, f"{says}: {why}")
        turns = [partial(self._try, objections) for objections in lanes]
        self.desk.try_each([*turns, *(partial(self._take_to_panel, fault) for fault in faults[:left])])

    def _take_to_panel(self, fault: Fault) -> None:
        key, function, arguments = fault.step
        if self.desk.sender.done(key):
            return
        claim = OutcomesClaim(batch=fault.batch.commitment, places=list(fault.places), says=fault.says[:MAX_SAYS])
        reason = put_document(self.desk.store, claim)
        if self.desk.try_send(WORK, key, "Objections", function, *arguments, self.desk.manager, reason):
            log.warning("%s: %s, with a bond", function, fault.says, extra={"key": key})

    def _try(self, objections: Sequence[Objection]) -> None:
        for item in objections:
            key, function, _ = item.step
            is_new = not self.desk.sender.done(key)
            # Only the manager's operator may put up its stake.
            if self._turn(item.step, WORK if item.is_staked else MONEY):
                if is_new:
                    bond = "with a bond" if item.is_staked else "without a bond"
                    log.warning("%s: %s, %s", function, item.says, bond, extra={"key": key})
                return

    def _look(self, network: Network, posted: Mapping[bytes, bytes | None], batch: Batch) -> Findings:
        """``examine``, once a batch: what was final before it was proposed does not change within one replay."""
        if self._seen_in is None or self._seen_in() is not network:
            self._seen, self._seen_in = {}, ref(network)
        if batch.commitment in self._seen:
            return self._seen[batch.commitment]
        findings = examine(network, batch, self._block_hash, posted.get(batch.commitment))
        if batch.commitment in posted or not has_false_records(batch):
            self._seen[batch.commitment] = findings
        return findings

    def _posted_records(self) -> dict[bytes, bytes | None]:
        """The records of batches whose leaves say otherwise: they are in the transaction alone."""
        with self.desk.follower.reading() as network:
            false = {
                batch.commitment: batch.transaction
                for batch in network.batches.values()
                if batch.status is BatchStatus.PROPOSED
                and (batch.manager != self.desk.manager or batch.is_alone)
                and batch.commitment not in self._seen
                and has_false_records(batch)
            }
        return {commitment: self._records(transaction) for commitment, transaction in false.items()}

    def _records(self, transaction: bytes) -> bytes | None:
        try:
            sent = self.client.input_of(transaction)
            function, arguments = self.desk.deployment["Batches"].interface.decode_call(sent)
        except (NotFound, Corrupt):
            return None  # forgotten by the endpoint, or not sent to Batches itself
        return bytes(arguments["records"]) if function == "propose" else None

    def _equivocations(self) -> None:
        rows = self._votes()
        with self.desk.follower.reading() as network:
            steps = decide_equivocation(network, rows)
        self.desk.try_each([partial(self._turn, step) for step in steps])

    def _votes(self) -> list[Message]:
        """Votes that are not anchored by this manager, and those of which a node sent several."""
        other = aliased(Message)
        names = ("kind", "task", "attempt", "node")
        same = [col(getattr(Message, name)) == col(getattr(other, name)) for name in names]
        several = exists().where(*same, col(Message.digest) != col(other.digest))
        wanted = select(Message).where(Message.kind == "Vote", or_(col(Message.anchored_in).is_(None), several))
        with self.desk.database.reading() as session:
            return list(session.exec(wanted))
