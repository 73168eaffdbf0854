# SPDX-License-Identifier: Apache-2.0
"""BalanceClaims and the habits of real coins: a bond is what arrived, and nobody's pays for another's."""

from typing import Any

import boa
import pytest

from tests.contracts.system import DAY, STAND_INS, USD, acting, advance, deployer
from tests.contracts.work.network import Network, batch_leaf, leaf_values

AGE, WINDOW = 33 * DAY, 7 * DAY
RETURNS_NOTHING, RETURNS_FALSE, KEEPS_A_FEE, TAKES_MORE, CALLS_BACK = 1, 2, 3, 4, 5
UNITS = 10**9
CREDIT = UNITS * USD // 10**6
BOND = UNITS // 20


class Till:
    """Three owners of 1,000 USD each in one odd coin, who asked for them 33 days ago; one is the coin itself."""

    def __init__(self, network: Network) -> None:
        network.set_parameter("pool_withdrawal_bps", 10_000)
        self.network, self.claims, self.dollar = network, network.balance_claims, network.ifx_dollar
        self.coin = deployer("OddCoin.vy", STAND_INS).deploy(6, 0)
        with acting(network.governor):
            self.dollar.add_coin(self.coin, 10**6 * USD)
        self.first, self.second = (network.fresh_key(name).address for name in ("first", "second"))
        self.accounts = {owner: self._open(owner) for owner in (self.first, self.second, self.coin.address)}
        advance(AGE)

    def _open(self, owner: str) -> int:
        self.coin.mint(owner, UNITS)
        with acting(owner):
            self.coin.approve(self.dollar, UNITS)
            account = int(self.dollar.top_up(self.coin, UNITS, owner))
            self.dollar.request_withdrawal(account, CREDIT)
        return account

    def claim(self, owner: str) -> None:
        """All of it, by an owner who has the bond twice."""
        self.coin.mint(owner, 2 * BOND)
        with acting(owner):
            self.coin.approve(self.claims, 2 * BOND)
            self.claims.claim(self.accounts[owner], CREDIT, 0, 0, [], [])

    def take_back(self, owner: str) -> None:
        """The claim will be dropped."""
        with acting(owner):
            self.dollar.cancel_request(self.accounts[owner])

    def settle(self, owner: str) -> int:
        """Anybody."""
        return int(self.claims.settle(self.accounts[owner]))

    def bond(self, owner: str) -> int:
        """As the claim has it."""
        return int(self.claims.claim_of(self.accounts[owner]).bond)

    def charge(self, owner: str) -> tuple[Any, ...]:
        """A final one, as a proof shows it."""
        leaf = batch_leaf(1, charge=USD, account=self.accounts[owner])
        header = self.network.propose(self.network.manager, [leaf], coin=2)
        advance(self.network.window("batch_window"))
        self.network.batches.finalize(header.values())
        return header.values(), leaf_values(leaf), 0, []

    def units(self, who: Any) -> int:
        """In the coin."""
        return int(self.coin.balanceOf(getattr(who, "address", who)))


@pytest.fixture
def till(network: Network) -> Till:
    return Till(network)


def test_coin_that_returns_nothing_works(till: Till) -> None:
    till.coin.set_habit(RETURNS_NOTHING)
    item = till.charge(till.second)
    till.claim(till.first)
    till.claim(till.second)
    till.claims.prove_charge(till.accounts[till.second], [], item)
    advance(WINDOW)
    assert till.settle(till.first) == CREDIT
    till.claims.pay_foundation(till.coin)
    assert (till.units(till.first), till.units(till.claims)) == (UNITS + 2 * BOND, 0)


def test_coin_that_returns_false_is_refused_both_ways(till: Till) -> None:
    till.coin.set_habit(RETURNS_FALSE)
    with boa.reverts("BalanceClaims: transfer failed"):
        till.claim(till.first)
    assert till.bond(till.first) == 0
    till.coin.set_habit(0)
    item = till.charge(till.second)
    till.claim(till.first)
    till.claim(till.second)
    till.take_back(till.first)
    till.coin.set_habit(RETURNS_FALSE)
    with boa.reverts("payments: transfer failed"):
        till.claims.prove_charge(till.accounts[till.second], [], item)
    advance(WINDOW)
    with boa.reverts("payments: transfer failed"):
        till.settle(till.first)
    assert till.bond(till.first) == till.bond(till.second) == BOND
    till.coin.set_habit(0)
    assert till.settle(till.first) == 0
    assert till.units(till.claims) == BOND


