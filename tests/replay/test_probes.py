# SPDX-License-Identifier: Apache-2.0
"""Who is alive: answers to seeds, counted from anchors alone."""

from hashlib import sha256

import pytest

from inferix.messages import ANCHORED, Message, Probe
from inferix.models.roles import NodeStatus, RootKind
from inferix.replay import Network, apply
from inferix.replay.accounting import accounts_data, epoch_rewards
from inferix.replay.later import MESSAGE_KINDS, look_ahead
from inferix.replay.probes import ANSWERED, OVER, PROBE_PERIOD, PROBE_TERM, due
from inferix.replay.state import RootName
from inferix.trees import anchor_root
from keepers.chunks import shelf
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
    """By licence, which is the node's id here."""
    return chain.network.present[0].hours


def test_an_answer_counts_once_an_hour(sealed: Chain) -> None:
    assert why_refused(sealed, sealed.answer(WORKER)) == ""
    assert why_refused(sealed, sealed.answer(WORKER)) == ANSWERED
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


@pytest.mark.parametrize(("seconds", "reason"), [(0, ""), (1, OVER)])
def test_an_answer_is_anchored_within_the_term(sealed: Chain, seconds: int, reason: str) -> None:
    message = sealed.answer(WORKER)
    sealed.time = sealed.network.lane(MANAGER).anchors[sealed.anchors].sealed_at + PROBE_TERM + seconds
    sealed.time -= 1  # a block comes first
    assert why_refused(sealed, message) == reason


def test_what_is_answered_is_paid_by_the_epoch_that_it_was_anchored_in(sealed: Chain) -> None:
    sealed.finish(sealed.order())
    sealed.settle()
    last = GENESIS + 259_200 - 30
    sealed.time = last - PROBE_PERIOD
    sealed.anchor()
    sealed.anchor(sealed.answer(WORKERS[0]))
    sealed.time = last
    sealed.anchor()
    before, after = sealed.answer(WORKERS[0]), sealed.answer(WORKERS[1])
    sealed.anchor(before)
    sealed.time = GENESIS + 259_200
    sealed.anchor(after)
    sealed.close_epoch(10**18)
    epoch = sealed.network.epochs[0]
    assert epoch.record.presence.hours == {WORKERS[0]: 1}, "the last hour is not asked"
    assert epoch.record.presence.capacity == {WORKERS[0]: 12_000}
    assert (sealed.network.present[1].hours, sealed.network.present[1].capacity) == ({}, {WORKERS[1]: 6_000})
    paid = epoch_rewards(sealed.network, epoch)
    for_capacity = epoch.minted * 30 // 37 * epoch.poc_bps // 10_000
    assert paid.workers[WORKERS[0]] >= for_capacity
    assert {row.node for row in accounts_data(sealed.network, 0).nodes} == {0, *paid.workers, *paid.verifiers, MANAGER}


@pytest.mark.parametrize("status", [NodeStatus.RETIRED, NodeStatus.JAILED, NodeStatus.BANNED])
def test_who_was_judged_or_has_left_is_not_there(sealed: Chain, status: NodeStatus) -> None:
    sealed.emit("StatusChanged", node=WORKER, status=int(status))
    assert due(sealed.network, sealed.network.nodes[WORKER]) is None
    assert why_refused(sealed, sealed.answer(WORKER)) == f"it is {status.name.lower()}"
    sealed.emit("StatusChanged", node=WORKER, status=int(NodeStatus.FROZEN))
    assert why_refused(sealed, sealed.answer(WORKER)) == "", "who is accused is there"
    assert sealed.network.present[0].capacity == {}, "and cannot be drawn"


def test_attack_a_speed_without_stake_earns_nothing_by_answering(sealed: Chain) -> None:
    """A friend attests any speed to a machine that nobody stands for."""
    sealed.emit("Qualified", node=WORKER, qualified=False)
    sealed.emit("BenchmarkAttested", node=WORKER, manager=MANAGER, ib=2**32 - 1, device_class=bytes(32))
    assert why_refused(sealed, sealed.answer(WORKER)) == ""
    assert (sealed.network.present[0].capacity, answered(sealed)) == ({}, {WORKER: 1})


