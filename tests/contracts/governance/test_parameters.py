# SPDX-License-Identifier: Apache-2.0
"""Parameters: bounds, rights, and the one pause with its ends to the second."""

import random
import re
from itertools import product

import boa
import pytest

from inferix.models.parameters import clash
from tests.contracts.system import CONTRACTS, DAY, System, acting, advance, deployer, key, now, parameter, set_time

DEFAULTS = {
    "slot": 30, "accept_window": 30, "vote_window": 600, "committee": 5, "votes_needed": 3, "panel": 15,
    "panel_minimum": 3, "batch_window": 86400, "answer_window": 21600, "panel_window": 86400, "appeal_window": 604800,
    "roster_window": 86400, "accounts_window": 86400, "epoch_length": 259200, "epochs": 487, "unbonding": 7776000,
    "price_floor": 8000000, "price_default": 16000000, "verifier_bond": 500 * 10**9, "manager_bond": 5000 * 10**9,
    "dispute_bond": 50 * 10**9, "root_bond": 500 * 10**9, "slash_failed_bps": 2000, "slash_late_bps": 100, "burn_bps": 8000,
    "manager_fee_bps": 100, "lease_fee_bps": 500, "mint_multiple_bps": 10000, "pool_withdrawal_bps": 2000,
    "pool_withdrawal_floor": 1000 * 10**9, "worker_vesting": 15552000, "matured_bps": 2500, "poc_bps": 2000,
    "buyback_bps": 10000,
    "claim_horizon": 1209600, "takeover_after": 600, "root_only": 0,
    "swap_share_bps": 30, "swap_interval": 600, "swap_slippage_bps": 200, "price_warn_bps": 9500,
    "price_halt_bps": 9000, "price_stale": 7200,
}  # fmt: skip
DEVELOPMENT = {
    "slot": 2, "accept_window": 4, "vote_window": 30, "committee": 2, "votes_needed": 2, "panel": 1, "panel_minimum": 1,
    "roster_window": 4,
}  # fmt: skip


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items())
def test_default_lies_within_its_bounds(system: System, name: str, default: int) -> None:
    low, high = system.parameters.bounds(parameter(name))
    assert system.parameters.get(parameter(name)) == default
    assert low <= default <= high


def test_every_parameter_of_the_source_is_known_here() -> None:
    source = (CONTRACTS / "governance/Parameters.vy").read_text()
    assert set(re.findall(r'_define\(keccak256\("(\w+)"\)', source)) == set(DEFAULTS)


def test_unknown_name_reverts(system: System) -> None:
    with boa.reverts("Parameters: unknown name"):
        system.parameters.get(parameter("colour"))
    with boa.reverts("Parameters: unknown name"):
        system.parameters.bounds(parameter("colour"))
    with acting(system.governor), boa.reverts("Parameters: unknown name"):
        system.parameters.set(parameter("colour"), 1)


def test_governor_sets_within_bounds_only(system: System) -> None:
    low, high = system.parameters.bounds(parameter("burn_bps"))
    with acting(system.governor):
        for value in (low, high):
            system.parameters.set(parameter("burn_bps"), value)
            assert system.parameters.get(parameter("burn_bps")) == value
        for value in (low - 1, high + 1):
            with boa.reverts("Parameters: out of bounds"):
                system.parameters.set(parameter("burn_bps"), value)


def test_regression_the_epochs_length_is_fixed_at_deployment(system: System) -> None:
    with boa.reverts("Parameters: fixed at deployment"), boa.env.prank(system.governor):
        system.parameters.set(parameter("epoch_length"), 3600)
    assert system.parameters.get(parameter("epoch_length")) == 259200


def test_zero_is_a_value(system: System) -> None:
    system.set_parameter("mint_multiple_bps", 0)
    assert system.parameters.get(parameter("mint_multiple_bps")) == 0


def test_set_logs_the_value_and_refuses_others_than_the_governor(system: System) -> None:
    with acting(system.governor):
        system.parameters.set(parameter("slot"), 31)
    (event,) = system.parameters.get_logs()
    assert (event.name, event.value) == (parameter("slot"), 31)
    for other in (system.deployer, system.guardian):
        with acting(other), boa.reverts("Parameters: not the governor"):
            system.parameters.set(parameter("slot"), 31)


def test_development_values_at_deployment_are_bounded_too() -> None:
    deploy = deployer("governance/Parameters.vy").deploy
    names = [parameter(name) for name in DEVELOPMENT]
    people = key("governor").address, key("guardian").address
    contract = deploy(*people, names, list(DEVELOPMENT.values()))
    assert [contract.get(name) for name in names] == list(DEVELOPMENT.values())
    with boa.reverts("Parameters: out of bounds"):
        deploy(*people, [parameter("unbonding")], [60 * DAY - 1])
    with boa.reverts("Parameters: names and values differ in number"):
        deploy(*people, names, [])


