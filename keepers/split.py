# SPDX-License-Identifier: Apache-2.0
"""Orders to the chain: what clients signed is posted in bulk; the reducer splits it into tasks once it is final."""

import hashlib
import logging
from dataclasses import dataclass

from sqlmodel import col, select

from inferix.messages import Order
from inferix.replay import Network
from inferix.replay.state import JobStatus
from inferix.storage.tables import SignedOrder, WantedCancel
from keepers.desk import Desk

log = logging.getLogger(__name__)

RECORDS_AT_ONCE = 50


def why_not_post(network: Network, record: bytes) -> str:
    """Why posting an order now would make it void; empty when it may be posted."""
    order, _ = Order.from_record(record)
    account = network.accounts.get(order.account)
    if network.time > order.post_by:
        return "its post-by time passed before a keeper could post it: sign it again"
    if (order.account, order.nonce) in network.orders_seen:
        return "its nonce was used before: sign it with a new one"
    if account is None or order.cap > account.free:
        return "its cap is above the account's free credit: top up and sign again"
    return ""


@dataclass
class Split:
    """Posts orders and cancellations of this manager's clients."""

    desk: Desk

    def cycle(self) -> None:
        """Posts what waits."""
        with self.desk.database.reading() as session:
            wanted = select(SignedOrder).where(
                col(SignedOrder.refused).is_(None), col(SignedOrder.transaction).is_(None)
            )
            rows = session.exec(wanted.order_by(col(SignedOrder.received_at))).all()
            cancels = session.exec(select(WantedCancel).where(col(WantedCancel.transaction).is_(None))).all()
        with self.desk.follower.reading() as network:
            waiting = [row for row in rows if row.job not in network.jobs]
            reasons = {row.job: why_not_post(network, row.record) for row in waiting}
            live = {
                row.job: network.jobs[row.job].order
                for row in cancels
                if row.job in network.jobs and network.jobs[row.job].status in (JobStatus.POSTED, JobStatus.RUNNING)
            }
        self._refuse({job: reason for job, reason in reasons.items() if reason})
        self._post([row for row in waiting if not reasons[row.job]][:RECORDS_AT_ONCE])
        for row in cancels:
            if row.job in live:
                self._cancel(row, live[row.job])

    def _refuse(self, reasons: dict[bytes, str]) -> None:
        with self.desk.database.session() as session:
            for job, reason in reasons.items():
                row = session.get(SignedOrder, job)
                assert row is not None
                row.refused = reason
                session.add(row)
                log.warning("order %s is not posted: %s", job.hex()[:12], reason)

    def _post(self, rows: list[SignedOrder]) -> None:
        if not rows:
            return
        records = b"".join(row.record for row in rows)
        key = "orders:" + hashlib.sha256(records).hexdigest()
        self.desk.send("work", key, "Orders", "post", records)
        with self.desk.database.session() as session:
            for row in rows:
                row.transaction = key.encode()
                session.merge(row)
        log.info("posted %d orders", len(rows))

    def _cancel(self, row: WantedCancel, order: Order) -> None:
        key = f"cancel:{order.account}:{order.nonce}"
        self.desk.send("work", key, "Orders", "cancel_signed", order.account, order.nonce, row.signature)
        with self.desk.database.session() as session:
            row.transaction = key.encode()
            session.merge(row)
