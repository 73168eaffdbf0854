# SPDX-License-Identifier: Apache-2.0
"""What must come from the operating system: looked for first, installed with apt-get where that needs no password."""

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from run import run

POSTGRES_BIN = "usr/lib/postgresql/*/bin"  # Debian keeps these out of PATH
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/inferix-setup.conf")


def _library(soname: str) -> Callable[[], bool]:
    def loads() -> bool:
        try:
            ctypes.CDLL(soname)
        except OSError:
            return False
        return True

    return loads


def _program(name: str, folders: str = "") -> Callable[[], bool]:
    """folders: a pattern of places that are not on PATH, below /."""

    def found() -> bool:
        places = map(str, Path("/").glob(folders)) if folders else ()
        return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), *places))) is not None

    return found


VENV = {"python3-venv": lambda: importlib.util.find_spec("ensurepip") is not None}
# The seven libraries that Blender's Python module is linked against, and the sandbox that it renders in.
RENDER = {
    "libx11-6": _library("libX11.so.6"),
    "libxrender1": _library("libXrender.so.1"),
    "libxfixes3": _library("libXfixes.so.3"),
    "libxi6": _library("libXi.so.6"),
    "libxkbcommon0": _library("libxkbcommon.so.0"),
    "libsm6": _library("libSM.so.6"),
    "libgl1": _library("libGL.so.1"),
    "bubblewrap": _program("bwrap"),
}
# Only the tests that run on them need these; without them those tests are skipped.
SERVICES = {"postgresql": _program("initdb", POSTGRES_BIN), "chromium": _program("chromium")}


def missing(wanted: dict[str, Callable[[], bool]]) -> list[str]:
    """Names of the Debian packages whose check fails."""
    return [package for package, present in wanted.items() if not present()]


def _root_prefix() -> list[str] | None:
    """What to put before apt-get; None where it would ask for a password, or is not there."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, stdin=subprocess.DEVNULL).returncode == 0:
        return [sudo, "-n"]
    return None


def _apt(packages: Iterable[str], prefix: list[str]) -> None:
    env = ["env", "DEBIAN_FRONTEND=noninteractive"]
    run("Reading the list of system packages", [*prefix, "apt-get", "-q", "update"])
    install = ["apt-get", "-q", "install", "-y", "--no-install-recommends", *packages]
    run("Installing system packages", [*prefix, *env, *install])


def require(wanted: dict[str, Callable[[], bool]]) -> None:
    """Install what is missing of wanted, or end the program with the one line to type."""
    packages = missing(wanted)
    if not packages:
        return
    prefix = _root_prefix()
    if prefix is None:
        line = f"sudo apt-get update && sudo apt-get install -y --no-install-recommends {' '.join(packages)}"
        sys.exit(f"Some system packages are missing. Type this (Debian 12 and its kin), then try again:\n\n  {line}\n")
    _apt(packages, prefix)
    still = missing(wanted)
    if still:
        sys.exit(f"These system packages are installed but can't be used: {' '.join(still)}. Look into .tools/log/.")


def offer(wanted: dict[str, Callable[[], bool]]) -> None:
    """Install what is missing of wanted where that needs no password; else say in one line what will be skipped."""
    packages = missing(wanted)
    prefix = _root_prefix()
    if not packages:
        return
    if prefix is None:
        names = " ".join(packages)
        print(f"Tests that need {names} will be skipped (sudo apt-get install -y {names})", file=sys.stderr)
        return
    if "postgresql" in packages:
        _install_postgres_idle(prefix)
    _apt(packages, prefix)


def _install_postgres_idle(prefix: list[str]) -> None:
    """Debian's package makes a database and starts it; the tests start their own, so ask for neither, this once."""
    _apt(["postgresql-common"], prefix)
    write = f"mkdir -p {NO_CLUSTER.parent} && echo 'create_main_cluster = false' >{NO_CLUSTER}"
    run("Preparing PostgreSQL", [*prefix, "sh", "-c", write])
    try:
        _apt(["postgresql"], prefix)
    finally:
        run("Preparing PostgreSQL", [*prefix, "rm", "-f", NO_CLUSTER])
