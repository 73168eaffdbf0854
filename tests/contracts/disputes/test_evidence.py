# SPDX-License-Identifier: Apache-2.0
"""What a leaf rests on beside its votes: the client's order, and the receipt in the first anchor that has it."""

from itertools import count
from typing import Any

import boa
import pytest
from eth_utils import keccak

from inferix import trees
from inferix.canaries import commitment
from inferix.messages import Order, compact
from inferix.models.job import task_id
from inferix.models.roles import Outcome
from tests.contracts.disputes.court import ASSEMBLE, NEEDED, PRICE, Ballot, Batch, Court, Place, earlier
from tests.contracts.disputes.test_votes import ANSWERED, CANCELLED, PROPOSED, answer, disputed, expire, status
from tests.contracts.disputes.worker import delivered, fund
from tests.contracts.system import JAILED, Node, acting, advance

IBM = 10**9


def stands(court: Court, ballot: Ballot) -> None:
    """Its votes are asked for, and this answers."""
    batch = disputed(court, ballot)
    answer(court, ballot, batch)
    assert status(court, batch) == ANSWERED


def falls(court: Court, ballot: Ballot, reason: str) -> None:
    """Its votes are asked for, and this is no answer."""
    batch = disputed(court, ballot)
    with boa.reverts(reason):
        answer(court, ballot, batch)


@pytest.mark.parametrize(("index", "own"), [(0, NEEDED), (ASSEMBLE, 1)])
def test_attack_a_manager_invents_a_task_that_seats_its_own_verifiers(court: Court, index: int, own: int) -> None:
    """It knows the seed, looks for an order whose task draws its friends first, and signs it in the client's place."""
    friends, worker, thief = court.verifiers[:own], court.workers[0], court.fresh_key("thief")
    orders = (court.ordered(f"invented {at}") for at in count())
    order = next(each for each in orders if drawn_first(court, each, index, own, worker) == {n.id for n in friends})
    ballot = court.ballot("invented", order=order, index=index, voters=friends, anchor=court.anchor_index)
    ballot.order = court.record(order, thief)
    batch = disputed(court, ballot)
    with boa.env.anchor(), boa.reverts("Committees: not signed by the account's owner"):
        answer(court, ballot, batch)
    ballot.order = court.record(court.ordered("a real one"))
    with boa.env.anchor(), boa.reverts("Committees: not a task of this order"):
        answer(court, ballot, batch)
    stake = court.staking.bonded(court.keeper.id)
    expire(court, batch)
    assert court.status(batch) == CANCELLED
    assert court.staking.bonded(court.keeper.id) < stake
    assert court.registry.node(court.keeper.id).status == JAILED


def drawn_first(court: Court, order: Order, index: int, own: int, worker: Node) -> set[int]:
    task = task_id(order.digest(court.domain), index)
    return {node.id for node in court.drawn(task, 0, worker, seats=own)}


# -- the order


@pytest.mark.parametrize(
    ("ordered", "reason"),
    [
        ({"account": 2}, "Committees: not as ordered"),
        ({"attempts": 0}, "Committees: not as ordered"),
        ({"cap": 10**6 - 1}, "Committees: not as ordered"),
        ({"price": 10**6 - 1}, "Committees: not as ordered"),
    ],
)
def test_a_leaf_beyond_its_order_has_no_answer(court: Court, ordered: dict[str, int], reason: str) -> None:
    falls(court, court.ballot(order=court.ordered("small", **ordered)), reason)
    stands(court, court.ballot(order=court.ordered("just", cap=10**6, price=10**6, attempts=1)))


def test_a_fault_of_the_client_is_charged_up_to_the_cap_alone(court: Court) -> None:
    stands(court, court.ballot(order=court.ordered("cheap", price=1), outcome=Outcome.CLIENT_FAULT))
    small = court.ordered("small", price=1, cap=10**6 - 1)
    falls(court, court.ballot(order=small, outcome=Outcome.CLIENT_FAULT), "Committees: not as ordered")


def test_an_order_that_another_signed_has_no_answer(court: Court) -> None:
    ballot = court.ballot()
    order = court.ordered("task")
    batch = disputed(court, ballot)
    other = court.fresh_key("another client")
    for record, reason in [
        (court.record(order, other), "Committees: not signed by the account's owner"),
        (court.record(order.model_copy(update={"nonce": 8})), "Committees: not a task of this order"),
        (court.record(order)[:-1], "Committees: length of the order"),
    ]:
        ballot.order = record
        with boa.reverts(reason):
            answer(court, ballot, batch)
    ballot.order = court.record(order)
    answer(court, ballot, batch)


