# SPDX-License-Identifier: Apache-2.0
"""What deciding keepers share: the state they read, the store they write documents to, and how they send."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inferix.chain.deployment import Deployment
from inferix.chain.errors import CallReverted
from inferix.chain.sender import Sender
from inferix.storage import OwnedStore
from inferix.storage.database import Database
from inferix.storage.follower import Follower
from inferix.trees import Sum


@dataclass(frozen=True)
class Desk:
    """One manager's desk. ``manager``: its node id; keys are 32 bytes and never leave the process."""

    follower: Follower
    database: Database
    store: OwnedStore
    deployment: Deployment
    sender: Sender
    manager: int
    operator_key: bytes
    sealing_key: bytes

    def send(self, lane: str, key: str, contract: str, function: str, *arguments: object) -> None:
        """Does an action once; ``key`` says what it does. Raises CallReverted when the contract refuses it now."""
        self.sender.submit(lane, key, self.deployment.call(contract, function, *arguments))

    def try_each(self, actions: Sequence[Callable[[], None]]) -> None:
        """Does all that can be done: one refusal holds up nobody else. Raises the first refusal at the end."""
        refusals = []
        for action in actions:
            try:
                action()
            except CallReverted as error:
                refusals.append(error)
        if refusals:
            raise refusals[0]


def flat(proof: Sequence[Sum]) -> list[bytes]:
    """A proof as contracts take it: hash and sum alternating."""
    return [word for item in proof for word in (item.hash, item.sum.to_bytes(32, "big"))]
