# SPDX-License-Identifier: Apache-2.0
"""What pays and what does not: washing by m, cheating by stake, collusion by share."""

from fractions import Fraction
from itertools import combinations
from random import Random

import pytest
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from inferix.models.parameters import DEFAULTS
from inferix.proofs.deterrence import expected_value_of_cheating
from inferix.units import NanoUsd
from simulator import cheating, figures
from simulator.collusion import capture, most_below, passes, passes_among_many, wins, wins_among_many
from simulator.machines import load_machines
from simulator.settings import Settings
from simulator.washing import WASHERS, Market, Washer, break_even, outside_price, wash, with_multiple
from tests.contracts.system import deployer

TENTH, WORKER, VERIFIERS, MANAGER, FOUNDATION = WASHERS
markets = st.builds(
    Market,
    price=st.integers(10**5, 10**11).map(NanoUsd),
    pool_usd=st.integers(10_000, 10**8),
    others_usd=st.integers(0, 100_000),
)


@given(markets, st.integers(1, 100_000))
def test_with_m_of_one_washing_loses_at_any_price_and_in_any_pool(market: Market, usd: int) -> None:
    for washer in (TENTH, WORKER, VERIFIERS):
        assert wash(washer, usd, market, DEFAULTS).profit_ppm < 0


@given(markets, st.integers(1, 100_000))
def test_who_is_its_own_manager_too_loses_with_m_of_a_manager_s_part_less(market: Market, usd: int) -> None:
    rules = with_multiple(DEFAULTS, 10_000 - DEFAULTS["manager_fee_bps"])
    assert wash(MANAGER, usd, market, rules).profit_ppm < 0


@given(st.integers(5 * 10**7, 10**10), st.integers(10**6, 10**8))
def test_with_m_of_two_washing_pays(price: int, pool_usd: int) -> None:
    market = Market(NanoUsd(price), pool_usd, 1_000)
    for washer in (WORKER, VERIFIERS, MANAGER, FOUNDATION):
        assert wash(washer, 1_000, market, with_multiple(DEFAULTS, 20_000)).profit_ppm > 0


@pytest.mark.parametrize("washer", [WORKER, VERIFIERS, MANAGER, FOUNDATION], ids=lambda washer: washer.name)
def test_profit_turns_at_the_break_even_multiple(washer: Washer) -> None:
    market = Market(NanoUsd(50_000_000), 300_000, 5_000)
    least = break_even(washer, 1_000, market, DEFAULTS)
    assert least is not None
    assert wash(washer, 1_000, market, with_multiple(DEFAULTS, least)).profit_ppm > 0
    assert wash(washer, 1_000, market, with_multiple(DEFAULTS, least - 1)).profit_ppm <= 0


def test_the_even_share_stops_washing_at_a_low_price() -> None:
    market = Market(NanoUsd(1_000_000), 300_000, 5_000)
    assert break_even(WORKER, 1_000, market, DEFAULTS) is None
    assert wash(WORKER, 1_000, market, with_multiple(DEFAULTS, 50_000)).profit_ppm < 0


def test_who_is_seldom_drawn_never_washes() -> None:
    assert break_even(TENTH, 1_000, Market(NanoUsd(50_000_000), 300_000, 5_000), DEFAULTS) is None


def test_beside_a_reference_market_washing_pays_from_a_price_elsewhere_on() -> None:
    ratios = [outside_price(washer, 1_000, NanoUsd(50_000_000), DEFAULTS) for washer in (WORKER, VERIFIERS, MANAGER)]
    assert ratios == [1_233_334, 1_027_778, 990_000]


def test_the_expected_value_of_cheating_turns_at_the_computed_stake(settings: Settings) -> None:
    machine = load_machines()["GeForce RTX 4090"]
    for job in settings.experiments.jobs:
        at = cheating.at_stake(job, machine, NanoUsd(16_000_000), DEFAULTS)
        low = job.model_copy(update={"audit": 10_000, "work": 500_000})
        at = cheating.at_stake(low, machine, NanoUsd(16_000_000), DEFAULTS)
        least = cheating.least_stake(low, at)
        assert least > 0
        assert cheating.gain(low, at, least) == 0
        assert cheating.gain(low, at, least + 1) < 0 < cheating.gain(low, at, least - 1)


