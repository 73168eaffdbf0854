# SPDX-License-Identifier: Apache-2.0
"""``Client``: a wallet that orders renderings, follows them and brings the results home."""

import json
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferix import jobkeys, sealing
from inferix.client.jobfile import JobFile, load_job
from inferix.client.preflight import SceneRefused, prepare
from inferix.client.session import Session
from inferix.errors import Corrupt, InferixError, Refused, Unavailable
from inferix.messages import Cancel, Domain, Order
from inferix.models.job import JobSpec, QuoteRequest, RenderSettings
from inferix.models.result import FileRef, Result
from inferix.plugins import load_engine
from inferix.sealing import JobKey
from inferix.storage.cid import Cid
from inferix.storage.documents import get_document
from inferix.storage.remote import HttpStore
from inferix.units import NanoIbm, NanoUsd, fee_of

MAX_FILE = 64 * 2**30
READ_SIZE = 2**20
ENDED = ("complete", "failed", "expired", "void", "refused", "cancelled")


def _silent(stage: str, done: float, total: float, text: str) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Terms:
    """What a client accepts. ``price``: highest nano-USD per IBM, 0 takes the quote's high end; times in seconds."""

    price: int = 0
    cap: int = 0
    attempts: int = 4
    frames_per_task: int = 1
    attempt_seconds: int = 3_600
    deadline_seconds: int = 86_400


