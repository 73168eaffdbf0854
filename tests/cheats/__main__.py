# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.cheats NAME...``: one network, into which these cheats come one after the other; exit 0 when each ends
as it should.

For each: it is measured, staked and drawn like anybody; a small job is ordered; every result of the cheat is rejected by
its committee, its task is accepted from the honest worker, the client gets all frames, the cheat's stake is frozen, and
nobody else is accused. Of a frame forged in part a result may pass; none is rejected without its stake being frozen. Says
as JSON on its last line how many results of each were rejected.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import story
from demo.people import ENGINES, Machine, join, machines, open_manager, start_keepers
from demo.places import OUT, STATE, wallet
from demo.say import chapter, line
from demo.services import Services, deploy, keys_for, serve, services
from devnet.processes import exit_on_sigterm
from inferix.models.roles import Role

FRAMES, SIZE, SAMPLES = "2-4", "320x180", "16"


@dataclass(frozen=True)
class Cheat:
    """A worker's engine. ``always``: no result of it passes; else one may where no tile fell on what is forged, and
    ``once`` says whether one is rejected at last. ``verifier``: the engine of one that is in league with it."""

    engine: str
    always: bool = True
    once: bool = True
    verifier: str = ""


CHEATS: Mapping[str, Cheat] = {
    "quarter of the samples": Cheat("Quarter"),
    "quarter of the samples, denoised": Cheat("QuarterDenoised"),
    "eighth of the samples": Cheat("Eighth"),
    "eighth of the samples, denoised": Cheat("EighthDenoised"),
    "half of the samples": Cheat("Half"),
    "half of the samples, denoised": Cheat("HalfDenoised"),
    "all samples but one": Cheat("AllButOne"),
    "all samples but one, denoised": Cheat("AllButOneDenoised"),
    "half width and height": Cheat("HalfSize"),
    "half width and height, denoised": Cheat("HalfSizeDenoised"),
    "another seed": Cheat("OtherSeed"),
    "another worker's frame": Cheat("AnothersFrame"),
    "the frame before": Cheat("FrameBefore"),
    "between two frames": Cheat("BetweenFrames"),
    "another scene": Cheat("AnotherScene"),
    "random noise": Cheat("UniformNoise"),
    "black and white noise": Cheat("BlackAndWhite"),
    "eight bits": Cheat("EightBits"),
    "guides made up": Cheat("MadeUpGuides"),
    "marks pasted on": Cheat("PastedMarks"),
    "light bounces once": Cheat("FewerBounces"),
    "three bounces of twelve": Cheat("ThreeBounces", always=False),
    "fast GI": Cheat("FastGi", always=False),
    "seven eighths under another kernel's name": Cheat("OtherKernel"),
    "quarter of every tile under another kernel's name": Cheat("QuarterOfEveryTile"),
    "half of the frame": Cheat("HalfCheated", always=False),
    "quarter of the frame": Cheat("QuarterCheated", always=False),
    "quarter of the frame, in one piece": Cheat("QuarterInOnePiece", always=False),
    "quarter of the frame, scattered": Cheat("QuarterScattered", always=False),
    "tenth of the frame": Cheat("TenthCheated", always=False, once=False),
    "twentieth of the frame": Cheat("TwentiethCheated", always=False, once=False),
    "half of the samples, a verifier in league": Cheat("Half", verifier="HalfAccepted"),
}
FIRST_WALLET = 20  # of the local chain: the demo's people come before
JOBS = 4  # of which a cheat, one worker of two, must be drawn for one
TRIES = 8  # jobs until a cheat that is not always seen is, or its verifier has a seat


def main(names: list[str]) -> int:
    """0, or an exception."""
    exit_on_sigterm()
    with services(os.environ) as run:
        chapter("A network with one honest worker")
        deploy(run)
        serve(run)
        open_manager(run)
        start_keepers(run)
        honest = machines({"honest": ENGINES["honest"]})
        join(run, honest)
        story.wallet_of_client()
        story.top_up(run)
        print(json.dumps({"rejected": {name: tried(run, honest, name) for name in names}}))
    return 0


