# SPDX-License-Identifier: Apache-2.0
"""Burn-Mint-Work: epochs close in order and on time, and mint the lesser of an even share and what fees burned."""

from typing import Any

import boa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.system import IFX, acting, advance, now, set_time
from tests.contracts.work.books import Ledger
from tests.contracts.work.network import Network, batch_leaf

BUDGET = 462_500_000 * IFX
EPOCHS = 487
BPS = 10_000


@pytest.fixture
def ledger(network: Network) -> Ledger:
    return Ledger(network)


def info(network: Network, epoch: int) -> Any:
    return network.burn_mint_work.epoch_info(epoch)


def test_epochs_follow_the_clock_to_the_second(network: Network) -> None:
    bmw = network.burn_mint_work
    length = network.window("epoch_length")
    assert (bmw.genesis(), bmw.epoch_length(), bmw.epoch()) == (network.genesis, length, 0)
    end = bmw.epoch_end(0)
    assert end == network.genesis + length
    set_time(end - 1)
    assert bmw.epoch() == 0
    with boa.reverts("BurnMintWork: epoch not over"):
        bmw.close_epoch()
    set_time(end)
    assert (bmw.epoch(), bmw.closed()) == (1, 0)
    bmw.close_epoch()
    assert (bmw.epoch(), bmw.closed()) == (1, 1)
    with boa.reverts("BurnMintWork: epoch not over"):
        bmw.close_epoch()


def test_mints_what_the_fees_burned_would_have_bought_in_full(ledger: Ledger) -> None:
    network = ledger.network
    before = network.ifx.minted()
    network.settle(network.manager, [batch_leaf(1, charge=10**9, work=3 * 10**9, account=ledger.account)])
    network.fee_burner.collect(network.usd)
    network.end_epoch()
    network.burn_mint_work.close_epoch()
    event, epoch = network.burn_mint_work.get_logs()[-1], 0
    burned = network.fee_burner.burned()
    minted = burned * BPS // 8000
    assert (type(event).__name__, event.epoch, event.work, event.charge) == ("EpochClosed", epoch, 3 * 10**9, 10**9)
    assert (event.burned, event.minted) == (burned, minted)
    closed = info(network, epoch)
    assert (closed.work, closed.charge, closed.burned, closed.minted) == (3 * 10**9, 10**9, burned, minted)
    assert (closed.total_charge, closed.total_rewards, closed.closed_at) == (10**9, minted, now())
    assert closed.price_of_work == minted * 30 // 37 // 3
    assert network.burn_mint_work.minted() == network.ifx.minted() - before == minted
    assert network.ifx.balanceOf(network.accounts) == minted


def test_the_penalty_pool_goes_along_to_accounts_and_is_no_part_of_what_is_minted(ledger: Ledger) -> None:
    network = ledger.network
    quiet = ledger.close_epoch(work=0)
    network.give_ifx(network.penalty_pool.address, 77)
    still_quiet = ledger.close_epoch(work=0)
    assert network.penalty_pool.received() == network.ifx.balanceOf(network.penalty_pool) == 77
    busy = ledger.close_epoch()
    assert [info(network, epoch).pooled for epoch in (quiet, still_quiet, busy)] == [0, 0, 77]
    assert network.ifx.balanceOf(network.penalty_pool) == 0
    minted = info(network, busy).minted
    assert info(network, busy).total_rewards == minted + 77 == network.ifx.balanceOf(network.accounts)
    assert (network.burn_mint_work.minted(), network.burn_mint_work.rewards()) == (minted, minted + 77)
    assert tuple(network.burn_mint_work.totals_at(busy))[1] == minted + 77
    assert info(network, ledger.close_epoch()).pooled == 0


def test_epoch_without_work_mints_nothing(ledger: Ledger) -> None:
    epoch = ledger.close_epoch(work=0)
    closed = info(ledger.network, epoch)
    assert ledger.network.fee_burner.burned() > 0
    assert (closed.work, closed.minted, closed.price_of_work, closed.charge, closed.burned) == (0, 0, 0, 10**9, 0)


