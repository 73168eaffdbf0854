# SPDX-License-Identifier: Apache-2.0
"""Logs to ``ChainEvent``; pure."""

from collections.abc import Iterable, Mapping

from inferix.chain.client import Header, RawLog
from inferix.chain.deployment import Deployment
from inferix.models.event import ChainEvent


def decode_logs(deployment: Deployment, logs: Iterable[RawLog], headers: Mapping[int, Header]) -> list[ChainEvent]:
    """The events of logs in order; a log that the ABIs do not name is left out. ``headers`` by block number."""
    events = []
    for log in logs:
        contract = deployment.at(log.address)
        found = contract.interface.event(log.topics, log.data) if contract else None
        if contract is None or found is None:
            continue
        name, args = found
        timestamp = headers[log.block].timestamp
        events.append(ChainEvent(log.block, log.index, timestamp, contract.name, name, args, log.transaction))
    return events
