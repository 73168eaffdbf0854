# SPDX-License-Identifier: Apache-2.0
"""Anchors and seeds: a seed follows from the one before, a later block's hash and the root, and nothing else."""

import boa
import pytest
from eth_utils import keccak

from tests.contracts.system import FROZEN, JAILED, MANAGER, VERIFIER, WORKER, acting, block_hash, now
from tests.contracts.work.network import SERVED, Network, keep_history, mine

ROOT, DATA = keccak(text="root"), keccak(text="data")
REACH = 256
SEEDS = 65_536
BOND_TERM = 3600


def anchor(network: Network, root: bytes = ROOT) -> int:
    """Anchor as the manager; returns the block."""
    with acting(network.manager.operator):
        network.batches.anchor(network.manager.id, root, DATA)
    return int(boa.env.evm.patch.block_number)


def first_seed(manager: int) -> bytes:
    return manager.to_bytes(32, "big")


def next_seed(seed: bytes, block: int, root: bytes) -> bytes:
    return keccak(seed + block_hash(block + 1) + root)


def test_anybody_seals_two_blocks_later_and_not_before(network: Network) -> None:
    manager = network.manager.id
    at = anchor(network)
    lane = network.batches.lane(manager)
    assert (lane.anchors, lane.sealed, lane.block, bytes(lane.root)) == (1, 0, at, ROOT)
    assert bytes(lane.seed) == bytes(network.batches.seed(manager, 0)) == first_seed(manager)
    mine(1)
    with boa.reverts("anchors: too young to seal"):
        network.batches.seal(manager)
    mine(1)
    assert bytes(network.batches.seed(manager, 1)) == bytes(32)
    network.batches.seal(manager)
    (event,) = network.batches.get_logs()
    seed = next_seed(first_seed(manager), at, ROOT)
    assert (type(event).__name__, event.manager, event.index, bytes(event.seed)) == ("Sealed", manager, 1, seed)
    assert bytes(network.batches.seed(manager, 1)) == bytes(network.batches.lane(manager).seed) == seed
    assert network.batches.sealed_at(manager, 1) == now()
    with boa.reverts("anchors: nothing to seal"):
        network.batches.seal(manager)


def test_attack_front_running_a_seal_or_waiting_with_it_brings_no_other_seed(network: Network) -> None:
    """Whoever is first, and whenever it is: the block was fixed by the anchor. Who comes second loses its gas."""
    manager, at, seeds = network.manager.id, anchor(network), set()
    for blocks, caller in ((2, network.manager.operator), (2, network.deployer), (9, network.deployer)):
        with boa.env.anchor():
            mine(blocks)
            with acting(caller):
                network.batches.seal(manager)
            seeds.add(bytes(network.batches.seed(manager, 1)))
            with acting(network.manager.operator), boa.reverts("anchors: nothing to seal"):
                network.batches.seal(manager)
            anchor(network)
            assert network.batches.lane(manager).anchors == 2
    assert seeds == {next_seed(first_seed(manager), at, ROOT)}


def test_next_anchor_seals_the_one_before(network: Network) -> None:
    manager, seed = network.manager.id, first_seed(network.manager.id)
    for index in range(1, 9):
        root = keccak(text=f"root {index}")
        at = anchor(network, root)
        event = network.batches.get_logs()[-1]
        assert (event.manager, event.index, bytes(event.root), bytes(event.data)) == (manager, index, root, DATA)
        with acting(network.manager.operator), boa.reverts("anchors: the previous anchor is too young to seal"):
            network.batches.anchor(manager, root, DATA)
        mine(2)
        seed = next_seed(seed, at, root)
    network.batches.seal(manager)
    assert bytes(network.batches.seed(manager, 8)) == seed
    assert [network.batches.sealed_at(manager, index) for index in (0, 1, 7, 8, 9)] == [
        0,
        now() - 7 * 24,
        now() - 24,
        now(),
        0,
    ]


def test_last_block_whose_hash_is_in_reach(network: Network) -> None:
    manager = network.manager.id
    at = anchor(network)
    mine(1 + REACH)
    network.batches.seal(manager)
    assert bytes(network.batches.seed(manager, 1)) == next_seed(first_seed(manager), at, ROOT)


def test_late_seal_arms_anew(network: Network) -> None:
    manager = network.manager.id
    anchor(network)
    mine(2 + REACH)
    with acting(network.manager.operator), boa.reverts("anchors: block hash out of reach, seal first"):
        network.batches.anchor(manager, ROOT, DATA)
    network.batches.seal(manager)
    (event,) = network.batches.get_logs()
    at = int(boa.env.evm.patch.block_number)
    assert (type(event).__name__, event.manager, event.index, event.block) == ("Rearmed", manager, 1, at)
    assert network.batches.lane(manager).sealed == 0
    with boa.reverts("anchors: too young to seal"):
        network.batches.seal(manager)
    mine(2)
    network.batches.seal(manager)
    assert bytes(network.batches.seed(manager, 1)) == next_seed(first_seed(manager), at, ROOT)


@pytest.mark.parametrize("late", [1 + REACH, 2 + REACH, 1 + SERVED])
def test_a_chain_that_keeps_its_history_seals_for_a_day(network: Network, late: int) -> None:
    manager, at = network.manager.id, anchor(network)
    keep_history(at + 1)
    mine(late)
    with boa.env.anchor():
        network.batches.seal(manager)
        assert bytes(network.batches.seed(manager, 1)) == next_seed(first_seed(manager), at, ROOT)
    anchor(network)
    assert bytes(network.batches.seed(manager, 1)) == next_seed(first_seed(manager), at, ROOT)


