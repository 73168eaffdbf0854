# SPDX-License-Identifier: Apache-2.0
"""Where the demo keeps things, and the local chain's well-known accounts (Anvil's test phrase; never real money)."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account

ROOT = Path(__file__).resolve().parent.parent
OUT = Path(os.environ.get("INFERIX_DEMO_OUT") or ROOT / "out" / "demo")
STATE = OUT / "state"
BIN = Path(sys.executable).parent
PASSWORD = "only for the demo network"  # noqa: S105
PHRASE = "test test test test test test test test test test test junk"

Account.enable_unaudited_hdwallet_features()


@dataclass(frozen=True)
class Wallet:
    """A person of the demo."""

    name: str
    key: bytes
    address: str


def wallet(name: str, index: int) -> Wallet:
    """Account ``index`` of the local chain."""
    account = Account.from_mnemonic(PHRASE, account_path=f"m/44'/60'/0'/0/{index}")
    return Wallet(name, bytes(account.key), str(account.address))


FOUNDATION = wallet("foundation", 0)
MANAGER_OWNER = wallet("owner of the manager", 1)
WORKER_OWNERS = [
    wallet(f"owner of the {kind} worker", 2 + at) for at, kind in enumerate(("honest", "cheating", "dying"))
]
VERIFIER_OWNERS = [wallet(f"owner of verifier {at + 1}", 5 + at) for at in range(3)]
CLIENT = wallet("client", 8)
PEOPLE = [FOUNDATION, MANAGER_OWNER, *WORKER_OWNERS, *VERIFIER_OWNERS, CLIENT]
