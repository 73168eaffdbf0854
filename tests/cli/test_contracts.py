# SPDX-License-Identifier: Apache-2.0
"""To which contracts `call` and `top-up` send money: those that were named first."""

import json
from typing import Any

import httpx
import pytest

from inferix.chain.deployment import Contracts
from inferix.cli import call as call_command
from inferix.cli import topup as top_up_command
from tests.cli.conftest import Commands, refused

FIRST, OTHER = "0x" + "11" * 20, "0x" + "66" * 20
DEPLOYMENTS = "INFERIX_DEPLOYMENT"


def deployment(**addresses: str) -> dict[str, Any]:
    arguments = [{"name": "node", "type": "uint32"}, {"name": "amount", "type": "uint256"}]
    stake = {"type": "function", "name": "stake", "stateMutability": "nonpayable", "inputs": arguments, "outputs": []}
    contracts = {name: {"address": address, "abi": [stake]} for name, address in addresses.items()}
    return {"chain_id": 1337, "block": 1, "contracts": contracts}


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the API names; to be changed."""
    found = deployment(Staking=FIRST, IfxDollar=FIRST)

    def answer(url: str, **_: object) -> httpx.Response:
        return httpx.Response(200, json=found, request=httpx.Request("GET", url))

    monkeypatch.setattr(httpx, "get", answer)
    return found


@pytest.fixture
def to(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses to which something was sent."""
    found: list[str] = []

    def transact(_: object, __: bytes, wanted: Any, **___: Any) -> Any:
        found.append(wanted.to)
        raise KeyboardInterrupt

    def top_up(contracts: Contracts, *_: object, **__: object) -> Any:
        found.append(contracts.deployment["IfxDollar"].address)
        raise KeyboardInterrupt

    monkeypatch.setattr(call_command, "transact", transact)
    monkeypatch.setattr(top_up_command, "top_up", top_up)
    return found


@pytest.mark.parametrize(
    ("words", "contract"), [(("call", "Staking", "stake", "4", "5"), "Staking"), (("top-up", "5"), "IfxDollar")]
)
def test_attack_an_api_that_names_other_contracts_later_gets_no_money(
    run: Commands, says: dict[str, Any], to: list[str], words: tuple[str, ...], contract: str
) -> None:
    done = run(*words)
    assert to == [FIRST]
    assert f"{contract} is {FIRST}, chain 1337" in done.stderr
    says["contracts"][contract]["address"] = OTHER
    file = run.home / "deployments" / "1337.json"
    refused(run(*words), 2, f"{contract}: {OTHER}, it was {FIRST}", f"remove {file}", "--deployment")
    assert to == [FIRST]
    file.unlink()  # its owner knows that it is so
    run(*words)
    assert to == [FIRST, OTHER]


def test_attack_an_api_does_not_add_a_contract_or_change_what_a_call_means(
    run: Commands, says: dict[str, Any], to: list[str]
) -> None:
    words = ("call", "Staking", "stake", "4", "5")
    run(*words)
    says["contracts"]["Staking"]["abi"][0]["name"] = "give"
    run(*words)
    assert to == [FIRST, FIRST]
    says["contracts"]["New"] = {"address": OTHER, "abi": []}
    refused(run(*words), 2, f"New: {OTHER}, it was none")


def test_a_deployment_of_ones_own_is_used_and_no_api_asked(
    run: Commands, says: dict[str, Any], to: list[str], tmp_path: Any
) -> None:
    own = tmp_path / "own.json"
    own.write_text(json.dumps(deployment(Staking=OTHER)))
    says.clear()
    for words in (("--deployment", str(own)), ()):
        run("call", "Staking", "stake", "4", "5", *words, **({} if words else {DEPLOYMENTS: str(own)}))
    assert to == [OTHER, OTHER]
    assert not (run.home / "deployments").exists()
    refused(run("call", "Staking", "stake", "4", "5", "--deployment", str(own), "--chain-id", "7"), 2, "chain 1337")
