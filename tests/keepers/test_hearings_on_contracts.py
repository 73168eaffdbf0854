# SPDX-License-Identifier: Apache-2.0
"""Objections on the contracts, from the lie to its end: keeper, panel's member and client as they are."""

import logging
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boa
import pytest

from inferix.chain.deployment import Call, Contracts
from inferix.cli import object as command
from inferix.errors import NotFound, Refused
from inferix.messages import PanelVote
from inferix.models.anchor import AccountsData
from inferix.models.objection import LeafClaim
from inferix.models.result import Measurement
from inferix.models.roles import BatchStatus, NodeStatus, ObjectionStatus, Outcome
from inferix.models.work import ObjectionDuty, PanelDuty
from inferix.replay import Network
from inferix.replay.accounting import accounts_data, accounts_tree, nodes_tree
from inferix.replay.settlement import draft_batches
from inferix.replay.state import Objection
from inferix.storage.documents import document_cid
from inferix.storage.tables import Message
from inferix.trees import split
from keepers.hearings import Hearings
from node.checks import Finding
from node.judge import Judge, Judgement
from tests.contracts.system import IFX, Node, acting
from tests.keepers.live import Live
from tests.keepers.live_program import Endpoint, Program


class Honest(Program):
    """The hearings keeper of a manager that watches."""

    def __init__(self, live: Live, manager: Node, folder: Path) -> None:
        super().__init__(live, manager, folder, Endpoint(live))
        self.client.header = lambda _: SimpleNamespace(number=int(boa.env.evm.patch.block_number))  # type: ignore
        self.contracts = Contracts(self.client, self.deployment)
        self.keeper = Hearings(self.desk, self.contracts, stake=True)  # type: ignore[assignment]

    def cycle(self) -> None:
        """With the documents of the network's set-up, which nobody can have any more, taken as they are."""
        self.mirror()
        with self.desk.follower.reading() as network:
            forget_what_is_hidden(network)
        super().cycle()
        forget_what_is_hidden(self.live.network)

    def heard(self) -> Mapping[bytes, Any]:
        """What it turns the cranks of."""
        return self.live.network.objections

    def hear(self, judge: Any) -> Any:
        """Turns the cranks until its objection is over, and what follows from it; ``judge(network, objection, node)``
        votes. How many turns a panel of one takes is chance: who may not sit is drawn as well."""
        (objection,) = self.heard().values()
        for _ in range(30):
            self._turn(objection, judge)
            if objection.status is not ObjectionStatus.OPEN:
                break
        for _ in range(2):
            self._turn(objection, judge)
        self.live.follow()
        return self.heard()[objection.id]

    def _turn(self, objection: Any, judge: Any) -> None:
        self.live.wait(60)
        self.cycle()
        if objection.complete_at and not objection.votes:
            self.cast(objection, judge)

    def cast(self, objection: Any, judge: Any) -> None:
        """The votes of all seats, as they come through the inbox."""
        for node in objection.seats:
            found: Judgement = judge(self.live.network, objection, node)
            vote = PanelVote(dispute=objection.id, node=node, upheld=found.upheld, measured=found.document.digest())
            _, signature = self.live.sign(vote)
            row = Message(
                digest=vote.digest(self.live.domain), kind="PanelVote", node=node, task=objection.id, attempt=0,
                body=vote.body(), signature=signature, received_at=0,
            )  # fmt: skip
            with self.database.session() as session:
                session.add(row)
        self.cycle()


def forget_what_is_hidden(network: Network) -> None:
    for lane in network.lanes.values():
        for anchor in lane.anchors.values():
            anchor.problem = ""


@pytest.fixture
def small(live: Live) -> Live:
    """A panel of one verifier."""
    live.set_parameter("panel_minimum", 1)
    live.set_parameter("panel", 1)
    live.give_ifx(live.market.address, 10**6 * IFX)
    live.follow()
    return live


@pytest.fixture
def honest(small: Live, tmp_path: Path) -> Honest:
    return Honest(small, small.other_keeper, tmp_path)


