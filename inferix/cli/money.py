# SPDX-License-Identifier: Apache-2.0
"""``wallet``, ``money``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from rich.table import Table

from inferix import keystore
from inferix.cli.common import api_option, console, json_option, print_json
from inferix.client.session import ask
from inferix.units import IFX_DECIMALS, USD_DECIMALS, format_decimal


@click.command()
@click.option("--home", envvar="INFERIX_HOME", type=click.Path(path_type=Path), default=Path.home() / ".inferix")
@click.option("--password-file", envvar="INFERIX_PASSWORD_FILE", type=click.Path(path_type=Path), default=None)
def wallet(home: Path, password_file: Path | None) -> None:
    """Make a wallet for this machine: an encrypted key in HOME/wallet.json."""
    password = keystore.read_password(
        password_file, "INFERIX_PASSWORD", lambda: click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    keys = keystore.create(home / "wallet.json", password)
    click.echo(f"{keys.address}\nsealing key 0x{keys.sealing_public.hex()}")
    click.echo(f"Back up {home / 'wallet.json'} and its password: nobody can restore them for you.")


@click.command()
@click.argument("address")
@api_option
@json_option
def money(address: str, api: str, as_json: bool) -> None:
    """Everything ADDRESS has anywhere: how much, where, free when, by which call."""
    view = ask(api, f"/money/{quote(address, safe='')}")
    if as_json:
        print_json(view)
        return
    if not view["holdings"]:
        click.echo(f"{view['address']} has nothing on this network")
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
