# SPDX-License-Identifier: Apache-2.0
"""Disputes about the data of anchors, rosters and accounts: 64 leaves posted in time, or the root falls."""

from collections.abc import Callable

import boa
import pytest
from eth_utils import keccak

from inferix import trees
from inferix.messages import Receipt
from tests.contracts.disputes.court import Court
from tests.contracts.disputes.shown import (
    ANCHOR,
    Shown,
    accounted,
    anchored,
    answer,
    challenge,
    message_values,
    rostered,
)
from tests.contracts.system import DAY, IFX, JAILED, VERIFIER, acting, advance
from tests.contracts.work.network import flat

OPEN, ANSWERED, UPHELD, DROPPED = 1, 2, 3, 4
FINE_BPS = 2_000

Make = Callable[[Court], Shown]
MADE: dict[str, Make] = {
    "anchor": lambda court: anchored(court, 70),
    "roster": lambda court: rostered(court, [*range(1, 60), 70, 130]),
    "accounts": lambda court: accounted(court, reserved={70: 3, 150: 7})[0],
    "nodes": lambda court: accounted(court, nodes=[3, 90])[1],
}
every = pytest.mark.parametrize("make", MADE.values(), ids=MADE.keys())


def status(court: Court, shown: Shown, chunk: int = 0) -> int:
    return int(court.availability.dispute(court.availability.dispute_id(shown.root(), chunk)).status)


def waits(court: Court, shown: Shown) -> bool:
    """Whether the root stands as it did."""
    if shown.kind == ANCHOR:
        return not court.availability.is_cancelled(shown.of, shown.index, shown.tree.root.hash)
    pending = court.rosters.pending(2) if shown.of else court.accounts.pending()
    return bool(pending.index == shown.index)


def expire(court: Court, shown: Shown, chunk: int = 0) -> None:
    advance(court.window("answer_window") + 1)
    court.availability.expire(shown.root(), chunk)


@every
def test_what_is_served_stands_and_the_bond_is_lost(court: Court, make: Make) -> None:
    shown = make(court)
    before, won = court.ifx.balanceOf(court.challenger.address), court.ifx.balanceOf(court.keeper.owner.address)
    supply = court.ifx.totalSupply()
    challenge(court, shown, 1)
    bond = before - court.ifx.balanceOf(court.challenger.address)
    assert bond >= court.bond()
    answer(court, shown, 1)
    assert status(court, shown, 1) == ANSWERED
    assert waits(court, shown)
    assert court.ifx.balanceOf(court.challenger.address) == before - bond
    assert court.ifx.balanceOf(court.keeper.owner.address) - won == bond // 2
    assert supply - court.ifx.totalSupply() == bond - bond // 2
    with boa.reverts("Disputes: disputed before"):
        challenge(court, shown, 1)
    with boa.reverts("Disputes: not open"):
        answer(court, shown, 1)


@every
def test_what_is_not_served_falls_and_its_proposer_is_punished(court: Court, make: Make) -> None:
    shown, keeper = make(court), court.keeper
    before, stake = court.ifx.balanceOf(court.challenger.address), court.staking.bonded(keeper.id)
    challenge(court, shown, 1)
    with boa.reverts("Availability: answer window open"):
        court.availability.expire(shown.root(), 1)
    advance(court.window("answer_window") + 1)
    with boa.reverts("Disputes: too late to answer"):
        answer(court, shown, 1)
    bond = court.bond()
    court.availability.expire(shown.root(), 1)
    assert status(court, shown, 1) == UPHELD
    assert not waits(court, shown)
    assert court.registry.node(keeper.id).status == JAILED
    fine = bond + court.staking.required(keeper.id) * FINE_BPS // 10_000
    assert stake - court.staking.bonded(keeper.id) == fine
    assert court.ifx.balanceOf(court.challenger.address) > before
    with boa.reverts("Disputes: not open"):
        court.availability.expire(shown.root(), 1)


