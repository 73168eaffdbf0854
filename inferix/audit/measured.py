# SPDX-License-Identifier: Apache-2.0
"""Whether a panel's member voted on a contradicted vote as it says that it measured.

Its measurement is judged again by the rule that the verifier had. What it measured is its own word: only rendering
tells more. Of its places the first of a frame is told, and a film's frame: the others hang on noise that is sealed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from inferix.errors import InferixError
from inferix.models.document import Document
from inferix.models.result import Measurement, Result
from inferix.models.roles import Outcome, TaskKind
from inferix.proofs.calibration import load_calibration
from inferix.proofs.rendering import redo_frame, tile_plan
from inferix.proofs.rerun import Made, Seen, is_contradicted, outcome_of, rule_against, seen_by
from inferix.replay import Network
from inferix.replay.contradictions import attempt_of, seed_of
from inferix.replay.state import Attempt, Contradiction

Kind = TypeVar("Kind", bound=Document)


@dataclass(frozen=True, slots=True)
class Told:
    """``is_true``: None where it cannot be told."""

    is_true: bool | None
    says: str


def is_as_measured(network: Network, found: Contradiction, node: int, upheld: bool, measured: bytes) -> Told:
    """Whether the vote of a seat is what its measurement, of that digest, comes to."""
    attempt = attempt_of(network, found)
    seed = seed_of(network, attempt) if attempt is not None else None
    if attempt is None or seed is None or attempt.result != found.vote.result:
        return Told(None, "nothing shows the result that the vote is on")
    body = network.document(measured)
    if body is None:
        return Told(None, "its measurement is not served")
    try:
        published = Measurement.decode(body, measured)
    except InferixError as error:
        return Told(False, f"what it rests on is no measurement: {error}")
    if (published.task, published.attempt, published.node) != (found.vote.task, found.vote.attempt, node):
        return Told(False, "its measurement is another node's, or of another attempt")
    if published.method == "none" or not (published.tiles or published.named):
        is_false = upheld and found.vote.outcome == Outcome.REJECTED
        return Told(False if is_false else None, "it compared no pixels")
    is_film = network.tasks[found.vote.task].task.kind is TaskKind.ASSEMBLE
    if (published.method == "redo") is not is_film:
        return Told(False, f"its measurement is by {published.method}, which tells nothing of such a task")
    if not _is_drawn(network, found, seed, published):
        return Told(False, "its tiles are not where the draw of the vote's verifier puts them")
    result = read_document(network, Result, attempt.result)
    if result is None:
        return Told(None, "the result is not served")
    return _judged(network, found, attempt, upheld, published, result)


def _judged(
    network: Network, found: Contradiction, attempt: Attempt, upheld: bool, published: Measurement, result: Result
) -> Told:
    by, known = published.rule.rpartition(" ")[2], load_calibration().name
    if published.method == "tiles" and by != known:
        return Told(None, f"it was judged by calibration {by or 'unknown'}, not {known}")
    task = network.tasks[found.vote.task].task
    frames, own, spec = list(task.frames()), _made(published), network.jobs[task.job].spec
    outcomes: list[Outcome] = []
    for seen in _readings(network, found):
        rule = rule_against(seen, result, own)
        if published.method == "redo" or rule.name == published.rule:
            if spec is not None:
                rule = rule.of_frame(spec.request.settings.width, spec.request.settings.height)
            outcomes.append(outcome_of(published, rule, seen.frames(frames)))
    said = Outcome(found.vote.outcome)
    if any(is_contradicted(said, outcome) is upheld for outcome in outcomes):
        return Told(True, "")
    if network.document(found.vote.measured) is None:
        return Told(None, "the measurement of the vote in question is not served")
    if not outcomes:
        return Told(False, f"it judged by {published.rule}, which is not the rule that the verifier had")
    return Told(False, f"its measurement comes to {outcomes[0].name.lower()}, the vote said {said.name.lower()}")


def _readings(network: Network, found: Contradiction) -> Iterator[Seen]:
    """What the member had seen of the verifier's measurement: it, or nothing where it could not have it then."""
    said, name = Outcome(found.vote.outcome), (found.vote.task, found.vote.attempt, found.vote.node)
    theirs = read_document(network, Measurement, found.vote.measured)
    if theirs is not None:
        yield seen_by(said, name, theirs)
    yield seen_by(said, name, None)


def _is_drawn(network: Network, found: Contradiction, seed: bytes, published: Measurement) -> bool:
    """Whether it looked where the draw puts the verifier, as far as that can be told."""
    vote, task = found.vote, network.tasks[found.vote.task].task
    frames, spec = list(task.frames()), network.jobs[task.job].spec
    if published.method == "redo":
        return published.tiles[0].frame == redo_frame(seed, vote.task, vote.attempt, vote.node, frames)
    if spec is None:
        return True
    size = spec.request.settings.width, spec.request.settings.height
    first = {tile.frame: tile for tile in reversed(published.tiles)}
    for frame, tile in first.items():
        (drawn,) = tile_plan(seed, vote.task, vote.attempt, vote.node, frame, *size, count=1)
        if frame not in frames or (drawn.x, drawn.y) != (tile.x, tile.y):
            return False
    return True


def _made(published: Measurement) -> Made:
    return Made(published.build, published.device_class, published.kernel)


def read_document(network: Network, kind: type[Kind], digest: bytes) -> Kind | None:
    """A document; None where it is not served, or is none of its kind."""
    body = network.document(digest)
    try:
        return kind.decode(body, digest) if body is not None else None
    except InferixError:
        return None
