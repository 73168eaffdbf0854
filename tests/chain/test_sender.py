# SPDX-License-Identifier: Apache-2.0
"""Each action once, whatever dies in between; what is stuck, reverted, dropped or unaffordable has its own answer."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from inferix.chain.client import ChainClient
from inferix.chain.deployment import Contracts, Deployment
from inferix.chain.errors import (
    CallReverted,
    ChainUnavailable,
    FeeTooHigh,
    GivenUp,
    InsufficientFunds,
    LaneBusy,
    SpendCapReached,
)
from inferix.chain.fees import GWEI, FeePolicy
from inferix.chain.journal import Entry, EntryState
from inferix.chain.rpc import Rpc
from inferix.chain.sender import Sender
from inferix.errors import Misconfigured
from inferix.storage.database import Database
from inferix.storage.journal import SqlJournal

pytestmark = pytest.mark.integration
FAR = 10**9  # a final block that everything is under


class Clock:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlJournal]:
    database = Database(f"sqlite:///{tmp_path}/keeper.db")
    database.migrate()
    yield SqlJournal(database)
    database.close()


@pytest.fixture
def make(client: ChainClient, journal: SqlJournal, accounts: list[LocalAccount], clock: Clock) -> Any:
    """``make(max_fee=...)``: a sender as a program just started has it."""

    def sender(client: ChainClient = client, **policy: Any) -> Sender:
        return Sender(client, journal, {"work": accounts[0], "money": accounts[1]}, FeePolicy(**policy), clock)

    return sender


@pytest.fixture
def act(deployment: Deployment) -> Any:
    return lambda: deployment.call("NodeRegistry", "anchor", 3, b"\1" * 32, b"\2" * 32)


@pytest.fixture
def count(client: ChainClient, deployment: Deployment) -> Callable[[], int]:
    """How often the contract was called."""
    return lambda: int(Contracts(client, deployment).read("NodeRegistry", "count"))


@pytest.fixture
def no_mining(client: ChainClient, deployment: Deployment) -> None:
    client.rpc.request("evm_setAutomine", [False])
    client.rpc.request("evm_setIntervalMining", [0])


def close(client: ChainClient, deployment: Deployment, accounts: list[LocalAccount], closed: bool) -> None:
    """Closes or opens the contract, from an account that no sender uses."""
    call = deployment.call("NodeRegistry", "set_closed", closed)
    client.rpc.request("eth_sendTransaction", [{"from": accounts[2].address, "to": call.to, "data": call.data.hex()}])


def test_submit__the_same_key_again__one_transaction(make: Any, act: Any, count: Any, journal: SqlJournal) -> None:
    sender = make()
    first = sender.submit("work", "anchor:3:1", act())
    assert first.state is EntryState.SENT
    assert sender.submit("work", "anchor:3:1", act()).hashes == first.hashes
    sender.pump("work", FAR)
    entry = journal.get("anchor:3:1")
    assert entry is not None
    assert (entry.state, entry.gas_used > 0, entry.cost_gwei > 0) == (EntryState.MINED, True, True)
    assert make().submit("work", "anchor:3:1", act()).state is EntryState.MINED
    assert count() == 1


def test_pump__not_final_yet__stays_open(make: Any, act: Any, journal: SqlJournal) -> None:
    sender = make()
    sender.submit("work", "a", act())
    sender.pump("work", final_block=0)
    entry = journal.get("a")
    assert entry is not None
    assert (entry.state, entry.block) == (EntryState.SENT, 2)


def test_submit__refused_in_simulation__nothing_is_sent(
    make: Any, act: Any, client: ChainClient, deployment: Deployment, accounts: Any, journal: SqlJournal
) -> None:
    close(client, deployment, accounts, True)
    with pytest.raises(CallReverted) as caught:
        make().submit("work", "a", act())
    assert caught.value.reason == "emitter: closed"
    assert journal.get("a") is None


class Dies(ChainClient):
    """A program that is killed when it wants to send."""

    def send_raw(self, raw: bytes) -> None:
        raise KeyboardInterrupt


def test_crash__between_signing_and_sending__sent_once_after_the_start(
    make: Any, act: Any, count: Any, client: ChainClient, journal: SqlJournal
) -> None:
    with pytest.raises(KeyboardInterrupt):
        make(Dies(client.rpc)).submit("work", "a", act())
    entry = journal.get("a")
    assert entry is not None
    assert (entry.state, count()) == (EntryState.NEW, 0)
    again = make()
    assert again.submit("work", "a", act()).hashes == entry.hashes
    again.pump("work", FAR)
    again.pump("work", FAR)
    assert count() == 1


def test_crash__between_sending_and_noting_it__not_sent_twice(
    make: Any, act: Any, count: Any, journal: SqlJournal
) -> None:
    sent = make().submit("work", "a", act())
    assert journal.swap(sent, replace(sent, state=EntryState.NEW))
    make().pump("work", FAR)
    entry = journal.get("a")
    assert entry is not None
    assert (entry.state, count()) == (EntryState.MINED, 1)


def test_pump__stuck__replaced_at_a_higher_fee(
    make: Any, act: Any, count: Any, clock: Clock, client: ChainClient, journal: SqlJournal, no_mining: None
) -> None:
    sender = make()
    first = sender.submit("work", "a", act())
    second = sender.submit("work", "b", act())
    sender.pump("work", FAR)
    assert journal.get("a") == first, "not stuck yet"
    clock.now += 61
    sender.pump("work", FAR)
    entry = journal.get("a")
    assert entry is not None
    assert entry.hashes[0] == first.hashes[0]
    assert len(entry.hashes) == 2
    assert entry.transaction().max_fee * 8 >= first.transaction().max_fee * 9
    assert journal.get("b") == second, "the one behind it is left alone"
    client.rpc.request("anvil_mine", ["0x1"])
    sender.pump("work", FAR)
    assert [journal.get(key).state for key in "ab"] == [EntryState.MINED, EntryState.MINED]  # type: ignore[union-attr]
    assert count() == 2


def test_pump__stuck_at_the_limit__waits(
    make: Any, act: Any, clock: Clock, journal: SqlJournal, client: ChainClient, no_mining: None
) -> None:
    base = client.base_fee()
    first = make(max_fee=base + 2).submit("work", "a", act())
    clock.now += 61
    make(max_fee=base + 2).pump("work", FAR)
    entry = journal.get("a")
    assert entry is not None
    assert entry.hashes == first.hashes


def test_pump__stuck_and_would_revert_now__replaced_by_nothing(
    make: Any, act: Any, count: Any, clock: Clock, client: ChainClient, deployment: Deployment, accounts: Any,
    journal: SqlJournal, no_mining: None,
) -> None:  # fmt: skip
    sender = make()
    sender.submit("work", "a", act())
    dropped = client.rpc.request("anvil_dropTransaction", ["0x" + journal.get("a").hashes[0].hex()])  # type: ignore[union-attr]
    assert dropped
    close(client, deployment, accounts, True)
    client.rpc.request("anvil_mine", ["0x1"])
    clock.now += 61
    sender.pump("work", FAR)
    client.rpc.request("anvil_mine", ["0x1"])
    sender.pump("work", FAR)
    entry = journal.get("a")
    assert entry is not None
    assert (entry.state, entry.error) == (EntryState.FAILED, "taken back: emitter: closed")
    assert (count(), client.nonce(accounts[0].address)) == (0, 1)


def test_regression_of_two_replacements_by_nothing_the_first_is_mined__nothing_was_done(
    make: Any, act: Any, count: Any, clock: Clock, client: ChainClient, deployment: Deployment, accounts: Any,
    journal: SqlJournal, no_mining: None,
) -> None:  # fmt: skip
    """It counted as done where only the newest version was looked at, and was never sent again."""
    sender = make()
    sender.submit("work", "a", act())
    client.rpc.request("anvil_dropTransaction", ["0x" + journal.get("a").hashes[0].hex()])  # type: ignore[union-attr]
    close(client, deployment, accounts, True)
    client.rpc.request("anvil_mine", ["0x1"])
    versions = []
    for _ in range(2):
        clock.now += 61
        sender.pump("work", FAR)
        versions.append(journal.get("a"))
    assert len(versions[1].hashes) == 3
    client.rpc.request("anvil_dropTransaction", ["0x" + versions[1].hashes[2].hex()])
    client.send_raw(versions[0].raw)
    client.rpc.request("anvil_mine", ["0x1"])
    sender.pump("work", FAR)
    entry = journal.get("a")
    assert entry is not None
    assert client.receipt(versions[1].hashes[1]) is not None
    assert (entry.state, entry.error, count()) == (EntryState.FAILED, "taken back: emitter: closed", 0)


def test_pump__dropped_by_the_endpoint__sent_again(
    make: Any, act: Any, count: Any, clock: Clock, client: ChainClient, journal: SqlJournal, no_mining: None
) -> None:
    sender = make()
    entry = sender.submit("work", "a", act())
    client.rpc.request("anvil_dropTransaction", ["0x" + entry.hashes[0].hex()])
    clock.now += 61
    sender.pump("work", FAR)
    client.rpc.request("anvil_mine", ["0x1"])
    sender.pump("work", FAR)
    assert count() == 1


def test_pump__reverted_on_chain__failed_and_tried_again_then_given_up(
    make: Any, act: Any, clock: Clock, client: ChainClient, deployment: Deployment, accounts: Any, journal: SqlJournal,
    no_mining: None,
) -> None:  # fmt: skip
    sender = make(max_attempts=2)
    for attempt in (1, 2):
        sender.submit("work", "a", act())
        call = deployment.call("NodeRegistry", "set_closed", True)
        fees = {"maxPriorityFeePerGas": hex(90 * GWEI), "maxFeePerGas": hex(99 * GWEI)}  # overtakes it
        other = {"from": accounts[2].address, "to": call.to, "data": call.data.hex(), **fees}
        client.rpc.request("eth_sendTransaction", [other])
        client.rpc.request("anvil_mine", ["0x1"])
        sender.pump("work", FAR)
        entry = journal.get("a")
        assert entry is not None
        assert (entry.state, entry.error, entry.attempts) == (EntryState.FAILED, "reverted on chain", attempt)
        close(client, deployment, accounts, False)
        client.rpc.request("anvil_mine", ["0x1"])
    with pytest.raises(GivenUp, match="by hand"):
        sender.submit("work", "a", act())
    clock.now += 3_601
    assert sender.submit("work", "a", act()).attempts == 3


def test_pump__nonce_used_by_somebody_else__another_is_taken(
    make: Any, act: Any, count: Any, clock: Clock, client: ChainClient, accounts: Any, journal: SqlJournal
) -> None:
    with pytest.raises(KeyboardInterrupt):
        make(Dies(client.rpc)).submit("work", "a", act())
    client.rpc.request("eth_sendTransaction", [{"from": accounts[0].address, "to": accounts[2].address}])
    sender = make()
    sender.pump("work", FAR)
    assert journal.get("a").state is EntryState.NEW, "its receipt may only be late"  # type: ignore[union-attr]
    clock.now += 61
    sender.pump("work", FAR)
    assert sender.submit("work", "a", act()).nonce == 1
    sender.pump("work", FAR)
    assert count() == 1


def test_pump__a_reorganisation_drops_it__mined_again(
    make: Any, act: Any, count: Any, client: ChainClient, journal: SqlJournal
) -> None:
    sender = make()
    before = client.rpc.request("evm_snapshot")
    sender.submit("work", "a", act())
    sender.pump("work", final_block=0)
    client.rpc.request("evm_revert", [before])
    assert count() == 0
    sender.pump("work", final_block=0)  # notices
    client.rpc.request("anvil_mine", ["0x1"])
    for _ in range(2):
        sender.pump("work", final_block=FAR)
    entry = journal.get("a")
    assert entry is not None
    assert (count(), entry.state) == (1, EntryState.MINED)


def test_submit__a_stuck_lane__does_not_hold_up_the_other(
    make: Any, act: Any, client: ChainClient, accounts: Any, no_mining: None
) -> None:
    sender = make(max_waiting=1)
    sender.submit("work", "a", act())
    with pytest.raises(LaneBusy):
        sender.submit("work", "b", act())
    assert (sender.waiting("work"), sender.waiting("money")) == (1, 0)
    assert sender.submit("money", "c", act()).state is EntryState.SENT


def test_regression_a_full_lane_is_told_before_an_endpoint_is_asked(
    make: Any, act: Any, client: ChainClient, no_mining: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of thousands of actions that were due was simulated first, in every cycle."""
    sender = make(max_waiting=1)
    sender.submit("work", "a", act())
    monkeypatch.setattr(client, "call", lambda *_, **__: pytest.fail("asked"))
    with pytest.raises(LaneBusy):
        sender.submit("work", "b", act())


