# SPDX-License-Identifier: Apache-2.0
"""``inferix node doctor``: what keeps this node from work, one plain sentence each, and how to mend it."""

import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inferix import keystore
from inferix.errors import InferixError
from inferix.units import IFX_DECIMALS, MicroIb, format_decimal, format_duration, format_speed
from inferix.units import Seconds as Duration
from node import gpu, sandbox
from node.api import Api, NodeInfo
from node.config import Home, NodeConfig
from node.engines import EngineSettings, load_engine
from node.replay import own_contracts
from node.verifier import ABSTAINS

GIB: Final = 1 << 30
LEAST_DISK, GOOD_DISK = 10 * GIB, 100 * GIB
GOOD_MEMORY: Final = 16 * GIB
LEAST_MEMORY: Final = 4 * GIB
GOOD_OFFSET: Final = 120
_LIBRARY: Final = re.compile(r"(lib[\w.+-]+\.so[\w.]*): cannot open shared object file")
PACKAGES: Final = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libXxf86vm.so.1": "libxxf86vm1",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. ``ok``: None for what is only worth knowing. ``mend``: what to do, where something is wrong."""

    name: str
    ok: bool | None
    text: str
    mend: str = ""


def examine(home: Home, config: NodeConfig, store: Path, password: str | None, *, unsafe: bool) -> Iterator[Check]:
    """Every check, one after the other; none of them raises. ``password``: None leaves the keystore closed."""
    yield check_python()
    yield check_engine(config.engine, unsafe)
    yield check_sandbox(unsafe)
    yield check_disk(home.path)
    yield check_memory()
    yield check_gpu(config.device)
    yield check_keystore(store, password)
    if not config.api:
        yield Check("network", False, "no address of the network is set", "run `inferix node init --api URL`")
        return
    api = Api(config.api, attempts=1)
    try:
        yield from check_network(api, config)
        yield from check_registration(api, config, store)
        if config.role == "verifier":
            yield check_panels(home, config, api)
    finally:
        api.close()


def check_python() -> Check:
    """Blender's Python module is built for one version of Python."""
    found = platform.python_version()
    if found.startswith("3.11."):
        return Check("python", True, found)
    return Check("python", False, f"{found}, but Blender's module needs 3.11", "make a virtual environment with 3.11")


