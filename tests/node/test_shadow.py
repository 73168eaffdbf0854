# SPDX-License-Identifier: Apache-2.0
"""A calibration that is tried is published beside the one in force, and decides nothing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inferix.errors import Misconfigured
from inferix.keystore import new_keys
from inferix.models.roles import Outcome
from inferix.proofs.calibration import Calibration, Tolerance, load_calibration, write_calibration
from node.engines import EngineSettings, FloatArray, RenderSettings
from node.start import tried_calibration
from tests.node.delivery import Delivery, honest, other_seed, voted
from tests.node.network import Network
from tests.node.noise_engine import NoiseEngine
from tests.node.running import Node

NARROW = replace(load_calibration(), tolerance=Tolerance(1, 1, 10_000))
"""A millionth may be off: between two kernels it rejects honest frames."""


@pytest.fixture
def trying(network: Network, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Node]:
    keys = new_keys()
    network.register(9, keys.address, "verifier")
    tried = getattr(request, "param", NARROW)
    node = Node(network, tmp_path / "home-9", 9, keys, NoiseEngine(EngineSettings()), shadow=tried)
    yield node
    node.kill()


def test_what_would_be_rejected_in_the_shadow_is_accepted_and_said(trying: Node, delivery: Delivery) -> None:
    nearly = delivery.frames(lambda *shot: honest(*shot) * 1.001).change(kernel="another")
    outcome, measurement = voted(trying, nearly.verify(trying))
    assert outcome is Outcome.ACCEPTED
    assert [(row.frame, row.verdict) for row in measurement.shadow] == [(1, "rejected"), (2, "rejected")]
    assert measurement.shadow[0].rule == NARROW.rule("cpu", "cpu").name != measurement.rule
    assert 0 < measurement.shadow[0].failed <= measurement.shadow[0].tiles <= len(measurement.tiles)


@pytest.mark.parametrize("trying", [load_calibration()], indirect=True)
@pytest.mark.parametrize(
    ("least", "outcome", "word"), [(1, "REJECTED", "rejected"), (64 * 48 + 1, "ACCEPTED", "accepted")]
)
def test_regression_the_shadow_judges_slight_tiles_where_the_rule_in_force_does(
    trying: Node, delivery: Delivery, monkeypatch: pytest.MonkeyPatch, least: int, outcome: str, word: str
) -> None:
    def quarter_off(frame: int, seed: int, settings: RenderSettings) -> FloatArray:
        made = honest(frame, seed, settings).copy()
        made[::2, ::2, :3] *= 2  # more than a slight tile has, less than what fails one
        return made

    monkeypatch.setattr("inferix.proofs.calibration.SLIGHT_PIXELS", least)
    thin = delivery.frames(quarter_off).change(kernel="another")
    found, measurement = voted(trying, thin.verify(trying))
    assert (found.name, {row.verdict for row in measurement.shadow}) == (outcome, {word})


def test_what_both_reject_ends_with_the_frame_that_was_rejected(trying: Node, delivery: Delivery) -> None:
    outcome, measurement = voted(trying, delivery.frames(other_seed).verify(trying))
    assert outcome is Outcome.REJECTED
    assert [(row.frame, row.verdict) for row in measurement.shadow] == [(1, "rejected")]


def test_without_one_nothing_is_said(verifier: Node, delivery: Delivery) -> None:
    _, measurement = voted(verifier, delivery.frames().verify(verifier))
    assert measurement.shadow == []


def test_classes_that_it_does_not_know_are_not_judged_by_it(trying: Node, delivery: Delivery) -> None:
    outcome, measurement = voted(trying, delivery.frames(other_seed).change(device_class="hip").verify(trying))
    assert (outcome, measurement.shadow) == (Outcome.VOID, [])


def test_a_file_is_read_at_the_start_or_refused_with_what_to_do(tmp_path: Path) -> None:
    assert tried_calibration("") is None
    path = tmp_path / "calibration.json"
    write_calibration(path, NARROW)
    found = tried_calibration(str(path))
    assert isinstance(found, Calibration)
    assert found.name == NARROW.name
    path.write_text("{}")
    for name in (path, tmp_path / "nowhere.json"):
        with pytest.raises(Misconfigured, match="bench agreement --calibration"):
            tried_calibration(str(name))
