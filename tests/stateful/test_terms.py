# SPDX-License-Identifier: Apache-2.0
"""Prices, speeds and sealing keys of nodes, and the stake that goes with them: each call let through, and refused."""

from eth_utils import keccak

from inferix.models.roles import RosterKind
from tests.contracts.system import DAY, FLOOR, key
from tests.stateful.life import Watched
from tests.stateful.model.basics import BPS
from tests.stateful.model.terms import ANSWERS_FOR
from tests.stateful.test_lanes import lived

DEAR = 5 * FLOOR


def test_prices_agree_and_stake_answers_for_the_dearest_of_48_days(world: Watched) -> None:
    with lived(world) as life:
        machine, worker, stakes = life.machine, world.workers[0], life.model.stakes
        node, change = stakes.nodes[worker.id], machine.change_price
        life.no(change, worker, world.stranger, DEAR)
        life.no(change, worker, worker.owner, FLOOR - 1)
        life.no(change, world.verifiers[0], world.verifiers[0].owner, FLOOR)
        life.yes(change, world.verifiers[0], world.verifiers[0].operator, 0)
        usual = stakes.required(node)
        life.yes(change, worker, worker.operator, FLOOR)
        assert stakes.required(node) == usual, "no price under the default counts"
        life.yes(change, worker, worker.owner, 2 * FLOOR + 1)
        assert stakes.required(node) > usual and stakes.is_bonded(node)
        life.yes(change, worker, worker.owner, DEAR)
        dear = stakes.required(node)
        assert dear == usual * 5 // 2 and stakes.is_bonded(node), "80 % of it are there"
        life.yes(change, worker, worker.owner, 2 * FLOOR)
        assert stakes.required(node) == dear, "it may have worked for that"
        machine._pass((ANSWERS_FOR - 1) * DAY)
        machine.agrees()
        assert stakes.required(node) == dear
        life.yes(change, worker, worker.owner, FLOOR)  # from here on it answers as long again
        machine._pass(2 * DAY)
        machine.agrees()
        assert stakes.required(node) == dear
        machine._pass((ANSWERS_FOR - 2) * DAY)
        machine.agrees()
        assert stakes.required(node) == usual
        life.yes(change, worker, worker.owner, 2 * DEAR)
        assert stakes.required(node) == 2 * dear and not stakes.is_bonded(node)
        life.yes(change, worker, worker.owner, DEAR)
        assert stakes.required(node) == dear and not stakes.is_bonded(node), "four fifths let nobody in"
        life.yes(change, worker, worker.owner, FLOOR)
        assert stakes.required(node) == usual, "it can have worked for neither"
        life.yes(change, worker, worker.owner, DEAR)
        life.yes(change, worker, worker.owner, 2 * DEAR)
        life.yes(change, worker, worker.owner, FLOOR)
        assert stakes.required(node) == dear, "nor does it forget on the way over a price that nobody has the stake for"
        life.yes(machine.unbond, list(world.nodes).index(worker.id), BPS * 9 // 10, 0, 1)
        life.yes(change, worker, worker.owner, FLOOR)
        assert stakes.required(node) == dear, "who has left answers too"


def test_speeds_agree_whoever_was_asked_to_measure(world: Watched) -> None:
    with lived(world) as life:
        machine, worker, stakes = life.machine, world.workers[1], life.model.stakes
        (first, second), node = (manager.operator for manager in world.managers), stakes.nodes[worker.id]
        ask, attest, usual = machine.request_benchmark, machine.attest, stakes.required(node)
        life.no(attest, worker, first, 2 * 10**6)
        life.no(ask, worker, world.stranger, life.first)
        life.yes(ask, worker, worker.operator, life.first)
        life.no(attest, worker, second, 2 * 10**6)
        life.no(attest, worker, worker.operator, 2 * 10**6)
        life.no(attest, worker, first, 0)
        life.once(attest, worker, first, 2 * 10**6)
        assert stakes.required(node) == 2 * usual and stakes.is_bonded(node)
        life.yes(ask, worker, worker.owner, life.second)
        life.yes(ask, worker, worker.owner, 0)
        life.no(attest, worker, second, 10**6)
        life.yes(ask, worker, worker.owner, life.second)
        machine.set_operator(world.managers[1], key("another's key"), world.managers[1].owner)
        life.no(attest, worker, second, 10**6)
        life.yes(attest, worker, world.managers[1].operator, 3 * 10**6)
        assert stakes.required(node) == 3 * usual and not stakes.is_bonded(node)
        roster = [leaf.node for leaf in world.mirror.rosters[RosterKind.WORKERS][-1].roster.leaves.values()]
        machine.post_rosters()
        machine.agrees()
        later = world.mirror.rosters[RosterKind.WORKERS][-1].roster.leaves
        assert worker.id in roster and worker.id not in later, "too little stake for its speed"
        life.yes(machine.stake, list(world.nodes).index(worker.id), 10**22, 0)
        machine.post_rosters()
        machine.agrees()
        assert world.mirror.rosters[RosterKind.WORKERS][-1].roster.leaves[worker.id].ib == 3 * 10**6
        life.yes(attest, world.verifiers[0], first, 7)  # who has no speed is anybody's to measure, once
        life.no(attest, world.verifiers[0], first, 8)


def test_sealing_keys_agree_whichever_key_of_the_node_sets_them(world: Watched) -> None:
    with lived(world) as life:
        machine, node = life.machine, world.managers[0]
        old = node.operator
        for at, who in enumerate((node.owner, node.operator)):
            life.yes(machine.seal_to, node, who, keccak(text=f"key {at}"))
        life.no(machine.seal_to, node, world.stranger, bytes(32))
        machine.set_operator(node, key("another operator"), node.owner)
        life.no(machine.seal_to, node, old, bytes(32))
        assert world.mirror.nodes[node.id].sealing_key == keccak(text="key 1")
