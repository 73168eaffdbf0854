# SPDX-License-Identifier: Apache-2.0
"""Inferix Bench: a random seed for the sample scene, timed here from the keeper's request to the committed raw pass.

The node's own clock says nothing. The answer is checked by re-rendering secret tiles before it is attested on chain.
One challenge at a time: nodes on one machine would slow each other down.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from inferix.chain.errors import CallReverted, GivenUp
from inferix.errors import InferixError, Unavailable
from inferix.machines import machine_name, to_bytes32
from inferix.messages import Benchmark
from inferix.models.result import Result
from inferix.models.roles import NodeStatus, Role
from inferix.plugins import engine_values, read_crops
from inferix.proofs.rendering import (
    Rule,
    TileMeasure,
    TileTest,
    Tolerance,
    judge,
    load_calibration,
    measure,
    tile_plan,
)
from inferix.replay import Network
from inferix.storage import Cid, OwnedStore
from inferix.storage.database import Database
from inferix.storage.documents import get_document
from inferix.storage.files import remove_folder
from inferix.storage.follower import Follower
from inferix.storage.tables import Challenge, Message, NodeSeen
from keepers.sample import SampleScene

log = logging.getLogger(__name__)

CHALLENGE_SECONDS = 600
SEEN_SECONDS = 60
TILES = 10
TOLERANCE = Tolerance(absolute_ppm=1_000, relative_ppm=4_000, max_share_ppm=20_000)
"""Of the sample scene, which is known to be easy to repeat: of a tile a pixel may be off. The calibration's is for all
scenes and lets a third be off; here who left out a seventh of each tile would pass for a faster machine."""
LATE = "no answer in time"
MAX_RAW = 2**30


def rest_after(false: int) -> int:
    """Seconds for which nobody is measured whose last answers, so many, were false: guesses are to be few."""
    return min(60 << false, 86_400) if false else 0


def decide_challenge(
    network: Network, manager: int, seen: dict[int, int], open_nodes: set[int], tried: dict[int, int]
) -> int | None:
    """The worker to measure next: active, not measured or asking this manager for it, alive; the least often tried
    first."""
    waiting = [
        node.id
        for node in network.nodes.values()
        if node.role is Role.WORKER
        and node.status is NodeStatus.ACTIVE
        and (node.ib == 0 or node.measured_by == manager)
        and seen.get(node.id, 0) > network.time - SEEN_SECONDS
    ]
    if open_nodes or not waiting:
        return None
    return min(waiting, key=lambda node: (tried.get(node, 0), node))


def resting(challenges: Iterable[Challenge], now: int) -> set[int]:
    """Nodes that are not measured again yet: false answers since the last true one make the next one later."""
    false: dict[int, int] = {}
    last: dict[int, int] = {}
    for row in sorted(challenges, key=lambda row: row.answered_at_wall_ms):
        if row.state == "attested":
            false.pop(row.node, None)
        elif row.state == "failed" and row.reason != LATE:
            false[row.node] = false.get(row.node, 0) + 1
            last[row.node] = row.answered_at_wall_ms // 1_000
    return {node for node, count in false.items() if now < last[node] + rest_after(count)}


@dataclass
class Bench:
    """``attest(node, ib, machine)`` sends the result to the chain, once; ``uncalibrated``: of any device class."""

    database: Database
    follower: Follower
    store: OwnedStore
    manager: int
    engine: Callable[[], Any]
    sample: SampleScene
    work: Path
    attest: Callable[[int, int, str], object]
    uncalibrated: bool = False
    _session: Any = field(default=None, init=False)
    _unfetched: dict[bytes, float] = field(default_factory=dict, init=False)

    def cycle(self) -> None:
        """Checks an answer, or sends the next challenge."""
        with self.database.session() as session:
            rows = session.exec(select(Challenge).where(col(Challenge.state).in_(("sent", "answered")))).all()
            for row in rows:
                if row.state == "sent" and self._is_stale(row):
                    row.state, row.reason = "failed", LATE
                    session.add(row)
        answered = next((row for row in rows if row.state == "answered"), None)
        if answered is not None:
            self._check(answered)
        else:
            self._send({row.node for row in rows if row.state == "sent"})

    def _is_stale(self, row: Challenge) -> bool:
        """Not answered, or not even fetched by a node that went away: it would hold up all others."""
        if row.sent_at_wall_ms:
            return row.sent_at_wall_ms < (time.time() - CHALLENGE_SECONDS) * 1_000
        first_seen = self._unfetched.setdefault(row.id, time.monotonic())
        return time.monotonic() > first_seen + SEEN_SECONDS

    def _send(self, open_nodes: set[int]) -> None:
        with self.database.reading() as session:
            seen = {row.node: row.seen_at for row in session.exec(select(NodeSeen))}
            challenges = session.exec(select(Challenge)).all()
            rows = [(row.node, row.state, row.sent_at_wall_ms) for row in challenges]
            for other in resting(challenges, int(time.time())):
                seen.pop(other, None)
        tried: dict[int, int] = {}
        with self.follower.reading() as network:
            for other, state, sent_at in rows:
                tried[other] = tried.get(other, 0) + 1
                # Its attestation is on the chain, or on its way there; unless it was asked for anew since.
                if state == "attested" and sent_at > network.nodes[other].asked_at * 1_000:
                    seen.pop(other, None)
            node = decide_challenge(network, self.manager, seen, open_nodes, tried)
        if node is None:
            if not open_nodes:
                self._rest()
            return
        with self.sample.path.open("rb") as file:
            scene = self.store.add(file)
        self.store.pin(scene)
        challenge = Challenge(
            id=secrets.token_bytes(32), node=node, scene=str(scene), seed=secrets.randbelow(2**31 - 1)
        )
        with self.database.session() as session:
            session.add(challenge)
        log.info("benchmark challenge for node %d", node)

    def _check(self, row: Challenge) -> None:
        try:
            machine = self._verified(row)
            reason = ""
        except Unavailable:
            raise
        except InferixError as error:
            machine, reason = "", str(error)
        ib = self.sample.speed(row.answered_at_wall_ms - row.sent_at_wall_ms) if not reason else 0
        if not reason:
            try:
                self.attest(row.node, ib, machine)
            except (CallReverted, GivenUp) as error:  # another manager was first, say: it holds up nobody
                reason = f"the contract refuses it: {error}"
        with self.database.session() as session:
            kept = session.get(Challenge, row.id)
            assert kept is not None
            kept.state, kept.ib, kept.reason = ("failed" if reason else "attested"), ib, reason[:300]
            session.add(kept)
        log.info("node %d: %s", row.node, reason or f"{ib} micro-IB on {machine}")

    def _verified(self, row: Challenge) -> str:
        """The machine's name, of a true answer; raises what is wrong with a false one."""
        with self.database.reading() as session:
            wanted = select(Message).where(Message.kind == "Benchmark", Message.task == row.id)
            message = session.exec(wanted).first()
        if message is None:
            raise Unavailable("the answer's message is not in the database yet", 1)
        result = get_document(self.store, Result, Benchmark.from_body(message.body).result)
        if len(result.frames) != 1:
            raise _False("it holds no frame")
        machine = attestable(result, self.uncalibrated)
        folder = self.work / f"bench-{row.id.hex()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            raw = folder / "raw.exr"
            with raw.open("wb") as file:
                for piece in self.store.open(Cid.parse(result.frames[0].raw.cid), MAX_RAW):
                    file.write(piece)
            self._compare(row, raw, folder)
        finally:
            remove_folder(folder)
        return machine

    def _compare(self, row: Challenge, raw: Path, folder: Path) -> None:
        session = self._warm_session()
        scene = session.inspect()
        settings = engine_values().RenderSettings(scene.width, scene.height, scene.samples)
        tiles = tile_plan(
            secrets.token_bytes(32), row.id, 0, self.manager, scene.first_frame, scene.width, scene.height, count=TILES
        )
        try:
            redone = session.tiles(scene.first_frame, row.seed, settings, tiles)
        except InferixError:
            self._rest()  # whatever ended it, the next check starts a fresh one
            raise
        given = read_crops(raw, settings, tiles, folder / "crops")
        rule = replace(load_calibration().rule("cpu", "cpu"), tolerance=TOLERANCE)
        found = [measure(mine, again, rule.tolerance) for mine, again in zip(given, redone, strict=True)]
        says = why_not_the_same(found, rule)
        if says:
            raise _False(f"it is not the raw pass of the challenge: {says}")

    def _warm_session(self) -> Any:
        """One engine session for a row of checks."""
        if self._session is None:
            self._session = self.engine().open(self.sample.path, self.work / "bench-session")
        return self._session

    def _rest(self) -> None:
        """Ends the session: nobody is left to measure."""
        if self._session is not None:
            self._session.close()
            self._session = None
            remove_folder(self.work / "bench-session")


def attestable(result: Result, uncalibrated: bool) -> str:
    """The name of the machine that a benchmark says it was made by, as it may stand on chain; ``uncalibrated``: of any
    device class. Raises what is wrong with it."""
    device_class = result.device_class
    if not (uncalibrated or load_calibration().rule(device_class, device_class).calibrated):
        raise _False(
            f"machines of device class {device_class} were never compared, so that no difference blames them: "
            "`inferix bench agreement` compares them; INFERIX_UNCALIBRATED=true attests them all the same"
        )
    name = machine_name(device_class, result.kernel)
    to_bytes32(name)  # which refuses what has no place there
    return name


def why_not_the_same(found: Sequence[TileMeasure], rule: Rule) -> str:
    """What is wrong with the tiles of an answer, empty where nothing is. None may differ: a test that stops when it is
    sure looks at three, and half a frame of noise passes that in one of eight tries."""
    verdict, failed = judge(found, rule), sum(map(TileTest(rule).fails, found))
    return "" if verdict.accepted and not failed else f"{verdict.reason}; {failed} of {len(found)} tiles differ"


class _False(InferixError):
    """The answer to a challenge is wrong."""
