# SPDX-License-Identifier: Apache-2.0
"""Accounts: roots of closed epochs, held to what the contracts counted, final after an undisturbed window."""

import boa
import pytest

from tests.contracts.system import DAY, FROZEN, MANAGER, VERIFIER, WORKER, acting, advance, now, set_time
from tests.contracts.work.books import DATA, Ledger
from tests.contracts.work.network import Network


@pytest.fixture
def ledger(network: Network) -> Ledger:
    """A ledger with one closed epoch."""
    ledger = Ledger(network)
    ledger.close_epoch()
    return ledger


def window(ledger: Ledger) -> int:
    return ledger.network.window("accounts_window")


def test_root_is_final_after_its_window(ledger: Ledger) -> None:
    accounts, node = ledger.network.accounts, ledger.node()
    books = ledger.books({node.id: (5, 7, 7 * now())})
    assert accounts.cut_off() == 0
    ledger.post(books)
    (event,) = accounts.get_logs()
    assert (type(event).__name__, event.epoch, event.index) == ("AccountsPosted", books.epoch, 1)
    assert (event.manager, bytes(event.nodes_root)) == (ledger.network.manager.id, books.node_tree.root.hash)
    assert (event.spent, event.vesting, bytes(event.data)) == (10**9, 7, DATA)
    waiting = accounts.pending()
    assert (waiting.index, waiting.posted_at, waiting.final_at, waiting.disputes) == (1, now(), 0, 0)
    advance(window(ledger) - 1)
    with boa.reverts("Accounts: window not over"):
        accounts.finalize()
    assert accounts.newest().index == 0
    advance(1)
    accounts.finalize()
    (event,) = accounts.get_logs()
    assert (type(event).__name__, event.epoch) == ("AccountsFinalized", books.epoch)
    final = accounts.newest()
    end = ledger.network.burn_mint_work.epoch_end(books.epoch)
    assert (final.index, final.epoch, final.cut_off, final.final_at) == (1, books.epoch, end, now())
    assert (bytes(final.accounts_root), final.spent, final.reserved) == (books.account_tree.root.hash, 10**9, 0)
    assert (bytes(final.nodes_root), final.matured + final.vesting, final.vesting) == (
        books.node_tree.root.hash,
        books.minted,
        7,
    )
    assert (final.manager, bytes(final.data)) == (ledger.network.manager.id, DATA)
    assert (accounts.cut_off(), accounts.pending().index) == (end, 0)
    with boa.reverts("Accounts: no root waits"):
        accounts.finalize()


def test_sums_are_those_that_the_contracts_counted(ledger: Ledger) -> None:
    books = ledger.books({1: (5, 7, 0)})
    for changes, reason in [
        ({"spent": 10**9 + 1}, "Accounts: spent is not what became final"),
        ({"spent": 10**9 - 1}, "Accounts: spent is not what became final"),
        ({"vesting": 8}, "Accounts: rewards are not what was minted"),
        ({"matured": books.minted}, "Accounts: rewards are not what was minted"),
    ]:
        with boa.reverts(reason):
            ledger.post(books, **changes)
    ledger.post(books)


def test_only_closed_epochs_and_only_newer_ones(ledger: Ledger) -> None:
    first = ledger.books()
    with boa.reverts("BurnMintWork: epoch not closed"):
        ledger.post(first, epoch=first.epoch + 1)
    ledger.publish(first)
    with boa.reverts("Accounts: not a newer epoch"):
        ledger.post(first)
    ledger.close_epoch()
    ledger.close_epoch()
    ledger.publish(ledger.books())
    with boa.reverts("Accounts: not a newer epoch"):
        ledger.post(ledger.books(epoch=first.epoch + 1))


def test_epochs_may_be_passed_over(ledger: Ledger) -> None:
    ledger.close_epoch()
    books = ledger.publish(ledger.books())
    assert ledger.network.accounts.newest().spent == 2 * 10**9
    assert books.epoch >= 1