@pytest.mark.parametrize(("late", "known"), [(2 + SERVED, 1), (2 + REACH, 2)])
def test_what_the_history_does_not_tell_arms_anew(network: Network, late: int, known: int) -> None:
    """Too long ago, or of before the chain had one: a zero is no hash."""
    manager, at = network.manager.id, anchor(network)
    keep_history(at + known)
    mine(late)
    with acting(network.manager.operator), boa.reverts("anchors: block hash out of reach, seal first"):
        network.batches.anchor(manager, ROOT, DATA)
    network.batches.seal(manager)
    (event,) = network.batches.get_logs()
    assert (type(event).__name__, network.batches.lane(manager).sealed) == ("Rearmed", 0)


def test_seal_proves_the_root(network: Network) -> None:
    manager, roots = network.manager.id, [keccak(text=f"root {index}") for index in range(2)]
    blocks = []
    for root in roots:
        blocks.append(anchor(network, root))
        mine(2)
    network.batches.seal(manager)
    assert network.batches.is_anchored(manager, 1, roots[0], block_hash(blocks[0] + 1))
    assert network.batches.is_anchored(manager, 2, roots[1], block_hash(blocks[1] + 1))
    assert not network.batches.is_anchored(manager, 2, roots[0], block_hash(blocks[1] + 1))
    assert not network.batches.is_anchored(manager, 2, roots[1], block_hash(blocks[0] + 1))
    assert not network.batches.is_anchored(manager, 0, roots[0], block_hash(blocks[0] + 1))
    assert not network.batches.is_anchored(manager, 3, roots[1], block_hash(blocks[1] + 1))


def test_lanes_are_apart(network: Network) -> None:
    other = network.second_manager()
    at = anchor(network)
    with acting(other.operator):
        network.batches.anchor(other.id, ROOT, DATA)
    mine(2)
    network.batches.seal(other.id)
    assert bytes(network.batches.seed(other.id, 1)) == next_seed(first_seed(other.id), at, ROOT)
    assert network.batches.lane(network.manager.id).sealed == 0


def test_only_the_newest_seeds_are_kept(network: Network) -> None:
    """The lane's counters are set ahead by hand: nobody waits for 65,536 anchors."""
    manager = network.manager.id
    anchor(network)
    mine(2)
    network.batches.seal(manager)
    seed = bytes(network.batches.seed(manager, 1))
    place = _word_place(network, manager)
    checked_at = boa.env.get_storage(network.batches.address, place) >> 104 << 104
    for sealed, kept in [(SEEDS, True), (SEEDS + 1, False)]:
        boa.env.set_storage(network.batches.address, place, checked_at | sealed << 32 | sealed)
        assert network.batches.lane(manager).sealed == sealed
        assert bytes(network.batches.seed(manager, 1)) == (seed if kept else bytes(32))
        assert (network.batches.sealed_at(manager, 1) != 0) == kept
        assert bytes(network.batches.seed(manager, 0)) == first_seed(manager)


def _word_place(network: Network, manager: int) -> int:
    slot = network.batches.compiler_data.storage_layout["storage_layout"]["anchors"]["_words"]["slot"]
    return int.from_bytes(keccak(slot.to_bytes(32, "big") + manager.to_bytes(32, "big")), "big")


def test_only_the_operator_of_an_active_bonded_manager_anchors(network: Network) -> None:
    manager = network.manager
    for who in (manager.owner, network.deployer):
        with acting(who), boa.reverts("managers: not the operator"):
            network.batches.anchor(manager.id, ROOT, DATA)
    with acting(manager.operator), boa.reverts("anchors: empty root"):
        network.batches.anchor(manager.id, bytes(32), DATA)
    for role in (WORKER, VERIFIER):
        other = network.bonded(role)
        with acting(other.operator), boa.reverts("managers: not a manager"):
            network.batches.anchor(other.id, ROOT, DATA)
    poor = network.register(MANAGER)
    with acting(poor.operator), boa.reverts("managers: not bonded"):
        network.batches.anchor(poor.id, ROOT, DATA)
    with acting(network.deployer), boa.reverts("managers: not the operator"):
        network.batches.anchor(0, ROOT, DATA)


@pytest.mark.parametrize("status", [FROZEN, JAILED])
def test_status_counts_at_once(network: Network, status: int) -> None:
    anchor(network)
    mine(2)
    with acting(network.panels):
        network.registry.set_status(network.manager.id, status)
    with acting(network.manager.operator), boa.reverts("managers: not active"):
        network.batches.anchor(network.manager.id, ROOT, DATA)


def test_bond_is_looked_at_once_an_hour(network: Network) -> None:
    manager = network.manager
    anchor(network)
    mine(2)
    with acting(manager.owner):
        network.staking.unbond(manager.id, network.staking.own(manager.id))
    looked_at = now() - 24
    for seconds in (10, BOND_TERM - 1):
        anchor(network)
        mine(2)
        boa.env.evm.patch.timestamp = looked_at + seconds
    anchor(network)
    mine(2)
    boa.env.evm.patch.timestamp = looked_at + BOND_TERM
    with acting(manager.operator), boa.reverts("managers: not bonded"):
        network.batches.anchor(manager.id, ROOT, DATA)


def test_pause_does_not_stop_anchors(network: Network) -> None:
    with acting(network.guardian):
        network.parameters.pause()
    anchor(network)
    mine(2)
    network.batches.seal(network.manager.id)
