# SPDX-License-Identifier: Apache-2.0
"""Plain Blender: the frames of a job rendered one after the other by one bpy process, as an artist would do it.

No network, no sandbox, no raw files: each frame is rendered with the denoiser in the render itself and saved as a PNG,
then all are encoded. What decides the pixels is set as on a node (samples, seeds, no adaptive sampling).
Run as ``python -m benchmarks.plain order.json``; what a step took goes to ``out`` as a line of JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

START: Final = time.perf_counter()
LOADED, ENCODED = "load", "encode"


def main() -> None:
    """Renders and encodes what the order says: scene, width, height, samples, threads, fps, seeds by frame, out."""
    order = json.loads(Path(sys.argv[1]).read_text())
    out = Path(order["out"])
    (out / "frames").mkdir(parents=True)
    say = _teller(out / "steps.jsonl")
    # Only here: the first import is what starts Blender, and it is part of what is measured.
    import bpy  # type: ignore[import-not-found, import-untyped, unused-ignore]

    from node.engines.blender.inside import finish, raw

    bpy.ops.wm.open_mainfile(filepath=order["scene"], use_scripts=False, load_ui=False)
    scene = bpy.context.scene
    settings = {name: order[name] for name in ("width", "height", "samples")}
    raw.configure(scene, {**settings, "device": "cpu"}, order["threads"])
    _as_pictures(scene)
    say(LOADED)
    stills = []
    for frame, seed in order["seeds"]:
        still = str(out / "frames" / f"{frame:04d}.png")
        scene.cycles.seed, scene.render.filepath = seed, still
        scene.frame_set(frame)
        bpy.ops.render.render(write_still=True)
        stills.append(still)
        say(f"frame {frame}")
    finish.movie(stills, order["fps"], str(out / "film.mp4"))
    say(ENCODED)


def _as_pictures(scene: Any) -> None:
    """Denoised in the render, with the denoiser's settings of a node's assembly; saved as 8-bit PNGs."""
    cycles, picture = scene.cycles, scene.render.image_settings
    cycles.use_denoising, cycles.denoiser, cycles.denoising_use_gpu = True, "OPENIMAGEDENOISE", False
    cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    cycles.denoising_prefilter, cycles.denoising_quality = "ACCURATE", "BALANCED"
    scene.view_layers[0].cycles.denoising_store_passes = False
    picture.media_type = "IMAGE"
    picture.file_format, picture.color_mode, picture.color_depth = "PNG", "RGB", "8"


def _teller(path: Path) -> Callable[[str], None]:
    """Writes what each step took: elapsed and processor seconds since the one before."""
    last = [START, 0.0]

    def say(step: str) -> None:
        now = [time.perf_counter(), time.process_time()]
        row = {"step": step, "seconds": now[0] - last[0], "core_seconds": now[1] - last[1]}
        last[:] = now
        with path.open("a") as file:
            file.write(json.dumps(row) + "\n")

    return say


if __name__ == "__main__":
    main()
