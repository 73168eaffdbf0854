# SPDX-License-Identifier: Apache-2.0
"""Epochs, fees, books and claims; what governor and guardian may do; time."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.contracts.system import ACTIVE, BANNED, JAILED
from tests.stateful.model.basics import DAY
from tests.stateful.model.work import DIVIDING
from tests.stateful.stage import COINS, PICK, Stage
from tests.stateful.way_out import keep_up
from tests.stateful.world import parameter

TIMES = st.sampled_from([1, 600, 3_600, 6 * 3_600 + 1, DAY, DAY, 3 * DAY, 7 * DAY + 1, 14 * DAY, 41 * DAY, 90 * DAY])
GOVERNED = {
    "pool_withdrawal_floor": (1_000 * 10**9, 5_000 * 10**9),
    "pool_withdrawal_bps": (1_000, 2_000, 10_000),
    "matured_bps": (0, 2_500, 10_000),
    "worker_vesting": (30 * DAY, 180 * DAY, 365 * DAY),
    "mint_multiple_bps": (0, 10_000, 30_000),
    "burn_bps": (5_000, 8_000),
    "manager_fee_bps": (50, 200),
    "lease_fee_bps": (0, 500, 1_000),
    "slash_failed_bps": (0, 2_000, 10_000),
    "dispute_bond": (10**9, 50 * 10**9),
    "root_bond": (10**9, 500 * 10**9),
    "claim_horizon": (DAY, 60 * DAY),
    "unbonding": (60 * DAY, 365 * DAY),
    "accounts_window": (3_600, 86_400),
    "buyback_bps": (5_000, 6_000, 10_000),
}


class EpochRules(Stage):
    """Cranks that anybody turns, early or in time."""

    @rule()
    def close_epoch(self) -> None:
        model = self.bench.model
        self.bench.both(self.world.stranger, model.work.close_epoch, "burn_mint_work", "close_epoch")

    @rule(coin=COINS)
    def collect(self, coin: str) -> None:
        address = self.world.addresses[coin]
        ask = lambda: self.bench.model.work.collect(address)  # noqa: E731
        self.bench.both(self.world.stranger, ask, "fee_burner", "collect", address)

    @rule(pick=PICK, coin=COINS)
    def claim_manager(self, pick: int, coin: str) -> None:
        manager, address = self.world.managers[pick % 2].id, self.world.addresses[coin]
        ask = lambda: self.bench.model.work.claim_manager(manager, address)  # noqa: E731
        self.bench.both(self.world.stranger, ask, "fee_burner", "claim_manager", manager, address)

    @rule(place=st.sampled_from(DIVIDING), coin=COINS)
    def pay_foundation(self, place: str, coin: str) -> None:
        address = self.world.addresses[coin]
        ask = lambda: self.bench.model.work.pay_foundation(place, address)  # noqa: E731
        self.bench.both(self.world.stranger, ask, place, "pay_foundation", address)

    @precondition(lambda self: self.bench.model.work.epochs)
    @rule(poster=PICK, back=st.integers(0, 2), more=st.sampled_from([0, 0, 0, 1]))
    def post_books(self, poster: int, back: int, more: int) -> None:
        epoch = max(0, len(self.bench.model.work.epochs) - 1 - back)
        id = self._node(poster).id if poster % 3 == 0 else self.world.managers[poster % 2].id
        self.bench.post_books(id, epoch, more)

    @rule()
    def finalize_books(self) -> None:
        self.bench.finalize_books()

    @precondition(lambda self: self.bench.model.books.newest)
    @rule(pick=PICK, times=st.integers(1, 2))
    def claim(self, pick: int, times: int) -> None:
        for _ in range(times):
            self.bench.claim(pick % (len(self.world.nodes) + 1))

    @precondition(lambda self: self.bench.model.books.newest)
    @rule(picks=st.lists(PICK, max_size=6), wrong=st.sampled_from(["", "", "", "amount", "proof"]))
    def claim_many(self, picks: list[int], wrong: str) -> None:
        """Whoever has nothing to get, or is frozen, is passed over; one leaf that is wrong spoils all."""
        self.bench.claim_many([pick % (len(self.bench.model.stakes.nodes) + 1) for pick in picks], wrong)

    @precondition(lambda self: self.bench.model.books.newest)
    @rule(
        pick=PICK,
        height=st.integers(0, 5),
        off=st.sampled_from([0, 0, 0, 0, 1]),
        wrong=st.sampled_from(["", "", "", "amount", "left out", "moved"]),
    )
    def claim_chunk(self, pick: int, height: int, off: int, wrong: str) -> None:
        """Neighbours, also those without a leaf and one place off."""
        first = pick % (len(self.bench.model.stakes.nodes) + 1) >> height << height
        self.bench.claim_chunk(first + off, height, wrong)

    @rule(seconds=TIMES, more=st.integers(0, 12))
    def wait(self, seconds: int, more: int) -> None:
        self._pass(seconds + more)

    @rule(days=st.integers(1, 4))
    def keep_up(self, days: int) -> None:
        for _ in range(days):
            self._pass(DAY)
            keep_up(self.bench, self.docket)

    @rule(name=st.sampled_from(sorted(GOVERNED)), pick=PICK)
    def govern(self, name: str, pick: int) -> None:
        value = self._of(GOVERNED[name], pick)
        ask = lambda: self.bench.model.ground.set(name, value)  # noqa: E731
        self.bench.both(self.world.governor, ask, "parameters", "set", parameter(name), value)

    @rule(length=st.sampled_from([3_600, 259_200]))
    def epochs_keep_their_length(self, length: int) -> None:
        arguments = (parameter("epoch_length"), length)
        assert not self.world.send(self.world.governor, "parameters", "set", *arguments).done

    @rule(pick=PICK, status=st.sampled_from([ACTIVE, ACTIVE, ACTIVE, JAILED, BANNED]))
    def set_status(self, pick: int, status: int) -> None:
        node = self.bench.model.stakes.nodes[self._node(pick).id]
        ask = lambda: self.bench.model.licences.set_status(node, status)  # noqa: E731
        self.bench.both(self.world.governor, ask, "registry", "set_status", node.id, status)

    @rule(factor=st.sampled_from([79, 80, 95, 100, 120, 121]))
    def set_price(self, factor: int) -> None:
        market = self.bench.model.markets.reference
        self.docket.trading.set_price(market.price * factor // 100)

    @rule(on=st.booleans(), by=PICK, guardian=PICK)
    def pause(self, on: bool, by: int, guardian: int) -> None:
        """By the guardian, now and then a new one; by the governor, the guardian before it, and whoever else tries."""
        world, now = self.world, self.bench.model.ground.guardian
        if guardian % 4 == 0:
            self.set_guardian(self._of([world.governor, world.governor, now, world.stranger], by), guardian)
        now = self.bench.model.ground.guardian
        self.pause_all(on, self._of([now, now, now, world.guardian, world.governor, world.stranger.address], by))

    def pause_all(self, on: bool, who: str) -> bool:
        """Or end it."""
        ground, function = self.bench.model.ground, "pause" if on else "resume"
        ask = lambda: getattr(ground, function)(who)  # noqa: E731
        return self.bench.both(who, ask, "parameters", function)

    def set_guardian(self, who: Any, pick: int) -> bool:
        """One of the network's people."""
        people = [self.world.guardian, self.world.challenger.address, self.world.verifiers[0].owner.address]
        guardian, who = self._of(people, pick // 4), str(getattr(who, "address", who))
        ask = lambda: self.bench.model.ground.set_guardian(who, guardian)  # noqa: E731
        return self.bench.both(who, ask, "parameters", "set_guardian", guardian)

    @rule()
    def post_rosters(self) -> None:
        for kind in self.world.post_rosters():
            self.bench.model.roots.replace(kind)
