# SPDX-License-Identifier: Apache-2.0
"""A keeper killed before or after any commit and any send, and started again: nothing twice, nothing lost.

Two orders become accepted tasks: posted, mirrored, given a seed, drawn, anchored. The run is repeated with a kill at
each point in turn; anchors and seals are the real module's.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak
from sqlmodel import Session, select

from inferix.chain.abi import Interface, signature
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, Deployment, parse_deployment
from inferix.chain.journal import EntryState
from inferix.chain.sender import Sender
from inferix.draws import Roster
from inferix.messages import ANCHORED, Acceptance, Order
from inferix.models.anchor import AnchorData, RosterData, RosterLeaf
from inferix.models.parameters import DEV_OVERRIDES
from inferix.replay import Network
from inferix.replay.attempts import open_draws
from inferix.replay.jobs import quote_of
from inferix.replay.state import AttemptStatus
from inferix.storage import Cid, Codec
from inferix.storage.database import Database
from inferix.storage.documents import put_document
from inferix.storage.embedded import EmbeddedStore
from inferix.storage.follower import Follower
from inferix.storage.journal import SqlJournal
from inferix.storage.tables import Event, Message, SignedOrder, Transaction
from keepers.anchor import AnchorKeeper
from keepers.desk import MONEY, WORK, Desk
from keepers.documents import Fetcher
from keepers.mirror import Finality, Mirror
from keepers.split import Split
from tests.replay.chain import Chain as HandMade

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
MANAGER, WORKER = 1, 2
ROUNDS = 60
LAG = 5  # blocks until what was sent shows in the state: more than a round
INTERFACES = ("NodeRegistry", "Staking", "IfxDollar", "Rosters", "Parameters", "Batches")


class Killed(BaseException):
    """kill -9."""


class Death:
    """Counts the points at which a program may die, and kills it once, at point ``at``."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.points = 0

    def step(self) -> None:
        self.points += 1
        if self.points == self.at:
            raise Killed


class MortalDatabase(Database):
    death: Death

    @contextmanager
    def session(self) -> Iterator[Session]:
        with super().session() as session:
            yield session
            self.death.step()
        self.death.step()


class MortalClient(ChainClient):
    death: Death

    def send_raw(self, raw: bytes) -> None:
        self.death.step()
        super().send_raw(raw)
        self.death.step()


class Program:
    """The keepers of one lane as a program that was just started."""

    def __init__(self, world: "World", death: Death) -> None:
        client = MortalClient(world.client.rpc)
        database = MortalDatabase(world.url)
        client.death = database.death = death
        follower = Follower(database, world.deployment.domain(), 0)
        sender = Sender(client, SqlJournal(database), {WORK: world.accounts[0], MONEY: world.accounts[1]})
        key = bytes(world.accounts[0].key)
        desk = Desk(follower, database, world.store, world.deployment, sender, MANAGER, key, bytes(32))
        self.database, self.sender, self.client = database, sender, client
        self.mirror = Mirror(client, world.deployment, database, Fetcher(world.store), Finality(client, LAG))
        self.mirror.prepare()
        self.split = Split(desk, client)
        self.anchor = AnchorKeeper(desk, Contracts(client, world.deployment))

    def round(self) -> None:
        """One cycle of each loop."""
        self.mirror.cycle()
        self.split.cycle()
        self.anchor.cycle()
        for lane in self.sender.lanes:
            self.sender.pump(lane, self.client.block_number())


