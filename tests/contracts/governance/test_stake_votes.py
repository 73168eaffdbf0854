# SPDX-License-Identifier: Apache-2.0
"""Staked IFX votes for who put it at risk, and no wei votes twice."""

from typing import Any

import boa
import pytest
from eth_account.signers.local import LocalAccount

from tests.contracts.governance.council import DELAY, FOR, PERIOD, QUORUM_BPS, THRESHOLD, WAIT
from tests.contracts.nodes.backing import LIMIT, OWN, Backing
from tests.contracts.nodes.conftest import backed_network, backing
from tests.contracts.system import DAY, IFX, acting, advance, deployer, key, now, set_time

__all__ = ["backed_network", "backing"]

NOBODY = "0x" + "00" * 20


@pytest.fixture
def governor(backing: Backing) -> Any:
    """A governor over wallets and stakes; nothing is ever executed here."""
    timelock = deployer("governance/Timelock.vy").deploy(backing.network.parameters, WAIT)
    rules = (DELAY, PERIOD, THRESHOLD, QUORUM_BPS)
    return deployer("governance/Governor.vy").deploy(backing.ifx, backing.staking, timelock, *rules)


def votes(governor: Any, *people: LocalAccount) -> int:
    """At the end of the second before."""
    return sum(int(governor.getVotes(who.address, now() - 1)) for who in people)


def proposed(governor: Any, who: LocalAccount) -> int:
    with acting(who):
        return int(governor.propose([governor.address], [0], [b""], "why"))


def test_own_stake_votes_for_the_owner_and_delegated_stake_for_the_delegator(backing: Backing, governor: Any) -> None:
    who = backing.delegate(300 * IFX)
    assert backing.staking.getVotes(who.address) == 300 * IFX
    assert votes(governor, who) == 0
    advance(1)
    assert votes(governor, who) == 300 * IFX
    assert votes(governor, backing.node.owner) == OWN
    payer = key("payer")
    backing.network.give_ifx(payer.address, IFX)
    with acting(payer):  # a gift votes for who may take it out
        backing.ifx.approve(backing.staking, IFX)
        backing.staking.stake(backing.node.id, IFX)
    advance(1)
    assert votes(governor, backing.node.owner) == OWN + IFX
    assert votes(governor, payer) == 0


def test_stake_proposes_and_votes(backing: Backing, governor: Any) -> None:
    backing.set_limit(10**7 * IFX)
    who, small = backing.delegate(THRESHOLD), backing.delegate(THRESHOLD - 1)
    advance(1)
    with boa.reverts("Governor: votes under the threshold"):
        proposed(governor, small)
    proposal = proposed(governor, who)
    set_time(governor.proposalSnapshot(proposal) + 1)
    with acting(who):
        assert governor.castVote(proposal, FOR) == THRESHOLD


def test_stake_that_came_after_the_snapshot_does_not_vote(backing: Backing, governor: Any) -> None:
    backing.set_limit(10**7 * IFX)
    proposal = proposed_by_wallet(backing, governor)
    set_time(governor.proposalSnapshot(proposal) + 1)
    late = backing.delegate(THRESHOLD)
    with acting(late), boa.reverts("Governor: no votes at the snapshot"):
        governor.castVote(proposal, FOR)


def proposed_by_wallet(backing: Backing, governor: Any) -> int:
    who = key("holder")
    backing.network.give_ifx(who.address, THRESHOLD)
    with acting(who):
        backing.ifx.delegate(who.address)
    advance(1)
    return proposed(governor, who)


def test_a_loan_of_one_second_never_votes(backing: Backing, governor: Any) -> None:
    """What is delegated and undelegated within a second has no votes at its end, nor can it be given back then."""
    who = key("borrower")
    with acting(who):
        backing.ifx.delegate(who.address)
    backing.delegate(LIMIT - OWN, who)
    backing.undelegate(who)
    advance(1)
    assert votes(governor, who) == 0
    assert backing.balance(who) == 0


def test_no_wei_votes_from_the_wallet_and_at_work_at_one_second(backing: Backing, governor: Any) -> None:
    who, amount = key("holder"), 1_000 * IFX
    backing.give(who, amount)
    with acting(who):
        backing.ifx.delegate(who.address)
    advance(1)
    assert votes(governor, who) == amount
    with acting(who):
        backing.delegation.delegate(backing.node.id, amount)
    advance(1)
    assert votes(governor, who) == amount
    exit = backing.undelegate(who)
    advance(1)
    assert votes(governor, who) == 0  # on its way out it neither works nor is free
    backing.wait_out()
    backing.delegation.withdraw(exit)
    advance(1)
    assert votes(governor, who) == amount


def test_unbonding_own_stake_does_not_vote(backing: Backing, governor: Any) -> None:
    with acting(backing.node.owner):
        backing.staking.unbond(backing.node.id, OWN - 1)
    advance(1)
    assert votes(governor, backing.node.owner) == 1


def test_a_slash_takes_an_owner_s_votes_at_once(backing: Backing, governor: Any) -> None:
    backing.slash(OWN // 4)
    advance(1)
    assert votes(governor, backing.node.owner) == OWN * 3 // 4


def test_a_delegator_s_votes_follow_a_slash_when_anybody_pokes(backing: Backing, governor: Any) -> None:
    who = backing.delegate(OWN)
    backing.slash(OWN)
    advance(1)
    # Until then it has at most what the slash took too much.
    assert votes(governor, who) == OWN
    with acting(key("anybody")):
        backing.delegation.poke(backing.node.id, who.address)
    advance(1)
    assert votes(governor, who) == OWN // 2 == backing.position(who).votes
    with acting(key("anybody")):
        backing.delegation.poke(backing.node.id, key("stranger").address)
    assert backing.staking.getVotes(key("stranger").address) == 0


def test_a_delegator_s_own_act_counts_a_slash_too(backing: Backing) -> None:
    who = backing.delegate(OWN)
    backing.slash(OWN)
    backing.undelegate(who, 2)
    assert backing.staking.getVotes(who.address) == OWN // 2 - 1


def test_votes_behind_several_nodes_add_up(backing: Backing, governor: Any) -> None:
    owner = backing.node.owner
    other = backing.network.register(2, owner)
    backing.network.stake(other, 5)
    backing.delegate(IFX, owner)
    advance(1)
    assert votes(governor, owner) == OWN + 5 + IFX


def test_votes_of_the_past_stay_and_those_of_the_present_second_are_refused(backing: Backing) -> None:
    start = now()
    owner = backing.node.owner.address
    advance(DAY)
    with acting(backing.node.owner):
        for _ in range(3):
            backing.staking.unbond(backing.node.id, 1)
            advance(10)
    times = {start: OWN, start + DAY: OWN - 1, start + DAY + 9: OWN - 1, start + DAY + 10: OWN - 2, now() - 1: OWN - 3}
    assert {at: backing.staking.getPastVotes(owner, at) for at in times} == times
    assert backing.staking.getPastVotes(owner, 1) == 0
    with boa.reverts("Staking: time not past"):
        backing.staking.getPastVotes(owner, now())


def test_contracts_that_hold_stake_and_rewards_never_vote_themselves(backing: Backing) -> None:
    backing.delegate(IFX)
    for contract in (backing.staking, backing.delegation):
        assert backing.ifx.delegates(contract) == NOBODY
        assert backing.ifx.getVotes(contract) == backing.staking.getVotes(contract) == 0
