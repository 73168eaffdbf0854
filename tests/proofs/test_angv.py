# SPDX-License-Identifier: Apache-2.0
"""ANGV: keys, places and detection, on pictures that are made here."""

import hashlib
import hmac
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferix.proofs.pictures import load_pictures
from inferix.proofs.rendering.angv import (
    Box,
    Camera,
    Detector,
    Mark,
    Preview,
    angv_key,
    contrast_levels,
    corners,
    draw_marks,
    errors,
    luma,
    matched,
    passes_published,
    place,
    significance,
    wave,
)

SECRET, SCENE = b"k" * 32, hashlib.sha256(b"scene").digest()
WIDTH, HEIGHT = 480, 270
KEY = angv_key(SECRET, SCENE, 1)
THRESHOLD = load_pictures().keys.threshold


def camera(**changes: Any) -> Camera:
    turn = np.array([[0.0, 0, 1, 5], [1, 0, 0, -2], [0, 1, 0, 3], [0, 0, 0, 1]])  # turned and moved
    values: dict[str, Any] = {"world": turn, "tan_x": 0.36, "tan_y": 0.2025, "near": 0.1, "far": 100.0}
    return Camera(**{**values, "width": WIDTH, "height": HEIGHT, **changes})


def preview(depth: float = 10.0) -> Preview:
    light = np.random.default_rng(1).random((68, 120)).astype(np.float32)
    return Preview(np.full((68, 120), depth, np.float32), light)


def picture(seed: int = 1) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Levels: soft shapes, edges and a little noise."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    levels = 110 + 50 * np.sin(x / 37) * np.cos(y / 23) + 40 * (((x // 61) + (y // 47)) % 2)
    return np.asarray(levels + generator.normal(0, 2, levels.shape)).clip(0, 255)


def marked(levels: Any, key: bytes, target: float, count: int = 12) -> tuple[Any, list[tuple[Mark, Box]]]:
    placed = [(mark, box) for mark, box, _ in place(key, draw_marks(key, count), camera(), preview())]
    changed = levels.copy()
    for mark, box in placed:
        changed[box.y : box.y + box.height, box.x : box.x + box.width] += mark.sign * contrast_levels(mark, target)
    return changed, placed


def is_visible(camera: Camera, points: Any, preview: Preview) -> bool:
    """Whether all of these world points are in view and nothing is in front of them.

    The occlusion test: what stands at a point's place in the preview is further away than the point.
    """
    homogeneous = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    x, y, z, _ = np.linalg.inv(camera.world) @ homogeneous.T
    distance = -z
    if (distance < camera.near).any() or (distance > camera.far).any():
        return False
    u, v = x / (distance * camera.tan_x), y / (distance * camera.tan_y)
    slack = 1e-9
    if (np.abs(u) > 1 + slack).any() or (np.abs(v) > 1 + slack).any():
        return False
    rows, columns = preview.depth.shape
    row = np.clip(((1 - v) / 2 * rows).astype(int), 0, rows - 1)
    column = np.clip(((u + 1) / 2 * columns).astype(int), 0, columns - 1)
    return bool((distance < preview.depth[row, column]).all())


def test_key__is_the_documented_hmac_and_new_for_every_frame() -> None:
    message = b"inferix/angv" + SCENE + (1).to_bytes(4, "big", signed=True)
    assert hmac.new(SECRET, message, hashlib.sha256).digest() == KEY
    keys = {angv_key(SECRET, SCENE, frame) for frame in range(-5, 20)}
    assert len(keys | {angv_key(b"x" * 32, SCENE, 1), angv_key(SECRET, bytes(32), 1)}) == 27


