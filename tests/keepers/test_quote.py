# SPDX-License-Identifier: Apache-2.0
"""Quotes: what a client sends is priced or refused with every reason, and never holds up the next one's."""

import errno
import logging
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from inferix import jobkeys, sealing
from inferix.errors import Unavailable
from inferix.messages import Quote
from inferix.models.job import QuoteRequest, RenderSettings
from inferix.replay.cheating import by_device_class
from inferix.sealing import JobKey
from inferix.storage.database import Database
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.follower import Follower
from inferix.storage.tables import QuoteJob, SealedKey
from inferix.units import format_usd
from keepers.quote import Quoter, price_range
from keepers.sample import SampleScene, load_sample
from node.engines import Cost, EngineSettings, Preview
from node.engines import RenderSettings as EngineRenderSettings
from node.engines.blender.host import BlenderEngine
from tests.client.plain_engine import PlainEngine
from tests.node.noise_engine import NoiseSession
from tests.replay.chain import DOMAIN, MANAGER, Chain, address, key
from tests.storage.test_files import dig, ordinary_stack

KEY = JobKey(b"\x07" * 32)
ROOT = Path(__file__).parents[2]
SECRET, PUBLIC = sealing.sealing_keypair()
UNIT = SampleScene(ROOT / "assets/scenes/unit.blend", 60_000)


class PricedSession(NoiseSession):
    """``SCENE heavy`` costs ten times the unit frame, ``SCENE endless`` more than any order can hold."""

    def preview(self, frame: int, unit: Path) -> Preview:
        self._check()
        factor = 10.0 if b"heavy" in self._scene else 3e13 if b"endless" in self._scene else 1.0
        return Preview(Cost(factor, 0.0), Cost(1.0, 0.0), EngineRenderSettings(64, 48, 4))


class PricedEngine(PlainEngine):
    """The noise engine with previews."""

    def open(self, package: Path, work: Path, on_progress: Any = None, choice: Any = None) -> PricedSession:
        super().open(package, work)
        return PricedSession(self, package.read_bytes(), work, on_progress or (lambda _: None))


class Desk:
    """A manager's quotes over a database and a store; ``ask`` as a client does, through the API."""

    def __init__(self, database: Database, store: EmbeddedStore, folder: Path) -> None:
        self.database, self.store, self.work = database, store, folder / "work"
        self.chain = Chain()
        self.chain.start()
        self.engine: Callable[[], Any] = lambda: PricedEngine(EngineSettings())
        self.sample = UNIT

    def quoter(self) -> Quoter:
        """The loop as a program just started has it."""
        follower = Follower(self.database, DOMAIN, 0)
        follower._network = self.chain.network
        keys = (key(MANAGER), SECRET)
        return Quoter(self.database, follower, self.store, MANAGER, *keys, self.engine, self.sample, self.work)

    def ask(self, scene: bytes, *, key: JobKey = KEY, seal_to: bytes = PUBLIC, **settings: int) -> bytes:
        sealed = b"".join(sealing.seal_stream(jobkeys.input_key(key), [scene]))
        return self.ask_for(str(self.store.add(sealed)), len(scene), seal_to, **settings)

    def ask_for(
        self,
        cid: str,
        size: int = 1,
        seal_to: bytes = PUBLIC,
        committed: bytes = jobkeys.commitment(KEY),
        **settings: int,
    ) -> bytes:
        wanted = {"first_frame": 1, "last_frame": 2, "width": 64, "height": 48, "samples": 4, **settings}
        request = QuoteRequest(
            manager=MANAGER,
            input=cid,
            input_bytes=size,
            key=committed,
            engine="noise",
            settings=RenderSettings(**wanted),
        )
        quote = QuoteJob(id=secrets.token_bytes(32), owner=address(0), request=request.encode(), asked_at=self.tick())
        with self.database.session() as session:
            session.add(quote)
            session.add(SealedKey(subject=quote.id, node=MANAGER, sealed=sealing.seal_key(KEY, seal_to)))
            return quote.id

    def tick(self) -> int:
        self.chain.wait()
        return self.chain.time

    def answer(self, quote: bytes) -> QuoteJob:
        with self.database.reading() as session:
            row = session.get(QuoteJob, quote)
            assert row is not None
            return row

    def problems(self, quote: bytes) -> list[str]:
        row = self.answer(quote)
        assert (row.state, row.signature) == ("refused", None)
        return [problem["message"] for problem in row.problems or []]


