# SPDX-License-Identifier: Apache-2.0
"""Licences bought, offered and paid for: at once and in parts, by one wallet and by several."""

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.licences.shop import LINEAR, NATIVE_RATE, NONE, PARTNER, Shop, wallet_code
from tests.contracts.system import IFX, PRICE, USD, acting, advance, key, now, set_time

IN_IFX, IN_NATIVE = 1, 2
BUYER = key("buyer")


@settings(max_examples=15)
@given(
    rate=st.integers(10**6, 10**14),
    tier=st.integers(1, 10),
    parts=st.lists(st.integers(1, 3), min_size=2, max_size=3),
    referred=st.booleans(),
)
def test_licences_bought_one_by_one_cost_no_less(
    deployed_shop: Shop, rate: int, tier: int, parts: list[int], referred: bool
) -> None:
    """A unit of the coin a purchase more at most. Buyer and referrer together pay no less either."""
    shop, ends = deployed_shop, []
    for counts in ([sum(parts)], parts):
        with boa.env.anchor():
            shop.resume()
            shop.start_public_sale()
            shop.set_rate(rate)
            first = [
                shop.buy(BUYER, tier, count, coin=shop.native, code=PARTNER if referred else NONE) for count in counts
            ]
            got, owed = int(shop.native.balanceOf(shop.node_sale)), int(shop.node_sale.owed(shop.native))
            ends.append((got, got - owed, int(shop.licence.paid(first[0])), int(shop.licence.balanceOf(BUYER.address))))
    (got, net, paid, count), (got_in_parts, net_in_parts, paid_in_parts, count_in_parts) = ends
    assert 0 <= got_in_parts - got < len(parts)
    assert 0 <= net_in_parts - net < 2 * len(parts)
    assert (paid, count) == (paid_in_parts, count_in_parts)


def ring(shop: Shop, counts: list[int]) -> tuple[int, int]:
    """Wallets of one person, each buying by the code of the one before; paid in all, and come back as commissions."""
    wallets = [key(f"wallet {place}") for place in range(len(counts))]
    before = shop.usd.balanceOf(shop.node_sale)
    for place, (wallet, count) in enumerate(zip(wallets, counts, strict=True)):
        shop.buy(wallet, count=count, code=wallet_code(wallets[place - 1]) if place else NONE)
    paid = int(shop.usd.balanceOf(shop.node_sale) - before)
    back = sum(int(shop.node_sale.commission(wallet.address, shop.usd)) for wallet in wallets)
    return paid, back


@pytest.mark.parametrize("counts", [[1, 9], [1, 1, 8], [1] * 10])
def test_attack_a_buyer_whose_wallets_refer_each_other_saves_a_code_and_no_more(
    public_shop: Shop, counts: list[int]
) -> None:
    """Whom a wallet belongs to nobody can see. All but the first licence cost 5 % less, and 5 % of that come back: more than
    a partner's 10 % off by a quarter of a per cent less, however many wallets."""
    shop, list_price = public_shop, 300 * 10**6
    paid, back = ring(shop, counts)
    assert paid == list_price + 9 * list_price * 95 // 100
    assert back == (paid - list_price) * 5 // 100
    assert paid - back == list_price + 9 * list_price * 95 * 95 // 10_000
    assert paid - back > list_price + 9 * list_price * 90 // 100, "no better than what any partner's code gives"


@pytest.mark.parametrize("code", ["wallet", "partner"])
def test_attack_a_buyer_who_refers_itself_gains_its_commission_at_the_buyback_and_no_more(
    public_shop: Shop, code: str
) -> None:
    """All that was paid comes back in IFX half a year later and 30 days on: a commission that went to the buyer's other
    wallet is on top. By option 2 it loses a fifth."""
    shop, referrer = public_shop, key("partner") if code == "partner" else key("wallet 0")
    shop.own_ifx(10**6 * IFX)
    shop.buy(key("others"), tier=15, count=2, coin=shop.native)
    if code == "wallet":
        shop.buy(referrer)
    first = shop.buy(BUYER, count=2, code=PARTNER if code == "partner" else wallet_code(referrer))
    paid = int(shop.licence.paid(first))  # nano-USD
    back = int(shop.node_sale.commission(referrer.address, shop.usd)) // 2 * 1_000
    assert back == paid * (7 if code == "partner" else 5) // 100
    shop.open_buyback()
    shop.offer(BUYER, first, IN_IFX)
    shop.offer(BUYER, first + 1, IN_NATIVE)
    shop.settle()
    advance(LINEAR)
    shop.set_rate()
    in_ifx = int(shop.buyback.claim(first)) * PRICE // IFX
    in_native = int(shop.buyback.claim(first + 1)) * NATIVE_RATE // IFX
    assert paid - 1 <= in_ifx <= paid
    assert paid * 8 // 10 - 1 <= in_native <= paid * 8 // 10
    assert 0 < in_ifx + back - paid <= paid * (7 if code == "partner" else 5) // 100
    assert in_native + back < paid


@settings(max_examples=8)
@given(counts=st.lists(st.integers(1, 3), min_size=1, max_size=3), seconds=st.lists(st.integers(1, LINEAR), max_size=4))
def test_a_buyback_claimed_often_or_by_several_owners_pays_no_more(
    deployed_shop: Shop, counts: list[int], seconds: list[int]
) -> None:
    """Where the pool is short by half. At most a wei a licence less than the pool."""
    shop, ends = deployed_shop, []
    for owners, times in (([sum(counts)], [LINEAR]), (counts, [*sorted(seconds), LINEAR])):
        with boa.env.anchor():
            shop.resume()
            shop.start_public_sale()
            wallets = [key(f"wallet {place}") for place in range(len(owners))]
            firsts = [shop.buy(wallet, count=count) for wallet, count in zip(wallets, owners, strict=True)]
            others = shop.buy(key("others"), tier=2, count=3)
            wanted = sum(counts) * 300 * USD + 3 * 350 * USD
            shop.own_ifx(pool := wanted * IFX // PRICE // 2 + 1)
            shop.open_buyback()
            offered = [
                licence
                for wallet, first, count in zip(wallets, firsts, owners, strict=True)
                for licence in range(first, first + count)
                if shop.offer(wallet, licence, IN_IFX) is None
            ]
            for licence in range(others, others + 3):
                shop.offer(key("others"), licence, IN_IFX)
            shop.settle()
            settled = now()
            for time in times:
                set_time(settled + time)
                for licence in offered:
                    if shop.buyback.claimable(licence):
                        shop.buyback.claim(licence)
            ends.append(sum(int(shop.ifx.balanceOf(wallet.address)) for wallet in wallets))
    assert ends[0] == ends[1] == sum(counts) * (pool * 300 * USD // wanted)


@pytest.mark.parametrize("parts", [2, 7])
def test_proceeds_exchanged_in_parts_give_no_more(public_shop: Shop, parts: int) -> None:
    """Rounded down, part by part: a unit of the coin a part less at most."""
    shop, got = public_shop, []
    shop.buy(BUYER, count=2)
    shop.open_buyback()
    for licence in (1, 2):
        shop.offer(BUYER, licence, IN_NATIVE)
    whole = 10**17 + 999_999_999_999
    dealer = key("dealer")
    for amounts in ([whole], [whole // parts] * (parts - 1) + [whole - (parts - 1) * (whole // parts)]):
        with boa.env.anchor():
            shop.fund(dealer, shop.native, whole)
            with acting(dealer):
                got.append(sum(int(shop.node_sale.exchange(shop.usd, amount, 0)) for amount in amounts))
    assert 0 <= got[0] - got[1] < parts
