# SPDX-License-Identifier: Apache-2.0
"""Lies that the contract sees at once, each beside the truth that it does not punish."""

from typing import Any

import boa
import pytest
from eth_utils import keccak

from inferix import trees
from inferix.messages import Order
from inferix.models.anchor import BatchLeaf
from inferix.models.job import task_id
from inferix.models.roles import Outcome
from tests.contracts.disputes.court import NO_ORDER, Batch, Court
from tests.contracts.system import JAILED, MANAGER, Node, acting, advance
from tests.contracts.work.network import batch_leaf, flat, records_of

PROPOSED, FINAL, CANCELLED = 1, 2, 3
SEEN_AFTER = 3_600


def sorted_leaves(*leaves: BatchLeaf) -> list[BatchLeaf]:
    return sorted(leaves, key=lambda leaf: (leaf.task, leaf.attempt))


def leaves(count: int) -> list[BatchLeaf]:
    return sorted_leaves(*(batch_leaf(index) for index in range(count)))


def node(value: trees.Sum) -> tuple[bytes, int]:
    """As the contract takes it."""
    return (value.hash, value.sum)


def false_tree(court: Court, levels: list[list[trees.Sum]], depth: int, index: int, extra: int) -> Batch:
    """Propose a batch whose node at (depth, index) claims `extra` more than its children hold."""
    levels = [list(level) for level in levels]
    wrong = levels[depth][index]
    levels[depth][index] = trees.Sum(wrong.hash, wrong.sum + extra)
    for above in range(depth + 1, len(levels)):
        index >>= 1
        levels[above][index] = trees.parent(levels[above - 1][2 * index], levels[above - 1][2 * index + 1])
    tree = trees.Tree([])
    tree.levels = levels
    charge, work = trees.split(tree.root.sum)
    batch = court.batch(leaves(8), root=tree.root.hash, charge=charge, work=work)
    return Batch(batch.header, batch.leaves, tree)


def prove_sum(court: Court, batch: Batch, depth: int, index: int) -> None:
    below = batch.tree.levels[depth - 1]
    proof = [level[(index >> height) ^ 1] for height, level in enumerate(batch.tree.levels[depth:-1])]
    court.disputes.prove_wrong_sum(
        batch.header.values(), node(below[2 * index]), node(below[2 * index + 1]), index, flat(proof)
    )


@pytest.mark.parametrize(("depth", "index"), [(1, 0), (1, 3), (2, 1), (3, 0)])
@pytest.mark.parametrize("extra", [trees.lanes(10**9, 0), trees.lanes(0, 5), -trees.lanes(50, 0)])
def test_a_wrong_sum(court: Court, depth: int, index: int, extra: int) -> None:
    levels = trees.Tree([trees.batch_leaf(leaf) for leaf in leaves(8)]).levels
    batch = false_tree(court, levels, depth, index, extra)
    stake = court.staking.bonded(court.keeper.id)
    with acting(court.challenger):
        prove_sum(court, batch, depth, index)
    assert court.status(batch) == CANCELLED
    assert court.staking.bonded(court.keeper.id) < stake
    assert court.registry.node(court.keeper.id).status == JAILED


def test_attack_lanes_that_run_into_each_other_are_a_wrong_sum(court: Court) -> None:
    """Two leaves claim so much work that it carries into the charge, where no node above shows it."""
    levels = trees.Tree([trees.batch_leaf(leaf) for leaf in leaves(8)]).levels
    pair = [trees.Sum(leaf.hash, leaf.sum + 2**127) for leaf in levels[0][:2]]
    levels[0][:2] = pair
    both = b"".join(each.hash + each.sum.to_bytes(32, "big") for each in pair)
    levels[1][0] = trees.Sum(keccak(both), sum(each.sum for each in pair))
    batch = false_tree(court, levels, 1, 0, 0)
    prove_sum(court, batch, 1, 0)
    assert court.status(batch) == CANCELLED


