# SPDX-License-Identifier: Apache-2.0
"""How a verifier checks an attempt: is the result there, is it what was committed to, does it repeat?

What was had and is wrong is the worker's fault: rejected. A package that does not open is the client's: client_fault.
What cannot be had raises `NotFound` or `Unavailable`, and the caller tries again while there is time. A difference from
a worker on another build or kind of device is not calibrated: it is void, nobody's fault, never a rejection. So is what
could not be read here (`ReaderStopped`): a file may be made for that, but a full disk looks the same.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal, Protocol

import numpy as np

from inferix.errors import NotFound, Unavailable
from inferix.machines import machine_name
from inferix.models.result import Film, FrameResult, Measurement, Result, ShadowResult, TileResult
from inferix.models.roles import Outcome, TaskKind
from inferix.models.work import PanelDuty, Verify
from inferix.proofs.assembly import ByteArray, judge_picture, measure_picture
from inferix.proofs.rendering import Calibration, Rule, Tile, Verdict, load_calibration, redo_frame
from inferix.proofs.rerun import Made, Seen, differing, rule_against, seen_by
from node.assignment import Assignment, raw_frames
from node.engines import BadResult, Machine, Session
from node.executor import Later
from node.parts import Parts, key_of
from node.rendering import open_package
from node.rerun import Rerun
from node.shadow import Shadow
from node.tiles import MAX_TILES_A_TASK, MORE_TILES, Committed, Draw, check_frame, confirm
from node.vault import BadFile

log = logging.getLogger(__name__)

MAX_REASON: Final = 500
MOVIE_LEVELS: Final = 24
"""Of 255, on average: a movie's frame is off its still by three or four, by chroma and rounding."""


class PictureReader(Protocol):
    """Reads a stranger's pictures, in a sandbox. Raises BadResult for what does not parse, ReaderStopped where that was
    not told."""

    def picture(self, png: Path, work: Path, size: tuple[int, int] | None = None) -> ByteArray:
        """(height, width, 3 or 4) uint8; ``size``: (width, height), refused before it is unpacked if it is another."""
        ...

    def movie_frame(self, movie: Path, work: Path, at: int, frames: int, size: tuple[int, int]) -> ByteArray:
        """(height, width, 3) uint8, even sides: frame ``at`` of a movie that has to have so many of this size."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check came to. ``reason`` is published with the vote."""

    outcome: Outcome
    reason: str
    method: Literal["tiles", "redo", "none"] = "none"
    tiles: list[TileResult] = field(default_factory=list)
    rule: str = ""
    named: list[TileResult] = field(default_factory=list)
    shadow: list[ShadowResult] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _By:
    """What an attempt is compared by. ``seen``: what the vote to judge has measured; ``named``: by frame, what others'
    rejections say differs; ``shadow``: decides nothing."""

    session: Session
    rule: Rule
    seen: Seen | None
    named: Mapping[int, list[tuple[Draw, tuple[Tile, ...]]]]
    shadow: Shadow | None


class Rejected(Exception):
    """The result is not what it has to be; the message says why."""


