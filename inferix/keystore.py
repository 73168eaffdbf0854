# SPDX-License-Identifier: Apache-2.0
"""Keys of a program on disk, encrypted under a password.

The file is JSON, readable by its owner only:

    operator   Web3 secret storage v3 (scrypt, AES-128-CTR) of the signing key: other wallets can import this part
    sealing    the X25519 key in a NaCl secret box, under HMAC-SHA256(signing key, "inferix keystore sealing key")
    checksum   SHA-256 over the rest, so that a damaged file is told from a wrong password

Source: https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage.
"""

import hashlib
import hmac
import json
import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_utils.address import to_checksum_address
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from inferix.errors import Conflict, Corrupt, InferixError, InvalidInput, Misconfigured, NotFound
from inferix.models.document import canonical
from inferix.sealing import sealing_keypair, sealing_public_key
from inferix.storage.files import write_atomic

log = logging.getLogger(__name__)

VERSION: Final = 1
SCRYPT_WORK: Final = 2**18  # about a second and 256 MiB: what geth uses
SHORTEST_PASSWORD: Final = 8
BACKUP: Final = (
    "Copy this file and its password to a safe place, apart from each other: without them the node's name is lost, "
    "and nobody can restore it. Never run a second node with a copy: two signatures on one task cost the stake."
)
_SEALING: Final = b"inferix keystore sealing key"


class KeystoreError(InferixError):
    """Root of what goes wrong with a keystore."""


class KeystoreMissing(KeystoreError, NotFound):
    """There is no such file."""


class KeystoreExists(KeystoreError, Conflict):
    """A keystore is there already; it is never overwritten."""


class KeystoreDamaged(KeystoreError, Corrupt):
    """The file is not a keystore, or not as it was written."""


class WrongPassword(KeystoreError, Misconfigured):
    """The password does not open the file, or there is none."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The signing key (secp256k1) and the sealing key (X25519), 32 secret bytes each; never shown by ``repr``."""

    operator: bytes = field(repr=False)
    sealing: bytes = field(repr=False)

    @property
    def address(self) -> str:
        """The checksummed address of the signing key."""
        return str(Account.from_key(self.operator).address)

    @property
    def sealing_public(self) -> bytes:
        """The public half of the sealing key, 32 bytes: what the registry holds."""
        return sealing_public_key(self.sealing)


def new_keys() -> Keys:
    """Fresh random keys."""
    return Keys(operator=bytes(Account.create(secrets.token_hex(32)).key), sealing=sealing_keypair()[0])


