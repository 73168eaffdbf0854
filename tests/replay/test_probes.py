# SPDX-License-Identifier: Apache-2.0
"""Who is alive: answers to seeds, counted from anchors alone."""

import pytest

from inferix.messages import Message, Probe
from inferix.replay.accounting import accounts_data, epoch_rewards
from inferix.replay.probes import PROBE_PERIOD, PROBE_TERM
from tests.replay.chain import DOMAIN, GENESIS, MANAGER, WORKERS, Chain, key, signed

WORKER = WORKERS[0]


@pytest.fixture
def sealed(chain: Chain) -> Chain:
    """With a seed to answer."""
    chain.anchor()
    return chain


def why_refused(chain: Chain, message: tuple[Message, bytes]) -> str:
    """What the newest anchor has against its only message; nothing where it counts."""
    chain.anchor(message)
    anchor = chain.network.lane(MANAGER).anchors[chain.anchors]
    assert anchor.problem == ""
    return anchor.refused[0].reason if anchor.refused else ""


def answered(chain: Chain) -> dict[int, int]:
    return chain.network.answered.get(0, {})


def test_an_answer_counts_once_an_hour(sealed: Chain) -> None:
    assert why_refused(sealed, sealed.answer(WORKER)) == ""
    assert why_refused(sealed, sealed.answer(WORKER)) == "this node has answered a seed of this hour"
    assert answered(sealed) == {WORKER: 1}
    sealed.wait(PROBE_PERIOD)
    sealed.anchor()
    assert why_refused(sealed, sealed.answer(WORKER)) == ""
    assert answered(sealed) == {WORKER: 2}


def test_a_manager_that_anchors_often_gives_nobody_more_to_answer(sealed: Chain) -> None:
    for _ in range(10):
        sealed.anchor(sealed.answer(WORKER))
    assert answered(sealed) == {WORKER: 1}


def test_an_answer_is_of_a_seed_that_there_is_with_the_nodes_own_key(sealed: Chain) -> None:
    right = Probe(manager=MANAGER, anchor=sealed.anchors, seed=sealed.seed, node=WORKER)
    for changes in ({"seed": bytes(32)}, {"anchor": sealed.anchors + 9}, {"manager": 99}):
        assert why_refused(sealed, signed(right.model_copy(update=changes))) == "no anchor has this seed"
    assert why_refused(sealed, signed(right.model_copy(update={"node": 999}))) == "no such node"
    by_another = (right, right.sign(DOMAIN, key(WORKERS[1])))
    assert why_refused(sealed, by_another) == "not signed by the node's operator"
    assert "signature" in why_refused(sealed, (right, bytes(65)))
    assert why_refused(sealed, signed(right)) == ""


def test_nobody_signs_before_there_is_a_seed(sealed: Chain) -> None:
    """A key that signs ahead for a machine that is off has nothing to sign."""
    early = signed(Probe(manager=MANAGER, anchor=sealed.anchors + 1, seed=bytes(32), node=WORKER))
    sealed.anchor()
    assert why_refused(sealed, early) == "no anchor has this seed"


@pytest.mark.parametrize(("seconds", "reason"), [(0, ""), (1, "this seed was to be answered within the hour")])
def test_an_answer_is_anchored_within_the_term(sealed: Chain, seconds: int, reason: str) -> None:
    message = sealed.answer(WORKER)
    sealed.time = sealed.network.lane(MANAGER).anchors[sealed.anchors].sealed_at + PROBE_TERM + seconds
    sealed.time -= 1  # a block comes first
    assert why_refused(sealed, message) == reason


def test_what_is_answered_is_paid_by_the_epoch_that_it_was_anchored_in(sealed: Chain) -> None:
    sealed.finish(sealed.order())
    sealed.settle()
    last = GENESIS + 259_200 - 30
    sealed.time = last
    sealed.anchor()
    before, after = sealed.answer(WORKERS[0]), sealed.answer(WORKERS[1])
    sealed.anchor(before)
    sealed.time = GENESIS + 259_200
    sealed.anchor(after)
    sealed.close_epoch(10**18)
    epoch = sealed.network.epochs[0]
    assert epoch.record.answered == {WORKERS[0]: 1}
    assert sealed.network.answered == {1: {WORKERS[1]: 1}}
    paid = epoch_rewards(sealed.network, epoch)
    for_capacity = epoch.minted * 30 // 37 * epoch.poc_bps // 10_000
    assert paid.workers[WORKERS[0]] >= for_capacity
    assert {row.node for row in accounts_data(sealed.network, 0).nodes} == {0, *paid.workers, *paid.verifiers, MANAGER}