def check_engine(name: str, unsafe: bool) -> Check:
    """Whether the engine starts; Blender is imported in a process of its own, since a missing library can kill it."""
    if name == "blender":
        command = [sys.executable, "-c", "import bpy; print(bpy.app.version_string)"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            return Check("engine", False, "Blender did not load within two minutes", "look at the load of this machine")
        if done.returncode != 0:
            return _missing(done.stderr)
    try:
        return Check("engine", True, f"{name} {load_engine(name, EngineSettings(unsafe=unsafe)).build()}")
    except InferixError as error:
        return Check("engine", False, f"{name} does not start: {error}", "mend the sandbox first, then try again")


def _missing(errors: str) -> Check:
    library = _LIBRARY.search(errors)
    if library:
        package = PACKAGES.get(library[1])
        mend = f"apt-get install {package}" if package else f"install the package that has {library[1]}"
        return Check("engine", False, f"Blender needs the system library {library[1]}, which is not installed", mend)
    if "No module named 'bpy'" in errors:
        return Check(
            "engine",
            False,
            "Blender is not installed",
            "run `python3 tools/setup.py node` in the clone",
        )
    last = errors.strip().splitlines()[-1:] or ["it ended without a word"]
    return Check(
        "engine", False, f"Blender does not load: {last[0][:200]}", "reinstall: pip install --force-reinstall bpy"
    )


def check_sandbox(unsafe: bool) -> Check:
    """Whether strangers' scenes can be isolated here."""
    try:
        sandbox.check()
    except InferixError as error:
        return Check("sandbox", None if unsafe else False, str(error), "see the message")
    return Check("sandbox", True, "bubblewrap isolates what strangers send")


def check_disk(folder: Path) -> Check:
    """Room for packages and frames."""
    free = shutil.disk_usage(folder).free
    text = f"{free // GIB} GiB free at {folder}"
    if free < LEAST_DISK:
        return Check("disk", False, text, f"free at least {LEAST_DISK // GIB} GiB, or move --home to a larger disk")
    return Check("disk", True if free >= GOOD_DISK else None, text, "100 GiB are recommended")


def check_memory() -> Check:
    """Memory and processors."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    text = f"{total // GIB} GiB of memory, {os.cpu_count()} processors"
    if total < LEAST_MEMORY:
        return Check("memory", False, text, "at least 4 GiB are needed to render anything")
    return Check("memory", True if total >= GOOD_MEMORY * 9 // 10 else None, text, "16 GiB are recommended")


def check_keystore(path: Path, password: str | None) -> Check:
    """Whether the keys are there and open."""
    try:
        address, _ = keystore.public_parts(path)
        if password is not None:
            keystore.load(path, password)
    except InferixError as error:
        return Check("keystore", False, str(error), "see the message; a node without its keys is another node")
    if path.stat().st_mode & 0o077:
        return Check("keystore", False, f"{path} can be read by others", f"chmod 600 {path}")
    return Check("keystore", True, f"operator {address}" + ("" if password else "; not opened, no password was given"))


def check_network(api: Api, config: NodeConfig) -> Iterator[Check]:
    """Whether the network answers, is the one that was pinned, and what its clock says."""
    try:
        network = api.network()
        config.pinned(network.signing_domain())
    except InferixError as error:
        yield Check("network", False, str(error), "check the address, the connection, and `inferix node init --api`")
        return
    yield Check("network", True, f"chain {network.chain_id} at block {network.block}")
    offset = int(time.time()) - network.time
    text = (
        f"this machine is {format_duration(Duration(abs(offset)))} {'ahead of' if offset > 0 else 'behind'} the chain"
    )
    mend = "the node uses the chain's clock; set this machine's clock (NTP) if the chain is a public one"
    yield Check("clock", True if abs(offset) < GOOD_OFFSET else None, text, mend)


def check_registration(api: Api, config: NodeConfig, store: Path) -> Iterator[Check]:
    """Registered, active, staked, measured, drawable: in the order in which they are reached."""
    try:
        address, sealing_key = keystore.public_parts(store)
        info = api.node(config.node) if config.node else api.node_of(address)
    except InferixError as error:
        yield Check("registration", False, str(error), "mend keystore and network first")
        return
    if info is None:
        mend = "run `inferix node register` with the wallet that owns a licence"
        yield Check("registration", False, f"no node of operator {address} is registered", mend)
        return
    yield _operator(info, address)
    yield _sealing_key(info, sealing_key)
    yield from (step(info) for step in (_standing, _stake, _speed, _roster))


def check_panels(home: Home, config: NodeConfig, api: Api) -> Check:
    """Whether this verifier can judge objections."""
    if not config.rpc:
        return Check("panels", False, ABSTAINS, "run `inferix node start --rpc URL`, or set rpc in node.json")
    try:
        contracts = own_contracts(home, config, api.deployment)
        block = contracts.client.header("latest").number
    except InferixError as error:
        return Check("panels", False, f"{config.rpc}: {error}", "give another endpoint with --rpc")
    return Check("panels", True, f"objections are judged by the own replay of the chain, now at block {block}")


def _operator(info: NodeInfo, address: str) -> Check:
    text = f"node {info.id}, {info.role}, licence {info.licence}, owner {info.owner}"
    if info.operator.lower() == address.lower():
        return Check("registration", True, text)
    return Check("registration", False, f"{text}: run by {info.operator}, not by this keystore", "correct --node")


def _sealing_key(info: NodeInfo, mine: bytes) -> Check:
    if info.sealing_key.lower() == "0x" + mine.hex():
        return Check("sealing key", True, "job keys are sealed to this keystore")
    mend = f"the owner calls NodeRegistry.set_sealing_key({info.id}, 0x{mine.hex()})"
    return Check("sealing key", False, "the registry has another sealing key: no job can be opened here", mend)


def _standing(info: NodeInfo) -> Check:
    if info.status == "active":
        return Check("standing", True, "active")
    return Check("standing", False, f"the node is {info.status}", "see `inferix money` of its owner and GET /cases")


def _stake(info: NodeInfo) -> Check:
    text = f"{format_decimal(int(info.bonded), IFX_DECIMALS)} IFX bonded"
    if info.qualified is not False:
        return Check("stake", True, text)
    return Check("stake", False, f"{text}, too little", "run `inferix node stake` with the owner's wallet")


def _speed(info: NodeInfo) -> Check:
    if info.role != "worker":
        return Check("benchmark", True, "only workers are measured")
    if info.ib:
        return Check("benchmark", True, f"{format_speed(MicroIb(info.ib))} on {info.device_class or 'cpu'}")
    mend = (
        "start the node and leave it running: a manager measures it within minutes; a GPU only where its device class "
        "was compared (docs/proof-of-rendering.md), or the manager's keeper takes others"
    )
    return Check("benchmark", False, "not measured yet", mend)


def _roster(info: NodeInfo) -> Check:
    if info.drawable is not False:
        return Check("roster", True, "in the next roster: it can be drawn")
    return Check(
        "roster", False, "not in the roster: it gets no work", "mend what is above; then wait for the next roster"
    )


def check_gpu(device: str, probe: gpu.GpuProbe | None = None) -> Check:
    """What would render."""
    report = (probe or gpu.NvmlProbe()).report()
    if report.gpus:
        names = "; ".join(
            f"{found.name}, {found.memory_bytes // GIB} GiB, driver {found.driver}" for found in report.gpus
        )
        return Check("gpu", True, names + ("; not used, since the device is set to cpu" if device == "cpu" else ""))
    mend = "install the NVIDIA driver, then look with `nvidia-smi`"
    if device == "gpu":
        return Check("gpu", False, f"the device is set to gpu, but there is {report.reason}", mend)
    return Check("gpu", None, f"{report.reason}; this node is of device class cpu", mend)
