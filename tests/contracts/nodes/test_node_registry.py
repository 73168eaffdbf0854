# SPDX-License-Identifier: Apache-2.0
"""NodeRegistry: who registers, places on a licence, keys that stay bound, benchmarks, statuses and bans."""

import boa
import pytest

from tests.contracts.system import (
    ACTIVE,
    BANNED,
    DAY,
    FLOOR,
    FROZEN,
    JAILED,
    MANAGER,
    RETIRED,
    VERIFIER,
    WORKER,
    System,
    acting,
    advance,
    key,
    now,
)

KEY = bytes(range(32))
CLASS = bytes(reversed(range(32)))


def test_registering_stores_and_logs_everything(system: System) -> None:
    owner, operator = key("owner"), key("operator").address
    licence = system.mint_licence(owner, WORKER)
    with acting(owner):
        node = system.registry.register(licence, operator, KEY, FLOOR)
    (event,) = system.registry.get_logs()
    assert (event.node, event.owner, event.operator) == (node, owner.address, operator)
    assert (event.role, event.licence, event.sealing_key, event.price) == (WORKER, licence, KEY, FLOOR)
    state = system.registry.node(node)
    assert tuple(state) == (owner.address, operator, WORKER, licence, ACTIVE, 0, FLOOR, bytes(32), KEY)
    assert system.registry.node_of_operator(operator) == node == system.registry.node_count()
    assert (system.registry.owner_of(node), system.registry.operator_of(node)) == (owner.address, operator)
    assert system.registry.in_use(licence)


def test_only_the_licences_owner_registers(system: System) -> None:
    licence = system.mint_licence(key("owner"), WORKER)
    with acting(key("thief")), boa.reverts("NodeRegistry: not the licence's owner"):
        system.registry.register(licence, key("operator").address, KEY, FLOOR)
    with acting(key("owner")), boa.reverts("NodeLicence: no such licence"):
        system.registry.register(licence + 1, key("operator").address, KEY, FLOOR)


@pytest.mark.parametrize(("role", "places"), [(WORKER, 10), (VERIFIER, 1), (MANAGER, 1)])
def test_places_on_a_licence(system: System, role: int, places: int) -> None:
    owner = key("owner")
    licence = system.mint_licence(owner, role)
    price = FLOOR if role == WORKER else 0
    with acting(owner):
        nodes = [system.registry.register(licence, key(f"op {i}").address, KEY, price) for i in range(places)]
        with boa.reverts("NodeRegistry: no place left on the licence"):
            system.registry.register(licence, key("one more").address, KEY, price)
        system.registry.retire(nodes[-1])
        fresh = system.registry.register(licence, key("one more").address, KEY, price)
    assert list(system.registry.nodes_of(licence)) == [*nodes[:-1], fresh]


def test_place_of_a_retired_node_is_taken_until_its_stake_is_out(system: System) -> None:
    node = system.register(VERIFIER)
    licence = system.registry.node(node.id).licence
    system.stake(node, 5)
    with acting(node.owner):
        system.registry.retire(node.id)
        system.staking.unbond(node.id, 5)
        advance(90 * DAY)
        with boa.reverts("NodeRegistry: no place left on the licence"):
            system.registry.register(licence, key("op").address, KEY, 0)
        system.staking.withdraw(node.id)
        system.registry.register(licence, key("op").address, KEY, 0)


def test_price_floor_for_workers_and_no_price_for_others(system: System) -> None:
    with boa.reverts("NodeRegistry: price under the floor"):
        system.register(WORKER, price=FLOOR - 1)
    node = system.register(WORKER, price=FLOOR)
    with acting(node.operator):
        with boa.reverts("NodeRegistry: price under the floor"):
            system.registry.set_price(node.id, FLOOR - 1)
        system.registry.set_price(node.id, FLOOR + 1)
    assert system.registry.node(node.id).price == FLOOR + 1 == system.registry.terms(node.id).price
    verifier = system.register(VERIFIER)
    with acting(verifier.owner), boa.reverts("NodeRegistry: only workers have a price"):
        system.registry.set_price(verifier.id, FLOOR)


def test_owner_or_operator_keep_price_and_sealing_key(system: System) -> None:
    node = system.register(WORKER)
    for person in (node.owner, node.operator):
        with acting(person):
            system.registry.set_sealing_key(node.id, KEY)
    assert system.registry.node(node.id).sealing_key == KEY
    with acting(system.governor):
        with boa.reverts("NodeRegistry: not the owner or operator"):
            system.registry.set_sealing_key(node.id, bytes(32))
        with boa.reverts("NodeRegistry: not the owner or operator"):
            system.registry.set_price(node.id, FLOOR)


