# SPDX-License-Identifier: Apache-2.0
"""Objections to leaves of rosters and accounts: a false one cancels its root, and whoever put that up pays."""

from collections.abc import Callable

import boa
import pytest
from eth_abi.abi import encode as abi_encode
from eth_utils import keccak

from tests.contracts.disputes.court import Court
from tests.contracts.disputes.objecting import DROPPED, REASON, REJECTED, UNDECIDED, UPHELD, leaf, money
from tests.contracts.disputes.shown import ROSTER, Shown, accounted, answer, challenge, rostered
from tests.contracts.system import ACTIVE, DAY, JAILED, MANAGER, VERIFIER, Node, acting, advance, now, set_time

FINE_BPS = 2_000

Make = Callable[[Court], Shown]
MADE: dict[str, Make] = {
    "roster": lambda court: rostered(court, [*range(1, 60), 70]),
    "accounts": lambda court: accounted(court, reserved={70: 3, 150: 7})[0],
    "nodes": lambda court: accounted(court, nodes=[3, 90])[1],
}
every = pytest.mark.parametrize("make", MADE.values(), ids=MADE.keys())


def waits(court: Court, shown: Shown) -> bool:
    """Whether the root waits as it did."""
    pending = court.rosters.pending(2) if shown.kind == ROSTER else court.accounts.pending()
    return bool(pending.index == shown.index)


def finalize(court: Court, shown: Shown) -> None:
    court.rosters.finalize(2) if shown.kind == ROSTER else court.accounts.finalize()


def final_index(court: Court, shown: Shown) -> int:
    return int((court.rosters.newest(2) if shown.kind == ROSTER else court.accounts.newest()).index)


def window(shown: Shown) -> str:
    return "roster_window" if shown.kind == ROSTER else "accounts_window"


@every
def test_an_objection_says_which_leaf(court: Court, make: Make) -> None:
    shown = make(court)
    heard = leaf(court, shown, 7)
    event = next(each for each in court.objections.get_logs() if type(each).__name__ == "LeafObjected")
    assert (event.kind, event.of, event.index, event.place) == (shown.kind, shown.of, shown.index, 7)
    assert (bytes(event.id), bytes(event.root), bytes(event.reason)) == (heard.id, shown.tree.root.hash, REASON)
    types = ["uint8", "uint8", "uint32", "bytes32", "uint32"]
    assert heard.id == keccak(abi_encode(types, [*shown.root(), 7]))
    info = heard.info()
    assert (info.kind, info.of, info.index, info.place) == (shown.kind, shown.of, shown.index, 7)
    assert (info.manager, bytes(info.subject), info.bond) == (court.keeper.id, shown.tree.root.hash, court.bond())


