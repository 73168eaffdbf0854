# SPDX-License-Identifier: Apache-2.0
"""From rows to rates, intervals, thresholds and tables; on canned rows."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.proof import cases, counts, marks, outcome, tables
from benchmarks.proof.cases import EIGHT_BITS, HONEST, Case
from benchmarks.proof.costs import SceneCost
from benchmarks.proof.counts import Share
from benchmarks.proof.journal import Journal
from benchmarks.proof.run import RULES, SCALES, THRESHOLDS, scaled
from benchmarks.table import show
from inferix.proofs.rendering import Counted, Slight, Tolerance, load_calibration, read_calibration, write_calibration

ACCEPT, REJECT, UNSURE = [0, 1, 3, 0], [1, 1, 3, 3], [0, 0, 30, 1]
NAMES = ("1/2 samples", "another seed", "3 bounces of 12")


@pytest.fixture(autouse=True)
def in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tolerance in force that leaves room on both sides."""
    known = replace(load_calibration(), tolerance=Tolerance())
    monkeypatch.setattr(counts, "load_calibration", lambda: known)


def row(number: int, **changes: Any) -> dict[str, Any]:
    def counted(failed: int, count: int = 40) -> dict[str, Any]:
        over = {str(scale): [failed if threshold <= 40_000 else 0 for threshold in THRESHOLDS] for scale in SCALES}
        return {"tiles": count, "over": over, "exact": count if failed else 0}

    part = cases.partial("scattered", 0.05)
    both = {HONEST: [ACCEPT] * 5, EIGHT_BITS: [REJECT] * 5, part: [REJECT, REJECT, ACCEPT, UNSURE, ACCEPT]}
    both |= {name: [REJECT] * 5 for name in NAMES}
    return {
        "case": number,
        "scene": "hair",
        "variant": number,
        "kernels_differ": True,
        "core_seconds": 2.0,
        "cost": {},
        "votes": {name: dict.fromkeys(RULES, votes) for name, votes in both.items()},
        "tiles": {HONEST: counted(0), EIGHT_BITS: counted(3), **{name: counted(40) for name in NAMES}},
        "exact": {"tiles": 2, "failed": 0},
        "facts": {"tiles by themselves": 0, "largest error of two halves' mean": 3e-7},
        **changes,
    }


ROWS = [row(number) for number in range(10)]


@pytest.mark.parametrize(
    ("count", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.30850),  # closed form: 1 - 0.025 ** (1 / 10)
        (10, 10, 0.69150, 1.0),
        (1, 10, 0.00253, 0.44502),  # tables of Clopper and Pearson
        (5, 10, 0.18709, 0.81291),
        (0, 3000, 0.0, 0.00122888),
        (90, 100, 0.82378, 0.95099),
    ],
)
def test_intervals_are_those_of_clopper_and_pearson(count: int, trials: int, low: float, high: float) -> None:
    assert Share(count, trials).interval == pytest.approx((low, high), abs=2e-5)


def test_more_successes_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot fail"):
        _ = Share(3, 2).interval
    assert Share(0, 0).rate == 0


def test_a_class_is_counted_by_votes_of_the_first_seat_and_by_committees() -> None:
    mixed = [*ROWS, row(10, votes={HONEST: {RULES[0]: [REJECT, REJECT, REJECT, ACCEPT, ACCEPT]}})]
    found = counts.found(mixed, HONEST, RULES[0])
    assert (found.vote, found.majority, found.committee) == (Share(1, 11), Share(1, 11), Share(1, 11))
    assert (found.votes, found.tiles) == (Share(3, 55), 3.0)
    assert counts.found(mixed, HONEST, RULES[1]).vote == Share(0, 10)  # this frame was not judged by that rule


