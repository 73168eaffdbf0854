# SPDX-License-Identifier: Apache-2.0
"""``escape``: gets checked work paid when its manager has fallen silent, from the chain and storage alone."""

from pathlib import Path

import click
from eth_account import Account

from inferix.chain.deployment import Call, Contracts
from inferix.chain.transact import transact
from inferix.cli.common import Unlock, wallet_options
from inferix.cli.replayed import chain_options, date_of, replayed, task_digest
from inferix.errors import Refused
from inferix.escape import draft, waiting
from inferix.models.roles import BatchStatus
from inferix.replay import Network
from inferix.replay.state import Batch
from inferix.units import IFX_DECIMALS, format_decimal


@click.command()
@click.argument("task")
@chain_options
@click.option("--yes", is_flag=True, help="Pay the bond without asking.")
@wallet_options
def escape(
    task: str, rpc: str, chain_id: int, deployment: str, storage: str, yes: bool, home: Path, unlock: Unlock
) -> None:
    """Propose TASK, which was checked and which its silent manager never proposed, as a batch of its own.

    Takes a bond in IFX, which comes back when the batch is final. Call it again then: it makes the batch final and
    fetches the bond.
    """
    contracts, network = replayed(rpc, chain_id, deployment, storage)
    digest = task_digest(task)
    found = waiting(network, digest)
    if found is not None:
        _carry_on(contracts, network, found, unlock)
    else:
        _propose(contracts, network, digest, yes, unlock)


def _propose(contracts: Contracts, network: Network, task: bytes, yes: bool, unlock: Unlock) -> None:
    found = draft(network, task, lambda number: contracts.client.header(number).hash)
    if network.time < found.opens_at:
        raise Refused(f"its manager may propose it until {date_of(found.opens_at)}: come back then")
    if network.time >= found.closes_at:
        raise Refused(f"since {date_of(found.closes_at)} nothing is charged for this order any more")
    bond = int(contracts.read("Escape", "bond", found.leaf.charge))
    free = network.ends_at(network.time, network.parameters["batch_window"])
    click.echo(f"{found.leaf.outcome.name.lower()}, charge {format_decimal(found.leaf.charge, 9, keep=2)} ifxDollar")
    click.echo(f"bond {format_decimal(bond, IFX_DECIMALS)} IFX: free from {date_of(free)} on, unless the batch falls")
    if not yes:
        click.confirm("Propose it?", abort=True)
    key = unlock()
    address = contracts.deployment["Escape"].address
    bond += bond // 100  # the price may move until it is mined
    owner = Account.from_key(key).address
    if int(contracts.read("IFX", "allowance", owner, address)) < bond:
        _send(contracts, key, contracts.deployment.call("IFX", "approve", address, bond))
    _send(contracts, key, contracts.deployment.call("Escape", "propose", *found.arguments))


def _carry_on(contracts: Contracts, network: Network, batch: Batch, unlock: Unlock) -> None:
    """What its state allows next: finalize, then release."""
    end = network.ends_at(batch.proposed_at, network.parameters["batch_window"])
    if batch.status is BatchStatus.PROPOSED and network.time < end:
        click.echo(f"batch {batch.commitment.hex()} is proposed; it may be made final from {date_of(end)} on")
        return
    key = unlock()
    if batch.status is BatchStatus.PROPOSED:
        _send(contracts, key, contracts.deployment.call("Batches", "finalize", batch.header))
    if batch.bond:
        _send(contracts, key, contracts.deployment.call("Escape", "release", batch.commitment))
    click.echo(f"batch {batch.commitment.hex()} is final: its reward comes with the accounts of its epoch")


def _send(contracts: Contracts, key: bytes, call: Call) -> None:
    receipt = transact(contracts.client, key, call)
    click.echo(f"{call}: mined in block {receipt.block}, 0x{receipt.transaction.hex()}")
