# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.kills SEED``: an order from quote to claims while programs are killed; exit 0 when nothing is lost.

Says as JSON on its last line how often each program was killed. ``INFERIX_DEMO_OUT`` names the folder it works in.
"""

import json
import os
import sys

from demo import report, story
from demo.people import ENGINES, PRICE, Machine, join, machines, open_manager, start_keepers
from demo.say import chapter, elapsed
from demo.services import Services, deploy, serve, services
from devnet.processes import exit_on_sigterm
from inferix.units import NanoIbm, NanoUsd, fee_of
from tests.kills.killer import Killer

WORKERS = {"honest": ENGINES["honest"], "cheat": ENGINES["cheat"], "second": ENGINES["honest"]}
FRAMES, SIZE, SAMPLES = "1-4", "320x180", "8"


def main(seed: int) -> int:
    """0, or an exception."""
    exit_on_sigterm()
    with services(os.environ) as run:
        chapter(f"The network, with kills of seed {seed}")
        deploy(run)
        serve(run)
        open_manager(run)
        start_keepers(run)
        everybody = machines(WORKERS)
        join(run, everybody)
        story.wallet_of_client()
        story.top_up(run)
        before = report.balances(run)
        names = ["api", "keepers", "keepers", *(machine.name for machine in everybody)]
        with Killer(run, names, seed) as killer:
            view = order(run, everybody)
            story.close_epoch(run)
        report.reconcile(before, report.balances(run), run)
        check_charge(run, view)
        check_slashes(run, everybody)
        story.audit(run)
        print(json.dumps({"seconds": round(elapsed()), "kills": killer.kills}))
    return 0


def order(run: Services, everybody: list[Machine]) -> dict[str, object]:
    """From the order to final batches; a cheat that was drawn is charged."""
    found = story.Order(run, everybody, FRAMES, SIZE, SAMPLES)
    found.follow()
    story.propose(run)
    story.finalize(run)
    cheat = next(machine for machine in everybody if machine.name == "worker-cheat")
    if any(row["node"] == cheat.node for row in run.get("/cases")):
        story.appeal(run, cheat)
    return found.view()


def check_charge(run: Services, view: dict[str, object]) -> None:
    """Every task accepted once, every frame there, the client charged for exactly that: as if nothing had been killed."""
    tasks = view["tasks"]
    assert isinstance(tasks, list)
    for task in tasks:
        accepted = [attempt for attempt in task["attempts"] if attempt["outcome"] == "accepted"]
        assert len(accepted) == 1, f"task {task['index']} was accepted {len(accepted)} times"
    assert [task["first_frame"] for task in tasks if task["kind"] == "render"] == [1, 2, 3, 4]
    fee = sum(fee_of(NanoIbm(task["work"]), NanoUsd(PRICE)) for task in tasks)
    assert view["charged"] == fee, f"the client is charged {view['charged']}, not {fee}"
    final = sum(batch["charge"] for batch in run.get("/batches") if batch["status"] == "final")
    assert final == fee, f"final batches charge {final}, not {fee}"


def check_slashes(run: Services, everybody: list[Machine]) -> None:
    """Nobody honest lost stake, or waits to."""
    honest = {machine.node: machine.name for machine in everybody if machine.name != "worker-cheat"}
    lost = [honest[row["node"]] for row in report.slashes(run) if row["node"] in honest]
    assert not lost, f"slashed, though honest: {lost}"
    accused = [honest[row["node"]] for row in run.get("/cases") if row["node"] in honest]
    assert not accused, f"accused, though honest: {accused}"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
