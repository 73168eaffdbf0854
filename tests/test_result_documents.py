# SPDX-License-Identifier: Apache-2.0
"""The largest order there may be has results that fit into a document."""

import pytest
from pydantic import ValidationError

from inferix.models.document import MAX_DOCUMENT
from inferix.models.job import MAX_FRAMES, MAX_FRAMES_A_TASK, RenderSettings
from inferix.models.result import FileRef, Film, FrameResult, Result
from inferix.models.roles import TaskKind
from inferix.proofs.rendering import load_calibration
from inferix.storage.cid import Cid, Codec
from node.tiles import MAX_TILES_A_TASK

LARGE = 2**64 - 1
REF = FileRef(cid=str(Cid(Codec.DAG_PB, b"\xff" * 32)), sha256=b"\xff" * 32, size=LARGE)


def result(kind: TaskKind, frames: list[FrameResult], film: Film | None = None) -> Result:
    return Result(
        kind=kind, task=b"\xff" * 32, attempt=255, node=2**32 - 1, engine="e" * 80, build="b" * 120,
        device_class="c" * 40, kernel="k" * 120, frames=frames, film=film,
    )  # fmt: skip


def test_attack_a_task_of_as_many_frames_as_there_may_be_has_a_result() -> None:
    """One that has none is late whoever takes it: a client had a worker fined for each attempt, for nothing."""
    frames = [
        FrameResult(frame=-(2**20) + at, raw=REF, pixels=b"\xff" * 32, milliseconds=LARGE)
        for at in range(MAX_FRAMES_A_TASK)
    ]
    assert len(result(TaskKind.RENDER, frames).encode()) < MAX_DOCUMENT


def test_a_film_of_as_many_frames_as_there_may_be_has_a_result() -> None:
    film = Film(stills=[REF] * MAX_FRAMES, movie=REF, contact_sheet=REF)
    assert len(result(TaskKind.ASSEMBLE, [], film).encode()) < MAX_DOCUMENT


def test_every_frame_of_a_task_has_the_tiles_that_decide() -> None:
    assert load_calibration().minimum <= MAX_TILES_A_TASK // MAX_FRAMES_A_TASK


@pytest.mark.parametrize(("last", "fits"), [(MAX_FRAMES, True), (MAX_FRAMES + 1, False)])
def test_an_order_has_no_more_frames(last: int, fits: bool) -> None:
    sides = {"width": 4, "height": 4, "samples": 1}
    if fits:
        assert len(RenderSettings(first_frame=1, last_frame=last, **sides).frames()) == MAX_FRAMES
        return
    with pytest.raises(ValidationError, match="order the others apart"):
        RenderSettings(first_frame=1, last_frame=last, **sides)
