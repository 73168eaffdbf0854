# SPDX-License-Identifier: Apache-2.0
"""A deployment that was left for a new one: nobody works in it or governs it, and everybody has out what is theirs."""

import boa

from tests.contracts.system import IFX, JAILED, VERIFIER, acting, advance
from tests.contracts.work.books import Ledger
from tests.contracts.work.network import Network
from tests.contracts.work.test_balance_claims import AGE, CREDIT, Leaver


def test_the_exits_of_an_old_deployment_stay_open(network: Network) -> None:
    network.set_parameter("pool_withdrawal_bps", 10_000)
    ledger = Ledger(network)
    worker, holder = network.bonded(VERIFIER), network.fresh_key("holder")
    network.give_ifx(holder.address, 10**3 * IFX)
    with acting(worker.owner):
        network.delegation.set_limit(worker.id, 10**6 * IFX)
    with acting(holder):
        network.ifx.approve(network.delegation, 10**3 * IFX)
        shares = network.delegation.delegate(worker.id, 10**3 * IFX)
    ledger.close_epoch()
    books = ledger.publish(ledger.books({worker.id: (10**15, 0, 0)}))
    spent = books.account(ledger.account)[1]

    # The end of it: no order, batch or top-up, no manager, and nobody who governs.
    with acting(network.guardian):
        network.parameters.pause()
        network.ifx_dollar.pause_coin(network.usd, True)
    with acting(network.governor):
        network.registry.set_status(network.manager.id, JAILED)
    with boa.reverts("IfxDollar: coin paused"):
        network.top_up(network.fresh_key("client"), 10**6)

    # A node's owner: what it earned, and its stake; who delegated to it, too.
    owner, stake = worker.owner, int(network.staking.own(worker.id))
    assert network.accounts.claim(*books.claim(worker.id)) == 10**15
    with acting(owner):
        network.staking.unbond(worker.id, stake)
    with acting(holder):
        exit = network.delegation.undelegate(worker.id, shares)
    # A client, of whom no accounts will ever tell again.
    leaver = Leaver(network, ledger)
    leaver.know(books)
    leaver.request(CREDIT - spent)
    advance(AGE)
    leaver.claim(CREDIT - spent)
    advance(network.window("unbonding"))
    assert leaver.claims.settle(leaver.account) == CREDIT - spent
    with acting(owner):
        assert network.staking.withdraw(worker.id) == stake
    network.delegation.withdraw(exit)
    assert network.ifx.balanceOf(holder.address) >= 10**3 * IFX
    assert network.staking.bonded(worker.id) == network.staking.unbonding(worker.id) == 0
    # A manager that was jailed: its part of the fees, and its bond.
    manager = network.manager
    assert network.fee_burner.claim_manager(manager.id, network.usd) > 0
    bond = int(network.staking.bonded(manager.id))
    with acting(manager.owner):
        network.staking.unbond(manager.id, bond)
        advance(network.window("unbonding"))
        assert network.staking.withdraw(manager.id) == bond
    assert network.usd.balanceOf(network.ifx_dollar) == 0
