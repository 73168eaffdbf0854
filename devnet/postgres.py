# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL: own data folder, own process, reachable through a Unix socket of this account only."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

from devnet.processes import StartFailed, find_program, identity_arguments, running, start

DEBIAN = Path("/usr/lib/postgresql")
NAME = "inferix"  # of the database and of its owner
# Faster, and as safe as any when the data need not outlive a power cut; it does outlive every crash of the program.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def find_postgres() -> Path:
    """The folder of the server's programs; NotInstalled tells how to get them."""
    folders = sorted(DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    initdb = find_program("initdb", "on Debian, `apt-get install postgresql`", folders)
    return initdb.resolve().parent


@contextmanager
def postgres(folder: Path | None = None) -> Iterator[str]:
    """Run a server for the length of a with block and yield its database's SQLAlchemy URL (driver psycopg).

    folder: keeps the data for the next time; None uses a temporary one, removed at the end. Run by root, the server
    takes the account postgres (or nobody), which must be able to reach the folder: StartFailed if not.
    """
    programs = find_postgres()
    user = _server_user()
    with ExitStack() as stack:
        # Socket paths are limited to 107 bytes, so the socket does not live in a folder of any depth.
        sockets = stack.enter_context(_private_folder(user))
        home = folder if folder is not None else stack.enter_context(_private_folder(user))
        _hand_over(home, user)
        data = home / "data"
        fresh = not (data / "PG_VERSION").exists()
        if fresh:
            options = ["--auth=trust", f"--username={NAME}", "--encoding=UTF8", "--no-locale", "--no-sync"]
            _run([programs / "initdb", "--pgdata", data, *options], home, user)
        argv: list[str | Path] = [programs / "postgres", "-D", data, "-k", sockets, "-c", "listen_addresses="]
        for setting in FAST:
            argv += ["-c", setting]
        # SIGINT is PostgreSQL's fast shutdown: open connections do not hold it up.
        server = start("postgres", argv, log=home / "postgres.log", cwd=home, user=user, stop_signal=signal.SIGINT)
        stack.enter_context(running(server))
        server.wait_ready(lambda: _answers(programs, sockets))
        if fresh:
            _run([programs / "createdb", "-h", sockets, "-U", NAME, NAME], home, user)
        yield f"postgresql+psycopg://{NAME}@/{NAME}?host={quote(str(sockets), safe='')}"


def in_database(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _server_user() -> str | None:
    """PostgreSQL refuses to run as root; any other account serves itself."""
    if os.geteuid() != 0:
        return None
    known = {account.pw_name for account in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@contextmanager
def _private_folder(user: str | None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="inferix-pg-", dir="/tmp"))
    try:
        _hand_over(folder, user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _hand_over(folder: Path, user: str | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)


def _run(argv: list[str | Path], cwd: Path, user: str | None) -> None:
    command = [str(part) for part in argv]
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, **identity_arguments(user))
    except PermissionError as refused:
        raise StartFailed(
            f"the account {user} can't reach {cwd}: choose a folder that every account may enter"
        ) from refused
    if done.returncode != 0:
        raise StartFailed(f"{argv[0]} failed:\n{done.stdout}{done.stderr}")


def _answers(programs: Path, sockets: Path) -> bool:
    argv = [str(programs / "pg_isready"), "-q", "-h", str(sockets), "-d", "postgres"]
    return subprocess.run(argv).returncode == 0
