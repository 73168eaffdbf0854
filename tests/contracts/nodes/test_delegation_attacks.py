# SPDX-License-Identifier: Apache-2.0
"""Attacks on delegators, by delegators, and by owners, one a test, each by its name."""

import boa

from tests.contracts.nodes.backing import DUST, LIMIT, OWN, UNBONDING, Backing
from tests.contracts.system import FROZEN, IFX, STAND_INS, WORKER, acting, advance, deployer, now

EARNED = 10**18


def test_sniping_a_cut_off_brings_nothing_to_who_leaves_before_the_claim(backing: Backing) -> None:
    """Who joins just before a cut-off and leaves just after it is not there when the root comes; who waits for it has its
    stake at risk for the unbonding time, and gets no more than its part of that one claim."""
    loyal = backing.delegate(OWN)
    backing.pay(EARNED)
    sniper = backing.delegate(LIMIT - 2 * OWN)
    books = backing.close(EARNED)
    backing.undelegate(sniper)
    backing.ledger.publish(books)
    before = backing.rewards(loyal)
    backing.claim(books)
    assert backing.rewards(sniper) == 0
    assert 0 <= backing.part(EARNED, OWN) - (backing.rewards(loyal) - before) <= DUST


def test_sniping_between_cut_off_and_claim_takes_nothing(backing: Backing) -> None:
    loyal = backing.delegate(OWN)
    books = backing.close(EARNED)
    sniper = backing.delegate(LIMIT - 2 * OWN)
    backing.ledger.publish(books)
    backing.claim(books)
    assert backing.rewards(sniper) == 0
    assert 0 <= backing.part(EARNED, OWN) - backing.rewards(loyal) <= DUST


def test_share_lowered_before_a_claim_does_not_touch_it(backing: Backing) -> None:
    who = backing.delegate(OWN)
    books = backing.root(EARNED)
    backing.set_share(1_000)
    backing.claim(books)
    assert 0 <= backing.part(EARNED, OWN) - backing.rewards(who) <= DUST


def test_leaving_between_rejection_and_freeze_escapes_nothing(backing: Backing) -> None:
    who = backing.delegate(OWN)
    exit = backing.undelegate(who)  # it saw the rejection
    advance(UNBONDING - 1)
    with acting(backing.network.panels):
        backing.staking.freeze(backing.node.id, OWN)
        backing.staking.hold(backing.node.id)
        backing.network.registry.set_status(backing.node.id, FROZEN)
    advance(1)
    with boa.reverts("Staking: held by an open case or batch"):
        backing.delegation.withdraw(exit)
    with acting(backing.network.panels):
        backing.staking.unfreeze(backing.node.id, OWN)
        backing.staking.slash(backing.node.id, OWN, 0)
        backing.staking.release_hold(backing.node.id)
    assert backing.delegation.withdraw(exit) == OWN // 2


def test_dust_delegations_are_refused(backing: Backing) -> None:
    with boa.reverts("Delegation: under the minimum"):
        backing.delegate(IFX - 1)
    with boa.reverts("Delegation: under the minimum"):
        backing.delegate(0)


def test_first_depositor_inflation_is_impossible(backing: Backing) -> None:
    """Nothing raises the price of a share: IFX sent to the contracts belongs to no pool, `stake` is the owner's."""
    thief = backing.delegate(IFX)
    backing.undelegate(thief, IFX - 1)
    backing.network.give_ifx(backing.staking.address, 10**6 * IFX)
    backing.network.give_ifx(backing.delegation.address, 10**6 * IFX)
    backing.network.stake(backing.node, 1_000 * IFX)
    assert backing.position(thief).value == 1
    victim = backing.delegate(IFX)
    assert (backing.position(victim).shares, backing.position(victim).value) == (IFX, IFX)
    assert backing.position(thief).value == 1


