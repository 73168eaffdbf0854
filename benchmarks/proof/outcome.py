# SPDX-License-Identifier: Apache-2.0
"""What a run leaves: tables on the terminal, and report.json, calibration.json, tables.md and pictures on disk."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from shutil import copyfile
from statistics import fmean
from typing import Any, Final

import numpy as np

from benchmarks import machine
from benchmarks.proof import costs, counts, marks, pictures, scenes, tables
from benchmarks.proof.blender import Blender, Shot
from benchmarks.proof.cases import Case
from benchmarks.proof.costs import SceneCost
from benchmarks.proof.journal import Journal, Row
from benchmarks.proof.run import RULES, Run
from benchmarks.table import show
from demo.say import line
from devnet.processes import ROOT
from inferix.proofs.rendering import load_calibration, write_calibration
from node.engines import RenderSettings

OUT: Final = ROOT / "out" / "bench-proof"
PAGE: Final = ROOT / "docs" / "proof-figures.md"
_BEGIN: Final = "<!-- tables: python -m benchmarks.proof --full --samples 8 --report --page -->"
_BEGIN_CHOSEN: Final = "<!-- tables: the command of the next ones, of the frames that thresholds come from -->"
_BEGIN_MARKS: Final = "<!-- tables: the command of the first ones, of larger frames with marks -->"
_END: Final = "<!-- end of tables -->"
PUBLISHED: Final = Path(__file__).with_name("rows")
FRAMES: Final = "frames.jsonl"
MARKS: Final = "marks.jsonl"
SLIGHT: Final = "slight.jsonl"
WHOLE: Final = "end-to-end.json"
COSTS: Final = "costs.json"
_DISPLAY: Final = RenderSettings(480, 270, 8)
MARKED: Final = (384, 216, 8)
"""Width, height and samples of frames with marks: these have a size in pixels, and would cover a smaller frame."""
CHOSEN_AT: Final = ((256, 144, 8), (128, 72, 64))
"""Width, height and samples of the frames that thresholds come from: few samples, and as many as are ordered."""
_MARKED: Final = 1  # a case that shows marks on the ground and among trees
_TRIAL: Final = 1  # sample of eight: what a cheat is shown with


def write_once(run: Run, say: Callable[[str], None], *, end_to_end: str | None = None) -> None:
    """What does not grow with the number of frames: costs, pictures of the scenes. Kept until it is deleted."""
    if not (OUT / COSTS).exists():
        took = [asdict(item) for item in costs.measure_scenes(run.worker, say)]
        (OUT / COSTS).write_text(json.dumps(took, indent=1) + "\n")
    if not (OUT / "scenes.png").exists():
        _draw(run.worker, run.verifier, say)
    if not (OUT / "marks.png").exists():
        say("pictures: marks")
        pictures.write_png(OUT / "marks.png", marks.example(Case(_MARKED, *MARKED), run.worker))
    if end_to_end is not None:
        say(f"end to end: {end_to_end} at 1080p, 64 samples; this takes minutes")
        found = costs.end_to_end(end_to_end, run.worker, run.folder, run.worker.threads)
        (OUT / WHOLE).write_text(json.dumps(found, indent=1) + "\n")


def frames(folder: Path) -> Journal:
    """The rows of a run, with those of the same run that this project brings along."""
    return Journal(folder / FRAMES, PUBLISHED / folder.name)


def slight_frames(folder: Path) -> Journal:
    """The rows of the whole rule, with tiles that are slightly off."""
    return Journal(folder / SLIGHT, PUBLISHED / folder.name / "slight")


def marked_frames(folder: Path) -> Journal:
    """The rows of frames with ANGV's marks, of which there are fewer."""
    return Journal(folder / MARKS, PUBLISHED / folder.name / "marks")


def chosen(size: tuple[int, int, int], *, published: bool) -> Journal:
    """The rows of `CHOSEN_AT` that thresholds come from, judged by the rule in force. ``published``: with those that
    this project brings along; a calibration counts its own."""
    width, height, samples = size
    name = f"chosen-{width}x{height}-{samples}-{load_calibration().without_slight().name}"
    return Journal(OUT / name / FRAMES, PUBLISHED / name if published else None)


def publish(folder: Path) -> int:
    """Keep the rows of a run, and of a calibration, with the project's, and what was measured once; how many rows."""
    PUBLISHED.mkdir(exist_ok=True)
    for name in (COSTS, WHOLE):
        if (OUT / name).exists():
            copyfile(OUT / name, PUBLISHED / name)
    journals = (
        frames(folder),
        slight_frames(folder),
        marked_frames(folder),
        *(chosen(size, published=True) for size in CHOSEN_AT),
    )
    return sum(journal.publish() for journal in journals)


def _once(name: str) -> Any:
    """What was measured once, on this machine or else as it was published; None where it never was."""
    found = [path for path in (OUT / name, PUBLISHED / name) if path.exists()]
    return json.loads(found[0].read_text()) if found else None


