# SPDX-License-Identifier: Apache-2.0
"""What owners do by hand: take licences, register machines, stake, start them, appeal."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from demo.places import BIN, FOUNDATION, MANAGER_OWNER, STATE, VERIFIER_OWNERS, WORKER_OWNERS, Wallet
from demo.say import line, until
from demo.services import Services, keys_for
from devnet.processes import Child
from inferix.chain.client import ChainReceipt
from inferix.chain.transact import transact
from inferix.errors import Unavailable
from inferix.keystore import Keys
from inferix.models.roles import Role
from inferix.units import Wei, format_ifx

ENGINES = {
    "honest": "blender",
    "cheat": "tests.adversaries.forgers:QuarterDenoised",
    "dying": "tests.adversaries.dies_mid_task:DiesMidTask",
}
PRICE = 16_000_000  # nano-USD per IBM
MARGIN = 5  # per cent of stake above what is required
_FOUNDATION_SENDS = Lock()  # one nonce after the other


@dataclass
class Machine:
    """A node of the demo."""

    name: str
    owner: Wallet
    role: Role
    keys: Keys
    home: Path
    engine: str = "blender"
    node: int = 0
    child: Child | None = None


def machines(engines: Mapping[str, str] = ENGINES) -> list[Machine]:
    """A worker for each of (at most three) engines by name, and three verifiers."""
    found = []
    for owner, (name, engine) in zip(WORKER_OWNERS, engines.items(), strict=False):
        home = STATE / "nodes" / f"worker-{name}"
        found.append(Machine(f"worker-{name}", owner, Role.WORKER, keys_for("keystore.json", home), home, engine))
    for at, owner in enumerate(VERIFIER_OWNERS, start=1):
        home = STATE / "nodes" / f"verifier-{at}"
        found.append(Machine(f"verifier-{at}", owner, Role.VERIFIER, keys_for("keystore.json", home), home))
    return found


def do(run: Services, who: Wallet, contract: str, function: str, *arguments: object) -> ChainReceipt:
    """A person's transaction."""
    call = run.contracts.deployment.call(contract, function, *arguments)
    return transact(run.contracts.client, who.key, call)


def register(run: Services, owner: Wallet, role: Role, keys: Keys) -> int:
    """A licence from the dev network's faucet, then the machine in the registry; the node's id."""
    do(run, owner, "Faucet", "claim_licence", int(role))
    licence = int(run.contracts.read("NodeLicence", "tokenOfOwnerByIndex", owner.address, 0))
    price = PRICE if role is Role.WORKER else 0
    do(run, owner, "NodeRegistry", "register", licence, keys.address, keys.sealing_public, price)
    return int(run.contracts.read("NodeRegistry", "node_of_operator", keys.address))


def stake(run: Services, owner: Wallet, node: int) -> int:
    """Stakes what is required and a little more; wei."""
    amount = int(run.contracts.read("Staking", "required", node)) * (100 + MARGIN) // 100
    add_stake(run, owner, node, amount)
    return amount


def add_stake(run: Services, owner: Wallet, node: int, amount: int) -> None:
    """The foundation gives an owner IFX, who stakes it."""
    staking = run.contracts.deployment["Staking"].address
    with _FOUNDATION_SENDS:
        do(run, FOUNDATION, "IFX", "transfer", owner.address, amount)
    do(run, owner, "IFX", "approve", staking, amount)
    do(run, owner, "Staking", "stake", node, amount)


def open_manager(run: Services) -> int:
    """The foundation's own manager: keystores, licence, bond, and gas for its two accounts."""
    folder = STATE / "manager"
    keys, money = keys_for("operator.json", folder), keys_for("money.json", folder)
    for address in (keys.address, money.address):
        run.rpc_call("anvil_setBalance", address, hex(10**20))
    node = register(run, MANAGER_OWNER, Role.MANAGER, keys)
    amount = stake(run, MANAGER_OWNER, node)
    line(f"manager {node} is registered and bonded with {format_ifx(Wei(amount))}")
    return node


def start_keepers(run: Services) -> Child:
    """All keepers in one process."""
    folder = STATE / "manager"
    return run.start(
        "keepers", BIN / "python", "-m", "keepers", "all",
        INFERIX_KEYSTORE=str(folder / "operator.json"), INFERIX_MONEY_KEYSTORE=str(folder / "money.json"),
        INFERIX_WORK=str(STATE / "keeper-work"), INFERIX_BATCH_SECONDS="20", INFERIX_ENGINE_THREADS="2",
        INFERIX_CYCLE_SECONDS="0.5", INFERIX_CANARY_PPM="0",
    )  # fmt: skip


def start_machine(run: Services, machine: Machine) -> None:
    """The operator's process."""
    machine.child = run.start(
        machine.name, BIN / "inferix", "node", "start", "--home", machine.home, "--api", run.api,
        "--role", machine.role.name.lower(), "--engine", machine.engine, "--threads", "2",
        "--password-file", STATE / "password", "--rpc", run.rpc,
    )  # fmt: skip


def join(run: Services, all_machines: list[Machine]) -> None:
    """Registers and starts every machine, stakes behind each, and waits until all can be drawn."""

    def enter(machine: Machine) -> None:
        machine.node = register(run, machine.owner, machine.role, machine.keys)
        if machine.role is Role.VERIFIER:
            stake(run, machine.owner, machine.node)

    with ThreadPoolExecutor(len(all_machines)) as owners:
        entered = [owners.submit(enter, machine) for machine in all_machines]
        for machine in all_machines:
            start_machine(run, machine)  # in this thread: a child ends with the thread that started it
        for done in entered:
            done.result()
    waiting = [machine for machine in all_machines if machine.role is Role.WORKER]
    verifiers = len(all_machines) - len(waiting)
    line(f"{len(waiting)} workers and {verifiers} verifiers are registered and started, the verifiers bonded")
    while waiting:
        measured = until(lambda: _measured(run, waiting), "a benchmark to be measured and attested", 180)
        amount = stake(run, measured.owner, measured.node)
        speed = int(run.contracts.read("NodeRegistry", "node", measured.node)["ib"])
        line(f"{measured.name} measures {speed} micro-IB and stakes {format_ifx(Wei(amount))}")
        waiting.remove(measured)
    until(lambda: _all_drawable(run, all_machines), "the rosters to be final", 90)
    line(f"all {len(all_machines)} are in the final rosters")


def _measured(run: Services, waiting: list[Machine]) -> Machine | None:
    for machine in waiting:
        if machine.child is not None and not machine.child.running:
            raise Unavailable(f"{machine.name} ended while starting:\n{machine.child.log_tail(5)}")
    return next((m for m in waiting if run.contracts.read("NodeRegistry", "node", m.node)["ib"]), None)


def _all_drawable(run: Services, all_machines: list[Machine]) -> bool:
    rosters = run.get("/rosters")
    drawable = {*rosters["workers"]["nodes"], *rosters["verifiers"]["nodes"]}
    return all(str(machine.node) in drawable for machine in all_machines)