def test_an_order_of_another_account_has_no_answer(court: Court) -> None:
    """Signed by its own owner, and charged to somebody else."""
    thief = court.fresh_key("thief")
    account = court.top_up(thief, 10**9)
    order = court.ordered("the thief's", account=account)
    ballot = court.ballot(order=order)
    ballot.order = court.record(order, thief)
    falls(court, ballot, "Committees: not signed by the account's owner")
    own = court.ballot(order=order, account=account)
    own.order = court.record(order, thief)
    stands(court, own)


def test_an_order_of_another_lane_has_no_answer_until_it_is_taken_over(court: Court) -> None:
    order = court.ordered("elsewhere", manager=court.other_keeper.id)
    before = court.ballot(order=order)
    falls(court, before, "Committees: not the attempt's lane")
    court.take_over(order.digest(court.domain), court.other_keeper, court.keeper)
    court.receive(court.receipt_of(before.leaf), anew=True)
    stands(court, court.ballot(order=order))
    falls(court, before, "Committees: not the attempt's lane")


def test_a_task_of_another_place_in_its_job_has_no_answer(court: Court) -> None:
    ballot = court.ballot(index=3)
    ballot.index = 4
    batch = disputed(court, ballot)
    with boa.reverts("Committees: not a task of this order"):
        answer(court, ballot, batch)
    ballot.index = 3
    answer(court, ballot, batch)


# -- the receipt


def test_a_receipt_that_is_not_in_the_anchor_has_no_answer(court: Court) -> None:
    ballot = court.ballot()
    batch = disputed(court, ballot)
    hash_, at, proof = right = ballot.place
    wrong: list[Place] = [
        (bytes(32), at, proof),
        (hash_, at + 1, proof),
        (hash_, at, [keccak(text="a sibling"), *proof[1:]]),
        (hash_, 0, []),
        court.ballot("other").place,
    ]
    for place in wrong:
        ballot.place = place
        with boa.reverts("Committees: receipt not in the anchor"):
            answer(court, ballot, batch)
    ballot.place = right
    answer(court, ballot, batch)


def test_a_receipt_that_another_worker_signed_has_no_answer(court: Court) -> None:
    ballot = court.ballot()
    right, batch = ballot.receipt, disputed(court, ballot)
    for who in (court.workers[1].operator, court.verifiers[0].operator, court.challenger):
        ballot.receipt = compact(court.receipt_of(ballot.leaf).sign(court.domain, bytes(who.key)))
        with boa.reverts("Committees: not signed by the worker"):
            answer(court, ballot, batch)
    ballot.receipt = right
    answer(court, ballot, batch)


def test_work_given_to_another_worker_has_no_answer(court: Court) -> None:
    """The votes do not say whose work it was; the receipt does."""
    falls(court, court.ballot(node=court.workers[1].id), "Committees: not signed by the worker")
    falls(court, court.ballot("nobody's", node=0), "Committees: not signed by the worker")


def test_a_receipt_alone_in_its_anchor_is_shown_by_an_empty_proof(court: Court) -> None:
    receipt = court.receipt_of(court.ballot().leaf)
    index, place = court.anchor_over(receipt.digest(court.domain), court.keeper, beside=0)
    assert place[1:] == (0, [])
    voters = drawn_by(court, index, receipt.task)
    ballot = court.ballot(voters=voters, anchor=index)
    ballot.place = place
    batch = disputed(court, ballot)
    ballot.place = (place[0], 1, [])
    with boa.reverts("merkle_sum: index outside the tree"):
        answer(court, ballot, batch)
    ballot.place = place
    answer(court, ballot, batch)


def drawn_by(court: Court, anchor: int, task: bytes) -> list[Node]:
    """The first of the committee that this anchor's seed draws for attempt 0 of the first worker."""
    kept, court.received, court.anchor_index = court.received, {}, anchor
    voters = court.drawn(task, 0, court.workers[0])[:NEEDED]
    court.received = kept
    return voters


def test_an_anchor_that_was_not_served_gives_no_receipt(court: Court) -> None:
    ballot = court.ballot()
    cancel(court, ballot)
    falls(court, ballot, "Committees: receipt not in the anchor")
    stands(court, court.ballot("in another anchor"))


