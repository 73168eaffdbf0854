# SPDX-License-Identifier: Apache-2.0
"""What keepers decide, from a chain written by hand: pure, no sockets, no database."""

from collections.abc import Callable
from typing import Any

import pytest

from inferix.chain.abi import Interface
from inferix.messages import Message as Signed
from inferix.messages import Order, Receipt, Vote
from inferix.models.anchor import AnchorData, SignedMessage
from inferix.models.document import MAX_DOCUMENT
from inferix.models.job import case_id
from inferix.models.roles import NodeStatus, ObjectionStatus, RosterKind
from inferix.replay.accounting import accounts_data, accounts_tree, nodes_tree
from inferix.replay.attempts import misfit_worker, open_draws, seats
from inferix.replay.availability import CANCELLED, NOT_SERVED
from inferix.replay.probes import PROBE_TERM
from inferix.replay.settlement import draft_batches
from inferix.storage.tables import Message, SignedOrder, WantedCancel
from inferix.trees import flat
from keepers.anchor import (
    MESSAGES_AT_ONCE,
    PROBES_AT_ONCE,
    PROBES_WAIT,
    REFUSE_AFTER,
    VOTES_WAIT_PART,
    LaneNow,
    can_wait,
    decide_anchor,
    decide_messages,
    needs_seed,
    together,
)
from keepers.assign import decide_verifiers, decide_workers
from keepers.availability import decide_seals
from keepers.bench import decide_challenge
from keepers.epoch import CLOSE_ANYWAY, decide_claims, decide_close, decide_collect, decide_final, decide_post
from keepers.market import decide_observe, decide_roll
from keepers.rosters import decide_final as decide_roster_final
from keepers.rosters import decide_roster
from keepers.settle import decide_finalize, decide_propose, place, smaller
from keepers.split import decide_cancels, decide_orders, posting_name
from keepers.takeover import decide_call_out, decide_take_over
from tests.replay.chain import COIN, DOMAIN, GENESIS, MANAGER, VERIFIERS, WORKERS, Chain, key
from tests.replay.objecting import newest_roots, object_to_leaf


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


# -- split


def waiting(chain: Chain, signer: int = 0, transaction: bytes | None = None, **changes: Any) -> SignedOrder:
    chain.nonce += 1
    fields = {
        "account": 1, "nonce": chain.nonce, "manager": MANAGER, "spec": bytes(32), "cap": 10**9, "price": 20_000_000,
        "attempts": 3, "deadline": chain.time + 86_400, "post_by": chain.time + 600,
    }  # fmt: skip
    order = Order(**{**fields, **changes})
    record = order.record(order.sign(DOMAIN, key(signer)))
    return SignedOrder(job=order.digest(DOMAIN), account=1, record=record, received_at=0, transaction=transaction)


def test_orders__good_ones_share_a_transaction(chain: Chain) -> None:
    rows = [waiting(chain) for _ in range(60)]
    assert decide_orders(chain.network, MANAGER, rows, chain.time) == ([rows[:50]], {})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"signer": 2}, "not signed"),
        ({"cap": 10**12}, "free credit"),
        ({"price": 1}, "floor"),
        ({"account": 9}, "exist"),
    ],
)
def test_orders__void_ones_are_refused_with_the_reason(chain: Chain, changes: dict[str, int], reason: str) -> None:
    row = waiting(chain, **changes)
    postings, refused = decide_orders(chain.network, MANAGER, [row], chain.time)
    assert postings == []
    assert reason in refused[row.job]


def test_orders__together_above_the_credit__only_the_first(chain: Chain) -> None:
    first, second = waiting(chain, cap=60 * 10**9), waiting(chain, cap=60 * 10**9)
    postings, refused = decide_orders(chain.network, MANAGER, [first, second], chain.time)
    assert postings == [[first]]
    assert "other waiting orders" in refused[second.job]


def test_orders__the_newest_block_is_past_post_by_though_the_final_one_is_not__refused(chain: Chain) -> None:
    row = waiting(chain)
    assert decide_orders(chain.network, MANAGER, [row], chain.time + 601)[1].keys() == {row.job}


