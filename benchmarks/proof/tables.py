# SPDX-License-Identifier: Apache-2.0
"""The tables of ``make bench-proof``; on the terminal, and as Markdown for the documents."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from benchmarks.proof import cases, counts
from benchmarks.proof.cases import EIGHT_BITS, GPU, HONEST, UNCLAIMED
from benchmarks.proof.costs import SceneCost
from benchmarks.proof.counts import Found, Share
from benchmarks.proof.forgeries import SHARES, WHERE
from benchmarks.proof.journal import Row
from benchmarks.proof.run import RULES
from benchmarks.proof.votes import NEEDED, SEATS
from benchmarks.table import SECTION, Sheet, seconds
from benchmarks.table import Row as Cells
from inferix.proofs.deterrence import expected_value_of_cheating
from inferix.proofs.rendering import MILLION, load_calibration
from inferix.units import NanoUsd

SAVED_PPM = 875_000
"""Of a pixel's cost, what a cheat with one sample of eight saves."""

INTERVAL = (
    f"95 %: Clopper and Pearson over frames; a vote is the first seat's; the committee has {SEATS} seats, all of them "
    "on this kernel, and rejects where one does: a second draw on it finds the same in the same tiles"
)
ROSTERS = (0.0, 0.2, 0.5, 0.8, 1.0)
"""Shares of a roster that have the worker's kernel."""
MIXED = ("3 bounces of 12", "fast GI", EIGHT_BITS, "7/8 samples")
"""Classes of which two kernels see differently much, and the weakest that is claimed."""


def percent(rate: float) -> str:
    """A share of one in per cent, as precise as it is near to an end."""
    return f"{100 * rate:.2f}" if 0 < rate < 0.01 or 0.99 < rate < 1 else f"{100 * rate:.1f}"


def interval(share: Share) -> str:
    """``[98.2, 100.0]``, in per cent."""
    low, high = share.interval
    return f"[{percent(low)}, {percent(high)}]"


def sheets(
    rows: Sequence[Row], costs: Sequence[SceneCost], no_gpu: str, whole: Mapping[str, Any] | None = None
) -> list[Sheet]:
    """All of them. ``whole``: what `costs.end_to_end` found, where it was run."""
    found = [*(_rates(rows, rule, no_gpu) for rule in RULES), *(_partly(rows, rule) for rule in RULES)]
    found = [
        _scenes(rows),
        *found[: len(RULES)],
        *rosters(rows),
        *found[len(RULES) :],
        *(_cut(rows, name) for name in UNCLAIMED if any(name in row["cost"] for row in rows)),
        _stakes(rows),
        _tiles(rows),
        *whole_rule(rows),
        _points(rows),
    ]
    return [*found, _cost(rows, costs, whole or {}), by_class(rows, costs)] if costs else found


def _scenes(rows: Sequence[Row]) -> Sheet:
    """Honest frames scene by scene: where the proof can be used at all."""
    body: list[Cells] = []
    for scene in counts.scenes_of(rows):
        mine = counts.of_scene(rows, scene)
        exact, near = counts.exact_tiles(mine, HONEST), counts.tiles(mine, HONEST)
        committees = [counts.found(mine, HONEST, rule).committee for rule in RULES]
        cells = [f"{share.count} of {share.trials:,}" for share in (exact, near, *committees)]
        body.append((scene, str(len(mine)), *cells))
    return Sheet(
        "Honest frames, scene by scene",
        ("scene", "frames", *(f"{what}: {rule}" for what in ("tiles that fail", "rejected") for rule in RULES)),
        body,
        [
            "tiles on the same kernel were rendered again; on the other kernel cut from its frame",
            "rejected: by committees",
        ],
    )