def report(folder: Path, no_gpu: str = "", *, page: bool = False) -> None:
    """Everything that follows from the journals of a run. ``page``: put its tables into the project's document too."""
    rows, marked = frames(folder).rows(), marked_frames(folder).rows()
    if not rows:
        line("there are no frames yet: nothing to report")
        return
    took = [SceneCost(**item) for item in _once(COSTS) or ()]
    sheets, facts = tables.sheets(rows, took, no_gpu, _once(WHOLE)), list(tables.facts(rows))
    sheets += tables.slight(slight_frames(folder).rows())
    text = "\n".join([*facts, "", *map(tables.markdown, sheets)])
    judged = [(size[-1], chosen(size, published=True).rows()) for size in CHOSEN_AT]
    at_choice = [tables.chosen(judged)] if all(mine for _, mine in judged) else []
    of_marks = marks.sheets(marked, tables.percent, tables.interval) if marked else []
    more = {_BEGIN_CHOSEN: at_choice, _BEGIN_MARKS: of_marks}
    if page:
        changed = between(PAGE.read_text(), f"{text}\n")
        for begin, found in more.items():
            if found:
                changed = between(changed, "\n".join(map(tables.markdown, found)) + "\n", begin)
        PAGE.write_text(changed)
    sheets += [*at_choice, *of_marks]
    text = "\n".join([text, *map(tables.markdown, (*at_choice, *of_marks))])
    for sheet in sheets:
        show(sheet)
    print("\n" + "\n".join(facts))
    (OUT / "tables.md").write_text(text)
    (OUT / "report.json").write_text(json.dumps(_figures(rows, marked, took), indent=1) + "\n")
    _charts(rows, took)
    _calibrate(rows, folder)
    print(f"on disk: {OUT.relative_to(ROOT)}/report.json, tables.md, calibration.json, pictures")


def between(page: str, tables: str, begin: str = _BEGIN) -> str:
    """A page with these tables between a mark and the end of tables that comes next."""
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(_END)
    assert after, "the page has no place for tables"
    return f"{before}{begin}\n{tables}{_END}{after}"


def _calibrate(rows: Sequence[Row], folder: Path) -> None:
    try:
        source = f"make bench-proof: {len(rows)} frames of {len({row['scene'] for row in rows})} scenes, {folder.name}"
        write_calibration(OUT / "calibration.json", counts.calibrate(rows, source))
    except ValueError as error:
        line(f"no calibration: {error}")


def _figures(rows: Sequence[Row], marked: Sequence[Row], took: Sequence[SceneCost]) -> dict[str, Any]:
    """The tables without roundings."""
    return {
        "machine": machine.facts(),
        "calibration": load_calibration().name,
        "frames": len(rows),
        "classes": {name: {rule: _figure(rows, name, rule) for rule in RULES} for name in counts.classes(rows)},
        "tiles": {
            name: {"exact": asdict(counts.exact_tiles(rows, name)), "near": asdict(counts.tiles(rows, name))}
            for name in counts.counted(rows)
        },
        "disagreeing": counts.disagreeing(rows),
        "points": [asdict(point) for point in counts.points(rows)],
        "marks": list(marked),
        "costs": [asdict(item) for item in took],
        "facts": [row["facts"] for row in rows if "facts" in row],
    }


def _figure(rows: Sequence[Row], name: str, rule: str) -> dict[str, Any]:
    found = counts.found(rows, name, rule)
    ends = {"vote_interval": found.vote.interval, "committee_interval": found.committee.interval}
    return {**asdict(found), **ends, "colluding": [found.with_colluding(number) for number in range(4)]}


def _charts(rows: Sequence[Row], took: Sequence[SceneCost]) -> None:
    (OUT / "roc.svg").write_text(pictures.roc(rows))
    (OUT / "share.svg").write_text(pictures.over_share(rows))
    if took:
        share = fmean(item.tile for item in took) / fmean(item.frame for item in took)
        (OUT / "cost.svg").write_text(pictures.over_tiles(rows, share))


def _draw(worker: Blender, verifier: Blender, say: Callable[[str], None]) -> None:
    """A picture of every scene; and of some what tiles look like, honest and forged."""
    stills, examples = [], []
    for scene in scenes.NAMES:
        say(f"pictures: {scene}")
        shot = Shot(scene, 1, scenes.MIDDLE, 1, _DISPLAY)
        full = worker.render(shot)
        stills.append(pictures.shown(worker.denoised(full))[::2, ::2])
        if scene in ("interior", "glass", "hair", "text"):
            cheap = worker.denoised(worker.render(replace(shot, settings=replace(_DISPLAY, samples=_TRIAL))))
            own = verifier.render(shot)
            x, y = _busiest(full)
            examples.append(pictures.example((full, cheap, own), x, y, 64, 3))
    (OUT / "scenes.png").parent.mkdir(parents=True, exist_ok=True)
    pictures.write_png(OUT / "tiles.png", pictures.grid(examples))
    pictures.write_png(OUT / "scenes.png", pictures.grid([stills[at : at + 3] for at in range(0, len(stills), 3)]))


def _busiest(frame: np.ndarray[Any, Any], side: int = 64) -> tuple[int, int]:
    """Where a square of the frame has most contrast."""
    found = (0.0, 0, 0)
    for y in range(0, frame.shape[0] - side + 1, 16):
        for x in range(0, frame.shape[1] - side + 1, 16):
            light = np.minimum(frame[y : y + side, x : x + side, :3], 1.0)
            found = max(found, (float(light.std()), x, y))
    return found[1], found[2]
