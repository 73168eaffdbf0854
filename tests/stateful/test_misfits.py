# SPDX-License-Identifier: Apache-2.0
"""Batches with a leaf that its order or an anchor contradicts, from the proposal to the jail; and what is right stands."""

from inferix.models.roles import Outcome
from tests.contracts.system import ACTIVE, JAILED
from tests.stateful.docket import VOTES
from tests.stateful.life import Life, Watched
from tests.stateful.misfits import FLAWS, LATER, MISORDERED, UNVOTED
from tests.stateful.model.basics import DAY
from tests.stateful.model.work import CANCELLED, FINAL
from tests.stateful.test_lanes import lived

KINDS = {LATER: LATER, "work": UNVOTED}
HOUR = 3_600


def test_leaves_that_are_not_so_agree_from_the_proposal_to_the_jail(world: Watched) -> None:
    with lived(world) as life:
        life.machine._job(0, 10**10, 0, [Outcome.ACCEPTED])
        life.yes(life.docket.settle, life.first)
        life.machine._pass(DAY)
        life.yes(life.docket.finalize, life.docket.live()[0])
        for flaw in FLAWS:
            convict(life, flaw)


def convict(life: Life, flaw: str) -> None:
    """Wrong papers show nothing, the right ones once; what is proposed then is right."""
    machine, docket, misfits = life.machine, life.docket, life.docket.misfits
    other = next(iter(life.world.mirror.jobs.values())).order
    machine._job(0, 10**10, 0, [Outcome.ACCEPTED])
    batch = misfits.settle(life.first, flaw)
    assert batch is not None
    machine.agrees()
    at, lie = misfits.at[batch.commitment], docket.lies[batch.commitment]
    assert lie == KINDS.get(flaw, MISORDERED)
    if flaw not in ("coin", "lane"):  # of which no leaf is as ordered
        life.no(misfits.show_order, batch, 1 - at)
    life.no(misfits.show_order, batch, at, other=other)
    life.no(misfits.show_order, batch, at, off=1)
    if lie == LATER:
        life.no(misfits.show_order, batch, at)
        life.no(misfits.show_anchor, batch, at, off=1)
        life.no(misfits.show_anchor, batch, at, off=-1)
        life.no(misfits.show_anchor, batch, 1 - at)
        life.once(misfits.show_anchor, batch, at)
    elif lie == MISORDERED:
        life.once(misfits.show_order, batch, at)
    else:
        life.no(misfits.show_order, batch, at)
        docket.convict(batch)
        machine._pass(6 * HOUR + 1)
        life.once(docket.expire, life.model.courts.disputes[batch.commitment, VOTES, at])
    liar = life.model.stakes.nodes[batch.manager]
    assert (batch.status, liar.status, liar.stored) == (CANCELLED, JAILED, JAILED)
    machine.pardon(0 if batch.manager == life.first else 1)
    machine.agrees()
    life.yes(docket.settle, life.first)
    (right,) = docket.live()
    misfits.refute(right, 0)
    misfits.refute(right, 1)
    machine._pass(DAY)
    life.once(docket.finalize, right)
    misfits.refute(right, 1)
    assert right.status == FINAL and liar.status == ACTIVE


def test_a_leaf_of_a_job_that_was_taken_over_is_as_ordered_and_lost_by_its_votes(world: Watched) -> None:
    with lived(world) as life:
        machine, docket, misfits = life.machine, life.docket, life.docket.misfits
        machine._job(0, 10**10, 0, [Outcome.ACCEPTED])
        batch = misfits.settle(life.first, "lane")
        assert batch is not None and batch.manager == life.second
        life.yes(machine.call_out, life.first, life.second)
        world.wait(600)
        (job,), at = world.mirror.jobs, misfits.at[batch.commitment]
        life.once(machine.take_over, job, life.first, life.second)
        life.no(misfits.show_order, batch, at)
        docket.convict(batch)
        machine._pass(6 * HOUR + 1)
        life.once(docket.expire, life.model.courts.disputes[batch.commitment, VOTES, at])
        assert batch.status == CANCELLED and life.model.stakes.nodes[life.second].status == JAILED
