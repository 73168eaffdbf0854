# SPDX-License-Identifier: Apache-2.0
"""Error rates of a calibration in the shadow, from votes and their measurements."""

from typing import Literal

from inferix.models.result import Measurement, ShadowResult
from inferix.models.roles import Outcome
from inferix.replay.shadow import tried
from tests.replay.chain import Chain

Word = Literal["accepted", "rejected", "unsure"]


def measured(*verdicts: Word) -> Measurement:
    rows = [
        ShadowResult(rule="tolerance 12345678", frame=n, tiles=3, failed=0, verdict=word)
        for n, word in enumerate(verdicts)
    ]
    return Measurement(
        task=bytes(32), attempt=0, node=5, build="", device_class="cpu", method="tiles", reason="", shadow=rows
    )


def test_nothing_is_tried(chain: Chain) -> None:
    chain.run(chain.state(chain.order(), 0))
    assert tried(chain.network, lambda _: None) == []
    assert tried(chain.network, lambda _: measured()) == []


def test_frames_of_accepted_results_count_against_it_where_it_rejects_them(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.run(state)
    votes = len(state.attempts[0].votes)
    (found,) = tried(chain.network, lambda _: measured("accepted", "rejected", "unsure"))
    assert (found.rule, found.accepted.tiles, found.accepted.failed) == ("tolerance 12345678", 2 * votes, votes)
    assert (found.rejected.tiles, found.unsure) == (0, votes)


def test_of_a_rejected_result_only_the_frame_that_was_rejected_counts(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.run(state, Outcome.REJECTED)
    votes = len(state.attempts[0].votes)
    (found,) = tried(chain.network, lambda _: measured("accepted", "rejected"))
    assert (found.accepted.tiles, found.rejected.tiles, found.rejected.failed) == (0, votes, votes)
