# SPDX-License-Identifier: Apache-2.0
"""``money``, ``explain``, ``wallet``, and what holds for every command: exit codes, one clear line, help."""

import json
from pathlib import Path

import click
import pytest

from inferix import __version__, keystore
from inferix.chain.errors import WrongChain
from inferix.cli.main import COMMANDS, main
from inferix.errors import (
    Conflict,
    Corrupt,
    InferixError,
    InvalidInput,
    LimitExceeded,
    Misconfigured,
    NotFound,
    Refused,
    Unavailable,
)
from tests.api.conftest import Api
from tests.cli.conftest import PASSWORD, Commands, refused
from tests.client.conftest import Cut
from tests.replay.chain import MANAGER, address

# -- money


def test_money__a_row_a_holding__and_the_same_as_json(run: Commands, api: Api) -> None:
    api.chain.order(cap=40 * 10**9)
    api.ledger.answers = {("IFX", "balanceOf", address(0)): 15 * 10**17}
    view = run.json("money", address(0))
    assert view["address"] == address(0)
    assert [(row["amount"], row["unit"], row["state"]) for row in view["holdings"]] == [
        (str(15 * 10**17), "ifx", "free"),
        (str(60 * 10**9), "ifxDollar", "free"),
        (str(40 * 10**9), "ifxDollar", "reserved"),
    ]
    shown = run("money", address(0).lower()).stdout
    for text in ("1.5 IFX", "60.00", "40.00", "ifxDollar", "now", "transfer"):
        assert text in shown


def test_money__when_it_is_free_is_a_date_or_a_reason(run: Commands, api: Api) -> None:
    api.chain.emit("Unbonding", node=MANAGER, amount=10**19, free_at=1_800_000_000)
    api.ledger.answers = {("Staking", "free_at", MANAGER): 1_800_000_000}
    api.chain.emit("Frozen", node=MANAGER, amount=10**18)
    shown = " ".join(run("money", address(100 + MANAGER)).stdout.split())
    assert "2027-01-15" in shown
    assert "held by" in shown
    assert "case" in shown


def test_money__of_nobody__says_so(run: Commands) -> None:
    assert run("money", address(55)).stdout == f"{address(55)} has nothing on this network\n"
    assert run.json("money", address(55))["holdings"] == []


def test_money__of_no_address__exit_2(run: Commands) -> None:
    refused(run("money", "0x12"), 2, "'0x12' is not an address: 0x and 40 hex digits")


# -- explain


def test_explain__draws_seats_and_votes_in_words__and_as_json(run: Commands, api: Api) -> None:
    state = api.chain.state(api.chain.order(), 0)
    api.chain.run(state)
    task = f"0x{state.task.id.hex()}"
    shown = run("explain", task).stdout
    assert f"task {task}: render, frames 1 to 1" in shown
    assert f"node {state.attempts[0].node}: accepted" in shown
    assert "outcome: accepted" in shown
    assert "cheating: expected value -" in shown
    assert run.json("explain", task)["attempts"][0]["node"] == state.attempts[0].node


def test_explain__no_such_task_or_no_id__exit_4_and_2(run: Commands) -> None:
    refused(run("explain", "0x" + "01" * 32), 4, "no task 0101", "`inferix jobs` lists yours")
    refused(run("explain", "0x01"), 2, "an id has 32 bytes, not 1: give 0x and 64 hex digits")


# -- wallet


def test_wallet__is_made_once_and_never_overwritten(run: Commands, tmp_path: Path) -> None:
    home = tmp_path / "another"
    done = run("wallet", INFERIX_HOME=str(home))
    assert done.exit_code == 0, done.stderr
    made = done.stdout.splitlines()[0]
    assert keystore.public_parts(home / "wallet.json")[0] == made
    assert f"Back up {home / 'wallet.json'}" in done.stdout
    before = (home / "wallet.json").read_bytes()
    refused(run("wallet", INFERIX_HOME=str(home)), 1, "is never overwritten; move it away")
    assert (home / "wallet.json").read_bytes() == before


def test_wallet__asks_for_its_password_twice_and_refuses_a_short_one(run: Commands, tmp_path: Path) -> None:
    home = {"INFERIX_HOME": str(tmp_path / "another"), "INFERIX_PASSWORD": None}
    refused(run("wallet", typed="short\nshort\n", **home), 2, "at least 8 characters")
    assert not (tmp_path / "another" / "wallet.json").exists()
    done = run("wallet", typed="one sentence\nanother\none sentence\none sentence\n", **home)
    assert (done.exit_code, "do not match" in done.output) == (0, True)
    assert keystore.load(tmp_path / "another" / "wallet.json", "one sentence")


def test_wallet__a_password_file_that_is_not_there__exit_2(run: Commands, tmp_path: Path) -> None:
    done = run("wallet", "--password-file", str(tmp_path / "absent"), INFERIX_HOME=str(tmp_path / "another"))
    refused(done, 2, "the password file", "cannot be read")


