# SPDX-License-Identifier: Apache-2.0
"""Which three cases a keeper shows to have a worker struck out."""

from collections.abc import Callable

import pytest

from inferix.chain.abi import Interface
from inferix.models.roles import CaseStatus, NodeStatus
from inferix.replay.state import Case
from keepers.strikes import TERM, decide_strikes
from tests.replay.chain import WORKERS, Chain

DAY = 86_400
NODE = WORKERS[0]


def case(chain: Chain, opened_at: int, node: int = NODE, status: CaseStatus = CaseStatus.SLASHED) -> bytes:
    """A case opened so many seconds after the start, charged a day later."""
    id = (len(chain.network.cases) + 1).to_bytes(32, "big")
    times = {"opened_at": opened_at, "charged_at": opened_at + DAY, "ended_at": opened_at + 9 * DAY}
    chain.network.cases[id] = Case(id=id, task=id, attempt=0, node=node, amount=1, status=status, **times)
    return id


def shown(chain: Chain) -> list[list[bytes]]:
    return [arguments[0] for _, _, arguments in decide_strikes(chain.network)]  # type: ignore[misc]


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    chain.start()
    return chain


@pytest.fixture
def window(chain: Chain) -> int:
    """From a case to the next time: a day until it is charged, the time to appeal, and one second."""
    return DAY + chain.network.parameters["appeal_window"] + 1


def test_the_third_time_within_thirty_days_is_shown(
    chain: Chain, window: int, interface: Callable[[str], Interface]
) -> None:
    ids = [case(chain, at * window) for at in range(3)]
    ((key, function, arguments),) = decide_strikes(chain.network)
    assert (key, function, arguments) == (f"strike:{NODE}:{ids[2].hex()}", "strike_out", (ids,))
    assert interface("Strikes").encode(function, arguments)
    chain.network.nodes[NODE].status = NodeStatus.BANNED
    assert decide_strikes(chain.network) == []


@pytest.mark.parametrize("status", [CaseStatus.FROZEN, CaseStatus.SLASHABLE, CaseStatus.APPEALED, CaseStatus.CLEARED])
def test_a_case_without_a_slash_is_none(chain: Chain, window: int, status: CaseStatus) -> None:
    for at in range(3):
        case(chain, at * window, status=status if at == 1 else CaseStatus.SLASHED)
    assert shown(chain) == []


def test_cases_of_one_time_and_of_others_do_not_add_up(chain: Chain, window: int) -> None:
    for at in (0, 1, 2, window, window + 5):
        case(chain, at)
    case(chain, 2 * window, node=WORKERS[1])
    assert shown(chain) == []
    last = case(chain, 2 * window + 4)
    first, second = (bytes(31) + bytes([at]) for at in (1, 4))
    assert shown(chain) == [[first, second, last]]


@pytest.mark.parametrize("more", [0, 1])
def test_thirty_days_are_counted_from_the_first_to_the_third(chain: Chain, window: int, more: int) -> None:
    ids = [case(chain, at) for at in (0, window, TERM + more)]
    assert shown(chain) == ([] if more else [ids])


def test_of_four_times_the_first_three_that_are_close_enough_are_shown(chain: Chain, window: int) -> None:
    ids = [case(chain, at) for at in (0, TERM // 2, TERM + 1, TERM + window + 1)]
    assert shown(chain) == [ids[1:]]
