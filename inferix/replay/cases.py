# SPDX-License-Identifier: Apache-2.0
"""Slashing cases as the Panels contract reports them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from inferix.models.event import ChainEvent
from inferix.models.roles import CaseStatus, ClearedBy
from inferix.replay.handlers import Handlers
from inferix.replay.network import Network
from inferix.replay.stake import bar
from inferix.replay.state import Case


def frozen(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """A case is opened; the accused's stake is frozen."""
    network.cases[args["case"]] = Case(
        id=args["case"],
        task=args["task"],
        attempt=args["attempt"],
        node=args["node"],
        amount=args["amount"],
        opened_at=event.timestamp,
    )


def charged(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """The same task was accepted from another operator: the owner may appeal now."""
    case = network.cases[args["case"]]
    case.status, case.charged_at = CaseStatus.SLASHABLE, event.timestamp


def appealed(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """The owner appealed; the panel is drawn by the seed of the block after."""
    case = network.cases[args["case"]]
    case.status, case.asked_at, case.asked_block = CaseStatus.APPEALED, event.timestamp, event.block


def ended(network: Network, event: ChainEvent, args: Mapping[str, Any], *, slashed: bool) -> None:
    """The case is over."""
    case = network.cases[args["case"]]
    case.status = CaseStatus.SLASHED if slashed else CaseStatus.CLEARED
    case.ended_at = event.timestamp
    case.reason = None if slashed else ClearedBy(args["reason"])
    if slashed:
        bar(network, event, case.node, judges(network, case))


def _noted(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    case = network.cases.get(args["case"])
    if case is not None:
        case.delivered_at = args["delivered_at"]


def _struck_out(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    """All of the stake, for three cases together: no judge of any of them gains by it."""
    for case in args["cases"]:
        network.cases[case].is_counted = True
    judged = (judges(network, network.cases[case]) for case in args["cases"])
    bar(network, event, args["node"], set().union(*judged))


def judges(network: Network, case: Case) -> set[int]:
    """Who voted on any attempt of the case's task, or sat on its panel."""
    state = network.tasks.get(case.task)
    voters = {node for attempt in state.attempts for node in attempt.votes} if state is not None else set()
    return voters | set(case.seats)


def _late(network: Network, event: ChainEvent, args: Mapping[str, Any]) -> None:
    network.late_penalised.add(args["case"])


EVENTS: Handlers = {
    "CaseFrozen": frozen,
    "CaseCharged": charged,
    "CaseAppealed": appealed,
    "CaseCleared": partial(ended, slashed=False),
    "CaseSlashed": partial(ended, slashed=True),
    "LatePenalised": _late,
    "DeliveryNoted": _noted,
    "StruckOut": _struck_out,
}
