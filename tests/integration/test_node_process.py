# SPDX-License-Identifier: Apache-2.0
"""The operator's program as a process: made, examined, started, killed in the middle of a task, started again."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from inferix.keystore import public_parts
from inferix.messages import Acceptance, Receipt
from inferix.models.result import Result
from inferix.models.work import Offer, Run
from inferix.storage.cid import Cid, Codec
from tests.node.network import Job, Network

ROOT = Path(__file__).parents[2]
ENGINE = "noise_engine:NoiseEngine"
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'node'}"}


class Served:
    """A network in memory on a port of this machine."""

    def __init__(self, network: Network) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = httpx.Request(
                    self.command, f"http://network.test{self.path}", headers=dict(self.headers), content=body
                )
                answer = network._handle(request)
                self.send_response(answer.status_code)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST = do_PUT = _serve

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return Network(tmp_path / "network")


@pytest.fixture
def url(network: Network) -> Iterator[str]:
    served = Served(network)
    yield served.url
    served.server.shutdown()


class Operator:
    """Somebody at a terminal."""

    def __init__(self, folder: Path, url: str) -> None:
        self.home, self.url = folder / "home", url
        self.password = folder / "password"
        self.password.write_text("correct horse battery\n")
        self.password.chmod(0o600)
        self.running: list[subprocess.Popen[str]] = []

    def command(self, *words: str) -> list[str]:
        program = [sys.executable, "-c", "from node.cli import node; node()"]
        return [*program, *words, "--home", str(self.home), "--password-file", str(self.password)]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*words), env=ENVIRONMENT, capture_output=True, text=True, timeout=120)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        log = (self.home.parent / f"log-{len(self.running)}").open("w")
        command = self.command("start", "--api", self.url, "--engine", ENGINE, "--unsafe-no-sandbox", *words)
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=log, stderr=subprocess.STDOUT, text=True)
        self.running.append(process)
        return process

    def log(self, number: int) -> str:
        return (self.home.parent / f"log-{number}").read_text()

    def sealing_key(self) -> bytes:
        return public_parts(self.home / "keystore.json")[1]


@pytest.fixture
def operator(tmp_path: Path, url: str) -> Iterator[Operator]:
    made = Operator(tmp_path, url)
    yield made
    for process in made.running:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


def wait_for(true: Callable[[], object], operator: Operator, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "\n".join(operator.log(at) for at in range(len(operator.running)))
        time.sleep(0.05)


def test_killed_in_the_middle_of_a_task__the_next_process_ends_it(network: Network, operator: Operator) -> None:
    made = operator.run("init", "--role", "worker", "--api", operator.url, "--engine", ENGINE)
    assert made.returncode == 0, made.stderr
    assert "Copy this file and its password" in made.stdout
    address, _ = public_parts(operator.home / "keystore.json")
    assert address in made.stdout

    process = operator.start()
    wait_for(lambda: "waiting for it" in operator.log(0), operator)
    network.register(7, address)
    wait_for(lambda: "worker 7 is running" in operator.log(0), operator)

    second = operator.start()
    assert second.wait(60) != 0
    assert "another process runs" in operator.log(1)

    job = Job(network, scene=b"SCENE slow", frames=2)
    fields = job.fields(operator.sealing_key())
    network.work[7] = [Offer(**fields, draw=0)]
    wait_for(lambda: network.of(Acceptance), operator)
    network.work[7] = [Run(**fields)]
    wait_for(lambda: "frame 1 in" in operator.log(0), operator)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert network.of(Receipt) == []

    status = operator.run("status")
    assert "not running" in status.stdout
    assert "1 frames stored" in status.stdout

    again = operator.start()
    wait_for(lambda: network.of(Receipt), operator)
    log = operator.log(2)
    assert "1 of 2 frames are stored already" in log
    assert "frame 1 in" not in log
    assert "frame 2 in" in log
    receipt = network.of(Receipt)[0].message
    assert isinstance(receipt, Receipt)
    result = Result.decode(network.store.get_block(Cid(Codec.RAW, receipt.result)), receipt.result)
    assert [frame.frame for frame in result.frames] == [1, 2]

    assert "running" in operator.run("status").stdout
    again.send_signal(signal.SIGTERM)
    assert again.wait(20) == 0
    assert not (operator.home / "work").exists()
    assert "correct horse" not in "".join(operator.log(at) for at in range(3))


def test_start__another_network_under_the_same_address__refused(network: Network, operator: Operator) -> None:
    operator.run("init", "--api", operator.url)
    settings = operator.home / "node.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "chain_id": 1}))
    network.register(7, public_parts(operator.home / "keystore.json")[0])
    process = operator.start()
    assert process.wait(60) != 0
    assert "another --home" in operator.log(0)
    assert not any(request.startswith("GET /node/") for request in network.requests)


def test_doctor__says_what_is_wrong_and_how_to_mend_it(network: Network, operator: Operator) -> None:
    missing = operator.run("doctor")
    assert missing.returncode == 1
    assert "FAIL keystore: there is no keystore" in missing.stdout
    assert "no address of the network" in missing.stdout

    operator.run("init", "--api", operator.url, "--engine", ENGINE)
    found = operator.run("doctor", "--unsafe-no-sandbox")
    assert "ok   engine: noise_engine:NoiseEngine 1.0 test" in found.stdout
    assert "FAIL registration: no node of operator" in found.stdout
    assert "inferix node register" in found.stdout

    address, sealing_key = public_parts(operator.home / "keystore.json")
    network.register(7, address)
    network.nodes[7].update(qualified=False, drawable=False, ib=0, sealing_key="0x" + "00" * 32)
    found = operator.run("doctor", "--unsafe-no-sandbox")
    for name in ("sealing key", "stake", "benchmark", "roster"):
        assert f"FAIL {name}" in found.stdout
    network.nodes[7].update(qualified=True, drawable=True, ib=10**6, sealing_key="0x" + sealing_key.hex())
    found = operator.run("doctor", "--unsafe-no-sandbox")
    assert [line for line in found.stdout.splitlines() if line.startswith("FAIL")] == []
    assert found.returncode == 0
    assert "device class cpu" in found.stdout
