# SPDX-License-Identifier: Apache-2.0
"""The reducer's part for clients' credit, leases paid, fees, and the pools where fees buy IFX."""

from collections.abc import Mapping
from typing import Any

from inferix.models.event import ChainEvent
from inferix.replay.handlers import Handlers
from inferix.replay.network import Network
from inferix.replay.state import Account


def _coin_added(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.coins[args["index"]] = args["coin"]


def _topped_up(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    account = network.accounts.setdefault(
        args["account"],
        Account(id=args["account"], owner=args["owner"], coin=args["coin"], opened_at=event.timestamp),
    )
    account.credit += args["credit"]


def _requested(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.accounts[args["account"]].requested += args["amount"]


def _request_cancelled(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.accounts[args["account"]].requested -= args["amount"]


def _withdrawn(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    account = network.accounts[args["account"]]
    account.credit -= args["amount"]
    account.requested -= min(account.requested, args["amount"])


def _released(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.released[args["coin"]] = network.released.get(args["coin"], 0) + args["amount"]


def _lease_paid(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.paid_leases.add(args["task"])


def _collected(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    share = args["amount"] - args["foundation"] - args["managers"]
    network.to_burn[args["coin"]] = network.to_burn.get(args["coin"], 0) + share
    network.collected_at[args["coin"]] = event.timestamp


def _fees_burned(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.to_burn[args["coin"]] -= args["spent"]
    network.bought_at[args["coin"]] = event.timestamp


def _pool_added(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.observed[args["coin"]] = event.timestamp
    network.rolled = event.timestamp // network.parameters["epoch_length"]


def _pool_removed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.observed.pop(args["coin"], None)


def _observed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.observed[args["coin"]] = event.timestamp


def _price_rolled(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.rolled = args["epoch"]


EVENTS: Handlers = {
    "CoinAdded": _coin_added,
    "ToppedUp": _topped_up,
    "WithdrawalRequested": _requested,
    "RequestCancelled": _request_cancelled,
    "Withdrawn": _withdrawn,
    "Released": _released,
    "LeasePaid": _lease_paid,
    "Collected": _collected,
    "FeesBurned": _fees_burned,
    "PoolAdded": _pool_added,
    "PoolRemoved": _pool_removed,
    "Observed": _observed,
    "PriceRolled": _price_rolled,
}