def test_no_stake_is_needed_where_the_reward_is_enough(settings: Settings) -> None:
    job, machine = settings.experiments.jobs[0], load_machines()["Tesla T4"]
    at = cheating.at_stake(job, machine, NanoUsd(16_000_000), DEFAULTS)
    assert cheating.least_stake(job, at) == 0
    assert cheating.gain(job, at, 0) < 0
    assert cheating.largest_task(job, at, at.slash) is None


def test_expected_values_are_those_of_a_million_draws(settings: Settings) -> None:
    job, machine = settings.experiments.jobs[3], load_machines()["GeForce RTX 4090"]
    at, random = cheating.at_stake(job, machine, NanoUsd(16_000_000), DEFAULTS), Random(1)
    found = sum(random.random() < 0.1 and random.random() < 0.9 for _ in range(10**6))
    saved = at.cost * 9 // 10
    honest, cheat = at.reward - at.cost, at.reward - (at.cost - saved) - (at.reward + at.slash) * found / 10**6
    assert cheat - honest == pytest.approx(float(cheating.gain(job, at, at.slash)), rel=0.02)


def test_audit_and_task_size_turn_where_they_say(settings: Settings) -> None:
    job, machine = settings.experiments.jobs[3], load_machines()["GeForce RTX 4090"]
    at = cheating.at_stake(job, machine, NanoUsd(16_000_000), DEFAULTS)
    audit = int(cheating.least_audit(job, at, at.slash) * 10**6)
    assert cheating.gain(job, at, at.slash, audit) > 0 > cheating.gain(job, at, at.slash, audit + 1)
    largest = cheating.largest_task(job, at, at.slash)
    assert largest is not None
    for work, pays in ((int(largest * Fraction(99, 100)), False), (int(largest * Fraction(101, 100)), True)):
        other = job.model_copy(update={"work": work})
        assert (
            cheating.gain(other, cheating.at_stake(other, machine, NanoUsd(16_000_000), DEFAULTS), at.slash) > 0
        ) == pays


def test_the_picture_of_a_cheats_gain_turns_where_checking_deters(settings: Settings) -> None:
    machine = load_machines()["GeForce RTX 4090"]
    for job in settings.experiments.jobs:
        at = cheating.at_stake(job, machine, NanoUsd(16_000_000), DEFAULTS)
        points = figures.gains_by_audit(job, at)
        least = float(cheating.least_audit(job, at, at.slash) * 100)
        assert points[0][0] == 0.001
        assert all((gain > 0) == (checked < least) and -100 <= gain < 100 for checked, gain in points)
        assert points[0][1] > 0 > points[-1][1]


def test_chances_of_a_majority_are_those_of_counting_every_draw() -> None:
    for own in range(9):
        draws = list(combinations(range(8), 5))
        won = sum(sum(node < own for node in draw) >= 3 for draw in draws)
        assert wins(8, own, 5, 3) == Fraction(won, len(draws))


def test_chances_to_pass_a_forgery_are_those_of_counting_both_draws() -> None:
    """Committees of three, of which two decide; one that sees it calls the second draw."""
    for own in range(7):
        passed = drawn = 0
        for first in combinations(range(6), 3):
            rest = [node for node in range(6) if node not in first]
            for second in combinations(rest, 3):
                mine, again = (sum(node < own for node in draw) for draw in (first, second))
                passed += mine == 3 or (mine == 2 and again >= 2)
                drawn += 1
        assert passes(6, own, 3, 2) == Fraction(passed, drawn)
    assert passes(5, 3, 5, 3) == 1, "no second draw"
    assert float(passes(100_000, 30_000, 5, 3)) == pytest.approx(
        float(passes_among_many(Fraction(3, 10), 5, 3)), rel=1e-3
    )
    assert passes_among_many(Fraction(3, 10), 5, 3) < wins_among_many(Fraction(3, 10), 5, 3) ** 2 * 2


def test_a_large_roster_is_drawn_from_as_if_it_had_no_end() -> None:
    share = Fraction(3, 10)
    assert float(wins(100_000, 30_000, 5, 3)) == pytest.approx(float(wins_among_many(share, 5, 3)), rel=1e-3)
    assert wins_among_many(Fraction(1, 2), 5, 3) == Fraction(1, 2) == wins_among_many(Fraction(1, 2), 15, 8)
    assert (wins_among_many(Fraction(0), 5, 3), wins_among_many(Fraction(1), 5, 3)) == (0, 1)


