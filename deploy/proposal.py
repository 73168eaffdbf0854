# SPDX-License-Identifier: Apache-2.0
"""A governance proposal as a file: what every step after `propose` has to repeat to the byte; pure.

The file: ``{"description": text, "calls": [{"what": text, "target": "0x", "value": wei, "calldata": "0x"}]}``.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inferix.chain.abi import Interface
from inferix.chain.arguments import function_of, is_view, parse_arguments
from inferix.errors import InvalidInput, Misconfigured

# What contracts/governance takes
MAX_CALLS = 16
MAX_CALLDATA = 1024
NAME = "name:"


class Step(BaseModel):
    """One call of the timelock. value: wei of the chain's coin; what: the call in words, for people."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    what: str
    target: str = Field(pattern=r"^0x[0-9a-fA-F]{40}$")
    value: int = Field(ge=0, lt=2**256)
    calldata: str = Field(pattern=r"^0x([0-9a-f]{2})*$", max_length=2 + 2 * MAX_CALLDATA)


class Proposal(BaseModel):
    """Calls in order, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    description: str
    calls: list[Step] = Field(min_length=1, max_length=MAX_CALLS)

    @property
    def lists(self) -> tuple[list[str], list[int], list[bytes]]:
        """Targets, values and calldatas, as Governor takes them."""
        data = [bytes.fromhex(call.calldata[2:]) for call in self.calls]
        return [call.target for call in self.calls], [call.value for call in self.calls], data

    @property
    def key(self) -> tuple[list[str], list[int], list[bytes], bytes]:
        """What names it to `queue`, `execute` and `cancel`."""
        return *self.lists, keccak(text=self.description)

    @property
    def id(self) -> int:
        """As Governor.hashProposal."""
        return int.from_bytes(keccak(encode(["address[]", "uint256[]", "bytes[]", "bytes32"], self.key)), "big")

    def write(self, path: Path) -> None:
        """Never over another proposal. Raises FileExistsError."""
        with path.open("x") as file:
            file.write(json.dumps(self.model_dump(), indent=1) + "\n")


def load_proposal(path: Path) -> Proposal:
    """The proposal in a file. Raises Misconfigured."""
    try:
        return Proposal.model_validate_json(path.read_bytes())
    except OSError as error:
        raise Misconfigured(f"no proposal at {path}: whoever proposed it has the file") from error
    except ValidationError as error:
        raise Misconfigured(f"{path} is no proposal: {error}") from error


@dataclass(frozen=True, slots=True)
class Target:
    """A contract that may be called."""

    address: str
    interface: Interface


def plan_step(contracts: Mapping[str, Target], function: str, words: str) -> Step:
    """``Parameters.set`` and its arguments, as a shell would part them; ``name:slot`` stands for a parameter's name.

    Raises InvalidInput: no such contract or function, a view, or arguments that it does not take.
    """
    contract, _, name = function.partition(".")
    if contract not in contracts:
        raise InvalidInput(f"no contract {contract!r}; there are {', '.join(sorted(contracts))}")
    target = contracts[contract]
    parts = [_named(word) for word in _split(words)]
    item = function_of(target.interface, name, len(parts))
    if is_view(item):
        raise InvalidInput(f"{function} changes nothing: nothing to vote on")
    values = parse_arguments(item, parts, lambda known: contracts[known].address if known in contracts else None)
    calldata = target.interface.encode(name, values)
    if len(calldata) > MAX_CALLDATA:
        raise InvalidInput(f"{function} takes {len(calldata)} bytes here, the timelock at most {MAX_CALLDATA}")
    return Step(what=f"{function} {words}".strip(), target=target.address, value=0, calldata="0x" + calldata.hex())


def targets_of(contracts: Mapping[str, Mapping[str, Any]]) -> dict[str, Target]:
    """From the ``contracts`` of deployments/<chain id>.json."""
    return {name: Target(item["address"], Interface(name, item["abi"])) for name, item in contracts.items()}


def _split(words: str) -> Sequence[str]:
    try:
        return shlex.split(words)
    except ValueError as error:
        raise InvalidInput(f"{words!r}: {error}") from error


def _named(word: str) -> str:
    return "0x" + keccak(text=word.removeprefix(NAME)).hex() if word.startswith(NAME) else word