def _rates(rows: Sequence[Row], rule: str, no_gpu: str) -> Sheet:
    partials = cases.partials()
    body: list[Cells] = []
    for name in counts.classes(rows):
        item = counts.found(rows, name, rule)
        if item.vote.trials and name not in partials and name != GPU:
            body.append(_rate_cells(item))
            body += [SECTION] if name in (HONEST, EIGHT_BITS) else []
    gpu = counts.found(rows, GPU, rule)
    if rule == RULES[1]:
        blank = (GPU, "0", "not measured", "", "", "", "", "")
        body.append(_rate_cells(gpu) if gpu.vote.trials else blank)
    notes = [INTERVAL, *([no_gpu] if no_gpu and rule == RULES[1] else [])]
    title = f"Rejected, per cent; the verifier on the {rule} of the worker"
    columns = ("delivered", "frames", "by a vote", "95 %", "by the committee", "95 %", "tiles a vote", "unsure")
    return Sheet(title, columns, body, notes)


def _rate_cells(item: Found) -> Cells:
    return (
        item.name,
        str(item.vote.trials),
        percent(item.vote.rate),
        interval(item.vote),
        percent(item.committee.rate),
        interval(item.committee),
        f"{item.tiles:.1f}",
        percent(item.unsure),
    )


def rosters(rows: Sequence[Row]) -> list[Sheet]:
    """What is rejected where some verifiers have the worker's kernel and some another; nothing without such classes."""
    body: list[Cells] = []
    for name in MIXED:
        frames = counts.found(rows, name, RULES[0]).vote.trials
        if frames:
            rates = (percent(round(counts.by_roster(rows, name, share), 9)) for share in ROSTERS)
            body.append((name, str(frames), *rates))
    if not body:
        return []
    return [
        Sheet(
            "Rejected, per cent, by the share of the roster that has the worker's kernel",
            ("delivered", "frames", *(f"{100 * share:.0f} %" for share in ROSTERS)),
            body,
            [
                f"computed from the votes of all seats, frame by frame: {NEEDED} of the first draw reject, or one does "
                f"and {NEEDED} of the second draw confirm it; the sequential test alone",
                "taken for granted: two kernels, shares by weight, and a roster so large that each seat is drawn for "
                "itself",
                "a seat of the second draw on the worker's kernel confirms whatever was named; one on the other kernel "
                "what its own kernel named, or who would have rejected by its rule on the same tiles; else it has its "
                "own tiles, and finds what the frame's votes on that kernel did",
                "0 % and 100 %: the committees of the two tables before",
            ],
        )
    ]


def whole_rule(rows: Sequence[Row]) -> list[Sheet]:
    """Honest frames by the whole rule: what slight tiles, and tiles that another names, could reject of them."""
    test = load_calibration().rule("cpu", "cpu").slight
    if test is None:
        return []
    most = max(counts.slight_tiles(row) for row in rows)
    body: list[Cells] = []
    scenes = [(scene, counts.of_scene(rows, scene)) for scene in counts.scenes_of(rows)]
    for name, mine in [*scenes, ("all", list(rows))]:
        have = [counts.slight_tiles(row) for row in mine]
        could = Share(sum(map(counts.could_be_rejected, mine)), len(mine))
        body += [SECTION] if name == "all" else []
        by_number = (str(have.count(number)) for number in range(most + 1))
        body.append((name, str(len(mine)), *by_number, percent(could.rate), interval(could)))
    return [
        Sheet(
            f"Honest frames by the slight tiles among their committee's first {SEATS * test.tiles}; {RULES[1]}",
            ("scene", "frames", *(str(number) for number in range(most + 1)), "could be rejected, %", "95 %"),
            body,
            [
                f"slight: more than {test.share_ppm / 10_000:g} % of its pixels are off; {test.needed} of one "
                f"verifier's first {test.tiles} reject, and so many of those tiles that another names",
                f"could be rejected: {test.needed} slight tiles, or two that fail, in all of the {SEATS * test.tiles}; "
                "or rejected by the sequential test",
            ],
        )
    ]


