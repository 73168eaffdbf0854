# SPDX-License-Identifier: Apache-2.0
"""``make bench``: a job on a network of this machine, beside plain Blender; about twelve minutes on two cores.

Tables, and the same in out/bench/report.json. Nothing is left running, however it ends.
"""

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from devnet.processes import ROOT, exit_on_sigterm
from inferix.errors import InferixError

OUT = ROOT / "out" / "bench"
REPORT = OUT / "report.json"
THREADS = 2  # as the demo's nodes have
MEDIUM, LARGE = (640, 360, 16), (1920, 1080, 64)


def main() -> int:
    """0 when everything was measured."""
    os.environ.setdefault("INFERIX_DEMO_OUT", str(OUT / "network"))  # demo.places reads it when it is imported
    exit_on_sigterm()
    try:
        _measure()
        print(f"\non disk: {REPORT.relative_to(ROOT)}")
    except KeyboardInterrupt:
        print("\nstopped; nothing is left running")
        return 130
    except InferixError as error:
        print(f"\nthe benchmark failed: {error}", file=sys.stderr)
        return 1
    return 0


def _measure() -> None:
    from benchmarks import baseline, gas, job, machine, report
    from benchmarks.table import show
    from demo.places import OUT as network
    from demo.say import chapter, line
    from demo.services import services

    began = os.getloadavg()
    here = machine.facts()
    line(f"{here['cores']} cores, {here['processor']}, {here['memory_mib']} MiB; load {began[0]:.1f}")
    with services({}) as run:
        done = job.run(run)
    line("the network is stopped")
    chapter("The same frames by plain Blender")
    with TemporaryDirectory(prefix="inferix-bench-") as folder:
        plain = baseline.render(_order(done), Path(folder) / "plain")
        ours, theirs = (sorted((at / "frames").glob("*.png")) for at in (network, Path(folder) / "plain"))
        differ = baseline.difference(ours, theirs, Path(folder) / "compared")
        chapter("Checking beside rendering")
        checked = _verification(Path(folder))
    steady = gas.steady_state(done.tasks)
    facts = report.facts(done, plain, differ, steady, checked)
    _write({"machine": here, "load": [began, os.getloadavg()], **facts})
    for sheet in report.sheets(done, plain, differ, steady, checked):
        show(sheet)


def _write(report: dict[str, Any]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")


def _order(done: Any) -> dict[str, Any]:
    """The job's frames for plain Blender."""
    from demo.story import SCENES

    settings = {name: done.settings[name] for name in ("width", "height", "samples")}
    scene, fps = str(SCENES / "demo.blend"), done.settings["fps_milli"] / 1000
    return {**settings, "scene": scene, "fps": fps, "threads": THREADS, "seeds": done.seeds}


def _verification(folder: Path) -> list[Any]:
    from benchmarks import verifying
    from demo.story import SCENES
    from node.engines import EngineSettings, RenderSettings, load_engine

    engine, scene = load_engine("blender", EngineSettings(threads=THREADS)), SCENES / "demo.blend"
    return [
        verifying.check(engine, scene, RenderSettings(*MEDIUM), folder / "medium", renders=3, checks=3),
        verifying.check(engine, scene, RenderSettings(*LARGE), folder / "large", renders=1, checks=3),
    ]


if __name__ == "__main__":
    sys.exit(main())
