# SPDX-License-Identifier: Apache-2.0
"""A decoded log of a protocol contract: what everything else is a function of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


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


class NamedBy(NamedTuple):
    """Who names a document. ``who``: a manager's or an account's id, or an address; ``is_backed``: a bond stands behind
    it. Else anybody may name what nobody has, for gas alone."""

    who: int | str = 0
    is_backed: bool = True
