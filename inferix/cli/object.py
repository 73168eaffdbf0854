# SPDX-License-Identifier: Apache-2.0
"""``object``: says that the outcome of a task is wrong, before it is final; a panel of verifiers checks it again."""

from pathlib import Path

import click
from eth_account import Account

from inferix.chain.deployment import Call, Contracts
from inferix.chain.transact import transact
from inferix.cli.common import Bars, Unlock, client_of, wallet_options
from inferix.cli.replayed import chain_options, date_of, replayed, task_digest
from inferix.errors import NotFound, Refused
from inferix.models.document import Bytes32, Document
from inferix.models.objection import MAX_SAYS, OutcomesClaim
from inferix.models.roles import BatchStatus, ObjectionStatus
from inferix.replay import Network
from inferix.replay.answers import arguments_of
from inferix.replay.leaves import is_managers, why_false, why_unknown
from inferix.replay.objections import naming
from inferix.replay.settlement import place_of
from inferix.replay.state import Batch
from inferix.storage import open_owned_store
from inferix.storage.documents import put_document
from inferix.units import IFX_DECIMALS, format_decimal

Place = tuple[Batch, int]
"""A batch and the index of a leaf in it."""


@click.command("object")
@click.argument("task")
@click.option("--reason", default="the result is not what was ordered", show_default=True, help="For the panel.")
@chain_options
@click.option("--yes", is_flag=True, help="Pay the bond without asking.")
@wallet_options
def object_command(
    task: str, reason: str, rpc: str, chain_id: int, deployment: str, storage: str, yes: bool, home: Path,
    unlock: Unlock,
) -> None:  # fmt: skip
    """Object to the newest outcome of TASK: accepted though it is wrong, or rejected though it is right.

    Takes a bond in IFX, which is lost where a panel of verifiers finds the outcome right, and comes back otherwise.
    """
    contracts, network = replayed(rpc, chain_id, deployment, storage)
    place = find(network, task_digest(task))
    bond = int(contracts.read("Objections", "bond"))
    by_manager = is_by_manager(network, place)
    tell(network, place, bond, by_manager)
    if not yes:
        click.confirm("Object?", abort=True)
    key = unlock()
    batch, at = place
    claim = OutcomesClaim(batch=batch.commitment, places=[at], says=reason[:MAX_SAYS])
    said = store_claim(storage, key, home, claim)
    send(contracts, key, place, bond, by_manager, said)


def find(network: Network, task: Bytes32) -> Place:
    """Where the newest outcome of a task waits. NotFound where there is none, Refused where it is too late."""
    state = network.tasks.get(task)
    if state is None:
        raise NotFound(f"no order has a task {task.hex()}")
    attempt = next((item for item in reversed(state.attempts) if item.batch is not None), None)
    batch = network.batches.get(attempt.batch or b"") if attempt is not None else None
    at = place_of(batch, task, attempt.number) if attempt is not None and batch is not None else None
    if batch is None or at is None:
        raise NotFound(f"no outcome of task {task.hex()} is proposed yet: nothing is charged so far")
    if batch.status is not BatchStatus.PROPOSED or network.time >= _end(network, batch):
        raise Refused(f"the outcome could be objected to until {date_of(_end(network, batch))}: it stands")
    if any(item.status is ObjectionStatus.OPEN for item in naming(network, batch.commitment, at)):
        raise Refused("somebody objects to this outcome already: a panel looks at it")
    return batch, at


def _end(network: Network, batch: Batch) -> int:
    """Of the window, which stands still in a pause [s of block time]."""
    return network.ends_at(batch.proposed_at, network.parameters["batch_window"])


def is_by_manager(network: Network, place: Place) -> bool:
    """Whether chain and storage show that the manager wrote what no vote says; not where a document is missing."""
    batch, at = place
    return not why_unknown(network, batch, [at]) and is_managers(network, batch, batch.leaves[at])


def tell(network: Network, place: Place, bond: int, by_manager: bool) -> None:
    """What it is about, what it costs, what can be won and lost."""
    batch, at = place
    leaf = batch.leaves[at]
    charge, ifx = format_decimal(leaf.charge, 9, keep=2), format_decimal(bond, IFX_DECIMALS)
    click.echo(f"{leaf.outcome.name.lower()}, work of node {leaf.node}, charge {charge} ifxDollar, in batch "
               f"{batch.manager}/{batch.sequence}")  # fmt: skip
    click.echo(f"it can be objected to until {date_of(_end(network, batch))}")
    if by_manager:
        click.echo(f"chain and storage show that manager {batch.manager} wrote what no vote says: the outcome "
                   f"{why_false(network, batch, leaf)}; the objection says so")  # fmt: skip
    click.echo(f"bond {ifx} IFX. A panel of verifiers checks the outcome again; it decides within days:")
    click.echo(f"  it is wrong: the bond comes back, nobody is charged or paid for the task ({charge} ifxDollar)")
    if by_manager and not batch.is_alone:
        click.echo(f"    and manager {batch.manager} is punished")
    click.echo(f"  it is right: the bond is lost, half of it burned, half for manager {batch.manager}")
    click.echo("  nobody decides: half of the bond is burned, nobody is charged or paid")


def store_claim(storage: str, key: bytes, home: Path, claim: Document) -> Bytes32:
    """Where the panel finds what is said; its digest."""
    if not storage.startswith(("http://", "https://")):
        return put_document(open_owned_store(storage), claim)
    client = client_of(storage, key, home, Bars())
    try:
        client.session.sign_in()
        return put_document(client.store, claim)
    finally:
        client.close()


def send(contracts: Contracts, key: bytes, place: Place, bond: int, by_manager: bool, reason: Bytes32) -> None:
    """Approves the bond and objects."""
    header, leaf, index, proof = arguments_of(*place)
    arguments = (header, leaf, proof, [index], by_manager, 0, reason)
    send_with_bond(contracts, key, bond, contracts.deployment.call("Objections", "object_outcomes", *arguments))
    click.echo("`inferix jobs` shows what the panel votes, `inferix money` the bond")


def send_with_bond(contracts: Contracts, key: bytes, bond: int, call: Call) -> None:
    """Approves a bond to the contract that takes it, and sends."""
    wanted = bond + bond // 100  # the price may move until it is mined
    if int(contracts.read("IFX", "allowance", Account.from_key(key).address, call.to)) < wanted:
        _transact(contracts, key, contracts.deployment.call("IFX", "approve", call.to, wanted))
    _transact(contracts, key, call)


def _transact(contracts: Contracts, key: bytes, call: Call) -> None:
    receipt = transact(contracts.client, key, call)
    click.echo(f"{call}: mined in block {receipt.block}, 0x{receipt.transaction.hex()}")
