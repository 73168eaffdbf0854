# SPDX-License-Identifier: Apache-2.0
"""A ban as a weapon: nobody can be banned by what somebody else names, sold or bought."""

import boa

from tests.contracts.system import (
    ACTIVE,
    BANNED,
    DAY,
    FLOOR,
    VERIFIER,
    WORKER,
    Node,
    System,
    acting,
    advance,
    key,
)

KEY = bytes(32)


def ban(system: System, node: int) -> None:
    with acting(system.disputes):
        system.registry.set_status(node, BANNED)


def sold(system: System) -> tuple[Node, Node, int]:
    """A seller's retired node, the buyer's node on the same licence, and that licence."""
    seller = system.register(WORKER)
    licence = system.registry.node(seller.id).licence
    buyer, operator = key("buyer"), key("buyer's operator")
    advance(366 * DAY)
    with acting(seller.owner):
        system.registry.retire(seller.id)
        system.licence.transferFrom(seller.owner.address, buyer.address, licence)
    with acting(buyer):
        node = system.registry.register(licence, operator.address, KEY, FLOOR)
    return seller, Node(int(node), buyer, operator), licence


def test_a_cheat_that_names_anothers_address_as_its_operator_bans_nobody_but_itself(system: System) -> None:
    victim, cheat = system.register(WORKER), system.register(VERIFIER)
    with acting(cheat.owner):
        system.registry.set_operator(cheat.id, victim.owner.address)
    ban(system, cheat.id)
    assert system.registry.is_banned(cheat.owner.address)
    assert not system.registry.is_banned(victim.owner.address)
    with boa.reverts("NodeRegistry: not banned"):
        system.registry.apply_ban(victim.id)
    spare = system.mint_licence(victim.owner, WORKER)
    with acting(victim.owner):
        system.registry.register(spare, key("spare").address, KEY, FLOOR)


def test_a_seller_that_cheats_after_the_sale_does_not_ban_the_buyer(system: System) -> None:
    seller, buyer, licence = sold(system)
    ban(system, seller.id)
    assert system.registry.is_banned(seller.owner.address)
    assert not system.registry.is_licence_banned(licence)
    with boa.reverts("NodeRegistry: not banned"):
        system.registry.apply_ban(buyer.id)
    with acting(buyer.owner):
        system.registry.register(licence, key("another").address, KEY, FLOOR)


def test_a_buyer_that_cheats_does_not_take_the_sellers_rewards(system: System) -> None:
    seller, buyer, licence = sold(system)
    ban(system, buyer.id)
    assert system.registry.is_licence_banned(licence)
    with boa.reverts("NodeRegistry: not banned"):
        system.registry.apply_ban(seller.id)


def test_burning_a_licence_stops_no_ban_and_retiring_saves_no_licence(system: System) -> None:
    burned, kept = system.register(WORKER), system.register(WORKER)
    advance(366 * DAY)
    for node in (burned, kept):
        with acting(node.owner):
            system.registry.retire(node.id)
    with acting(burned.owner):
        system.licence.burn(system.registry.node(burned.id).licence)
    for node in (burned, kept):
        ban(system, node.id)
        assert system.registry.is_banned(node.owner.address)
    licence = system.registry.node(kept.id).licence
    assert system.registry.is_licence_banned(licence)
    with acting(system.governor):
        system.registry.set_status(kept.id, ACTIVE)
    assert not system.registry.is_licence_banned(licence)
