# SPDX-License-Identifier: Apache-2.0
"""The books of an epoch: leaves of accounts and nodes, their trees, and how they get on chain."""

from dataclasses import dataclass, field
from typing import Any

from eth_utils import keccak

from inferix import trees
from inferix.models.anchor import AccountLeaf, BatchLeaf, NodeLeaf
from tests.contracts.system import MANAGER, Node, acting, advance, now
from tests.contracts.work.network import Network, batch_leaf, flat, leaf_values

DATA = keccak(text="accounts data")


@dataclass
class Books:
    """Leaves by id; what an epoch minted and nobody earned is the dust of leaf 0."""

    epoch: int
    spent: dict[int, int]
    nodes: dict[int, tuple[int, int, int]]
    minted: int
    reserved: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        earned = sum(matured + vesting for matured, vesting, _ in self.nodes.values())
        self.leaves = {0: NodeLeaf(node=0, matured=self.minted - earned, vesting=0, start=0)} | {
            node: NodeLeaf(node=node, matured=matured, vesting=vesting, start=start)
            for node, (matured, vesting, start) in self.nodes.items()
        }
        self.accounts = {
            account: AccountLeaf(
                account=account, spent=self.spent.get(account, 0), reserved=self.reserved.get(account, 0)
            )
            for account in sorted(self.spent | self.reserved)
        }
        self.node_tree = trees.Tree([self._leaf(self.leaves.get(at)) for at in range(max(self.leaves) + 1)])
        accounts = [self.accounts.get(at) for at in range(max(self.accounts, default=0) + 1)]
        self.account_tree = trees.Tree([each and trees.account_leaf(each) for each in accounts])

    @staticmethod
    def _leaf(leaf: NodeLeaf | None) -> trees.Sum | None:
        return trees.node_leaf(leaf) if leaf else None

    def values(self, **changes: Any) -> tuple[Any, ...]:
        """As `Accounts.post` takes them."""
        spent, reserved = trees.split(self.account_tree.root.sum)
        matured, vesting = trees.split(self.node_tree.root.sum)
        fields = {
            "epoch": self.epoch,
            "accounts_root": self.account_tree.root.hash,
            "spent": spent,
            "reserved": reserved,
            "nodes_root": self.node_tree.root.hash,
            "matured": matured,
            "vesting": vesting,
            "data": DATA,
        }
        return tuple((fields | changes).values())

    def claim(self, node: int) -> tuple[tuple[Any, ...], list[bytes]]:
        """As `Accounts.claim` takes it."""
        return leaf_values(self.leaves[node]), flat(self.node_tree.proof(node))

    def account(self, account: int) -> tuple[int, int, int, list[bytes]]:
        """As `Accounts.verify_account` takes it."""
        leaf = self.accounts[account]
        return leaf.account, leaf.spent, leaf.reserved, flat(self.account_tree.proof(account))

    def chunk(self, first: int, height: int) -> tuple[int, int, list[tuple[Any, ...]], list[bytes]]:
        """As `Accounts.claim_chunk` takes it: 2**height places, empty ones as leaves of node 0."""
        last = min(first + (1 << height), max(self.leaves) + 1)
        leaves = [self.leaves.get(at) for at in range(first, last)]
        values = [leaf_values(leaf) if leaf else (0, 0, 0, 0) for leaf in leaves]
        return first, height, values, flat(self.node_tree.proof(first)[height:])


class Ledger:
    """Runs epochs of a network whose charges come from one account."""

    def __init__(self, network: Network, charge: int = 10**9) -> None:
        self.network = network
        self.charge = charge
        self.client = network.fresh_key("client")
        self.account = network.top_up(self.client, 10**9)
        self.batches = 0

    def close_epoch(self, work: int = 10**9) -> int:
        """An epoch with one final batch, whose fees are burned; returns its index."""
        network = self.network
        while network.epoch_end() - now() <= network.window("batch_window"):
            network.end_epoch()
        while network.burn_mint_work.closed() < network.burn_mint_work.epoch():
            network.burn_mint_work.close_epoch()
        network.settle(network.manager, [self._leaf(work)])
        network.fee_burner.collect(network.usd)
        network.end_epoch()
        network.burn_mint_work.close_epoch()
        return int(network.burn_mint_work.closed()) - 1

    def _leaf(self, work: int) -> BatchLeaf:
        self.batches += 1
        return batch_leaf(10_000 + self.batches, charge=self.charge, work=work, account=self.account)

    def books(self, nodes: dict[int, tuple[int, int, int]] | None = None, epoch: int | None = None) -> Books:
        """Honest books of a closed epoch, the newest by default."""
        epoch = int(self.network.burn_mint_work.closed()) - 1 if epoch is None else epoch
        charge, minted = self.network.burn_mint_work.totals_at(epoch)
        return Books(epoch, {self.account: charge}, nodes or {}, minted)

    def post(self, books: Books, who: Node | None = None, **changes: Any) -> None:
        """Post as the manager."""
        with acting((who or self.network.manager).operator):
            self.network.accounts.post(*books.values(**changes))

    def publish(self, books: Books) -> Books:
        """Post and wait until final."""
        self.post(books)
        advance(self.network.window("accounts_window"))
        self.network.accounts.finalize()
        return books

    def node(self, role: int = MANAGER) -> Node:
        """A node to be paid."""
        return self.network.register(role)
