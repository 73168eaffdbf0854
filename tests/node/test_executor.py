# SPDX-License-Identifier: Apache-2.0
"""Long work: urgent first, once, and again later when it fails."""

import logging
import threading
import time
from errno import ENOSPC

import pytest

from inferix.errors import NotFound
from node.executor import Executor, Later


class Bench:
    """An executor whose clock is turned by hand; ``errors`` are raised by the items of that name."""

    def __init__(self) -> None:
        self.time = 0.0
        self.done: list[str] = []
        self.errors: dict[str, Exception] = {}
        self.executor: Executor[str] = Executor(self.work, lambda: None, monotonic=lambda: self.time)

    def work(self, item: str) -> None:
        self.done.append(item)
        if item in self.errors:
            raise self.errors[item]

    def submit(self, name: str, deadline: int = 1) -> None:
        self.executor.submit(name, deadline, name)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_step__most_urgent_first(bench: Bench) -> None:
    bench.submit("later", 30)
    bench.submit("soon", 10)
    bench.submit("then", 20)
    while bench.executor.step():
        pass
    assert bench.done == ["soon", "then", "later"]
    assert not bench.executor.busy


def test_submit__what_is_queued_or_running__is_not_queued_twice(bench: Bench) -> None:
    bench.submit("a")
    bench.submit("a")
    assert bench.executor.knows("a")
    assert bench.executor.busy
    bench.executor.step()
    assert bench.done == ["a"]
    assert not bench.executor.knows("a")
    assert not bench.executor.step()


@pytest.mark.parametrize(("error", "pauses"), [(NotFound("away"), [5, 10, 20, 40, 60, 60]), (Later("wait"), [2, 2, 2])])
def test_failure__rests_and_others_go_on(bench: Bench, error: Exception, pauses: list[int]) -> None:
    bench.errors["a"] = error
    for pause in pauses:
        bench.submit("a")
        assert bench.executor.step()
        bench.submit("a")
        bench.submit("b")
        assert bench.executor.step()
        assert bench.done[-1] == "b"
        bench.time += pause - 0.1
        assert bench.executor.knows("a")
        bench.time += 0.2
        assert not bench.executor.knows("a")


def test_failure__success_starts_the_rests_anew(bench: Bench) -> None:
    bench.errors["a"] = NotFound("away")
    for _ in range(3):
        bench.submit("a")
        bench.executor.step()
        bench.time += 100
    error = bench.errors.pop("a")
    bench.submit("a")
    bench.executor.step()
    bench.errors["a"] = error
    bench.submit("a")
    bench.executor.step()
    bench.time += 5.1
    assert not bench.executor.knows("a")


def test_mistake_of_ours__is_logged_with_its_place_and_ends_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.errors["a"] = ZeroDivisionError("oops")
    bench.submit("a")
    with caplog.at_level(logging.ERROR):
        bench.executor.step()
    assert "ZeroDivisionError" in caplog.text
    bench.submit("b")
    bench.executor.step()
    assert bench.done == ["a", "b"]


def test_full_disk__is_one_clear_line_and_tried_again(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.errors["a"] = OSError(ENOSPC, "No space left on device", "frame-1.exr")
    bench.submit("a")
    bench.executor.step()
    assert "a : No space left on device: free some room, it is tried again" in caplog.text
    assert "Traceback" not in caplog.text
    del bench.errors["a"]
    bench.time += 5.1
    bench.submit("a")
    assert bench.executor.step()


def test_drop__forgets_what_is_no_longer_listed(bench: Bench) -> None:
    bench.submit("a")
    bench.submit("b")
    bench.executor.drop(lambda key: key == "b")
    assert not bench.executor.knows("a")
    bench.executor.step()
    assert bench.done == ["b"]


def test_regression_work_that_fails_while_items_are_dropped_ends_nothing() -> None:
    """Its rest was written by the one thread while the other read all of them, and the node ended."""
    began, fail = threading.Event(), threading.Event()

    def work(_: str) -> None:
        began.set()
        assert fail.wait(10)
        raise NotFound("away")

    executor: Executor[str] = Executor(work, lambda: None)
    executor._resting, executor._failures = {"over": 0.0, "long over": 0.0}, {"over": 1}

    def keep(key: str) -> bool:
        fail.set()
        time.sleep(0.2)  # so that the other thread comes to its rest
        return True

    executor.start()
    executor.submit("a", 1, "a")
    assert began.wait(10)
    executor.drop(keep)
    executor.close()
    assert executor._resting.keys() == {"over", "long over", "a"}


def test_thread__works_until_closed() -> None:
    done = threading.Event()
    executor: Executor[str] = Executor(lambda _: done.set(), lambda: None)
    executor.start()
    executor.submit("a", 1, "a")
    assert done.wait(10)
    executor.close()
    executor.submit("b", 1, "b")
    assert not executor.knows("b")
