# SPDX-License-Identifier: Apache-2.0
"""``participation`` prints the list's root, and what a licence's owner shows."""

import hashlib
import json
from pathlib import Path

import pytest

from inferix.cli import participation as command
from tests.api.conftest import Api
from tests.cli.conftest import Commands, refused
from tests.contracts.merkle.lists import TREES

MADE = json.loads(TREES.read_text())["participation"]
LIST = sorted((int(leaf["value"][0]), int(leaf["value"][1])) for leaf in MADE["leaves"])


class Chain:
    """What the command reads of Buyback."""

    def __init__(self, posted: bytes = bytes(32)) -> None:
        self.posted = posted

    def read(self, contract: str, function: str) -> object:
        assert contract == "Buyback"
        return {"participation_root": self.posted, "PARTICIPATION_BPS": 6_670}[function]


@pytest.fixture
def sold(api: Api, monkeypatch: pytest.MonkeyPatch) -> Chain:
    chain = Chain()
    monkeypatch.setattr(command, "replayed", lambda *_: (chain, api.chain.network))
    monkeypatch.setattr(command, "participations", lambda network: LIST)
    return chain


def test_participation__root_digest_and_what_is_posted(run: Commands, sold: Chain, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    told = run("participation", "--out", str(file))
    assert told.exit_code == 0, told.stderr
    assert f"{len(LIST)} licences, 5 with more than 66.70 %" in told.stdout
    assert f"root    {MADE['root']}" in told.stdout
    assert "0x" + hashlib.sha256(file.read_bytes()).hexdigest() in told.stdout
    assert told.stdout.rstrip().endswith("none")
    assert [tuple(map(int, line.split(","))) for line in file.read_text().splitlines()] == LIST
    sold.posted = bytes.fromhex(MADE["root"][2:])
    assert run("participation").stdout.rstrip().endswith("this list")
    sold.posted = b"\1" * 32
    assert run("participation").stdout.rstrip().endswith("another list")
    assert run.json("participation")["root"] == MADE["root"]


def test_participation__of_a_licence__as_the_contract_takes_it(run: Commands, sold: Chain) -> None:
    leaf = MADE["leaves"][1]
    found = json.loads(run("participation", "--licence", leaf["value"][0]).stdout)
    assert (found["licence"], found["participation"]) == tuple(map(int, leaf["value"]))
    assert found["proof"] == leaf["proof"]
    refused(run("participation", "--licence", "99"), 4, "licence 99 was not sold")


def test_participation__nothing_sold__says_so(
    run: Commands, api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "replayed", lambda *_: (None, api.chain.network))
    refused(run("participation", "--out", str(tmp_path / "list.csv")), 4, "no licence was sold yet")
    assert not (tmp_path / "list.csv").exists(), "an empty list would be posted as any other"
