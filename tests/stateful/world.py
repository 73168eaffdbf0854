# SPDX-License-Identifier: Apache-2.0
"""The contracts, and the keepers' mirror that is fed with what they really logged.

Calls and logs go through inferix.chain's own ABI code, as the keepers' do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boa
from eth_utils import keccak, to_checksum_address

from inferix.chain.abi import Interface
from inferix.draws import Roster
from inferix.messages import Domain
from inferix.models.anchor import RosterData
from inferix.models.document import Document
from inferix.models.event import ChainEvent
from inferix.models.parameters import DEV_OVERRIDES
from inferix.models.roles import RosterKind
from inferix.replay import Network as Mirror
from inferix.replay import apply
from inferix.replay.accounting import roster_leaves
from inferix.replay.later import look_ahead
from tests.contracts.system import IFX, MANAGER, STAND_INS, USD, VERIFIER, WORKER, Node, acting, deployer, key
from tests.contracts.uniswap import Exchange
from tests.contracts.work.network import mine
from tests.stateful import realm
from tests.stateful.selling import Selling

START = 1_750_000_000
NAMES = [
    "parameters",
    "ifx",
    "usd",
    "cents",
    "ifx_dollar",
    "licence",
    "registry",
    "staking",
    "penalty_pool",
    "delegation",
    "market",
    "batches",
    "orders",
    "rosters",
    "burn_mint_work",
    "accounts",
    "fee_burner",
    "committees",
    "disputes",
    "panels",
    "escape",
    "balance_claims",
    "leases",
    "availability",
    "objections",
    "contradictions",
    "strikes",
    "pool_market",
    "pair",
    "router",
    *realm.NAMES,
    "native",
    "node_sale",
    "buyback",
]
MILLION_USD = 10**6 * USD


@dataclass(frozen=True)
class Sent:
    """How a call ended: with what it returned, or refused with a reason."""

    done: bool
    output: bytes

    @property
    def reason(self) -> str:
        """The text of a revert, if any."""
        return self.output[68:].rstrip(b"\0").decode(errors="replace") if len(self.output) > 68 else ""


class World(Selling, realm.Realm):
    """A small network of real contracts; ``events``: all that they logged."""

    def __init__(self) -> None:
        boa.env.timestamp = START
        self.events: list[ChainEvent] = []
        self.documents: dict[bytes, bytes] = {}
        self.transaction = 0
        self._keys: dict[int, Any] = {}  # of nodes that changed theirs in this run, as they were
        early = self._listen()
        super().__init__()
        self.cents = deployer("OddCoin.vy", STAND_INS).deploy(2, 0)
        self._exchange()
        contracts = {name: getattr(self, name) for name in NAMES}
        self.addresses = {name: str(contract.address) for name, contract in contracts.items()}
        self.interfaces = {name: Interface(name, contract.abi) for name, contract in contracts.items()}
        self._by_address = {address: name for name, address in self.addresses.items()}
        fields = self.registry.eip712Domain()
        self.domain = Domain(chain_id=fields[3], contract=str(self.registry.address))
        self.mirror = self.fresh_mirror()
        for log in early:
            self._log(*log)
        self._log_to = self._log
        self.people()

    def _exchange(self) -> None:
        """Uniswap V2 with a pair of IFX and DevUSD, most of which is the treasury's; the market over it, still without it."""
        exchange = Exchange(self)
        self.trader, self.router = exchange.trader, exchange.router
        self.pair = exchange.add_liquidity(self.usd, 2_000 * IFX, 100 * 10**6)
        with acting(self.trader):
            self.pair.transfer(self.treasury, self.pair.balanceOf(self.trader.address) * 3 // 4)
        self.pool_market = deployer("issuance/PoolMarket.vy").deploy(
            self.parameters, self.ifx, self.ifx_dollar, self.market, exchange.factory.address
        )

    # -- the people

    def people(self) -> None:
        """Two managers, four workers, five verifiers, two clients and a challenger, with money; rosters."""
        with acting(self.governor):
            self.ifx_dollar.add_coin(self.cents, MILLION_USD)
            self.ifx_dollar.set_coin_cap(self.usd, MILLION_USD)
            self.pool_market.add_pool(self.usd)
        # A smaller committee by steps, each of which is a majority
        for name, value in (("committee", 4), ("committee", 3), *DEV_OVERRIDES.items()):
            self.set_parameter(name, value)
        # Two seats: a tie, a silent half and a panel that is too small can all come about.
        self.set_parameter("panel", 2)
        self.set_parameter("panel_minimum", 2)
        self.set_parameter("roster_window", 6 * 3_600)  # for something to be said against a roster
        self.managers = [self.bonded(MANAGER, times=2), self.bonded(MANAGER)]
        with acting(self.managers[0].operator):
            self.workers = [self._worker(ib) for ib in (10**6, 10**6, 5 * 10**6, 2 * 10**6)]
        self.verifiers = [self.bonded(VERIFIER, times=2) for _ in range(5)]
        self.nodes = {node.id: node for node in [*self.managers, *self.workers, *self.verifiers]}
        self.clients = [key("first client"), key("second client")]
        self.challenger, self.stranger = key("challenger"), key("stranger")
        self.give_ifx(self.market.address, 10**7 * IFX)
        for person in self.funded():
            self._fund(person.address)
        self._fund_trader()
        self.open_shop([*self.clients, self.challenger, self.workers[0].owner])
        self.post_rosters()

    def funded(self) -> list[Any]:
        """Everybody with money, who lets the contracts take it."""
        return [*self.clients, self.challenger, *(node.owner for node in self.nodes.values())]

    def _worker(self, ib: int) -> Node:
        node = self.register(WORKER)
        with acting(self.managers[0].operator):
            self.registry.attest_benchmark(node.id, ib, bytes(32))
        self.stake(node, 2 * int(self.staking.required(node.id)))
        return node

    def _fund(self, who: str) -> None:
        self.give_ifx(who, 10**5 * IFX)
        self.give_usd(who, 10**11)
        self.cents.mint(who, 10**7)
        with acting(who):
            for token, spender in (
                (self.ifx, self.staking),
                (self.ifx, self.disputes),
                (self.ifx, self.delegation),
                *((self.ifx, court) for court in (self.availability, self.objections, self.contradictions)),
                (self.usd, self.ifx_dollar),
                (self.cents, self.ifx_dollar),
                (self.ifx, self.escape),
                (self.usd, self.balance_claims),
                (self.cents, self.balance_claims),
            ):
                token.approve(spender, 2**255)

    def _fund_trader(self) -> None:
        """Who trades with the pair, and who has most of it."""
        self.give_ifx(self.trader.address, 10**4 * IFX)
        self.give_usd(self.trader.address, 5 * 10**8)
        self.cents.mint(self.trader.address, 10**4)
        for who in (self.trader.address, self.treasury):
            with acting(who):
                for token in (self.ifx, self.usd, self.pair):
                    token.approve(self.router.address, 2**255)
        with acting(self.trader):
            for market in (self.market, self.pool_market):
                for token in (self.usd, self.cents):
                    token.approve(market, 2**255)

    @property
    def manager(self) -> Node:
        """The first one."""
        return self.managers[0]

    def post_rosters(self) -> list[int]:
        """Rosters of who can be drawn now, the governor's: final at once; none where nobody can be drawn; their kinds."""
        posted = []
        for kind in RosterKind:
            leaves = roster_leaves(self.mirror, kind)
            if leaves:
                roster = Roster(leaves)
                data = self.store(RosterData(kind=int(kind), leaves=leaves))
                terms = (int(kind), roster.tree.root.hash, roster.total, max(roster.leaves) + 1, data)
                assert self.send(self.governor, "rosters", "post", *terms).done
                posted.append(int(kind))
        return posted

    # -- calls and logs

    def send(self, who: Any, name: str, function: str, *arguments: Any) -> Sent:
        """A transaction of somebody; refused ones change nothing."""
        self.transaction += 1
        data = self.interfaces[name].encode(function, arguments)
        computation = boa.env.execute_code(
            to_address=self.addresses[name], sender=getattr(who, "address", who), data=data
        )
        return Sent(not computation.is_error, bytes(computation.output))

    def read(self, name: str, function: str, *arguments: Any) -> Any:
        """A view."""
        interface = self.interfaces[name]
        data = interface.encode(function, arguments)
        computation = boa.env.execute_code(to_address=self.addresses[name], data=data, is_modifying=False)
        assert not computation.is_error, (name, function, bytes(computation.output))
        return interface.decode(function, len(arguments), bytes(computation.output))

    def _listen(self) -> list[tuple[str, list[int], bytes]]:
        """Every log of a transaction that counts reaches the mirror; those of the deployment wait in this list."""
        execute, early = boa.env.execute_code, []
        self._log_to = lambda *log: early.append(log)

        def listening(*args: Any, **kwargs: Any) -> Any:
            computation = execute(*args, **kwargs)
            if not computation.is_error and kwargs.get("is_modifying", True) and not kwargs.get("simulate"):
                for _, address, topics, data in computation.get_raw_log_entries():
                    self._log_to(to_checksum_address(address), topics, data)
            return computation

        boa.env.execute_code = listening
        return early

    def _log(self, address: str, topics: list[int], data: bytes) -> None:
        name = self._by_address.get(address)
        found = name and self.interfaces[name].event([topic.to_bytes(32, "big") for topic in topics], data)
        if not found:
            return
        block, time, number = self.block, int(boa.env.timestamp), self.transaction
        event = ChainEvent(block, len(self.events), time, str(name), *found, number.to_bytes(32, "big"))
        self.events.append(event)
        apply(self.mirror, event)
        if self.mirror.is_stale:  # it has to know from the start what became of an anchor
            self.mirror = self.fresh_mirror()

    # -- time

    @property
    def now(self) -> int:
        """Block time [s]."""
        return int(boa.env.timestamp)

    @property
    def block(self) -> int:
        """Block number."""
        return int(boa.env.evm.patch.block_number)

    def wait(self, seconds: int) -> None:
        """Block time passes, a block every twelve seconds, one at least."""
        boa.env.evm.patch.timestamp += seconds
        boa.env.evm.patch.block_number += max(1, seconds // 12)
        mine(0)  # whose hashes are known
        self.mirror.tick(self.now)

    # -- keys

    def change_key(self, node: Node, operator: Any) -> None:
        """What a node's operator signs from here on, until the run is over."""
        self._keys.setdefault(node.id, node.operator)
        node.operator = operator

    def _old_keys(self) -> None:
        for id, operator in self._keys.items():
            self.nodes[id].operator = operator
        self._keys.clear()

    # -- a run of the machine

    def fresh_mirror(self) -> Mirror:
        """The mirror of all events so far."""
        mirror = Mirror(self.domain, self.genesis, self.documents, look_ahead(self.events))
        for event in self.events:
            apply(mirror, event)
        return mirror

    def store(self, document: Document) -> bytes:
        """Puts a document where everybody finds it; its digest."""
        self.documents[document.digest()] = document.encode()
        return document.digest()

    @contextmanager
    def run(self) -> Iterator[None]:
        """A run starts from here, and leaves nothing behind."""
        events, documents = list(self.events), dict(self.documents)
        with boa.env.anchor():
            self.mirror = self.fresh_mirror()
            try:
                yield
            finally:
                self.events, self.documents = events, documents
                self._old_keys()


def parameter(name: str) -> bytes:
    """As the contracts name it."""
    return keccak(text=name)
