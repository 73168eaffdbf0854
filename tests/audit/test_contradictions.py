# SPDX-License-Identifier: Apache-2.0
"""What a panel decided of a contradicted vote: a false verdict is named, a true one is not."""

from typing import Any

import pytest

from inferix.models.result import Measurement, TileResult
from inferix.models.roles import NodeStatus, Outcome
from inferix.proofs.rendering import load_calibration, redo_frame
from inferix.replay.contradictions import seed_of
from tests.audit.conftest import audit, forge_last
from tests.audit.trial import OTHER, REJECTED, SAME, SHARE, SIZE, UNDECIDED, UPHELD, Trial
from tests.replay.chain import Chain


@pytest.fixture
def trial() -> Trial:
    chain = Chain()
    chain.start()
    return Trial(chain)


# -- true verdicts


@pytest.mark.parametrize(("upheld", "tiles"), [(True, OTHER), (False, SAME)])
def test_a_verdict_that_is_what_its_panel_measured_is_true(trial: Trial, upheld: bool, tiles: dict[str, Any]) -> None:
    trial.hear(upheld, **tiles)
    trial.close(UPHELD if upheld else REJECTED)
    report = audit(trial.chain)
    assert (report.problems, report.unknown) == ([], [])
    assert report.checked["verdicts"] > 12


@pytest.mark.parametrize(("upheld", "tiles"), [(True, SAME), (False, OTHER)])
def test_a_rejection_is_judged_by_the_frames_that_it_names(upheld: bool, tiles: dict[str, Any]) -> None:
    chain = Chain()
    chain.start()
    trial = Trial(chain, Outcome.REJECTED)
    trial.hear(upheld, **tiles)
    trial.close(UPHELD if upheld else REJECTED)
    assert (audit(trial.chain).problems, audit(trial.chain).unknown) == ([], [])


def test_machines_that_are_not_calibrated_acquit(trial: Trial) -> None:
    trial.hear(False, device_class="abacus", rule=uncalibrated(), **OTHER)
    trial.close(REJECTED)
    assert trial.says() == []


def uncalibrated() -> str:
    return load_calibration().rule("cpu", "abacus").name


@pytest.mark.parametrize(("changes", "problems"), [({}, 0), ({"share_ppm": 0}, 3), ({"frame": 3}, 3)])
def test_a_film_is_judged_by_the_frame_that_is_drawn(changes: dict[str, int], problems: int) -> None:
    chain = Chain()
    chain.start()
    trial = Trial(chain, task=2)
    vote, attempt = trial.found.vote, trial.state.attempts[0]
    seed = seed_of(chain.network, attempt)
    assert seed is not None
    frame = redo_frame(seed, vote.task, 0, vote.node, [1, 2])
    place = {"frame": frame, "x": 0, "y": 0, "width": SIZE, "height": SIZE, "informative": True} | OTHER | changes
    for node in trial.seat():
        film = {"method": "redo", "rule": "", "tiles": [TileResult(**place)]}
        trial.vote(node, True, store(trial, node, film))
    trial.close(UPHELD)
    said = trial.says()
    assert len([text for text in said if "of its panel voted" in text]) == problems
    assert bool(said) is bool(problems)


# -- false verdicts


@pytest.mark.parametrize(("upheld", "tiles", "comes"), [(True, SAME, "accepted"), (False, OTHER, "rejected")])
def test_a_verdict_against_what_its_panel_measured_is_false(
    trial: Trial, upheld: bool, tiles: dict[str, Any], comes: str
) -> None:
    trial.hear(upheld, **tiles)
    trial.close(UPHELD if upheld else REJECTED)
    word, *rest = "upheld" if upheld else "rejected", *trial.found.seats
    said = [
        f"node {node} of its panel voted {word}: its measurement comes to {comes}, the vote said accepted"
        for node in rest
    ]
    assert trial.says() == [*said, f"it was {word}, and what its panel measured comes to the contrary"]


def test_a_doubt_that_convicts_is_false(trial: Trial) -> None:
    trial.hear(True, device_class="abacus", rule=uncalibrated(), **OTHER)
    trial.close(UPHELD)
    assert "its measurement comes to void, the vote said accepted" in trial.says()[0]


