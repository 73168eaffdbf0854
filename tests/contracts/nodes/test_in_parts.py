# SPDX-License-Identifier: Apache-2.0
"""Stake, fines, delegation and claims, at once and in parts: to the wei, or by so few wei as roundings can take."""

from copy import copy

import boa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.cutting import BPS, CUTS, cut
from tests.contracts.nodes.backing import DUST, OWN, UNBONDING, Backing
from tests.contracts.system import IFX, PRICE, WORKER, acting, advance, now, set_time

EARNED = 10**18 + 7
VESTING = 180 * 86_400
MANY = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
STAKED = ("own", "unbonding", "delegated", "delegated_unbonding")


def staked(backing: Backing) -> list[int]:
    """The four parts of the node's stake [wei]."""
    return [int(getattr(backing.staking, name)(backing.node.id)) for name in STAKED]


@MANY
@given(
    taken=st.integers(10**9, 3 * OWN),
    cuts=CUTS,
    sizes=st.tuples(*[st.integers(0, OWN // IFX)] * 3),
    share_bps=st.integers(0, 5_000),
)
def test_many_fines_take_what_one_of_their_sum_takes(
    backing: Backing, taken: int, cuts: list[int], sizes: tuple[int, int, int], share_bps: int
) -> None:
    """In proportion from all four parts, but for a few wei a fine. No less is burned, and the reporter gets no more than half
    of what the owner loses."""
    with boa.env.anchor():
        delegated, leaving, unbonding = (size * IFX for size in sizes)
        if delegated or leaving:
            who = backing.delegate(delegated + leaving + IFX)
            if leaving:
                backing.undelegate(who, leaving)
        if unbonding:
            with acting(backing.node.owner):
                backing.staking.unbond(backing.node.id, unbonding)
        own, going, *_ = staked(backing)
        taken = min(taken, sum(staked(backing)))
        reporter = backing.network.fresh_key("reporter").address
        results = []
        for each in ([taken], parts := cut(taken, cuts)):
            with boa.env.anchor():
                supply, pooled = backing.ifx.totalSupply(), backing.balance(backing.network.penalty_pool)
                assert sum(backing.slash(part, share_bps, reporter) for part in each) == taken
                burned = supply - backing.ifx.totalSupply()
                pooled = backing.balance(backing.network.penalty_pool) - pooled
                results.append((staked(backing), burned, pooled, backing.balance(reporter)))
        (left, burned, pooled, reward), (lefts, burned_by_many, pooled_by_many, rewards) = results
        assert sum(left) == sum(lefts)
        assert all(abs(one - many) <= 3 * len(parts) for one, many in zip(left, lefts, strict=True))
        assert 0 <= burned_by_many - burned <= len(parts)
        assert abs(reward - rewards) <= 2 * len(parts)
        assert rewards <= min(taken * share_bps // BPS, (own - lefts[0] + going - lefts[1]) // 2)
        assert burned + pooled + reward == burned_by_many + pooled_by_many + rewards == taken


@MANY
@given(own=st.integers(1_000, 9_000), fine=st.integers(1, 9_999), share_bps=st.integers(0, 5_000))
def test_stake_that_an_owner_delegates_to_itself_earns_and_loses_the_same(
    backing: Backing, own: int, fine: int, share_bps: int
) -> None:
    """And a reporter of its own gets no more for it."""
    node, mine = backing.node, OWN * own // BPS
    ends = []
    for delegated in (0, OWN - mine):
        with boa.env.anchor():
            if delegated:
                with acting(node.owner):
                    backing.staking.unbond(node.id, delegated)
                advance(UNBONDING)
                with acting(node.owner):
                    backing.staking.withdraw(node.id)
                    backing.ifx.transfer(backing.network.foundation, delegated)
                other = backing.delegate(delegated)
                backing.ledger.publish(backing.ledger.books({}))
            before = backing.balance(node.owner)
            copy(backing).pay(EARNED)
            earned = backing.balance(node.owner) - before + (backing.rewards(other) if delegated else 0)
            reporter = backing.network.fresh_key("reporter").address
            lost = backing.slash(OWN * fine // BPS, share_bps, reporter)
            kept = backing.staking.own(node.id) + (backing.position(other).value if delegated else 0)
            ends.append((earned, kept, lost, backing.balance(reporter)))
    (earned, kept, lost, reward), (earned_by_both, kept_by_both, lost_by_both, rewards) = ends
    assert 0 <= earned - earned_by_both <= DUST
    assert 0 <= kept - kept_by_both <= 1
    assert lost == lost_by_both
    assert rewards <= reward


@MANY
@given(cuts=CUTS, waits=st.lists(st.integers(0, UNBONDING), min_size=5, max_size=5))
def test_unbonding_in_parts_pays_the_same_and_no_earlier(backing: Backing, cuts: list[int], waits: list[int]) -> None:
    """Each further part makes all of it wait anew."""
    node, staking, start = backing.node, backing.staking, now()
    with boa.env.anchor():
        for part, wait in zip(parts := cut(OWN, cuts), waits, strict=False):
            with acting(node.owner):
                staking.unbond(node.id, part)
            last = now()
            advance(wait if wait < UNBONDING else UNBONDING - 1)
        assert staking.free_at(node.id) == last + UNBONDING >= start + UNBONDING
        assert staking.unbonding(node.id) == sum(parts) == OWN
        set_time(last + UNBONDING - 1)
        with acting(node.owner), boa.reverts("Staking: still unbonding"):
            staking.withdraw(node.id)
        advance(1)
        with acting(node.owner):
            assert staking.withdraw(node.id) == OWN


@MANY
@given(cuts=CUTS, speed=st.integers(10**5, 10**8))
def test_a_machine_registered_as_several_needs_no_less_stake(backing: Backing, cuts: list[int], speed: int) -> None:
    """A wei a node more at most, and fined all together a wei a node less. One of them alone has its own part at risk."""
    system, required, fines = backing.network, [], []
    bps = system.window("slash_failed_bps")
    for speeds in ([speed], cut(speed, cuts)):
        with boa.env.anchor():
            with acting(system.governor):
                system.market.set_price(PRICE * 11 // 10 + 7)  # which divides nothing evenly
            nodes = [system.register(WORKER) for _ in speeds]
            with acting(system.manager.operator):
                for node, ib in zip(nodes, speeds, strict=True):
                    system.registry.attest_benchmark(node.id, ib, bytes(32))
            needed = [int(system.staking.required(node.id)) for node in nodes]
            required.append(sum(needed))
            fines.append(sum(each * bps // BPS for each in needed))
    assert 0 <= required[1] - required[0] < len(speeds)
    assert abs(fines[1] - fines[0]) < len(speeds)


def claims(backing: Backing, times: list[int], delegated: int) -> dict[str, int]:
    """What everybody has when a node that earned EARNED, a quarter matured, is claimed for at these times."""
    with boa.env.anchor():
        who = backing.delegate(delegated) if delegated else None
        backing.ledger.close_epoch()
        quarter, start = EARNED // 4, now()
        books = backing.ledger.books({backing.node.id: (quarter, EARNED - quarter, (EARNED - quarter) * start)})
        backing.ledger.publish(books)
        owner, published = backing.balance(backing.node.owner), now()
        for time in times:
            set_time(published + time)
            leaf, proof = books.claim(backing.node.id)
            if backing.network.accounts.claimable(leaf):
                backing.network.accounts.claim(leaf, proof)
        streamed = (EARNED - quarter) * (now() - start) // VESTING
        assert backing.network.accounts.claimed(backing.node.id) == quarter + streamed
        return {
            "owner": backing.balance(backing.node.owner) - owner,
            "delegator": backing.rewards(who) if who else 0,
            "all": quarter + streamed,
        }


@MANY
@given(
    times=st.lists(st.integers(0, 13 * 86_400), min_size=2, max_size=6).map(sorted),
    delegated=st.sampled_from([0, IFX, OWN, 50 * OWN]),
)
def test_claiming_often_brings_what_claiming_once_does(backing: Backing, times: list[int], delegated: int) -> None:
    """The owner gets at most a wei a claim more, which its delegators get less, beside what is less than a share earns."""
    once, often = claims(backing, times[-1:], delegated), claims(backing, times, delegated)
    assert once["all"] == often["all"]
    assert 0 <= often["owner"] - once["owner"] <= len(times)
    lost = delegated // 10**18 + 1
    assert 0 <= once["delegator"] - often["delegator"] <= (lost + 1) * len(times)
    if not delegated:
        assert once["owner"] == once["all"]


@pytest.mark.parametrize("slashed", [0, OWN // 7])
def test_one_delegator_that_comes_and_leaves_in_parts_gains_nothing(backing: Backing, slashed: int) -> None:
    """Beside it somebody with as much, who comes and leaves at once."""
    backing.delegate(OWN)
    if slashed:
        backing.slash(slashed)
    at_once = backing.delegate(7 * IFX)
    in_parts = backing.delegate(IFX)
    for _ in range(6):
        backing.delegate(IFX, in_parts)
    backing.pay(EARNED)
    assert 0 <= backing.rewards(at_once) - backing.rewards(in_parts) <= DUST
    exits = [backing.undelegate(at_once)]
    while backing.position(in_parts).shares:
        exits.append(backing.undelegate(in_parts, min(IFX, backing.position(in_parts).shares)))
    backing.wait_out()
    paid = [int(backing.delegation.withdraw(exit)) for exit in exits]
    assert 0 <= paid[0] - sum(paid[1:]) <= 2 * len(paid)
    assert 7 * IFX - paid[0] <= 2
