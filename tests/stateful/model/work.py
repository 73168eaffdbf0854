# SPDX-License-Identifier: Apache-2.0
"""Batches and what becomes final, epochs and what is minted, fees and what is burned."""

from dataclasses import dataclass, field

from inferix import economy
from inferix.models.anchor import BatchLeaf
from inferix.models.job import case_id
from inferix.models.roles import Outcome
from inferix.units import NanoUsd
from tests.stateful.model.basics import BPS, WEI, Ground, need
from tests.stateful.model.credit import Credit
from tests.stateful.model.pool import Markets
from tests.stateful.model.stake import ACTIVE, BANNED, Fine, Node, Stakes

PROPOSED, FINAL, CANCELLED = 1, 2, 3
BUDGET = economy.BUDGET
LEASES = 128  # added to the coin of a batch of leases
DIVIDING = ("balance_claims", "fee_burner", "leases")  # which keep a part of coins for the foundation
LOOK = 3_600  # how long a look at a manager's bond is good for [s]


@dataclass
class Batch:
    """A proposed batch. ``proposed_at``: protocol time; ``epoch``: in which it became final."""

    commitment: bytes
    manager: int
    sequence: int
    coin: int
    charge: int
    work: int
    leaves: list[BatchLeaf]
    proposed_at: int
    proposed_when: int
    is_honest: bool
    status: int = PROPOSED
    disputes: int = 0
    epoch: int = -1
    final_when: int = 0
    fell_when: int = 0
    voids: dict[int, int] = field(default_factory=dict)  # places of void leaves, and when they were voided
    is_fined: bool = False  # its manager was, for what it alone says

    @property
    def standing(self) -> list[BatchLeaf]:
        """The leaves that count."""
        return [leaf for at, leaf in enumerate(self.leaves) if at not in self.voids]

    @property
    def voided(self) -> tuple[int, int]:
        """Charge and work of those that do not."""
        void = [self.leaves[at] for at in self.voids]
        return sum(leaf.charge for leaf in void), sum(leaf.work for leaf in void)

    def is_void(self, leaf: BatchLeaf) -> bool:
        """Whether one of its leaves counts no more."""
        return bool(self.voids) and self.leaves.index(leaf) in self.voids

    @property
    def is_alone(self) -> bool:
        """Of one leaf, proposed by Escape, outside its lane's order."""
        return self.sequence == 0


@dataclass
class Lane:
    """A manager's live batches, oldest first; the limit of what they may charge, and when it was looked at."""

    batches: list[Batch] = field(default_factory=list)
    limit: int = 0
    looked_at: int = 0

    @property
    def waiting(self) -> list[Batch]:
        """Proposed, not final."""
        return [batch for batch in self.batches if batch.status == PROPOSED]


@dataclass
class Epoch:
    """A closed epoch: nano-IBM, nano-USD, wei; the governed numbers that share out its mint. ``pooled``: out of the
    penalty pool; ``fines``: the slashes that are in it; ``reputation``: of workers, per mille."""

    work: int
    charge: int
    burned: int
    minted: int
    pooled: int
    fines: list[Fine]
    reputation: dict[int, int]
    parameters: dict[str, int]

    @property
    def rewards(self) -> int:
        """What Accounts got for it."""
        return self.minted + self.pooled


