# SPDX-License-Identifier: Apache-2.0
"""``GET /node/work``: what each role may do, when, and no longer than that."""

from collections.abc import Iterable
from typing import Any

import pytest

from api import context
from api.work import Concerned, Inbox, Scope, concerned, scope_of, work_for
from inferix.machines import to_bytes32
from inferix.messages import PanelVote, Probe, VoteCommitment, vote_commitment
from inferix.models.job import case_id
from inferix.models.roles import NodeStatus, Outcome
from inferix.replay import Network
from inferix.replay.accounting import accounts_data
from inferix.replay.attempts import seats
from inferix.replay.probes import PROBE_PERIOD
from inferix.replay.state import TaskState
from inferix.storage.tables import Challenge, SealedKey
from tests.api.conftest import Api
from tests.replay.chain import DOMAIN, MACHINE, MANAGER, VERIFIERS, WORKERS, signed
from tests.replay.objecting import (
    close,
    contradict,
    newest_roots,
    object_to_leaf,
    object_to_outcomes,
    propose_all,
    seat,
)

KEY = b"\x4b" * 80
SALT = b"\x05" * 32


def share_key(api: Api, job: bytes, nodes: Iterable[int] = (*WORKERS, *VERIFIERS)) -> None:
    with api.database.session() as session:
        for node in nodes:
            session.merge(SealedKey(subject=job, node=node, sealed=KEY))


@pytest.fixture
def drawing(api: Api) -> TaskState:
    """A task whose worker is being drawn."""
    job = api.chain.order()
    share_key(api, job)
    api.chain.anchor()
    return api.chain.state(job, 0)


def of_task(items: list[dict[str, Any]], state: TaskState) -> list[str]:
    wanted = "0x" + state.task.id.hex()
    return [item["kind"] for item in items if (item.get("task") or {}).get("id") == wanted]


def test_an_offer_goes_to_the_drawn_worker_only(api: Api, drawing: TaskState) -> None:
    message, _ = api.chain.acceptance(drawing)
    drawn: int = message.node  # type: ignore[attr-defined]
    (offer,) = (item for item in api.work(drawn) if item["task"]["id"] == "0x" + drawing.task.id.hex())
    assert offer["kind"] == "offer"
    assert offer["sealed_key"] == "0x" + KEY.hex()
    assert offer["machine"] == MACHINE
    assert offer["spec"] == "0x" + api.chain.network.jobs[drawing.task.job].order.spec.hex()
    never = [node for node in WORKERS if not of_task(api.work(node), drawing)]
    assert drawn not in never
    assert all(not api.work(node) for node in VERIFIERS)


def test_no_offer_without_the_key(api: Api) -> None:
    job = api.chain.order()
    api.chain.anchor()
    message, _ = api.chain.acceptance(api.chain.state(job, 0))
    assert api.work(message.node) == []  # type: ignore[attr-defined]


def test_no_offer_after_an_acceptance_or_for_a_frozen_worker(api: Api, drawing: TaskState) -> None:
    message, signature = api.chain.acceptance(drawing)
    drawn: int = message.node  # type: ignore[attr-defined]
    assert of_task(api.work(drawn), drawing) == ["offer"]
    assert api.send((message, signature)).json() == {"status": "taken"}
    assert of_task(api.work(drawn), drawing) == []
    api.chain.emit("StatusChanged", node=drawn, status=int(NodeStatus.FROZEN))
    assert api.work(drawn) == []


def test_a_run_goes_to_the_worker_that_accepted_until_its_receipt(api: Api, drawing: TaskState) -> None:
    accepted = api.chain.acceptance(drawing)
    api.chain.anchor(accepted)
    worker = drawing.attempts[0].node
    (run,) = (item for item in api.work(worker) if item["kind"] == "run")
    assert run["deadline"] == drawing.attempts[0].deadline
    assert (run["results"], run["machine"]) == ([], MACHINE)
    for other in set(WORKERS) - {worker}:
        assert "run" not in of_task(api.work(other), drawing)
    assert run["opening"] == "0x"
    box = SealedKey(subject=case_id(drawing.task.id, 0), node=worker, sealed=b"box")
    with api.database.session() as session:
        session.add(box)
    (run,) = (item for item in api.work(worker) if item["kind"] == "run")
    assert run["opening"] == "0x" + b"box".hex()
    assert api.send(api.chain.receipt(drawing)).status_code == 202
    assert "run" not in of_task(api.work(worker), drawing)


