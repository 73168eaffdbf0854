# SPDX-License-Identifier: Apache-2.0
"""Canaries: attempts whose worker is asked for a bad result, so that verifiers who accept without looking are found.

With every render task a manager gives its worker an opening: whether this attempt is a canary, and a salt. The receipt
carries the hash of it, which tells nobody which; when the votes have decided, the opening is anchored and says what the
outcome is. Openings are made of a secret, so that a manager that starts again makes the same. Pure.
"""

import hashlib
import hmac
from typing import Final

from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from inferix.errors import Corrupt
from inferix.messages import CanaryOpening
from inferix.sealing import open_box, seal_box

CANARY_TYPE: Final = "Canary(bytes32 task,uint8 attempt,uint32 node,bool isCanary,bytes32 salt)"
MILLION: Final = 1_000_000

_BODY: Final = 160
_SIGNATURE: Final = 65


def commitment(task: bytes, attempt: int, node: int, is_canary: bool, salt: bytes) -> bytes:
    """A receipt's ``canary``; ``node``: the worker."""
    types = ["bytes32", "bytes32", "uint8", "uint32", "bool", "bytes32"]
    return keccak(abi_encode(types, [keccak(text=CANARY_TYPE), task, attempt, node, is_canary, salt]))


def commitment_of(opening: CanaryOpening, node: int) -> bytes:
    """What a worker's receipt says of the opening that it was given."""
    return commitment(opening.task, opening.attempt, node, opening.is_canary, opening.salt)


def opening_for(secret: bytes, manager: int, task: bytes, attempt: int, node: int, ppm: int) -> CanaryOpening:
    """What a manager gives a worker: ``ppm`` in a million are canaries, by a coin that the owner alone knows."""
    coin = int.from_bytes(_derived(secret, b"coin", task, attempt)[:16], "big") * MILLION >> 128
    salt = _derived(secret, b"salt", task, attempt, node)
    return CanaryOpening(task=task, attempt=attempt, node=manager, is_canary=coin < ppm, salt=salt)


def seal_opening(opening: CanaryOpening, signature: bytes, recipient: bytes) -> bytes:
    """The opening and its 65-byte signature for one worker's X25519 key; as long for a canary as for none."""
    return seal_box(opening.body() + signature, recipient)


def unseal_opening(sealed: bytes, private: bytes) -> tuple[CanaryOpening, bytes]:
    """The opening and its signature. Raises SealError where it was sealed to another key, Corrupt when malformed."""
    body = open_box(sealed, private)
    if len(body) != _BODY + _SIGNATURE:
        raise Corrupt(f"a sealed opening has {_BODY + _SIGNATURE} bytes, not {len(body)}")
    return CanaryOpening.from_body(body[:_BODY]), body[_BODY:]


def _derived(secret: bytes, label: bytes, task: bytes, *numbers: int) -> bytes:
    parts = b"".join(number.to_bytes(4, "big") for number in numbers)
    return hmac.new(secret, b"inferix.canary.v1" + label + task + parts, hashlib.sha256).digest()
