# SPDX-License-Identifier: Apache-2.0
"""Probes: a node's signature over the seed of an anchor, once an hour. Who answers, and in time, is alive.

An answer is a message like others: any lane may anchor it, and what counts is when it is anchored. So nobody's word is
needed for what capacity earns, nor for how much of an epoch somebody took part in; and as an hour counts once, whatever
the lane, a manager that anchors often gives nobody more to answer. An hour counts once for a node, by what it could be
drawn with at that moment, and once for its licence, however many machines that has or had.
"""

from inferix.errors import InferixError
from inferix.messages import Probe
from inferix.models.anchor import SignedMessage
from inferix.models.roles import NodeStatus, Role
from inferix.replay.accounting import eligible
from inferix.replay.network import Network
from inferix.replay.state import Anchor, Node, Presence

PROBE_PERIOD = 3_600
"""Seconds: an hour is answered once, by a seed that was sealed in it."""
PROBE_TERM = 3_600
"""Seconds from its seal in which a seed may be answered: a node need not be asked at once, nor heard at once."""
ALIVE = (NodeStatus.ACTIVE, NodeStatus.FROZEN)  # who is accused is there; who was judged, or has left, is not
ANSWERED = "an hour is answered once"
OVER = "this seed was to be answered within the hour"


def period_at(network: Network, time: int) -> int:
    """The hour that a time is in, counted from 1."""
    return 1 + (time - network.genesis) // PROBE_PERIOD


def _presence(network: Network, time: int) -> Presence:
    return network.present.setdefault(network.epoch_at(time), Presence())


def sealed(network: Network, manager: int, anchor: Anchor) -> None:
    """There is a seed to answer in this hour; at the end of an epoch it may be answered, and need not."""
    hour = period_at(network, anchor.sealed_at)
    network.seeds[hour] = (manager, anchor.index)
    for past in [past for past in network.seeds if past < hour - 1]:
        del network.seeds[past]
    if anchor.sealed_at + PROBE_TERM < network.epoch_end(network.epoch_at(anchor.sealed_at)):
        _presence(network, anchor.sealed_at).asked.add(hour)


def subject_of(network: Network, anchor: Anchor) -> bytes:
    """What an answer to a seed is about, in 32 bytes: its hour."""
    return period_at(network, anchor.sealed_at).to_bytes(32, "big")


def due(network: Network, node: Node) -> tuple[bytes, Probe, Anchor] | None:
    """(subject, message to sign, its anchor): the newest seed of the first hour that this node has not answered yet."""
    for hour, (manager, index) in sorted(network.seeds.items()):
        anchor = network.lanes[manager].anchors[index]
        if node.status in ALIVE and hour > node.answered and network.time <= anchor.sealed_at + PROBE_TERM:
            assert anchor.seed is not None
            probe = Probe(manager=manager, anchor=index, node=node.id, seed=anchor.seed)
            return subject_of(network, anchor), probe, anchor
    return None


def why_not(network: Network, item: SignedMessage, probe: Probe, time: int) -> str:
    """Why an answer would not count if it were anchored at ``time``; empty when it would."""
    lane = network.lanes.get(probe.manager)
    anchor = lane.anchors.get(probe.anchor) if lane is not None else None
    if anchor is None or anchor.seed != probe.seed:
        return "no anchor has this seed"
    node = network.nodes.get(probe.node)
    if node is None:
        return "no such node"
    if node.status not in ALIVE:
        return f"it is {node.status.name.lower()}"
    if period_at(network, anchor.sealed_at) <= node.answered:
        return ANSWERED
    if time > anchor.sealed_at + PROBE_TERM:
        return OVER
    try:
        is_signed = probe.signer(network.domain, item.signature) == node.operator
    except InferixError as error:
        return str(error)
    return "" if is_signed else "not signed by the node's operator"


def take(network: Network, item: SignedMessage, probe: Probe, time: int) -> str:
    """Counts an answer that is anchored at ``time``; says why not, or nothing."""
    reason = why_not(network, item, probe, time)
    if reason:
        return reason
    node, presence = network.nodes[probe.node], _presence(network, time)
    hour = period_at(network, network.lanes[probe.manager].anchors[probe.anchor].sealed_at)
    node.answered = hour
    if node.role is Role.WORKER and eligible(node):
        presence.capacity[node.id] = presence.capacity.get(node.id, 0) + node.ib
    if hour in presence.asked and hour > network.answered.get(node.licence, 0):
        network.answered[node.licence] = hour
        presence.hours[node.licence] = presence.hours.get(node.licence, 0) + 1
    return ""
