# SPDX-License-Identifier: Apache-2.0
"""``wallet``, ``money``, ``top-up``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import httpx
from rich.table import Table

from inferix import keystore
from inferix.cli.common import api_option, console, json_option, print_json, wallet_options
from inferix.client.topup import top_up
from inferix.errors import InvalidInput
from inferix.units import IFX_DECIMALS, USD_DECIMALS, format_decimal, parse_decimal


@click.command()
@click.option("--home", envvar="INFERIX_HOME", type=click.Path(path_type=Path), default=Path.home() / ".inferix")
@click.option("--password-file", envvar="INFERIX_PASSWORD_FILE", type=click.Path(path_type=Path), default=None)
def wallet(home: Path, password_file: Path | None) -> None:
    """Make a wallet for this machine: an encrypted key in HOME/wallet.json."""
    password = keystore.read_password(
        password_file, "INFERIX_PASSWORD", lambda: click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    keys = keystore.create(home / "wallet.json", password)
    click.echo(f"{keys.address}\nBack up {home / 'wallet.json'} and its password: nobody can restore them for you.")


@click.command()
@click.argument("address")
@api_option
@json_option
def money(address: str, api: str, as_json: bool) -> None:
    """Everything ADDRESS has anywhere: how much, where, free when, by which call."""
    answer = httpx.get(f"{api}/money/{address}", timeout=30)
    view = answer.json()
    if answer.status_code != 200:
        raise InvalidInput(view["error"]["message"])
    if as_json:
        print_json(view)
        return
    table = Table("where", "how much", "state", "free", "by")
    for row in view["holdings"]:
        table.add_row(row["where"], _amount(row), row["state"], _when(row), row["call"])
    console.print(table)


def _amount(row: dict[str, Any]) -> str:
    amount, unit = int(row["amount"]), row["unit"]
    if unit == "ifx":
        return f"{format_decimal(amount, IFX_DECIMALS)} IFX"
    if unit == "ifxDollar":
        return f"{format_decimal(amount, USD_DECIMALS, keep=2)} ifxDollar"
    return f"{amount:,} units of {unit}"


def _when(row: dict[str, Any]) -> str:
    if row["free_at"] == 0:
        return "now"
    if row["free_at"] is None:
        return row["note"] or "-"
    return datetime.fromtimestamp(row["free_at"], UTC).strftime("%Y-%m-%d %H:%M UTC")


@click.command("top-up")
@click.argument("amount")
@click.option("--rpc", envvar="INFERIX_RPC", default="http://127.0.0.1:8545", show_default=True)
@click.option("--faucet", is_flag=True, help="On a dev network: mint the coins first.")
@api_option
@wallet_options
def top_up_command(amount: str, rpc: str, faucet: bool, api: str, home: Path, key: bytes) -> None:
    """Put AMOUNT USD of the stablecoin into your ifxDollar account."""
    account = top_up(api, rpc, key, parse_decimal(amount, USD_DECIMALS), faucet=faucet)
    click.echo(f"account {account} has {amount} USD more")


COMMANDS = (wallet, money, top_up_command)
