# SPDX-License-Identifier: Apache-2.0
"""Fees are burned in a real pair: each call once let through and once refused, whoever trades there in the meantime."""

from inferix.models.roles import Outcome
from tests.contracts.system import DAY, IFX
from tests.stateful.life import Life, Watched
from tests.stateful.machine import Machine
from tests.stateful.model.pool import HALF_HOUR
from tests.stateful.stage import Stage

CALLS = {
    *("pool_market.add_pool", "pool_market.remove_pool", "pool_market.observe", "pool_market.roll", "pool_market.buy"),
    *("market.buy", "market.set_price", "market.withdraw_inventory", "staking.set_market", "fee_burner.set_market"),
    *("fee_burner.collect", "router.swapExactTokensForTokens", "router.addLiquidity", "router.removeLiquidity"),
    "pair.swap",
}
"""What must be let through and, at another time, refused."""


def test_fees_are_burned_in_a_pool_whoever_trades_there(world: Watched) -> None:
    Stage.world = world
    machine = Machine()
    try:
        world.ended.clear()
        pool = Pool(machine, Life(machine, world))
        pool.fees()
        pool.governed()
        pool.burned()
        pool.traded()
        pool.rolled()
        pool.fallen_back()
        for done in (True, False):
            missing = CALLS - {call for call, ended in world.ended if ended is done}
            assert not missing, f"never {'let through' if done else 'refused'}: {sorted(missing)}"
    finally:
        machine.teardown()


class Pool:
    """The chapters; after each act contracts, mirror and model agree."""

    def __init__(self, machine: Machine, life: Life) -> None:
        self.machine, self.life, self.world = machine, life, machine.world
        self.trading, self.model = machine.docket.trading, machine.bench.model
        self.usd = self.world.addresses["usd"]

    @property
    def _waiting(self) -> int:
        return self.model.work.waiting.get(self.usd, 0)

    def fees(self) -> None:
        """Work in each coin becomes final."""
        machine, docket = self.machine, self.machine.docket
        machine.begin(1, 1)
        for client in (0, 1):
            machine._job(client, 10**11, 0, [Outcome.ACCEPTED])
            self.life.yes(docket.settle, self.life.first)
        machine._pass(DAY)
        for batch in docket.live():
            self.life.yes(docket.finalize, batch)

    def governed(self) -> None:
        """Only the governor names markets and pools; a pool that was just added sells nothing, and fees wait."""
        life, trading, stranger = self.life, self.trading, self.world.stranger
        for reader in ("staking", "fee_burner"):
            life.no(trading.set_market, reader, "pool_market", stranger)
            life.yes(trading.set_market, reader, "pool_market")
        life.no(trading.remove_pool, "usd", stranger)
        life.once(trading.remove_pool, "usd")
        life.no(trading.observe, "usd")
        life.no(trading.add_pool, "usd", stranger)
        life.no(trading.add_pool, "cents")
        life.once(trading.add_pool, "usd")
        for coin in ("usd", "cents"):
            life.once(trading.collect, coin)
        assert self._waiting and not self.model.work.burned, "all waits"

    def burned(self) -> None:
        """Its share after half an hour, and again when its interval is over."""
        life, trading = self.life, self.trading
        self.machine._pass(HALF_HOUR - 1)
        life.no(trading.collect, "usd")
        self.machine._pass(1)
        waiting, units = self._waiting, trading.pair.units
        life.once(trading.collect, "usd")
        assert self._waiting == waiting - units * 30 // 10_000 > 0
        life.no(trading.collect, "cents")
        life.once(trading.observe, "usd")
        self.machine._pass(599)
        life.no(trading.collect, "usd")
        self.machine._pass(1)
        life.no(trading.buy, "pool_market", "usd", trading.pair.units * 30 // 10_000 + 1)
        life.no(trading.buy, "pool_market", "usd", 10**4, IFX)
        life.no(trading.buy, "pool_market", "cents", 1)
        life.no(trading.buy, "pool_market", "usd", 10**4, who=self.world.stranger)
        life.once(trading.buy, "pool_market", "usd", 10**4)
        life.once(trading.collect, "usd")

    def traded(self) -> None:
        """Who moves the price stops the burn; who sandwiches it loses; nobody takes what is not paid for."""
        life, trading = self.life, self.trading
        self.machine._pass(600)
        for amount in (10**4, 10**5, 2 * 10**7):
            trading.sandwich(amount)
            self.machine.agrees()
            self.machine._pass(600)
        life.yes(trading.exchange, 10**6, for_ifx=True)
        life.no(trading.collect, "usd")  # 2 % over the mean: less than the least
        life.yes(trading.exchange, 10**7, for_ifx=True)
        life.no(trading.collect, "usd")  # 10 % off: halted
        life.no(trading.exchange, 10**7, 10**24, for_ifx=True)
        life.yes(trading.exchange, 450 * IFX, for_ifx=False)
        life.no(trading.take, 1, 0)
        life.yes(trading.give, "usd", 10**4)
        life.no(trading.take, trading.worth() + 1, 0)
        life.yes(trading.take, trading.worth(), 0)
        for end in (trading.sync, trading.skim):
            life.yes(trading.give, "ifx", IFX)
            life.yes(end)
        life.yes(trading.add, 100 * IFX, 10**9)
        life.no(trading.add, 0, 10**9)
        life.yes(trading.remove, trading.pair.shares.of(trading.trader) // 2)
        life.no(trading.remove, trading.pair.shares.of(trading.trader) + 1)

    def rolled(self) -> None:
        """An epoch's mean, at most a fifth off, prices stakes; without one, the reference does."""
        life, trading, pools, length = self.life, self.trading, self.model.markets.pools, self.model.ground.epoch_length
        life.yes(trading.exchange, 3 * 10**7, for_ifx=True)
        for epochs, observed in ((1, False), (1, True), (1, True), (3, False)):  # the pool was added within the first
            before = pools.price
            self.machine._pass(length * epochs - self.world.now % length)
            life.once(trading.roll)
            assert pools.price == self.model.ground.price
            assert (pools.price > before) is observed
        life.no(trading.collect, "usd")  # observed too long ago, at 7 days
        life.yes(trading.observe, "usd")

    def fallen_back(self) -> None:
        """The reference sells what waits, as long as it has any."""
        life, trading, governor = self.life, self.trading, self.world.governor
        life.yes(trading.set_market, "fee_burner", "market")
        price, inventory = self.model.markets.reference.price, self.model.ground.ifx.of(self.world.addresses["market"])
        life.no(trading.set_price, price * 121 // 100)
        life.no(trading.set_price, price, self.world.stranger)
        life.yes(trading.set_price, price * 120 // 100)
        life.no(trading.withdraw_inventory, inventory, self.world.stranger)
        life.once(trading.withdraw_inventory, inventory, governor)
        life.no(trading.collect, "usd")
        self.world.give_ifx(self.world.addresses["market"], inventory)
        self.model.ground.ifx.move(self.world.foundation, self.world.addresses["market"], inventory)
        life.no(trading.buy, "market", "usd", 0)
        life.yes(trading.buy, "market", "usd", 10**6)
        for coin in ("usd", "cents"):
            life.once(trading.collect, coin)
        assert not self._waiting
