# SPDX-License-Identifier: Apache-2.0
"""Where the protocol's contracts are: ``deployments/<chain id>.json``, and calls to them by name.

The file: ``{"chain_id": int, "block": int, "complete": bool, "contracts": {name: {"address": "0x", "abi": [...]}}}``;
``block`` is the first one that can hold an event of these contracts.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from eth_utils.address import is_address, to_checksum_address

from inferix.chain.abi import Interface
from inferix.chain.client import ChainClient
from inferix.chain.errors import WrongChain
from inferix.errors import Misconfigured, Unavailable
from inferix.messages import Domain

MAX_DEPLOYMENT = 8 * 2**20
# Their logs are other people's transfers, or texts that anybody with a vote writes; the reducer needs none of them.
UNMIRRORED = frozenset(
    {"IFX", "DevUSD", "Faucet", "Governor", "Timelock", "UniswapV2Factory", "UniswapV2Router02", "WETH9"}
)


@dataclass(frozen=True, slots=True)
class Contract:
    """A deployed contract."""

    name: str
    address: str
    interface: Interface


@dataclass(frozen=True, slots=True)
class Call:
    """A call that can be sent: what, to which contract, in words for the log."""

    contract: str
    function: str
    to: str
    data: bytes

    def __str__(self) -> str:
        return f"{self.contract}.{self.function}"


@dataclass(frozen=True)
class Deployment:
    """The contracts of one network by name."""

    chain_id: int
    block: int
    contracts: Mapping[str, Contract]

    def __getitem__(self, name: str) -> Contract:
        found = self.contracts.get(name)
        if found is None:
            raise Misconfigured(
                f"the deployment of chain {self.chain_id} has no contract {name}: deploy it, or take its new file"
            )
        return found

    def domain(self) -> Domain:
        """The EIP-712 domain of this network."""
        return Domain(chain_id=self.chain_id, contract=self["NodeRegistry"].address)

    def mirrored(self) -> list[str]:
        """Addresses of the contracts whose events make the state."""
        return [contract.address for name, contract in self.contracts.items() if name not in UNMIRRORED]

    def at(self, address: str) -> Contract | None:
        """The contract at a checksummed address."""
        return next((contract for contract in self.contracts.values() if contract.address == address), None)

    def call(self, contract: str, function: str, *arguments: Any) -> Call:
        """A call as it can be simulated and sent."""
        target = self[contract]
        return Call(contract, function, target.address, target.interface.encode(function, arguments))


class Contracts:
    """Reads of the deployed contracts by name."""

    def __init__(self, client: ChainClient, deployment: Deployment) -> None:
        if client.chain_id != deployment.chain_id:
            raise WrongChain(f"the deployment is of chain {deployment.chain_id}, the endpoints of {client.chain_id}")
        self.client = client
        self.deployment = deployment

    def read(self, contract: str, function: str, *arguments: Any, block: int | str = "latest") -> Any:
        """What a view returns: one value or a tuple; structs as mappings. Raises CallReverted."""
        call = self.deployment.call(contract, function, *arguments)
        data = self.client.call(call.to, call.data, block=block)
        return self.deployment[contract].interface.decode(function, len(arguments), data)


def load_deployment(source: str | Path, chain_id: int, *, timeout: float = 10.0) -> Deployment:
    """The deployment in a file, in a folder of ``<chain id>.json`` files, or at an http(s) URL.

    Raises Misconfigured (absent, malformed), WrongChain, or Unavailable when the URL does not answer.
    """
    text = str(source)
    if text.startswith(("http://", "https://")):
        body = _download(text, timeout)
    else:
        path = Path(source)
        path = path / f"{chain_id}.json" if path.is_dir() else path
        try:
            body = path.read_bytes()
        except OSError as error:
            raise Misconfigured(
                f"no deployment at {path}: name the network's contracts by INFERIX_DEPLOYMENT (of a command: "
                "--deployment), a file that whoever deployed them has, or that you took from API/deployment once"
            ) from error
    return parse_deployment(body, chain_id)


def parse_deployment(body: bytes, chain_id: int) -> Deployment:
    """The deployment that a file's bytes describe."""
    try:
        data = json.loads(body)
        contracts = {
            name: Contract(name, _address(item["address"]), Interface(name, item["abi"]))
            for name, item in data["contracts"].items()
        }
        found, block, complete = int(data["chain_id"]), int(data["block"]), bool(data.get("complete", True))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Misconfigured(
            f"this deployment file is malformed ({error!r}): write it anew with scripts/deploy.py"
        ) from error
    if found != chain_id:
        raise WrongChain(f"this deployment is of chain {found}, the settings say {chain_id}")
    if not complete:
        raise Misconfigured(f"the deployment of chain {found} stopped half-way: run scripts/deploy.py again")
    return Deployment(found, block, contracts)


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError(f"not an address: {text[:60]}")
    return to_checksum_address(text)


def _download(url: str, timeout: float) -> bytes:
    try:
        response = requests.get(url, timeout=timeout)
        response.raise_for_status()
    except requests.RequestException as error:
        raise Unavailable(f"the deployment at {url} is not to be had: {type(error).__name__}", 5) from error
    if len(response.content) > MAX_DEPLOYMENT:
        raise Misconfigured(f"{url} is no deployment file: {len(response.content)} bytes")
    return response.content