def test_an_assemble_task_names_the_results_it_works_on(api: Api) -> None:
    job = api.chain.order()
    share_key(api, job)
    *renders, assemble = api.chain.network.jobs[job].tasks
    for at, state in enumerate(renders):
        api.chain.anchor()
        api.chain.anchor(api.chain.acceptance(state))
        api.chain.anchor(api.chain.receipt(state, bytes([at + 1]) * 32))
        api.chain.anchor(*api.chain.votes(state))
    api.chain.anchor()
    api.chain.anchor(api.chain.acceptance(assemble))
    (run,) = (item for item in api.work(assemble.attempts[0].node) if item["kind"] == "run")
    assert run["results"] == ["0x" + "01" * 32, "0x" + "02" * 32]


def received(api: Api, state: TaskState) -> list[int]:
    """Brings a task to its committee; who sits in it now."""
    api.chain.anchor(api.chain.acceptance(state))
    api.chain.anchor(api.chain.receipt(state))
    now = api.chain.network.time
    return [seat.leaf.node for seat in seats(api.chain.network, state, state.attempts[0]) if seat.from_time <= now]


def commit(api: Api, state: TaskState, voter: int) -> None:
    vote = next(message for message, _ in api.chain.votes(state) if message.node == voter)  # type: ignore[attr-defined]
    commitment = vote_commitment(vote.digest(DOMAIN), SALT)
    message = VoteCommitment(task=state.task.id, attempt=0, node=voter, commitment=commitment)
    assert api.send(signed(message)).json() == {"status": "taken"}


def test_a_committee_verifies_then_reveals(api: Api, drawing: TaskState) -> None:
    voters = received(api, drawing)
    anchor = api.chain.network.lane(MANAGER).anchors[drawing.attempts[0].receipt_anchor]
    for voter in voters:
        (item,) = api.work(voter)
        assert item["kind"] == "verify"
        assert item["worker"] == drawing.attempts[0].node
        assert item["seed"] == "0x" + (anchor.seed or b"").hex()
    outsider = next(node for node in VERIFIERS if node not in voters)
    assert api.work(outsider) == []
    first, second = voters
    commit(api, drawing, first)
    assert api.work(first) == []  # the other has not committed
    commit(api, drawing, second)
    assert [api.work(voter)[0]["kind"] for voter in voters] == ["reveal", "reveal"]
    for vote in api.chain.votes(drawing):
        assert api.send(vote, SALT).json() == {"status": "taken"}
    assert [api.work(voter) for voter in voters] == [[], []]


def test_attack_who_is_measured_anew_meanwhile_was_drawn_as_what_it_was(api: Api, drawing: TaskState) -> None:
    """Else a worker chose, once the result is there, by which rule it is compared."""
    voters = received(api, drawing)
    worker = drawing.attempts[0].node
    api.chain.emit("BenchmarkAttested", node=worker, manager=MANAGER, ib=6_000, device_class=to_bytes32("optix"))
    assert [item["machine"] for voter in voters for item in api.work(voter)] == [MACHINE] * len(voters)


def test_a_second_draw_is_told_whose_tiles_the_first_rejects(api: Api, drawing: TaskState) -> None:
    first = received(api, drawing)
    rejection = next(vote for vote in api.chain.votes(drawing, Outcome.REJECTED) if vote[0].node == first[0])  # type: ignore[attr-defined]
    (item,) = api.work(first[0])
    assert item["named"] == []
    api.chain.anchor(rejection)
    api.chain.wait(api.chain.network.parameters["vote_window"])
    api.chain.network.tick(api.chain.time)
    second = next(node for node in VERIFIERS if node not in first)
    (item,) = api.work(second)
    assert [(named["verifier"], named["seed"]) for named in item["named"]] == [(first[0], item["seed"])]


