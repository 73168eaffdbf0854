# SPDX-License-Identifier: Apache-2.0
"""Sends transactions, each action once, from one account a lane.

An action has a ``key`` that says what it does (``anchor:3:17``). ``submit`` simulates it, signs it, writes it to the
journal and only then sends it; the same key again sends nothing. ``pump`` follows what is on its way: after a crash it
sends again what was signed; what is stuck it replaces at a higher fee, or by nothing once it would revert; a nonce that
nothing uses it fills. Lanes share no account, so what waits in one never holds up another.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from eth_account.signers.local import LocalAccount

from inferix.chain.client import ChainClient, ChainReceipt
from inferix.chain.deployment import Call
from inferix.chain.errors import (
    CallReverted,
    ChainUnavailable,
    GivenUp,
    InsufficientFunds,
    LaneBusy,
    RpcError,
    SpendCapReached,
)
from inferix.chain.fees import Fee, FeePolicy, bumped_fee, first_fee
from inferix.chain.journal import Entry, EntryState, Journal, Unsigned
from inferix.errors import Misconfigured

log = logging.getLogger(__name__)

_DAY = 86_400
_TRANSFER_GAS = 21_000
_KNOWN = ("already known", "known transaction", "already imported", "already exists", "alreadyknown")
_LOW_NONCE = ("nonce too low", "nonce is too low", "old nonce")
_FUNDS = ("insufficient funds", "insufficient balance")
_UNDERPRICED = ("underpriced", "less than block base fee", "fee too low", "max fee per gas less", "feetoolow")
_NONCE_TRIES = 5


@dataclass(frozen=True)
class Lane:
    """Who sends for one purpose."""

    name: str
    account: LocalAccount

    @property
    def address(self) -> str:
        """The checksummed address."""
        return str(self.account.address)


class Sender:
    """Lanes by name. Safe to share between threads; several processes may share the journal."""

    def __init__(
        self,
        client: ChainClient,
        journal: Journal,
        lanes: Mapping[str, LocalAccount],
        policy: FeePolicy | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._journal = journal
        self._policy = policy or FeePolicy()
        self._clock = clock
        self._lanes = {name: Lane(name, account) for name, account in lanes.items()}
        self._locks = {name: threading.Lock() for name in lanes}
        if len({lane.address for lane in self._lanes.values()}) != len(self._lanes):
            raise Misconfigured("two lanes have the same account: a stuck transaction of one would block the other")

    def address(self, lane: str) -> str:
        """The account of a lane."""
        return self._lane(lane).address

    @property
    def lanes(self) -> list[str]:
        """The names of the lanes."""
        return list(self._lanes)

    def done(self, key: str) -> bool:
        """Whether this action is on its way or final: nothing is left to do."""
        entry = self._journal.get(key)
        return entry is not None and entry.state is not EntryState.FAILED

    def waiting(self, lane: str) -> int:
        """How many transactions of a lane wait to be mined."""
        return len(self._waiting(self.address(lane)))

    def _waiting(self, address: str) -> list[Entry]:
        return [entry for entry in self._journal.live(address) if entry.block is None]

    # -- sending

    def submit(self, lane: str, key: str, call: Call) -> Entry:
        """Does an action unless it is on its way or done.

        Raises CallReverted when the contract refuses it now, GivenUp when it failed too often of late, LaneBusy,
        FeeTooHigh, InsufficientFunds, SpendCapReached or ChainUnavailable; after each of these nothing was sent.
        """
        known = self._journal.get(key)
        if known is not None and known.state is not EntryState.FAILED:
            return known
        if known is not None and self._rests(known):
            raise GivenUp(f"{key} failed {known.attempts} times on chain ({known.error}): look at it by hand")
        sender = self._lane(lane)
        with self._locks[lane]:
            entry = self._sign_and_keep(sender, key, call, known)
            log.info("%s: %s with nonce %s", key, call, entry.nonce, extra={"key": key, "lane": lane})
            self._broadcast(entry)
        return self._journal.get(key) or entry

    def _rests(self, failed: Entry) -> bool:
        often = failed.attempts >= self._policy.max_attempts
        return often and self._clock() < failed.updated_at + self._policy.rest_seconds

    def _sign_and_keep(self, lane: Lane, key: str, call: Call, known: Entry | None) -> Entry:
        waiting = len(self._waiting(lane.address))
        if waiting >= self._policy.max_waiting:  # before an endpoint is asked: thousands of actions may be due
            raise LaneBusy(f"{waiting} transactions of {lane.address} wait to be mined", 5)
        self._client.call(call.to, call.data, sender=lane.address)
        gas = self._client.estimate_gas(call.to, call.data, lane.address)
        gas += gas * self._policy.gas_margin_bps // 10_000
        fee = first_fee(self._policy, self._client.base_fee(), self._client.priority_fee())
        for _ in range(_NONCE_TRIES):
            unsigned = Unsigned(call.to, call.data, self._free_nonce(lane.address), gas, fee.max_fee, fee.tip)
            self._afford(lane, unsigned)
            entry = self._signed(lane, key, unsigned, attempts=known.attempts + 1 if known else 1)
            if self._journal.swap(known, entry) if known else self._journal.insert(entry):
                return entry
            other = self._journal.get(key)
            if other is not None and other.state is not EntryState.FAILED:
                return other  # another process was faster with the same action
        raise LaneBusy(f"lane {lane.name}: no nonce is free; the next cycle tries again", 1)

    def _free_nonce(self, address: str) -> int:
        first = max(self._client.nonce(address), self._client.nonce(address, "pending"))
        taken = self._journal.nonces(address, first)
        return next(nonce for nonce in count(first) if nonce not in taken)

    def _afford(self, lane: Lane, transaction: Unsigned) -> None:
        spent = self._journal.spent_gwei(lane.address, int(self._clock()) - _DAY)
        if spent + transaction.cost_gwei > self._policy.max_gwei_a_day:
            raise SpendCapReached(
                f"lane {lane.name} has spent or promised {spent} gwei in 24 h of {self._policy.max_gwei_a_day}: "
                "raise the cap, or wait"
            )
        balance = self._client.balance(lane.address)
        if balance < transaction.gas * transaction.max_fee:
            raise InsufficientFunds(f"fund {lane.address} (lane {lane.name}): it has {balance} wei, too little for gas")

    def _signed(self, lane: Lane, key: str, unsigned: Unsigned, attempts: int, old: Entry | None = None) -> Entry:
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": self._client.chain_id,
            "to": unsigned.to,
            "value": 0,
            "data": unsigned.data,
            "nonce": unsigned.nonce,
            "gas": unsigned.gas,
            "maxFeePerGas": unsigned.max_fee,
            "maxPriorityFeePerGas": unsigned.tip,
        }
        signed = lane.account.sign_transaction(fields)
        return Entry(
            key=key,
            account=lane.address,
            nonce=unsigned.nonce,
            raw=bytes(signed.raw_transaction),
            hashes=(*(old.hashes if old else ()), bytes(signed.hash)),
            state=EntryState.NEW,
            attempts=attempts,
            cost_gwei=unsigned.cost_gwei,
            updated_at=int(self._clock()),
        )

    def _broadcast(self, entry: Entry) -> None:
        """Hands an entry over; what an endpoint says against it is kept for ``pump``. Raises InsufficientFunds."""
        error = ""
        try:
            self._client.send_raw(entry.raw)
        except ChainUnavailable as reason:
            log.warning("%s: %s; it will be sent again", entry.key, reason)
            return
        except RpcError as reason:
            text = reason.text.lower()
            if any(word in text for word in _FUNDS):
                raise InsufficientFunds(f"fund {entry.account}: {reason.text}") from reason
            if not any(word in text for word in (*_KNOWN, *_LOW_NONCE, *_UNDERPRICED)):
                self._take_back(entry, reason.text)
                return
            error = "underpriced" if any(word in text for word in _UNDERPRICED) else ""
        self._journal.swap(entry, replace(entry, state=EntryState.SENT, error=error or entry.error))

    def _take_back(self, entry: Entry, reason: str) -> None:
        """An endpoint will never take this transaction: its nonce is free again unless a version was seen before."""
        log.error("%s: the endpoint refuses the transaction for good: %s", entry.key, reason)
        if len(entry.hashes) == 1:
            self._journal.swap(entry, replace(entry, state=EntryState.FAILED, nonce=None, error=reason[:300]))

    # -- following

    def pump(self, lane: str, final_block: int) -> None:
        """Follows what is on its way in one lane. ``final_block``: what is mined up to it stays mined."""
        sender = self._lane(lane)
        with self._locks[lane]:
            mined_nonce = self._client.nonce(sender.address)
            live = self._journal.live(sender.address)
            for entry in live:
                self._follow(entry, mined_nonce, final_block)
            waiting = self._waiting(sender.address)
            if waiting:
                self._unstick(sender, waiting[0])
            self._fill_gap(sender, mined_nonce)

    def _follow(self, entry: Entry, mined_nonce: int, final_block: int) -> None:
        receipt = self._receipt(entry)
        if receipt is not None:
            if receipt.block <= final_block:
                # Any version may be the one that was mined: one that does nothing goes to its own sender.
                self._close(entry, receipt, cancelled=receipt.to == entry.account)
            elif entry.block != receipt.block:
                self._journal.swap(entry, replace(entry, state=EntryState.SENT, block=receipt.block))
            return
        if entry.block is not None:  # the block it was in is gone
            gone = replace(entry, state=EntryState.NEW, block=None, updated_at=int(self._clock()))
            entry = self._swapped(entry, gone)
        if entry.nonce is not None and mined_nonce > entry.nonce:
            # Its receipt may only be late: an endpoint can lag behind another that knew the nonce.
            if self._clock() - entry.updated_at > self._policy.stuck_seconds:
                error = f"nonce {entry.nonce} was used by another transaction of {entry.account}"
                log.error("%s: %s", entry.key, error)
                self._journal.swap(entry, replace(entry, state=EntryState.FAILED, nonce=None, error=error))
        elif entry.state is EntryState.NEW:
            self._broadcast(entry)

    def _receipt(self, entry: Entry) -> ChainReceipt | None:
        found = (self._client.receipt(version) for version in reversed(entry.hashes))
        return next((receipt for receipt in found if receipt is not None), None)

    def _close(self, entry: Entry, receipt: ChainReceipt, cancelled: bool) -> None:
        done = receipt.succeeded and not cancelled
        error = "" if done else entry.error if cancelled else "reverted on chain"
        (log.info if done else log.warning)("%s: %s", entry.key, "done" if done else error, extra={"key": entry.key})
        closed = replace(
            entry,
            state=EntryState.MINED if done else EntryState.FAILED,
            block=receipt.block,
            gas_used=receipt.gas_used,
            cost_gwei=-(-receipt.gas_used * receipt.price // 10**9),
            error=error,
            updated_at=int(self._clock()),
        )
        self._journal.swap(entry, closed)

    def _unstick(self, lane: Lane, entry: Entry) -> None:
        """The first transaction that waits holds up all behind it."""
        stuck = self._clock() - entry.updated_at > self._policy.stuck_seconds
        if not stuck and entry.error != "underpriced":
            return
        transaction = entry.transaction()
        fee = bumped_fee(
            self._policy,
            Fee(transaction.max_fee, transaction.tip),
            self._client.base_fee(),
            self._client.priority_fee(),
        )
        if fee is None:
            log.warning("%s is stuck and its fee is at the limit: waiting", entry.key, extra={"key": entry.key})
            self._broadcast(entry)  # an endpoint may have dropped it
            return
        error = ""
        if not entry.cancels:
            error = self._why_not_now(lane, transaction)
            if error:
                transaction = Unsigned(lane.address, b"", transaction.nonce, _TRANSFER_GAS, 0, 0)
        else:
            error = entry.error
        fresh = self._signed(lane, entry.key, transaction.priced(fee.max_fee, fee.tip), entry.attempts, entry)
        fresh = replace(fresh, error=error)
        if self._journal.swap(entry, fresh):
            log.warning("%s: replaced at a higher fee%s", entry.key, f" by nothing: {error}" if error else "")
            self._broadcast(fresh)

    def _why_not_now(self, lane: Lane, transaction: Unsigned) -> str:
        try:
            self._client.call(transaction.to, transaction.data, sender=lane.address)
        except CallReverted as error:
            return f"taken back: {error.reason}"
        return ""

    def _fill_gap(self, lane: Lane, mined_nonce: int) -> None:
        """A nonce that no entry holds would hold up those behind it for ever."""
        taken = self._journal.nonces(lane.address, mined_nonce)
        live = [entry.nonce for entry in self._journal.live(lane.address) if entry.nonce is not None]
        gaps = [nonce for nonce in range(mined_nonce, max(live, default=mined_nonce)) if nonce not in taken]
        if not gaps or self._client.nonce(lane.address, "pending") > gaps[0]:
            return
        fee = first_fee(self._policy, self._client.base_fee(), self._client.priority_fee())
        unsigned = Unsigned(lane.address, b"", gaps[0], _TRANSFER_GAS, fee.max_fee, fee.tip)
        entry = self._signed(lane, f"fill:{lane.address}:{gaps[0]}", unsigned, attempts=1)
        entry = replace(entry, error="fills a gap")
        if self._journal.insert(entry):
            log.warning("lane %s: nonce %d was lost; filled", lane.name, gaps[0])
            self._broadcast(entry)

    def _swapped(self, old: Entry, new: Entry) -> Entry:
        return new if self._journal.swap(old, new) else self._journal.get(old.key) or old

    def _lane(self, name: str) -> Lane:
        found = self._lanes.get(name)
        if found is None:
            raise Misconfigured(f"no account is set for the lane {name}: name its keystore in the settings")
        return found
