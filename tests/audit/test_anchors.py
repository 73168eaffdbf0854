# SPDX-License-Identifier: Apache-2.0
"""An honest story is clean; false anchors, seeds, draws, votes and rosters are found and named."""

from collections.abc import Callable

import pytest
from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from inferix.audit import KINDS
from inferix.messages import Acceptance, Receipt
from inferix.models.anchor import AccountsData, AnchorData, RosterLeaf
from inferix.models.roles import NodeStatus, Outcome, RosterKind
from inferix.replay.accounting import roster_leaves
from inferix.replay.attempts import open_draws
from inferix.replay.state import TaskState
from tests.audit.conftest import audit, forge_last, problem
from tests.replay.chain import DOMAIN, MANAGER, VERIFIERS, WORKERS, Chain, block_hash, key, signed


def test_a_whole_story_is_clean_and_every_kind_of_claim_was_checked(closed: Chain, accounts: AccountsData) -> None:
    closed.post_accounts(accounts)
    closed.wait(86_400)
    closed.emit("AccountsFinalized", epoch=0)
    report = audit(closed)
    assert report.problems == []
    unchecked = [kind for kind in KINDS if not report.checked[kind]]
    assert unchecked == ["leases", "verdicts", "machines"], "nobody leased, objected, or kept a result"
    outcomes = {attempt.outcome for state in closed.network.tasks.values() for attempt in state.attempts}
    assert outcomes == {Outcome.ACCEPTED, Outcome.REJECTED, Outcome.LATE}
    assert report.checked["leaves"] == report.checked["draws"] == 5
    assert report.checked["seeds"] == report.checked["anchors"] == closed.anchors


# -- anchors and seeds


def test_a_seed_that_is_not_its_blocks(chain: Chain) -> None:
    chain.anchor()
    forge_last(chain, "Sealed", seed=b"\x05" * 32)
    assert problem(chain) == f"seeds: seed 1/{chain.anchors} is not that of its block and root"


def test_the_seed_of_an_anchor_whose_block_was_out_of_reach_is_that_of_its_new_block(chain: Chain) -> None:
    previous = chain.seed
    chain.anchor()
    chain.events.pop()
    block, root = chain.block, chain.network.lane(MANAGER).anchors[chain.anchors].root
    chain.emit("Rearmed", manager=MANAGER, index=chain.anchors, block=block)
    seed = keccak(abi_encode(["bytes32"] * 3, [previous, block_hash(block + 1), root]))
    chain.emit("Sealed", manager=MANAGER, index=chain.anchors, seed=seed)
    assert audit(chain).problems == []
    forge_last(chain, "Sealed", seed=chain.seed)  # that of the old one
    assert "seed 1/" in problem(chain)


