# SPDX-License-Identifier: Apache-2.0
"""Which contracts a wallet sends its money to: those that were named first, kept in its home. No API changes them."""

from collections.abc import Mapping
from pathlib import Path

import httpx

from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, Deployment, load_deployment, parse_deployment
from inferix.chain.rpc import Rpc
from inferix.errors import Misconfigured, Unavailable
from inferix.storage.files import write_atomic


def connect(api: str, rpc: str, home: Path, named: str = "", chain_id: int = 0) -> Contracts:
    """The network's contracts, read from the chain at ``rpc``: those of ``named`` (a file, a folder, a URL) and
    ``chain_id``; without it those that the API names, which have to be the ones that it named first (`pinned`)."""
    if named:
        return Contracts(ChainClient(Rpc([rpc], chain_id)), load_deployment(named, chain_id))
    body, chain_id = ask_deployment(api)
    client = ChainClient(Rpc([rpc], chain_id))
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Contracts(client, pinned(home / "deployments" / f"{chain_id}.json", body, chain_id))


def ask_deployment(api: str) -> tuple[bytes, int]:
    """The deployment that an API names, and its chain. Raises Misconfigured, Unavailable."""
    try:
        answer = httpx.get(f"{api.rstrip('/')}/deployment", timeout=30)
        answer.raise_for_status()
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Misconfigured(f"{api!r} is not an HTTP address: write it like http://127.0.0.1:8600") from error
    except httpx.HTTPError as error:
        raise Unavailable(f"{api} does not answer: check --api") from error
    try:
        return answer.content, int(answer.json()["chain_id"])
    except (ValueError, LookupError, TypeError) as error:
        raise Misconfigured(f"{api} names no contracts: is this the network's address (--api)?") from error


def pinned(file: Path, body: bytes, chain_id: int) -> Deployment:
    """The deployment in ``file``, which ``body`` becomes where there is none yet.

    Raises Misconfigured where ``body`` names another contract, or other ones: who names them may want the money.
    """
    named = parse_deployment(body, chain_id)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(file, (body,))
        return named
    kept = parse_deployment(file.read_bytes(), chain_id)
    here, there = _addresses(kept), _addresses(named)
    if here != there:
        name = min(name for name in {*here, *there} if here.get(name) != there.get(name))
        raise Misconfigured(
            f"the API names other contracts than before ({name}: {there.get(name, 'none')}, it was "
            f"{here.get(name, 'none')}), and nothing is sent to them. Ask whoever deployed the network, elsewhere than "
            f"there: if it is true, remove {file}; to use a file of your own, name it by --deployment"
        )
    return kept  # with its own ABIs: another one could turn a call into another


def _addresses(deployment: Deployment) -> Mapping[str, str]:
    return {name: contract.address for name, contract in deployment.contracts.items()}
