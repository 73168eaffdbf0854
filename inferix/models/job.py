# SPDX-License-Identifier: Apache-2.0
"""What a client orders: request, quote, spec, and the tasks a spec splits into."""

from typing import Annotated, Literal, TypedDict

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak
from pydantic import Field, model_validator

from inferix.models.document import Bytes32, Document, Value
from inferix.models.roles import TaskKind

MAX_FRAMES = 1_440
"""Of an order, a minute at 24 a second: the document of its film names them all, and has to fit `MAX_DOCUMENT`."""
MAX_FRAMES_A_TASK = 600
"""A verifier looks at three tiles of each at least, and at `MAX_TILES_A_TASK` in all."""
MAX_FRAME_WORK = (2**63 - 1) // MAX_FRAMES_A_TASK
"""Nano-IBM: of a frame, so that a task's work is a 64-bit number, also in a database, whose numbers have a sign."""
MAX_PIXELS = 16_384 * 16_384
MAX_NAME = 255  # of an object in Blender, bytes; in older files 63
# Reserved, so that a contract knows from (job, index) alone that one vote decides this task.
ASSEMBLE_INDEX = 2**32 - 1
# So is this one: a contract knows a lease by it.
LEASE_INDEX = 2**32 - 2
ASSEMBLE_TIMES = 3

U32 = Annotated[int, Field(ge=0, lt=2**32)]
U64 = Annotated[int, Field(ge=0, lt=2**64)]
U40 = Annotated[int, Field(ge=0, lt=2**40)]
Cid = Annotated[str, Field(min_length=10, max_length=120)]
Eye = Literal["", "left", "right"]


class Choice(TypedDict):
    """Camera, layer and eye, by the names that an engine's Choice has for them."""

    camera: str
    layer: str
    eye: Eye


class RenderSettings(Value):
    """What is rendered. ``frames`` inclusive; width and height in pixels; ``samples`` per pixel.

    ``camera``, ``layer``, ``eye``: of several; empty for the scene's own camera, its first view layer, no stereo.
    """

    first_frame: Annotated[int, Field(ge=-(2**20), le=2**20)]
    last_frame: Annotated[int, Field(ge=-(2**20), le=2**20)]
    width: Annotated[int, Field(ge=4, le=16_384)]
    height: Annotated[int, Field(ge=4, le=16_384)]
    samples: Annotated[int, Field(ge=1, le=65_536)]
    fps_milli: Annotated[int, Field(ge=1_000, le=240_000)] = 24_000
    camera: Annotated[str, Field(max_length=MAX_NAME)] = ""
    layer: Annotated[str, Field(max_length=MAX_NAME)] = ""
    eye: Eye = ""

    @model_validator(mode="after")
    def _ordered(self) -> "RenderSettings":
        if self.last_frame < self.first_frame:
            raise ValueError("the last frame comes before the first")
        if self.last_frame - self.first_frame >= MAX_FRAMES:
            raise ValueError(f"at most {MAX_FRAMES:,} frames in one order: order the others apart")
        return self

    def frames(self) -> range:
        """The frame numbers in order."""
        return range(self.first_frame, self.last_frame + 1)

    def choice(self) -> Choice:
        """What of the package is rendered."""
        return Choice(camera=self.camera, layer=self.layer, eye=self.eye)


class QuoteRequest(Document):
    """What a client asks a price for. ``input``: CID of the sealed package; ``input_bytes``: its plain size; ``key``:
    the commitment to the job's key (`inferix.jobkeys.commitment`), from which all seeds of its frames follow."""

    kind: Literal["render"] = "render"
    manager: U32
    input: Cid
    input_bytes: U64
    key: Bytes32
    engine: Annotated[str, Field(max_length=80)]
    settings: RenderSettings


class JobSpec(Document):
    """The order's ``spec``: the request, split and priced. ``work`` is nano-IBM of one frame, from the signed Quote.

    ``assemble_work``: nano-IBM of the assemble task. ``attempt_seconds``: from acceptance to receipt of a render task;
    the assemble task, which has all frames of the job, has `ASSEMBLE_TIMES` as many.
    """

    kind: Literal["render"] = "render"
    request: QuoteRequest
    work: Annotated[int, Field(ge=0, le=MAX_FRAME_WORK)]
    assemble_work: U64
    frames_per_task: Annotated[int, Field(ge=1, le=MAX_FRAMES_A_TASK)]
    attempt_seconds: Annotated[int, Field(ge=10, le=2_592_000)]
    quote_signature: Annotated[str, Field(pattern="^0x[0-9a-f]{130}$")]
    quote_expires: U40
    low_price: U64
    high_price: U64

    def seconds_for(self, kind: TaskKind) -> int:
        """Seconds from the acceptance of a task to its receipt."""
        return self.attempt_seconds * (ASSEMBLE_TIMES if kind is TaskKind.ASSEMBLE else 1)

    def tasks(self, job: bytes) -> "list[Task]":
        """The job's tasks: frame ranges in order, then one assemble task at ASSEMBLE_INDEX."""
        frames = list(self.request.settings.frames())
        step = self.frames_per_task
        parts = [frames[at : at + step] for at in range(0, len(frames), step)]
        tasks = [
            Task(
                id=task_id(job, index),
                job=job,
                index=index,
                kind=TaskKind.RENDER,
                first_frame=part[0],
                last_frame=part[-1],
                work=self.work * len(part),
            )
            for index, part in enumerate(parts)
        ]
        tasks.append(
            Task(
                id=task_id(job, ASSEMBLE_INDEX),
                job=job,
                index=ASSEMBLE_INDEX,
                kind=TaskKind.ASSEMBLE,
                first_frame=frames[0],
                last_frame=frames[-1],
                work=self.assemble_work,
            )
        )
        return tasks


class LeaseSpec(Document):
    """The ``spec`` of an order with the price 0: its cap is what the lease costs, whole.

    ``node``: whose machine it is; ``terms``: digest of what client and owner agreed on, which no rule reads.
    """

    kind: Literal["lease"] = "lease"
    node: U32
    terms: Bytes32

    def tasks(self, job: bytes) -> "list[Task]":
        """The one task of the lease, at LEASE_INDEX."""
        id = task_id(job, LEASE_INDEX)
        return [Task(id=id, job=job, index=LEASE_INDEX, kind=TaskKind.LEASE, first_frame=0, last_frame=0, work=0)]


class Task(Value):
    """A part of a job that one worker does. ``work`` in nano-IBM."""

    id: Bytes32
    job: Bytes32
    index: U32
    kind: TaskKind
    first_frame: int
    last_frame: int
    work: U64

    def frames(self) -> range:
        """The frames of this task in order."""
        return range(self.first_frame, self.last_frame + 1)


def task_id(job: bytes, index: int) -> bytes:
    """``keccak256(abi.encode(bytes32 job, uint32 index))``."""
    return keccak(abi_encode(["bytes32", "uint32"], [job, index]))


def case_id(task: bytes, attempt: int) -> bytes:
    """``keccak256(abi.encode(bytes32 task, uint8 attempt))``."""
    return keccak(abi_encode(["bytes32", "uint8"], [task, attempt]))