def by_class(rows: Sequence[Row], costs: Sequence[SceneCost]) -> Sheet:
    """What one verifier spends on one frame of each class."""
    frame, tile = fmean(item.frame for item in costs), fmean(item.tile for item in costs)
    body: list[Cells] = []
    for name in counts.classes(rows):
        cells: list[str] = []
        for rule, times in zip(RULES, (1, 2), strict=True):
            found = counts.found(rows, name, rule)
            spent = found.tiles * times * tile
            shown = [f"{found.tiles:.1f}", seconds(spent), f"{100 * spent / frame:.3f}"]
            cells += shown if found.vote.trials else ["-"] * len(shown)
        body.append((name, *cells))
        body += [SECTION] if name in (HONEST, EIGHT_BITS) else []
    short = (rule.split()[0] for rule in RULES)
    names = (text for rule in short for text in (f"{rule}: tiles a vote", "seconds", "of the render, %"))
    return Sheet(
        "Cost of one vote by what was delivered, at 1920x1080, 64 samples; processor seconds",
        ("delivered", *names),
        body,
        [
            f"the mean of its tiles at the mean of the scenes, {tile:.2f} s a tile beside {frame:,.1f} s a frame",
            "other kernel: each is rendered twice; a second draw, where one rejects, is not in it",
        ],
    )


def _partly(rows: Sequence[Row], rule: str) -> Sheet:
    body: list[Cells] = []
    for where in WHERE:
        for share in SHARES:
            item = counts.found(rows, cases.partial(where, share), rule)
            colluding = (percent(item.with_colluding(number)) for number in (1, 2, 3))
            cells = _rate_cells(item)
            body.append((*cells[:4], percent(item.majority.rate), *cells[4:6], *colluding))
        body.append(SECTION)
    return Sheet(
        f"Rejected, per cent, when part of a frame is of {cases.CHEAP}; {rule}",
        (
            *("cheated", "frames", "by a vote", "95 %", f"by {NEEDED} votes", "by the committee", "95 %"),
            *(f"{k} of {SEATS}" for k in (1, 2, 3)),
        ),
        body[:-1],
        [
            INTERVAL,
            f"k of {SEATS}: of each draw accept whatever comes; computed from the mean of all seats' votes",
        ],
    )


def slight(rows: Sequence[Row]) -> list[Sheet]:
    """What the whole rule rejects between two kernels; nothing where it was not counted."""
    body: list[Cells] = []
    for name in counts.classes(rows) if rows else ():
        most = max(row["slight"][name] for row in rows)
        body.append((*_rate_cells(counts.found(rows, name, RULES[1])), str(most)))
        body += [SECTION] if name == HONEST else []
    columns = ("delivered", "frames", "by a vote", "95 %", "by the committee", "95 %", "tiles a vote", "unsure")
    test = load_calibration().rule("cpu", "cpu").slight
    if not body or test is None:
        return []
    says = (
        f"of a vote's first {test.tiles} tiles {test.needed} with more than {test.share_ppm / 10_000:g} % of their "
        "pixels off reject"
    )
    title = f"Rejected, per cent, with tiles that are slightly off; {RULES[1]}"
    return [Sheet(title, (*columns, "slight"), body, [INTERVAL, says, "slight: such tiles, the most of a frame's 50"])]


def chosen(judged: Sequence[tuple[int, Sequence[Row]]]) -> Sheet:
    """The frames that thresholds come from, between two kernels. ``judged``: samples, and the rows at so many."""
    body: list[Cells] = []
    for name in counts.counted([row for _, rows in judged for row in rows]):
        shares = [counts.tiles(rows, name) for _, rows in judged]
        shares += [counts.found(rows, name, RULES[1]).committee for _, rows in judged]
        body.append((name, *(f"{share.count:,} of {share.trials:,}" if share.trials else "-" for share in shares)))
        body += [SECTION] if name in (HONEST, EIGHT_BITS) else []
    columns = (f"{what}, {samples} samples" for what in ("tiles", "frames rejected") for samples, _ in judged)
    frames = " and ".join(f"{len(rows)} of {samples} samples" for samples, rows in judged)
    return Sheet(
        f"Tiles that fail, of forgeries those with noise, and committees that reject; {RULES[1]}",
        ("delivered", *columns),
        body,
        [f"frames that the thresholds come from (`make calibration`): {frames}"],
    )


