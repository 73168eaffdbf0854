# SPDX-License-Identifier: Apache-2.0
"""How a verifier checks an attempt: is the result there, is it what was committed to, does it repeat?

What was had and is wrong is the worker's fault: rejected. A package that does not open is the client's: client_fault.
What cannot be had raises `NotFound` or `Unavailable`, and the caller tries again while there is time. A difference from
a worker on another build or kind of device is not calibrated: it is void, nobody's fault, never a rejection.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol

from inferix.models.result import FrameResult, Measurement, Result, TileResult
from inferix.models.roles import Outcome, TaskKind
from inferix.models.work import PanelDuty, Verify
from inferix.proofs.assembly import ByteArray, judge_picture, measure_picture
from inferix.proofs.rendering import Verdict, judge, measure, redo_frame, tile_plan
from node.assignment import Assignment, raw_frames
from node.engines import BadResult, FloatArray, RenderSettings, Session
from node.engines.exr import crop, pixels_sha256
from node.executor import Later
from node.parts import Parts, key_of
from node.rendering import open_package
from node.vault import BadFile

log = logging.getLogger(__name__)

TILES: Final = 10
MORE_TILES: Final = 30  # where ten had too little noise in them to tell a forgery
MAX_TILES_A_TASK: Final = 1_200  # so that the measurement fits one document
MAX_REASON: Final = 500


class FrameReader(Protocol):
    """Reads a stranger's pictures, in a sandbox. Raises BadResult for what does not parse."""

    def frame(self, exr: Path, settings: RenderSettings, work: Path) -> FloatArray:
        """All pixels of a raw frame, (height, width, 4) float32."""
        ...

    def picture(self, png: Path, work: Path) -> ByteArray:
        """(height, width, 3 or 4) uint8."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check came to. ``reason`` is published with the vote."""

    outcome: Outcome
    reason: str
    method: Literal["tiles", "redo", "none"] = "none"
    tiles: list[TileResult] = field(default_factory=list)


class Rejected(Exception):
    """The result is not what it has to be; the message says why."""


