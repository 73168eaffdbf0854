# SPDX-License-Identifier: Apache-2.0
"""Buyback: who may offer a licence in its one window, what is paid for it when, and the way out of every state."""

import boa
import pytest

from tests.contracts.licences.shop import (
    CLAIM_TERM,
    EXCHANGE_TERM,
    LINEAR,
    NATIVE_RATE,
    OPENS_AFTER,
    PARTNER,
    WINDOW,
    Shop,
)
from tests.contracts.merkle.lists import load
from tests.contracts.system import (
    DAY,
    FLOOR,
    IFX,
    PRICE,
    STAND_INS,
    USD,
    WORKER,
    acting,
    advance,
    deployer,
    key,
    now,
    set_time,
)

IN_IFX, IN_NATIVE = 1, 2
ETHER = 10**18
BANNED = 4
ZERO = "0x" + "00" * 20
OWNER = key("owner")


@pytest.fixture
def licences(public_shop: Shop) -> list[int]:
    """Five licences of the owner at 300 USD, and native proceeds of 10,000 USD of others."""
    first = public_shop.buy(OWNER, count=5)
    public_shop.set_rate()
    public_shop.buy(key("rich buyer"), tier=15, count=10, coin=public_shop.native)
    return list(range(first, first + 5))


def give_pool(shop: Shop, ifx: int) -> None:
    shop.give_ifx(shop.buyback.address, ifx)


def request(shop: Shop, licence: int, option: int = IN_IFX, bps: int = 0, proof: list[bytes] | None = None) -> None:
    with acting(OWNER):
        shop.licence.approve(shop.buyback, licence)
        shop.buyback.request(licence, option, bps, proof or [])


def test_all_of_the_price_in_ifx_over_thirty_days_to_the_second(public_shop: Shop, licences: list[int]) -> None:
    shop = public_shop
    give_pool(shop, 10**7 * IFX)
    shop.open_buyback()
    request(shop, licences[0])
    assert shop.licence.ownerOf(licences[0]) == shop.buyback.address
    shop.settle()
    start = now()
    whole = 300 * USD * IFX // PRICE
    with boa.reverts("Buyback: nothing to claim"):
        shop.buyback.claim(licences[0])
    paid = 0
    for passed in (1, 10 * DAY, LINEAR - 1, LINEAR):
        set_time(start + passed)
        due = whole * passed // LINEAR - paid
        assert shop.buyback.claimable(licences[0]) == due
        with acting(key("anybody")):
            assert shop.buyback.claim(licences[0]) == due
        paid += due
        assert shop.licence.ownerOf(licences[0]) == shop.treasury
    assert shop.ifx.balanceOf(OWNER.address) == paid == whole
    advance(DAY)
    with boa.reverts("Buyback: nothing to claim"):
        shop.buyback.claim(licences[0])