@pytest.mark.parametrize(
    ("before", "name", "last", "refused", "why"),
    [
        ({}, "votes_needed", 5, 6, "no majority of the committee"),
        ({"committee": 4}, "votes_needed", 3, 2, "no majority of the committee"),
        ({}, "committee", 3, 2, "no majority of the committee"),
        ({}, "committee", 5, 6, "no majority of the committee"),
        ({}, "panel", 3, 2, "panel under its minimum"),
        ({"panel": 7}, "panel_minimum", 7, 8, "panel under its minimum"),
        ({}, "slot", 300, 301, "takeover within two slots"),
        ({"slot": 100}, "takeover_after", 200, 199, "takeover within two slots"),
        ({}, "vote_window", 43_200, 43_201, "batch window within two of votes"),
        ({"vote_window": 3_000}, "batch_window", 6_000, 5_999, "batch window within two of votes"),
        ({}, "price_floor", 16 * 10**6, 16 * 10**6 + 1, "price floor over the default"),
        ({}, "price_default", 8 * 10**6, 8 * 10**6 - 1, "price floor over the default"),
        ({}, "root_bond", 2_500 * 10**9, 2_500 * 10**9 + 1, "bonds over half a manager's"),
        ({}, "dispute_bond", 2_500 * 10**9, 2_500 * 10**9 + 1, "bonds over half a manager's"),
        ({}, "manager_bond", 1_000 * 10**9, 1_000 * 10**9 - 1, "bonds over half a manager's"),
        ({"swap_slippage_bps": 80}, "swap_share_bps", 40, 41, "slippage under a swap's cost"),
        ({"swap_share_bps": 50}, "swap_slippage_bps", 90, 89, "slippage under a swap's cost"),
        ({}, "price_halt_bps", 9_500, 9_501, "halt before the warning"),
        ({"price_halt_bps": 9_400}, "price_warn_bps", 9_400, 9_399, "halt before the warning"),
    ],
)
def test_a_number_goes_with_the_others(
    system: System, before: dict[str, int], name: str, last: int, refused: int, why: str
) -> None:
    for each, value in before.items():
        system.set_parameter(each, value)
    low, high = system.parameters.bounds(parameter(name))
    assert low <= refused <= high, "no bound of its own refuses it"
    system.set_parameter(name, last)
    with acting(system.governor), boa.reverts(f"Parameters: {why}"):
        system.parameters.set(parameter(name), refused)
    assert system.parameters.get(parameter(name)) == last


def test_at_deployment_numbers_go_together_once_all_are_set() -> None:
    """On the way from its default to a committee of two there is none; programs say the same as the contract."""
    deploy, people = deployer("governance/Parameters.vy").deploy, (key("governor").address, key("guardian").address)
    groups = [
        {"committee": (2, 3, 5, 8), "votes_needed": (2, 3, 4, 8)},
        {"panel": (1, 3, 15), "panel_minimum": (1, 3, 15)},
        {"slot": (1, 300, 301), "takeover_after": (60, 600)},
        {"vote_window": (1_800, 1_801, 43_200), "batch_window": (3_600, 86_400)},
        {"price_floor": (10**6, 16 * 10**6 + 1), "price_default": (10**6, 10**9)},
        {"manager_bond": (10**12 - 1, 10**12, 10**16), "root_bond": (500 * 10**9,), "dispute_bond": (10**9, 10**13)},
        {"swap_share_bps": (30, 31, 50), "swap_slippage_bps": (70, 90)},
        {"price_warn_bps": (9_000, 9_500), "price_halt_bps": (9_000, 9_001)},
    ]
    choose, found = random.Random(1), set()
    for _ in range(10 * len(groups)):
        edges = choose.choice(groups)
        chosen = {name: choose.choice(values) for name, values in edges.items()}
        why, arguments = clash(DEFAULTS | chosen), ([parameter(name) for name in chosen], list(chosen.values()))
        found.add(why)
        if not why:
            contract = deploy(*people, *arguments)
            assert {name: contract.get(parameter(name)) for name in chosen} == chosen
        else:
            with boa.reverts(f"Parameters: {why}"):
                deploy(*people, *arguments)
    assert len(found) == 9, "none, and each of them"


