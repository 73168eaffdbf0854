# SPDX-License-Identifier: Apache-2.0
"""Rosters: a manager's waits its window, the governor's is final at once, a disputed one waits on."""

import boa
import pytest
from eth_utils import keccak

from tests.contracts.system import FROZEN, MANAGER, VERIFIER, acting, advance, now
from tests.contracts.work.network import Network

WORKERS, VERIFIERS = 1, 2
DATA = keccak(text="data")


def root(name: str) -> bytes:
    return keccak(text=name)


def post(network: Network, name: str = "roster", kind: int = WORKERS, who: object = None, **changes: int) -> None:
    total, count = changes.get("total", 100), changes.get("count", 5)
    with acting(who or network.manager.operator):  # type: ignore[arg-type]
        network.rosters.post(kind, root(name), total, count, DATA)


def window(network: Network) -> int:
    return network.window("roster_window")


def newest(network: Network, kind: int = WORKERS) -> bytes:
    return bytes(network.rosters.newest(kind).root)


def pending(network: Network, kind: int = WORKERS) -> int:
    return int(network.rosters.pending(kind).index)


def test_roster_is_final_after_its_window(network: Network) -> None:
    post(network)
    (event,) = network.rosters.get_logs()
    assert (type(event).__name__, event.kind, event.index, bytes(event.root)) == ("RosterPosted", 1, 1, root("roster"))
    assert (event.total, event.count, bytes(event.data)) == (100, 5, DATA)
    waiting = network.rosters.pending(WORKERS)
    assert (waiting.index, waiting.manager, waiting.posted_at, waiting.final_at) == (1, network.manager.id, now(), 0)
    advance(window(network) - 1)
    with boa.reverts("Rosters: window not over"):
        network.rosters.finalize(WORKERS)
    assert newest(network) == bytes(32)
    advance(1)
    network.rosters.finalize(WORKERS)
    (event,) = network.rosters.get_logs()
    assert (type(event).__name__, event.kind, event.index) == ("RosterFinalized", WORKERS, 1)
    final = network.rosters.newest(WORKERS)
    assert (final.index, bytes(final.root), final.total, final.count) == (1, root("roster"), 100, 5)
    assert (bytes(final.data), final.final_at) == (DATA, now())
    assert pending(network) == 0
    with boa.reverts("Rosters: none waits"):
        network.rosters.finalize(WORKERS)


def test_one_waits_at_a_time_and_a_due_one_makes_room(network: Network) -> None:
    post(network, "first")
    advance(window(network) - 1)
    with boa.reverts("Rosters: another one waits"):
        post(network, "second")
    advance(1)
    post(network, "second")
    assert newest(network) == root("first")
    assert pending(network) == 2


def test_kinds_are_apart(network: Network) -> None:
    post(network, "workers", WORKERS)
    post(network, "verifiers", VERIFIERS)
    advance(window(network))
    network.rosters.finalize(VERIFIERS)
    assert (newest(network, WORKERS), newest(network, VERIFIERS)) == (bytes(32), root("verifiers"))


def test_governors_roster_is_final_at_once(network: Network) -> None:
    post(network, "false")
    post(network, "right", who=network.governor)
    names = [type(event).__name__ for event in network.rosters.get_logs()]
    assert names == ["RosterCancelled", "RosterPosted", "RosterFinalized"]
    final = network.rosters.newest(WORKERS)
    assert (bytes(final.root), final.index, final.manager, final.final_at) == (root("right"), 2, 0, now())
    assert pending(network) == 0


def test_what_was_in_force_when(network: Network) -> None:
    for name in ("first", "second"):
        post(network, name, who=network.governor)
        advance(50)
    first, second = (network.rosters.term(WORKERS, index) for index in (1, 2))
    assert (bytes(first.root), first.total, first.since, first.until) == (root("first"), 100, now() - 100, now() - 50)
    assert (bytes(second.root), second.since, second.until) == (root("second"), now() - 50, 0)
    assert network.rosters.term(WORKERS, 3).since == 0
    post(network, "waiting")
    assert network.rosters.term(WORKERS, 3).since == 0


def test_who_may_post(network: Network) -> None:
    with acting(network.bonded(VERIFIER).operator), boa.reverts("managers: not a manager"):
        network.rosters.post(WORKERS, root("x"), 100, 5, DATA)
    with acting(network.register(MANAGER).operator), boa.reverts("managers: not bonded"):
        network.rosters.post(WORKERS, root("x"), 100, 5, DATA)
    with acting(network.deployer), boa.reverts("managers: not the operator"):
        network.rosters.post(WORKERS, root("x"), 100, 5, DATA)
    with acting(network.panels):
        network.registry.set_status(network.manager.id, FROZEN)
    with boa.reverts("managers: not active"):
        post(network)


@pytest.mark.parametrize(("total", "count"), [(0, 5), (100, 1), (100, 0)])
def test_empty_roster_is_refused(network: Network, total: int, count: int) -> None:
    with boa.reverts("Rosters: empty roster"):
        post(network, total=total, count=count)


def test_unknown_kind_and_empty_root_are_refused(network: Network) -> None:
    for kind in (0, 3):
        with boa.reverts("Rosters: no such kind"):
            post(network, kind=kind)
    with acting(network.manager.operator), boa.reverts("Rosters: empty roster"):
        network.rosters.post(WORKERS, bytes(32), 100, 5, DATA)


def test_dispute_holds_it_up_and_cancels_it(network: Network) -> None:
    post(network)
    with acting(network.availability):
        network.rosters.open_dispute(WORKERS, 1)
        network.rosters.open_dispute(WORKERS, 1)
        advance(window(network))
        with boa.reverts("Rosters: window over"):
            network.rosters.open_dispute(WORKERS, 1)
        for left in (2, 1):
            assert network.rosters.pending(WORKERS).disputes == left
            with boa.reverts("Rosters: dispute open"):
                network.rosters.finalize(WORKERS)
            with boa.reverts("Rosters: another one waits"):
                post(network, "next")
            network.rosters.close_dispute(WORKERS, 1)
        with boa.reverts("Rosters: no dispute open"):
            network.rosters.close_dispute(WORKERS, 1)
        network.rosters.cancel(WORKERS, 1)
        (event,) = network.rosters.get_logs()
        assert (type(event).__name__, event.kind, event.index) == ("RosterCancelled", WORKERS, 1)
    assert (newest(network), pending(network)) == (bytes(32), 0)
    post(network, "next")


def test_disputes_name_the_one_that_waits(network: Network) -> None:
    post(network)
    for call in (network.rosters.cancel, network.rosters.open_dispute, network.rosters.close_dispute):
        with acting(network.panels), boa.reverts("courts: not a court"):
            call(WORKERS, 1)
        with acting(network.availability):
            for index in (0, 2):
                with boa.reverts("Rosters: not the one that waits"):
                    call(WORKERS, index)
    advance(window(network))
    network.rosters.finalize(WORKERS)
    with acting(network.availability):
        for index in (0, 1):
            with boa.reverts("Rosters: not the one that waits"):
                network.rosters.cancel(WORKERS, index)


def test_window_stands_still_while_paused(network: Network) -> None:
    post(network)
    with acting(network.guardian):
        network.parameters.pause()
    advance(window(network))
    with boa.reverts("Rosters: window not over"):
        network.rosters.finalize(WORKERS)
    with acting(network.guardian):
        network.parameters.resume()
    advance(window(network))
    network.rosters.finalize(WORKERS)
