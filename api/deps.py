# SPDX-License-Identifier: Apache-2.0
"""What routes need, as annotated dependencies: a route's needs are in its signature."""

from typing import Annotated

from fastapi import Cookie, Depends, Header, Request

from api import auth
from api.context import Context
from inferix.errors import Refused
from inferix.messages import Request as SignedRequest
from inferix.messages import request_content
from inferix.replay import Network
from inferix.replay.state import Node
from inferix.storage.database import Database

REQUEST_AGE = 120  # seconds of block time that a node's signed request is good for


def context(request: Request) -> Context:
    """The running API's parts."""
    found: Context = request.app.state.context
    return found


ContextDep = Annotated[Context, Depends(context)]


async def database(parts: ContextDep) -> Database:
    """The database. A route's transaction begins and ends without waiting in between: none may hold up another."""
    return parts.database


DatabaseDep = Annotated[Database, Depends(database)]


async def network(parts: ContextDep) -> Network:
    """The replayed state as of the newest mirrored block.

    Only the event loop's thread touches it: routes that read it are coroutines that do not wait in between.
    """
    return parts.network()


NetworkDep = Annotated[Network, Depends(network)]


def bearer(
    authorization: Annotated[str | None, Header()] = None, inferix_session: Annotated[str | None, Cookie()] = None
) -> str | None:
    """The session token, from the header or the cookie."""
    if authorization and authorization.lower().startswith("bearer "):
        return authorization[7:]
    return inferix_session


TokenDep = Annotated[str | None, Depends(bearer)]


async def signed_in(database: DatabaseDep, token: TokenDep) -> str:
    """The signed-in wallet's address; 401 without one."""
    with database.reading() as session:
        return auth.signed_in(session, token)


ClientDep = Annotated[str, Depends(signed_in)]


async def signed_node(
    request: Request,
    state: NetworkDep,
    x_inferix_node: Annotated[int, Header()],
    x_inferix_time: Annotated[int, Header()],
    x_inferix_signature: Annotated[str, Header()],
) -> Node:
    """The node that signed this request with its operator key; 403 when it did not, or long ago."""
    node = state.nodes.get(x_inferix_node)
    if node is None:
        raise Refused(f"node {x_inferix_node} is not registered on this chain: register it first")
    if abs(x_inferix_time - state.time) > REQUEST_AGE:
        raise Refused(
            f"the request's time is {x_inferix_time}, the chain's {state.time}: take the time of GET /network"
        )
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    content = request_content(request.method, path, await request.body())
    message = SignedRequest(node=node.id, content=content, time=x_inferix_time)
    try:
        signature = bytes.fromhex(x_inferix_signature.removeprefix("0x"))
    except ValueError as error:
        raise Refused("X-Inferix-Signature is not hex") from error
    if message.signer(state.domain, signature) != node.operator:
        raise Refused(f"the request is not signed by the operator of node {node.id}")
    return node


NodeDep = Annotated[Node, Depends(signed_node)]
