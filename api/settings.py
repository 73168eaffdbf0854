# SPDX-License-Identifier: Apache-2.0
"""What the API is told by its environment (``INFERIX_*``); every value has a working default for a dev network."""

from ipaddress import ip_network
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from inferix.storage import default_store


class ApiSettings(BaseSettings):
    """``domain``: the host that SIWE messages must name. ``web``: folder of the built pages.
    ``trusted_proxies``: IP addresses and networks, by commas; the last address of X-Forwarded-For that is none of them
    is the caller's. Without any, forwarded headers count for nothing."""

    model_config = SettingsConfigDict(env_prefix="INFERIX_")

    host: str = "127.0.0.1"
    port: int = 8600
    trusted_proxies: str = ""
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

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: str) -> str:
        for proxy in filter(None, value.split(",")):
            try:
                ip_network(proxy.strip())
            except ValueError as error:
                says = f"{proxy.strip()!r} is no IP address and no network: write 127.0.0.1 or 10.0.0.0/8"
                raise ValueError(says) from error
        return value

    def endpoints(self) -> list[str]:
        """The RPC endpoints, in order of preference."""
        return [url.strip() for url in self.rpc_urls.split(",") if url.strip()]
