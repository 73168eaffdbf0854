# SPDX-License-Identifier: Apache-2.0
"""A stranger's audit: an honest story is clean, and every falsification is found and named."""

from collections.abc import Callable
from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak

from inferix.audit import KINDS, Audit, Lookup, Report
from inferix.errors import NotFound, Unavailable
from inferix.messages import Acceptance, Receipt
from inferix.models.anchor import AccountsData, AnchorData, BatchLeaf, RosterData, RosterLeaf
from inferix.models.document import Document
from inferix.models.event import ChainEvent
from inferix.models.roles import NodeStatus, Outcome, RosterKind
from inferix.models.work import PROBE_EVERY
from inferix.replay import Network
from inferix.replay.accounting import accounts_data, roster_leaves
from inferix.replay.attempts import open_draws
from inferix.replay.settlement import BatchDraft, draft_batch, draft_batches
from inferix.replay.state import TaskState
from tests.replay.chain import (
    COIN,
    DOMAIN,
    GENESIS,
    MANAGER,
    VERIFIERS,
    WORKERS,
    Chain,
    address,
    block_hash,
    key,
    signed,
)

MINTED = 1_000_000_007


def audit(chain: Chain) -> Report:
    """What a stranger finds who has the chain's events and its documents."""
    return Audit(Network(DOMAIN, GENESIS, chain.documents), block_hash).run(chain.events)


def problem(chain: Chain) -> str:
    """The one thing that is false."""
    (found,) = audit(chain).problems
    return found


def late(chain: Chain, state: TaskState) -> None:
    """An attempt whose worker accepts and is not heard of again."""
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.wait(61)
    chain.anchor()


@pytest.fixture
def chain() -> Chain:
    """A job with an accepted, a rejected and a late attempt, of which nothing is settled yet."""
    chain = Chain()
    chain.start()
    job = chain.order()
    chain.run(chain.state(job, 0), Outcome.REJECTED)
    late(chain, chain.state(job, 1))
    for state in chain.network.jobs[job].tasks:
        chain.run(state)
    return chain


@pytest.fixture
def draft(chain: Chain) -> BatchDraft:
    """The batch of that job."""
    (found,) = draft_batches(chain.network, MANAGER)
    return found


@pytest.fixture
def closed(chain: Chain) -> Chain:
    """The same, with its batch final and the epoch closed."""
    chain.settle()
    chain.close_epoch(MINTED)
    return chain


@pytest.fixture
def accounts(closed: Chain) -> AccountsData:
    """The accounts of that epoch."""
    return accounts_data(closed.network, 0, {0: {WORKERS[0]: 1}})


def test_a_whole_story_is_clean_and_every_kind_of_claim_was_checked(closed: Chain, accounts: AccountsData) -> None:
    closed.post_accounts(accounts)
    closed.wait(86_400)
    closed.emit("AccountsFinalized", epoch=0)
    report = audit(closed)
    assert report.problems == []
    assert all(report.checked[kind] > 0 for kind in KINDS)
    outcomes = {attempt.outcome for state in closed.network.tasks.values() for attempt in state.attempts}
    assert outcomes == {Outcome.ACCEPTED, Outcome.REJECTED, Outcome.LATE}
    assert report.checked["leaves"] == report.checked["draws"] == 5
    assert report.checked["seeds"] == report.checked["anchors"] == closed.anchors


# -- anchors and seeds


def forge_last(chain: Chain, name: str, **changes: Any) -> None:
    """The newest event of a name says something else."""
    at = max(index for index, event in enumerate(chain.events) if event.name == name)
    event = chain.events[at]
    args = {**event.args, **changes}
    chain.events[at] = ChainEvent(event.block, event.log_index, event.timestamp, event.contract, name, args)


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
    chain.anchor(*votes, votes[0])  # decided before the last one
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


@pytest.mark.parametrize("changes", [{"total": 1}, {"count": 99}])
def test_a_roster_with_a_false_total_or_count(chain: Chain, changes: dict[str, int]) -> None:
    chain.post_roster(RosterKind.VERIFIERS, 2, roster_leaves(chain.network, RosterKind.VERIFIERS), **changes)
    assert problem(chain) == "rosters: verifiers roster 2: its total or count is not that of its leaves"


