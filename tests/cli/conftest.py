# SPDX-License-Identifier: Apache-2.0
"""The ``inferix`` command over the API of tests/api; whenever it waits, the test plays the rest of the network."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from inferix import keystore
from inferix.cli import contradict, main
from inferix.cli import object as object_command
from inferix.client import Client
from inferix.keystore import Keys
from inferix.plugins import load_engine
from tests.api.conftest import Api
from tests.client.conftest import ENGINE, URL, Cut, Manager, api, chain, context, home, manager, scene, wire
from tests.replay.chain import key

__all__ = ["api", "chain", "context", "home", "manager", "scene", "wire"]
PASSWORD = "correct horse battery"
NOT_TOLD = ("INFERIX_KEYSTORE", "INFERIX_PASSWORD_FILE", "INFERIX_RPC", "INFERIX_STORAGE", "INFERIX_DEPLOYMENT")


@dataclass
class Commands:
    """``run("jobs", "--json")``. ``waits``: called whenever a command waits."""

    home: Path
    waits: list[Callable[[], object]] = field(default_factory=list)

    def __call__(self, *words: str, typed: str | None = None, **told: str | None) -> Result:
        """The command with a wallet's password in its environment; ``typed``: at its questions."""
        untold: dict[str, str | None] = dict.fromkeys(NOT_TOLD)
        settings = {"INFERIX_API": URL, "INFERIX_HOME": str(self.home), "INFERIX_PASSWORD": PASSWORD}
        return CliRunner(mix_stderr=False).invoke(main, list(words), input=typed, env={**untold, **settings, **told})

    def json(self, *words: str) -> Any:
        """The command's one JSON value: nothing else is on its standard output."""
        done = self(*words, "--json")
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)


def refused(done: Result, code: int, *says: str) -> str:
    """The one clear line on standard error of a command that ended with ``code``."""
    assert done.exit_code == code, (done.exit_code, done.output, done.exception)
    assert done.stderr.splitlines()[-1].startswith("error: ") or "\n" in done.stderr
    for text in says:
        assert text in done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def run(api: Api, manager: Manager, wire: Cut, home: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """The command line of account 1's wallet."""
    keystore.create(home / "wallet.json", PASSWORD, Keys(key(0), bytes(31) + b"\x01"), work=2**4)
    commands = Commands(home, [manager.answer_quotes])

    def wait(_: float) -> None:
        for action in commands.waits:
            action()

    over_wire = partial(httpx.Client, transport=wire)
    monkeypatch.setattr("inferix.client.session.httpx.Client", over_wire)
    monkeypatch.setattr("inferix.cli.common.Client", partial(Client, sleep=wait))
    monkeypatch.setattr("inferix.client.client.load_engine", lambda _, **settings: load_engine(ENGINE, **settings))
    wire.broken = lambda request: request.url.path.endswith("/events")  # it would never end: the client asks instead
    return commands


@pytest.fixture
def sent(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What ``object`` and ``contradict`` would have sent to the chain, where every bond is 5 IFX."""
    found: list[Any] = []
    contracts = SimpleNamespace(read=lambda *_: 5 * 10**18)
    for command in (object_command, contradict):
        monkeypatch.setattr(command, "replayed", lambda *_: (contracts, api.chain.network))
        monkeypatch.setattr(command, "send", lambda *arguments: found.append(arguments[2:]))
    return found