def cancel(court: Court, ballot: Ballot) -> None:
    """The data of the ballot's anchor are asked for, and nobody has them."""
    name = (1, court.keeper.id, ballot.leaf.anchor, root_of(court, ballot))
    with acting(court.challenger):
        court.availability.challenge(name, 0, 0, ballot.place[0])
    advance(court.window("answer_window") + 1)
    court.availability.expire(name, 0)
    court.set_active(court.keeper)


def root_of(court: Court, ballot: Ballot) -> bytes:
    """Of the anchor that the ballot's receipt is in."""
    _, at, proof = ballot.place
    node = trees.message_leaf(court.receipt_of(ballot.leaf).digest(court.domain))
    for height in range(len(proof) // 2):
        beside = trees.Sum(proof[2 * height], int.from_bytes(proof[2 * height + 1], "big"))
        node = trees.parent(beside, node) if at >> height & 1 else trees.parent(node, beside)
    return node.hash


# -- canaries

SALT = keccak(text="salt")


def committed(court: Court, name: str, *, is_canary: bool, **fields: Any) -> Ballot:
    """A leaf whose receipt commits to a canary, or to none."""
    task = task_id(court.ordered(name).digest(court.domain), 0)
    attempt = fields.get("attempt", 0)
    sealed = commitment(task, attempt, court.workers[0].id, is_canary, SALT)
    return court.ballot(name, canary=sealed, **fields)


def test_a_receipt_that_commits_is_shown_with_what_opens_it(court: Court) -> None:
    ballot = committed(court, "no canary", is_canary=False)
    batch = disputed(court, ballot)
    for wrong in (bytes(32), keccak(text="another salt")):
        ballot.salt = wrong
        with boa.reverts("Committees: not shown to be no canary"):
            answer(court, ballot, batch)
    ballot.salt, ballot.canary = SALT, bytes(32)
    with boa.reverts("Committees: not signed by the worker"):
        answer(court, ballot, batch)
    ballot.canary = committed(court, "no canary", is_canary=False).canary
    answer(court, ballot, batch)


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.CLIENT_FAULT])
def test_a_canary_is_charged_to_nobody_whatever_its_votes_say(court: Court, outcome: Outcome) -> None:
    ballot = committed(court, "canary", is_canary=True, outcome=outcome)
    ballot.salt = SALT
    falls(court, ballot, "Committees: not shown to be no canary")
    honest = committed(court, "honest", is_canary=False, outcome=outcome)
    honest.salt = SALT
    stands(court, honest)


def test_who_opens_nothing_saves_no_cheat(court: Court) -> None:
    stands(court, committed(court, "unopened", is_canary=False, outcome=Outcome.REJECTED))


def test_an_opening_is_of_one_attempt_and_worker(court: Court) -> None:
    task = task_id(court.ordered("moved").digest(court.domain), 0)
    for attempt, worker in ((1, court.workers[0]), (0, court.workers[1])):
        ballot = court.ballot("moved", canary=commitment(task, attempt, worker.id, False, SALT))
        ballot.salt = SALT
        falls(court, ballot, "Committees: not shown to be no canary")


def test_an_attempt_more_than_ordered_may_be_after_a_canary(court: Court) -> None:
    order = court.ordered("three")
    stands(court, court.ballot("three", order=order, attempt=order.attempts))
    falls(court, court.ballot("three", order=order, attempt=order.attempts + 1), "Committees: not as ordered")


def test_an_earlier_receipt_is_shown_with_what_it_commits_to(court: Court) -> None:
    first = committed(court, "task", is_canary=False)
    court.receive(court.receipt_of(first.leaf, canary=first.canary), anew=True)
    batch = court.batch([committed(court, "task", is_canary=False).leaf])
    with acting(court.challenger):
        with boa.reverts("Disputes: no earlier receipt"):
            court.disputes.prove_anchor(batch.item(0), first.leaf.anchor, earlier(first.leaf.result, first.place))
        shown = earlier(first.leaf.result, first.place, first.canary)
        court.disputes.prove_anchor(batch.item(0), first.leaf.anchor, shown)
    assert court.status(batch) == CANCELLED


# -- the first anchor


def anchored_twice(court: Court, **changes: Any) -> tuple[Ballot, Batch]:
    """An attempt as its first anchor had it, and a batch whose leaf names the second."""
    first = court.ballot()
    court.receive(court.receipt_of(first.leaf, **changes), anew=True)
    return first, court.batch([court.ballot().leaf])


def prove(court: Court, batch: Batch, first: Ballot) -> None:
    with acting(court.challenger):
        court.disputes.prove_anchor(
            batch.item(0), first.leaf.anchor, earlier(first.leaf.result, first.place, first.canary)
        )


