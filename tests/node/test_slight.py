# SPDX-License-Identifier: Apache-2.0
"""Tiles with some pixels off, too few to fail on another kernel: several reject, by one's own draw or another's."""

import hashlib
from collections.abc import Iterator

import pytest

from inferix.models.roles import Outcome
from inferix.proofs.rendering import Tile, load_calibration
from node.engines import FloatArray
from node.engines import RenderSettings as EngineRender
from tests.node.delivery import Delivery, Pixels, honest, other_seed, voted
from tests.node.running import Node, Start
from tests.node.test_named import FIRST, SECOND, found, named, plan

SLIGHT = load_calibration().rule("cpu", "cpu").slight
MOST, THIRD = 16, 32  # of 48 lines, from this one on


def thinned(frame: int, seed: int, settings: EngineRender, top: int = 0) -> FloatArray:
    """Of every tile from a line on 20 of 64 pixels are another's: as many as do not fail it."""
    image, theirs = honest(frame, seed, settings), other_seed(frame, seed, settings)
    for lines, columns in ((slice(top + 1, None, 2), slice(1, None, 2)), (slice(top, None, 4), slice(0, None, 4))):
        image[lines, columns] = theirs[lines, columns]
    return image


def most(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    return thinned(frame, seed, settings, MOST)


def third(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    return thinned(frame, seed, settings, THIRD)


def is_in(tile: Tile, top: int) -> bool:
    return tile.y >= top


@pytest.fixture
def first(start: Start) -> Node:
    return start(FIRST, "verifier")


def draws() -> Iterator[bytes]:
    return (hashlib.sha256(number.to_bytes(4)).digest() for number in range(3_000))


def confirmed(
    pixels: Pixels, first: Node, verifier: Node, delivery: Delivery, seed: bytes, tiles: list[Tile]
) -> tuple[Outcome, str]:
    """What `SECOND` makes of these tiles, which `FIRST` names."""
    delivery = delivery.frames(pixels).change(kernel="another")
    _, measured = found(first, delivery.verify(first, seed=seed))
    one = measured.tiles[0]
    said = [
        one.model_copy(update={"frame": 1, "x": tile.x, "y": tile.y, "equal": False, "share_ppm": 250_000})
        for tile in tiles
    ]
    theirs = measured.model_copy(update={"tiles": said})
    outcome, measurement = voted(verifier, delivery.verify(verifier, seed=seed, named=named(verifier, theirs, seed)))
    return outcome, measurement.reason


def test_attack_a_quarter_of_every_tile_left_out_is_rejected_on_another_kernel(
    verifier: Node, delivery: Delivery
) -> None:
    outcome, measurement = voted(verifier, delivery.frames(thinned).change(kernel="another").verify(verifier))
    assert outcome is Outcome.REJECTED
    assert "more than 16 % of their pixels off" in measurement.reason
    assert SLIGHT is not None and SLIGHT.needed <= len(measurement.tiles) <= SLIGHT.tiles
    assert not any(tile.share_ppm > 320_000 for tile in measurement.tiles), "none of them fails"


def test_slight_tiles_that_another_was_drawn_first_are_confirmed(
    first: Node, verifier: Node, delivery: Delivery
) -> None:
    assert SLIGHT is not None
    for seed in draws():
        tiles = [tile for tile in plan(delivery, seed, FIRST, 1, most)[: SLIGHT.tiles] if is_in(tile, MOST)]
        if len(tiles) >= SLIGHT.needed:
            break
    outcome, reason = confirmed(most, first, verifier, delivery, seed, tiles)
    assert outcome is Outcome.REJECTED and "another's rejection" in reason


def test_attack_slight_tiles_picked_from_the_end_of_a_draw_confirm_nothing(
    first: Node, verifier: Node, delivery: Delivery
) -> None:
    """Of thirty tiles an honest frame may have as many as reject; of ten none that was counted had."""
    assert SLIGHT is not None
    for seed in draws():
        drawn = plan(delivery, seed, FIRST, 1, third)
        early, late = ([tile for tile in part if is_in(tile, THIRD)] for part in (drawn[:10], drawn[10:]))
        own = [tile for frame in (1, 2) for tile in plan(delivery, seed, SECOND, frame, third)[:3]]
        if len(early) < 4 and len(late) >= SLIGHT.needed and not any(is_in(tile, THIRD) for tile in own):
            break
    else:
        pytest.fail("no draw in which the second sees nothing by itself")
    outcome, _ = confirmed(third, first, verifier, delivery, seed, late)
    assert outcome is Outcome.ACCEPTED
