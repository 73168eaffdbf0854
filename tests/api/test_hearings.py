# SPDX-License-Identifier: Apache-2.0
"""What panels hear, where a client and a node's owner look: at a task, at a node, and each by its id."""

from typing import Any

import pytest

from inferix.models.roles import Outcome, RootKind, RosterKind
from inferix.replay.settlement import draft_batches
from inferix.replay.state import Contradiction, Objection, RootName, TaskState
from tests.api.conftest import Api, code
from tests.replay.chain import MANAGER, VERIFIERS, WORKERS, address
from tests.replay.objecting import close, contradict, object_to_leaf, object_to_outcomes, seat

DAY = 86_400
UPHELD, REJECTED, UNDECIDED, DROPPED = 2, 3, 4, 5
UNKNOWN = "0x" + "01" * 32


@pytest.fixture
def state(api: Api) -> TaskState:
    """A task with an accepted attempt."""
    found = api.chain.state(api.chain.order(), 0)
    api.chain.run(found)
    return found


@pytest.fixture
def doubted(api: Api, state: TaskState) -> Contradiction:
    """Its first vote, contradicted with a bond of IFX."""
    return contradict(api.chain, min(state.attempts[0].votes.items())[1][0])


@pytest.fixture
def objected(api: Api, state: TaskState) -> Objection:
    """Its outcome, with a bond out of a node's stake."""
    (draft,) = draft_batches(api.chain.network, MANAGER)
    return object_to_outcomes(api.chain, api.chain.propose(draft), 0, node=VERIFIERS[0])


def task(api: Api, state: TaskState) -> dict[str, Any]:
    found: dict[str, Any] = api.http.get(f"/tasks/0x{state.task.id.hex()}").json()
    return found


def end(api: Api, found: Contradiction, status: int) -> str:
    api.chain.emit("ContradictionClosed", id=found.id, status=status)
    return str(api.http.get(f"/contradictions/0x{found.id.hex()}").json()["verdict"])


def test_a_task_shows_what_contradicts_its_votes_and_until_when_what_waits(
    api: Api, state: TaskState, doubted: Contradiction
) -> None:
    (view,) = task(api, state)["attempts"][0]["contradictions"]
    assert (view["status"], view["verifier"], view["vote"]) == ("open", doubted.vote.node, "accepted")
    assert (view["bond"], view["share"], view["challenger"], view["node"]) == ("50", "100", "0xc11e", None)
    assert (view["due_at"], view["verdict"]) == (doubted.asked_at + DAY, None)
    api.chain.wait(100)
    seat(api.chain, doubted, 77, 78)
    assert task(api, state)["attempts"][0]["contradictions"][0]["due_at"] == doubted.complete_at + DAY
    api.chain.emit("ContradictionReferred", id=doubted.id)
    assert task(api, state)["attempts"][0]["contradictions"][0]["due_at"] == doubted.asked_at + 14 * DAY
    job = api.http.get(f"/jobs/0x{state.task.job.hex()}").json()
    assert job["tasks"][0] == task(api, state)
    assert job["tasks"][1]["attempts"][0]["contradictions"] == []


def test_what_is_over_waits_for_nothing_and_stays_to_be_seen(
    api: Api, state: TaskState, doubted: Contradiction
) -> None:
    end(api, doubted, REJECTED)
    (view,) = task(api, state)["attempts"][0]["contradictions"]
    assert (view["status"], view["due_at"], view["ended_at"]) == ("rejected", None, api.chain.time)


@pytest.mark.parametrize(
    ("status", "referred", "says"),
    [
        (UPHELD, False, "the panel found otherwise than accepted: node {} lost stake and was jailed"),
        (UPHELD, True, "the governor found otherwise"),
        (REJECTED, False, "the panel did not find otherwise than accepted: node {} keeps all, the bond is lost"),
        (UNDECIDED, True, "nobody decided: node {} keeps all, half of the bond is burned"),
    ],
)
def test_the_end_of_a_contradiction_is_said_in_words(
    api: Api, doubted: Contradiction, status: int, referred: bool, says: str
) -> None:
    if referred:
        api.chain.emit("ContradictionReferred", id=doubted.id)
    verdict = end(api, doubted, status)
    assert verdict.startswith(says.format(doubted.vote.node))
    assert verdict.endswith("the outcome of the task stays as it is")