def test_a_receipt_counts_at_its_first_anchor(court: Court) -> None:
    """The manager waited for a seed that it likes better."""
    first, batch = anchored_twice(court)
    stake = court.staking.bonded(court.keeper.id)
    later = court.batch([court.ballot("after it").leaf])
    prove(court, batch, first)
    assert court.status(batch) == court.status(later) == CANCELLED
    assert court.staking.bonded(court.keeper.id) < stake
    assert court.registry.node(court.keeper.id).status == JAILED
    with boa.reverts("Disputes: batch cancelled"):
        prove(court, batch, first)


def test_another_result_of_the_attempt_is_no_way_to_a_later_seed(court: Court) -> None:
    first = court.ballot()
    second = court.receipt_of(first.leaf, result=keccak(text="the same, rendered anew"))
    anchor, _ = court.receive(second)
    batch = court.batch([first.leaf.model_copy(update={"result": second.result, "anchor": anchor})])
    prove(court, batch, first)
    assert court.status(batch) == CANCELLED


def test_what_is_no_earlier_receipt_proves_nothing(court: Court) -> None:
    ballot = court.ballot()
    batch, leaf = court.batch([ballot.leaf]), ballot.leaf
    other_attempt = court.receive(court.receipt_of(leaf, attempt=1))
    other_node = court.receive(court.receipt_of(leaf, node=court.workers[1].id))
    elsewhere = court.receive(court.receipt_of(leaf), court.other_keeper)
    later = court.receive(court.receipt_of(leaf), anew=True)
    named = court.batch([court.ballot("newest").leaf.model_copy(update={"anchor": later[0] + 1})])
    at_last = [(leaf.anchor, ballot.place), later]
    beyond = [other_attempt, other_node, elsewhere, (1, ballot.place), (99, ballot.place)]
    with acting(court.challenger):
        for anchor, place in at_last:
            with boa.reverts("Disputes: no earlier receipt"):
                court.disputes.prove_anchor(batch.item(0), anchor, earlier(leaf.result, place))
        for anchor, place in [*beyond, later]:
            with boa.reverts("Disputes: no earlier receipt"):
                court.disputes.prove_anchor(named.item(0), anchor, earlier(leaf.result, place))
    assert court.status(batch) == court.status(named) == PROPOSED


def test_only_a_leaf_of_the_batch_is_proven_against(court: Court) -> None:
    first, batch = anchored_twice(court)
    stranger = Batch(batch.header, [court.ballot("stranger").leaf], batch.tree)
    with boa.reverts("Disputes: no such leaf"):
        prove(court, stranger, first)


def test_an_earlier_anchor_that_was_not_served_proves_nothing(court: Court) -> None:
    """Its messages do not count: the receipt's first anchor is the next one."""
    first, batch = anchored_twice(court)
    with boa.env.anchor():
        prove(court, batch, first)
    cancel(court, first)
    with boa.reverts("Disputes: no earlier receipt"):
        prove(court, batch, first)


def test_a_final_batch_is_past_this_proof(court: Court) -> None:
    first, batch = anchored_twice(court)
    court.make_final(batch)
    with boa.reverts("Batches: not proposed"):
        prove(court, batch, first)


def test_a_batch_that_stands_alone_falls_by_it_without_a_fine(court: Court) -> None:
    """What lies in the lane is its manager's doing: its worker could else be fined for what it cannot know."""
    worker = court.workers[0]
    fund(court, worker.owner)
    case = delivered(court)
    first = court.ballot("delivered", order=case.order)
    case.ballot.place, anchor = first.place, first.leaf.anchor
    later, place = court.receive(court.receipt_of(case.leaf), anew=True)
    case.ballot = court.ballot("delivered", order=case.order)
    assert (case.leaf.anchor, case.ballot.place) == (later, place)
    advance(86_400)
    before = court.ifx.balanceOf(worker.owner.address)
    batch = case.propose()
    with acting(court.challenger):
        court.disputes.prove_anchor(batch.item(0), anchor, earlier(case.leaf.result, first.place))
    assert court.status(batch) == CANCELLED
    assert court.ifx.balanceOf(worker.owner.address) == before
    assert court.registry.node(court.keeper.id).status != JAILED


def test_the_charge_of_accepted_work_is_its_price_at_most(court: Court) -> None:
    falls(court, court.ballot(charge=PRICE + 1), "Committees: not as ordered")
    stands(court, court.ballot("all of it", charge=PRICE, work=IBM))
