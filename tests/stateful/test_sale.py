# SPDX-License-Identifier: Apache-2.0
"""Licences from the whitelist sale to the sweep, each call of money with its refusal: the generated acts need not come by them."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.stateful.life import Life, Watched
from tests.stateful.machine import Machine
from tests.stateful.model.basics import DAY, WEI
from tests.stateful.model.buyback import CLAIM_TERM, IN_IFX, IN_NATIVE, LINEAR
from tests.stateful.model.licences import LOCK
from tests.stateful.model.sale import NO_CODE, Basket
from tests.stateful.model.stake import ACTIVE, BANNED
from tests.stateful.sale_rules import ALL
from tests.stateful.selling import PARTNERS, RATE
from tests.stateful.stage import Stage
from tests.stateful.till import wallet_code

STUDIO, CLIENT = PARTNERS


@contextmanager
def open_shop(world: Watched) -> Iterator[tuple[Machine, Life]]:
    """Nothing sold yet; everybody leaves in the end."""
    Stage.world = world
    machine = Machine()
    try:
        machine.begin(1, 1)
        yield machine, Life(machine, world)
    finally:
        machine.teardown()


def basket(
    world: Watched, tier: int, count: int = 1, coin: str = "usd", code: bytes = NO_CODE, role: int = 1
) -> Basket:
    """At any price."""
    return Basket(role, tier, count, world.addresses[coin], ALL, code)


def go_public(machine: Machine) -> None:
    """From now on anybody buys."""
    now = machine.world.now
    assert machine.till.set_times((now, now, now + 1_000 * DAY))


def test_sales_agree_from_the_whitelist_to_the_end_of_the_lock(world: Watched) -> None:
    with open_shop(world) as (machine, life):
        till, (client, first, second, last) = machine.till, world.buyers
        reserved, odd = basket(world, 2, code=STUDIO), basket(world, 3, 3, "native", STUDIO)
        life.no(till.buy, first, odd)
        life.no(till.buy_whitelisted, last, reserved)
        life.no(till.buy_whitelisted, first, reserved, (second.address, 1, 2))
        life.once(till.buy_whitelisted, first, reserved)
        life.yes(till.buy_whitelisted, second, basket(world, 2, coin="native", code=wallet_code(first.address)))
        life.no(till.buy_whitelisted, client, reserved)
        go_public(machine)
        life.no(till.buy_whitelisted, second, basket(world, 1))
        for code in (CLIENT, wallet_code(world.partner.address), b"\1" * 32):
            life.no(till.buy, client, basket(world, 2, code=code))
        life.no(till.buy, first, basket(world, 2, code=wallet_code(first.address)))
        life.no(till.buy, client, basket(world, 2, 3))
        life.yes(till.buy, client, basket(world, 2, 2))
        life.no(till.buy, last, basket(world, 2))
        due = till.model.sale.price(last.address, odd)[1]
        life.no(till.buy, last, odd._replace(maximum=due - 1))
        life.yes(till.buy, last, odd._replace(maximum=due))
        assert till.model.licences.items[9].cents == 300, "333 cents less a tenth, rounded up"
        life.no(till.buy, world.stranger, odd)
        halt(machine, life, odd)
        divide(machine, life)
        hold(machine, life)


def halt(machine: Machine, life: Life, odd: Basket) -> None:
    """No sale at an old rate, while paused, in a coin that is not taken."""
    till, world, buyer = machine.till, machine.world, machine.world.buyers[1]
    machine._pass(DAY + 1)
    life.no(till.buy, buyer, odd)
    life.no(till.set_rate, world.setter, RATE * 5 // 4)
    life.no(till.set_rate, world.stranger, RATE)
    life.once(till.set_rate, world.setter, RATE * 6 // 5)
    life.yes(till.buy, buyer, odd)
    for off, on in (
        (lambda: machine.pause_all(True, world.guardian), lambda: machine.pause_all(False, world.guardian)),
        (lambda: till.accept("usd", False), lambda: till.accept("usd", True)),
        (lambda: till.set_times((0, 0, world.now)), lambda: go_public(machine)),
    ):
        life.yes(off)
        life.no(till.buy, buyer, basket(world, 1))
        life.yes(on)
    life.yes(till.buy, buyer, basket(world, 1))


def divide(machine: Machine, life: Life) -> None:
    """Commissions are their owners'; of the proceeds the treasury has what the governor does not hold for the buyback."""
    till, world = machine.till, machine.world
    usd, native = world.addresses["usd"], world.addresses["native"]
    life.once(till.claim_commission, world.partner.address, usd)
    life.once(till.claim_commission, world.buyers[1].address, native)
    life.no(till.release, "usd")
    machine.govern("buyback_bps", 0)
    for coin in ("usd", "native"):
        life.once(till.release, coin)
    machine.govern("buyback_bps", 2)
    life.no(till.release, "usd")
    life.no(till.fund, 1)
    life.no(till.exchange, world.buyers[1], "usd", WEI // 100)


def hold(machine: Machine, life: Life) -> None:
    """What is bought stays for a year, and moves when its node has retired; a gift need not be locked."""
    till, bought, owner = machine.till, 5, machine.world.buyers[1].address
    other, stranger = machine.world.buyers[3].address, machine.world.stranger.address
    life.no(till.give, other, 1, False, stranger)
    life.yes(till.give, other, 1, False)
    gift = max(licence.id for licence in till.model.licences.items.values() if licence.role == 1)
    life.no(till.transfer, stranger, gift, stranger)
    life.once(till.transfer, other, gift, owner)
    life.no(till.transfer, owner, bought, other)
    life.no(till.register, other, bought)
    life.yes(till.register, owner, bought)
    machine._pass(LOCK)
    life.no(till.transfer, owner, bought, other)
    node = till.model.licences.items[bought].nodes[0]
    life.no(till.retire, other, node)
    life.once(till.retire, owner, node)
    life.once(till.transfer, owner, bought, other)
    life.no(till.burn, owner, bought)
    let_all(machine, life, bought)
    life.yes(till.burn, other, bought)
    life.no(till.approve, other, bought, owner)


def let_all(machine: Machine, life: Life, id: int) -> None:
    """An owner lets somebody take all, who hands a licence on; to contracts only where they take it, and never a locked one."""
    till, world = machine.till, machine.world
    (other, to, held), gift = (buyer.address for buyer in world.buyers[1:4]), world.addresses["cents"]
    life.no(till.hand_over, other, id, to)
    life.no(till.approve, other, id, to)
    life.yes(till.approve_all, held, other, allowed=True)
    life.yes(till.approve, other, id, to)
    life.no(till.hand_over, other, id, world.addresses["staking"])
    life.yes(till.hand_over, other, id, to)
    life.no(till.transfer, other, id, held)
    life.yes(till.hand_over, to, id, held)
    life.yes(till.approve_all, held, other, allowed=False)
    life.no(till.transfer, other, id, to)
    life.yes(till.give, held, 1, True)
    locked = max(licence.id for licence in till.model.licences.items.values() if licence.role == 1)
    life.no(till.hand_over, held, locked, gift)
    life.yes(till.give, held, 1, False)
    life.once(till.hand_over, held, locked + 1, gift)


def test_buybacks_agree_from_the_list_to_the_sweep(world: Watched) -> None:
    with open_shop(world) as (machine, life):
        till, (client, first, second, _) = machine.till, world.buyers
        go_public(machine)
        life.yes(till.buy, first, basket(world, 1, 6))  # licences 5 to 10
        life.yes(till.buy, second, basket(world, 3, 3))  # 11 to 13
        life.yes(till.buy, client, basket(world, 3, coin="native", code=STUDIO))
        life.yes(till.give, first.address, 1, True)
        listed = dict.fromkeys(range(5, 14), 6_671) | {8: 6_670, 15: 10_000}
        del listed[9]
        life.no(till.post_list, listed, world.stranger)
        life.yes(till.post_list, listed)
        life.yes(till.give_pool, IN_IFX, 1_000 * WEI + 1)  # less than one of them is worth
        offer(machine, life)
        settle(machine, life)
        claim(machine, life)


def offer(machine: Machine, life: Life) -> None:
    """Of licences that were sold, of those who took part, without a node and without a ban."""
    till, world, buyback = machine.till, machine.world, machine.bench.model.buyback
    first, second = (world.buyers[at].address for at in (1, 2))
    life.no(till.offer, first, 5, IN_IFX)
    life.yes(till.register, first, 7)
    life.yes(till.register, second, 12)
    machine._pass(buyback.opens_at - world.now)
    life.no(till.post_list, {5: 10_000})
    life.yes(till.set_rate, world.governor, RATE)
    life.no(till.offer, first, 6, IN_IFX, approved=False)
    for id, option in ((5, 3), (15, IN_IFX), (8, IN_IFX), (9, IN_IFX), (7, IN_NATIVE)):
        life.no(till.offer, first, id, option)
    life.no(till.offer, first, 8, IN_IFX, 6_671)
    life.no(till.offer, second, 5, IN_IFX)
    for id, option in ((5, IN_IFX), (6, IN_IFX), (10, IN_NATIVE)):
        life.once(till.offer, first, id, option)
    node, banned = (till.model.licences.items[id].nodes[0] for id in (7, 12))
    life.yes(till.retire, first, node)
    life.yes(till.offer, first, 7, IN_NATIVE)
    life.yes(till.retire, second, banned)
    life.yes(till.set_status, banned, BANNED)
    life.no(till.offer, second, 11, IN_IFX)
    life.yes(till.set_status, banned, ACTIVE)
    life.yes(till.offer, second, 11, IN_IFX)
    life.yes(till.offer, second, 12, IN_IFX)
    life.no(till.take_back, second, 5)
    life.once(till.take_back, first, 6)
    life.no(till.offer, first, 6, IN_IFX, approved=False)
    life.yes(till.approve_all, first, world.addresses["buyback"], allowed=True)
    life.yes(till.offer, first, 6, IN_IFX, approved=False)
    life.yes(till.approve_all, first, world.addresses["buyback"], allowed=False)


def settle(machine: Machine, life: Life) -> None:
    """In between proceeds are exchanged, as far as wrapped native is wanted; then each has a part, whoever comes first."""
    till, world, buyback = machine.till, machine.world, machine.bench.model.buyback
    native, trader = world.addresses["native"], world.buyers[3]
    wanted = buyback.wanted[IN_NATIVE] * WEI // RATE - till.model.sale.held(native)
    for coin, amount, least in (("native", wanted, 0), ("usd", wanted + 1, 0), ("usd", wanted // 2, wanted)):
        life.no(till.exchange, trader, coin, amount, least)
    life.no(till.exchange, world.stranger, "usd", wanted // 2)
    life.yes(till.exchange, trader, "usd", wanted // 2)  # the pool stays short
    life.no(till.release, "usd")
    machine._pass(3_601)
    life.no(till.exchange, trader, "usd", wanted // 4)
    machine._pass(buyback.settles_at - world.now - 1)
    life.no(till.settle)
    life.no(till.claim, 5)
    life.no(till.sweep)
    machine._pass(1)
    life.once(till.settle)
    assert 0 < buyback.pool[IN_NATIVE] < wanted and buyback.pool[IN_IFX] == 1_000 * WEI + 1
    life.once(till.release, "usd")
    life.no(till.exchange, trader, "usd", wanted // 4)


def claim(machine: Machine, life: Life) -> None:
    """IFX day by day, wrapped native once; what a ban or the end of the claims leaves is the treasury's."""
    till, world, buyback = machine.till, machine.world, machine.bench.model.buyback
    first, second = (world.buyers[at].address for at in (1, 2))
    life.no(till.claim, 5)
    machine._pass(10 * DAY)
    life.once(till.claim, 5)
    life.no(till.take_back, first, 5)
    life.no(till.claim, 10)  # at a rate of ten days ago
    life.yes(till.set_rate, world.governor, RATE * 4 // 5)
    life.once(till.claim, 10)
    life.no(till.claim, 8)
    banned = till.model.licences.items[12].nodes[0]
    life.yes(till.claim, 11)
    life.yes(till.set_status, banned, BANNED)
    machine._pass(LINEAR)
    for id in (11, 12):
        life.no(till.claim, id)
    life.yes(till.take_back, second, 12)
    for id in (5, 6):
        life.once(till.claim, id)
    life.no(till.sweep)
    machine._pass(buyback.settled_at + CLAIM_TERM - world.now)
    life.no(till.claim, 7)
    life.yes(till.sweep)
    life.yes(till.take_back, first, 7)
    treasury = machine.bench.model.sale.treasury
    assert [till.model.licences.items[id].owner for id in (5, 7, 10)] == [treasury, first, treasury]
    machine._pass(LOCK)
    life.yes(till.burn, treasury, 10)
