# SPDX-License-Identifier: Apache-2.0
"""``inferix node``: make, register, examine and run a node."""

import logging
import signal
import sys
import threading
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from inferix import keystore
from inferix.cli.common import show_target
from inferix.errors import InferixError, InvalidInput, Refused
from inferix.keystore import BACKUP
from inferix.units import IFX_DECIMALS, USD_DECIMALS, Wei, format_ifx, parse_decimal
from node.api import Api
from node.config import Home, NodeConfig, only_process
from node.register import Owner
from node.replay import own_contracts, own_deployment

R = TypeVar("R")
VARIABLE: Final = "INFERIX_PASSWORD"
DEFAULT_HOME: Final = Path("~/.inferix/node")
MEASURE: Final = "leave `inferix node start` running until `doctor` shows a benchmark, then `inferix node stake`"
_PATH: Final = click.Path(path_type=Path)


@click.group()
def node() -> None:
    """Run a worker or a verifier."""


def home_options(function: Callable[..., R]) -> Callable[..., R]:
    """``--home``, ``--keystore``, ``--password-file``; the function gets ``home``, ``store`` and ``password_file``."""

    @click.option("--home", envvar="INFERIX_NODE_HOME", type=_PATH, default=DEFAULT_HOME, show_default=True)
    @click.option("--keystore", "store", envvar="INFERIX_KEYSTORE", type=_PATH, help="Default: HOME/keystore.json.")
    @click.option("--password-file", envvar="INFERIX_PASSWORD_FILE", type=_PATH, help=f"Else ${VARIABLE}, else asked.")
    @wraps(function)
    def with_home(*args: Any, home: Path, store: Path | None, **kwargs: Any) -> R:
        place = Home(home)
        return function(*args, home=place, store=store or place.keystore, **kwargs)

    return with_home


def owner_options(function: Callable[..., R]) -> Callable[..., R]:
    """``--rpc`` and the owner's wallet; the function gets ``rpc``, ``owner_keystore``, ``owner_password_file``."""
    wallet = Path("~/.inferix/wallet.json")
    function = click.option("--owner-password-file", type=_PATH, help="Else asked.")(function)
    function = click.option("--owner-keystore", type=_PATH, default=wallet, show_default=True)(function)
    return click.option("--rpc", envvar="INFERIX_RPC", required=True, help="An endpoint of the chain.")(function)


@node.command()
@home_options
@click.option("--role", type=click.Choice(["worker", "verifier"]), default="worker", show_default=True)
@click.option("--api", envvar="INFERIX_API", default="", help="Address of the network.")
@click.option("--engine", default="blender", show_default=True, help="Name of a plug-in, or module:Class.")
def init(home: Home, store: Path, password_file: Path | None, role: str, api: str, engine: str) -> None:
    """Make keys and settings for a new node."""
    config = home.load().model_copy(update={"role": role, "api": api or home.load().api, "engine": engine})
    if api:
        met = Api(api, attempts=1)
        network = met.network()
        config = config.pinned(network.signing_domain())
        own_deployment(home, config, met.deployment)
        click.echo(f"network of chain {network.chain_id}, registry {config.registry}")
    if store.exists():
        address, sealing_key = keystore.public_parts(store)
        click.echo(f"keeping the keys in {store}")
    else:
        password = keystore.read_password(password_file, VARIABLE, _ask_new)
        keys = keystore.create(store, password)
        address, sealing_key = keys.address, keys.sealing_public
        click.echo(f"made keys in {store}\n{BACKUP}")
    home.save(config)
    click.echo(f"operator     {address}\nsealing key  0x{sealing_key.hex()}")
    click.echo(
        "next: `inferix node register --licence ...` with the wallet that owns a licence, then `inferix node start`"
    )


