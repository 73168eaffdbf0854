# SPDX-License-Identifier: Apache-2.0
"""What a verifier finds in a film: all of it is there, and one drawn frame is redone."""

from pathlib import Path

import numpy as np
import pytest

from inferix.models.result import Film, FrameResult
from inferix.models.roles import Outcome
from node.engines.exr import read_frame
from tests.node.delivery import Delivery, give_up, remove, voted
from tests.node.network import Job, Network
from tests.node.noise_engine import KERNEL
from tests.node.running import Node


def _film(network: Network, job: Job, folder: Path) -> tuple[Delivery, list[bytes]]:
    """An honest film of honest frames, and the digests of the frames' results."""
    results, stills = [], []
    delivery = Delivery(network, job, folder, task=2)
    for task in (0, 1):
        part = Delivery(network, job, folder, task=task).frames()
        results.append(network.keep(part.result))
        stills += [_still(part, frame) for frame in part.result.frames]
    film = Film(
        stills=[delivery.file(still) for still in stills],
        movie=delivery.file(b"movie"),
        contact_sheet=delivery.file(b"sheet"),
    )
    return delivery.change(film=film), results


def _still(part: Delivery, frame: FrameResult) -> bytes:
    raw, picture = part.folder / "raw.exr", part.folder / "still.npy"
    part.vault.fetch_file(frame.raw, part.key, 10**7, raw)
    np.save(picture, (255 * read_frame(raw).combined[..., :3].clip(0, 1)).astype(np.uint8))
    raw.unlink()
    return picture.read_bytes()


def test_verify_film__honest__accepted_by_redoing_one_frame(
    network: Network, verifier: Node, job: Job, tmp_path: Path
) -> None:
    delivery, results = _film(network, job, tmp_path)
    outcome, measurement = voted(verifier, delivery.verify(verifier, results=results))
    assert outcome is Outcome.ACCEPTED
    (tile,) = measurement.tiles
    assert (measurement.method, tile.equal, tile.width, tile.height) == ("redo", True, 64, 48)


@pytest.mark.parametrize(("kernel", "outcome"), [(KERNEL, Outcome.REJECTED), ("another", Outcome.VOID)])
def test_verify_film__other_pictures__rejected_where_kernels_are_the_same(
    network: Network, verifier: Node, job: Job, tmp_path: Path, kernel: str, outcome: Outcome
) -> None:
    delivery, results = _film(network, job, tmp_path)
    film = delivery.result.film
    assert film is not None
    black = tmp_path / "black.npy"
    np.save(black, np.zeros((48, 64, 3), np.uint8))
    forged = film.model_copy(update={"stills": [delivery.file(black.read_bytes())] * 4})
    item = delivery.change(film=forged, kernel=kernel).verify(verifier, results=results)
    assert voted(verifier, item)[0] is outcome


@pytest.mark.parametrize("missing", ["film", "still", "garbage"])
def test_verify_film__incomplete_or_unreadable__rejected(
    network: Network, verifier: Node, job: Job, tmp_path: Path, missing: str
) -> None:
    delivery, results = _film(network, job, tmp_path)
    film = delivery.result.film
    assert film is not None
    changed = {
        "film": None,
        "still": film.model_copy(update={"stills": film.stills[:3]}),
        "garbage": film.model_copy(update={"stills": [delivery.file(b"no picture")] * 4}),
    }[missing]
    outcome, _ = voted(verifier, delivery.change(film=changed).verify(verifier, results=results))
    assert outcome is Outcome.REJECTED


def test_verify_film__movie_not_in_storage__unserved(
    network: Network, verifier: Node, job: Job, tmp_path: Path
) -> None:
    delivery, results = _film(network, job, tmp_path)
    film = delivery.result.film
    assert film is not None
    item = delivery.verify(verifier, results=results)
    remove(network, film.movie.cid)
    outcome, _ = give_up(verifier, item)
    assert outcome is Outcome.UNSERVED