def test_regression_an_order_that_is_on_its_way_is_not_refused_while_it_waits_to_be_final(chain: Chain) -> None:
    """Past its post-by time it was, where finality takes long, and the client was told that it never came."""
    sent, next_one = waiting(chain, cap=60 * 10**9), waiting(chain, cap=60 * 10**9, post_by=chain.time + 6_000)
    sent.transaction = posting_name([sent])
    postings, refused = decide_orders(chain.network, MANAGER, [sent, next_one], chain.time + 601, {sent.transaction})
    assert postings == []
    assert refused.keys() == {next_one.job}, "its cap counts"
    assert sent.job in decide_orders(chain.network, MANAGER, [sent], chain.time + 601)[1]


def test_orders__of_another_manager_or_on_chain__left_alone(chain: Chain) -> None:
    other, posted = waiting(chain, manager=9), waiting(chain)
    chain.emit("OrdersPosted", poster="0x", records=posted.record)
    assert decide_orders(chain.network, MANAGER, [other, posted], chain.time) == ([], {})


def test_orders__marked_before_a_crash__posted_together_again(chain: Chain) -> None:
    marked, fresh = [waiting(chain), waiting(chain)], waiting(chain)
    for row in marked:
        row.transaction = posting_name(marked)
    assert decide_orders(chain.network, MANAGER, [fresh, *marked], chain.time)[0] == [marked, [fresh]]


def test_cancels__of_live_jobs_only(chain: Chain) -> None:
    job = chain.order()
    rows = [
        WantedCancel(job=job, signature=b"", received_at=0),
        WantedCancel(job=bytes(32), signature=b"", received_at=0),
    ]
    assert list(decide_cancels(chain.network, rows)) == [job]
    chain.emit("OrderCancelled", account=1, nonce=chain.nonce)
    assert decide_cancels(chain.network, rows) == {}


# -- anchor


def lane(chain: Chain, **changes: int) -> LaneNow:
    """The lane with its newest anchor mirrored and sealed."""
    anchors = chain.network.lane(MANAGER).anchors
    newest = anchors[max(anchors)] if anchors else None
    fields = {
        "anchors": len(anchors), "sealed": len(anchors), "block": newest.block if newest else 0,
        "anchored_at": newest.timestamp if newest else 0, "head": chain.block, "time": chain.time,
    }  # fmt: skip
    return LaneNow(**{**fields, **changes})


def inbox(pair: tuple[Signed, bytes], received_at: int) -> Message:
    message, signature = pair
    return Message(
        digest=message.digest(DOMAIN), kind=message.kind, node=1, body=message.body(), signature=signature,
        received_at=received_at,
    )  # fmt: skip


def test_needs_seed__an_order_without_an_attempt_s_seed(chain: Chain) -> None:
    assert not needs_seed(chain.network, MANAGER, lane(chain))
    chain.order()
    assert needs_seed(chain.network, MANAGER, lane(chain))
    assert not needs_seed(chain.network, 9, lane(chain)), "another manager's"
    on_its_way = lane(chain, block=chain.block + 1, anchored_at=chain.time + 1)
    assert not needs_seed(chain.network, MANAGER, on_its_way), "an anchor that is mined but not final serves it"
    chain.anchor()
    assert not needs_seed(chain.network, MANAGER, lane(chain))


