# SPDX-License-Identifier: Apache-2.0
"""One job on a network of this machine: two honest workers, three verifiers, as the demo starts them."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.cores import Meter, Part
from benchmarks.machine import busy_seconds
from benchmarks.stages import Stage, stages
from benchmarks.stamps import Stamps
from benchmarks.steps import Sent, transactions
from demo import report, story
from demo.people import Machine, join, machines, open_manager, start_keepers
from demo.say import chapter, line, until
from demo.services import Services, deploy, serve
from inferix.chain.client import ChainClient
from inferix.errors import Unavailable
from inferix.models.roles import Role

WORKERS: Final = {"one": "blender", "two": "blender"}
CHAIN: Final = "chain"
IDLE_SECONDS: Final = 20
ASK_SECONDS: Final = 5.0
POLL: Final = 0.02


@dataclass(frozen=True)
class Job:
    """What was measured.

    ``parts``: processor seconds by program; ``idle``: those of `IDLE_SECONDS` without a job; ``others``: of what else
    ran on this machine. ``lags``: seconds by which block times were behind the clock, before and after.
    """

    stages: list[Stage]
    seconds: float
    parts: Mapping[Part, float]
    idle: Mapping[Part, float]
    others: float
    lags: tuple[float, float]
    roles: Mapping[str, str]
    tasks: int
    votes: list[int]
    charged: int
    sent: list[Sent]
    seeds: list[tuple[int, int]]
    settings: Mapping[str, Any]

    def core_seconds(self, role: str = "", *, sandboxed: bool | None = None) -> float:
        """Processor seconds of a role's programs, or of all; of their sandboxed part, their own, or both."""
        return sum(
            seconds
            for part, seconds in self.parts.items()
            if role in ("", self._role(part)) and sandboxed in (None, part.sandboxed)
        )

    def idle_seconds(self, role: str = "") -> float:
        """What the same programs would have used in the same time without a job."""
        idle = sum(seconds for part, seconds in self.idle.items() if role in ("", self._role(part)))
        return idle * self.seconds / IDLE_SECONDS

    def _role(self, part: Part) -> str:
        return self.roles.get(part.program, part.program)


def run(services: Services) -> Job:
    """Builds the network, has the job done and settled."""
    chapter("A network starts")
    deploy(services)
    serve(services)
    open_manager(services)
    start_keepers(services)
    everybody = machines(WORKERS)
    join(services, everybody)
    story.wallet_of_client()
    story.top_up(services)
    chapter("The job")
    return _measured(services, everybody)


def _measured(services: Services, everybody: list[Machine]) -> Job:
    chain = services.contracts.client
    line(f"{IDLE_SECONDS} s without a job first")
    with Meter() as idle:
        time.sleep(IDLE_SECONDS)
    block, before = chain.block_number(), lag(chain)
    began, busy, own = time.time(), busy_seconds(), time.process_time()
    with Meter() as meter, Stamps(services.logs / "client.log") as stamps:
        order = story.Order(services, everybody)
        view = _follow(order)
    names = {child.pid: name for name, child in services.children.items()}
    parts = meter.seconds(names, CHAIN)
    others = busy_seconds() - busy - sum(parts.values()) - (time.process_time() - own)
    lags = before, lag(chain)
    spent = stages(began, stamps.lines, view, report.results(services, order), sum(lags) / 2)
    chapter("Its settlement")
    _settle(services)
    return Job(
        stages=spent,
        seconds=spent[-1].seconds[0],
        parts=parts,
        idle=idle.seconds(names, CHAIN),
        others=max(0.0, others),
        lags=lags,
        roles=roles(everybody),
        tasks=len(view["tasks"]),
        votes=[len(attempt["votes"]) for task in view["tasks"] for attempt in task["attempts"]],
        charged=view["charged"],
        sent=transactions(chain, services.contracts.deployment, block),
        seeds=accepted_seeds(view, report.frame_seeds(order, view)),
        settings=order.file.settings,
    )


def lag(chain: ChainClient) -> float:
    """Seconds from a block's time until it is there."""
    number = chain.block_number()
    while (header := chain.header("latest")).number == number:
        time.sleep(POLL)
    return time.time() - header.timestamp


def _follow(order: story.Order) -> dict[str, Any]:
    """Waits for the film, asking seldom: each question is work for the API. Raises Unavailable without one."""
    asked = 0.0
    while order.client.running:
        if time.monotonic() > asked + ASK_SECONDS:
            asked = time.monotonic()
            line(progress(order.view()))
        time.sleep(POLL)
    view = order.view()
    if order.client.process.returncode or view["status"] != "complete":
        raise Unavailable(f"the job did not complete:\n{order.client.log_tail(8)}")
    return view


def progress(view: Mapping[str, Any]) -> str:
    """Where a job is, in a line."""
    tasks = view["tasks"]
    counts = Counter(task["attempts"][-1]["status"] for task in tasks if task["attempts"] and not task["done"])
    done = sum(task["done"] for task in tasks)
    states = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    return f"{view['status']}: {done} of {len(tasks)} tasks done" + (f", {states}" if states else "")


def _settle(services: Services) -> None:
    """Batches become final, the epoch closes, everybody is paid."""
    story.propose(services)
    story.finalize(services)
    story.close_epoch(services)
    network = services.get("/network")
    shares = [(row["id"], coin) for row in network["managers"] for coin in network["coins"].values()]
    until(lambda: any(services.contracts.read("FeeBurner", "paid", *share) for share in shares), "the manager's fees")


def roles(everybody: Sequence[Machine]) -> dict[str, str]:
    """Programs by what they are for: workers, verifiers; others are their own role."""
    names = {Role.WORKER: "workers", Role.VERIFIER: "verifiers"}
    return {machine.name: names[machine.role] for machine in everybody}


def accepted_seeds(view: Mapping[str, Any], seeds: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """(frame, seed) of the accepted attempts, by frame."""
    found = {}
    for task in (task for task in view["tasks"] if task["kind"] == "render"):
        number = next(attempt["number"] for attempt in task["attempts"] if attempt["outcome"] == "accepted")
        frames = range(task["first_frame"], task["last_frame"] + 1)
        found.update(
            {row["frame"]: row["seed"] for row in seeds if row["frame"] in frames and row["attempt"] == number}
        )
    return sorted(found.items())
