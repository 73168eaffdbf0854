# SPDX-License-Identifier: Apache-2.0
"""The story of the demo, told by what the network's own API and chain say has happened."""

import json
import subprocess
from pathlib import Path
from typing import Any

from eth_account import Account

from demo.people import Machine, add_stake, do
from demo.places import BIN, CLIENT, OUT, PASSWORD, ROOT, STATE
from demo.say import line, until
from demo.services import Services
from inferix import keystore
from inferix.client.jobfile import JobFile, list_jobs
from inferix.errors import NotFound, Unavailable
from inferix.keystore import Keys
from inferix.units import Wei, format_ifx

SCENES = ROOT / "assets" / "scenes"
FRAMES, SIZE, SAMPLES = "1-8", "640x360", "16"
TOP_UP = "10"
ATTEMPT_SECONDS = "60"
DAY = 86_400


def wallet_of_client() -> Path:
    """The client's encrypted wallet."""
    home = STATE / "client"
    keystore.create(home / "wallet.json", PASSWORD, Keys(CLIENT.key, bytes(Account.create().key)), work=1 << 12)
    return home


def inferix(run: Services, *arguments: str, timeout: int = 600) -> "subprocess.CompletedProcess[str]":
    """The client's command, to its end."""
    return subprocess.run(
        [str(BIN / "inferix"), *arguments], env=run.environment(INFERIX_HOME=str(STATE / "client")), cwd=ROOT,
        capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


def top_up(run: Services) -> None:
    """Buys credit."""
    done = inferix(run, "top-up", TOP_UP, "--rpc", run.rpc, "--faucet")
    if done.returncode:
        raise Unavailable(f"the top-up failed: {done.stderr[-400:]}")
    line(f"the client tops up {TOP_UP} USD: {done.stdout.strip()}")


def refused_order(run: Services) -> str:
    """The second job: a scene whose texture is missing must be refused before anything is uploaded."""
    done = inferix(run, "render", str(SCENES / "missing_texture.blend"), "--frames", "1", "--size", SIZE)
    text = done.stderr.strip()
    if done.returncode != 2 or "oak_planks.png" not in text:
        raise Unavailable(
            f"the scene with a missing texture was not refused as it should (exit {done.returncode}): {text}"
        )
    line("a scene with a missing texture is refused before upload:")
    for row in text.splitlines():
        print(f"             {row}")
    return text


class Order:
    """The 8-frame animation, followed to its end."""

    def __init__(
        self,
        run: Services,
        machines: list[Machine],
        frames: str = FRAMES,
        size: str = SIZE,
        samples: str = SAMPLES,
        out: Path = OUT,
    ) -> None:
        self.run = run
        self.names = {machine.node: machine.name for machine in machines}
        self.seen: set[str] = set()
        self.waits_for = "the order to reach the chain"
        self.before = {item.job for item in list_jobs(STATE / "client")}
        self.client = run.start(
            "client", BIN / "inferix", "render", SCENES / "demo.blend", "--frames", frames, "--size", size,
            "--samples", samples, "--attempt-seconds", ATTEMPT_SECONDS, "--out", out, "--raw",
            INFERIX_HOME=str(STATE / "client"),
        )  # fmt: skip
        self.file = until(self._ordered, "the client to check, seal, upload and order the scene", 180)
        line(f"job 0x{self.file.job[:16]}… is ordered")

    def _ordered(self) -> JobFile | None:
        if not self.client.running:
            raise Unavailable(f"the order failed:\n{self.client.log_tail(8)}")
        new = (item for item in list_jobs(STATE / "client") if item.job and item.job not in self.before)
        return next(new, None)

    @property
    def page(self) -> str:
        """The job's page; the key in the fragment never leaves the browser."""
        return f"{self.run.api}/#/jobs/0x{self.file.job}?key={self.file.key}"

    def view(self) -> dict[str, Any]:
        """The job as the API shows it; nothing yet between the client's signature and its arrival there."""
        try:
            view: dict[str, Any] = self.run.get(f"/jobs/0x{self.file.job}")
        except NotFound:
            return {"status": "signed", "tasks": []}
        return view

    def follow(self) -> dict[str, Any]:
        """Tells every step until the client's command has ended."""

        def ended() -> dict[str, Any] | None:
            view = self.view()
            self._tell(view)
            self.waits_for = _waits_for(view, self.names)
            return view if not self.client.running else None

        view = until(ended, lambda: self.waits_for, 900)
        self._tell(view)
        if self.client.process.returncode:
            raise Unavailable(f"the job did not complete:\n{self.client.log_tail(8)}")
        return view

    def _tell(self, view: dict[str, Any]) -> None:
        for task in view["tasks"]:
            name = "assemble" if task["kind"] == "assemble" else f"frame {task['first_frame']}"
            for attempt in task["attempts"]:
                who = self.names.get(attempt["node"], "?")
                label = f"{name}, attempt {attempt['number']}"
                if attempt["node"]:
                    self._once(f"{label}: drawn and accepted by {who}")
                if attempt["result"]:
                    self._once(f"{label}: {who} has committed its result")
                if attempt["committee"]:
                    self._once(f"{label}: drawn to check it: {self._who(attempt['committee'])}")
                for vote in attempt["votes"]:
                    self._once(f"{label}: {self.names.get(vote['node'])} votes {vote['outcome']}")
                if attempt["outcome"]:
                    self._once(f"{label}: {attempt['outcome'].upper()} ({who})")

    def _who(self, nodes: list[int]) -> str:
        return ", ".join(self.names[node] for node in nodes)

    def _once(self, text: str) -> None:
        if text not in self.seen:
            self.seen.add(text)
            line(text)


def _waits_for(view: dict[str, Any], names: dict[int, str]) -> str:
    """Where the job stands, in a line."""
    renders = [task for task in view["tasks"] if task["kind"] == "render"]
    if not renders:
        return "the order to reach the chain"
    done = sum(task["done"] for task in renders)
    running = [task["attempts"][-1] for task in view["tasks"] if task["attempts"]]
    busy = sorted({names[item["node"]] for item in running if item["status"] == "running" and item["node"] in names})
    checking = sum(item["status"] == "checking" for item in running)
    what = "the film" if done == len(renders) else f"the frames: {done} of {len(renders)} accepted, {checking} checked"
    return f"{what}; at work: {', '.join(busy) or 'nobody'}"


def propose(run: Services) -> None:
    """Every outcome reaches the chain."""
    until(lambda: _all_batched(run), "every outcome to be in a proposed batch", 90)
    line("every outcome is proposed in a batch; anybody may dispute it for 24 h")


def freeze(run: Services, cheat: Machine) -> None:
    """The cheat's reward is withheld and part of its stake frozen."""
    case = until(lambda: _case(run, cheat), "the cheat's stake to be frozen", 60)
    line(f"{cheat.name}: reward withheld, {format_ifx(Wei(int(case['amount'])))} of its stake frozen")


def finalize(run: Services) -> None:
    """The window of the batches passes on the chain's clock."""
    run.pass_time(DAY + 60, "the dispute window of the batches")
    until(lambda: all(row["status"] == "final" for row in run.get("/batches")), "the batches to be final", 90)
    line("no dispute: the batches are final")


def appeal(run: Services, cheat: Machine) -> None:
    """The cheat is charged, appeals to a panel, and loses."""
    until(lambda: (_case(run, cheat) or {}).get("status") == "slashable", "the cheat to be charged", 90)
    line(f"{cheat.name} is charged: another operator redid its task and was accepted")
    case = _case(run, cheat) or {}
    bond = int(run.contracts.read("Disputes", "bond"))
    add_stake(run, cheat.owner, cheat.node, bond)
    do(run, cheat.owner, "Panels", "appeal", bytes.fromhex(case["id"][2:]))
    line(f"{cheat.owner.name} appeals with a bond of {format_ifx(Wei(bond))}; a panel of others is drawn")
    until(lambda: (_case(run, cheat) or {}).get("status") == "slashed", "the panel's verdict", 240)
    panel = (_case(run, cheat) or {})["panel"]
    line(f"the panel (node {', '.join(map(str, panel))}) checked the frame again and upholds: the stake is slashed")


def _all_batched(run: Services) -> bool:
    attempts = [
        attempt
        for job in run.get("/jobs")
        for task in job["tasks"]
        for attempt in task["attempts"]
        if attempt["outcome"] and attempt["node"]
    ]
    return bool(attempts) and all(attempt["batch"] for attempt in attempts)


def _case(run: Services, machine: Machine) -> dict[str, Any] | None:
    return next((row for row in run.get("/cases") if row["node"] == machine.node), None)


def close_epoch(run: Services) -> None:
    """The epoch ends: fees burn IFX, work mints it, accounts become final, rewards are claimed."""
    network = run.get("/network")
    length, genesis = network["parameters"]["epoch_length"], network["genesis"]
    epoch = (network["time"] - genesis) // length
    run.pass_time(genesis + (epoch + 1) * length - network["time"] + 5, "the end of the epoch")
    until(lambda: len(run.get("/epochs")) > epoch, "fees to be burned and the epoch closed", 120)
    closed = run.get("/epochs")
    burned, minted = (sum(int(row[name]) for row in closed) for name in ("burned", "minted"))
    line(f"epoch {epoch} is closed: {format_ifx(Wei(burned))} burned, {format_ifx(Wei(minted))} minted")
    until(lambda: run.contracts.read("Accounts", "pending")["posted_at"], "the accounts to be posted", 90)
    run.pass_time(DAY + 60, "the window of the accounts")
    until(lambda: run.contracts.read("Accounts", "newest")["final_at"], "the accounts to be final", 90)
    until(lambda: any(int(row["claimed"]) for row in run.get("/nodes")), "the rewards to be claimed", 90)
    line("the accounts are final and every node's matured reward is claimed to its owner")


def again(run: Services, order: Order) -> dict[str, Any]:
    """The client renders one of its frames itself, with the recorded seed."""
    frame = "3"
    done = inferix(run, "again", order.file.job, "--frame", frame, "--threads", "2", "--json")
    if done.returncode:
        raise Unavailable(f"frame {frame} rendered again is not what was accepted:\n{done.stdout}{done.stderr[-500:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    line(f"the client renders frame {frame} again with seed {found['seed']}: equal to the last bit")
    return found


def audit(run: Services) -> dict[str, Any]:
    """A stranger's recomputation of every draw, batch and account."""
    done = inferix(run, "audit", "--rpc", run.rpc, "--storage", run.api, "--json")
    if done.returncode:
        raise Unavailable(f"the audit found something false:\n{done.stdout[-1500:]}{done.stderr[-500:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    line(f"a stranger's audit recomputes {sum(found['checked'].values())} claims from chain and storage: all true")
    return found
