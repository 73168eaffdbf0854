# SPDX-License-Identifier: Apache-2.0
"""What a worker delivers, honest or not, and how a verifier answers it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from inferix import jobkeys
from inferix.jobkeys import result_key
from inferix.messages import Vote, VoteCommitment, vote_commitment
from inferix.models.result import FileRef, FrameResult, Measurement, Result
from inferix.models.roles import Outcome
from inferix.models.work import Reveal, Verify
from inferix.proofs.rendering import frame_seed
from inferix.sealing import JobKey
from inferix.storage.cid import Cid, Codec
from node.engines import FloatArray
from node.engines import RenderSettings as EngineRender
from node.engines.exr import pixels_sha256, write_frame
from node.vault import Vault
from tests.node.network import DOMAIN, SCENE, START, Job, Network
from tests.node.noise_engine import KERNEL, passes_of, pixels_of
from tests.node.running import Node

WORKER = 7
SEED = b"s" * 32
Pixels = Callable[[int, int, EngineRender], FloatArray]


def honest(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    return pixels_of(SCENE, frame, seed, settings)


class Delivery:
    """A worker's result of one task, as honest or not as ``pixels`` says."""

    def __init__(self, network: Network, job: Job, folder: Path, *, task: int = 0, attempt: int = 0) -> None:
        self.network, self.job, self.folder = network, job, folder
        self.task, self.attempt = job.tasks[task], attempt
        self.vault = Vault(network.store)
        self.key: JobKey = result_key(job.key, self.task.id, attempt)
        self.result = Result(
            kind=self.task.kind,
            task=self.task.id,
            attempt=attempt,
            node=WORKER,
            engine="noise",
            build="1.0 test",
            device_class="cpu",
            kernel=KERNEL,
        )

    def frames(self, pixels: Pixels = honest) -> "Delivery":
        """Render with ``pixels`` and store."""
        made = [self.frame(frame, pixels) for frame in self.task.frames()]
        return self.change(frames=made)

    def frame(self, frame: int, pixels: Pixels = honest) -> FrameResult:
        image = pixels(frame, self.seed(frame), EngineRender(64, 48, 16))
        path = self.folder / "made.exr"
        write_frame(path, passes_of(image))
        return FrameResult(
            frame=frame, raw=self.vault.store_file(path, self.key), pixels=pixels_sha256(image), milliseconds=1
        )

    def seed(self, frame: int) -> int:
        """Of a frame of this attempt."""
        return frame_seed(jobkeys.task_key(self.job.key, self.task.id), self.attempt, WORKER, frame)

    def file(self, data: bytes) -> FileRef:
        """Store any bytes as a result's file."""
        path = self.folder / "any"
        path.write_bytes(data)
        return self.vault.store_file(path, self.key)

    def change(self, **changes: Any) -> "Delivery":
        """With other fields."""
        self.result = self.result.model_copy(update=changes)
        return self

    def change_first(self, **changes: Any) -> "Delivery":
        """With other fields of its first frame."""
        first, *rest = self.result.frames
        return self.change(frames=[first.model_copy(update=changes), *rest])

    def verify(self, node: Node, **changes: Any) -> Verify:
        """The work item to check this."""
        fields = self.job.fields(node.keys.sealing_public, self.job.tasks.index(self.task), self.attempt)
        digest = self.network.keep(self.result)
        return Verify(**{**fields, "worker": WORKER, "result": digest, "seed": SEED, **changes})


def voted(node: Node, item: Verify) -> tuple[Outcome, Measurement]:
    """What the node votes once it is asked to reveal; the commitment came first and opens."""
    network = node.network
    node.run(item)
    (committed,) = network.of(VoteCommitment)
    assert network.of(Vote) == []
    node.run(Reveal(task=item.task.id, attempt=item.attempt, deadline=item.deadline))
    node.loop.step()
    (shown,) = network.of(Vote)
    vote = shown.message
    assert isinstance(vote, Vote)
    assert isinstance(committed.message, VoteCommitment)
    assert committed.message.commitment == vote_commitment(vote.digest(DOMAIN), shown.salt)
    assert (vote.task, vote.attempt, vote.node, vote.result) == (item.task.id, item.attempt, 9, item.result)
    data = network.store.get_block(Cid(Codec.RAW, vote.measured))
    return Outcome(vote.outcome), Measurement.decode(data, vote.measured)


def other_seed(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    return honest(frame, seed + 1, settings)


def remove(network: Network, cid: str) -> None:
    network.store._path(Cid.parse(cid)).unlink()


def give_up(node: Node, item: Verify) -> tuple[Outcome, Measurement]:
    """Nothing is voted at first; in half of the time the node gives up."""
    node.run(item)
    assert node.network.received == []
    node.network.time = START + 299
    node.loop.executor._resting.clear()
    node.run()
    assert node.network.received == []
    node.network.time = START + 301
    node.loop.executor._resting.clear()
    return voted(node, item)
