# SPDX-License-Identifier: Apache-2.0
"""``top-up``: credit for the wallet."""

from pathlib import Path

import click
from eth_account import Account

from inferix.cli.common import Bars, Unlock, api_option, wallet_options
from inferix.client.topup import top_up, wait_for_credit
from inferix.errors import InvalidInput
from inferix.units import USD_DECIMALS, parse_decimal


@click.command("top-up")
@click.argument("amount")
@click.option("--rpc", envvar="INFERIX_RPC", default="http://127.0.0.1:8545", show_default=True)
@click.option("--faucet", is_flag=True, help="On a dev network: mint the coins first.")
@api_option
@wallet_options
def top_up_command(amount: str, rpc: str, faucet: bool, api: str, home: Path, unlock: Unlock) -> None:
    """Put AMOUNT USD of the stablecoin into your ifxDollar account."""
    credit = parse_decimal(amount, USD_DECIMALS)
    if credit <= 0:
        raise InvalidInput(f"{amount} USD is no top-up: give an amount above zero")
    key, bars = unlock(), Bars()
    account, total = top_up(api, rpc, key, credit, faucet=faucet)
    owner = Account.from_key(key).address
    with bars.progress:
        wait_for_credit(
            api, account, total, owner, lambda waited: bars("final", 0, 1, f"{waited:.0f} s until its block is final")
        )
    click.echo(f"account {account} has {amount} USD more")