@pytest.fixture
def desk(database: Database, store: EmbeddedStore, tmp_path: Path) -> Desk:
    return Desk(database, store, tmp_path)


def test_a_scene_is_priced_by_its_cost_and_signed(desk: Desk) -> None:
    plain, heavy = desk.ask(b"SCENE plain"), desk.ask(b"SCENE heavy")
    quoter = desk.quoter()
    quoter.cycle()
    quoter.cycle()
    quoter.cycle()  # nothing is left to do
    row = desk.answer(plain)
    assert (row.state, row.work) == ("ready", 10**9)  # one unit frame, a minute at 1 IB
    assert (row.low_price, row.high_price) == price_range(desk.chain.network) == (16_000_000, 16_000_000)
    request = QuoteRequest.decode(row.request)
    quote = Quote(
        manager=MANAGER, request=request.digest(), work=row.work, low_price=row.low_price, high_price=row.high_price,
        expires=row.expires,
    )  # fmt: skip
    assert row.signature is not None
    assert quote.signer(DOMAIN, row.signature) == address(MANAGER)
    assert desk.answer(heavy).work == 10 * 10**9
    assert list(desk.work.iterdir()) == []


class DiggingEngine(PricedEngine):
    """The scene leaves folders behind, each in the one before."""

    def open(self, package: Path, work: Path, on_progress: Any = None, choice: Any = None) -> PricedSession:
        session = super().open(package, work, on_progress, choice)
        dig(package.parent, 1_500)
        return session


def test_attack_a_scene_that_leaves_a_folder_a_thousand_deep_holds_up_no_other(desk: Desk) -> None:
    """The oldest quote stayed `running`, and was the only one that was ever looked at."""
    desk.engine = lambda: DiggingEngine(EngineSettings())
    first, second = desk.ask(b"SCENE plain"), desk.ask(b"SCENE plain")
    quoter = desk.quoter()
    with ordinary_stack():
        quoter.cycle()
        quoter.cycle()
    assert (desk.answer(first).state, desk.answer(second).state) == ("ready", "ready")
    assert list(desk.work.iterdir()) == []


def test_what_cheating_would_bring_is_logged_with_a_price_and_not_of_what_is_refused(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "keepers.quote")
    desk.ask(b"SCENE broken")
    desk.quoter().cycle()
    assert "cheating" not in caplog.text
    quote = desk.ask(b"SCENE plain")
    desk.quoter().cycle()
    row = desk.answer(quote)
    (found,) = by_device_class(desk.chain.network, row.work or 0, row.high_price or 0)
    assert found.expected_value < 0
    says = f"cheating a frame of it on cpu has expected value {format_usd(found.expected_value)}: 100.00 % found"
    assert [record.getMessage() for record in caplog.records if "cheating" in record.msg] == [says]


def test_every_problem_of_a_scene_is_told(desk: Desk) -> None:
    quote = desk.ask(b"SCENE broken")
    desk.quoter().cycle()
    assert desk.problems(quote) == ["wood.png is not packed", "this takes a while"]


