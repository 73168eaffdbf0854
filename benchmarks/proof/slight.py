# SPDX-License-Identifier: Apache-2.0
"""What tiles that are slightly off add to the sequential test, between two kernels: honest frames, and cheats that stay
below what fails a tile. By the whole rule in force; rows of their own, since votes by other rules do not add up.
"""

from typing import Any, Final

from benchmarks.proof import forgeries, votes
from benchmarks.proof.cases import CUTS, HONEST, Case
from benchmarks.proof.run import Row, Run
from inferix.proofs.rendering import FloatArray, Rule, as_stored, load_calibration

LEFT_OUT: Final = {"a quarter of every tile left out": 4, "an eighth of every tile left out": 8}
"""Name -> one pixel in so many."""


def rule() -> Rule:
    """Between two kernels of the CPU: all of it."""
    return load_calibration().rule("cpu", "cpu")


def do(run: Run, case: Case) -> Row:
    """A case's row: of each class, each verifier's vote (rejects, sure, tiles used, tiles failed), and how many tiles
    are slight of all that the committee looks at first."""
    honest = as_stored(run.worker.render(case.shot))
    redone, another = (as_stored(run.verifier.render(shot)) for shot in (case.shot, case.noise_shot))
    own = votes.Own(redone, another)
    frames = {HONEST: honest}
    frames |= {name: as_stored(forgeries.left_out(honest, one_in)) for name, one_in in LEFT_OUT.items()}
    frames |= {name: as_stored(run.worker.render(case.shot, cut=cut)) for name, cut in CUTS.items()}
    found = {name: _judged(case, frame, own) for name, frame in frames.items()}
    return {"case": case.number, "scene": case.shot.scene, "rule": rule().name, **_columns(found)}


def _judged(case: Case, frame: FloatArray, own: votes.Own) -> tuple[list[list[int]], int]:
    plans, by = votes.Delivered(frame, case.draws(votes.SEATS)).plans(), rule()
    given = [votes.vote(frame, own, plan, by) for plan in plans]
    share = by.slight.share_ppm if by.slight else by.tolerance.max_share_ppm
    measured = votes.measures(frame, own, votes.drawn(plans), by.tolerance)
    rows = [[int(item.rejects), int(item.sure), item.used, item.failed] for item in given]
    return rows, sum(item.share_ppm > share for item in measured)


def _columns(found: dict[str, tuple[list[list[int]], int]]) -> dict[str, Any]:
    return {
        "votes": {name: {"other kernel": rows} for name, (rows, _) in found.items()},
        "slight": {name: count for name, (_, count) in found.items()},
    }
