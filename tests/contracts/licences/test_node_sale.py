# SPDX-License-Identifier: Apache-2.0
"""NodeSale: the tiers, who may buy how many of them and when, and the codes that refer."""

import hashlib

import boa
import pytest
from eth_utils import keccak

from tests.contracts.licences.shop import NONE, PARTNER, TIERS, Shop, wallet_code
from tests.contracts.merkle.lists import listed, load
from tests.contracts.system import (
    DAY,
    MANAGER,
    STAND_INS,
    USD,
    VERIFIER,
    WORKER,
    acting,
    advance,
    deployer,
    key,
    now,
    set_time,
    slot,
)

CENT = 10**4  # units of DevUSD
ZERO = "0x" + "00" * 20


def events(shop: Shop, name: str) -> list[object]:
    return [event for event in shop.node_sale.get_logs() if type(event).__name__ == name]


def whitelisted(shop: Shop, index: int, tier: int = 1, role: int = WORKER, code: bytes = NONE) -> int:
    buyer = listed(index)
    proof = load("whitelist")[buyer.address, role, tier]
    shop.fund(buyer, shop.usd, 10**9)
    with acting(buyer):
        return int(shop.node_sale.buy_whitelisted(role, tier, shop.usd, 10**9, proof, code))


def set_sold(shop: Shop, role: int, tier: int, sold: int, whitelisted_sold: int = 0) -> None:
    """As if so many of a tier had been sold."""
    terms = TIERS[role][tier - 1]
    word = terms.price | terms.cap << 24 | terms.licences << 32 | terms.whitelisted << 56
    word |= sold << 80 | whitelisted_sold << 104
    boa.env.set_storage(shop.node_sale.address, slot(shop.node_sale, "_tiers", role, tier), word)


@pytest.mark.parametrize(
    ("role", "digest"),
    [
        (WORKER, "ef6b3837e0cdfbaf329d0fa36a2ac64628fcbc15cb2758ceb434d126a6093d29"),
        (VERIFIER, "7d21b651fd7a7fe5f283f8dd80124b207e043950ffdd171af3f27c53c3a16d9b"),
    ],
)
def test_the_tiers_on_chain_are_the_published_ones_row_by_row(shop: Shop, role: int, digest: str) -> None:
    """The digests were made of the published tables, not of the files that a sale is deployed from: tier, cap ("-": no
    limit), USD, licences, whitelisted."""
    rows = [
        f"{number},{tier.cap or '-'},{tier.price // 100},{tier.licences},{tier.whitelisted}"
        for number, tier in ((number, shop.node_sale.tier(role, number)) for number in range(1, 31))
    ]
    assert hashlib.sha256(";".join(rows).encode()).hexdigest() == digest


def test_thirty_tiers_of_both_roles_are_the_licences_that_there_are(shop: Shop) -> None:
    for role, licences in {WORKER: 100_000, VERIFIER: 25_000}.items():
        tiers = [shop.node_sale.tier(role, number) for number in range(1, 31)]
        assert sum(tier.licences for tier in tiers) == licences == shop.licence.cap(role)
        assert [tier.price for tier in tiers] == [100 * dollars for dollars in range(300, 1751, 50)]
        for tier, terms in zip(tiers, TIERS[role], strict=True):
            assert (tier.price, tier.cap, tier.licences, tier.whitelisted) == terms.values()
            assert (tier.sold, tier.whitelisted_sold) == (0, 0)
        assert [tuple(shop.node_sale.tier(role, number)) for number in (0, 31)] == [(0,) * 6] * 2
    assert sum(tier.whitelisted for role in TIERS for tier in TIERS[role]) == 3_700
    assert tuple(shop.node_sale.tier(MANAGER, 1)) == (0,) * 6


def test_anybody_buys_many_and_pays_for_all(public_shop: Shop) -> None:
    shop, buyer = public_shop, key("buyer")
    first = shop.buy(buyer, tier=2, count=20, role=WORKER)
    assert [shop.licence.ownerOf(first + index) for index in (0, 19)] == [buyer.address] * 2
    assert shop.licence.paid(first + 19) == 350 * USD
    assert shop.usd.balanceOf(shop.node_sale) == 20 * 350 * 10**6
    assert shop.usd.balanceOf(buyer.address) == 0
    assert shop.node_sale.tier(WORKER, 2).sold == 20
    assert shop.node_sale.bought(WORKER, 2, buyer.address) == (20, False)
    assert shop.licence.transferable_at(first) == now() + 365 * DAY
    assert shop.buy(buyer, tier=30, role=VERIFIER) == 100_001


