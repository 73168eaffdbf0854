# SPDX-License-Identifier: Apache-2.0
"""A private IPFS node: Kubo with its own repository, offline, its API on a free port of 127.0.0.1."""

import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devnet.processes import Child, StartFailed, find_program, running, start

# The profile "test" has no bootstrap peers, no local discovery and ports of 0; the rest keeps the node to itself.
SETTINGS = {
    "Addresses.Swarm": "[]",
    "AutoConf.Enabled": "false",
    "AutoTLS.Enabled": "false",
    "Provide.Enabled": "false",
    "Routing.Type": '"none"',
    "Bootstrap": "[]",
}


@dataclass(frozen=True, slots=True)
class Kubo:
    """A running node. api: multiaddr for ipfshttpclient.Client (/ip4/127.0.0.1/tcp/5001); url: the same for HTTP."""

    api: str
    url: str
    child: Child


def find_kubo() -> Path:
    """The program; NotInstalled tells how to get it."""
    return find_program("ipfs", "run `make kubo` (about five minutes, once)")


@contextmanager
def kubo(folder: Path) -> Iterator[Kubo]:
    """Run a node for the length of a with block; folder keeps its repository (for the next time too) and kubo.log."""
    program = find_kubo()
    repository = folder / "repository"
    env = os.environ | {"IPFS_PATH": str(repository), "IPFS_TELEMETRY": "off"}
    if not (repository / "config").exists():
        _prepare(program, repository, env)
    address = repository / "api"  # written by the daemon once it listens
    address.unlink(missing_ok=True)

    def api() -> str | None:
        found = address.read_text().strip() if address.exists() else ""
        return found if found and _answers(_url(found)) else None

    daemon = start("kubo", [program, "daemon", "--offline"], log=folder / "kubo.log", env=env)
    with running(daemon) as child:
        found = child.wait_ready(api)
        yield Kubo(found, _url(found), child)


def _prepare(program: Path, repository: Path, env: dict[str, str]) -> None:
    repository.mkdir(parents=True, exist_ok=True)
    _run([str(program), "init", "--profile=test"], env)
    for key, value in SETTINGS.items():
        _run([str(program), "config", "--json", key, value], env)


def _run(argv: list[str], env: dict[str, str]) -> None:
    done = subprocess.run(argv, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise StartFailed(f"{' '.join(argv[1:])} failed:\n{done.stdout}{done.stderr}")


def _url(multiaddr: str) -> str:
    """/ip4/127.0.0.1/tcp/5001 -> http://127.0.0.1:5001"""
    _, _, host, _, port, *_ = multiaddr.split("/")
    return f"http://{host}:{port}"


def _answers(url: str) -> bool:
    request = urllib.request.Request(f"{url}/api/v0/version", method="POST")  # noqa: S310 - http, made above
    try:
        with urllib.request.urlopen(request, timeout=2):  # noqa: S310
            return True
    except (urllib.error.URLError, OSError):
        return False
