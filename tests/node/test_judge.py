# SPDX-License-Identifier: Apache-2.0
"""A panel's member judges an objection by its own replay and its own renderings, never by what the network's API says."""

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from inferix.messages import PanelVote
from inferix.models.objection import LeafClaim, OutcomesFinding
from inferix.models.result import Measurement
from inferix.models.roles import Outcome
from inferix.models.work import ObjectionDuty, PanelDuty
from inferix.replay.accounting import accounts_data
from inferix.replay.settlement import draft_batch, draft_batches
from inferix.replay.state import Objection
from inferix.storage.cid import Cid, Codec
from node.checks import Finding
from node.executor import Later
from node.judge import Judge
from node.rerun import Rerun
from node.verifier import ABSTAINS, GAVE_UP
from tests.node.network import START
from tests.node.running import Start
from tests.replay.chain import MACHINE, MANAGER, VERIFIERS, Chain
from tests.replay.objecting import (
    SEED,
    contradict,
    newest_roots,
    object_to_leaf,
    object_to_outcomes,
    propose_all,
    seat,
)

MEMBER = VERIFIERS[0]


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


class Renders:
    """What the member's own check comes to, by place; ``asked``: what it was asked to check."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[PanelDuty] = []

    def __call__(self, duty: PanelDuty) -> tuple[Finding, Measurement]:
        self.asked.append(duty)
        outcome = self.outcomes[min(len(self.asked), len(self.outcomes)) - 1]
        fields = {"task": duty.task.id, "attempt": duty.attempt, "node": MEMBER, "build": "b", "device_class": "cpu"}
        return Finding(outcome, outcome.name.lower()), Measurement(**fields, method="tiles", reason="seen")


def judge(chain: Chain, objection: Any, find: Any = None, member: int = MEMBER) -> Any:
    replay: Any = SimpleNamespace(network=lambda: chain.network)
    duty = ObjectionDuty(objection=objection.id, deadline=chain.time + 60, sealed_key=b"\x05")
    return Judge(member, replay, find or Renders(Outcome.ACCEPTED)).judge(duty)


# -- roots


@pytest.fixture
def closed(chain: Chain) -> Chain:
    return chain.close_first_epoch()


@pytest.mark.parametrize("is_false", [True, False])
def test_a_leaf_of_accounts_is_judged_by_the_own_replay(closed: Chain, is_false: bool) -> None:
    right = accounts_data(closed.network, 0)
    rows = [right.accounts[0].model_copy(update={"spent": 1})]
    closed.post_accounts(right.model_copy(update={"accounts": rows}) if is_false else right)
    objection = object_to_leaf(closed, newest_roots(closed)[0], 1)
    seat(closed, objection, MEMBER)
    found = judge(closed, objection)
    assert found.upheld is is_false
    assert isinstance(found.document, LeafClaim)
    assert (found.document.place, found.document.right) == (1, right.accounts[0])


def test_a_root_whose_data_is_not_here_gets_no_vote(closed: Chain) -> None:
    closed.post_accounts(accounts_data(closed.network, 0))
    objection = object_to_leaf(closed, newest_roots(closed)[0], 1)
    seat(closed, objection, MEMBER)
    closed.documents.pop(closed.network.accounts_roots[-1].data)
    with pytest.raises(Later, match="not served"):
        judge(closed, objection)


# -- outcomes


@pytest.fixture
def proposed(chain: Chain) -> tuple[Chain, bytes]:
    chain.finish(chain.order(chain.spec(4)))
    return chain, propose_all(chain)


def heard(chain: Chain, commitment: bytes, *places: int, is_managers: bool = False) -> Objection:
    objection = object_to_outcomes(chain, commitment, *places, is_managers=is_managers)
    seat(chain, objection, MEMBER)
    return objection


def test_outcomes_are_false_when_each_that_is_checked_again_is(proposed: tuple[Chain, bytes]) -> None:
    chain, commitment = proposed
    renders = Renders(Outcome.REJECTED)
    found = judge(chain, heard(chain, commitment, 0, 1, 2, 3, 4), renders)
    assert (found.upheld, len(renders.asked)) == (True, 3)
    assert isinstance(found.document, OutcomesFinding)
    assert [item.is_false for item in found.document.checked] == [True] * 3
    leaves = {leaf.task: leaf for leaf in chain.network.batches[commitment].leaves}
    for duty in renders.asked:
        leaf = leaves[duty.task.id]
        assert (duty.worker, duty.result, duty.seed, duty.sealed_key) == (leaf.node, leaf.result, SEED, b"\x05")


def test_one_outcome_that_is_right_rejects_it(proposed: tuple[Chain, bytes]) -> None:
    chain, commitment = proposed
    renders = Renders(Outcome.REJECTED, Outcome.ACCEPTED)
    found = judge(chain, heard(chain, commitment, 0, 1, 2, 3, 4), renders)
    assert (found.upheld, len(renders.asked)) == (False, 2)


@pytest.mark.parametrize("found", [Outcome.VOID, Outcome.UNSERVED])
def test_what_could_not_be_checked_gets_no_vote(proposed: tuple[Chain, bytes], found: Outcome) -> None:
    chain, commitment = proposed
    with pytest.raises(Later, match="no verdict"):
        judge(chain, heard(chain, commitment, 0), Renders(found))


def test_outcomes_of_two_jobs_in_one_objection_are_not_upheld(chain: Chain) -> None:
    for _ in range(2):
        chain.finish(chain.order())
    commitment = propose_all(chain)
    count = len(chain.network.batches[commitment].leaves)
    renders = Renders(Outcome.REJECTED)
    found = judge(chain, heard(chain, commitment, *range(count)), renders)
    assert (found.upheld, renders.asked) == (False, [])


def forged(change: Callable[[Any], dict[str, Any]]) -> Callable[[Chain], bytes]:
    def propose(chain: Chain) -> bytes:
        (draft,) = draft_batches(chain.network, MANAGER)
        leaves = [leaf.model_copy(update=change(leaf)) for leaf in draft.leaves]
        leaves.sort(key=lambda leaf: leaf.task)
        return chain.propose(draft_batch(MANAGER, 1, 0, leaves, bytes(32)))

    return propose


LIES = {
    "charge": forged(lambda leaf: {"charge": leaf.charge - 1}),
    "work": forged(lambda leaf: {"work": leaf.work + 1}),
    "no order": forged(lambda leaf: {"task": leaf.task[::-1]}),
    "late": forged(lambda leaf: {"outcome": Outcome.LATE, "work": 0, "charge": 0}),
}


@pytest.mark.parametrize("is_managers", [True, False])
@pytest.mark.parametrize("propose", LIES.values(), ids=LIES.keys())
def test_what_the_rules_do_not_give_is_false_without_a_rendering(
    chain: Chain, propose: Callable[[Chain], bytes], is_managers: bool
) -> None:
    chain.finish(chain.order())
    renders = Renders(Outcome.ACCEPTED)
    found = judge(chain, heard(chain, propose(chain), 0, is_managers=is_managers), renders)
    assert (found.upheld, renders.asked) == (True, [])
    assert found.document.checked[0].measurement is None


def test_an_outcome_that_the_anchored_votes_give_is_not_the_managers_and_nothing_is_rendered(
    proposed: tuple[Chain, bytes],
) -> None:
    chain, commitment = proposed
    renders = Renders(Outcome.REJECTED)
    found = judge(chain, heard(chain, commitment, 0, 1, is_managers=True), renders)
    assert (found.upheld, renders.asked) == (False, [])
    assert "not the manager's word: it is what the rules give" in found.says


def test_which_votes_stand_is_false_and_not_the_managers(chain: Chain) -> None:
    chain.finish(chain.order())
    commitment = forged(lambda leaf: {"voters": bytes(32)})(chain)
    assert judge(chain, heard(chain, commitment, 0)).upheld
    assert not judge(chain, heard(chain, commitment, 0, is_managers=True)).upheld


def test_one_leaf_that_is_not_the_managers_rejects_it(chain: Chain) -> None:
    chain.finish(chain.order())
    (draft,) = draft_batches(chain.network, MANAGER)
    false = draft.leaves[0].model_copy(update={"charge": 1})
    commitment = chain.propose(draft_batch(MANAGER, 1, 0, [false, *draft.leaves[1:]], bytes(32)))
    assert not judge(chain, heard(chain, commitment, 0, 1, is_managers=True)).upheld
    assert judge(chain, heard(chain, commitment, 0, is_managers=True)).upheld


def test_an_anchor_that_the_named_leaves_do_not_rest_on_holds_up_no_vote(chain: Chain) -> None:
    chain.anchor()
    before = max(chain.network.lane(MANAGER).anchors)
    chain.finish(chain.order())
    objection = heard(chain, propose_all(chain), 0)
    chain.anchor()
    anchors = chain.network.lane(MANAGER).anchors
    for index in (before, max(anchors)):
        anchors[index].problem = "its data is not served"
    assert judge(chain, objection, Renders(Outcome.REJECTED)).upheld
    anchors[before + 1].problem = "its data is not served"
    with pytest.raises(Later, match=f"anchor 1/{before + 1}"):
        judge(chain, objection, Renders(Outcome.REJECTED))


def test_a_late_outcome_that_the_rules_give_is_right(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.wait(61)
    chain.anchor()
    renders = Renders(Outcome.REJECTED)
    found = judge(chain, heard(chain, propose_all(chain), 0), renders)
    assert (found.upheld, renders.asked) == (False, [])


@pytest.mark.parametrize(
    ("again", "upheld"), [(Outcome.REJECTED, False), (Outcome.CLIENT_FAULT, False), (Outcome.ACCEPTED, True)]
)
def test_a_second_rejection_is_the_clients_fault(chain: Chain, again: Outcome, upheld: bool) -> None:
    state = chain.state(chain.order(), 0)
    for _ in range(2):
        chain.run(state, Outcome.REJECTED)
    assert state.attempts[1].outcome is Outcome.CLIENT_FAULT
    chain.settle()
    commitment = propose_all(chain)
    leaves = chain.network.batches[commitment].leaves
    at = next(at for at, leaf in enumerate(leaves) if leaf.outcome is Outcome.CLIENT_FAULT)
    assert judge(chain, heard(chain, commitment, at), Renders(again)).upheld is upheld


def test_who_lacks_an_anchor_or_a_seat_says_nothing(proposed: tuple[Chain, bytes]) -> None:
    chain, commitment = proposed
    objection = heard(chain, commitment, 0)
    with pytest.raises(Later, match="no|not"):
        judge(chain, objection, member=VERIFIERS[1])
    chain.network.lane(MANAGER).anchors[2].problem = "its data is not served"
    with pytest.raises(Later, match="anchor 1/2"):
        judge(chain, objection, Renders(Outcome.REJECTED))
    objection.seed = None
    with pytest.raises(Later, match="seat"):
        judge(chain, objection)


# -- contradicted votes


def doubted(chain: Chain, said: Outcome, **changes: Any) -> Any:
    """The first vote of an attempt that the votes decided so, contradicted."""
    state = chain.state(chain.order(), 0)
    chain.run(state, said)
    vote = min(state.attempts[0].votes.items())[1][0]
    opened = contradict(chain, vote.model_copy(update=changes))
    seat(chain, opened, MEMBER)
    return opened


OTHERWISE = {Outcome.ACCEPTED: Outcome.REJECTED, Outcome.REJECTED: Outcome.ACCEPTED}


@pytest.mark.parametrize("found", [Outcome.ACCEPTED, Outcome.REJECTED, Outcome.VOID, Outcome.CLIENT_FAULT])
@pytest.mark.parametrize("said", [Outcome.ACCEPTED, Outcome.REJECTED])
def test_a_vote_is_contradicted_by_its_opposite_alone(chain: Chain, said: Outcome, found: Outcome) -> None:
    opened, renders = doubted(chain, said), Renders(found)
    verdict = judge(chain, opened, renders)
    assert verdict.upheld is (found is OTHERWISE[said])
    assert isinstance(verdict.document, Measurement)
    (duty,) = renders.asked
    assert isinstance(duty, Rerun)
    attempt = chain.network.tasks[opened.vote.task].attempts[0]
    assert (duty.verifier, duty.measured, duty.outcome) == (opened.vote.node, opened.vote.measured, said)
    assert (duty.worker, duty.result, duty.case) == (attempt.node, attempt.result, opened.id)
    assert duty.seed == chain.network.lane(MANAGER).anchors[attempt.receipt_anchor].seed
    assert (duty.sealed_key, duty.machine) == (b"\x05", MACHINE)
    others = sorted(attempt.votes.keys() - {opened.vote.node}) if said is Outcome.REJECTED else []
    assert [named.verifier for named in duty.named] == others, "what a rejection may rest on beside its own tiles"


def test_a_vote_whose_result_cannot_be_had_gets_no_verdict(chain: Chain) -> None:
    with pytest.raises(Later, match="no verdict"):
        judge(chain, doubted(chain, Outcome.ACCEPTED), Renders(Outcome.UNSERVED))


@pytest.mark.parametrize("change", [{"task": b"\x01" * 32}, {"attempt": 9}, {"result": b"\x0e" * 32}])
def test_a_vote_on_what_the_own_replay_does_not_know_gets_no_verdict(chain: Chain, change: dict[str, Any]) -> None:
    renders = Renders(Outcome.REJECTED)
    with pytest.raises(Later, match="on no result"):
        judge(chain, doubted(chain, Outcome.ACCEPTED, **change), renders)
    assert renders.asked == []


# -- the verifier


def test_a_verifier_without_an_endpoint_of_its_own_abstains_and_says_so(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    node = start(9, "verifier")
    duty = ObjectionDuty(objection=b"\x01" * 32, deadline=START + 600, sealed_key=b"")
    with caplog.at_level(logging.WARNING):
        node.run(duty)
        node.run(duty)
    assert node.network.received == []
    assert caplog.text.count(ABSTAINS) == 1


def test_a_verifier_with_one_signs_its_vote_once_and_publishes_what_it_rests_on(start: Start, closed: Chain) -> None:
    closed.post_accounts(accounts_data(closed.network, 0))
    objection = object_to_leaf(closed, newest_roots(closed)[0], 1)
    seat(closed, objection, 9)
    node = start(9, "verifier")
    replay: Any = SimpleNamespace(network=lambda: closed.network)
    verifier: Any = node.loop._role
    verifier._judge = Judge(9, replay, verifier._find)
    duty = ObjectionDuty(objection=objection.id, deadline=START + 600, sealed_key=b"")
    node.run(duty)
    node.run(duty)
    (received,) = node.network.of(PanelVote)
    vote: Any = received.message
    assert (vote.dispute, vote.node, vote.upheld) == (objection.id, 9, False)
    body = node.network.store.get_block(Cid(Codec.RAW, vote.measured))
    assert LeafClaim.decode(body, vote.measured).place == 1


def test_a_verdict_that_comes_too_late_is_not_signed(start: Start, closed: Chain) -> None:
    node = start(9, "verifier")
    verifier: Any = node.loop._role
    verifier._judge = SimpleNamespace(judge=lambda duty: pytest.fail("judged"))
    node.run(ObjectionDuty(objection=b"\x01" * 32, deadline=START, sealed_key=b""))
    assert node.network.received == []


def test_a_verifier_that_waits_in_vain_abstains_at_the_end_of_the_panels_time_and_says_why(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    def judged(duty: ObjectionDuty) -> None:
        raise Later("anchor 1/2: its data is not served")

    node = start(9, "verifier")
    verifier: Any = node.loop._role
    verifier._judge = SimpleNamespace(judge=judged)
    duty = ObjectionDuty(objection=b"\x01" * 32, deadline=START + 600, sealed_key=b"")
    with caplog.at_level(logging.WARNING):
        with pytest.raises(Later):
            verifier.do(duty)
        assert verifier.wants(duty, busy=False)
        assert caplog.text == ""
        over = duty.model_copy(update={"deadline": START})
        assert not verifier.wants(over, busy=False)
        assert not verifier.wants(over, busy=False)
    assert caplog.text.count(f"{GAVE_UP}: anchor 1/2: its data is not served") == 1
    assert node.network.received == []
