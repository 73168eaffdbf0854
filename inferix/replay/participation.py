# SPDX-License-Identifier: Apache-2.0
"""How much of its time each licence that was sold took part in: what the buyback asks for. Pure.

An epoch counts for a licence if a node of it answered at least 90 % of the hours in which there was a seed to answer;
epochs are those that began after the sale and are closed, without those that had no seed at all.
"""

from inferix.replay.network import Network

BPS = 10_000
ANSWERED_BPS = 9_000
TYPES = ("uint256", "uint256")
"""Of a row of the list: licence, basis points."""


def participations(network: Network) -> list[tuple[int, int]]:
    """(licence, basis points) by licence; 0 of one that no whole epoch has passed for since it was sold."""
    nodes: dict[int, list[int]] = {}
    for node in network.nodes.values():
        nodes.setdefault(node.licence, []).append(node.id)
    epochs = [epoch for epoch in network.epochs if epoch.record.asked]
    rows = []
    for licence, sold_at in sorted(network.sold.items()):
        since = [epoch for epoch in epochs if network.epoch_end(epoch.index - 1) >= sold_at]
        present = 0
        for epoch in since:
            answered = sum(epoch.record.answered.get(node, 0) for node in nodes.get(licence, ()))
            present += answered * BPS >= ANSWERED_BPS * epoch.record.asked
        rows.append((licence, BPS * present // len(since) if since else 0))
    return rows
