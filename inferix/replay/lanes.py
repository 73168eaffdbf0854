# SPDX-License-Identifier: Apache-2.0
"""The reducer's part for orders as they are posted and anchors as they are sealed: what jobs and lanes start from."""

from collections.abc import Mapping
from typing import Any

from inferix.models.event import ChainEvent
from inferix.replay import attempts, jobs, orders, probes
from inferix.replay.handlers import Handlers
from inferix.replay.network import Network
from inferix.replay.state import Anchor, AttemptStatus, JobStatus, TakeOver


def _orders_posted(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    orders.post_orders(network, event, args["records"])


def _order_cancelled(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    orders.cancel_order(network, args["account"], args["nonce"])


def _taken_over(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    taken = TakeOver(args["by_manager"], args["from_anchors"], args["by_anchors"])
    orders.take_over(network, event, args["job"], args["from_manager"], taken)


def _called_out(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    lane = network.lane(args["manager"])
    lane.called_at, lane.called_anchors = event.timestamp, args["anchors"]


def _anchored(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    anchor = Anchor(args["index"], event.block, event.timestamp, args["root"], args["data"], armed_at=event.block)
    network.lane(args["manager"]).anchors[anchor.index] = anchor
    _begin(network, args["manager"], anchor)
    attempts.take_messages(network, args["manager"], anchor)


def _rearmed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.lane(args["manager"]).anchors[args["index"]].armed_at = args["block"]


def _sealed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    anchor = network.lane(args["manager"]).anchors[args["index"]]
    anchor.seed, anchor.sealed_at = args["seed"], event.timestamp
    probes.sealed(network, args["manager"], anchor)
    _draw(network, args["manager"], anchor)


def _begin(network: Network, manager: int, anchor: Anchor) -> None:
    """Attempts that waited for an anchor get their seed's index."""
    for job in network.jobs.values():
        if job.status not in jobs.LIVE or job.manager != manager:
            continue
        for state in job.tasks:
            attempt = state.current
            if attempt is None or attempt.status is not AttemptStatus.WAITING or attempt.seed_anchor is not None:
                continue
            if anchor.block > attempt.after_block and anchor.timestamp > attempt.after_time:
                attempt.seed_anchor = anchor.index


def _draw(network: Network, manager: int, anchor: Anchor) -> None:
    """Of a seed: attempts start drawing, committees come into being."""
    for job in network.jobs.values():
        if job.manager != manager and job.status in jobs.LIVE:
            continue
        for state in job.tasks:
            attempt = state.current
            if attempt is None or attempt.lane != manager:
                continue
            if attempt.status is AttemptStatus.WAITING and attempt.seed_anchor == anchor.index:
                attempt.status = AttemptStatus.DRAWING
                job.status = JobStatus.RUNNING if job.status is JobStatus.POSTED else job.status
            elif attempt.status is AttemptStatus.RECEIVED and attempt.receipt_anchor == anchor.index:
                attempts.watch_votes(network, state, attempt, anchor)


EVENTS: Handlers = {
    "OrdersPosted": _orders_posted,
    "OrderCancelled": _order_cancelled,
    "JobTakenOver": _taken_over,
    "ManagerCalledOut": _called_out,
    "Anchored": _anchored,
    "Rearmed": _rearmed,
    "Sealed": _sealed,
}