@every
def test_chunks_beyond_the_tree_are_answered_by_its_last_one(court: Court, make: Make) -> None:
    shown = make(court)
    challenge(court, shown, 9)
    challenge(court, shown, 2**26 - 1)
    answer(court, shown, 9)
    answer(court, shown, 2**26 - 1)
    with boa.reverts("Availability: no such chunk"):
        challenge(court, shown, 2**26)


@pytest.mark.parametrize("name", ["roster", "accounts", "nodes"])
def test_leaves_that_are_shown_are_told_so_that_a_false_one_is_seen(court: Court, name: str) -> None:
    shown = MADE[name](court)
    for asked in (0, 2**26 - 1):
        challenge(court, shown, asked)
        answer(court, shown, asked)
        (event,) = (each for each in court.availability.get_logs() if type(each).__name__ == f"{name.title()}Shown")
        _, leaves, _ = shown.answer(asked)
        assert event.index == shown.index
        assert shown.places[event.chunk * 64 :][:64] == leaves
        assert [tuple(leaf) for leaf in event.leaves] == [tuple(leaf) for leaf in leaves]


@every
def test_other_leaves_are_no_answer(court: Court, make: Make) -> None:
    shown = make(court)
    challenge(court, shown, 1)
    chunk, mine, proof = shown.answer(1)
    short = mine[: next(at for at, leaf in enumerate(mine) if leaf[0])]
    for parts in ((chunk, short, proof), (chunk, [], proof), (chunk, mine, proof[:-2])):
        with boa.reverts():
            answer(court, shown, parts=parts)
    _, first, _ = shown.answer(0)
    with boa.reverts():
        answer(court, shown, parts=(chunk, first, proof))
    with boa.reverts("Disputes: not open"):
        answer(court, shown, 0)


@every
def test_a_dispute_names_the_root_in_full(court: Court, make: Make) -> None:
    """What a reorganised chain put in its place is another root: nobody's bond is lost on it."""
    shown = make(court)
    for changes in ({"root": keccak(text="another")}, {"index": shown.index + 1}):
        with boa.reverts():
            challenge(court, shown, **changes)
    challenge(court, shown)
    for changes in ({"root": keccak(text="another")}, {"index": shown.index + 1}):
        with boa.reverts():
            answer(court, shown, **changes)
        with boa.reverts("Disputes: not open"):
            court.availability.expire(shown.root(**changes), 0)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 64, 65, 130])
