# SPDX-License-Identifier: Apache-2.0
"""A desk over a state alone: what would be sent is handed to the test."""

from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from inferix.replay import Network, answers
from inferix.trees import Sum, Tree
from keepers.desk import Desk
from tests.replay.chain import MANAGER


class Outbox:
    """What was sent, by key. ``refuse``: raises for what is not to be sent; ``waiting``: how many are not mined."""

    def __init__(self, refuse: Callable[[str], None] = lambda key: None) -> None:
        self.sent: list[str] = []
        self.calls: dict[str, tuple[object, ...]] = {}
        self.refuse = refuse
        self.in_lane = 0

    def done(self, key: str) -> bool:
        return key in self.calls

    def waiting(self, lane: str) -> int:
        return self.in_lane

    def submit(self, lane: str, key: str, call: tuple[object, ...]) -> None:
        self.refuse(key)
        self.sent.append(key)
        self.calls[key] = call
        self.in_lane += 1


def bare_desk(network: Network, outbox: Outbox) -> Desk:
    return Desk(
        follower=SimpleNamespace(reading=lambda: nullcontext(network)),  # type: ignore[arg-type]
        database=None,  # type: ignore[arg-type]
        store=None,  # type: ignore[arg-type]
        deployment=SimpleNamespace(call=lambda *call: call),  # type: ignore[arg-type]
        sender=outbox,  # type: ignore[arg-type]
        manager=MANAGER,
        operator_key=bytes(32),
        sealing_key=bytes(32),
    )


def trees_built(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the trees that answers are shown from, as they are built."""
    built: list[int] = []

    class Counted(Tree):
        def __init__(self, leaves: list[Sum | None]) -> None:
            built.append(len(leaves))
            super().__init__(leaves)

    monkeypatch.setattr(answers, "Tree", Counted)
    return built
