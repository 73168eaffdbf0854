# SPDX-License-Identifier: Apache-2.0
"""The state of the network as this node itself makes it, from an endpoint of its own choice: what it judges by.

No manager's word is in it: events come from the chain, documents are named there by their digests. It is made when a
panel needs it, and goes on from there.
"""

import logging
from collections.abc import Callable

from inferix.audit import Lookup
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, Deployment, parse_deployment
from inferix.chain.history import read_events
from inferix.chain.rpc import Rpc
from inferix.errors import Misconfigured
from inferix.machines import from_bytes32
from inferix.models.document import MAX_DOCUMENT
from inferix.models.event import ChainEvent
from inferix.replay import Network, apply
from inferix.replay.later import look_ahead
from inferix.storage.blobs import BlobStore
from inferix.storage.documents import document_cid
from inferix.storage.files import write_atomic
from node.config import Home, NodeConfig

log = logging.getLogger(__name__)


class OwnReplay:
    """``network`` is called by one thread."""

    def __init__(self, contracts: Contracts, store: BlobStore) -> None:
        self._contracts = contracts
        self._store = store
        self._events: list[ChainEvent] = []
        self._network: Network | None = None
        self._seen: tuple[int, bytes] = (-1, b"")  # the newest block that was read, its hash

    def network(self) -> Network:
        """The state as of the newest block. Raises Unavailable when the endpoint or the storage does not answer."""
        client, deployment = self._contracts.client, self._contracts.deployment
        newest = client.header("latest")
        number, hash = self._seen
        if number >= 0 and (newest.number < number or client.header(number).hash != hash):
            log.warning("the chain took blocks back: reading it from the start")
            self._events, self._network, number = [], None, -1
        events = read_events(client, deployment, max(number + 1, deployment.block), newest.number)
        self._events += events
        self._seen = (newest.number, newest.hash)
        if self._network is None or self._network.missing:  # what was not to be had may have come
            self._network = self._replayed()
        else:
            for event in events:
                apply(self._network, event)
            if self._network.is_stale:
                self._network = self._replayed()
        self._network.tick(newest.timestamp)
        return self._network

    def machine_of(self, node: int) -> str:
        """What the registry calls a node's machine now. Raises as `network`; it reads one view, and no events."""
        return from_bytes32(self._contracts.read("NodeRegistry", "node", node)["device_class"])

    def _replayed(self) -> Network:
        documents = Lookup(lambda digest: b"".join(self._store.open(document_cid(digest), MAX_DOCUMENT)))
        domain, genesis = self._contracts.deployment.domain(), int(self._contracts.read("BurnMintWork", "genesis"))
        network = Network(domain, genesis, documents, look_ahead(self._events))
        for event in self._events:
            apply(network, event)
        return network


def own_contracts(home: Home, config: NodeConfig, ask: Callable[[], bytes]) -> Contracts:
    """The contracts at the node's own endpoint. ``ask``: for the deployment, where this home has none yet.

    Raises Misconfigured when it is not that of the pinned network.
    """
    deployment = own_deployment(home, config, ask)
    return Contracts(ChainClient(Rpc([config.rpc], config.chain_id)), deployment)


def own_deployment(home: Home, config: NodeConfig, ask: Callable[[], bytes]) -> Deployment:
    """The contracts of the pinned network; kept from the first time on. Raises Misconfigured."""
    is_known = home.deployment.exists()
    body = home.deployment.read_bytes() if is_known else ask()
    found = parse_deployment(body, config.chain_id)
    if found.domain().contract != config.registry:
        raise Misconfigured(f"the deployment is of registry {found.domain().contract}, this node of {config.registry}")
    if not is_known:
        write_atomic(home.deployment, (body,))
    return found
