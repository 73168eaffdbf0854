# SPDX-License-Identifier: Apache-2.0
"""``object`` says what it costs and what can be won or lost before it sends anything."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from inferix.cli import object as command
from inferix.models.objection import OutcomesClaim
from inferix.storage.documents import get_document
from inferix.storage.embedded import EmbeddedStore
from tests.api.conftest import Api
from tests.cli.conftest import Commands, refused
from tests.replay.objecting import propose_all


@pytest.fixture
def sent(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would have gone to the chain."""
    found: list[Any] = []
    contracts = SimpleNamespace(read=lambda *_: 5 * 10**18)
    monkeypatch.setattr(command, "replayed", lambda *_: (contracts, api.chain.network))
    monkeypatch.setattr(command, "send", lambda *arguments: found.append(arguments[2:]))
    return found


def test_object__asks_first_then_stores_the_reason_and_sends(
    run: Commands, api: Api, sent: list[Any], tmp_path: Path
) -> None:
    state = api.chain.state(api.chain.order(), 0)
    task = state.task.id.hex()
    refused(run("object", task), 4, "nothing is charged so far")
    api.chain.run(state)
    commitment = propose_all(api.chain)
    storage = ("--storage", (tmp_path / "documents").as_uri())
    asked = run("object", task, *storage, typed="n\n")
    assert (asked.exit_code, sent) == (130, [])
    for text in ("accepted, work of node", "bond 5 IFX", "the bond is lost, half of it burned", "the bond comes back"):
        assert text in asked.stdout
    done = run("object", task, "--reason", "it is black", "--yes", *storage)
    assert done.exit_code == 0, done.stderr
    ((place, bond, reason),) = sent
    assert (place[0].commitment, bond) == (commitment, 5 * 10**18)
    said = get_document(EmbeddedStore(tmp_path / "documents"), OutcomesClaim, reason)
    assert (said.batch, said.places, said.says) == (commitment, [place[1]], "it is black")
