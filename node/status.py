# SPDX-License-Identifier: Apache-2.0
"""``inferix node status``: read from the journal and asked of the network; it disturbs no running node."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from inferix import keystore
from inferix.errors import InferixError
from inferix.units import IFX_DECIMALS, MicroIb, format_decimal, format_speed
from node.api import Api
from node.config import Home, NodeConfig

LATEST: Final = 10


def report(home: Home, store: Path) -> Iterator[str]:
    """Lines for people."""
    config = home.load()
    address, _ = keystore.public_parts(store)
    yield f"home      {home.path}"
    yield f"operator  {address}"
    yield f"process   {'running' if is_running(store) else 'not running: `inferix node start`'}"
    yield from _registered(config, address)
    yield from recorded(home.journal)


def is_running(store: Path) -> bool:
    """Whether a process holds the keystore's lock."""
    try:
        handle = os.open(f"{store}.lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _registered(config: NodeConfig, address: str) -> Iterator[str]:
    if not config.api:
        yield "network   none set: `inferix node init --api URL`"
        return
    api = Api(config.api, attempts=1)
    try:
        info = api.node(config.node) if config.node else api.node_of(address)
    except InferixError as error:
        yield f"network   {error}"
        return
    finally:
        api.close()
    if info is None:
        yield f"network   {config.api}; not registered: `inferix node register`"
        return
    yield f"network   {config.api}"
    yield f"node      {info.id}, {info.role}, {info.status}, {'may be drawn' if info.drawable else 'not drawn yet'}"
    yield f"speed     {format_speed(MicroIb(info.ib))}; stake {format_decimal(int(info.bonded), IFX_DECIMALS)} IFX"


def recorded(path: Path) -> Iterator[str]:
    """Lines for people, from a journal: what was signed, and what a worker is at."""
    if not path.exists():
        yield "signed    nothing yet"
        return
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as db:
        states = dict(db.execute("SELECT state, count(*) FROM signed GROUP BY state"))
        yield "signed    " + (", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "nothing yet")
        running = db.execute("SELECT hex(task), attempt, count(*) FROM frames GROUP BY task, attempt").fetchall()
        for task, attempt, count in running:
            yield f"at work   task {task.lower()[:16]}/{attempt}: {count} frames stored"
        columns = "time, kind, hex(subject), state, note"
        for time, kind, subject, state, note in db.execute(
            f"SELECT {columns} FROM signed ORDER BY rowid DESC LIMIT {LATEST}"  # noqa: S608
        ):
            yield f"  {time}  {kind:<14} {subject.lower()[:16]}  {state}{': ' + note if note else ''}"
