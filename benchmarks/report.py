# SPDX-License-Identifier: Apache-2.0
"""The tables of ``make bench`` and the same figures for out/bench/report.json."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.baseline import Plain
from benchmarks.job import CHAIN, IDLE_SECONDS, Job
from benchmarks.stages import ALL, ASSEMBLED, BLENDER, RENDERED, Stage
from benchmarks.steps import ORDER, UPKEEP, calls, sums
from benchmarks.table import SECTION, Row, Sheet, percent, seconds, times, whole
from benchmarks.verifying import Checked, Took
from inferix.models.parameters import DEFAULTS

PROGRAMS = ("workers", "verifiers", "keepers", "api", CHAIN, "client")
REWARD = (6, 30)  # what verifiers get of an epoch's mint, and workers: docs/protocol.md, BurnMintWork


def stage_rows(stages: Sequence[Stage], plain: Plain) -> list[Row]:
    """Least, median, most of each stage; beside those that plain Blender has, what it takes there."""
    beside = {
        RENDERED: plain.frame_seconds,
        BLENDER: plain.frame_seconds,
        ASSEMBLED: plain.encode_seconds,
        ALL: plain.seconds,
    }
    rows: list[Row] = []
    for stage in stages:
        spread = stage.spread if len(stage.seconds) > 1 else (None, stage.spread[1], None)
        figures = ("" if figure is None else seconds(figure) for figure in spread)
        rows.append((stage.name, *figures, seconds(beside[stage.name]) if stage.name in beside else "-", stage.clock))
    return [*rows[:-1], SECTION, rows[-1]]


def overhead_rows(job: Job, plain: Plain) -> list[Row]:
    """The network beside plain Blender: elapsed, processor seconds, who used them, and would have without a job."""
    total = job.core_seconds()
    rows: list[Row] = [
        ("elapsed seconds", seconds(job.seconds), seconds(plain.seconds), times(job.seconds / plain.seconds), "-"),
        _core_row("processor seconds", total, seconds(plain.core_seconds), plain, job.idle_seconds()),
        SECTION,
    ]
    for role in PROGRAMS:
        rows.append(_core_row(f"  {role}", job.core_seconds(role), "-", plain, job.idle_seconds(role)))
        inside = job.core_seconds(role, sandboxed=True)
        if inside:
            rows.append(_core_row("    of which sandboxed Blender", inside, "-", plain, None))
    return rows


def _core_row(name: str, core: float, beside: str, plain: Plain, idle: float | None) -> Row:
    return (name, seconds(core), beside, times(core / plain.core_seconds), "-" if idle is None else seconds(idle))


def gas_rows(job: Job, steady: Mapping[str, float]) -> list[Row]:
    """Gas of the job's transactions by step, and what a task costs of it, beside the steady state."""
    found = sums(job.sent)
    rows: list[Row] = []
    for step in ORDER:
        part, beside = found[step], steady.get({"anchors": "anchor", "batches": "batch"}.get(step, step))
        each = whole(part.gas / job.tasks)
        rows.append((step, str(part.transactions), whole(part.gas), each, f"{beside:,.1f}" if beside else "-"))
    gas = sum(found[step].gas for step in ORDER)
    count = sum(found[step].transactions for step in ORDER)
    rows += [SECTION, ("all of the job", str(count), whole(gas), whole(gas / job.tasks), whole(sum(steady.values())))]
    rest = found[UPKEEP]
    return [*rows, (UPKEEP, str(rest.transactions), whole(rest.gas), "-", "-")]


def check_rows(checked: Sequence[Checked]) -> list[Row]:
    """A verifier's steps beside the render of the same frame; a pair of columns for each size."""

    def cells(name: str, cores: Sequence[float]) -> Row:
        shares = [percent(core / item.render.core) for core, item in zip(cores, checked, strict=True)]
        return (name, *(cell for pair in zip(map(seconds, cores), shares, strict=True) for cell in pair))

    def row(name: str, took: Sequence[Took]) -> Row:
        return cells(name, [item.core for item in took])

    def all_of(name: str, verifiers: int) -> Row:
        return cells(name, [verifiers * item.core for item in checked])

    seats = DEFAULTS["committee"]
    return [
        row("render the frame (a worker)", [item.render for item in checked]),
        SECTION,
        cells("read what was delivered, draw, compare", [item.read.mean for item in checked]),
        cells("tiles, as many as it takes", [item.tiles.mean for item in checked]),
        all_of("one verifier", 1),
        all_of(f"a committee of {seats}", seats),
        SECTION,
        row("apart, once a job: open the package", [item.open for item in checked]),
    ]