def test_attack_a_speed_raised_at_the_end_counts_for_its_own_hours(sealed: Chain) -> None:
    sealed.anchor(sealed.answer(WORKER))
    sealed.wait(PROBE_PERIOD)
    sealed.emit("BenchmarkAttested", node=WORKER, manager=MANAGER, ib=9_000, device_class=bytes(32))
    assert sealed.network.present[0].capacity == {WORKER: 6_000}
    sealed.anchor()
    sealed.anchor(sealed.answer(WORKER))
    assert sealed.network.present[0].capacity == {WORKER: 15_000}


def test_an_hour_is_asked_until_it_is_answered_though_another_has_begun(sealed: Chain) -> None:
    """Whoever seals around the full hour takes no hour from anybody."""
    node = sealed.network.nodes[WORKER]
    first = sealed.answer(WORKER)
    sealed.time = GENESIS + PROBE_PERIOD + 1
    sealed.anchor()
    asked = due(sealed.network, node)
    assert asked is not None
    assert (asked[1].anchor, asked[1].seed) == (1, first[0].seed)  # type: ignore[attr-defined]
    sealed.anchor(first)
    asked = due(sealed.network, node)
    assert asked is not None
    assert asked[1].anchor > 1
    sealed.anchor(sealed.answer(WORKER))
    assert due(sealed.network, node) is None
    assert answered(sealed) == {WORKER: 2}


def test_what_is_sealed_in_the_last_hour_of_an_epoch_need_not_be_answered(sealed: Chain) -> None:
    before = len(sealed.network.present[0].asked)
    sealed.time = GENESIS + 259_200 - PROBE_TERM - 9
    sealed.anchor()
    assert len(sealed.network.present[0].asked) == before + 1
    sealed.time = GENESIS + 259_200 - PROBE_TERM + 9
    sealed.anchor()
    assert len(sealed.network.present[0].asked) == before + 1


def test_regression_a_chunk_of_an_anchor_with_probes_can_be_shown(sealed: Chain) -> None:
    """A kind that Availability did not know had no answer: anybody could have had such an anchor cancelled."""
    assert set(MESSAGE_KINDS.values()) == set(ANCHORED)
    sealed.anchor(sealed.answer(WORKER))
    anchor = sealed.network.lane(MANAGER).anchors[sealed.anchors]
    found = shelf(sealed.network, RootName(RootKind.ANCHOR, MANAGER, anchor.index, anchor.root))
    assert [place["kind"] for place in found.places] == [5]


def test_regression_what_was_shown_on_chain_counts_though_its_document_is_false(sealed: Chain) -> None:
    """Hidden, answered on chain, then shown as other bytes: accounts that counted it would have become false."""
    message, signature = sealed.answer(WORKER)
    bytes_of_nothing = b"no document"
    digest = sha256(bytes_of_nothing).digest()
    sealed.anchors += 1
    where = {"manager": MANAGER, "index": sealed.anchors}
    sealed.emit("Anchored", **where, root=anchor_root([message.digest(DOMAIN)]), data=digest)
    posted = [{"kind": 5, "body": message.body(), "signature": signature}]
    sealed.emit("MessagesPosted", **where, chunk=0, chunks=1, messages=posted)
    assert sealed.network.is_stale
    for documents in (sealed.documents, {**sealed.documents, digest: bytes_of_nothing}):
        again = Network(DOMAIN, GENESIS, documents, look_ahead(sealed.events))
        for event in sealed.events:
            apply(again, event)
        assert again.lane(MANAGER).anchors[sealed.anchors].problem == ""
        assert again.present[0].hours == {WORKER: 1}
        apply(again, sealed.events[-1])
        assert not again.is_stale
