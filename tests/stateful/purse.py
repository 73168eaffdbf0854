# SPDX-License-Identifier: Apache-2.0
"""Acts about IFX that waits for its owners: schedules, and the community's fund."""

import warnings
from typing import Any

from tests.stateful.bench import Bench
from tests.stateful.chamber import DATA, tree
from tests.stateful.model.governance import CANCELED, DEFEATED, EXECUTED, EXPIRED, GRACE
from tests.stateful.model.vesting import Airdrop
from tests.stateful.model.whole import Model

OWN, ANOTHERS, CUT, NONE = "own", "another's", "cut", "none"
PROOFS = (OWN, OWN, OWN, ANOTHERS, CUT, NONE)
OVER = (CANCELED, DEFEATED, EXECUTED, EXPIRED)


class Purse:
    """Each act on contracts and model at once; true where both let it through."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.world = bench, bench.world

    # -- vesting

    def create(self, who: Any, share: int, people: list[str], amounts: list[int]) -> bool:
        """Schedules of wei."""
        ask = lambda: self.bench.model.vesting.create(who.address, share, people, amounts)  # noqa: E731
        with warnings.catch_warnings():
            # titanoboa takes a minimal proxy for the contract behind it.
            warnings.filterwarnings("ignore", message="casted bytecode")
            return self.bench.both(who, ask, "vesting", "create", share, people, amounts)

    def claim(self, id: int) -> bool:
        """Anybody; twice brings no more than once."""

        def paid(model: Model, times: int) -> int:
            before = model.vesting.schedules[id].claimed if id in model.vesting.schedules else 0
            for _ in range(times):
                if id not in model.vesting.schedules or model.vesting.free(model.vesting.schedules[id]):
                    model.vesting.claim(id)
            return model.vesting.schedules[id].claimed - before

        self.bench.parts(lambda m: paid(m, 1), lambda m: paid(m, 2))
        ask = lambda: self.bench.model.vesting.claim(id)  # noqa: E731
        return self.bench.both(self.world.stranger, ask, "vesting", "claim", id)

    def delegate(self, who: Any, id: int, to: str) -> bool:
        """The beneficiary, of a wallet's votes."""
        ask = lambda: self.bench.model.vesting.delegate(who.address, id, to)  # noqa: E731
        return self.bench.both(who, ask, "vesting", "delegate", id, to)

    def hand_over(self, who: Any, id: int, to: str) -> bool:
        """Proposes the next beneficiary."""
        ask = lambda: self.bench.model.vesting.propose(who.address, id, to)  # noqa: E731
        return self.bench.both(who, ask, "vesting", "propose_beneficiary", id, to)

    def take_over(self, who: Any, id: int) -> bool:
        """The next beneficiary."""
        ask = lambda: self.bench.model.vesting.accept(who.address, id)  # noqa: E731
        return self.bench.both(who, ask, "vesting", "accept_beneficiary", id)

    # -- the fund

    def grant(self, who: Any, to: str, amount: int) -> bool:
        """Wei."""
        ask = lambda: self.bench.model.governance.fund.grant(getattr(who, "address", who), to, amount)  # noqa: E731
        return self.bench.both(who, ask, "community_fund", "grant", to, amount)

    def open(self, who: Any, rows: tuple[tuple[str, int], ...], amount: int, until: int) -> bool:
        """An airdrop to these accounts."""
        fund = self.bench.model.governance.fund
        ask = lambda: fund.open(getattr(who, "address", who), rows, amount, until)  # noqa: E731
        return self.bench.both(who, ask, "community_fund", "open_airdrop", tree(rows).root, DATA, amount, until)

    def collect(self, id: int, row: int, proof: str = OWN, more: int = 0, account: str = "") -> bool:
        """A row of an airdrop's list is paid; with another's proof, another amount, or to another account."""
        fund = self.bench.model.governance.fund
        airdrop = fund.airdrops.get(id, Airdrop(((self.world.stranger.address, 1),) * 2, 0, 0, 0))
        row, listed = row % len(airdrop.rows), tree(airdrop.rows)
        who, amount = account or airdrop.rows[row][0], airdrop.rows[row][1] + more
        shown = listed.proof(row if proof != ANOTHERS else (row + 1) % len(airdrop.rows))
        shown = {CUT: shown[:-1], NONE: []}.get(proof, shown)
        is_proven = proof == OWN and (who, amount) == airdrop.rows[row]
        ask = lambda: fund.claim(id, who, amount, is_proven=is_proven)  # noqa: E731
        return self.bench.both(self.world.stranger, ask, "community_fund", "claim", id, who, amount, shown)

    def sweep(self, id: int) -> bool:
        """Anybody."""
        ask = lambda: self.bench.model.governance.fund.sweep(id)  # noqa: E731
        return self.bench.both(self.world.stranger, ask, "community_fund", "sweep", id)


def leave(bench: Bench) -> None:
    """The last schedule is over: every wei is its owner's; no airdrop holds any; each proposal has come to an end."""
    purse, world, model = Purse(bench), bench.world, bench.model
    ends = [model.vesting.boundaries(schedule.share)[2] for schedule in model.vesting.schedules.values()]
    ends += [airdrop.until for airdrop in model.governance.fund.airdrops.values()]
    ends += [max(item.deadline, item.eta) + GRACE for item in model.governance.proposals.values()]
    world.wait(max(0, max(ends, default=0) - world.now))
    bench.sync()
    for id, schedule in model.vesting.schedules.items():
        is_owed = schedule.claimed < schedule.amount
        assert purse.claim(id) is is_owed, f"schedule {id} is stuck"
        assert schedule.claimed == schedule.amount
    for id, airdrop in model.governance.fund.airdrops.items():
        is_left = airdrop.left > 0
        assert purse.sweep(id) is is_left
    assert model.governance.fund.reserved == 0
    assert all(model.governance.state(item) in OVER for item in model.governance.proposals.values())
