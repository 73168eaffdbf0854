# SPDX-License-Identifier: Apache-2.0
"""``Client``: a wallet that orders renderings, follows them and brings the results home."""

import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from inferix import jobkeys, sealing
from inferix.client.again import Again, fetch_package, find_accepted, render_again
from inferix.client.fetching import fetch_file, files_of, read_result
from inferix.client.jobfile import JobFile, load_job
from inferix.client.marks import Marks, put_in, says
from inferix.client.preflight import SceneRefused, prepare
from inferix.client.session import Session, Sleep
from inferix.client.terms import POST_WITHIN, Terms, order_of, spec_of
from inferix.errors import Conflict, InferixError, InvalidInput, LimitExceeded, NotFound, Refused, Unavailable
from inferix.messages import Cancel, Domain
from inferix.models.job import JobSpec, QuoteRequest, RenderSettings
from inferix.plugins import load_engine
from inferix.replay.jobs import quoter
from inferix.sealing import JobKey
from inferix.storage.files import NO_ROOM, write_atomic
from inferix.storage.remote import HttpStore
from inferix.units import NanoUsd, format_usd

NOTE = "note"
"""Stage of what is said once and is no progress: what is not applied of a scene, what a cheat can expect of a frame."""

READ_SIZE = 2**20
POLL_SECONDS = 1.0
ENDED = ("complete", "failed", "expired", "void", "refused", "cancelled")
Progress = Callable[[str, float, float, str], None]


def _silent(stage: str, done: float, total: float, text: str) -> None:
    """Nobody watches."""


