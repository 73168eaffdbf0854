# SPDX-License-Identifier: Apache-2.0
"""Batches: proposed in a lane's order under a cap, final in that order after an undisturbed window, cancelled with all
that follows; what became final is counted once and never again."""

from typing import Any

import boa
import pytest
from eth_utils import keccak

from inferix.models.anchor import BatchLeaf
from tests.contracts.system import (
    BANNED,
    FROZEN,
    IFX,
    JAILED,
    MANAGER,
    PRICE,
    RETIRED,
    VERIFIER,
    WORKER,
    Node,
    acting,
    advance,
    now,
    set_time,
    slot,
)
from tests.contracts.work.network import Header, Network, batch_leaf, leaf_values, records_of

PROPOSED, FINAL, CANCELLED = 1, 2, 3
BOND_TERM = 3600
MAX_OPEN = 511
MOST = 2**40 - 1


def leaves_of(count: int, first: int = 0, **changes: Any) -> list[BatchLeaf]:
    return [batch_leaf(first + index, **changes) for index in range(count)]


def charging(total: int, first: int = 0) -> list[BatchLeaf]:
    """Leaves that charge so much together: a record has 5 bytes for one charge."""
    parts = [MOST] * (total // MOST) + [total % MOST]
    return [batch_leaf(first + index, charge=part) for index, part in enumerate(parts)]


def status(network: Network, header: Header) -> int:
    return int(network.batches.batch(header.commitment).status)


def refused(network: Network, manager: Node, leaves: list[BatchLeaf], reason: str, **changes: Any) -> None:
    header = network.header(manager, leaves, **changes)
    with acting(manager.operator), boa.reverts(reason):
        network.batches.propose(header.values(), records_of(leaves))


def test_propose(network: Network) -> None:
    leaves = leaves_of(3, charge=100, work=5)
    header = network.propose(network.manager, leaves)
    event = network.batches.get_logs()[-1]
    assert (type(event).__name__, bytes(event.commitment)) == ("Proposed", header.commitment)
    assert tuple(event.header) == header.values()
    batch = network.batches.batch(header.commitment)
    assert (batch.proposed_at, batch.status, batch.disputes) == (now(), PROPOSED, 0)
    lane = network.batches.lane(network.manager.id)
    assert (lane.batches, lane.final, lane.open_charge, bytes(lane.previous)) == (1, 0, 300, header.commitment)
    assert network.batches.final_charge(1) == 0
    second = network.propose(network.manager, leaves_of(1, 3, charge=7))
    assert (second.sequence, second.previous) == (2, header.commitment)
    assert network.batches.lane(network.manager.id).open_charge == 307


def test_what_is_not_a_next_header_is_refused(network: Network) -> None:
    manager, leaves = network.manager, leaves_of(2)
    for changes, reason in [
        ({"sequence": 2}, "Batches: not the next of its lane"),
        ({"sequence": 0}, "Batches: not the next of its lane"),
        ({"previous": keccak(text="another")}, "Batches: wrong previous batch"),
        ({"count": 0}, "Batches: count of leaves"),
        ({"count": 1001}, "Batches: count of leaves"),
        ({"count": 3}, "Batches: length of records"),
        ({"coin": 0}, "Batches: no coin"),
        ({"root": bytes(32)}, "Batches: empty root"),
        ({"records": keccak(text="others")}, "Batches: records differ from the header"),
    ]:
        refused(network, manager, leaves, reason, **changes)
    first = network.propose(manager, leaves)
    refused(network, manager, leaves, "Batches: not the next of its lane", sequence=1)
    refused(network, manager, leaves, "Batches: wrong previous batch", previous=bytes(32))
    with acting(manager.operator), boa.reverts("Batches: proposed before"):
        network.batches.propose(first.values(), records_of(leaves))


def test_a_thousand_leaves_fit(network: Network) -> None:
    header = network.propose(network.manager, leaves_of(1000))
    assert status(network, header) == PROPOSED


def test_records_may_be_left_out_where_governance_says_so(network: Network) -> None:
    leaves = leaves_of(2)
    header = network.header(network.manager, leaves, records=bytes(32))
    with acting(network.manager.operator):
        with boa.reverts():
            network.batches.propose(header.values(), b"")
        network.set_parameter("root_only", 1)
        with boa.reverts("Batches: no records"):
            network.batches.propose(header.values(), records_of(leaves))
        network.batches.propose(header.values(), b"")
    assert status(network, header) == PROPOSED


def test_only_the_operator_of_an_active_bonded_manager_proposes(network: Network) -> None:
    leaves = leaves_of(1)
    header = network.header(network.manager, leaves)
    with acting(network.manager.owner), boa.reverts("managers: not the operator"):
        network.batches.propose(header.values(), records_of(leaves))
    for role in (WORKER, VERIFIER):
        refused(network, network.bonded(role), leaves, "managers: not a manager")
    refused(network, network.register(MANAGER), leaves, "managers: not bonded")


@pytest.mark.parametrize("state", [FROZEN, JAILED, BANNED, RETIRED])
def test_status_counts_at_once(network: Network, state: int) -> None:
    network.propose(network.manager, leaves_of(1))
    if state == RETIRED:
        with acting(network.manager.owner):
            network.registry.retire(network.manager.id)
    else:
        with acting(network.panels):
            network.registry.set_status(network.manager.id, state)
    refused(network, network.manager, leaves_of(1, 1), "managers: not active")


def test_pause_stops_propose_and_the_window(network: Network) -> None:
    header = network.propose(network.manager, leaves_of(1))
    advance(network.window("batch_window") - 1)
    with acting(network.guardian):
        network.parameters.pause()
    refused(network, network.manager, leaves_of(1, 1), "governed: paused")
    advance(1000)
    with boa.reverts("Batches: window not over"):
        network.batches.finalize(header.values())
    with acting(network.guardian):
        network.parameters.resume()
    with boa.reverts("Batches: window not over"):
        network.batches.finalize(header.values())
    advance(1)
    network.batches.finalize(header.values())
    network.propose(network.manager, leaves_of(1, 1))


def cap(network: Network, manager: Node) -> int:
    """Half of the manager's bond [nano-USD]."""
    return int(network.staking.bonded(manager.id)) * PRICE // IFX // 2


def test_open_charges_stay_under_half_the_bond(network: Network) -> None:
    manager = network.second_manager()
    half = cap(network, manager)
    assert half == 2500 * 10**9
    refused(network, manager, charging(half + 1), "Batches: open charges over half the bond")
    first = network.propose(manager, charging(half - 10))
    refused(network, manager, charging(11, 10), "Batches: open charges over half the bond")
    network.propose(manager, charging(10, 10))
    refused(network, manager, charging(1, 20), "Batches: open charges over half the bond")
    network.propose(manager, charging(0, 20))
    advance(network.window("batch_window"))
    network.batches.finalize(first.values())
    network.propose(manager, charging(half - 10, 30))
    refused(network, manager, charging(1, 40), "Batches: open charges over half the bond")


def test_cap_follows_bond_and_price_once_an_hour(network: Network) -> None:
    manager = network.second_manager()
    half = cap(network, manager)
    network.propose(manager, charging(half))
    network.stake(manager, int(network.staking.required(manager.id)))
    advance(BOND_TERM - 1)
    refused(network, manager, charging(1, 10), "Batches: open charges over half the bond")
    advance(1)
    network.propose(manager, charging(half, 10))
    with acting(network.governor):
        network.market.set_price(PRICE * 12 // 10)
    advance(BOND_TERM)
    more = 2 * half * 12 // 10 - 2 * half
    refused(network, manager, charging(more + 1, 20), "Batches: open charges over half the bond")
    network.propose(manager, charging(more, 20))


def test_frozen_stake_backs_nothing(network: Network) -> None:
    manager = network.second_manager()
    network.stake(manager, int(network.staking.bonded(manager.id)))
    half = cap(network, manager)
    with acting(network.panels):
        network.staking.freeze(manager.id, network.staking.bonded(manager.id) // 2)
    refused(network, manager, charging(half // 2 + 1), "Batches: open charges over half the bond")
    network.propose(manager, charging(half // 2))


def test_a_lost_bond_is_seen_within_the_hour(network: Network) -> None:
    manager = network.second_manager()
    network.propose(manager, leaves_of(1))
    with acting(manager.owner):
        network.staking.unbond(manager.id, network.staking.own(manager.id))
    advance(BOND_TERM - 1)
    network.propose(manager, leaves_of(1, 1))
    advance(1)
    refused(network, manager, leaves_of(1, 2), "managers: not bonded")


def test_stake_behind_open_batches_cannot_be_withdrawn(network: Network) -> None:
    manager = network.second_manager()
    first = network.propose(manager, leaves_of(1))
    second = network.propose(manager, leaves_of(1, 1))
    assert network.staking.holds(manager.id) == 1
    advance(network.window("batch_window"))
    network.batches.finalize(first.values())
    assert network.staking.holds(manager.id) == 1
    network.batches.finalize(second.values())
    assert network.staking.holds(manager.id) == 0
    third = network.propose(manager, leaves_of(1, 2))
    assert network.staking.holds(manager.id) == 1
    with acting(network.disputes):
        network.batches.cancel(third.commitment)
    assert network.staking.holds(manager.id) == 0


def test_final_when_the_window_is_over_and_not_a_second_before(network: Network) -> None:
    header = network.propose(network.manager, leaves_of(4, charge=100, work=5))
    advance(network.window("batch_window") - 1)
    with boa.reverts("Batches: window not over"):
        network.batches.finalize(header.values())
    advance(1)
    network.batches.finalize(header.values())
    event = network.batches.get_logs()[-1]
    epoch = network.burn_mint_work.epoch()
    assert (type(event).__name__, bytes(event.commitment), event.epoch) == ("BatchFinalized", header.commitment, epoch)
    assert status(network, header) == FINAL
    assert network.batches.final_charge(1) == network.batches.final_charge_of(network.manager.id, 1) == 400
    assert tuple(network.batches.epoch_totals(epoch)) == (400, 20)
    lane = network.batches.lane(network.manager.id)
    assert (lane.batches, lane.final, lane.open_charge) == (1, 1, 0)
    with boa.reverts("Batches: not proposed"):
        network.batches.finalize(header.values())


def test_only_what_was_proposed_becomes_final(network: Network) -> None:
    header = network.propose(network.manager, leaves_of(1))
    advance(network.window("batch_window"))
    for changes in ({"charge": header.charge + 1}, {"coin": 2}, {"root": keccak(text="another")}):
        with boa.reverts("Batches: not proposed"):
            network.batches.finalize(header.replace(**changes).values())


def test_final_in_the_lanes_order(network: Network) -> None:
    first, second = (network.propose(network.manager, leaves_of(1, index)) for index in range(2))
    advance(network.window("batch_window"))
    with boa.reverts("Batches: not the oldest open one of its lane"):
        network.batches.finalize(second.values())
    network.batches.finalize(first.values())
    network.batches.finalize(second.values())


def test_open_dispute_holds_a_batch_and_all_after_it(network: Network) -> None:
    first, second = (network.propose(network.manager, leaves_of(1, index)) for index in range(2))
    with acting(network.disputes):
        network.batches.open_dispute(first.commitment)
        event = network.batches.get_logs()[-1]
        assert (type(event).__name__, bytes(event.commitment), event.open) == ("DisputeCounted", first.commitment, 1)
    with acting(network.objections):
        network.batches.open_dispute(first.commitment)
    advance(network.window("batch_window"))
    for left in (2, 1):
        assert network.batches.batch(first.commitment).disputes == left
        with boa.reverts("Batches: dispute open"):
            network.batches.finalize(first.values())
        with boa.reverts("Batches: not the oldest open one of its lane"):
            network.batches.finalize(second.values())
        with acting(network.disputes):
            network.batches.close_dispute(first.commitment)
    network.batches.finalize(first.values())
    network.batches.finalize(second.values())


def test_disputes_are_opened_within_the_window_by_the_courts(network: Network) -> None:
    header = network.propose(network.manager, leaves_of(1))
    for call in (network.batches.open_dispute, network.batches.close_dispute):
        with acting(network.manager.operator), boa.reverts("Batches: not Disputes or Objections"):
            call(header.commitment)
    advance(network.window("batch_window") - 1)
    with acting(network.disputes):
        with boa.reverts("Batches: no dispute open"):
            network.batches.close_dispute(header.commitment)
        with boa.reverts("Batches: not proposed"):
            network.batches.open_dispute(keccak(text="unknown"))
        network.batches.open_dispute(header.commitment)
        advance(1)
        with boa.reverts("Batches: window over"):
            network.batches.open_dispute(header.commitment)
        network.batches.close_dispute(header.commitment)
        network.batches.finalize(header.values())
        with boa.reverts("Batches: not proposed"):
            network.batches.open_dispute(header.commitment)


def test_cancelling_takes_all_later_ones_along(network: Network) -> None:
    headers = [network.propose(network.manager, leaves_of(1, index, charge=10**index)) for index in range(5)]
    advance(network.window("batch_window"))
    network.batches.finalize(headers[0].values())
    with acting(network.disputes):
        network.batches.cancel(headers[2].commitment)
    events = [bytes(each.commitment) for each in network.batches.get_logs()]
    assert events == [each.commitment for each in headers[2:]]
    assert [status(network, each) for each in headers] == [FINAL, PROPOSED, CANCELLED, CANCELLED, CANCELLED]
    lane = network.batches.lane(network.manager.id)
    assert (lane.batches, lane.final, lane.open_charge, bytes(lane.previous)) == (2, 1, 10, headers[1].commitment)
    for header in headers[2:]:
        with boa.reverts("Batches: not proposed"):
            network.batches.finalize(header.values())
    with acting(network.manager.operator), boa.reverts("Batches: proposed before"):
        network.batches.propose(headers[2].values(), records_of(leaves_of(1, 2, charge=100)))
    again = network.propose(network.manager, leaves_of(1, 2, charge=100), data=keccak(text="served this time"))
    assert (again.sequence, again.previous, status(network, again)) == (3, headers[1].commitment, PROPOSED)
    refused(
        network,
        network.manager,
        leaves_of(1, 3),
        "Batches: wrong previous batch",
        previous=headers[2].commitment,
    )
    network.batches.finalize(headers[1].values())
    advance(network.window("batch_window"))
    network.batches.finalize(again.values())
    assert network.batches.final_charge(1) == 1 + 10 + 100


def test_only_disputes_cancels_and_only_what_is_proposed(network: Network) -> None:
    header = network.propose(network.manager, leaves_of(1))
    for who in (network.panels, network.manager.operator, network.governor):
        with acting(who), boa.reverts("Batches: not Disputes"):
            network.batches.cancel(header.commitment)
    advance(network.window("batch_window"))
    network.batches.finalize(header.values())
    with acting(network.disputes):
        for commitment in (header.commitment, keccak(text="unknown")):
            with boa.reverts("Batches: not proposed"):
                network.batches.cancel(commitment)


def test_dispute_on_a_cancelled_batch_can_be_closed(network: Network) -> None:
    first, second = (network.propose(network.manager, leaves_of(1, index)) for index in range(2))
    with acting(network.disputes):
        network.batches.open_dispute(second.commitment)
        network.batches.cancel(first.commitment)
        with boa.reverts("Batches: not proposed"):
            network.batches.open_dispute(second.commitment)
        network.batches.close_dispute(second.commitment)
    assert network.batches.batch(second.commitment).disputes == 0
    assert status(network, second) == CANCELLED


def test_full_lane_can_be_cancelled_from_its_oldest(network: Network) -> None:
    manager = network.manager
    last_final = network.settle(manager, leaves_of(1))
    headers = [network.propose(manager, leaves_of(1, 1 + index)) for index in range(MAX_OPEN)]
    refused(network, manager, leaves_of(1, 1000), "Batches: too many open batches")
    with acting(network.disputes):
        network.batches.cancel(headers[0].commitment)
    assert {status(network, each) for each in headers} == {CANCELLED}
    lane = network.batches.lane(manager.id)
    assert (lane.batches, lane.open_charge, bytes(lane.previous)) == (1, 0, last_final.commitment)
    network.propose(manager, leaves_of(1, 2000))


def void(network: Network, header: Header, leaves: list[BatchLeaf], index: int) -> None:
    with acting(network.objections):
        network.batches.void_leaf(header.values(), leaf_values(leaves[index]), index, network.proof(leaves, index))


def test_void_leaf_counts_for_nothing(network: Network) -> None:
    leaves = [batch_leaf(index, charge=10**index, work=2 * 10**index) for index in range(5)]
    header = network.propose(network.manager, leaves)
    for index in (1, 3):
        void(network, header, leaves, index)
        event = network.batches.get_logs()[-1]
        assert (type(event).__name__, bytes(event.commitment), event.index) == ("LeafVoided", header.commitment, index)
        assert (bytes(event.task), event.charge, event.work) == (leaves[index].task, 10**index, 2 * 10**index)
    assert [network.batches.is_void(header.commitment, index) for index in range(5)] == [
        False,
        True,
        False,
        True,
        False,
    ]
    batch = network.batches.batch(header.commitment)
    assert (batch.voided_charge, batch.voided_work) == (1010, 2020)
    with boa.reverts("Batches: leaf void already"):
        void(network, header, leaves, 3)
    advance(network.window("batch_window"))
    network.batches.finalize(header.values())
    assert network.batches.final_charge(1) == 10101
    assert tuple(network.batches.epoch_totals(network.burn_mint_work.epoch())) == (10101, 20202)
    assert network.batches.lane(network.manager.id).open_charge == 0


def test_void_leaf_refusals(network: Network) -> None:
    leaves = leaves_of(3)
    header = network.propose(network.manager, leaves)
    item = (header.values(), leaf_values(leaves[1]), 1, network.proof(leaves, 1))
    for who in (network.disputes, network.panels):
        with acting(who), boa.reverts("Batches: not Objections"):
            network.batches.void_leaf(*item)
    with acting(network.objections):
        with boa.reverts("Batches: no such leaf"):
            network.batches.void_leaf(item[0], item[1], 0, item[3])
        with boa.reverts("Batches: not proposed"):
            network.batches.void_leaf(header.replace(charge=1).values(), *item[1:])
    advance(network.window("batch_window"))
    network.batches.finalize(header.values())
    with boa.reverts("Batches: not proposed"):
        void(network, header, leaves, 1)


def test_void_bitmap_reaches_the_last_leaf(network: Network) -> None:
    leaves = leaves_of(300)
    header = network.propose(network.manager, leaves)
    for index in (0, 255, 256, 299):
        void(network, header, leaves, index)
    voids = [index for index in range(300) if network.batches.is_void(header.commitment, index)]
    assert voids == [0, 255, 256, 299]


def test_verify(network: Network) -> None:
    leaves = leaves_of(3)
    header = network.propose(network.manager, leaves)
    leaf, proof = leaf_values(leaves[2]), network.proof(leaves, 2)
    assert network.batches.verify(header.values(), leaf, 2, proof)
    assert not network.batches.verify(header.values(), leaf_values(leaves[1]), 2, proof)
    assert not network.batches.verify(header.replace(data=bytes(32)).values(), leaf, 2, proof)
    assert not network.batches.verify(header.values(), leaf, 3, proof)
    with acting(network.disputes):
        network.batches.cancel(header.commitment)
    assert network.batches.verify(header.values(), leaf, 2, proof)


def test_a_leaf_beyond_the_count_does_not_exist(network: Network) -> None:
    leaves = leaves_of(3)
    header = network.header(network.manager, leaves, count=2, records=keccak(records_of(leaves[:2])))
    with acting(network.manager.operator):
        network.batches.propose(header.values(), records_of(leaves[:2]))
    assert network.batches.verify(header.values(), leaf_values(leaves[1]), 1, network.proof(leaves, 1))
    assert not network.batches.verify(header.values(), leaf_values(leaves[2]), 2, network.proof(leaves, 2))


def test_a_header_that_claims_more_than_its_tree_proves_nothing(network: Network) -> None:
    leaves = leaves_of(2)
    header = network.propose(network.manager, leaves, charge=10**6)
    assert not network.batches.verify(header.values(), leaf_values(leaves[0]), 0, network.proof(leaves, 0))


def test_batch_counts_in_the_epoch_in_which_it_is_made_final(network: Network) -> None:
    manager = network.manager
    end = network.epoch_end()
    headers = [network.propose(manager, leaves_of(1, index, charge=10**index, work=1)) for index in range(3)]
    set_time(end - 1)
    network.batches.finalize(headers[0].values())
    set_time(end)
    network.batches.finalize(headers[1].values())
    network.end_epoch()
    network.end_epoch()
    network.batches.finalize(headers[2].values())
    assert [tuple(network.batches.epoch_totals(epoch)) for epoch in range(5)] == [
        (1, 1),
        (10, 1),
        (0, 0),
        (100, 1),
        (0, 0),
    ]
    assert network.batches.final_charge(1) == 111


@pytest.mark.parametrize(
    ("shift", "most", "reason"),
    [
        (0, 2**96 - 1, "totals: charges too large to count"),
        (120, 2**64 - 1, "totals: charges too large to count"),
        (184, 2**72 - 1, "totals: work too large to count"),
    ],
    ids=["charges", "charges of an epoch", "work of an epoch"],
)
def test_what_cannot_be_counted_does_not_become_final(network: Network, shift: int, most: int, reason: str) -> None:
    """A coin's sums share a word: one too large would count as another's, or begin at nothing."""
    header = network.propose(network.manager, [batch_leaf(1, charge=5, work=5)])
    advance(network.window("batch_window"))
    epoch, place = int(network.burn_mint_work.epoch()), slot(network.batches, "totals._coins", 1)
    for before in (most - 4, most - 5):
        boa.env.set_storage(network.batches.address, place, epoch << 96 | before << shift)
        if before + 5 > most:
            with boa.reverts(reason):
                network.batches.finalize(header.values())
    network.batches.finalize(header.values())
    word = int(boa.env.get_storage(network.batches.address, place))
    assert word >> shift & most == most
    assert status(network, header) == FINAL


def test_a_batch_that_is_not_final_is_of_no_epoch(network: Network) -> None:
    header = network.propose(network.manager, leaves_of(1))
    with boa.reverts("Batches: not final"):
        network.batches.final_epoch(header.commitment)
    advance(network.window("batch_window"))
    network.batches.finalize(header.values())
    assert network.batches.final_epoch(header.commitment) == network.burn_mint_work.epoch()


def test_coins_and_managers_are_counted_apart(network: Network) -> None:
    other = network.second_manager()
    network.settle(network.manager, leaves_of(1, charge=1, work=10), coin=1)
    network.settle(network.manager, leaves_of(1, 1, charge=20, work=10), coin=3)
    network.settle(other, leaves_of(1, 2, charge=300, work=10), coin=3)
    totals = [network.batches.final_charge(coin) for coin in (1, 2, 3)]
    assert totals == [1, 0, 320]
    assert [network.batches.final_charge_of(network.manager.id, coin) for coin in (1, 2, 3)] == [1, 0, 20]
    assert [network.batches.final_charge_of(other.id, coin) for coin in (1, 2, 3)] == [0, 0, 300]
    epochs = [tuple(network.batches.epoch_totals(epoch)) for epoch in range(network.burn_mint_work.epoch() + 1)]
    assert [sum(column) for column in zip(*epochs, strict=True)] == [321, 30]


def test_batch_without_charge_or_work_becomes_final(network: Network) -> None:
    header = network.settle(network.manager, leaves_of(2, charge=0, work=0))
    assert status(network, header) == FINAL
    assert network.batches.final_charge(1) == 0


def test_wiring_is_the_deployers_once(network: Network) -> None:
    with acting(network.deployer), boa.reverts("governed: wired already"):
        network.batches.wire(network.disputes.address, network.objections.address, network.escape.address)


def test_genesis_is_aligned_and_now(network: Network) -> None:
    length = network.window("epoch_length")
    deploy = network.batches.deployer.deploy
    arguments = (network.parameters, network.registry, network.staking)
    start = now() - now() % length
    for genesis, reason in [
        (start + 1, "totals: genesis not aligned"),
        (start - length, "totals: now is not in epoch 0"),
        (start + length, "totals: now is not in epoch 0"),
    ]:
        with boa.reverts(reason):
            deploy(*arguments, genesis)
    assert deploy(*arguments, start).genesis() == start