def test_anchors_of_any_length(court: Court, count: int) -> None:
    shown = anchored(court, count)
    for chunk in range(max(1, -(-count // 64))):
        challenge(court, shown, chunk)
        answer(court, shown, chunk)
        with boa.reverts("Disputes: not open"):
            answer(court, shown, chunk)


def test_digests_alone_are_no_answer(court: Court) -> None:
    """Who withholds what was signed, or by whom, does not serve an anchor."""
    node, other = court.verifiers[:2]
    message = Receipt(task=keccak(text="task"), attempt=0, node=node.id, result=bytes(32))
    signature = message.sign(court.domain, bytes(node.operator.key))
    shown = anchored(court, 1, [(message, signature)])
    challenge(court, shown)
    kind, body, _ = message_values(message, signature)
    foreign = message.sign(court.domain, bytes(other.operator.key))
    cases = {
        "Availability: not signed by the node": (kind, body, foreign),
        "eip712: signature length": (kind, body, b""),
        "Availability: length of a message": (3, body, signature),
        "Availability: no such message": (9, body, signature),
    }
    for reason, changed in cases.items():
        with boa.reverts(reason):
            answer(court, shown, parts=(0, [changed], []))
    answer(court, shown)


def test_a_key_that_was_replaced_still_shows_a_message(court: Court) -> None:
    node = court.verifiers[0]
    message = Receipt(task=keccak(text="task"), attempt=0, node=node.id, result=bytes(32))
    shown = anchored(court, 1, [(message, message.sign(court.domain, bytes(node.operator.key)))])
    with acting(node.owner):
        court.registry.set_operator(node.id, court.fresh_key("operator").address)
    challenge(court, shown)
    answer(court, shown)
    with boa.reverts("Disputes: not open"):
        answer(court, shown)


def test_an_anchor_can_be_asked_for_until_its_window_is_over(court: Court) -> None:
    shown = anchored(court, 1)
    advance(court.window("batch_window"))
    with boa.reverts("Availability: window over"):
        challenge(court, shown)
    young = anchored(court, 2)
    with boa.reverts("Availability: no such anchor"):
        challenge(court, young.replace(block_hash=bytes(32)))
    challenge(court, young)


def test_a_cancelled_anchor_keeps_its_seed_and_ends_its_other_disputes(court: Court) -> None:
    shown = anchored(court, 70)
    seed = court.batches.seed(shown.of, shown.index)
    challenge(court, shown, 0)
    before = court.ifx.balanceOf(court.challenger.address)
    challenge(court, shown, 1)
    expire(court, shown, 0)
    stake = court.staking.bonded(court.keeper.id)
    with boa.reverts("Availability: no such root waits"):
        challenge(court, shown, 2)
    court.availability.expire(shown.root(), 1)
    assert status(court, shown, 1) == DROPPED
    assert court.ifx.balanceOf(court.challenger.address) >= before
    assert court.staking.bonded(court.keeper.id) == stake, "punished once"
    assert court.batches.seed(shown.of, shown.index) == seed
    with acting(court.keeper.operator), boa.reverts("managers: not active"):
        court.batches.anchor(court.keeper.id, keccak(text="next"), bytes(32))


def test_a_roster_that_the_governor_replaced_leaves_nobody_guilty(court: Court) -> None:
    shown = rostered(court, [1, 2, 70])
    before = court.ifx.balanceOf(court.challenger.address)
    challenge(court, shown)
    stake = court.staking.bonded(court.keeper.id)
    court.post_roster({1: 5})
    with boa.reverts("Availability: no such root waits"):
        answer(court, shown)
    court.availability.expire(shown.root(), 0)
    assert status(court, shown) == DROPPED
    assert court.ifx.balanceOf(court.challenger.address) == before
    assert court.staking.bonded(court.keeper.id) == stake


def test_an_open_dispute_alone_holds_a_root_up(court: Court) -> None:
    shown = rostered(court, [1, 2, 70])
    advance(court.window("roster_window") - 1)
    challenge(court, shown)
    advance(2)
    with boa.reverts("Rosters: dispute open"):
        court.rosters.finalize(2)
    with boa.reverts("Rosters: window over"):
        challenge(court, shown, 1)
    answer(court, shown)
    court.rosters.finalize(2)
    assert court.rosters.newest(2).index == shown.index


def test_both_trees_of_an_accounts_root_fall_together(court: Court) -> None:
    accounts, nodes = accounted(court, nodes=[3, 90])
    challenge(court, accounts)
    challenge(court, nodes, 1)
    answer(court, accounts)
    with boa.reverts("Accounts: dispute open"):
        court.accounts.finalize()
    expire(court, nodes, 1)
    assert court.accounts.pending().index == 0
    other = court.fresh_key("anybody")
    with acting(other), boa.reverts("Availability: not of nodes"):
        court.availability.answer_nodes(accounts.root(), *nodes.answer(0))


def test_leaves_out_of_their_place_are_no_data(court: Court) -> None:
    """A leaf elsewhere than its id says could be drawn or paid by nobody."""
    shown = rostered(court, [1, 2, 3])
    leaf = trees.Sum(shown.tree.levels[0][2].hash, shown.tree.levels[0][2].sum)
    tree = trees.Tree([None, leaf, shown.tree.levels[0][1]])
    with acting(court.governor):
        court.rosters.post(2, keccak(text="drop"), 1, 2, bytes(32))
    with acting(court.keeper.operator):
        court.rosters.post(2, tree.root.hash, 203, 3, bytes(32))
    crooked = Shown(
        2, 2, int(court.rosters.pending(2).index), tree, [shown.places[0], shown.places[2], shown.places[1]]
    )
    challenge(court, crooked)
    with boa.reverts("Availability: a leaf out of its place"):
        answer(court, crooked)


def test_a_tree_that_hides_leaves_deeper_than_it_admits_has_no_answer(court: Court) -> None:
    """Half of it is a chunk, half of it two: whatever depth the first answer shows, another chunk has none."""
    flat_one = rostered(court, [*range(1, 64), *range(128, 192)])
    levels = flat_one.tree.levels[6]
    root = trees.parent(levels[0], trees.parent(levels[2], trees.EMPTY))
    with acting(court.governor):
        court.rosters.post(2, keccak(text="drop"), 1, 2, bytes(32))
    with acting(court.keeper.operator):
        court.rosters.post(2, root.hash, root.sum >> 128, 64, bytes(32))
    tree = trees.Tree([None])
    tree.levels = [[root]]
    hidden = flat_one.replace(tree=tree, index=int(court.rosters.pending(2).index))
    for chunk in (0, 2):
        challenge(court, hidden, chunk)
    beside = flat([trees.parent(levels[2], trees.EMPTY)])
    answer(court, hidden, parts=(0, flat_one.places[:64], beside))
    deep = flat([trees.EMPTY, levels[0]])
    with boa.reverts("Availability: another depth than before"):
        answer(court, hidden, parts=(2, flat_one.places[128:192], deep))


def test_the_bond_comes_out_of_a_nodes_stake_too(court: Court) -> None:
    shown, verifier = rostered(court, [1, 2, 70]), court.verifiers[0]
    with acting(verifier.operator):
        court.availability.challenge(shown.root(), 0, verifier.id, bytes(32))
    bond = court.staking.frozen(verifier.id)
    assert bond >= court.bond()
    with acting(court.challenger), boa.reverts("bonds: not the node's owner or operator"):
        court.availability.challenge(shown.root(), 1, verifier.id, bytes(32))
    expire(court, shown)
    assert court.staking.frozen(verifier.id) == 0


def test_a_week_late_any_nodes_accounts_are_asked_for_too(court: Court) -> None:
    """And a node that is no manager pays for what it does not serve; a part of a small stake would be no reason to."""
    poster = court.bonded(VERIFIER, times=3)
    _, nodes = accounted(court, nodes=[3])
    challenge(court, nodes)
    expire(court, nodes)
    advance(8 * DAY)
    with acting(poster.operator):
        totals = court.burn_mint_work.totals_at(court.burn_mint_work.closed() - 1)
        epoch = court.burn_mint_work.closed() - 1
        court.accounts.post(epoch, bytes(32), totals[0], 0, keccak(text="nodes"), totals[1], 0, bytes(32))
    pending = court.accounts.pending()
    late = nodes.replace(index=int(pending.index), tree=trees.Tree([trees.Sum(pending.nodes_root, 0)]))
    challenge(court, late)
    stake = court.staking.bonded(poster.id)
    expire(court, late)
    assert court.registry.node(poster.id).status == JAILED
    least = court.bond() * court.window("root_bond") // court.window("dispute_bond")
    assert court.staking.required(poster.id) * court.window("slash_failed_bps") // 10_000 < least
    assert stake - court.staking.bonded(poster.id) == court.bond() + least


def test_an_attack_stops_no_other_root(court: Court) -> None:
    """Settlement goes on: what is asked for waits, nothing else does."""
    shown = rostered(court, [1, 2, 70])
    court.give_ifx(court.challenger.address, 10**5 * IFX)
    for chunk in range(5):
        challenge(court, shown, chunk)
    advance(court.window("roster_window"))
    with acting(court.keeper.operator):
        court.rosters.post(1, keccak(text="workers"), 5, 2, bytes(32))
    batch = court.batch([court.ballot().leaf])
    court.make_final(batch)
    for chunk in range(5):
        with boa.reverts():
            answer(court, shown, chunk)
