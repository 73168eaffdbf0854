# SPDX-License-Identifier: Apache-2.0
"""BalanceClaims: a client leaves while nobody posts accounts, with what is left of its credit and no more, once."""

from dataclasses import dataclass, field
from typing import Any

import boa
import pytest
from eth_abi.abi import encode as abi_encode
from eth_utils import keccak

from inferix.models.anchor import BatchLeaf
from tests.contracts.system import DAY, USD, acting, advance
from tests.contracts.work.books import Books, Ledger
from tests.contracts.work.network import Header, Network, batch_leaf, leaf_values

NOBODY = "0x" + 40 * "0"
CREDIT = 1_000 * USD
SILENCE, AGE, WINDOW = 21 * DAY, 33 * DAY, 7 * DAY  # without a pause


def entry(leaf: BatchLeaf) -> bytes:
    """A charge as a claim lists it."""
    return keccak(abi_encode(["bytes32", "uint8"], [leaf.task, leaf.attempt]))[:24] + leaf.charge.to_bytes(8, "big")


@dataclass
class Leaver:
    """A client with 1,000 USD of credit who requested all of it."""

    network: Network
    ledger: Ledger
    counted: list[bytes] = field(default_factory=list)
    spent: int = 0
    reserved: int = 0
    proof: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client, self.account = self.ledger.client, self.ledger.account
        self.claims = self.network.balance_claims

    def request(self, amount: int = CREDIT) -> None:
        """Asks for its credit."""
        with acting(self.client):
            self.network.ifx_dollar.request_withdrawal(self.account, amount)

    def pay_for_bond(self, amount: int = CREDIT) -> int:
        """The coin that a claim needs, with the allowance; units."""
        units = int(self.claims.bond(self.network.usd, amount))
        self.network.give_usd(self.client.address, units)
        with acting(self.client):
            self.network.usd.approve(self.claims, units)
        return units

    def claim(self, amount: int, who: Any = None) -> None:
        """Claims an amount as its books say."""
        self.pay_for_bond(amount)
        with acting(who or self.client):
            self.claims.claim(self.account, amount, self.spent, self.reserved, self.proof, self.counted)

    def prove(self, header: Header, leaf: BatchLeaf, who: Any = None) -> None:
        """Shows a charge in a batch of one leaf."""
        item = (header.values(), leaf_values(leaf), 0, [])
        with acting(who or self.network.treasury):
            self.claims.prove_charge(self.account, self.counted, item)

    def know(self, books: Books) -> None:
        """Takes the newest root's word for what was spent."""
        _, self.spent, self.reserved, self.proof = books.account(self.account)

    @property
    def units(self) -> int:
        """What its owner has in the coin."""
        return int(self.network.usd.balanceOf(self.client.address))


@pytest.fixture
def leaver(network: Network) -> Leaver:
    network.set_parameter("pool_withdrawal_bps", 10_000)
    return Leaver(network, Ledger(network))


def charge(leaver: Leaver, index: int = 1, amount: int = 100 * USD, **changes: Any) -> tuple[Header, BatchLeaf]:
    """A proposed charge of the leaver."""
    leaf = batch_leaf(index, charge=amount, account=leaver.account, **changes)
    return leaver.network.propose(leaver.network.manager, [leaf]), leaf


def make_final(leaver: Leaver, header: Header) -> None:
    advance(leaver.network.window("batch_window"))
    leaver.network.batches.finalize(header.values())


def left(leaver: Leaver) -> int:
    return int(leaver.claims.claim_of(leaver.account).left)


def test_all_credit_leaves_with_every_manager_silent(leaver: Leaver) -> None:
    leaver.request()
    advance(AGE)
    leaver.claim(CREDIT)
    bond = int(leaver.claims.claim_of(leaver.account).bond)
    assert bond == CREDIT * 5 // 100 // 1000
    advance(WINDOW - 1)
    with boa.reverts("BalanceClaims: window not over"):
        leaver.claims.settle(leaver.account)
    advance(1)
    assert leaver.claims.settle(leaver.account) == CREDIT
    assert leaver.units == CREDIT // 1000 + bond
    assert leaver.network.ifx_dollar.account(leaver.account).credit == 0
    with boa.reverts("BalanceClaims: no claim"):
        leaver.claims.settle(leaver.account)


