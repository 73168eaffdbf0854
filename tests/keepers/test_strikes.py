# SPDX-License-Identifier: Apache-2.0
"""Which deliveries a keeper notes, and which three cases it shows to have a worker struck out."""

from collections.abc import Callable

import pytest

from inferix.chain.abi import Interface
from inferix.models.job import case_id
from inferix.models.roles import CaseStatus, Outcome
from inferix.replay.settlement import draft_batches
from inferix.replay.state import Case
from keepers.desk import Step
from keepers.strikes import NOTE_AFTER, REST, TERM, decide_notes, decide_strikes, suspects
from tests.replay.chain import MANAGER, WORKERS, Chain

DAY = 86_400
NODE = WORKERS[0]
NEXT = DAY + REST + 1  # from a delivery to the next time: a day until it is charged, a week, and one second


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


def case(
    chain: Chain,
    delivered_at: int,
    node: int = NODE,
    status: CaseStatus = CaseStatus.SLASHED,
    charged_after: int = DAY,
    counted: bool = False,
) -> bytes:
    """A case whose result was delivered so many seconds after the first second."""
    id = (len(chain.network.cases) + 1).to_bytes(32, "big")
    made = Case(id=id, task=id, attempt=0, node=node, amount=1, opened_at=delivered_at, status=status)
    made.charged_at, made.delivered_at, made.is_counted = 1 + delivered_at + charged_after, 1 + delivered_at, counted
    chain.network.cases[id] = made
    return id


def decided(chain: Chain) -> list[Step]:
    """Without pauses the protocol's clock is the chain's."""
    charged = {case.id: case.charged_at for case in chain.network.cases.values()}
    return list(decide_strikes(suspects(chain.network), charged))


def shown(chain: Chain) -> list[list[bytes]]:
    return [arguments[0] for _, _, arguments in decided(chain)]  # type: ignore[misc]


def test_the_third_time_within_thirty_days_is_shown(chain: Chain, interface: Callable[[str], Interface]) -> None:
    ids = [case(chain, at * NEXT) for at in range(3)]
    ((key, function, arguments),) = decided(chain)
    assert (key, function, arguments) == (f"strike:{NODE}:{b''.join(ids).hex()}", "strike_out", (ids,))
    assert interface("Strikes").encode(function, arguments)
    chain.network.cases[ids[0]].is_counted = True
    assert shown(chain) == []


@pytest.mark.parametrize("status", [CaseStatus.FROZEN, CaseStatus.SLASHABLE, CaseStatus.APPEALED, CaseStatus.CLEARED])
def test_a_case_without_a_slash_is_none(chain: Chain, status: CaseStatus) -> None:
    for at in range(3):
        case(chain, at * NEXT, status=status if at == 1 else CaseStatus.SLASHED)
    assert shown(chain) == []


def test_a_case_that_nobody_noted_is_none(chain: Chain) -> None:
    for at in range(3):
        case(chain, at * NEXT)
    chain.network.cases[(2).to_bytes(32, "big")].delivered_at = 0
    assert shown(chain) == []


def test_cases_of_one_time_and_of_others_do_not_add_up(chain: Chain) -> None:
    for at in (0, 1, 2, NEXT, NEXT + 5):
        case(chain, at)
    case(chain, 2 * NEXT, node=WORKERS[1])
    assert shown(chain) == []
    last = case(chain, 2 * NEXT + 2)
    first, fourth = (at.to_bytes(32, "big") for at in (1, 4))
    assert shown(chain) == [[first, fourth, last]]


def test_a_case_that_was_charged_late_hides_no_other(chain: Chain) -> None:
    first, slow = case(chain, 0), case(chain, NEXT, charged_after=9 * DAY)
    second, third = case(chain, NEXT + 60), case(chain, 2 * NEXT + 60)
    assert shown(chain) == [[first, second, third]]
    assert slow not in shown(chain)[0]


def test_what_was_charged_is_told_by_the_contract_whatever_pauses_there_were(chain: Chain) -> None:
    """The reducer's times are the chain's, deliveries the protocol's: after pauses of nine days they never fit."""
    ids = [case(chain, at * NEXT) for at in range(3)]
    for each in chain.network.cases.values():
        each.charged_at += 9 * DAY
    assert shown(chain) == []
    charged = {case.id: case.charged_at - 9 * DAY for case in chain.network.cases.values()}
    assert [step[2] for step in decide_strikes(suspects(chain.network), charged)] == [(ids,)]


@pytest.mark.parametrize("more", [0, 1])
def test_thirty_days_are_counted_from_the_first_delivery_to_the_third(chain: Chain, more: int) -> None:
    ids = [case(chain, at) for at in (0, NEXT, TERM + more)]
    assert shown(chain) == ([] if more else [ids])


def test_a_delivery_is_noted_once_its_case_is_charged(chain: Chain, interface: Callable[[str], Interface]) -> None:
    state = chain.state(chain.order(deadline=chain.time + 20 * DAY), 0)
    chain.run(state, Outcome.REJECTED)
    assert list(decide_notes(chain.network)) == []
    draft = draft_batches(chain.network, MANAGER)[0]
    for document in draft.documents:
        chain.store(document)
    chain.emit("Proposed", commitment=draft.commitment, header=draft.header)
    id = case_id(state.task.id, 0)
    chain.emit("CaseFrozen", case=id, task=state.task.id, attempt=0, node=state.attempts[0].node, amount=1)
    assert list(decide_notes(chain.network)) == [], "it may be cleared yet"
    chain.time += NOTE_AFTER
    chain.network.tick(chain.time)
    assert list(decide_notes(chain.network)), "before its anchor is forgotten"
    chain.time -= NOTE_AFTER
    chain.network.cases[id].opened_at += NOTE_AFTER
    chain.emit("CaseCharged", case=id)
    ((key, function, arguments),) = decide_notes(chain.network)
    assert (key, function) == (f"note:{id.hex()}:{draft.commitment.hex()}", "note")
    shown = arguments()
    assert shown[0]["leaf"]["task"] == state.task.id  # type: ignore[index]
    assert interface("Strikes").encode(function, shown)
    chain.emit("DeliveryNoted", case=id, delivered_at=chain.time)
    assert list(decide_notes(chain.network)) == []


def test_regression_a_case_that_is_opened_again_in_another_batch_is_noted_again(chain: Chain) -> None:
    """Strikes knows deliveries by batch and place. The key named the case alone: the second note was never sent, and the
    case never counted as a time."""
    state = chain.state(chain.order(deadline=chain.time + 20 * DAY), 0)
    chain.run(state, Outcome.REJECTED)
    id = case_id(state.task.id, 0)
    keys = []
    for _ in range(2):
        chain.run(chain.state(chain.order(), 0))  # a batch that fell does not come back: another leaf beside it
        commitment = chain.propose(draft_batches(chain.network, MANAGER)[0])
        chain.emit("CaseFrozen", case=id, task=state.task.id, attempt=0, node=state.attempts[0].node, amount=1)
        chain.emit("CaseCharged", case=id)
        keys += [key for key, _, _ in decide_notes(chain.network)]
        chain.emit("DeliveryNoted", case=id, delivered_at=chain.time)
        chain.emit("CaseCleared", case=id, reason=2)
        chain.emit("BatchCancelled", commitment=commitment)
        chain.wait()
    assert len(keys) == len(set(keys)) == 2
