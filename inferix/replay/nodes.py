# SPDX-License-Identifier: Apache-2.0
"""The reducer's part for the registry: what each node is, and the parameters in force."""

from collections.abc import Mapping
from typing import Any

from inferix.models.event import ChainEvent
from inferix.models.roles import NodeStatus, Role
from inferix.replay.handlers import Handlers
from inferix.replay.network import Network
from inferix.replay.state import Node


def _parameter(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.parameters.set(args["name"], args["value"])


def _registered(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    node = Node(
        id=args["node"],
        owner=args["owner"],
        operator=args["operator"],
        role=Role(args["role"]),
        licence=args["licence"],
        sealing_key=args["sealing_key"],
        price=args["price"],
        registered_at=event.timestamp,
    )
    network.nodes[node.id] = node
    network.operators[node.operator] = node.id


def _operator(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    node = network.nodes[args["node"]]
    network.operators.pop(node.operator, None)
    node.former.append(node.operator)
    node.operator = args["operator"]
    network.operators[node.operator] = node.id


def _sealing_key(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.nodes[args["node"]].sealing_key = args["sealing_key"]


def _price(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.nodes[args["node"]].price = args["price"]


def _attested(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    node = network.nodes[args["node"]]
    if node.ib:
        node.measured_by = 0
    node.ib, node.device_class = args["ib"], args["device_class"]


def _requested(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    node = network.nodes[args["node"]]
    node.measured_by, node.asked_at = args["manager"], event.timestamp


def _status(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.nodes[args["node"]].status = NodeStatus(args["status"])


def _sold(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    for licence in range(args["first"], args["first"] + args["count"]):
        network.sold[licence] = event.timestamp


def _paused(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.pauses.append((event.timestamp, args["until"]))


def _resumed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.pauses[-1] = (network.pauses[-1][0], args["at"])


EVENTS: Handlers = {
    "Paused": _paused,
    "Resumed": _resumed,
    "Sold": _sold,
    "ParameterSet": _parameter,
    "NodeRegistered": _registered,
    "OperatorChanged": _operator,
    "SealingKeyChanged": _sealing_key,
    "PriceChanged": _price,
    "BenchmarkAttested": _attested,
    "BenchmarkRequested": _requested,
    "StatusChanged": _status,
}