@pytest.mark.parametrize("is_managers", [True, False])
def test_an_objection_says_whether_it_is_the_managers_own_word(api: Api, state: TaskState, is_managers: bool) -> None:
    (draft,) = draft_batches(api.chain.network, MANAGER)
    objection = object_to_outcomes(api.chain, api.chain.propose(draft), 0, is_managers=is_managers)
    view = api.http.get(f"/objections/0x{objection.id.hex()}").json()
    assert (view["is_managers"], view["due_at"], view["verdict"]) == (is_managers, objection.asked_at + DAY, None)
    assert view in api.http.get("/objections").json()
    assert task(api, state)["attempts"][0]["objections"] == [view]
    assert api.http.get("/batches").json()[0]["objections"] == [view]
    close(api.chain, objection, UPHELD)
    verdict = api.http.get(f"/objections/0x{objection.id.hex()}").json()["verdict"]
    assert ("was slashed" in verdict) is is_managers


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (UPHELD, "the panel agreed: the outcomes that it names count for nothing; the bond is back"),
        (REJECTED, "the panel did not agree: what it names stands, the bond is lost"),
        (UNDECIDED, "nobody decided: the outcomes that it names count for nothing, nobody is fined"),
        (DROPPED, "what it names fell for another reason"),
    ],
)
def test_the_end_of_an_objection_is_said_in_words(api: Api, objected: Objection, status: int, says: str) -> None:
    close(api.chain, objected, status)
    assert api.http.get("/objections").json()[0]["verdict"].startswith(says)


def test_what_a_false_root_and_a_batch_that_stands_alone_come_to(api: Api, objected: Objection) -> None:
    roster = api.chain.network.rosters[RosterKind.WORKERS][-1]

    name = RootName(RootKind.ROSTER, int(RosterKind.WORKERS), roster.index, roster.root)
    root = object_to_leaf(api.chain, name, WORKERS[0])
    close(api.chain, root, UPHELD)
    verdict = api.http.get(f"/objections/0x{root.id.hex()}").json()["verdict"]
    assert verdict.startswith(f"the panel agreed: the root that it names was taken back, node {MANAGER} was slashed")
    api.chain.network.batches[objected.subject].sequence = 0
    close(api.chain, objected, UNDECIDED)
    assert "what it names stands" in api.http.get(f"/objections/0x{objected.id.hex()}").json()["verdict"]


@pytest.mark.parametrize("noun", ["tasks", "objections", "contradictions"])
def test_unknown_and_malformed_ids_are_refused(
    api: Api, doubted: Contradiction, objected: Objection, noun: str
) -> None:
    status, says = code(api.http.get(f"/{noun}/{UNKNOWN}"))
    assert (status, UNKNOWN in says) == (404, True)
    assert code(api.http.get(f"/{noun}/0x12"))[0] == 422
    assert code(api.http.get(f"/{noun}/everything"))[0] == 422


# -- what is held of a node