def test_fees_burned_late_count_for_the_next_epoch_with_work(ledger: Ledger) -> None:
    network = ledger.network
    network.settle(network.manager, [batch_leaf(1, charge=10**9, work=10**9, account=ledger.account)])
    network.end_epoch()
    assert network.burn_mint_work.close_epoch() == 0
    network.fee_burner.collect(network.usd)  # the market sold nothing until the epoch was closed
    late = network.fee_burner.burned()
    for _ in range(2):
        network.end_epoch()
        assert network.burn_mint_work.close_epoch() == 0
    following = info(network, ledger.close_epoch())
    assert following.burned == network.fee_burner.burned() > late > 0
    assert following.minted == following.burned * BPS // 8000


def test_what_was_burned_counts_once_however_many_epochs_were_without_work(ledger: Ledger) -> None:
    network = ledger.network
    for work in (0, 10**9, 0, 0, 10**9, 10**9):
        ledger.close_epoch(work)
        epochs = [info(network, epoch) for epoch in range(network.burn_mint_work.closed())]
        counted = sum(epoch.burned for epoch in epochs)
        assert counted == (network.fee_burner.burned() if work else sum(epoch.burned for epoch in epochs[:-1]))
        assert network.burn_mint_work.minted() <= counted * BPS // 8000
    network.end_epoch()
    network.settle(network.manager, [batch_leaf(1, work=10**9, account=ledger.account)])
    network.end_epoch()
    while network.burn_mint_work.closed() < network.burn_mint_work.epoch():
        assert network.burn_mint_work.close_epoch() == 0


def test_epoch_without_burning_mints_nothing(ledger: Ledger) -> None:
    network = ledger.network
    network.settle(network.manager, [batch_leaf(1, account=ledger.account)])
    network.end_epoch()
    assert network.burn_mint_work.close_epoch() == 0
    assert info(network, 0).work == 5


def test_work_counts_for_the_epoch_it_became_final_in_whenever_that_is_closed(ledger: Ledger) -> None:
    network = ledger.network
    headers = [network.propose(network.manager, [batch_leaf(at, work=10**at)]) for at in range(3)]
    end = network.epoch_end()
    set_time(end - 1)
    network.batches.finalize(headers[0].values())
    set_time(end)
    network.batches.finalize(headers[1].values())
    network.end_epoch()
    network.end_epoch()
    network.batches.finalize(headers[2].values())
    for _ in range(3):
        network.burn_mint_work.close_epoch()
    with boa.reverts("BurnMintWork: epoch not over"):
        network.burn_mint_work.close_epoch()
    assert [info(network, epoch).work for epoch in range(3)] == [1, 10, 0]
    assert [network.burn_mint_work.totals_at(epoch)[0] for epoch in range(3)] == [100, 200, 200]


def test_closed_epoch_never_changes(ledger: Ledger) -> None:
    network = ledger.network
    header = network.propose(network.manager, [batch_leaf(1, charge=10**9, account=ledger.account)])
    network.end_epoch()
    advance(network.window("batch_window"))
    network.burn_mint_work.close_epoch()
    before = tuple(info(network, 0))
    network.batches.finalize(header.values())
    network.fee_burner.collect(network.usd)
    assert tuple(info(network, 0)) == before
    assert tuple(network.batches.epoch_totals(0)) == (0, 0)


def test_share_of_the_budget_is_the_limit(ledger: Ledger) -> None:
    network = ledger.network
    network.set_parameter("mint_multiple_bps", 50_000)
    network.set_parameter("epochs", 36_500)
    with acting(network.governor):
        for _ in range(2):
            network.market.set_price(40_000_000)
    share = BUDGET // 36_500
    ledger.charge = 200 * 10**9
    network.give_usd(ledger.client.address, 10**9)
    with acting(ledger.client):
        network.usd.approve(network.ifx_dollar, 10**9)
        network.ifx_dollar.top_up(network.usd, 10**9, ledger.client.address)
    first = ledger.close_epoch()
    assert info(network, first).burned * 5 * BPS // 8000 > share
    assert info(network, first).minted == share
    second = ledger.close_epoch()
    assert info(network, second).minted == (BUDGET - share) // (36_500 - second)