def test_the_last_of_a_tier_is_sold_and_no_more(public_shop: Shop) -> None:
    set_sold(public_shop, WORKER, 9, TIERS[WORKER][8].licences - 1)
    with boa.reverts("NodeSale: sold out"):
        public_shop.buy(key("buyer"), tier=9, count=2)
    public_shop.buy(key("buyer"), tier=9)
    with boa.reverts("NodeSale: sold out"):
        public_shop.buy(key("buyer"), tier=9)


@pytest.mark.parametrize(("role", "tier"), [(WORKER, 0), (WORKER, 31), (MANAGER, 1), (0, 1)])
def test_there_is_no_other_tier(public_shop: Shop, role: int, tier: int) -> None:
    with boa.reverts("NodeSale: no such tier"):
        public_shop.node_sale.buy(role, tier, 1, public_shop.usd, 2**255)


@pytest.mark.parametrize("count", [2**24, 2**255])
def test_no_count_overflows_a_tier_or_a_wallet(public_shop: Shop, count: int) -> None:
    with boa.reverts("NodeSale: sold out"):
        public_shop.node_sale.buy(WORKER, 1, count, public_shop.usd, 2**255)
    with boa.reverts("NodeSale: count"):
        public_shop.node_sale.buy(WORKER, 1, 0, public_shop.usd, 2**255)
    with boa.reverts("NodeLicence: count"):
        public_shop.buy(key("buyer"), tier=9, count=129)


@pytest.mark.parametrize(("role", "tier"), [(role, tier) for role in (WORKER, VERIFIER) for tier in (1, 3, 8)])
def test_a_wallet_buys_up_to_its_cap_of_each_tier_apart(public_shop: Shop, role: int, tier: int) -> None:
    buyer, cap = key("buyer"), TIERS[role][tier - 1].cap
    with boa.reverts("NodeSale: over the wallet's cap"):
        public_shop.buy(buyer, tier, cap + 1, role)
    public_shop.buy(buyer, tier, cap - 1, role)
    public_shop.buy(buyer, tier, 1, role)
    with boa.reverts("NodeSale: over the wallet's cap"):
        public_shop.buy(buyer, tier, 1, role)
    neighbour = tier + 1 if tier == 1 else tier - 1
    public_shop.buy(buyer, neighbour, TIERS[role][neighbour - 1].cap, role)
    public_shop.buy(key("another"), tier, cap, role)
    assert public_shop.node_sale.bought(role, tier, buyer.address) == (cap, False)
    assert public_shop.node_sale.bought(3 - role, tier, buyer.address) == (0, False)
    assert public_shop.node_sale.bought(role, 31, buyer.address) == (0, False)


def test_tiers_without_a_cap_have_none(public_shop: Shop) -> None:
    for _ in range(2):
        public_shop.buy(key("buyer"), tier=9, count=128)
    assert public_shop.licence.balanceOf(key("buyer").address) == 256


def test_listed_wallets_buy_one_of_each_of_their_tiers(shop: Shop) -> None:
    licences = [
        whitelisted(shop, 0, 1),
        whitelisted(shop, 0, 2),
        whitelisted(shop, 0, 1, VERIFIER),
        whitelisted(shop, 1),
    ]
    assert licences == [1, 2, 100_001, 3]
    for role, tier in ((WORKER, 1), (WORKER, 2), (VERIFIER, 1)):
        with boa.reverts("NodeSale: one of a whitelisted tier"):
            whitelisted(shop, 0, tier, role)
        assert shop.node_sale.bought(role, tier, listed(0).address) == (0, True)
    assert (shop.node_sale.tier(WORKER, 1).sold, shop.node_sale.tier(WORKER, 1).whitelisted_sold) == (2, 2)


def test_a_proof_is_of_its_wallet_role_and_tier_alone(shop: Shop) -> None:
    buyer, proofs = listed(0), load("whitelist")
    proof = proofs[buyer.address, WORKER, 1]
    shop.fund(buyer, shop.usd, 10**9)
    shop.fund(key("stranger"), shop.usd, 10**9)
    wrong = [
        (key("stranger"), WORKER, 1, proof),
        (buyer, VERIFIER, 1, proof),
        (buyer, WORKER, 2, proof),
        (buyer, WORKER, 1, proof[1:]),
        (buyer, WORKER, 1, []),
        (buyer, WORKER, 3, proofs[buyer.address, WORKER, 2]),
    ]
    for who, role, tier, other in wrong:
        with acting(who), boa.reverts("NodeSale: not on the whitelist"):
            shop.node_sale.buy_whitelisted(role, tier, shop.usd, 10**9, other)
    with acting(shop.governor):
        shop.node_sale.set_whitelist(NONE, NONE)
    with boa.reverts("NodeSale: not on the whitelist"):
        whitelisted(shop, 0)