def sheets(
    job: Job, plain: Plain, differ: float, steady: Mapping[str, float], checked: Sequence[Checked]
) -> list[Sheet]:
    """Four tables."""
    ordered = job.settings
    what = f"{len(job.seeds)} frames, {ordered['width']}x{ordered['height']}, {ordered['samples']} samples"
    return [
        _stage_sheet(job, plain, what),
        _overhead_sheet(job, plain, differ, what),
        _gas_sheet(job, steady),
        _check_sheet(job, checked),
    ]


def _stage_sheet(job: Job, plain: Plain, what: str) -> Sheet:
    return Sheet(
        f"Seconds per stage of a job: {what}",
        ("stage", "least", "median", "most", "plain Blender", "clock"),
        stage_rows(job.stages, plain),
        [
            "one figure: once a job; three: over the frames, waiting for a free worker included",
            "block clock: whole seconds, slots of 2 s as on every network for development",
            "plain Blender's frame is denoised and saved, too; so all that is left to assemble there is to encode",
        ],
        words=(5,),
    )


def _overhead_sheet(job: Job, plain: Plain, differ: float, what: str) -> Sheet:
    return Sheet(
        f"The network beside plain Blender: {what}, 2 threads a process",
        ("", "network", "plain", "network / plain", "idle as long"),
        overhead_rows(job, plain),
        [
            "plain: one bpy process, same seeds, denoised in the render, encoded; from its start to its end",
            "network: from the client's start to its film, all on one machine; its parts are over all of plain",
            f"idle as long: what the programs use in that time without a job, from {IDLE_SECONDS} s before it",
            f"other programs of this machine used {seconds(job.others)} processor seconds during the network's run, "
            f"{seconds(plain.others)} during plain Blender's",
            f"pixels of the stills that differ from plain Blender's by over 4 of 255 levels: {percent(differ)}",
        ],
    )


def _gas_sheet(job: Job, steady: Mapping[str, float]) -> Sheet:
    return Sheet(
        f"Gas of that job, {job.tasks} tasks",
        ("step", "transactions", "gas", "gas a task", "steady state, a task"),
        gas_rows(job, steady),
        [
            f"steady state: `make bench-gas`, as sent, at {job.tasks} tasks a job",
            "a young network: storage is written for the first time, and this job is alone in its epoch",
            f"{UPKEEP}: what is sent with or without jobs, such as rosters",
        ],
    )


def _check_sheet(job: Job, checked: Sequence[Checked]) -> Sheet:
    columns = [f"{item.settings.width}x{item.settings.height}, {item.settings.samples} spp" for item in checked]
    return Sheet(
        "Processor seconds of verification beside rendering, one frame, warm sessions",
        ("step", *(cell for name in columns for cell in (name, "share"))),
        check_rows(checked),
        job_notes(job),
    )


def job_notes(job: Job) -> list[str]:
    """The same share as the network's job had it, and what verifiers are paid."""
    inside = job.core_seconds("verifiers", sandboxed=True), job.core_seconds("workers", sandboxed=True)
    votes = ", ".join(map(str, sorted(set(job.votes))))
    paid = percent(REWARD[0] / REWARD[1])
    return [
        f"in the job above ({votes} votes a task) verifiers' sandboxes used {seconds(inside[0])} processor seconds, "
        f"workers' {seconds(inside[1])}: {percent(inside[0] / inside[1])}, opening, film and quick looks included",
        f"verifiers together are minted {paid} of what workers are",
    ]


def facts(
    job: Job, plain: Plain, differ: float, steady: Mapping[str, float], checked: Sequence[Checked]
) -> dict[str, Any]:
    """The figures without roundings."""
    return {
        "settings": dict(job.settings),
        "block_lag_seconds": job.lags,
        "stages": [{**asdict(stage), "spread": stage.spread} for stage in job.stages],
        "overhead": {
            "network": {
                "seconds": job.seconds,
                "core_seconds": job.core_seconds(),
                "idle_core_seconds": job.idle_seconds(),
                "by_program": [{**asdict(part), "core_seconds": core} for part, core in job.parts.items()],
                "other_programs_core_seconds": job.others,
            },
            "plain": asdict(plain),
            "differing_pixels": differ,
        },
        "gas": {
            "tasks": job.tasks,
            "charged_nano_usd": job.charged,
            "steps": {step: asdict(item) for step, item in sums(job.sent).items()},
            "calls": {call: asdict(item) for call, item in calls(job.sent).items()},
            "steady_state_a_task": dict(steady),
        },
        "verification": [asdict(item) for item in checked],
        "votes": job.votes,
    }
