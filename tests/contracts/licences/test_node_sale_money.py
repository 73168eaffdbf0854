# SPDX-License-Identifier: Apache-2.0
"""NodeSale's money: coins and their habits, the rate of wrapped native, rounding, commissions, and what is held for the buyback."""

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.licences.shop import NATIVE_RATE, NONE, PARTNER, WINDOW, Shop
from tests.contracts.system import (
    DAY,
    IFX,
    STAND_INS,
    USD,
    VERIFIER,
    WORKER,
    Contract,
    acting,
    advance,
    check_locked,
    deployer,
    key,
    now,
    set_time,
)

ETHER = 10**18
RETURNS_NOTHING, RETURNS_FALSE, KEEPS_A_FEE, TAKES_MORE, CALLS_BACK = 1, 2, 3, 4, 5
HOUR = 3600


def odd_coin(shop: Shop, habit: int = 0, decimals: int = 6) -> Contract:
    coin = deployer("OddCoin.vy", STAND_INS).deploy(decimals, habit)
    with acting(shop.governor):
        shop.node_sale.accept_coin(coin, True)
    return coin


def set_buyback_share(shop: Shop, bps: int) -> None:
    shop.set_parameter("buyback_bps", bps)


def exchange(shop: Shop, native: int, minimum: int = 0, coin: Contract | None = None) -> int:
    trader = key("trader")
    shop.fund(trader, shop.native, native)
    with acting(trader):
        return int(shop.node_sale.exchange(coin or shop.usd, native, minimum))


