# SPDX-License-Identifier: Apache-2.0
"""Workers, a manager and verifiers in league look for a seed whose committee is theirs: how many draws they get, what one
more costs them, and what it brings."""

from fractions import Fraction

import boa
import pytest
from eth_utils import keccak

from inferix.draws import Roster, committee
from inferix.models.anchor import RosterLeaf
from inferix.models.roles import Draw
from simulator.collusion import wins
from tests.contracts.system import FLOOR, IFX, USD, WORKER, Node, acting
from tests.contracts.work.network import Network, batch_leaf, mine

MACHINES = 10  # that one licence has places for
TASK = keccak(text="task")


def machines(network: Network, count: int, ib: int = 1) -> tuple[int, list[Node]]:
    """Workers of one owner on one licence, measured by a manager in league at as little as it likes."""
    owner = network.fresh_key("owner")
    licence, nodes = network.mint_licence(owner, WORKER), []
    for _ in range(count):
        operator = network.fresh_key("operator")
        with acting(owner):
            nodes.append(
                Node(int(network.registry.register(licence, operator.address, bytes(32), FLOOR)), owner, operator)
            )
        with acting(network.manager.operator):
            network.registry.attest_benchmark(nodes[-1].id, ib, bytes(32))
    return licence, nodes


def juror(node: int) -> RosterLeaf:
    """A verifier of a roster."""
    return RosterLeaf(node=node, ib=0, price=0, device_class=bytes(32), weight=1)


def seeds_of(network: Network, receipts: list[bytes]) -> list[bytes]:
    """Each receipt in an anchor of its own; before its block's next is made nobody has its seed."""
    manager, seeds = network.manager, []
    for receipt in receipts:
        with acting(manager.operator):
            network.batches.anchor(manager.id, receipt, bytes(32))
        index = int(network.batches.lane(manager.id).anchors)
        mine(1)
        with boa.reverts("anchors: too young to seal"):
            network.batches.seal(manager.id)
        assert bytes(network.batches.seed(manager.id, index)) == bytes(32)
        mine(1)
        with acting(network.fresh_key("anybody")):
            network.batches.seal(manager.id)
        seeds.append(bytes(network.batches.seed(manager.id, index)))
    return seeds


@pytest.mark.parametrize("workers", [1, 3, MACHINES])
def test_attack_workers_in_league_get_one_draw_each(network: Network, workers: int) -> None:
    """A receipt is fixed before its seed is known, and counts at its first anchor; so who holds its own back chooses a later
    draw, not a better one. Withholding the seal changes nothing: anybody seals, to the same seed."""
    _, nodes = machines(network, workers)
    receipts = [keccak(text=f"receipt of {node.id}") for node in nodes]
    seeds = seeds_of(network, receipts)
    assert len(set(seeds)) == workers
    for order in (receipts, receipts[::-1]):
        with boa.env.anchor():
            assert len(set(seeds_of(network, order)) - set(seeds)) == workers, "later ones, which nobody knew"


def test_attack_one_more_draw_costs_a_tenth_of_a_licence_and_what_a_slow_machine_stakes(network: Network) -> None:
    """A manager in league says that a machine is slow: its stake is dust. What is scarce is places, ten a licence, each taken
    until its stake is out: ten draws a task, and an eleventh needs another licence."""
    licence, nodes = machines(network, MACHINES)
    with boa.reverts("NodeRegistry: no place left on the licence"), acting(nodes[0].owner):
        network.registry.register(licence, network.fresh_key("operator").address, bytes(32), FLOOR)
    stakes = [int(network.staking.required(node.id)) for node in nodes]
    assert 0 < max(stakes) < IFX // 10**1
    _, honest = machines(network, 1, ib=10**6)
    assert network.staking.required(honest[0].id) >= 10**5 * max(stakes)


@pytest.mark.parametrize(("own", "of"), [(2, 25), (2, 1_000)])
def test_attack_no_number_of_draws_wins_with_fewer_verifiers_than_votes_are_needed(own: int, of: int) -> None:
    """Whoever makes the block may try as many hashes as it can compute: two verifiers are never three."""
    assert wins(of, own, 10, 3) == 0
    roster = Roster([juror(node) for node in range(1, of + 1)])
    for attempt in range(40):
        seats = committee(roster, keccak(attempt.to_bytes(4, "big")), TASK, Draw.VERIFIER, 0, 10, lambda _: True)
        assert sum(leaf.node <= own for leaf in seats) < 3


def test_attack_draws_find_a_committee_as_often_as_chance_says() -> None:
    """What the price below counts with, beside the draws themselves: 8 of 25 verifiers, 400 seeds."""
    roster = Roster([juror(node) for node in range(1, 26)])
    won = 0
    for each in range(400):
        seats = committee(roster, keccak(each.to_bytes(4, "big")), TASK, Draw.VERIFIER, 0, 5, lambda _: True)
        won += sum(leaf.node <= 8 for leaf in seats) >= 3
    chance = wins(25, 8, 5, 3)
    deviation = float(400 * chance * (1 - chance)) ** 0.5
    assert abs(won - float(400 * chance)) < 4 * deviation


def test_attack_what_a_coalition_can_win_in_a_window_is_bounded_by_its_managers_bond(network: Network) -> None:
    """Half of it, 2,500 USD at the least bond, however many draws it had. Found out it pays 1,050 USD, is paid nothing and is
    jailed: so with one licence's ten draws a task, and 5 of 100 verifiers and the manager's help, it gains only where fewer
    than one in three of its batches is looked at by anybody. With 2 verifiers it gains nothing, with one draw not even where
    one in forty is."""
    bond, lie = network.window("manager_bond"), network.window("dispute_bond")
    lie += bond * network.window("slash_failed_bps") // 10_000
    most = bond // 2
    assert (most, lie) == (2_500 * USD, 1_050 * USD)
    manager = network.second_manager()
    thirds = [batch_leaf(place, charge=most // 3) for place in range(3)]
    with boa.reverts("Batches: open charges over half the bond"):
        network.propose(manager, [*thirds, batch_leaf(3, charge=2)])
    network.propose(manager, thirds)

    def looked_at(own: int, draws: int) -> Fraction:
        """The part of its batches that has to be looked at for the coalition to lose."""
        chance = 1 - (1 - wins(100, own, 10, 3)) ** draws
        return chance * most / (chance * most + lie)

    assert looked_at(2, 10**6) == 0
    assert looked_at(5, 1) < Fraction(1, 40)
    assert Fraction(1, 10) < looked_at(5, MACHINES) < Fraction(1, 3)
    assert looked_at(10, MACHINES) < looked_at(100, 1) == Fraction(2_500, 3_550)
