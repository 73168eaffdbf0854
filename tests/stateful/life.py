# SPDX-License-Identifier: Apache-2.0
"""One written life of the network, by the machine's own acts, each with its refusal: what is asserted of it always."""

from collections.abc import Callable
from typing import Any

from inferix.models.roles import CaseStatus, Outcome
from tests.contracts.system import DAY, Node
from tests.stateful.docket import DATA, VOTES
from tests.stateful.machine import Machine
from tests.stateful.model.basics import BPS
from tests.stateful.model.courts import Case
from tests.stateful.model.stake import ACTIVE, FROZEN, JAILED
from tests.stateful.model.work import FINAL, Batch
from tests.stateful.world import Sent, World

HOUR = 3_600
A, R, L = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.LATE


class Watched(World):
    """A world that remembers how each call ended."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, bool]] = []
        super().__init__()

    def send(self, who: Any, name: str, function: str, *arguments: Any) -> Sent:
        """As any transaction."""
        sent = super().send(who, name, function, *arguments)
        self.ended.append((f"{name}.{function}", sent.done))
        return sent


class Life:
    """The chapters; after each act of them contracts, mirror and model agree."""

    def __init__(self, machine: Machine, world: Watched) -> None:
        self.machine, self.world = machine, world
        self.bench, self.docket, self.model = machine.bench, machine.docket, machine.bench.model
        self.first, self.second = (manager.id for manager in world.managers)

    def _end(self, act: Callable[..., Any], *arguments: Any, **changes: Any) -> bool:
        before = len(self.world.ended)
        act(*arguments, **changes)
        self.machine.agrees()
        assert len(self.world.ended) > before, "nothing was sent"
        return self.world.ended[-1][1]

    def yes(self, act: Callable[..., Any], *arguments: Any, **changes: Any) -> None:
        """An act that is let through."""
        assert self._end(act, *arguments, **changes)

    def no(self, act: Callable[..., Any], *arguments: Any, **changes: Any) -> None:
        """One that is refused."""
        assert not self._end(act, *arguments, **changes)

    def once(self, act: Callable[..., Any], *arguments: Any) -> None:
        """One that is let through, and not a second time."""
        self.yes(act, *arguments)
        self.no(act, *arguments)

    # -- the chapters

    def work(self) -> tuple[Case, Case]:
        """Two workers are rejected and frozen, the first unbonds all; others redo the tasks; somebody is late."""
        machine, docket, cases = self.machine, self.docket, self.model.courts.cases
        for client in (0, 1):
            machine._job(client, 10**10, 0, [R])
            self.no(docket.settle, self.first, sequence=9)
            self.yes(docket.settle, self.first)
            batch, index, leaf = docket.leaves(R)[client]
            self.once(docket.freeze, batch, index)
            assert self.model.stakes.nodes[leaf.node].status == FROZEN
            if client == 0:
                place = list(self.world.nodes).index(leaf.node)
                self.no(machine.unbond, place, BPS, 0, 0)
                self.yes(machine.unbond, place, BPS, 0, 1)
                self.no(machine.unbond, place, BPS, 1, 1)
                self.no(machine.withdraw_stake, 0, 1)
        for outcome in (A, A):
            for state in machine._open():
                self.bench.floor.deliver(state, outcome)
        machine._job(0, 10**10, 0, [L, A, A])
        while docket.settle(self.first):
            machine.agrees()
        one, other = cases.values()
        return one, other

    def disputes(self) -> None:
        """What an honest manager is asked it answers; a lie has no answer, and its manager goes to jail."""
        docket, asked = self.docket, self.model.courts.disputes
        honest = docket.live()[0]
        self.once(docket.challenge, honest, VOTES, 0)
        self.once(docket.challenge, honest, DATA, 0, self.world.verifiers[0].id)
        self.yes(docket.settle, self.second, "votes", 10**12)
        self.no(docket.settle, self.second, "votes", 10**12)  # over half of its bond, with the one before
        lie = docket.live()[-1]
        self.yes(docket.challenge, lie, VOTES, 0)
        for kind in (VOTES, DATA):
            self.once(docket.answer, asked[honest.commitment, kind, 0])
        self.no(docket.expire, asked[lie.commitment, VOTES, 0])
        self.machine._pass(6 * HOUR + 1)
        self.once(docket.expire, asked[lie.commitment, VOTES, 0])
        assert self.model.stakes.nodes[self.second].status == JAILED

    def requests(self) -> None:
        """One is cancelled, one stays."""
        account, (request, cancel) = self.model.credit.accounts[1], (self.machine.request, self.machine.cancel_request)
        self.no(request, 0, 100, 0, 0)
        self.yes(request, 0, 100, 0, 1)
        self.no(cancel, 0, 0)
        self.once(cancel, 0, 1)
        self.yes(request, 0, 100, 0, 1)
        self.no(request, 0, BPS, 1, 1)
        assert account.requested == account.credit // 100

    def settle(self, cases: tuple[Case, Case]) -> None:
        """Batches become final; who was late is fined; both who were rejected are charged."""
        docket = self.docket
        late, index, _ = docket.leaves(L)[0]
        redone = [next(x for x in docket.leaves(A) if x[2].task == case.leaf.task)[:2] for case in cases]
        batches = docket.live()
        self.no(docket.finalize, batches[0])
        self.no(docket.late, late, index)
        self.no(docket.redone, cases[0], *redone[0])
        self.no(self.machine.collect, "usd")
        self.machine._pass(DAY)
        for batch in batches:
            self.once(docket.finalize, batch)
        assert all(batch.status == FINAL for batch in batches)
        self.no(docket.late, *redone[0])
        self.fine(late, index)
        self.no(docket.redone, cases[0], *redone[1])
        for case, other in zip(cases, redone, strict=True):
            self.once(docket.redone, case, *other)

    def fine(self, late: Batch, index: int) -> None:
        """Who was late has unbonded half: the two parts pay alike."""
        node = self.model.stakes.nodes[late.leaves[index].node]
        self.yes(self.machine.unbond, list(self.world.nodes).index(node.id), BPS // 2, 0, 1)
        unbonding, total = node.unbonding, node.total
        self.once(self.docket.late, late, index)
        fine = self.model.stakes.required(node) // 100
        left = self.world.read("staking", "unbonding", node.id)
        assert fine > 0 and left == unbonding - fine * unbonding // total < unbonding

    def appeal(self, case: Case) -> None:
        """A panel hears the second, and lets it go."""
        docket, send, owner = self.docket, self.world.send, self.world.nodes[case.leaf.node].owner
        self.no(docket.appeal, case, self.world.stranger)
        self.no(docket.execute, case)
        self.once(docket.appeal, case, owner)
        self.no(send, self.world.stranger, "panels", "seat", case.id, [], [])
        docket.seat(case)
        self.no(send, self.world.stranger, "panels", "seal", case.id)
        self.no(docket.resolve, case)
        for node in case.seats:
            self.yes(docket.vote, case, node, False)
            self.no(docket.vote, case, node, True)
        self.once(docket.resolve, case)
        assert case.status == CaseStatus.CLEARED and self.model.stakes.nodes[case.leaf.node].status == ACTIVE

    def books(self) -> None:
        """Fees are burned, epochs closed, books posted; managers, workers and a client are paid."""
        machine, bench, work = self.machine, self.bench, self.model.work
        self.no(machine.close_epoch)
        self.no(machine.claim_manager, 0, "usd")
        self.no(machine.pay_foundation, "fee_burner", "usd")
        for coin in ("usd", "cents"):
            self.once(machine.collect, coin)
        self.once(machine.pay_foundation, "fee_burner", "usd")
        self.once(machine.claim_manager, 0, "usd")
        machine._pass(3 * DAY)
        self.once(machine.close_epoch)
        assert work.epochs[0].minted and work.epochs[0].pooled
        self.no(bench.post_books, self.world.verifiers[0].id, 0)
        self.once(bench.post_books, self.first, 0)
        self.no(bench.finalize_books)
        machine._pass(DAY)
        self.once(bench.finalize_books)
        for leaf in {leaf.node for _, _, leaf in self.docket.leaves(A)}:
            self.once(bench.claim, leaf)
        self.once(bench.withdraw, 1)

    def slash(self, case: Case) -> None:
        """Who had unbonded all pays out of that; the rest is free after its time."""
        node, owner = self.model.stakes.nodes[case.leaf.node], self.world.nodes[case.leaf.node].owner.address
        read = self.world.read
        left = read("staking", "unbonding", node.id) - case.amount
        assert node.bonded == 0 and case.amount == self.model.stakes.required(node) // 5 > 0
        self.no(self.docket.execute, case)
        self.machine._pass(7 * DAY)
        self.once(self.docket.execute, case)
        assert case.status == CaseStatus.SLASHED and read("staking", "unbonding", node.id) == left
        self.no(self.machine.withdraw_stake, 0, 1)
        self.machine._pass(self.model.ground.parameters["unbonding"])
        before = read("ifx", "balanceOf", owner)
        place = [each.id for each in self.model.stakes.nodes.values() if each.unbonding].index(node.id)
        self.no(self.machine.withdraw_stake, place, 0)
        self.yes(self.machine.withdraw_stake, place, 1)
        assert read("ifx", "balanceOf", owner) == before + left
        self.once(self.machine.withdraw_stake, 0, 1)  # who was late; then nobody is left


class Backed:
    """Delegators' calls, as a life makes them."""

    def __init__(self, machine: Machine, life: Life) -> None:
        self.machine, self.life, self.bench = machine, life, machine.bench
        self.books, self.stranger = self.bench.model.delegations, life.world.stranger

    def open(self, node: Node) -> bool:
        """A node takes delegations."""
        owner = node.owner.address
        ask = lambda: self.books.set_limit(owner, node.id, 10**24)  # noqa: E731
        return self.bench.both(owner, ask, "delegation", "set_limit", node.id, 10**24)

    def delegate(self, who: str, node: int, amount: int) -> bool:
        """Wei of IFX behind a node."""
        ask = lambda: self.books.delegate(who, node, amount)  # noqa: E731
        return self.bench.both(who, ask, "delegation", "delegate", node, amount)

    def undelegate(self, who: str, node: int, shares: int) -> bool:
        """These shares are on their way out."""
        ask = lambda: self.books.undelegate(who, node, shares)  # noqa: E731
        return self.bench.both(who, ask, "delegation", "undelegate", node, shares)

    def withdraw(self, exit: int) -> bool:
        """What an exit is worth, once it is out."""
        return self.bench.both(self.stranger, lambda: self.books.withdraw(exit), "delegation", "withdraw", exit)

    def claim(self, node: int, who: str) -> bool:
        """What a delegator earned."""
        ask = lambda: self.books.claim(node, who)  # noqa: E731
        return self.bench.both(self.stranger, ask, "delegation", "claim", node, who)

    def epoch(self) -> tuple[int, int]:
        """(who delivered, who was late and is fined): an epoch with final books that pays the first."""
        machine, docket, life = self.machine, self.machine.docket, self.life
        machine._job(0, 10**10, 0, [L, A, A])
        while docket.settle(life.first):
            machine.agrees()
        machine._pass(DAY)
        for batch in docket.live():
            life.yes(docket.finalize, batch)
        late, index, fined = docket.leaves(L)[0]
        life.once(docket.late, late, index)
        life.once(machine.collect, "usd")
        machine._pass(3 * DAY)
        life.once(machine.close_epoch)
        life.once(self.bench.post_books, life.first, 0)
        machine._pass(DAY)
        life.once(self.bench.finalize_books)
        return docket.leaves(A)[0][2].node, fined.node
