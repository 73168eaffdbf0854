# SPDX-License-Identifier: Apache-2.0
"""What deciding keepers share: the state they read, the store they write documents to, and how they send."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from inferix.chain.deployment import Deployment
from inferix.chain.errors import CallReverted
from inferix.chain.sender import Sender
from inferix.storage import OwnedStore
from inferix.storage.database import Database
from inferix.storage.follower import Follower

log = logging.getLogger(__name__)

WORK = "work"
"""The lane of the manager's operator: what only the manager may do."""
MONEY = "money"
"""The lane of another account: cranks that anybody may turn, so that they never stand in the way of work."""
MAX_WARNED = 10_000

Step = tuple[str, str, tuple[object, ...]]
"""(key, function of a contract, arguments): what a keeper decides to call."""
Due = tuple[str, str, Callable[[], tuple[object, ...]]]
"""A step whose arguments are heavy: worked out outside of the state's lock, and only where it is not done."""


@dataclass(frozen=True)
class Desk:
    """One manager's desk. ``manager``: its node id; keys are 32 bytes and never leave the process."""

    follower: Follower
    database: Database
    store: OwnedStore
    deployment: Deployment
    sender: Sender
    manager: int
    operator_key: bytes = field(repr=False)
    sealing_key: bytes = field(repr=False)
    _refusals: dict[str, str] = field(default_factory=dict, repr=False)
    _warned: set[str] = field(default_factory=set, repr=False)

    def warn_once(self, logger: logging.Logger, what: str) -> None:
        """A warning that a cycle would repeat for as long as it holds."""
        if what not in self._warned:
            if len(self._warned) >= MAX_WARNED:
                self._warned.clear()
            self._warned.add(what)
            logger.warning("%s", what)

    def send(self, lane: str, key: str, contract: str, function: str, *arguments: object) -> None:
        """Does an action once; ``key`` says what it does. Raises CallReverted when the contract refuses it now."""
        if not self.sender.done(key):
            self.sender.submit(lane, key, self.deployment.call(contract, function, *arguments))

    def try_send(self, lane: str, key: str, contract: str, function: str, *arguments: object) -> bool:
        """``send``, but a refusal of the contract is an answer: it is logged when it is new. Whether it was taken."""
        try:
            self.send(lane, key, contract, function, *arguments)
        except CallReverted as error:
            if self._refusals.get(key) != error.reason:
                self._refusals[key] = error.reason
                log.info("%s: %s.%s has to wait: %s", key, contract, function, error.reason, extra={"key": key})
            return False
        self._refusals.pop(key, None)
        return True

    def try_due(self, lane: str, contract: str, due: Due) -> bool:
        """``try_send`` of a step whose arguments are worked out only now. Whether it was taken, now or before."""
        key, function, arguments = due
        return self.sender.done(key) or self.try_send(lane, key, contract, function, *arguments())

    def try_each(self, actions: Sequence[Callable[[], object]]) -> None:
        """Does all that can be done: one failure holds up nobody else. Raises the first at the end."""
        failures: list[Exception] = []
        for action in actions:
            try:
                action()
            except Exception as error:  # raised below
                failures.append(error)
        if failures:
            raise failures[0]
