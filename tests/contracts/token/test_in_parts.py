# SPDX-License-Identifier: Apache-2.0
"""Clients' credit, at once and in parts: what comes in, what leaves, what is released, and what vests."""

from collections.abc import Iterator
from contextlib import contextmanager

import boa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.contracts.cutting import CUTS, cut
from tests.contracts.system import USD, Contract, System, acting, advance, key, now, set_time
from tests.contracts.token.test_ifx_dollar import EPOCH, odd_coin, pay_in, post_root, request, withdraw
from tests.contracts.token.test_vesting import Vault

# titanoboa takes a vesting wallet's proxy for the contract behind it
pytestmark = pytest.mark.filterwarnings("ignore:casted bytecode")
DECIMALS = st.sampled_from([2, 6, 9, 18])
CLIENT = key("client")


@contextmanager
def opened(system: System, decimals: int) -> Iterator[tuple[Contract, int]]:
    """A coin, and an account of the client's with 10,000 USD of 100,000 in its pool, at the start of an epoch."""
    with boa.env.anchor():
        system.resume()
        set_time(-(-now() // EPOCH) * EPOCH)
        coin = odd_coin(system, decimals)
        pay_in(system, coin, key("others"), 90_000 * 10**decimals)
        yield coin, pay_in(system, coin, CLIENT, 10_000 * 10**decimals)


@settings(max_examples=12)
@given(decimals=DECIMALS, amount=st.integers(10**9, 10**14), dust=st.integers(0, 10**9), cuts=CUTS)
@example(decimals=18, amount=10**9, dust=7, cuts=[3_333, 6_667])
def test_topping_up_in_parts_credits_no_more(
    deployed: System, decimals: int, amount: int, dust: int, cuts: list[int]
) -> None:
    """And at most a nano-dollar a part less: what is under one is not credited."""
    credits, whole = [], amount * 10**decimals // 10**9 + dust % 10 ** max(0, decimals - 9)
    for parts in ([whole], cut(whole, cuts)):
        with opened(deployed, decimals) as (coin, account):
            before = deployed.ifx_dollar.account(account).credit
            for units in parts:
                if units * 10**9 // 10**decimals:
                    pay_in(deployed, coin, CLIENT, units)
            credits.append(deployed.ifx_dollar.account(account).credit - before)
    assert credits[0] == whole * 10**9 // 10**decimals
    assert 0 <= credits[0] - credits[1] < len(parts)


@settings(max_examples=12)
@given(decimals=DECIMALS, amount=st.integers(1, 30_000 * USD), cuts=CUTS)
def test_asking_and_withdrawing_in_parts_pays_no_more(
    deployed: System, decimals: int, amount: int, cuts: list[int]
) -> None:
    """In one epoch, its allowance reached or not; at most a unit of the coin a part less. What is not paid stays credit."""
    paid, parts = [], cut(amount, cuts)
    for each in ([amount], parts):
        with opened(deployed, decimals) as (coin, account):
            dollar = deployed.ifx_dollar
            pay_in(deployed, coin, CLIENT, 20_000 * 10**decimals)
            for part in each:
                request(deployed, CLIENT, account, part)
                advance(1)
                post_root(deployed, account)
                if min(dollar.account(account).requested, dollar.withdrawable(coin)) * 10**decimals // 10**9:
                    withdraw(deployed, account)
            paid.append(coin.balanceOf(CLIENT.address))
            assert paid[-1] * 10**9 + dollar.account(account).credit * 10**decimals == 30_000 * USD * 10**decimals
    assert paid[0] == min(amount, 24_000 * USD) * 10**decimals // 10**9
    assert 0 <= paid[0] - paid[1] <= len(parts)


@settings(max_examples=6)
@given(cuts=CUTS)
def test_credit_spread_over_wallets_leaves_no_faster(deployed: System, cuts: list[int]) -> None:
    """The allowance is the coin's, its floor too: 10,000 USD more are there, and a fifth of all leaves in an epoch."""
    whole, taken = 10_000 * 10**6, []
    for each in ([whole], cut(whole, cuts)):
        with opened(deployed, 6) as (coin, _):
            with acting(deployed.governor):
                deployed.ifx_dollar.set_coin_cap(coin, 10**6 * USD)
            wallets = [key(f"wallet {place}") for place in range(len(each))]
            deployed.set_parameter("pool_withdrawal_bps", 500)
            for wallet, units in zip(wallets, each, strict=True):
                account = pay_in(deployed, coin, wallet, units + 10**6)
                request(deployed, wallet, account, deployed.ifx_dollar.account(account).credit)
            advance(1)
            for wallet in wallets:
                account = deployed.ifx_dollar.account_of(wallet.address, coin)
                post_root(deployed, account)
                if deployed.ifx_dollar.withdrawable(coin):
                    withdraw(deployed, account)
            taken.append(sum(coin.balanceOf(wallet.address) for wallet in wallets) * 1_000)
            assert taken[-1] <= (110_000 + len(each)) * USD * 500 // 10_000
    assert taken[1] - taken[0] <= len(cuts) * USD * 500 // 10_000, "of the dollars that opened the accounts"


@settings(max_examples=12)
@given(decimals=DECIMALS, amount=st.integers(1, 9_000 * USD), cuts=CUTS)
def test_charges_released_in_parts_come_to_the_same(
    deployed: System, decimals: int, amount: int, cuts: list[int]
) -> None:
    """What is under a unit waits for the next."""
    released = []
    for each in ([amount], cut(amount, cuts)):
        with opened(deployed, decimals) as (coin, _):
            charged = 0
            for part in each:
                charged += part
                deployed.batches.set_final_charge(deployed.ifx_dollar.coin(coin).index, charged)
                with acting(deployed.fee_burner):
                    deployed.ifx_dollar.release(coin)
            released.append(coin.balanceOf(deployed.fee_burner.address))
    assert released[0] == released[1] == amount * 10**decimals // 10**9


@settings(max_examples=5)
@given(amount=st.integers(10, 10**24), cuts=CUTS, share=st.integers(1, 5), passed=st.integers(1, 9_999))
@example(amount=10**24 + 7, cuts=[1, 3_333, 6_667], share=3, passed=4_321)
def test_a_schedule_in_parts_frees_no_more(amount: int, cuts: list[int], share: int, passed: int) -> None:
    """At most two wei a part less: its part at TGE and what is linear are rounded down."""
    with boa.env.anchor():
        vault, parts = Vault(), cut(amount, cuts)
        terms, whole = vault.vesting.terms(share), vault.create(share, CLIENT, amount)
        at = vault.tge + terms.cliff + terms.linear * passed // 10_000
        freed = [vault.vesting.vested(vault.create(share, CLIENT, part), at) for part in parts]
        assert 0 <= vault.vesting.vested(whole, at) - sum(freed) <= 2 * (len(parts) - 1)
