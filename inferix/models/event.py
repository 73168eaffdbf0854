# SPDX-License-Identifier: Apache-2.0
"""A decoded log of a protocol contract: what everything else is a function of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """``args`` by name: integers, bytes, checksummed addresses, booleans, and mappings for structs."""

    block: int
    log_index: int
    timestamp: int
    contract: str
    name: str
    args: Mapping[str, Any]
    transaction: bytes = bytes(32)
