# SPDX-License-Identifier: Apache-2.0
"""Who makes a block says when it was: never before the one before it, and at most SHIFT seconds ahead of everybody's clocks.

What that is worth at each second from which on something is paid, slashed, priced or refused.
"""

from collections.abc import Callable

import boa
import pytest

from tests.contracts.issuance.pools import EPOCH, HALF_HOUR, USD_IN, Pools
from tests.contracts.licences.shop import LINEAR, NATIVE_RATE, Shop
from tests.contracts.system import (
    DAY,
    IFX,
    PRICE,
    START,
    USD,
    VERIFIER,
    WORKER,
    acting,
    deployer,
    key,
    now,
    set_time,
)
from tests.contracts.uniswap import spot, until_epoch, wait
from tests.contracts.work.books import Ledger
from tests.contracts.work.network import Network, batch_leaf

# titanoboa takes a vesting wallet's proxy for the contract behind it
pytestmark = pytest.mark.filterwarnings("ignore:casted bytecode")
SHIFT = 15  # as far as nodes take blocks of the future
SLOT = 12
HELD = SLOT + SHIFT  # the most seconds between two blocks of which one producer makes the first and stamps the second
VESTING = 180 * DAY
GRANT = 10**24

Act = Callable[[], object]
Boundary = tuple[int, Act, str | None]  # second, what can be done from it on, why not before


def batch_window(network: Network) -> Boundary:
    header = network.propose(network.manager, [batch_leaf(0)])
    return (
        now() + network.window("batch_window"),
        lambda: network.batches.finalize(header.values()),
        "Batches: window not over",
    )


def accounts_window(network: Network) -> Boundary:
    ledger = Ledger(network)
    ledger.close_epoch()
    ledger.post(ledger.books())
    return now() + network.window("accounts_window"), network.accounts.finalize, None


def unbonding(network: Network) -> Boundary:
    node = network.bonded(VERIFIER)
    with acting(node.owner):
        network.staking.unbond(node.id, network.staking.own(node.id))

    def withdraw() -> None:
        with acting(node.owner):
            network.staking.withdraw(node.id)

    return now() + network.window("unbonding"), withdraw, "Staking: still unbonding"


def issuance(network: Network) -> Boundary:
    return network.epoch_end(), network.burn_mint_work.close_epoch, "BurnMintWork: epoch not over"


def take_over(network: Network) -> Boundary:
    taker = network.second_manager()
    with acting(taker.operator):
        network.orders.call_out(network.manager.id, taker.id)

    def take() -> None:
        with acting(taker.operator):
            network.orders.take_over(bytes(32), network.manager.id, taker.id)

    return now() + network.window("takeover_after"), take, "Orders: called out a moment ago"


BOUNDARIES = [batch_window, accounts_window, unbonding, issuance, take_over]


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=lambda each: each.__name__)
def test_attack_a_shifted_block_opens_nothing_more_than_its_seconds_early(
    network: Network, boundary: Callable[[Network], Boundary]
) -> None:
    """So who objects, answers or slashes SHIFT seconds before a window's end is in time whatever producers say: of the
    shortest, ten minutes, that is a fortieth."""
    opens, act, reason = boundary(network)
    for stamp in (opens - SHIFT - 1, opens - 1):
        set_time(stamp)
        with boa.env.anchor(), boa.reverts(reason) if reason else boa.reverts():
            act()
    set_time(opens)
    act()
    assert 40 * SHIFT <= network.window("takeover_after") <= network.window("batch_window")


@pytest.mark.parametrize("bps", [9_000, 11_100, 50_000])
def test_attack_a_price_held_over_a_shifted_block_moves_neither_mean_by_more_than_its_seconds(
    pools: Pools, bps: int
) -> None:
    """The mean that guards purchases: by HELD of 1,800 seconds, 1.5 % of how far the price was moved, and what is moved
    further than a tenth buys nothing. The epoch's mean, which is for stakes and bonds: by HELD of 72 hours."""
    pools.observe()
    wait(HALF_HOUR)
    health = pools.market.health(pools.usd)
    before = (health.mean, health.age)
    pools.exchange.move(pools.usd, bps)
    moved = abs(spot(pools.exchange, pools.usd, 10**6) - PRICE)
    wait(HELD)
    mean = pools.market.health(pools.usd).mean
    assert 0 < abs(mean - before[0]) <= moved * HELD // (before[1] + HELD) + 2
    assert abs(mean - before[0]) * 10_000 <= 150 * moved
    if moved > PRICE // 9:
        assert pools.refusal() == "PoolMarket: price too far from its mean"
        assert pools.offer() == (0, 0)

    until_epoch(EPOCH)
    pools.market.roll()
    back = 10**8 // bps
    pools.exchange.move(pools.usd, back)
    until_epoch(EPOCH)
    wait(EPOCH - HELD)
    pools.market.roll()
    ends = []
    for by in (10_000, bps):
        with boa.env.anchor():
            if by != 10_000:
                pools.exchange.move(pools.usd, by)
            until_epoch(EPOCH)
            ends.append(int(pools.market.roll()))
    assert abs(ends[1] - ends[0]) <= moved * HELD // (EPOCH * 9 // 10) + 2


