# SPDX-License-Identifier: Apache-2.0
"""PenaltyPool: counts whatever arrives, and hands it to Accounts at the close of an epoch, and to nobody else."""

import boa

from tests.contracts.system import System, acting


def test_received_counts_every_source_and_releasing_does_not_lower_it(system: System) -> None:
    pool = system.penalty_pool
    system.give_ifx(pool.address, 10)
    assert pool.received() == 10
    with acting(system.burn_mint_work):
        assert pool.release() == 10
        (event,) = [each for each in pool.get_logs() if type(each).__name__ == "PenaltyReleased"]
        assert event.amount == 10
        assert pool.release() == 0
    assert (pool.received(), pool.paid(), system.ifx.balanceOf(system.accounts)) == (10, 10, 10)


def test_nobody_else_releases_it(system: System) -> None:
    system.give_ifx(system.penalty_pool.address, 10)
    for other in (system.governor, system.deployer, system.panels, system.accounts):
        with acting(other), boa.reverts("PenaltyPool: not BurnMintWork"):
            system.penalty_pool.release()
    assert system.penalty_pool.received() == system.ifx.balanceOf(system.penalty_pool) == 10