@pytest.mark.parametrize(("secret", "scene"), [(b"short", SCENE), (SECRET, b"")])
def test_key__of_other_lengths_is_refused(secret: bytes, scene: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        angv_key(secret, scene, 1)


def test_marks__have_sizes_signs_and_periods_as_published() -> None:
    marks = draw_marks(KEY, 400)
    assert {mark.width for mark in marks} == {mark.height for mark in marks} == {5, 6, 7, 8}
    assert {mark.sign for mark in marks} == {1, -1}
    periods = [mark.period_x for mark in marks] + [mark.period_y for mark in marks]
    assert np.mean(periods) == pytest.approx(25, abs=0.6)
    assert np.std(periods) == pytest.approx(5, abs=0.5)
    assert draw_marks(KEY, 3) == marks[:3]


@pytest.mark.parametrize(("key", "count"), [(KEY, 0), (b"short", 3)])
def test_marks__of_no_key_or_number_are_refused(key: bytes, count: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        draw_marks(key, count)


def test_wave__averages_to_nothing_on_an_imprint() -> None:
    pattern = wave(draw_marks(KEY, 1)[0])
    assert pattern.shape == (512, 512)
    assert 0.99 < np.abs(pattern).max() <= 1
    assert np.abs(pattern.reshape(4, 128, 4, 128).mean(axis=(1, 3))).max() < 0.1


def test_place__marks_are_in_view_in_front_apart_and_repeat() -> None:
    placed = place(KEY, draw_marks(KEY, 30), camera(), preview())
    assert len(placed) == 30
    assert placed == place(KEY, draw_marks(KEY, 30), camera(), preview())
    for index, (_, box, distance) in enumerate(placed):
        assert box.grown().is_inside(WIDTH, HEIGHT)
        assert not any(box.grown().overlaps(other.grown()) for _, other, _ in placed[:index])
        assert is_visible(camera(), corners(camera(), box, distance), preview())
        assert not is_visible(camera(), corners(camera(), box, distance), preview(distance / 2))


def test_place__no_room_before_the_nearest_thing_leaves_marks_out() -> None:
    assert place(KEY, draw_marks(KEY, 5), camera(near=9.5), preview(10.0)) == []
    assert len(place(KEY, draw_marks(KEY, 200), camera(width=60, height=60), preview())) < 12
    with pytest.raises(ValueError, match="32 bytes"):
        place(b"short", [], camera(), preview())


def test_place__draws_another_place_where_one_is_not_usable() -> None:
    marks = draw_marks(KEY, 12)

    def left(_: Mark, box: Box) -> bool:
        return box.x < WIDTH // 4

    placed = place(KEY, marks, camera(), preview(), left)
    assert [mark for mark, _, _ in placed] == marks
    assert all(box.x < WIDTH // 4 for _, box, _ in placed)
    assert placed[0] != place(KEY, marks, camera(), preview())[0]
    assert place(KEY, marks, camera(), preview(), lambda *_: False) == []


def test_place__goes_where_something_is_to_be_seen() -> None:
    light = np.full((68, 120), 0.3, np.float32)
    light[:, 60:] = np.random.default_rng(1).random((68, 60))
    busy = Preview(np.full((68, 120), 10.0, np.float32), light)
    assert significance(busy)[:, 62:].mean() > 50 * significance(busy)[:, :58].mean()
    places = [
        box.x for number in range(20) for _, box, _ in place(bytes([number]) * 32, draw_marks(KEY), camera(), busy)
    ]
    assert np.mean(np.array(places) >= 232) > 0.9


@given(st.integers(0, WIDTH - 9), st.integers(0, HEIGHT - 9), st.floats(0.2, 90))
def test_corners__project_back_to_the_imprint(x: int, y: int, distance: float) -> None:
    box = Box(x, y, 8, 6)
    points = np.concatenate([corners(camera(), box, distance), np.ones((4, 1))], axis=1)
    right, up, back, _ = np.linalg.inv(camera().world) @ points.T
    assert -back == pytest.approx(distance)
    assert (right / distance / 0.36 + 1) / 2 * WIDTH == pytest.approx(np.array([x, x + 8, x + 8, x]), abs=1e-6)
    assert (1 - up / distance / 0.2025) / 2 * HEIGHT == pytest.approx(np.array([y, y, y + 6, y + 6]), abs=1e-6)


def test_is_visible__not_behind_beside_or_too_near() -> None:
    box = Box(100, 100, 6, 6)
    assert is_visible(camera(), corners(camera(), box, 9.0), preview())
    assert not is_visible(camera(), corners(camera(), box, 11.0), preview())
    assert not is_visible(camera(), corners(camera(), box, 0.05), preview())
    assert not is_visible(camera(), corners(camera(), Box(-20, 100, 6, 6), 9.0), preview())
    assert not is_visible(camera(), corners(camera(), box, -9.0), preview())
    half_hidden = preview()
    half_hidden.depth[:, :26] = 5.0
    assert not is_visible(camera(), corners(camera(), box, 9.0), half_hidden)


@pytest.mark.parametrize("change", [{"tan_x": 0.0}, {"near": 0.0}, {"far": 0.05}, {"width": 0}, {"world": np.eye(3)}])
def test_a_camera_that_sees_nothing_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a camera has"):
        camera(**change)
    with pytest.raises(ValueError, match="one picture"):
        Preview(np.ones((3, 4), np.float32), np.ones((4, 3), np.float32))


def test_errors__are_the_steps_over_a_border_over_the_area() -> None:
    mark, box = Mark(6, 6, 1, 25, 25), Box(100, 100, 6, 6)
    flat = np.full((HEIGHT, WIDTH), 100.0)
    assert errors(flat, [box]) == pytest.approx([0])
    flat[100:106, 100:106] += contrast_levels(mark, 7.0)
    assert errors(flat, [box]) == pytest.approx([7.0])
    assert passes_published(flat, [box])
    assert not passes_published(flat, [box, Box(300, 100, 6, 6)])
    assert not passes_published(flat, [])


def test_matched__finds_faint_marks_that_the_published_rule_refuses() -> None:
    levels, placed = marked(picture(), KEY, 4.5)
    assert matched(levels, placed) > THRESHOLD
    assert not passes_published(levels, [box for _, box in placed])


def test_matched__finds_nothing_without_marks_or_with_another_key() -> None:
    levels, _ = marked(picture(), KEY, 7.0)
    _, others = marked(picture(), angv_key(SECRET, SCENE, 2), 7.0)
    assert abs(matched(levels, others)) < THRESHOLD
    assert abs(matched(picture(), others)) < THRESHOLD
    inverted = [
        (Mark(mark.width, mark.height, -mark.sign, 25, 25), box) for mark, box in marked(picture(), KEY, 7.0)[1]
    ]
    assert matched(levels, inverted) < -THRESHOLD
    assert matched(levels, []) == 0


def test_matched__the_score_of_other_keys_is_about_normal_and_never_above_the_threshold() -> None:
    levels, _ = marked(picture(), KEY, 7.0)
    keys = (hashlib.sha256(bytes([number % 256, number // 256])).digest() for number in range(120))
    scores = [matched(levels, marked(levels, key, 0.0)[1]) for key in keys]
    assert np.std(scores) == pytest.approx(1, abs=0.3)
    assert abs(np.mean(scores)) < 0.35
    assert max(scores) < THRESHOLD


def test_black_and_white_noise_passes_the_published_rule_by_luck_and_never_the_matched_filter() -> None:
    generator = np.random.default_rng(3)
    published = 0
    for number in range(30):
        noise = 255.0 * generator.integers(0, 2, (HEIGHT, WIDTH))
        _, placed = marked(noise, bytes([number]) * 32, 0.0, 8)
        published += passes_published(noise, [box for _, box in placed])
        assert matched(noise, placed) < THRESHOLD
    assert published > 0


def test_one_picture_scores_for_many_keys_as_it_does_for_each() -> None:
    levels, _ = marked(picture(), KEY, 7.0)
    one = Detector(levels)
    for number in range(5):
        _, placed = marked(levels, bytes([number]) * 32, 0.0)
        boxes = [box for _, box in placed]
        assert one.matched(placed) == matched(levels, placed) != 0
        assert (one.errors(boxes) == errors(levels, boxes)).all()
        assert one.passes_published(boxes, 0.0) and not one.passes_published(boxes)


@pytest.mark.parametrize("box", [Box(2, 100, 6, 6), Box(100, 262, 6, 6), Box(100, 100, 0, 6)])
def test_a_mark_whose_surroundings_are_not_in_the_frame_is_refused(box: Box) -> None:
    for call in (lambda: errors(picture(), [box]), lambda: matched(picture(), [(Mark(6, 6, 1, 25, 25), box)])):
        with pytest.raises(ValueError, match="not inside"):
            call()


def test_luma__of_eight_bit_pictures_only() -> None:
    assert luma(np.full((4, 5, 4), 200, np.uint8)) == pytest.approx(np.full((4, 5), 200.0))
    for wrong in (np.zeros((4, 5), np.uint8), np.zeros((4, 5, 3), np.float32)):
        with pytest.raises(ValueError, match="8-bit"):
            luma(wrong)  # type: ignore[arg-type]
