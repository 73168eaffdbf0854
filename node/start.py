# SPDX-License-Identifier: Apache-2.0
"""Starts a node: engine, network, registration, then the loop."""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from inferix.errors import Misconfigured, NotFound, Unavailable
from inferix.keystore import Keys
from inferix.proofs.calibration import Calibration, read_calibration
from inferix.storage import BlobStore, open_store
from inferix.storage.remote import HttpStore
from inferix.units import MicroIb, format_speed
from node import gpu, sandbox
from node.api import Api, NetworkInfo, NodeInfo
from node.compose import Machine, Remote, compose
from node.config import Home, NodeConfig
from node.engines import Device, EngineSettings, load_engine
from node.identity import Identity
from node.reader import SandboxedReader
from node.replay import OwnReplay, own_contracts
from node.transport import back_off
from node.verifier import ABSTAINS

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
LONGEST_WAIT: Final = 10.0


@dataclass(frozen=True, slots=True)
class StartSettings:
    """What ``inferix node start`` was told. ``threads``: 0 for all cores; ``unsafe``: without the sandbox."""

    threads: int = 0
    unsafe: bool = False
    limits: sandbox.Limits = field(default_factory=sandbox.Limits)


def start(home: Home, config: NodeConfig, keys: Keys, settings: StartSettings, stop: threading.Event) -> None:
    """Run the node until ``stop`` is set. The caller holds the locks (`node.config.only_process`)."""
    if not settings.unsafe:
        sandbox.check()
    device = choose_device(config.device)
    log.info("starting the engine %s", config.engine)
    engine = load_engine(config.engine, EngineSettings(settings.threads, device, settings.limits, settings.unsafe))
    log.info("engine %s %s, device %s", engine.name, engine.build(), device)
    with closing(Api(config.api, stop=stop)) as public:
        network, info = meet(home, config, keys.address, public, stop)
        identity = Identity(info.id, network.signing_domain(), keys)
        api = Api(config.api, identity=identity, clock=public.clock, stop=stop)

    def pause(seconds: float) -> None:
        if stop.wait(seconds):
            raise Unavailable("stopped while waiting for storage")

    with (
        closing(api),
        closing(HttpStore(api.url, client=api.client, attempts=4, sleep=pause)) as store,
        closing(HttpStore(api.url, client=api.client, attempts=1, sleep=pause)) as quick,
    ):
        machine = Machine(
            home, engine, device, SandboxedReader(unsafe=settings.unsafe), tried_calibration(config.shadow)
        )
        replay = own_replay(home, home.load(), api, store) if config.role == "verifier" else None
        loop, journal = compose(machine, identity, Remote(api, store, quick, network, info, replay), stop)
        with closing(journal):
            log.info("%s %d is running; ask `inferix node status`, end it with Ctrl-C", config.role, info.id)
            loop.run()


def tried_calibration(path: str) -> Calibration | None:
    """The calibration that runs in the shadow. Raises Misconfigured."""
    try:
        return read_calibration(Path(path).expanduser()) if path else None
    except (OSError, ValueError) as error:
        raise Misconfigured(f"--shadow {path}: {error}; `inferix bench agreement --calibration` writes one") from error


def own_replay(home: Home, config: NodeConfig, api: Api, network_store: BlobStore) -> OwnReplay | None:
    """What this verifier judges objections by; None, which is said, where it has no endpoint of its own."""
    if not config.rpc:
        log.warning("%s", ABSTAINS)
        return None
    contracts = own_contracts(home, config, api.deployment)
    return OwnReplay(contracts, open_store(config.store) if config.store else network_store)


def meet(home: Home, config: NodeConfig, address: str, api: Api, stop: threading.Event) -> tuple[NetworkInfo, NodeInfo]:
    """Wait for the network, pin it, and wait until this node is registered there.

    :raises Misconfigured: another network than this home's, or the node is somebody else's or of another role.
    """
    network = _patiently(lambda: api.network(attempts=1), stop)
    config = config.pinned(network.signing_domain())
    log.info("network of chain %d at %s, block %d", network.chain_id, api.url, network.block)
    info = _patiently(lambda: _registered(config, address, api), stop)
    if info.operator.lower() != address.lower():
        raise Misconfigured(f"node {info.id} is run by {info.operator}, this keystore is {address}: correct --node")
    if info.role != config.role:
        raise Misconfigured(f"node {info.id} is registered as a {info.role}: start it with --role {info.role}")
    home.save(config.model_copy(update={"node": info.id}))
    log.info("%s %d, %s, %s", info.role, info.id, info.status, format_speed(MicroIb(info.ib)))
    return network, info


def _registered(config: NodeConfig, address: str, api: Api) -> NodeInfo:
    try:
        found = api.node(config.node) if config.node else api.node_of(address)
    except NotFound:
        found = None
    if found is None:
        raise Unavailable(f"no node of operator {address} is registered yet (`inferix node register`); waiting for it")
    return found


def _patiently(ask: Callable[[], Answer], stop: threading.Event) -> Answer:
    """Ask until there is an answer; one line each time, the waits grow."""
    failures = 0
    while True:
        try:
            return ask()
        except Unavailable as error:
            failures += 1
            pause = min(LONGEST_WAIT, back_off(failures, error.retry_after))
            log.info("%s; next try in %.0f s", error, pause)
        if stop.wait(pause):
            raise Unavailable("stopped while waiting for the network")


def choose_device(wanted: str) -> Device:
    """The kind of device to render on; ``auto``: a GPU if NVML finds one."""
    if wanted == "auto":
        return "gpu" if gpu.find() else "cpu"
    return "gpu" if wanted == "gpu" else "cpu"
