# SPDX-License-Identifier: Apache-2.0
"""Options that commands share, and how they print."""

import json
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from inferix import keystore
from inferix.client.client import NOTE, Client
from inferix.errors import NotFound

if TYPE_CHECKING:
    from inferix.chain.deployment import Contracts

P = ParamSpec("P")
R = TypeVar("R")
Unlock = Callable[[], bytes]
"""Opens the wallet: asks for the password where none is given, so call it once everything else is checked."""
console = Console(highlight=False, markup=False, emoji=False)  # what it shows are names and reasons of others


def api_option(function: Callable[P, R]) -> Callable[P, R]:
    """``--api``: the network's address."""
    return click.option("--api", envvar="INFERIX_API", default="http://127.0.0.1:8600", show_default=True)(function)


def deployment_option(function: Callable[P, R]) -> Callable[P, R]:
    """``--deployment``: which contracts. No API is asked unless it is named: it could name others."""
    says = "The network's contracts: FILE, a folder of CHAIN-ID.json, or API/deployment."
    name, default = "INFERIX_DEPLOYMENT", "deployments"
    return click.option("--deployment", envvar=name, default=default, show_default=True, help=says)(function)


def contracts_options(function: Callable[..., R]) -> Callable[..., R]:
    """``--rpc``, ``--deployment``, ``--chain-id``, ``--api``, for what sends money; under ``wallet_options``, whose
    ``home`` keeps the contracts that were named first. The function gets ``connected``, which asks, and ``api``."""

    @click.option("--rpc", envvar="INFERIX_RPC", default="http://127.0.0.1:8545", show_default=True)
    @click.option("--deployment", envvar="INFERIX_DEPLOYMENT", default="",
                  help="The network's contracts: FILE, a folder of CHAIN-ID.json, or a URL. Default: those that --api "
                  "named the first time, kept in HOME/deployments.")  # fmt: skip
    @click.option("--chain-id", envvar="INFERIX_CHAIN_ID", default=1337, show_default=True, help="Of --deployment.")
    @api_option
    @wraps(function)
    def with_contracts(*args: Any, rpc: str, deployment: str, chain_id: int, api: str, home: Path, **kwargs: Any) -> R:
        from inferix.client.contracts import connect  # only here: web3 takes a second, and most commands send nothing

        connected = partial(connect, api, rpc, home, deployment, chain_id)
        return function(*args, connected=connected, api=api, **kwargs)

    return with_contracts


def show_target(contracts: "Contracts", *names: str) -> None:
    """Says to which contracts money goes, on standard error, before a wallet is opened for it."""
    for name in names:
        click.echo(f"{name} is {contracts.deployment[name].address}, chain {contracts.client.chain_id}", err=True)


def json_option(function: Callable[P, R]) -> Callable[P, R]:
    """``--json``: for programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def home_option(function: Callable[P, R]) -> Callable[P, R]:
    """``--home``: where the wallet and the job files are."""
    path = click.Path(path_type=Path)
    return click.option("--home", envvar="INFERIX_HOME", type=path, default=Path.home() / ".inferix")(function)


def wallet_options(function: Callable[..., R]) -> Callable[..., R]:
    """``--home``, ``--keystore``, ``--password-file``; the function gets ``home`` and ``unlock``."""

    @home_option
    @click.option("--keystore", "store", envvar="INFERIX_KEYSTORE", type=click.Path(path_type=Path), default=None)
    @click.option("--password-file", envvar="INFERIX_PASSWORD_FILE", type=click.Path(path_type=Path), default=None)
    @wraps(function)
    def with_key(*args: Any, home: Path, store: Path | None, password_file: Path | None, **kwargs: Any) -> R:
        def unlock() -> bytes:
            path = store or home / "wallet.json"
            if not path.exists():
                raise NotFound(f"there is no wallet at {path}: `inferix wallet` makes one, --keystore names another")
            password = keystore.read_password(
                password_file, "INFERIX_PASSWORD", lambda: str(click.prompt("Password", hide_input=True))
            )
            return keystore.load_account(path, password)

        return function(*args, home=home, unlock=unlock, **kwargs)

    return with_key


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    click.echo(json.dumps(value, indent=2))


class Bars:
    """Progress bars by stage; plain lines where the output is no terminal."""

    def __init__(self) -> None:
        self.progress = Progress(
            SpinnerColumn(), TextColumn("{task.fields[stage]:>8}"), BarColumn(30),
            TextColumn("{task.description}", markup=False), TimeElapsedColumn(), console=console,
            disable=not console.is_terminal,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, str] = {}

    def __call__(self, stage: str, done: float, total: float, text: str) -> None:
        """Takes what ``Client`` reports."""
        if stage == NOTE:
            console.print(f"{stage:>8}  {text}", soft_wrap=True)
            return
        if not console.is_terminal:
            if done >= total and self._said.get(stage) != text:
                self._said[stage] = text
                click.echo(f"{stage:>8}  {text}")
            return
        if stage not in self._tasks:
            self._tasks[stage] = self.progress.add_task(text, total=total, stage=stage)
        self.progress.update(self._tasks[stage], completed=done, total=total, description=text)


def client_of(api: str, key: bytes, home: Path, bars: Bars) -> Client:
    """A client that shows its progress."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Client(api, key, home, bars)
