# SPDX-License-Identifier: Apache-2.0
"""One attempt of a task, opened: its spec, the job key, and what follows from both. Worker and verifier share it."""

from dataclasses import dataclass, field

from inferix import jobkeys
from inferix.canaries import unseal_opening
from inferix.errors import InferixError, Refused
from inferix.messages import CanaryOpening
from inferix.models.job import JobSpec, RenderSettings, Task
from inferix.models.result import FileRef, Result
from inferix.models.roles import TaskKind
from inferix.models.work import PanelDuty, Run, TaskWork, Verify
from inferix.proofs.rendering import canary_seed, frame_seed
from inferix.replay.jobs import quoter
from inferix.sealing import JobKey, SealError
from node import engines
from node.identity import Identity
from node.sessions import SessionPool
from node.vault import BadFile, Vault

_RAW_BYTES_A_PIXEL = 28  # RGBA float32, albedo and normal float16: what ZIP can never exceed by much
_SPARE = 4 * 1024 * 1024


class NotOfThisJob(Refused):
    """The network names a task that the job's spec does not have: never work on it."""


class WrongEngine(Refused):
    """The job wants another engine or build than this node has."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A work item with its spec and the job key; ``opening``: what the receipt is to commit to, and its signature."""

    item: TaskWork
    spec: JobSpec
    key: JobKey = field(repr=False)
    opening: tuple[CanaryOpening, bytes] | None = field(default=None, repr=False)

    @property
    def task(self) -> Task:
        """The task."""
        return self.item.task

    @property
    def attempt(self) -> int:
        """The attempt's number."""
        return self.item.attempt

    @property
    def settings(self) -> RenderSettings:
        """What the client ordered."""
        return self.spec.request.settings

    @property
    def label(self) -> str:
        """Short name for log lines."""
        return f"{self.task.kind} task {self.task.id.hex()[:8]}/{self.attempt}"

    @property
    def is_canary(self) -> bool:
        """Whether its manager wants a bad result."""
        return self.opening is not None and self.opening[0].is_canary

    def result_key(self) -> JobKey:
        """Seals this attempt's files."""
        return jobkeys.result_key(self.key, self.task.id, self.attempt)

    def preview_key(self) -> JobKey:
        """Seals this attempt's quick looks."""
        return jobkeys.preview_key(self.key, self.task.id, self.attempt)

    def seed(self, worker: int, frame: int) -> int:
        """The frame's seed when ``worker`` renders it in this attempt; a canary's is another."""
        seed = frame_seed(jobkeys.task_key(self.key, self.task.id), self.attempt, worker, frame)
        return canary_seed(seed, self.opening[0].salt) if self.opening and self.is_canary else seed

    def engine_settings(self, device: engines.Device) -> engines.RenderSettings:
        """The settings of one frame, as the engine takes them."""
        return engines.RenderSettings(self.settings.width, self.settings.height, self.settings.samples, device)

    def engine_choice(self) -> engines.Choice:
        """Which camera, view layer and eye of the package is rendered."""
        return engines.Choice(**self.settings.choice())

    def engine_request(self) -> engines.Request:
        """What the pre-flight checks the package for."""
        ordered = self.settings
        return engines.Request(ordered.first_frame, ordered.last_frame, ordered.width, ordered.height)

    def raw_limit(self) -> int:
        """Bytes that a raw frame can have at most."""
        return self.settings.width * self.settings.height * _RAW_BYTES_A_PIXEL + _SPARE

    def picture_limit(self) -> int:
        """Bytes that a finished picture can have at most."""
        return self.settings.width * self.settings.height * 4 + _SPARE


def open_assignment(item: TaskWork, identity: Identity, vault: Vault) -> Assignment:
    """Fetch the spec, open the key, and check that the task is one of the spec's.

    :raises SealError: the key is not for this node, or not the job's. NotOfThisJob: the item, or the opening with it,
        is false. BadFile: the spec is malformed.
    """
    key = identity.open(item.sealed_key)
    spec = vault.document(JobSpec, item.spec)
    if jobkeys.commitment(key) != spec.request.key:
        raise SealError(f"the key that came for job {item.task.job.hex()} is not the one that its spec commits to")
    if item.task not in spec.tasks(item.task.job):
        raise NotOfThisJob(f"task {item.task.id.hex()} is not one of its job's spec {item.spec.hex()}")
    sealed = item.opening if isinstance(item, Run) else b""
    return Assignment(item, spec, key, _opened(item, spec, identity, sealed) if sealed else None)


def _opened(item: TaskWork, spec: JobSpec, identity: Identity, sealed: bytes) -> tuple[CanaryOpening, bytes]:
    """The opening that came with a task. Without its manager's signature it would open nothing: a bad result would be
    taken for a cheat."""
    opening, signature = unseal_opening(sealed, identity.keys.sealing)
    name = f"the opening of task {item.task.id.hex()}"
    if (opening.task, opening.attempt, opening.node) != (item.task.id, item.attempt, spec.request.manager):
        raise NotOfThisJob(f"{name} is of another attempt or manager")
    try:
        is_signed = opening.signer(identity.domain, signature) == quoter(identity.domain, spec)
    except InferixError as error:
        raise NotOfThisJob(f"{name}: {error}") from error
    if not is_signed:
        raise NotOfThisJob(f"{name} is not signed with the key of the job's quote")
    return opening, signature


def check_engine(assignment: Assignment, engine: engines.Engine) -> None:
    """``QuoteRequest.engine`` is an engine's name, or name, blank and exact build. Raises WrongEngine."""
    name, _, build = assignment.spec.request.engine.partition(" ")
    if name != engine.name:
        raise WrongEngine(f"the job wants the engine {name}; this node runs {engine.name}")
    if build and build != engine.build():
        raise WrongEngine(f"the job wants {name} {build}; this node has {engine.build()}: install that build")


def fetch_input(assignment: Assignment, vault: Vault, sessions: SessionPool) -> None:
    """Bring the decrypted package to its place, unless it is there. Raises what `Vault.fetch` raises."""
    target = sessions.package(assignment.task.job)
    if not target.exists():
        request = assignment.spec.request
        vault.fetch(request.input, jobkeys.input_key(assignment.key), request.input_bytes, target)


def raw_frames(assignment: Assignment, vault: Vault) -> dict[int, tuple[FileRef, JobKey]]:
    """The accepted raw frames that an assemble task works on, by frame, each with the key that opens it.

    :raises BadFile: the accepted results are not those of the job's render tasks, one each, in their order.
    """
    item = assignment.item
    assert isinstance(item, Run | Verify | PanelDuty)
    wanted = [task for task in assignment.spec.tasks(assignment.task.job) if task.kind is TaskKind.RENDER]
    if len(item.results) != len(wanted):
        raise BadFile(f"{len(item.results)} accepted results for {len(wanted)} render tasks: the network names too few")
    found: dict[int, tuple[FileRef, JobKey]] = {}
    for task, digest in zip(wanted, item.results, strict=True):
        result = vault.document(Result, digest)
        if result.task != task.id or [frame.frame for frame in result.frames] != list(task.frames()):
            raise BadFile(f"result {digest.hex()} does not hold the frames of task {task.id.hex()}")
        key = jobkeys.result_key(assignment.key, task.id, result.attempt)
        found.update({frame.frame: (frame.raw, key) for frame in result.frames})
    return found
