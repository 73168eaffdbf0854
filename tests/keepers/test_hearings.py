# SPDX-License-Identifier: Apache-2.0
"""Which roots a keeper objects to, and which steps of a hearing are due."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest

from inferix.errors import NotFound
from inferix.models.anchor import AccountsData
from inferix.models.objection import LeafClaim
from inferix.models.roles import ObjectionStatus, RootKind, RosterKind
from inferix.replay.accounting import accounts_data, roster_leaves
from inferix.replay.roots import WrongLeaf, leaf_at, wrong_leaves
from inferix.replay.state import RootName
from inferix.storage.embedded import EmbeddedStore
from keepers.assign import decide_verifiers
from keepers.availability import Demand
from keepers.hearings import VOID_TERM, Hearings, claim_of, decide_end, decide_objections, decide_voids, falling
from keepers.objections import BONDS_AN_EPOCH, bonds_left
from tests.replay.chain import MANAGER, VERIFIERS, Chain
from tests.replay.objecting import close, newest_roots, object_to_leaf, object_to_outcomes, propose_all, seat

OTHER = 77
DAY = 86_400
"""A manager that watches."""


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


@pytest.fixture
def closed(chain: Chain) -> Chain:
    return chain.close_first_epoch()


def lying(chain: Chain) -> AccountsData:
    """One leaf of each tree is false."""
    right = accounts_data(chain.network, 0)
    accounts = [right.accounts[0].model_copy(update={"spent": 1})]
    nodes = [right.nodes[0].model_copy(update={"matured": 5}), *right.nodes[1:]]
    return right.model_copy(update={"accounts": accounts, "nodes": nodes})


def objections(chain: Chain, manager: int = OTHER) -> list[tuple[RootKind, int]]:
    found = decide_objections(chain.network, manager, partial(wrong_leaves, chain.network))
    return [(row.kind, row.place) for _, row in found]


def test_right_accounts_and_rosters_are_let_be(closed: Chain) -> None:
    closed.post_accounts(accounts_data(closed.network, 0))
    closed.post_roster(RosterKind.WORKERS, 2, roster_leaves(closed.network, RosterKind.WORKERS))
    assert objections(closed) == []


def test_one_false_leaf_of_accounts_is_enough_and_never_of_ones_own(closed: Chain) -> None:
    closed.post_accounts(lying(closed))
    assert objections(closed) == [(RootKind.ACCOUNTS, 1)]
    assert objections(closed, MANAGER) == []


def test_a_false_roster_is_objected_to_within_its_window_only(closed: Chain) -> None:
    closed.wait(3_601)
    leaves = roster_leaves(closed.network, RosterKind.VERIFIERS)
    closed.post_roster(RosterKind.VERIFIERS, 2, leaves[1:])
    assert objections(closed) == [(RootKind.ROSTER, leaves[0].node)]
    closed.network.tick(closed.time + closed.network.parameters["roster_window"])
    assert objections(closed) == []


def test_one_objection_at_a_time_about_a_root_and_none_again_to_what_a_panel_let_stand(closed: Chain) -> None:
    closed.post_accounts(lying(closed))
    accounts, nodes = newest_roots(closed)
    objection = object_to_leaf(closed, accounts, 1)
    assert objections(closed) == []
    close(closed, objection, 3)
    assert objections(closed) == [(RootKind.NODES, 0)]
    close(closed, object_to_leaf(closed, nodes, 0), 3)
    assert objections(closed) == []


def test_what_was_said_of_an_earlier_root_does_not_speak_for_this_one(closed: Chain) -> None:
    closed.post_accounts(lying(closed))
    close(closed, object_to_leaf(closed, newest_roots(closed)[0], 1), 2)
    closed.emit("AccountsCancelled", epoch=0, index=1)
    closed.post_accounts(lying(closed), index=2)
    assert objections(closed) == [(RootKind.ACCOUNTS, 1)]


def test_the_claim_holds_the_right_leaf(closed: Chain) -> None:
    closed.post_accounts(lying(closed))
    name = newest_roots(closed)[0]
    (row,) = wrong_leaves(closed.network, name)
    claim = claim_of(name, row)
    assert claim.right == accounts_data(closed.network, 0).accounts[0]
    assert LeafClaim.decode(claim.encode(), claim.digest()) == claim


@pytest.mark.parametrize(("status", "counts"), [(None, True), (2, False), (3, True), (4, True), (5, False)])
def test_bonds_that_are_open_or_lost_count_against_what_a_manager_may_put_up(
    closed: Chain, status: int | None, counts: bool
) -> None:
    closed.post_accounts(lying(closed))
    objection = object_to_leaf(closed, newest_roots(closed)[0], 1, node=OTHER)
    if status is not None:
        close(closed, objection, status)
    assert bonds_left(closed.network, OTHER) == BONDS_AN_EPOCH - counts
    assert bonds_left(closed.network, MANAGER) == BONDS_AN_EPOCH


def test_what_fell_otherwise_is_ended(closed: Chain) -> None:
    closed.post_accounts(lying(closed))
    objection = object_to_leaf(closed, newest_roots(closed)[0], 1)
    assert decide_end(closed.network, objection) == []
    closed.emit("AccountsCancelled", epoch=0, index=1)
    assert [step[1] for step in decide_end(closed.network, objection)] == ["resolve"]


def test_what_was_overtaken_is_judged_all_the_same(closed: Chain) -> None:
    closed.post_accounts(lying(closed))
    name = newest_roots(closed)[0]
    objection = object_to_leaf(closed, name, 1)
    closed.emit("AccountsOvertaken", epoch=0, index=1)
    closed.post_accounts(accounts_data(closed.network, 0), index=2)
    assert decide_end(closed.network, objection) == []
    assert [row.place for row in wrong_leaves(closed.network, name)] == [1]
    assert objections(closed) == [], "nobody objects anew to what cannot become final"
    closed.emit("AccountsCancelled", epoch=0, index=1)
    assert [step[1] for step in decide_end(closed.network, objection)] == ["resolve"]
    assert closed.network.waiting_accounts() is closed.network.accounts_roots[-1]


def test_what_overtook_falls_and_what_was_overtaken_does_not_wait_again(closed: Chain) -> None:
    closed.post_accounts(lying(closed))
    closed.emit("AccountsOvertaken", epoch=0, index=1)
    closed.post_accounts(lying(closed), index=2)
    closed.emit("AccountsCancelled", epoch=0, index=2)
    assert [root.index for root in closed.network.accounts_roots] == [1]
    assert closed.network.waiting_accounts() is None
    closed.post_accounts(accounts_data(closed.network, 0), index=3)
    closed.emit("AccountsFinalized", epoch=0)
    assert [root.final_at > 0 for root in closed.network.accounts_roots] == [False, True]


@pytest.fixture
def batch(chain: Chain) -> bytes:
    chain.finish(chain.order())
    return propose_all(chain)


def test_outcomes_of_a_cancelled_batch_are_ended(chain: Chain, batch: bytes) -> None:
    objection = object_to_outcomes(chain, batch, 0)
    assert decide_end(chain.network, objection) == []
    chain.emit("BatchCancelled", commitment=batch)
    assert [step[1] for step in decide_end(chain.network, objection)] == ["resolve"]


@pytest.mark.parametrize(("status", "falls"), [(1, False), (2, True), (3, False), (4, True), (5, False)])
def test_each_leaf_that_fell_is_voided(chain: Chain, batch: bytes, status: int, falls: bool) -> None:
    objection = object_to_outcomes(chain, batch, 0, 2)
    if status > 1:
        close(chain, objection, status)
    assert objection.status is ObjectionStatus(status)
    assert falling(chain.network) == ([objection] if falls else [])
    steps = decide_voids(chain.network, objection)
    leaves = chain.network.batches[batch].leaves
    assert [(step[1], step[2][0], step[2][3]) for step in steps] == [
        ("void", objection.id, 0),
        ("void", objection.id, 1),
    ]
    assert [step[2][2]["task"] for step in steps] == [leaves[0].task, leaves[2].task]  # type: ignore[index]
    chain.network.tick(chain.time + VOID_TERM + 1)
    assert [step[1] for step in decide_voids(chain.network, objection)] == ["resolve"]


def test_regression_a_pause_takes_nothing_of_the_weeks_in_which_leaves_are_voided(chain: Chain, batch: bytes) -> None:
    objection = object_to_outcomes(chain, batch, 0)
    close(chain, objection, ObjectionStatus.UPHELD)
    chain.emit("Paused", until=chain.time + 7 * DAY)
    chain.network.tick(objection.asked_at + VOID_TERM + 7 * DAY)
    assert [step[1] for step in decide_voids(chain.network, objection)] == ["void"]
    chain.network.tick(objection.asked_at + VOID_TERM + 7 * DAY + 1)
    assert [step[1] for step in decide_voids(chain.network, objection)] == ["resolve"]


def test_the_panel_of_outcomes_may_read_the_job_and_that_of_a_root_needs_nothing(chain: Chain, batch: bytes) -> None:
    (job,) = chain.network.jobs
    objection = object_to_outcomes(chain, batch, 1)
    seat(chain, objection, VERIFIERS[0])
    assert decide_verifiers(chain.network, MANAGER) == {(job, VERIFIERS[0])}
    assert decide_verifiers(chain.network, OTHER) == set()
    close(chain, objection, 3)
    assert decide_verifiers(chain.network, MANAGER) == set()


def test_attack_an_objection_to_what_is_right_keeps_nobody_from_objecting_to_what_is_false(closed: Chain) -> None:
    """A liar's friend names a right leaf at once, and has it rejected when the window is over."""
    closed.post_accounts(lying(closed))
    accounts, nodes = newest_roots(closed)
    object_to_leaf(closed, accounts, 2)
    object_to_leaf(closed, nodes, 7)
    assert objections(closed) == [(RootKind.ACCOUNTS, 1)]
    object_to_leaf(closed, accounts, 1)
    assert objections(closed) == []


