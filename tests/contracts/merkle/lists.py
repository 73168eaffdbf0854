# SPDX-License-Identifier: Apache-2.0
"""Lists as OpenZeppelin's merkle-tree package hashes them; trees.mjs makes trees.json with that package."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount

from tests.contracts.system import key

TREES = Path(__file__).parent / "trees.json"


@dataclass(frozen=True)
class List:
    """A root, and the proof of each shown leaf by its fields."""

    root: bytes
    proofs: dict[tuple[Any, ...], list[bytes]]

    def __getitem__(self, fields: tuple[Any, ...]) -> list[bytes]:
        return self.proofs[fields]


@cache
def load(name: str) -> List:
    """A list of trees.json: whitelist, airdrop, single, participation."""
    tree = json.loads(TREES.read_text())[name]
    return List(
        bytes.fromhex(tree["root"][2:]),
        {
            tuple(text if text.startswith("0x") else int(text) for text in leaf["value"]): [
                bytes.fromhex(word[2:]) for word in leaf["proof"]
            ]
            for leaf in tree["leaves"]
        },
    )


def listed(index: int) -> LocalAccount:
    """A person of the lists, from 0 to 4."""
    return key(f"listed {index}")
