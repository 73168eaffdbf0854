# SPDX-License-Identifier: Apache-2.0
"""What a keeper attests of a machine: a name by which its results are compared later."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import select

from inferix.chain.errors import CallReverted, LaneBusy
from inferix.errors import InferixError
from inferix.machines import machine_name
from inferix.models.result import Result
from inferix.models.roles import TaskKind
from inferix.proofs.rendering import load_calibration, measure
from inferix.storage.database import Database
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.follower import Follower
from inferix.storage.tables import Challenge
from keepers.bench import LATE, TILES, TOLERANCE, Bench, attestable, rest_after, resting, why_not_the_same
from keepers.sample import SampleScene
from tests.replay.chain import DOMAIN

UNIT = SampleScene(Path(__file__).parents[2] / "assets/scenes/unit.blend", 60_000)
KERNEL = "avx2 genuineintel-6-207 glibc-2.36"


def answer(**made: Any) -> Result:
    fields = {"device_class": "cpu", "kernel": KERNEL, **made}
    return Result(kind=TaskKind.RENDER, task=bytes(32), attempt=0, node=7, engine="blender", build="1", **fields)


def test_class_and_kernel_are_attested() -> None:
    assert attestable(answer(), uncalibrated=False) == machine_name("cpu", KERNEL)


def test_attack_a_device_class_that_nobody_compared_is_attested_by_who_wants_that_alone() -> None:
    """A difference blames nobody there, so that a cheat would have nothing to lose."""
    with pytest.raises(InferixError, match="never compared.*bench agreement"):
        attestable(answer(device_class="abacus"), uncalibrated=False)
    assert attestable(answer(device_class="abacus"), uncalibrated=True) == machine_name("abacus", KERNEL)


@pytest.mark.parametrize("device_class", ["a" * 40, "ünit", ""])
def test_what_has_no_place_on_chain_is_refused(device_class: str) -> None:
    with pytest.raises(InferixError, match="1 to 32"):
        attestable(answer(device_class=device_class), uncalibrated=True)


def challenge(node: int, state: str, seconds: int, reason: str = "") -> Challenge:
    return Challenge(
        id=bytes([node, seconds % 256]) * 16, node=node, scene="", seed=1, state=state, reason=reason,
        answered_at_wall_ms=1_000 * seconds,
    )  # fmt: skip


def test_attack_a_speed_is_not_guessed_again_and_again() -> None:
    """Part of a frame forged passes now and then; each false answer doubles the time until the next challenge."""
    rows = [challenge(7, "failed", at, "it is not the raw pass") for at in (1, 2, 3)]
    rows.append(challenge(8, "failed", 3, LATE))
    assert resting(rows, 3 + 479) == {7} and resting(rows, 3 + 480) == set()
    assert resting([*rows, challenge(7, "attested", 4)], 5) == set(), "a true one ends that"
    assert rest_after(30) == 86_400


@pytest.mark.parametrize("differ", [0, 1])
def test_attack_every_tile_of_a_benchmark_has_to_agree(differ: int) -> None:
    """A test that stops when it is sure looks at three: half a frame passed it once in eight tries."""
    tiles = [np.random.default_rng(at).normal(1, 1, (8, 8, 10)).astype(np.float32) for at in range(TILES)]
    given = [np.array(tile) for tile in tiles]
    for at in range(TILES - differ, TILES):
        given[at] += 1
    rule = replace(load_calibration().rule("cpu", "cpu"), tolerance=TOLERANCE)
    found = [measure(theirs, own, rule.tolerance) for theirs, own in zip(given, tiles, strict=True)]
    assert why_not_the_same(found, rule).endswith(f"{differ} of {TILES} tiles differ" if differ else "")
    assert bool(why_not_the_same(found, rule)) is bool(differ)


@pytest.mark.parametrize("left_out", [0, 9])
def test_attack_who_leaves_out_a_seventh_of_every_tile_is_no_faster_machine(left_out: int) -> None:
    """The calibration's tolerance, which is for all scenes and two kernels, does not tell."""
    random, calibrated = np.random.default_rng(7), load_calibration().rule("cpu", "cpu")
    tiles = [random.normal(1, 0.2, (8, 8, 10)).astype(np.float32) for _ in range(TILES)]
    given = [np.array(tile) for tile in tiles]
    for tile in given:
        tile.reshape(64, 10)[:left_out] = 1  # filled in with what is around
    others = [random.normal(1, 0.2, (8, 8, 10)).astype(np.float32) for _ in range(TILES)]
    wide = [
        measure(*pair, calibrated.tolerance, other)
        for pair, other in zip(zip(given, tiles, strict=True), others, strict=True)
    ]
    assert why_not_the_same(wide, calibrated) == ""
    rule = replace(calibrated, tolerance=TOLERANCE)
    found = [measure(theirs, own, rule.tolerance) for theirs, own in zip(given, tiles, strict=True)]
    assert bool(why_not_the_same(found, rule)) is bool(left_out)


class Checked(Bench):
    """One whose checks of answers all end well."""

    def _verified(self, row: Challenge) -> str:
        return machine_name("cpu", KERNEL)


def test_regression_an_attestation_that_the_contract_refuses_holds_up_no_other(
    database: Database, tmp_path: Path
) -> None:
    """Its answer was checked anew in every cycle, and nobody else was measured."""
    refused = {5: CallReverted("NodeRegistry: not asked to measure it anew"), 6: LaneBusy("wait")}
    attested = []

    def attest(node: int, ib: int, machine: str) -> None:
        if node in refused:
            raise refused[node]
        attested.append(node)

    store = EmbeddedStore(tmp_path / "store")
    bench = Checked(database, Follower(database, DOMAIN, 0), store, 1, lambda: None, UNIT, tmp_path, attest)
    with database.session() as session:
        for at, node in enumerate((5, 6), 1):
            row = challenge(node, "answered", at + 60)
            row.sent_at_wall_ms = 1_000 * at
            session.add(row)

    def states() -> dict[int, str]:
        with database.reading() as session:
            return {row.node: row.state for row in session.exec(select(Challenge))}

    bench.cycle()
    assert (states(), attested) == ({5: "failed", 6: "answered"}, [])
    with pytest.raises(LaneBusy):
        bench.cycle()
    assert states()[6] == "answered", "what is our own trouble is tried again"
    del refused[6]
    bench.cycle()
    assert (states(), attested) == ({5: "failed", 6: "attested"}, [6])
