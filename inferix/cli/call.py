# SPDX-License-Identifier: Apache-2.0
"""``call``: any function of any contract of the network, from this wallet: what `money` names under "by"."""

from collections.abc import Callable
from typing import Any

import click
from eth_account import Account

from inferix.chain.arguments import function_of, is_view, parse_arguments
from inferix.chain.client import ChainReceipt
from inferix.chain.deployment import Call, Contracts
from inferix.chain.transact import transact
from inferix.cli.common import Unlock, contracts_options, json_option, print_json, show_target, wallet_options


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("contract")
@click.argument("function")
@click.argument("arguments", nargs=-1)
@json_option
@wallet_options
@contracts_options
def call(
    contract: str, function: str, arguments: tuple[str, ...], connected: Callable[[], Contracts], api: str,
    as_json: bool, unlock: Unlock,
) -> None:  # fmt: skip
    """Call FUNCTION of CONTRACT, e.g. `call Staking unbond 4 25ifx`; what only reads needs no wallet.

    Integers may carry a unit (12.5ifx, 3usd); addresses may be a contract's name, or `me` for this wallet; structs and
    arrays are JSON. A call that the contract would refuse is refused before it costs gas.
    """
    contracts = connected()
    interface = contracts.deployment[contract].interface
    item = function_of(interface, function, len(arguments))
    if not is_view(item):
        show_target(contracts, contract)
    key = unlock() if not is_view(item) or "me" in arguments else b""

    def lookup(name: str) -> str | None:
        if name == "me":
            return str(Account.from_key(key).address)
        known = contracts.deployment.contracts.get(name)
        return known.address if known else None

    values = parse_arguments(item, arguments, lookup)
    if is_view(item):
        print_json(_plain(contracts.read(contract, function, *values)))
        return
    wanted = contracts.deployment.call(contract, function, *values)
    receipt = transact(contracts.client, key, wanted)
    _report(contracts, wanted, receipt, as_json=as_json)


def _report(contracts: Contracts, wanted: Call, receipt: ChainReceipt, *, as_json: bool) -> None:
    events = _events(contracts, receipt)
    transaction = "0x" + receipt.transaction.hex()
    if as_json:
        said = [{"event": name, **fields} for name, fields in events]
        print_json({"call": str(wanted), "transaction": transaction, "block": receipt.block, "gas": receipt.gas_used,
                    "events": said})  # fmt: skip
        return
    click.echo(f"{wanted}: mined in block {receipt.block} for {receipt.gas_used:,} gas, {transaction}")
    for name, fields in events:
        click.echo(f"  {name}: {', '.join(f'{field} {value}' for field, value in fields.items())}")


def _events(contracts: Contracts, receipt: ChainReceipt) -> list[tuple[str, dict[str, Any]]]:
    """What the network's contracts logged in a transaction."""
    found = []
    addresses = [contract.address for contract in contracts.deployment.contracts.values()]
    for log in contracts.client.logs(addresses, receipt.block, receipt.block):
        target = contracts.deployment.at(log.address)
        event = target.interface.event(log.topics, log.data) if target else None
        if target and event and log.transaction == receipt.transaction:
            found.append((f"{target.name}.{event[0]}", _plain(event[1])))
    return found


def _plain(value: Any) -> Any:
    """As JSON: bytes are 0x hex, integers beyond 2**53 decimal text."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return str(value)
    return value