class Checker:
    """Checks attempts as one node. ``reader``: how strangers' files are parsed."""

    def __init__(self, parts: Parts, reader: FrameReader) -> None:
        self._parts = parts
        self._reader = reader
        self._device_class = "cpu" if parts.device == "cpu" else ""

    def check(self, assignment: Assignment) -> Finding:
        """The finding of one attempt; ``assignment.item`` is a Verify or a PanelDuty.

        :raises NotFound, Unavailable: something cannot be had (yet). EngineStopped: this node's engine failed.
        """
        item = assignment.item
        assert isinstance(item, Verify | PanelDuty)
        try:
            result = self._result(assignment, item)
            if assignment.task.kind is TaskKind.ASSEMBLE:
                return self._check_film(assignment, item, result)
            return self._check_frames(assignment, item, result)
        except (Rejected, BadResult) as error:
            return Finding(Outcome.REJECTED, str(error)[:MAX_REASON])

    def measurement(self, item: Verify | PanelDuty, finding: Finding) -> Measurement:
        """The document that is published with a vote."""
        return Measurement(
            task=item.task.id,
            attempt=item.attempt,
            node=self._parts.identity.node,
            build=self._parts.engine.build(),
            device_class=self._device_class or self._parts.device,
            method=finding.method,
            tiles=finding.tiles,
            reason=finding.reason[:MAX_REASON],
        )

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

    # -- raw frames

    def _check_frames(self, assignment: Assignment, item: Verify | PanelDuty, result: Result) -> Finding:
        session, problem = open_package(assignment, self._parts)
        if session is None:
            return Finding(Outcome.CLIENT_FAULT, f"the package cannot be rendered: {problem}"[:MAX_REASON])
        frames = list(assignment.task.frames())
        if [frame.frame for frame in result.frames] != frames:
            raise Rejected(
                f"{len(result.frames)} frames delivered, {len(frames)} ordered; the package opens and renders"
            )
        paths = [self._fetch_frame(assignment, frame) for frame in result.frames]
        log.info("%s: fetched %d frames, rendering tiles", assignment.label, len(paths))
        tiles: list[TileResult] = []
        for frame, path in zip(result.frames, paths, strict=True):
            if not self._parts.listing.has(key_of(item)):
                raise Later("it is decided without this node")
            measured, verdict = self._check_frame(assignment, item, session, frame, path)
            tiles += measured
            if not verdict.accepted:
                outcome = self._blame(session, result)
                reason = f"frame {frame.frame}: {verdict.reason}"
                return Finding(outcome, reason, "tiles", tiles)
        equal = sum(tile.equal for tile in tiles)
        return Finding(Outcome.ACCEPTED, f"{len(tiles)} tiles agree, {equal} of them bit for bit", "tiles", tiles)

    def _fetch_frame(self, assignment: Assignment, frame: FrameResult) -> Path:
        path = self._parts.sessions.files(assignment.task.job) / f"{frame.raw.sha256.hex()}-{frame.frame}.exr"
        try:
            self._parts.vault.fetch_file(frame.raw, assignment.result_key(), assignment.raw_limit(), path)
        except BadFile as error:
            raise Rejected(f"frame {frame.frame}: {error}") from error
        return path

    def _check_frame(
        self, assignment: Assignment, item: Verify | PanelDuty, session: Session, frame: FrameResult, path: Path
    ) -> tuple[list[TileResult], Verdict]:
        settings = assignment.engine_settings(self._parts.device)
        work = path.with_suffix(".reading")
        pixels = self._reader.frame(path, settings, work)
        if pixels_sha256(pixels) != frame.pixels:
            raise Rejected(f"frame {frame.frame}: its pixels are not those that were committed to")
        path.unlink()
        count = max(1, min(TILES, MAX_TILES_A_TASK // len(assignment.task.frames())))
        measured, verdict = self._measure(assignment, item, session, frame.frame, pixels, count)
        if verdict.accepted and not verdict.conclusive and count == TILES:
            more = max(TILES, min(MORE_TILES, MAX_TILES_A_TASK // len(assignment.task.frames())))
            measured, verdict = self._measure(assignment, item, session, frame.frame, pixels, more)
        return measured, verdict

    def _measure(
        self,
        assignment: Assignment,
        item: Verify | PanelDuty,
        session: Session,
        frame: int,
        pixels: FloatArray,
        count: int,
    ) -> tuple[list[TileResult], Verdict]:
        settings = assignment.engine_settings(self._parts.device)
        seed = assignment.seed(item.worker, frame)
        own = self._parts.identity.node
        noise = session.noise_map(frame, seed, settings)
        plan = tile_plan(
            item.seed, item.task.id, item.attempt, own, frame, settings.width, settings.height, count, noise=noise
        )
        redone = session.tiles(frame, seed, settings, plan)
        measures = [measure(crop(pixels, tile), mine) for tile, mine in zip(plan, redone, strict=True)]
        results = [
            TileResult(
                frame=frame,
                x=tile.x,
                y=tile.y,
                width=tile.width,
                height=tile.height,
                share_ppm=found.share_ppm,
                informative=found.informative,
                equal=found.equal,
            )
            for tile, found in zip(plan, measures, strict=True)
        ]
        return results, judge(measures)

    def _blame(self, session: Session, result: Result) -> Outcome:
        """Whose fault a difference is: the worker's only where both nodes run one build on one kind of device."""
        if not self._device_class:
            self._device_class = session.render(0, 0, RenderSettings(4, 4, 1, self._parts.device)).device_class
        same = result.build == self._parts.engine.build() and result.device_class == self._device_class
        return Outcome.REJECTED if same else Outcome.VOID

    # -- films

    def _check_film(self, assignment: Assignment, item: Verify | PanelDuty, result: Result) -> Finding:
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
        drawn = redo_frame(item.seed, item.task.id, item.attempt, self._parts.identity.node, frames)
        return self._redo(assignment, result, drawn, folder / film.stills[frames.index(drawn)].sha256.hex())

    def _redo(self, assignment: Assignment, result: Result, drawn: int, still: Path) -> Finding:
        session, problem = open_package(assignment, self._parts)
        if session is None:
            return Finding(Outcome.VOID, f"the package of accepted frames does not open here: {problem}"[:MAX_REASON])
        ref, key = raw_frames(assignment, self._parts.vault)[drawn]
        folder = self._parts.sessions.files(assignment.task.job)
        raw = folder / f"{ref.sha256.hex()}.exr"
        self._parts.vault.fetch_file(ref, key, assignment.raw_limit(), raw)
        mine = self._reader.picture(session.assemble_frame(drawn, raw).path, folder / "own.reading")
        theirs = self._reader.picture(still, folder / "theirs.reading")
        found = measure_picture(theirs, mine)
        verdict = judge_picture(found)
        height, width = mine.shape[:2]
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
        outcome = Outcome.ACCEPTED if verdict.accepted else self._blame(session, result)
        return Finding(outcome, f"frame {drawn}: {verdict.reason}"[:MAX_REASON], "redo", [tile])
