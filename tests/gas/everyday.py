# SPDX-License-Identifier: Apache-2.0
"""What is sent by who runs a node, by a client, and by a manager beside one that is silent. Each twice, and the second time
counts, unless a thing is done once: who is paid has been paid before."""

from typing import Any

from eth_utils import keccak

from tests.contracts.system import FLOOR, IFX, MANAGER, USD, WORKER, acting, advance, key
from tests.contracts.work.books import Books, Ledger
from tests.contracts.work.network import Network, batch_leaf, leaf_values
from tests.contracts.work.test_balance_claims import AGE, WINDOW, entry
from tests.gas.meter import transaction_gas

ACCOUNTS = 1_000
CHARGES = 100  # that a claim lists
MOST = 2**256 - 1


class Everyday:
    """Measures in a network; `figures` maps a transaction to its gas."""

    def __init__(self, figures: dict[str, int]) -> None:
        self.figures = figures
        self.anybody = key("anybody")
        self.network = network = Network()
        network.stake(network.manager, 99 * int(network.staking.required(network.manager.id)))
        network.give_ifx(network.market.address, 10**6 * IFX)
        network.set_parameter("pool_withdrawal_bps", 10_000)

    def measure(self, name: str, call: Any, *args: Any, sender: Any) -> None:
        """Record one transaction."""
        self.figures[name] = transaction_gas(call, *args, sender=sender)


class Nodes(Everyday):
    """An owner with its second machine: registered, measured, staked for, changed, and out again."""

    def run(self) -> None:
        """All figures."""
        network, owner = self.network, key("owner of machines")
        registry, staking, manager = network.registry, network.staking, network.manager
        licence = network.mint_licence(owner, WORKER)
        network.give_ifx(owner.address, 10**6 * IFX)
        with acting(owner):
            network.ifx.approve(staking, MOST)
        for node in (manager.id + 1, manager.id + 2):
            operator = key(f"operator {node}")
            arguments = (licence, operator.address, keccak(text="sealing key"), 2 * FLOOR)
            self.measure("register a node", registry.register, *arguments, sender=owner)
            self.measure("first stake", staking.stake, node, 10**4 * IFX, sender=owner)
            with acting(manager.operator):
                registry.attest_benchmark(node, 1_000_000, keccak(text="class"))
            self.measure("stake", staking.stake, node, 10**4 * IFX, sender=owner)
            self.measure("ask for a benchmark", registry.request_benchmark, node, manager.id, sender=operator)
            attested = (node, 1_100_000, keccak(text="class"))
            self.measure("attest a benchmark", registry.attest_benchmark, *attested, sender=manager.operator)
            self.measure("set a price", registry.set_price, node, 3 * FLOOR, sender=operator)
            self.measure("replace an operator", registry.set_operator, node, key(f"next {node}").address, sender=owner)
            self.measure("unbond", staking.unbond, node, 10**3 * IFX, sender=owner)
            advance(network.window("unbonding"))
            self.measure("withdraw stake", staking.withdraw, node, sender=owner)
            self.measure("retire a node", registry.retire, node, sender=owner)


class Clients(Everyday):
    """Credit in and out, with accounts and without; an order cancelled; a job taken over."""

    def run(self) -> None:
        """All figures."""
        self.ledger = Ledger(self.network)
        self.client, self.account = self.ledger.client, self.ledger.account
        self._credit()
        self._silence()
        self._claims()

    def _credit(self) -> None:
        network, dollar = self.network, self.network.ifx_dollar
        network.give_usd(self.client.address, 10**12)
        with acting(self.client):
            network.usd.approve(dollar, MOST)
        for name in ("first", "second"):
            other = key(f"{name} client").address
            self.measure("first top-up", dollar.top_up, network.usd, 10**9, other, sender=self.client)
            self.measure("top-up", dollar.top_up, network.usd, 10**9, self.client.address, sender=self.client)
            self.measure("request a withdrawal", dollar.request_withdrawal, self.account, USD, sender=self.client)
            self.measure("take a request back", dollar.cancel_request, self.account, sender=self.client)
            self.measure("cancel an order", network.orders.cancel, self.account, 7, sender=self.client)
            with acting(self.client):
                dollar.request_withdrawal(self.account, 100 * USD)
            self.ledger.close_epoch()
            self.books = self.ledger.publish(self._large_books())
            arguments = self.books.account(self.account)
            self.measure("withdraw credit", dollar.withdraw, *arguments, sender=self.client)

    def _large_books(self) -> Books:
        books = self.ledger.books()
        books.reserved = dict.fromkeys(range(1, ACCOUNTS), USD)
        books.__post_init__()
        return books

    def _silence(self) -> None:
        network = self.network
        silent, taker, orders = network.manager, network.bonded(MANAGER), network.orders
        for name in ("first", "second"):
            with acting(silent.operator):
                network.batches.anchor(silent.id, keccak(text=name), bytes(32))
            self.measure("call a manager out", orders.call_out, silent.id, taker.id, sender=taker.operator)
            advance(network.window("takeover_after"))
            arguments = (keccak(text=name), silent.id, taker.id)
            self.measure("take a job over", orders.take_over, *arguments, sender=taker.operator)

    def _claims(self) -> None:
        network, claims, dollar = self.network, self.network.balance_claims, self.network.ifx_dollar
        with acting(self.client):
            network.usd.approve(claims, MOST)
        known = self.books.account(self.account)[1:]
        listed = [entry(batch_leaf(at, charge=10**6, account=self.account)) for at in range(CHARGES)]
        for index in (1, 2):
            with acting(self.client):
                dollar.request_withdrawal(self.account, 10 * USD)
            advance(AGE)
            left_out = batch_leaf(CHARGES + index, charge=USD, account=self.account)
            header = network.propose(network.manager, [left_out])
            advance(network.window("batch_window"))
            network.batches.finalize(header.values())
            arguments = (self.account, 10 * USD, *known, listed)
            item = (header.values(), leaf_values(left_out), 0, [])
            self.measure("claim to a balance with a hundred charges", claims.claim, *arguments, sender=self.client)
            self.measure(
                "prove a charge that a claim leaves out",
                claims.prove_charge,
                self.account,
                listed,
                item,
                sender=self.anybody,
            )
            with acting(self.client):
                claims.claim(*arguments)
            advance(WINDOW)
            self.measure("settle a claim to a balance", claims.settle, self.account, sender=self.client)
