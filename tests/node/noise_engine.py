# SPDX-License-Identifier: Apache-2.0
"""An engine that renders seeded noise: the interface of a path tracer, in milliseconds and without a process.

Its package is a text: ``SCENE <name>``. ``SCENE broken`` loads with an error, ``SCENE crash`` stops the engine,
``SCENE slow`` takes its time.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inferix.proofs.rendering import Tile
from node.engines import (
    SCENES_OWN,
    BadPackage,
    BadResult,
    Benchmark,
    Choice,
    Device,
    EngineSettings,
    EngineStopped,
    Film,
    FloatArray,
    Machine,
    Preview,
    Problem,
    Progress,
    RawFrame,
    RenderSettings,
    Request,
    SceneReport,
    Still,
)
from node.engines.exr import BadExr, Passes, crop, pixels_sha256, read_frame, stored, write_frame

BUILD = "1.0 test"
KERNEL = "generator"


def pixels_of(package: bytes, frame: int, seed: int, settings: RenderSettings) -> FloatArray:
    """What this engine renders: a gradient and noise that falls with the samples."""
    key = hashlib.sha256(package + f"{frame} {seed} {settings.samples}".encode()).digest()
    noise = np.random.default_rng(list(key)).standard_normal((settings.height, settings.width, 4))
    base = np.linspace(0.2, 0.8, settings.width)[None, :, None] + 0.01 * frame
    return (base + 0.2 * noise / np.sqrt(settings.samples)).astype(np.float32)


def passes_of(pixels: FloatArray) -> Passes:
    """With guides that are the colours themselves."""
    return Passes(pixels, pixels[..., :3], pixels[..., :3])


class NoiseEngine:
    """Counts what it renders in ``rendered`` and ``tiles``, and the packages that it opened."""

    name = "noise"

    def __init__(self, settings: EngineSettings, build: str = BUILD) -> None:
        self.settings = settings
        self.rendered: list[int] = []
        self.tiles: list[Tile] = []
        self.opened = 0
        self._build = build
        self.failing = False

    def build(self) -> str:
        return self._build

    def inspect(self, package: Path, request: Request | None = None, choice: Choice = SCENES_OWN) -> SceneReport:
        raise NotImplementedError

    def pack(self, scene: Path, output: Path) -> SceneReport:
        raise NotImplementedError

    def open(
        self,
        package: Path,
        work: Path,
        on_progress: Callable[[Progress], None] | None = None,
        choice: Choice = SCENES_OWN,
    ) -> "NoiseSession":
        data = package.read_bytes()
        if not data.startswith(b"SCENE"):
            raise BadPackage("this is no scene", "not_scene")
        self.opened += 1
        return NoiseSession(self, data, work, on_progress or (lambda _: None))


class NoiseSession:
    """See `node.engines.Session`."""

    def __init__(self, engine: NoiseEngine, scene: bytes, work: Path, tell: Callable[[Progress], None]) -> None:
        self._engine, self._scene, self._tell = engine, scene, tell
        self._results = work / "results"
        self._results.mkdir(parents=True, exist_ok=True)
        self.closed = False

    def __enter__(self) -> "NoiseSession":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True

    def inspect(self, request: Request | None = None) -> SceneReport:
        problems = (Problem("missing_texture", "wood.png is not packed"),) if b"broken" in self._scene else ()
        return SceneReport(problems, 1, 2, 24.0, 64, 48, 16, "Camera", "noise", self._engine.build())

    def preview(self, frame: int, unit: Path) -> Preview:
        raise NotImplementedError

    def render(self, frame: int, seed: int, settings: RenderSettings) -> RawFrame:
        self._check()
        self._engine.rendered.append(frame)
        if b"slow" in self._scene:
            time.sleep(1)
        self._tell(Progress("render", "sampling", frame, 0.5, 0.1))
        pixels = pixels_of(self._scene, frame, seed, settings)
        path = self._results / f"frame-{frame}.exr"
        write_frame(path, passes_of(pixels))
        return RawFrame(
            frame=frame,
            path=path,
            file_sha256=hashlib.sha256(path.read_bytes()).digest(),
            pixels_sha256=pixels_sha256(pixels),
            width=settings.width,
            height=settings.height,
            samples=settings.samples,
            seed=seed,
            seconds=0.25,
            core_seconds=0.25,
            device_class="cpu",
            kernel=KERNEL,
            build=self._engine.build(),
        )

    def tiles(self, frame: int, seed: int, settings: RenderSettings, tiles: Sequence[Tile]) -> list[FloatArray]:
        self._check()
        whole = stored(passes_of(pixels_of(self._scene, frame, seed, settings)))
        self._engine.tiles += tiles
        return [crop(whole, tile) for tile in tiles]

    def machine(self) -> Machine:
        self._check()
        return Machine("cpu", KERNEL)

    def quick_look(self, exr: Path) -> bytes:
        return b"quick look of " + exr.name.encode()

    def assemble_frame(self, frame: int, exr: Path) -> Still:
        """Its pictures are NumPy arrays, whatever their name says."""
        try:
            levels = (255 * read_frame(exr).combined[..., :3].clip(0, 1)).astype(np.uint8)
        except BadExr as error:
            raise BadResult(str(error)) from error
        path = self._results / f"still-{frame}.png"
        with path.open("wb") as file:
            np.save(file, levels)
        return Still(frame, path, hashlib.sha256(path.read_bytes()).digest())

    def assemble(self, frames: Sequence[tuple[int, Path]], fps: float) -> Film:
        stills = tuple(self.assemble_frame(frame, exr) for frame, exr in frames)
        movie, sheet = self._results / "film.mp4", self._results / "sheet.png"
        movie.write_bytes(f"film at {fps}".encode() + b"".join(still.sha256 for still in stills))
        sheet.write_bytes(b"sheet")
        return Film(stills, movie, hashlib.sha256(movie.read_bytes()).digest(), sheet)

    def benchmark(self, seed: int, device: Device = "cpu") -> Benchmark:
        raise NotImplementedError

    def _check(self) -> None:
        if self.closed or self._engine.failing or b"crash" in self._scene:
            raise EngineStopped("the engine stopped: it crashed", "crash")


class DirectReader:
    """Reads the pictures of this engine in this process."""

    def picture(self, png: Path, work: Path, size: tuple[int, int] | None = None) -> Any:
        try:
            return np.load(png, allow_pickle=False)
        except ValueError as error:
            raise BadResult(f"not a picture: {error}") from error

    def movie_frame(self, movie: Path, work: Path, at: int, frames: int, size: tuple[int, int]) -> Any:
        try:
            found = np.load(movie, allow_pickle=False)
        except ValueError as error:
            raise BadResult(f"not a movie: {error}") from error
        if found.shape[:3] != (frames, size[1], size[0]):
            raise BadResult(f"{found.shape} is not {frames} frames of {size}")
        return found[at]
