# SPDX-License-Identifier: Apache-2.0
"""What a verifier finds in a film: all of it is there, and one drawn frame is redone."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferix.models.result import Film, FrameResult
from inferix.models.roles import Outcome
from node.engines import ReaderStopped
from node.engines.exr import read_frame
from tests.node.delivery import Delivery, give_up, remove, voted
from tests.node.network import Job, Network
from tests.node.noise_engine import KERNEL, DirectReader
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
        movie=delivery.file(movie_of(stills)),
        contact_sheet=delivery.file(b"sheet"),
    )
    return delivery.change(film=film), results


def movie_of(stills: list[bytes]) -> bytes:
    """As `DirectReader` reads it: all pictures in one array."""
    made = BytesIO()
    np.save(made, np.stack([np.load(BytesIO(still)) for still in stills]))
    return made.getvalue()


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


@pytest.mark.parametrize("operation", ["picture", "movie_frame"])
def test_regression_a_reader_that_stops_here_blames_no_worker(
    network: Network, verifier: Node, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """It is tried again, as what this node's engine fails at is, and void in the end."""

    def stop(*_: object) -> None:
        raise ReaderStopped("a file could not be read here: it took longer than the limit allows")

    delivery, results = _film(network, job, tmp_path)
    monkeypatch.setattr(DirectReader, operation, stop)
    outcome, measurement = give_up(verifier, delivery.verify(verifier, results=results))
    assert (outcome, "could not be read here" in measurement.reason) == (Outcome.VOID, True)


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


def shown(network: Network, job: Job, folder: Path, verifier: Node, change: Any) -> Outcome:
    """The vote on an honest film whose movie is what ``change`` makes of its stills."""
    delivery, results = _film(network, job, folder)
    film = delivery.result.film
    assert film is not None
    key = delivery.key
    stills = []
    for number, ref in enumerate(film.stills):
        delivery.vault.fetch_file(ref, key, 10**7, folder / f"{number}.npy")
        stills.append((folder / f"{number}.npy").read_bytes())
    movie = delivery.file(change(stills))
    item = delivery.change(film=film.model_copy(update={"movie": movie})).verify(verifier, results=results)
    return voted(verifier, item)[0]


@pytest.mark.parametrize(
    "change",
    [lambda _: b"x", lambda stills: movie_of(stills[:3]), lambda stills: movie_of([*stills, stills[0]])],
    ids=["one byte", "a frame less", "a frame more"],
)
def test_attack_a_movie_that_does_not_play_or_lacks_frames_is_rejected(
    network: Network, verifier: Node, job: Job, tmp_path: Path, change: Any
) -> None:
    assert shown(network, job, tmp_path, verifier, change) is Outcome.REJECTED


def test_a_movie_of_other_pictures_is_paid_to_nobody(
    network: Network, verifier: Node, job: Job, tmp_path: Path
) -> None:
    """How far an encoder is off was not counted, so that nobody is blamed."""

    def black(stills: list[bytes]) -> bytes:
        made = BytesIO()
        np.save(made, np.zeros((len(stills), 48, 64, 3), np.uint8))
        return made.getvalue()

    assert shown(network, job, tmp_path, verifier, black) is Outcome.VOID
