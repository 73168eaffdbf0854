# SPDX-License-Identifier: Apache-2.0
"""Wallet sign-in (EIP-4361): a nonce that the server stored and deletes on use, its own domain and chain id, a session.

``siwe``'s verify checks domain and nonce only when they are passed in; both always are here. Messages are read by its
regular expression: its grammar takes minutes for a message of a few thousand characters. The part of that expression
for resources takes as long for a dozen of them, so a message with any is refused unread: a sign-in here has none.
"""

import hashlib
import secrets
import time

from eth_keys.exceptions import BadSignature
from siwe import SiweMessage, VerificationError  # type: ignore[import-untyped]
from sqlmodel import Session as Database
from sqlmodel import col, delete

from api.errors import NotSignedIn
from inferix.errors import InvalidInput
from inferix.storage.tables import Session, SiweNonce

NONCE_SECONDS = 600


def new_nonce(database: Database) -> str:
    """A nonce of 16 hex digits, good for ten minutes and one sign-in."""
    now = int(time.time())
    database.exec(delete(SiweNonce).where(col(SiweNonce.expires_wall) < now))
    nonce = secrets.token_hex(8)
    database.add(SiweNonce(nonce=nonce, expires_wall=now + NONCE_SECONDS))
    return nonce


def read_message(text: str, domain: str, chain_id: int) -> SiweMessage:
    """The message, if it is for this server. Raises InvalidInput or NotSignedIn."""
    if "\nResources:" in text:
        raise InvalidInput("a sign-in here names no resources: sign the message without that part")
    try:
        message = SiweMessage.from_message(text, abnf=False)
    except ValueError as error:
        raise InvalidInput("this is no EIP-4361 message: sign the text that such a message has") from error
    if message.domain != domain:
        raise NotSignedIn(f"the message is for {message.domain[:80]!r}, this is {domain!r}: sign in here")
    if message.chain_id != chain_id:
        raise NotSignedIn(f"the message is for chain {message.chain_id}, this network is on chain {chain_id}: switch")
    return message


def use_nonce(database: Database, nonce: str) -> None:
    """Takes a nonce out of the store, whatever the signature is worth. Raises NotSignedIn."""
    now = int(time.time())
    wanted = delete(SiweNonce).where(col(SiweNonce.nonce) == nonce, col(SiweNonce.expires_wall) >= now)
    if database.exec(wanted).rowcount != 1:
        raise NotSignedIn("this sign-in nonce is unknown, used or too old: ask for a new one")


def check_signature(message: SiweMessage, signature: str, domain: str) -> str:
    """The address that signed. Raises NotSignedIn."""
    try:
        message.verify(signature, domain=domain, nonce=message.nonce)
    except (VerificationError, BadSignature) as error:
        reason = type(error).__name__
        raise NotSignedIn(f"the sign-in was refused ({reason}): sign the message that was shown") from error
    return str(message.address)


def open_session(database: Database, address: str, hours: int) -> str:
    """A bearer token; sessions that have run out are forgotten."""
    now = int(time.time())
    database.exec(delete(Session).where(col(Session.expires_wall) < now))
    token = secrets.token_urlsafe(32)
    database.add(Session(token=_hash(token), address=address, expires_wall=now + hours * 3_600))
    return token


def signed_in(database: Database, token: str | None) -> str:
    """The address behind a bearer token. Raises NotSignedIn."""
    row = database.get(Session, _hash(token)) if token else None
    if row is None or row.expires_wall < time.time():
        raise NotSignedIn("sign in with your wallet first (POST /auth/login)")
    return row.address


def sign_out(database: Database, token: str | None) -> None:
    """Ends a session; no error without one."""
    if token:
        database.exec(delete(Session).where(col(Session.token) == _hash(token)))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
