# SPDX-License-Identifier: Apache-2.0
"""``python -m keepers NAME [NAME ...]`` or ``python -m keepers all``: the manager's loops; settings from ``INFERIX_*``.

Exit status: 0 told to stop, 1 a bug, 2 cannot start or go on with these settings.
"""

import logging
import signal
import sys
import threading
from collections.abc import Sequence

from pydantic import ValidationError

from inferix import keystore
from inferix.errors import InferixError, Unavailable
from keepers import logs
from keepers.loop import run
from keepers.parts import KEEPERS, Parts
from keepers.settings import KeeperSettings

log = logging.getLogger("keepers")


def main(arguments: Sequence[str]) -> int:
    """Runs the named loops until it is told to stop."""
    names = tuple(KEEPERS) if "all" in arguments else tuple(dict.fromkeys(arguments))
    if not names or any(name not in KEEPERS for name in names):
        print(f"usage: python -m keepers all | {' | '.join(KEEPERS)}", file=sys.stderr)
        return 2
    try:
        settings = KeeperSettings()
    except ValidationError as error:
        for problem in error.errors():
            print(f"INFERIX_{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}", file=sys.stderr)
        return 2
    logs.set_up(settings.log_format)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    parts = Parts(settings, lambda: keystore.read_password(settings.password_file, "INFERIX_PASSWORD", None), stop)
    try:
        loops = [loop for name in names for loop in KEEPERS[name](parts)]
        log.info("running: %s", ", ".join(loop.name for loop in loops))
        run(loops, stop, settings.health_file)
    except InferixError as error:
        if stop.is_set() and isinstance(error, Unavailable):
            return 0  # told to stop while it still waited for another program
        print(f"the keepers stop: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    finally:
        parts.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
