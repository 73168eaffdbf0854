# SPDX-License-Identifier: Apache-2.0
"""Receipts that workers put on chain since they did not arrive here: an honest lane anchors them all the same."""

from inferix.replay import Network, posted
from inferix.storage.tables import Message
from keepers.canaries import NOT_GIVEN
from keepers.desk import Desk


def decide_posted(network: Network, manager: int) -> list[Message]:
    """Those that count if this lane anchors them now, as they would stand in its inbox."""
    return [
        Message(
            digest=message.digest(network.domain), kind=item.kind, node=message.node, task=message.task,
            attempt=message.attempt, body=item.body, signature=item.signature, received_at=network.time,
        )
        for item, message in posted.waiting(network, manager)
    ]  # fmt: skip


def take_posted(desk: Desk) -> None:
    """Takes them into the inbox; what is there keeps its marks, but for a refusal that no longer holds."""
    with desk.follower.reading() as network:
        rows = decide_posted(network, desk.manager)
    if rows:
        with desk.database.session() as session:
            for row in rows:
                known = session.get(Message, row.digest)
                if known is None:
                    session.add(row)
                elif known.refused != NOT_GIVEN:  # of the network's own reasons none holds: it waits
                    known.refused = None