def tried(run: Services, honest: list[Machine], name: str) -> int:
    """How many results of this cheat were rejected."""
    chapter(f"A cheat: {name}")
    cheat, at = CHEATS[name], list(CHEATS).index(name)
    workers = [entered(run, f"cheat-{at}", FIRST_WALLET + 2 * at, Role.WORKER, cheat.engine)]
    everybody = [*honest, *workers]
    helper = 0
    if cheat.verifier:
        everybody.append(entered(run, f"accomplice-{at}", FIRST_WALLET + 2 * at + 1, Role.VERIFIER, cheat.verifier))
        helper = everybody[-1].node
    delivered: list[dict[str, Any]] = []
    for job in range(JOBS if cheat.always and not cheat.verifier else TRIES):
        made = ordered(run, everybody, workers[-1], OUT / f"cheat-{at}-{job}")
        delivered += made
        if is_done(cheat, delivered, helper):
            break
        if cheat.verifier and any(item["outcome"] == "rejected" for item in made):
            # It is frozen, and drawn no more; its verifier had no seat yet.
            label, place = f"cheat-{at}-{job}", FIRST_WALLET + 2 * len(CHEATS) + job
            workers.append(entered(run, label, place, Role.WORKER, cheat.engine))
            everybody.append(workers[-1])
    assert is_done(cheat, delivered, helper), (
        f"{name}: after {job + 1} jobs {len(delivered)} results, not what is waited for"
    )
    rejected = [item for item in delivered if item["outcome"] == "rejected"]
    passed = {item["outcome"] for item in delivered if item not in rejected}
    assert passed <= (set() if cheat.always else {"accepted"}), f"results of cheat-{at} are {passed}"
    line(f"{len(rejected)} of {len(delivered)} results of cheat-{at} are rejected, and all frames are there")
    story.propose(run)
    caught = {item["node"] for item in rejected}
    for worker in workers:
        if worker.node in caught:
            story.freeze(run, worker)
    accused = {row["node"] for row in run.get("/cases")}
    assert accused & {worker.node for worker in workers} == caught
    wrongly = accused & {machine.node for machine in everybody if machine not in workers}
    assert not wrongly, f"accused, though they did not forge: {wrongly}"
    for machine in everybody[len(honest) :]:
        assert machine.child is not None
        machine.child.stop()
    return len(rejected)


def is_done(cheat: Cheat, delivered: list[dict[str, Any]], helper: int) -> bool:
    """Whether what was delivered shows how this cheat ends. ``helper``: the node of the verifier in league with it."""
    if cheat.verifier:
        votes = [vote for item in delivered for vote in item["votes"]]
        return any(vote["node"] == helper and vote["outcome"] == "accepted" for vote in votes)
    needs = {"rejected"} if cheat.once else {"rejected", "accepted"}
    return any(item["outcome"] in needs for item in delivered)


def entered(run: Services, label: str, place: int, role: Role, engine: str) -> Machine:
    """A machine of theirs, in the final roster. ``place``: its owner's wallet."""
    owner = wallet(f"owner of {label}", place)
    run.rpc_call("anvil_setBalance", owner.address, hex(10**20))
    home = STATE / "nodes" / label
    machine = Machine(label, owner, role, keys_for("keystore.json", home), home, f"tests.adversaries.forgers:{engine}")
    join(run, [machine])
    return machine


def ordered(run: Services, everybody: list[Machine], cheat: Machine, out: Path) -> list[dict[str, Any]]:
    """A job from order to film: all of it accepted at last; what the cheat delivered for its frames."""
    view = story.Order(run, everybody, FRAMES, SIZE, SAMPLES, out).follow()
    delivered = []
    for task in view["tasks"]:
        outcomes = [attempt["outcome"] for attempt in task["attempts"]]
        assert "accepted" in outcomes, f"task {task['index']} ended as {outcomes}"
        if task["kind"] == "render":
            delivered += [item for item in task["attempts"] if item["node"] == cheat.node and item["result"]]
    return delivered


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(CHEATS)))