class Client:
    """``home`` keeps the job files; ``progress(stage, done, total, text)`` is called for anything that takes time.

    ``http``: an httpx.Client to use, which is not closed here; ``sleep``: how waits are waited.
    """

    def __init__(
        self,
        url: str,
        key: bytes,
        home: Path,
        progress: Progress = _silent,
        *,
        http: httpx.Client | None = None,
        sleep: Sleep = time.sleep,
    ) -> None:
        self._http = http or httpx.Client(timeout=httpx.Timeout(30.0, connect=5.0))
        self._owns_http = http is None
        self.session = Session(url, key, self._http, sleep)
        self.store = HttpStore(url, client=self._http, sleep=sleep)
        self.home = home
        self.progress = progress
        self._key = key
        self._sleep = sleep

    def close(self) -> None:
        """Ends its threads and connections."""
        self.store.close()
        if self._owns_http:
            self._http.close()

    # -- ordering

    def order(
        self,
        scene: Path,
        settings: RenderSettings,
        terms: Terms,
        *,
        engine: str = "blender",
        threads: int = 0,
        marks: int = 0,
    ) -> JobFile:
        """Checks, packs and seals the scene, then `resume`. ``marks``: so many of its frames get marks.

        Raises SceneRefused or Refused before any upload, InvalidInput where marks cannot be.
        """
        self.progress("check", 0, 1, _shown(scene))
        plugin = load_engine(engine, threads=threads)
        _check_credit(self._account(), terms.cap, "give a smaller cap, or top up first: `inferix top-up`")
        self._check_price(terms)
        with tempfile.TemporaryDirectory(prefix="inferix-") as folder:
            packed = Path(folder) / "scene.blend"
            report = prepare(plugin, scene, packed, settings)
            for name, size in report.packed:
                self.progress(NOTE, 1, 1, f"{name}, {size:,} bytes, goes with the scene")
            for warning in report.problems:
                self.progress(NOTE, 1, 1, warning.message)
            self.progress("check", 1, 1, "nothing wrong with it")
            key, placed = sealing.job_key(), None
            if marks:
                packed, placed = self._mark(plugin, packed, key, settings, marks)
            name, built = _shown(scene.name), f"{plugin.name} {plugin.build()}"
            job_file = self._seal(packed, name, built, settings, terms, key, placed)
        return self.resume(job_file)

    def _mark(self, plugin: Any, packed: Path, key: JobKey, settings: RenderSettings, count: int) -> tuple[Path, Marks]:
        def told(progress: Any) -> None:
            self.progress("marks", progress.done, 1, progress.stage)

        marked = packed.with_name("marked.blend")
        try:
            placed = put_in(plugin, packed, marked, key, settings, count, told)
        except Unavailable as error:
            raise InvalidInput(f"marks cannot be put in ({error}): order with fewer, or without") from error
        self.progress("marks", 1, 1, f"{len(placed.frames)} frames carry some")
        self.progress(NOTE, 1, 1, says(placed))
        return (marked if placed.frames else packed), placed

    def _seal(
        self, packed: Path, name: str, engine: str, settings: RenderSettings, terms: Terms, key: JobKey,
        marks: Marks | None,
    ) -> JobFile:  # fmt: skip
        path = self.home / "jobs" / f"{int(time.time())}-{secrets.token_hex(3)}.json"
        job_file = JobFile(
            name=name,
            key=key.hex(),
            api=self.session.url,
            path=str(path),
            package=str(path.with_suffix(".sealed")),
            package_bytes=packed.stat().st_size,
            engine=engine,
            settings=settings.model_dump(),
            terms=asdict(terms),
            marks=marks.model_dump(mode="json") if marks else {},
        )
        job_file.save()
        try:
            with packed.open("rb") as file:
                plain = iter(lambda: file.read(READ_SIZE), b"")
                write_atomic(Path(job_file.package), sealing.seal_stream(jobkeys.input_key(job_file.job_key), plain))
        except BaseException:  # nothing left the machine: an order without its package is none
            path.unlink()
            Path(job_file.package).unlink(missing_ok=True)
            raise
        return job_file

    def resume(self, job_file: JobFile) -> JobFile:
        """Uploads what the network lacks, gets a quote and places the order; goes on where it was cut off.

        Raises SceneRefused when the manager refuses the scene, NotFound when its package is gone; Unavailable, or
        LimitExceeded where the disk is full, when it is worth another `resume`.
        """
        if job_file.job and self._is_placed(job_file.job):
            job_file.drop_package()
            return job_file
        if not job_file.package or not Path(job_file.package).exists():
            job_file.drop_package()
            raise NotFound(f"{job_file.label} has no package any more: order the scene anew")
        try:
            return self._place(job_file)
        except SceneRefused:
            job_file.drop_package()
            raise
        except Unavailable as error:
            hint = f"{error}; `inferix resume {job_file.label}` goes on where it stopped"
            raise Unavailable(hint, error.retry_after) from error
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            hint = f"{error.strerror}: free some room; `inferix resume {job_file.label}` goes on where it stopped"
            raise LimitExceeded(hint) from error

    def _place(self, job_file: JobFile) -> JobFile:
        if not self._may_be_posted(job_file):
            self._sign(job_file)
        self._send(job_file)
        job_file.order = {}
        job_file.drop_package()
        return job_file

    def _may_be_posted(self, job_file: JobFile) -> bool:
        """Whether an order was signed that still counts. Only time ends it: a second one beside it would be charged
        too, and that the first is not there is the server's word, as the block's time is."""
        if not job_file.order:
            return False
        is_late = self.session.get("/network")["time"] > job_file.order["order"]["post_by"]
        return not is_late or time.time() < job_file.order["signed_at"] + POST_WITHIN

    def _sign(self, job_file: JobFile) -> None:
        self._upload(job_file)
        manager = _manager(self.session.get("/network"))
        terms = Terms(**job_file.terms)
        request = QuoteRequest(
            manager=manager["id"],
            input=job_file.input,
            input_bytes=job_file.package_bytes,
            key=jobkeys.commitment(job_file.job_key),
            engine=job_file.engine,
            settings=RenderSettings(**job_file.settings),
        )
        sealed = sealing.seal_key(job_file.job_key, bytes.fromhex(manager["sealing_key"][2:]))
        spec = spec_of(request, self._quote(request, sealed), terms)
        self._check_quote(spec, manager)
        self._sign_order(job_file, spec, terms, sealed)

    def _upload(self, job_file: JobFile) -> None:
        def sent(done: int, total: int | None) -> None:
            self.progress("upload", done, total or 1, "sealed with a key that only this job has")

        with Path(job_file.package).open("rb") as file:
            cid = self.store.add(file, sent)
        self.store.pin(cid)
        job_file.input = str(cid)
        job_file.save()

    def _quote(self, request: QuoteRequest, sealed: bytes) -> dict[str, Any]:
        body = {"request": request.model_dump(mode="json"), "sealed_key": "0x" + sealed.hex()}
        asked = self.session.post("/quotes", body)["id"]
        started = time.monotonic()
        while True:
            quote: dict[str, Any] = self.session.get(f"/quotes/{asked}")
            if quote["state"] == "ready":
                self.progress("quote", 1, 1, "signed by the manager")
                if quote["cheating"]:
                    self.progress(NOTE, 1, 1, _cheating(quote["cheating"][0]))
                return quote
            if quote["state"] == "refused":
                errors = [problem for problem in quote["problems"] if problem.get("severity") != "warning"]
                reasons = "\n".join(f"  - {problem['message']}" for problem in errors)
                raise SceneRefused(f"the manager refuses the scene:\n{reasons}")
            self.progress("quote", 0, 1, f"the manager previews the scene, {time.monotonic() - started:.0f} s")
            self._sleep(POLL_SECONDS / 2)

    def _account(self) -> dict[str, Any]:
        """The wallet's account with the most free credit. Raises Refused without one."""
        money = self.session.get(f"/money/{self.session.address}")
        account: dict[str, Any] | None = max(money["accounts"], key=lambda row: row["free"], default=None)
        if account is None:
            raise Refused("this wallet has no credit: `inferix top-up` first")
        return account

    def _check_price(self, terms: Terms) -> None:
        floor = int(self.session.get("/network")["parameters"]["price_floor"])
        if 0 < terms.price < floor:
            raise InvalidInput(f"{terms.price} nano-USD per IBM is under the network's floor of {floor}: offer more")

    def _check_quote(self, spec: JobSpec, manager: dict[str, Any]) -> None:
        """Raises Refused for one that the manager did not sign: its work and prices would be somebody else's."""
        try:
            signer = quoter(_domain(self.session.get("/network")), spec)
        except InferixError as error:
            raise Refused(f"the quote's signature is none ({error}): nothing is ordered, check --api") from error
        if signer.lower() != str(manager["operator"]).lower():
            raise Refused(f"the quote is not signed by manager {manager['id']}: nothing is ordered, check --api")

    def _sign_order(self, job_file: JobFile, spec: JobSpec, terms: Terms, sealed: bytes) -> None:
        account, network = self._account(), self.session.get("/network")
        order, domain = order_of(spec, terms, int(account["id"]), network["time"]), _domain(network)
        _check_credit(account, order.cap, f"`inferix top-up`, then `inferix resume {job_file.label}`")
        price, cap = f"{order.price:,} nano-USD", format_usd(NanoUsd(order.cap))
        self.progress(
            NOTE, 1, 1, f"ordering at {price} per IBM or less, {cap} in all or less, from account {order.account}"
        )
        job_file.job = order.digest(domain).hex()
        job_file.order = {
            "spec": spec.model_dump(mode="json"),
            "order": order.model_dump(mode="json"),
            "signature": "0x" + order.sign(domain, self._key).hex(),
            "sealed_key": "0x" + sealed.hex(),
            "signed_at": int(time.time()),
        }
        job_file.save()

    def _send(self, job_file: JobFile) -> None:
        try:
            self.session.post("/orders", {name: value for name, value in job_file.order.items() if name != "signed_at"})
        except Conflict:  # sent twice, because the answer to the first was lost
            if not self._is_placed(job_file.job):
                raise

    def _is_placed(self, job: str) -> bool:
        try:
            self.session.get(f"/jobs/0x{job}")
        except NotFound:
            return False
        return True

    def cancel(self, job: str) -> None:
        """Takes an order back; accepted tasks stay charged."""
        view = self.session.get(f"/jobs/0x{job.removeprefix('0x')}")
        if "nonce" not in view:
            raise Conflict(f"the order is {view['status']}: it can be cancelled once it is on chain")
        domain = _domain(self.session.get("/network"))
        signature = Cancel(account=view["account"], nonce=view["nonce"]).sign(domain, self._key)
        self.session.post(f"/orders/{view['id']}/cancel", {"signature": "0x" + signature.hex()})

    # -- following and fetching

    def follow(self, job: str) -> Iterator[dict[str, Any]]:
        """The job whenever it changes, until it has ended; a stream that breaks is replaced by asking."""
        path = f"/jobs/0x{job.removeprefix('0x')}"
        while True:
            try:
                for line in self.session.lines(path + "/events"):
                    view = json.loads(line)
                    if "status" in view:  # else an error: ask, and hear which
                        yield view
                        if view["status"] in ENDED:
                            return
            except (Unavailable, ValueError):
                pass
            view = self.session.get(path)
            yield view
            if view["status"] in ENDED:
                return
            self._sleep(POLL_SECONDS)

    def fetch(self, job: str, out: Path, *, raw: bool = False) -> list[Path]:
        """Brings what is accepted home: film, stills and contact sheet; the raw EXRs too when asked. Skips what is
        there with the right hash, so it can be called again and again. Raises Corrupt for what does not open."""
        job_file = load_job(self.home, job)
        wanted = []
        for row in self.session.get(f"/jobs/0x{job_file.job}/results")["results"]:
            result = read_result(self.store, bytes.fromhex(row["result"][2:]))
            key = jobkeys.result_key(job_file.job_key, bytes.fromhex(row["task"][2:]), row["attempt"])
            wanted += [(ref, key, out / name) for ref, name in files_of(result, row["first_frame"], raw=raw)]
        for done, (ref, key, target) in enumerate(wanted, start=1):
            fetch_file(self.store, ref, key, target)
            self.progress("fetch", done, len(wanted), target.name)
        return [target for _, _, target in wanted]

    def again(self, job: str, frame: int, *, engine: str = "blender", threads: int = 0) -> Again:
        """Renders an accepted frame here, with the seed that it was rendered with. Raises NotFound for one that is not
        accepted."""
        job_file = load_job(self.home, job)
        rows = self.session.get(f"/jobs/0x{job_file.job}/results")["results"]
        accepted = find_accepted(rows, lambda digest: read_result(self.store, digest), job_file, frame)
        plugin = load_engine(engine, threads=threads)
        with tempfile.TemporaryDirectory(prefix="inferix-") as folder:
            package, work = Path(folder) / "package", Path(folder) / "work"
            work.mkdir()
            self.progress("fetch", 0, 1, "the scene as it was ordered")
            fetch_package(self.store, job_file, package)
            self.progress("render", 0, 1, f"frame {frame} with seed {accepted.seed}")
            return render_again(plugin, package, work, job_file, accepted)


