# SPDX-License-Identifier: Apache-2.0
"""Probes: a worker's signature over the seed of an anchor, once an hour. Who answers, and in time, is alive.

An answer is a message like others: any lane may anchor it, and what counts is when it is anchored. So nobody's word is
needed for what capacity earns, nor for how much of an epoch somebody took part in; and as an hour counts once, whatever
the lane, a manager that anchors often gives nobody more to answer.
"""

from typing import TYPE_CHECKING

from inferix.errors import InferixError
from inferix.messages import Probe
from inferix.models.anchor import SignedMessage
from inferix.models.roles import Role

if TYPE_CHECKING:
    from inferix.replay.network import Network
    from inferix.replay.state import Anchor

PROBE_PERIOD = 3_600
"""Seconds: an hour is answered once, by a seed that was sealed in it."""
PROBE_TERM = 3_600
"""Seconds from its seal in which a seed may be answered: a node need not be asked at once, nor heard at once."""


def period_at(network: "Network", time: int) -> int:
    """The hour that a time is in, counted from 1."""
    return 1 + (time - network.genesis) // PROBE_PERIOD


def newest_seed(network: "Network") -> "tuple[int, Anchor] | None":
    """(manager, anchor) that was sealed last, of those that may still be answered."""
    sealed = [
        (lane.manager, anchor)
        for lane in network.lanes.values()
        if (anchor := lane.anchors.get(lane.sealed)) is not None and network.time <= anchor.sealed_at + PROBE_TERM
    ]
    return max(sealed, key=lambda each: (each[1].sealed_at, each[0]), default=None)


def why_not(network: "Network", item: SignedMessage, probe: Probe, time: int) -> str:
    """Why an answer would not count if it were anchored at ``time``; empty when it would."""
    lane = network.lanes.get(probe.manager)
    anchor = lane.anchors.get(probe.anchor) if lane is not None else None
    if anchor is None or anchor.seed != probe.seed:
        return "no anchor has this seed"
    node = network.nodes.get(probe.node)
    if node is None or node.role is not Role.WORKER:
        return "only workers answer probes"
    if period_at(network, anchor.sealed_at) <= node.answered:
        return "this node has answered a seed of this hour"
    if time > anchor.sealed_at + PROBE_TERM:
        return "this seed was to be answered within the hour"
    try:
        is_signed = probe.signer(network.domain, item.signature) == node.operator
    except InferixError as error:
        return str(error)
    return "" if is_signed else "not signed by the node's operator"


def take(network: "Network", item: SignedMessage, probe: Probe, time: int) -> str:
    """Counts an answer that is anchored at ``time``; says why not, or nothing."""
    reason = why_not(network, item, probe, time)
    if not reason:
        sealed_at = network.lanes[probe.manager].anchors[probe.anchor].sealed_at
        network.nodes[probe.node].answered = period_at(network, sealed_at)
        counts = network.answered.setdefault(network.epoch_at(time), {})
        counts[probe.node] = counts.get(probe.node, 0) + 1
    return reason
