# SPDX-License-Identifier: Apache-2.0
"""How much a verifier renders before it is sure, and by which rule it compares."""

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from inferix.jobkeys import task_key
from inferix.models.roles import Outcome
from inferix.models.work import Verify
from inferix.proofs.rendering import (
    TILE_SIZE,
    frame_seed,
    guide_rows,
    load_calibration,
    noise_cells,
    reads_whole,
    tile_plan,
)
from node.engines import FloatArray
from node.engines import RenderSettings as EngineRender
from node.engines.exr import Passes, write_frame
from node.tiles import MORE_TILES
from tests.node.delivery import WORKER, Delivery, honest, other_seed, voted
from tests.node.running import Node

EXACT = load_calibration().rule("cpu", "cpu", same_kernel=True)


def _last_bits(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    """What another kernel makes of the same frame, or fewer bounces where they hardly matter."""
    return honest(frame, seed, settings) * np.float32(1 + 1e-6)


def _calm(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    return honest(frame, seed, replace(settings, samples=10**9))


def _lower_half(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    image = honest(frame, seed, settings)
    image[settings.height // 2 :] = other_seed(frame, seed, settings)[settings.height // 2 :]
    return image


def test_check__a_vote_holds_the_tiles_that_were_really_rendered_and_no_others(
    verifier: Node, delivery: Delivery
) -> None:
    _, measurement = voted(verifier, delivery.frames().verify(verifier))
    rendered = [(tile.x, tile.y, tile.width, tile.height) for tile in verifier.engine.tiles]
    assert [(tile.x, tile.y, tile.width, tile.height) for tile in measurement.tiles] == rendered
    assert verifier.engine.rendered == []  # no preview


def test_check__all_frames_of_a_job_in_one_session(verifier: Node, delivery: Delivery) -> None:
    outcome, measurement = voted(verifier, delivery.frames().verify(verifier))
    assert outcome is Outcome.ACCEPTED
    assert {tile.frame for tile in measurement.tiles} == {1, 2}
    assert verifier.engine.opened == 1


def test_check__a_forged_frame_takes_the_minimum(verifier: Node, delivery: Delivery) -> None:
    outcome, measurement = voted(verifier, delivery.frames(other_seed).verify(verifier))
    assert outcome is Outcome.REJECTED
    assert EXACT.minimum <= len(measurement.tiles) <= EXACT.clean_needed


def _begins_clean(verifier: Node, delivery: Delivery, seed: bytes) -> bool:
    """Whether a draw's first two tiles are in the honest half of frame 1 and its third one in the other."""
    draw = (seed, delivery.task.id, 0, verifier.id, 1)
    own = frame_seed(task_key(delivery.job.key, delivery.task.id), 0, WORKER, 1)
    image = _lower_half(1, own, EngineRender(64, 48, 16))
    strips = {top: image[top : top + TILE_SIZE] for top in guide_rows(*draw, 48)}
    *clean, forged = tile_plan(*draw, 64, 48, 3, noise=noise_cells(strips, 64, 48))
    return all(tile.y + tile.height <= 24 for tile in clean) and forged.y >= 24


def test_check__a_frame_forged_in_part_goes_on_until_it_is_sure(verifier: Node, delivery: Delivery) -> None:
    seeds = (hashlib.sha256(bytes([number])).digest() for number in range(200))
    seed = next(seed for seed in seeds if _begins_clean(verifier, delivery, seed))
    outcome, measurement = voted(verifier, delivery.frames(_lower_half).verify(verifier, seed=seed))
    assert outcome is Outcome.REJECTED
    assert [tile.equal for tile in measurement.tiles[:3]] == [True, True, False]
    assert len(measurement.tiles) > EXACT.clean_needed


def test_check__the_same_kernel_repeats_every_bit_or_is_rejected(verifier: Node, delivery: Delivery) -> None:
    outcome, measurement = voted(verifier, delivery.frames(_last_bits).verify(verifier))
    assert outcome is Outcome.REJECTED
    assert "not a bit may be" in measurement.reason
    assert measurement.rule == EXACT.name
    assert measurement.kernel == "generator"


@pytest.mark.parametrize("kernel", ["another", ""])
def test_check__another_kernel_may_differ_in_the_last_bits(verifier: Node, delivery: Delivery, kernel: str) -> None:
    outcome, measurement = voted(verifier, delivery.frames(_last_bits).change(kernel=kernel).verify(verifier))
    assert outcome is Outcome.ACCEPTED
    assert measurement.rule == load_calibration().rule("cpu", "cpu").name
    assert not any(tile.equal for tile in measurement.tiles)


def test_check__another_kernel_is_no_excuse_for_another_seed(verifier: Node, delivery: Delivery) -> None:
    outcome, _ = voted(verifier, delivery.frames(other_seed).change(kernel="another").verify(verifier))
    assert outcome is Outcome.REJECTED


def test_check__classes_that_were_never_compared_blame_nobody(verifier: Node, delivery: Delivery) -> None:
    outcome, measurement = voted(verifier, delivery.frames(other_seed).change(device_class="hip").verify(verifier))
    assert outcome is Outcome.VOID
    assert measurement.tiles


def _item(verifier: Node, delivery: Delivery, whole: bool, **changes: Any) -> Verify:
    seeds = (hashlib.sha256(bytes([number])).digest() for number in range(200))
    key = (delivery.task.id, 0, verifier.id)
    seed = next(seed for seed in seeds if reads_whole(seed, *key, 1) is whole and not reads_whole(seed, *key, 2))
    return delivery.frames().change_first(**changes).verify(verifier, seed=seed)


def test_check__pixels_that_were_not_committed_to_are_found_where_the_whole_file_is_read(
    verifier: Node, delivery: Delivery
) -> None:
    outcome, measurement = voted(verifier, _item(verifier, delivery, True, pixels=b"p" * 32))
    assert outcome is Outcome.REJECTED
    assert measurement.reason == "frame 1: its pixels are not those that were committed to"


@pytest.mark.parametrize("whole", [True, False])
def test_check__honest_pixels_are_accepted_whether_or_not_all_are_read(
    verifier: Node, delivery: Delivery, whole: bool
) -> None:
    assert voted(verifier, _item(verifier, delivery, whole))[0] is Outcome.ACCEPTED


def test_check__a_calm_frame_takes_all_tiles_and_is_not_held_against_the_worker(
    verifier: Node, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.node.noise_engine.pixels_of", lambda package, *rest: _calm(*rest))
    outcome, measurement = voted(verifier, delivery.frames(_calm).verify(verifier))
    assert outcome is Outcome.ACCEPTED
    assert [tile.informative for tile in measurement.tiles] == [False] * 2 * MORE_TILES


@pytest.mark.parametrize("kernel", ["generator", "another"])
def test_attack_guides_made_up_beside_honest_pixels(verifier: Node, delivery: Delivery, kernel: str) -> None:
    result = delivery.frames().result
    forged = []
    for frame in result.frames:
        image = honest(frame.frame, delivery.seed(frame.frame), EngineRender(64, 48, 16))
        path = delivery.folder / "forged.exr"
        write_frame(path, Passes(image, np.zeros_like(image[..., :3]), image[..., :3]))
        forged.append(frame.model_copy(update={"raw": delivery.vault.store_file(path, delivery.key)}))
    outcome, measurement = voted(verifier, delivery.change(frames=forged, kernel=kernel).verify(verifier))
    assert outcome is Outcome.REJECTED
    assert "differ" in measurement.reason


@pytest.mark.parametrize(("part", "outcome"), [(0.02, Outcome.ACCEPTED), (0.5, Outcome.REJECTED)])
def test_check__another_kernel_is_measured_in_the_noise_of_another_seed(
    verifier: Node, delivery: Delivery, part: float, outcome: Outcome
) -> None:
    def off(frame: int, seed: int, settings: EngineRender) -> FloatArray:
        own, other = honest(frame, seed, settings), other_seed(frame, seed, settings)
        return own + (other - own) * np.float32(part)

    assert voted(verifier, delivery.frames(off).change(kernel="another").verify(verifier))[0] is outcome
