# SPDX-License-Identifier: Apache-2.0
"""One package in one running Blender: the calls of node.engines.base.Session, as requests to the sandbox."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from inferix.errors import InvalidInput
from inferix.proofs.rendering import CHANNELS, SEED_LIMIT, Tile
from node.engines.base import (
    Benchmark,
    Cost,
    Device,
    EngineMissing,
    EngineSettings,
    EngineStopped,
    Film,
    FloatArray,
    Machine,
    Place,
    Preview,
    Problem,
    RawFrame,
    RenderSettings,
    Request,
    SceneReport,
    Still,
)
from node.engines.process import JsonProcess

_QUICK_LOOK_WIDTH: Final = 480
_MAX_TILES: Final = 4096


class BlenderSession:
    """Made by :meth:`BlenderEngine.open`; used from one thread at a time."""

    def __init__(self, process: JsonProcess, settings: EngineSettings) -> None:
        self._process = process
        self._settings = settings
        self._machine: Machine | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process; files in results stay."""
        self._process.close()

    def inspect(self, request: Request | None = None) -> SceneReport:
        """What the package holds and what is wrong with it."""
        return scene_report(self._process.call("inspect", request=asdict(request) if request else None))

    def mark(self, keys: Mapping[int, bytes], size: tuple[int, int], output: Path) -> dict[int, list[Place]]:
        """Write a copy of the package with marks; as :meth:`BlenderEngine.mark`."""
        hexes = {str(frame): key.hex() for frame, key in keys.items()}
        answer = self._process.call("mark", keys=hexes, width=size[0], height=size[1], output="marked.blend")
        self._process.take("marked.blend", output.resolve())
        return {int(frame): [(one[0], one[1], one[2]) for one in placed] for frame, placed in answer["placed"].items()}

    def preview(self, frame: int, unit: Path) -> Preview:
        """Measure ``frame`` at a quarter of its size and few samples, then the unit scene in the same way."""
        answer = self._process.call("preview", frame, unit=self._process.give(unit), device=self._settings.device)
        return Preview(Cost(**answer["scene"]), Cost(**answer["unit"]), RenderSettings(**answer["unit_settings"]))

    def render(self, frame: int, seed: int, settings: RenderSettings) -> RawFrame:
        """The raw pass of ``frame``.

        :raises InvalidInput: a setting is out of range. EngineMissing: it asks for a device this engine was not given.
        """
        self._check(seed, settings)
        name = f"frame-{frame:06d}.exr"
        answer = self._process.call("render", frame, seed=seed, settings=asdict(settings), output=name)
        path, digest = self._process.take(name)
        return RawFrame(
            frame=frame,
            path=path,
            file_sha256=digest,
            width=settings.width,
            height=settings.height,
            samples=settings.samples,
            seed=seed,
            kernel=str(answer["kernel"])[:120],
            **_timing(answer),
        )

    def tiles(self, frame: int, seed: int, settings: RenderSettings, tiles: Sequence[Tile]) -> list[FloatArray]:
        """The raw passes of these tiles: each (height, width, 10) float32, row 0 on top; bits as in the frame's file.

        :raises InvalidInput: a tile is not inside the frame.
        """
        self._check(seed, settings)
        if len(tiles) > _MAX_TILES or not all(_inside(tile, settings) for tile in tiles):
            raise InvalidInput(f"tiles have to be inside {settings.width}x{settings.height}, and at most {_MAX_TILES}")
        boxes = [(tile.x, tile.y, tile.width, tile.height) for tile in tiles]
        self._process.call("tiles", frame, seed=seed, settings=asdict(settings), tiles=boxes, output="tiles.f32")
        pixels = self._floats("tiles.f32", sum(tile.width * tile.height * CHANNELS for tile in tiles))
        ends = np.cumsum([tile.width * tile.height * CHANNELS for tile in tiles])
        parts = np.split(pixels, ends[:-1])
        return [part.reshape(tile.height, tile.width, CHANNELS) for part, tile in zip(parts, tiles, strict=True)]

    def machine(self) -> Machine:
        """What renders here; asked once.

        :raises EngineMissing: this engine was started for a GPU and there is none.
        """
        if self._machine is None:
            answer = self._process.call("machine", device=self._settings.device)
            self._machine = Machine(str(answer["device_class"])[:40], str(answer["kernel"])[:120])
        return self._machine

    def quick_look(self, exr: Path) -> bytes:
        """A PNG of a raw frame, at most 480 pixels wide, denoised small."""
        self._process.call("quick_look", source=self._process.give(exr), width=_QUICK_LOOK_WIDTH, output="look.png")
        path, _ = self._process.take("look.png")
        return path.read_bytes()

    def assemble_frame(self, frame: int, exr: Path) -> Still:
        """Denoise a raw frame, apply the scene's compositor and view transform, write an 8-bit PNG.

        :raises BadResult: ``exr`` is not a raw frame.
        """
        name = f"still-{frame:06d}.png"
        self._process.call("assemble_frame", frame, source=self._process.give(exr), output=name)
        path, digest = self._process.take(name)
        return Still(frame, path, digest)

    def assemble(self, frames: Sequence[tuple[int, Path]], fps: float) -> Film:
        """Every frame as by :meth:`assemble_frame`, then the movie and the contact sheet, in the order given."""
        if not frames or not 0.1 <= fps <= 1000:
            raise InvalidInput(
                f"a film has at least one frame and 0.1 to 1000 frames a second, not {len(frames)} and {fps}"
            )
        stills = tuple(self.assemble_frame(frame, exr) for frame, exr in frames)
        given = [self._process.give(still.path) for still in stills]
        self._process.call("encode", stills=given, fps=fps, movie="film.mp4", contact_sheet="contact-sheet.png")
        movie, digest = self._process.take("film.mp4")
        return Film(stills, movie, digest, self._process.take("contact-sheet.png")[0])

    def benchmark(self, seed: int, device: Device = "cpu") -> Benchmark:
        """Render the sample scene that this package is, at its own settings, without keeping the frame."""
        return Benchmark(**_timing(self._process.call("benchmark", seed=seed, device=device)))

    def denoise(self, exr: Path, name: str) -> tuple[Path, bytes, bytes]:
        """A raw frame with denoised pixels, linear, for compositors: path, SHA-256 of the file and of the pixels."""
        answer = self._process.call("denoise", source=self._process.give(exr), output=name)
        return *self._process.take(name), bytes.fromhex(str(answer["pixels_sha256"]))

    def _check(self, seed: int, settings: RenderSettings) -> None:
        if not 0 <= seed < SEED_LIMIT:
            raise InvalidInput(f"a seed is in [0, 2**31 - 1), not {seed}")
        sides = (settings.width, settings.height)
        if not all(4 <= side <= 16_384 for side in sides) or not 1 <= settings.samples <= 65_536:
            raise InvalidInput(
                f"sides have 4 to 16384 pixels and 1 to 65536 samples, not {sides} and {settings.samples}"
            )
        if settings.device not in ("cpu", self._settings.device):
            raise EngineMissing(
                f"this engine was started with device {self._settings.device}: start it with {settings.device}"
            )

    def _floats(self, name: str, count: int) -> FloatArray:
        path, _ = self._process.take(name)
        pixels = np.fromfile(path, "<f4").astype(np.float32, copy=False)
        path.unlink()
        if pixels.size != count:
            raise EngineStopped(f"the engine delivered {pixels.size} numbers as {name}, expected {count}", "crash")
        return pixels


def scene_report(answer: Mapping[str, Any]) -> SceneReport:
    """A SceneReport from the sandbox's JSON."""
    return SceneReport(**{**answer, "problems": tuple(Problem(**problem) for problem in answer["problems"])})


def _inside(tile: Tile, settings: RenderSettings) -> bool:
    fits = tile.x + tile.width <= settings.width and tile.y + tile.height <= settings.height
    return fits and min(tile.x, tile.y) >= 0 and min(tile.width, tile.height) >= 1


def _timing(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "pixels_sha256": bytes.fromhex(str(answer["pixels_sha256"])),
        "seconds": float(answer["seconds"]),
        "core_seconds": float(answer["core_seconds"]),
        "device_class": str(answer["device_class"])[:40],
        "build": str(answer["build"])[:120],
    }
