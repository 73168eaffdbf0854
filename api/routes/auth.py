# SPDX-License-Identifier: Apache-2.0
"""Wallet sign-in."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api import auth
from api.deps import ClientDep, ContextDep, DatabaseDep, TokenDep

router = APIRouter(prefix="/auth", tags=["sign-in"])


class Login(BaseModel):
    """An EIP-4361 message and its personal_sign signature."""

    message: Annotated[str, Field(max_length=4_000)]
    signature: Annotated[str, Field(max_length=300)]


class SignedIn(BaseModel):
    """The session; ``token`` is also set as a cookie."""

    token: str
    address: str


@router.get("/nonce")
async def nonce(database: DatabaseDep, context: ContextDep) -> dict[str, str | int]:
    """A nonce for one sign-in, with the domain and chain id that the message must name."""
    settings = context.settings
    with database.session() as session:
        nonce = auth.new_nonce(session)
    return {"nonce": nonce, "domain": settings.domain, "chain_id": settings.chain_id}


@router.post("/login")
async def login(body: Login, database: DatabaseDep, context: ContextDep, response: Response) -> SignedIn:
    """Signs a wallet in."""
    settings = context.settings
    token, address = auth.sign_in(
        database, body.message, body.signature, settings.domain, settings.chain_id, settings.session_hours
    )
    response.set_cookie(
        "inferix_session", token, max_age=settings.session_hours * 3_600, httponly=True, samesite="strict"
    )
    return SignedIn(token=token, address=address)


@router.get("/me")
async def me(client: ClientDep) -> dict[str, str]:
    """Whose session this is."""
    return {"address": client}


@router.post("/logout", status_code=204)
async def logout(database: DatabaseDep, token: TokenDep, response: Response) -> None:
    """Ends the session."""
    with database.session() as session:
        auth.sign_out(session, token)
    response.delete_cookie("inferix_session")