def test_the_whitelist_sale_takes_its_part_of_a_tier_and_no_more(shop: Shop) -> None:
    part = TIERS[WORKER][0].whitelisted
    set_sold(shop, WORKER, 1, part - 1, part - 1)
    whitelisted(shop, 0)
    with boa.reverts("NodeSale: whitelisted licences sold out"):
        whitelisted(shop, 1)
    shop.start_public_sale()
    shop.buy(key("buyer"))
    assert shop.node_sale.tier(WORKER, 1).sold == part + 1


def test_what_the_whitelist_leaves_goes_to_the_public_sale(shop: Shop) -> None:
    whitelisted(shop, 0)
    shop.start_public_sale()
    set_sold(shop, WORKER, 1, TIERS[WORKER][0].licences - 2, 1)
    shop.buy(listed(0), count=2)
    assert shop.node_sale.bought(WORKER, 1, listed(0).address) == (2, True)
    with boa.reverts("NodeSale: sold out"):
        shop.buy(key("buyer"))


def test_each_sale_runs_from_its_first_second_to_its_last(shop: Shop) -> None:
    start = now() + 100
    with acting(shop.governor):
        shop.node_sale.set_times(start, start + 1000, start + 2000)
    assert shop.node_sale.times() == (start, start + 1000, start + 2000)
    set_time(start - 1)
    with boa.reverts("NodeSale: whitelist sale closed"):
        whitelisted(shop, 0)
    set_time(start)
    whitelisted(shop, 0)
    set_time(start + 999)
    whitelisted(shop, 1)
    with boa.reverts("NodeSale: public sale closed"):
        shop.buy(key("buyer"))
    set_time(start + 1000)
    shop.buy(key("buyer"))
    with boa.reverts("NodeSale: whitelist sale closed"):
        whitelisted(shop, 2)
    set_time(start + 1999)
    shop.buy(key("buyer"))
    set_time(start + 2000)
    with boa.reverts("NodeSale: public sale closed"):
        shop.buy(key("buyer"))


def test_times_are_in_order(shop: Shop) -> None:
    with acting(shop.governor):
        for times in ((2, 1, 3), (1, 3, 2), (1, 2, 2**40)):
            with boa.reverts("NodeSale: times out of order"):
                shop.node_sale.set_times(*times)


def test_a_pause_stops_both_sales_and_nothing_that_is_owed(shop: Shop) -> None:
    whitelisted(shop, 0, code=PARTNER)
    with acting(shop.guardian):
        shop.parameters.pause()
    with boa.reverts("governed: paused"):
        whitelisted(shop, 1)
    shop.start_public_sale()
    with boa.reverts("governed: paused"):
        shop.buy(key("buyer"))
    shop.node_sale.claim_commission(key("partner").address, shop.usd)
    advance(7 * DAY)
    shop.buy(key("buyer"))


def test_a_partners_code_gives_ten_percent_and_its_own_commission(public_shop: Shop) -> None:
    shop, buyer, partner = public_shop, key("buyer"), key("partner").address
    licence = shop.buy(buyer, tier=2, count=3, code=PARTNER)
    assert shop.licence.paid(licence) == 315 * USD
    assert shop.usd.balanceOf(shop.node_sale) == 3 * 315_00 * CENT
    assert shop.node_sale.commission(partner, shop.usd) == 3 * 315_00 * CENT * 7 // 100 == shop.node_sale.owed(shop.usd)
    referral = shop.node_sale.referral(PARTNER, buyer.address)
    assert tuple(referral) == (partner, 1_000, 700)
    with boa.reverts("NodeSale: no such code"):
        shop.buy(buyer, code=keccak(text="partner code: nobody"))
    with acting(shop.governor):
        shop.node_sale.set_partner(PARTNER, ZERO, 700)
    with boa.reverts("NodeSale: no such code"):
        shop.buy(buyer, code=PARTNER)


