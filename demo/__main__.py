# SPDX-License-Identifier: Apache-2.0
"""``make demo``: the network's main job on this machine. DB=postgres, STORE=kubo, KEEP=1 (leaves it running)."""

import os
import sys
import time
from typing import Any

from demo import report, story
from demo.people import join, machines, open_manager, start_keepers
from demo.places import OUT
from demo.say import chapter, elapsed, line
from demo.services import Services, deploy, serve, services
from devnet.processes import exit_on_sigterm
from inferix.errors import InferixError


def main() -> int:
    """0 when everything happened that must happen."""
    exit_on_sigterm()
    try:
        with services(os.environ) as run:
            play(run)
            if os.environ.get("KEEP"):
                line(f"the network stays up: {run.api}   (Ctrl-C stops all of it)")
                while True:
                    time.sleep(1)
        print("Everything is stopped. `make demo KEEP=1` leaves the network running with the page open for use.")
    except KeyboardInterrupt:
        print("\nstopped; nothing is left running")
        return 130
    except InferixError as error:
        print(f"\nthe demo failed: {error}", file=sys.stderr)
        return 1
    return 0


def play(run: Services) -> None:
    """The whole story."""
    chapter("1. A network starts")
    deploy(run)
    line("the contracts are compiled and deployed by Ape")
    serve(run)
    line(f"API and page: {run.api}")
    open_manager(run)
    start_keepers(run)
    everybody = machines()
    join(run, everybody)
    story.wallet_of_client()
    story.top_up(run)
    before = report.balances(run)

    chapter("2. An order that must fail, and one that must not")
    refusal = story.refused_order(run)
    order = story.Order(run, everybody)
    line(f"watch it: {order.page}")

    chapter("3. Frames are drawn, rendered, proven")
    order.follow()
    _show(OUT / "film.mp4", OUT / "contact_sheet.png")

    chapter("4. Settlement: windows, a case, an appeal")
    cheat = next(machine for machine in everybody if machine.name == "worker-cheat")
    story.propose(run)
    story.freeze(run, cheat)
    story.finalize(run)
    story.appeal(run, cheat)

    chapter("5. The epoch closes, rewards are claimed")
    story.close_epoch(run)

    chapter("6. Who has what")
    after = report.balances(run)
    sums = report.reconcile(before, after, run)
    report.table(before, after, sums)
    facts: dict[str, Any] = {
        "refused": refusal,
        "again": story.again(run, order),
        "audit": story.audit(run),
        "sums": {name: str(amount) for name, amount in sums.items()},
    }
    report.write(run, order, everybody, before, after, facts)
    line(f"done in {elapsed():.0f} s")
    _show(OUT / "report.json")
    line(f"the page of this job while the network runs: {order.page}")


def _show(*paths: object) -> None:
    for path in paths:
        line(f"on disk: {os.path.relpath(str(path))}")


if __name__ == "__main__":
    sys.exit(main())