@node.command()
@home_options
@click.option("--api", envvar="INFERIX_API", default=None, help="Address of the network.")
@click.option("--role", type=click.Choice(["worker", "verifier"]), default=None)
@click.option(
    "--node", "node_id", type=click.IntRange(1), default=None, help="Default: found by the operator's address."
)
@click.option("--engine", default=None, help="Name of a plug-in, or module:Class.")
@click.option("--device", type=click.Choice(["auto", "cpu", "gpu"]), default=None)
@click.option("--rpc", envvar="INFERIX_RPC", default=None, help="An endpoint of the chain, to judge objections by.")
@click.option(
    "--store", "documents", envvar="INFERIX_STORE", default=None, help="Of documents. Default: the network's."
)
@click.option("--shadow", default=None, help="A calibration to try beside the one in force; it decides nothing.")
@click.option("--threads", type=click.IntRange(0), default=0, help="Processors to use; 0: all.")
@click.option(
    "--memory-gib", type=click.IntRange(1), default=8, show_default=True, help="Most that one engine may use."
)
@click.option("--unsafe-no-sandbox", is_flag=True, help="Run strangers' files without isolation: only for tests.")
@click.option("--verbose", is_flag=True)
def start(
    home: Home,
    store: Path,
    password_file: Path | None,
    threads: int,
    memory_gib: int,
    unsafe_no_sandbox: bool,
    verbose: bool,
    **settings: Any,
) -> None:
    """Run the node until Ctrl-C."""
    from node.sandbox import GIB, Limits
    from node.start import StartSettings
    from node.start import start as run

    _log(verbose)
    stop = threading.Event()
    _on_signals(stop)
    config = _changed(home.load(), settings)
    if not config.api:
        raise InvalidInput("no address of the network: give --api, or run `inferix node init --api URL` once")
    with only_process(store, home.journal):
        keys = keystore.load(store, keystore.read_password(password_file, VARIABLE, _ask))
        limits = Limits(memory_bytes=memory_gib * GIB)
        try:
            run(home, config, keys, StartSettings(threads, unsafe_no_sandbox, limits), stop)
        except InferixError:
            if not stop.is_set():
                raise
    click.echo("stopped")


@node.command()
@home_options
@click.option("--unsafe-no-sandbox", is_flag=True)
def doctor(home: Home, store: Path, password_file: Path | None, unsafe_no_sandbox: bool) -> None:
    """Examine this machine and this node: what is wrong, and how to mend it."""
    from node.doctor import examine

    password = keystore.read_password(password_file, VARIABLE, lambda: "") or None
    failed = 0
    for check in examine(home, home.load(), store, password, unsafe=unsafe_no_sandbox):
        sign, colour = {True: ("ok  ", "green"), False: ("FAIL", "red"), None: ("note", "yellow")}[check.ok]
        click.secho(sign, fg=colour, nl=False)
        click.echo(f" {check.name}: {check.text}")
        if check.ok is not True and check.mend:
            click.echo(f"     -> {check.mend}")
        failed += check.ok is False
    click.echo(f"{failed} to mend" if failed else "ready")
    if failed:
        sys.exit(1)


@node.command()
@home_options
def status(home: Home, store: Path, password_file: Path | None) -> None:
    """What this node is, and what it signed last."""
    from node.status import report

    for line in report(home, store):
        click.echo(line)


@node.command()
@home_options
@owner_options
@click.option("--licence", type=click.IntRange(0), required=True, help="Id of the licence that the wallet owns.")
@click.option("--price", default="0.016", show_default=True, help="USD per IBM; workers only.")
@click.option("--stake", "amount", default=None, help="IFX to stake at once.")
def register(
    home: Home,
    store: Path,
    password_file: Path | None,
    rpc: str,
    owner_keystore: Path,
    owner_password_file: Path | None,
    licence: int,
    price: str,
    amount: str | None,
) -> None:
    """Register this node under a licence, with the wallet that owns it."""
    _log(verbose=False)
    config = home.load()
    address, sealing_key = keystore.public_parts(store)
    owner = _owner(home, config, rpc, owner_keystore, owner_password_file)
    per_ibm = parse_decimal(price, USD_DECIMALS) if config.role == "worker" else 0
    found = owner.register(licence, address, sealing_key, per_ibm, config.role)
    home.save(config.model_copy(update={"node": found}))
    if amount is not None:
        owner.stake(found, Wei(parse_decimal(amount, IFX_DECIMALS)))
    click.echo(f"node {found}; {_missing(owner, found)}")