def test_what_was_charged_since_the_newest_root_stays(leaver: Leaver) -> None:
    header, leaf = charge(leaver)
    make_final(leaver, header)
    leaver.request()
    advance(AGE)
    leaver.counted = [entry(leaf)]
    with boa.reverts("BalanceClaims: over what is left"):
        leaver.claim(CREDIT - leaf.charge + 1)
    leaver.claim(CREDIT - leaf.charge)
    with boa.reverts("BalanceClaims: counted"):
        leaver.prove(header, leaf)
    advance(WINDOW)
    assert leaver.claims.settle(leaver.account) == CREDIT - leaf.charge
    # What is left of the pool is what the fee burner still gets.
    leaver.network.fee_burner.collect(leaver.network.usd)
    assert leaver.network.usd.balanceOf(leaver.network.ifx_dollar) == 0


def test_the_newest_root_says_what_was_spent_before(leaver: Leaver) -> None:
    leaver.ledger.charge = 100 * USD
    leaver.ledger.close_epoch()
    old = leaver.network.batches.final_charge(1)
    books = leaver.ledger.publish(leaver.ledger.books())
    leaver.request()
    advance(AGE)
    leaver.spent = old - 1
    with boa.reverts("BalanceClaims: not in the root"):
        leaver.claim(CREDIT - old)
    leaver.know(books)
    with boa.reverts("BalanceClaims: over what is left"):
        leaver.claim(CREDIT - old + 1)
    leaver.claim(CREDIT - old)
    assert leaver.claims.claim_of(leaver.account).since == books.epoch + 1
    advance(WINDOW)
    assert leaver.claims.settle(leaver.account) == CREDIT - old


def test_what_the_root_knows_lets_no_claim_fall(leaver: Leaver) -> None:
    header, leaf = charge(leaver)
    make_final(leaver, header)
    network = leaver.network
    network.end_epoch()
    network.burn_mint_work.close_epoch()
    epoch = int(network.batches.final_epoch(header.commitment))
    minted = network.burn_mint_work.totals_at(epoch)[1]
    books = leaver.ledger.publish(Books(epoch, {leaver.account: leaf.charge}, {}, minted))
    leaver.request()
    advance(AGE)
    leaver.know(books)
    leaver.claim(CREDIT - leaf.charge)
    with boa.reverts("BalanceClaims: the root counts it"):
        leaver.prove(header, leaf)
    with boa.env.anchor():
        later, other = charge(leaver, 2)
        make_final(leaver, later)
        leaver.prove(later, other)


def test_not_while_roots_come(leaver: Leaver) -> None:
    leaver.request()
    advance(AGE - 3 * DAY)
    leaver.ledger.close_epoch()
    books = leaver.ledger.publish(leaver.ledger.books())
    leaver.know(books)
    advance(SILENCE - 100)
    with boa.reverts("BalanceClaims: roots come"):
        leaver.claim(USD)
    advance(100)
    leaver.claim(USD)


def test_not_by_a_young_request(leaver: Leaver) -> None:
    advance(60 * DAY)
    leaver.request()
    advance(AGE - 1)
    with boa.reverts("BalanceClaims: request too young"):
        leaver.claim(USD)
    advance(1)
    leaver.claim(USD)


def pause(leaver: Leaver) -> None:
    with acting(leaver.network.guardian):
        leaver.network.parameters.pause()


@pytest.mark.parametrize("begins", [0, 13 * DAY, SILENCE - 1])
def test_attack_a_pause_is_no_silence(leaver: Leaver, begins: int) -> None:
    """In a pause nobody can post accounts: by block time a claim came before they could."""
    leaver.request()
    advance(AGE)
    leaver.ledger.close_epoch()
    leaver.know(leaver.ledger.publish(leaver.ledger.books()))
    with boa.env.anchor():
        advance(SILENCE)
        leaver.claim(USD)
    advance(begins)
    pause(leaver)
    for wait in (SILENCE - begins, 7 * DAY - 100):
        advance(wait)
        with boa.reverts("BalanceClaims: roots come"):
            leaver.claim(USD)
    advance(100)
    leaver.claim(USD)


