# SPDX-License-Identifier: Apache-2.0
"""IfxDollar: what comes in is credited, what was requested is paid once, and no coin's habits make it pay more."""

import boa
import pytest
from eth_account.signers.local import LocalAccount
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.system import (
    DAY,
    STAND_INS,
    USD,
    Contract,
    System,
    acting,
    advance,
    check_locked,
    deployer,
    key,
    now,
    set_time,
    slot,
)

EPOCH = 3 * DAY
RETURNS_NOTHING, RETURNS_FALSE, KEEPS_A_FEE, TAKES_MORE = 1, 2, 3, 4


def odd_coin(system: System, decimals: int = 6, habit: int = 0, cap: int = 10**6 * USD) -> Contract:
    coin = deployer("OddCoin.vy", STAND_INS).deploy(decimals, habit)
    with acting(system.governor):
        system.ifx_dollar.add_coin(coin, cap)
    return coin


def pay_in(system: System, coin: Contract, owner: LocalAccount, amount: int) -> int:
    coin.mint(owner.address, amount)
    with acting(owner):
        coin.approve(system.ifx_dollar, amount)
        return int(system.ifx_dollar.top_up(coin, amount, owner.address))


def request(system: System, owner: LocalAccount, account: int, amount: int) -> None:
    with acting(owner):
        system.ifx_dollar.request_withdrawal(account, amount)


def post_root(system: System, account: int, spent: int = 0, reserved: int = 0) -> None:
    """A final accounts root with a cut-off of this moment."""
    system.accounts.set_leaf(account, spent, reserved)
    system.accounts.set_root(now())


def withdraw(system: System, account: int, spent: int = 0, reserved: int = 0) -> int:
    return int(system.ifx_dollar.withdraw(account, spent, reserved, []))


def test_first_top_up_opens_an_account_and_the_next_adds(system: System) -> None:
    client = key("client")
    account = system.top_up(client, 1_500_000)
    assert account == system.ifx_dollar.account_of(client.address, system.usd) == system.ifx_dollar.account_count() == 1
    assert system.top_up(client, 1) == 1
    state = system.ifx_dollar.account(1)
    assert (state.owner, state.coin, state.credit) == (client.address, system.usd.address, 1_500_001_000)
    assert system.ifx_dollar.coin(system.usd).pool == 1_500_001_000
    assert system.top_up(key("other client"), 10**6) == 2


def test_attack_accounts_opened_with_dust_fill_every_epochs_rows(system: System) -> None:
    client = key("client")
    with boa.reverts("IfxDollar: an account opens with a USD"):
        system.top_up(client, 10**6 - 1)
    assert system.ifx_dollar.account_count() == 0
    assert system.top_up(client, 10**6) == 1
    assert system.top_up(client, 1) == 1  # once it is open, any amount


def test_top_up_for_somebody_else_credits_that_owner(system: System) -> None:
    payer, client = key("payer"), key("client")
    system.give_usd(payer.address, 10**6)
    with acting(payer):
        system.usd.approve(system.ifx_dollar, 10**6)
        account = system.ifx_dollar.top_up(system.usd, 10**6, client.address)
        (event,) = [each for each in system.ifx_dollar.get_logs() if type(each).__name__ == "ToppedUp"]
        assert (event.account, event.owner, event.amount, event.credit) == (account, client.address, 10**6, USD)
        with boa.reverts("IfxDollar: not the account's owner"):
            system.ifx_dollar.request_withdrawal(account, 1)


def test_top_up_refusals(system: System) -> None:
    client = key("client")
    with boa.reverts("IfxDollar: unknown coin"):
        system.ifx_dollar.top_up(client.address, 1, client.address)
    with boa.reverts("IfxDollar: no owner"):
        system.ifx_dollar.top_up(system.usd, 1, "0x" + "00" * 20)
    with acting(client), boa.reverts("IfxDollar: nothing to credit"):
        system.ifx_dollar.top_up(system.usd, 0, client.address)
    with acting(client), boa.reverts("erc20: insufficient allowance"):
        system.ifx_dollar.top_up(system.usd, 1, client.address)


