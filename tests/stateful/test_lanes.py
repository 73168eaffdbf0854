# SPDX-License-Identifier: Apache-2.0
"""Orders taken back, jobs taken over, keys that change and sign twice, many nodes paid at once: each with its refusals."""

from collections.abc import Iterator
from contextlib import contextmanager

from inferix.models.roles import Outcome
from inferix.replay.state import JobStatus
from tests.contracts.system import DAY, key
from tests.stateful.docket import VOTES
from tests.stateful.key_rules import FLAWS
from tests.stateful.life import Backed, Life, Watched
from tests.stateful.machine import Machine
from tests.stateful.model.basics import BPS
from tests.stateful.model.stake import BANNED
from tests.stateful.model.work import FINAL
from tests.stateful.stage import Stage

A, R = Outcome.ACCEPTED, Outcome.REJECTED


@contextmanager
def lived(world: Watched) -> Iterator[Life]:
    """Both clients have paid in; everybody leaves in the end."""
    Stage.world = world
    machine = Machine()
    try:
        machine.begin(1, 1)
        yield Life(machine, world)
    finally:
        machine.teardown()


def test_cancelled_orders_agree_before_they_are_posted_and_while_they_run(world: Watched) -> None:
    with lived(world) as life:
        machine, bench, (owner, _), stranger = life.machine, life.machine.bench, world.clients, world.stranger
        machine._job(0, 10**10, 0, [])
        (order,), (job,) = bench.sync().books.orders.values(), world.mirror.jobs.values()
        place, state = (order.account, order.nonce), job.tasks[0]
        bench.floor.deliver(state, R, stop=2)
        life.no(bench.cancel, *place, stranger)
        life.no(bench.cancel, *place, owner, stranger)
        life.no(bench.cancel, 99, order.nonce, owner)
        assert job.status is JobStatus.RUNNING
        life.yes(bench.cancel, *place, stranger, owner)
        life.yes(bench.cancel, *place, owner)
        assert job.status is JobStatus.CANCELLED
        bench.floor.deliver(state, R)
        machine.agrees()
        assert [attempt.outcome for attempt in state.attempts] == [R], "what ran goes on, and nothing else begins"
        assert machine.docket.settle(life.first), "and is settled"
        life.yes(bench.cancel, order.account, bench.nonce + 1, owner)
        machine._job(0, 10**10, 0, [])
        assert list(bench.model.books.orders) == [order.id], "its nonce was taken back before it came"
        machine._job(0, 10**10, 0, [A])
        machine.agrees()
        assert len(bench.model.books.orders) == 2


def test_jobs_agree_from_the_call_to_the_heirs_batch(world: Watched) -> None:
    with lived(world) as life:
        machine, docket, (first, second) = life.machine, life.docket, (life.first, life.second)
        call_out, take_over, deliver = machine.call_out, machine.take_over, machine.bench.floor.deliver
        for _ in range(2):
            machine._job(0, 10**10, 0, [])
        job, other = world.mirror.jobs.values()
        state = job.tasks[0]
        deliver(state, A, stop=1)
        life.no(take_over, job.id, first, second)
        life.no(call_out, first, second, world.stranger)
        life.no(call_out, first, world.workers[0].id)
        life.once(call_out, first, second)
        machine._pass(599)
        life.no(take_over, job.id, first, second)
        machine._pass(1)
        life.no(take_over, job.id, first, first)
        life.no(take_over, job.id, first, second, world.stranger)
        life.once(take_over, job.id, first, second)
        assert state.current is not None
        assert state.current.lane == second
        machine.bench.floor.anchor(first)
        life.no(take_over, other.id, first, second)
        for task in job.tasks:
            deliver(task, A)
        assert not docket.settle(first), "nothing of it is its own"
        life.yes(docket.settle, second)
        (batch,) = docket.live()
        life.once(docket.challenge, batch, VOTES, 0)
        life.once(docket.answer, life.model.courts.disputes[batch.commitment, VOTES, 0])
        machine._pass(DAY)
        life.once(docket.finalize, batch)
        assert (batch.manager, batch.status, len(batch.leaves)) == (second, FINAL, 2)


def test_double_votes_agree_whichever_of_its_keys_the_node_signed_with(world: Watched) -> None:
    with lived(world) as life:
        machine, node, fresh = life.machine, world.verifiers[0], key("fresh operator")
        stake, change, prove = life.model.stakes.nodes[node.id], machine.set_operator, machine.prove_equivocation
        for flaw in FLAWS:
            life.no(prove, node, flaw)
        life.no(change, node, fresh, world.stranger)
        life.once(change, node, fresh, node.owner)
        life.no(change, node, world.verifiers[1].operator, node.owner)
        life.yes(machine.unbond, list(world.nodes).index(node.id), BPS // 2, 0, 1)
        before, total = life.model.ground.ifx.of(world.challenger.address), stake.total
        assert stake.unbonding > 0
        life.once(prove, node, "", (0, 1))
        assert (stake.total, stake.status) == (0, BANNED)
        assert world.read("ifx", "balanceOf", world.challenger.address) == before + total // 10
        life.no(change, node, key("fresher operator"), node.owner)
        life.yes(prove, node, "", (1, 0), 1)


def test_many_claims_at_once_agree_with_one_by_one(world: Watched) -> None:
    with lived(world) as life:
        machine, bench, books = life.machine, life.machine.bench, life.model.books
        earner, _ = Backed(machine, life).epoch()
        voter = next(id for id in sorted(books.newest.nodes if books.newest else {}) if id > earner)
        first = earner >> 2 << 2
        for wrong in ("amount", "proof"):
            life.no(bench.claim_many, [earner, voter], wrong)
        for wrong in ("amount", "left out", "moved"):
            life.no(bench.claim_chunk, first, 2, wrong)
        life.no(bench.claim_chunk, first + 1, 2)
        life.no(bench.claim_chunk, 0, 6)
        assert not books.claimed
        life.yes(bench.claim_chunk, first, 2)
        assert books.claimed[earner] > 0
        life.yes(bench.claim_many, [0, earner, voter, voter])
        assert books.claimed[voter] > 0
        for act, arguments in ((bench.claim_many, ([earner, voter],)), (bench.claim_chunk, (first, 2))):
            life.yes(act, *arguments)
            assert int.from_bytes(bench.returned, "big") == 0, "nobody twice"
