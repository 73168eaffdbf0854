# SPDX-License-Identifier: Apache-2.0
"""The scripts of Ape as an operator runs them, against a chain of this machine."""

import os
import subprocess
import sys
from pathlib import Path

import requests

from devnet.anvil import Anvil

ROOT = Path(__file__).parents[2]
DEPLOYER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


def run_script(chain: Anvil, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """`ape run` with these words."""
    programs = str(Path(sys.executable).parent)
    env = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "INFERIX_RPC_URL": chain.rpc_url}
    command = [f"{programs}/ape", "run", *words, "--network", "ethereum:local:node"]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280)


def succeeds(chain: Anvil, *words: str | Path) -> str:
    """What a script says that must succeed."""
    done = run_script(chain, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def refused(chain: Anvil, *words: str | Path) -> str:
    """What a script says that must fail, without sending anything."""
    before = nonce(chain)
    done = run_script(chain, *words)
    assert done.returncode != 0, done.stdout
    assert nonce(chain) == before
    return done.stdout + done.stderr


def rpc(chain: Anvil, method: str, *params: object) -> object:
    """The result of a call of the chain's node."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return requests.post(chain.rpc_url, json=body, timeout=10).json()["result"]


def nonce(chain: Anvil) -> int:
    """How many transactions of the deployer are mined."""
    return int(str(rpc(chain, "eth_getTransactionCount", DEPLOYER, "latest")), 16)