def _stakes(rows: Sequence[Row]) -> Sheet:
    """What a cheat in part of a frame has to lose, by the package's arithmetic."""
    body: list[Cells] = []
    for where in WHERE:
        for share in SHARES:
            name = cases.partial(where, share)
            saved = round(share * SAVED_PPM)
            cells: list[str] = []
            for rule in RULES:
                committee = counts.found(rows, name, rule).committee
                for rate in (committee.rate, committee.interval[0]):
                    stake = stake_needed(round(rate * MILLION), saved)
                    cells += [percent(rate), "none does" if stake is None else f"{stake / MILLION:.2f}"]
            body.append((name, percent(saved / MILLION), *cells))
        body.append(SECTION)
    short = (rule.split()[0] for rule in RULES)
    names = [text for rule in short for text in (f"{rule}: rejected, %", "stake", "at least, %", "stake")]
    return Sheet(
        "The least stake that makes a cheat in part of a frame bring no more than honesty",
        ("cheated", "saved, %", *names),
        body[:-1],
        [
            "stake: what a rejection takes, in rewards of that frame; the reward itself is lost, too",
            "the cheat that gains most: an honest frame costs all of its reward, a cheated pixel one eighth of that",
            "rejected: by the committee, as counted; at least: the lower end of its interval",
        ],
    )


def _cut(rows: Sequence[Row], name: str) -> Sheet:
    """Settings cut: whoever does less than was ordered where that saves nothing, and hardly shows, is no loss."""
    body: list[Cells] = []
    every = [(scene, counts.of_scene(rows, scene)) for scene in counts.scenes_of(rows)]
    for scene, all_mine in [*every, ("all", list(rows))]:
        mine = [row for row in all_mine if name in row["cost"]]
        if mine:
            body += [SECTION] if scene == "all" else []
            committees = (counts.found(mine, name, rule).committee for rule in RULES)
            rejected = [f"{percent(share.rate)} {interval(share)}" for share in committees]
            cost = f"{100 * fmean(row['cost'][name] for row in mine):.0f}"
            body.append((scene, str(len(mine)), cost, percent(counts.exact_tiles(mine, name).rate), *rejected))
    return Sheet(
        f"{name}: what it costs, and who sees it, per cent",
        ("scene", "frames", "of an honest render", "tiles with other bits", *(f"rejected: {rule}" for rule in RULES)),
        body,
        ["of an honest render: processor seconds, mean of the frames, each beside itself as it was ordered"],
    )


def stake_needed(d: int, saved: int) -> int | None:
    """The least stake, in millionths of a frame's reward, at which cheating brings at most what honesty does; None
    where the cheat was never seen to be rejected. ``d``, ``saved``: parts per million."""
    if d == 0:
        return None
    reward = NanoUsd(MILLION)

    def pays(stake: int) -> bool:
        return expected_value_of_cheating(MILLION, d, NanoUsd(stake), reward, NanoUsd(MILLION - saved)) > 0

    low, high = 0, MILLION * MILLION
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if pays(middle) else (low, middle)
    return low


def _tiles(rows: Sequence[Row]) -> Sheet:
    body: list[Cells] = []
    for name in counts.counted(rows):
        near, exact = counts.tiles(rows, name), counts.exact_tiles(rows, name)
        mine = "-" if name == EIGHT_BITS else f"{percent(exact.rate)} of {exact.trials:,}"
        body.append((name, mine, f"{percent(near.rate)} of {near.trials:,}", interval(near)))
        body += [SECTION] if name in (HONEST, EIGHT_BITS) else []
    return Sheet(
        "Tiles that fail, per cent; of forgeries those with noise",
        ("delivered", RULES[0], RULES[1], "95 %"),
        body,
        ["same kernel: of the same bits or not; honest ones again by themselves, by other threads, after a restart"],
    )


