# SPDX-License-Identifier: Apache-2.0
"""Cheats meet a verifier: each is caught by its tiles, and the honest worker beside them is not."""

import sys
from pathlib import Path

import pytest

from inferix.proofs.rendering import Verdict, frame_seed, judge, measure, tile_plan
from node import sandbox
from node.engines import EngineSettings, RawFrame, RenderSettings, exr, load_engine
from node.engines.crops import read_crops
from tests.adversaries.dies_mid_task import EXIT_CODE

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "assets" / "scenes" / "demo.blend"
SETTINGS = RenderSettings(240, 136, 8)
FRAME = 2
SEED = frame_seed(b"k" * 32, 0, 7, FRAME)


def deliver(engine: str, work: Path) -> RawFrame:
    with load_engine(engine, EngineSettings(threads=2)).open(DEMO, work) as session:
        return session.render(FRAME, SEED, SETTINGS)


def verify(raw: RawFrame, work: Path) -> Verdict:
    plan = tile_plan(b"s" * 32, b"t" * 32, 0, 3, FRAME, SETTINGS.width, SETTINGS.height)
    with load_engine("blender", EngineSettings(threads=2)).open(DEMO, work) as session:
        own = session.tiles(FRAME, SEED, SETTINGS, plan)
    submitted = read_crops(raw.path, SETTINGS, plan, work / "reading")
    return judge([measure(theirs, mine) for theirs, mine in zip(submitted, own, strict=True)])


def test_the_honest_worker_is_accepted(tmp_path: Path) -> None:
    verdict = verify(deliver("blender", tmp_path / "worker"), tmp_path / "verifier")
    assert verdict.accepted
    assert verdict.conclusive


@pytest.mark.parametrize("engine", ["QuarterDenoised", "HalfSize", "OtherSeed", "PastedMarks", "AllButOneDenoised"])
def test_a_cheat_is_rejected(tmp_path: Path, engine: str) -> None:
    raw = deliver(f"tests.adversaries.forgers:{engine}", tmp_path / "worker")
    combined = exr.read_frame(raw.path, (SETTINGS.width, SETTINGS.height)).combined
    assert raw.pixels_sha256 == exr.pixels_sha256(combined)  # a well-made lie: only the pixels tell
    assert (raw.samples, raw.seed) == (SETTINGS.samples, SEED)
    verdict = verify(raw, tmp_path / "verifier")
    assert not verdict.accepted
    assert verdict.conclusive
    assert len(verdict.failed) >= 2


def test_the_dying_worker_takes_its_process_along(tmp_path: Path) -> None:
    code = (
        "from tests.adversaries.test_adversaries import deliver; from pathlib import Path;"
        f"deliver('tests.adversaries.dies_mid_task:DiesMidTask', Path({str(tmp_path)!r}))"
    )
    done = sandbox.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"], work=tmp_path, unsafe=True
    )
    assert done.returncode == EXIT_CODE
    assert list((tmp_path / "results").glob("*.exr")) == []
