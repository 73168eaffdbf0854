# SPDX-License-Identifier: Apache-2.0
"""The availability keeper as a program, on the contracts: what is asked for is shown, what is hidden is asked for."""

import logging
from pathlib import Path
from typing import Any

import pytest
from eth_utils import keccak

from inferix.draws import Roster
from inferix.messages import Acceptance
from inferix.models.anchor import AnchorData, RosterData, SignedMessage
from inferix.models.roles import DisputeStatus, NodeStatus, RootKind, RosterKind
from inferix.replay.accounting import accounts_data, accounts_tree, nodes_tree
from inferix.replay.availability import CANCELLED
from inferix.replay.state import RootName
from inferix.trees import anchor_root, split
from keepers.availability import Availability, decide_demands, values
from tests.contracts.disputes.court import roster_leaf
from tests.contracts.system import IFX, acting, advance, block_hash
from tests.contracts.work.books import Ledger
from tests.contracts.work.network import mine
from tests.keepers.live import Live, Signed
from tests.keepers.live_program import Endpoint, Program

PATIENCE = 1_800


@pytest.fixture
def endpoint(live: Live) -> Endpoint:
    return Endpoint(live)


def program(live: Live, manager: Any, folder: Path, endpoint: Endpoint, stake: bool = True) -> Program:
    made = Program(live, manager, folder, endpoint)
    made.keeper = Availability(made.desk, made.client, stake, PATIENCE)
    live.wait(live.window("batch_window"))  # anchors of the set-up can no longer be asked for
    return made


@pytest.fixture
def own(live: Live, tmp_path: Path, endpoint: Endpoint) -> Program:
    return program(live, live.keeper, tmp_path, endpoint)


@pytest.fixture
def other(live: Live, tmp_path: Path, endpoint: Endpoint) -> Program:
    return program(live, live.other_keeper, tmp_path, endpoint)


def anchor(live: Live, count: int, serve: bool = True) -> RootName:
    """A sealed anchor of the lane."""
    node = live.verifiers[0]
    signed: list[Signed] = [
        live.sign(Acceptance(task=keccak(text=f"task {at}"), attempt=0, node=node.id, draw=at)) for at in range(count)
    ]
    items = [SignedMessage(kind="Acceptance", body=message.body(), signature=given) for message, given in signed]
    document = AnchorData(manager=live.keeper.id, messages=items)
    root = anchor_root([message.digest(live.domain) for message, _ in signed])
    with acting(live.keeper.operator):
        live.batches.anchor(live.keeper.id, root, live.store(document))
    if not serve:
        del live.documents[document.digest()]
    mine(3)
    live.batches.seal(live.keeper.id)
    live.follow()
    index = max(live.network.lane(live.keeper.id).anchors)
    return RootName(RootKind.ANCHOR, live.keeper.id, index, root)


def roster(live: Live, serve: bool = True) -> RootName:
    leaves = [roster_leaf(node.id, 7) for node in live.verifiers]
    found, document = Roster(leaves), RosterData(kind=2, leaves=leaves)
    with acting(live.keeper.operator):
        live.rosters.post(2, found.tree.root.hash, found.total, max(found.leaves) + 1, live.store(document))
    if not serve:
        del live.documents[document.digest()]
    live.follow()
    index = max(index for kind, index in live.network.posted_rosters if kind == RosterKind.VERIFIERS)
    return RootName(RootKind.ROSTER, 2, index, found.tree.root.hash)


def accounts(live: Live, kind: RootKind) -> RootName:
    live.give_ifx(live.market.address, 10**6 * IFX)
    ledger = Ledger(live)
    ledger.account, ledger.client = live.account, live.client
    epoch = ledger.close_epoch()
    live.follow()
    minted = int(live.burn_mint_work.totals_at(epoch)[1])
    data = accounts_data(live.network, epoch)
    data.accounts[0] = data.accounts[0].model_copy(update={"spent": 10**9})
    data.nodes[0] = data.nodes[0].model_copy(update={"matured": minted, "vesting": 0, "start": 0})
    del data.nodes[1:]
    (spent, reserved), (matured, vesting) = split(accounts_tree(data).root.sum), split(nodes_tree(data).root.sum)
    roots = accounts_tree(data).root.hash, nodes_tree(data).root.hash
    with acting(live.keeper.operator):
        live.accounts.post(epoch, roots[0], spent, reserved, roots[1], matured, vesting, live.store(data))
    live.follow()
    index = int(live.accounts.pending().index)
    return RootName(kind, 0, index, roots[kind is RootKind.NODES])


def ask(live: Live, name: RootName, chunk: int = 0) -> None:
    anchored = live.network.lane(name.of).anchors[name.index] if name.kind is RootKind.ANCHOR else None
    hash = block_hash(anchored.armed_at + 1) if anchored else bytes(32)
    with acting(live.challenger):
        live.availability.challenge(tuple(values(name).values()), chunk, 0, hash)
    live.follow()


