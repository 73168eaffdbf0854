# SPDX-License-Identifier: Apache-2.0
"""One scenario, epoch by epoch: orders, work, fees, trades, the close, claims, stakes."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from deploy.plan import COMMUNITY_AT_TGE, SHARES, VESTED
from inferix.economy import VESTING, moved_price, vested
from inferix.units import NANO_PER_IBM, NANO_PER_USD, WEI_PER_IFX, NanoIbm, NanoUsd, Wei, fee_of
from simulator.book import NANO_PER_UNIT, SCALE, Book
from simulator.fleet import HONEST, WASHING, assign, capacity, make_fleet
from simulator.issuance import Closed, Issuance
from simulator.markets import Market, Pool, ReferenceMarket, pieces
from simulator.misconduct import Misconduct
from simulator.paths import Paths
from simulator.rewards import Rewards
from simulator.settings import PPM, Job, Scenario
from simulator.stakes import Stakes
from simulator.whales import Whales


@dataclass(frozen=True)
class Row:
    """An epoch's figures: nano-USD, nano-IBM, wei, machines; ``ibme``: parts per million; ``price``: at its end;
    ``under``: machines whose stake the price took under 80 % of what is required, which is then topped up."""

    epoch: int
    demand: int
    fees: int
    unserved: int
    uncollected: int
    work: int
    ibme: int
    burned: int
    minted: int
    pooled: int
    supply: int
    total_burned: int
    total_minted: int
    price: int
    mean_price: int
    machines: int
    speed: int
    reward_per_ib_day: int
    worth_per_ib_day: int
    slashed: int = 0
    staked: int = 0
    topped_up: int = 0
    under: int = 0


@dataclass
class World:
    """The whole of it. Nobody's money is outside ``book``."""

    scenario: Scenario
    name: str
    seed: int
    job: Job
    machine: str
    book: Book = field(default_factory=Book)
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rules = self.scenario.governed
        self.paths = Paths(self.seed, self.name, self.rules["epoch_length"])
        self._freed: dict[str, int] = {}
        self._allocate()
        self.market = self._market()
        self.issuance = Issuance(self.book, self.market, self.rules)
        self.groups = make_fleet(self.scenario, self.machine)
        self.stakes = Stakes(self.book, self.market, self.rules, self.scenario, self.groups)
        self.rewards = Rewards(self.book, self.market, self.rules, self.scenario, self.groups)
        self.misconduct = Misconduct(self.book, self.rules, self.job, self.scenario.colluding)
        self.whales = Whales(self.book, self.market, self.rules, self.scenario.whale)
        self.mean = NanoUsd(self.scenario.ifx_price)
        self.stakes.open(self.mean)

    def run(self, epochs: int) -> Iterator[Row]:
        """So many epochs. Raises Imbalance when money is not conserved."""
        for _ in range(epochs):
            self.rows.append(self._step())
            self.book.check()
            yield self.rows[-1]

    # -- the start

    def _allocate(self) -> None:
        for share, amount in SHARES.items():
            self.book.allocate(share, amount * WEI_PER_IFX)
        self.book.ifx.move("community", "holders", COMMUNITY_AT_TGE * WEI_PER_IFX)
        self._unlock(0)

    def _market(self) -> Market:
        scenario, price = self.scenario, NanoUsd(self.scenario.ifx_price)
        if scenario.market == "reference":
            self.book.ifx.move("ecosystem", "market", scenario.inventory_ifx * WEI_PER_IFX)
            return ReferenceMarket(self.book, price)
        wanted = scenario.pool_ifx * WEI_PER_IFX
        listed = min(wanted, self.book.ifx.of("liquidity"))
        self.book.ifx.move("liquidity", "pool", listed)
        self.book.ifx.move("ecosystem", "pool", wanted - listed)
        self.book.usd.create("pool", scenario.pool_ifx * price * SCALE // 10**9)
        return Pool(self.book)

    def _unlock(self, elapsed: int) -> int:
        """What vesting has freed since the last time goes to whom it belongs; wei."""
        freed = 0
        for share in VESTED:
            total = vested(Wei(SHARES[share] * WEI_PER_IFX), VESTING[share], elapsed)
            now = total - self._freed.get(share, 0)
            self._freed[share] = total
            self.book.ifx.move(share, "treasury" if share == "foundation" else "holders", now)
            freed += now
        return freed

    # -- an epoch

    def _step(self) -> Row:
        epoch, opening = self.issuance.epoch, self.market.price()
        end = (epoch + 1) * self.rules["epoch_length"]
        demand = self.paths.demand(epoch, self.scenario.demand)
        work = self._work(demand)
        fees = self._bill(work)
        lost = self.misconduct.punish(self.groups, work, self.mean)
        self._trade(epoch)
        self._sell_unlocked(self._unlock(end))
        self.whales.act(epoch)
        closed = self.issuance.close_epoch()
        self.rewards.pay(closed, work, self.market.price(), end)
        self.rewards.claim(end)
        self.mean = moved_price(self.mean, NanoUsd((opening + self.market.price()) // 2))
        row = self._row(closed, demand, fees)
        topped, under = self.stakes.turn(epoch, self.mean, self.rewards)
        return replace(row, slashed=lost, staked=self.book.ifx.of("staking"), topped_up=topped, under=under)

    def _row(self, closed: Closed, demand: NanoUsd, fees: NanoUsd) -> Row:
        """The epoch before anybody comes or goes."""
        honest = [group for group in self.groups if group.behaviour == HONEST]
        reward, worth = self.rewards.per_ib_day(honest)
        speed = sum(group.speed for group in self.groups)
        return Row(
            epoch=self.issuance.epoch - 1,
            demand=demand,
            fees=fees,
            unserved=max(0, demand + self.scenario.washing_usd * NANO_PER_USD - fees),
            uncollected=self.issuance.charged - self.issuance.released,
            work=closed.work,
            ibme=closed.work * PPM // max(1, capacity(speed, self.rules)),
            burned=closed.burned,
            minted=closed.minted,
            pooled=closed.pooled,
            supply=self.book.ifx.supply,
            total_burned=self.book.burned,
            total_minted=self.book.minted,
            price=self.market.price(),
            mean_price=self.mean,
            machines=sum(group.count for group in self.groups),
            speed=speed,
            reward_per_ib_day=reward,
            worth_per_ib_day=worth,
        )

    def _work(self, demand: NanoUsd) -> dict[str, int]:
        """Nano-IBM by group; the washer's machines do what it orders itself."""
        wanted = NanoIbm(demand * NANO_PER_IBM // self.scenario.work_price)
        work = assign(self.groups, wanted, self.rules)
        work = self.misconduct.redo(self.groups, work)
        for group in self.groups:
            if group.behaviour == WASHING:
                own = self.scenario.washing_usd * 10**18 // self.scenario.work_price
                work[group.name] = min(own, capacity(group.speed, self.rules))
        return work

    def _bill(self, work: dict[str, int]) -> NanoUsd:
        """Clients pay in what the work costs; batches become final, and each batch's fees are burned; nano-USD."""
        price, fees = NanoUsd(self.scenario.work_price), 0
        for group in self.groups:
            fee = fee_of(NanoIbm(work[group.name]), price)
            group.cost += self.misconduct.cost(group, work[group.name])
            group.fees_paid += fee if group.behaviour == WASHING else 0
            fees += fee
        due = self.issuance.charged + fees - self.issuance.released
        self.book.usd.create("ifx_dollar", max(0, -(-due // NANO_PER_UNIT) - self.book.usd.of("ifx_dollar")))
        left, total = fees, sum(work.values())
        count = pieces(fees // NANO_PER_UNIT, self.market)
        for at in range(count):
            part = left // (count - at)
            left -= part
            self.issuance.settle(NanoUsd(part), NanoIbm(total if at == 0 else 0))
            self.issuance.collect()
        return NanoUsd(fees)

    def _trade(self, epoch: int) -> None:
        if not isinstance(self.market, Pool):
            return
        units = self.paths.trades(epoch, self.scenario.trades) * self.book.usd.of("pool") // PPM
        if units > 0:
            self.book.usd.create("holders", units)
            self.market.buy("holders", units)
        elif units < 0:
            wei = -units * NANO_PER_UNIT * WEI_PER_IFX // self.market.price()
            self.market.sell("holders", Wei(min(wei, self.book.ifx.of("holders"))))

    def _sell_unlocked(self, freed: int) -> None:
        amount = min(freed * self.scenario.unlocked_sold // PPM, self.book.ifx.of("holders"))
        self.market.sell("holders", Wei(amount))
