# SPDX-License-Identifier: Apache-2.0
"""The only place where a node puts its name under a message that binds it.

Three rules, each kept on disk: only for this node; one message a subject, for ever; a receipt only for an attempt that
this node has accepted.
"""

import secrets
import threading

from eth_abi.abi import encode as abi_encode

from inferix.errors import Conflict, Refused
from inferix.messages import (
    KINDS,
    Acceptance,
    Benchmark,
    CanaryOpening,
    Message,
    PanelVote,
    Probe,
    Receipt,
    Vote,
    VoteCommitment,
    vote_commitment,
)
from inferix.models.document import Document
from node.identity import Identity
from node.journal import HELD, READY, REFUSED, SENT, Entry, Journal
from node.transport import BlockClock


class AlreadySigned(Conflict):
    """This node has signed something else about the same subject."""


class NotOurs(Refused):
    """The message is not this node's to sign."""


class Signer:
    """Signs for one identity and writes every signature down before it is handed out.

    ``news`` is set when there is something new to send.
    """

    def __init__(self, identity: Identity, journal: Journal, clock: BlockClock) -> None:
        self.identity = identity
        self.news = threading.Event()
        self._journal = journal
        self._clock = clock

    def sign(self, message: Message, document: Document | None = None) -> Entry:
        """The one signature about this message's subject; it is sent once ``document``, which it names, is stored.

        The same message again gives the same entry. :raises AlreadySigned, NotOurs: as their names say.
        """
        return self._sign(message, document, READY, b"")

    def commit_vote(self, vote: Vote, document: Document) -> Entry:
        """Sign a vote and the commitment that goes out first; the vote is held until `reveal`."""
        with self._journal.transaction():
            entry = self._sign(vote, document, HELD, secrets.token_bytes(32))
            commitment = vote_commitment(vote.digest(self.identity.domain), entry.salt)
            return self._sign(
                VoteCommitment(task=vote.task, attempt=vote.attempt, node=vote.node, commitment=commitment),
                None,
                READY,
                b"",
            )

    def sign_receipt(self, receipt: Receipt, document: Document, opening: tuple[CanaryOpening, bytes] | None) -> Entry:
        """Sign a receipt; the opening that it commits to, with its manager's signature, is held until `reveal`."""
        with self._journal.transaction():
            entry = self._sign(receipt, document, READY, b"")
            if opening is not None and self.about(CanaryOpening, receipt.task, receipt.attempt) is None:
                message, signature = opening
                about, now = about_attempt(receipt.task, receipt.attempt), self._clock.now()
                self._journal.add(Entry(message.kind, about, message.body(), signature, b"", b"", HELD, "", now))
            return entry

    def reveal(self, kind: type[Message], task: bytes, attempt: int) -> Entry | None:
        """Let the held Vote or CanaryOpening of an attempt be sent; None when this node has none."""
        entry = self._journal.find(kind.kind, about_attempt(task, attempt))
        if entry is not None and entry.state == HELD:
            self._journal.mark(entry, READY, self._clock.now())
        return entry

    def signed(self, kind: type[Message], subject: bytes) -> Entry | None:
        """What this node has signed of this kind about a subject (see `subject_of`)."""
        return self._journal.find(kind.kind, subject)

    def accepted(self, task: bytes, attempt: int, draw: int) -> Entry | None:
        """This node's acceptance of an attempt for one draw."""
        return self.signed(Acceptance, about_attempt(task, attempt) + draw.to_bytes(2, "big"))

    def has_accepted(self, task: bytes, attempt: int) -> bool:
        """Whether this node has signed an acceptance of an attempt."""
        return self._journal.has_about(Acceptance.kind, about_attempt(task, attempt))

    def about(self, kind: type[Message], task: bytes, attempt: int) -> Entry | None:
        """This node's Receipt, VoteCommitment, Vote or CanaryOpening about an attempt."""
        return self.signed(kind, about_attempt(task, attempt))

    def send_again(self, entry: Entry, after: int) -> bool:
        """Send once more what had no effect for ``after`` seconds: an anchor was lost, or it came too early."""
        if entry.state not in (SENT, REFUSED) or self._clock.now() < entry.time + after:
            return False
        self._journal.mark(entry, READY, self._clock.now(), "sent again")
        return True

    def _sign(self, message: Message, document: Document | None, state: str, salt: bytes) -> Entry:
        if getattr(message, "node", None) != self.identity.node:
            raise NotOurs(f"a {message.kind} of another node: this is node {self.identity.node}")
        subject, body = subject_of(message), message.body()
        with self._journal.transaction():
            if isinstance(message, Receipt):
                self._check_accepted(message)
            found = self._journal.find(message.kind, subject)
            if found is not None:
                if found.body != body:
                    raise AlreadySigned(f"this node has signed another {message.kind} about {subject[:32].hex()}")
                return found
            digest = b""
            if document is not None:
                digest = document.digest()
                self._journal.keep_document(digest, document.encode())
            signature = self.identity.sign(message)
            entry = Entry(message.kind, subject, body, signature, salt, digest, state, "", self._clock.now())
            self._journal.add(entry)
            self.news.set()
            return entry

    def _check_accepted(self, receipt: Receipt) -> None:
        if not self.has_accepted(receipt.task, receipt.attempt):
            raise NotOurs(
                f"no receipt for task {receipt.task.hex()}: this node never accepted attempt {receipt.attempt}"
            )


def subject_of(message: Message) -> bytes:
    """What a node may sign one message about."""
    match message:
        case Acceptance():
            return about_attempt(message.task, message.attempt) + message.draw.to_bytes(2, "big")
        case Receipt() | VoteCommitment() | Vote():
            return about_attempt(message.task, message.attempt)
        case PanelVote():
            return message.dispute
        case Probe():
            return abi_encode(["uint32", "uint32", "bytes32"], [message.manager, message.anchor, message.seed])
        case Benchmark():
            return message.challenge
    raise NotOurs(f"a node does not sign a {message.kind}")


def message_of(entry: Entry) -> Message:
    """The message of an entry."""
    return KINDS[entry.kind].from_body(entry.body)


def about_attempt(task: bytes, attempt: int) -> bytes:
    """The subject of a Receipt, VoteCommitment or Vote."""
    return task + attempt.to_bytes(1, "big")