def statuses(live: Live) -> set[DisputeStatus]:
    live.follow()
    return {dispute.status for dispute in live.network.root_disputes.values()}


MAKE = {
    "anchor": lambda live: anchor(live, 70),
    "empty anchor": lambda live: anchor(live, 0),
    "roster": roster,
    "accounts": lambda live: accounts(live, RootKind.ACCOUNTS),
    "nodes": lambda live: accounts(live, RootKind.NODES),
}


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE.keys())
def test_what_is_asked_of_ones_own_root_is_shown_at_once(
    live: Live, own: Program, endpoint: Endpoint, make: Any
) -> None:
    name = make(live)
    ask(live, name)
    ask(live, name, 1)
    for _ in range(3):
        own.cycle()
    assert statuses(live) == {DisputeStatus.ANSWERED}
    assert len(endpoint.sent) == 2


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE.keys())
def test_for_others_at_half_time(live: Live, other: Program, endpoint: Endpoint, make: Any) -> None:
    ask(live, make(live))
    other.cycle()
    assert len(endpoint.sent) == 0, "its manager has its time"
    live.wait(live.window("answer_window") // 2)
    other.cycle()
    assert statuses(live) == {DisputeStatus.ANSWERED}


def test_an_anchor_that_is_hidden_is_asked_for_and_falls(
    live: Live, other: Program, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    name = anchor(live, 3, serve=False)
    headers = type("Header", (), {"hash": b""})
    monkeypatch.setattr(other.client, "header", lambda number: _hashed(headers, number), raising=False)
    other.cycle()
    assert len(endpoint.sent) == 0, "documents may still come"
    live.wait(PATIENCE)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            other.cycle()
    assert len(endpoint.sent) == 1
    assert "its data is not served, with a bond" in caplog.text
    live.wait(live.window("answer_window") + 1)
    for _ in range(3):
        other.cycle()
    assert statuses(live) == {DisputeStatus.UPHELD}
    assert len(endpoint.sent) == 2
    assert live.network.nodes[live.keeper.id].status is NodeStatus.JAILED
    assert live.availability.is_cancelled(name.of, name.index, name.root)
    live.wait(12)
    other.mirror()
    with other.desk.follower.reading() as network:
        assert network.lane(name.of).anchors[name.index].problem == CANCELLED, "it replayed with what it learned"


def _hashed(kind: Any, number: int) -> Any:
    found = kind()
    found.hash = block_hash(number)
    return found


def test_a_roster_that_is_hidden_is_asked_for_chunk_by_chunk(live: Live, other: Program, endpoint: Endpoint) -> None:
    name = roster(live, serve=False)
    live.wait(PATIENCE)
    other.cycle()
    live.follow()
    (dispute,) = live.network.root_disputes.values()
    assert (dispute.name, dispute.chunk, dispute.node) == (name, 0, live.other_keeper.id)
    assert decide_demands(live.network, live.other_keeper.id, PATIENCE) == [], "one at a time"
    advance(live.window("answer_window") + 1)
    other.cycle()
    assert live.rosters.pending(2).index == 0


def test_nobody_asks_for_or_ends_its_own(live: Live, own: Program, endpoint: Endpoint) -> None:
    name = roster(live, serve=False)
    ask(live, name)
    live.wait(live.window("answer_window") + 1)
    own.cycle()
    assert len(endpoint.sent) == 0
    live.availability.expire(tuple(values(name).values()), 0)
    assert statuses(live) == {DisputeStatus.UPHELD}


def test_without_leave_to_stake_what_is_hidden_is_only_spoken_of(
    live: Live, tmp_path: Path, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    cautious = program(live, live.other_keeper, tmp_path, endpoint, stake=False)
    roster(live, serve=False)
    live.wait(PATIENCE)
    with caplog.at_level(logging.WARNING):
        cautious.cycle()
        cautious.cycle()
    assert len(endpoint.sent) == 0
    assert caplog.text.count("no bond is put up for it") == 1


def test_what_no_answer_can_be_given_to_is_spoken_of(
    live: Live, own: Program, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    ask(live, roster(live, serve=False))
    with caplog.at_level(logging.WARNING):
        own.cycle()
    assert "has no answer: its data are not to be had" in caplog.text
    assert len(endpoint.sent) == 0


def test_a_dispute_about_a_root_that_fell_otherwise_is_ended(live: Live, own: Program, endpoint: Endpoint) -> None:
    ask(live, roster(live))
    with acting(live.governor):
        live.rosters.post(2, keccak(text="other"), 1, 2, bytes(32))
    own.cycle()
    assert statuses(live) == {DisputeStatus.DROPPED}
