# SPDX-License-Identifier: Apache-2.0
"""Orders, attempts, batches and lies; disputes and cases."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from inferix.models.roles import CaseStatus, Outcome
from tests.contracts.system import ACTIVE
from tests.stateful.docket import LIES
from tests.stateful.floor import Canary, Posted
from tests.stateful.model.basics import BPS, DAY
from tests.stateful.stage import COINS, PICK, Stage
from tests.stateful.way_out import keep_up

OUTCOMES = st.sampled_from([*[Outcome.ACCEPTED] * 4, Outcome.REJECTED, Outcome.REJECTED, Outcome.LATE, Outcome.VOID])
POSTED = st.sampled_from([*[Posted.NOT] * 4, Posted.LATE, Posted.NEVER])
CANARIES = st.sampled_from([*[Canary.NOT] * 2, Canary.WORK, Canary.WORK, Canary.BAD, Canary.KEPT])
A, R, L, V = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.LATE, Outcome.VOID
COURSES = st.sampled_from([[A, A], [R, A, A], [R, R], [L, A, A], [R, L, A], [V, A], [A, R, A]])  # of a job's attempts
JOB = st.tuples(st.integers(0, 1), st.integers(10**9, 3 * 10**12), st.integers(0, 1), COURSES)


class WorkRules(Stage):
    """Honest work with real signatures, and proposers that invent some."""

    @precondition(lambda self: self.bench.model.credit.accounts)
    @rule(
        client=st.integers(0, 1),
        coin=COINS,
        frames=st.integers(1, 2),
        work=st.sampled_from([10**9, 10**10 + 1, 10**12, 3 * 10**13]),
        cap=st.sampled_from([0, 9_999, BPS, 2 * BPS]),
        terms=st.tuples(st.integers(0, 1), st.sampled_from([16 * 10**6, 20 * 10**6 + 7]), st.integers(1, 3)),
        days=st.sampled_from([1, 5, 29]),
        forged=st.integers(0, 9),
    )
    def order(
        self,
        client: int,
        coin: str,
        frames: int,
        work: int,
        cap: int,
        terms: tuple[int, int, int],
        days: int,
        forged: int,
    ) -> None:
        manager, price, attempts = terms
        tasks = [work] * frames + [-(-work // 10)]
        fees = sum(max(10**7, -(-task * price // 10**9)) for task in tasks)
        terms_ = {
            "manager": manager,
            "price": price,
            "attempts": attempts,
            "frames": frames,
            "work": work,
            "days": days,
        }
        signer = self.world.stranger if forged == 9 else None
        self.bench.order(client, coin, terms_ | {"cap": fees * cap // BPS}, signer)

    @precondition(lambda self: self.bench.model.credit.accounts)
    @rule(pick=PICK, ahead=st.sampled_from([0, 0, 0, 1]), by=PICK, is_signed=st.booleans())
    def cancel(self, pick: int, ahead: int, by: int, is_signed: bool) -> None:
        """Orders that run, are over or are yet to come; by their client, or somebody else."""
        accounts, running = self.bench.model.credit.accounts, list(self.bench.sync().books.orders.values())
        running = [order for order in running if not order.ended_at] or running
        known = self._of(running, pick) if running and not ahead else None
        id, nonce = (known.account, known.nonce) if known else (self._of(list(accounts), pick), self.bench.nonce + 1)
        owner = self.docket.owner_of(accounts[id])
        who = self.world.stranger if by % 4 == 0 else owner
        carrier = self._of([self.world.stranger, owner], by)
        self.bench.cancel(id, nonce, *((carrier, who) if is_signed else (who,)))

    @precondition(lambda self: self._open())
    @rule(
        pick=PICK,
        outcome=OUTCOMES,
        times=st.integers(1, 3),
        stop=st.sampled_from([9, 9, 9, 2, 3]),
        posted=POSTED,
        canary=CANARIES,
    )
    def deliver(self, pick: int, outcome: Outcome, times: int, stop: int, posted: Posted, canary: Canary) -> None:
        for at in range(times):
            if self._open():
                self.bench.floor.deliver(self._of(self._open(), pick + at), outcome, stop, posted, canary)

    @rule(
        jobs=st.lists(JOB, min_size=1, max_size=3), days=st.integers(0, 3), accused=st.booleans(), asked=st.booleans()
    )
    def busy_days(self, jobs: list[tuple[int, int, int, list[Outcome]]], days: int, accused: bool, asked: bool) -> None:
        """Jobs from order to batch, then days in which everybody does what is due; rejected workers are accused."""
        for client, work, manager, outcomes in jobs:
            self._job(client, work, manager, outcomes)
        for manager in self.world.managers:
            self.docket.settle(manager.id)
        for batch in self.docket.live() if asked else []:
            if batch.is_honest and self.docket.challenge(batch, 1, 0, self.world.verifiers[days].id if accused else 0):
                self.docket.answer(self.bench.model.courts.disputes[batch.commitment, 1, 0])
        if accused:
            for batch, index, leaf in self.docket.leaves(Outcome.REJECTED, Outcome.LATE):
                (self.docket.freeze if leaf.outcome is Outcome.REJECTED else self.docket.late)(batch, index)
        for _ in range(days):
            self._pass(DAY)
            keep_up(self.bench, self.docket)

    def _job(self, client: int, work: int, manager: int, outcomes: list[Outcome]) -> None:
        coin, price = ("usd", "cents")[client], 20_000_000
        before = set(self.world.mirror.jobs)
        fees = max(2 * 10**7, sum(-(-task * price // 10**9) for task in (work, -(-work // 10))))
        terms = {"manager": manager, "price": price, "attempts": 3, "frames": 1, "work": work, "days": 5}
        self.bench.order(client, coin, terms | {"cap": fees})
        for job in set(self.world.mirror.jobs) - before:
            for outcome in outcomes:
                for state in self.world.mirror.jobs[job].tasks:
                    self.bench.floor.deliver(state, outcome)

    @precondition(lambda self: self.docket.cases(CaseStatus.FROZEN, CaseStatus.SLASHABLE, CaseStatus.APPEALED))
    @rule(appealed=st.booleans(), seated=st.booleans(), votes=st.lists(st.booleans(), max_size=2), upheld=st.booleans())
    def session(self, appealed: bool, seated: bool, votes: list[bool], upheld: bool) -> None:
        """All cases go on as far as they can: charged or cleared, appealed or not, heard, decided, executed."""
        for case in self.docket.cases(CaseStatus.FROZEN):
            self.docket.go_on(case)
        for case in self.docket.cases(CaseStatus.SLASHABLE) if appealed else []:
            self.docket.appeal(case, self.world.nodes[case.leaf.node].owner)
        for case in self.docket.cases(CaseStatus.APPEALED):
            if seated and not case.seated_at:
                self.docket.seat(case)
            for node, vote in zip(case.seats, votes, strict=False):
                self.docket.vote(case, node, vote)
        self._pass(DAY + 1)
        for case in self.docket.cases(CaseStatus.APPEALED):
            self.docket.resolve(case)
        for case in self.docket.cases(CaseStatus.APPEALED):
            self.docket.decide(case, upheld)
        self._pass(6 * DAY)
        for case in self.docket.cases(CaseStatus.SLASHABLE):
            self.docket.execute(case)

    @rule(pick=PICK)
    def pardon(self, pick: int) -> None:
        """The governor lets a manager out of jail; what it lost is staked again."""
        node = self.bench.sync().stakes.nodes[self.world.managers[pick % 2].id]
        ask = lambda: self.bench.model.licences.set_status(node, ACTIVE)  # noqa: E731
        self.bench.both(self.world.governor, ask, "registry", "set_status", node.id, ACTIVE)
        amount = 2 * self.bench.model.stakes.required(node)
        self.world.give_ifx(node.owner, amount)
        self.bench.model.ground.ifx.move(self.world.foundation, node.owner, amount)
        ask = lambda: self.bench.model.stakes.stake(node.owner, node.id, amount)  # noqa: E731
        self.bench.both(node.owner, ask, "staking", "stake", node.id, amount)

    @rule(pick=PICK, changes=st.sampled_from([{}] * 6 + [{"sequence": 7}, {"previous": b"\1" * 32}]))
    def settle(self, pick: int, changes: dict[str, Any]) -> None:
        self.docket.settle(self.world.managers[pick % 2].id, **changes)

    @rule(pick=PICK, lie=st.sampled_from(LIES), charge=st.sampled_from([0, 1, 10**9, 10**12]))
    def lie(self, pick: int, lie: str, charge: int) -> None:
        self.docket.settle(self.world.managers[pick % 2].id, lie, charge)

    @precondition(lambda self: self.docket.live())
    @rule(pick=PICK)
    def finalize(self, pick: int) -> None:
        batch = self._of(self.docket.live(), pick)
        if batch.is_honest:
            self.docket.finalize(batch)
        else:
            self.docket.convict(batch)

    @precondition(lambda self: self.docket.live())
    @rule(pick=PICK, kind=st.integers(1, 2), index=PICK, bond=PICK, answered=st.booleans())
    def challenge(self, pick: int, kind: int, index: int, bond: int, answered: bool) -> None:
        batch = self._of(self.docket.live(), pick)
        node = self._node(bond).id if bond % 2 else 0
        place = index % len(batch.leaves) if kind == 1 else 0
        if self.docket.challenge(batch, kind, place, node) and answered:
            self.docket.answer(self.bench.model.courts.disputes[batch.commitment, kind, place])

    @precondition(lambda self: self.docket.open_disputes())
    @rule(pick=PICK, answered=st.booleans())
    def dispute(self, pick: int, answered: bool) -> None:
        dispute = self._of(self.docket.open_disputes(), pick)
        (self.docket.answer if answered else self.docket.expire)(dispute)

    # -- cases

    @rule(pick=PICK, late=st.booleans())
    def accuse(self, pick: int, late: bool) -> None:
        found = self.docket.leaves(Outcome.LATE if late else Outcome.REJECTED)
        if found:
            batch, index, _ = self._of(found, pick)
            (self.docket.late if late else self.docket.freeze)(batch, index)

    @precondition(lambda self: self.bench.model.courts.cases)
    @rule(pick=PICK, other=PICK, how=st.sampled_from(["redone", "clear", "execute", "resolve", "note", "strike_out"]))
    def go_on(self, pick: int, other: int, how: str) -> None:
        case = self._of(list(self.bench.model.courts.cases.values()), pick)
        leaves = self.docket.leaves(Outcome.ACCEPTED, Outcome.REJECTED, Outcome.CLIENT_FAULT)
        same = [item for item in leaves if item[2].task == case.leaf.task] or leaves
        if how != "redone":
            getattr(self.docket, how)(case)
        elif same:
            self.docket.redone(case, *self._of(same, other)[:2])

    @precondition(lambda self: self.docket.cases(CaseStatus.SLASHABLE))
    @rule(pick=PICK, by=PICK)
    def appeal(self, pick: int, by: int) -> None:
        case = self._of(self.docket.cases(CaseStatus.SLASHABLE), pick)
        self.docket.appeal(case, self.world.nodes[case.leaf.node].owner if by else self.world.stranger)

    @precondition(lambda self: self.docket.cases(CaseStatus.APPEALED))
    @rule(pick=PICK, votes=st.lists(st.booleans(), max_size=2))
    def hear(self, pick: int, votes: list[bool]) -> None:
        case = self._of(self.docket.cases(CaseStatus.APPEALED), pick)
        if not case.seated_at:
            self.docket.seat(case)
        for node, upheld in zip(case.seats, votes, strict=False):
            self.docket.vote(case, node, upheld)

    @precondition(lambda self: self.docket.cases(CaseStatus.APPEALED))
    @rule(pick=PICK, upheld=st.booleans())
    def decide(self, pick: int, upheld: bool) -> None:
        self.docket.decide(self._of(self.docket.cases(CaseStatus.APPEALED), pick), upheld)
