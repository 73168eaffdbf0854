# SPDX-License-Identifier: Apache-2.0
"""Staking: what a node needs, when it counts, how it leaves, and that a slash never takes more than there is."""

import boa
import pytest
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.system import (
    BANNED,
    DAY,
    FROZEN,
    IFX,
    JAILED,
    MANAGER,
    PRICE,
    USD,
    VERIFIER,
    WORKER,
    Node,
    System,
    acting,
    advance,
    key,
    now,
    set_time,
    slot,
)

UNBONDING = 90 * DAY


def measured(system: System, price: int, ib: int) -> Node:
    node = system.register(WORKER, price=price)
    with acting(system.manager.operator):
        system.registry.attest_benchmark(node.id, ib, bytes(32))
    return node


def unbond(system: System, node: Node, amount: int) -> None:
    with acting(node.owner):
        system.staking.unbond(node.id, amount)


def is_qualified(system: System, node: Node) -> bool:
    """Whether it would be bonded at a price at which its stake is worth enough by far."""
    with boa.env.anchor():
        system.market.set_price(PRICE * 100)
        return bool(system.staking.is_bonded(node.id))


def wei(usd: int) -> int:
    """nano-USD in IFX at the test's price, rounded up."""
    return -(-usd * IFX // PRICE)


def test_worker_needs_twice_an_epochs_work(system: System) -> None:
    """0.5 IB at 2 USD per IB-hour, which is 2/60 USD per IBM: 144 USD."""
    node = measured(system, price=2 * USD // 60, ib=500_000)
    assert system.staking.required(node.id) == wei(2 * 4320 * 500_000 * (2 * USD // 60) // 10**6)
    assert abs(system.staking.required(node.id) * PRICE // IFX - 144 * USD) < 10**4  # the price itself is rounded


def test_cheap_worker_stakes_at_the_networks_price(system: System) -> None:
    node = measured(system, price=8_000_000, ib=1_000_000)
    assert system.staking.required(node.id) == wei(2 * 4320 * 16_000_000)


def test_bonds_of_verifier_and_manager_round_up(system: System) -> None:
    verifier, manager = system.register(VERIFIER), system.register(MANAGER)
    assert system.staking.required(verifier.id) == wei(500 * USD) == 10_000 * IFX
    assert system.staking.required(manager.id) == 100_000 * IFX
    system.market.set_price(30_000_001)
    assert system.staking.required(verifier.id) == -(-500 * USD * IFX // 30_000_001)
    assert system.staking.required(99) == 0


@pytest.mark.parametrize("role", [VERIFIER, MANAGER])
def test_bonded_at_the_required_stake_and_not_a_wei_under(system: System, role: int) -> None:
    node = system.register(role)
    required = system.staking.required(node.id)
    system.stake(node, required - 1)
    assert not system.staking.is_bonded(node.id)
    system.stake(node, 1)
    assert system.staking.is_bonded(node.id)
    assert system.staking.bonded(node.id) == system.staking.own(node.id) == required
    unbond(system, node, 1)
    assert not system.staking.is_bonded(node.id)


def test_worker_is_bonded_from_its_benchmark_on(system: System) -> None:
    node = system.register(WORKER)
    system.stake(node, 10**6 * IFX)
    assert not system.staking.is_bonded(node.id)
    with acting(system.manager.operator):
        system.registry.attest_benchmark(node.id, 1_000_000, bytes(32))
    assert system.staking.is_bonded(node.id)


def test_price_of_ifx_unbonds_under_eighty_percent_only(system: System) -> None:
    node = system.bonded(VERIFIER)
    system.market.set_price(PRICE * 8 // 10)
    assert system.staking.is_bonded(node.id)
    system.market.set_price(PRICE * 8 // 10 - 1)
    assert not system.staking.is_bonded(node.id)
    system.market.set_price(PRICE)
    assert system.staking.is_bonded(node.id)


def test_a_price_that_stays_low_takes_a_node_out_when_anybody_looks(system: System) -> None:
    node = system.bonded(VERIFIER)
    system.market.set_price(PRICE * 8 // 10)
    system.staking.refresh(node.id)
    assert system.staking.is_bonded(node.id)
    system.market.set_price(PRICE * 8 // 10 - 1)
    system.staking.refresh(node.id)
    (event,) = [each for each in system.staking.get_logs() if type(each).__name__ == "Qualified"]
    assert (event.node, event.qualified) == (node.id, False)
    system.market.set_price(PRICE * 9 // 10)
    system.staking.refresh(node.id)
    assert not system.staking.is_bonded(node.id)  # it is out, and comes back with the whole
    system.market.set_price(PRICE)
    system.staking.refresh(node.id)
    assert system.staking.is_bonded(node.id)


def test_attack_a_worker_measured_anew_far_faster_works_with_the_stake_of_a_slow_one(system: System) -> None:
    node, manager = system.bonded(WORKER, ib=1_000_000), system.manager
    for ib, is_bonded in ((1_250_000, True), (1_250_001, False)):
        with acting(node.owner):
            system.registry.request_benchmark(node.id, manager.id)
        with acting(manager.operator):
            system.registry.attest_benchmark(node.id, ib, bytes(32))
        assert system.staking.is_bonded(node.id) is is_bonded
        assert is_qualified(system, node) is is_bonded


def test_attack_a_worker_that_asks_for_more_works_with_the_stake_of_a_cheap_one(system: System) -> None:
    node = system.bonded(WORKER)
    default = system.parameters.get(keccak(text="price_default"))
    with acting(node.owner):
        system.registry.set_price(node.id, default * 125 // 100)
        assert is_qualified(system, node)
        system.registry.set_price(node.id, default * 126 // 100)
    assert not is_qualified(system, node)
    assert not system.staking.is_bonded(node.id)


def test_who_unbonds_qualifies_only_at_the_whole_again(system: System) -> None:
    node = system.bonded(VERIFIER)
    required = system.staking.required(node.id)
    unbond(system, node, 1)
    system.market.set_price(PRICE * 2)
    assert not system.staking.is_bonded(node.id)
    system.staking.refresh(node.id)
    assert system.staking.is_bonded(node.id)
    system.market.set_price(PRICE)
    assert system.staking.is_bonded(node.id)
    unbond(system, node, 1)
    system.staking.refresh(node.id)
    assert not system.staking.is_bonded(node.id)
    assert system.staking.bonded(node.id) == required - 2


@pytest.mark.parametrize("status", [FROZEN, JAILED, BANNED])
def test_only_active_nodes_are_bonded(system: System, status: int) -> None:
    node = system.bonded(VERIFIER)
    with acting(system.panels):
        system.registry.set_status(node.id, status)
    assert not system.staking.is_bonded(node.id)


def test_anybody_stakes_for_a_node_that_is_there(system: System) -> None:
    node, payer = system.register(VERIFIER), key("payer")
    system.give_ifx(payer.address, 10)
    with acting(payer):
        system.ifx.approve(system.staking, 10)
        system.staking.stake(node.id, 7)
        (event,) = [each for each in system.staking.get_logs() if type(each).__name__ == "Staked"]
        assert (event.node, event.payer, event.amount) == (node.id, payer.address, 7)
        with boa.reverts("Staking: no such node"):
            system.staking.stake(99, 1)
        with boa.reverts("Staking: nothing to stake"):
            system.staking.stake(node.id, 0)
        with boa.reverts("erc20: insufficient allowance"):
            system.staking.stake(node.id, 4)
        with boa.reverts("Staking: not the node's owner"):
            system.staking.unbond(node.id, 7)
    assert system.staking.bonded(node.id) == 7 == system.ifx.balanceOf(system.staking)


def test_banned_and_retired_nodes_take_no_stake(system: System) -> None:
    banned, retired = system.register(VERIFIER), system.register(VERIFIER)
    with acting(system.panels):
        system.registry.set_status(banned.id, BANNED)
    with acting(retired.owner):
        system.registry.retire(retired.id)
    for node in (banned, retired):
        with boa.reverts("Staking: node banned or retired"):
            system.stake(node, 1)


def test_unbonding_takes_ninety_days_to_the_second(system: System) -> None:
    node = system.register(VERIFIER)
    system.stake(node, 10)
    start = now()
    unbond(system, node, 4)
    assert system.staking.free_at(node.id) == start + UNBONDING
    assert (system.staking.bonded(node.id), system.staking.unbonding(node.id)) == (6, 4)
    set_time(start + UNBONDING - 1)
    with acting(node.owner):
        with boa.reverts("Staking: still unbonding"):
            system.staking.withdraw(node.id)
        set_time(start + UNBONDING)
        assert system.staking.withdraw(node.id) == 4
        with boa.reverts("Staking: nothing unbonding"):
            system.staking.withdraw(node.id)
    assert system.ifx.balanceOf(node.owner.address) == 4
    assert system.staking.free_at(node.id) == 0
    with acting(key("thief")), boa.reverts("Staking: not the node's owner"):
        system.staking.withdraw(node.id)


def test_further_unbonding_starts_the_wait_anew(system: System) -> None:
    node = system.register(VERIFIER)
    system.stake(node, 10)
    start = now()
    unbond(system, node, 4)
    advance(DAY)
    unbond(system, node, 1)
    assert system.staking.free_at(node.id) == start + DAY + UNBONDING
    with acting(node.owner):
        with boa.reverts("Staking: more than bonded"):
            system.staking.unbond(node.id, 6)
        with boa.reverts("Staking: nothing to unbond"):
            system.staking.unbond(node.id, 0)


def test_holds_block_withdrawal_until_all_are_released(system: System) -> None:
    node = system.register(VERIFIER)
    system.stake(node, 4)
    unbond(system, node, 4)
    advance(UNBONDING)
    for court in (system.panels, system.disputes, system.availability, system.batches):
        with acting(court):
            system.staking.hold(node.id)
    for court in (system.panels, system.disputes, system.availability, system.batches):
        with acting(node.owner), boa.reverts("Staking: held by an open case or batch"):
            system.staking.withdraw(node.id)
        with acting(court):
            system.staking.release_hold(node.id)
    with acting(node.owner):
        assert system.staking.withdraw(node.id) == 4
    with acting(system.panels), boa.reverts("Staking: no hold"):
        system.staking.release_hold(node.id)


def test_more_holds_than_can_be_counted_are_refused_and_lose_none(system: System) -> None:
    """A node's holds share a word with its stake: one too many would begin at none, and let it leave."""
    node, most = system.register(VERIFIER), 2**16 - 1
    system.stake(node, 4)
    place = slot(system.staking, "stakes._at_work", node.id)
    word = int(boa.env.get_storage(system.staking.address, place))
    boa.env.set_storage(system.staking.address, place, word | most - 1 << 192)
    with acting(system.panels):
        system.staking.hold(node.id)
        assert (system.staking.holds(node.id), system.staking.bonded(node.id)) == (most, 4)
        with boa.reverts("Staking: too many holds"):
            system.staking.hold(node.id)
    assert system.staking.holds(node.id) == most


def test_delegation_takes_out_of_work_what_was_delegated_and_nothing_of_the_owners(system: System) -> None:
    node = system.register(VERIFIER)
    system.stake(node, 10)
    with acting(system.delegation):
        system.staking.bond_delegated(node.id, 5)
        with boa.reverts("Staking: more than delegated"):
            system.staking.unbond_delegated(node.id, 6)
        system.staking.unbond_delegated(node.id, 5)
    assert tuple(system.staking.parts(node.id)) == (10, 0)


def test_frozen_stake_stays_whether_bonded_or_unbonding(system: System) -> None:
    node = system.register(VERIFIER)
    system.stake(node, 10)
    unbond(system, node, 6)
    with acting(system.panels):
        assert system.staking.freeze(node.id, 7) == 7
        assert system.staking.freeze(node.id, 7) == 3
        system.staking.unfreeze(node.id, 5)
    assert system.staking.frozen(node.id) == 5
    advance(UNBONDING)
    with acting(node.owner):
        assert system.staking.withdraw(node.id) == 5
        with boa.reverts("Staking: frozen"):
            system.staking.withdraw(node.id)
    with acting(system.panels):
        system.staking.unfreeze(node.id, 99)
    assert system.staking.frozen(node.id) == 0
    with acting(node.owner):
        assert system.staking.withdraw(node.id) == 1


def test_frozen_stake_does_not_count_as_bonded(system: System) -> None:
    node = system.bonded(VERIFIER)
    required = system.staking.required(node.id)
    with acting(system.disputes):
        system.staking.freeze(node.id, required // 5)
        assert system.staking.is_bonded(node.id)
        system.staking.freeze(node.id, 1)
        assert not system.staking.is_bonded(node.id)
        system.staking.unfreeze(node.id, required)
    assert system.staking.is_bonded(node.id)


def test_slash_takes_both_in_proportion_half_burned_half_pooled(system: System) -> None:
    node = system.register(VERIFIER)
    system.stake(node, 100)
    unbond(system, node, 25)
    supply = system.ifx.totalSupply()
    with acting(system.panels):
        assert system.staking.slash(node.id, 41, 0) == 41
        (event,) = [each for each in system.staking.get_logs() if type(each).__name__ == "Slashed"]
    assert (event.node, event.amount, event.burned, event.pooled) == (node.id, 41, 21, 20)
    assert (system.staking.bonded(node.id), system.staking.unbonding(node.id), system.staking.own(node.id)) == (
        44,
        15,
        44,
    )
    assert system.ifx.totalSupply() == supply - 21
    assert system.penalty_pool.received() == 20 == system.ifx.balanceOf(system.penalty_pool)


def test_reporters_share_comes_out_of_the_pools_half(system: System) -> None:
    node, reporter = system.register(VERIFIER), key("reporter").address
    system.stake(node, 200)
    with acting(system.disputes):
        with boa.reverts("Staking: reporter's share"):
            system.staking.slash(node.id, 100, 5001, reporter)
        system.staking.slash(node.id, 100, 1000, reporter)
        system.staking.slash(node.id, 100, 5000)
    assert system.ifx.balanceOf(reporter) == 10
    assert system.penalty_pool.received() == 40
    assert system.ifx.balanceOf(system.disputes.address) == 50


def test_slash_never_takes_more_than_there_is(system: System) -> None:
    node, other = system.register(VERIFIER), system.register(VERIFIER)
    system.stake(node, 10)
    system.stake(other, 10)
    unbond(system, node, 3)
    with acting(system.panels):
        system.staking.freeze(node.id, 8)
        assert system.staking.slash(node.id, 10**30, 0) == 10
        assert system.staking.slash(node.id, 1, 0) == 0
    assert system.staking.bonded(node.id) == system.staking.unbonding(node.id) == system.staking.frozen(node.id) == 0
    assert system.staking.bonded(other.id) == 10 == system.ifx.balanceOf(system.staking)


def test_slashed_node_must_be_topped_up_to_count(system: System) -> None:
    node = system.bonded(VERIFIER)
    with acting(system.panels):
        system.staking.slash(node.id, 1, 0)
    assert not system.staking.is_bonded(node.id)
    system.stake(node, 1)
    assert system.staking.is_bonded(node.id)


def test_unbonding_stake_is_slashed_until_it_is_out(system: System) -> None:
    node = system.register(VERIFIER)
    system.stake(node, 10)
    unbond(system, node, 10)
    advance(UNBONDING + DAY)
    with acting(system.panels):
        assert system.staking.slash(node.id, 4, 0) == 4
    with acting(node.owner):
        assert system.staking.withdraw(node.id) == 6


def test_only_courts_freeze_and_slash_and_only_holders_hold(system: System) -> None:
    node = system.register(VERIFIER)
    system.stake(node, 10)
    for other in (system.governor, system.guardian, node.owner, system.batches):
        with acting(other):
            for call in (system.staking.freeze, system.staking.unfreeze):
                with boa.reverts("courts: not a court"):
                    call(node.id, 1)
            with boa.reverts("courts: not a court"):
                system.staking.slash(node.id, 1, 0)
    for call in (system.staking.hold, system.staking.release_hold):
        with acting(system.governor), boa.reverts("Staking: not a court or Batches"):
            call(node.id)


def test_pause_does_not_hold_anybody_in(system: System) -> None:
    node = system.register(VERIFIER)
    system.stake(node, 10)
    unbond(system, node, 5)
    advance(UNBONDING - DAY)
    with acting(system.guardian):
        system.parameters.pause()
    unbond_at = system.staking.free_at(node.id)
    set_time(unbond_at)
    assert system.parameters.paused()
    with acting(node.owner):
        assert system.staking.withdraw(node.id) == 5
        system.staking.unbond(node.id, 5)


def test_governor_moves_to_a_market_that_has_a_price(system: System) -> None:
    with acting(system.deployer), boa.reverts("governed: not the governor"):
        system.staking.set_market(system.market)
    system.market.set_price(0)
    with acting(system.governor), boa.reverts("Staking: no price"):
        system.staking.set_market(system.market)
    system.market.set_price(1)
    with acting(system.governor):
        system.staking.set_market(system.market)


ACTS = st.tuples(
    st.sampled_from(["stake", "unbond", "freeze", "unfreeze", "slash", "wait", "withdraw"]),
    st.integers(0, 1),
    st.integers(1, 60),
    st.integers(0, 5000),
)


@settings(max_examples=25)
@given(acts=st.lists(ACTS, max_size=20))
def test_the_contract_holds_exactly_what_the_books_say(deployed: System, acts: list[tuple[str, int, int, int]]) -> None:
    staking, ifx = deployed.staking, deployed.ifx
    with boa.env.anchor():
        nodes = [deployed.register(VERIFIER) for _ in range(2)]
        minted = ifx.minted()
        for verb, which, amount, share in acts:
            node = nodes[which]
            bonded, leaving = staking.bonded(node.id), staking.unbonding(node.id)
            if verb == "stake":
                deployed.stake(node, amount)
            elif verb == "unbond" and amount <= bonded:
                unbond(deployed, node, amount)
            elif verb in ("freeze", "unfreeze"):
                with acting(deployed.panels):
                    getattr(staking, verb)(node.id, amount)
            elif verb == "slash":
                with acting(deployed.panels):
                    assert staking.slash(node.id, amount, share) == min(amount, bonded + leaving)
            elif verb == "wait":
                advance(30 * DAY)
            elif verb == "withdraw" and leaving and now() >= staking.free_at(node.id):
                payable = min(leaving, bonded + leaving - staking.frozen(node.id))
                with acting(node.owner):
                    if payable:
                        assert staking.withdraw(node.id) == payable
            for each in nodes:
                assert staking.own(each.id) == staking.bonded(each.id)
                assert staking.frozen(each.id) <= staking.bonded(each.id) + staking.unbonding(each.id)
            booked = sum(staking.bonded(each.id) + staking.unbonding(each.id) for each in nodes)
            assert ifx.balanceOf(staking) == booked
            assert ifx.minted() == minted


def dear_worker(system: System) -> tuple[Node, int, int]:
    """One that asks ten times the usual price: it, what it asks [nano-USD per IBM], and what it has to stake [wei]."""
    dear = 10 * int(system.registry.terms(system.bonded(WORKER).id).price)
    node = measured(system, dear, 10**6)
    needed = int(system.staking.required(node.id))
    system.stake(node, needed)
    return node, dear, needed


def test_attack_a_worker_that_lowers_its_price_before_the_fine_is_fined_as_it_was(system: System) -> None:
    node, dear, needed = dear_worker(system)
    before = system.registry.node(node.id)
    with acting(node.owner):
        system.registry.set_price(node.id, dear // 10)
        assert system.staking.required(node.id) == needed
        assert system.registry.node(node.id) == before._replace(price=dear // 10)
        system.staking.unbond(node.id, needed // 2)
        system.registry.set_price(node.id, dear // 20)
    assert system.staking.required(node.id) == needed
    assert not system.staking.is_bonded(node.id)
    advance(47 * DAY)
    assert system.staking.required(node.id) == needed
    advance(DAY)
    assert 0 < system.staking.required(node.id) <= needed // 10 + 1
    assert system.staking.is_bonded(node.id) is False, "not qualified before it is asked again"
    system.staking.refresh(node.id)
    assert system.staking.is_bonded(node.id)


def test_attack_a_worker_measured_anew_as_slow_has_stake_for_what_it_was(system: System) -> None:
    node = system.bonded(WORKER)
    needed, ib = int(system.staking.required(node.id)), int(system.registry.terms(node.id).ib)
    with acting(node.owner):
        system.registry.request_benchmark(node.id, system.manager.id)
    with acting(system.manager.operator):
        system.registry.attest_benchmark(node.id, ib // 1000, bytes(32))
    assert system.staking.required(node.id) == needed
    advance(48 * DAY)
    assert system.staking.required(node.id) < needed // 900


def test_attack_a_pause_in_which_nothing_is_proposed_outlasts_no_price_of_before(system: System) -> None:
    """An order of before is charged up to 30 days of block time and ten of the protocol's clock later."""
    system.set_parameter("batch_window", 7 * DAY)
    node, dear, needed = dear_worker(system)
    with acting(node.owner):
        system.registry.set_price(node.id, dear // 10)
    advance(30 * DAY)
    deadline = now()
    with acting(system.guardian):
        system.parameters.pause()
    advance(17 * DAY - 1)
    assert system.parameters.passed(deadline) == (3 + 7) * DAY - 1
    assert system.staking.required(node.id) == needed
    advance(DAY + 1)
    assert 0 < system.staking.required(node.id) <= needed // 10 + 1


def test_a_strangers_false_speed_is_gone_when_it_is_measured_anew(system: System) -> None:
    node = system.register(WORKER)
    system.stake(node, IFX)
    with acting(system.manager.operator):
        system.registry.attest_benchmark(node.id, 2**32 - 1, bytes(32))
    with acting(node.owner):
        system.registry.request_benchmark(node.id, system.manager.id)
    with acting(system.manager.operator):
        system.registry.attest_benchmark(node.id, 1, bytes(32))
    assert system.staking.required(node.id) <= IFX
    assert system.staking.is_bonded(node.id)


def test_a_price_that_rises_is_asked_for_at_once(system: System) -> None:
    node = system.bonded(WORKER)
    needed, price = int(system.staking.required(node.id)), int(system.registry.terms(node.id).price)
    with acting(node.owner):
        system.registry.set_price(node.id, 3 * price)
        assert int(system.staking.required(node.id)) == pytest.approx(3 * needed, abs=3)
        assert not system.staking.could_work(node.id)
        system.registry.set_price(node.id, 2 * price)
    assert int(system.staking.required(node.id)) == pytest.approx(2 * needed, abs=2)
    with acting(node.owner):
        system.registry.set_price(node.id, price)
    assert int(system.staking.required(node.id)) == needed, "at three times its price it had no stake to work with"


def test_attack_a_price_that_nobody_has_the_stake_for_makes_no_worker_forget_its_own(system: System) -> None:
    """Up to the absurd and down in one block, before the fine."""
    node, dear, needed = dear_worker(system)
    with acting(node.owner):
        for price in (2**63, dear // 10, 2**64 - 1, dear // 20):
            system.registry.set_price(node.id, price)
    assert system.staking.required(node.id) == needed
    advance(48 * DAY)
    assert 0 < system.staking.required(node.id) <= needed // 10 + 1


def test_attack_a_speed_that_nobody_has_makes_no_worker_forget_its_own(system: System) -> None:
    node = system.bonded(WORKER)
    needed = int(system.staking.required(node.id))
    for speed in (2**32 - 1, 1):
        with acting(node.owner):
            system.registry.request_benchmark(node.id, system.manager.id)
        with acting(system.manager.operator):
            system.registry.attest_benchmark(node.id, speed, bytes(32))
    assert system.staking.required(node.id) == needed
    advance(48 * DAY)
    assert system.staking.required(node.id) < needed // 900


def test_attack_a_worker_that_lowers_its_price_once_ifx_has_fallen_is_fined_as_it_was(system: System) -> None:
    """Its stake is worth a third of what is required, and what it asked with all of it counts on; weighed again first, by the
    price that it has, or by anybody."""
    node, dear, needed = dear_worker(system)
    system.market.set_price(int(system.market.price()) // 3)
    after = int(system.staking.required(node.id))
    assert after >= 3 * needed
    system.staking.refresh(node.id)
    assert not system.staking.is_bonded(node.id)
    with acting(node.owner):
        system.registry.set_price(node.id, dear)
        system.registry.set_price(node.id, dear // 10)
    assert system.staking.required(node.id) == after
