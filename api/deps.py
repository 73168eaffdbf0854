# SPDX-License-Identifier: Apache-2.0
"""What routes need, as annotated dependencies: a route's needs are in its signature.

The replayed state is none of them: it may change whenever a coroutine waits, so a route takes it itself, late.
"""

from typing import Annotated

from fastapi import Cookie, Depends, Header, Request

from api import auth
from api.context import Context
from inferix.errors import Refused
from inferix.messages import Request as SignedRequest
from inferix.messages import request_content
from inferix.replay import Network
from inferix.replay.state import Node

REQUEST_AGE = 120  # seconds of block time that a node's signed request is good for


async def context(request: Request) -> Context:
    """The running API's parts."""
    found: Context = request.app.state.context
    return found


ContextDep = Annotated[Context, Depends(context)]


async def bearer(
    authorization: Annotated[str | None, Header()] = None, inferix_session: Annotated[str | None, Cookie()] = None
) -> str | None:
    """The session token, from the header or the cookie."""
    if authorization and authorization.lower().startswith("bearer "):
        return authorization[7:]
    return inferix_session


TokenDep = Annotated[str | None, Depends(bearer)]


async def signed_in(parts: ContextDep, token: TokenDep) -> str:
    """The signed-in wallet's address; 401 without one."""
    return await parts.read(lambda session: auth.signed_in(session, token))


ClientDep = Annotated[str, Depends(signed_in)]


async def signed_node(
    request: Request,
    parts: ContextDep,
    x_inferix_node: Annotated[int, Header()],
    x_inferix_time: Annotated[int, Header()],
    x_inferix_signature: Annotated[str, Header(max_length=140)],
) -> int:
    """The id of the node that signed this request with its operator key; 403 when it did not, or long ago."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    content = request_content(request.method, path, await request.body())
    state = await parts.network()
    node = node_of(state, x_inferix_node)
    if abs(x_inferix_time - state.time) > REQUEST_AGE:
        raise Refused(
            f"the request's time is {x_inferix_time}, the chain's {state.time}: take the time of GET /network"
        )
    message = SignedRequest(node=node.id, content=content, time=x_inferix_time)
    try:
        signature = bytes.fromhex(x_inferix_signature.removeprefix("0x"))
    except ValueError as error:
        raise Refused("X-Inferix-Signature is not hex") from error
    if message.signer(state.domain, signature) != node.operator:
        raise Refused(f"the request is not signed by the operator of node {node.id}")
    return node.id


NodeDep = Annotated[int, Depends(signed_node)]


def node_of(state: Network, node: int) -> Node:
    """A registered node. Raises Refused."""
    found = state.nodes.get(node)
    if found is None:
        raise Refused(f"node {node} is not registered on this chain: register it first")
    return found
