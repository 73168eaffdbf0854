# SPDX-License-Identifier: Apache-2.0
"""``python -m keepers NAME [NAME ...]`` or ``all``: the manager's loops; settings come from ``INFERIX_*``."""

import logging
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from eth_account import Account

from inferix import keystore
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, load_deployment
from inferix.chain.rpc import Rpc
from inferix.chain.sender import Sender
from inferix.errors import InferixError, Misconfigured
from inferix.keystore import Keys
from inferix.plugins import load_engine
from inferix.storage import open_owned_store
from inferix.storage.database import Database
from inferix.storage.follower import Follower
from inferix.storage.journal import SqlJournal
from keepers.anchor import AnchorKeeper
from keepers.assign import Sealer, decide_verifiers, decide_workers
from keepers.bench import Bench
from keepers.courts import Courts
from keepers.desk import Desk
from keepers.documents import Fetcher
from keepers.epoch import EpochKeeper
from keepers.loop import Loop, run
from keepers.mirror import Finality, Mirror
from keepers.quote import Quoter
from keepers.rosters import RosterKeeper
from keepers.sample import load_sample
from keepers.settings import KeeperSettings
from keepers.settle import Settle
from keepers.split import Split

NAMES = (
    "mirror",
    "split",
    "anchor",
    "assign",
    "verify",
    "settle",
    "epoch",
    "rosters",
    "courts",
    "bench",
    "quote",
    "send",
)
SLOW = {"bench": 1.0, "rosters": 1.0, "epoch": 1.0, "courts": 1.0, "quote": 0.5}


def main(arguments: Sequence[str]) -> int:
    """Runs the named loops until it is told to stop; 2 when it cannot start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    names = NAMES if "all" in arguments else tuple(arguments)
    unknown = [name for name in names if name not in NAMES]
    if not names or unknown:
        print(f"usage: python -m keepers all | {' | '.join(NAMES)}", file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settings = KeeperSettings()
    try:
        run(_loops(settings, names, stop), stop, settings.health_file)
    except InferixError as error:
        print(f"the keepers stop: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0


def _loops(settings: KeeperSettings, names: Sequence[str], stop: threading.Event) -> list[Loop]:
    client = ChainClient(Rpc(settings.endpoints(), settings.chain_id, wait=stop.wait))
    client.wait_ready(stop.wait)
    deployment = load_deployment(settings.deployment, settings.chain_id)
    contracts = Contracts(client, deployment)
    database = Database(settings.database)
    database.wait_ready(stop.wait)
    database.migrate()
    store = open_owned_store(settings.store)
    follower = Follower(database, deployment.domain(), int(contracts.read("BurnMintWork", "genesis")))
    finality = Finality(client, settings.confirmations)
    mirror = Mirror(client, deployment, database, Fetcher(store), finality, stop=stop)
    mirror.prepare()
    keys, sender = _keys(settings), None
    money = keystore.load(settings.money_keystore, _password(settings))
    lanes = {"work": Account.from_key(keys.operator), "money": Account.from_key(money.operator)}
    sender = Sender(client, SqlJournal(database), lanes)
    manager = int(contracts.read("NodeRegistry", "node_of_operator", keys.address))
    if not manager:
        raise Misconfigured(f"{keys.address} is no operator of a registered node: register the manager first")
    desk = Desk(follower, database, store, deployment, sender, manager, keys.operator, keys.sealing)

    def engine() -> Any:
        return load_engine(settings.engine, threads=settings.engine_threads, unsafe=settings.unsafe_no_sandbox)

    def attest(node: int, ib: int, device_class: str) -> None:
        name = device_class.encode("ascii").ljust(32, b"\0")
        desk.send("work", f"attest:{node}:{ib}", "NodeRegistry", "attest_benchmark", node, ib, name)

    def send() -> None:
        head = finality.head()
        for lane in sender.lanes:
            sender.pump(lane, head)

    def mirrored() -> None:
        mirror.cycle()
        mirror.cycle_documents(follower)

    cycles: dict[str, Callable[[], Callable[[], None]]] = {
        "mirror": lambda: mirrored,
        "send": lambda: send,
        "split": lambda: Split(desk).cycle,
        "anchor": lambda: AnchorKeeper(desk, contracts).cycle,
        "assign": lambda: Sealer(desk, decide_workers).cycle,
        "verify": lambda: Sealer(desk, decide_verifiers).cycle,
        "settle": lambda: Settle(desk, settings.batch_seconds).cycle,
        "epoch": lambda: EpochKeeper(desk).cycle,
        "rosters": lambda: RosterKeeper(desk).cycle,
        "courts": lambda: Courts(desk, contracts).cycle,
        "bench": lambda: Bench(
            database, follower, store, manager, engine, load_sample(settings.sample), settings.work, attest
        ).cycle,
        "quote": lambda: Quoter(
            database, follower, store, manager, keys.operator, keys.sealing, engine,
            load_sample(settings.sample), settings.work,
        ).cycle,
    }  # fmt: skip
    return [Loop(name, SLOW.get(name, settings.cycle_seconds), cycles[name]()) for name in names]


def _password(settings: KeeperSettings) -> str:
    return keystore.read_password(settings.password_file, "INFERIX_PASSWORD", None)


def _keys(settings: KeeperSettings) -> Keys:
    return keystore.load(settings.keystore, _password(settings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