def test_needs_seed__after_a_late_attempt__only_past_its_deadline(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.wait(61)
    chain.network.tick(chain.time)
    assert state.attempts[-1].number == 1
    assert needs_seed(chain.network, MANAGER, lane(chain))
    assert not needs_seed(chain.network, MANAGER, lane(chain, time=state.attempts[0].deadline))


def test_messages__what_counts_now_is_taken__once_a_race(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.anchor()
    first = inbox(chain.acceptance(state), chain.time)
    chain.wait(40)
    chain.network.tick(chain.time)
    second = inbox(chain.acceptance(state, skip=(chain.acceptance(state)[0].node,)), chain.time)  # type: ignore[attr-defined]
    take, refused = decide_messages(chain.network, MANAGER, [first, second])
    assert (take, refused) == ([first], {})
    chain.network.tick(chain.time + REFUSE_AFTER + 1)
    assert decide_messages(chain.network, MANAGER, [first, second])[1] == {second.digest: "another message came first"}


def test_messages__votes_of_an_attempt_wait_for_those_that_were_committed_to(chain: Chain) -> None:
    """One that rejects calls a second draw: it must not come when three others have decided."""
    state = chain.state(chain.order(), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.anchor(chain.receipt(state))
    one, other = (inbox(pair, chain.time) for pair in chain.votes(state))
    for row, (vote, _) in zip((one, other), chain.votes(state), strict=True):
        row.task, row.attempt, row.node = state.task.id, 0, vote.node  # type: ignore[attr-defined]
    receipt = inbox(chain.receipt(state), chain.time)
    committed = {(state.task.id, 0): {one.node, other.node}}
    chain.network.tick(chain.time)
    assert together(chain.network, [one, receipt], committed) == [receipt]
    assert together(chain.network, [one, receipt, other], committed) == [one, receipt, other]
    assert together(chain.network, [one], {}) == [one], "who did not commit is not waited for"
    assert together(chain.network, [one], {(state.task.id, 1): {other.node}}) == [one], "another attempt's"
    chain.network.tick(chain.time + chain.network.parameters["vote_window"] // VOTES_WAIT_PART)
    assert together(chain.network, [one], committed) == [one], "nor is who shows nothing, for longer than that"
    one.received_at = chain.network.time
    chain.anchor(*(pair for pair in chain.votes(state) if pair[0].node == other.node))  # type: ignore[attr-defined]
    assert together(chain.network, [one], committed) == [one], "the other is anchored"


def test_messages__a_full_anchor_fits_a_document() -> None:
    vote = Vote(task=b"\xff" * 32, attempt=255, node=2**32 - 1, result=b"\xff" * 32, outcome=6, measured=b"\xff" * 32)
    largest = SignedMessage(kind=vote.kind, body=vote.body(), signature=b"\xff" * 65)
    full = AnchorData(manager=2**32 - 1, messages=[largest] * (MESSAGES_AT_ONCE + PROBES_AT_ONCE))
    assert len(full.encode()) < MAX_DOCUMENT


def test_messages__not_yet_seen_as_good__wait_before_they_are_refused(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    receipt = Receipt(task=state.task.id, attempt=0, node=9, result=bytes(32))
    row = inbox((receipt, receipt.sign(DOMAIN, key(9))), chain.time)
    assert decide_messages(chain.network, MANAGER, [row]) == ([], {})
    row.received_at -= REFUSE_AFTER + 1
    assert decide_messages(chain.network, MANAGER, [row])[1] == {row.digest: "no such node"}


def test_messages__damaged__refused(chain: Chain) -> None:
    row = Message(digest=b"d", kind="Vote", node=1, body=b"x", signature=b"", received_at=0)
    ((digest, reason),) = decide_messages(chain.network, MANAGER, [row])[1].items()
    assert (digest, "malformed" in reason) == (b"d", True)


def test_messages__of_another_lane__left_to_its_manager(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.anchor()
    row = inbox(chain.acceptance(state), 0)
    assert decide_messages(chain.network, 9, [row]) == ([], {})


def test_messages__probes__each_node_once_and_few_beside_what_is_done(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = chain.state(chain.order(), 0)
    chain.anchor()
    rows = [inbox(chain.answer(node), chain.time) for node in WORKERS]
    for row, node in zip(rows, WORKERS, strict=True):
        row.node = node
    again = inbox(chain.answer(WORKERS[0]), chain.time)
    again.node, again.digest = WORKERS[0], bytes(32)
    accepted = inbox(chain.acceptance(state), chain.time)
    assert decide_messages(chain.network, MANAGER, [*rows, again, accepted]) == ([*rows, accepted], {})
    assert decide_messages(chain.network, 9, rows) == (rows, {}), "any lane may"
    monkeypatch.setattr("keepers.anchor.PROBES_AT_ONCE", 1)
    assert decide_messages(chain.network, MANAGER, [*rows, accepted])[0] == [rows[0], accepted]


def test_messages__a_few_new_probes_alone__make_no_anchor_yet(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    state = chain.state(chain.order(), 0)
    chain.anchor()
    rows = [inbox(chain.answer(node), chain.time) for node in WORKERS]
    assert can_wait(chain.network, rows) and can_wait(chain.network, [])
    assert not can_wait(chain.network, [*rows, inbox(chain.acceptance(state), chain.time)])
    monkeypatch.setattr("keepers.anchor.PROBES_AT_ONCE", len(rows))
    assert not can_wait(chain.network, rows)
    rows = rows[:1]
    rows[0].received_at -= PROBES_WAIT
    assert not can_wait(chain.network, rows)
    rows[0].received_at = chain.time + PROBE_TERM - 2 * PROBES_WAIT
    chain.network.tick(rows[0].received_at)
    assert not can_wait(chain.network, rows), "its hour is soon over"


def test_messages__a_probe_that_counts_no_more__refused_when_the_mirror_has_caught_up(chain: Chain) -> None:
    chain.anchor()
    row = inbox(chain.answer(WORKERS[0]), chain.time)
    chain.anchor(chain.answer(WORKERS[0]))
    assert decide_messages(chain.network, MANAGER, [row]) == ([], {})
    row.received_at -= REFUSE_AFTER + 9
    assert decide_messages(chain.network, MANAGER, [row])[1] == {row.digest: "an hour is answered once"}
    row.body = b""
    assert "Probe" in decide_messages(chain.network, MANAGER, [row])[1][row.digest]


@pytest.mark.parametrize(
    ("changes", "messages", "what"),
    [
        ({}, 1, "anchor"),
        ({}, 0, ""),
        ({"time": 0}, 1, ""),  # the slot is not over
        ({"sealed": 0, "head": 1}, 1, ""),  # the last anchor is too young to be sealed, and so for the next
        ({"sealed": 0}, 1, "anchor"),  # which seals it, too
        ({"sealed": 0}, 0, "seal"),
        ({"sealed": 0, "head": 10_000}, 1, "seal"),  # its block hash would soon be out of reach
    ],
)
def test_anchor__when(chain: Chain, changes: dict[str, int], messages: int, what: str) -> None:
    chain.anchor()
    chain.wait(10)
    changes = {name: value + (chain.block if name == "head" and value > 1 else 0) for name, value in changes.items()}
    if changes.get("head") == 1:
        changes["head"] = lane(chain).block + 1
    assert decide_anchor(chain.network, MANAGER, lane(chain, **changes), messages) == what


# -- assign, verify


def test_workers__get_the_key_when_their_draw_is_open_and_fits(chain: Chain) -> None:
    job = chain.order()
    state = chain.state(job, 0)
    assert decide_workers(chain.network, MANAGER) == set()
    chain.anchor()
    chain.network.tick(chain.time)
    drawn = [item.leaf for item in open_draws(chain.network, state, state.attempts[0], chain.time)]
    fit = {(job, leaf.node) for leaf in drawn if not misfit_worker(chain.network, chain.network.jobs[job], state, leaf)}
    assert fit <= decide_workers(chain.network, MANAGER)
    assert decide_workers(chain.network, 9) == set()
    for node in {leaf.node for leaf in drawn}:
        chain.emit("StatusChanged", node=node, status=int(NodeStatus.FROZEN))
    assert not fit & decide_workers(chain.network, MANAGER)


def test_workers__who_accepted_keeps_the_key_after_the_job_was_cancelled(chain: Chain) -> None:
    job = chain.order()
    state = chain.state(job, 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.emit("OrderCancelled", account=1, nonce=chain.nonce)
    assert decide_workers(chain.network, MANAGER) == {(job, state.attempts[0].node)}


def test_verifiers__of_the_open_draw_and_of_panels(chain: Chain) -> None:
    job = chain.order()
    state = chain.state(job, 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.anchor(chain.receipt(state))
    places = seats(chain.network, state, state.attempts[0])
    now = {(job, seat.leaf.node) for seat in places if seat.from_time <= chain.time}
    assert 0 < len(now) < len(places)
    assert decide_verifiers(chain.network, MANAGER) == now
    chain.wait(31)
    chain.network.tick(chain.time)
    assert decide_verifiers(chain.network, MANAGER) == {(job, seat.leaf.node) for seat in places}


def test_verifiers__a_case_about_a_task_that_nobody_knows__is_passed_over(chain: Chain) -> None:
    task = b"\7" * 32
    case = case_id(task, 0)
    chain.emit("CaseFrozen", case=case, task=task, attempt=0, node=2, amount=1)
    chain.emit("CaseAppealed", case=case, block=chain.block)
    assert decide_verifiers(chain.network, MANAGER) == set()


# -- bench


def test_challenge__a_worker_with_a_speed__only_when_it_asks_this_manager(chain: Chain) -> None:
    seen = {2: chain.network.time}
    assert decide_challenge(chain.network, MANAGER, seen, set(), {}) is None
    chain.emit("BenchmarkRequested", node=2, manager=MANAGER)
    assert decide_challenge(chain.network, MANAGER, seen, set(), {}) == 2
    assert decide_challenge(chain.network, 8, seen, set(), {}) is None, "it asked another"
    chain.emit("BenchmarkAttested", node=2, manager=MANAGER, ib=7_000, device_class=bytes(32))
    assert decide_challenge(chain.network, MANAGER, seen, set(), {}) is None, "once"


# -- take-over


def test_take_over__a_silent_manager_s_job_whose_key_is_here(chain: Chain) -> None:
    job = chain.order()
    chain.wait(59)
    chain.network.tick(chain.time)
    assert decide_call_out(chain.network, 8, {job}) == []
    chain.wait(1)
    chain.network.tick(chain.time)
    assert decide_call_out(chain.network, 8, {job}) == [MANAGER]
    assert decide_call_out(chain.network, 8, set()) == [], "a job that nobody could be let in to"
    assert decide_call_out(chain.network, MANAGER, {job}) == [], "one's own"
    call_out(chain)
    assert decide_call_out(chain.network, 8, {job}) == [], "once"
    chain.network.tick(chain.time + 599)
    assert decide_take_over(chain.network, 8, {job}) == []
    chain.network.tick(chain.time + 600)
    assert decide_take_over(chain.network, 8, {job}) == [(job, MANAGER)]
    assert decide_take_over(chain.network, 8, set()) == []
    assert decide_take_over(chain.network, MANAGER, {job}) == []
    chain.emit("JobTakenOver", job=job, from_manager=MANAGER, by_manager=9, from_anchors=0, by_anchors=0)
    assert decide_take_over(chain.network, 8, {job}) == [], "the first one has it"


def test_take_over__a_manager_that_anchors_when_it_is_called_out__keeps_its_job(chain: Chain) -> None:
    job = chain.order()
    chain.wait(60)
    call_out(chain)
    waiting = lane(chain, is_called_out=True, sealed=0)
    assert decide_anchor(chain.network, MANAGER, waiting, 0) == "anchor"
    chain.anchor()
    chain.network.tick(chain.time + 700)
    assert decide_take_over(chain.network, 8, {job}) == []


def test_take_over__a_worker_at_work__is_left_to_work(chain: Chain) -> None:
    job = chain.order(chain.spec(frames=1, attempt_seconds=5_000))
    chain.anchor()
    chain.anchor(chain.acceptance(chain.state(job, 0)))
    call_out(chain)
    chain.network.tick(chain.time + 700)
    assert decide_call_out(chain.network, 8, {job}) == []
    assert decide_take_over(chain.network, 8, {job}) == []


def test_take_over__a_worker_that_is_done_and_has_put_its_receipt_on_chain__waits_for_an_anchor(chain: Chain) -> None:
    job = chain.order(chain.spec(frames=1, attempt_seconds=5_000))
    chain.anchor()
    state = chain.state(job, 0)
    chain.anchor(chain.acceptance(state))
    message, signature = chain.receipt(state)
    chain.emit("MessagePosted", kind=2, body=message.body(), signature=signature)
    chain.network.tick(chain.time + 60)
    assert decide_call_out(chain.network, 8, {job}) == [MANAGER]
    call_out(chain)
    chain.network.tick(chain.time + 700)
    assert decide_take_over(chain.network, 8, {job}) == [(job, MANAGER)]


def test_anchor__called_out__anchors_even_when_nothing_is_to_be_done(chain: Chain) -> None:
    later = chain.time + 60
    assert decide_anchor(chain.network, MANAGER, lane(chain, time=later), 0) == ""
    assert decide_anchor(chain.network, MANAGER, lane(chain, time=later, is_called_out=True), 0) == "anchor"


def call_out(chain: Chain) -> None:
    anchors = chain.network.lane(MANAGER).anchored
    chain.emit("ManagerCalledOut", manager=MANAGER, by_manager=8, anchors=anchors)


# -- settle


def finish(chain: Chain, job: bytes) -> None:
    for state in chain.network.jobs[job].tasks:
        chain.run(state)


def test_propose__at_once_when_no_job_is_open(chain: Chain, interface: Callable[[str], Interface]) -> None:
    assert decide_propose(chain.network, MANAGER, 600) is None
    finish(chain, chain.order())
    draft = decide_propose(chain.network, MANAGER, 600)
    assert draft is not None
    assert len(draft.leaves) == 3
    assert interface("Batches").encode("propose", [draft.header, draft.records])
    assert decide_propose(chain.network, 9, 600) is None


def test_propose__while_a_job_runs__after_the_wait(chain: Chain) -> None:
    job = chain.order()
    chain.run(chain.state(job, 0))
    assert decide_propose(chain.network, MANAGER, 600) is None
    chain.network.tick(chain.time + 600)
    draft = decide_propose(chain.network, MANAGER, 600)
    assert draft is not None
    assert len(draft.leaves) == 1


def test_place__the_same_while_it_is_on_its_way__another_after_a_cancellation(chain: Chain) -> None:
    job = chain.order()
    chain.run(chain.state(job, 0))
    first = draft_batches(chain.network, MANAGER)[0]
    chain.run(chain.state(job, 1))
    second = draft_batches(chain.network, MANAGER)[0]
    assert first.commitment != second.commitment
    assert place(chain.network, first) == place(chain.network, second)
    before = place(chain.network, second)
    for document in second.documents:
        chain.store(document)
    chain.emit("Proposed", commitment=second.commitment, header=second.header)
    chain.emit("BatchCancelled", commitment=second.commitment)
    assert place(chain.network, draft_batches(chain.network, MANAGER)[0]) != before


def test_smaller__halves_down_to_one_leaf(chain: Chain) -> None:
    finish(chain, chain.order())
    draft = draft_batches(chain.network, MANAGER)[0]
    assert [len(part.leaves) for part in smaller(draft)] == [3, 1]
    assert [part.header["previous"] for part in smaller(draft)] == [bytes(32)] * 2


def test_finalize__the_oldest_of_each_lane_when_its_window_is_over(chain: Chain) -> None:
    for _ in range(2):
        finish(chain, chain.order())
        draft = draft_batches(chain.network, MANAGER)[0]
        for document in draft.documents:
            chain.store(document)
        chain.emit("Proposed", commitment=draft.commitment, header=draft.header)
    oldest = chain.network.lane(MANAGER).batches[0]
    assert decide_finalize(chain.network) == []
    chain.network.tick(chain.time + 86_400)
    assert [batch.commitment for batch in decide_finalize(chain.network)] == [oldest]


# -- epoch and rosters


def settled(chain: Chain) -> None:
    finish(chain, chain.order())
    draft = draft_batches(chain.network, MANAGER)[0]
    for document in draft.documents:
        chain.store(document)
    chain.emit("Proposed", commitment=draft.commitment, header=draft.header)
    chain.wait(86_400)
    chain.emit("BatchFinalized", commitment=draft.commitment, epoch=0)


def test_market__pools_are_observed_and_priced_in_time(chain: Chain) -> None:
    assert (decide_observe(chain.network), decide_roll(chain.network)) == ([], None), "nothing without a pool"
    chain.emit("PoolAdded", coin=COIN, pair=COIN)
    added, stale = chain.time, chain.network.parameters["price_stale"]
    chain.network.tick(added + stale // 2 - 1)
    assert decide_observe(chain.network) == []
    chain.network.tick(added + stale // 2)
    assert decide_observe(chain.network) == [COIN]
    assert decide_roll(chain.network) == chain.network.time // 259_200
    chain.time = chain.network.time
    chain.emit("PriceRolled", epoch=chain.time // 259_200, price=1, observed=True)
    chain.emit("Observed", coin=COIN, mean=1, health=10_000)
    assert (decide_observe(chain.network), decide_roll(chain.network)) == ([], None)
    chain.emit("PoolRemoved", coin=COIN)
    chain.network.tick(chain.time + 2 * stale)
    assert (decide_observe(chain.network), decide_roll(chain.network)) == ([], None)


def test_epoch__collect_then_close_then_post_then_final(chain: Chain) -> None:
    settled(chain)
    charge = sum(batch.charge for batch in chain.network.batches.values())
    assert decide_collect(chain.network) == [COIN], "once a day"
    chain.network.collected_at[COIN] = chain.network.time
    assert decide_collect(chain.network) == []
    chain.network.tick(GENESIS + 259_200)
    assert decide_collect(chain.network) == [COIN], "and at the epoch's end"
    assert decide_close(chain.network) is None
    stuck = GENESIS + 259_200 + CLOSE_ANYWAY
    chain.network.time, before = stuck, chain.network.time
    assert decide_close(chain.network) == 0, "fees that cannot be burned hold up no epoch for ever"
    chain.network.time = before
    chain.time = GENESIS + 259_201
    chain.emit("Released", coin=COIN, amount=charge)
    chain.emit("Collected", coin=COIN, amount=100, foundation=19, managers=1)
    chain.emit("FeesBurned", coin=COIN, spent=30, burned=10)
    assert (decide_collect(chain.network), decide_close(chain.network)) == ([], None), "a pool was just bought in"
    chain.network.tick(chain.time + 600)
    assert (decide_collect(chain.network), decide_close(chain.network)) == ([COIN], None), "what waits is burned first"
    chain.time += 601
    chain.emit("FeesBurned", coin=COIN, spent=50, burned=17)
    assert (decide_collect(chain.network), decide_close(chain.network)) == ([], 0)
    assert decide_post(chain.network) is None
    chain.emit("EpochClosed", epoch=0, work=1, charge=charge, burned=37, minted=37, pooled=0)
    assert (decide_close(chain.network), decide_post(chain.network)) == (None, 0)


def test_accounts__an_anchor_that_is_withheld__waited_for_as_long_as_it_may_be_cancelled(chain: Chain) -> None:
    settled(chain)
    chain.time = GENESIS + 259_201
    chain.emit("EpochClosed", epoch=0, work=1, charge=1, burned=9, minted=9, pooled=0)
    assert decide_post(chain.network) == 0
    anchor = chain.network.lane(MANAGER).anchors[chain.anchors]
    anchor.problem = NOT_SERVED
    term = chain.network.parameters["batch_window"] + chain.network.parameters["answer_window"]
    anchor.sealed_at = chain.network.time - term
    assert decide_post(chain.network) is None
    anchor.sealed_at -= 1
    assert decide_post(chain.network) == 0
    anchor.sealed_at = 0
    assert decide_post(chain.network) is None, "nobody could ask for it yet"
    assert decide_seals(chain.network, MANAGER + 90, 600) == [
        (f"seal:{MANAGER}:{anchor.index}:{anchor.block}", MANAGER)
    ]
    assert decide_seals(chain.network, MANAGER, 600) == [], "its own keeper seals"
    anchor.problem = ""
    assert decide_seals(chain.network, MANAGER + 90, 600), "served or not: else its manager picks a roster for its seed"
    anchor.problem = NOT_SERVED
    assert decide_seals(chain.network, MANAGER + 90, chain.network.time - anchor.timestamp + 1) == []
    chain.time = GENESIS + 2 * 259_200 + 1
    chain.emit("EpochClosed", epoch=1, work=0, charge=0, burned=9, minted=9, pooled=0)
    assert decide_post(chain.network) is None
    anchor.timestamp = GENESIS + 259_201
    assert decide_post(chain.network) == 0, "the epoch before is known"
    anchor.timestamp = GENESIS + 2 * 259_200 + 1
    assert decide_post(chain.network) == 1, "both are"
    anchor.timestamp = GENESIS + 1
    anchor.sealed_at, anchor.problem = chain.network.time, CANCELLED
    assert decide_post(chain.network) == 1, "nothing of it counts"
    assert decide_seals(chain.network, MANAGER + 90, 600) == []


def test_regression_accounts__an_anchor_that_is_withheld__waited_for_though_a_pause_came_between(chain: Chain) -> None:
    """Who asked for it before the pause is answered after it, by the protocol's clock: then accounts without it are false."""
    settled(chain)
    chain.time = GENESIS + 259_201
    chain.emit("EpochClosed", epoch=0, work=1, charge=1, burned=9, minted=9, pooled=0)
    anchor = chain.network.lane(MANAGER).anchors[chain.anchors]
    anchor.problem, anchor.sealed_at = NOT_SERVED, chain.time
    asked_until = anchor.sealed_at + chain.network.parameters["batch_window"]
    chain.time = asked_until + 1
    chain.emit("Paused", until=chain.time + 7 * 86_400)
    over = chain.time + 7 * 86_400 + chain.network.parameters["answer_window"] - 1
    chain.network.tick(over)
    assert decide_post(chain.network) is None
    chain.network.tick(over + 1)
    assert decide_post(chain.network) == 0


def test_accounts__held_up_for_longer_than_a_panel_needs__overtaken(chain: Chain) -> None:
    settled(chain)
    chain.close_epoch(0)
    chain.post_accounts(accounts_data(chain.network, 0))
    objection = object_to_leaf(chain, newest_roots(chain)[0], 1)
    parameters = chain.network.parameters
    term = sum(parameters[name] for name in ("accounts_window", "answer_window", "panel_window"))
    posted_at = chain.network.accounts_roots[0].posted_at
    chain.network.tick(posted_at + term - 1)
    assert decide_post(chain.network) is None
    chain.network.tick(posted_at + term)
    assert decide_post(chain.network) == 0
    objection.status = ObjectionStatus.REJECTED
    assert decide_post(chain.network) is None, "it becomes final"
    objection.status, objection.index = ObjectionStatus.OPEN, 2
    assert decide_post(chain.network) is None, "that is about another one"


def test_accounts__final_after_the_window_then_claims(chain: Chain, interface: Callable[[str], Interface]) -> None:
    settled(chain)
    chain.time = GENESIS + 259_201
    minted = 37 * 10**9
    chain.emit("EpochClosed", epoch=0, work=1, charge=1, burned=minted, minted=minted, pooled=0)
    data = accounts_data(chain.network, 0)
    digest = chain.store(data)
    roots = {"accounts_root": accounts_tree(data).root.hash, "nodes_root": nodes_tree(data).root.hash}
    chain.emit("AccountsPosted", epoch=0, index=1, manager=MANAGER, data=digest, **roots)
    assert decide_post(chain.network) is None
    assert decide_final(chain.network) is None
    chain.wait(86_400)
    chain.network.tick(chain.time)
    root = decide_final(chain.network)
    assert root is not None
    chain.emit("AccountsFinalized", epoch=0)
    assert decide_final(chain.network) is None
    leaves = decide_claims(chain.network, root, data)
    proofs = [flat(nodes_tree(data).proof(leaf.node)) for leaf in leaves]
    assert interface("Accounts").encode("claim_many", [[leaf.model_dump() for leaf in leaves], proofs])
    paid = leaves[-1].node
    assert {leaf.node for leaf in leaves} > set(VERIFIERS) & {leaf.node for leaf in data.nodes}
    chain.emit("Claimed", node=paid, owner="0x", amount=leaves[-1].matured + leaves[-1].vesting)
    assert paid not in {leaf.node for leaf in decide_claims(chain.network, root, data)}


def test_roster__posted_when_it_changed_and_final_after_its_window(chain: Chain) -> None:
    assert decide_roster(chain.network, RosterKind.WORKERS) is None
    chain.emit("PriceChanged", node=2, price=9_000_000)
    leaves = decide_roster(chain.network, RosterKind.WORKERS)
    assert leaves is not None
    assert [leaf.price for leaf in leaves if leaf.node == 2] == [9_000_000]
    assert decide_roster(chain.network, RosterKind.VERIFIERS) is None
    posted = {"kind": 1, "index": 2, "root": bytes(32), "total": 1, "count": 5, "data": bytes(32), "manager": 1}
    chain.emit("RosterPosted", **posted)
    assert decide_roster(chain.network, RosterKind.WORKERS) is None, "one at a time"
    assert decide_roster_final(chain.network, RosterKind.WORKERS) is None
    chain.network.tick(chain.time + 4)
    due = decide_roster_final(chain.network, RosterKind.WORKERS)
    assert due is not None
    assert due.index == 2
    chain.emit("RosterCancelled", kind=1, index=2)
    assert decide_roster(chain.network, RosterKind.WORKERS) is not None


@pytest.mark.parametrize(
    ("event", "args"),
    [
        ("Qualified", {"qualified": False}),
        ("StatusChanged", {"status": int(NodeStatus.FROZEN)}),
        ("StatusChanged", {"status": int(NodeStatus.RETIRED)}),
        ("BenchmarkAttested", {"manager": MANAGER, "ib": 0, "device_class": bytes(32)}),
    ],
)
def test_roster__a_worker_without_stake_standing_or_benchmark__is_not_in_it(
    chain: Chain, event: str, args: dict[str, Any]
) -> None:
    chain.emit(event, node=2, **args)
    leaves = decide_roster(chain.network, RosterKind.WORKERS)
    assert leaves is not None
    assert [leaf.node for leaf in leaves] == [3, 4]
