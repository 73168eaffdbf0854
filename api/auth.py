# SPDX-License-Identifier: Apache-2.0
"""Wallet sign-in (EIP-4361): a nonce that the server stored and deletes on use, its own domain and chain id, a session.

``siwe``'s verify checks domain and nonce only when they are passed in; both always are here.
"""

import hashlib
import secrets
import time

from siwe import SiweMessage, VerificationError  # type: ignore[import-untyped]
from sqlmodel import Session as Database
from sqlmodel import col, delete

from api.errors import NotSignedIn
from inferix.errors import InvalidInput
from inferix.storage.database import Database as Store
from inferix.storage.tables import Session, SiweNonce

NONCE_SECONDS = 600


def new_nonce(database: Database) -> str:
    """A nonce of 16 hex digits, good for ten minutes and one sign-in."""
    now = int(time.time())
    database.exec(delete(SiweNonce).where(col(SiweNonce.expires_wall) < now))
    nonce = secrets.token_hex(8)
    database.add(SiweNonce(nonce=nonce, expires_wall=now + NONCE_SECONDS))
    return nonce


def sign_in(database: Store, text: str, signature: str, domain: str, chain_id: int, hours: int) -> tuple[str, str]:
    """(bearer token, address) for a signed SIWE message; InvalidInput or NotSignedIn says what is wrong with it."""
    try:
        message = SiweMessage.from_message(text)
    except ValueError as error:
        raise InvalidInput(f"this is no EIP-4361 message: {error}") from error
    if message.chain_id != chain_id:
        raise NotSignedIn(f"the message is for chain {message.chain_id}, this network is on chain {chain_id}: switch")
    with database.session() as session:
        row = session.get(SiweNonce, message.nonce)
        if row is not None:
            session.delete(row)  # used, whatever comes of it
    if row is None or row.expires_wall < time.time():
        raise NotSignedIn("this sign-in nonce is unknown, used or too old: ask for a new one")
    try:
        message.verify(signature, domain=domain, nonce=row.nonce)
    except VerificationError as error:
        raise NotSignedIn(
            f"the sign-in was refused: {type(error).__name__}; sign the message that was shown"
        ) from error
    token = secrets.token_urlsafe(32)
    expires = int(time.time()) + hours * 3_600
    address = str(message.address)
    with database.session() as session:
        session.add(Session(token=_hash(token), address=address, expires_wall=expires))
    return token, address


def signed_in(database: Database, token: str | None) -> str:
    """The address behind a bearer token. Raises NotSignedIn."""
    row = database.get(Session, _hash(token)) if token else None
    if row is None or row.expires_wall < time.time():
        raise NotSignedIn("sign in with your wallet first (POST /auth/login)")
    return row.address


def sign_out(database: Database, token: str | None) -> None:
    """Ends a session; no error without one."""
    row = database.get(Session, _hash(token)) if token else None
    if row is not None:
        database.delete(row)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
