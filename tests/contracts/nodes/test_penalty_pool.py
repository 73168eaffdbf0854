# SPDX-License-Identifier: Apache-2.0
"""PenaltyPool: counts whatever arrives and pays for Accounts alone."""

import boa

from tests.contracts.system import System, acting, key


def test_received_counts_every_source_and_paying_does_not_lower_it(system: System) -> None:
    pool, receiver = system.penalty_pool, key("receiver").address
    system.give_ifx(pool.address, 10)
    assert pool.received() == 10
    with acting(system.accounts):
        pool.pay(receiver, 4)
        (event,) = [each for each in pool.get_logs() if type(each).__name__ == "PenaltyPaid"]
        assert (event.to, event.amount) == (receiver, 4)
        with boa.reverts("erc20: transfer amount exceeds balance"):
            pool.pay(receiver, 7)
    assert (pool.received(), pool.paid(), system.ifx.balanceOf(receiver)) == (10, 4, 4)


def test_nobody_else_is_paid_or_pays(system: System) -> None:
    system.give_ifx(system.penalty_pool.address, 10)
    for other in (system.governor, system.deployer, system.panels):
        with acting(other), boa.reverts("PenaltyPool: not Accounts"):
            system.penalty_pool.pay(system.governor, 1)
