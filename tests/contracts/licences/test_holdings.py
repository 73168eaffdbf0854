# SPDX-License-Identifier: Apache-2.0
"""The licences' ERC-721 books: what the standard asks for, and the packed lists against a plain model of them."""

from collections.abc import Callable
from typing import Any

import boa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.system import STAND_INS, VERIFIER, WORKER, System, acting, deployer, key

ZERO = "0x" + "00" * 20
ERC165, ERC721, METADATA, ENUMERABLE = "01ffc9a7", "80ac58cd", "5b5e139f", "780e9d63"


def sell(system: System, to: str, count: int, role: int = WORKER, cents: int = 30_000) -> int:
    with acting(system.node_sale):
        return int(system.licence.mint_sold(to, role, count, cents))


def free(system: System, to: str, role: int = WORKER) -> int:
    with acting(system.foundation):
        return int(system.licence.mint(to, role, False))


def events(system: System, name: str) -> list[Any]:
    return [event for event in system.licence.get_logs() if type(event).__name__ == name]


def test_many_are_sold_at_once_with_their_price_and_lock(system: System) -> None:
    buyer = key("buyer").address
    first = sell(system, buyer, 128)
    assert [event.token_id for event in events(system, "Transfer")] == list(range(first, first + 128))
    minted = events(system, "LicenceMinted")
    assert {(event.owner, event.role, event.paid) for event in minted} == {(buyer, WORKER, 300 * 10**9)}
    assert system.licence.balanceOf(buyer) == 128
    for licence in (first, first + 127):
        assert system.licence.ownerOf(licence) == buyer
        assert system.licence.paid(licence) == 300 * 10**9
        assert system.licence.transferable_at(licence) == minted[0].transferable_at
    assert [system.licence.tokenOfOwnerByIndex(buyer, index) for index in range(128)] == list(range(first, first + 128))
    with boa.reverts("NodeLicence: no such index"):
        system.licence.tokenOfOwnerByIndex(buyer, 128)


def test_only_the_sale_sells_and_only_for_money(system: System) -> None:
    buyer = key("buyer").address
    with acting(system.foundation), boa.reverts("NodeLicence: not the sale"):
        system.licence.mint_sold(buyer, WORKER, 1, 1)
    with acting(system.node_sale), boa.reverts("NodeLicence: not a minter"):
        system.licence.mint(buyer, WORKER)
    for count in (0, 129):
        with boa.reverts("NodeLicence: count"):
            sell(system, buyer, count)
    for cents in (0, 2**24):
        with boa.reverts("NodeLicence: price"):
            sell(system, buyer, 1, cents=cents)
    with boa.reverts("NodeLicence: no receiver"):
        sell(system, ZERO, 1)
    assert system.licence.paid(sell(system, buyer, 1, cents=2**24 - 1)) == (2**24 - 1) * 10**7
    assert system.licence.paid(free(system, buyer)) == 0


def test_a_purchase_over_the_roles_cap_mints_nothing(system: System) -> None:
    buyer = key("buyer").address
    system.set_minted(VERIFIER, 24_998)
    with boa.reverts("NodeLicence: all minted"):
        sell(system, buyer, 3, VERIFIER)
    assert sell(system, buyer, 2, VERIFIER) == 124_999
    assert system.licence.cap(VERIFIER) == 25_000
    assert [system.licence.cap(role) for role in (0, 4)] == [0, 0]


def test_approvals_are_for_one_move_and_operators_for_all(system: System) -> None:
    owner, broker, operator, buyer = (key(name) for name in ("owner", "broker", "operator", "buyer"))
    first, second = free(system, owner.address), free(system, owner.address)
    with acting(broker), boa.reverts("NodeLicence: not the owner or operator"):
        system.licence.approve(broker.address, first)
    with acting(owner):
        system.licence.approve(broker.address, first)
        system.licence.setApprovalForAll(operator.address, True)
    assert system.licence.getApproved(first) == broker.address
    with acting(broker):
        system.licence.transferFrom(owner.address, buyer.address, first)
        with boa.reverts("NodeLicence: not the owner or approved"):
            system.licence.transferFrom(buyer.address, broker.address, first)
    assert system.licence.getApproved(first) == ZERO
    with acting(operator):
        system.licence.approve(broker.address, second)
        system.licence.transferFrom(owner.address, buyer.address, second)
        with boa.reverts("NodeLicence: not the owner or approved"):
            system.licence.burn(second)
    with acting(owner):
        system.licence.setApprovalForAll(operator.address, False)
    assert not system.licence.isApprovedForAll(owner.address, operator.address)


