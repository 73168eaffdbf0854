# SPDX-License-Identifier: Apache-2.0
"""``top-up``: credit for the wallet."""

from collections.abc import Callable

import click
from eth_account import Account

from inferix.chain.deployment import Contracts
from inferix.cli.common import Bars, Unlock, contracts_options, show_target, wallet_options
from inferix.client.contracts import ask_deployment
from inferix.client.topup import top_up, wait_for_credit
from inferix.errors import InvalidInput
from inferix.units import USD_DECIMALS, parse_decimal


@click.command("top-up")
@click.argument("amount")
@click.option("--faucet", is_flag=True, help="On a dev network: mint the coins first.")
@wallet_options
@contracts_options
def top_up_command(amount: str, faucet: bool, connected: Callable[[], Contracts], api: str, unlock: Unlock) -> None:
    """Put AMOUNT USD of the stablecoin into your ifxDollar account."""
    credit = parse_decimal(amount, USD_DECIMALS)
    if credit <= 0:
        raise InvalidInput(f"{amount} USD is no top-up: give an amount above zero")
    ask_deployment(api)  # nothing is paid where nobody would say that it arrived
    contracts = connected()
    show_target(contracts, "IfxDollar")
    key, bars = unlock(), Bars()
    account, total = top_up(contracts, key, credit, faucet=faucet)
    owner = Account.from_key(key).address
    with bars.progress:
        wait_for_credit(
            api, account, total, owner, lambda waited: bars("final", 0, 1, f"{waited:.0f} s until its block is final")
        )
    click.echo(f"account {account} has {amount} USD more")