class Checker:
    """Checks attempts as one node. ``reader``: how strangers' pictures are parsed; ``attested``: what the registry
    calls a node's machine now, as this node's own endpoint shows it, None without one."""

    def __init__(self, parts: Parts, reader: PictureReader, attested: Callable[[int], str] | None = None) -> None:
        self._parts = parts
        self._reader = reader
        self._attested = attested
        self._machine: Machine | None = None

    def check(self, assignment: Assignment) -> Finding:
        """The finding of one attempt; ``assignment.item`` is a Verify or a PanelDuty.

        :raises NotFound, Unavailable: something cannot be had (yet). EngineStopped: this node's engine failed.
            ReaderStopped: what was delivered could not be read here.
        """
        item = assignment.item
        assert isinstance(item, Verify | PanelDuty)
        try:
            result, seen = self._result(assignment, item), self._seen(item)
            found = self._check_machine(item, result, seen)
            if found is not None:
                return found
            if assignment.task.kind is TaskKind.ASSEMBLE:
                return self._check_film(assignment, item, result, seen)
            return self._check_frames(assignment, item, result, seen)
        except (Rejected, BadResult) as error:
            return Finding(Outcome.REJECTED, str(error)[:MAX_REASON])

    def measurement(self, item: Verify | PanelDuty, finding: Finding) -> Measurement:
        """The document that is published with a vote."""
        own = self._machine
        return Measurement(
            task=item.task.id,
            attempt=item.attempt,
            node=self._parts.identity.node,
            build=self._parts.engine.build(),
            device_class=own.device_class if own else self._parts.device,
            kernel=own.kernel if own else "",
            rule=finding.rule,
            method=finding.method,
            tiles=finding.tiles,
            named=finding.named,
            shadow=finding.shadow,
            reason=finding.reason[:MAX_REASON],
        )

    def _seen(self, item: Verify | PanelDuty) -> Seen | None:
        """What the vote to judge says that was measured; None where there is none to judge."""
        if not isinstance(item, Rerun):
            return None
        try:
            return seen_by(item.outcome, item.name, self._parts.vault.document(Measurement, item.measured))
        except (BadFile, NotFound, Unavailable) as error:
            log.warning("case %s: the measurement of the vote is not to be had: %s", item.case.hex()[:8], error)
            return seen_by(item.outcome, item.name, None)

    def _whose(self, item: Verify | PanelDuty) -> int:
        """Whose tiles are drawn: one's own, but for a vote to judge."""
        return item.verifier if isinstance(item, Rerun) else self._parts.identity.node

    def _result(self, assignment: Assignment, item: Verify | PanelDuty) -> Result:
        try:
            result = self._parts.vault.document(Result, item.result)
        except BadFile as error:
            raise Rejected(f"the result document is malformed: {error}") from error
        task = assignment.task
        if (result.task, result.attempt, result.node, result.kind) != (task.id, item.attempt, item.worker, task.kind):
            raise Rejected("the result document is of another task, attempt or node")
        name, _, build = assignment.spec.request.engine.partition(" ")
        if result.engine != name or (build and result.build != build):
            raise Rejected(f"made with {result.engine} {result.build}, ordered was {assignment.spec.request.engine}")
        return result

    def _check_machine(self, item: Verify | PanelDuty, result: Result, seen: Seen | None) -> Finding | None:
        """What there is to say of a result that names another machine than its worker was drawn as, since how it is
        compared hangs on that; None where it names that one, or delivers nothing. Who accepted it is judged by tiles:
        a verifier without an endpoint has but its manager's word for what the worker was drawn as."""
        name = machine_name(result.device_class, result.kernel)
        is_anothers = bool(item.machine) and bool(result.frames or result.film) and name != item.machine
        if not is_anothers or (seen is not None and seen.outcome is Outcome.ACCEPTED):
            return None
        says = f"it names {name}, its worker was drawn as {item.machine}"
        if self._attested is None:
            return Finding(Outcome.VOID, f"{says}; this node has no endpoint of its own to ask")
        known = self._attested(item.worker)  # which a benchmark may have changed since
        return None if known == name else Finding(Outcome.REJECTED, f"{says}, and is {known or 'unmeasured'} now")

    # -- raw frames

    def _check_frames(
        self, assignment: Assignment, item: Verify | PanelDuty, result: Result, seen: Seen | None
    ) -> Finding:
        session, problem = open_package(assignment, self._parts)
        if session is None:
            return Finding(Outcome.CLIENT_FAULT, f"the package cannot be rendered: {problem}"[:MAX_REASON])
        frames = list(assignment.task.frames())
        if [frame.frame for frame in result.frames] != frames:
            raise Rejected(
                f"{len(result.frames)} frames delivered, {len(frames)} ordered; the package opens and renders"
            )
        asked = set(seen.frames(frames) if seen else frames)
        chosen = [frame for frame in result.frames if frame.frame in asked]
        committed = [Committed(frame, self._fetch_frame(assignment, frame)) for frame in chosen]
        rule, named = self._rule(session, result, seen), self._named(item)
        by = _By(session, rule, seen, named, self._shadow(assignment, session, result, seen))
        log.info("%s: fetched %d frames, rendering tiles", assignment.label, len(committed))
        return replace(self._compare(assignment, item, committed, by), shadow=by.shadow.results if by.shadow else [])

    def _compare(
        self, assignment: Assignment, item: Verify | PanelDuty, committed: Sequence[Committed], by: "_By"
    ) -> Finding:
        tiles: list[TileResult] = []
        failed = 0
        for left, each in zip(range(len(committed), 0, -1), committed, strict=True):
            if not self._parts.listing.has(key_of(item)):
                raise Later("it is decided without this node")
            confirmed = self._confirm(assignment, item, each, by)
            if confirmed:
                outcome = Outcome.REJECTED if by.rule.calibrated else Outcome.VOID
                reason = f"frame {each.frame.frame}: {len(confirmed)} tiles that another's rejection names differ"
                return Finding(outcome, reason, "tiles", tiles, by.rule.name, confirmed)
            most = min(MORE_TILES, (MAX_TILES_A_TASK - len(tiles)) // left)
            measured, verdict = self._check_frame(assignment, item, each, by, most)
            tiles, failed = tiles + measured, failed + len(verdict.failed)
            if not verdict.accepted:
                outcome = Outcome.REJECTED if by.rule.calibrated else Outcome.VOID
                return Finding(outcome, f"frame {each.frame.frame}: {verdict.reason}", "tiles", tiles, by.rule.name)
        equal = sum(tile.equal for tile in tiles)
        reason = f"{len(tiles)} tiles agree, {equal} of them bit for bit"
        if by.seen is not None and (failed or not by.rule.calibrated):
            differ = f"{failed} of {len(tiles)} tiles differ"
            doubt = differ if by.rule.calibrated else "the machines are not calibrated"
            return Finding(Outcome.VOID, f"nothing told: {doubt}", "tiles", tiles, by.rule.name)
        return Finding(Outcome.ACCEPTED, reason, "tiles", tiles, by.rule.name)

    def _fetch_frame(self, assignment: Assignment, frame: FrameResult) -> Path:
        path = self._parts.sessions.files(assignment.task.job) / f"{frame.raw.sha256.hex()}-{frame.frame}.exr"
        try:
            self._parts.vault.fetch_file(frame.raw, assignment.result_key(), assignment.raw_limit(), path)
        except BadFile as error:
            raise Rejected(f"frame {frame.frame}: {error}") from error
        return path

    def _check_frame(
        self, assignment: Assignment, item: Verify | PanelDuty, committed: Committed, by: "_By", most: int
    ) -> tuple[list[TileResult], Verdict]:
        frame = committed.frame.frame
        draw = Draw(item.seed, item.task.id, item.attempt, self._whose(item), frame)
        settings, seed = assignment.engine_settings(self._parts.device), assignment.seed(item.worker, frame)
        again = by.seen.tiles.get(frame, ()) if by.seen else ()
        watch = by.shadow.watch if by.shadow else None
        try:
            found = check_frame(by.session, settings, seed, committed, draw, by.rule, most, again, watch)
        except BadResult as error:
            raise Rejected(f"frame {frame}: {error}") from error
        if by.shadow:
            by.shadow.end(frame)
        committed.path.unlink()
        return found

    def _named(self, item: Verify | PanelDuty) -> dict[int, list[tuple[Draw, tuple[Tile, ...]]]]:
        """By frame, what the rejections of an attempt say differs, the worst first. One whose measurement is not to be
        had names nothing: no storage speaks against a worker."""
        found: dict[int, list[tuple[Draw, tuple[Tile, ...]]]] = {}
        for vote in item.named:
            try:
                theirs = self._parts.vault.document(Measurement, vote.measured)
            except (BadFile, NotFound, Unavailable) as error:
                log.warning("task %s: a rejection's measurement is not to be had: %s", item.task.id.hex()[:8], error)
                continue
            name = item.task.id, item.attempt, vote.verifier
            for frame, tiles in differing(name, theirs).items():
                draw = Draw(vote.seed, item.task.id, item.attempt, vote.verifier, frame)
                found.setdefault(frame, []).append((draw, tiles))
        return found

    def _confirm(
        self, assignment: Assignment, item: Verify | PanelDuty, committed: Committed, by: "_By"
    ) -> list[TileResult]:
        """The tiles of another's rejection that differ here too. One without tiles has all pixels read, no more."""
        if not item.named:
            return []
        frame = committed.frame.frame
        settings, seed = assignment.engine_settings(self._parts.device), assignment.seed(item.worker, frame)
        try:
            return confirm(by.session, settings, seed, committed, by.named.get(frame, []), by.rule)
        except BadResult as error:
            raise Rejected(f"frame {frame}: {error}") from error

    def _shadow(self, assignment: Assignment, session: Session, result: Result, seen: Seen | None) -> Shadow | None:
        """Of the calibration that this node tries, where it knows these two; a vote judged again was in it already."""
        tried = self._parts.shadow
        if tried is None or seen is not None:
            return None
        frame = assignment.engine_settings(self._parts.device)
        rule = self._between(tried, session.machine(), result).of_frame(frame.width, frame.height)
        return Shadow(rule) if rule.calibrated else None

    def _rule(self, session: Session, result: Result, seen: Seen | None) -> Rule:
        """By which thresholds two nodes are compared: a difference blames only where it was measured what is normal."""
        own = self._machine = session.machine()
        if seen is not None:
            return rule_against(seen, result, Made(self._parts.engine.build(), own.device_class, own.kernel))
        return self._between(load_calibration(), own, result)

    def _between(self, calibration: Calibration, own: Machine, result: Result) -> Rule:
        return calibration.rule(
            result.device_class,
            own.device_class,
            same_build=result.build == self._parts.engine.build(),
            same_kernel=own.kernel != "" and result.kernel == own.kernel,
        )

    # -- films

    def _check_film(
        self, assignment: Assignment, item: Verify | PanelDuty, result: Result, seen: Seen | None
    ) -> Finding:
        frames = list(assignment.task.frames())
        film = result.film
        if film is None or len(film.stills) != len(frames):
            raise Rejected(f"the film has {len(film.stills) if film else 0} stills, {len(frames)} were ordered")
        vault, key = self._parts.vault, assignment.result_key()
        folder = self._parts.sessions.files(assignment.task.job)
        limit = assignment.picture_limit()
        wanted = [(ref, limit) for ref in film.stills]
        wanted += [(film.movie, limit * (len(frames) + 4)), (film.contact_sheet, 16 * limit)]
        try:
            for ref, most in wanted:
                vault.fetch_file(ref, key, most, folder / ref.sha256.hex())
        except BadFile as error:
            raise Rejected(f"the film: {error}") from error
        drawn = redo_frame(item.seed, item.task.id, item.attempt, self._whose(item), frames)
        return self._redo(assignment, result, seen, drawn, film)

    def _redo(self, assignment: Assignment, result: Result, seen: Seen | None, drawn: int, film: Film) -> Finding:
        session, problem = open_package(assignment, self._parts)
        if session is None:
            return Finding(Outcome.VOID, f"the package of accepted frames does not open here: {problem}"[:MAX_REASON])
        ref, key = raw_frames(assignment, self._parts.vault)[drawn]
        folder = self._parts.sessions.files(assignment.task.job)
        raw = folder / f"{ref.sha256.hex()}.exr"
        self._parts.vault.fetch_file(ref, key, assignment.raw_limit(), raw)
        try:
            mine = self._reader.picture(session.assemble_frame(drawn, raw).path, folder / "own.reading")
        except BadResult as error:  # which is no fault of who makes the film
            return Finding(Outcome.VOID, f"frame {drawn}, which was accepted, cannot be finished: {error}"[:MAX_REASON])
        height, width = mine.shape[:2]
        frames = list(assignment.task.frames())
        at = frames.index(drawn)
        still = folder / film.stills[at].sha256.hex()
        theirs = self._reader.picture(still, folder / "theirs.reading", (width, height))
        found = measure_picture(theirs, mine)
        verdict = judge_picture(found)
        tile = TileResult(
            frame=drawn,
            x=0,
            y=0,
            width=width,
            height=height,
            share_ppm=found.share_ppm,
            informative=True,
            equal=found.equal,
        )
        rule = self._rule(session, result, seen)
        agrees = Outcome.ACCEPTED if seen is None or rule.calibrated else Outcome.VOID
        # How far finished pictures of two kernels differ was never counted.
        differs = Outcome.REJECTED if rule.calibrated and rule.exact else Outcome.VOID
        outcome = agrees if verdict.accepted else differs
        off = self._off_in_movie(folder, film, theirs, at, len(frames)) if outcome is Outcome.ACCEPTED else 0.0
        if off > MOVIE_LEVELS:  # how far an encoder is off was not counted: nobody is blamed for it
            return Finding(Outcome.VOID, f"frame {drawn} of the movie is {off:.0f} levels off its still on average")
        return Finding(outcome, f"frame {drawn}: {verdict.reason}"[:MAX_REASON], "redo", [tile])

    def _off_in_movie(self, folder: Path, film: Film, still: ByteArray, at: int, frames: int) -> float:
        """By how many levels a still is off its place in the movie, on average. Raises BadResult for a movie that does
        not play, or lacks frames."""
        height, width = still.shape[:2]
        movie = folder / film.movie.sha256.hex()
        shown = self._reader.movie_frame(movie, folder / "movie.reading", at, frames, (width, height))
        even = still[: shown.shape[0], : shown.shape[1], :3].astype(np.int16)
        return float(np.abs(shown.astype(np.int16) - even).mean())
