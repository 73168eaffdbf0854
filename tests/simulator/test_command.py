# SPDX-License-Identifier: Apache-2.0
"""The command: what it leaves on disk, the same each time, and what it says of settings that are wrong."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from inferix.errors import Corrupt
from simulator.__main__ import main
from simulator.machines import FILE as MACHINES
from simulator.machines import load_machines
from simulator.settings import FILE
from simulator.svg import Panel, figure, label

DOCS = Path(__file__).parents[2] / "docs"
SHORT = ["--only", "steady", "--only", "hostile", "--epochs", "8"]
JOBS = FILE.read_text().split("[scenarios.steady]")[0]


def run(*arguments: str) -> Result:
    return CliRunner(mix_stderr=False).invoke(main, list(arguments))


def complaint(tmp_path: Path, text: str) -> str:
    """What is said of a file with these scenarios."""
    path = tmp_path / "scenarios.toml"
    path.write_text(text)
    found = run("--scenarios", str(path), "--epochs", "1", "--out", str(tmp_path / "out"))
    assert found.exit_code == 1
    assert not (tmp_path / "out").exists()
    return found.stderr


def test_the_same_command_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        found = run(*SHORT, "--out", str(tmp_path / name))
        assert found.exit_code == 0, found.output
        assert "1/2 steady: 8 epochs" in found.stdout
    first, second = ({at.name: at.read_bytes() for at in (tmp_path / name).iterdir()} for name in ("first", "second"))
    assert first == second
    assert {"steady.csv", "hostile.csv", "income.csv", "washing.csv", "report.json", "paths.svg"} < set(first)
    run(*SHORT, "--seed", "2", "--out", str(tmp_path / "third"))
    assert (tmp_path / "third" / "steady.csv").read_bytes() != first["steady.csv"]


def test_files_agree_with_each_other_to_the_wei(tmp_path: Path) -> None:
    run(*SHORT, "--out", str(tmp_path))
    rows = list(csv.DictReader((tmp_path / "steady.csv").read_text().splitlines()))
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(rows) == 8 == report["epochs"]
    last = rows[-1]
    assert sum(Decimal(row["minted_ifx"]) for row in rows) == Decimal(last["total_minted_ifx"])
    assert report["scenarios"]["steady"] == last
    supply = sum(int(amount) for amount in report["balances_wei"]["steady"].values())
    assert Decimal(supply) / 10**18 == Decimal(last["supply_ifx"])
    said = " ".join(report["findings"])
    for word in ("washing pays with m > 1.2", "cheating pays", "cheating does not pay", "1 in 1,000,000", "lazy"):
        assert word in said


def test_pictures_are_well_formed_and_name_their_lines(tmp_path: Path) -> None:
    run(*SHORT, "--out", str(tmp_path))
    pictures = sorted(tmp_path.glob("*.svg"))
    assert len(pictures) == 5
    for path in pictures:
        words = [each.text for each in ElementTree.fromstring(path.read_text()).iter() if each.text]
        assert len(words) > 10, path
    assert "hostile" in (tmp_path / "paths.svg").read_text()
    cheats = (tmp_path / "cheating.svg").read_text()
    assert cheats.count('font-weight="bold"') == 3
    assert "Expected gain of a cheat" in cheats


def test_a_chart_whose_points_are_all_off_its_scale_has_axes() -> None:
    chart = figure([Panel("none", "x", {"one": [], "two": [(1.0, -1.0)]}, log_x=True, log_y=True)], 1)
    assert all(word in chart for word in ("none", "one", "two"))


def test_a_chart_keeps_what_is_not_positive_off_a_log_scale() -> None:
    chart = figure([Panel("a < b", "x", {"one": [(1.0, 0.0), (2.0, 10.0), (3.0, 100.0)]}, log_y=True)], 1)
    assert chart.count("polyline") == 1
    assert "a &lt; b" in chart
    points = chart.split('points="')[1].split('"')[0]
    assert len(points.split()) == 2


def test_labels_are_short() -> None:
    assert [label(value) for value in (0, 0.05, 20_000, 1.5e6, 1e-6, -100)] == [
        "0",
        "0.05",
        "20k",
        "1.5M",
        "10⁻⁶",
        "-100",
    ]


@pytest.mark.parametrize(
    ("scenarios", "reason"),
    [
        ("[scenarios.a]\nspeed = 1", "scenarios.a.speed: Extra inputs are not permitted"),
        ("[scenarios.a]\nwork_price = 0", "scenarios.a.work_price: Input should be greater than 0"),
        ("[scenarios.a]\nsold = 2_000_000", "scenarios.a.sold: Input should be less than or equal to 1000000"),
        ("[scenarios.a]\nsold = 0.8", "scenarios.a.sold: Input should be a valid integer"),
        ('[scenarios.a]\ndemand = { kind = "wild" }', "scenarios.a.demand.kind"),
        ('[scenarios.a]\nmachines = { "Abacus" = 1 }', "no such machine: Abacus"),
        ('[scenarios.a]\nmachines = { "H100" = 0 }', "nobody would do the work"),
        ("[scenarios.a]\nrules = { burn = 1 }", "no such governed number: burn"),
        ("[scenarios.a]\nrules = { burn_bps = 9_950 }", "leaves room for manager_fee_bps"),
        ("[scenarios.a]\npool_ifx = 1", "the pool holds less than 1,000 USD"),
        ("[scenarios.a]\nverifiers = 10_000", "the first stakes come to"),
        ("[scenarios.a]\nwhale = { usd = 1, buys_at = 9, sells_at = 9, over = 1 }", "sells before it has bought"),
        ('[scenarios."../a"]', "not a name for a scenario"),
        ("", "scenarios: Field required"),
        ("[scenarios.a", "is not TOML"),
    ],
)
def test_wrong_settings_are_refused_with_the_place_and_the_reason(tmp_path: Path, scenarios: str, reason: str) -> None:
    assert reason in complaint(tmp_path, JOBS + scenarios)


def test_unknown_names_and_files_are_refused(tmp_path: Path) -> None:
    found = run("--only", "boom", "--out", str(tmp_path / "out"))
    assert (found.exit_code, "no scenario boom; there are: steady, growth" in found.stderr) == (1, True)
    found = run("--scenarios", str(tmp_path / "none.toml"))
    assert (found.exit_code, "name the file with --scenarios" in found.stderr) == (1, True)
    assert run("--epochs", "488").exit_code == 2


def test_machines_are_those_of_the_file_and_a_broken_file_is_refused(tmp_path: Path) -> None:
    found = load_machines()
    assert (len(found), found["GeForce RTX 4090"].speed, found["GeForce RTX 4090"].rent) == (31, 500_000, 250_000_000)
    text = MACHINES.read_text()
    for broken in (
        text.replace("rent_usd", "rent_eur"),
        text.replace("0.50000,0.25", "0.50000,0"),
        text.replace("0.50000", "x"),
    ):
        path = tmp_path / "machines.csv"
        path.write_text(broken)
        with pytest.raises(Corrupt, match=r"machines\.csv"):
            load_machines(path)


def test_the_document_is_of_this_very_run(tmp_path: Path) -> None:
    assert run("--out", str(tmp_path)).exit_code == 0
    document = (DOCS / "economy.md").read_text()
    for line in (tmp_path / "summary.md").read_text().splitlines():
        assert line in document or ": after 487 epochs" in line, f"docs/economy.md does not say: {line}"
    for path in tmp_path.glob("*.svg"):
        assert (DOCS / "images" / "economy" / path.name).read_text() == path.read_text()
        assert f"images/economy/{path.name}" in document
