# SPDX-License-Identifier: Apache-2.0
"""The programs of the network, started as their operators would start them; each dies with the demo."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from demo.places import BIN, OUT, PASSWORD, ROOT, STATE
from demo.say import line
from devnet.anvil import CHAIN_ID, anvil
from devnet.kubo import kubo
from devnet.postgres import postgres
from devnet.processes import Child, free_port, running, start
from inferix import keystore
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, load_deployment
from inferix.chain.rpc import Rpc
from inferix.client.session import ask
from inferix.errors import Misconfigured, Unavailable
from inferix.keystore import Keys

LIGHT = 1 << 12  # scrypt's N for throw-away keystores


@dataclass
class Services:
    """What runs, and where it answers."""

    stack: ExitStack
    rpc: str
    database: str
    store: str
    api: str = ""
    port: int = 0
    contracts: Contracts = field(init=False)
    children: dict[str, Child] = field(default_factory=dict)
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30.0))
    _programs: dict[str, tuple[list[str], dict[str, str]]] = field(default_factory=dict)

    @property
    def logs(self) -> Path:
        """Folder of every program's log."""
        return STATE / "logs"

    def environment(self, **more: str) -> dict[str, str]:
        """What the programs are told."""
        told = {
            "INFERIX_CHAIN_ID": str(CHAIN_ID),
            "INFERIX_RPC_URLS": self.rpc,
            "INFERIX_RPC_URL": self.rpc,
            "INFERIX_CONFIRMATIONS": "1",  # a chain of one's own does not change its mind
            "INFERIX_UNCALIBRATED": "true",  # a GPU of one's own may join
            "INFERIX_DATABASE": self.database,
            "INFERIX_STORE": self.store,
            "INFERIX_DEPLOYMENT": str(STATE / "deployments"),
            "INFERIX_PASSWORD_FILE": str(STATE / "password"),
            "INFERIX_API": self.api,
            "INFERIX_WEB": str(ROOT / "web" / "dist"),
            "PATH": f"{BIN}:{os.environ.get('PATH', '')}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",
        }
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR", "USER") if name in os.environ}
        return {**kept, **told, **more}

    def start(self, name: str, *argv: str | Path, **more: str) -> Child:
        """Starts a program; it is stopped at the end of the demo."""
        self._programs[name] = ([str(part) for part in argv], self.environment(**more))
        return self.restart(name)

    def restart(self, name: str) -> Child:
        """Starts a program again as it was started before; its log goes on."""
        argv, environment = self._programs[name]
        child = start(name, argv, log=self.logs / f"{name}.log", env=environment, cwd=ROOT)
        self.stack.enter_context(running(child))
        self.children[name] = child
        return child

    def get(self, path: str) -> Any:
        """What the API answers. Raises NotFound, or Unavailable when it does not answer for a while."""
        return ask(self.api, path, http=self._http)

    def rpc_call(self, method: str, *params: object) -> Any:
        """A call to the local chain itself."""
        return self.contracts.client.rpc.request(method, params)

    def pass_time(self, seconds: int, why: str) -> None:
        """Moves the local chain's clock."""
        self.rpc_call("evm_increaseTime", seconds)
        self.rpc_call("evm_mine")
        line(f"the chain's clock moves {seconds // 3600} h ahead: {why}")


@contextmanager
def services(environment: Mapping[str, str]) -> Iterator[Services]:
    """Chain, database and storage; the rest is started by the story."""
    shutil.rmtree(OUT, ignore_errors=True)
    (STATE / "logs").mkdir(parents=True)
    password = STATE / "password"
    password.touch(0o600)
    password.write_text(PASSWORD)
    with ExitStack() as stack:
        chain = stack.enter_context(anvil(STATE / "logs", block_seconds=1))
        line(f"a local chain runs at {chain.rpc_url}")
        yield Services(stack, chain.rpc_url, _database(stack, environment), _store(stack, environment))


def _database(stack: ExitStack, environment: Mapping[str, str]) -> str:
    wanted = environment.get("DB", "") or "sqlite"
    if wanted == "sqlite":
        return f"sqlite:///{STATE / 'network.db'}"
    if wanted == "postgres":
        server = stack.enter_context(postgres())
        line("a PostgreSQL server runs for this demo alone")
        return str(server)
    raise Misconfigured(f"DB={wanted}: use DB=sqlite (default) or DB=postgres")


def _store(stack: ExitStack, environment: Mapping[str, str]) -> str:
    wanted = environment.get("STORE", "") or "embedded"
    if wanted == "embedded":
        return f"file://{STATE / 'store'}"
    if wanted == "kubo":
        server = stack.enter_context(kubo(STATE / "kubo"))
        line("a Kubo (IPFS) daemon runs for this demo alone, offline")
        return f"kubo:{server.api}"
    raise Misconfigured(f"STORE={wanted}: use STORE=embedded (default) or STORE=kubo")


def deploy(run: Services) -> None:
    """Compiles and deploys the contracts with Ape."""
    (STATE / "home").mkdir()  # what Ape keeps stays out of the user's home
    done = subprocess.run(
        [str(BIN / "ape"), "run", "deploy", "--network", "ethereum:local:node", "--out", str(STATE / "deployments")],
        env=run.environment(HOME=str(STATE / "home")), cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    (run.logs / "deploy.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        raise Unavailable("the deployment failed:\n" + "\n".join((done.stdout + done.stderr).splitlines()[-12:]))
    deployment = load_deployment(STATE / "deployments", CHAIN_ID)
    run.contracts = Contracts(ChainClient(Rpc([run.rpc], CHAIN_ID)), deployment)


def serve(run: Services) -> None:
    """The API with its pages."""
    run.port = free_port()
    run.api = f"http://127.0.0.1:{run.port}"
    child = run.start("api", BIN / "python", "-m", "api", INFERIX_PORT=str(run.port),
                      INFERIX_DOMAIN=f"127.0.0.1:{run.port}")  # fmt: skip

    def answers() -> bool:
        try:
            return httpx.get(run.api + "/network", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    child.wait_ready(answers, 60)


def keys_for(name: str, folder: Path) -> Keys:
    """A new keystore."""
    return keystore.create(folder / name, PASSWORD, work=LIGHT)


def write_json(path: Path, value: object) -> None:
    """A readable JSON file."""
    path.write_text(json.dumps(value, indent=2) + "\n")