def test_a_move_names_its_owner_and_a_receiver(system: System) -> None:
    owner, other = key("owner"), key("other").address
    licence = free(system, owner.address)
    with acting(owner):
        with boa.reverts("NodeLicence: not the owner's"):
            system.licence.transferFrom(other, owner.address, licence)
        with boa.reverts("NodeLicence: no receiver"):
            system.licence.transferFrom(owner.address, ZERO, licence)
        system.licence.transferFrom(owner.address, owner.address, licence)
        assert system.licence.tokenOfOwnerByIndex(owner.address, 0) == licence
        system.licence.transferFrom(owner.address, other, licence)
    assert (system.licence.balanceOf(owner.address), system.licence.balanceOf(other)) == (0, 1)


def test_what_is_burned_is_gone_for_good(system: System) -> None:
    owner = key("owner")
    licence = free(system, owner.address)
    locked = system.mint_licence(owner, WORKER)
    with acting(owner):
        system.licence.burn(licence)
        with boa.reverts("NodeLicence: locked"):
            system.licence.burn(locked)
    views: list[Callable[[int], Any]] = [system.licence.ownerOf, system.licence.getApproved, system.licence.tokenURI]
    for view in views:
        with boa.reverts("NodeLicence: no such licence"):
            view(licence)
    assert (system.licence.totalSupply(), system.licence.burned(), system.licence.minted(WORKER)) == (1, 1, 2)
    assert free(system, owner.address) == licence + 2


def test_a_contract_receives_only_what_it_expects(system: System) -> None:
    keeper = deployer("Receiver.vy", STAND_INS).deploy()
    licence = sell(system, keeper.address, 2)
    assert keeper.received() == 2
    assert keeper.last() == licence + 1
    deaf = system.usd.address
    with boa.reverts():
        sell(system, deaf, 1)
    keeper.refuse()
    with boa.reverts("NodeLicence: refused by the receiver"):
        sell(system, keeper.address, 1)
    owner = key("owner")
    mine = free(system, owner.address)
    with acting(owner):
        with boa.reverts("NodeLicence: refused by the receiver"):
            system.licence.safeTransferFrom(owner.address, keeper.address, mine)
        system.licence.transferFrom(owner.address, keeper.address, mine)


def test_the_standards_views(system: System) -> None:
    licence = free(system, key("owner").address)
    known = [system.licence.supportsInterface(bytes.fromhex(each)) for each in (ERC165, ERC721, METADATA)]
    assert known == [True] * 3
    assert [system.licence.supportsInterface(bytes.fromhex(each)) for each in (ENUMERABLE, "ffffffff")] == [False] * 2
    assert (system.licence.name(), system.licence.symbol()) == ("Inferix Node Licence", "IFXNL")
    assert system.licence.tokenURI(licence) == ""
    named = deployer("licences/NodeLicence.vy").deploy(system.parameters, "https://example.org/")
    with acting(system.governor):
        named.set_minter(system.governor, True)
        assert named.tokenURI(named.mint(key("owner").address, VERIFIER)) == "https://example.org/100001"
    with boa.reverts("NodeLicence: no owner"):
        system.licence.balanceOf(ZERO)


def test_takes_no_value(system: System) -> None:
    owner = key("owner")
    licence = free(system, owner.address)
    boa.env.set_balance(owner.address, 10)
    with acting(owner):
        with boa.reverts("NodeLicence: takes no value"):
            system.licence.approve(ZERO, licence, value=1)
        with boa.reverts("NodeLicence: takes no value"):
            system.licence.safeTransferFrom(owner.address, key("buyer").address, licence, value=1)


PEOPLE = [key(f"holder {index}") for index in range(3)]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("mint"), st.integers(0, 2), st.integers(1, 17)),
        st.tuples(st.just("move"), st.integers(0, 2), st.integers(0, 40)),
        st.tuples(st.just("burn"), st.integers(0, 2), st.integers(0, 40)),
    ),
    max_size=25,
)


@settings(max_examples=25)
@given(steps=STEPS)
def test_lists_owners_and_balances_agree_with_a_plain_model(
    deployed: System, steps: list[tuple[str, int, int]]
) -> None:
    with boa.env.anchor():
        held: dict[str, list[int]] = {person.address: [] for person in PEOPLE}
        for verb, who, number in steps:
            person, other = PEOPLE[who], PEOPLE[(who + number) % 3].address
            mine = held[person.address]
            if verb == "mint":
                mine += [free(deployed, person.address) for _ in range(number)]
            elif mine:
                licence = mine.pop(number % len(mine))
                with acting(person):
                    if verb == "burn":
                        deployed.licence.burn(licence)
                    else:
                        deployed.licence.transferFrom(person.address, other, licence)
                        held[other].append(licence)
        for address, ids in held.items():
            count = deployed.licence.balanceOf(address)
            assert sorted(deployed.licence.tokenOfOwnerByIndex(address, index) for index in range(count)) == sorted(ids)
            assert all(deployed.licence.ownerOf(licence) == address for licence in ids)
        assert deployed.licence.totalSupply() == sum(map(len, held.values()))