def test_after_the_last_epoch_nothing_is_minted(ledger: Ledger) -> None:
    network = ledger.network
    network.set_parameter("epochs", 2)
    for expected in (True, True, False):
        epoch = ledger.close_epoch()
        assert (info(network, epoch).minted > 0) == expected
    assert epoch == 2


def test_multiple_scales_and_zero_stops_the_mint(ledger: Ledger) -> None:
    network = ledger.network
    network.set_parameter("mint_multiple_bps", 20_000)
    first = info(network, ledger.close_epoch())
    assert first.minted == first.burned * 2 * BPS // 8000
    network.set_parameter("mint_multiple_bps", 0)
    assert info(network, ledger.close_epoch()).minted == 0


def test_pause_stops_the_close_and_loses_nothing(ledger: Ledger) -> None:
    network = ledger.network
    network.settle(network.manager, [batch_leaf(1, charge=10**9, account=ledger.account)])
    network.fee_burner.collect(network.usd)
    network.end_epoch()
    with acting(network.guardian):
        network.parameters.pause()
        with boa.reverts("governed: paused"):
            network.burn_mint_work.close_epoch()
        network.parameters.resume()
    assert network.burn_mint_work.close_epoch() > 0


def test_totals_are_of_closed_epochs_only(ledger: Ledger) -> None:
    epoch = ledger.close_epoch()
    assert tuple(ledger.network.burn_mint_work.totals_at(epoch)) == (10**9, info(ledger.network, epoch).minted)
    with boa.reverts("BurnMintWork: epoch not closed"):
        ledger.network.burn_mint_work.totals_at(epoch + 1)
    assert info(ledger.network, epoch + 1).closed_at == 0


def test_close_needs_its_wiring(network: Network) -> None:
    unwired = network.burn_mint_work.deployer.deploy(network.parameters, network.ifx, network.batches)
    network.end_epoch()
    with boa.reverts("BurnMintWork: not wired"):
        unwired.close_epoch()
    with acting(network.deployer), boa.reverts("governed: wired already"):
        network.burn_mint_work.wire(network.accounts, network.fee_burner, network.penalty_pool)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 5 * 10**10), st.integers(0, 3), st.integers(0, 50_000), st.booleans()),
        min_size=1,
        max_size=4,
    )
)
def test_never_more_than_fees_paid_for_or_the_budget_allows(
    ledger: Ledger, steps: list[tuple[int, int, int, bool]]
) -> None:
    """Charges, work, multiples and idle epochs at will."""
    network = ledger.network
    with boa.env.anchor():
        allowed, waiting = 0, 0
        for charge, work, multiple, idle in steps:
            network.set_parameter("mint_multiple_bps", multiple)
            before = network.fee_burner.burned()
            leaf = batch_leaf(ledger.batches, charge=charge, work=work, account=ledger.account)
            ledger.batches += 1
            network.settle(network.manager, [leaf])
            if charge >= 10**6:
                network.fee_burner.collect(network.usd)
            waiting += network.fee_burner.burned() - before
            if work:
                allowed, waiting = allowed + waiting * multiple // 8000, 0
            network.end_epoch()
            if idle:
                network.end_epoch()
            while network.burn_mint_work.closed() < network.burn_mint_work.epoch():
                network.burn_mint_work.close_epoch()
            assert network.burn_mint_work.minted() <= allowed
        closed = network.burn_mint_work.closed()
        minted = [info(network, epoch).minted for epoch in range(closed)]
        assert sum(minted) == network.burn_mint_work.minted() == network.ifx.balanceOf(network.accounts)
        assert sum(minted) <= BUDGET * closed // EPOCHS + closed
