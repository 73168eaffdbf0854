# SPDX-License-Identifier: Apache-2.0
"""The reducer's part for orders as they are posted and anchors as they are sealed: what jobs and lanes start from."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inferix.models.event import ChainEvent
from inferix.replay import jobs, probes
from inferix.replay.handlers import Handlers
from inferix.replay.state import Anchor, TakeOver

if TYPE_CHECKING:
    from inferix.replay.network import Network


def _orders_posted(network: "Network", event: ChainEvent, args: Mapping[str, Any]) -> None:
    jobs.post_orders(network, event, args["records"])


def _order_cancelled(network: "Network", event: ChainEvent, args: Mapping[str, Any]) -> None:
    jobs.cancel_order(network, args["account"], args["nonce"])


def _taken_over(network: "Network", event: ChainEvent, args: Mapping[str, Any]) -> None:
    taken = TakeOver(args["by_manager"], args["from_anchors"], args["by_anchors"])
    jobs.take_over(network, event, args["job"], args["from_manager"], taken)


def _called_out(network: "Network", event: ChainEvent, args: Mapping[str, Any]) -> None:
    lane = network.lane(args["manager"])
    lane.called_at, lane.called_anchors = event.timestamp, args["anchors"]


def _anchored(network: "Network", event: ChainEvent, args: Mapping[str, Any]) -> None:
    anchor = Anchor(args["index"], event.block, event.timestamp, args["root"], args["data"], armed_at=event.block)
    network.lane(args["manager"]).anchors[anchor.index] = anchor
    jobs.anchored(network, args["manager"], anchor)


def _rearmed(network: "Network", event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.lane(args["manager"]).anchors[args["index"]].armed_at = args["block"]


def _sealed(network: "Network", event: ChainEvent, args: Mapping[str, Any]) -> None:
    anchor = network.lane(args["manager"]).anchors[args["index"]]
    anchor.seed, anchor.sealed_at = args["seed"], event.timestamp
    probes.sealed(network, args["manager"], anchor)
    jobs.sealed(network, args["manager"], anchor)


EVENTS: Handlers = {
    "OrdersPosted": _orders_posted,
    "OrderCancelled": _order_cancelled,
    "JobTakenOver": _taken_over,
    "ManagerCalledOut": _called_out,
    "Anchored": _anchored,
    "Rearmed": _rearmed,
    "Sealed": _sealed,
}