def test_single_steps_lead_from_every_committee_to_every_other(system: System) -> None:
    names = ("committee", "votes_needed")
    lows, highs = zip(*(system.parameters.bounds(parameter(name)) for name in names), strict=True)
    pairs = product(*(range(low, high + 1) for low, high in zip(lows, highs, strict=True)))
    fit = {pair for pair in pairs if not clash(DEFAULTS | dict(zip(names, pair, strict=True)))}
    reached, edge = set(), {(5, 3)}
    while edge:
        reached |= edge
        edge = {pair for pair in fit - reached for other in edge if pair[0] == other[0] or pair[1] == other[1]}
    assert reached == fit and len(fit) == 19


def test_governor_hands_over_in_two_steps(system: System) -> None:
    successor = key("successor").address
    with acting(successor), boa.reverts("Parameters: not the governor"):
        system.parameters.propose_governor(successor)
    with acting(system.governor):
        system.parameters.propose_governor(successor)
    assert system.parameters.governor() == system.governor
    with acting(system.governor), boa.reverts("Parameters: not the proposed governor"):
        system.parameters.accept_governor()
    with acting(successor):
        system.parameters.accept_governor()
        assert system.parameters.governor() == successor
        with boa.reverts("Parameters: not the proposed governor"):
            system.parameters.accept_governor()


def test_pause_ends_by_itself_after_seven_days(system: System) -> None:
    start = now()
    with acting(system.guardian):
        system.parameters.pause()
    assert system.parameters.paused()
    set_time(start + 7 * DAY - 1)
    assert system.parameters.paused()
    set_time(start + 7 * DAY)
    assert not system.parameters.paused()


def test_next_pause_only_thirty_days_after_the_end(system: System) -> None:
    start = now()
    with acting(system.guardian):
        system.parameters.pause()
        set_time(start + 37 * DAY - 1)
        with boa.reverts("Parameters: too soon after a pause"):
            system.parameters.pause()
        set_time(start + 37 * DAY)
        system.parameters.pause()
        assert system.parameters.paused()


def test_a_resumed_pause_counts_from_its_real_end(system: System) -> None:
    start = now()
    with acting(system.guardian):
        system.parameters.pause()
        advance(DAY)
        system.parameters.resume()
        assert not system.parameters.paused()
        with boa.reverts("Parameters: not paused"):
            system.parameters.resume()
        set_time(start + 31 * DAY - 1)
        with boa.reverts("Parameters: too soon after a pause"):
            system.parameters.pause()
        set_time(start + 31 * DAY)
        system.parameters.pause()


def test_who_may_pause_and_resume(system: System) -> None:
    for other in (system.governor, system.deployer):
        with acting(other), boa.reverts("Parameters: not the guardian"):
            system.parameters.pause()
    with acting(system.guardian):
        system.parameters.pause()
    with acting(system.deployer), boa.reverts("Parameters: not the guardian"):
        system.parameters.resume()
    with acting(system.governor):
        system.parameters.resume()


def test_clock_stands_still_during_pauses(system: System) -> None:
    start = now()
    assert system.parameters.clock() == start
    with acting(system.guardian):
        system.parameters.pause()
        advance(DAY)
        assert system.parameters.clock() == start
        system.parameters.resume()
        advance(40 * DAY)
        assert system.parameters.clock() == start + 40 * DAY
        system.parameters.pause()
    advance(20 * DAY)
    assert system.parameters.clock() == start + 53 * DAY


def test_what_passed_is_told_by_the_clock_for_thirty_days(system: System) -> None:
    """Of pauses before the latest Parameters knows no more than their sum: what has seen two is over thirty days old."""
    start = now()
    clock = {start: start}

    def wait(days: int) -> None:
        for _ in range(2 * days):
            advance(DAY // 2)
            clock[now()] = system.parameters.clock()
            for since, then in clock.items():
                told, passed = system.parameters.passed(since), clock[now()] - then
                assert told == passed or (told > 30 * DAY and passed >= 30 * DAY)

    assert system.parameters.passed(start) == system.parameters.passed(start + 1) == 0
    wait(2)
    for days in (7, 3):
        with acting(system.guardian):
            system.parameters.pause()
        wait(days)
        assert system.parameters.passed(now() - days * DAY) == 0
        if days == 3:
            with acting(system.guardian):
                system.parameters.resume()
        wait(30)
        assert system.parameters.passed(now() - 30 * DAY) == 30 * DAY
    assert system.parameters.passed(2**200) == 0


def test_governor_replaces_the_guardian(system: System) -> None:
    other = key("other guardian").address
    with acting(system.guardian), boa.reverts("Parameters: not the governor"):
        system.parameters.set_guardian(other)
    with acting(system.governor):
        system.parameters.set_guardian(other)
    with acting(system.guardian), boa.reverts("Parameters: not the guardian"):
        system.parameters.pause()
    with acting(other):
        system.parameters.pause()