def test_matured_never_shrinks(ledger: Ledger) -> None:
    first = ledger.publish(ledger.books({1: (0, 10, 0)}))
    ledger.close_epoch()
    minted = ledger.books().minted
    with boa.reverts("Accounts: matured shrinks"):
        ledger.post(ledger.books({1: (0, minted - (first.minted - 10) + 1, 0)}))
    ledger.post(ledger.books({1: (0, minted - (first.minted - 10), 0)}))


def test_one_root_waits_at_a_time_and_a_due_one_makes_room(ledger: Ledger) -> None:
    first = ledger.books()
    ledger.post(first)
    with boa.reverts("Accounts: another root waits"):
        ledger.post(first)
    ledger.close_epoch()
    second = ledger.books()
    ledger.post(second)
    assert ledger.network.accounts.newest().epoch == first.epoch
    assert ledger.network.accounts.pending().epoch == second.epoch
    advance(window(ledger))
    ledger.network.accounts.finalize()
    assert ledger.network.accounts.newest().epoch == second.epoch
    assert ledger.network.accounts.newest().index == 2


def test_who_may_post(ledger: Ledger) -> None:
    books, network = ledger.books(), ledger.network
    with boa.reverts("managers: not bonded"):
        ledger.post(books, network.register(MANAGER))
    with acting(network.deployer), boa.reverts("managers: not the operator"):
        network.accounts.post(*books.values())
    with boa.reverts("managers: not a manager"):
        ledger.post(books, network.bonded(VERIFIER))
    with acting(network.panels):
        network.registry.set_status(network.manager.id, FROZEN)
    with boa.reverts("managers: not bonded"):
        ledger.post(books)


@pytest.mark.parametrize("role", [WORKER, VERIFIER])
def test_a_week_after_the_epoch_any_node_with_a_bond_posts(ledger: Ledger, role: int) -> None:
    books, network = ledger.books(), ledger.network
    needed = (
        network.staking.required(network.manager.id) * network.window("root_bond") // network.window("manager_bond")
    )
    node = network.bonded(role)
    end = network.burn_mint_work.epoch_end(books.epoch)
    set_time(end + 7 * DAY - 1)
    with boa.reverts("managers: not a manager"):
        ledger.post(books, node)
    set_time(end + 7 * DAY)
    with boa.reverts("managers: not bonded"):
        ledger.post(books, network.register(role))
    network.stake(node, max(1, needed - network.staking.bonded(node.id)))
    with acting(network.panels):
        network.staking.freeze(node.id, network.staking.bonded(node.id) - needed + 1)
    with boa.reverts("Accounts: stake under the root bond"):
        ledger.post(books, node)
    with acting(network.panels):
        network.staking.unfreeze(node.id, 1)
    with boa.env.anchor():
        with acting(network.staking.delegation()):
            network.staking.bond_delegated(node.id, 1)
        with boa.reverts("Accounts: others' stake"):
            ledger.post(books, node)
    ledger.post(books, node)
    assert network.accounts.pending().manager == node.id


def test_attack_a_pause_lets_no_stranger_post_before_managers_could(ledger: Ledger) -> None:
    """Epochs that end in a pause are closed after it: by block time anybody could post in that moment."""
    books, network = ledger.books(), ledger.network
    node, end = network.bonded(VERIFIER), network.burn_mint_work.epoch_end(books.epoch)
    network.stake(node, network.staking.required(network.manager.id))
    assert now() < end + DAY
    set_time(end + DAY)
    with acting(network.guardian):
        network.parameters.pause()
    for too_early in (7 * DAY, 14 * DAY - 1):
        set_time(end + too_early)
        with boa.reverts("managers: not a manager"):
            ledger.post(books, node)
    with boa.env.anchor():
        ledger.post(books)
    set_time(end + 14 * DAY)
    ledger.post(books, node)
    assert network.accounts.pending().manager == node.id