def test_colluding_verifiers_take_votes_away() -> None:
    found = counts.found(ROWS, cases.partial("scattered", 0.05), RULES[0])
    assert (found.vote, found.majority, found.votes) == (Share(10, 10), Share(0, 10), Share(20, 50))
    assert found.committee == Share(10, 10), "two see it, and a second draw looks where they did"
    assert found.unsure == 0.2
    p = 0.4
    assert found.with_colluding(0) == pytest.approx(1 - (1 - p) ** 5)
    assert found.with_colluding(2) == pytest.approx(1 - (1 - p) ** 3)
    assert found.with_colluding(3) == 0, "who has most of both draws outvotes whoever sees it"


def test_the_calibration_is_what_was_counted_and_can_be_read(tmp_path: Path) -> None:
    made = counts.calibrate(ROWS, "a test")
    write_calibration(tmp_path / "calibration.json", made)
    exact, near = read_calibration(tmp_path / "calibration.json").pairs
    assert (exact.kind, exact.honest.tiles, exact.honest.failed) == ("exact", 20, 0)
    assert (near.kind, near.honest.tiles, near.honest.failed) == ("tolerance", 400, 0)
    assert {item.name: (item.tiles, item.failed) for item in near.forged} == {
        "1/2 samples": (400, 400),
        "another seed": (400, 400),
    }
    assert [item.name for item in near.others] == ["3 bounces of 12"]


def test_slight_tiles_are_counted_on_honest_frames_and_as_many_needed_as_the_worst_has_with_less_than_alpha() -> None:
    def with_slight(number: int, count: int) -> dict[str, Any]:
        found = row(number)
        at = THRESHOLDS.index(Tolerance().max_share_ppm) - 1
        found["tiles"][HONEST]["over"][counts.BASE][at] = count
        return found

    few = counts.calibrate([*ROWS, with_slight(10, 1)], "by hand", chosen=False).rule("cpu", "cpu").slight
    assert few is not None
    assert (few.share_ppm, few.needed, few.tiles, few.frames, few.worst.failed) == (10_000, 6, 10, 11, 1)
    more = counts.calibrate([*ROWS, with_slight(10, 6)], "by hand", chosen=False).rule("cpu", "cpu").slight
    assert more is not None
    assert (more.needed, more.worst) == (9, Counted(HONEST, 40, 6))
    none = counts.calibrate([*ROWS, with_slight(10, 20)], "by hand", chosen=False)
    assert none.rule("cpu", "cpu").slight is None


def test_the_whole_rule_has_a_table_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    test = Slight(160_000, needed=4, tiles=10, frames=72, worst=Counted(HONEST, 50, 1))
    by = replace(load_calibration().rule("cpu", "cpu"), slight=test)
    monkeypatch.setattr(tables, "load_calibration", lambda: SimpleNamespace(rule=lambda *_: by))
    thin = "a quarter of every tile left out"
    votes = {HONEST: {RULES[1]: [ACCEPT] * 5}, thin: {RULES[1]: [REJECT] * 5}}
    rows = [{"case": number, "votes": votes, "slight": {HONEST: number, thin: 50}} for number in range(3)]
    (sheet,) = tables.slight(rows)
    assert [cells[0] for cells in sheet.rows if cells] == [HONEST, thin]
    assert [(cells[1], cells[4], cells[8]) for cells in sheet.rows if cells] == [
        ("3", "0.0", "2"),
        ("3", "100.0", "50"),
    ]
    assert tables.slight([]) == []


@pytest.mark.parametrize(
    ("seats", "share", "rejected"),
    [
        ([(REJECT, ACCEPT)] + [(ACCEPT, ACCEPT)] * 4, 0.0, 0.0),
        ([(REJECT, ACCEPT)] + [(ACCEPT, ACCEPT)] * 4, 0.5, 0.25),  # it is drawn, and three of the second draw
        ([(REJECT, ACCEPT)] + [(ACCEPT, ACCEPT)] * 4, 1.0, 1.0),
        ([(REJECT, ACCEPT)] * 5, 0.2, 0.05792 + 0.6144 * 0.05792),  # three do, or one or two and three that confirm
        ([(REJECT, REJECT)] + [(ACCEPT, ACCEPT)] * 4, 0.5, 1.0),  # either kernel sees it, and what the other names
        ([(REJECT, [1, 1, 9, 4])] + [(ACCEPT, ACCEPT)] * 4, 0.5, 0.5 + 0.5 * 0.68256),  # by tiles that were not named
        ([(ACCEPT, ACCEPT)] * 5, 0.5, 0.0),
    ],
)
def test_regression_what_only_bits_show_needs_a_second_draw_on_the_workers_kernel(
    seats: list[tuple[list[int], list[int]]], share: float, rejected: float
) -> None:
    votes = {RULES[0]: [exact for exact, _ in seats], RULES[1]: [other for _, other in seats]}
    assert counts.by_roster([row(0, votes={"cut": votes})], "cut", share) == pytest.approx(rejected)


