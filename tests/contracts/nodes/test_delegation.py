# SPDX-License-Identifier: Apache-2.0
"""Stake behind another's node: shares of it at work and on the way out, who may put it there, and what holds it."""

import boa
import pytest

from tests.contracts.nodes.backing import LIMIT, OWN, UNBONDING, Backing
from tests.contracts.system import (
    BANNED,
    DAY,
    FROZEN,
    IFX,
    JAILED,
    VERIFIER,
    WORKER,
    acting,
    advance,
    key,
    now,
    set_time,
)


def test_delegated_stake_is_at_work_with_the_owner_s(backing: Backing) -> None:
    staking, node = backing.staking, backing.node.id
    who = backing.delegate(300 * IFX)
    assert (staking.bonded(node), staking.own(node), staking.delegated(node)) == (OWN + 300 * IFX, OWN, 300 * IFX)
    assert staking.parts(node) == (OWN, 300 * IFX)
    position, pool = backing.position(who), backing.delegation.pool(node)
    assert (position.shares, position.value, position.waiting) == (300 * IFX, 300 * IFX, 300 * IFX)
    assert (pool.delegated, pool.shares, pool.earning, pool.unbonding) == (300 * IFX, 300 * IFX, 0, 0)
    with acting(backing.node.owner), boa.reverts("Staking: more than bonded"):
        staking.unbond(node, OWN + 1)
    backing.check_books()


def test_a_node_qualifies_by_what_others_delegate_and_falls_when_they_leave(backing: Backing) -> None:
    node = backing.network.register(VERIFIER)
    backing.set_limit(OWN, node)
    who = backing.delegate(OWN, node=node)
    assert backing.staking.is_bonded(node.id)
    with acting(who):
        backing.delegation.undelegate(node.id, 1)
    assert not backing.staking.is_bonded(node.id)


def test_a_node_takes_nothing_until_its_owner_says_how_much(backing: Backing) -> None:
    node = backing.network.register(WORKER)
    with boa.reverts("Delegation: over the node's limit"):
        backing.delegate(IFX, node=node)
    with acting(key("thief")), boa.reverts("Delegation: not the node's owner"):
        backing.delegation.set_limit(node.id, IFX)
    backing.set_limit(IFX, node)
    with boa.reverts("Delegation: over the node's limit"):
        backing.delegate(IFX + 1, node=node)
    backing.delegate(IFX, node=node)
    backing.set_limit(0, node)
    with boa.reverts("Delegation: over the node's limit"):
        backing.delegate(IFX, node=node)
    assert backing.staking.delegated(node.id) == IFX


def test_a_manager_takes_none(backing: Backing) -> None:
    manager = backing.network.manager
    with acting(manager.owner), boa.reverts("Delegation: a manager takes none"):
        backing.delegation.set_limit(manager.id, IFX)


@pytest.mark.parametrize("status", [FROZEN, JAILED, BANNED])
def test_nobody_delegates_to_a_node_that_is_not_active(backing: Backing, status: int) -> None:
    with acting(backing.network.panels):
        backing.network.registry.set_status(backing.node.id, status)
    with boa.reverts("Delegation: node not active"):
        backing.delegate(IFX)


def test_nobody_delegates_to_a_node_that_is_retired_or_unknown(backing: Backing) -> None:
    with acting(backing.node.owner):
        backing.network.registry.retire(backing.node.id)
    with boa.reverts("Delegation: node not active"):
        backing.delegate(IFX)
    with boa.reverts("Delegation: node not active"):
        backing.delegation.delegate(99, IFX)


def test_a_delegation_is_paid_by_who_makes_it(backing: Backing) -> None:
    with acting(key("poor")), boa.reverts("erc20: insufficient allowance"):
        backing.delegation.delegate(backing.node.id, IFX)


