# SPDX-License-Identifier: Apache-2.0
"""Tiles with some pixels off, too few to fail on another kernel: several reject, by one's own draw or another's."""

import hashlib
from collections.abc import Iterator

import pytest

from inferix.models.roles import Outcome
from inferix.proofs.rendering import load_calibration
from node.engines import FloatArray
from node.engines import RenderSettings as EngineRender
from tests.node.delivery import Delivery, Pixels, honest, other_seed, voted
from tests.node.running import Node, Start
from tests.node.test_named import FIRST, SECOND, found, is_forged, named, plan

FORGED = 32  # from this line on, as in `is_forged`
SLIGHT = load_calibration().rule("cpu", "cpu").slight


def thinned(frame: int, seed: int, settings: EngineRender, top: int = 0) -> FloatArray:
    """A quarter of every tile is another's."""
    image = honest(frame, seed, settings)
    image[top + 1 :: 2, 1::2] = other_seed(frame, seed, settings)[top + 1 :: 2, 1::2]
    return image


def below(frame: int, seed: int, settings: EngineRender) -> FloatArray:
    """The same in the lowest third of the frame."""
    return thinned(frame, seed, settings, FORGED)


@pytest.fixture
def first(start: Start) -> Node:
    return start(FIRST, "verifier")


def seeds(delivery: Delivery, early: range) -> Iterator[bytes]:
    """Of draws in which so many of `FIRST`'s first tiles are slight, and enough of its later ones, and in whose
    first three tiles `SECOND` sees nothing."""
    assert SLIGHT is not None
    for number in range(3_000):
        seed = hashlib.sha256(number.to_bytes(4)).digest()
        tiles = plan(delivery, seed, FIRST, 1, below)
        counts = [sum(map(is_forged, part)) for part in (tiles[: SLIGHT.tiles], tiles[SLIGHT.tiles :])]
        calm = all(not is_forged(tile) for frame in (1, 2) for tile in plan(delivery, seed, SECOND, frame, below)[:3])
        if counts[0] in early and (counts[1] >= SLIGHT.needed or 0 not in early) and calm:
            yield seed


def confirmed(
    pixels: Pixels, first: Node, verifier: Node, delivery: Delivery, seed: bytes, early: bool
) -> tuple[Outcome, str]:
    """What `SECOND` makes of slight tiles that `FIRST` names: of its first ten, or of those that come later."""
    assert SLIGHT is not None
    tiles = plan(delivery, seed, FIRST, 1, pixels)
    tiles = [tile for tile in (tiles[: SLIGHT.tiles] if early else tiles[SLIGHT.tiles :]) if is_forged(tile)]
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
    assert SLIGHT is not None and len(measurement.tiles) == SLIGHT.needed
    assert not any(tile.share_ppm > 320_000 for tile in measurement.tiles), "none of them fails"


def test_slight_tiles_that_another_was_drawn_first_are_confirmed(
    first: Node, verifier: Node, delivery: Delivery
) -> None:
    seed = next(seeds(delivery, range(7, 11)))
    outcome, reason = confirmed(below, first, verifier, delivery, seed, early=True)
    assert outcome is Outcome.REJECTED and "another's rejection" in reason


def test_attack_slight_tiles_picked_from_the_end_of_a_draw_confirm_nothing(
    first: Node, verifier: Node, delivery: Delivery
) -> None:
    """Of thirty tiles an honest frame may have as many as reject; of ten none that was counted had."""
    seed = next(seeds(delivery, range(4)))
    outcome, _ = confirmed(below, first, verifier, delivery, seed, early=False)
    assert outcome is Outcome.ACCEPTED
