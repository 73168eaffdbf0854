# SPDX-License-Identifier: Apache-2.0
"""What every engine offers, and the plain values that go in and come out. No engine is imported here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from inferix.errors import Corrupt, InferixError, InvalidInput, Misconfigured, Unavailable
from inferix.proofs.rendering import Tile
from node.watchdog import Limits

Device = Literal["cpu", "gpu", "optix", "cuda", "hip", "oneapi", "metal"]
"""The processor, a GPU by the first kernel that finds one, or a GPU by this kernel."""
FloatArray = NDArray[np.float32]


class EngineError(InferixError):
    """Root of what an engine raises."""


class BadPackage(EngineError, InvalidInput):
    """The client's package cannot be rendered; ``code`` as in :class:`Problem`."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class BadResult(EngineError, Corrupt):
    """A file that another node delivered does not parse or is not what it claims to be."""


class EngineStopped(EngineError, Unavailable):
    """The engine's process ended before its work did; ``limit``: memory, wall, cpu, processes, disk or crash."""

    def __init__(self, message: str, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class ReaderStopped(EngineError):
    """Reading a stranger's file failed here, by a limit, a signal or a full disk: nobody's fault.

    Not Unavailable: a file may be made so, and who waits for it waits for ever.
    """


class EngineMissing(EngineError, Misconfigured):
    """No such engine, or a part of it (a library, a GPU) is not there; the message says what to install."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How this node runs an engine. ``threads``: 0 means all cores. ``unsafe``: not isolated (see node.sandbox).

    ``plain_kernel``: the processor's slower kernel where it has two, to compare it with the usual one.
    """

    threads: int = 0
    device: Device = "cpu"
    limits: Limits = field(default_factory=Limits)
    unsafe: bool = False
    plain_kernel: bool = False


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """What one frame is: size in pixels, samples per pixel, and the kind of device it is to be rendered on."""

    width: int
    height: int
    samples: int
    device: Device = "cpu"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which camera (an object's name), view layer and eye of a package is rendered; empty: the scene's own camera, its
    first view layer, no stereo."""

    camera: str = ""
    layer: str = ""
    eye: Literal["", "left", "right"] = ""


SCENES_OWN: Final = Choice()


@dataclass(frozen=True, slots=True)
class Request:
    """What the client wants to order, both frames included; size in pixels."""

    first_frame: int
    last_frame: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a package. ``name``: the file, object or text concerned. An error forbids rendering."""

    code: str
    message: str
    severity: Literal["error", "warning"] = "error"
    name: str = ""


@dataclass(frozen=True, slots=True)
class SceneReport:
    """What a package holds; fields are 0 or empty where it could not be read. ``packed``: the files that `pack` brought
    in, name and bytes."""

    problems: tuple[Problem, ...] = ()
    first_frame: int = 0
    last_frame: int = 0
    fps: float = 0.0
    width: int = 0
    height: int = 0
    samples: int = 0
    camera: str = ""
    engine: str = ""
    build: str = ""
    packed: tuple[tuple[str, int], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it can be rendered: no problem is an error."""
        return all(problem.severity != "error" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an operation stands. ``done`` in [0, 1]; ``seconds`` since the operation began."""

    operation: str
    stage: str
    frame: int | None
    done: float
    seconds: float


Place = tuple[int, int, int]
"""Where a mark is: which of those that its frame's key draws, x and y of its imprint in pixels, (0, 0) top left."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What renders here. ``device_class``: "cpu" (of x86-64; of others "cpu-aarch64" and so on), or the GPU kernel
    ("optix", "cuda", "hip", "oneapi", "metal").

    ``kernel``: everything on which the last bit of a pixel can hang within the class: instructions, model of processor,
    C library, e.g. "avx2 genuineintel-6-207 glibc-2.36". Empty where it cannot be told.
    """

    device_class: str
    kernel: str


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A raw (noisy) frame as a lossless EXR.

    ``pixels_sha256`` is over the RGBA pixels as little-endian float32, row 0 on top. ``device_class``, ``kernel``: as
    of `Machine`. ``core_seconds``: processor time of all threads.
    """

    frame: int
    path: Path
    file_sha256: bytes
    pixels_sha256: bytes
    width: int
    height: int
    samples: int
    seed: int
    seconds: float
    core_seconds: float
    device_class: str
    build: str
    kernel: str = ""


@dataclass(frozen=True, slots=True)
class Still:
    """A finished frame: denoised, view-transformed, 8-bit PNG."""

    frame: int
    path: Path
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Film:
    """The finished frames, the movie (MP4, H.264) and a contact sheet (PNG)."""

    stills: tuple[Still, ...]
    movie: Path
    movie_sha256: bytes
    contact_sheet: Path


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Time of one raw frame of a sample scene at its own settings, and what came out."""

    seconds: float
    core_seconds: float
    pixels_sha256: bytes
    device_class: str
    build: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What a frame takes on this machine: seconds = fixed + per sample and pixel.

    Processor seconds of all threads on a CPU, elapsed seconds on a GPU.
    """

    fixed_seconds: float
    sample_pixel_seconds: float

    def seconds(self, settings: RenderSettings) -> float:
        """Expected seconds of one frame at ``settings``."""
        return self.fixed_seconds + self.sample_pixel_seconds * settings.width * settings.height * settings.samples


@dataclass(frozen=True, slots=True)
class Preview:
    """Cost of a scene beside that of the unit scene, measured in one process on one machine."""

    scene: Cost
    unit: Cost
    unit_settings: RenderSettings

    def ratio(self, settings: RenderSettings) -> float:
        """How many frames of the unit scene one frame of this scene is worth at ``settings``."""
        return self.scene.seconds(settings) / self.unit.seconds(self.unit_settings)


class Session(Protocol):
    """One package in one sandboxed process. Any call may raise EngineStopped; files lie in ``work/results``."""

    def inspect(self, request: Request | None = None) -> SceneReport:
        """What the package holds and what is wrong with it, also beside ``request``."""
        ...

    def preview(self, frame: int, unit: Path) -> Preview:
        """Measure ``frame`` and the unit scene at low settings."""
        ...

    def render(self, frame: int, seed: int, settings: RenderSettings) -> RawFrame:
        """The raw pass of one frame; ``seed`` in [0, 2**31 - 1). The same arguments give the same bytes again."""
        ...

    def tiles(self, frame: int, seed: int, settings: RenderSettings, tiles: Sequence[Tile]) -> list[FloatArray]:
        """The raw passes of these rectangles only: each (height, width, 10) float32, row 0 on top."""
        ...

    def machine(self) -> Machine:
        """What renders here, in this process.

        :raises EngineMissing: it was started for a GPU and there is none.
        """
        ...

    def quick_look(self, exr: Path) -> bytes:
        """A PNG of a raw frame, at most 480 pixels wide, with the scene's view transform."""
        ...

    def assemble_frame(self, frame: int, exr: Path) -> Still:
        """Denoise a raw frame, apply the scene's view transform, write an 8-bit PNG."""
        ...

    def assemble(self, frames: Sequence[tuple[int, Path]], fps: float) -> Film:
        """Every frame as by :meth:`assemble_frame`, then the movie and the contact sheet."""
        ...

    def benchmark(self, seed: int, device: Device = "cpu") -> Benchmark:
        """Render the sample scene that this package is, at its own settings."""
        ...

    def close(self) -> None:
        """End the process and all below it; a second call does nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Engine(Protocol):
    """A plug-in. Its constructor takes :class:`EngineSettings` and starts nothing. One that can put marks into a scene
    has ``mark``, too (docs/engines.md)."""

    name: str

    def __init__(self, settings: EngineSettings) -> None: ...

    def build(self) -> str:
        """Version and build hash of the renderer, e.g. "5.0.1 a3db93c5b259": part of every receipt."""
        ...

    def inspect(self, package: Path, request: Request | None = None, choice: Choice = SCENES_OWN) -> SceneReport:
        """Pre-flight of a package in a process of its own; never raises for what is in the package."""
        ...

    def pack(self, scene: Path, output: Path) -> SceneReport:
        """Client side: write a self-contained copy of ``scene``; the report names what is still missing."""
        ...

    def open(
        self,
        package: Path,
        work: Path,
        on_progress: Callable[[Progress], None] | None = None,
        choice: Choice = SCENES_OWN,
    ) -> Session:
        """Start a process for this package. ``work``: a private folder of this session, made if absent.

        :raises BadPackage: the package cannot be loaded.
        """
        ...