def test_operator_is_replaced_by_the_owner_and_stays_bound(system: System) -> None:
    node = system.register(WORKER)
    fresh = key("fresh").address
    with acting(node.operator), boa.reverts("NodeRegistry: not the owner"):
        system.registry.set_operator(node.id, fresh)
    assert system.registry.operator_until(node.operator.address) == 0
    with acting(node.owner):
        system.registry.set_operator(node.id, fresh)
        with boa.reverts("NodeRegistry: operator already used"):
            system.registry.set_operator(node.id, node.operator.address)
        with boa.reverts("NodeRegistry: no operator"):
            system.registry.set_operator(node.id, "0x" + "00" * 20)
    assert system.registry.operator_of(node.id) == fresh
    assert system.registry.node_of_operator(node.operator.address) == node.id == system.registry.node_of_operator(fresh)
    assert system.registry.operator_until(node.operator.address) == now()
    with acting(node.operator), boa.reverts("NodeRegistry: not the owner or operator"):
        system.registry.set_price(node.id, FLOOR)


def test_operator_of_one_node_is_not_taken_by_another(system: System) -> None:
    node, other = system.register(WORKER), system.register(WORKER)
    with acting(other.owner), boa.reverts("NodeRegistry: operator already used"):
        system.registry.set_operator(other.id, node.operator.address)


def test_bonded_manager_attests_a_benchmark(system: System) -> None:
    node, manager = system.register(WORKER), system.manager
    with acting(manager.operator):
        system.registry.attest_benchmark(node.id, 500_000, CLASS)
        event = next(each for each in system.registry.get_logs() if type(each).__name__ == "BenchmarkAttested")
        assert (event.node, event.manager, event.ib, event.device_class) == (node.id, manager.id, 500_000, CLASS)
    state = system.registry.node(node.id)
    assert (state.ib, state.device_class, state.price) == (500_000, CLASS, 2 * FLOOR)
    with acting(manager.operator):
        with boa.reverts("NodeRegistry: no speed"):
            system.registry.attest_benchmark(node.id, 0, CLASS)
        with boa.reverts("NodeRegistry: no such node"):
            system.registry.attest_benchmark(99, 1, CLASS)


def test_attack_a_manager_does_not_move_the_speed_of_a_stranger_s_worker(system: System) -> None:
    node, other = system.register(WORKER), system.bonded(MANAGER)
    with acting(system.manager.operator):
        system.registry.attest_benchmark(node.id, 500_000, CLASS)
    required = system.staking.required(node.id)
    for manager in (system.manager, other):
        for ib in (1, 2**32 - 1):
            with acting(manager.operator), boa.reverts("NodeRegistry: not asked to measure it anew"):
                system.registry.attest_benchmark(node.id, ib, CLASS)
    assert system.staking.required(node.id) == required


def test_a_worker_is_measured_anew_once_by_the_manager_that_its_owner_asked(system: System) -> None:
    node, other = system.register(WORKER), system.bonded(MANAGER)
    attest = system.registry.attest_benchmark
    with acting(system.manager.operator):
        attest(node.id, 500_000, CLASS)
        with boa.reverts("NodeRegistry: not the owner or operator"):
            system.registry.request_benchmark(node.id, system.manager.id)
    with acting(node.owner):
        system.registry.request_benchmark(node.id, other.id)
    (event,) = system.registry.get_logs()
    assert (type(event).__name__, event.node, event.manager) == ("BenchmarkRequested", node.id, other.id)
    with acting(system.manager.operator), boa.reverts("NodeRegistry: not asked to measure it anew"):
        attest(node.id, 900_000, CLASS)
    with acting(other.operator):
        attest(node.id, 900_000, CLASS)
        assert (system.registry.node(node.id).ib, system.registry.measured_by(node.id)) == (900_000, 0)
        with boa.reverts("NodeRegistry: not asked to measure it anew"):
            attest(node.id, 900_000, CLASS)
    with acting(node.operator):
        system.registry.request_benchmark(node.id, other.id)
        system.registry.request_benchmark(node.id, 0)
    with acting(other.operator), boa.reverts("NodeRegistry: not asked to measure it anew"):
        attest(node.id, 1, CLASS)


def test_nobody_else_attests_a_benchmark(system: System) -> None:
    node, verifier, unbonded = system.register(WORKER), system.bonded(VERIFIER), system.register(MANAGER)
    manager = system.manager
    with acting(manager.owner):
        system.registry.set_operator(manager.id, key("fresh").address)
    for person, reason in (
        (node.owner, "NodeRegistry: not an operator"),
        (manager.operator, "NodeRegistry: not an operator"),
        (verifier.operator, "NodeRegistry: not a manager"),
        (unbonded.operator, "NodeRegistry: manager not bonded"),
    ):
        with acting(person), boa.reverts(reason):
            system.registry.attest_benchmark(node.id, 1, CLASS)


def test_courts_and_governor_set_the_status(system: System) -> None:
    node = system.register(WORKER)
    for court in (system.panels, system.disputes, system.availability, system.governor):
        for status in (FROZEN, ACTIVE):
            with acting(court):
                system.registry.set_status(node.id, status)
            assert system.registry.terms(node.id).status == status
        with acting(court):
            for status in (0, RETIRED):
                with boa.reverts("NodeRegistry: no such status"):
                    system.registry.set_status(node.id, status)
            with boa.reverts("NodeRegistry: no such node"):
                system.registry.set_status(99, FROZEN)
    for other in (node.owner, node.operator, system.guardian, system.staking.address):
        with acting(other), boa.reverts("governed: not the governor"):
            system.registry.set_status(node.id, ACTIVE)


