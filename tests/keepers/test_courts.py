# SPDX-License-Identifier: Apache-2.0
"""The cranks of slashing cases, and which leaves this keeper acts on."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from inferix.chain.abi import Interface
from inferix.chain.errors import LaneBusy
from inferix.draws import draws
from inferix.messages import Acceptance
from inferix.models.anchor import BatchLeaf
from inferix.models.job import case_id
from inferix.models.roles import Draw, Outcome, RosterKind
from inferix.replay import answers
from inferix.replay.hearings import DECISION_TERM, REDO_TERM
from inferix.replay.settlement import draft_batch, draft_batches
from keepers.courts import Courts, decide_opening, decide_panel, decide_progress, next_members
from keepers.desk import Step
from tests.keepers.bare import Outbox, bare_desk, trees_built
from tests.replay.chain import MANAGER, Chain

SEED = b"\5" * 32
PAUSE = 7 * 86_400


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


def propose(chain: Chain, leaves: list[BatchLeaf] | None = None, final: bool = False) -> bytes:
    live = chain.network.lane(MANAGER).batches
    previous = live[-1] if live else bytes(32)
    draft = (
        draft_batches(chain.network, MANAGER)[0]
        if leaves is None
        else draft_batch(MANAGER, len(live) + 1, 1, leaves, previous)
    )
    for document in draft.documents:
        chain.store(document)
    chain.emit("Proposed", commitment=draft.commitment, header=draft.header)
    if final:
        chain.wait(86_400)
        chain.emit("BatchFinalized", commitment=draft.commitment, epoch=0)
    return draft.commitment


def rejected(chain: Chain) -> tuple[Any, bytes]:
    """(the state of a task rejected once, its case)."""
    state = chain.state(chain.order(deadline=chain.time + 20 * 86_400), 0)
    chain.run(state, Outcome.REJECTED)
    return state, case_id(state.task.id, 0)


def freeze(chain: Chain, state: Any, case: bytes) -> None:
    node = state.attempts[0].node
    chain.emit("CaseFrozen", case=case, task=state.task.id, attempt=0, node=node, amount=1)


@pytest.fixture(autouse=True)
def panels(interface: Callable[[str], Interface]) -> Iterator[Interface]:
    """Every step that a test sees is encoded as the contract takes it."""
    ENCODERS.append(interface("Panels"))
    yield ENCODERS[0]
    ENCODERS.clear()


ENCODERS: list[Interface] = []


def opening(chain: Chain) -> list[Step]:
    return [(key, function, arguments()) for key, function, arguments in decide_opening(chain.network)]


def functions(steps: list[Any]) -> list[str]:
    for _, function, arguments in steps:
        assert ENCODERS[0].encode(function, arguments)
    return [function for _, function, _ in steps]


def test_opening__a_rejected_leaf__frozen_once(chain: Chain) -> None:
    state, case = rejected(chain)
    assert opening(chain) == []
    propose(chain)
    steps = opening(chain)
    assert functions(steps) == ["freeze"]
    assert steps[0][2][1]["node"] == state.attempts[0].node  # type: ignore[index]
    freeze(chain, state, case)
    assert opening(chain) == []


def test_opening__a_false_leaf__is_not_acted_on(chain: Chain) -> None:
    """A manager that says 'rejected' of accepted work must not get this keeper to freeze the worker."""
    state = chain.state(chain.order(), 0)
    chain.run(state)
    true = draft_batches(chain.network, MANAGER)[0].leaves[0]
    propose(chain, [true.model_copy(update={"outcome": Outcome.REJECTED, "charge": 0, "work": 0})])
    assert opening(chain) == []
    propose(
        chain, [true.model_copy(update={"task": b"\1" * 32, "node": 10**9, "outcome": Outcome.REJECTED})], final=True
    )
    assert opening(chain) == []
    assert decide_progress(chain.network) == []


def test_opening__late__penalised_once_when_final(chain: Chain) -> None:
    state = chain.state(chain.order(), 0)
    chain.anchor()
    chain.anchor(chain.acceptance(state))
    chain.wait(61)
    chain.anchor()
    commitment = propose(chain)
    assert opening(chain) == []
    chain.emit("BatchFinalized", commitment=commitment, epoch=0)
    (step,) = opening(chain)
    assert step[1] == "penalise_late"
    attempt = state.attempts[0]
    accepted = Acceptance(task=state.task.id, attempt=0, node=attempt.node, draw=attempt.draw)
    assert step[2][4] == attempt.draw
    assert accepted.signer(chain.network.domain, step[2][5]) == chain.network.nodes[attempt.node].operator  # type: ignore[arg-type]
    case = case_id(state.task.id, 0)
    chain.emit("LatePenalised", case=case, node=state.attempts[0].node, amount=1)
    assert opening(chain) == []


@pytest.mark.parametrize(("second", "function"), [(Outcome.ACCEPTED, "charge"), (Outcome.REJECTED, "clear_redone")])
def test_progress__redone_by_another__charged_or_cleared_when_both_are_final(
    chain: Chain, second: Outcome, function: str
) -> None:
    state, case = rejected(chain)
    freeze(chain, state, case)
    propose(chain, final=True)
    assert decide_progress(chain.network) == []
    chain.run(state, second)
    commitment = propose(chain)
    assert decide_progress(chain.network) == []
    chain.emit("BatchFinalized", commitment=commitment, epoch=0)
    assert functions(decide_progress(chain.network)) == [function]


def test_progress__its_batch_was_cancelled__cleared_and_frozen_again_with_the_next(chain: Chain) -> None:
    state, case = rejected(chain)
    commitment = propose(chain)
    freeze(chain, state, case)
    chain.emit("BatchCancelled", commitment=commitment)
    assert functions(decide_progress(chain.network)) == ["clear"]
    chain.emit("CaseCleared", case=case, reason=1)
    chain.wait()
    propose(chain)
    assert functions(opening(chain)) == ["freeze"]


def test_regression_progress__its_leaf_was_voided__cleared_though_it_was_redone(chain: Chain) -> None:
    """Else a worker that won its objection stays frozen: a void leaf cannot be charged, and nothing else ends its case."""
    state, case = rejected(chain)
    freeze(chain, state, case)
    commitment = propose(chain)
    chain.emit("LeafVoided", commitment=commitment, index=0, task=state.task.id, charge=0, work=0)
    assert functions(decide_progress(chain.network)) == ["clear"]
    chain.emit("BatchFinalized", commitment=commitment, epoch=0)
    chain.run(state, Outcome.ACCEPTED)
    propose(chain, final=True)
    assert functions(decide_progress(chain.network)) == ["clear"]
    chain.emit("CaseCleared", case=case, reason=6)
    assert decide_progress(chain.network) == []


def test_progress__never_redone__cleared_after_the_term(chain: Chain) -> None:
    state, case = rejected(chain)
    freeze(chain, state, case)
    propose(chain, final=True)
    chain.network.tick(chain.time + REDO_TERM)
    assert functions(decide_progress(chain.network)) == ["clear"]


def test_progress__nobody_appealed__executed_after_the_window(chain: Chain) -> None:
    state, case = rejected(chain)
    freeze(chain, state, case)
    chain.emit("CaseCharged", case=case)
    chain.network.tick(chain.time + 604_800)
    assert decide_progress(chain.network) == []
    chain.network.tick(chain.time + 604_801)
    assert functions(decide_progress(chain.network)) == ["execute"]


def panel(chain: Chain, **changes: Any) -> dict[str, Any]:
    root = chain.network.rosters[RosterKind.VERIFIERS][-1].root
    fields = {"block": 10, "seed": SEED, "root": root, "drawn": 0, "seats": 0, "voted": 0, "seated_at": 0}
    return {**fields, **changes}


def appealed(chain: Chain) -> Any:
    state, case = rejected(chain)
    freeze(chain, state, case)
    chain.emit("CaseCharged", case=case)
    chain.emit("CaseAppealed", case=case, block=10)
    return chain.network.cases[case]


def test_panel__sealed_from_the_second_block_on_then_seated(chain: Chain) -> None:
    case = appealed(chain)
    unsealed = panel(chain, seed=bytes(32))
    assert decide_panel(chain.network, case, unsealed, False, 11) == []
    assert functions(decide_panel(chain.network, case, unsealed, False, 12)) == ["seal"]
    steps = decide_panel(chain.network, case, panel(chain), False, 12)
    assert functions(steps) == ["seat"]
    ((_, function, arguments),) = steps
    roster = chain.network.rosters[RosterKind.VERIFIERS][-1].roster
    assert roster is not None
    first = next(draws(roster, SEED, case.id, Draw.PANEL, 0))
    assert (function, arguments[1][0]["node"]) == ("seat", first.leaf.node)  # type: ignore[index]
    assert len(arguments[1]) == chain.network.parameters["panel"]  # type: ignore[arg-type]


def test_panel__resolved_when_all_voted_or_the_window_is_over(chain: Chain) -> None:
    case = appealed(chain)
    seated = panel(chain, seats=1, seated_at=chain.time)
    assert decide_panel(chain.network, case, seated, False, 12) == []
    assert functions(decide_panel(chain.network, case, {**seated, "voted": 1}, False, 12)) == ["resolve"]
    chain.network.tick(chain.time + 86_401)
    assert functions(decide_panel(chain.network, case, seated, False, 12)) == ["resolve"]


def test_panel__never_seated__referred_and_ended_when_the_governor_is_silent(chain: Chain) -> None:
    case = appealed(chain)
    chain.network.tick(case.asked_at + 86_401)
    (first,) = decide_panel(chain.network, case, panel(chain), False, 12)
    assert decide_panel(chain.network, case, panel(chain), True, 12) == []
    chain.network.tick(case.asked_at + DECISION_TERM + 1)
    (last,) = decide_panel(chain.network, case, panel(chain), True, 12)
    assert first[1] == last[1] == "resolve"
    assert first[0] != last[0], "two different actions"


def pause(chain: Chain) -> None:
    """A week in which the protocol's clock stands still, over at the chain's time."""
    chain.emit("Paused", until=chain.time + PAUSE)
    chain.wait(PAUSE)
    chain.network.tick(chain.time)


def test_regression_progress__after_a_pause__terms_go_on_where_they_stood(chain: Chain) -> None:
    state, case = rejected(chain)
    freeze(chain, state, case)
    propose(chain)
    frozen_at = chain.network.cases[case].opened_at
    pause(chain)
    chain.network.tick(frozen_at + PAUSE + REDO_TERM)
    assert decide_progress(chain.network) == []
    chain.network.tick(frozen_at + PAUSE + REDO_TERM + 1)
    assert functions(decide_progress(chain.network)) == ["clear"]


def test_regression_appeal__after_a_pause__the_window_goes_on_where_it_stood(chain: Chain) -> None:
    state, case = rejected(chain)
    freeze(chain, state, case)
    chain.emit("CaseCharged", case=case)
    charged_at = chain.time
    pause(chain)
    chain.network.tick(charged_at + PAUSE + 604_800)
    assert decide_progress(chain.network) == []
    chain.network.tick(charged_at + PAUSE + 604_801)
    assert functions(decide_progress(chain.network)) == ["execute"]


def test_regression_panel__after_a_pause__waits_for_seats_votes_and_governor_as_its_contract_does(chain: Chain) -> None:
    case = appealed(chain)
    pause(chain)
    resumed = case.asked_at + PAUSE
    # Seated right after the pause: its contract has the protocol's clock, which stands behind the chain's by now.
    seated = panel(chain, seats=1, seated_at=chain.network.clock(resumed))
    chain.network.tick(resumed + 86_400)
    assert functions(decide_panel(chain.network, case, panel(chain), False, 12)) == ["seat"]
    assert decide_panel(chain.network, case, seated, False, 12) == []
    chain.network.tick(resumed + 86_401)
    assert functions(decide_panel(chain.network, case, panel(chain), False, 12)) == ["resolve"]
    assert functions(decide_panel(chain.network, case, seated, False, 12)) == ["resolve"]
    chain.network.tick(resumed + DECISION_TERM)
    assert decide_panel(chain.network, case, panel(chain), True, 12) == []
    chain.network.tick(resumed + DECISION_TERM + 1)
    assert functions(decide_panel(chain.network, case, panel(chain), True, 12)) == ["resolve"]


def test_next_members__first_hits_only_in_order_and_no_more_than_seats(chain: Chain) -> None:
    roster = chain.network.rosters[RosterKind.VERIFIERS][-1].roster
    assert roster is not None
    order = list(dict.fromkeys(item.leaf.node for item in draws(roster, SEED, bytes(32), Draw.PANEL, 0)))
    assert [leaf.node for leaf in next_members(roster, SEED, bytes(32), 0, 9)] == order
    assert [leaf.node for leaf in next_members(roster, SEED, bytes(32), 0, 2)] == order[:2]
    second = next(item.index for item in draws(roster, SEED, bytes(32), Draw.PANEL, 0) if item.leaf.node == order[1])
    assert [leaf.node for leaf in next_members(roster, SEED, bytes(32), second, 9)] == order[1:]
    assert next_members(roster, SEED, bytes(32), 256, 9) == []


def test_regression_a_step_that_fails_stops_no_other_and_a_batch_of_leaves_is_shown_from_one_tree(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each leaf had a whole tree built for it under the state's lock, in every cycle, also once its step was done; and
    where the lane was full, all that came behind waited."""
    for _ in range(4):
        rejected(chain)
    propose(chain)
    tried: list[str] = []

    def refuse(key: str) -> None:
        tried.append(key)
        if len(tried) == 1:
            raise LaneBusy("8 transactions wait to be mined")

    outbox, built = Outbox(refuse), trees_built(monkeypatch)
    courts = Courts(bare_desk(chain.network, outbox), contracts=None)  # type: ignore[arg-type]
    assert len(decide_opening(chain.network)) == 4 and built == []
    with pytest.raises(LaneBusy):
        courts.cycle()
    assert (len(tried), outbox.sent, built) == (4, tried[1:], [4])
    courts.cycle()
    assert outbox.sent == [*tried[1:4], tried[0]]
    outbox.refuse = lambda key: pytest.fail(f"{key} is done")
    built.clear()
    answers._trees.clear()
    courts.cycle()
    assert built == []
