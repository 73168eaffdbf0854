# SPDX-License-Identifier: Apache-2.0
"""How much of its time each licence that was sold took part in: what the buyback asks for. Pure.

An epoch counts for a licence if nodes of it answered at least 90 % of the hours in which there was a seed to answer;
epochs are those that began after the sale and are closed, without those in which fewer than half of the hours had one.
"""

from inferix.replay.network import Network
from inferix.replay.probes import PROBE_PERIOD

BPS = 10_000
ANSWERED_BPS = 9_000
TYPES = ("uint256", "uint256")
"""Of a row of the list: licence, basis points."""


def participations(network: Network) -> list[tuple[int, int]]:
    """(licence, basis points) by licence; all of it where no epoch has counted yet, as silence takes no right away."""
    least = network.parameters["epoch_length"] // PROBE_PERIOD // 2
    epochs = [epoch for epoch in network.epochs if len(epoch.record.presence.asked) >= max(least, 1)]
    rows = []
    for licence, sold_at in sorted(network.sold.items()):
        since = [epoch.record.presence for epoch in epochs if network.epoch_end(epoch.index - 1) >= sold_at]
        present = sum(presence.hours.get(licence, 0) * BPS >= ANSWERED_BPS * len(presence.asked) for presence in since)
        rows.append((licence, BPS * present // len(since) if since else BPS))
    return rows
