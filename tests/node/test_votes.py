# SPDX-License-Identifier: Apache-2.0
"""What a verifier signs about what it found, once, and shows when it is asked; the same in panels."""

import logging

import pytest

from inferix.messages import PanelVote, Vote, VoteCommitment
from inferix.models.result import Measurement
from inferix.models.roles import Outcome
from inferix.models.work import PanelDuty, Reveal, Verify
from inferix.storage.cid import Cid, Codec
from node.engines import EngineSettings
from node.signer import AlreadySigned
from tests.node.delivery import Delivery, other_seed, remove, voted
from tests.node.network import START, Network
from tests.node.noise_engine import NoiseEngine
from tests.node.running import Node, Start

# -- votes


def test_vote__restarted_before_reveal__shows_the_same_vote_and_no_second(
    network: Network, start: Start, delivery: Delivery
) -> None:
    first = start(9, "verifier")
    item = delivery.frames().verify(first)
    first.run(item)
    first.kill()
    second = start(9, "verifier", NoiseEngine(EngineSettings(), build="2.0 other"))
    second.run(item)
    assert len(network.of(VoteCommitment)) == 1
    assert voted(second, item)[0] is Outcome.ACCEPTED


def test_vote__killed_before_sending__the_same_commitment_goes_out(
    network: Network, start: Start, delivery: Delivery
) -> None:
    first = start(9, "verifier")
    item = delivery.frames().verify(first)
    first.offer(item)
    first.loop.step()
    first.loop.executor.step()
    kept = first.journal.find("VoteCommitment", item.task.id + b"\0")
    first.kill()
    assert network.received == []
    assert kept is not None
    second = start(9, "verifier")
    assert voted(second, item)[0] is Outcome.ACCEPTED
    assert network.of(VoteCommitment)[0].signature == kept.signature


def test_vote__a_second_and_different_one__is_never_signed(verifier: Node, delivery: Delivery) -> None:
    item = delivery.frames().verify(verifier)
    verifier.run(item)
    measurement = Measurement(
        task=item.task.id, attempt=0, node=9, build="", device_class="cpu", method="none", reason="changed my mind"
    )
    vote = Vote(task=item.task.id, attempt=0, node=9, result=item.result, outcome=2, measured=measurement.digest())
    with pytest.raises(AlreadySigned):
        verifier.loop._parts.signer.commit_vote(vote, measurement)
    assert len(verifier.network.of(VoteCommitment)) == 1
    assert voted(verifier, item)[0] is Outcome.ACCEPTED


def test_reveal__without_a_vote__says_so_and_sends_nothing(verifier: Node, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        verifier.run(Reveal(task=b"t" * 32, attempt=0, deadline=START + 9))
    assert verifier.network.received == []
    assert "no Vote to reveal" in caplog.text


# -- panels


def _panel(delivery: Delivery, node: Node, outcome: Outcome) -> PanelDuty:
    item = delivery.verify(node)
    fields = {name: getattr(item, name) for name in Verify.model_fields if name != "kind"}
    return PanelDuty(**{**fields, "case": b"c" * 32, "outcome": outcome, "seed": b"p" * 32})


def _panel_vote(node: Node) -> PanelVote:
    (item,) = node.network.of(PanelVote)
    assert isinstance(item.message, PanelVote)
    return item.message


def test_panel__rejected_forgery__upheld(verifier: Node, delivery: Delivery) -> None:
    verifier.run(_panel(delivery.frames(other_seed), verifier, Outcome.REJECTED))
    vote = _panel_vote(verifier)
    assert (vote.dispute, vote.node, vote.upheld) == (b"c" * 32, 9, True)
    data = verifier.network.store.get_block(Cid(Codec.RAW, vote.measured))
    assert Measurement.decode(data).tiles


def test_panel__rejected_honest_work__reversed(verifier: Node, delivery: Delivery) -> None:
    verifier.run(_panel(delivery.frames(), verifier, Outcome.REJECTED))
    assert _panel_vote(verifier).upheld is False


def test_panel__nothing_to_check__no_vote_either_way(verifier: Node, delivery: Delivery) -> None:
    duty = _panel(delivery.frames(), verifier, Outcome.REJECTED)
    remove(verifier.network, str(Cid(Codec.RAW, duty.result)))
    for seconds in (0, 301, 500):
        verifier.network.time = START + seconds
        verifier.loop.executor._resting.clear()
        verifier.run(duty)
    assert verifier.network.received == []