def create(path: Path, password: str, keys: Keys | None = None, *, work: int = SCRYPT_WORK) -> Keys:
    """Write a new keystore, readable by its owner only; ``work``: scrypt's N.

    :raises KeystoreExists: there is a file. :raises InvalidInput: the password is shorter than 8 characters.
    """
    if path.exists():
        raise KeystoreExists(f"{path} is there already and is never overwritten; move it away, or name another file")
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput(f"the password needs at least {SHORTEST_PASSWORD} characters; a sentence is best")
    keys = keys or new_keys()
    body: dict[str, Any] = {
        "version": VERSION,
        "operator": Account.encrypt(keys.operator, password, kdf="scrypt", iterations=work),
        "sealing": {
            "public": "0x" + keys.sealing_public.hex(),
            "box": "0x" + SecretBox(_sealing_secret(keys.operator)).encrypt(keys.sealing).hex(),
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomic(path, (json.dumps({**body, "checksum": _checksum(body)}, indent=1).encode(),))
    return keys


def load(path: Path, password: str) -> Keys:
    """The keys in a keystore.

    :raises KeystoreMissing, KeystoreDamaged, WrongPassword: as their names say.
    """
    body = _read(path)
    operator = open_account(body["operator"], password, path)
    try:
        box = bytes.fromhex(body["sealing"]["box"].removeprefix("0x"))
        keys = Keys(operator, SecretBox(_sealing_secret(operator)).decrypt(box))
        sealing_public = "0x" + keys.sealing_public.hex()
    except (LookupError, TypeError, AttributeError, ValueError, CryptoError, InvalidInput) as error:
        raise _damaged(path, "its sealing key does not open") from error
    if sealing_public != body["sealing"]["public"]:
        raise _damaged(path, "its sealing key is another one than it says")
    return keys


def public_parts(path: Path) -> tuple[str, bytes]:
    """Address of the signing key and public sealing key, as the file says them: no password is needed."""
    body = _read(path)
    try:
        address = to_checksum_address("0x" + body["operator"]["address"].removeprefix("0x"))
        return str(address), bytes.fromhex(body["sealing"]["public"].removeprefix("0x"))
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise _damaged(path, "it lacks its public parts") from error


def load_account(path: Path, password: str) -> bytes:
    """The signing key of a plain Web3 secret storage file (geth, MetaMask, ...) or of a keystore of ours."""
    try:
        body = json.loads(_bytes(path))
    except ValueError as error:
        raise _damaged(path, "it is not JSON") from error
    if isinstance(body, dict) and "operator" in body:
        return load(path, password).operator
    return open_account(body, password, path)


def open_account(body: Any, password: str, path: Path) -> bytes:
    """The key in the parsed JSON of a Web3 secret storage file; ``path`` is named in errors."""
    try:
        key = bytes(Account.decrypt(body, password))
        address = str(Account.from_key(key).address)
    except ValueError as error:
        if "MAC" in str(error):
            raise WrongPassword(f"the password does not open {path}; check the password file") from error
        raise _damaged(path, "its signing key cannot be read") from error
    except (LookupError, TypeError, AttributeError) as error:
        raise _damaged(path, "its signing key cannot be read") from error
    if body.get("address") and str(body["address"]).lower().removeprefix("0x") != address.lower().removeprefix("0x"):
        raise _damaged(path, "its signing key is another one than it says")
    return key


def read_password(file: Path | None, variable: str, prompt: Callable[[], str] | None) -> str:
    """The password from the first of: a file (its first line), the environment variable of that name, a question.

    For entry points only. Never from an argument of the program: other users of the machine can read those.
    """
    if file is not None:
        try:
            lines = file.read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise WrongPassword(f"the password file {file} cannot be read: {error}") from error
        if not lines or not lines[0]:
            raise WrongPassword(f"the password file {file} is empty; its first line must be the password")
        if file.stat().st_mode & 0o077:
            log.warning("%s can be read by others: `chmod 600 %s`", file, file)
        return lines[0]
    if os.environ.get(variable):
        return os.environ[variable]
    if prompt is None:
        raise WrongPassword(f"no password: give --password-file, or set {variable}")
    return prompt()


def _read(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(_bytes(path))
    except ValueError as error:
        raise _damaged(path, "it is not JSON") from error
    if not isinstance(body, dict) or "checksum" not in body:
        raise _damaged(path, "it is not a keystore of this program")
    checksum = body.pop("checksum")
    if checksum != _checksum(body):
        raise _damaged(path, "its checksum is wrong")
    if body.get("version") != VERSION:
        raise KeystoreDamaged(f"{path} is of version {body.get('version')}; this program reads {VERSION}: update it")
    return body


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise KeystoreMissing(
            f"there is no keystore at {path}; `inferix node init` makes one, --keystore names another"
        ) from error
    except OSError as error:
        raise KeystoreMissing(f"{path} cannot be read: {error}") from error


def _damaged(path: Path, what: str) -> KeystoreDamaged:
    return KeystoreDamaged(f"{path} is damaged: {what}; restore it from your copy")


def _checksum(body: dict[str, Any]) -> str:
    return hashlib.sha256(canonical(body)).hexdigest()


def _sealing_secret(operator: bytes) -> bytes:
    return hmac.digest(operator, _SEALING, "sha256")