def test_a_right_sum_is_no_lie(court: Court) -> None:
    batch = court.batch(leaves(8))
    for depth, index in [(1, 0), (1, 3), (2, 1), (3, 0)]:
        with boa.reverts("Disputes: the sum is right"):
            prove_sum(court, batch, depth, index)


def test_made_up_children_are_no_proof(court: Court) -> None:
    batch = court.batch(leaves(8))
    below = batch.tree.levels[0]
    proof = flat([batch.tree.levels[1][1], batch.tree.levels[2][1]])
    with boa.reverts("Disputes: no such node"):
        court.disputes.prove_wrong_sum(batch.header.values(), node(below[0]), (below[1].hash, 0), 0, proof)
    with boa.reverts("Disputes: siblings over the total"):
        big = [proof[0], (2**255).to_bytes(32, "big")]
        court.disputes.prove_wrong_sum(batch.header.values(), node(below[0]), node(below[1]), 0, big)


def test_the_highest_wrong_sum_is_shown_first(court: Court) -> None:
    levels = trees.Tree([trees.batch_leaf(leaf) for leaf in leaves(8)]).levels
    batch = false_tree(court, levels, 1, 0, trees.lanes(7, 0))
    batch = false_tree(court, batch.tree.levels, 2, 0, trees.lanes(9, 0))
    with boa.reverts("Disputes: no such node"):
        prove_sum(court, batch, 1, 0)
    prove_sum(court, batch, 2, 0)
    assert court.status(batch) == CANCELLED


def duplicate(court: Court, a: tuple[Any, ...], b: tuple[Any, ...]) -> None:
    court.disputes.prove_duplicate(a, b, NO_ORDER, 0)


def test_an_attempt_twice_in_a_batch(court: Court) -> None:
    twin = batch_leaf(1)
    batch = court.batch(sorted_leaves(twin, twin, batch_leaf(2)))
    at = batch.leaves.index(twin)
    with boa.reverts("Disputes: not two leaves in order"):
        duplicate(court, batch.item(at), batch.item(at))
    duplicate(court, batch.item(at), batch.item(at + 1))
    assert court.status(batch) == CANCELLED


def test_a_task_accepted_twice_in_a_batch(court: Court) -> None:
    batch = court.batch([batch_leaf(1), batch_leaf(1, attempt=1)])
    duplicate(court, batch.item(0), batch.item(1))
    assert court.status(batch) == CANCELLED


def test_a_task_tried_twice_is_no_lie(court: Court) -> None:
    batch = court.batch([batch_leaf(1, outcome=Outcome.REJECTED), batch_leaf(1, attempt=1)])
    with boa.reverts("Disputes: no duplicate"):
        duplicate(court, batch.item(0), batch.item(1))


def test_leaves_out_of_order_hide_duplicates(court: Court) -> None:
    batch = court.batch(leaves(3)[::-1])
    duplicate(court, batch.item(0), batch.item(1))
    assert court.status(batch) == CANCELLED


def test_leaves_in_order_are_no_lie(court: Court) -> None:
    batch = court.batch(leaves(3))
    with boa.reverts("Disputes: no duplicate"):
        duplicate(court, batch.item(0), batch.item(2))


@pytest.mark.parametrize("swapped", [False, True])
def test_a_task_in_two_batches_of_a_lane(court: Court, swapped: bool) -> None:
    first = court.batch([batch_leaf(1)])
    second = court.batch([batch_leaf(1, attempt=1)])
    pair = (second, first) if swapped else (first, second)
    duplicate(court, pair[0].item(0), pair[1].item(0))
    assert (court.status(first), court.status(second)) == (PROPOSED, CANCELLED)


def test_a_final_batch_shows_the_duplicate(court: Court) -> None:
    first = court.make_final(court.batch([batch_leaf(1)]))
    second = court.batch([batch_leaf(1)])
    duplicate(court, first.item(0), second.item(0))
    assert (court.status(first), court.status(second)) == (FINAL, CANCELLED)


