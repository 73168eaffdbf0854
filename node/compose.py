# SPDX-License-Identifier: Apache-2.0
"""Puts a node's parts together. Nothing here opens a connection or reads a setting."""

import threading
from dataclasses import dataclass

from inferix.models.parameters import DEFAULTS
from inferix.proofs.calibration import Calibration
from inferix.storage.blobs import BlobStore
from node.api import Api, NetworkInfo, NodeInfo
from node.checks import Checker, PictureReader
from node.config import Home
from node.engines import Device, Engine
from node.identity import Identity
from node.journal import Journal, owner_of
from node.loop import Loop, Role
from node.outbox import Outbox
from node.parts import Listing, Parts
from node.progress import ProgressReport
from node.replay import OwnReplay
from node.sessions import SessionPool
from node.signer import Signer
from node.vault import Vault
from node.verifier import Verifier
from node.worker import Worker


@dataclass(frozen=True, slots=True)
class Machine:
    """What this machine brings."""

    home: Home
    engine: Engine
    device: Device
    reader: PictureReader
    shadow: Calibration | None = None


@dataclass(frozen=True, slots=True)
class Remote:
    """The network as this node meets it.

    ``quick``: the same store, for whoever cannot wait; ``replay``: the chain by an endpoint of its own, if a verifier
    has one: what it judges objections by, and results that name another machine than their worker's.
    """

    api: Api
    store: BlobStore
    quick: BlobStore
    network: NetworkInfo
    info: NodeInfo
    replay: OwnReplay | None = None


def compose(machine: Machine, identity: Identity, remote: Remote, stop: threading.Event) -> tuple[Loop, Journal]:
    """The loop of a node and its journal, which the caller closes."""
    journal = Journal(machine.home.journal, owner_of(identity.address, identity.domain))
    clock = remote.api.clock
    progress = ProgressReport(remote.api)
    sessions = SessionPool(machine.engine, machine.home.work)
    sessions.on_progress = progress
    parts = Parts(
        identity=identity,
        clock=clock,
        journal=journal,
        signer=Signer(identity, journal, clock),
        vault=Vault(remote.store),
        engine=machine.engine,
        device=machine.device,
        sessions=sessions,
        progress=progress,
        listing=Listing(),
        parameters={**DEFAULTS, **remote.network.parameters},
        shadow=machine.shadow,
    )
    role: Role
    if remote.info.role == "worker":
        role = Worker(parts, machine.home.path, lambda: remote.api.node(identity.node).ib)
    else:
        attested = remote.replay.machine_of if remote.replay is not None else None
        role = Verifier(parts, Checker(parts, machine.reader, attested), remote.replay)
    return Loop(remote.api, parts, role, Outbox(remote.api, journal, remote.quick), stop), journal
