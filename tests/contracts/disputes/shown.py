# SPDX-License-Identifier: Apache-2.0
"""Anchors, rosters and accounts of a Court that can be asked for, and the answers that show them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import boa
from eth_utils import keccak

from inferix import trees
from inferix.draws import Roster
from inferix.messages import Acceptance, CanaryOpening, Message, Probe, Receipt, Vote
from tests.contracts.disputes.court import Court, leaf_values_of, roster_leaf
from tests.contracts.system import IFX, Node, acting, block_hash
from tests.contracts.work.books import Ledger
from tests.contracts.work.network import flat, leaf_values, mine

ANCHOR, ROSTER, ACCOUNTS, NODES = 1, 2, 3, 4
CHUNK = 64
NO_MESSAGE = (0, b"", b"")
KINDS = (Acceptance, Receipt, Vote, CanaryOpening, Probe)


@dataclass(frozen=True)
class Shown:
    """A root and its leaves by place, as Availability takes them."""

    kind: int
    of: int
    index: int
    tree: trees.Tree
    places: list[Any]
    block_hash: bytes = bytes(32)

    def root(self, **changes: Any) -> tuple[Any, ...]:
        """As Availability names it."""
        fields = {"kind": self.kind, "of": self.of, "index": self.index, "root": self.tree.root.hash}
        return tuple((fields | changes).values())

    def answer(self, chunk: int) -> tuple[int, list[Any], list[bytes]]:
        """Chunk, leaves and proof; of a chunk beyond the tree, the last one."""
        levels = self.tree.levels
        height = min(6, len(levels) - 1)
        at = min(chunk, len(levels[height]) - 1)
        proof = [level[(at >> depth) ^ 1] for depth, level in enumerate(levels[height:-1])]
        return chunk, self.places[at * CHUNK :][:CHUNK], flat(proof)

    def replace(self, **changes: Any) -> "Shown":
        """Another one like it."""
        return replace(self, **changes)


def message_values(message: Message, signature: bytes) -> tuple[Any, ...]:
    """A message as Availability takes it."""
    return 1 + KINDS.index(type(message)), message.body(), signature  # type: ignore[arg-type]


def messages(court: Court, count: int) -> list[tuple[Message, bytes]]:
    """Messages of all kinds, signed by their nodes."""
    found = []
    for at in range(count):
        node = court.verifiers[at % len(court.verifiers)]
        common: dict[str, Any] = {"task": keccak(text=f"task {at}"), "attempt": 0, "node": node.id}
        made: list[Message] = [
            Acceptance(**common, draw=at),
            Receipt(**common, result=keccak(text="result")),
            Vote(**common, result=keccak(text="result"), outcome=1, measured=bytes(32)),
            CanaryOpening(**common, is_canary=at % 2 == 0, salt=keccak(text=f"salt {at}")),
            Probe(manager=1, anchor=at, node=node.id, seed=keccak(text=f"seed {at}")),
        ]
        message = made[at % len(made)]
        found.append((message, message.sign(court.domain, bytes(node.operator.key))))
    return found


def anchored(court: Court, count: int, signed: Sequence[tuple[Message, bytes]] | None = None) -> Shown:
    """A sealed anchor over so many messages."""
    signed = messages(court, count) if signed is None else signed
    digests = [message.digest(court.domain) for message, _ in signed]
    tree = trees.Tree([trees.message_leaf(digest) for digest in digests or [bytes(32)]])
    with acting(court.keeper.operator):
        index = int(court.batches.lane(court.keeper.id).anchors) + 1
        court.batches.anchor(court.keeper.id, tree.root.hash, keccak(text="data"))
    block = int(boa.env.evm.patch.block_number)
    mine(3)
    court.batches.seal(court.keeper.id)
    places = [message_values(*each) for each in signed] or [NO_MESSAGE]
    return Shown(ANCHOR, court.keeper.id, index, tree, places, block_hash(block + 1))


def rostered(court: Court, ids: Sequence[int], poster: Node | None = None) -> Shown:
    """A waiting roster of verifiers with these ids, posted by a manager."""
    roster = Roster([roster_leaf(node, 100 + node) for node in ids])
    tree = roster.tree
    with acting((poster or court.keeper).operator):
        court.rosters.post(2, tree.root.hash, roster.total, max(ids) + 1, keccak(text="roster data"))
    places = [
        leaf_values_of(roster.leaves[at]) if at in roster.leaves else (0, 0, 0, bytes(32), 0)
        for at in range(len(tree.levels[0]))
    ]
    return Shown(ROSTER, 2, int(court.rosters.pending(2).index), tree, places)


def accounted(
    court: Court, nodes: Sequence[int] = (), reserved: dict[int, int] | None = None, charge: int = 10**9
) -> tuple[Shown, Shown]:
    """A waiting accounts root: its accounts and its nodes. ``charge``: nano-USD."""
    court.give_ifx(court.market.address, 10**6 * IFX)
    ledger = Ledger(court, charge)
    ledger.account, ledger.client = court.account, court.client
    epoch = ledger.close_epoch()
    minted = int(court.burn_mint_work.totals_at(epoch)[1])
    books = ledger.books({node: (minted // (2 * len(nodes)), 0, 0) for node in nodes}, epoch)
    books.reserved = reserved or {}
    books.__post_init__()
    ledger.post(books, court.keeper)
    index = int(court.accounts.pending().index)
    accounts = [
        leaf_values(books.accounts[at]) if at in books.accounts else (0, 0, 0)
        for at in range(len(books.account_tree.levels[0]))
    ]
    rewards = [
        leaf_values(books.leaves[at]) if at in books.leaves else (0, 0, 0, 0)
        for at in range(len(books.node_tree.levels[0]))
    ]
    return Shown(ACCOUNTS, 0, index, books.account_tree, accounts), Shown(NODES, 0, index, books.node_tree, rewards)


def challenge(court: Court, shown: Shown, chunk: int = 0, **changes: Any) -> bytes:
    """Ask for a chunk, with IFX of the challenger."""
    with acting(court.challenger):
        return bytes(court.availability.challenge(shown.root(**changes), chunk, 0, shown.block_hash))


def answer(court: Court, shown: Shown, chunk: int = 0, parts: Any = None, **changes: Any) -> None:
    """Show it; `parts` in place of leaves and proof."""
    names = {ANCHOR: "anchor", ROSTER: "roster", ACCOUNTS: "accounts", NODES: "nodes"}
    call = getattr(court.availability, f"answer_{names[shown.kind]}")
    call(shown.root(**changes), *(parts or shown.answer(chunk)))
