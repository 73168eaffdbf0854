# SPDX-License-Identifier: Apache-2.0
"""Keys of jobs are sealed to whoever is drawn, once, and again to who has another sealing key since."""

from dataclasses import replace

import pytest
from sqlmodel import select

from inferix import sealing
from inferix.errors import InferixError
from inferix.sealing import JobKey
from inferix.storage.database import Database
from inferix.storage.tables import SealedKey
from keepers.assign import Sealer
from keepers.desk import Desk
from tests.keepers.bare import Outbox, bare_desk
from tests.replay.chain import MANAGER, WORKERS, Chain

KEY = JobKey(b"\x07" * 32)
SECRET, PUBLIC = sealing.sealing_keypair()
JOB = b"\x01" * 32


@pytest.fixture
def desk(database: Database) -> Desk:
    chain = Chain()
    chain.start()
    with database.session() as session:
        session.add(SealedKey(subject=JOB, node=MANAGER, sealed=sealing.seal_key(KEY, PUBLIC)))
    return replace(bare_desk(chain.network, Outbox()), database=database, sealing_key=SECRET)


def sealer(desk: Desk) -> Sealer:
    return Sealer(desk, lambda network, manager: {(JOB, WORKERS[0])})


def turn_to(desk: Desk, public: bytes) -> None:
    with desk.follower.reading() as network:
        network.nodes[WORKERS[0]].sealing_key = public


def box(desk: Desk) -> bytes:
    with desk.database.reading() as session:
        return session.exec(select(SealedKey.sealed).where(SealedKey.node == WORKERS[0])).one()


def test_a_key_is_sealed_once(desk: Desk) -> None:
    secret, public = sealing.sealing_keypair()
    turn_to(desk, public)
    sealer(desk).cycle()
    first = box(desk)
    assert sealing.open_key(first, secret) == KEY
    sealer(desk).cycle()  # a program just started
    assert box(desk) == first


def test_regression_a_node_that_changes_its_sealing_key_gets_the_job_keys_anew(desk: Desk) -> None:
    """Its frames under way failed: what was there for it could not be opened."""
    old, public = sealing.sealing_keypair()
    turn_to(desk, public)
    sealer(desk).cycle()
    new, public = sealing.sealing_keypair()
    turn_to(desk, public)
    sealer(desk).cycle()
    assert sealing.open_key(box(desk), new) == KEY
    with pytest.raises(InferixError):
        sealing.open_key(box(desk), old)
