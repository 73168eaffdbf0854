# SPDX-License-Identifier: Apache-2.0
"""The name that a benchmark gives a worker's machine: what its results have to say they were made by.

32 bytes on chain, ASCII: the device class, and after a slash 16 hex digits of the SHA-256 of its kernel's name; these
are left out where nobody can tell the kernel. Verifiers choose by it how they compare, so it stands before there is
anything to hide: a result that names another machine is rejected, whatever it looks like.
"""

import hashlib

from inferix.errors import InvalidInput


def machine_name(device_class: str, kernel: str) -> str:
    """ "cpu/0123456789abcdef", or "cpu" of a kernel that cannot be told. Never raises: a result says what it likes, and
    a slash in its class makes no kernel."""
    shown = device_class.replace("/", "?")
    return f"{shown}/{hashlib.sha256(kernel.encode()).hexdigest()[:16]}" if kernel else shown


def class_of(name: str) -> str:
    """The device class of a machine's name; of none, none."""
    return name.partition("/")[0]


def to_bytes32(name: str) -> bytes:
    """As it stands on chain. Raises InvalidInput for what has no place there."""
    if not (class_of(name) and len(name) <= 32 and name.isascii() and name.isprintable()):
        raise InvalidInput(f"a machine's name has 1 to 32 printable ASCII characters, class first, not {name!r}")
    return name.encode("ascii").ljust(32, b"\0")


def from_bytes32(value: bytes) -> str:
    """The name that stands on chain; empty before a benchmark. Never raises: anybody's bytes may stand there."""
    return value.rstrip(b"\0").decode("ascii", "replace")
