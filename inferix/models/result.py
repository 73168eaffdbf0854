# SPDX-License-Identifier: Apache-2.0
"""What workers and verifiers produce: result and measurement documents."""

from typing import Annotated, Literal

from pydantic import Field

from inferix.models.document import Bytes32, Document, Value
from inferix.models.job import U32, U64, Cid
from inferix.models.roles import TaskKind


class FileRef(Value):
    """A sealed file in storage: its CID, the SHA-256 of the plain bytes and their size."""

    cid: Cid
    sha256: Bytes32
    size: U64


class FrameResult(Value):
    """One rendered frame. ``pixels``: SHA-256 of its raw RGBA float32 pixels, committed before any tile is drawn."""

    frame: int
    raw: FileRef
    pixels: Bytes32
    milliseconds: U64


class Film(Value):
    """What an assemble task delivers: stills in the order of the frames, the film, a contact sheet."""

    stills: list[FileRef]
    movie: FileRef
    contact_sheet: FileRef


class Result(Document):
    """What a receipt commits to. ``frames`` for a render task, ``film`` for an assemble task.

    ``kernel``: what computed it within its device class, as `node.engines.Machine` names it; empty where nobody knows.
    """

    kind: TaskKind
    task: Bytes32
    attempt: Annotated[int, Field(ge=0, le=255)]
    node: U32
    engine: Annotated[str, Field(max_length=80)]
    build: Annotated[str, Field(max_length=120)]
    device_class: Annotated[str, Field(max_length=40)]
    kernel: Annotated[str, Field(max_length=120)] = ""
    frames: list[FrameResult] = []
    film: Film | None = None


class TileResult(Value):
    """One tile's measure. ``share_ppm``: parts per million of its pixels out of tolerance; ``equal``: bit for bit."""

    frame: int
    x: U32
    y: U32
    width: U32
    height: U32
    share_ppm: U32
    informative: bool
    equal: bool


class ShadowResult(Value):
    """What a calibration that is only tried says of a frame, of the same tiles; it decides nothing.

    ``rule``: as in Measurement; ``verdict``: "unsure" where these tiles do not suffice.
    """

    rule: Annotated[str, Field(max_length=40)]
    frame: int
    tiles: U32
    failed: U32
    verdict: Literal["accepted", "rejected", "unsure"]


class Measurement(Document):
    """What a vote rests on, published with it: the tiles that were really rendered, in order.

    ``rule``: the comparison and the calibration whose thresholds were applied, e.g. "exact 1f0c9a2b"; empty where no
    tile was judged. ``named``: of its tiles, those that another's rejection names and that were rendered again here:
    they are not of this verifier's draw. ``shadow``: what a calibration says that this verifier only tries.
    """

    task: Bytes32
    attempt: Annotated[int, Field(ge=0, le=255)]
    node: U32
    build: Annotated[str, Field(max_length=120)]
    device_class: Annotated[str, Field(max_length=40)]
    kernel: Annotated[str, Field(max_length=120)] = ""
    rule: Annotated[str, Field(max_length=40)] = ""
    method: Literal["tiles", "redo", "none"]
    tiles: list[TileResult] = []
    named: list[TileResult] = []
    shadow: list[ShadowResult] = []
    reason: Annotated[str, Field(max_length=500)]