def test_submit__no_money__says_whom_to_fund(make: Any, act: Any, client: ChainClient, accounts: Any) -> None:
    client.rpc.request("anvil_setBalance", [accounts[0].address, hex(1000)])
    with pytest.raises(InsufficientFunds, match=accounts[0].address):
        make().submit("work", "a", act())


def test_submit__over_the_day_s_cap__refused_until_a_day_later(make: Any, act: Any, clock: Clock) -> None:
    cost = make().submit("work", "a", act()).cost_gwei
    sender = make(max_gwei_a_day=cost + 1)
    with pytest.raises(SpendCapReached):
        sender.submit("work", "b", act())
    clock.now += 86_401
    assert sender.submit("work", "b", act()).state is EntryState.SENT


def test_submit__gas_too_dear__waits(make: Any, act: Any) -> None:
    with pytest.raises(FeeTooHigh):
        make(max_fee=1).submit("work", "a", act())


def test_submit__endpoint_gone_while_sending__sent_by_the_next_pump(
    make: Any, act: Any, count: Any, chain: Any, proxy: Any, journal: SqlJournal
) -> None:
    proxy.answer = lambda method: (500, {}, b"") if method == "eth_sendRawTransaction" else None
    sender = make(ChainClient(Rpc([proxy.url], chain.chain_id, patience=0.5)))
    entry: Entry = sender.submit("work", "a", act())
    assert (entry.state, count()) == (EntryState.NEW, 0)
    proxy.answer = lambda method: None
    until = time.monotonic() + 60
    while not count() and time.monotonic() < until:
        with contextlib.suppress(ChainUnavailable):
            sender.pump("work", FAR)
    assert count() == 1