def test_who_waits_too_long_for_the_others_reveals_alone(api: Api, drawing: TaskState) -> None:
    first, _ = received(api, drawing)
    commit(api, drawing, first)
    assert api.work(first) == []
    api.chain.wait(api.chain.network.parameters["vote_window"] // 2)
    api.chain.network.tick(api.chain.time)
    assert api.work(first)[0]["kind"] == "reveal"


def test_a_panel_member_checks_the_case_again(api: Api, drawing: TaskState) -> None:
    api.chain.run(drawing, Outcome.REJECTED)
    case, member = case_id(drawing.task.id, 0), VERIFIERS[0]
    cheat = drawing.attempts[0].node
    api.chain.emit("CaseFrozen", case=case, task=drawing.task.id, attempt=0, node=cheat, amount=5)
    api.chain.emit("CaseCharged", case=case)
    api.chain.emit("CaseAppealed", case=case, block=api.chain.block)
    api.chain.emit("PanelSeated", case=case, node=member)
    assert api.work(member) == []  # its seed is not sealed
    api.chain.emit("PanelSealed", case=case, seed=b"\x07" * 32)
    (duty,) = api.work(member)
    assert (duty["kind"], duty["worker"], duty["outcome"], duty["machine"]) == ("panel", cheat, 2, MACHINE)
    assert duty["seed"] == "0x" + "07" * 32
    assert [named["verifier"] for named in duty["named"]] == sorted(drawing.attempts[0].votes)
    assert all(named["seed"] != duty["seed"] for named in duty["named"]), (
        "its committee's tiles, by its committee's seed"
    )
    assert all(not api.work(node) for node in VERIFIERS[1:])
    api.chain.emit("PanelVoted", case=case, node=member, upheld=True)
    assert api.work(member) == []


def test_regression_tasks_are_looked_through_once_a_block_for_all_nodes(
    api: Api, drawing: TaskState, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []

    def counted(network: Network) -> Concerned:
        looked.append(network.block)
        return concerned(network)

    monkeypatch.setattr(context, "concerned", counted)
    offered = [node for node in WORKERS for _ in range(3) if api.work(node)]
    assert offered, "one of them is drawn first"
    assert [duty["kind"] for node in VERIFIERS for duty in api.work(node)] == []
    assert len(looked) == 1
    api.chain.anchor(api.chain.acceptance(drawing))
    assert [kind for node in WORKERS for kind in of_task(api.work(node), drawing)] == ["run"]
    assert len(looked) == 2


def test_regression_a_pause_takes_nothing_of_the_time_in_which_a_panel_is_heard(api: Api, drawing: TaskState) -> None:
    """Its deadlines are on the protocol's clock, and a node compares them with the chain's."""
    api.chain.run(drawing)
    objection = object_to_outcomes(api.chain, propose_all(api.chain), 0)
    seat(api.chain, objection, VERIFIERS[0])
    api.chain.emit("Paused", until=api.chain.time + 7 * 86_400)
    (duty,) = api.work(VERIFIERS[0])
    assert duty["deadline"] == objection.complete_at + 8 * 86_400


def test_a_panel_member_hears_an_objection_to_outcomes_with_the_key_of_its_job(api: Api, drawing: TaskState) -> None:
    api.chain.run(drawing)
    objection = object_to_outcomes(api.chain, propose_all(api.chain), 0)
    member = VERIFIERS[0]
    vote = PanelVote(dispute=objection.id, node=member, upheld=True, measured=bytes(32))
    refused = api.send(signed(vote))
    assert (refused.status_code, "no seat" in refused.text) == (403, True)
    seat(api.chain, objection, member)
    (duty,) = api.work(member)
    assert (duty["kind"], duty["objection"]) == ("objection", "0x" + objection.id.hex())
    assert duty["sealed_key"] == "0x" + KEY.hex()
    assert all(not api.work(node) for node in VERIFIERS[1:])
    assert api.send(signed(vote)).json() == {"status": "taken"}
    assert api.work(member) == []
    close(api.chain, objection, 3)
    other = PanelVote(dispute=objection.id, node=member, upheld=False, measured=bytes(32))
    assert api.send(signed(other)).status_code == 403


def test_a_panel_member_judges_a_contradicted_vote_with_the_key_of_its_job(api: Api, drawing: TaskState) -> None:
    api.chain.run(drawing)
    found = contradict(api.chain, min(drawing.attempts[0].votes.items())[1][0])
    member = VERIFIERS[0]
    vote = PanelVote(dispute=found.id, node=member, upheld=True, measured=bytes(32))
    assert api.send(signed(vote)).status_code == 403
    seat(api.chain, found, member)
    (duty,) = api.work(member)
    assert (duty["kind"], duty["objection"]) == ("objection", "0x" + found.id.hex())
    assert duty["sealed_key"] == "0x" + KEY.hex()
    assert api.send(signed(vote)).json() == {"status": "taken"}
    assert api.work(member) == []


def test_the_panel_of_a_root_needs_no_key_and_that_of_outcomes_waits_for_it(api: Api) -> None:
    api.chain.run(api.chain.state(api.chain.order(), 0))
    api.chain.settle()
    api.chain.close_epoch(0)
    api.chain.post_accounts(accounts_data(api.chain.network, 0))
    root = object_to_leaf(api.chain, newest_roots(api.chain)[0], 1)
    seat(api.chain, root, VERIFIERS[0])
    assert [duty["sealed_key"] for duty in api.work(VERIFIERS[0])] == ["0x"]
    batch = next(iter(api.chain.network.batches))
    outcomes = object_to_outcomes(api.chain, batch, 0)
    seat(api.chain, outcomes, VERIFIERS[1])
    assert api.work(VERIFIERS[1]) == []


def test_a_challenge_starts_its_clock_when_the_node_hears_of_it(api: Api) -> None:
    with api.database.session() as session:
        session.add(Challenge(id=b"\x01" * 32, node=2, scene="unit", seed=7))
    assert api.work(3) == []
    (duty,) = api.work(2)
    assert (duty["kind"], duty["scene"], duty["seed"]) == ("benchmark", "unit", 7)
    with api.database.reading() as session:
        row = session.get(Challenge, b"\x01" * 32)
    assert row is not None
    assert row.sent_at_wall_ms > 0
    started = row.sent_at_wall_ms
    api.work(2)
    with api.database.reading() as session:
        again = session.get(Challenge, b"\x01" * 32)
    assert again is not None
    assert again.sent_at_wall_ms == started


def test_nodes_answer_the_newest_seed_once_an_hour(api: Api) -> None:
    assert api.duties(2) == []
    api.chain.anchor()
    (duty,) = api.duties(2)
    assert (duty["kind"], duty["manager"], duty["anchor"]) == ("probe", MANAGER, api.chain.anchors)
    assert api.duties(VERIFIERS[0]) == [duty]
    probe = signed(Probe(manager=MANAGER, anchor=duty["anchor"], seed=bytes.fromhex(duty["seed"][2:]), node=2))
    assert api.send(probe).json() == {"status": "taken"}
    api.chain.anchor(probe)
    assert api.duties(2) == []
    assert [item["kind"] for item in api.duties(3)] == ["probe"]
    api.chain.wait(PROBE_PERIOD + 1)
    api.chain.network.tick(api.chain.time)
    assert api.duties(3) == [], "nothing was sealed in this hour"
    api.chain.anchor()
    assert [item["anchor"] for item in api.duties(2)] == [api.chain.anchors]


def test_what_changed_since_the_scope_was_taken_is_left_out(api: Api, drawing: TaskState) -> None:
    message, signature = api.chain.acceptance(drawing)
    network = api.chain.network
    node = network.nodes[message.node]  # type: ignore[attr-defined]
    scope, inbox = scope_of(network, node, concerned(network)), Inbox(keys={drawing.task.job: KEY})
    api.chain.anchor((message, signature))
    api.chain.anchor(api.chain.receipt(drawing))
    assert of_task([item.model_dump(mode="json") for item in work_for(network, node, scope, inbox)], drawing) == []
    gone = Scope(tasks=[b"\x01" * 32], cases=[b"\x02" * 32])
    assert work_for(network, node, gone, inbox) == []
