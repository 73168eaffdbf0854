# SPDX-License-Identifier: Apache-2.0
"""What a keeper is told by its environment (``INFERIX_*``); read in ``keepers.__main__`` only."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class KeeperSettings(BaseSettings):
    """``keystore``: the manager's operator and sealing keys; ``money_keystore``: another account, for cranks.

    ``confirmations``: None takes the chain's own word for what is final. ``batch_seconds``: block time.
    """

    model_config = SettingsConfigDict(env_prefix="INFERIX_")

    chain_id: int = 1337
    rpc_urls: str = "http://127.0.0.1:8545"
    database: str = "sqlite:///inferix.db"
    store: str = "file:///var/lib/inferix/store"
    deployment: str = "deployments"
    keystore: Path = Path("manager.json")
    money_keystore: Path = Path("money.json")
    password_file: Path | None = None
    work: Path = Path("keeper-work")
    sample: Path = Path("assets/scenes/unit.json")
    engine: str = "blender"
    engine_threads: int = 0
    unsafe_no_sandbox: bool = False
    confirmations: int | None = None
    batch_seconds: int = 600
    cycle_seconds: float = 1.0
    health_file: Path | None = None

    def endpoints(self) -> list[str]:
        """The RPC endpoints, in order of preference."""
        return [url.strip() for url in self.rpc_urls.split(",") if url.strip()]