@pytest.mark.parametrize("bad", [JAILED, BANNED])
def test_jail_and_ban_are_ended_by_the_governor_only(system: System, bad: int) -> None:
    node = system.register(WORKER)
    with acting(system.panels):
        system.registry.set_status(node.id, bad)
        for milder in (ACTIVE, FROZEN):
            system.registry.set_status(node.id, milder)
            assert system.registry.terms(node.id).status == bad
    with acting(system.governor):
        system.registry.set_status(node.id, ACTIVE)
    assert system.registry.terms(node.id).status == ACTIVE


def test_ban_binds_owner_and_licence_until_lifted_and_a_key_for_ever(system: System) -> None:
    owner, buyer = key("owner"), key("buyer")
    node = system.register(WORKER, owner)
    licence = system.registry.node(node.id).licence
    spare = system.mint_licence(owner, WORKER)
    with acting(system.panels):
        system.registry.set_status(node.id, BANNED)
    assert system.registry.is_banned(owner.address)
    assert not system.registry.is_banned(node.operator.address)
    assert system.registry.is_licence_banned(licence)
    assert not system.registry.is_licence_banned(spare)
    with acting(owner):
        with boa.reverts("NodeRegistry: banned"):
            system.registry.register(spare, key("op").address, KEY, FLOOR)
        with boa.reverts("NodeRegistry: banned"):
            system.registry.set_operator(node.id, key("op").address)
    # The buyback alone moves a licence in use.
    with acting(owner):
        system.licence.approve(system.buyback.address, licence)
    with acting(system.buyback):
        system.licence.transferFrom(owner.address, buyer.address, licence)
    with acting(buyer):
        with boa.reverts("NodeRegistry: licence banned"):
            system.registry.register(licence, key("op").address, KEY, FLOOR)
        with boa.reverts("NodeRegistry: operator already used"):
            clean = system.mint_licence(buyer, WORKER)
            system.registry.register(clean, node.operator.address, KEY, FLOOR)
    with acting(system.governor):
        system.registry.set_status(node.id, ACTIVE)
    assert not system.registry.is_banned(owner.address)
    assert not system.registry.is_licence_banned(licence)
    with acting(owner):
        system.registry.register(spare, key("op").address, KEY, FLOOR)


def test_anybody_applies_a_ban_to_the_owners_other_nodes(system: System) -> None:
    owner = key("owner")
    cheat, sibling, stranger = system.register(WORKER, owner), system.register(VERIFIER, owner), system.register(WORKER)
    with boa.reverts("NodeRegistry: not banned"):
        system.registry.apply_ban(sibling.id)
    with acting(system.panels):
        system.registry.set_status(cheat.id, BANNED)
    system.registry.apply_ban(sibling.id)
    assert system.registry.terms(sibling.id).status == BANNED
    with boa.reverts("NodeRegistry: banned already"):
        system.registry.apply_ban(sibling.id)
    with boa.reverts("NodeRegistry: not banned"):
        system.registry.apply_ban(stranger.id)


def test_retired_is_for_good_and_shows_again_after_a_freeze(system: System) -> None:
    node = system.register(WORKER)
    with acting(node.operator), boa.reverts("NodeRegistry: not the owner"):
        system.registry.retire(node.id)
    with acting(node.owner):
        system.registry.retire(node.id)
        with boa.reverts("NodeRegistry: retired already"):
            system.registry.retire(node.id)
    assert system.registry.terms(node.id).status == RETIRED
    with acting(system.panels):
        system.registry.set_status(node.id, FROZEN)
        assert system.registry.node(node.id).status == FROZEN
        system.registry.set_status(node.id, ACTIVE)
    assert system.registry.node(node.id).status == RETIRED


def test_words_of_a_node_do_not_touch_each_other(system: System) -> None:
    node, other = system.register(WORKER), system.register(WORKER)
    with acting(system.manager.operator):
        system.registry.attest_benchmark(node.id, 2**32 - 1, CLASS)
    with acting(node.owner):
        system.registry.set_price(node.id, 2**64 - 1)
    with acting(system.panels):
        system.registry.set_status(node.id, JAILED)
    state = system.registry.node(node.id)
    assert (state.role, state.status, state.ib, state.price) == (WORKER, JAILED, 2**32 - 1, 2**64 - 1)
    assert tuple(system.registry.terms(node.id)) == (WORKER, JAILED, 2**32 - 1, 2**64 - 1)
    assert tuple(system.registry.terms(other.id)) == (WORKER, ACTIVE, 0, 2 * FLOOR)
    assert tuple(system.registry.terms(99)) == (0, 0, 0, 0)


def test_wiring_is_done_once_by_the_deployer(system: System) -> None:
    someone = key("someone").address
    with acting(system.governor), boa.reverts("governed: not the deployer"):
        system.registry.wire(someone, someone, [someone])
    with acting(system.deployer), boa.reverts("governed: wired already"):
        system.registry.wire(someone, someone, [someone])
