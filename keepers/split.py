# SPDX-License-Identifier: Apache-2.0
"""Orders to the chain: what clients signed is posted in bulk; the reducer splits it into tasks once it is final.

Orders that go into one transaction are marked with its records' hash before it is sent: a keeper that dies in between
posts the same records again, under the same key, which is once.
"""

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from eth_utils.crypto import keccak
from sqlmodel import col, select

from inferix.chain.client import ChainClient
from inferix.messages import Order
from inferix.replay import Network
from inferix.replay.jobs import LIVE
from inferix.replay.orders import why_void
from inferix.replay.state import Job
from inferix.storage.tables import SignedOrder, WantedCancel
from keepers.desk import MONEY, WORK, Desk

log = logging.getLogger(__name__)

RECORDS_AT_ONCE = 50


def decide_orders(
    network: Network, manager: int, rows: Sequence[SignedOrder], now: int, sent: Collection[bytes] = ()
) -> tuple[list[list[SignedOrder]], dict[bytes, str]]:
    """(postings: orders that share a transaction; reasons of those that would be void).

    Orders marked for a posting before stay together; orders of other managers are theirs to post. ``now``: time of the
    newest block, ahead of what is final. ``sent``: the postings that are on their way: they wait to be final.
    """
    marked: dict[bytes, list[SignedOrder]] = {}
    fresh: list[SignedOrder] = []
    refused: dict[bytes, str] = {}
    promised: Counter[int] = Counter()
    for row in rows:
        order, signature = Order.from_record(row.record)
        if row.job in network.jobs or order.manager != manager:
            continue
        if row.transaction in sent:
            promised[order.account] += order.cap
            continue
        draft = Job(
            row.job, order, signature, max(now, network.time), network.block, order.manager, _owner(network, order)
        )
        reason = _why_not(network, draft, promised[order.account])
        if reason:
            refused[row.job] = reason
            continue
        promised[order.account] += order.cap
        if row.transaction is not None:
            marked.setdefault(row.transaction, []).append(row)
        else:
            fresh.append(row)
    postings = [group for name, group in marked.items() if posting_name(group) == name]
    fresh += [row for name, group in marked.items() if posting_name(group) != name for row in group]
    return postings + ([fresh[:RECORDS_AT_ONCE]] if fresh else []), refused


def _owner(network: Network, order: Order) -> str:
    account = network.accounts.get(order.account)
    return account.owner if account else ""


def _why_not(network: Network, draft: Job, promised: int) -> str:
    reason = why_void(network, draft)
    if not reason and draft.order.cap + promised > network.accounts[draft.order.account].free:
        reason = "its cap and those of the account's other waiting orders are above its free credit"
    return reason


def posting_name(rows: Sequence[SignedOrder]) -> bytes:
    """What names a posting: keccak256 of its records."""
    return keccak(b"".join(row.record for row in rows))


def _key(posting: bytes) -> str:
    return f"orders:{posting.hex()}"


def decide_cancels(network: Network, rows: Sequence[WantedCancel]) -> Mapping[bytes, Order]:
    """The orders to cancel, by job: those that still run."""
    live = {row.job: network.jobs[row.job] for row in rows if row.job in network.jobs}
    return {job: found.order for job, found in live.items() if found.status in LIVE}


@dataclass
class Split:
    """Posts orders and cancellations of this manager's clients."""

    desk: Desk
    client: ChainClient

    def cycle(self) -> None:
        """Posts what waits."""
        with self.desk.database.reading() as session:
            wanted = select(SignedOrder).where(col(SignedOrder.refused).is_(None))
            rows = session.exec(wanted.order_by(col(SignedOrder.received_at), col(SignedOrder.job))).all()
            cancels = session.exec(select(WantedCancel)).all()
        now = self.client.header("latest").timestamp if rows else 0
        names = {row.transaction for row in rows if row.transaction is not None}
        sent = {name for name in names if self.desk.sender.done(_key(name))}
        with self.desk.follower.reading() as network:
            postings, refused = decide_orders(network, self.desk.manager, rows, now, sent)
            cancel = decide_cancels(network, cancels)
            done = [row.job for row in rows if row.job in network.jobs]
            ended = [row.job for row in cancels if row.job in network.jobs and row.job not in cancel]
        self._forget(done, ended)
        self._refuse(refused)
        for rows_together in postings:
            self._post(rows_together)
        for row in cancels:
            if row.job in cancel:
                order = cancel[row.job]
                arguments = (order.account, order.nonce, row.signature)
                self.desk.try_send(MONEY, f"cancel:{row.job.hex()}", "Orders", "cancel_signed", *arguments)

    def _forget(self, posted: Sequence[bytes], cancelled: Sequence[bytes]) -> None:
        """What is on chain need not wait here."""
        if not posted and not cancelled:
            return
        with self.desk.database.session() as session:
            gone = [session.get(SignedOrder, job) for job in posted]
            for row in [*gone, *(session.get(WantedCancel, job) for job in cancelled)]:
                if row is not None:
                    session.delete(row)

    def _refuse(self, reasons: Mapping[bytes, str]) -> None:
        if not reasons:
            return
        with self.desk.database.session() as session:
            for job, reason in reasons.items():
                row = session.get(SignedOrder, job)
                if row is not None:
                    row.refused = reason
                    session.add(row)
                    log.warning("order %s is not posted: %s", job.hex()[:12], reason, extra={"job": job.hex()})

    def _post(self, rows: Sequence[SignedOrder]) -> None:
        name = posting_name(rows)
        if any(row.transaction != name for row in rows):
            with self.desk.database.session() as session:
                for row in rows:
                    row.transaction = name
                    session.merge(row)
        if self.desk.try_send(WORK, _key(name), "Orders", "post", b"".join(row.record for row in rows)):
            log.info("posted %d orders", len(rows), extra={"jobs": [row.job.hex() for row in rows]})
