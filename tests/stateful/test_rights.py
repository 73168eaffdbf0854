# SPDX-License-Identifier: Apache-2.0
"""Permits over coins, who guards the protocol, and whom a ban reaches: each call let through, and refused."""

from tests.stateful.life import Watched
from tests.stateful.model.basics import DAY
from tests.stateful.model.stake import ACTIVE, BANNED
from tests.stateful.test_lanes import lived


def test_permits_agree_whoever_used_them(world: Watched) -> None:
    with lived(world) as life:
        machine, credit, usd, owner = life.machine, life.model.credit, world.addresses["usd"], world.clients[0].address
        top_up, payer, unit = machine.top_up_with_permit, world.trader, 10**6
        for how in ("late", "forged", "less"):
            life.no(top_up, payer, "usd", unit, owner, how)
        life.no(top_up, payer, "usd", 0, owner)
        life.no(top_up, payer, "usd", 10**9, owner)
        assert not credit.permits, "none of them was used"
        before = credit.accounts[1].credit
        life.yes(top_up, payer, "usd", unit, owner)
        life.yes(top_up, payer, "usd", unit + 1, owner, "used")
        assert credit.accounts[1].credit == before + 2 * 10**9 + 1_000
        assert (credit.allowed[payer.address, usd], credit.permits[payer.address, usd]) == (0, 2)
        life.no(top_up, payer, "usd", 1, owner, "late")
        life.no(top_up, payer, "cents", 100, world.clients[1].address)
        client = world.clients[1]
        for how in ("late", ""):  # what it allowed before counts, until a permit takes its place
            life.yes(top_up, client, "usd", unit, owner, how)
        plain = ("ifx_dollar", "top_up", usd, 1, owner)
        life.no(machine.bench.both, client, lambda: credit.top_up(client.address, usd, 1, owner), *plain)
        life.yes(top_up, client, "cents", 100, client.address)


def test_bans_of_owners_agree_with_those_of_their_other_nodes(world: Watched) -> None:
    with lived(world) as life:
        till, worker, stakes = life.machine.till, world.workers[0], life.model.stakes
        owner = worker.owner.address
        life.yes(till.give, owner, 1, True)
        gift = max(licence.id for licence in till.model.licences.items.values() if licence.role == 1)
        life.yes(till.register, owner, gift)
        other = max(stakes.nodes)
        life.no(till.apply_ban, worker.id)
        life.yes(till.set_status, other, BANNED)
        life.no(till.apply_ban, world.workers[1].id)
        life.once(till.apply_ban, worker.id)
        assert stakes.nodes[worker.id].status == BANNED
        for node in (other, worker.id):
            life.yes(till.set_status, node, ACTIVE)
        life.no(till.apply_ban, worker.id)


def test_pauses_agree_whoever_is_the_guardian_now(world: Watched) -> None:
    with lived(world) as life:
        machine, first, second = life.machine, world.guardian, world.challenger.address
        life.no(machine.pause_all, True, world.governor)
        life.no(machine.set_guardian, first, 4)
        life.yes(machine.pause_all, True, first)
        life.yes(machine.set_guardian, world.governor, 4)
        assert life.model.ground.guardian == second
        life.no(machine.pause_all, False, first)
        life.yes(machine.pause_all, False, second)
        life.no(machine.pause_all, True, second)  # a new guardian does not begin the month anew
        machine._pass(30 * DAY)
        life.no(machine.pause_all, True, first)
        life.once(machine.pause_all, True, second)
        life.yes(machine.pause_all, False, world.governor)
        for by, paused, done in ((2, True, True), (2, False, False), (3, True, False), (0, False, True)):
            (life.yes if done else life.no)(machine.pause_coin, "usd", paused, by)