def test_one_tile_that_differs_is_doubt_enough_not_to_convict_who_rejected() -> None:
    chain = Chain()
    chain.start()
    trial = Trial(chain, Outcome.REJECTED)
    for node in trial.seat():
        digest = trial.measure(node, trial.found.vote.node)
        clean = Measurement.decode(chain.documents[digest], digest)
        differs = clean.tiles[-1].model_copy(update=OTHER)
        trial.vote(node, True, chain.store(clean.model_copy(update={"tiles": [*clean.tiles, differs]})))
    trial.close(UPHELD)
    assert "its measurement comes to void, the vote said rejected" in trial.says()[0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"node": 99}, "another node's"),
        ({"attempt": 1}, "another attempt"),
        ({"kernel": "another"}, "not the rule that the verifier had"),
        ({"method": "redo"}, "tells nothing of such a task"),
    ],
)
def test_what_a_vote_rests_on_is_its_own_measurement_by_the_rule(
    trial: Trial, changes: dict[str, Any], says: str
) -> None:
    (first, *others), verifier = trial.seat(), trial.found.vote.node
    trial.vote(first, True, store(trial, first, changes))
    for node in others:
        trial.vote(node, True, trial.measure(node, verifier, **OTHER))
    trial.close(UPHELD)
    (said,) = trial.says()
    assert says in said


def store(trial: Trial, node: int, changes: dict[str, Any]) -> bytes:
    digest = trial.measure(node, trial.found.vote.node, **OTHER)
    published = Measurement.decode(trial.chain.documents[digest], digest)
    return trial.chain.store(published.model_copy(update=changes))


def test_tiles_of_choice_beside_the_verifiers_draw_are_named(trial: Trial) -> None:
    for node in trial.seat():
        trial.vote(node, True, trial.measure(node, node, **OTHER))
    trial.close(UPHELD)
    assert all("not where the draw" in said for said in trial.says()[:3])


@pytest.mark.parametrize("change", ["unserved", "no pixels", "calibration"])
def test_what_nobody_can_tell_is_said_and_is_not_false(trial: Trial, change: str) -> None:
    for node in trial.seat():
        fields = {"no pixels": {"method": "none"}, "calibration": {"rule": "exact 00000000"}}.get(change, {})
        digest = store(trial, node, fields)
        if change == "unserved":
            del trial.chain.documents[digest]
        trial.vote(node, True, digest)
    trial.close(UPHELD)
    report = audit(trial.chain)
    assert (report.problems, len(report.unknown)) == ([], 3)


# -- seats, majority, time, money


def test_a_seed_of_choice_is_named(trial: Trial) -> None:
    trial.seal()
    forge_last(trial.chain, "PanelSealed", seed=b"\x01" * 32)
    assert trial.says() == ["the seed of its panel is not that of its block"]


def test_a_node_that_was_left_out_is_named(trial: Trial) -> None:
    first, second, *_ = [node for node in trial.seal() if node not in trial.voters()]
    trial.chain.emit("PanelSeated", case=trial.found.id, node=second)
    (said,) = trial.says()
    assert f"node [{first}] was left out" in said


def test_who_was_away_when_the_draw_hit_it_was_not_left_out(trial: Trial) -> None:
    first, second, *_ = [node for node in trial.seal() if node not in trial.voters()]
    for status in (NodeStatus.FROZEN, NodeStatus.ACTIVE):
        trial.chain.emit("StatusChanged", node=first, status=int(status))
    trial.chain.emit("PanelSeated", case=trial.found.id, node=second)
    assert trial.says() == []


def test_who_voted_on_the_attempt_or_was_not_drawn_does_not_sit(trial: Trial) -> None:
    voter, other = next(node for node in trial.seal() if node in trial.voters()), 2
    for node in (voter, other):
        trial.chain.emit("PanelSeated", case=trial.found.id, node=node)
    voted, not_drawn = trial.says()[-2:]
    assert f"node {voter} sits on its panel and is a party" in voted
    assert f"node {other} sits on its panel and was not drawn" in not_drawn


