# SPDX-License-Identifier: Apache-2.0
"""How values are written and read in paths and answers."""

from inferix.errors import InvalidInput


def hexed(value: bytes | None) -> str | None:
    """0x hex."""
    return None if value is None else "0x" + value.hex()


def digest_of(text: str) -> bytes:
    """32 bytes of a path's hex. Raises InvalidInput."""
    try:
        value = bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise InvalidInput(f"{text[:80]!r} is not hex: give 0x and 64 hex digits") from error
    if len(value) != 32:
        raise InvalidInput(f"an id has 32 bytes, not {len(value)}: give 0x and 64 hex digits")
    return value


def sendable(text: str) -> str:
    """The text, halves of characters replaced: a database keeps them, and UTF-8 cannot carry them."""
    return text.encode(errors="replace").decode()