def test_a_vote_costs_its_tiles_and_between_kernels_each_of_them_twice() -> None:
    sheet = tables.by_class(ROWS, [SceneCost("hair", 300.0, 0.2), SceneCost("glass", 100.0, 0.4)])
    cells = {line[0]: line[1:] for line in sheet.rows if line}
    assert cells[HONEST] == ("3.0", "0.90", "0.450", "3.0", "1.80", "0.900")
    assert cells[cases.partial("scattered", 0.05)][:3] == ("8.4", "2.52", "1.260")
    alone = [row(0, votes={HONEST: {RULES[1]: [ACCEPT] * 5}})]
    assert tables.by_class(alone, [SceneCost("hair", 300.0, 0.2)]).rows[0][1:4] == ("-", "-", "-")


def test_a_class_that_was_not_counted_on_both_kernels_has_no_row_by_roster() -> None:
    assert counts.by_roster(ROWS, "fast GI", 0.5) == 0
    (sheet,) = tables.rosters(ROWS)
    assert [cells[0] for cells in sheet.rows] == ["3 bounces of 12", EIGHT_BITS]
    assert tables.rosters([row(0, votes={HONEST: dict.fromkeys(RULES, [ACCEPT] * 5)})]) == []


def test_of_all_honest_frames_it_is_shown_whether_the_whole_rule_could_reject_them() -> None:
    slight = load_calibration().rule("cpu", "cpu").slight
    assert slight is not None

    def with_over(number: int, share_ppm: int, count: int) -> dict[str, Any]:
        found = row(number)
        found["tiles"][HONEST]["over"][counts.BASE][THRESHOLDS.index(share_ppm)] = count
        return found

    few = [*ROWS, with_over(10, slight.share_ppm, slight.needed - 1)]
    failing = with_over(11, Tolerance().max_share_ppm, 1)
    assert not any(map(counts.could_be_rejected, [*few, failing]))
    (sheet,) = tables.whole_rule(few)
    assert sheet.rows[-1] == ("all", "11", "10", *["0"] * (slight.needed - 2), "1", "0.0", "[0.0, 28.5]")
    assert counts.could_be_rejected(with_over(12, slight.share_ppm, slight.needed))
    assert counts.could_be_rejected(with_over(13, Tolerance().max_share_ppm, 2)), "two that another names would do"
    rejected = row(14, votes={HONEST: {RULES[0]: [ACCEPT] * 5, RULES[1]: [*[ACCEPT] * 4, REJECT]}})
    assert counts.could_be_rejected(rejected)


def test_a_scene_on_which_kernels_disagree_is_named_and_counts_like_any_other() -> None:
    torn = row(10, scene="fur", votes={**row(0)["votes"], HONEST: {RULES[0]: [ACCEPT] * 5, RULES[1]: [REJECT] * 5}})
    mixed = [*ROWS, torn]
    assert (counts.disagreeing(mixed), counts.disagreeing(ROWS)) == (["fur"], [])
    exact, near = counts.calibrate(mixed, "a test").pairs
    assert (exact.honest.tiles, near.honest.tiles) == (22, 440)
    shown = tables.sheets(mixed, [], "")
    assert ("fur", "1", "0 of 2", "0 of 40", "0 of 1", "1 of 1") in shown[0].rows
    assert "by the rule in force honest frames are rejected in: fur" in shown[-1].notes
    assert counts.found(mixed, HONEST, RULES[1]).committee == Share(1, 11)


