# SPDX-License-Identifier: Apache-2.0
"""All that has happened, read from an endpoint."""

from collections.abc import Callable

from inferix.chain.client import ChainClient
from inferix.chain.deployment import Deployment
from inferix.chain.errors import RangeTooLarge
from inferix.chain.events import decode_logs
from inferix.models.event import ChainEvent

STEP = 2_000
Said = Callable[[int, int, int], object]
"""(last block read, newest, events so far)"""


def _silent(block: int, newest: int, events: int) -> None:
    """Nobody watches."""


def read_events(
    client: ChainClient, found: Deployment, start: int, newest: int, said: Said = _silent
) -> list[ChainEvent]:
    """The events of the contracts in these blocks, in as large steps as the endpoint takes."""
    events: list[ChainEvent] = []
    step = STEP
    while start <= newest:
        end = min(newest, start + step - 1)
        try:
            logs = client.logs(found.mirrored(), start, end)
        except RangeTooLarge:
            if step == 1:
                raise
            step //= 2
            continue
        headers = {number: client.header(number) for number in {log.block for log in logs}}
        events += decode_logs(found, logs, headers)
        said(end, newest, len(events))
        start, step = end + 1, min(STEP, 2 * step)
    return events
