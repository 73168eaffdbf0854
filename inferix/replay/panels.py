# SPDX-License-Identifier: Apache-2.0
"""The reducer's part for panels, of cases, objections and contradictions alike: the id tells which."""

from collections.abc import Mapping
from typing import Any

from inferix.models.event import ChainEvent
from inferix.replay.handlers import Handlers
from inferix.replay.network import Network


def _sealed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.hearing(args["case"]).seed = args["seed"]


def _seated(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.hearing(args["case"]).seats.append(args["node"])


def _rearmed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.hearing(args["case"]).asked_block = args["block"]


def _completed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.hearing(args["case"]).complete_at = event.timestamp


def _voted(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.hearing(args["case"]).votes[args["node"]] = args["upheld"]


EVENTS: Handlers = {
    "PanelSealed": _sealed,
    "PanelSeated": _seated,
    "PanelRearmed": _rearmed,
    "PanelCompleted": _completed,
    "PanelVoted": _voted,
}
