# SPDX-License-Identifier: Apache-2.0
"""The parts that keepers are made of, each opened when the first of them needs it, and the loops of each by name."""

import logging
import threading
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any

from eth_account import Account

from inferix import keystore
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, Deployment, load_deployment
from inferix.chain.rpc import Rpc
from inferix.chain.sender import Sender
from inferix.errors import Unavailable
from inferix.keystore import Keys
from inferix.machines import to_bytes32
from inferix.plugins import load_engine
from inferix.storage import OwnedStore, open_owned_store
from inferix.storage.database import Database
from inferix.storage.follower import Follower
from inferix.storage.journal import SqlJournal
from inferix.storage.tables import ManagerHere
from keepers.anchor import AnchorKeeper
from keepers.assign import Sealer, decide_verifiers, decide_workers
from keepers.availability import Availability
from keepers.bench import Bench
from keepers.claims import ClaimKeeper
from keepers.contradictions import Contradictions
from keepers.courts import Courts
from keepers.desk import MONEY, WORK, Desk
from keepers.disputes import Disputes
from keepers.documents import Fetcher
from keepers.epoch import EpochKeeper
from keepers.hearings import Hearings
from keepers.loop import Loop
from keepers.market import MarketKeeper, StakeKeeper
from keepers.mirror import Finality, Mirror
from keepers.quote import Quoter
from keepers.rosters import RosterKeeper
from keepers.sample import load_sample
from keepers.settings import KeeperSettings
from keepers.settle import Settle
from keepers.split import Split
from keepers.takeover import TakeOver

log = logging.getLogger(__name__)

_START_WAIT = 3.0


class Parts:
    """One program's parts. ``stop`` ends every wait; a wait at the start says what for."""

    def __init__(self, settings: KeeperSettings, password: Callable[[], str], stop: threading.Event) -> None:
        self.settings = settings
        self.stop = stop
        self._password = password

    @cached_property
    def client(self) -> ChainClient:
        """The chain, once an endpoint answers."""
        client = ChainClient(Rpc(self.settings.endpoints(), self.settings.chain_id, wait=self.stop.wait))
        client.wait_ready(self.stop.wait)
        return client

    @cached_property
    def deployment(self) -> Deployment:
        """The contracts' addresses and ABIs."""
        return load_deployment(self.settings.deployment, self.settings.chain_id)

    @cached_property
    def contracts(self) -> Contracts:
        """Reads of the contracts."""
        return Contracts(self.client, self.deployment)

    @cached_property
    def database(self) -> Database:
        """The database, once it answers, its schema up to date."""
        database = Database(self.settings.database)
        database.wait_ready(self.stop.wait)
        database.migrate()
        return database

    @cached_property
    def store(self) -> OwnedStore:
        """Documents and files."""
        return open_owned_store(self.settings.store)

    @cached_property
    def follower(self) -> Follower:
        """The replayed state, shared by all loops of this program."""
        genesis = int(self.contracts.read("BurnMintWork", "genesis"))
        return Follower(self.database, self.deployment.domain(), genesis)

    @cached_property
    def finality(self) -> Finality:
        """What is final."""
        return Finality(self.client, self.settings.confirmations)

    @cached_property
    def keys(self) -> Keys:
        """The manager's operator and sealing keys."""
        return keystore.load(self.settings.keystore, self._password())

    @cached_property
    def sender(self) -> Sender:
        """Two lanes, each with an account of its own."""
        money = keystore.load(self.settings.money_keystore, self._password())
        lanes = {WORK: Account.from_key(self.keys.operator), MONEY: Account.from_key(money.operator)}
        return Sender(self.client, SqlJournal(self.database), lanes, self.settings.fees())

    @cached_property
    def manager(self) -> int:
        """The node id of the manager, once it is registered."""
        while True:
            found = int(self.contracts.read("NodeRegistry", "node_of_operator", self.keys.address))
            if found:
                with self.database.session() as session:
                    session.merge(ManagerHere(operator=self.keys.address, node=found))
                return found
            log.warning("waiting until %s is the operator of a registered manager", self.keys.address)
            if self.stop.wait(_START_WAIT):
                raise Unavailable("the program is stopping")

    @cached_property
    def desk(self) -> Desk:
        """What deciding keepers share."""
        return Desk(
            self.follower, self.database, self.store, self.deployment, self.sender, self.manager,
            self.keys.operator, self.keys.sealing,
        )  # fmt: skip

    @cached_property
    def fetcher(self) -> Fetcher:
        """Documents out of the store."""
        return Fetcher(self.store)

    def close(self) -> None:
        """Lets go of what would hold up the end of the program: fetches that wait their turn."""
        if "fetcher" in self.__dict__:
            self.fetcher.close()

    def engine(self) -> Any:
        """A rendering engine in its sandbox."""
        settings = self.settings
        return load_engine(settings.engine, threads=settings.engine_threads, unsafe=settings.unsafe_no_sandbox)

    def attest(self, node: int, ib: int, machine: str) -> None:
        """Sends a measured speed to the chain."""
        name = to_bytes32(machine)
        with self.follower.reading() as network:
            asked_at = network.nodes[node].asked_at
        self.desk.send(WORK, f"attest:{node}:{ib}:{asked_at}", "NodeRegistry", "attest_benchmark", node, ib, name)

    def loop(self, name: str, cycle: Callable[[], object], factor: float = 1.0) -> Loop:
        """A loop at the settings' pace, times ``factor``."""
        return Loop(name, self.settings.cycle_seconds * factor, cycle)


