# SPDX-License-Identifier: Apache-2.0
"""The node's own replay: its endpoint, its pinned contracts, and what changes behind it."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from eth_utils import keccak

from inferix.chain.deployment import Contracts
from inferix.errors import InvalidInput, Misconfigured, NotFound
from inferix.replay.attempts import seats
from inferix.units import Wei
from node import cli, doctor, register, replay
from node.config import Home, NodeConfig
from node.replay import OwnReplay, own_deployment
from node.start import own_replay
from tests.replay.chain import DOMAIN, GENESIS, Chain, key


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


class Endpoint:
    """The chain of a test as a node's endpoint and storage have it. ``fork``: marks the hashes of blocks."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self.fork, self.hidden, self.reads = chain, b"", set[bytes](), 0

    def header(self, number: int | str) -> Any:
        at = self.chain.block if number == "latest" else int(number)
        return SimpleNamespace(number=at, hash=keccak(self.fork + bytes([at % 256])), timestamp=self.chain.time)

    def events(self, client: Any, deployment: Any, start: int, newest: int) -> list[Any]:
        self.reads += 1
        return [event for event in self.chain.events if start <= event.block <= newest]

    def open(self, cid: Any, most: int) -> list[bytes]:
        if cid.digest in self.hidden or cid.digest not in self.chain.documents:
            raise NotFound("nowhere")
        return [self.chain.documents[cid.digest]]


@pytest.fixture
def endpoint(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    made = Endpoint(chain)
    monkeypatch.setattr(replay, "read_events", made.events)
    return made


def own(endpoint: Endpoint) -> OwnReplay:
    deployment = SimpleNamespace(block=0, domain=lambda: DOMAIN)
    contracts: Any = SimpleNamespace(client=endpoint, deployment=deployment, read=lambda *_: GENESIS)
    store: Any = endpoint
    return OwnReplay(contracts, store)


def test_it_follows_the_chain_and_comes_to_the_same_state(chain: Chain, endpoint: Endpoint) -> None:
    made = own(endpoint)
    assert made.network().nodes.keys() == chain.network.nodes.keys()
    state = chain.state(chain.order(), 0)
    chain.run(state)
    chain.wait()
    network = made.network()
    assert network.tasks[state.task.id].attempts[0].outcome is state.attempts[0].outcome
    assert seats(network, network.tasks[state.task.id], network.tasks[state.task.id].attempts[0])
    assert made.network() is network, "it goes on from there"


def test_a_document_that_comes_later_counts(chain: Chain, endpoint: Endpoint) -> None:
    made = own(endpoint)
    job = chain.order()
    spec = chain.network.jobs[job].order.spec
    endpoint.hidden.add(spec)
    chain.wait()
    assert set(made.network().missing) == {spec}
    endpoint.hidden.clear()
    assert made.network().jobs[job].spec is not None


def test_blocks_that_the_chain_took_back_are_forgotten(chain: Chain, endpoint: Endpoint) -> None:
    made = own(endpoint)
    gone = chain.order()
    assert gone in made.network().jobs
    chain.events.pop()
    endpoint.fork = b"other"
    assert gone not in made.network().jobs


# -- the contracts


def pinned(**changes: Any) -> NodeConfig:
    fields = {"chain_id": DOMAIN.chain_id, "registry": DOMAIN.contract, "role": "verifier", "rpc": "http://node:8545"}
    return NodeConfig(**{**fields, **changes})


def body(address: str = DOMAIN.contract) -> bytes:
    contracts = {"NodeRegistry": {"address": address, "abi": []}}
    return json.dumps({"chain_id": DOMAIN.chain_id, "block": 3, "contracts": contracts}).encode()


def test_the_contracts_are_kept_from_the_first_meeting_on(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert own_deployment(home, pinned(), body).domain() == DOMAIN
    assert own_deployment(home, pinned(), lambda: pytest.fail("asked again")).domain() == DOMAIN


def test_contracts_of_another_registry_are_refused_and_not_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with pytest.raises(Misconfigured, match="registry"):
        own_deployment(home, pinned(), lambda: body("0x" + "22" * 20))
    assert not home.deployment.exists()


def test_attack_an_api_that_names_another_staking_contract_later_gets_no_stake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    approve = {"type": "function", "name": "approve", "stateMutability": "nonpayable", "outputs": [],
               "inputs": [{"name": "to", "type": "address"}, {"name": "amount", "type": "uint256"}]}  # fmt: skip
    stake = {"type": "function", "name": "stake", "stateMutability": "nonpayable", "outputs": [],
             "inputs": [{"name": "node", "type": "uint32"}, {"name": "amount", "type": "uint256"}]}  # fmt: skip
    says: dict[str, Any] = json.loads(body())
    says["contracts"] |= {"Staking": {"address": "0x" + "11" * 20, "abi": [stake]},
                          "IFX": {"address": "0x" + "33" * 20, "abi": [approve]}}  # fmt: skip

    monkeypatch.setattr(cli.Api, "deployment", lambda _: json.dumps(says).encode())
    home, config, sent = Home(tmp_path), pinned(api="http://network"), list[Any]()
    own_deployment(home, config, lambda: json.dumps(says).encode())
    says["contracts"]["Staking"]["address"] = "0x" + "66" * 20
    monkeypatch.setattr(cli, "_wallet", lambda *_: key(1))
    monkeypatch.setattr(Contracts, "read", lambda _, contract, name, *__: 10**24 if name == "balanceOf" else 0)
    monkeypatch.setattr(register, "transact", lambda _, __, call: sent.append(call))
    cli._owner(home, config, "http://node:8545", tmp_path / "wallet", None).stake(7, Wei(25 * 10**18))
    assert [str(call) for call in sent] == ["IFX.approve", "Staking.stake"]
    assert sent[1].to == "0x" + "11" * 20
    assert b"\x66" * 20 not in sent[0].data
    assert f"Staking is 0x{'11' * 20}, chain" in capsys.readouterr().err


def test_an_owner_whose_home_knows_no_network_sends_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="node init --api"):
        cli._owner(Home(tmp_path), NodeConfig(api="http://network"), "http://node:8545", tmp_path / "wallet", None)


def test_without_an_endpoint_there_is_no_replay_and_start_and_doctor_say_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    api: Any = SimpleNamespace(deployment=body)
    store: Any = None
    assert own_replay(Home(tmp_path), pinned(rpc=""), api, store) is None
    assert "abstains" in caplog.text
    check = doctor.check_panels(Home(tmp_path), pinned(rpc=""), api)
    assert (check.ok, "5 % of its bond" in check.text, "--rpc" in check.mend) == (False, True, True)


def test_doctor__an_endpoint_that_answers_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api: Any = SimpleNamespace(deployment=body)
    found = SimpleNamespace(client=SimpleNamespace(header=lambda _: SimpleNamespace(number=12)))
    monkeypatch.setattr(doctor, "own_contracts", lambda *_: found)
    assert doctor.check_panels(Home(tmp_path), pinned(), api).ok is True
    monkeypatch.undo()
    away: Any = SimpleNamespace(deployment=lambda: body("0x" + "22" * 20))
    assert doctor.check_panels(Home(tmp_path / "other"), pinned(), away).ok is False