def test_a_roster_with_another_root_or_without_data(chain: Chain) -> None:
    leaves = roster_leaves(chain.network, RosterKind.WORKERS)
    chain.post_roster(RosterKind.WORKERS, 2, leaves, root=b"\x01" * 32)
    chain.post_roster(RosterKind.WORKERS, 3, leaves, data=b"\x01" * 32)
    assert audit(chain).problems == [
        "rosters: workers roster 2: its root is not that of its leaves",
        "rosters: workers roster 3: its data is not served",
    ]


@pytest.mark.parametrize(("after", "problems"), [(60, 0), (3_700, 1)])
def test_a_roster_may_be_computed_a_little_before_it_is_mined(chain: Chain, after: int, problems: int) -> None:
    leaves = roster_leaves(chain.network, RosterKind.WORKERS)
    chain.emit("PriceChanged", node=WORKERS[0], price=20_000_000)
    chain.wait(after)
    chain.post_roster(RosterKind.WORKERS, 2, leaves)
    assert len(audit(chain).problems) == problems


# -- batches


def forged(draft: BatchDraft, index: int, **changes: Any) -> BatchDraft:
    """The same batch with another leaf, its root, sums and records in accord with it."""
    leaves = list(draft.leaves)
    leaves[index] = leaves[index].model_copy(update=changes)
    return batch_of(leaves)


def batch_of(leaves: list[BatchLeaf], sequence: int = 1, previous: bytes = bytes(32)) -> BatchDraft:
    return draft_batch(MANAGER, sequence, 0, leaves, previous)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"charge": 1}, "charge"),
        ({"work": 1}, "work"),
        ({"node": 99}, "node"),
        ({"account": 2}, "account"),
        ({"outcome": Outcome.VOID}, "outcome"),
        ({"result": b"\x07" * 32}, "result"),
        ({"votes": b"\x07" * 32}, "votes"),
        ({"voters": b"\x07" * 32}, "voters"),
        ({"anchor": 99}, "anchor"),
    ],
)
def test_a_leaf_that_is_not_its_attempts(chain: Chain, draft: BatchDraft, changes: dict[str, Any], named: str) -> None:
    leaf = draft.leaves[2]
    chain.propose(forged(draft, 2, **changes))
    where = f"batch 1/1: task {leaf.task.hex()[:12]} attempt {leaf.attempt}"
    assert problem(chain) == f"leaves: {where} differs in {named}"


@pytest.mark.parametrize("changes", [{"task": b"\xff" * 32}, {"attempt": 9}])
def test_a_leaf_of_an_attempt_that_never_was(chain: Chain, draft: BatchDraft, changes: dict[str, Any]) -> None:
    chain.propose(forged(draft, len(draft.leaves) - 1, **changes))
    assert "has no outcome" in problem(chain)


def test_the_same_attempt_settled_in_two_batches(chain: Chain, draft: BatchDraft) -> None:
    first = chain.propose(draft)
    leaf = draft.leaves[1]
    chain.propose(batch_of([leaf], 2, first))
    where = f"batch 1/2: task {leaf.task.hex()[:12]} attempt {leaf.attempt}"
    assert problem(chain) == f"leaves: {where} is settled twice"


def test_the_same_attempt_settled_twice_in_one_batch(chain: Chain, draft: BatchDraft) -> None:
    chain.propose(batch_of([draft.leaves[0], *draft.leaves]))
    assert "is settled twice" in problem(chain)


def test_what_a_cancelled_batch_held_is_settled_once_more(chain: Chain, draft: BatchDraft) -> None:
    chain.emit("BatchCancelled", commitment=chain.propose(draft))
    chain.propose(draft, previous=b"\x01" * 32)
    assert audit(chain).problems == []


def test_leaves_out_of_order(chain: Chain, draft: BatchDraft) -> None:
    chain.propose(batch_of(draft.leaves[::-1]))
    assert problem(chain) == "batches: batch 1/1: its leaves are out of order"


def test_records_that_differ_from_the_leaves(chain: Chain, draft: BatchDraft) -> None:
    chain.propose(draft, records=b"\x01" * 32)
    assert problem(chain) == "batches: batch 1/1: its records are not those of its leaves"


