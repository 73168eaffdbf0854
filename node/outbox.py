# SPDX-License-Identifier: Apache-2.0
"""Sends what the journal holds: documents first, then the messages that name them, until the network has said yes."""

import logging
import time
from typing import Final

from inferix.errors import Conflict, Corrupt, InferixError, InvalidInput, NotFound, Refused, Unavailable
from inferix.storage.blobs import BlobStore
from inferix.storage.cid import Cid, Codec
from node.api import Api
from node.journal import REFUSED, SENT, Entry, Journal
from node.signer import message_of
from node.transport import back_off

log = logging.getLogger(__name__)

PUT_SECONDS: Final = 10.0
_FOR_GOOD = (InvalidInput, Conflict, NotFound, Refused)


class Outbox:
    """One per node; called by one thread. ``store`` should give up soon: what fails rests, a minute at most, alone."""

    def __init__(self, api: Api, journal: Journal, store: BlobStore) -> None:
        self._api = api
        self._journal = journal
        self._store = store
        self._resting: dict[bytes, tuple[int, float]] = {}  # failures so far, and until when, by digest

    def flush(self) -> int:
        """Send what can be sent; the number of messages that arrived.

        :raises Unavailable: the network does not answer; the rest stays for the next call.
        """
        unstored, now = self._journal.unstored(), time.monotonic()
        self._resting = {digest: self._resting[digest] for digest, _ in unstored if digest in self._resting}
        for digest, data in unstored:
            if self._resting.get(digest, (0, 0.0))[1] <= now:
                self._put(digest, data)
            if time.monotonic() - now > PUT_SECONDS:  # a storage that hangs: messages first, the rest next time
                break
        return sum(self._send(entry) for entry in self._journal.sendable())

    def _put(self, digest: bytes, data: bytes) -> None:
        cid = Cid(Codec.RAW, digest)
        try:
            self._store.put_block(cid, data)
            self._store.pin(cid)
        except InferixError as error:  # no room, no right, a used-up quota: all else still goes out
            failures = self._resting.get(digest, (0, 0.0))[0] + 1
            pause = back_off(failures, error.retry_after if isinstance(error, Unavailable) else None)
            self._resting[digest] = failures, time.monotonic() + pause
            log.warning("document %s cannot be stored: %s; next try in %.0f s", cid, error, pause)
            return
        self._journal.mark_stored(digest)

    def _send(self, entry: Entry) -> bool:
        try:
            message = message_of(entry)
        except Corrupt as error:  # of a program of another time
            return self._give_up(entry, error)
        try:
            self._api.send(message, entry.signature, entry.salt)
        except _FOR_GOOD as error:
            return self._give_up(entry, error)
        self._journal.mark(entry, SENT, self._api.clock.now())
        log.info("sent %s about %s", entry.kind, entry.subject.hex()[:8])
        return True

    def _give_up(self, entry: Entry, error: InferixError) -> bool:
        log.warning("this node's %s is not taken: %s", entry.kind, error)
        self._journal.mark(entry, REFUSED, self._api.clock.now(), str(error)[:300])
        return False