def test_credit_is_no_token_that_anybody_could_pass_on(system: System) -> None:
    functions = {each["name"]: each for each in system.ifx_dollar.abi if each["type"] == "function"}
    assert functions, "an ABI"
    for word in ("transfer", "approve", "permit", "allowance", "balanceof", "totalsupply", "setowner", "set_owner"):
        assert not [name for name in functions if name.lower().startswith(word)], f"{word}: credit moves"


def test_permit_tops_up_at_once_even_when_used_before(system: System) -> None:
    client = key("client")
    for used_before in (False, True):
        system.give_usd(client.address, 10**6)
        nonce = system.usd.nonces(client.address)
        domain = {"name": "DevUSD", "version": "1", "chainId": boa.env.evm.chain.chain_id}
        domain |= {"verifyingContract": system.usd.address}
        fields = ("owner", "address"), ("spender", "address"), ("value", "uint256"), ("nonce", "uint256")
        types = {"Permit": [{"name": name, "type": kind} for name, kind in (*fields, ("deadline", "uint256"))]}
        message = {"owner": client.address, "spender": system.ifx_dollar.address, "value": 10**6, "nonce": nonce}
        signed = client.sign_typed_data(domain, types, message | {"deadline": now()})
        signature = now(), signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
        if used_before:
            system.usd.permit(client.address, system.ifx_dollar, 10**6, *signature)
        with acting(client):
            account = system.ifx_dollar.top_up_with_permit(system.usd, 10**6, client.address, *signature)
    assert system.ifx_dollar.account(account).credit == 2 * USD
    with acting(client), boa.reverts("erc20: insufficient allowance"):
        system.ifx_dollar.top_up_with_permit(system.usd, 1, client.address, *signature)


def test_cap_of_the_pool_to_the_nano_dollar(system: System) -> None:
    client = key("client")
    with acting(system.governor):
        system.ifx_dollar.set_coin_cap(system.usd, USD)
    system.give_usd(client.address, 10**6 + 1)
    with acting(client):
        system.usd.approve(system.ifx_dollar, 10**6 + 1)
        with boa.reverts("IfxDollar: over the coin's cap"):
            system.ifx_dollar.top_up(system.usd, 10**6 + 1, client.address)
        system.ifx_dollar.top_up(system.usd, 10**6, client.address)


def test_credit_to_its_last_nano_dollar_does_not_run_into_the_owner(system: System) -> None:
    """Credit and owner are one word. Charges lower a pool and no credit, so that one may grow beyond what a pool holds."""
    client = key("client")
    account = system.top_up(client, 10**6)
    place = slot(system.ifx_dollar, "_identities", account)
    for credit in (2**96 - 1 - USD, 2**96 - USD):
        boa.env.set_storage(system.ifx_dollar.address, place, credit << 160 | int(client.address, 16))
        if credit + USD < 2**96:
            system.top_up(client, 10**6)
            assert system.ifx_dollar.account(account).credit == 2**96 - 1
        else:
            with boa.reverts("IfxDollar: too much credit"):
                system.top_up(client, 10**6)
        assert system.ifx_dollar.account(account).owner == client.address


def test_paused_coin_takes_nothing_in_and_still_pays_out(system: System) -> None:
    client = key("client")
    account = system.top_up(client, 10**6)
    with acting(client), boa.reverts("governed: not the guardian"):
        system.ifx_dollar.pause_coin(system.usd, True)
    with acting(system.guardian):
        system.ifx_dollar.pause_coin(system.usd, True)
        with boa.reverts("governed: not the governor"):
            system.ifx_dollar.pause_coin(system.usd, False)
        system.parameters.pause()
    with boa.reverts("IfxDollar: coin paused"):
        system.top_up(client, 1)
    request(system, client, account, USD)
    advance(1)
    post_root(system, account)
    assert withdraw(system, account) == USD
    with acting(system.governor):
        system.ifx_dollar.pause_coin(system.usd, False)
    system.top_up(client, 1)