class Client:
    """``progress(stage, done, total, text)`` is called for anything that takes time. ``home`` keeps the job files."""

    def __init__(
        self, url: str, key: bytes, home: Path, progress: Callable[[str, float, float, str], None] = _silent
    ) -> None:
        self.session = Session(url, key)
        self.store = HttpStore(url)
        self.home = home
        self.progress = progress
        self._key = key

    # -- ordering

    def order(
        self, scene: Path, settings: RenderSettings, terms: Terms, *, engine: str = "blender", threads: int = 0
    ) -> JobFile:
        """Checks, packs, seals, uploads, gets a quote and signs the order. Raises SceneRefused before any upload."""
        with tempfile.TemporaryDirectory(prefix="inferix-") as folder:
            packed = Path(folder) / "scene.blend"
            self.progress("check", 0, 1, str(scene))
            plugin = load_engine(engine, threads=threads)
            prepare(plugin, scene, packed, settings.first_frame, settings.last_frame, settings.width, settings.height)
            self.progress("check", 1, 1, "nothing wrong with it")
            network = self.session.get("/network")
            manager = network["managers"][0]
            job_file = self._new_file(scene)
            job_key = job_file.job_key
            job_file.input = str(self._upload(packed, job_key))
            job_file.save()
            request = QuoteRequest(
                manager=manager["id"],
                input=job_file.input,
                input_bytes=packed.stat().st_size,
                engine=f"{plugin.name} {plugin.build()}",
                settings=settings,
            )
        sealed = sealing.seal_key(job_key, bytes.fromhex(manager["sealing_key"][2:]))
        quote = self._quote(request, sealed)
        spec = _spec(request, quote, terms)
        self._place(network, spec, terms, sealed, job_file)
        return job_file

    def _new_file(self, scene: Path) -> JobFile:
        name = f"{int(time.time())}-{secrets.token_hex(3)}"
        path = self.home / "jobs" / f"{name}.json"
        job_file = JobFile(name=scene.name, key=sealing.job_key().hex(), api=self.session.url, path=str(path))
        job_file.save()
        return job_file

    def _upload(self, packed: Path, job_key: JobKey) -> Cid:
        total = sealing.sealed_size(packed.stat().st_size)
        done = 0

        def pieces() -> Iterator[bytes]:
            nonlocal done
            with packed.open("rb") as file:
                for piece in sealing.seal_stream(jobkeys.input_key(job_key), iter(lambda: file.read(READ_SIZE), b"")):
                    done += len(piece)
                    self.progress("upload", done, total, "sealed with a key that only this job has")
                    yield piece

        cid = self.store.add(pieces())
        self.store.pin(cid)
        return cid

    def _quote(self, request: QuoteRequest, sealed: bytes) -> dict[str, Any]:
        body = {"request": request.model_dump(mode="json"), "sealed_key": "0x" + sealed.hex()}
        asked = self.session.post("/quotes", body)["id"]
        started = time.monotonic()
        while True:
            quote: dict[str, Any] = self.session.get(f"/quotes/{asked}")
            if quote["state"] == "ready":
                self.progress("quote", 1, 1, "signed by the manager")
                return quote
            if quote["state"] == "refused":
                reasons = "\n".join(f"  - {problem['message']}" for problem in quote["problems"])
                raise SceneRefused(f"the manager refuses the scene:\n{reasons}")
            self.progress("quote", 0, 1, f"the manager previews the scene, {time.monotonic() - started:.0f} s")
            time.sleep(0.5)

    def _place(self, network: dict[str, Any], spec: JobSpec, terms: Terms, sealed: bytes, job_file: JobFile) -> None:
        money = self.session.get(f"/money/{self.session.address}")
        account = max(money["accounts"], key=lambda row: row["free"], default=None)
        if account is None:
            raise Refused("this wallet has no credit: `inferix top-up` first")
        now = self.session.get("/network")["time"]
        tasks = len(spec.tasks(bytes(32)))
        work = spec.work * len(spec.request.settings.frames()) + spec.assemble_work
        price = terms.price or spec.high_price
        cap = terms.cap or max(10_000_000 * tasks, 2 * fee_of(NanoIbm(work), NanoUsd(price)))
        order = Order(
            account=account["id"],
            nonce=secrets.randbelow(2**31),
            manager=spec.request.manager,
            spec=spec.digest(),
            cap=cap,
            price=price,
            attempts=terms.attempts,
            deadline=now + terms.deadline_seconds,
            post_by=now + 600,
        )
        domain = Domain(chain_id=network["chain_id"], contract=network["domain"]["verifying_contract"])
        job_file.job = order.digest(domain).hex()
        job_file.save()
        body = {
            "spec": spec.model_dump(mode="json"),
            "order": order.model_dump(mode="json"),
            "signature": "0x" + order.sign(domain, self._key).hex(),
            "sealed_key": "0x" + sealed.hex(),
        }
        self.session.post("/orders", body)

    def cancel(self, job: str) -> None:
        """Takes an order back; accepted tasks stay charged."""
        view = self.session.get(f"/jobs/0x{job.removeprefix('0x')}")
        network = self.session.get("/network")
        domain = Domain(chain_id=network["chain_id"], contract=network["domain"]["verifying_contract"])
        signature = Cancel(account=view["account"], nonce=view["nonce"]).sign(domain, self._key)
        self.session.post(f"/orders/{view['id']}/cancel", {"signature": "0x" + signature.hex()})

    # -- following and fetching

    def follow(self, job: str) -> Iterator[dict[str, Any]]:
        """The job whenever it changes, until it has ended. Survives broken streams."""
        path = f"/jobs/0x{job.removeprefix('0x')}"
        while True:
            try:
                for line in self.session.lines(path + "/events"):
                    view = json.loads(line)
                    if "message" in view and "status" not in view:
                        raise Unavailable(view["message"])
                    yield view
                    if view["status"] in ENDED:
                        return
            except (InferixError, OSError, ValueError):
                time.sleep(1)
            view = self.session.get(path)
            yield view
            if view["status"] in ENDED:
                return

    def fetch(self, job: str, out: Path, *, raw: bool = False) -> list[Path]:
        """Brings what is accepted home: film, stills and contact sheet; the raw EXRs too when asked. Skips what is
        there with the right hash, so it can be called again and again."""
        job_file = load_job(self.home, job)
        answer = self.session.get(f"/jobs/0x{job_file.job}/results")
        written = []
        for row in answer["results"]:
            result = get_document(self.store, Result, bytes.fromhex(row["result"][2:]))
            key = jobkeys.result_key(job_file.job_key, result.task, result.attempt)
            written += [self._save(ref, key, out / name) for ref, name in files_of(result, raw=raw)]
        return written

    def _save(self, ref: FileRef, key: JobKey, target: Path) -> Path:
        import hashlib

        if target.is_file() and hashlib.sha256(target.read_bytes()).digest() == ref.sha256:
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(target.name + ".part")
        digest = hashlib.sha256()
        with temporary.open("wb") as file:
            for piece in sealing.open_stream(key, self.store.open(Cid.parse(ref.cid), MAX_FILE)):
                digest.update(piece)
                file.write(piece)
        if digest.digest() != ref.sha256:
            temporary.unlink()
            raise Corrupt(f"{target.name} is not the file that was accepted; claim the result")
        temporary.rename(target)
        self.progress("fetch", 1, 1, target.name)
        return target


def files_of(result: Result, *, raw: bool) -> list[tuple[FileRef, str]]:
    """The files of a result with the names they get at home."""
    files = [(frame.raw, f"raw/{frame.frame:04d}.exr") for frame in result.frames] if raw else []
    if result.film is not None:
        files += [(still, f"frames/{at:04d}.png") for at, still in enumerate(result.film.stills, start=1)]
        files += [(result.film.movie, "film.mp4"), (result.film.contact_sheet, "contact_sheet.png")]
    return files


def _spec(request: QuoteRequest, quote: dict[str, Any], terms: Terms) -> JobSpec:
    return JobSpec(
        request=request,
        work=quote["work"],
        assemble_work=max(1, quote["work"] // 4),
        frames_per_task=terms.frames_per_task,
        attempt_seconds=terms.attempt_seconds,
        quote_signature=quote["signature"],
        quote_expires=quote["expires"],
        low_price=quote["low_price"],
        high_price=quote["high_price"],
    )
