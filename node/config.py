# SPDX-License-Identifier: Apache-2.0
"""A node's home: its settings, and the locks that keep a second process away.

<home>/node.json       these settings
<home>/keystore.json   the keys, encrypted
<home>/journal.sqlite  what was signed
<home>/deployment.json the contracts' addresses and ABIs, as the network gave them at the first meeting
<home>/work            clients' data while it is worked on; emptied at each start
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from inferix.errors import Conflict, Misconfigured
from inferix.messages import Domain
from inferix.storage.files import write_atomic

RoleName = Literal["worker", "verifier"]


class NodeConfig(BaseModel):
    """``node.json``. ``chain_id`` and ``registry`` are pinned at the first meeting: signatures are for that network.

    ``rpc``: an endpoint of the chain of this node's own choice, ``store``: of documents, by which a verifier judges
    objections; without ``store`` the network's, which can withhold a document, but not forge one. ``shadow``: file of a
    calibration that is tried beside the one in force.
    """

    model_config = ConfigDict(extra="forbid")

    api: str = ""
    role: RoleName = "worker"
    node: int = 0
    engine: str = "blender"
    device: Literal["auto", "cpu", "gpu"] = "auto"
    chain_id: int = 0
    registry: str = ""
    rpc: str = ""
    store: str = ""
    shadow: str = ""

    def pinned(self, domain: Domain) -> "NodeConfig":
        """With the network pinned. Raises Misconfigured when another one is."""
        if self.chain_id and (self.chain_id, self.registry) != (domain.chain_id, domain.contract):
            raise Misconfigured(
                f"{self.api} is the network of chain {domain.chain_id}, registry {domain.contract}; this home belongs "
                f"to chain {self.chain_id}, registry {self.registry}: correct --api, or use another --home"
            )
        return self.model_copy(update={"chain_id": domain.chain_id, "registry": domain.contract})


class Home:
    """The folder of one node, made if absent, private to its owner."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def keystore(self) -> Path:
        """Where the keys are, unless another file is named."""
        return self.path / "keystore.json"

    @property
    def journal(self) -> Path:
        """Where what was signed is written down."""
        return self.path / "journal.sqlite"

    @property
    def deployment(self) -> Path:
        """The contracts, as the network gave them at the first meeting: later it cannot name others."""
        return self.path / "deployment.json"

    @property
    def work(self) -> Path:
        """Where clients' data lies while it is worked on."""
        return self.path / "work"

    def load(self) -> NodeConfig:
        """The settings; defaults where there is no file. Raises Misconfigured."""
        file = self.path / "node.json"
        try:
            return NodeConfig.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            return NodeConfig()
        except (OSError, ValidationError) as error:
            raise Misconfigured(
                f"{file} cannot be used: {error}; correct it, or remove it and run init again"
            ) from error

    def save(self, config: NodeConfig) -> None:
        """Write the settings."""
        write_atomic(self.path / "node.json", (json.dumps(config.model_dump(), indent=1).encode(),))


@contextmanager
def only_process(*files: Path) -> Iterator[None]:
    """Hold the locks of these files; they end with the process. Raises Conflict when another process has one."""
    handles: list[int] = []
    try:
        for file in files:
            try:
                handle = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise Misconfigured(f"no lock can be made beside {file}: {error}; choose a folder of yours") from error
            handles.append(handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise Conflict(
                    f"another process runs with {file}: stop it first. Two nodes with one key sign against each other"
                ) from error
        yield
    finally:
        for handle in handles:
            os.close(handle)