# -- top-up: what needs no chain


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("0",), "0 USD is no top-up: give an amount above zero"),
        (("--", "-5"), "-5 USD is no top-up"),
        (("five",), "not a decimal number: 'five'"),
        (("0.0000000001",), "more than 9 digits after the point"),
        (("9" * 5_000,), "not a decimal number: '9999"),
        (("1", "--api", "nonsense"), "'nonsense' is not an HTTP address: write it like http://127.0.0.1:8600"),
        (("1", "--api", "http://[::1"), "'http://[::1' is not an HTTP address"),
    ],
)
def test_top_up__what_is_no_amount__exit_2(run: Commands, words: tuple[str, ...], says: str) -> None:
    refused(run("top-up", *words), 2, says)


# -- what trusts no manager


@pytest.mark.parametrize("command", ["audit", "shadow", "participation"])
def test_regression_outside_a_clone_a_command_says_how_to_name_the_contracts(
    run: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    says = (
        "no deployment at deployments: name the network's contracts by INFERIX_DEPLOYMENT (of a command: --deployment)"
    )
    refused(run(command), 2, says, "from API/deployment")
    (tmp_path / "deployments").mkdir()
    refused(run(command, "--chain-id", "5"), 2, "no deployment at deployments/5.json")
    assert "API/deployment" in run(command, "--help").stdout


@pytest.mark.parametrize("command", ["audit", "shadow"])
@pytest.mark.parametrize("address", ["nonsense", "", "ftp://x", "http://", "http://[::1", "http://127.0.0.1:99999"])
def test_regression_an_endpoint_that_is_no_address_is_said_at_once(
    run: Commands, tmp_path: Path, command: str, address: str
) -> None:
    abi = [{"type": "function", "name": "genesis", "inputs": [], "outputs": [], "stateMutability": "view"}]
    contracts = {"BurnMintWork": {"address": "0x" + "5f" * 20, "abi": abi}}
    path = tmp_path / "contracts.json"
    path.write_text(json.dumps({"chain_id": 1337, "block": 0, "contracts": contracts}))
    refused(run(command, "--deployment", str(path), "--rpc", address), 2, "endpoint 1 of the chain is no HTTP address")


@pytest.mark.parametrize("name", ["../nodes/1", "..", "a/b?c#d", "x" * 300, "é"])
@pytest.mark.parametrize("command", ["money", "explain"])
def test_regression_what_is_no_name_leads_to_no_other_page(run: Commands, command: str, name: str) -> None:
    done = run(command, name)
    refused(done, done.exit_code)
    assert done.exit_code in (2, 4)


# -- every command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("x"), 2),
        (Misconfigured("x"), 2),
        (WrongChain("x"), 2),
        (Refused("x"), 3),
        (NotFound("x"), 4),
        (Unavailable("x"), 5),
        (Corrupt("x"), 6),
        (Conflict("x"), 1),
        (LimitExceeded("x"), 1),
        (InferixError("x"), 1),
        (OSError(13, "Permission denied", "/there"), 1),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
    ],
)
def test_an_error_is_one_line_and_a_stable_exit_code(
    run: Commands, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    @click.command()
    def broken() -> None:
        raise error

    monkeypatch.setattr("inferix.cli.money.money", broken)
    says = refused(run("money"), code)
    assert len(says.splitlines()) == 1
    assert says.startswith("error: ")


def test_a_bug_is_no_clear_line_but_itself(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def broken() -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("inferix.cli.money.money", broken)
    assert isinstance(run("money").exception, KeyError)


def test_an_api_that_does_not_answer__exit_5(run: Commands, wire: Cut, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inferix.client.session.RETRIES", 1)
    wire.broken = lambda request: True
    for words in (("money", address(0)), ("explain", "0x" + "01" * 32), ("jobs",)):
        refused(run(*words), 5, "http://testserver does not answer", "check the address, or try again later")


def test_a_keystore_that_is_damaged__exit_6(run: Commands) -> None:
    (run.home / "wallet.json").write_text("{")
    refused(run("jobs"), 6, "is damaged: it is not JSON; restore it from your copy")


def test_a_password_is_asked_for_when_it_is_told_nowhere(run: Commands) -> None:
    assert run("jobs", "--json", typed=PASSWORD + "\n", INFERIX_PASSWORD=None).exit_code == 0
    refused(run("jobs", typed="wrong password\n", INFERIX_PASSWORD=None), 2, "the password does not open")


def test_each_command_has_help_and_is_listed_with_those_of_other_packages(run: Commands) -> None:
    listed = run("--help").stdout
    for name in (*COMMANDS, "node"):
        assert f"  {name} " in listed
        done = run(name, "--help")
        assert done.exit_code == 0
        assert "Usage:" in done.stdout
    assert run("--version").stdout.endswith(f"{__version__}\n")


def test_an_unknown_command_or_option__exit_2(run: Commands) -> None:
    assert run("nonsense").exit_code == 2
    assert "No such command 'nonsense'" in run("nonsense").stderr
    assert run("money", address(0), "--nonsense").exit_code == 2


def test_a_command_whose_extra_is_not_installed_is_absent(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise ImportError("no bpy here")

    monkeypatch.setattr("importlib.metadata.EntryPoint.load", gone)
    assert "No such command 'node'" in run("node").stderr
    assert main.get_command(click.Context(main), "money") is not None