def test_coin_with_a_fee_has_what_arrived_as_bond(till: Till) -> None:
    till.claim(till.second)
    till.coin.set_habit(KEEPS_A_FEE)
    till.claim(till.first)
    assert till.bond(till.first) == BOND * 9 // 10
    till.take_back(till.first)
    had = till.units(till.first)
    advance(WINDOW)
    till.settle(till.first)
    assert till.units(till.first) - had == BOND * 81 // 100
    assert till.units(till.claims) == till.bond(till.second) == BOND


def test_what_a_coin_takes_more_of_the_payer_is_no_bond(till: Till) -> None:
    till.coin.set_habit(TAKES_MORE)
    had = till.units(till.first)
    till.claim(till.first)
    assert till.units(till.first) == had + 2 * BOND - BOND * 11 // 10
    assert till.bond(till.first) == till.units(till.claims) == BOND


def test_attack_a_coin_that_takes_more_on_the_way_out_eats_no_others_bonds(till: Till) -> None:
    item = till.charge(till.second)
    till.claim(till.first)
    till.claim(till.second)
    till.take_back(till.first)
    till.coin.set_habit(TAKES_MORE)
    with boa.reverts("payments: the coin took more"):
        till.claims.prove_charge(till.accounts[till.second], [], item)
    advance(WINDOW)
    with boa.reverts("payments: the coin took more"):
        till.settle(till.first)
    with boa.reverts("payments: the coin took more"):
        till.settle(till.second)
    assert till.units(till.claims) == 2 * BOND
    till.coin.set_habit(0)
    till.settle(till.first)
    assert till.settle(till.second) == CREDIT
    assert till.units(till.claims) == 0


def test_attack_a_coin_that_refuses_the_foundation_stops_no_proof_and_no_other_bond(till: Till) -> None:
    """Its issuer blocks the address: what is the foundation's waits, and nobody else for it."""
    foundation, item = till.network.foundation, till.charge(till.second)
    till.coin.set_blocked(foundation)
    till.claim(till.first)
    till.claim(till.second)
    prover = till.network.fresh_key("prover")
    with acting(prover):
        till.claims.prove_charge(till.accounts[till.second], [], item)
    assert till.units(prover) == BOND // 2
    advance(WINDOW)
    assert till.settle(till.first) == CREDIT
    with boa.reverts("blocked"):
        till.claims.pay_foundation(till.coin)
    till.coin.set_blocked(till.second)
    assert till.claims.foundation_due(till.coin) == till.units(till.claims) == BOND - BOND // 2
    assert till.claims.pay_foundation(till.coin) == till.units(foundation) == BOND - BOND // 2
    with boa.reverts("foundation_part: nothing due"):
        till.claims.pay_foundation(till.coin)


@pytest.mark.parametrize("inner", ["claim", "settle", "prove_charge"])
def test_attack_a_coin_that_calls_back_while_a_bond_is_measured(till: Till, inner: str) -> None:
    """A bond that arrives within another's transfer would be counted for both."""
    coin, claims, second = till.coin, till.claims, till.accounts[till.second]
    coin.mint(coin.address, BOND)
    if inner == "claim":
        call = claims.claim.prepare_calldata(till.accounts[coin.address], CREDIT, 0, 0, [], [])
    elif inner == "settle":
        till.claim(till.second)
        advance(WINDOW)
        call = claims.settle.prepare_calldata(second)
    else:
        item = till.charge(till.second)
        till.claim(till.second)
        call = claims.prove_charge.prepare_calldata(second, [], item)
    coin.set_call(claims, call)
    coin.set_habit(0)
    before = till.units(claims)
    with boa.env.anchor():
        boa.env.raw_call(claims.address, sender=coin.address, data=call)
        assert till.units(claims) != before, "it would be let through by itself"
    coin.set_habit(CALLS_BACK)
    with boa.reverts():
        till.claim(till.first)
    assert (till.bond(till.first), till.units(claims)) == (0, before)
    coin.set_habit(0)
    till.claim(till.first)
    assert till.bond(till.first) == BOND