def test_two_final_batches_are_closed(court: Court) -> None:
    first = court.make_final(court.batch([batch_leaf(1)]))
    second = court.make_final(court.batch([batch_leaf(1)]))
    with boa.reverts("Batches: not proposed"):
        duplicate(court, first.item(0), second.item(0))


def test_a_cancelled_batch_repeats_nothing(court: Court) -> None:
    twin = batch_leaf(1)
    false = court.batch([twin, twin])
    duplicate(court, false.item(0), false.item(1))
    court.set_active(court.keeper)
    again = court.batch([twin])
    with boa.reverts("Disputes: batch cancelled"):
        duplicate(court, false.item(0), again.item(0))


def order_of(court: Court, manager: Node, **changes: Any) -> Order:
    fields = {
        "account": court.account, "nonce": 1, "manager": manager.id, "spec": bytes(32), "cap": 10**9, "price": 10**8,
        "attempts": 3, "deadline": 2**39, "post_by": 2**39,
    }  # fmt: skip
    return Order(**(fields | changes))


def values(order: Order) -> tuple[Any, ...]:
    return tuple(getattr(order, name) for name in Order.model_fields)


def leaf_of(court: Court, order: Order, **changes: Any) -> BatchLeaf:
    fields = {"task": task_id(order.digest(court.domain), 4), "account": court.account, "charge": 10**8, "work": 10**9}
    return batch_leaf(1, **(fields | changes))


@pytest.mark.parametrize("stolen_first", [True, False])
def test_a_copied_leaf_convicts_the_copy(court: Court, stolen_first: bool) -> None:
    """Whoever proposes somebody else's task is the liar, even when it was first."""
    order = order_of(court, court.keeper)
    leaf = leaf_of(court, order)
    for manager in [court.other_keeper, court.keeper] if stolen_first else [court.keeper, court.other_keeper]:
        batch = court.batch([leaf], manager)
        if manager is court.keeper:
            own = batch
        else:
            copy = batch
        advance(1)
    with boa.reverts("Disputes: not a task of this order"):
        court.disputes.prove_duplicate(own.item(0), copy.item(0), values(order), 5)
    court.disputes.prove_duplicate(own.item(0), copy.item(0), values(order), 4)
    assert (court.status(own), court.status(copy)) == (PROPOSED, CANCELLED)


def test_a_copied_leaf_shown_the_other_way_round(court: Court) -> None:
    order = order_of(court, court.keeper)
    copy, own = court.batch([leaf_of(court, order)], court.other_keeper), court.batch([leaf_of(court, order)])
    court.disputes.prove_duplicate(copy.item(0), own.item(0), values(order), 4)
    assert (court.status(own), court.status(copy)) == (PROPOSED, CANCELLED)


def taken_over(court: Court) -> tuple[Order, BatchLeaf, BatchLeaf]:
    """An order whose job was taken over; a leaf of the attempt as the first lane had it in time, and as the taker has it."""
    order = order_of(court, court.keeper)
    court.seal_anchor(court.other_keeper)
    court.take_over(order.digest(court.domain), court.keeper, court.other_keeper)
    after = court.seal_anchor(court.other_keeper)
    return order, leaf_of(court, order, anchor=court.anchor_index), leaf_of(court, order, anchor=after)


def test_attack_a_take_over_declared_for_a_manager_that_anchors_switches_no_proof_off(court: Court) -> None:
    order = order_of(court, court.keeper)
    job = order.digest(court.domain)
    with acting(court.other_keeper.operator):
        court.orders.call_out(court.keeper.id, court.other_keeper.id)
    court.seal_anchor(court.keeper)
    advance(court.window("takeover_after"))
    with acting(court.other_keeper.operator), boa.reverts("Orders: not called out"):
        court.orders.take_over(job, court.keeper.id, court.other_keeper.id)
    own, copy = court.batch([leaf_of(court, order)]), court.batch([leaf_of(court, order)], court.other_keeper)
    court.disputes.prove_duplicate(own.item(0), copy.item(0), values(order), 4)
    assert (court.status(own), court.status(copy)) == (PROPOSED, CANCELLED)


