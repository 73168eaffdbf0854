# SPDX-License-Identifier: Apache-2.0
"""Managers whose keepers share this API's database: they alone answer the quotes and post the orders that it takes."""

from sqlmodel import Session, select

from inferix.models.roles import Role
from inferix.replay import Network
from inferix.replay.state import Node
from inferix.storage.tables import Transaction


def managers_here(session: Session, network: Network) -> list[Node]:
    """By id; none before the first transaction of their operators."""
    managers = [node for node in network.nodes.values() if node.role is Role.MANAGER]
    return [manager for manager in managers if _sends(session, manager)]


def _sends(session: Session, manager: Node) -> bool:
    wanted = select(Transaction.key).where(Transaction.lane == manager.operator).limit(1)
    return session.exec(wanted).first() is not None