def test_what_is_not_applied_of_a_scene_is_told_with_its_price(desk: Desk) -> None:
    quote = desk.ask(b"SCENE plain")
    desk.quoter().cycle()
    row = desk.answer(quote)
    assert row.state == "ready" and row.signature
    assert row.problems == [{"code": "slow", "message": "this takes a while", "severity": "warning"}]


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda desk: desk.ask(b"no scene at all"), "this is no scene"),
        (lambda desk: desk.ask(b"SCENE plain", key=JobKey(b"\x08" * 32)), "sealed with another key"),
        (lambda desk: desk.ask(b"SCENE plain", seal_to=sealing.sealing_keypair()[1]), "sealed to another node"),
        (lambda desk: desk.ask_for(str(desk.store.add(b"cut"))), "cut off within its header"),
        (lambda desk: desk.ask_for("b" * 59), "not a CID"),
        (lambda desk: desk.ask_for("b" * 59, committed=bytes(32)), "not the one that the request commits to"),
        (lambda desk: half_uploaded(desk), "not whole in storage: upload it again"),
        (lambda desk: desk.ask(b"SCENE crash"), "ended before its time"),
        (lambda desk: desk.ask(b"SCENE endless"), "order fewer pixels or samples"),
    ],
    ids=[
        "no scene",
        "other key",
        "not for this manager",
        "truncated",
        "no cid",
        "two keys",
        "half uploaded",
        "crash",
        "endless",
    ],
)
def test_what_cannot_be_previewed_is_refused_and_holds_up_nobody(
    desk: Desk, break_it: Callable[[Desk], bytes], says: str
) -> None:
    bad = break_it(desk)
    good = desk.ask(b"SCENE plain")
    quoter = desk.quoter()
    quoter.cycle()
    quoter.cycle()
    (problem,) = desk.problems(bad)
    assert says in problem
    assert desk.answer(good).state == "ready"
    assert list(desk.work.iterdir()) == []


def half_uploaded(desk: Desk) -> bytes:
    """All but one block of a package."""
    scene = b"SCENE large" + secrets.token_bytes(600_000)
    quote = desk.ask(scene)
    largest = max((desk.store._root / "blocks").rglob("bafk*"), key=lambda path: path.stat().st_size)
    largest.unlink()
    return quote


def test_a_package_above_the_limit_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keepers.quote.MAX_PACKAGE", 10)
    quote = desk.ask(b"SCENE plain")
    desk.quoter().cycle()
    (problem,) = desk.problems(quote)
    assert problem == "the sealed package has more than 10 bytes: make the scene smaller"


@pytest.mark.parametrize("trouble", [Unavailable("the store does not answer"), OSError(errno.ENOSPC, "No space left")])
def test_a_failure_of_ours_leaves_the_quote_waiting(
    desk: Desk, trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    quote = desk.ask(b"SCENE plain")
    quoter = desk.quoter()

    def fail(*_: Any) -> Iterator[bytes]:
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr(desk.store, "open", fail)
        with pytest.raises(type(trouble)):
            quoter.cycle()
    assert desk.answer(quote).state == "running"
    assert list(desk.work.iterdir()) == []
    desk.quoter().cycle()  # as after a restart
    assert desk.answer(quote).state == "ready"


def test_another_managers_quote_is_left_to_it(desk: Desk) -> None:
    quote = desk.ask(b"SCENE plain")
    with desk.database.session() as session:
        row = session.get(QuoteJob, quote)
        assert row is not None
        row.request = QuoteRequest.decode(row.request).model_copy(update={"manager": 9}).encode()
        session.add(row)
    desk.quoter().cycle()
    assert desk.answer(quote).state == "waiting"


@pytest.mark.integration
def test_blender_prices_a_scene_and_names_what_is_wrong_with_others(desk: Desk) -> None:
    desk.engine = lambda: BlenderEngine(EngineSettings(threads=2))
    desk.sample = load_sample(ROOT / "assets/scenes/unit.json")
    scenes = ROOT / "assets/scenes"
    good = desk.ask((scenes / "demo.blend").read_bytes(), last_frame=8)
    outside = desk.ask((scenes / "demo.blend").read_bytes(), last_frame=99)
    blind = desk.ask((scenes / "no_camera.blend").read_bytes())
    cut = desk.ask((scenes / "demo.blend").read_bytes()[:20_000])
    quoter = desk.quoter()
    for _ in range(4):
        quoter.cycle()
    assert (desk.answer(good).state, desk.answer(good).work > 0) == ("ready", True)
    assert desk.problems(outside) == ["frames 1-99 are not within the scene's 1-24: ask for some of these"]
    assert "no active camera" in desk.problems(blind)[0]
    assert "save it again" in desk.problems(cut)[0]
