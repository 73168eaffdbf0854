# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.cheats NAME...``: one network, into which these cheats come one after the other; exit 0 when each ends
as it should.

For each: it is measured, staked and drawn like anybody; a small job is ordered; every result of the cheat is rejected by
its committee, its task is accepted from the honest worker, the client gets all frames, the cheat's stake is frozen, and
nobody honest is accused. Says as JSON on its last line how many results of each were rejected.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from demo import story
from demo.people import ENGINES, Machine, join, machines, open_manager, start_keepers
from demo.places import OUT, STATE, wallet
from demo.say import chapter, line
from demo.services import Services, deploy, keys_for, serve, services
from devnet.processes import exit_on_sigterm
from inferix.models.roles import Role

FRAMES, SIZE, SAMPLES = "2-4", "320x180", "16"
CHEATS: Mapping[str, str] = {
    "quarter of the samples, denoised": "quarter_samples:QuarterSamples",
    "eighth of the samples": "forgers:Eighth",
    "eighth of the samples, denoised": "forgers:EighthCleaned",
    "half of the samples": "forgers:Half",
    "all samples but one": "forgers:LastLeftOut",
    "half width and height": "half_resolution:HalfResolution",
    "another seed": "other_seed:OtherSeed",
    "another worker's frame": "forgers:AnothersFrame",
    "the frame before": "forgers:FrameBefore",
    "between two frames": "forgers:Between",
    "another scene": "forgers:AnotherScene",
    "random noise": "forgers:UniformNoise",
    "eight bits": "forgers:EightBits",
    "guides made up": "forgers:MadeUpGuides",
    "light bounces once": "forgers:FewerBounces",
    "half of the frame": "forgers:HalfCheated",
}
FIRST_WALLET = 20  # of the local chain: the demo's people come before
JOBS = 4  # of which a cheat, one worker of two, must be drawn for one


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
    cheat = entered(run, name)
    job = 0
    attempts: list[dict[str, Any]] = []
    while not attempts:
        assert job < JOBS, f"{name} was never drawn"
        attempts = ordered(run, [*honest, cheat], cheat, OUT / f"{cheat.name}-{job}")
        job += 1
    story.propose(run)
    story.freeze(run, cheat)
    accused = {row["node"] for row in run.get("/cases")} & {machine.node for machine in honest}
    assert not accused, f"accused, though honest: {accused}"
    assert cheat.child is not None
    cheat.child.stop()
    return len(attempts)


def entered(run: Services, name: str) -> Machine:
    """The cheat's machine, in the final roster."""
    at = list(CHEATS).index(name)
    label, owner = f"cheat-{at}", wallet(f"owner of cheat {at}", FIRST_WALLET + at)
    run.rpc_call("anvil_setBalance", owner.address, hex(10**20))
    home = STATE / "nodes" / label
    keys = keys_for("keystore.json", home)
    machine = Machine(label, owner, Role.WORKER, keys, home, f"tests.adversaries.{CHEATS[name]}")
    join(run, [machine])
    return machine


def ordered(run: Services, everybody: list[Machine], cheat: Machine, out: Any) -> list[dict[str, Any]]:
    """A job from order to film; what the cheat delivered in it, all of it rejected."""
    order = story.Order(run, everybody, FRAMES, SIZE, SAMPLES, out)
    view = order.follow()
    delivered = []
    for task in view["tasks"]:
        outcomes = {attempt["node"]: attempt["outcome"] for attempt in task["attempts"]}
        assert "accepted" in outcomes.values(), f"task {task['index']} ended as {outcomes}"
        if task["kind"] == "render":
            delivered += [item for item in task["attempts"] if item["node"] == cheat.node and item["result"]]
    wrong = [item["outcome"] for item in delivered if item["outcome"] != "rejected"]
    assert not wrong, f"results of {cheat.name} are {wrong}"
    line(f"{len(delivered)} results of {cheat.name} are rejected, and all frames are there")
    return delivered


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(CHEATS)))
