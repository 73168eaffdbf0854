# SPDX-License-Identifier: Apache-2.0
"""The ASGI application: ``create_app`` puts the parts together; ``python -m api`` serves it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from api import errors
from api.context import Context
from api.guard import Guard
from api.routes import auth, blocks, jobs, metrics, money, node, orders, quotes, state
from api.settings import ApiSettings
from inferix import __version__
from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, load_deployment
from inferix.chain.rpc import Rpc
from inferix.storage import open_owned_store
from inferix.storage.database import Database
from inferix.storage.follower import Follower
from inferix.storage.service import BlockService, Quota

RPC_PATIENCE = 5.0  # seconds; whoever asks is told before their own patience ends


def open_context(settings: ApiSettings) -> Context:
    """Opens what the API works with; waits for chain and database, saying what for."""
    client = ChainClient(Rpc(settings.endpoints(), settings.chain_id, patience=RPC_PATIENCE))
    client.wait_ready()
    deployment = load_deployment(settings.deployment, settings.chain_id)
    contracts = Contracts(client, deployment)
    database = Database(settings.database)
    database.wait_ready()
    database.migrate()
    store = open_owned_store(settings.store)
    follower = Follower(database, deployment.domain(), int(contracts.read("BurnMintWork", "genesis")))
    blocks_service = BlockService(store, quota=Quota(settings.quota_bytes), max_file=settings.max_file_bytes)
    return Context(settings, deployment, contracts, database, store, blocks_service, follower.poll)


def create_app(context: Context) -> FastAPI:
    """The application over given parts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.context = context
        yield

    app = FastAPI(
        title="Inferix",
        version=__version__,
        description="A decentralised GPU network: orders, proofs, payments.",
        lifespan=lifespan,
        docs_url=None,  # its page would be fetched from elsewhere
        openapi_url="/api/openapi.json",
        redoc_url=None,
    )
    errors.install(app)
    app.add_middleware(Guard)
    for part in (auth, state, quotes, orders, jobs, node, money, blocks, metrics):
        app.include_router(part.router)
    if context.settings.web.is_dir():
        app.mount("/", StaticFiles(directory=context.settings.web, html=True), name="web")
    return app