def test_eighty_percent_at_once_in_native_at_the_rate_of_the_claim(public_shop: Shop, licences: list[int]) -> None:
    shop = public_shop
    shop.open_buyback()
    for licence in licences[:2]:
        request(shop, licence, IN_NATIVE)
    shop.settle()
    assert shop.buyback.pool(IN_NATIVE) == 600 * USD * ETHER // NATIVE_RATE
    assert shop.buyback.claim(licences[0]) == 240 * USD * ETHER // NATIVE_RATE
    with boa.reverts("Buyback: nothing to claim"):
        shop.buyback.claim(licences[0])
    shop.set_rate(NATIVE_RATE * 5 // 4)
    assert shop.buyback.claim(licences[1]) == 240 * USD * ETHER * 4 // (NATIVE_RATE * 5)
    assert shop.licence.ownerOf(licences[1]) == shop.treasury


def test_native_that_fell_by_more_than_a_fifth_is_paid_as_far_as_was_set_aside(
    public_shop: Shop, licences: list[int]
) -> None:
    shop = public_shop
    shop.open_buyback()
    for licence in licences[:3]:
        request(shop, licence, IN_NATIVE)
    shop.settle()
    shop.set_rate(NATIVE_RATE * 8 // 10)
    assert shop.buyback.claim(licences[0]) == 300 * USD * ETHER // NATIVE_RATE
    shop.set_rate(NATIVE_RATE // 2)
    assert [shop.buyback.claim(licence) for licence in licences[1:3]] == [300 * USD * ETHER // NATIVE_RATE] * 2


def test_a_short_pool_pays_in_proportion_whoever_claims_first(public_shop: Shop, licences: list[int]) -> None:
    shop, other = public_shop, key("other")
    dear = shop.buy(other, tier=7)
    give_pool(shop, 3_000 * IFX)
    shop.open_buyback()
    request(shop, licences[0])
    shop.offer(other, dear, IN_IFX)
    shop.settle()
    advance(LINEAR)
    assert shop.buyback.claim(dear) == 2_000 * IFX
    assert shop.buyback.claim(licences[0]) == 1_000 * IFX


def test_short_of_native_too_and_what_is_exchanged_helps(public_shop: Shop) -> None:
    shop, other = public_shop, key("other")
    first = shop.buy(OWNER, count=2)
    dear = shop.buy(other, tier=7)
    shop.open_buyback()
    for licence in (first, first + 1):
        request(shop, licence, IN_NATIVE)
    shop.offer(other, dear, IN_NATIVE)
    trader, native = key("trader"), 12 * ETHER // 100
    shop.fund(trader, shop.native, native)
    set_time(shop.buyback.opens_at() + WINDOW)
    shop.set_rate()
    with acting(trader):
        assert shop.node_sale.exchange(shop.usd, native, 0) == 240 * 10**6
    shop.settle()
    shares = [shop.buyback.claim(licence) for licence in (dear, first, first + 1)]
    assert shares == [native // 2, native // 4, native // 4]


def test_the_window_is_half_a_year_after_tge_and_seven_days_long(public_shop: Shop, licences: list[int]) -> None:
    shop = public_shop
    opens = shop.tge + OPENS_AFTER
    assert shop.buyback.opens_at() == opens
    set_time(opens - 1)
    with boa.reverts("Buyback: not in the window"):
        request(shop, licences[0])
    set_time(opens)
    request(shop, licences[0])
    set_time(opens + WINDOW - 1)
    request(shop, licences[1])
    set_time(opens + WINDOW)
    with boa.reverts("Buyback: not in the window"):
        request(shop, licences[2])


def test_what_was_given_away_or_is_anothers_is_not_bought(public_shop: Shop, licences: list[int]) -> None:
    shop = public_shop
    gift = shop.mint_licence(OWNER, WORKER)
    shop.open_buyback()
    with boa.reverts("Buyback: given away"):
        request(shop, gift)
    with acting(key("stranger")), boa.reverts("Buyback: not the licence's owner"):
        shop.buyback.request(licences[0], IN_IFX, 0, [])
    for option in (0, 3):
        with boa.reverts("Buyback: no such option"):
            request(shop, licences[0], option)
    with acting(OWNER), boa.reverts("NodeLicence: not the owner or approved"):
        shop.buyback.request(licences[1], IN_IFX, 0, [])
    request(shop, licences[0])
    with boa.reverts("NodeLicence: not the owner or operator"):
        request(shop, licences[0])


def test_a_rebate_is_not_bought_back(public_shop: Shop) -> None:
    shop = public_shop
    licence = shop.buy(OWNER, tier=9, code=PARTNER)
    shop.open_buyback()
    request(shop, licence)
    assert shop.buyback.offered(licence).paid == shop.buyback.wanted(IN_IFX) == 630 * USD


def test_who_was_banned_offers_nothing(public_shop: Shop, licences: list[int]) -> None:
    shop = public_shop
    with acting(OWNER):
        node = shop.registry.register(licences[0], key("operator").address, bytes(32), FLOOR)
        shop.registry.retire(node)
    shop.open_buyback()
    with acting(shop.governor):
        shop.registry.set_status(node, BANNED)
    for licence in licences[:2]:
        with boa.reverts("Buyback: owner banned"):
            request(shop, licence)
    with acting(shop.governor):
        shop.registry.set_status(node, 1)
    request(shop, licences[0])


def test_a_banned_licence_is_not_bought_of_its_next_owner(public_shop: Shop, licences: list[int]) -> None:
    shop, seller = public_shop, key("seller")
    licence = shop.buy(seller)
    late = deployer("licences/Buyback.vy").deploy(*shop.buyback_arguments(), now() + 365 * DAY)
    with acting(seller):
        node = shop.registry.register(licence, key("operator").address, bytes(32), FLOOR)
        shop.registry.retire(node)
    with acting(shop.governor):
        shop.registry.set_status(node, BANNED)
    with acting(seller):
        advance(365 * DAY)
        shop.licence.transferFrom(seller.address, OWNER.address, licence)
    set_time(late.opens_at())
    with acting(OWNER), boa.reverts("Buyback: licence banned"):
        late.request(licence, IN_IFX, 0, [])


def test_nodes_retire_before_their_licence_is_sold(public_shop: Shop, licences: list[int]) -> None:
    shop = public_shop
    with acting(OWNER):
        nodes = [
            shop.registry.register(licences[0], key(f"operator {index}").address, bytes(32), FLOOR)
            for index in range(2)
        ]
    shop.open_buyback()
    for node in nodes:
        with boa.reverts("Buyback: retire its nodes first"):
            request(shop, licences[0])
        with acting(OWNER):
            shop.registry.retire(node)
    request(shop, licences[0])
    with acting(OWNER), boa.reverts("NodeRegistry: not the licence's owner"):
        shop.registry.register(licences[0], key("operator 3").address, bytes(32), FLOOR)


def test_two_thirds_of_the_epochs_are_shown_by_the_posted_list(public_shop: Shop, licences: list[int]) -> None:
    shop, proofs = public_shop, load("participation")
    with acting(shop.governor):
        shop.buyback.post_participation(proofs.root, bytes(32))
    shop.open_buyback()
    assert licences[:4] == [1, 2, 3, 4]
    request(shop, 1, bps=10_000, proof=proofs[1, 10_000])
    request(shop, 2, bps=6_671, proof=proofs[2, 6_671])
    for licence, bps in ((3, 6_670), (4, 0)):
        with boa.reverts("Buyback: too little participation"):
            request(shop, licence, bps=bps, proof=proofs[licence, bps])
    for licence, bps, proof in ((3, 10_000, proofs[1, 10_000]), (3, 6_671, proofs[3, 6_670]), (5, 9_000, [])):
        with boa.reverts("Buyback: not in the list of participations"):
            request(shop, licence, bps=bps, proof=proof)


def test_the_list_stands_a_week_before_the_window(public_shop: Shop) -> None:
    shop, root = public_shop, load("participation").root
    with acting(shop.guardian), boa.reverts("governed: not the governor"):
        shop.buyback.post_participation(root, bytes(32))
    with acting(shop.governor):
        shop.buyback.post_participation(bytes(31) + b"\1", bytes(32))
        set_time(shop.buyback.opens_at() - 7 * DAY)
        shop.buyback.post_participation(root, bytes(32))
        advance(1)
        with boa.reverts("Buyback: less than a week before the window"):
            shop.buyback.post_participation(root, bytes(32))
    assert shop.buyback.participation_root() == root


def test_an_offer_is_taken_back_until_it_is_paid(public_shop: Shop, licences: list[int]) -> None:
    shop = public_shop
    give_pool(shop, 10**7 * IFX)
    shop.open_buyback()
    for licence in licences[:3]:
        request(shop, licence)
    with acting(key("stranger")), boa.reverts("Buyback: not who offered it"):
        shop.buyback.take_back(licences[0])
    with acting(OWNER):
        shop.buyback.take_back(licences[0])
        with boa.reverts("Buyback: not who offered it"):
            shop.buyback.take_back(licences[0])
    assert shop.licence.ownerOf(licences[0]) == OWNER.address
    assert shop.buyback.wanted(IN_IFX) == 600 * USD
    request(shop, licences[0], IN_NATIVE)
    shop.settle()
    advance(DAY)
    shop.buyback.claim(licences[1])
    with acting(OWNER):
        with boa.reverts("Buyback: paid for"):
            shop.buyback.take_back(licences[1])
        shop.buyback.take_back(licences[2])
    assert shop.buyback.wanted(IN_IFX) == 600 * USD
    with boa.reverts("Buyback: not offered"):
        shop.buyback.claim(licences[2])
    whole = 300 * USD * IFX // PRICE
    advance(LINEAR)
    assert shop.buyback.claim(licences[1]) == whole - whole // 30
    with acting(OWNER):
        shop.buyback.take_back(licences[0])


def test_a_licence_that_comes_back_is_as_locked_as_before(public_shop: Shop, licences: list[int]) -> None:
    shop = public_shop
    free_at = shop.licence.transferable_at(licences[0])
    shop.open_buyback()
    request(shop, licences[0])
    with acting(OWNER):
        shop.buyback.take_back(licences[0])
        assert shop.licence.transferable_at(licences[0]) == free_at
        with boa.reverts("NodeLicence: locked"):
            shop.licence.transferFrom(OWNER.address, key("friend").address, licences[0])


def test_settled_once_two_days_after_the_window_by_anybody(public_shop: Shop, licences: list[int]) -> None:
    shop = public_shop
    shop.open_buyback()
    request(shop, licences[0])
    end = shop.buyback.opens_at() + WINDOW + EXCHANGE_TERM
    set_time(end - 1)
    with boa.reverts("Buyback: too early"):
        shop.buyback.settle()
    with boa.reverts("Buyback: not settled"):
        shop.buyback.claim(licences[0])
    assert shop.buyback.claimable(licences[0]) == 0
    set_time(end)
    with acting(key("anybody")):
        shop.buyback.settle()
        with boa.reverts("Buyback: settled before"):
            shop.buyback.settle()
    assert shop.buyback.settled()


def test_no_rate_stops_no_settlement_and_a_fresh_one_pays(public_shop: Shop, licences: list[int]) -> None:
    shop = public_shop
    shop.open_buyback()
    request(shop, licences[0], IN_NATIVE)
    set_time(shop.buyback.opens_at() + WINDOW + EXCHANGE_TERM)
    held = shop.node_sale.held(shop.native)
    shop.buyback.settle()
    assert shop.buyback.pool(IN_NATIVE) == held
    with boa.reverts("NodeSale: rate too old"):
        shop.buyback.claim(licences[0])
    shop.set_rate()
    assert shop.buyback.claim(licences[0]) == 240 * USD * ETHER // NATIVE_RATE


def test_nothing_in_a_pool_means_the_licence_is_taken_back(public_shop: Shop) -> None:
    shop = public_shop
    first = shop.buy(OWNER, count=2)
    shop.open_buyback()
    request(shop, first, IN_IFX)
    request(shop, first + 1, IN_NATIVE)
    shop.settle()
    advance(DAY)
    for licence in (first, first + 1):
        with boa.reverts("Buyback: nothing to claim"):
            shop.buyback.claim(licence)
        with acting(OWNER):
            shop.buyback.take_back(licence)
        assert shop.licence.ownerOf(licence) == OWNER.address


def test_who_is_banned_later_is_paid_no_more_but_may_take_back_what_was_not_paid(
    public_shop: Shop, licences: list[int]
) -> None:
    shop = public_shop
    give_pool(shop, 10**7 * IFX)
    with acting(OWNER):
        node = shop.registry.register(licences[0], key("operator").address, bytes(32), FLOOR)
        shop.registry.retire(node)
    shop.open_buyback()
    for licence in licences[:2]:
        request(shop, licence)
    shop.settle()
    advance(DAY)
    shop.buyback.claim(licences[0])
    with acting(shop.governor):
        shop.registry.set_status(node, BANNED)
    advance(DAY)
    for licence in licences[:2]:
        with boa.reverts("Buyback: owner banned"):
            shop.buyback.claim(licence)
    with acting(OWNER):
        shop.buyback.take_back(licences[1])


def test_what_becomes_of_a_bought_licence_is_not_its_old_owners_affair(public_shop: Shop, licences: list[int]) -> None:
    shop = public_shop
    give_pool(shop, 10**7 * IFX)
    shop.open_buyback()
    for licence in licences[:2]:
        request(shop, licence)
    shop.settle()
    advance(DAY)
    shop.buyback.claim(licences[0])
    with acting(shop.treasury):
        node = shop.registry.register(licences[0], key("operator").address, bytes(32), FLOOR)
    with acting(shop.governor):
        shop.registry.set_status(node, BANNED)
    assert shop.registry.is_licence_banned(licences[0])
    advance(LINEAR)
    for licence in licences[:2]:
        shop.buyback.claim(licence)
    assert shop.ifx.balanceOf(OWNER.address) == 2 * 300 * USD * IFX // PRICE


def test_claims_end_and_the_rest_goes_to_the_treasury(public_shop: Shop, licences: list[int]) -> None:
    shop = public_shop
    give_pool(shop, 10**7 * IFX)
    shop.open_buyback()
    request(shop, licences[0], IN_IFX)
    request(shop, licences[1], IN_NATIVE)
    with boa.reverts("Buyback: not settled"):
        shop.buyback.sweep()
    shop.settle()
    start = now()
    set_time(start + CLAIM_TERM - 1)
    with boa.reverts("Buyback: claims open"):
        shop.buyback.sweep()
    shop.buyback.claim(licences[0])
    set_time(start + CLAIM_TERM)
    with boa.reverts("Buyback: claims over"):
        shop.buyback.claim(licences[1])
    shop.buyback.sweep()
    assert shop.ifx.balanceOf(shop.treasury) == 10**7 * IFX - 300 * USD * IFX // PRICE
    assert shop.native.balanceOf(shop.treasury) == 300 * USD * ETHER // NATIVE_RATE
    with acting(OWNER):
        shop.buyback.take_back(licences[1])


def test_the_treasury_burns_what_it_bought_when_the_lock_is_over(public_shop: Shop, licences: list[int]) -> None:
    shop = public_shop
    shop.open_buyback()
    request(shop, licences[0], IN_NATIVE)
    shop.settle()
    shop.buyback.claim(licences[0])
    with acting(shop.treasury):
        with boa.reverts("NodeLicence: locked"):
            shop.licence.burn(licences[0])
        advance(365 * DAY)
        shop.licence.burn(licences[0])
    with boa.reverts("NodeLicence: no such licence"):
        shop.licence.ownerOf(licences[0])


def test_the_governor_names_a_market_with_a_price(public_shop: Shop, licences: list[int]) -> None:
    shop = public_shop
    give_pool(shop, 10**7 * IFX)
    broken = deployer("Market.vy", STAND_INS).deploy(0)
    other = deployer("Market.vy", STAND_INS).deploy(2 * PRICE)
    with acting(shop.guardian), boa.reverts("governed: not the governor"):
        shop.buyback.set_market(other)
    with acting(shop.governor):
        with boa.reverts("Buyback: no price"):
            shop.buyback.set_market(broken)
        shop.buyback.set_market(other)
    shop.open_buyback()
    request(shop, licences[0])
    shop.settle()
    assert shop.buyback.pool(IN_IFX) == 300 * USD * IFX // (2 * PRICE)


def test_empty_addresses_are_refused(shop: Shop) -> None:
    arguments = [*shop.buyback_arguments(), 1]
    for place in (1, 2, 3, 4, 6):
        wrong = [*arguments[:place], ZERO, *arguments[place + 1 :]]
        with boa.reverts("Buyback: empty address"):
            deployer("licences/Buyback.vy").deploy(*wrong)
    with boa.reverts("Buyback: no TGE"):
        deployer("licences/Buyback.vy").deploy(*arguments[:-1], 0)