def by_replay(find: Any = None) -> Any:
    """A member that judges by its own replay, which is that of the test."""

    def judge(network: Network, objection: Objection, node: int) -> Judgement:
        replay: Any = SimpleNamespace(network=lambda: network)
        deadline = network.time + 60
        return Judge(node, replay, find).judge(ObjectionDuty(objection=objection.id, deadline=deadline, sealed_key=b""))

    return judge


def close_epoch(live: Live) -> int:
    """An epoch with a final batch of one accepted task."""
    live.run(live.state(live.order()))
    batch = live.settle_ready()
    live.wait(live.window("batch_window"))
    live.batches.finalize(tuple(batch.header.values()))
    live.fee_burner.collect(live.usd)
    while live.burn_mint_work.closed() <= live.network.batches[batch.commitment].epoch or not live.network.epochs:
        live.end_epoch()
        live.burn_mint_work.close_epoch()
        live.follow()
    return int(live.burn_mint_work.closed()) - 1


def post(live: Live, data: AccountsData) -> None:
    accounts, nodes = accounts_tree(data).root, nodes_tree(data).root
    (spent, reserved), (matured, vesting) = split(accounts.sum), split(nodes.sum)
    roots = (accounts.hash, spent, reserved, nodes.hash, matured, vesting)
    with acting(live.keeper.operator):
        live.accounts.post(data.epoch, *roots, live.store(data))
    live.follow()
    forget_what_is_hidden(live.network)


def all_for(data: AccountsData, friend: int) -> AccountsData:
    total = sum(row.matured + row.vesting for row in data.nodes)
    mine = data.nodes[0].model_copy(update={"node": friend, "matured": total, "vesting": 0, "start": 0})
    return data.model_copy(update={"nodes": [data.nodes[0].model_copy(update={"matured": 0}), mine]})


def test_accounts_that_give_a_friend_everything_fall_and_cost_their_manager(small: Live, honest: Honest) -> None:
    right = accounts_data(small.network, close_epoch(small))
    friend = small.workers[0].id
    post(small, all_for(right, friend))
    honest.cycle()
    (objection,) = small.network.objections.values()
    assert (objection.manager, objection.node) == (small.keeper.id, small.other_keeper.id)
    heard = honest.hear(by_replay())
    assert (heard.status, list(heard.votes.values())) == (ObjectionStatus.UPHELD, [True])
    said = LeafClaim.decode(honest.desk.store.get_block(document_cid(heard.reason)), heard.reason)
    assert (said.place, said.right) == (0, right.nodes[0])
    assert small.accounts.pending().index == 0
    assert small.network.nodes[small.keeper.id].status is NodeStatus.JAILED
    assert small.staking.frozen(small.other_keeper.id) == 0, "the bond is back"


def test_right_accounts_are_let_be(small: Live, honest: Honest) -> None:
    post(small, accounts_data(small.network, close_epoch(small)))
    honest.cycle()
    assert not small.network.objections
    small.wait(small.window("accounts_window"))
    small.accounts.finalize()


# -- a client's objection


def found(outcome: Outcome) -> Any:
    """What a member renders again comes to."""

    def find(duty: PanelDuty) -> tuple[Finding, Measurement]:
        said = Measurement(
            task=duty.task.id,
            attempt=duty.attempt,
            node=1,
            build="b",
            device_class="cpu",
            method="tiles",
            reason="seen",
        )
        return Finding(outcome, "seen"), said

    return find


