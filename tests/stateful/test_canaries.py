# SPDX-License-Identifier: Apache-2.0
"""Attempts whose receipts commit to a canary or none: opened, or not; what of them is charged, and shown when asked for."""

from inferix.models.roles import Outcome
from tests.contracts.system import DAY
from tests.stateful.docket import VOTES
from tests.stateful.floor import Canary
from tests.stateful.life import Watched
from tests.stateful.model.work import FINAL
from tests.stateful.test_lanes import lived

A, R, V = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.VOID


def test_canaries_agree_whatever_the_receipt_says_and_whether_it_is_opened(world: Watched) -> None:
    with lived(world) as life:
        machine, docket, deliver = life.machine, life.docket, life.machine.bench.floor.deliver
        machine._job(0, 10**10, 0, [])
        first, second = next(iter(world.mirror.jobs.values())).tasks
        deliver(first, A, canary=Canary.BAD)
        deliver(first, R, canary=Canary.KEPT)
        deliver(first, A, canary=Canary.WORK)
        deliver(second, A, canary=Canary.KEPT)
        deliver(second, A, stop=3, canary=Canary.WORK)
        deliver(second, A)
        machine.agrees()
        assert [attempt.outcome for attempt in first.attempts] == [V, R, A]
        assert [attempt.outcome for attempt in second.attempts] == [V, A]
        assert first.attempts[0].missed and not first.attempts[2].missed, "who accepted it did not look"
        life.yes(docket.settle, life.first)
        (batch,) = docket.live()
        asked = [at for at, leaf in enumerate(batch.leaves) if leaf.outcome is not V]
        assert [leaf.charge > 0 for leaf in batch.leaves] == [leaf.outcome is A for leaf in batch.leaves]
        for at in range(len(batch.leaves)):
            (life.yes if at in asked else life.no)(docket.challenge, batch, VOTES, at)
        for at in asked:
            life.once(docket.answer, life.model.courts.disputes[batch.commitment, VOTES, at])
        machine._pass(DAY)
        life.once(docket.finalize, batch)
        assert batch.status == FINAL
