# SPDX-License-Identifier: Apache-2.0
"""Storage over HTTP: no program reads another's disk. Blocks are self-checking; the body is the block."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Network, ip_address
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from api.deps import ContextDep
from inferix.errors import LimitExceeded
from inferix.storage.cid import Cid
from inferix.storage.dag import MAX_BLOCK, read_file
from inferix.storage.service import MAX_ASKED

router = APIRouter(tags=["storage"])
IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}


def caller_of(request: Request) -> str:
    """Whose quota it is: an address, of IPv6 the first 64 bits, as everybody has all others to choose from."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return host
    return str(address.ipv4_mapped or IPv6Network((int(address) >> 64 << 64, 64)))


@router.get("/blocks/{cid}", response_class=Response)
def get_block(cid: str, context: ContextDep) -> Response:
    """A block; it never changes."""
    return Response(context.blocks.get(cid), media_type="application/octet-stream", headers=IMMUTABLE)


@router.head("/blocks/{cid}", response_class=Response)
def head_block(cid: str, context: ContextDep) -> Response:
    """Whether and how large."""
    return Response(headers={"Content-Length": str(context.blocks.head(cid))})


@router.put("/blocks/{cid}", status_code=204)
async def put_block(cid: str, request: Request, context: ContextDep) -> None:
    """Stores a block of at most 2 MiB, checked against its CID; counted against the caller's quota."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BLOCK:
            raise LimitExceeded(f"a block has at most {MAX_BLOCK:,} bytes: cut the file as `ipfs add` does")
    await run_in_threadpool(context.blocks.put, cid, bytes(body), caller_of(request))


@router.post("/blocks/missing")
def missing(cids: Annotated[list[str], Body(max_length=MAX_ASKED)], context: ContextDep) -> list[str]:
    """Those of the blocks that are not here: send them, then pin the file."""
    return [str(cid) for cid in context.blocks.missing(cids)]


@router.post("/pins/{cid}", status_code=204)
async def pin(cid: str, context: ContextDep) -> None:
    """Keeps a file whose blocks are all here; two at once, the others wait their turn."""
    async with context.pinning:
        await run_in_threadpool(context.blocks.pin, cid)


@router.get("/files/{cid}", response_class=StreamingResponse)
def get_file(cid: str, context: ContextDep) -> StreamingResponse:
    """A whole file, block by block, each checked; for readers that cannot put files together themselves."""

    def held(cids: Sequence[Cid]) -> Iterator[bytes]:
        return (context.blocks.get(str(block)) for block in cids)

    pieces = read_file(Cid.parse(cid), held, context.settings.max_file_bytes)
    first = next(pieces, b"")  # an error of the root block is answered with its status
    return StreamingResponse(chain([first], pieces), media_type="application/octet-stream", headers=IMMUTABLE)