def test_attack_a_false_root_that_fell_and_is_put_up_again_is_objected_to_again(
    closed: Chain, store: EmbeddedStore
) -> None:
    """By the keeper that objected before, too: what it has done is known by the root's index, not by its hash alone."""
    sent: list[str] = []
    desk = SimpleNamespace(
        manager=OTHER,
        store=store,
        sender=SimpleNamespace(done=sent.__contains__),
        try_send=lambda lane, key, *call: sent.append(key) or True,
    )
    closed.post_accounts(lying(closed))
    (row,) = wrong_leaves(closed.network, newest_roots(closed)[0])
    hearings = Hearings(desk, None, stake=True)  # type: ignore[arg-type]
    for index in (1, 2):
        name = replace(newest_roots(closed)[0], index=index)
        hearings._object(name, row)
        hearings._object(name, row)
    assert len(sent) == 2


def test_a_demand_is_known_by_the_roots_index_too(closed: Chain) -> None:
    closed.post_accounts(lying(closed))
    name = newest_roots(closed)[0]
    assert Demand(name, 0, "").key != Demand(replace(name, index=2), 0, "").key


def test_attack_a_pause_does_not_run_a_window_out(closed: Chain) -> None:
    """Windows stand still while the protocol is paused, in the contracts and for keepers."""
    closed.emit("Paused", until=closed.time + 3 * DAY)
    closed.post_accounts(lying(closed))
    closed.network.tick(closed.time + 3 * DAY - 1)
    assert objections(closed) == [(RootKind.ACCOUNTS, 1)]
    closed.network.tick(closed.time + 4 * DAY - 10)
    assert objections(closed) == [(RootKind.ACCOUNTS, 1)]
    closed.network.tick(closed.time + 4 * DAY)
    assert objections(closed) == []


