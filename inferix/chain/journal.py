# SPDX-License-Identifier: Apache-2.0
"""What a sender must remember to do each thing once: an entry an action, written before anything is sent."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes


class EntryState(StrEnum):
    """NEW: signed and kept, perhaps sent; SENT: an endpoint has it; MINED: done, final; FAILED: undone, or given up."""

    NEW = "new"
    SENT = "sent"
    MINED = "mined"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One action. ``account``: address that sends; ``hashes``: of all versions, the newest last; ``raw``: the newest.

    ``block``: where a version was last seen mined, None while it waits. ``cost_gwei``: the most it can cost, then
    what it did. ``nonce`` is None once a failed action has given its nonce back. ``updated_at``: wall clock, seconds.
    """

    key: str
    account: str
    nonce: int | None
    raw: bytes
    hashes: tuple[bytes, ...]
    state: EntryState
    attempts: int
    cost_gwei: int
    updated_at: int
    block: int | None = None
    gas_used: int = 0
    error: str = ""

    @property
    def live(self) -> bool:
        """Whether it may still change by itself."""
        return self.state in (EntryState.NEW, EntryState.SENT)

    def transaction(self) -> "Unsigned":
        """What the newest version says."""
        fields = TypedTransaction.from_bytes(HexBytes(self.raw)).as_dict()
        return Unsigned(
            to=to_checksum_address(fields["to"]),
            data=bytes(fields["data"]),
            nonce=fields["nonce"],
            gas=fields["gas"],
            max_fee=fields["maxFeePerGas"],
            tip=fields["maxPriorityFeePerGas"],
        )

    @property
    def cancels(self) -> bool:
        """Whether the newest version only uses up the nonce: a transfer of nothing to oneself."""
        transaction = self.transaction()
        return transaction.to == self.account and not transaction.data


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A transaction before it is signed. Fees in wei per gas (EIP-1559)."""

    to: str
    data: bytes
    nonce: int
    gas: int
    max_fee: int
    tip: int

    def priced(self, max_fee: int, tip: int) -> "Unsigned":
        """The same at another fee."""
        return replace(self, max_fee=max_fee, tip=tip)

    @property
    def cost_gwei(self) -> int:
        """The most it can cost, rounded up."""
        return -(-self.gas * self.max_fee // 10**9)


class Journal(Protocol):
    """Where entries are kept. Several processes may share one: each call is atomic."""

    def get(self, key: str) -> Entry | None:
        """The entry of an action."""

    def live(self, account: str) -> list[Entry]:
        """Entries of an account that are new or sent, by nonce."""

    def insert(self, entry: Entry) -> bool:
        """Keeps a new entry; False when its key or (account, nonce) is taken."""

    def swap(self, old: Entry, new: Entry) -> bool:
        """Replaces an entry; False when it is no longer ``old`` or the new (account, nonce) is taken."""

    def nonces(self, account: str, start: int) -> set[int]:
        """The nonces from ``start`` on that entries hold."""

    def spent_gwei(self, account: str, since: int) -> int:
        """Sum of the costs of entries updated at or after a wall-clock second."""