def test_an_anchors_document_with_another_message(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    anchored = next(event for event in reversed(chain.events) if event.name == "Anchored")
    data = AnchorData.decode(chain.documents[anchored.args["data"]])
    other = data.messages[0].model_copy(update={"body": Receipt(
        task=state.task.id, attempt=0, node=2, result=bytes(32)).body(), "kind": "Receipt"})  # fmt: skip
    forge_last(chain, "Anchored", data=chain.store(data.model_copy(update={"messages": [other]})))
    assert problem(chain) == f"anchors: anchor 1/{chain.anchors}: its root is not that of its messages"


@pytest.fixture
def drawing(chain: Chain) -> TaskState:
    """A task whose worker is being drawn."""
    state = chain.state(chain.order(), 0)
    chain.anchor()
    return state


def test_a_worker_who_was_not_drawn(chain: Chain, drawing: TaskState) -> None:
    drawn = next(iter(open_draws(chain.network, drawing, drawing.attempts[0], chain.time)))
    other = next(node for node in WORKERS if node != drawn.leaf.node)
    chain.anchor(signed(Acceptance(task=drawing.task.id, attempt=0, node=other, draw=drawn.index)))
    where = f"anchor 1/{chain.anchors}: Acceptance of node {other} for task {drawing.task.id.hex()[:12]}"
    assert problem(chain) == f"anchors: {where}: another node holds this draw"


def test_a_receipt_for_somebody_elses_task(chain: Chain, drawing: TaskState) -> None:
    chain.anchor(chain.acceptance(drawing))
    other = next(node for node in WORKERS if node != drawing.attempts[0].node)
    chain.anchor(signed(Receipt(task=drawing.task.id, attempt=0, node=other, result=b"\x02" * 32)))
    assert f"Receipt of node {other}" in problem(chain)


@pytest.fixture
def checking(chain: Chain, drawing: TaskState) -> TaskState:
    """A task whose committee sits."""
    chain.anchor(chain.acceptance(drawing))
    chain.anchor(chain.receipt(drawing))
    return drawing


def test_a_vote_of_a_verifier_outside_the_committee(chain: Chain, checking: TaskState) -> None:
    (message, _), *_ = chain.votes(checking)
    outsider = message.model_copy(update={"node": WORKERS[0]})
    chain.anchor(signed(outsider))
    assert f"Vote of node {WORKERS[0]}" in problem(chain)
    assert "no seat in the committee" in problem(chain)


def test_a_vote_about_another_result_or_signed_by_another_key(chain: Chain, checking: TaskState) -> None:
    (first, _), (second, _) = chain.votes(checking)
    chain.anchor(signed(first.model_copy(update={"result": b"\x09" * 32})), (second, second.sign(DOMAIN, key(99))))
    about, by = audit(chain).problems
    assert "it is about another result" in about
    assert "not signed by the node's operator" in by


def test_messages_that_came_a_little_late_are_no_lie(chain: Chain, checking: TaskState) -> None:
    """A manager anchors what counts as far as it sees; what it sees is some blocks old."""
    receipt = Receipt(task=checking.task.id, attempt=0, node=checking.attempts[0].node, result=b"\x03" * 32)
    chain.anchor(signed(receipt))  # the worker's second one
    votes = chain.votes(checking)
    chain.anchor(*votes)
    chain.anchor(votes[0])  # decided before
    assert [refused.reason for refused in chain.network.lane(MANAGER).anchors[chain.anchors].refused] == [
        "this attempt is not open"
    ]
    assert audit(chain).problems == []


@pytest.mark.parametrize(("after", "problems"), [(60, 0), (3_700, 1)])
def test_a_worker_that_was_just_frozen_may_be_in_an_anchor_but_not_for_long(
    chain: Chain, drawing: TaskState, after: int, problems: int
) -> None:
    message = chain.acceptance(drawing)
    chain.emit("StatusChanged", node=message[0].node, status=int(NodeStatus.FROZEN))  # type: ignore[attr-defined]
    chain.wait(after)
    chain.anchor(message)
    assert len(audit(chain).problems) == problems


# -- rosters


def one_too_many(leaves: list[RosterLeaf]) -> list[RosterLeaf]:
    return [*leaves, leaves[-1].model_copy(update={"node": VERIFIERS[-1]})]


def another_weight(leaves: list[RosterLeaf]) -> list[RosterLeaf]:
    return [*leaves[:-1], leaves[-1].model_copy(update={"weight": 1})]


@pytest.mark.parametrize(("change", "node"), [(one_too_many, VERIFIERS[-1]), (another_weight, WORKERS[-1])])
def test_a_roster_that_is_not_what_the_registry_gives(
    chain: Chain, change: Callable[[list[RosterLeaf]], list[RosterLeaf]], node: int
) -> None:
    leaves = roster_leaves(chain.network, RosterKind.WORKERS)
    chain.post_roster(RosterKind.WORKERS, 2, change(leaves))
    assert problem(chain) == f"rosters: workers roster 2 is not what the registry gives: of node {node}"


@pytest.mark.parametrize(("changes", "what"), [({"total": 1}, "root or total"), ({"count": 99}, "count")])
def test_a_roster_with_a_false_total_or_count(chain: Chain, changes: dict[str, int], what: str) -> None:
    chain.post_roster(RosterKind.VERIFIERS, 2, roster_leaves(chain.network, RosterKind.VERIFIERS), **changes)
    assert problem(chain) == f"rosters: verifiers roster 2: its {what} is not that of its leaves"


def test_a_roster_with_another_root_or_without_data(chain: Chain) -> None:
    leaves = roster_leaves(chain.network, RosterKind.WORKERS)
    chain.post_roster(RosterKind.WORKERS, 2, leaves, root=b"\x01" * 32)
    chain.post_roster(RosterKind.WORKERS, 3, leaves, data=b"\x01" * 32)
    assert audit(chain).problems == [
        "rosters: workers roster 2: its root or total is not that of its leaves",
        "rosters: workers roster 3: its data is not served",
    ]


@pytest.mark.parametrize(("after", "problems"), [(60, 0), (3_700, 1)])
def test_a_roster_may_be_computed_a_little_before_it_is_mined(chain: Chain, after: int, problems: int) -> None:
    leaves = roster_leaves(chain.network, RosterKind.WORKERS)
    chain.emit("PriceChanged", node=WORKERS[0], price=20_000_000)
    chain.wait(after)
    chain.post_roster(RosterKind.WORKERS, 2, leaves)
    assert len(audit(chain).problems) == problems
