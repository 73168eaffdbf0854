# SPDX-License-Identifier: Apache-2.0
"""Ends programs as a power cut would, one at a time, at random moments, and starts them again a little later."""

import random
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import httpx

from demo.say import line
from demo.services import Services

PAUSE = (2.0, 6.0)  # seconds between two kills
DOWN = (0.0, 2.0)  # seconds until it is started again


class Killer:
    """Used as a context; restarted programs end with it. ``kills``: how often each program was killed."""

    def __init__(self, run: Services, names: Sequence[str], seed: int) -> None:
        self.kills: Counter[str] = Counter()
        self.error: BaseException | None = None
        self._run, self._names = run, list(names)
        self._random = random.Random(seed)
        self._stop, self._ended = threading.Event(), threading.Event()
        # Programs end with the thread that started them: it goes on after the last kill until everything is over.
        self._thread = threading.Thread(target=self._work, name="killer", daemon=True)

    def __enter__(self) -> "Killer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.rest()

    def rest(self) -> None:
        """No more kills; everything that was killed runs again. Raises what went wrong."""
        self._stop.set()
        self._ended.wait(60)
        if self.error is not None:
            raise self.error

    def _work(self) -> None:
        try:
            while not self._stop.wait(self._random.uniform(*PAUSE)):
                name = self._random.choice(self._names)
                if name != "api" or self._answers():
                    self._kill(name)
        except BaseException as error:
            self.error = error
        self._ended.set()
        threading.Event().wait()

    def _answers(self) -> bool:
        """Whether the API has come back from its last kill: clients wait for one restart at a time, not for ever."""
        with suppress(httpx.HTTPError):
            return httpx.get(self._run.api + "/network", timeout=2).status_code == 200
        return False

    def _kill(self, name: str) -> None:
        child = self._run.children[name]
        if not child.running:
            raise AssertionError(f"{name} ended by itself:\n{child.log_tail()}")
        child.kill()
        self.kills[name] += 1
        line(f"killed {name}")
        self._stop.wait(self._random.uniform(*DOWN))
        self._run.restart(name)