def objected(live: Live, honest: Honest, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A client's objection to the one outcome of its job, by its command's own steps."""
    state = live.run(live.state(live.order()))
    live.settle_ready()
    forget_what_is_hidden(live.network)

    def transact(client: Any, key: bytes, call: Call) -> Any:
        boa.env.raw_call(call.to, sender=live.client.address, data=call.data)
        return SimpleNamespace(block=1, transaction=bytes(32))

    live.give_ifx(live.client.address, 10**6 * IFX)
    monkeypatch.setattr(command, "transact", transact)
    place = command.find(live.network, state.task.id)
    bond = int(honest.contracts.read("Objections", "bond"))
    command.send(honest.contracts, bytes(live.client.key), place, bond, False, b"\x01" * 32)
    live.follow()
    forget_what_is_hidden(live.network)
    return place[0].commitment


def test_a_leaf_that_its_verifiers_passed_wrongly_is_void_and_nothing_is_charged(
    small: Live, honest: Honest, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = small.ifx.balanceOf(small.client.address) + 10**6 * IFX
    commitment = objected(small, honest, monkeypatch)
    assert small.ifx.balanceOf(small.client.address) < before
    heard = honest.hear(by_replay(found(Outcome.REJECTED)))
    batch = small.network.batches[commitment]
    assert (heard.status, batch.voided) == (ObjectionStatus.UPHELD, {0})
    assert small.ifx.balanceOf(small.client.address) == before, "the bond is back"
    small.wait(small.window("batch_window"))
    small.batches.finalize(tuple(batch.header.values()))
    small.follow()
    assert small.network.batches[commitment].status is BatchStatus.FINAL
    assert small.batches.final_charge(1) == 0
    (account,) = [row for row in accounts_data(small.network, 0).accounts if row.account == small.account]
    assert account.spent == 0


def test_a_manager_that_overcharges_within_the_cap_pays_and_the_right_leaf_follows(
    small: Live, honest: Honest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No contract computes a charge below the order's price: another manager's keeper takes it to a panel."""
    small.run(small.state(small.order()))
    (right,) = draft_batches(small.network, small.keeper.id)[0].leaves
    batch = small.hand_in(small.serve(small.draft([right.model_copy(update={"charge": right.charge + 1})])))
    small.wait(1_800)
    for name, stake in (("cautious", False), ("disputes", True)):
        folder = tmp_path / name
        folder.mkdir()
        program = Program(small, small.other_keeper, folder, Endpoint(small), stake=stake)
        with caplog.at_level(logging.WARNING):
            program.cycle()
        said = "has another charge, with a bond" if stake else "has another charge: no bond is put up for it"
        assert (said in caplog.text, len(small.network.objections)) == (True, int(stake))
    forget_what_is_hidden(small.network)
    (objection,) = small.network.objections.values()
    assert (objection.is_managers, objection.places, objection.node) == (True, (0,), small.other_keeper.id)
    heard = honest.hear(by_replay())
    assert (heard.status, small.network.batches[batch.commitment].voided) == (ObjectionStatus.UPHELD, {0})
    assert small.network.nodes[small.keeper.id].status is NodeStatus.JAILED
    assert small.staking.frozen(small.other_keeper.id) == 0, "the bond is back"
    assert [draft.leaves for draft in draft_batches(small.network, small.keeper.id)] == [[right]]


def test_a_leaf_that_is_right_stands_and_the_bond_is_lost(
    small: Live, honest: Honest, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = small.ifx.balanceOf(small.client.address) + 10**6 * IFX
    commitment = objected(small, honest, monkeypatch)
    heard = honest.hear(by_replay(found(Outcome.ACCEPTED)))
    batch = small.network.batches[commitment]
    assert (heard.status, batch.voided, list(heard.votes.values())) == (ObjectionStatus.REJECTED, set(), [False])
    assert small.ifx.balanceOf(small.client.address) < before
    small.wait(small.window("batch_window"))
    small.batches.finalize(tuple(batch.header.values()))
    assert small.batches.final_charge(1) == batch.charge


def test_an_objection_to_an_outcome_is_refused_where_there_is_none_or_too_late(
    small: Live, honest: Honest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFound, match="no order has"):
        command.find(small.network, b"\x01" * 32)
    state = small.run(small.state(small.order()))
    with pytest.raises(NotFound, match="proposed yet"):
        command.find(small.network, state.task.id)
    commitment = objected(small, honest, monkeypatch)
    (objection,) = small.network.objections.values()
    task = small.network.batches[commitment].leaves[objection.places[0]].task
    with pytest.raises(Refused, match="already"):
        command.find(small.network, task)
    small.wait(small.window("batch_window") + 1)
    with pytest.raises(Refused, match="it stands"):
        command.find(small.network, task)