def test_a_slash_and_roundings_never_make_a_share_dearer_than_a_wei(backing: Backing) -> None:
    who = backing.delegate(3 * IFX)
    backing.slash(OWN // 3)
    for shares in (1, 2, IFX, 5):
        backing.undelegate(who, shares)
        pool = backing.delegation.pool(backing.node.id)
        assert pool.delegated <= pool.shares
    late = backing.delegate(IFX)
    assert IFX - 1 <= backing.position(late).value <= IFX


def test_reentrancy_by_ifx_there_is_none(backing: Backing) -> None:
    """A delegator that is a contract is paid without being called."""
    contract = deployer("Work.vy", STAND_INS).deploy()
    backing.network.give_ifx(contract.address, IFX)
    with acting(contract.address):
        backing.ifx.approve(backing.delegation, IFX)
        backing.delegation.delegate(backing.node.id, IFX)
        backing.pay(EARNED)
        assert backing.delegation.claim(backing.node.id, contract.address) > 0
        exit = backing.delegation.undelegate(backing.node.id, IFX)
        backing.wait_out()
        assert backing.delegation.withdraw(exit) == IFX
    backing.check_books()


def test_splitting_a_delegation_into_many_gains_nothing(backing: Backing) -> None:
    whole = backing.delegate(7 * IFX)
    parts = [backing.delegate(IFX) for _ in range(7)]
    backing.pay(EARNED + 3)
    backing.slash(OWN // 7)
    assert sum(backing.rewards(each) for each in parts) <= backing.rewards(whole)
    assert sum(backing.position(each).value for each in parts) <= backing.position(whole).value
    exits = [backing.undelegate(whole), *(backing.undelegate(each) for each in parts)]
    worth = [int(backing.delegation.exit(exit).value) for exit in exits]
    assert sum(worth[1:]) <= worth[0]


def test_splitting_an_exit_into_many_gains_nothing(backing: Backing) -> None:
    whole, split = backing.delegate(7 * IFX), backing.delegate(7 * IFX)
    backing.slash(OWN // 7)
    at_once = backing.undelegate(whole)
    exits = [backing.undelegate(split, IFX) for _ in range(7)]
    assert sum(int(backing.delegation.exit(exit).value) for exit in exits) <= backing.delegation.exit(at_once).value


def test_delegating_unasked_takes_none_of_a_node_s_rewards(backing: Backing) -> None:
    """Rewards do not grow with stake: whoever could join unasked would take half of them for nothing."""
    backing.set_limit(0)
    with boa.reverts("Delegation: over the node's limit"):
        backing.delegate(LIMIT)


def test_an_owner_that_reports_itself_gains_nothing_of_what_others_delegated(backing: Backing) -> None:
    """Its other key gets half of what the owner lost at most, whatever the reporter's share."""
    backing.delegate(LIMIT - OWN)
    other_self = backing.network.fresh_key("the owner's other self").address
    own = backing.staking.own(backing.node.id)
    backing.slash(LIMIT // 2, 5_000, other_self)
    lost = own - backing.staking.own(backing.node.id)
    assert backing.balance(other_self) == lost // 2
    backing.check_books()


def test_an_owner_without_stake_gains_nothing_by_reporting_itself(backing: Backing) -> None:
    node = backing.network.register(WORKER)
    backing.set_limit(LIMIT, node)
    backing.delegate(OWN, node=node)
    reporter = backing.network.fresh_key("reporter").address
    with acting(backing.network.disputes):
        assert backing.staking.slash(node.id, OWN, 5_000, reporter) == OWN
    assert backing.balance(reporter) == 0
    backing.check_books()


def test_withdrawing_again_and_again_under_a_freeze_leaves_it_to_nobody(backing: Backing) -> None:
    """Were the part that is not frozen paid, what is left could be asked for again, until others bore all that is frozen."""
    exit = backing.undelegate(backing.delegate(OWN))
    advance(UNBONDING)
    with acting(backing.network.disputes):
        backing.staking.freeze(backing.node.id, IFX)
    for _ in range(3):
        with boa.reverts("Staking: frozen"):
            backing.delegation.withdraw(exit)
    assert backing.delegation.exit(exit).value == OWN


def test_an_exit_slashed_almost_to_nothing_never_stops_a_later_one(backing: Backing) -> None:
    """Shares of exits would grow beyond any word if a wei that is left were shared by ever more of them."""
    for _ in range(4):
        exit = backing.undelegate(backing.delegate(LIMIT - 2 * OWN))
        staked = sum(
            int(getattr(backing.staking, name)(backing.node.id))
            for name in ("bonded", "unbonding", "delegated_unbonding")
        )
        backing.slash(staked - 1)
    exit = backing.undelegate(backing.delegate(IFX))
    assert IFX <= backing.delegation.exit(exit).value <= IFX + 1
    assert now() < backing.delegation.exit(exit).free_at
