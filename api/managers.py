# SPDX-License-Identifier: Apache-2.0
"""Managers whose keepers work on this database: they alone answer the quotes and post the orders that the API takes."""

from sqlmodel import Session, col, select

from inferix.replay import Network
from inferix.replay.state import Node
from inferix.storage.tables import ManagerHere


def managers_here(session: Session, network: Network) -> list[Node]:
    """By id, those whose key is still the operator's; none before their keepers first started."""
    rows = session.exec(select(ManagerHere).order_by(col(ManagerHere.node)))
    found = [(network.nodes[row.node], row.operator) for row in rows if row.node in network.nodes]
    return [node for node, operator in found if node.operator == operator]