def _mirror(parts: Parts) -> list[Loop]:
    mirror = Mirror(
        parts.client, parts.deployment, parts.database, parts.fetcher, parts.finality, stop=parts.stop
    )  # fmt: skip
    mirror.prepare()
    late = partial(mirror.cycle_documents, parts.follower)
    return [parts.loop("mirror", mirror.cycle), parts.loop("documents", late, 2)]


def _send(parts: Parts) -> list[Loop]:
    def pump(lane: str) -> None:
        parts.sender.pump(lane, parts.finality.head())

    return [parts.loop(f"send-{lane}", partial(pump, lane)) for lane in parts.sender.lanes]


def _bench(parts: Parts) -> list[Loop]:
    sample = load_sample(parts.settings.sample)
    bench = Bench(
        parts.database, parts.follower, parts.store, parts.manager, parts.engine, sample, parts.settings.work,
        parts.attest, parts.settings.uncalibrated,
    )  # fmt: skip
    return [parts.loop("bench", bench.cycle)]


def _quote(parts: Parts) -> list[Loop]:
    sample = load_sample(parts.settings.sample)
    quoter = Quoter(
        parts.database, parts.follower, parts.store, parts.manager, parts.keys.operator, parts.keys.sealing,
        parts.engine, sample, parts.settings.work,
    )  # fmt: skip
    return [parts.loop("quote", quoter.cycle)]


def _disputes(parts: Parts) -> list[Loop]:
    settings = parts.settings
    disputes = Disputes(parts.desk, parts.client, settings.challenge, settings.unserved_seconds)
    return [parts.loop("disputes", disputes.cycle, 10)]


def _availability(parts: Parts) -> list[Loop]:
    settings = parts.settings
    keeper = Availability(parts.desk, parts.client, settings.challenge, settings.unserved_seconds)
    return [parts.loop("availability", keeper.cycle, 10)]


def _anchor(parts: Parts) -> list[Loop]:
    return [parts.loop("anchor", AnchorKeeper(parts.desk, parts.contracts, parts.settings.canary_ppm).cycle)]


def _hearings(parts: Parts) -> list[Loop]:
    challenge = parts.settings.challenge
    return [
        parts.loop("hearings", Hearings(parts.desk, parts.contracts, challenge).cycle),
        parts.loop("contradictions", Contradictions(parts.desk, parts.contracts, challenge).cycle),
    ]


def _market(parts: Parts) -> list[Loop]:
    def is_bonded(node: int) -> bool:
        return bool(parts.contracts.read("Staking", "is_bonded", node))

    return [
        parts.loop("market", MarketKeeper(parts.desk).cycle, 10),
        parts.loop("stakes", StakeKeeper(parts.desk, is_bonded).cycle, 10),
    ]


KEEPERS: Mapping[str, Callable[[Parts], list[Loop]]] = {
    "mirror": _mirror,
    "send": _send,
    "split": lambda parts: [parts.loop("split", Split(parts.desk, parts.client).cycle)],
    "anchor": _anchor,
    "assign": lambda parts: [parts.loop("assign", Sealer(parts.desk, decide_workers).cycle)],
    "verify": lambda parts: [parts.loop("verify", Sealer(parts.desk, decide_verifiers).cycle)],
    "takeover": lambda parts: [parts.loop("takeover", TakeOver(parts.desk).cycle, 10)],
    "settle": lambda parts: [
        parts.loop("settle", Settle(parts.desk, parts.contracts, parts.settings.batch_seconds).cycle)
    ],
    "disputes": _disputes,
    "claims": lambda parts: [parts.loop("claims", ClaimKeeper(parts.desk).cycle, 10)],
    "availability": _availability,
    "courts": lambda parts: [parts.loop("courts", Courts(parts.desk, parts.contracts).cycle)],
    "hearings": _hearings,
    "epoch": lambda parts: [parts.loop("epoch", EpochKeeper(parts.desk).cycle)],
    "market": _market,
    "rosters": lambda parts: [parts.loop("rosters", RosterKeeper(parts.desk).cycle)],
    "bench": _bench,
    "quote": _quote,
}
"""What each name starts. ``mirror`` and ``send`` must run somewhere on each database; the others as often as wanted."""