def test_dispute_holds_a_root_up_and_cancels_it(ledger: Ledger) -> None:
    accounts, books = ledger.network.accounts, ledger.books()
    ledger.post(books)
    with acting(ledger.network.availability):
        accounts.open_dispute(1)
        advance(window(ledger))
        with boa.reverts("Accounts: window over"):
            accounts.open_dispute(1)
        with boa.reverts("Accounts: dispute open"):
            accounts.finalize()
        with boa.reverts("Accounts: another root waits"):
            ledger.post(books)
        accounts.close_dispute(1)
        with boa.reverts("Accounts: no dispute open"):
            accounts.close_dispute(1)
        accounts.cancel(1)
        (event,) = accounts.get_logs()
        assert (type(event).__name__, event.epoch, event.index) == ("AccountsCancelled", books.epoch, 1)
    assert (accounts.pending().index, accounts.newest().index) == (0, 0)
    ledger.post(books)
    assert accounts.pending().index == 2


def test_cancelled_root_leaves_the_final_one_in_force(ledger: Ledger) -> None:
    first = ledger.publish(ledger.books())
    ledger.close_epoch()
    ledger.post(ledger.books())
    with acting(ledger.network.availability):
        ledger.network.accounts.cancel(2)
    assert ledger.network.accounts.newest().epoch == first.epoch
    assert ledger.network.accounts.verify_account(*first.account(ledger.account))
    second = ledger.publish(ledger.books())
    assert ledger.network.accounts.newest().epoch == second.epoch


def test_disputes_name_the_root_that_waits(ledger: Ledger) -> None:
    accounts = ledger.network.accounts
    ledger.post(ledger.books())
    for call in (accounts.cancel, accounts.open_dispute, accounts.close_dispute):
        with acting(ledger.network.panels), boa.reverts("courts: not a court"):
            call(1)
        with acting(ledger.network.availability):
            for index in (0, 2):
                with boa.reverts("Accounts: not the one that waits"):
                    call(index)
    advance(window(ledger))
    accounts.finalize()
    with acting(ledger.network.availability):
        for index in (0, 1):
            with boa.reverts("Accounts: not the one that waits"):
                accounts.cancel(index)


def test_window_stands_still_while_paused(ledger: Ledger) -> None:
    ledger.post(ledger.books())
    with acting(ledger.network.guardian):
        ledger.network.parameters.pause()
    advance(window(ledger))
    with boa.reverts("Accounts: window not over"):
        ledger.network.accounts.finalize()
    with acting(ledger.network.guardian):
        ledger.network.parameters.resume()
    advance(window(ledger))
    ledger.network.accounts.finalize()


def test_account_is_verified_against_the_newest_final_root(ledger: Ledger) -> None:
    accounts, books = ledger.network.accounts, ledger.books()
    account, spent, reserved, proof = books.account(ledger.account)
    ledger.post(books)
    assert not accounts.verify_account(account, spent, reserved, proof)
    advance(window(ledger))
    accounts.finalize()
    assert accounts.verify_account(account, spent, reserved, proof)
    assert not accounts.verify_account(account, spent - 1, reserved, proof)
    assert not accounts.verify_account(account, spent, reserved + 1, proof)
    assert not accounts.verify_account(account - 1, spent, reserved, proof)


def test_client_withdraws_what_is_left(ledger: Ledger) -> None:
    """The whole way: top-up, final charge, root, withdrawal."""
    network, client = ledger.network, ledger.client
    with acting(client):
        network.ifx_dollar.request_withdrawal(ledger.account, 5 * 10**9)
    ledger.close_epoch()
    books = ledger.publish(ledger.books())
    before = network.usd.balanceOf(client.address)
    paid = network.ifx_dollar.withdraw(*books.account(ledger.account))
    assert paid == 5 * 10**9
    assert network.usd.balanceOf(client.address) - before == 5 * 10**6
