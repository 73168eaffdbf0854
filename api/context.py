# SPDX-License-Identifier: Apache-2.0
"""The parts that a running API is made of, and the two rules about threads.

The replayed state belongs to the event loop: ``await context.network()``, then read it without waiting in between; only
``network`` itself lets another thread change it. Whatever blocks belongs to a worker thread: ``read`` and ``write`` run
one database transaction each, ``run_in_threadpool`` the rest.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakValueDictionary, ref

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from api.settings import ApiSettings
from api.watched import Watched
from api.work import Concerned, concerned
from inferix.chain.deployment import Contracts, Deployment
from inferix.errors import Conflict
from inferix.models.anchor import AccountsData
from inferix.replay import Network
from inferix.replay.state import AccountsRoot
from inferix.storage.blobs import OwnedStore
from inferix.storage.database import Database
from inferix.storage.service import BlockService
from inferix.trees import Tree

Answer = TypeVar("Answer")
PINS_AT_ONCE = 2
Mark = tuple[ref[Network], int, int]


def mark_of(network: Network) -> Mark:
    """What tells two states apart: one changes from block to block only, or gives way to another."""
    return ref(network), network.block, network.time


@dataclass
class Context:
    """``follow`` brings the state up to the newest mirrored block and returns it."""

    settings: ApiSettings
    deployment: Deployment
    contracts: Contracts
    database: Database
    store: OwnedStore
    blocks: BlockService
    follow: Callable[[], Network]
    watched: WeakValueDictionary[bytes, Watched] = field(default_factory=WeakValueDictionary, init=False)
    """Jobs that somebody listens to; each is gone with its last listener."""
    pinning: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PINS_AT_ONCE), init=False)
    """Anybody may pin, and a large file takes seconds of a core: who waits here holds no thread."""
    _state: Network | None = field(default=None, init=False)
    _accounts: tuple[bytes, AccountsData] | None = field(default=None, init=False)  # opened once: they may be large
    _trees: dict[Callable[[AccountsData], Tree], tuple[AccountsData, Tree]] = field(default_factory=dict, init=False)
    _planting: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _concerned: tuple[Mark, Concerned] | None = field(default=None, init=False)
    _asked_at: float = field(default=0.0, init=False)
    _following: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def network(self, since: float = 0.0) -> Network:
        """The newest state, at most ``poll_seconds`` old and no older than ``since`` (of ``time.monotonic``).

        Good until the caller awaits again.
        """
        async with self._following:
            now = time.monotonic()
            if self._state is None or now - self._asked_at >= self.settings.poll_seconds or self._asked_at < since:
                self._state = await run_in_threadpool(self.follow)
                self._asked_at = now
            return self._state

    def concerned(self, network: Network) -> Concerned:
        """Whom each task of the newest state concerns: looked up once a block, for all nodes that ask."""
        mark = mark_of(network)
        if self._concerned is None or self._concerned[0] != mark:
            self._concerned = (mark, concerned(network))
        return self._concerned[1]

    async def read(self, work: Callable[[Session], Answer]) -> Answer:
        """What ``work`` finds in one reading transaction."""

        def transaction() -> Answer:
            with self.database.reading() as session:
                return work(session)

        return await run_in_threadpool(transaction)

    async def write(self, work: Callable[[Session], Answer]) -> Answer:
        """What ``work`` gives once its transaction is committed."""

        def transaction() -> Answer:
            with self.database.session() as session:
                return work(session)

        try:
            return await run_in_threadpool(transaction)
        except IntegrityError as error:
            raise Conflict("the same was sent twice at the same moment: ask what became of it") from error

    async def accounts_data(self, root: AccountsRoot) -> AccountsData | None:
        """The leaves of an accounts root; None while its document is not here."""
        documents, digest = (await self.network()).documents, root.data
        if self._accounts is None or self._accounts[0] != digest:
            data = await run_in_threadpool(AccountsData.read, digest, documents.get)
            if data is None:
                return None
            self._accounts = (digest, data)
        return self._accounts[1]

    async def tree(self, plant: Callable[[AccountsData], Tree], data: AccountsData) -> Tree:
        """What ``plant`` makes of these accounts: once, as it takes seconds of a core and anybody may ask."""
        async with self._planting:
            found = self._trees.get(plant)
            if found is None or found[0] is not data:
                found = self._trees[plant] = (data, await run_in_threadpool(plant, data))
            return found[1]