def test_the_most_that_one_may_own_is_the_last_below_the_limit() -> None:
    limit = Fraction(1, 1_000)
    for part in ("committee", "seats", "panel", "both"):
        most = most_below(100, limit, DEFAULTS, part)
        assert getattr(capture(100, most, DEFAULTS), part) < limit <= getattr(capture(100, most + 1, DEFAULTS), part)


def test_a_manager_that_leaves_votes_out_helps() -> None:
    found = capture(100, 10, DEFAULTS)
    assert found.seats == wins(100, 10, 10, 3) > 5 * found.committee
    assert found.both == found.committee * found.panel < found.panel


def test_collusion_pays_from_some_share_on(settings: Settings) -> None:
    job, machine = settings.experiments.jobs[0], load_machines()["GeForce RTX 4090"]
    at = cheating.at_stake(job, machine, NanoUsd(16_000_000), DEFAULTS)
    least = cheating.least_collusion(job, at, at.slash, DEFAULTS)
    assert 50 < least < 100
    gains = [cheating.gain_colluding(job, at, at.slash, Fraction(each, 100), DEFAULTS) for each in (least - 1, least)]
    assert gains[0] <= 0 < gains[1]


def test_the_gain_is_what_the_proofs_say_of_a_cheat_less_what_honest_work_brings(settings: Settings) -> None:
    machine = load_machines()["GeForce RTX 4090"]
    for job in settings.experiments.jobs:
        at = cheating.at_stake(job, machine, NanoUsd(16_000_000), DEFAULTS)
        left = at.cost - at.cost * job.saved // 10**6
        money = (NanoUsd(at.slash), NanoUsd(at.reward), NanoUsd(left))
        cheat = expected_value_of_cheating(job.audit, job.detection, *money)
        assert cheat - (at.reward - at.cost) == pytest.approx(float(cheating.gain(job, at, at.slash)), abs=2)


def test_a_setting_at_which_cheating_begins_to_pay_is_where_it_turns(settings: Settings) -> None:
    training, machine = settings.experiments.jobs[3], load_machines()[settings.experiments.machine]

    def pays(value: int) -> bool:
        return cheating.pays_with(training, machine, NanoUsd(16_000_000), DEFAULTS, slash_failed_bps=value)

    first, turn = cheating.turns(pays, *cheating.GOVERNED["slash_failed_bps"])
    assert first and turn is not None and pays(turn - 1) and not pays(turn)
    assert cheating.turns(lambda _: False, 0, 9) == (False, None)
    assert [cheating.turns(lambda value, at=at: value >= at, 0, 9) for at in (1, 9)] == [(False, 1), (False, 9)]


def test_what_is_tried_are_the_contracts_own_bounds() -> None:
    somebody = "0x" + "11" * 20
    parameters = deployer("governance/Parameters.vy").deploy(somebody, somebody, [], [])
    for name, bounds in cheating.GOVERNED.items():
        assert tuple(parameters.bounds(keccak(text=name))) == bounds
    for needed, committee in cheating.COMMITTEES:
        assert needed <= committee < 2 * needed


def test_regression_a_lower_price_of_work_is_among_what_a_vote_may_change_of_a_cheat(settings: Settings) -> None:
    """Stake and reward follow the price, what is saved does not: at the contract's lower bound canaries alone deter nobody."""
    jobs, machine = settings.experiments.jobs, load_machines()[settings.experiments.machine]
    canaries = next(job for job in jobs if job.name.startswith("canaries alone"))

    def pays(value: int) -> bool:
        return cheating.pays_with(canaries, machine, NanoUsd(16_000_000), DEFAULTS, price_default=value)

    assert pays(10**6) and not pays(4 * 10**6) and not pays(DEFAULTS["price_default"])
    assert not cheating.pays_with(canaries, machine, NanoUsd(16_000_000), DEFAULTS, price_floor=10**6)


def test_everything_of_a_vote_that_a_cheats_expectation_reads_is_governed_here(settings: Settings) -> None:
    read: set[str] = set()

    class Rules(dict[str, int]):
        def __getitem__(self, name: str) -> int:
            read.add(name)
            return super().__getitem__(name)

    machine = load_machines()[settings.experiments.machine]
    cheating.at_stake(settings.experiments.jobs[0], machine, NanoUsd(16_000_000), Rules(DEFAULTS))
    assert read - {"epoch_length"} == cheating.GOVERNED.keys() - {"price_floor"}, "the epoch's length no vote changes"
