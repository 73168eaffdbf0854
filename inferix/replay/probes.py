# SPDX-License-Identifier: Apache-2.0
"""Probes: a node's signature over the seed of an anchor, once an hour. Who answers, and in time, is alive.

An answer is a message like others: any lane may anchor it, and what counts is when it is anchored. So nobody's word is
needed for what capacity earns, nor for how much of an epoch somebody took part in; and as an hour counts once, whatever
the lane, a manager that anchors often gives nobody more to answer.
"""

from typing import TYPE_CHECKING

from inferix.errors import InferixError
from inferix.messages import Probe
from inferix.models.anchor import SignedMessage

if TYPE_CHECKING:
    from inferix.replay.network import Network
    from inferix.replay.state import Anchor, Node

PROBE_PERIOD = 3_600
"""Seconds: an hour is answered once, by a seed that was sealed in it."""
PROBE_TERM = 3_600
"""Seconds from its seal in which a seed may be answered: a node need not be asked at once, nor heard at once."""


def period_at(network: "Network", time: int) -> int:
    """The hour that a time is in, counted from 1."""
    return 1 + (time - network.genesis) // PROBE_PERIOD


def sealed(network: "Network", anchor: "Anchor") -> None:
    """There is a seed to answer in this hour."""
    hours = network.asked.setdefault(network.epoch_at(anchor.sealed_at), set())
    hours.add(period_at(network, anchor.sealed_at))


def subject_of(network: "Network", anchor: "Anchor") -> bytes:
    """What an answer to a seed is about, in 32 bytes: its hour."""
    return period_at(network, anchor.sealed_at).to_bytes(32, "big")


def due(network: "Network", node: "Node") -> "tuple[bytes, Probe, Anchor] | None":
    """(subject, message to sign, its anchor): the newest seed, where this node has not answered one of its hour."""
    sealed = [
        (lane.manager, anchor)
        for lane in network.lanes.values()
        if (anchor := lane.anchors.get(lane.sealed)) is not None and network.time <= anchor.sealed_at + PROBE_TERM
    ]
    manager, anchor = max(sealed, key=lambda each: (each[1].sealed_at, each[0]), default=(0, None))
    if anchor is None or anchor.seed is None or period_at(network, anchor.sealed_at) <= node.answered:
        return None
    probe = Probe(manager=manager, anchor=anchor.index, seed=anchor.seed, node=node.id)
    return subject_of(network, anchor), probe, anchor


def why_not(network: "Network", item: SignedMessage, probe: Probe, time: int) -> str:
    """Why an answer would not count if it were anchored at ``time``; empty when it would."""
    lane = network.lanes.get(probe.manager)
    anchor = lane.anchors.get(probe.anchor) if lane is not None else None
    if anchor is None or anchor.seed != probe.seed:
        return "no anchor has this seed"
    node = network.nodes.get(probe.node)
    if node is None:
        return "no such node"
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