@node.command()
@home_options
@owner_options
@click.argument("amount", required=False)
def stake(
    home: Home,
    store: Path,
    password_file: Path | None,
    rpc: str,
    owner_keystore: Path,
    owner_password_file: Path | None,
    amount: str | None,
) -> None:
    """Stake AMOUNT IFX for this node; without AMOUNT, what is missing."""
    _log(verbose=False)
    config = home.load()
    if not config.node:
        raise InvalidInput("this home has no node yet: run `inferix node register`")
    owner = _owner(home, config, rpc, owner_keystore, owner_password_file)
    wei = Wei(parse_decimal(amount, IFX_DECIMALS)) if amount else owner.missing_stake(config.node)
    if wei is None:
        raise Refused(f"a worker's stake depends on its speed, and node {config.node} is not measured yet: {MEASURE}")
    if wei:
        owner.stake(config.node, wei)
    click.echo(_missing(owner, config.node))


@node.command()
@home_options
@owner_options
@click.option("--store", "documents", envvar="INFERIX_STORE", default="", help="Of documents. Default: the network's.")
@click.argument("task")
def deliver(
    home: Home, store: Path, password_file: Path | None, rpc: str, documents: str, task: str, **owner: Any
) -> None:
    """Put this node's receipt of TASK on chain, by its deadline, where its manager does not anchor it.

    The node is then not late, and the task not lost: its manager may anchor the receipt for ten minutes more.
    """
    from node.deliver import deliver as run

    config = home.load().model_copy(update={"rpc": rpc})
    address, _ = keystore.public_parts(store)
    click.echo(run(home, config, address, documents, task, lambda: _wallet(**owner)))


def _missing(owner: Owner, node: int) -> str:
    missing = owner.missing_stake(node)
    if missing is None:
        return f"what stake is missing depends on its speed: {MEASURE}"
    return f"stake still missing: {format_ifx(missing)}"


def _owner(home: Home, config: NodeConfig, rpc: str, store: Path, password_file: Path | None) -> Owner:
    """Of the contracts that this home met first: what the API names today is not asked."""
    if not config.api or not config.registry:
        raise InvalidInput("this home knows no network: run `inferix node init --api URL` once")
    chosen = config.model_copy(update={"rpc": rpc})
    contracts = own_contracts(home, chosen, Api(config.api, attempts=1).deployment)
    show_target(contracts, "NodeRegistry", "Staking")
    return Owner(contracts, _wallet(store, password_file))


def _wallet(owner_keystore: Path, owner_password_file: Path | None) -> bytes:
    password = keystore.read_password(
        owner_password_file,
        "INFERIX_OWNER_PASSWORD",
        lambda: str(click.prompt("Password of the owner's wallet", hide_input=True)),
    )
    return keystore.load_account(owner_keystore.expanduser(), password)


def _changed(config: NodeConfig, settings: dict[str, Any]) -> NodeConfig:
    """The settings with what was given this time."""
    named = {"node": settings.pop("node_id"), "store": settings.pop("documents"), **settings}
    return NodeConfig(**{**config.model_dump(), **{name: value for name, value in named.items() if value is not None}})


def _ask() -> str:
    return str(click.prompt("Password of the keystore", hide_input=True))


def _ask_new() -> str:
    return str(click.prompt("New password of the keystore", hide_input=True, confirmation_prompt=True))


def _log(verbose: bool) -> None:
    logging.basicConfig(
        stream=sys.stdout,
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
    )
    for noisy in ("httpx", "httpcore", "urllib3", "web3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _on_signals(stop: threading.Event) -> None:
    """Ctrl-C and SIGTERM end the node in order; a second one ends the program at once."""

    def handle(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