def test_after_a_take_over_each_lane_keeps_its_own_attempts_whenever_it_proposes_them(court: Court) -> None:
    order, early, late = taken_over(court)
    advance(86_400)
    first = court.batch([early])
    second = court.batch(
        [late.model_copy(update={"attempt": 1, "task": task_id(order.digest(court.domain), 5)})], court.other_keeper
    )
    with boa.reverts("Disputes: as ordered"):
        court.disputes.prove_order(*first.item(0), values(order), 4)
    with boa.reverts("Disputes: as ordered"):
        court.disputes.prove_order(*second.item(0), values(order), 5)


@pytest.mark.parametrize("who", ["a stranger", "the taker, of before", "the first manager, of after"])
def test_attack_after_a_take_over_a_leaf_of_another_lane_falls_alone_and_beside_its_twin(
    court: Court, who: str
) -> None:
    order, early, late = taken_over(court)
    stranger = court.bonded(MANAGER, times=4)
    liar, leaf, owner, twin = {
        "a stranger": (stranger, late, court.other_keeper, late),
        "the taker, of before": (court.other_keeper, early.model_copy(update={"anchor": 1}), court.keeper, early),
        "the first manager, of after": (
            court.keeper, early.model_copy(update={"anchor": early.anchor + 1}), court.other_keeper, late,
        ),
    }[who]  # fmt: skip
    false, true = court.batch([leaf], liar), court.batch([twin], owner)
    with boa.env.anchor():
        court.disputes.prove_order(*false.item(0), values(order), 4)
        assert court.status(false) == CANCELLED
    for pair in ((true, false), (false, true)):
        with boa.env.anchor():
            court.disputes.prove_duplicate(pair[0].item(0), pair[1].item(0), values(order), 4)
            assert (court.status(true), court.status(false)) == (PROPOSED, CANCELLED)


@pytest.mark.parametrize("taker_first", [True, False])
def test_attack_both_lanes_of_a_job_taken_over_charge_it_and_the_one_that_has_seen_the_other_falls(
    court: Court, taker_first: bool
) -> None:
    order, early, late = taken_over(court)
    sides = [(early, court.keeper), (late, court.other_keeper)]
    (one, other) = reversed(sides) if taker_first else sides
    first = court.batch([one[0]], one[1])
    advance(SEEN_AFTER - 1)
    crossing = court.batch([other[0]], other[1])
    with boa.reverts("Disputes: proposed together, dispute the votes"):
        court.disputes.prove_duplicate(first.item(0), crossing.item(0), values(order), 4)
    advance(1)
    later = court.batch([other[0].model_copy(update={"charge": 1})], other[1])
    court.disputes.prove_duplicate(later.item(0), first.item(0), values(order), 4)
    assert [court.status(batch) for batch in (first, crossing, later)] == [PROPOSED, PROPOSED, CANCELLED]


@pytest.mark.parametrize(
    "changes",
    [
        {"account": 99},
        {"attempt": 4},
        {"charge": 10**9 + 1, "work": 10**12},
        {"charge": 10**8 + 1},
    ],
)
def test_a_leaf_against_its_order(court: Court, changes: dict[str, int]) -> None:
    order = order_of(court, court.keeper)
    batch = court.batch([leaf_of(court, order, **changes)])
    with boa.reverts("Disputes: not a task of this order"):
        court.disputes.prove_order(*batch.item(0), values(order_of(court, court.keeper, nonce=2)), 4)
    court.disputes.prove_order(*batch.item(0), values(order), 4)
    assert court.status(batch) == CANCELLED