def test_wrapped_native_is_taken_at_its_rate_rounded_up(public_shop: Shop) -> None:
    shop = public_shop
    shop.set_rate(1_777_777_777_777)
    due = shop.node_sale.quote(WORKER, 1, 3, shop.native, NONE, key("buyer").address)
    assert due == -(-900 * USD * ETHER // 1_777_777_777_777)
    licence = shop.buy(key("buyer"), count=3, coin=shop.native)
    assert shop.native.balanceOf(shop.node_sale) == due == shop.node_sale.held(shop.native)
    assert shop.licence.paid(licence) == 300 * USD


def test_a_rate_is_good_for_a_day_to_the_second(public_shop: Shop) -> None:
    shop = public_shop
    shop.set_rate()
    start = now()
    set_time(start + DAY)
    shop.buy(key("buyer"), coin=shop.native)
    assert shop.node_sale.native_for(2 * NATIVE_RATE) == 2 * ETHER
    set_time(start + DAY + 1)
    with boa.reverts("NodeSale: rate too old"):
        shop.buy(key("buyer"), coin=shop.native)
    with boa.reverts("NodeSale: rate too old"):
        shop.node_sale.native_for(1)
    shop.buy(key("buyer"))


def test_the_setter_moves_the_rate_by_a_fifth_an_hour(shop: Shop) -> None:
    setter = key("setter")
    shop.set_rate(1000)
    start = now()
    with acting(setter), boa.reverts("governed: not the governor"):
        shop.node_sale.set_rate(1000)
    with acting(shop.governor):
        shop.node_sale.set_rate_setter(setter.address)
    with acting(setter):
        set_time(start + HOUR - 1)
        with boa.reverts("NodeSale: once an hour"):
            shop.node_sale.set_rate(1000)
        set_time(start + HOUR)
        for rate in (799, 1201):
            with boa.reverts("NodeSale: moves more than a fifth"):
                shop.node_sale.set_rate(rate)
        with boa.reverts("NodeSale: no rate"):
            shop.node_sale.set_rate(0)
        shop.node_sale.set_rate(1200)
        advance(HOUR)
        shop.node_sale.set_rate(960)
    coin = shop.node_sale.coin(shop.native)
    assert (coin.rate, coin.rated_at, coin.decimals, coin.accepted) == (960, now(), 18, True)
    with acting(shop.governor):
        shop.node_sale.set_rate(1)
        with boa.reverts("NodeSale: no rate"):
            shop.node_sale.set_rate(2**96)


def test_nothing_is_sold_for_native_before_the_governors_first_rate(shop: Shop) -> None:
    sale = deployer("licences/NodeSale.vy").deploy(
        shop.parameters, shop.licence, shop.native, shop.treasury, [(100, 0, 1, 0)], []
    )
    setter = key("setter").address
    with acting(shop.governor):
        with boa.reverts("NodeSale: unknown coin"):
            sale.set_rate(1)
        sale.accept_coin(shop.native, True)
        sale.set_rate_setter(setter)
    with acting(setter), boa.reverts("NodeSale: the governor sets the first rate"):
        sale.set_rate(1)
    with boa.reverts("NodeSale: rate too old"):
        sale.quote(WORKER, 1, 1, shop.native, NONE, setter)


def test_coins_are_taken_while_they_are_accepted(public_shop: Shop) -> None:
    shop = public_shop
    for coin in (shop.ifx, shop.licence):
        with boa.reverts("NodeSale: coin not accepted"):
            shop.node_sale.quote(WORKER, 1, 1, coin, NONE, key("buyer").address)
    with acting(shop.governor):
        shop.node_sale.accept_coin(shop.usd, False)
        with boa.reverts("NodeSale: coin not accepted"):
            shop.buy(key("buyer"))
        shop.node_sale.accept_coin(shop.usd, True)
    shop.buy(key("buyer"))


@pytest.mark.parametrize("decimals", [1, 19])
def test_coins_of_other_decimals_are_refused(shop: Shop, decimals: int) -> None:
    with boa.reverts("NodeSale: decimals"):
        odd_coin(shop, decimals=decimals)
    for accepted in (2, 18):
        odd_coin(shop, decimals=accepted)


def test_a_buyer_never_pays_more_than_its_maximum(public_shop: Shop) -> None:
    shop, buyer = public_shop, key("buyer")
    shop.fund(buyer, shop.usd, 10**9)
    with acting(buyer):
        with boa.reverts("NodeSale: over the maximum"):
            shop.node_sale.buy(WORKER, 1, 1, shop.usd, 300 * 10**6 - 1)
        shop.node_sale.buy(WORKER, 1, 1, shop.usd, 300 * 10**6)
    assert shop.usd.balanceOf(buyer.address) == 10**9 - 300 * 10**6


@pytest.mark.parametrize("decimals", [2, 6, 18])
def test_coins_that_return_nothing_are_taken_like_others(public_shop: Shop, decimals: int) -> None:
    shop = public_shop
    coin = odd_coin(shop, RETURNS_NOTHING, decimals)
    shop.buy(key("buyer"), coin=coin, code=PARTNER)
    assert coin.balanceOf(shop.node_sale) == 270 * 10**decimals
    assert shop.node_sale.claim_commission(key("partner").address, coin) == 270 * 10**decimals * 7 // 100


def test_coins_that_keep_a_fee_or_fail_buy_nothing(public_shop: Shop) -> None:
    shop, buyer = public_shop, key("buyer")
    coin = odd_coin(shop, KEEPS_A_FEE)
    with boa.reverts("NodeSale: less arrived than is due"):
        shop.buy(buyer, coin=coin)
    coin.set_habit(RETURNS_FALSE)
    with boa.reverts("NodeSale: transfer failed"):
        shop.buy(buyer, coin=coin)
    assert shop.licence.balanceOf(buyer.address) == 0
    assert shop.node_sale.tier(WORKER, 1).sold == 0
    coin.set_habit(TAKES_MORE)
    shop.buy(buyer, coin=coin, funds=330 * 10**6)
    assert coin.balanceOf(shop.node_sale) == 300 * 10**6


def test_attack_a_coin_that_takes_more_on_the_way_out_eats_no_other_commission(public_shop: Shop) -> None:
    """A coin that begins to take its fee from the sender would be paid by whoever claims last."""
    shop, sale, partner, buyer = public_shop, public_shop.node_sale, key("partner").address, key("buyer")
    coin = odd_coin(shop)
    set_buyback_share(shop, 5_000)
    shop.buy(buyer, coin=coin, code=PARTNER)
    held, owed = coin.balanceOf(sale), sale.owed(coin)
    coin.set_habit(TAKES_MORE)
    with boa.reverts("payments: the coin took more"):
        sale.claim_commission(partner, coin)
    with boa.reverts("payments: the coin took more"):
        sale.release(coin)
    assert (coin.balanceOf(sale), sale.owed(coin), sale.commission(partner, coin)) == (held, owed, owed)
    coin.set_habit(0)
    assert sale.release(coin) == (held - owed) // 2
    assert sale.claim_commission(partner, coin) == owed


def test_a_coin_cannot_buy_or_claim_again_while_it_is_paid(public_shop: Shop) -> None:
    """It has the money for a licence, a second owner has a commission, and half of the proceeds may be released."""
    shop, sale, partner, buyer = public_shop, public_shop.node_sale, key("partner").address, key("buyer")
    coin = odd_coin(shop)
    set_buyback_share(shop, 5_000)
    shop.buy(buyer, coin=coin, code=PARTNER)
    shop.buy(key("another"), coin=coin, code=bytes.fromhex(buyer.address[2:]).rjust(32, b"\0"))
    coin.mint(coin, 10**9)
    for call in (
        sale.buy.prepare_calldata(WORKER, 1, 1, coin, 10**9),
        sale.claim_commission.prepare_calldata(buyer.address, coin),
        sale.release.prepare_calldata(coin),
    ):
        check_locked(coin, sale, call, lambda: shop.buy(key("a third"), coin=coin))
        check_locked(coin, sale, call, lambda: sale.claim_commission(partner, coin))
    coin.set_habit(0)
    assert sale.claim_commission(partner, coin) == 270 * 10**6 * 7 // 100


def test_anybody_has_an_owners_commission_paid_once(public_shop: Shop) -> None:
    shop, partner = public_shop, key("partner").address
    shop.buy(key("buyer"), code=PARTNER)
    shop.buy(key("buyer"), coin=shop.native, code=PARTNER)
    owed = 270 * 10**6 * 7 // 100
    with acting(key("stranger")):
        assert shop.node_sale.claim_commission(partner, shop.usd) == owed
        with boa.reverts("NodeSale: no commission"):
            shop.node_sale.claim_commission(partner, shop.usd)
        with boa.reverts("NodeSale: no commission"):
            shop.node_sale.claim_commission(key("stranger").address, shop.native)
    assert shop.usd.balanceOf(partner) == owed
    assert (shop.node_sale.owed(shop.usd), shop.node_sale.held(shop.usd)) == (0, 270 * 10**6 - owed)
    assert shop.node_sale.owed(shop.native) == shop.node_sale.commission(partner, shop.native) != 0


@settings(max_examples=40)
@given(
    rate=st.integers(10**6, 10**14),
    tier=st.integers(1, 30),
    count=st.integers(1, 5),
    role=st.sampled_from([WORKER, VERIFIER]),
    referred=st.booleans(),
)
def test_rounding_never_favours_the_buyer(
    deployed_shop: Shop, rate: int, tier: int, count: int, role: int, referred: bool
) -> None:
    shop, buyer = deployed_shop, key("buyer")
    with boa.env.anchor():
        shop.start_public_sale()
        shop.set_rate(rate)
        code = PARTNER if referred else NONE
        dollars = 300 + 50 * (tier - 1)
        licence = shop.buy(buyer, tier, count, role, shop.native, code)
        got = shop.native.balanceOf(shop.node_sale)
        # In tenths of a per cent, so that the whole is an integer
        fair = dollars * USD * count * (900 if referred else 1000)
        assert got * rate * 1000 >= fair * ETHER
        assert shop.licence.paid(licence) * 1000 * count <= fair + 1000 * count * 10**7
        assert shop.licence.paid(licence) * count * ETHER <= got * rate
        owed = shop.node_sale.owed(shop.native)
        assert owed == (got * 7 // 100 if referred else 0)


def test_all_proceeds_wait_for_the_buyback_unless_governed_otherwise(public_shop: Shop) -> None:
    shop = public_shop
    shop.buy(key("buyer"), tier=9, count=10, code=PARTNER)
    proceeds = 6_300 * 10**6 * 93 // 100
    with boa.reverts("NodeSale: held for the buyback"):
        shop.node_sale.release(shop.usd)
    set_buyback_share(shop, 6_000)
    assert shop.node_sale.release(shop.usd) == proceeds * 4 // 10
    with boa.reverts("NodeSale: held for the buyback"):
        shop.node_sale.release(shop.usd)
    shop.buy(key("buyer"), tier=9)
    assert shop.node_sale.release(shop.usd) == 700 * 10**6 * 4 // 10
    set_buyback_share(shop, 5_000)
    shop.node_sale.release(shop.usd)
    assert shop.usd.balanceOf(shop.treasury) == (proceeds + 700 * 10**6) // 2
    with acting(shop.governor), boa.reverts("Parameters: out of bounds"):
        set_buyback_share(shop, 4_999)
    set_buyback_share(shop, 10_000)
    with boa.reverts("NodeSale: held for the buyback"):
        shop.node_sale.release(shop.usd)


def test_nothing_is_released_from_the_windows_opening_to_the_settlement_and_all_after(public_shop: Shop) -> None:
    shop = public_shop
    shop.buy(key("buyer"), code=PARTNER)
    set_buyback_share(shop, 5_000)
    opens = shop.buyback.opens_at()
    with boa.env.anchor():
        set_time(opens - 1)
        shop.node_sale.release(shop.usd)
    for moment in (opens, opens + WINDOW, opens + 300 * DAY):
        set_time(moment)
        with boa.reverts("NodeSale: held for the buyback"):
            shop.node_sale.release(shop.usd)
    shop.buyback.settle()
    owed = 270 * 10**6 * 7 // 100
    assert shop.node_sale.release(shop.usd) == 270 * 10**6 - owed
    with boa.reverts("NodeSale: nothing to release"):
        shop.node_sale.release(shop.usd)
    assert shop.node_sale.claim_commission(key("partner").address, shop.usd) == owed


def test_anybody_exchanges_native_for_proceeds_as_far_as_the_buyback_wants_it(public_shop: Shop) -> None:
    shop, owner = public_shop, key("owner")
    licence = shop.buy(owner, tier=9, count=2)
    shop.buy(key("buyer"), tier=9, count=2)
    set_time(shop.buyback.opens_at() - 1)
    shop.set_rate()
    with boa.reverts("NodeSale: buyback not open"):
        exchange(shop, 1)
    shop.open_buyback()
    with boa.reverts("NodeSale: more than is wanted"):
        exchange(shop, 1)
    shop.offer(owner, licence, 2)
    wanted = 700 * USD * ETHER // NATIVE_RATE
    with boa.reverts("NodeSale: more than is wanted"):
        exchange(shop, wanted + 1)
    with boa.reverts("NodeSale: less than the minimum"):
        exchange(shop, wanted, minimum=700 * 10**6 + 1)
    with boa.reverts("NodeSale: less than the minimum"):
        exchange(shop, 499_999_999)
    assert exchange(shop, wanted, minimum=700 * 10**6) == 700 * 10**6
    assert (shop.node_sale.held(shop.native), shop.node_sale.held(shop.usd)) == (wanted, 2_100 * 10**6)
    assert shop.usd.balanceOf(key("trader").address) == 700 * 10**6
    with boa.reverts("NodeSale: more than is wanted"):
        exchange(shop, 1)
    shop.settle()
    with boa.reverts("NodeSale: buyback settled"):
        exchange(shop, 1)


def test_an_exchange_needs_a_rate_of_this_hour_and_another_coin_that_is_there(public_shop: Shop) -> None:
    shop, owner = public_shop, key("owner")
    licence = shop.buy(owner, tier=9)
    shop.open_buyback()
    shop.offer(owner, licence, 2)
    start = now()
    with boa.reverts("NodeSale: the same coin"):
        exchange(shop, 1, coin=shop.native)
    with boa.reverts("NodeSale: no rate"):
        exchange(shop, 1, coin=shop.ifx)
    empty = odd_coin(shop)
    with boa.reverts("NodeSale: not enough of the coin"):
        exchange(shop, ETHER // 100, coin=empty)
    set_time(start + HOUR + 1)
    with boa.reverts("NodeSale: rate too old"):
        exchange(shop, ETHER // 100)
    shop.set_rate()
    advance(HOUR)
    exchange(shop, ETHER // 100)


def test_only_the_buyback_is_funded(public_shop: Shop) -> None:
    shop = public_shop
    shop.buy(key("buyer"), coin=shop.native)
    for other in (shop.governor, shop.treasury):
        with acting(other), boa.reverts("NodeSale: not the buyback"):
            shop.node_sale.fund_buyback(1)
    held = shop.node_sale.held(shop.native)
    shop.set_rate()
    with acting(shop.buyback):
        assert shop.node_sale.fund_buyback(0) == 0
        assert shop.node_sale.fund_buyback(NATIVE_RATE // 100) == ETHER // 100
        advance(DAY + 1)
        assert shop.node_sale.fund_buyback(1) == held - ETHER // 100
        assert shop.node_sale.fund_buyback(1) == 0


def test_ifx_is_no_coin_of_the_sale(public_shop: Shop) -> None:
    public_shop.give_ifx(key("buyer").address, 10**6 * IFX)
    with acting(key("buyer")), boa.reverts("NodeSale: coin not accepted"):
        public_shop.node_sale.buy(WORKER, 1, 1, public_shop.ifx, 2**255)


def test_a_rebate_that_is_no_whole_cent_rounds_against_the_buyer(shop: Shop) -> None:
    tiers = [(333, 0, 1, 0), (330, 0, 1, 0)]
    sale = deployer("licences/NodeSale.vy").deploy(shop.parameters, shop.licence, shop.native, shop.treasury, tiers, [])
    with acting(shop.governor):
        sale.accept_coin(shop.usd, True)
        sale.set_partner(PARTNER, key("partner").address, 700)
    quotes = [sale.quote(WORKER, tier, 1, shop.usd, PARTNER, key("buyer").address) for tier in (1, 2)]
    assert quotes == [3_000_000, 2_970_000]