def test_submit__answer_lost_after_the_endpoint_took_it__already_known_is_success(
    make: Any, act: Any, count: Any, chain: Any, proxy: Any
) -> None:
    known = {"jsonrpc": "2.0", "id": 0, "error": {"code": -32000, "message": "already known"}}
    reply = (200, {}, json.dumps(known).encode())
    proxy.answer = lambda method: reply if method == "eth_sendRawTransaction" else None
    sender = make(ChainClient(Rpc([proxy.url], chain.chain_id)))
    assert sender.submit("work", "a", act()).state is EntryState.SENT


def test_fill__a_lost_nonce__does_not_hold_up_those_behind(
    make: Any, act: Any, count: Any, clock: Clock, client: ChainClient, journal: SqlJournal, accounts: Any,
    no_mining: None,
) -> None:  # fmt: skip
    sender = make()
    first = sender.submit("work", "a", act())
    sender.submit("work", "b", act())
    client.rpc.request("anvil_dropTransaction", ["0x" + first.hashes[0].hex()])
    assert journal.swap(first, replace(first, state=EntryState.FAILED, nonce=None))
    sender.pump("work", FAR)
    client.rpc.request("anvil_mine", ["0x1"])
    clock.now += 61  # the chain forgot the one behind it, too
    sender.pump("work", FAR)
    client.rpc.request("anvil_mine", ["0x1"])
    assert (count(), client.nonce(accounts[0].address)) == (1, 2)


def test_lanes__with_one_account__refused(client: ChainClient, journal: SqlJournal) -> None:
    account = Account.create()
    with pytest.raises(Misconfigured, match="same account"):
        Sender(client, journal, {"work": account, "money": account})
    with pytest.raises(Misconfigured, match="no account"):
        Sender(client, journal, {"work": account}).address("money")