def test_fewer_lost_honest_tiles_move_the_threshold() -> None:
    over = {str(scale): [9 if threshold <= 20_000 else 0 for threshold in THRESHOLDS] for scale in SCALES}
    honest = {"tiles": 40, "over": over, "exact": 0}
    rough = [row(number, tiles={**row(0)["tiles"], HONEST: honest}) for number in range(10)]
    assert counts.best(rough).threshold == 40_000
    assert counts.calibrate(rough, "a test").tolerance.max_share_ppm == 40_000


def test_without_a_second_kernel_there_is_no_calibration() -> None:
    with pytest.raises(ValueError, match="cannot be measured here"):
        counts.calibrate([row(0, kernels_differ=False)], "a test")


def test_the_best_point_is_that_in_force_unless_another_needs_fewer_tiles() -> None:
    assert (counts.best(ROWS).scale, counts.best(ROWS).threshold) == (1000, 20_000)
    late = {"over": {str(scale): [40] * 3 + [0] * (len(THRESHOLDS) - 3) for scale in SCALES}, "tiles": 40, "exact": 40}
    weak = [row(number, tiles={**row(0)["tiles"], "another seed": late}) for number in range(10)]
    assert counts.best(weak).threshold == 5_000


def test_scaling_a_tolerance_leaves_the_share_alone() -> None:
    assert scaled(Tolerance(100, 200, 320_000, 300_000), 250) == Tolerance(100, 200, 320_000, 75_000)


def test_a_stake_is_needed_where_the_reward_is_not_enough() -> None:
    assert tables.stake_needed(0, 100_000) is None
    assert tables.stake_needed(500_000, 400_000) == 0  # half of them lose all: more than what is saved
    found = tables.stake_needed(100_000, 400_000)
    assert found == 3_000_000  # 0.9 of the reward less 0.6 of cost = 0.1 of the stake
    assert tables.stake_needed(100_000, 400_001) == 3_000_010


def test_settings_cut_stand_beside_what_they_save_scene_by_scene() -> None:
    rows = [row(1, cost={"3 bounces of 12": 0.8}), row(2, cost={"3 bounces of 12": 0.9}), row(3, scene="text")]
    (sheet,) = [sheet for sheet in tables.sheets(rows, [], "") if sheet.title.startswith("3 bounces of 12")]
    cells = ("2", "85", "100.0", "100.0 [15.8, 100.0]", "100.0 [15.8, 100.0]")
    assert [line for line in sheet.rows if line] == [("hair", *cells), ("all", *cells)]
    assert not any("of 12: what it costs" in sheet.title for sheet in tables.sheets(ROWS, [], ""))


def test_the_report_of_a_journal_is_tables_figures_and_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(outcome, "OUT", tmp_path)
    monkeypatch.setattr(outcome, "ROOT", tmp_path.parent)
    (tmp_path / "costs.json").write_text(json.dumps([{"scene": "hair", "frame": 300.0, "tile": 0.2}]))
    journal = Journal(tmp_path / outcome.FRAMES)
    for item in ROWS:
        journal.add(item)
    tests = {name: [1, 6.0] for name in (*marks.HONEST, "unmarked, raw")}
    tests["unmarked, raw"] = [0, 0.3]
    Journal(tmp_path / outcome.MARKS).add(
        {"case": 0, "scene": "hair", "marks": {"10": 12, "14": 11}, "tests": {"10": tests, "14": tests}}
    )
    took = {name: {"core_seconds": [seconds]} for name, seconds in (("render", 200.0), ("tiles", 0.3), ("read", 0.1))}
    (tmp_path / outcome.WHOLE).write_text(json.dumps({"scene": "hair", **took, "share": 0.002, "rendered": [3, 4]}))
    outcome.report(tmp_path, "no GPU: a test")
    said = capsys.readouterr().out
    assert "10 frames: hair 10" in said
    assert "0.20 % of the render; tiles [3, 4]" in said
    assert "planes: marks placed, of 12: 11 to 12" in said
    figures = json.loads((tmp_path / "report.json").read_text())
    assert figures["classes"]["another seed"][RULES[1]]["committee"] == {"count": 10, "trials": 10}
    assert {path.name for path in tmp_path.iterdir()} >= {"calibration.json", "roc.svg", "share.svg", "cost.svg"}
    assert "| another seed | 10 | 100.0 | [69.2, 100.0] |" in (tmp_path / "tables.md").read_text()


