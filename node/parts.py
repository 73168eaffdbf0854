# SPDX-License-Identifier: Apache-2.0
"""What a running node is made of, and what the network listed for it last."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inferix.models.work import BenchmarkDuty, ObjectionDuty, PanelDuty, ProbeDuty, TaskWork, Work
from inferix.proofs.calibration import Calibration
from node.engines import Device, Engine
from node.identity import Identity
from node.journal import Journal
from node.progress import ProgressReport
from node.sessions import SessionPool
from node.signer import Signer
from node.transport import BlockClock
from node.vault import Vault


class Listing:
    """The keys of the work that the network offered at the last answer; kept while it does not answer."""

    def __init__(self) -> None:
        self._keys: frozenset[str] = frozenset()

    def update(self, work: Iterable[Work]) -> None:
        """Take a new answer."""
        self._keys = frozenset(map(key_of, work))

    def has(self, key: str) -> bool:
        """Whether this work is still this node's."""
        return key in self._keys


def key_of(item: Work) -> str:
    """One name for one thing to do, also for log lines."""
    match item:
        case PanelDuty():
            return f"panel {item.case.hex()}"
        case ObjectionDuty():
            return f"panel {item.objection.hex()}"  # what is checked for it is a PanelDuty of the same seat
        case BenchmarkDuty():
            return f"benchmark {item.challenge.hex()}"
        case ProbeDuty():
            return f"probe {item.manager}/{item.anchor}"
        case TaskWork():
            return f"{item.kind} {item.task.id.hex()}/{item.attempt}"
        case _:
            return f"{item.kind} {item.task.hex()}/{item.attempt}"


def run_key(task: bytes, attempt: int) -> str:
    """The name of doing an attempt, as `key_of` has it."""
    return f"run {task.hex()}/{attempt}"


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that worker and verifier work with. ``parameters``: the network's governable numbers; ``shadow``: a
    calibration that is tried beside the one in force."""

    identity: Identity
    clock: BlockClock
    journal: Journal
    signer: Signer
    vault: Vault
    engine: Engine
    device: Device
    sessions: SessionPool
    progress: ProgressReport
    listing: Listing
    parameters: Mapping[str, int]
    shadow: Calibration | None = None

    def resend_after(self) -> int:
        """Seconds after which a message that had no effect is sent once more."""
        return max(5, 2 * self.parameters["slot"])
