# SPDX-License-Identifier: Apache-2.0
"""Scenarios: the same seed gives the same run, no wei is lost, and what people do has the effects it must have."""

from dataclasses import asdict
from fractions import Fraction
from itertools import pairwise
from math import floor

import pytest

from deploy.plan import SHARES
from inferix.economy import BUDGET, required_stake
from inferix.models.roles import Role
from inferix.units import WEI_PER_IFX, NanoUsd
from simulator.book import Imbalance
from simulator.fleet import CHEATING, HONEST, LAZY, Leaf
from simulator.settings import Scenario, Settings, load_settings
from simulator.world import World

NAMES = sorted(load_settings().scenarios)
EPOCHS = 200


def world(settings: Settings, name: str, seed: int = 1, **changes: object) -> World:
    """One of the file's scenarios, with changes, not yet run."""
    values = settings.scenarios[name].model_dump(exclude_unset=True) | changes
    scenario = Scenario.model_validate(values)
    return World(scenario, name, seed, settings.experiments.jobs[0], settings.experiments.machine)


@pytest.mark.parametrize("name", NAMES)
def test_money_is_conserved_to_the_wei_in_every_epoch(settings: Settings, name: str) -> None:
    found = world(settings, name)
    for row in found.run(EPOCHS):
        ifx = found.book.ifx.balances
        holders = sum(amount for holder, amount in ifx.items() if holder != "pool")
        planned = sum(SHARES.values()) * WEI_PER_IFX
        assert holders + ifx.get("pool", 0) == row.supply == planned + row.total_minted - row.total_burned
        assert min(ifx.values()) >= 0
        assert row.total_minted <= BUDGET
        assert sum(found.book.usd.balances.values()) == found.book.usd.supply
    leaves = [group.leaf for group in found.groups] + [found.rewards.verifiers, found.rewards.managers]
    owed = sum(leaf.matured + leaf.vesting - leaf.claimed for leaf in leaves)
    assert ifx["accounts"] == owed
    assert found.rows[-1].total_minted > 0


def test_lost_money_is_noticed(settings: Settings) -> None:
    found = world(settings, "steady")
    steps = found.run(3)
    next(steps)
    found.book.ifx.balances["pool"] -= 1
    with pytest.raises(Imbalance, match="IFX"):
        next(steps)
    other = world(settings, "steady")
    other.book.minted += 1
    with pytest.raises(Imbalance, match="supply"):
        next(other.run(1))