def test_coins_are_added_once_by_the_governor(system: System) -> None:
    coin = deployer("OddCoin.vy", STAND_INS).deploy(18, 0)
    with acting(system.guardian), boa.reverts("governed: not the governor"):
        system.ifx_dollar.add_coin(coin, USD)
    with acting(system.governor):
        system.ifx_dollar.add_coin(coin, USD)
        with boa.reverts("IfxDollar: coin known"):
            system.ifx_dollar.add_coin(coin, USD)
        for decimals in (1, 19):
            with boa.reverts("IfxDollar: decimals"):
                system.ifx_dollar.add_coin(deployer("OddCoin.vy", STAND_INS).deploy(decimals, 0), USD)
    state = system.ifx_dollar.coin(coin)
    assert (state.index, state.scale, state.cap) == (2, 10**18, USD)
    assert system.ifx_dollar.coin_at(2) == coin.address
    assert system.ifx_dollar.coin_count() == 2


def test_request_leaves_the_credit_and_cancelling_forgets_it(system: System) -> None:
    client = key("client")
    account = system.top_up(client, 10**6)
    with acting(client):
        with boa.reverts("IfxDollar: nothing requested"):
            system.ifx_dollar.request_withdrawal(account, 0)
        with boa.reverts("IfxDollar: over the credit"):
            system.ifx_dollar.request_withdrawal(account, USD + 1)
        system.ifx_dollar.request_withdrawal(account, USD // 2)
        with boa.reverts("IfxDollar: over the credit"):
            system.ifx_dollar.request_withdrawal(account, USD // 2 + 1)
        system.ifx_dollar.request_withdrawal(account, USD // 2)
        assert system.ifx_dollar.account(account)[2:] == (USD, USD, now())
        system.ifx_dollar.cancel_request(account)
        assert system.ifx_dollar.account(account)[2:] == (USD, 0, 0)
        with boa.reverts("IfxDollar: nothing requested"):
            system.ifx_dollar.cancel_request(account)
    with boa.reverts("IfxDollar: nothing requested"):
        withdraw(system, account)
    with acting(key("thief")), boa.reverts("IfxDollar: not the account's owner"):
        system.ifx_dollar.cancel_request(account)


def test_root_must_be_cut_off_after_the_request_to_the_second(system: System) -> None:
    client = key("client")
    account = system.top_up(client, 10**6)
    request(system, client, account, USD)
    post_root(system, account)
    with boa.reverts("IfxDollar: no accounts root after the request yet"):
        withdraw(system, account)
    advance(1)
    post_root(system, account)
    with acting(key("anybody")):
        assert withdraw(system, account) == USD
    assert system.usd.balanceOf(client.address) == 10**6
    with boa.reverts("IfxDollar: nothing requested"):
        withdraw(system, account)


def test_further_request_waits_anew_for_all_of_it(system: System) -> None:
    client = key("client")
    account = system.top_up(client, 10**6)
    request(system, client, account, 1000)
    advance(10)
    post_root(system, account)
    request(system, client, account, USD - 1000)
    with boa.reverts("IfxDollar: no accounts root after the request yet"):
        withdraw(system, account)


def test_what_is_spent_and_reserved_stays(system: System) -> None:
    client = key("client")
    account = system.top_up(client, 10**6)
    request(system, client, account, USD)
    advance(1)
    post_root(system, account, spent=300_000_000, reserved=200_000_500)
    with boa.reverts("IfxDollar: not in the accounts root"):
        withdraw(system, account, spent=300_000_000, reserved=0)
    # Whole units of the coin: half a unit is left over and stays credit.
    assert withdraw(system, account, spent=300_000_000, reserved=200_000_500) == 499_999_000
    state = system.ifx_dollar.account(account)
    assert (state.credit, state.requested) == (500_001_000, 500_001_000)
    with boa.reverts("IfxDollar: allowance used up, or under one unit"):
        withdraw(system, account, spent=300_000_000, reserved=200_000_500)
    advance(1)
    post_root(system, account, spent=500_001_000)
    with boa.reverts("IfxDollar: no credit left"):
        withdraw(system, account, spent=500_001_000)


def test_share_of_the_pool_per_epoch_and_the_rest_waits(system: System) -> None:
    client, other = key("client"), key("other client")
    set_time(-(-now() // EPOCH) * EPOCH)
    account, second = system.top_up(client, 6_000 * 10**6), system.top_up(other, 3_000 * 10**6)
    first = system.top_up(key("first client"), 1_000 * 10**6)
    request(system, key("first client"), first, 500 * USD)
    request(system, client, account, 2_500 * USD)
    request(system, other, second, 10 * USD)
    advance(1)
    post_root(system, account)
    assert system.ifx_dollar.withdrawable(system.usd) == 2_000 * USD
    assert withdraw(system, first) == 500 * USD
    assert system.ifx_dollar.withdrawable(system.usd) == 1_500 * USD, "what is left of the share, not another one"
    assert withdraw(system, account) == 1_500 * USD
    assert system.ifx_dollar.account(account).requested == 1_000 * USD
    for each in (account, second):
        with boa.reverts("IfxDollar: allowance used up, or under one unit"):
            withdraw(system, each)
    set_time(now() // EPOCH * EPOCH + EPOCH - 1)
    with boa.reverts("IfxDollar: allowance used up, or under one unit"):
        withdraw(system, second)
    advance(1)
    assert withdraw(system, second) == 10 * USD
    assert withdraw(system, account) == 1_000 * USD
    assert system.usd.balanceOf(client.address) == 2_500 * 10**6


def test_floor_of_the_allowance_lets_the_last_account_leave(system: System) -> None:
    client = key("client")
    account = system.top_up(client, 1_000 * 10**6)
    request(system, client, account, 1_000 * USD)
    advance(1)
    post_root(system, account)
    assert withdraw(system, account) == 1_000 * USD
    assert system.ifx_dollar.coin(system.usd).pool == 0


def test_releases_final_charges_once_to_the_fee_burner_only(system: System) -> None:
    system.top_up(key("client"), 10**6)
    system.batches.set_final_charge(1, 250_000_999)
    with acting(system.governor), boa.reverts("IfxDollar: not the fee burner"):
        system.ifx_dollar.release(system.usd)
    with acting(system.fee_burner):
        assert system.ifx_dollar.release(system.usd) == 250_000
        assert system.ifx_dollar.release(system.usd) == 0
        system.batches.set_final_charge(1, 250_001_000)
        assert system.ifx_dollar.release(system.usd) == 1
        with boa.reverts("IfxDollar: unknown coin"):
            system.ifx_dollar.release(system.ifx)
    assert system.usd.balanceOf(system.fee_burner.address) == 250_001
    assert system.ifx_dollar.coin(system.usd).released == 250_001_000


def test_leases_are_paid_out_of_their_own_sum_by_leases_only(system: System) -> None:
    system.top_up(key("client"), 10**6)
    system.batches.set_final_charge(1, USD // 2)
    system.batches.set_final_charge(129, USD // 4)
    owner = key("owner of a machine").address
    for who in (system.governor, system.fee_burner):
        with acting(who), boa.reverts("IfxDollar: not Leases"):
            system.ifx_dollar.release_lease(1, owner, 1)
    with acting(system.leases):
        assert system.ifx_dollar.release_lease(1, owner, USD // 5) == 200_000
        with boa.reverts("IfxDollar: over the charges of leases"):
            system.ifx_dollar.release_lease(1, owner, USD // 20 + 1)
        with boa.reverts("IfxDollar: over the charges of leases"):
            system.ifx_dollar.release_lease(2, owner, 1)
        assert system.ifx_dollar.release_lease(1, owner, USD // 20) == 50_000
    with acting(system.fee_burner):
        assert system.ifx_dollar.release(system.usd) == 500_000, "what leases took is not the fee burner's to miss"
    assert system.usd.balanceOf(owner) == 250_000
    coin = system.ifx_dollar.coin(system.usd)
    assert (coin.released, coin.pool) == (USD // 2, USD // 4)
    assert system.ifx_dollar.leased(system.usd) == USD // 4


def test_a_lease_is_paid_whole_or_not_at_all(system: System) -> None:
    system.top_up(key("client"), 10**6)
    system.batches.set_final_charge(129, 5 * USD)
    with acting(system.leases):
        with boa.reverts("IfxDollar: over the pool"):
            system.ifx_dollar.release_lease(1, key("owner").address, USD + 1_000)
        assert system.ifx_dollar.release_lease(1, key("owner").address, USD) == 10**6


@given(decimals=st.integers(2, 18), amounts=st.lists(st.integers(0, 10**10), max_size=5))
@settings(max_examples=25, deadline=None)
def test_parts_of_leases_never_round_to_more_than_their_charges(
    deployed: System, decimals: int, amounts: list[int]
) -> None:
    with boa.env.anchor():
        coin, to = odd_coin(deployed, decimals), key("owner").address
        pay_in(deployed, coin, key("client"), 100 * 10**decimals)
        deployed.batches.set_final_charge(128 + int(deployed.ifx_dollar.coin(coin).index), sum(amounts))
        index = deployed.ifx_dollar.coin(coin).index
        with acting(deployed.leases):
            units = [deployed.ifx_dollar.release_lease(index, to, amount) for amount in amounts]
        assert units == [amount * 10**decimals // 10**9 for amount in amounts]
        assert coin.balanceOf(to) * 10**9 <= sum(amounts) * 10**decimals
        pool = deployed.ifx_dollar.coin(coin).pool
        assert pool >= 100 * USD - sum(amounts) and coin.balanceOf(deployed.ifx_dollar) * 10**9 >= pool * 10**decimals


def test_a_coin_that_takes_more_pays_for_no_lease(system: System) -> None:
    coin = odd_coin(system)
    pay_in(system, coin, key("client"), 10**6)
    system.batches.set_final_charge(130, USD)
    coin.set_habit(TAKES_MORE)
    with acting(system.leases), boa.reverts("payments: the coin took more"):
        system.ifx_dollar.release_lease(2, key("owner").address, USD // 2)


def test_a_coins_index_leaves_room_for_the_mark_of_leases(system: System) -> None:
    assert system.ifx_dollar.coin_at(1) == system.ifx_dollar.coin_at(129) == system.usd.address
    assert int(system.ifx_dollar.coin_at(128), 16) == int(system.ifx_dollar.coin_at(130), 16) == 0
    layout = system.ifx_dollar.compiler_data.storage_layout["storage_layout"]["coins"]
    boa.env.set_storage(system.ifx_dollar.address, layout["coin_count"]["slot"], 126)
    assert system.ifx_dollar.coin(odd_coin(system)).index == 127
    with boa.reverts("IfxDollar: too many coins"):
        odd_coin(system)


def test_release_never_exceeds_the_pool(system: System) -> None:
    system.top_up(key("client"), 10**6)
    system.batches.set_final_charge(1, 5 * USD)
    with acting(system.fee_burner):
        assert system.ifx_dollar.release(system.usd) == 10**6
        assert system.ifx_dollar.release(system.usd) == 0
        system.top_up(key("client"), 1)
        assert system.ifx_dollar.release(system.usd) == 1


def test_coin_that_returns_nothing_works(system: System) -> None:
    client = key("client")
    coin = odd_coin(system, habit=RETURNS_NOTHING)
    account = pay_in(system, coin, client, 10**6)
    request(system, client, account, USD)
    advance(1)
    post_root(system, account)
    assert withdraw(system, account) == USD
    assert coin.balanceOf(client.address) == 10**6


def test_coin_that_returns_false_is_refused_both_ways(system: System) -> None:
    client = key("client")
    coin = odd_coin(system)
    account = pay_in(system, coin, client, 10**6)
    coin.set_habit(RETURNS_FALSE)
    with boa.reverts("IfxDollar: transfer failed"):
        pay_in(system, coin, client, 1)
    request(system, client, account, USD)
    advance(1)
    post_root(system, account)
    with boa.reverts("payments: transfer failed"):
        withdraw(system, account)
    coin.set_habit(0)
    assert withdraw(system, account) == USD


def test_coin_with_a_fee_credits_what_arrived(system: System) -> None:
    client = key("client")
    coin = odd_coin(system, habit=KEEPS_A_FEE)
    account = pay_in(system, coin, client, 2 * 10**6)
    assert system.ifx_dollar.account(account).credit == 1_800_000_000 == system.ifx_dollar.coin(coin).pool


def test_coin_that_takes_more_from_the_sender_cannot_eat_others_money(system: System) -> None:
    client = key("client")
    coin = odd_coin(system)
    account = pay_in(system, coin, client, 10**6)
    pay_in(system, coin, key("other client"), 10**6)
    request(system, client, account, USD)
    advance(1)
    post_root(system, account)
    coin.set_habit(TAKES_MORE)
    with boa.reverts("payments: the coin took more"):
        withdraw(system, account)


def test_coin_that_calls_back_cannot_have_one_payment_credited_twice(system: System) -> None:
    client = key("client")
    coin = odd_coin(system)
    coin.mint(coin.address, 10**6)
    call = system.ifx_dollar.top_up.prepare_calldata(coin, 10**6, client.address)
    check_locked(coin, system.ifx_dollar, call, lambda: pay_in(system, coin, client, 10**6))
    coin.set_call(system.usd, system.usd.totalSupply.prepare_calldata())
    account = pay_in(system, coin, client, 10**6)
    assert system.ifx_dollar.account(account).credit == USD


@settings(max_examples=25)
@given(
    decimals=st.sampled_from([2, 6, 9, 18]),
    steps=st.lists(
        st.tuples(st.sampled_from(["in", "out", "charge", "epoch"]), st.integers(0, 2), st.integers(1, 10**12)),
        max_size=12,
    ),
)
def test_nothing_pays_more_than_came_in(deployed: System, decimals: int, steps: list[tuple[str, int, int]]) -> None:
    """Whatever a false accounts root and false charges say: what left and what is there is what came in."""
    clients = [key(f"client {i}") for i in range(3)]
    dollar = deployed.ifx_dollar
    with boa.env.anchor():
        coin = odd_coin(deployed, decimals, cap=2**96 - 1)
        paid_in, charged = 0, 0
        for verb, which, amount in steps:
            units = amount * 10**decimals // 10**9
            account = dollar.account_of(clients[which].address, coin)
            if verb == "in" and units * 10**9 // 10**decimals >= (1 if account else USD):
                pay_in(deployed, coin, clients[which], units)
                paid_in += units
            elif (
                verb == "out"
                and account
                and 0 < amount <= dollar.account(account).credit - dollar.account(account).requested
            ):
                request(deployed, clients[which], account, amount)
                advance(1)
                post_root(deployed, account)
                due = min(dollar.account(account).requested, dollar.withdrawable(coin)) * 10**decimals // 10**9
                if due:
                    assert withdraw(deployed, account) == due * 10**9 // 10**decimals
                else:
                    with boa.reverts("IfxDollar: allowance used up, or under one unit"):
                        withdraw(deployed, account)
            elif verb == "charge":
                charged += amount
                deployed.batches.set_final_charge(2, charged)
                with acting(deployed.fee_burner):
                    dollar.release(coin)
            else:
                advance(EPOCH)
            balance, scale, state = coin.balanceOf(dollar), 10**decimals, dollar.coin(coin)
            assert balance * 10**9 >= state.pool * scale
            assert state.released <= charged
            out = sum(coin.balanceOf(each.address) for each in clients) + coin.balanceOf(deployed.fee_burner.address)
            assert out + balance == paid_in


@pytest.mark.parametrize("decimals", [6, 18])
def test_dust_of_a_coin_is_never_credited_twice(system: System, decimals: int) -> None:
    client = key("client")
    coin = odd_coin(system, decimals)
    units = 10**decimals + (10**9 - 1 if decimals == 18 else 0)
    account = pay_in(system, coin, client, units)
    assert system.ifx_dollar.account(account).credit == USD
    request(system, client, account, USD)
    advance(1)
    post_root(system, account)
    assert withdraw(system, account) == USD
    assert coin.balanceOf(client.address) == 10**decimals
