# SPDX-License-Identifier: Apache-2.0
"""What commands share that trust no manager: the state of the network from the chain and storage alone."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

import click

from inferix.audit import Lookup
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, load_deployment
from inferix.chain.rpc import Rpc
from inferix.cli.audit import read_all
from inferix.cli.common import deployment_option
from inferix.errors import InvalidInput
from inferix.models.document import MAX_DOCUMENT
from inferix.replay import Network, apply
from inferix.replay.later import look_ahead
from inferix.storage import open_store
from inferix.storage.documents import document_cid

P = ParamSpec("P")
R = TypeVar("R")


def chain_options(function: Callable[P, R]) -> Callable[P, R]:
    """``--rpc``, ``--chain-id``, ``--deployment``, ``--storage``."""
    for option in (
        click.option("--storage", envvar="INFERIX_STORAGE", default="http://127.0.0.1:8600", show_default=True),
        deployment_option,
        click.option("--chain-id", envvar="INFERIX_CHAIN_ID", default=1337, show_default=True),
        click.option("--rpc", envvar="INFERIX_RPC", default="http://127.0.0.1:8545", show_default=True),
    ):
        function = option(function)
    return function


def replayed(rpc: str, chain_id: int, deployment: str, storage: str) -> tuple[Contracts, Network]:
    """The contracts at an endpoint, and the state as of its newest block."""
    client = ChainClient(Rpc([rpc], chain_id))
    contracts = Contracts(client, load_deployment(deployment, chain_id))
    store = open_store(storage)
    documents = Lookup(lambda digest: b"".join(store.open(document_cid(digest), MAX_DOCUMENT)))
    genesis = int(contracts.read("BurnMintWork", "genesis"))
    events = read_all(client, contracts.deployment)
    network = Network(contracts.deployment.domain(), genesis, documents, look_ahead(events))
    for event in events:
        apply(network, event)
    network.tick(client.header("latest").timestamp)
    return contracts, network


def task_digest(word: str) -> bytes:
    """A task's id in hex. Raises InvalidInput."""
    try:
        digest = bytes.fromhex(word.removeprefix("0x"))
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise InvalidInput(f"{word[:80]!r} is no task: 64 hex digits, as `inferix explain` takes them")
    return digest


def date_of(time: int) -> str:
    """Seconds of the block clock, for people."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M UTC")
