# SPDX-License-Identifier: Apache-2.0
"""``inferix bench agreement`` on Blender's two kernels of this processor, and what it refuses."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from inferix.cli.main import main
from inferix.errors import InvalidInput
from inferix.proofs.calibration import Counted, load_calibration, read_calibration
from inferix.proofs.rendering.agreement import Agreement
from node.bench import _write

SMALL = ["--frames", "1", "--width", "96", "--height", "54", "--samples", "8", "--threads", "2"]
UNIT = str(Path(__file__).parents[2] / "assets" / "scenes" / "unit.blend")


@pytest.mark.integration
def test_two_kernels_agree_and_few_tiles_do_not_calibrate_their_pair_again(tmp_path: Path) -> None:
    out, file = tmp_path / "samples", tmp_path / "calibration.json"
    ask = ["bench", "agreement", UNIT, *SMALL, "--device", "cpu", "--out", str(out)]
    alone = CliRunner().invoke(main, ask)
    assert alone.exit_code == 0, alone.output
    assert "nothing to compare with" in alone.output
    again = [*ask[:-1], str(tmp_path / "again"), "--device", "plain-cpu"]
    done = CliRunner().invoke(main, [*again, "--with", str(out / "cpu.npz"), "--calibration", str(file)])
    assert (done.exit_code, "compare as many" in done.output) == (2, True), done.output
    assert "bit for bit" in done.output
    assert "0 of 60 tiles fail, 60 have equal bits" in done.output
    assert "no-avx2" in done.output
    assert not file.exists()


def test_another_pair_is_written_and_one_that_was_counted_better_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "calibration.json"
    near, far = (Counted(name, 120, failed) for name, failed in (("honest", 0), ("another seed", 120)))
    found = [
        Agreement("one", "other", classes, "tolerance", 0, 0, near, (far,))
        for classes in (("cpu", "cpu"), ("cpu", "optix"))
    ]
    _write(file, found)
    said = capsys.readouterr().out
    assert "cpu and cpu stay as they are" in said and "with 1 new pairs" in said
    made, known = read_calibration(file), load_calibration()
    assert made.rule("cpu", "optix").calibrated and made.pairs[:2] == known.pairs
    file.unlink()
    with pytest.raises(InvalidInput, match="compare as many"):
        _write(file, found[:1])
    assert not file.exists()


def test_what_cannot_be_measured_is_refused_before_anything_is_rendered(tmp_path: Path) -> None:
    odd = CliRunner().invoke(main, ["bench", "agreement", "--samples", "20", "--out", str(tmp_path)])
    assert (odd.exit_code, "multiple of eight" in odd.output) == (2, True)
    (tmp_path / "other.npz").write_bytes(b"nothing")
    other = CliRunner().invoke(main, ["bench", "agreement", "--with", str(tmp_path / "other.npz")])
    assert (other.exit_code, "no sample" in other.output) == (6, True)


@pytest.mark.integration
def test_devices_are_listed_and_one_that_is_not_here_is_refused_before_anything_is_rendered(tmp_path: Path) -> None:
    listed = CliRunner().invoke(main, ["bench", "devices"])
    assert listed.exit_code == 0, listed.output
    rows = {name: says.strip() for name, _, says in (row.partition(" ") for row in listed.output.splitlines())}
    assert list(rows) == ["cpu", "plain-cpu", "gpu", "optix", "cuda", "hip", "oneapi", "metal"]
    assert rows["cpu"].startswith("cpu") and rows["plain-cpu"].startswith("cpu") and rows["cpu"] != rows["plain-cpu"]
    missing = [name for name, says in rows.items() if says.startswith("not here: Cycles finds no GPU")]
    assert "metal" in missing or "hip" in missing, "no machine has both"
    out = tmp_path / "samples"
    ask = ["bench", "agreement", UNIT, *SMALL, "--device", "cpu", "--device", missing[-1], "--out", str(out)]
    refused = CliRunner().invoke(main, ask)
    assert refused.exit_code == 2 and "Cycles finds no GPU" in refused.output, refused.output
    assert "frame" not in refused.output and not out.exists()


def test_a_device_that_no_machine_has_is_refused() -> None:
    unknown = CliRunner().invoke(main, ["bench", "agreement", "--device", "voodoo"])
    assert (unknown.exit_code, "'oneapi', 'metal'" in unknown.output) == (2, True), unknown.output