@pytest.mark.parametrize("changes", [{}, {"attempt": 3}, {"charge": 1}, {"outcome": Outcome.CLIENT_FAULT, "work": 0}])
def test_a_leaf_as_ordered(court: Court, changes: dict[str, int]) -> None:
    order = order_of(court, court.keeper)
    batch = court.batch([leaf_of(court, order, **changes)])
    with boa.reverts("Disputes: as ordered"):
        court.disputes.prove_order(*batch.item(0), values(order), 4)


def test_an_order_without_attempts_has_no_leaf(court: Court) -> None:
    """One attempt more than ordered may be a canary's; of none there is none."""
    order = order_of(court, court.keeper, attempts=0)
    batch = court.batch([leaf_of(court, order)])
    court.disputes.prove_order(*batch.item(0), values(order), 4)
    assert court.status(batch) == CANCELLED


def test_attack_a_charge_in_another_coin_is_not_taken_out_of_its_pool(court: Court) -> None:
    order = order_of(court, court.keeper)
    with acting(court.governor):
        court.ifx_dollar.add_coin(court.ifx, 10**12)
    for coin in (2, 3):
        with boa.env.anchor():
            batch = court.batch([leaf_of(court, order)], coin=coin)
            court.disputes.prove_order(*batch.item(0), values(order), 4)
            assert court.status(batch) == CANCELLED
    honest = court.batch([leaf_of(court, order)], coin=1)
    with boa.reverts("Disputes: as ordered"):
        court.disputes.prove_order(*honest.item(0), values(order), 4)


def test_somebody_elses_task(court: Court) -> None:
    order = order_of(court, court.keeper)
    batch = court.batch([leaf_of(court, order)], court.other_keeper)
    court.disputes.prove_order(*batch.item(0), values(order), 4)
    assert court.status(batch) == CANCELLED


@pytest.mark.parametrize(
    "changes", [{"node": 6}, {"charge": 101}, {"outcome": Outcome.CLIENT_FAULT}, {"task": bytes(32)}]
)
def test_twelve_bytes_that_differ(court: Court, changes: dict[str, Any]) -> None:
    batch = court.batch(leaves(3))
    posted = [*batch.leaves[:2], batch.leaves[2].model_copy(update=changes)]
    records = records_of(posted)
    header = court.header(court.keeper, batch.leaves, records=keccak(records))
    with acting(court.keeper.operator):
        court.batches.propose(header.values(), records)
    false = Batch(header, batch.leaves, batch.tree)
    with boa.reverts("Disputes: the record is right"):
        court.disputes.prove_record(header.values(), records, *false.item(1)[1:])
    with boa.reverts("Disputes: not the records of the batch"):
        court.disputes.prove_record(header.values(), records_of(batch.leaves), *false.item(2)[1:])
    court.disputes.prove_record(header.values(), records, *false.item(2)[1:])
    assert court.status(false) == CANCELLED
    assert court.status(batch) == PROPOSED


def test_a_final_batch_is_closed(court: Court) -> None:
    batch = court.make_final(court.batch(leaves(2)))
    with boa.reverts("Disputes: batch not proposed"):
        prove_sum(court, batch, 1, 0)
    with boa.reverts("Disputes: batch not proposed"):
        court.disputes.prove_record(batch.header.values(), records_of(batch.leaves), *batch.item(0)[1:])


def test_a_reporter_never_gets_more_than_is_burned(court: Court) -> None:
    batch = court.batch([batch_leaf(1), batch_leaf(1)])
    stake, supply = court.staking.bonded(court.keeper.id), court.ifx.totalSupply()
    balance = court.ifx.balanceOf(court.challenger.address)
    with acting(court.challenger):
        duplicate(court, batch.item(0), batch.item(1))
    lost = stake - court.staking.bonded(court.keeper.id)
    burned, reward = supply - court.ifx.totalSupply(), court.ifx.balanceOf(court.challenger.address) - balance
    assert 0 < reward <= court.bond() // 2 <= burned
    assert burned >= lost // 2