def test_a_pause_that_was_ended_stops_the_clock_no_longer(closed: Chain) -> None:
    closed.emit("Paused", until=closed.time + 7 * DAY)
    began = closed.time
    closed.network.tick(began + DAY)
    closed.time = began + DAY
    closed.emit("Resumed", at=began + DAY)
    closed.network.tick(began + 2 * DAY)
    assert closed.network.clock(began + 2 * DAY) == closed.network.clock(began) + DAY
    assert closed.network.passed(began) == DAY
    assert closed.network.clock(began - 1) == began - 1


NOWHERE = b"\x01" * 32  # the digest of what nobody serves


def test_attack_accounts_that_are_shown_on_chain_alone_are_objected_to(closed: Chain) -> None:
    """Who stores no document and answers each question on chain had them made final: no keeper saw the leaves."""
    data = lying(closed)
    closed.post_accounts(data, data=NOWHERE)
    accounts, nodes = newest_roots(closed)
    with pytest.raises(NotFound):
        wrong_leaves(closed.network, accounts)
    empty = {"account": 0, "spent": 0, "reserved": 0}
    shown = [empty, *(leaf.model_dump() for leaf in data.accounts)]
    closed.emit("AccountsShown", index=1, chunk=0, leaves=shown)
    right = accounts_data(closed.network, 0)
    assert wrong_leaves(closed.network, accounts) == [WrongLeaf(RootKind.ACCOUNTS, 1, right.accounts[0])]
    assert leaf_at(closed.network, accounts, 1) == (right.accounts[0], True)
    assert leaf_at(closed.network, accounts, 63) == (None, False)
    with pytest.raises(NotFound):
        leaf_at(closed.network, accounts, 64)
    with pytest.raises(NotFound):
        wrong_leaves(closed.network, nodes)
    rewards = {leaf.node: leaf.model_dump() for leaf in data.nodes}
    none = {"node": 0, "matured": 0, "vesting": 0, "start": 0}
    closed.emit("NodesShown", index=1, chunk=0, leaves=[rewards.get(at, none) for at in range(64)])
    assert [(row.kind, row.place) for row in wrong_leaves(closed.network, nodes)] == [(RootKind.NODES, 0)]
    assert decide_objections(closed.network, OTHER, seen(closed))[0][1].place == 1