@pytest.mark.parametrize(("root_only", "problems"), [(1, 0), (0, 1)])
def test_records_may_be_left_out_where_the_network_says_so(
    chain: Chain, draft: BatchDraft, root_only: int, problems: int
) -> None:
    chain.emit("ParameterSet", name=keccak(text="root_only"), value=root_only)
    chain.propose(draft, records=bytes(32))
    assert len(audit(chain).problems) == problems


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"charge": 1}, "its totals are not those of its leaves"),
        ({"work": 1}, "its totals are not those of its leaves"),
        ({"root": b"\x01" * 32}, "its root is not that of its leaves"),
    ],
)
def test_a_false_sum_or_root_in_the_header(chain: Chain, draft: BatchDraft, changes: dict[str, Any], says: str) -> None:
    chain.propose(draft, **changes)
    assert problem(chain) == f"batches: batch 1/1: {says}"


def test_a_false_count_in_the_header(chain: Chain, draft: BatchDraft) -> None:
    chain.propose(draft, count=4)
    assert problem(chain) == "batches: batch 1/1: it has 5 leaves, not as many as it says"


def test_a_commitment_that_is_not_the_headers(chain: Chain, draft: BatchDraft) -> None:
    chain.propose(draft)
    forge_last(chain, "Proposed", commitment=b"\x01" * 32)
    assert problem(chain) == "batches: batch 1/1: its commitment is not that of its header"


def test_a_batch_in_another_coin_or_of_another_managers_lane(chain: Chain, draft: BatchDraft) -> None:
    chain.propose(draft, coin=9)
    assert all("is paid in another coin" in text for text in audit(chain).problems)
    assert len(audit(chain).problems) == len(draft.leaves)
    chain.events.pop()
    chain.propose(draft, manager=WORKERS[0])
    assert all("belongs to another manager's lane" in text for text in audit(chain).problems)
    assert len(audit(chain).problems) == len(draft.leaves)


# -- accounts and epochs


def change_row(rows: list[Any], index: int, **changes: int) -> list[Any]:
    return [*rows[:index], rows[index].model_copy(update=changes), *rows[index + 1 :]]


def test_an_account_leaf_with_more_spent(closed: Chain, accounts: AccountsData) -> None:
    spent = accounts.accounts[0].spent
    rows = change_row(accounts.accounts, 0, spent=spent + 1)
    closed.post_accounts(accounts.model_copy(update={"accounts": rows}))
    assert problem(closed) == "accounts: epoch 0: account 1 has another leaf than its sum"


def test_a_node_leaf_with_more_matured(closed: Chain, accounts: AccountsData) -> None:
    node = accounts.nodes[2]
    rows = change_row(accounts.nodes, 2, matured=node.matured + 1)
    closed.post_accounts(accounts.model_copy(update={"nodes": rows}))
    assert problem(closed) == f"accounts: epoch 0: node {node.node} has another leaf than its sum"


def test_a_leaf_too_few_and_one_too_many(closed: Chain, accounts: AccountsData) -> None:
    stranger = accounts.nodes[-1].model_copy(update={"node": 99})
    rows = {"accounts": [], "nodes": [*accounts.nodes, stranger]}
    closed.post_accounts(accounts.model_copy(update=rows))
    assert audit(closed).problems == [
        "accounts: epoch 0: account 1 has another leaf than its sum",
        "accounts: epoch 0: node 99 has another leaf than its sum",
    ]


@pytest.mark.parametrize("name", ["accounts_root", "nodes_root", "spent", "reserved", "matured", "vesting"])
def test_roots_and_sums_of_accounts_that_are_not_those_of_the_leaves(
    closed: Chain, accounts: AccountsData, name: str
) -> None:
    closed.post_accounts(accounts, **{name: b"\x01" * 32 if name.endswith("root") else 1})
    assert problem(closed) == "accounts: epoch 0: its roots are not those of its leaves"


