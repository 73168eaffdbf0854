# SPDX-License-Identifier: Apache-2.0
"""Contracts that others wrote and built, from the npm packages in which they publish them (tools/npm/package.json)."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from inferix.errors import Misconfigured

MODULES = Path(__file__).parents[1] / ".tools/npm/node_modules"
# Where each contract's ABI and bytecode lie
FILES = {
    "UniswapV2Factory": "@uniswap/v2-core/build/UniswapV2Factory.json",
    "UniswapV2Pair": "@uniswap/v2-core/build/UniswapV2Pair.json",
    "UniswapV2Router02": "@uniswap/v2-periphery/build/UniswapV2Router02.json",
    "WETH9": "@uniswap/v2-periphery/build/WETH9.json",
}


@dataclass(frozen=True, slots=True)
class Built:
    """A contract as its package has it; bytecode creates it."""

    abi: list[dict[str, Any]]
    bytecode: bytes


@cache
def built(contract: str) -> Built:
    """The contract of this name in FILES. Raises Misconfigured when its package is not installed."""
    path = MODULES / FILES[contract]
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise Misconfigured(f"no {contract} at {path}: run `make setup`, which installs its package") from error
    return Built(data["abi"], bytes.fromhex(data["evm"]["bytecode"]["object"]))