@pytest.mark.parametrize("begins", [29 * DAY, 30 * DAY, AGE - 1])
def test_attack_a_pause_ages_no_request_in_which_charges_are_still_to_come(leaver: Leaver, begins: int) -> None:
    """An order of before it is proposed up to three days of the protocol's clock after its 30."""
    advance(60 * DAY)
    leaver.request()
    advance(begins)
    pause(leaver)
    stopped = 7 * DAY - max(0, 30 * DAY - begins)
    for wait in (AGE - begins, stopped - 1):
        advance(wait)
        with boa.reverts("BalanceClaims: request too young"):
            leaver.claim(USD)
    advance(1)
    leaver.claim(USD)


@pytest.mark.parametrize("before", [0, 9 * DAY])
def test_pauses_that_keep_no_charge_away_make_no_client_wait_longer(leaver: Leaver, before: int) -> None:
    """Within the 30 days of an order, which are block time, and where another has been thirty days before."""
    advance(60 * DAY)
    pause(leaver)
    advance(before)
    leaver.request()
    advance(AGE - 1)
    with boa.reverts("BalanceClaims: request too young"):
        leaver.claim(USD)
    advance(1)
    with boa.env.anchor():
        leaver.claim(USD)
    advance(5 * DAY)
    pause(leaver)
    leaver.claim(USD)


def test_not_more_than_was_requested_nor_by_others_nor_twice(leaver: Leaver) -> None:
    leaver.request(USD)
    advance(AGE)
    with boa.reverts("BalanceClaims: nothing, or more than was requested"):
        leaver.claim(USD + 1)
    with boa.reverts("BalanceClaims: nothing, or more than was requested"):
        leaver.claim(0)
    with boa.reverts("BalanceClaims: not the account's owner"):
        leaver.claim(USD, leaver.network.treasury)
    leaver.claim(USD)
    with boa.reverts("BalanceClaims: claimed already"):
        leaver.claim(USD)


def test_a_claim_falls_to_a_charge_that_it_leaves_out(leaver: Leaver) -> None:
    header, leaf = charge(leaver)
    make_final(leaver, header)
    leaver.request()
    advance(AGE)
    leaver.claim(CREDIT)
    network = leaver.network
    bond = int(leaver.claims.claim_of(leaver.account).bond)
    usd, prover = network.usd, network.fresh_key("prover")
    leaver.prove(header, leaf, prover)
    assert usd.balanceOf(prover.address) == bond // 2
    assert leaver.claims.foundation_due(usd) == bond - bond // 2
    assert (left(leaver), leaver.units) == (0, 0)
    assert network.ifx_dollar.account(leaver.account).credit == CREDIT
    with boa.reverts("BalanceClaims: no claim"):
        leaver.claims.settle(leaver.account)
    leaver.counted = [entry(leaf)]
    leaver.claim(CREDIT - leaf.charge)


def test_a_charge_that_is_listed_too_low_is_left_out(leaver: Leaver) -> None:
    header, leaf = charge(leaver)
    make_final(leaver, header)
    leaver.request()
    advance(AGE)
    leaver.counted = [entry(leaf.model_copy(update={"charge": 1}))]
    leaver.claim(CREDIT - 1)
    leaver.prove(header, leaf)
    assert left(leaver) == 0