def test_more_probes_answered_than_were_asked(closed: Chain) -> None:
    asked = closed.anchors // PROBE_EVERY
    assert asked > 0
    closed.post_accounts(accounts_data(closed.network, 0, {0: {WORKERS[0]: asked + 1}}))
    says = f"node {WORKERS[0]} has answered {asked + 1} probes of {asked}"
    assert problem(closed) == f"accounts: epoch 0: {says}"


def test_an_account_that_was_opened_after_the_cut_off_may_be_in_the_accounts_or_not(
    closed: Chain, accounts: AccountsData
) -> None:
    closed.emit("ToppedUp", account=2, owner=address(9), coin=COIN, amount=10**6, credit=10**9)
    closed.post_accounts(accounts)
    assert audit(closed).problems == []
    closed.events.pop()
    closed.post_accounts(accounts_data(closed.network, 0, {0: {WORKERS[0]: 1}}))
    assert audit(closed).problems == []
    closed.events.pop()
    rows = change_row(accounts_data(closed.network, 0, {}).accounts, 1, spent=1)
    closed.post_accounts(accounts.model_copy(update={"accounts": rows}))
    assert "account 2" in problem(closed)


@pytest.mark.parametrize("changes", [{"charge": 1}, {"work": 1}])
def test_totals_of_an_epoch(chain: Chain, changes: dict[str, int]) -> None:
    chain.settle()
    chain.close_epoch(MINTED, **changes)
    assert problem(chain) == "epochs: epoch 0: its sums are not those of its final leaves"


# -- data that is not served


def test_data_that_is_not_served(closed: Chain, accounts: AccountsData) -> None:
    closed.post_accounts(accounts)
    clean = dict(closed.documents)
    for name, field, says in (
        ("AccountsPosted", "data", "accounts: epoch 0: its data is not served"),
        ("RosterPosted", "data", "rosters: verifiers roster 1: its data is not served"),
        ("Anchored", "data", f"anchors: anchor 1/{closed.anchors}: its data is not served"),
    ):
        event = next(item for item in reversed(closed.events) if item.name == name)
        closed.documents = {digest: body for digest, body in clean.items() if digest != event.args[field]}
        assert says in audit(closed).problems
    batch = next(iter(closed.network.batches.values()))
    closed.documents = {digest: body for digest, body in clean.items() if digest != batch.data}
    assert "batches: batch 1/1: its data is not served" in audit(closed).problems


def test_data_of_another_form_is_named_and_ends_nothing(closed: Chain, accounts: AccountsData) -> None:
    class Odd(Document):
        probes: list[list[int]]

    digest = closed.store(Odd(probes=[[1]]))
    closed.post_accounts(accounts, data=digest)
    assert "malformed AccountsData" in problem(closed)


def test_leaves_of_nobody_are_named_before_a_tree_of_billions_of_places_is_made(
    closed: Chain, accounts: AccountsData
) -> None:
    far = 2**32 - 1
    nodes = [*accounts.nodes, accounts.nodes[-1].model_copy(update={"node": far})]
    closed.post_accounts(accounts, data=closed.store(accounts.model_copy(update={"nodes": nodes})))
    leaves = roster_leaves(closed.network, RosterKind.WORKERS)
    roster = RosterData(kind=1, leaves=[*leaves, leaves[-1].model_copy(update={"node": far})])
    closed.post_roster(RosterKind.WORKERS, 2, leaves, data=closed.store(roster))
    assert audit(closed).problems == [
        f"accounts: epoch 0: node {far} has another leaf than its sum",
        "rosters: workers roster 2: its root is not that of its leaves",
    ]


def test_documents_are_fetched_once_and_what_is_not_to_be_had_is_absent() -> None:
    asked: list[bytes] = []

    def fetch(digest: bytes) -> bytes:
        asked.append(digest)
        if digest == b"gone":
            raise NotFound("nowhere")
        if digest == b"silent":
            raise Unavailable("no answer")
        return b"body"

    documents = Lookup(fetch)
    assert (documents.get(b"here"), documents.get(b"gone"), documents.get(b"here")) == (b"body", None, b"body")
    assert documents.get(b"gone") is None
    assert asked == [b"here", b"gone"]
    assert len(documents) == len(list(documents)) == 2
    with pytest.raises(Unavailable):  # which is nobody's lie
        documents.get(b"silent")