class World:
    """What outlives a program: chain, storage, database file, and the people who write to them."""

    def __init__(
        self, client: ChainClient, deployment: Deployment, store: EmbeddedStore, accounts: list[LocalAccount]
    ) -> None:
        self.client, self.deployment, self.store, self.accounts = client, deployment, store, accounts
        self.url = ""
        self.abi = {item["name"]: item for item in deployment["NodeRegistry"].interface.abi if item["type"] == "event"}

    def emit(self, name: str, /, **args: Any) -> None:
        """Any log of the protocol."""
        item = self.abi[name]
        topics = [keccak(text=signature(item))]
        topics += [encode([part["type"]], [args[part["name"]]]) for part in item["inputs"] if part["indexed"]]
        plain = [part for part in item["inputs"] if not part["indexed"]]
        data = encode([part["type"] for part in plain], [args[part["name"]] for part in plain])
        call = self.deployment.call("NodeRegistry", "emit_log", topics, data)
        self.client.rpc.request(
            "eth_sendTransaction", [{"from": self.accounts[2].address, "to": call.to, "data": "0x" + call.data.hex()}]
        )

    def found(self) -> None:
        """A network of one manager, one worker that every draw hits, and a client with 100 USD."""
        for name, value in DEV_OVERRIDES.items():
            self.emit("ParameterSet", name=keccak(text=name), value=value)
        for node, role, operator in ((MANAGER, 3, self.accounts[0]), (WORKER, 1, self.accounts[1])):
            who = {"owner": operator.address, "operator": operator.address, "sealing_key": bytes(32)}
            self.emit("NodeRegistered", node=node, role=role, licence=node, price=0, **who)
        client = self.accounts[3].address
        self.emit("CoinAdded", coin=client, index=1, scale=1_000, cap=10**20)
        self.emit("ToppedUp", account=1, owner=client, coin=client, amount=10**8, credit=100 * 10**9)
        leaf = RosterLeaf(node=WORKER, ib=1, price=8_000_000, device_class=bytes(32), weight=1)
        for kind in (1, 2):
            roster, data = Roster([leaf]), RosterData(kind=kind, leaves=[leaf])
            digest = put_document(self.store, data)
            post = {"root": roster.tree.root.hash, "total": 1, "count": 3, "data": digest, "manager": MANAGER}
            self.emit("RosterPosted", kind=kind, index=1, **post)
            self.emit("RosterFinalized", kind=kind, index=1)
        self.client.rpc.request("anvil_mine", ["0x1"])

    def place_orders(self, database: Database) -> None:
        """Two signed orders, as the API leaves them."""
        now = self.client.header("latest").timestamp
        helper = HandMade()
        helper.time = now
        domain = self.deployment.domain()
        spec = helper.spec(quote_expires=now + 86_400)
        quote = quote_of(spec).sign(domain, bytes(self.accounts[0].key))
        digest = put_document(self.store, spec.model_copy(update={"quote_signature": "0x" + quote.hex()}))
        with database.session() as session:
            for nonce in (1, 2):
                order = Order(
                    account=1, nonce=nonce, manager=MANAGER, spec=digest, cap=10**9, price=20_000_000, attempts=3,
                    deadline=now + 86_400, post_by=now + 86_400,
                )  # fmt: skip
                record = order.record(order.sign(domain, bytes(self.accounts[3].key)))
                session.add(SignedOrder(job=order.digest(domain), account=1, record=record, received_at=now))

    def accept(self, database: Database, network: Network) -> None:
        """The worker's acceptances of what is drawn, as the API leaves them."""
        for state in network.tasks.values():
            attempt = state.current
            if attempt is None or attempt.status is not AttemptStatus.DRAWING:
                continue
            draw = next(open_draws(network, state, attempt, network.time), None)
            if draw is None:
                continue
            message = Acceptance(task=state.task.id, attempt=attempt.number, node=WORKER, draw=draw.index)
            with database.session() as session:
                if session.get(Message, message.digest(network.domain)) is None:
                    session.add(
                        Message(
                            digest=message.digest(network.domain), kind="Acceptance", node=WORKER, task=message.task,
                            attempt=attempt.number, body=message.body(), received_at=network.time,
                            signature=message.sign(network.domain, bytes(self.accounts[1].key)),
                        )
                    )  # fmt: skip

    def live(self, folder: Path, death: Death) -> Network:
        """One life of the network; the program is started again whenever it dies."""
        folder.mkdir()
        self.url = f"sqlite:///{folder}/keeper.db"
        database = Database(self.url)
        database.migrate()
        self.place_orders(database)
        following = Follower(database, self.deployment.domain(), 0)
        program: Program | None = None
        more = ROUNDS
        while more:
            more -= 1
            try:
                program = program or Program(self, death)
                program.round()
            except Killed:
                program = None
            self.client.rpc.request("anvil_mine", ["0x2", "0x2"])
            network = following.poll()
            self.accept(database, network)
            if _done(network):
                more = min(more, LAG)  # what was done twice has yet to show
        self.database = database
        return network


def _done(network: Network) -> bool:
    renders = [state for job in network.jobs.values() for state in job.tasks[:-1]]
    return len(network.jobs) == 2 and all(
        state.current is not None and state.current.status is AttemptStatus.ACCEPTED for state in renders
    )


@pytest.fixture
def world(
    client: ChainClient, accounts: list[LocalAccount], store: EmbeddedStore, interface: Callable[[str], Interface]
) -> World:
    compiled = subprocess.run(
        [Path(sys.executable).parent / "vyper", "-p", ROOT, "-f", "abi,bytecode", Path(__file__).parent / "Lanes.vy"],
        check=True, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    rpc = client.rpc
    sent = rpc.request("eth_sendTransaction", [{"from": accounts[2].address, "data": compiled[1]}])
    while (receipt := rpc.request("eth_getTransactionReceipt", [sent])) is None:
        pass
    own: list[Mapping[str, Any]] = json.loads(compiled[0])
    names = {item.get("name") for item in own}
    events = [item for name in INTERFACES for item in interface(name).abi if item["type"] == "event"]
    abi = own + [item for item in events if item["name"] not in names]
    contract = {"address": receipt["contractAddress"], "abi": abi}
    found = {"chain_id": client.chain_id, "block": int(receipt["blockNumber"], 16)}
    names_of = dict.fromkeys(("NodeRegistry", "Orders", "Batches"), contract)
    body = json.dumps({**found, "contracts": names_of}).encode()
    world = World(client, parse_deployment(body, client.chain_id), store, accounts)
    world.found()
    return world


def check(world: World, network: Network) -> None:
    """Every order and message is on chain once, and no transaction was wasted."""
    assert _done(network)
    with world.database.reading() as session:
        posted = [row.args["records"] for row in session.exec(select(Event).where(Event.name == "OrdersPosted"))]
        states = Counter(row.state for row in session.exec(select(Transaction)))
        kept = {row.digest for row in session.exec(select(Message))}
    assert len(posted) == 1
    assert set(states) <= {EntryState.MINED, EntryState.SENT, EntryState.NEW}
    anchored: Counter[bytes] = Counter()
    for anchor in network.lane(MANAGER).anchors.values():
        assert anchor.problem == ""
        for item in AnchorData.decode(world.store.get_block(Cid(Codec.RAW, anchor.data)), anchor.data).messages:
            anchored[ANCHORED[item.kind].from_body(item.body).digest(network.domain)] += 1
    assert set(anchored.values()) == {1}
    assert set(anchored) == kept
    assert not network.refusals


@pytest.mark.parametrize("step", [8, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_points__nothing_twice_nothing_lost(world: World, tmp_path: Path, step: int) -> None:
    death = Death()
    rpc = world.client.rpc
    start = rpc.request("evm_snapshot")
    check(world, world.live(tmp_path / "whole", death))
    assert death.points > 20

    for point in range(1, death.points + 1, step):
        rpc.request("evm_revert", [start])
        start = rpc.request("evm_snapshot")
        check(world, world.live(tmp_path / f"killed-{point}", Death(at=point)))