def holds(api: Api, node: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.http.get(f"/nodes/{node}").json()["holds"]
    assert found == next(row for row in api.http.get("/nodes").json() if row["id"] == node)["holds"]
    return found


def test_a_verifiers_stake_is_held_because_of_who_contradicts_it(api: Api, doubted: Contradiction) -> None:
    (held,) = holds(api, doubted.vote.node)
    assert (held["what"], held["amount"], held["at_risk"]) == ("withdrawals", str(10**20), "100")
    assert (held["by"], held["id"], held["until"]) == ("0xc11e", "0x" + doubted.id.hex(), doubted.asked_at + 14 * DAY)
    assert held["because"] == "its vote on attempt 0 of a task is contradicted"
    end(api, doubted, REJECTED)
    assert holds(api, doubted.vote.node) == []


def test_the_bonds_that_a_node_put_up_are_held(api: Api, objected: Objection) -> None:
    (held,) = holds(api, VERIFIERS[0])
    assert (held["what"], held["amount"], held["because"]) == ("bond", "50", "it objects")
    opened = {"id": b"\1" * 32, "commitment": objected.subject, "challenger": address(0), "node": VERIFIERS[0]}
    api.chain.emit("DisputeOpened", **opened, kind=2, place=0, bond=60, until=api.chain.time + 100)
    assert holds(api, VERIFIERS[0])[1]["until"] == api.chain.time + 100
    close(api.chain, objected, UPHELD)
    api.chain.emit("DisputeAnswered", id=b"\1" * 32)
    assert holds(api, VERIFIERS[0]) == []


def test_a_workers_case_holds_its_stake_until_the_end_of_the_state_it_is_in(api: Api) -> None:
    state = api.chain.state(api.chain.order(), 0)
    api.chain.run(state, Outcome.REJECTED)
    node, opened = state.attempts[0].node, api.chain.time
    api.chain.emit("CaseFrozen", case=b"\1" * 32, task=state.task.id, attempt=0, node=node, amount=7)
    (held,) = holds(api, node)
    assert (held["what"], held["amount"], held["by"], held["until"]) == ("stake", "7", None, opened + 40 * DAY)
    api.chain.emit("CaseCharged", case=b"\1" * 32)
    assert holds(api, node)[0]["until"] == opened + 7 * DAY
    api.chain.emit("CaseAppealed", case=b"\1" * 32, block=api.chain.block)
    assert holds(api, node)[0]["until"] == opened + 14 * DAY
    api.chain.emit("CaseCleared", case=b"\1" * 32, reason=4)
    assert holds(api, node) == []


def pause(api: Api) -> int:
    """A pause in which the protocol's clock stood still, over since a second; its length."""
    api.chain.emit("Paused", until=api.chain.time + 7 * DAY)
    api.chain.wait(7 * DAY + 1)
    api.chain.network.tick(api.chain.time)
    return 7 * DAY


def test_regression_after_a_pause_panels_holds_and_disputes_show_when_their_terms_are_over_on_the_chain(
    api: Api, objected: Objection
) -> None:
    """What is on the protocol's clock was shown as if it were the chain's."""
    asked_at, root = objected.asked_at, {"kind": 1, "of": MANAGER, "index": 3, "root": b"\2" * 32, "chunk": 1}
    opened = {"id": b"\1" * 32, "challenger": address(0), "node": VERIFIERS[0], "bond": 60}
    api.chain.emit("DisputeOpened", **opened, commitment=objected.subject, kind=2, place=0, until=asked_at + 100)
    stood = pause(api)
    assert api.http.get("/objections").json()[0]["due_at"] == asked_at + DAY + stood
    assert api.http.get("/disputes").json()[0]["until"] == asked_at + 100 + stood
    assert [held["until"] for held in holds(api, VERIFIERS[0])] == [asked_at + 14 * DAY + stood, asked_at + 100 + stood]
    # Of what begins now the contracts have times that lie a pause behind.
    now = api.chain.network.clock(api.chain.time)
    assert now == api.chain.time - stood
    api.chain.emit("RootDisputed", **opened, **root, until=now + 100)
    assert api.http.get("/disputes/roots").json()[0]["until"] == api.chain.time + 100


def test_regression_after_a_pause_a_case_holds_stake_as_long_as_its_contract_does(api: Api) -> None:
    state = api.chain.state(api.chain.order(), 0)
    api.chain.run(state, Outcome.REJECTED)
    node, opened = state.attempts[0].node, api.chain.time
    api.chain.emit("CaseFrozen", case=b"\1" * 32, task=state.task.id, attempt=0, node=node, amount=7)
    stood = pause(api)
    assert holds(api, node)[0]["until"] == opened + 40 * DAY + stood
    api.chain.emit("CaseCharged", case=b"\1" * 32)
    assert holds(api, node)[0]["until"] == api.chain.time + 7 * DAY


def test_of_a_node_that_nobody_knows_nothing_is_held(api: Api, doubted: Contradiction) -> None:
    assert api.http.get("/nodes/99").status_code == 404
    assert holds(api, WORKERS[0]) == []
