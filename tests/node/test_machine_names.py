# SPDX-License-Identifier: Apache-2.0
"""Results say by what they were made: it has to be what their worker was drawn as, since they are compared by that."""

from pathlib import Path
from typing import Any

import pytest

from inferix.machines import machine_name
from inferix.messages import Acceptance, Receipt
from inferix.models.result import Film
from inferix.models.roles import Outcome
from inferix.models.work import Offer, PanelDuty, Run
from node.rerun import Rerun
from node.verifier import Verifier
from tests.node.delivery import KERNEL, WORKER, Delivery, other_seed, voted
from tests.node.network import Job, Network
from tests.node.running import Node

MACHINE = machine_name("cpu", KERNEL)
FALSE = [{"device_class": "optix"}, {"kernel": "avx512"}, {"kernel": ""}, {"device_class": MACHINE, "kernel": ""}]


@pytest.fixture
def endpoint(verifier: Node) -> dict[int, str]:
    """What the registry says, by the verifier's own endpoint."""
    registry = {WORKER: MACHINE}
    assert isinstance(verifier.loop._role, Verifier)
    verifier.loop._role._checker._attested = registry.__getitem__
    return registry


def test_what_its_worker_was_drawn_as_is_compared(verifier: Node, delivery: Delivery, endpoint: dict[int, str]) -> None:
    assert voted(verifier, delivery.frames().verify(verifier, machine=MACHINE))[0] is Outcome.ACCEPTED


@pytest.mark.parametrize("named", FALSE)
def test_attack_a_result_that_names_another_machine_is_rejected(
    verifier: Node, delivery: Delivery, endpoint: dict[int, str], named: dict[str, str]
) -> None:
    """A class that was never compared blames nobody, another kernel is compared within a tolerance."""
    item = delivery.frames(other_seed).change(**named).verify(verifier, machine=MACHINE)
    outcome, measurement = voted(verifier, item)
    assert outcome is Outcome.REJECTED
    assert f"drawn as {MACHINE}" in measurement.reason and measurement.method == "none"


def test_attack_a_film_that_names_another_machine_is_rejected(
    verifier: Node, delivery: Delivery, endpoint: dict[int, str]
) -> None:
    ref = delivery.file(b"film")
    film = Film(stills=[ref], movie=ref, contact_sheet=ref)
    item = delivery.change(film=film, kernel="").verify(verifier, machine=MACHINE)
    assert voted(verifier, item)[0] is Outcome.REJECTED


def test_a_package_that_does_not_open_is_the_clients_fault_on_whatever_machine(
    verifier: Node, delivery: Delivery, endpoint: dict[int, str]
) -> None:
    item = delivery.change(device_class="gpu", kernel="").verify(verifier, machine=MACHINE)
    outcome, measurement = voted(verifier, item)
    assert outcome is Outcome.REJECTED and "the package opens and renders" in measurement.reason


def test_attack_a_manager_that_hands_out_a_false_name_has_nobody_rejected(
    verifier: Node, delivery: Delivery, endpoint: dict[int, str]
) -> None:
    item = delivery.frames().verify(verifier, machine=machine_name("cpu", "another"))
    assert voted(verifier, item)[0] is Outcome.ACCEPTED


def test_who_was_measured_anew_since_it_was_drawn_is_compared(
    verifier: Node, delivery: Delivery, endpoint: dict[int, str]
) -> None:
    endpoint[WORKER] = machine_name("cpu", "another")
    assert voted(verifier, delivery.frames().verify(verifier, machine=MACHINE))[0] is Outcome.ACCEPTED


def test_without_an_endpoint_of_its_own_a_verifier_blames_nobody(verifier: Node, delivery: Delivery) -> None:
    item = delivery.frames(other_seed).change(kernel="another").verify(verifier, machine=MACHINE)
    outcome, measurement = voted(verifier, item)
    assert outcome is Outcome.VOID and "no endpoint" in measurement.reason


@pytest.mark.parametrize(
    ("said", "found"), [(Outcome.ACCEPTED, Outcome.ACCEPTED), (Outcome.REJECTED, Outcome.REJECTED)]
)
def test_who_believed_its_manager_is_judged_by_tiles_and_who_rejected_is_right(
    verifier: Node, delivery: Delivery, endpoint: dict[int, str], said: Outcome, found: Outcome
) -> None:
    """A verifier without an endpoint cannot know what a worker was drawn as: its manager, and the worker, could have it
    slashed."""
    delivery.frames().change(kernel="another")
    fields = delivery.verify(verifier, machine=MACHINE).model_dump(exclude={"kind", "named"})
    item = Rerun(**fields, case=b"\x0c" * 32, outcome=said, verifier=4, measured=bytes(32))
    assert judged(verifier, item) is found


def test_a_panel_rejects_it_too(verifier: Node, delivery: Delivery, endpoint: dict[int, str]) -> None:
    delivery.frames(other_seed).change(device_class="optix")
    fields = delivery.verify(verifier, machine=MACHINE).model_dump(exclude={"kind", "named"})
    item = PanelDuty(**fields, case=b"\x0c" * 32, outcome=Outcome.REJECTED)
    assert judged(verifier, item) is Outcome.REJECTED


def judged(node: Node, item: PanelDuty) -> Outcome:
    node.offer(item)
    node.loop._parts.listing.update([item])
    assert isinstance(node.loop._role, Verifier)
    return node.loop._role._find(item)[0].outcome


# -- workers


def fields_of(worker: Node, job: Job) -> dict[str, Any]:
    return job.fields(worker.keys.sealing_public)


def test_a_worker_on_another_machine_than_it_was_drawn_as_declines(
    network: Network, worker: Node, job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    worker.run(Offer(**fields_of(worker, job), draw=0, machine=machine_name("optix", "nvidia h100")))
    assert network.of(Acceptance) == []
    assert "Have it measured anew" in caplog.text


def test_a_worker_on_its_own_machine_accepts_and_names_it(network: Network, worker: Node, job: Job) -> None:
    name = MACHINE
    worker.run(Offer(**fields_of(worker, job), draw=0, machine=name))
    assert len(network.of(Acceptance)) == 1
    worker.run(Run(**fields_of(worker, job), machine=name))
    assert len(network.of(Receipt)) == 1


def test_a_worker_that_came_onto_another_machine_after_it_accepted_signs_no_receipt(
    network: Network, worker: Node, job: Job, tmp_path: Path
) -> None:
    """It would be rejected, and slashed; so it is late."""
    worker.run(Offer(**fields_of(worker, job), draw=0))
    worker.run(Run(**fields_of(worker, job), machine=machine_name("cpu", "another")))
    assert network.of(Receipt) == []