def test_after_a_slash_shares_are_cheaper_and_newcomers_do_not_pay_for_it(backing: Backing) -> None:
    first = backing.delegate(1_000 * IFX)
    backing.slash((OWN + 1_000 * IFX) // 2)
    assert backing.position(first).value == 500 * IFX
    second = backing.delegate(500 * IFX)
    assert backing.position(second).shares == 1_000 * IFX
    assert backing.position(second).value == backing.position(first).value == 500 * IFX


def test_undelegating_takes_ninety_days_to_the_second(backing: Backing) -> None:
    who, start = backing.delegate(10 * IFX), now()
    exit = backing.undelegate(who, 4 * IFX)
    found = backing.delegation.exit(exit)
    assert (found.delegator, found.node, found.free_at, found.value) == (
        who.address,
        backing.node.id,
        start + UNBONDING,
        4 * IFX,
    )
    assert backing.staking.delegated_unbonding(backing.node.id) == 4 * IFX
    set_time(start + UNBONDING - 1)
    with boa.reverts("Delegation: still unbonding"):
        backing.delegation.withdraw(exit)
    set_time(start + UNBONDING)
    assert backing.delegation.withdraw(exit) == 4 * IFX  # whoever asks
    assert backing.balance(who) == 4 * IFX
    for wrong in (exit, exit + 1, 0):
        with boa.reverts("Delegation: no such exit"):
            backing.delegation.withdraw(wrong)
    backing.check_books()


def test_nobody_undelegates_more_than_it_has(backing: Backing) -> None:
    who, other = backing.delegate(10 * IFX), backing.delegate(10 * IFX)
    for shares in (10 * IFX + 1, 2**256 - 1):
        with boa.reverts("Delegation: more than delegated"):
            backing.undelegate(who, shares)
    with boa.reverts("Delegation: nothing to undelegate"):
        backing.undelegate(who, 0)
    with boa.reverts("Delegation: more than delegated"):
        backing.undelegate(key("stranger"), 1)
    assert backing.position(other).shares == 10 * IFX


def test_a_further_exit_leaves_the_older_one_its_clock(backing: Backing) -> None:
    who, start = backing.delegate(10 * IFX), now()
    older = backing.undelegate(who, 4 * IFX)
    advance(80 * DAY)
    younger = backing.undelegate(who, 6 * IFX)
    set_time(start + UNBONDING)
    assert backing.delegation.withdraw(older) == 4 * IFX
    with boa.reverts("Delegation: still unbonding"):
        backing.delegation.withdraw(younger)
    advance(80 * DAY)
    assert backing.delegation.withdraw(younger) == 6 * IFX


def test_a_slash_takes_of_all_four_parts_in_proportion(backing: Backing) -> None:
    staking, node = backing.staking, backing.node
    who = backing.delegate(OWN)
    with acting(node.owner):
        staking.unbond(node.id, OWN // 2)
    exit = backing.undelegate(who, OWN // 2)
    assert backing.slash(OWN // 2) == OWN // 2  # a quarter of all
    left = OWN * 3 // 8
    names = ("own", "unbonding", "delegated", "delegated_unbonding")
    assert [getattr(staking, name)(node.id) for name in names] == [left] * 4
    backing.wait_out()
    assert backing.delegation.withdraw(exit) == left
    backing.check_books()


def test_the_owner_bears_the_roundings_of_a_slash(backing: Backing) -> None:
    backing.delegate(IFX)
    assert backing.slash(1) == 1
    assert backing.staking.parts(backing.node.id) == (OWN - 1, IFX)


def test_roundings_go_on_to_whoever_has_something_left(backing: Backing) -> None:
    """Without an owner's stake the delegators bear the last wei too: else the slash would not add up."""
    node = backing.network.register(WORKER)
    backing.set_limit(LIMIT, node)
    first = backing.delegate(IFX, node=node)
    backing.delegate(IFX, node=node)
    with acting(first):
        backing.delegation.undelegate(node.id, IFX)
    with acting(backing.network.panels):
        assert backing.staking.slash(node.id, 1, 0) == 1
        assert backing.staking.delegated(node.id) + backing.staking.delegated_unbonding(node.id) == 2 * IFX - 1
        assert backing.staking.slash(node.id, 10**30, 0) == 2 * IFX - 1
    backing.check_books()


@pytest.mark.parametrize("obstacle", ["held", "frozen"])
def test_nothing_leaves_while_anything_is_held_or_frozen(backing: Backing, obstacle: str) -> None:
    who = backing.delegate(OWN)
    exit = backing.undelegate(who)
    with acting(backing.node.owner):
        backing.staking.unbond(backing.node.id, OWN)
    backing.wait_out()
    court = backing.network.panels
    with acting(court):
        backing.staking.hold(backing.node.id) if obstacle == "held" else backing.staking.freeze(backing.node.id, 1)
    reason = "Staking: held by an open case or batch" if obstacle == "held" else "Staking: frozen"
    with boa.reverts(reason):
        backing.delegation.withdraw(exit)
    with acting(backing.node.owner), boa.reverts(reason):
        backing.staking.withdraw(backing.node.id)
    with acting(court):
        backing.staking.release_hold(backing.node.id) if obstacle == "held" else backing.staking.unfreeze(
            backing.node.id, 1
        )
    assert backing.delegation.withdraw(exit) == OWN


def test_what_is_delegated_can_be_frozen_to_the_last_wei(backing: Backing) -> None:
    who = backing.delegate(OWN)
    backing.undelegate(who, OWN // 2)
    with acting(backing.network.panels):
        assert backing.staking.freeze(backing.node.id, 10**30) == 2 * OWN


def test_a_pool_that_was_slashed_to_nothing_takes_none_until_all_have_left(backing: Backing) -> None:
    who = backing.delegate(IFX)
    backing.slash(10**30)
    with boa.reverts("Delegation: slashed to nothing"):
        backing.delegate(IFX)
    assert backing.undelegate(who) == 0
    assert backing.delegation.exit_count() == 0
    backing.delegate(IFX)
    assert backing.position(who).value == 0


def test_exits_slashed_to_nothing_take_nothing_from_later_ones(backing: Backing) -> None:
    ruined = backing.undelegate(backing.delegate(100 * IFX))
    backing.slash(10**30)
    lucky = backing.undelegate(backing.delegate(IFX))
    assert backing.delegation.exit(lucky).value == IFX
    assert backing.delegation.exit(ruined).value == 0
    backing.wait_out()
    assert backing.delegation.withdraw(ruined) == 0
    assert backing.delegation.withdraw(lucky) == IFX
    backing.check_books()


def test_a_delegator_who_stays_does_not_hold_the_licence(backing: Backing) -> None:
    registry, node = backing.network.registry, backing.node
    licence = registry.node(node.id).licence
    backing.delegate(IFX)
    with acting(node.owner):
        registry.retire(node.id)
        backing.staking.unbond(node.id, OWN)
        assert registry.in_use(licence)
        backing.wait_out()
        backing.staking.withdraw(node.id)
    assert not registry.in_use(licence)


def test_a_pause_holds_no_delegator_in(backing: Backing) -> None:
    who = backing.delegate(2 * IFX)
    exit = backing.undelegate(who, IFX)
    backing.wait_out()
    with acting(backing.network.guardian):
        backing.network.parameters.pause()
    assert backing.delegation.withdraw(exit) == IFX
    backing.undelegate(who)


def test_only_delegation_moves_delegated_stake(backing: Backing) -> None:
    staking, node = backing.staking, backing.node
    for who in (node.owner, backing.network.panels, backing.network.deployer):
        with acting(who):
            for call in (staking.bond_delegated, staking.unbond_delegated):
                with boa.reverts("Staking: not Delegation"):
                    call(node.id, 1)
            with boa.reverts("Staking: not Delegation"):
                staking.pay_delegated(node.id, key("thief").address, 1)
            with boa.reverts("Staking: not Delegation"):
                staking.count_votes(key("thief").address, 0, 1)
            with boa.reverts("Delegation: not Accounts"):
                backing.delegation.share_out(node.id, 1, 0)
            with boa.reverts("claims: not Delegation"):
                backing.network.accounts.set_shared(node.id, True)