def test_a_panel_that_is_closed_too_soon_is_named(trial: Trial) -> None:
    trial.seat(count=1)
    (said,) = trial.says()
    assert "its panel was closed before node" in said


@pytest.mark.parametrize("status", [UPHELD, UNDECIDED])
def test_a_verdict_that_the_panel_did_not_give_is_named(trial: Trial, status: int) -> None:
    trial.hear(False, **SAME)
    trial.close(status)
    assert trial.says()[0].endswith("which is not the verdict of its panel")


def test_who_is_silent_pays_and_nobody_is_heard_to_the_end_before_the_window_is_over(trial: Trial) -> None:
    *said, silent = trial.seat()
    for node in said:
        trial.vote(node, False, trial.measure(node, trial.found.vote.node, **SAME))
    trial.chain.emit("SilencePenalised", case=trial.found.id, node=silent, amount=1)
    trial.close(REJECTED)
    assert trial.says() == ["it was rejected before its panel's time was over"]
    forge_last(trial.chain, "SilencePenalised", node=said[0])
    assert trial.says()[1] == f"fined for silence were [{said[0]}], not [{silent}]"


@pytest.mark.parametrize(("seconds", "problems"), [(86_401, 0), (10, 1)])
def test_the_governor_decides_where_the_panel_came_to_nothing_in_its_time(
    trial: Trial, seconds: int, problems: int
) -> None:
    trial.seat()
    trial.chain.wait(seconds)
    trial.chain.emit("ContradictionReferred", id=trial.found.id)
    trial.close(REJECTED)
    assert len(trial.says()) == problems


@pytest.mark.parametrize(("days", "problems"), [(14, 0), (12, 1)])
def test_nobody_gives_up_before_the_governors_time_is_over(trial: Trial, days: int, problems: int) -> None:
    trial.chain.wait(86_401)
    trial.chain.emit("ContradictionReferred", id=trial.found.id)
    trial.chain.wait(days * 86_400)
    trial.close(UNDECIDED)
    assert len(trial.says()) == problems


@pytest.mark.parametrize(("days", "problems"), [(21, 0), (19, 1)])
def test_regression_a_pause_takes_nothing_of_the_governors_time(trial: Trial, days: int, problems: int) -> None:
    trial.chain.wait(86_401)
    trial.chain.emit("ContradictionReferred", id=trial.found.id)
    trial.chain.emit("Paused", until=trial.chain.time + 7 * 86_400)
    trial.chain.wait(days * 86_400)
    trial.close(UNDECIDED)
    assert len(trial.says()) == problems


@pytest.mark.parametrize(("changes", "says"), [({"amount": 7}, "the stake says otherwise"), ({}, "")])
def test_what_a_verdict_takes_is_what_the_stake_lost(trial: Trial, changes: dict[str, Any], says: str) -> None:
    trial.hear(True, **OTHER)
    trial.close(UPHELD)
    forge_last(trial.chain, "VerifierPunished", **changes)
    assert says in "".join(trial.says())
    assert bool(trial.says()) is bool(says)


def test_too_small_a_slash_a_greedy_challenger_and_a_free_verifier_are_named(trial: Trial) -> None:
    trial.hear(True, **OTHER)
    trial.close(UPHELD, taken=SHARE // 2)
    assert "less than its share" in trial.says()[0]
    assert "its challenger got" in trial.says()[1]
    forge_last(trial.chain, "StatusChanged", status=int(NodeStatus.ACTIVE))
    assert trial.says()[0] == "its verifier was convicted and not jailed"


@pytest.mark.parametrize(("bond", "says"), [(50, []), (49, ["of its bond of 50 wei 49"]), (0, ["was not taken"])])
def test_who_contradicts_in_vain_loses_the_bond(trial: Trial, bond: int, says: list[str]) -> None:
    trial.hear(False, **SAME)
    trial.close(REJECTED, bond=bond)
    assert [part in said for part, said in zip(says, trial.says(), strict=True)] == [True] * len(says)


def test_a_contradiction_by_another_name_than_its_votes_digest_is_named(trial: Trial) -> None:
    forge_last(trial.chain, "VoteContradicted", outcome=int(Outcome.REJECTED))
    assert trial.says() == ["its id is not the digest of the vote"]
