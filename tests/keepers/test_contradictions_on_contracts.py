# SPDX-License-Identifier: Apache-2.0
"""A missed canary on the contracts, from the vote to its end: keeper and panel's member as they are."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from inferix.audit import Audit
from inferix.models.objection import VoteClaim
from inferix.models.roles import NodeStatus, ObjectionStatus, Outcome
from inferix.replay import Network
from inferix.storage.documents import document_cid
from keepers.contradictions import MISSED, Contradictions, SignedVote
from tests.contracts.system import block_hash
from tests.contracts.work.network import mine
from tests.keepers.live import Live
from tests.keepers.test_hearings_on_contracts import Honest, by_replay, forget_what_is_hidden, found, small

__all__ = ["small"]  # the fixture


class Watching(Honest):
    """A manager that watches for votes that missed a canary; here the first of each attempt is one."""

    def __init__(self, live: Live, folder: Path, stake: bool = True) -> None:
        super().__init__(live, live.other_keeper, folder)
        self.keeper = Contradictions(self.desk, self.contracts, stake, first_votes)  # type: ignore[assignment]

    def cycle(self) -> None:
        mine()  # so that the hashes of blocks, which seeds are made of, are known here too
        super().cycle()

    def heard(self) -> Mapping[bytes, Any]:
        return self.live.network.contradictions


def first_votes(network: Network) -> Iterable[SignedVote]:
    attempts = [attempt for state in network.tasks.values() for attempt in state.attempts if attempt.votes]
    return [min(attempt.votes.items())[1] for attempt in attempts]


def verdicts(live: Live) -> list[str]:
    """What a stranger's audit finds false of panels."""
    report = Audit(Network(live.domain, live.genesis, live.documents), block_hash).run(live.events())
    assert report.checked["verdicts"] >= 8
    return [problem for problem in report.problems if problem.startswith("verdicts")]


@pytest.fixture
def settled(small: Live) -> Live:
    """A final batch with an accepted task."""
    small.run(small.state(small.order()))
    batch = small.settle_ready()
    small.wait(small.window("batch_window"))
    small.batches.finalize(tuple(batch.header.values()))
    small.follow()
    forget_what_is_hidden(small.network)
    return small


def test_a_verifier_that_passed_a_canary_is_judged_and_pays(settled: Live, tmp_path: Path) -> None:
    ((vote, _),) = first_votes(settled.network)
    stake = settled.staking.bonded(vote.node)
    watching = Watching(settled, tmp_path)
    watching.cycle()
    (opened,) = settled.network.contradictions.values()
    assert (opened.vote, opened.node, settled.staking.holds(vote.node)) == (vote, settled.other_keeper.id, 1)
    said = VoteClaim.decode(watching.desk.store.get_block(document_cid(opened.reason)), opened.reason)
    assert (said.vote, said.says) == (opened.id, MISSED)
    ended = watching.hear(by_replay(found(Outcome.REJECTED)))
    assert (ended.status, list(ended.votes.values())) == (ObjectionStatus.UPHELD, [True])
    assert stake - settled.staking.bonded(vote.node) == opened.share + settled.bond()
    assert settled.network.nodes[vote.node].status is NodeStatus.JAILED
    assert settled.staking.frozen(settled.other_keeper.id) == 0, "the bond is back"
    assert not set(ended.seats) & set(settled.network.tasks[vote.task].attempts[0].votes)
    watching.cycle()
    assert len(settled.network.contradictions) == 1
    assert verdicts(settled) == []


@pytest.mark.parametrize("again", [Outcome.ACCEPTED, Outcome.VOID])
def test_whose_tiles_were_fine_or_cannot_be_told_keeps_all(settled: Live, tmp_path: Path, again: Outcome) -> None:
    ((vote, _),) = first_votes(settled.network)
    stake, bond = settled.staking.bonded(vote.node), settled.staking.bonded(settled.other_keeper.id)
    watching = Watching(settled, tmp_path)
    watching.cycle()
    ended = watching.hear(by_replay(found(again)))
    assert (ended.status, list(ended.votes.values())) == (ObjectionStatus.REJECTED, [False])
    assert (settled.staking.bonded(vote.node), settled.staking.holds(vote.node)) == (stake, 0)
    assert bond - settled.staking.bonded(settled.other_keeper.id) == settled.bond()
    assert verdicts(settled) == []


def test_a_manager_that_puts_up_no_bond_contradicts_nobody(settled: Live, tmp_path: Path) -> None:
    Watching(settled, tmp_path, stake=False).cycle()
    assert not settled.network.contradictions
