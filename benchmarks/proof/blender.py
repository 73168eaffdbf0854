# SPDX-License-Identifier: Apache-2.0
"""A Blender process of one kernel, as the benchmark sees it. The scenes are the project's own: no sandbox."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from devnet.processes import ROOT
from inferix.errors import Unavailable
from inferix.proofs.rendering import FloatArray, Tile
from inferix.proofs.rendering.angv import Box, Mark
from node.engines import Device, RenderSettings

KERNELS: Final = {"": {}, "no AVX2": {"CYCLES_CPU_NO_AVX2": "1"}}
"""What makes Cycles choose another of its CPU kernels. Without effect where it has one only."""


@dataclass(frozen=True, slots=True)
class Shot:
    """What is rendered: a scene's variant, a frame of it with its seed, at which settings."""

    scene: str
    variant: int
    frame: int
    seed: int
    settings: RenderSettings


@dataclass
class Blender:
    """Started at the first call. ``core_seconds``: processor seconds of all renders so far.

    ``kernel``: a key of `KERNELS`; ``folder``: for its files, private to it.
    """

    folder: Path
    kernel: str = ""
    device: Device = "cpu"
    threads: int = 1
    core_seconds: float = 0.0
    last_core_seconds: float = 0.0
    device_class: str = ""
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process; the next call starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None

    def render(
        self,
        shot: Shot,
        *,
        subset: tuple[int, int] | None = None,
        tile: Tile | None = None,
        cut: str = "",
        threads: int | None = None,
    ) -> FloatArray:
        """(height, width, 10) float32: the raw pass and the denoiser's guides. ``subset``: first sample, and how many.

        :raises Unavailable: Blender ended or refused.
        """
        self._call("build", name=shot.scene, variant=shot.variant)
        settings = {**_plain(shot.settings), "device": self.device}
        done = self._call(
            "render",
            frame=shot.frame,
            seed=shot.seed,
            settings=settings,
            subset=subset,
            box=[tile.x, tile.y, tile.width, tile.height] if tile else None,
            cut=cut,
            threads=threads or self.threads,
            output="render.npy",
        )
        self.device_class, self.last_core_seconds = str(done["device_class"]), float(done["core_seconds"])
        self.core_seconds += self.last_core_seconds
        return self._take("render.npy")

    def denoised(self, pixels: FloatArray) -> FloatArray:
        """What the denoiser makes of a render, ten channels as well."""
        np.save(self.folder / "noisy.npy", pixels)
        self._call("denoise", source="noisy.npy", output="clean.npy")
        return self._take("clean.npy")

    def picture(self, pixels: FloatArray, path: Path) -> None:
        """An 8-bit PNG of a render, with the view transform of the scene that was rendered last."""
        np.save(self.folder / "linear.npy", pixels)
        self._call("picture", source="linear.npy", output=str(path.resolve()))

    def levels(self, pixels: FloatArray) -> NDArray[np.uint8]:
        """The same picture as its file holds it, (height, width, 3)."""
        path = self.folder.resolve() / "finished.png"
        self.picture(pixels, path)
        self._call("levels", source=str(path), output="finished.npy")
        found: NDArray[np.uint8] = np.load(self.folder / "finished.npy")
        return found

    def mark(self, kind: str, shot: Shot, key: bytes, target: float) -> list[tuple[Mark, Box]]:
        """Put a key's marks into the scene of this shot until `unmark`; ``kind``: "planes" (`benchmarks.marking`) or
        "baked" (`node.engines.blender.inside.marks`); ``target`` as of their `embed`."""
        return _placed(self._marking("mark", kind, shot, target, key=key.hex())["placed"])

    def places(self, kind: str, shot: Shot, keys: Sequence[bytes], target: float) -> list[list[tuple[Mark, Box]]]:
        """Where `mark` would put the marks of each of these keys."""
        done = self._marking("places", kind, shot, target, keys=[key.hex() for key in keys])
        return [_placed(rows) for rows in done["placed"]]

    def take_out(self, kind: str) -> int:
        """Let a cheat without the key take out what he finds, until `unmark`; how much that is."""
        return int(self._call("take_out", kind=kind)["found"])

    def unmark(self) -> None:
        """Make the scene what it was before `mark`."""
        self._call("unmark")

    def jpeg(self, picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
        """An 8-bit picture after compression."""
        np.save(self.folder / "picture.npy", picture)
        self._call("jpeg", source="picture.npy", output="compressed.npy", quality=quality)
        found: NDArray[np.uint8] = np.load(self.folder / "compressed.npy")
        return found

    def save(self, scene: str, variant: int, path: Path) -> None:
        """A variant as a .blend file."""
        self._call("build", name=scene, variant=variant)
        self._call("save", output=str(path.resolve()))

    def _marking(self, operation: str, kind: str, shot: Shot, target: float, **keys: object) -> dict[str, Any]:
        self._call("build", name=shot.scene, variant=shot.variant)
        settings = {**_plain(shot.settings), "device": self.device}
        asked = {"kind": kind, "frame": shot.frame, "target": target, "threads": self.threads}
        return self._call(operation, settings=settings, **asked, **keys)

    def _take(self, name: str) -> FloatArray:
        pixels: FloatArray = np.load(self.folder / name)
        return pixels

    def _call(self, operation: str, **arguments: object) -> dict[str, Any]:
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({"operation": operation, "arguments": arguments}) + "\n")
            process.stdin.flush()
            while answer := process.stdout.readline():
                event = json.loads(answer)
                if "result" in event:
                    return dict(event["result"])
                if "error" in event:
                    raise Unavailable(f"Blender could not {operation}: {event['error']['message']}")
        except BrokenPipeError:
            pass
        raise Unavailable(f"Blender ended while it was to {operation}; see {self.folder / 'blender.log'}")

    def _start(self) -> subprocess.Popen[str]:
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, **KERNELS[self.kernel], "PYTHONPATH": str(ROOT)}
        with (self.folder / "blender.log").open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "benchmarks.proof.inside"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self.folder,
                env=environment,
            )


def _placed(rows: Sequence[Sequence[Any]]) -> list[tuple[Mark, Box]]:
    marks = [(Mark(*row[:5]), row[5:]) for row in rows]
    return [(mark, Box(x, y, mark.width, mark.height)) for mark, (x, y) in marks]


def _plain(settings: RenderSettings) -> dict[str, object]:
    return {"width": settings.width, "height": settings.height, "samples": settings.samples}