def _points(rows: Sequence[Row]) -> Sheet:
    tried, chosen, spared = list(counts.points(rows)), counts.best(rows), counts.disagreeing(rows)
    body: list[Cells] = []
    for point in tried:
        in_force = (point.scale, point.threshold) == (int(counts.BASE), load_calibration().tolerance.max_share_ppm)
        if point.scale == int(counts.BASE) or point.threshold == chosen.threshold:
            mark = " ".join(word for word, holds in (("in force", in_force), ("best", point == chosen)) if holds)
            cells = (f"{point.scale / 1000:g}", f"{point.threshold / 10_000:g} %", f"{point.honest_ppm / 10_000:.3f}")
            body.append((*cells, f"{point.forged_ppm / 10_000:.2f}", str(point.clean or "never"), mark))
    return Sheet(
        "Where the threshold lies: other kernel",
        (
            "tolerance, times that in force",
            "pixels",
            "honest fails, at most %",
            "forged, at least %",
            "tiles to accept",
            "",
        ),
        body,
        [
            "ends of 95 % intervals over tiles; forged: the weakest class that is claimed",
            *([f"by the rule in force honest frames are rejected in: {', '.join(spared)}"] if spared else []),
        ],
        words=(5,),
    )


def _cost(rows: Sequence[Row], costs: Sequence[SceneCost], whole: Mapping[str, Any]) -> Sheet:
    used = {rule: counts.found(rows, HONEST, rule).tiles for rule in RULES}

    def cells(name: str, frame: float, tile: float) -> Cells:
        shares = [used[rule] * times * tile / frame for rule, times in zip(RULES, (1, 2), strict=True)]
        spent = [f"{100 * share:.3f}" for share in shares] + [f"{100 * SEATS * share:.2f}" for share in shares]
        return (name, seconds(frame), seconds(tile), *spent)

    body = [cells(item.scene, item.frame, item.tile) for item in costs]
    body += [SECTION, cells("mean", fmean(item.frame for item in costs), fmean(item.tile for item in costs))]
    each = ", ".join(f"{number:.1f} ({rule})" for rule, number in used.items())
    names = ("same, %", "other, %", "committee, same, %", "committee, other, %")
    return Sheet(
        "Cost of rendering tiles at 1920x1080, 64 samples; processor seconds",
        ("scene", "frame", "tile", *names),
        body,
        [
            f"tiles of an honest frame, mean of a vote: {each}",
            "other kernel: each is rendered twice; frame: by parts, from small renders of the same view",
            *_end_to_end(whole),
        ],
    )


def _end_to_end(whole: Mapping[str, Any]) -> Iterator[str]:
    if whole:
        render, tiles, read = (fmean(whole[part]["core_seconds"]) for part in ("render", "tiles", "read"))
        yield (
            f"end to end, {whole['scene']}: rendered in {seconds(render)}, a check {seconds(tiles)} for tiles and "
            f"{seconds(read)} for the rest, {100 * whole['share']:.2f} % of the render; tiles {whole['rendered']}"
        )


def markdown(sheet: Sheet) -> str:
    """The same table for a document."""
    lines = [f"**{sheet.title}**", "", _row(sheet.columns), _row(["---"] * len(sheet.columns))]
    lines += [_row(cells) for cells in sheet.rows if cells]
    return "\n".join([*lines, "", *(f"{note[0].upper()}{note[1:]}." for note in sheet.notes)]) + "\n"


def _row(cells: Cells) -> str:
    return f"| {' | '.join(cells)} |"


def facts(rows: Sequence[Row]) -> Iterator[str]:
    """What the run was, a line each."""
    by_scene = {name: sum(row["scene"] == name for row in rows) for name in dict.fromkeys(row["scene"] for row in rows)}
    yield f"{len(rows)} frames: " + ", ".join(f"{name} {number}" for name, number in by_scene.items())
    differ = sum(row["kernels_differ"] for row in rows)
    yield f"the two kernels' honest frames differ somewhere in {differ} of them"
    checked = [row["facts"] for row in rows if "facts" in row]
    worst = max((fact["largest error of two halves' mean"] for fact in checked), default=0.0)
    yield (
        f"in {len(checked)} frames tiles by themselves, more or fewer threads and a new process repeated every bit; "
        f"two halves of the samples add up to {worst:.0e}"
    )
