# SPDX-License-Identifier: Apache-2.0
"""What a session shares: whichever is set up first, none moves another's clock or has a part in its books."""

import boa
import pytest

from tests.contracts.disputes.conftest import court, populated
from tests.contracts.disputes.court import Court
from tests.contracts.issuance.pools import EPOCH, Pools, fresh_pools, populated_pools
from tests.contracts.licences.conftest import deployed_shop
from tests.contracts.licences.shop import Shop
from tests.contracts.nodes.backing import Backing
from tests.contracts.nodes.conftest import backed_network, backing
from tests.contracts.system import DAY, START, block_hash, now
from tests.contracts.work.fixtures import network, populated_network
from tests.contracts.work.network import Network

__all__ = ["backed_network", "backing", "court", "deployed_shop", "fresh_pools", "network"]
__all__ += ["populated", "populated_network", "populated_pools"]


@pytest.fixture(scope="session")
def everything(
    populated: Court, backed_network: Backing, populated_pools: Pools, deployed_shop: Shop, populated_network: Network
) -> list[Network]:
    return [populated, backed_network.network, populated_pools.network, populated_network]


def test_what_was_set_up_for_the_session_left_the_clock_alone(everything: list[Network]) -> None:
    assert now() == START
    assert len({each.ifx.address for each in everything}) == len(everything)


def test_a_network_begins_in_the_first_second_with_nothing_closed(everything: list[Network], network: Network) -> None:
    assert (now(), network.burn_mint_work.epoch(), network.burn_mint_work.closed()) == (START, 0, 0)
    assert network.ifx.balanceOf(network.accounts) == network.fee_burner.burned() == 0


def test_pools_begin_in_the_middle_of_an_epoch(everything: list[Network], fresh_pools: Pools) -> None:
    assert now() % EPOCH == EPOCH // 2 and START < now() < START + 2 * EPOCH


def test_delegation_begins_as_its_only_epoch_was_closed(everything: list[Network], backing: Backing) -> None:
    epochs = backing.network.burn_mint_work
    assert (now(), epochs.epoch(), epochs.closed()) == (epochs.epoch_end(0), 1, 1)


def test_a_court_begins_after_its_anchor_on_blocks_whose_hashes_are_known(
    everything: list[Network], court: Court
) -> None:
    assert now() == court.ends - 30 * DAY + 60  # orders were given their end a minute before the anchor was sealed
    assert boa.env.evm.patch.prev_hashes[0] == block_hash(int(boa.env.evm.patch.block_number) - 1)


def test_the_next_keys_are_the_same_in_each_test(network: Network) -> None:
    first = network.fresh_key()
    network.resume()
    assert network.fresh_key() == first