@dataclass
class Work:
    """All lanes, epochs and fees."""

    ground: Ground
    credit: Credit
    stakes: Stakes
    markets: Markets
    lanes: dict[int, Lane] = field(default_factory=dict)
    batches: dict[bytes, Batch] = field(default_factory=dict)
    epochs: list[Epoch] = field(default_factory=list)
    burned: int = 0
    collected: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    unpaid: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)  # to be burned
    spent: dict[str, int] = field(default_factory=dict)
    given: dict[str, int] = field(default_factory=dict)  # kept for the foundation by the burner, paid or not
    due: dict[tuple[str, str], int] = field(default_factory=dict)  # the foundation's, not yet paid, by place and coin
    paid: dict[tuple[int, str], int] = field(default_factory=dict)
    foundation: str = ""
    treasury: str = ""
    paid_leases: set[bytes] = field(default_factory=set)  # by task
    paid_by: dict[int, int] = field(default_factory=dict)  # charges of leases, by account
    cleared: set[bytes] = field(default_factory=set)  # cases that came to nothing
    restored: dict[int, list[tuple[int, bytes]]] = field(
        default_factory=dict
    )  # by epoch: who won an appeal, and of which task

    def lane(self, manager: int) -> Lane:
        """A manager's lane."""
        return self.lanes.setdefault(manager, Lane())

    def final(self, epoch: int | None = None) -> list[Batch]:
        """Final batches, of one epoch or of all."""
        found = [batch for batch in self.batches.values() if batch.status == FINAL]
        return [batch for batch in found if epoch is None or batch.epoch == epoch]

    def leases(self) -> list[tuple[Batch, BatchLeaf]]:
        """Of batches that have not fallen."""
        standing = [batch for batch in self.batches.values() if batch.status != CANCELLED and batch.is_honest]
        return [(b, leaf) for b in standing for leaf in b.standing if leaf.outcome is Outcome.LEASED]

    def propose(self, batch: Batch, previous: bytes) -> None:
        """At the end of its lane, within half of the bond as it was looked at."""
        need(not self.ground.clock.paused, "paused")
        node = self.stakes.nodes[batch.manager]
        need(node.status == ACTIVE, "not active")
        lane = self.lane(batch.manager)
        limit, looked_at = lane.limit, lane.looked_at
        if self.ground.clock.now >= looked_at + LOOK:
            need(self.stakes.is_bonded(node), "not bonded")
            limit, looked_at = self._limit(node), self.ground.clock.now
        need(batch.sequence == len(lane.batches) + 1, "not the next of its lane")
        need(previous == (lane.batches[-1].commitment if lane.batches else bytes(32)), "wrong previous batch")
        need(batch.commitment not in self.batches, "proposed before")
        need(batch.coin < LEASES or not batch.work, "work among leases")
        need(sum(each.charge for each in lane.waiting) + batch.charge <= limit, "over half the bond")
        lane.limit, lane.looked_at = limit, looked_at
        node.holds += not lane.waiting
        lane.batches.append(batch)
        self.batches[batch.commitment] = batch

    def finalize(self, batch: Batch) -> None:
        """In the lane's order, its window over, no dispute open."""
        lane = self.lane(batch.manager)
        is_next = batch.is_alone or batch in lane.waiting[:1]
        need(batch.status == PROPOSED and is_next, "not the oldest open one")
        need(not batch.disputes, "dispute open")
        need(self.ground.clock.protocol >= batch.proposed_at + self.ground.parameters["batch_window"], "window")
        batch.status, batch.epoch, batch.final_when = FINAL, self.ground.epoch, self.ground.clock.now
        self.stakes.nodes[batch.manager].holds -= not batch.is_alone and not lane.waiting

    def cancel(self, batch: Batch) -> None:
        """It falls with all later ones of its lane; one that stands alone, alone."""
        need(batch.status == PROPOSED, "not proposed")
        if batch.is_alone:
            batch.status, batch.fell_when = CANCELLED, self.ground.clock.now
            return
        lane = self.lane(batch.manager)
        for fallen in lane.batches[batch.sequence - 1 :]:
            fallen.status, fallen.fell_when = CANCELLED, self.ground.clock.now
        del lane.batches[batch.sequence - 1 :]
        self.stakes.nodes[batch.manager].holds -= not lane.waiting

    def close_epoch(self) -> int:
        """The oldest open one, once it is over; mints the lesser of an even share and what fees paid for."""
        index = len(self.epochs)
        need(not self.ground.clock.paused, "paused")
        need(self.ground.clock.now >= self.ground.epoch_end(index), "not over")
        batches, parameters = self.final(index), self.ground.parameters
        work = sum(b.work - b.voided[1] for b in batches)
        charge = sum(b.charge - b.voided[0] for b in batches)
        burned = self.burned - sum(epoch.burned for epoch in self.epochs) if work else 0
        minted = economy.emission(index, work, burned, sum(epoch.minted for epoch in self.epochs), parameters)
        pool, accounts = self.ground.own["penalty_pool"], self.ground.own["accounts"]
        pooled = self.ground.ifx.of(pool) if work else 0
        fines, self.stakes.fines = (self.stakes.fines, []) if pooled else ([], self.stakes.fines)
        self.epochs.append(
            Epoch(work, charge, burned, minted, pooled, fines, self._reputation(index), dict(parameters))
        )
        self.ground.ifx.move(pool, accounts, pooled)
        self.ground.ifx.mint(self.ground.own["accounts"], minted)
        self.ground.minted += minted
        return minted

    def _reputation(self, epoch: int) -> dict[int, int]:
        """Half of it is a gift, the other half the share of good outcomes in ten epochs."""
        seen: dict[int, list[bool]] = {}
        for batch in self.final():
            for leaf in batch.standing if epoch - 10 < batch.epoch <= epoch else []:
                if leaf.outcome is Outcome.ACCEPTED:
                    seen.setdefault(leaf.node, []).append(True)
                elif leaf.outcome not in (Outcome.REJECTED, Outcome.LATE):
                    continue
                elif case_id(leaf.task, leaf.attempt) not in self.cleared:
                    seen.setdefault(leaf.node, []).append(False)
        return {node: 500 + 500 * sum(good) // len(good) for node, good in seen.items()}

    def final_charge(self, coin: int, manager: int | None = None) -> int:
        """Cumulative, of a coin, of all lanes or of one."""
        return sum(b.charge - b.voided[0] for b in self.final() if b.coin == coin and manager in (None, b.manager))

    def collect(self, address: str) -> int:
        """Takes final charges of a coin, burns what the market sells for what waits, keeps the managers' part; wei burned."""
        coin, market, parameters = self.credit.coins[address], self.markets.of_burner, self.ground.parameters
        burner = self.ground.own["fee_burner"]
        due = coin.units(min(self.final_charge(coin.index) - coin.released, coin.pool))
        split, (offered, price) = economy.split_fee(due, parameters), market.offer(burner, address)
        waiting = self.waiting.get(address, 0) + split.burn
        spent = min(waiting, offered)
        need(due or spent, "nothing to collect, or nothing sold")
        need(price or not spent, "no price")
        least = economy.least_purchase(spent, coin.scale, NanoUsd(price), parameters) if spent else 0
        need(not spent or market.check(burner, address, spent, least), "nothing bought")
        self.credit.release(coin, self.final_charge(coin.index))
        self.keep("fee_burner", address, split.foundation)
        bought = market.buy(burner, address, spent, least) if spent else 0
        self.ground.ifx.burn(burner, bought)
        self.burned += bought
        self.waiting[address] = waiting - spent
        books = ((self.collected, due), (self.kept, split.managers), (self.unpaid, split.managers))
        for book, amount in (*books, (self.spent, spent), (self.given, split.foundation)):
            book[address] = book.get(address, 0) + amount
        self.markets.tell()
        return bought

    def pay_lease(self, batch: Batch, leaf: BatchLeaf, *, is_signed: bool) -> None:
        """A lease that is final and that its client signed: to the owner of the machine and kept for the foundation, once."""
        need(batch.coin >= LEASES and batch.status == FINAL, "not final, or no lease")
        need(not batch.is_void(leaf), "leaf void")
        need(leaf.task not in self.paid_leases, "paid before")
        need(is_signed, "not signed by the client")
        coin = self.credit.coins[self.credit.accounts[leaf.account].coin]
        need(coin.index + LEASES == batch.coin, "another coin")
        account = self.credit.accounts[leaf.account]
        spent = self.paid_by.get(account.id, 0) + leaf.charge
        need(spent <= account.credit, "over the account's credit")
        self.paid_by[account.id] = spent
        charged = self.final_charge(batch.coin)
        kept = leaf.charge * self.ground.parameters["lease_fee_bps"] // BPS
        self.credit.release_lease(coin, self.stakes.nodes[leaf.node].owner, leaf.charge - kept, charged)
        self.keep("leases", coin.address, self.credit.release_lease(coin, self.ground.own["leases"], kept, charged))
        self.paid_leases.add(leaf.task)

    def keep(self, place: str, address: str, units: int) -> None:
        """What a contract has is the foundation's."""
        self.due[place, address] = self.due.get((place, address), 0) + units

    def pay_foundation(self, place: str, address: str) -> int:
        """All that is the foundation's in one place and coin; units."""
        units = self.due.pop((place, address), 0)
        need(units, "nothing due")
        self.ground.coins[address].move(self.ground.own[place], self.foundation, units)
        return units

    def claim_manager(self, manager: int, address: str) -> int:
        """A lane's part of what was kept, as its final charges are of what was collected; units."""
        node, coin = self.stakes.nodes[manager], self.credit.coins[address]
        need(node.stored != BANNED, "banned")
        need(self.collected.get(address), "nothing collected")
        charged = coin.units(self.final_charge(coin.index, manager))
        earned = charged * self.kept[address] // self.collected[address]
        amount = min(earned - self.paid.get((manager, address), 0), self.unpaid[address])
        need(amount > 0, "nothing to claim")
        self.paid[manager, address] = self.paid.get((manager, address), 0) + amount
        self.unpaid[address] -= amount
        self.ground.coins[address].move(self.ground.own["fee_burner"], node.owner, amount)
        return amount

    def _limit(self, node: Node) -> int:
        return (node.bonded - node.frozen) * self.ground.price // WEI // 2
