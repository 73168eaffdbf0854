# SPDX-License-Identifier: Apache-2.0
"""``audit``: recompute everything from chain and storage, trusting nobody."""

import sys

import click

from inferix.audit import Audit, Lookup
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, Deployment, load_deployment
from inferix.chain.history import read_events
from inferix.chain.rpc import Rpc
from inferix.cli.common import deployment_option, json_option, print_json
from inferix.models.document import MAX_DOCUMENT
from inferix.models.event import ChainEvent
from inferix.replay import Network
from inferix.replay.later import look_ahead
from inferix.storage import open_store
from inferix.storage.documents import document_cid


@click.command()
@click.option("--rpc", envvar="INFERIX_RPC", default="http://127.0.0.1:8545", show_default=True)
@click.option("--chain-id", envvar="INFERIX_CHAIN_ID", default=1337, show_default=True)
@deployment_option
@click.option("--storage", envvar="INFERIX_STORAGE", default="http://127.0.0.1:8600", show_default=True)
@json_option
def audit(rpc: str, chain_id: int, deployment: str, storage: str, as_json: bool) -> None:
    """Recompute every draw, batch and account from the chain and storage; exit 1 when something is false."""
    client = ChainClient(Rpc([rpc], chain_id))
    found = load_deployment(deployment, chain_id)
    genesis = int(Contracts(client, found).read("BurnMintWork", "genesis"))
    store = open_store(storage)
    documents = Lookup(lambda digest: b"".join(store.open(document_cid(digest), MAX_DOCUMENT)))
    events = read_all(client, found)
    network = Network(found.domain(), genesis, documents, look_ahead(events))
    report = Audit(network, lambda number: client.header(number).hash).run(events)
    if as_json:
        print_json({"checked": report.checked, "problems": report.problems, "unknown": report.unknown})
    else:
        for kind, count in report.checked.items():
            click.echo(f"{kind:>9}  {count:6} checked")
        for unknown in report.unknown:
            click.secho(f"CANNOT TELL  {unknown}", fg="yellow")
        for problem in report.problems:
            click.secho(f"FALSE  {problem}", fg="red")
        click.echo("everything is as the rules give it" if not report.problems else f"{len(report.problems)} false")
    sys.exit(1 if report.problems else 0)


def read_all(client: ChainClient, found: Deployment) -> list[ChainEvent]:
    """All events of the contracts up to the newest block."""

    def said(block: int, newest: int, events: int) -> None:
        click.echo(f"read blocks to {block} of {newest}: {events} events", err=True)

    return read_events(client, found, found.block, client.header("latest").number, said)