def test_the_same_seed_gives_the_same_run_and_another_seed_another(settings: Settings) -> None:
    runs = [[asdict(row) for row in world(settings, "growth", seed).run(30)] for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_more_is_minted_for_more_fees_and_nothing_for_none(settings: Settings) -> None:
    low, high = (list(world(settings, "steady", demand={"usd": usd}).run(20)) for usd in (1_000, 3_000))
    assert high[-1].total_minted > 2 * low[-1].total_minted
    idle = list(world(settings, "steady", demand={"usd": 0}).run(20))
    assert idle[-1].total_minted == idle[-1].total_burned == 0


def test_with_m_of_one_the_mint_is_what_was_burned_over_the_burned_share(settings: Settings) -> None:
    for row in world(settings, "growth").run(50):
        assert row.minted == row.burned * 10_000 // 8_000


def test_a_rally_raises_the_price_and_a_crash_lowers_it(settings: Settings) -> None:
    trades = {"at": 5, "length": 20, "ppm": 20_000, "noise": 0}
    prices = [
        list(world(settings, "steady", trades={"kind": kind, **trades}).run(25))[-1].price
        for kind in ("crash", "steady", "rally")
    ]
    assert prices == sorted(prices)
    assert len(set(prices)) == 3


def test_the_price_that_stakes_count_by_moves_by_a_fifth_an_epoch_at_most(settings: Settings) -> None:
    rows = list(world(settings, "whale", whale={"usd": 10**7, "buys_at": 1, "over": 1, "sells_at": 40}).run(10))
    assert rows[1].price > 100 * rows[0].price
    for before, after in pairwise(rows):
        assert abs(after.mean_price - before.mean_price) * 5 <= before.mean_price


def test_a_falling_price_has_stakes_topped_up(settings: Settings) -> None:
    crash = {"kind": "crash", "at": 3, "length": 10, "ppm": 100_000, "noise": 0}
    rows = list(world(settings, "steady", trades=crash).run(20))
    assert sum(row.topped_up for row in rows) > 0
    assert rows[2].under == 0 < sum(row.under for row in rows)


def test_a_cheat_loses_its_stake_at_once_and_half_of_it_is_burned(settings: Settings) -> None:
    found = world(settings, "hostile")
    rows = list(found.run(5))
    cheats = next(group for group in found.groups if group.behaviour == CHEATING)
    assert (cheats.count, cheats.stake) == (0, 0)
    assert cheats.profit < 0
    burned_by_fees = sum(row.burned for row in rows)
    assert rows[-1].total_burned - burned_by_fees == sum(row.slashed for row in rows) - cheats.slashed // 2
    assert sum(row.pooled for row in rows) >= cheats.slashed // 2


def test_without_honest_verifiers_a_cheat_keeps_its_stake(settings: Settings) -> None:
    found = world(settings, "hostile", colluding=1_000_000)
    list(found.run(5))
    cheats = next(group for group in found.groups if group.behaviour == CHEATING)
    assert (cheats.count, cheats.slashed) == (20, 0)
    assert cheats.profit > 0


def test_the_lazy_are_not_paid_for_being_there(settings: Settings) -> None:
    paid = {}
    for poc in (0, 10_000):
        found = world(settings, "hostile", rules={"poc_bps": poc})
        list(found.run(20))
        paid[poc] = {group.behaviour: group.worth for group in found.groups}
    assert paid[10_000][LAZY] == 0 < paid[0][LAZY]
    assert paid[10_000][HONEST] > 0


def test_a_reference_market_runs_dry_and_then_nothing_is_minted(settings: Settings) -> None:
    rows = list(world(settings, "launch", inventory_ifx=500_000).run(30))
    dry = next(row.epoch for row in rows if row.uncollected > 10**9)
    assert 0 < dry < 30
    assert all(row.minted == 0 for row in rows[dry + 1 :])
    assert all(row.minted > 0 for row in rows[:dry])


def test_fees_that_are_too_much_for_the_pool_wait_as_the_contract_makes_them(settings: Settings) -> None:
    machines = {"H200": 1_000}
    rows = list(world(settings, "steady", demand={"usd": 50_000}, pool_ifx=20_000, machines=machines).run(5))
    assert all(row.fees > 0 for row in rows)
    assert rows[-1].uncollected > 0 == rows[-1].minted
    deep = list(world(settings, "steady", demand={"usd": 50_000}, machines=machines).run(5))
    assert deep[-1].uncollected < 1_000 < deep[-1].minted


def test_a_whale_alone_raises_the_price_and_loses_the_pool_s_fees(settings: Settings) -> None:
    whale = {"usd": 300_000, "buys_at": 2, "over": 2, "sells_at": 10}
    found = world(settings, "whale", trades={"noise": 0}, demand={"usd": 0}, whale=whale)
    prices = [row.price for row in found.run(60)]
    assert prices[3] > 3 * prices[1]
    assert prices[50] < prices[3]
    assert found.whales.spent * 98 // 100 < found.whales.received < found.whales.spent


def test_a_leaf_pays_a_quarter_at_once_and_the_rest_over_half_a_year() -> None:
    leaf, length = Leaf(), 180 * 86_400
    leaf.earn(1_000, 0, 2_500)
    assert leaf.claim(length, length) == 0  # nothing is published
    leaf.publish()
    assert leaf.claim(0, length) == 250
    assert leaf.claim(length // 3, length) == 250
    leaf.mature(length - 1, length)
    assert leaf.vesting == 750
    leaf.mature(length, length)
    leaf.publish()
    assert (leaf.vesting, leaf.start, leaf.claim(0, length)) == (0, 0, 500)


def test_a_panel_that_is_half_the_cheat_s_lets_half_of_its_slashes_go(settings: Settings) -> None:
    price = NanoUsd(50_000_000)
    half = 1 - (Fraction(1, 32) + (Fraction(1, 2) - Fraction(1, 32)) / 2)  # five of five pass it, or most of each draw
    for colluding, found_out, convicted in ((0, 1, 1), (500_000, half, Fraction(1, 2)), (1_000_000, 0, 0)):
        found = world(settings, "hostile", cheating=1_000, colluding=colluding)
        cheats = next(group for group in found.groups if group.behaviour == CHEATING)
        worked = {group.name: 10**12 if group is cheats else 0 for group in found.groups}
        done = found.misconduct.redo(found.groups, worked)
        rejected = worked[cheats.name] - done[cheats.name]
        assert rejected == floor(10**12 * Fraction(settings.experiments.jobs[0].detection, 1_000_000) * found_out)
        lost = found.misconduct.punish(found.groups, done, price)
        needed = required_stake(Role.WORKER, found.rules, price, cheats.machine.speed)
        assert lost == floor(rejected // (5 * 10**9) * convicted) * needed * 2_000 // 10_000 == cheats.slashed
