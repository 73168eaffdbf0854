# SPDX-License-Identifier: Apache-2.0
"""What a keeper is told by its environment (``INFERIX_*``); read in ``keepers.__main__`` only."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from inferix.chain.fees import GWEI, FeePolicy
from inferix.storage import default_store


class KeeperSettings(BaseSettings):
    """Paths, addresses and limits; defaults are those of a dev network.

    rpc_urls         endpoints in order of preference, commas between
    confirmations    blocks on top that make one final; unset: the chain's own word (tag ``finalized``)
    store            where documents and files are: file:///directory or kubo:<multiaddr>
    deployment       file, folder of <chain id>.json, or URL
    keystore         the manager's operator and sealing keys: what only the manager may do
    money_keystore   another account, for cranks that anybody may turn
    password_file    of both; else INFERIX_PASSWORD
    batch_seconds    how long an outcome waits for others at most, block time
    canary_ppm       how many render attempts in a million are canaries, whose worker is asked for a bad result; 0: none
    uncalibrated     whether workers are attested whose device class nobody has compared: no difference blames them
    challenge        whether false batches are challenged with bonds out of the manager's stake
    unserved_seconds how long the documents of a batch may be on their way before it is, block time
    cycle_seconds    pause between two cycles of a loop
    max_fee_gwei, max_gwei_a_day, stuck_seconds: per gas; per account in 24 hours; unmined for so long is replaced
    log_format       text, or json: one object a line, with the ids of jobs, tasks and batches
    """

    model_config = SettingsConfigDict(env_prefix="INFERIX_")

    chain_id: int = 1337
    rpc_urls: str = "http://127.0.0.1:8545"
    confirmations: int | None = None
    database: str = "sqlite:///inferix.db"
    store: str = Field(default_factory=default_store)
    deployment: str = "deployments"
    keystore: Path = Path("manager.json")
    money_keystore: Path = Path("money.json")
    password_file: Path | None = None
    work: Path = Path("keeper-work")
    sample: Path = Path("assets/scenes/unit.json")
    engine: str = "blender"
    engine_threads: int = 0
    unsafe_no_sandbox: bool = False
    batch_seconds: int = 600
    canary_ppm: int = Field(default=20_000, ge=0, le=1_000_000)
    uncalibrated: bool = False
    challenge: bool = True
    unserved_seconds: int = 1_800
    cycle_seconds: float = 1.0
    max_fee_gwei: int = 200
    max_gwei_a_day: int = 500_000_000
    stuck_seconds: int = 60
    health_file: Path | None = None
    log_format: Literal["text", "json"] = "text"

    def endpoints(self) -> list[str]:
        """The RPC endpoints, in order of preference."""
        return [url.strip() for url in self.rpc_urls.split(",") if url.strip()]

    def fees(self) -> FeePolicy:
        """What gas may cost."""
        return FeePolicy(
            max_fee=self.max_fee_gwei * GWEI, max_gwei_a_day=self.max_gwei_a_day, stuck_seconds=self.stuck_seconds
        )