def _shown(path: Path | str) -> str:
    """A file's name as text: what in it is no character is replaced."""
    return os.fsencode(path).decode(errors="replace")


def _manager(network: dict[str, Any]) -> dict[str, Any]:
    """The manager behind the API, which answers quotes there; any bonded one where the API does not know it yet."""
    own: dict[str, Any] | None = network.get("manager")
    bonded: list[dict[str, Any]] = [item for item in network["managers"] if item["bonded"]]
    if not bonded:
        raise Unavailable("the network has no bonded manager now: try again later", 60)
    if own is None:
        return bonded[0]
    for item in bonded:
        if item["id"] == own["id"]:
            return item
    raise Unavailable(f"manager {own['id']}, whose API this is, is not bonded now: try again later", 60)


def _cheating(most: dict[str, Any]) -> str:
    """What the quote says of the device class whose worker can expect most of it."""
    value, found = format_usd(NanoUsd(most["expected_value"])), most["found_ppm"] / 10_000
    return f"a worker of {most['device_class']} that forges a frame can expect {value}: found in {found:.2f} % of cases"


def _check_credit(account: dict[str, Any], cap: int, mend: str) -> None:
    """Raises Refused when an order may cost more than the account has free."""
    if cap > account["free"]:
        most, free = format_usd(NanoUsd(cap)), format_usd(NanoUsd(account["free"]))
        raise Refused(f"the order may cost up to {most}, account {account['id']} has {free} free: {mend}")


def _domain(network: dict[str, Any]) -> Domain:
    return Domain(chain_id=network["chain_id"], contract=network["domain"]["verifying_contract"])