def test_a_charge_that_was_on_its_way_lets_it_fall_too(leaver: Leaver) -> None:
    leaver.request()
    advance(AGE)
    header, leaf = charge(leaver)
    leaver.claim(CREDIT)
    bond, prover = int(leaver.claims.claim_of(leaver.account).bond), leaver.network.fresh_key("prover")
    leaver.prove(header, leaf, prover)
    assert left(leaver) == 0
    with boa.reverts("BalanceClaims: fell already"):
        leaver.prove(header, leaf, prover)
    make_final(leaver, header)
    leaver.prove(header, leaf, prover)
    assert (leaver.network.usd.balanceOf(prover.address), leaver.units) == (bond // 2, 0)
    assert leaver.claims.claim_of(leaver.account).claimed_at == 0


@pytest.mark.parametrize("is_behind", [False, True])
def test_attack_a_clients_bond_is_not_taken_by_a_charge_that_never_becomes_final(
    leaver: Leaver, is_behind: bool
) -> None:
    """Before the claim, or behind it in the same block, a manager invents a charge, whose batch falls when it was shown."""
    leaver.request()
    advance(AGE)
    if is_behind:
        leaver.claim(CREDIT)
    header, leaf = charge(leaver, amount=1)
    if not is_behind:
        leaver.claim(CREDIT)
    bond, liar = int(leaver.claims.claim_of(leaver.account).bond), leaver.network.manager.owner
    had = leaver.network.usd.balanceOf(liar.address)
    leaver.prove(header, leaf, liar)
    assert leaver.network.usd.balanceOf(liar.address) == had
    with acting(leaver.network.disputes):
        leaver.network.batches.cancel(header.commitment)
    with boa.reverts("BalanceClaims: not final"):
        leaver.prove(header, leaf, liar)
    advance(WINDOW)
    assert leaver.claims.settle(leaver.account) == 0
    assert leaver.units == bond
    leaver.claim(CREDIT)
    advance(WINDOW)
    assert leaver.claims.settle(leaver.account) == CREDIT


def test_a_proposal_after_the_claim_blocks_nobody(leaver: Leaver) -> None:
    """A false batch is proposed in a second; final it is only if nobody objects."""
    leaver.request()
    advance(AGE)
    leaver.claim(CREDIT)
    bond = int(leaver.claims.claim_of(leaver.account).bond)
    advance(12)
    header, leaf = charge(leaver)
    with boa.reverts("BalanceClaims: not final"):
        leaver.prove(header, leaf)
    make_final(leaver, header)
    leaver.prove(header, leaf)
    assert (left(leaver), leaver.units) == (0, 0)
    with boa.reverts("BalanceClaims: fell already"):
        leaver.prove(header, leaf)
    with boa.reverts("BalanceClaims: claimed already"):
        leaver.claim(CREDIT - leaf.charge)
    had = leaver.units
    advance(WINDOW - DAY)
    assert leaver.claims.settle(leaver.account) == 0
    assert leaver.units == had + bond
    leaver.counted = [entry(leaf)]
    leaver.claim(CREDIT - leaf.charge)
    advance(WINDOW)
    assert leaver.claims.settle(leaver.account) == CREDIT - leaf.charge


@pytest.mark.parametrize("is_final", [True, False])
def test_attack_a_liars_later_charge_takes_no_claim_out_of_the_way_of_its_proof(leaver: Leaver, is_final: bool) -> None:
    """A day is what a charge in a lane of its own needs to be final: whoever is later than that has the bond too."""
    header, leaf = charge(leaver)
    if is_final:
        make_final(leaver, header)
    leaver.request()
    advance(AGE)
    leaver.claim(CREDIT)
    bond, prover = int(leaver.claims.claim_of(leaver.account).bond), leaver.network.fresh_key("prover")
    if not is_final:
        leaver.network.batches.finalize(header.values())
    advance(12)
    later, other = charge(leaver, 2)
    make_final(leaver, later)
    leaver.prove(later, other, leaver.client)
    assert left(leaver) == 0
    for wait in (0, WINDOW - DAY - 100):
        advance(wait)
        with boa.reverts("BalanceClaims: window not over"):
            leaver.claims.settle(leaver.account)
    leaver.prove(header, leaf, prover)
    assert (leaver.network.usd.balanceOf(prover.address), leaver.units) == (bond // 2, 0)
    assert leaver.claims.claim_of(leaver.account).claimed_at == 0


@pytest.mark.parametrize("amount", [0, 100 * USD])
def test_a_foreign_leaf_blocks_nobody(leaver: Leaver, amount: int) -> None:
    account = leaver.account + 1 if amount else leaver.account
    leaf = batch_leaf(1, charge=amount, account=account)
    header = leaver.network.propose(leaver.network.manager, [leaf])
    make_final(leaver, header)
    leaver.request()
    advance(AGE)
    leaver.claim(CREDIT)
    with boa.reverts("BalanceClaims: not a charge of this account"):
        leaver.prove(header, leaf)
    forged = leaf.model_copy(update={"account": leaver.account, "charge": 5})
    with boa.reverts("BalanceClaims: no such leaf"):
        leaver.prove(header, forged)


def test_a_batch_that_fell_or_a_void_leaf_blocks_nobody(leaver: Leaver) -> None:
    network = leaver.network
    void, leaf = charge(leaver)
    with acting(network.objections):
        network.batches.void_leaf(void.values(), leaf_values(leaf), 0, [])
    fallen, other = charge(leaver, 2)
    with acting(network.disputes):
        network.batches.cancel(fallen.commitment)
    make_final(leaver, void)
    leaver.request()
    advance(AGE)
    leaver.claim(CREDIT)
    with boa.reverts("BalanceClaims: leaf void"):
        leaver.prove(void, leaf)
    with boa.reverts("BalanceClaims: not final"):
        leaver.prove(fallen, other)


def test_a_proof_shows_the_claims_own_list_and_in_time(leaver: Leaver) -> None:
    header, leaf = charge(leaver)
    make_final(leaver, header)
    leaver.request()
    advance(AGE)
    leaver.counted = [entry(leaf)]
    leaver.claim(CREDIT - leaf.charge)
    leaver.counted = []
    with boa.reverts("BalanceClaims: not the claim's list"):
        leaver.prove(header, leaf)
    leaver.counted = [entry(leaf)]
    advance(WINDOW)
    with boa.reverts("BalanceClaims: window over"):
        leaver.prove(header, leaf)


def test_a_root_in_between_drops_the_claim_and_nothing_is_paid_twice(leaver: Leaver) -> None:
    leaver.request()
    advance(AGE)
    leaver.claim(CREDIT)
    bond = int(leaver.claims.claim_of(leaver.account).bond)
    leaver.ledger.charge = 100 * USD
    leaver.ledger.close_epoch()
    books = leaver.ledger.publish(leaver.ledger.books())
    spent = books.account(leaver.account)[1]
    assert leaver.network.ifx_dollar.withdraw(*books.account(leaver.account)) == CREDIT - spent
    with boa.reverts("BalanceClaims: window not over"):
        leaver.claims.settle(leaver.account)
    advance(WINDOW)
    assert leaver.claims.settle(leaver.account) == 0
    assert leaver.units == (CREDIT - spent) // 1000 + bond
    with boa.reverts("IfxDollar: no credit left"):
        leaver.network.ifx_dollar.withdraw(*books.account(leaver.account))


@pytest.mark.parametrize("allowed", [10_000, 2_500])
def test_regression_what_is_withdrawn_by_the_newest_root_meanwhile_is_not_paid_again(
    leaver: Leaver, allowed: int
) -> None:
    """Its owner had requested all credit, spent too: the claim's part left it twice, out of other clients' money."""
    network, account = leaver.network, leaver.account
    network.set_parameter("pool_withdrawal_bps", allowed)
    network.set_parameter("pool_withdrawal_floor", 0)
    leaver.request()
    leaver.ledger.charge = 600 * USD
    leaver.ledger.close_epoch()
    spent = int(network.batches.final_charge(1))
    books = leaver.ledger.publish(leaver.ledger.books())
    advance(AGE)
    leaver.know(books)
    leaver.claim(CREDIT - spent)
    bond = int(leaver.claims.claim_of(account).bond)
    withdrawn = network.ifx_dollar.withdraw(*books.account(account))
    network.set_parameter("pool_withdrawal_bps", 10_000)
    advance(WINDOW)
    assert leaver.claims.settle(account) == CREDIT - spent - withdrawn
    assert network.ifx_dollar.account(account).credit == spent
    assert leaver.units == (CREDIT - spent) // 1000 + bond
    assert left(leaver) == 0


def test_a_root_after_it_was_paid_pays_no_more(leaver: Leaver) -> None:
    header, leaf = charge(leaver)
    make_final(leaver, header)
    leaver.request()
    advance(AGE)
    leaver.counted = [entry(leaf)]
    leaver.claim(CREDIT - leaf.charge)
    advance(WINDOW)
    leaver.claims.settle(leaver.account)
    network = leaver.network
    while network.burn_mint_work.closed() < network.burn_mint_work.epoch():
        network.burn_mint_work.close_epoch()
    books = leaver.ledger.publish(leaver.ledger.books())
    with boa.reverts("IfxDollar: no credit left"):
        network.ifx_dollar.withdraw(*books.account(leaver.account))


def test_a_request_that_was_taken_back_drops_the_claim(leaver: Leaver) -> None:
    """Its credit may have paid for orders meanwhile: nothing is paid, and the bond is back once the window is over."""
    leaver.request()
    advance(AGE)
    leaver.claim(CREDIT)
    with acting(leaver.client):
        leaver.network.ifx_dollar.cancel_request(leaver.account)
    advance(WINDOW)
    leaver.request()
    with boa.env.anchor():
        assert leaver.claims.settle(leaver.account) == 0
        assert left(leaver) == 0
        with boa.reverts("BalanceClaims: request too young"):
            leaver.claim(CREDIT)


WAYS_BACK = pytest.mark.parametrize("way", ["taken back", "renewed", "withdrawn"])


def request_for(leaver: Leaver, way: str) -> None:
    """Asks for all but a USD long enough ago, before a root if it is to be withdrawn."""
    leaver.request(CREDIT - USD)
    if way == "withdrawn":
        leaver.ledger.charge = USD
        leaver.ledger.close_epoch()
        leaver.know(leaver.ledger.publish(leaver.ledger.books()))
    advance(AGE)


def claim_and_spoil(leaver: Leaver, way: str) -> int:
    """A claim whose owner sees to it that it will be dropped; the bond."""
    leaver.claim(CREDIT - USD)
    dollar = leaver.network.ifx_dollar
    with acting(leaver.client):
        if way == "taken back":
            dollar.cancel_request(leaver.account)
        elif way == "renewed":
            dollar.request_withdrawal(leaver.account, 1)
        else:
            assert dollar.withdraw(leaver.account, leaver.spent, leaver.reserved, leaver.proof) == CREDIT - USD
    return int(leaver.claims.claim_of(leaver.account).bond)


@WAYS_BACK
def test_attack_a_false_claim_taken_back_before_its_proof_loses_its_bond(leaver: Leaver, way: str) -> None:
    """Who sees the proof coming makes the claim one that is dropped, and settles it first."""
    network = leaver.network
    request_for(leaver, way)
    header, leaf = charge(leaver)
    make_final(leaver, header)
    bond = claim_and_spoil(leaver, way)
    had, prover = leaver.units, network.fresh_key("prover")
    for wait in (0, WINDOW - 1):
        advance(wait)
        with boa.reverts("BalanceClaims: window not over"):
            leaver.claims.settle(leaver.account)
    leaver.prove(header, leaf, prover)
    assert (network.usd.balanceOf(prover.address), leaver.units) == (bond // 2, had)
    assert leaver.claims.claim_of(leaver.account).claimed_at == 0


@WAYS_BACK
def test_who_spoils_an_honest_claim_has_its_bond_once_the_window_is_over(leaver: Leaver, way: str) -> None:
    request_for(leaver, way)
    bond, had = claim_and_spoil(leaver, way), leaver.units
    with boa.reverts("BalanceClaims: window not over"):
        leaver.claims.settle(leaver.account)
    with acting(leaver.network.guardian):
        leaver.network.parameters.pause()
    advance(WINDOW)
    with boa.reverts("BalanceClaims: window not over"):
        leaver.claims.settle(leaver.account)
    advance(WINDOW)
    assert leaver.claims.settle(leaver.account) == 0
    assert leaver.units == had + bond
    assert leaver.claims.claim_of(leaver.account).claimed_at == 0


def test_the_coins_allowance_holds_and_the_rest_follows_in_later_epochs(leaver: Leaver) -> None:
    leaver.network.set_parameter("pool_withdrawal_bps", 2_000)
    leaver.network.set_parameter("pool_withdrawal_floor", 0)
    leaver.request()
    advance(AGE)
    leaver.claim(CREDIT)
    advance(WINDOW)
    assert leaver.claims.settle(leaver.account) == CREDIT // 5
    with boa.reverts("IfxDollar: allowance used up, or under one unit"):
        leaver.claims.settle(leaver.account)
    assert left(leaver) == CREDIT - CREDIT // 5
    leaver.network.end_epoch()
    assert leaver.claims.settle(leaver.account) == (CREDIT - CREDIT // 5) // 5


def test_only_balance_claims_is_paid_without_a_root(leaver: Leaver) -> None:
    leaver.request()
    for who in (leaver.client, leaver.network.governor, leaver.network.manager.operator):
        with boa.reverts("IfxDollar: not BalanceClaims"), acting(who):
            leaver.network.ifx_dollar.pay_claim(leaver.account, 1)


def test_the_log_has_the_list_that_a_proof_needs(leaver: Leaver) -> None:
    header, leaf = charge(leaver)
    make_final(leaver, header)
    leaver.request()
    advance(AGE)
    leaver.counted = [entry(leaf), entry(batch_leaf(9))]
    leaver.claim(USD)
    event = next(log for log in leaver.claims.get_logs() if type(log).__name__ == "BalanceClaimed")
    assert [bytes(each) for each in event.counted] == leaver.counted
    assert event.until == leaver.network.parameters.clock() + WINDOW
