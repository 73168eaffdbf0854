# SPDX-License-Identifier: Apache-2.0
"""The node's main loop: ask for work, hand the long part on, answer the short part at once, send what was signed.

It never ends because the network is away: it waits, longer each time, and goes on with what it has.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Final, Protocol

from inferix.errors import InferixError, Refused, Unavailable
from inferix.messages import CanaryOpening, Message, Probe, Vote
from inferix.models.work import Open, ProbeDuty, Reveal, Work
from node.api import Api
from node.executor import Executor
from node.journal import JournalStuck
from node.outbox import Outbox
from node.parts import Parts, key_of, run_key
from node.transport import back_off

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.7
STOP_SECONDS: Final = 0.2
GONE_SECONDS: Final = 600
FORGET_SECONDS: Final = 86_400
KEEP_DOCUMENTS: Final = 30 * 86_400


class Role(Protocol):
    """Worker or verifier. ``wants`` runs in the loop's thread and is quick; ``do`` in the executor's."""

    def wants(self, item: Work, busy: bool) -> bool:
        """Whether there is something to do for an item now."""
        ...

    def do(self, item: Work) -> None:
        """Do it; an InferixError lets it rest and come again."""
        ...


class Loop:
    """One node. What was signed goes out at once, without waiting for the next poll."""

    def __init__(self, api: Api, parts: Parts, role: Role, outbox: Outbox, stop: threading.Event) -> None:
        self._api = api
        self._parts = parts
        self._role = role
        self._outbox = outbox
        self._stop = stop
        self._failures = 0
        self._unknown: set[bytes] = set()
        self._failed: set[str] = set()
        self._gone: set[tuple[bytes, int]] = set()
        self._look_at = self._forget_at = 0
        self.executor: Executor[Work] = Executor(role.do, parts.sessions.close_idle)

    def run(self) -> None:
        """Work until ``stop`` is set; then end the engine and return."""
        self.executor.start()
        try:
            while not self._stop.is_set():
                self._pause(self.step())
        finally:
            log.info("stopping; what is unfinished goes on at the next start")
            self.executor.stop()
            self._parts.sessions.stop()
            self.executor.close()
            self._parts.sessions.close()

    def step(self) -> float:
        """One round; the seconds to wait before the next."""
        try:
            work = self._api.work()
            self._parts.listing.update(work)
            self.executor.drop(self._parts.listing.has)
            self._take_each(work)
            self._outbox.flush()
            self._forget()
        except InferixError as error:
            self._failures += 1
            pause = back_off(self._failures, error.retry_after if isinstance(error, Unavailable) else None)
            log.warning("%s; next try in %.0f s", error, pause)
            if isinstance(error, Refused):
                self._ask_time()
            return pause
        if self._failures:
            log.info("the network answers again")
        self._failures = 0
        return POLL_SECONDS

    def _forget(self) -> None:
        """Frames of attempts that are twice not listed, ten minutes apart: a reorganisation may bring one back. Once a
        day documents that nobody asks this node for any more."""
        journal, now = self._parts.journal, self._parts.clock.now()
        if now >= self._look_at:
            self._look_at = now + GONE_SECONDS
            gone = {each for each in journal.attempts() if not self._parts.listing.has(run_key(*each))}
            for task, attempt in gone & self._gone:
                journal.drop_frames(task, attempt)
            self._gone = gone
        if now >= self._forget_at:
            self._forget_at = now + FORGET_SECONDS
            journal.forget_before(now - KEEP_DOCUMENTS)

    def _ask_time(self) -> None:
        """After this machine slept, say, its time is wrong and its requests are refused; the time itself is public."""
        try:
            self._api.network(attempts=1)
        except InferixError as error:
            log.warning("%s", error)

    def _take_each(self, work: Sequence[Work]) -> None:
        """One item that cannot be done, for whatever reason, holds up no other; it is said once."""
        failed = set()
        for item in work:
            try:
                self._take(item)
            except JournalStuck:
                raise
            except Exception as error:  # a mistake of ours must not end the node: others' money hangs on it
                key = key_of(item)
                failed.add(key)
                if key not in self._failed:
                    log.warning("%s: %s", key, error, exc_info=not isinstance(error, InferixError))
        self._failed = failed

    def _take(self, item: Work) -> None:
        match item:
            case ProbeDuty():
                self._answer_probe(item)
            case Reveal():
                self._reveal(Vote, item)
            case Open():
                self._reveal(CanaryOpening, item)
            case _:
                key = key_of(item)
                if not self.executor.knows(key) and self._role.wants(item, self.executor.busy):
                    self.executor.submit(key, item.deadline, item)

    def _answer_probe(self, item: ProbeDuty) -> None:
        signer = self._parts.signer
        entry = signer.sign(Probe(manager=item.manager, anchor=item.anchor, seed=item.seed, node=signer.identity.node))
        signer.send_again(entry, self._parts.resend_after())

    def _reveal(self, kind: type[Message], item: Reveal | Open) -> None:
        entry = self._parts.signer.reveal(kind, item.task, item.attempt)
        if entry is None:
            if item.task not in self._unknown:
                log.warning("no %s to reveal about %s: this home has none", kind.kind, item.task.hex()[:8])
            self._unknown.add(item.task)
        else:
            self._parts.signer.send_again(entry, self._parts.resend_after())

    def _pause(self, seconds: float) -> None:
        """Wait, but no longer than until something was signed: that goes out at once."""
        end, news = time.monotonic() + seconds, self._parts.signer.news
        while not self._stop.is_set() and (left := end - time.monotonic()) > 0:
            if news.wait(min(left, STOP_SECONDS)):
                break
        woken = news.is_set()
        news.clear()
        if woken and not self._stop.is_set() and self._failures == 0:
            try:
                self._outbox.flush()
            except InferixError as error:
                log.warning("%s; it is sent later", error)