def test_a_wallets_code_gives_five_percent_to_both_if_it_has_a_licence(public_shop: Shop) -> None:
    shop, buyer, friend = public_shop, key("buyer"), key("friend")
    with boa.reverts("NodeSale: referrer has no licence"):
        shop.buy(buyer, code=wallet_code(friend))
    shop.buy(friend, role=VERIFIER)
    licence = shop.buy(buyer, tier=2, code=wallet_code(friend))
    assert shop.licence.paid(licence) == 332_500_000_000
    assert shop.node_sale.commission(friend.address, shop.usd) == 332_50 * CENT * 5 // 100


def test_nobody_refers_itself_in_any_role(public_shop: Shop) -> None:
    shop, partner = public_shop, key("partner")
    shop.buy(partner)
    for code in (PARTNER, wallet_code(partner)):
        with boa.reverts("NodeSale: own code"):
            shop.buy(partner, code=code)
        with boa.reverts("NodeSale: own code"):
            shop.buy(partner, role=VERIFIER, code=code)
        shop.buy(key("buyer"), code=code)
    with boa.reverts("NodeSale: own code"):
        shop.node_sale.referral(PARTNER, partner.address)


def test_only_the_governor_arranges_the_sale(shop: Shop) -> None:
    sale = shop.node_sale
    for other in (shop.foundation, shop.guardian, shop.deployer):
        with acting(other):
            for act in (
                lambda: sale.set_times(1, 2, 3),
                lambda: sale.set_whitelist(NONE, NONE),
                lambda: sale.set_partner(PARTNER, ZERO, 0),
                lambda: sale.accept_coin(shop.usd, False),
                lambda: sale.set_rate_setter(ZERO),
                lambda: sale.set_rate(1),
            ):
                with boa.reverts("governed: not the governor"):
                    act()


def test_partners_codes_are_no_addresses_and_their_commissions_bounded(shop: Shop) -> None:
    with acting(shop.governor):
        for code in (NONE, wallet_code(key("partner"))):
            with boa.reverts("NodeSale: code of a wallet"):
                shop.node_sale.set_partner(code, key("partner").address, 1)
        with boa.reverts("NodeSale: commission too high"):
            shop.node_sale.set_partner(PARTNER, key("partner").address, 2_001)
        shop.node_sale.set_partner(PARTNER, key("partner").address, 2_000)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ((0, 1, 1, 0), "NodeSale: price"),
        ((2**24, 1, 1, 0), "NodeSale: price"),
        ((1, 128, 1, 0), "NodeSale: cap"),
        ((1, 1, 1, 2), "NodeSale: licences"),
        ((1, 1, 100_001, 0), "NodeSale: more than the role's licences"),
    ],
)
def test_tiers_that_cannot_be_sold_are_refused(shop: Shop, terms: tuple[int, ...], reason: str) -> None:
    with boa.reverts(reason):
        deployer("licences/NodeSale.vy").deploy(shop.parameters, shop.licence, shop.native, shop.treasury, [terms], [])


def test_wired_once_by_the_deployer_to_addresses(shop: Shop) -> None:
    deploy = deployer("licences/NodeSale.vy").deploy
    for missing in range(1, 4):
        addresses = [shop.parameters.address, shop.licence.address, shop.native.address, shop.treasury]
        addresses[missing] = ZERO
        with boa.reverts("NodeSale: empty address"):
            deploy(*addresses, [], [])
    with acting(shop.deployer):
        with boa.reverts("governed: wired already"):
            shop.node_sale.wire(shop.buyback)
        fresh = deploy(shop.parameters, shop.licence, shop.native, shop.treasury, [], [])
        with boa.reverts("NodeSale: empty address"):
            fresh.wire(ZERO)
    with acting(shop.governor), boa.reverts("governed: not the deployer"):
        fresh.wire(shop.buyback)


def test_a_buyer_that_is_a_contract_cannot_buy_again_while_it_receives(public_shop: Shop) -> None:
    shop = public_shop
    buyer = deployer("Receiver.vy", STAND_INS).deploy()
    shop.give_usd(buyer.address, 10**9)
    buyer.act(shop.usd, shop.usd.approve.prepare_calldata(shop.node_sale, 2**256 - 1))
    call = shop.node_sale.buy.prepare_calldata(WORKER, 1, 1, shop.usd, 10**9)
    buyer.act(shop.node_sale, call)
    assert shop.licence.balanceOf(buyer) == 1
    buyer.set_call(shop.node_sale, call)
    with boa.reverts():
        buyer.act(shop.node_sale, call)
    assert shop.licence.balanceOf(buyer) == 1
