# SPDX-License-Identifier: Apache-2.0
"""Quotes: the client's scene previewed beside the unit scene in the sandbox, then a signed price.

W of a frame = its cost over the unit frame's, times the unit frame's work (T0 minutes at 1 IB). Measured in one
process on one machine, so the machine's speed cancels out. A scene that cannot be rendered, or is not whole in
storage, is refused with every problem in words, or it would hold up all others; a failure of ours leaves it waiting.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from inferix import jobkeys, sealing
from inferix.errors import Corrupt, InferixError, InvalidInput, LimitExceeded, NotFound
from inferix.messages import Quote
from inferix.models.job import MAX_FRAME_WORK, QuoteRequest
from inferix.models.roles import Role
from inferix.plugins import engine_values
from inferix.replay import Network
from inferix.replay.accounting import eligible
from inferix.replay.cheating import by_device_class
from inferix.storage import BlobStore, Cid
from inferix.storage.database import Database
from inferix.storage.files import remove_folder
from inferix.storage.follower import Follower
from inferix.storage.tables import QuoteJob, SealedKey
from inferix.units import format_usd
from keepers.sample import SampleScene

log = logging.getLogger(__name__)

QUOTE_SECONDS = 3_600
MAX_PACKAGE = 16 * 2**30
NANO_IBM_PER_MILLISECOND = 10**9 / 60_000


@dataclass(frozen=True)
class Quoter:
    """The manager's quotes. ``engine``: makes the sandboxed engine; ``work``: a private folder."""

    database: Database
    follower: Follower
    store: BlobStore
    manager: int
    operator_key: bytes
    sealing_key: bytes
    engine: Callable[[], Any]
    sample: SampleScene
    work: Path

    def cycle(self) -> None:
        """Answers the oldest quote that is asked of this manager."""
        with self.database.session() as session:
            rows = (
                select(QuoteJob).where(col(QuoteJob.state).in_(("waiting", "running"))).order_by(col(QuoteJob.asked_at))
            )
            row = next((item for item in session.exec(rows) if _request(item).manager == self.manager), None)
            if row is None:
                return
            sealed = session.get(SealedKey, (row.id, self.manager))
            row.state = "running"
            session.add(row)
        request = _request(row)
        log.info("quote %s: previewing %d frames", row.id.hex()[:12], len(request.settings.frames()))
        try:
            key = sealing.open_key(sealed.sealed if sealed else b"", self.sealing_key)
            if jobkeys.commitment(key) != request.key:
                raise InvalidInput("the sealed key is not the one that the request commits to: ask anew with that one")
            ratio, problems = self._preview(row.id, request, jobkeys.input_key(key))
        except NotFound:
            says = "the sealed package is not whole in storage: upload it again, then ask anew"
            ratio, problems = 0.0, [_error("input", says)]
        except LimitExceeded:
            says = f"the sealed package has more than {MAX_PACKAGE:,} bytes: make the scene smaller"
            ratio, problems = 0.0, [_error("input", says)]
        except (Corrupt, InvalidInput) as error:
            ratio, problems = 0.0, [_error("input", str(error))]
        self._answer(row.id, request, ratio, problems)

    def _preview(self, quote: bytes, request: QuoteRequest, key: sealing.JobKey) -> tuple[float, list[dict[str, str]]]:
        """(unit frames a frame, problems)."""
        folder = self.work / f"quote-{quote.hex()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            package = folder / "package.blend"
            with package.open("wb") as file:
                for piece in sealing.open_stream(key, self.store.open(Cid.parse(request.input), MAX_PACKAGE)):
                    file.write(piece)
            return self._measure(package, folder, request)
        finally:
            remove_folder(folder)

    def _measure(self, package: Path, folder: Path, request: QuoteRequest) -> tuple[float, list[dict[str, str]]]:
        values, settings, engine = engine_values(), request.settings, self.engine()
        asked = values.Request(settings.first_frame, settings.last_frame, settings.width, settings.height)
        choice = values.Choice(**settings.choice())
        report = engine.inspect(package, asked, choice)
        problems = [
            {"code": problem.code, "message": problem.message, "severity": problem.severity}
            for problem in report.problems
        ]
        if not report.ok:
            return 0.0, problems
        middle = (settings.first_frame + settings.last_frame) // 2
        try:
            with engine.open(package, folder / "session", None, choice) as session:
                preview = session.preview(middle, self.sample.path)
        except values.EngineStopped as error:
            says = f"the preview of frame {middle} ended before its time: {error}; make the scene lighter"
            return 0.0, [_error("stopped", says)]
        return preview.ratio(values.RenderSettings(settings.width, settings.height, settings.samples)), problems

    def _answer(self, quote: bytes, request: QuoteRequest, ratio: float, problems: list[dict[str, str]]) -> None:
        work = max(1, round(ratio * self.sample.t0_milliseconds * NANO_IBM_PER_MILLISECOND))
        if work > MAX_FRAME_WORK:
            says = f"a frame of it is worth {ratio:.2e} unit frames: order fewer pixels or samples"
            work, problems = 1, [_error("work", says)]
        with self.follower.reading() as network:
            low, high = price_range(network)
            expires = network.time + QUOTE_SECONDS
            domain = network.domain
            cheating = by_device_class(network, work, high)
        with self.database.session() as session:
            row = session.get(QuoteJob, quote)
            assert row is not None
            row.problems = problems
            refused = any(problem["severity"] == "error" for problem in problems)
            row.state = "refused" if refused else "ready"
            if not refused:
                signed = Quote(
                    manager=self.manager,
                    request=request.digest(),
                    work=work,
                    low_price=low,
                    high_price=high,
                    expires=expires,
                )
                row.work, row.low_price, row.high_price, row.expires = work, low, high, expires
                row.signature = signed.sign(domain, self.operator_key)
            session.add(row)
        if refused:
            log.info("quote %s: refused", quote.hex()[:12])
            return
        log.info("quote %s: %.2f unit frames a frame", quote.hex()[:12], ratio)
        for item in cheating:
            value, found = format_usd(item.expected_value), item.found_ppm / 10_000
            log.info(
                "cheating a frame of it on %s has expected value %s: %.2f %% found", item.device_class, value, found
            )


def _error(code: str, says: str) -> dict[str, str]:
    return {"code": code, "message": says, "severity": "error"}


def price_range(network: Network) -> tuple[int, int]:
    """Lowest and highest price of the workers that can be drawn, nano-USD per IBM; the default when there are none."""
    prices = [node.price for node in network.nodes.values() if node.role is Role.WORKER and eligible(node)]
    floor, default = network.parameters["price_floor"], network.parameters["price_default"]
    return max(floor, min(prices, default=default)), max(floor, max(prices, default=default))


def _request(row: QuoteJob) -> QuoteRequest:
    try:
        return QuoteRequest.decode(row.request)
    except InferixError as error:
        raise Corrupt(f"quote {row.id.hex()} is damaged in the database: {error}") from error
