# SPDX-License-Identifier: Apache-2.0
"""The protocol with its own contracts for work and issuance, and people in place of Disputes and Panels."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import boa
from eth_utils import keccak

from inferix import trees
from inferix.models.anchor import AccountLeaf, BatchLeaf, NodeLeaf
from inferix.models.roles import Outcome
from tests.contracts.system import (
    MANAGER,
    PRICE,
    Node,
    System,
    acting,
    advance,
    block_hash,
    deployer,
    key,
    know_hashes,
    now,
)

HISTORY = "0x0000F90827F1C53a10cb7A02335B175320002935"
SERVED = 8_191  # hashes that the contract there keeps, by EIP-2935
HISTORY_CODE = bytes.fromhex(
    "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff"
    "9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
)
"""As the EIP gives it."""


@dataclass(frozen=True)
class Header:
    """A batch header; the order of the fields is that of the contract's struct."""

    manager: int
    sequence: int
    coin: int
    count: int
    charge: int
    work: int
    root: bytes
    data: bytes
    records: bytes
    previous: bytes

    def values(self) -> tuple[Any, ...]:
        """As the contract takes it."""
        return tuple(asdict(self).values())

    def replace(self, **changes: Any) -> "Header":
        """The same header with other fields."""
        return replace(self, **changes)

    @property
    def commitment(self) -> bytes:
        """``keccak256(abi.encode(header))``."""
        words = [word if isinstance(word, bytes) else word.to_bytes(32, "big") for word in self.values()]
        return keccak(b"".join(words))


def batch_leaf(index: int, charge: int = 100, work: int = 5, **changes: Any) -> BatchLeaf:
    """A leaf of a batch; fields that a test does not care for follow from its index."""
    fields: dict[str, Any] = {
        "task": keccak(text=f"task {index}"),
        "attempt": 0,
        "node": 1 + index % 7,
        "account": 1,
        "work": work,
        "charge": charge,
        "outcome": Outcome.ACCEPTED,
        "result": keccak(text=f"result {index}"),
        "votes": keccak(text=f"votes {index}"),
        "voters": bytes(32),
        "anchor": 1,
    }
    return BatchLeaf(**(fields | changes))


def mine(blocks: int = 1) -> None:
    """Move on by blocks of 12 s."""
    boa.env.time_travel(blocks=blocks)
    know_hashes()


def keep_history(*blocks: int) -> None:
    """The chain has EIP-2935 from here on; its contract was told the hashes of these blocks."""
    boa.env.set_code(HISTORY, HISTORY_CODE)
    for number in blocks:
        boa.env.set_storage(HISTORY, number % SERVED, int.from_bytes(block_hash(number), "big"))


def leaf_values(leaf: BatchLeaf | NodeLeaf | AccountLeaf) -> tuple[Any, ...]:
    """As the contract takes it."""
    return tuple(getattr(leaf, name) for name in type(leaf).model_fields)


def flat(proof: list[trees.Sum]) -> list[bytes]:
    """A proof as the contracts take it: hash and sum alternating."""
    return [word for node in proof for word in (node.hash, node.sum.to_bytes(32, "big"))]


def records_of(leaves: list[BatchLeaf]) -> bytes:
    """12 bytes a leaf: node, charge, outcome, tail of the task's id."""
    return b"".join(
        leaf.node.to_bytes(4, "big") + leaf.charge.to_bytes(5, "big") + bytes([leaf.outcome]) + leaf.task[-2:]
        for leaf in leaves
    )


