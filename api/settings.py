# SPDX-License-Identifier: Apache-2.0
"""What the API is told by its environment (``INFERIX_*``); every value has a working default for a dev network."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from inferix.storage import default_store


class ApiSettings(BaseSettings):
    """``domain``: the host that SIWE messages must name. ``web``: folder of the built pages."""

    model_config = SettingsConfigDict(env_prefix="INFERIX_")

    host: str = "127.0.0.1"
    port: int = 8600
    domain: str = "127.0.0.1:8600"
    chain_id: int = 1337
    rpc_urls: str = "http://127.0.0.1:8545"
    database: str = "sqlite:///inferix.db"
    store: str = Field(default_factory=default_store)
    deployment: str = "deployments"
    web: Path = Path("web/dist")
    session_hours: int = 12
    quota_bytes: int = 64 * 2**30
    max_file_bytes: int = 64 * 2**30
    poll_seconds: float = 0.4

    def endpoints(self) -> list[str]:
        """The RPC endpoints, in order of preference."""
        return [url.strip() for url in self.rpc_urls.split(",") if url.strip()]
