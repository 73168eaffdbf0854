# SPDX-License-Identifier: Apache-2.0
"""What was deployed so far: deployments/<chain id>.json, written after each step, so that nothing is deployed twice."""

import json
import os
from pathlib import Path
from typing import Any


class Record:
    """The file of one chain. `block` is the newest one before the first transaction, `deployer` the one who sends."""

    def __init__(self, folder: Path, chain_id: int) -> None:
        self.path = folder / f"{chain_id}.json"
        self._data: dict[str, Any] = {"chain_id": chain_id, "complete": False, "contracts": {}}
        if self.path.exists():
            self._data = json.loads(self.path.read_text())

    def begin(self, block: int, deployer: str) -> None:
        """Nothing is deployed yet: all begins behind this block."""
        self._data |= {"block": block, "deployer": deployer, "complete": False, "contracts": {}}

    @property
    def block(self) -> int:
        """The newest block before the first transaction; its time is the one that the plan is made for."""
        return int(self._data["block"])

    @property
    def deployer(self) -> str | None:
        """Who deploys; None in a record that does not say."""
        return self._data.get("deployer")

    @property
    def addresses(self) -> dict[str, str]:
        """Contracts so far."""
        return {name: item["address"] for name, item in self._data["contracts"].items()}

    @property
    def complete(self) -> bool:
        """Whether nothing was left to do."""
        return bool(self._data["complete"])

    def add(self, name: str, address: str, abi: list[Any]) -> None:
        """A contract that was sent."""
        self._data["contracts"][name] = {"address": address, "abi": abi}
        self._write()

    def drop(self, names: set[str]) -> None:
        """Contracts that never came to be, or are of no use."""
        for name in names & self.addresses.keys():
            del self._data["contracts"][name]
            self._data["complete"] = False

    def finish(self) -> None:
        """Everything stands."""
        self._data["complete"] = True
        self._write()

    def _write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".tmp")
        draft.write_text(json.dumps(self._data, indent=1, sort_keys=True) + "\n")
        os.replace(draft, self.path)
