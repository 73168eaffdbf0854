# SPDX-License-Identifier: Apache-2.0
"""Every run makes the calls that money goes through, and is refused each: the generated acts need not come by them."""

from tests.contracts.system import DAY
from tests.stateful.life import Backed, Life, Watched
from tests.stateful.machine import Machine
from tests.stateful.model.basics import WEI
from tests.stateful.stage import Stage

CALLS = {
    *("accounts.claim", "accounts.finalize", "accounts.post", "batches.finalize", "batches.propose"),
    *("burn_mint_work.close_epoch", "fee_burner.claim_manager", "fee_burner.collect"),
    "fee_burner.pay_foundation",
    *("disputes.answer_data", "disputes.answer_votes", "disputes.challenge_data", "disputes.challenge_votes"),
    *("disputes.expire", "ifx_dollar.cancel_request", "ifx_dollar.request_withdrawal", "ifx_dollar.withdraw"),
    *("panels.appeal", "panels.charge", "panels.execute", "panels.freeze", "panels.penalise_late", "panels.resolve"),
    *("panels.seal", "panels.seat", "panels.vote", "staking.unbond", "staking.withdraw"),
}
"""What must be let through and, at another time, refused: whoever changes an act does not lose one of them unseen."""


def test_a_life_from_order_to_slash_agrees_and_makes_every_call_of_money(world: Watched) -> None:
    Stage.world = world
    machine = Machine()
    try:
        world.ended.clear()
        machine.begin(1, 1)
        life = Life(machine, world)
        unbonded, appealed = life.work()
        life.disputes()
        life.requests()
        life.settle((unbonded, appealed))
        life.appeal(appealed)
        life.books()
        life.slash(unbonded)
        for done in (True, False):
            missing = CALLS - {call for call, ended in world.ended if ended is done}
            assert not missing, f"never {'let through' if done else 'refused'}: {sorted(missing)}"
    finally:
        machine.teardown()


def test_delegations_agree_from_the_first_share_to_an_exit_after_a_slash(world: Watched) -> None:
    """Who joins after the cut-off earns nothing of it; who joins after a slash pays what is left, and takes that out."""
    Stage.world = world
    machine = Machine()
    try:
        machine.begin(1, 1)
        backed = Backed(machine, Life(machine, world))
        early, late, second = world.clients[0].address, world.clients[1].address, world.challenger.address
        for worker in world.workers:
            backed.life.no(backed.delegate, early, worker.id, 7 * WEI + 1)
            backed.life.yes(backed.open, worker)
            backed.life.yes(backed.delegate, early, worker.id, 7 * WEI + 1)
        earner, fined = backed.epoch()
        backed.life.yes(backed.delegate, late, earner, 5 * WEI)
        backed.life.once(machine.bench.claim, earner)
        backed.life.once(backed.claim, earner, early)
        backed.life.no(backed.claim, earner, late)
        backed.life.yes(backed.delegate, second, fined, 3 * WEI + 1)
        pool = machine.bench.model.delegations.pools[fined]
        assert pool.holders[second].shares > 3 * WEI + 1, "a share is worth less than it was"
        for who in (early, second):
            backed.life.yes(backed.undelegate, who, fined, pool.holders[who].shares)
        backed.life.no(backed.withdraw, 1)
        machine._pass(machine.bench.model.ground.parameters["unbonding"])
        for exit in (1, 2):
            backed.life.once(backed.withdraw, exit)
    finally:
        machine.teardown()


def test_regression_where_most_seats_are_silent_none_is_fined(world: Watched) -> None:
    """Somebody may have kept from them what they would judge by: the governor decides."""
    Stage.world = world
    machine = Machine()
    try:
        machine.begin(1, 1)
        life, docket = Life(machine, world), machine.docket
        cases = life.work()
        life.settle(cases)
        owner = world.nodes[cases[1].leaf.node].owner
        life.once(docket.appeal, cases[1], owner)
        docket.seat(cases[1])
        seats = [machine.bench.model.stakes.nodes[id] for id in cases[1].seats]
        before = [node.bonded for node in seats]
        machine._pass(DAY + 1)
        life.yes(docket.resolve, cases[1])
        assert cases[1].is_referred and [node.bonded for node in seats] == before
        life.once(docket.decide, cases[1], False)
    finally:
        machine.teardown()