def test_what_is_published_is_rows_and_what_was_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome, "OUT", tmp_path)
    monkeypatch.setattr(outcome, "PUBLISHED", tmp_path / "rows")
    folder = tmp_path / "full"
    outcome.frames(folder).add(ROWS[0])
    (tmp_path / outcome.WHOLE).write_text("{}")
    assert (outcome.publish(folder), outcome._once(outcome.COSTS), outcome._once(outcome.WHOLE)) == (1, None, {})
    (tmp_path / outcome.WHOLE).unlink()
    assert (outcome.publish(folder), outcome._once(outcome.WHOLE)) == (0, {})


def test_planes_and_baked_marks_stand_side_by_side_and_rows_without_a_kind_are_of_planes() -> None:
    def marked(score: float, **kind: str) -> dict[str, Any]:
        return {"case": 0, **kind, "marks": {"10": 12}, "tests": {"10": {"honest, raw": [0, score]}}}

    rows = [marked(3.0), marked(6.0, kind="planes"), marked(9.0, kind="baked"), marked(9.0, kind="baked")]
    assert marks.accepted(rows, "planes", 10, "honest, raw")["matched"] == Share(1, 2)
    assert marks.accepted(rows, "baked", 10, "honest, raw")["matched"] == Share(2, 2)
    assert marks.accepted(rows, "baked", 14, "honest, raw")["matched"] == Share(0, 0)
    published, matched = marks.sheets(rows, tables.percent, tables.interval)
    assert published.columns[2:] == ("planes, t = 10", "planes, t = 14", "baked, t = 10", "baked, t = 14")
    assert matched.rows[0][:4] == ["honest, raw", "2, 2", "50.0 [1.3, 98.7]", "-"]
    assert matched.rows[0][4].startswith("100.0 [")
    old = marks.sheets(rows[:1], tables.percent, tables.interval)[1]
    assert list(old.rows[0][4:]) == ["-", "-"]
    assert not [note for note in old.notes if note.startswith("baked")]


def test_nothing_to_report_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome.report(tmp_path / "none")
    assert "nothing to report" in capsys.readouterr().out


def test_the_gpu_row_says_that_it_was_not_measured() -> None:
    sheet = tables.sheets(ROWS, [SceneCost("hair", 300.0, 0.2)], "no GPU: none here")[2]
    show(sheet)
    assert [cells[2] for cells in sheet.rows if cells and cells[0] == cases.GPU] == ["not measured"]
    assert "no GPU: none here" in sheet.notes


def test_a_case_is_its_number_and_nothing_else() -> None:
    one, other = Case(12, 64, 36, 8), Case(13, 64, 36, 8)
    assert one.shot == Case(12, 64, 36, 8).shot
    assert one.seed() != other.seed()
    assert one.seed() != one.seed(worker=8) != one.seed(attempt=1)
    assert len({draw.verifier for draw in one.draws(5)}) == 5
    assert (one.chance().random(3) == one.chance().random(3)).all()


def test_tables_take_the_place_of_those_of_the_page() -> None:
    page = f"before\n{outcome._BEGIN}\nold\n{outcome._END}\nafter\n"
    new = outcome.between(page, "new\n")
    assert new == f"before\n{outcome._BEGIN}\nnew\n{outcome._END}\nafter\n"
    assert outcome.between(new, "new\n") == new
    with pytest.raises(AssertionError, match="no place"):
        outcome.between("a page", "new")
    assert outcome._BEGIN in outcome.PAGE.read_text()
