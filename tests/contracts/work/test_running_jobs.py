# SPDX-License-Identifier: Apache-2.0
"""A client that leaves while its job runs: what is not reserved is paid, what is reserved stays, and the rest follows."""

from typing import Any

import boa
import pytest

from tests.contracts.system import USD, acting, advance, now
from tests.contracts.work.books import Books, Ledger
from tests.contracts.work.network import Header, Network, batch_leaf

CREDIT, CAP, CHARGE = 1_000 * USD, 100 * USD, 60 * USD


@pytest.fixture
def ledger(network: Network) -> Ledger:
    network.set_parameter("pool_withdrawal_bps", 10_000)
    return Ledger(network)


def ask(ledger: Ledger, amount: int) -> None:
    with acting(ledger.client):
        ledger.network.ifx_dollar.request_withdrawal(ledger.account, amount)


def in_window(ledger: Ledger) -> Header:
    """A batch with the job's charge, proposed in the last hour of an epoch that is closed then."""
    network = ledger.network
    advance(network.epoch_end() - now() - 3_600)
    header = network.propose(network.manager, [batch_leaf(1, charge=CHARGE, account=ledger.account)])
    network.end_epoch()
    network.burn_mint_work.close_epoch()
    return header


def publish(ledger: Ledger, reserved: int) -> Books:
    """Accounts of the newest closed epoch."""
    books = ledger.books()
    books.reserved = {ledger.account: reserved}
    books.__post_init__()
    return ledger.publish(books)


def withdraw(ledger: Ledger, books: Books, **changes: Any) -> int:
    account, spent, reserved, proof = books.account(ledger.account)
    fields = {"spent": spent, "reserved": reserved} | changes
    return int(ledger.network.ifx_dollar.withdraw(account, fields["spent"], fields["reserved"], proof))


def test_while_a_job_runs_what_it_may_cost_stays_and_all_else_leaves(ledger: Ledger) -> None:
    network, dollar, account = ledger.network, ledger.network.ifx_dollar, ledger.account
    ask(ledger, CREDIT)
    header = in_window(ledger)
    books = publish(ledger, CAP)
    with boa.reverts("IfxDollar: not in the accounts root"):
        withdraw(ledger, books, reserved=0)
    with boa.reverts("IfxDollar: not in the accounts root"):
        withdraw(ledger, books, reserved=CAP - CHARGE)
    assert withdraw(ledger, books) == CREDIT - CAP
    assert network.usd.balanceOf(ledger.client.address) == (CREDIT - CAP) // 1_000
    assert (dollar.account(account).credit, dollar.account(account).requested) == (CAP, CAP)
    with boa.reverts("IfxDollar: no credit left"):
        withdraw(ledger, books)
    with boa.reverts("IfxDollar: over the credit"):
        ask(ledger, 1)

    network.batches.finalize(header.values())
    with boa.reverts("IfxDollar: no credit left"):
        withdraw(ledger, books)
    network.fee_burner.collect(network.usd)
    network.end_epoch()
    while network.burn_mint_work.closed() < network.burn_mint_work.epoch():
        network.burn_mint_work.close_epoch()
    with boa.reverts("IfxDollar: no credit left"):
        withdraw(ledger, books)
    after = publish(ledger, 0)
    assert withdraw(ledger, after) == CAP - CHARGE
    assert network.usd.balanceOf(ledger.client.address) == (CREDIT - CHARGE) // 1_000
    assert network.usd.balanceOf(dollar) == 0, "charges went to the fee burner, all else to the client"
    with boa.reverts("IfxDollar: no credit left"):
        withdraw(ledger, after)


@pytest.mark.parametrize("amount", [CREDIT - CAP, CREDIT - CAP + 1], ids=["what is free", "a nano-dollar more"])
def test_what_is_asked_beyond_what_is_free_waits_for_the_root_after_the_job(ledger: Ledger, amount: int) -> None:
    dollar, account = ledger.network.ifx_dollar, ledger.account
    ask(ledger, amount)
    in_window(ledger)
    books = publish(ledger, CAP)
    assert withdraw(ledger, books) == CREDIT - CAP
    assert dollar.account(account).requested == amount - (CREDIT - CAP)
    with boa.reverts("IfxDollar: nothing requested" if amount == CREDIT - CAP else "IfxDollar: no credit left"):
        withdraw(ledger, books)


def test_attack_asking_after_the_order_is_paid_by_no_root_that_does_not_know_it(ledger: Ledger) -> None:
    """A root whose epoch ended before the request may not know an order of just before it."""
    in_window(ledger)
    ask(ledger, CREDIT)
    books = publish(ledger, 0)
    with boa.reverts("IfxDollar: no accounts root after the request yet"):
        withdraw(ledger, books)
    ledger.network.end_epoch()
    ledger.network.burn_mint_work.close_epoch()
    assert withdraw(ledger, publish(ledger, CAP)) == CREDIT - CAP
