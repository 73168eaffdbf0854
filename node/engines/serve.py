# SPDX-License-Identifier: Apache-2.0
"""The loop inside a sandbox: one JSON request a line on stdin, JSON lines back on what was stdout.

    -> {"operation": "render", "arguments": {...}}
    <- {"progress": {"stage": ..., "done": 0.4}}            any number of these
    <- {"result": {...}}  or  {"error": {"code", "message"}}

Libraries print to stdout when they like, so the answers go through a copy of it and stdout itself becomes stderr.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, TextIO

Report = Callable[[str, float], None]


def serve(make: Callable[[Report], object]) -> None:
    """Serve the public methods of what ``make`` returns until stdin ends. ``make`` may import what takes long.

    An error with an attribute ``code`` is answered with it; the process lives on after any error but an ImportError of
    ``make``, whose message should say what to install.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        operations = make(lambda stage, done: _send(answers, {"progress": {"stage": stage, "done": done}}))
    except ImportError as error:
        _send(answers, {"error": {"code": "missing", "message": str(error)}})  # to the first request, whatever it is
        return
    for line in sys.stdin:
        request = json.loads(line)
        _send(answers, _answer(getattr(operations, request["operation"]), request["arguments"]))
    os._exit(0)  # the kernel frees memory faster than libraries do


def _answer(operation: Callable[..., object], arguments: dict[str, Any]) -> dict[str, object]:
    try:
        return {"result": operation(**arguments)}
    except MemoryError:
        return {"error": {"code": "memory", "message": "out of memory"}}
    except Exception as error:  # the host decides what to make of it
        code = getattr(error, "code", None)
        if code is None:
            traceback.print_exc()
            return {"error": {"code": "failed", "message": f"{type(error).__name__}: {error}"}}
        return {"error": {"code": code, "message": str(error)}}


def _send(answers: TextIO, message: dict[str, object]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()