def test_right_accounts_that_are_shown_on_chain_alone_are_let_be(closed: Chain) -> None:
    data = accounts_data(closed.network, 0)
    closed.post_accounts(data, data=NOWHERE)
    shown = [{"account": 0, "spent": 0, "reserved": 0}, *(leaf.model_dump() for leaf in data.accounts)]
    closed.emit("AccountsShown", index=1, chunk=0, leaves=shown)
    assert decide_objections(closed.network, OTHER, seen(closed)) == []


@pytest.mark.parametrize("lie", [True, False])
def test_attack_a_roster_that_is_shown_on_chain_alone_is_objected_to(closed: Chain, lie: bool) -> None:
    closed.wait(3_601)
    right = roster_leaves(closed.network, RosterKind.VERIFIERS)
    given = right[1:] if lie else right
    closed.post_roster(RosterKind.VERIFIERS, 2, given, data=NOWHERE)
    found = closed.network.posted_rosters[RosterKind.VERIFIERS, 2]
    name = RootName(RootKind.ROSTER, 2, 2, found.root)
    with pytest.raises(NotFound):
        wrong_leaves(closed.network, name)
    leaves = {leaf.node: leaf.model_dump() for leaf in given}
    none = dict.fromkeys(right[0].model_dump(), 0) | {"device_class": bytes(32)}
    closed.emit("RosterShown", of=2, index=2, chunk=0, leaves=[leaves.get(at, none) for at in range(64)])
    wrong = [row.place for _, row in decide_objections(closed.network, OTHER, seen(closed))]
    assert wrong == ([right[0].node] if lie else [])
    assert leaf_at(closed.network, name, right[0].node) == (right[0], lie)
    assert leaf_at(closed.network, name, right[1].node) == (right[1], False), "a panel can say that it is right, too"
    assert leaf_at(closed.network, name, 64) == (None, False), "all that there is was shown"


def seen(chain: Chain) -> Callable[[RootName], list[WrongLeaf]]:
    """As a keeper looks: nothing is wrong with what is not to be had."""

    def look(name: RootName) -> list[WrongLeaf]:
        try:
            return wrong_leaves(chain.network, name)
        except NotFound:
            return []

    return look


def test_attack_a_false_leaf_that_is_shown_after_right_ones_is_objected_to() -> None:
    """A keeper looked once, after the first chunk that was shown."""
    chain = Chain()
    chain.start(verifiers=range(5, 90))
    leaves = roster_leaves(chain.network, RosterKind.VERIFIERS)
    false = leaves[-1].model_copy(update={"weight": 1})
    chain.post_roster(RosterKind.VERIFIERS, 2, [*leaves[:-1], false], data=NOWHERE)
    name = RootName(RootKind.ROSTER, 2, 2, chain.network.posted_rosters[RosterKind.VERIFIERS, 2].root)
    rows = {leaf.node: leaf.model_dump() for leaf in [*leaves[:-1], false]}
    none = dict.fromkeys(rows[5], 0) | {"device_class": bytes(32)}
    desk = SimpleNamespace(warn_once=lambda *_: None)
    hearings = Hearings(desk, None, stake=True)  # type: ignore[arg-type]
    seen = []
    for chunk in (0, 1):
        id = bytes([chunk]) * 32
        asked = {"kind": 2, "of": 2, "index": 2, "root": name.root, "chunk": chunk}
        chain.emit("RootDisputed", id=id, challenger="0x", node=0, bond=5, until=chain.time + 21_600, **asked)
        seen.append([row.place for row in hearings._look(chain.network, name)])
        chain.emit("RootServed", id=id)
        places = range(64 * chunk, min(64 * chunk + 64, false.node + 1))
        chain.emit("RosterShown", of=2, index=2, chunk=chunk, leaves=[rows.get(at, none) for at in places])
        seen.append([row.place for row in hearings._look(chain.network, name)])
    assert seen == [[], [], [], [false.node]]
