# SPDX-License-Identifier: Apache-2.0
"""NodeLicence: caps and roles by id, the year's lock, and no move while in use."""

import boa
import pytest

from tests.contracts.system import DAY, MANAGER, VERIFIER, WORKER, System, acting, advance, key, now, set_time

FIRST = {WORKER: 1, VERIFIER: 100_001, MANAGER: 125_001}
CAPS = {WORKER: 100_000, VERIFIER: 25_000, MANAGER: 2_500}


@pytest.mark.parametrize("role", FIRST)
def test_ids_are_the_roles_range_up_to_its_cap(system: System, role: int) -> None:
    first, cap = FIRST[role], CAPS[role]
    owner = key("owner")
    assert system.mint_licence(owner, role) == first
    assert system.licence.ownerOf(first) == owner.address
    assert [system.licence.role_of(each) for each in (first, first + cap - 1)] == [role, role]
    system.set_minted(role, cap - 1)
    assert system.mint_licence(owner, role) == first + cap - 1
    with boa.reverts("NodeLicence: all minted"):
        system.mint_licence(owner, role)


def test_ids_outside_have_no_role(system: System) -> None:
    assert [system.licence.role_of(each) for each in (0, 127_501, 2**255)] == [0, 0, 0]


def test_only_minters_mint_known_roles(system: System) -> None:
    owner = key("owner")
    with acting(system.governor), boa.reverts("NodeLicence: not a minter"):
        system.licence.mint(owner.address, WORKER)
    for role in (0, 4):
        with boa.reverts("NodeLicence: no such role"):
            system.mint_licence(owner, role)
    with acting(system.foundation), boa.reverts("governed: not the governor"):
        system.licence.set_minter(owner.address, True)
    with acting(system.governor):
        system.licence.set_minter(system.foundation, False)
    with boa.reverts("NodeLicence: not a minter"):
        system.mint_licence(owner, WORKER)


def test_locked_for_a_year_to_the_second(system: System) -> None:
    seller, buyer = key("seller"), key("buyer").address
    start = now()
    licence = system.mint_licence(seller, WORKER)
    assert system.licence.transferable_at(licence) == start + 365 * DAY
    with acting(seller):
        set_time(start + 365 * DAY - 1)
        with boa.reverts("NodeLicence: locked"):
            system.licence.transferFrom(seller.address, buyer, licence)
        with boa.reverts("NodeLicence: locked"):
            system.licence.safeTransferFrom(seller.address, buyer, licence)
        set_time(start + 365 * DAY)
        system.licence.transferFrom(seller.address, buyer, licence)
    assert system.licence.ownerOf(licence) == buyer


def test_unlocked_licence_moves_at_once_by_owner_or_approved_only(system: System) -> None:
    seller, broker, buyer = key("seller"), key("broker"), key("buyer").address
    licence = system.mint_licence(seller, WORKER, locked=False)
    with acting(broker):
        with boa.reverts("NodeLicence: not the owner or approved"):
            system.licence.transferFrom(seller.address, buyer, licence)
        with acting(seller):
            system.licence.approve(broker.address, licence)
        system.licence.safeTransferFrom(seller.address, buyer, licence, b"sold")
    assert system.licence.ownerOf(licence) == buyer


def test_transfers_take_no_value(system: System) -> None:
    seller, buyer = key("seller"), key("buyer").address
    licence = system.mint_licence(seller, WORKER, locked=False)
    boa.env.set_balance(seller.address, 10)
    with acting(seller), boa.reverts("NodeLicence: takes no value"):
        system.licence.transferFrom(seller.address, buyer, licence, value=1)


def test_licence_in_use_moves_only_after_unbonding(system: System) -> None:
    node = system.register(VERIFIER)
    licence = system.registry.node(node.id).licence
    system.stake(node, 100)
    buyer = key("buyer").address
    advance(365 * DAY)
    with acting(node.owner):
        for act in (
            lambda: system.registry.retire(node.id),
            lambda: system.staking.unbond(node.id, 100),
            lambda: advance(90 * DAY),
            lambda: system.staking.withdraw(node.id),
        ):
            with boa.reverts("NodeLicence: in use"):
                system.licence.transferFrom(node.owner.address, buyer, licence)
            act()
        system.licence.transferFrom(node.owner.address, buyer, licence)


def test_no_owner_of_the_contract_is_exported(system: System) -> None:
    names = {entry.get("name") for entry in system.licence.abi}
    assert names.isdisjoint({"safe_mint", "transfer_ownership", "renounce_ownership", "owner"})


def test_holders_licences_can_be_listed(system: System) -> None:
    owner = key("owner")
    ids = [system.mint_licence(owner, role) for role in (MANAGER, WORKER)]
    assert [system.licence.tokenOfOwnerByIndex(owner.address, index) for index in range(2)] == ids
    assert system.licence.totalSupply() == 2
