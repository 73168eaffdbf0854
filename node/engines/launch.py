# SPDX-License-Identifier: Apache-2.0
"""Starts this project's own Python code in a sandbox."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import inferix
from node import sandbox
from node.engines.base import EngineSettings, Progress
from node.engines.process import JsonProcess

_ROOT: Final = Path(__file__).resolve().parents[2]
_CODE: Final = (_ROOT / "node", Path(inferix.__file__).resolve().parent)


def start_python(
    module: str,
    work: Path,
    settings: EngineSettings,
    folders: Sequence[Path] = (),
    on_progress: Callable[[Progress], None] | None = None,
    environment: Mapping[str, str] | None = None,
) -> JsonProcess:
    """Call ``main`` of ``module`` in a process that may read ``folders``, this Python and this project's code only."""
    start = f"import os, sys; os.environ.update({dict(environment or {})!r}); sys.path.insert(0, {str(_ROOT)!r}); "
    start += f"from {module} import main; main()"
    command = [sys.executable, "-I", "-B", "-c", start]
    return JsonProcess(command, work, settings, (*sandbox.python_folders(), *_CODE, *folders), on_progress)
