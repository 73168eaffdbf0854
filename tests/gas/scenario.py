# SPDX-License-Identifier: Apache-2.0
"""One run of the network in steady state, in which each kind of transaction is measured once.

Steady state: storage that is used again has been used before. Where that takes weeks (the ring of 65,536 seeds, the ring
of 512 commitments) its slot is filled by hand before the transaction. Sums and ids have the sizes of a network with a
thousand nodes and accounts.
"""

from random import Random
from typing import Any

import boa
from eth_utils import keccak

from inferix.messages import Domain, Order, Receipt
from inferix.models.anchor import BatchLeaf
from tests.contracts.system import IFX, USD, VERIFIER, acting, advance, deployer, key, now, slot
from tests.contracts.uniswap import Exchange
from tests.contracts.work.books import Books, Ledger
from tests.contracts.work.network import Network, batch_leaf, mine, records_of
from tests.gas.meter import transaction_gas

TASKS = 1000
ORDERS = 50
NODES = 1000
MANY = 50
RING, SEEDS, TIMES = 512, 65_536, 6


class Scenario:
    """Builds a network and measures; `figures` maps a transaction to its gas."""

    def __init__(self, figures: dict[str, int]) -> None:
        self.random = Random(1)
        self.figures = figures
        self.anybody = key("anybody")
        self.network = Network()
        self.manager = self.network.manager
        self.network.stake(self.manager, 99 * int(self.network.staking.required(self.manager.id)))
        self.network.give_ifx(self.network.market.address, 10**6 * IFX)
        self.ledger = Ledger(self.network)

    def run(self) -> None:
        """All figures."""
        self.orders()
        self.anchors()
        self.batches()
        self.epochs()
        self.claims()
        self.delegations()
        self.pools()

    def measure(self, name: str, call: Any, *args: Any, sender: Any = None) -> None:
        """Record one transaction."""
        self.figures[name] = transaction_gas(call, *args, sender=sender or self.anybody)

    def orders(self) -> None:
        """One order by its client; fifty by a manager; a receipt that no manager anchors."""
        domain = Domain(chain_id=self.network.registry.eip712Domain()[3], contract=self.network.registry.address)

        def record(nonce: int) -> bytes:
            order = Order(
                account=70_000 + nonce,
                nonce=nonce,
                manager=self.manager.id,
                spec=keccak(text=f"spec {nonce}"),
                cap=self.random.randrange(10**8, 10**11),
                price=16_000_000,
                attempts=3,
                deadline=now() + 86400,
                post_by=now() + 600,
            )
            return order.record(order.sign(domain, bytes(self.ledger.client.key)))

        own = (self.ledger.account).to_bytes(4, "big") + record(0)[4:]
        self.measure("order of one", self.network.orders.post, own, sender=self.ledger.client)
        fifty = b"".join(record(nonce) for nonce in range(ORDERS))
        self.measure("orders of fifty", self.network.orders.post, fifty, sender=self.manager.operator)
        task = keccak(text="task")
        receipt = Receipt(task=task, attempt=1, node=70_000, result=keccak(task), canary=keccak(keccak(task)))
        signature = receipt.sign(domain, bytes(self.ledger.client.key))
        self.measure("receipt posted", self.network.orders.post_message, 2, receipt.body(), signature)

    def anchors(self) -> None:
        """An anchor that seals the one before it; a seal of its own."""
        batches, manager = self.network.batches, self.manager.id
        for index in range(1, 5):
            for at in (index, index + 1):
                boa.env.set_storage(batches.address, slot(batches, "anchors._seeds", manager, at), 1)
            boa.env.set_storage(batches.address, slot(batches, "anchors._times", manager, index // TIMES), 1)
            arguments = (manager, keccak(text=f"root {index}"), keccak(text=f"data {index}"))
            self.measure("anchor and seal", batches.anchor, *arguments, sender=self.manager.operator)
            mine(3)
        self.measure("seal", batches.seal, manager)

    def leaves(self, count: int) -> list[BatchLeaf]:
        """Outcomes of the sizes that a large network has."""
        return [
            batch_leaf(
                self.random.randrange(2**40),
                charge=self.random.randrange(10**6, 10**8),
                work=self.random.randrange(10**8, 10**10),
                node=self.random.randrange(1, 100_000),
                account=self.ledger.account,
            )
            for _ in range(count)
        ]

    def propose(self, name: str, leaves: list[BatchLeaf], **changes: Any) -> Any:
        """Measure a proposal; returns its header."""
        batches, manager = self.network.batches, self.manager
        header = self.network.header(manager, leaves, **changes)
        place = slot(batches, "lanes._commitments", manager.id, header.sequence % RING)
        boa.env.set_storage(batches.address, place, 1)
        records = records_of(leaves) if header.records != bytes(32) else b""
        self.measure(name, batches.propose, header.values(), records, sender=manager.operator)
        return header

    def batches(self) -> None:
        """Batches of one and of a thousand, with records and without, and their ends."""
        headers = [self.propose("propose", self.leaves(1)) for _ in range(3)]
        headers.append(self.propose("propose 1000 with records", self.leaves(TASKS)))
        self.network.set_parameter("root_only", 1)
        headers.append(self.propose("propose 1000 root only", self.leaves(TASKS), records=bytes(32)))
        headers.append(self.propose("propose", self.leaves(1)))
        advance(self.network.window("batch_window"))
        for header in headers[:-1]:
            self.measure("finalize", self.network.batches.finalize, header.values())
        self.measure("finalize the last open one", self.network.batches.finalize, headers[-1].values())

    def epochs(self) -> None:
        """Four epochs: fees collected, emission, roots over a thousand nodes and accounts."""
        network = self.network
        for _ in range(4):
            self.ledger.close_epoch()
        network.settle(self.manager, self.leaves(1))
        self.measure("collect", network.fee_burner.collect, network.usd.address)
        self.measure("claim of a manager", network.fee_burner.claim_manager, self.manager.id, network.usd.address)
        network.end_epoch()
        self.measure("close an epoch", network.burn_mint_work.close_epoch)
        self.recipients = [network.register(VERIFIER) for _ in range(128)]
        for epoch in range(3):
            self.books = self.large_books(int(network.burn_mint_work.closed()) - 3 + epoch)
            sender = self.manager.operator
            self.measure("accounts", network.accounts.post, *self.books.values(), sender=sender)
            advance(network.window("accounts_window"))
            self.measure("finalize accounts", network.accounts.finalize)

    def pools(self) -> None:
        """Fees spent in a pool of Uniswap V2: it is observed, bought in, and prices an epoch."""
        network, exchange = self.network, Exchange(self.network)
        exchange.add_liquidity(network.usd, 10**6 * IFX, 5 * 10**10)
        market = deployer("issuance/PoolMarket.vy").deploy(
            network.parameters, network.ifx, network.ifx_dollar, network.market, exchange.factory.address
        )
        with acting(network.governor):
            market.add_pool(network.usd)
            network.fee_burner.set_market(market)
        for _ in range(2):
            for _ in range(2):
                advance(1800)
                self.measure("observe a pool", market.observe, network.usd.address)
            network.end_epoch()
            self.measure("roll the price", market.roll)
            network.settle(self.manager, self.leaves(1))
            self.measure("observe a pool", market.observe, network.usd.address)
            advance(1800)
            self.measure("collect in a pool", network.fee_burner.collect, network.usd.address)

    def large_books(self, epoch: int) -> Books:
        """A thousand nodes and accounts."""
        charge, minted = self.network.burn_mint_work.totals_at(epoch)
        each = minted // NODES
        grants = {
            node: (self.random.randrange(each // 2), each // 4, each // 4 * (now() - 10 * 86400))
            for node in range(1, NODES)
        }
        reserved = {account: self.random.randrange(USD) for account in range(1, NODES)}
        return Books(epoch, {self.ledger.account: charge}, grants, minted, reserved)

    def claims(self) -> None:
        """A claim, fifty, and a chunk of 64: of owners who have IFX and have claimed before; then of owners who have
        delegated their votes, each to somebody else."""
        accounts = self.network.accounts
        first = self.recipients[0].id
        chunk = self.books.chunk(64, 6)
        many = [self.books.claim(node) for node in range(first, first + MANY)]
        leaves, proofs = [leaf for leaf, _ in many], [proof for _, proof in many]
        self.measure("first claim", accounts.claim, *many[0])
        for _ in range(2):
            advance(86400)
            self.measure("claim", accounts.claim, *many[0])
            self.measure("claim_many of fifty", accounts.claim_many, leaves, proofs)
            self.measure("claim_chunk of 64", accounts.claim_chunk, *chunk)
        for at, node in enumerate(self.recipients[:MANY]):
            with acting(node.owner):
                self.network.ifx.delegate(key(f"delegatee {at}").address)
        for _ in range(2):
            advance(86400)
            self.measure("claim, votes delegated", accounts.claim, *many[0])
            advance(86400)
            self.measure("claim_many of fifty, votes delegated", accounts.claim_many, leaves, proofs)

    def delegations(self) -> None:
        """What delegators pay, and a claim of a node that has some: after its first, by a root that lets nobody in."""
        network, delegation = self.network, self.network.delegation
        node, people = network.bonded(VERIFIER), [key(f"delegator {at}") for at in range(2)]
        with acting(node.owner):
            delegation.set_limit(node.id, 10**6 * IFX)
        for who in people:
            network.give_ifx(who.address, 10**4 * IFX)
            with acting(who):
                network.ifx.approve(delegation, 2**256 - 1)
            self.measure("delegate", delegation.delegate, node.id, 10**3 * IFX, sender=who)
        self.ledger.close_epoch()
        books = self.ledger.publish(self.large_books(int(network.burn_mint_work.closed()) - 1))
        network.accounts.claim(*books.claim(node.id))
        for _ in range(2):
            advance(86400)
            self.measure("claim with delegators", network.accounts.claim, *books.claim(node.id))
            self.measure("claim of a delegator", delegation.claim, node.id, people[0].address)
        for _ in range(2):
            self.measure("undelegate", delegation.undelegate, node.id, 10 * IFX, sender=people[0])
        advance(network.window("unbonding"))
        for exit in (1, 2):
            self.measure("withdraw an exit", delegation.withdraw, exit)


def all_in_parts(figures: dict[str, int], tasks_a_job: int) -> dict[str, float]:
    """Gas of one verified and settled task by step, in steady state.

    Orders in fifties, one anchor a slot of 100 tasks, batches of 1000 with records, each node claiming in a chunk after
    100 tasks, one root an epoch of 8,640 such slots.
    """
    epoch = figures["accounts"] + figures["finalize accounts"] + figures["close an epoch"]
    return {
        "order": figures["orders of fifty"] / ORDERS / tasks_a_job,
        "anchor": figures["anchor and seal"] / 100,
        "batch": (figures["propose 1000 with records"] + figures["finalize"]) / TASKS,
        "accounts": epoch / (8640 * 100),
        "claim": figures["claim_chunk of 64"] / 64 / 100,
    }


def all_in(figures: dict[str, int], tasks_a_job: int) -> int:
    """Gas of one verified and settled task, in steady state: the sum of `all_in_parts`."""
    return round(sum(all_in_parts(figures, tasks_a_job).values()))
