# SPDX-License-Identifier: Apache-2.0
"""Wallet sign-in."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from api import auth
from api.deps import ClientDep, ContextDep, TokenDep

router = APIRouter(prefix="/auth", tags=["sign-in"])
COOKIE = "inferix_session"


class Login(BaseModel):
    """An EIP-4361 message and its personal_sign signature."""

    message: Annotated[str, Field(max_length=1_500)]
    signature: Annotated[str, Field(max_length=140)]


class SignedIn(BaseModel):
    """The session; ``token`` is also set as a cookie."""

    token: str
    address: str


@router.get("/nonce")
async def nonce(context: ContextDep) -> dict[str, str | int]:
    """A nonce for one sign-in, with the domain and chain id that the message must name."""
    settings = context.settings
    fresh = await context.write(auth.new_nonce)
    return {"nonce": fresh, "domain": settings.domain, "chain_id": settings.chain_id}


@router.post("/login")
async def login(body: Login, context: ContextDep, request: Request, response: Response) -> SignedIn:
    """Signs a wallet in."""
    settings = context.settings
    message = auth.read_message(body.message, settings.domain, settings.chain_id)
    await context.write(lambda session: auth.use_nonce(session, message.nonce))
    address = await run_in_threadpool(auth.check_signature, message, body.signature, settings.domain)

    def opened(session: Session) -> str:
        return auth.open_session(session, address, settings.session_hours)

    token = await context.write(opened)
    seconds = settings.session_hours * 3_600
    https = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, max_age=seconds, httponly=True, samesite="strict", secure=https)
    return SignedIn(token=token, address=address)


@router.get("/me")
async def me(client: ClientDep) -> dict[str, str]:
    """Whose session this is."""
    return {"address": client}


@router.post("/logout", status_code=204)
async def logout(context: ContextDep, token: TokenDep, response: Response) -> None:
    """Ends the session."""
    await context.write(lambda session: auth.sign_out(session, token))
    response.delete_cookie(COOKIE)