@every
def test_a_false_leaf_cancels_its_root_and_its_proposer_pays(court: Court, make: Make) -> None:
    shown, keeper = make(court), court.keeper
    before, stake = money(court, court.challenger), court.staking.bonded(keeper.id)
    bond = court.bond()
    heard = leaf(court, shown).decided(True)
    names = [type(event).__name__ for event in court.objections.get_logs()]
    assert names[-2:] == ["ProposerPunished", "ObjectionClosed"]
    assert heard.status() == UPHELD
    assert not waits(court, shown)
    assert court.registry.node(keeper.id).status == JAILED
    fine = bond + court.staking.required(keeper.id) * FINE_BPS // 10_000
    assert stake - court.staking.bonded(keeper.id) == fine
    assert money(court, court.challenger) - before == pytest.approx(bond // 2, rel=1e-3)
    with boa.reverts("Objections: not open"):
        heard.resolve()


@every
def test_a_right_leaf_stands_and_the_bond_is_lost(court: Court, make: Make) -> None:
    shown, keeper = make(court), court.keeper
    before, won = money(court, court.challenger), money(court, keeper.owner)
    supply, stake = court.ifx.totalSupply(), court.staking.bonded(keeper.id)
    heard = leaf(court, shown)
    advance(court.window(window(shown)))
    with boa.reverts():
        finalize(court, shown)
    heard.decided(False)
    bond = heard.info().bond
    assert heard.status() == REJECTED
    assert before - money(court, court.challenger) == bond
    assert money(court, keeper.owner) - won == bond // 2
    assert supply - court.ifx.totalSupply() == bond - bond // 2
    assert court.staking.bonded(keeper.id) == stake
    finalize(court, shown)
    assert final_index(court, shown) == shown.index


@every
def test_what_nobody_decides_falls_and_half_of_the_bond_is_burned(court: Court, make: Make) -> None:
    shown, keeper = make(court), court.keeper
    before, stake = money(court, court.challenger), court.staking.bonded(keeper.id)
    heard = leaf(court, shown)
    heard.refer()
    advance(14 * DAY)
    heard.resolve()
    assert heard.status() == UNDECIDED
    assert not waits(court, shown)
    paid = court.bond() // 2
    assert (money(court, court.challenger), court.staking.bonded(keeper.id)) == (before - paid, stake)
    assert court.registry.node(keeper.id).status == ACTIVE


@every
def test_the_governor_decides_where_there_is_no_panel(court: Court, make: Make) -> None:
    shown = make(court)
    false, right = leaf(court, shown, 1), leaf(court, shown, 2)
    for heard in (false, right):
        heard.refer()
    with acting(court.governor):
        court.objections.decide(right.id, False)
        assert waits(court, shown)
        court.objections.decide(false.id, True)
    assert (right.status(), false.status()) == (REJECTED, UPHELD)
    assert court.registry.node(court.keeper.id).status == JAILED


@every
def test_a_root_that_fell_otherwise_gives_bonds_back_and_its_proposer_pays_once(court: Court, make: Make) -> None:
    shown = make(court)
    heard, other = leaf(court, shown, 1), leaf(court, shown, 2)
    before = money(court, court.challenger)
    heard.decided(True)
    stake = court.staking.bonded(court.keeper.id)
    other.resolve()
    assert other.status() == DROPPED
    assert money(court, court.challenger) - before >= heard.info().bond + other.info().bond
    assert court.staking.bonded(court.keeper.id) == stake
    assert money(court, court.objections) == 0
    with boa.reverts("Objections: not open"):
        other.resolve()


@every
def test_it_names_what_waits_once_within_its_window(court: Court, make: Make) -> None:
    shown = make(court)
    with boa.reverts("Objections: no such root waits"):
        leaf(court, shown, root=keccak(text="another"))
    with boa.reverts():
        leaf(court, shown, index=shown.index + 1)
    with boa.reverts():
        leaf(court, shown, kind=5)
    with boa.reverts():
        leaf(court, shown, kind=1)
    leaf(court, shown)
    with boa.reverts("Objections: objected before"):
        leaf(court, shown)
    advance(court.window(window(shown)))
    with boa.reverts(f"{'Rosters' if shown.kind == ROSTER else 'Accounts'}: window over"):
        leaf(court, shown, 4)


def test_of_is_a_rosters_alone(court: Court) -> None:
    with boa.reverts("Objections: no such kind"):
        leaf(court, accounted(court, nodes=[3])[1], of=1)
    with boa.reverts("Rosters: not the one that waits"):
        leaf(court, rostered(court, [1, 2]), of=1)


def test_a_place_that_should_have_a_leaf(court: Court) -> None:
    shown = rostered(court, [1, 2])
    assert leaf(court, shown, 2**32 - 1).decided(True).status() == UPHELD


def test_the_governors_roster_never_waits(court: Court) -> None:
    shown = rostered(court, [1, 2, 70])
    before, heard = money(court, court.challenger), leaf(court, shown)
    court.roster = court.post_roster({node.id: 1 for node in court.verifiers})
    newest = court.rosters.newest(2)
    with acting(court.challenger), boa.reverts("Rosters: not the one that waits"):
        court.objections.object_leaf(2, 2, newest.index, newest.root, 1, 0, REASON)
    heard.resolve()
    assert heard.status() == DROPPED
    assert money(court, court.challenger) == before
    assert court.registry.node(court.keeper.id).status == ACTIVE


def test_both_trees_of_accounts_wait_for_each_others_objections(court: Court) -> None:
    accounts, nodes = accounted(court, nodes=[3, 90])
    first, second = leaf(court, accounts), leaf(court, nodes)
    first.decided(False)
    advance(court.window("accounts_window"))
    with boa.reverts("Accounts: dispute open"):
        court.accounts.finalize()
    second.decided(False)
    court.accounts.finalize()
    assert court.accounts.newest().index == accounts.index


def test_a_root_waits_for_both_courts(court: Court) -> None:
    shown = rostered(court, [1, 2, 70])
    challenge(court, shown)
    heard = leaf(court, shown)
    answer(court, shown)
    advance(court.window("roster_window"))
    with boa.reverts("Rosters: dispute open"):
        court.rosters.finalize(2)
    heard.decided(False)
    court.rosters.finalize(2)


def test_proposer_and_challenger_have_no_seat(court: Court) -> None:
    mine = court.register(VERIFIER, owner=court.keeper.owner)
    court.stake(mine, court.staking.required(mine.id))
    court.nodes[mine.id] = mine
    court.roster = court.post_roster({**{node.id: 1 for node in court.verifiers}, mine.id: 5})
    shown = rostered(court, [1, 2, 70])
    heard = leaf(court, shown, node=court.verifiers[0])
    seats = {node.id for node in heard.fill()}
    assert seats == {node.id for node in court.verifiers[1:]}
    for node in (mine, court.verifiers[0]):
        assert court.objections.ballot(heard.id, node.id) == 0
        with boa.reverts("Panels: no seat"):
            heard.vote(node, True)
    assert not court.registry.is_court(court.challenger.address)


def test_to_object_to_ones_own_root_is_a_loss(court: Court) -> None:
    """Won, half of what the proposer pays is burned or the pool's; lost, half of the bond."""
    owner = court.keeper.owner
    court.give_ifx(owner.address, 2 * court.bond())
    with acting(owner):
        court.ifx.approve(court.objections, 2**256 - 1)
    court.challenger = owner
    for upheld in (False, True):
        with boa.env.anchor():
            shown, stake = rostered(court, [1, 2, 70]), court.staking.bonded(court.keeper.id)
            before = money(court, owner)
            leaf(court, shown).decided(upheld)
            lost = before - money(court, owner) + stake - court.staking.bonded(court.keeper.id)
            assert lost >= court.bond() // 2


def test_a_root_of_objections_is_dropped_by_another_court_too(court: Court) -> None:
    shown = rostered(court, [1, 2, 70])
    before = money(court, court.challenger)
    heard = leaf(court, shown)
    seats = heard.hear(True, False, True)
    with acting(court.availability.address):
        court.rosters.cancel(2, shown.index)
    heard.resolve()
    assert (heard.status(), len(seats)) == (DROPPED, 3)
    assert money(court, court.challenger) == before


@pytest.mark.parametrize("of_nodes", [False, True], ids=["accounts", "nodes"])
def test_attack_to_hold_up_what_everybody_is_paid_costs_a_part_of_it(court: Court, of_nodes: bool) -> None:
    """A flat bond would hold up any amount for the same money."""
    flat = court.bond()
    assert court.objections.accounts_bond() == flat  # none waits
    shown = accounted(court, nodes=[3], charge=900 * 10**9)[of_nodes]
    part = court.accounts.added() // 200
    assert 0 < part < flat
    assert court.objections.accounts_bond() == flat
    court.set_parameter("dispute_bond", 10**9)
    assert court.bond() < part
    assert leaf(court, shown, 7).info().bond == part
    court.set_parameter("root_bond", 2 * 10**9)
    assert leaf(court, shown, 8).info().bond == 2 * court.bond() < part
    court.set_parameter("dispute_bond", 3 * 10**9)
    assert leaf(court, shown, 9).info().bond == court.bond() < part


def test_an_objection_to_a_roster_holds_up_nobodys_pay(court: Court) -> None:
    accounted(court, reserved={70: 3}, charge=900 * 10**9)
    shown = rostered(court, [1, 2, 70])
    court.set_parameter("dispute_bond", 10**9)
    assert leaf(court, shown, 7).info().bond == court.bond() < court.objections.accounts_bond()


def test_what_accounts_add_is_what_is_held_up(court: Court) -> None:
    """Not all that was ever paid."""
    assert court.accounts.added() == 0
    first, _ = accounted(court, nodes=[3])
    before = court.burn_mint_work.totals_at(court.burn_mint_work.closed() - 1)[1]
    assert court.accounts.added() == before
    advance(court.window(window(first)))
    court.accounts.finalize()
    assert court.accounts.added() == 0
    accounted(court, nodes=[3])
    assert court.accounts.added() == court.burn_mint_work.totals_at(court.burn_mint_work.closed() - 1)[1] - before > 0


def post_again(court: Court, by: Node) -> None:
    """What waits, in another's name."""
    root = court.accounts.pending()
    sums = (root.spent, root.reserved, root.nodes_root, root.matured, root.vesting)
    with acting(by.operator):
        court.accounts.post(root.epoch, root.accounts_root, *sums, REASON)


def term(court: Court) -> int:
    """From when on accounts that are held up may be overtaken [s]."""
    return sum(court.window(name) for name in ("accounts_window", "answer_window", "panel_window"))


def test_attack_an_objection_holds_pay_up_no_longer_than_a_panel_needs(court: Court) -> None:
    """A fortnight where no panel comes about, for one bond, as long as the accounts after them had to wait."""
    other, (shown, _) = court.bonded(MANAGER), accounted(court, reserved={70: 3})
    began, heard = now(), leaf(court, shown)
    set_time(began + term(court) - 60)
    with boa.reverts("Accounts: another root waits"):
        post_again(court, other)
    advance(60)
    post_again(court, other)
    (event,) = (each for each in court.accounts.get_logs() if type(each).__name__ == "AccountsOvertaken")
    assert (event.index, court.accounts.pending().index) == (shown.index, shown.index + 1)
    assert (court.accounts.pending().disputes, court.accounts.pending().manager) == (0, other.id)
    advance(court.window("accounts_window"))
    court.accounts.finalize()
    assert court.accounts.newest().index == shown.index + 1
    before = money(court, court.keeper.owner)
    heard.decided(False)
    assert (heard.status(), money(court, court.keeper.owner) - before) == (REJECTED, heard.info().bond // 2)


def test_attack_a_liar_that_is_overtaken_by_a_friend_pays_all_the_same(court: Court) -> None:
    friend, (shown, _) = court.bonded(MANAGER), accounted(court, reserved={70: 3})
    heard, second = leaf(court, shown, 7), leaf(court, shown, 8)
    advance(term(court))
    post_again(court, friend)
    assert court.accounts.is_undecided(shown.index)
    stake = court.staking.bonded(court.keeper.id)
    heard.decided(True)
    fine = court.bond() + court.staking.required(court.keeper.id) * FINE_BPS // 10_000
    assert (heard.status(), stake - court.staking.bonded(court.keeper.id)) == (UPHELD, fine)
    assert court.registry.node(court.keeper.id).status == JAILED
    assert not court.accounts.is_undecided(shown.index)
    second.resolve()
    assert (second.status(), court.staking.bonded(court.keeper.id)) == (DROPPED, stake - fine)
    assert court.accounts.pending().index == shown.index + 1, "what overtook it waits on"


def test_accounts_that_nobody_objects_to_are_made_final_not_overtaken(court: Court) -> None:
    other, (shown, _) = court.bonded(MANAGER), accounted(court, reserved={70: 3})
    advance(term(court))
    with boa.reverts("Accounts: not a newer epoch"):
        post_again(court, other)
    court.accounts.finalize()
    assert final_index(court, shown) == shown.index


def test_of_overtaken_accounts_nobody_asks_for_data_nor_objects(court: Court) -> None:
    """What was asked for before could have been answered, and expired; it is dropped, the bond back."""
    other, (shown, _) = court.bonded(MANAGER), accounted(court, reserved={70: 3})
    advance(court.window("accounts_window") - 60)
    before = money(court, court.challenger)
    challenge(court, shown)
    with boa.reverts("Availability: answer window open"):
        court.availability.expire(shown.root(), 0)
    advance(term(court))
    post_again(court, other)
    court.availability.expire(shown.root(), 0)
    assert money(court, court.challenger) == before
    assert court.registry.node(court.keeper.id).status == ACTIVE
    with boa.reverts():
        challenge(court, shown, 1)
    with boa.reverts("Accounts: not the one that waits"):
        leaf(court, shown, 9)
    for act in (court.accounts.cancel, court.accounts.close_dispute):
        with boa.reverts("courts: not a court"):
            act(shown.index)


def delegate(court: Court, node: Node) -> None:
    """Somebody else's stake behind a node."""
    with acting(court.staking.delegation()):
        court.staking.bond_delegated(node.id, 1)


def test_attack_bonds_about_accounts_are_nobody_elses_stake(court: Court) -> None:
    """An owner with a few wei of its own held up pay, or posted what is false, at its delegators' cost."""
    verifier, (shown, _) = court.bonded(VERIFIER, times=3), accounted(court, reserved={70: 3})
    root = (*shown.root(), 9, verifier.id, REASON)
    with boa.env.anchor(), acting(verifier.operator):
        court.objections.object_leaf(*root)
    delegate(court, verifier)
    with acting(verifier.operator):
        with boa.reverts("Objections: others' stake"):
            court.objections.object_leaf(*root)
        roster = rostered(court, [1, 2, 70])
        court.objections.object_leaf(*roster.root(), 9, verifier.id, REASON)  # it holds up nobody's pay


def test_attack_accounts_of_an_older_epoch_overtake_none(court: Court) -> None:
    """They would add next to nothing, and make the next objection cheap."""
    other = court.bonded(MANAGER)
    accounted(court, nodes=[3])
    advance(court.window("accounts_window"))
    court.accounts.finalize()
    final = court.accounts.newest().epoch
    court.end_epoch()
    court.burn_mint_work.close_epoch()  # nobody posts it
    shown, _ = accounted(court, nodes=[3])
    leaf(court, shown)
    advance(term(court))
    root = court.accounts.pending()
    assert root.epoch - 1 > final
    with acting(other.operator), boa.reverts("Accounts: not a newer epoch"):
        totals = court.burn_mint_work.totals_at(root.epoch - 1)
        court.accounts.post(root.epoch - 1, REASON, totals[0], 0, REASON, totals[1], 0, REASON)
    post_again(court, other)


def test_attack_one_small_stake_backs_one_root(court: Court) -> None:
    """Who is no manager posts where nothing waits: it would overtake itself before a panel meets, for one fine."""
    verifier, (shown, _) = court.bonded(VERIFIER, times=3), accounted(court, reserved={70: 3})
    leaf(court, shown)
    advance(8 * DAY)
    with boa.reverts("Accounts: another root waits"):
        post_again(court, verifier)
    post_again(court, court.bonded(MANAGER))