class Network(System):
    """A System whose work and issuance are the contracts themselves."""

    def _deploy_work(self) -> None:
        self.treasury = key("treasury").address
        self.disputes = key("disputes")
        self.panels = key("panels")
        self.objections = key("objections")
        self.contradictions = key("contradictions")
        self.strikes = key("strikes")
        self.escape = key("escape")
        self.leases = key("leases")
        self.availability = key("availability")
        self.market = deployer("issuance/ReferenceMarket.vy").deploy(
            self.parameters, self.ifx, self.ifx_dollar, self.treasury, PRICE
        )
        length = int(self.parameters.get(keccak(text="epoch_length")))
        self.genesis = now() - now() % length
        self.batches = deployer("work/Batches.vy").deploy(self.parameters, self.registry, self.staking, self.genesis)
        self.orders = deployer("work/Orders.vy").deploy(
            self.parameters, self.registry, self.staking, self.ifx_dollar, self.batches
        )
        self.rosters = deployer("work/Rosters.vy").deploy(self.parameters, self.registry, self.staking)
        self.burn_mint_work = deployer("issuance/BurnMintWork.vy").deploy(self.parameters, self.ifx, self.batches)
        nodes = (self.parameters, self.registry, self.staking, self.ifx, self.burn_mint_work)
        self.delegation = deployer("nodes/Delegation.vy").deploy(*nodes)
        self.accounts = deployer("work/Accounts.vy").deploy(*nodes, self.penalty_pool, self.delegation)

    def _wire(self) -> None:
        # The fee burner asks its market for a price, which the staking contract does not know before.
        self.fee_burner = deployer("issuance/FeeBurner.vy").deploy(
            self.parameters,
            self.ifx,
            self.ifx_dollar,
            self.batches,
            self.registry,
            self.market,
            self.foundation,
        )
        self.balance_claims = deployer("token/BalanceClaims.vy").deploy(
            self.parameters, self.ifx_dollar, self.accounts, self.batches, self.foundation
        )
        super()._wire()
        self.batches.wire(self.disputes.address, self.objections.address, self.escape.address)
        self.rosters.wire([self.availability.address, self.objections.address])
        self.accounts.wire([self.availability.address, self.objections.address])
        self.delegation.wire(self.accounts)
        self.burn_mint_work.wire(self.accounts, self.fee_burner, self.penalty_pool)

    def window(self, name: str) -> int:
        """A parameter."""
        return int(self.parameters.get(keccak(text=name)))

    def header(self, manager: Node, leaves: list[BatchLeaf], coin: int = 1, **changes: Any) -> Header:
        """The next header of this manager's lane over these leaves."""
        lane = self.batches.lane(manager.id)
        root = trees.Tree([trees.batch_leaf(leaf) for leaf in leaves]).root
        charge, work = trees.split(root.sum)
        header = Header(
            manager=manager.id,
            sequence=lane.batches + 1,
            coin=coin,
            count=len(leaves),
            charge=charge,
            work=work,
            root=root.hash,
            data=keccak(b"".join(leaf.task for leaf in leaves)),
            records=keccak(records_of(leaves)),
            previous=lane.previous,
        )
        return header.replace(**changes)

    def propose(self, manager: Node, leaves: list[BatchLeaf], coin: int = 1, **changes: Any) -> Header:
        """Propose a batch over these leaves as its operator."""
        header = self.header(manager, leaves, coin, **changes)
        with acting(manager.operator):
            self.batches.propose(header.values(), records_of(leaves))
        return header

    def settle(self, manager: Node, leaves: list[BatchLeaf], coin: int = 1) -> Header:
        """A batch over these leaves, final."""
        header = self.propose(manager, leaves, coin)
        advance(self.window("batch_window"))
        self.batches.finalize(header.values())
        return header

    def end_epoch(self) -> None:
        """Move to the first second of the next epoch."""
        advance(self.epoch_end() - now())

    def epoch_end(self) -> int:
        """First second after the present epoch."""
        return int(self.burn_mint_work.epoch_end(self.burn_mint_work.epoch()))

    def proof(self, leaves: list[BatchLeaf], index: int) -> list[bytes]:
        """The proof of a leaf of a batch."""
        return flat(trees.Tree([trees.batch_leaf(leaf) for leaf in leaves]).proof(index))

    def take_over(self, job: bytes, silent: Node, taker: Node) -> None:
        """Call a manager out that does not anchor, and take this job over."""
        with acting(taker.operator):
            self.orders.call_out(silent.id, taker.id)
            advance(self.window("takeover_after"))
            self.orders.take_over(job, silent.id, taker.id)

    def second_manager(self) -> Node:
        """Another bonded manager."""
        return self.bonded(MANAGER)