def test_attack_a_purchase_at_a_shifted_second_spends_no_more(pools: Pools) -> None:
    """A buyer's ten minutes pass SHIFT seconds sooner: each purchase takes the same share of the pool."""
    most = USD_IN * 30 // 10_000
    pools.buy(most)
    wait(pools.network.window("swap_interval") - 1)
    assert pools.refusal() == "PoolMarket: too soon after a swap"
    wait(1)
    assert pools.offer()[0] == (USD_IN + most) * 30 // 10_000


@pytest.mark.parametrize("stamp", [-1, 0])
@pytest.mark.parametrize("closes_first", [True, False])
def test_attack_a_batch_shifted_over_the_epochs_end_mints_no_more(
    network: Network, stamp: int, closes_first: bool
) -> None:
    """Which of two epochs a batch and its burning count in, whoever makes the block between them chooses; both together mint
    m times the fees. What is burned after an epoch's end and before its close is minted for its work: the rest of the second
    one's is for whatever burns later."""
    ledger, charge, whole = Ledger(network), 10 * USD, 4 * 10 * USD * IFX // PRICE
    boundary = network.epoch_end()
    set_time(boundary - 2 * network.window("batch_window") - SHIFT)
    network.settle(network.manager, [batch_leaf(0, charge=charge, account=ledger.account)])
    network.fee_burner.collect(network.usd)
    header = network.propose(network.manager, [batch_leaf(1, charge=3 * charge, account=ledger.account)])
    set_time(boundary + stamp)
    network.batches.finalize(header.values())
    if stamp == 0 and closes_first:
        network.burn_mint_work.close_epoch()
    network.fee_burner.collect(network.usd)
    set_time(boundary + EPOCH)
    while network.burn_mint_work.closed() < network.burn_mint_work.epoch():
        network.burn_mint_work.close_epoch()
    infos = [network.burn_mint_work.epoch_info(epoch) for epoch in range(2)]
    assert [info.charge for info in infos] == ([charge, 3 * charge] if stamp == 0 else [4 * charge, 0])
    assert whole - 2 <= sum(info.minted for info in infos) <= whole
    assert infos[0].minted == (whole // 4 if stamp == 0 and closes_first else whole)


def stream(network: Network) -> tuple[Callable[[], int], int]:
    """A node that earned GRANT, all of it to vest, at its cut-off: what it may claim, and what a second frees."""
    ledger = Ledger(network)
    ledger.close_epoch()
    node = ledger.node()
    earned = int(network.burn_mint_work.minted()) // 2
    books = ledger.publish(ledger.books({node.id: (0, earned, earned * now())}))
    return lambda: int(network.accounts.claimable(books.claim(node.id)[0])), -(-earned // VESTING)


def test_attack_a_shifted_claim_is_an_advance_of_its_seconds_and_nothing_in_the_end(network: Network) -> None:
    claimable, rate = stream(network)
    until = int(network.accounts.cut_off()) + network.window("claim_horizon")
    for time in (now() + DAY, until - SHIFT):
        set_time(time)
        fair = claimable()
        set_time(time + SHIFT)
        assert 0 < claimable() - fair <= SHIFT * rate
    last = claimable()
    for time in (until + 1, until + VESTING):
        set_time(time)
        assert claimable() == last


@pytest.mark.parametrize("share", [1, 3, 5])
def test_attack_a_shifted_second_frees_of_a_schedule_what_its_seconds_do(share: int) -> None:
    """A cliff is one too: nothing is freed at once when it ends."""
    with boa.env.anchor():
        boa.env.evm.patch.timestamp = START
        with acting(key("deployer")):
            vesting = deployer("token/Vesting.vy").deploy(key("foundation").address, START)
            ifx = deployer("token/IFX.vy").deploy([vesting.address], [350 * 10**6 * IFX])
            vesting.wire(ifx, deployer("token/VestingWallet.vy").deploy(ifx, vesting))
        with acting(key("foundation")):
            vesting.create(share, [key("holder").address], [GRANT])
        terms = vesting.terms(share)
        rate = -(-GRANT // terms.linear)
        ends = START + terms.cliff, START + terms.cliff + terms.linear // 2, START + terms.cliff + terms.linear
        for time in ends:
            for stamp in (time - SHIFT, time):
                assert 0 <= vesting.vested(1, stamp + SHIFT) - vesting.vested(1, stamp) <= SHIFT * rate
        assert vesting.vested(1, ends[-1]) == vesting.vested(1, ends[-1] + SHIFT) == GRANT


def test_attack_a_block_shifted_into_the_next_epoch_empties_no_more_of_a_pool_than_two_epochs_do(
    network: Network,
) -> None:
    """A fifth before the boundary, a fifth of the rest after it: 36 % within seconds, whoever makes the blocks."""
    client = network.fresh_key("client")
    account = network.top_up(client, 100_000 * 10**6)
    with acting(client):
        network.ifx_dollar.request_withdrawal(account, 100_000 * USD)
    whole, left = int(network.ifx_dollar.coin(network.usd).pool), []
    for stamps in ((-1, 0), (-1, SHIFT), (-SHIFT, 0), (0, SHIFT)):
        with boa.env.anchor():
            boundary = (now() // EPOCH + 1) * EPOCH
            for stamp in stamps:
                set_time(boundary + stamp)
                withdraw_all(network, account)
            left.append(int(network.ifx_dollar.coin(network.usd).pool))
    assert left[:3] == [whole * 64 // 100] * 3
    assert left[3] == whole * 80 // 100, "both in one epoch"


def withdraw_all(network: Network, account: int) -> None:
    """As by an accounts root that is false and final."""
    with acting(network.balance_claims.address):
        if network.ifx_dollar.withdrawable(network.usd):
            network.ifx_dollar.pay_claim(account, 100_000 * USD)


def native_price(shop: Shop) -> int:
    return int(shop.node_sale.quote(WORKER, 1, 1, shop.native, bytes(32), key("buyer").address))


def test_attack_a_shifted_block_buys_licences_early_and_not_cheaper(shop: Shop) -> None:
    """The public sale opens SHIFT seconds sooner at the same price; a rate is the setter's, for a day less SHIFT at least, and
    moves by a fifth an hour less SHIFT."""
    public_at = shop.node_sale.times()[1]
    set_time(public_at - 1)
    shop.set_rate()
    fair = native_price(shop)
    with boa.reverts("NodeSale: public sale closed"):
        shop.buy(key("buyer"), coin=shop.native)
    set_time(public_at)
    assert native_price(shop) == fair == 300 * USD * IFX // NATIVE_RATE
    shop.buy(key("buyer"), coin=shop.native)
    setter = key("rate setter")
    with acting(shop.governor):
        shop.node_sale.set_rate_setter(setter.address)
    rated = int(shop.node_sale.coin(shop.native).rated_at)
    with acting(setter):
        set_time(rated + 3_600 - 1)
        with boa.reverts("NodeSale: once an hour"):
            shop.node_sale.set_rate(NATIVE_RATE * 12 // 10)
        set_time(rated + 3_600)
        with boa.reverts("NodeSale: moves more than a fifth"):
            shop.node_sale.set_rate(NATIVE_RATE * 12 // 10 + 1)
    set_time(rated + DAY + 1)
    with boa.reverts("NodeSale: rate too old"):
        native_price(shop)


def test_attack_a_buyback_claimed_at_a_shifted_second_is_an_advance_of_its_seconds(shop: Shop) -> None:
    shop.start_public_sale()
    shop.own_ifx(10**6 * IFX)
    buyer, contract = key("buyer"), shop.buyback
    licence = shop.buy(buyer)
    shop.open_buyback()
    shop.offer(buyer, licence, 1)
    shop.settle()
    settled, whole = now(), 300 * USD * IFX // PRICE
    for time in (settled, settled + DAY, settled + LINEAR - SHIFT, settled + LINEAR):
        set_time(time)
        fair = int(contract.claimable(licence))
        set_time(time + SHIFT)
        assert 0 <= int(contract.claimable(licence)) - fair <= -(-whole * SHIFT // LINEAR)
    assert contract.claimable(licence) == whole
