# SPDX-License-Identifier: Apache-2.0
"""Govern with Ape: `ape run governance propose --function Parameters.set --args "name:slot 31" --why TEXT --file FILE`.

Then `vote`, `queue` and `execute` with the same file, which anybody may have; `show` says where a proposal stands, and
`plan` what it would do, before it is proposed or voted on; both send nothing.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from ape import accounts, project
from ape.api import AccountAPI, ProviderAPI
from ape.cli import ConnectedProviderCommand, network_option
from ape.exceptions import ContractLogicError, ProviderError, VirtualMachineError

from deploy.preview import Ask, preview
from deploy.proposal import Proposal, Step, Target, load_proposal, plan_step, targets_of
from inferix.errors import InvalidInput, Misconfigured

STATES = ("pending", "active", "canceled", "defeated", "succeeded", "queued", "expired", "executed")
SUPPORT = {"against": 0, "for": 1, "abstain": 2}
# A quarter more than estimated, for the block that it comes into
GAS_MARGIN = 4


class Command(ConnectedProviderCommand):
    """Says what is wrong with what was given, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """As click does."""
        try:
            return super().invoke(ctx)
        except (InvalidInput, Misconfigured) as error:
            raise click.ClickException(str(error)) from error


@click.group()
def cli() -> None:
    """Plan, propose, vote, queue, execute."""


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """What every step takes."""
    file = click.option("--file", type=click.Path(path_type=Path), required=True, help="the proposal")
    folder = click.option("--deployments", type=click.Path(path_type=Path), default=Path("deployments"))
    account = click.option("--account", "alias", help="Ape's name of an account; a local network has test accounts")
    return network_option()(file(folder(account(command))))


def _calls(command: Callable[..., None]) -> Callable[..., None]:
    """What a proposal's calls are made of."""
    function = click.option("--function", "functions", multiple=True, help="Contract.function; once a call")
    arguments = click.option("--args", "arguments", multiple=True, help="its arguments, in one text; once a call")
    return function(arguments(command))


def _steps(targets: dict[str, Target], functions: tuple[str, ...], arguments: tuple[str, ...]) -> list[Step]:
    if not functions or len(functions) != len(arguments):
        raise click.UsageError("name a --function, and as many --args as --function")
    return [plan_step(targets, *pair) for pair in zip(functions, arguments, strict=True)]


def _contracts(provider: ProviderAPI, folder: Path) -> dict[str, Any]:
    path = folder / f"{provider.chain_id}.json"
    if not path.exists():
        raise click.UsageError(f"no {path}: name the folder of the chain's deployment with --deployments")
    found: dict[str, Any] = json.loads(path.read_text())["contracts"]
    return found


def _governor(provider: ProviderAPI, folder: Path) -> Any:
    return project.get_contract("Governor").at(_contracts(provider, folder)["Governor"]["address"])


def _account(provider: ProviderAPI, alias: str | None) -> AccountAPI:
    if alias:
        return accounts.load(alias)
    if provider.network.name != "local":
        raise click.UsageError("name an account with --account (`ape accounts list`)")
    return accounts.test_accounts[0]


def _send(method: Any, arguments: tuple[Any, ...], account: AccountAPI) -> None:
    """What would fail is refused before it is sent; on a local network Ape would send it with a whole block's gas."""
    gas = method.estimate_gas_cost(*arguments, sender=account)
    method(*arguments, sender=account, gas_limit=gas + gas // GAS_MARGIN)


def _say(governor: Any, proposal: Proposal) -> None:
    against, favour, abstain = governor.proposalVotes(proposal.id)
    click.echo(f"proposal {proposal.id} is {STATES[governor.state(proposal.id)]}")
    for call in proposal.calls:
        click.echo(f"  {call.what}")
    click.echo(f"  votes [wei]: for {favour}, against {against}, abstain {abstain}")
    start, end = governor.proposalSnapshot(proposal.id), governor.proposalDeadline(proposal.id)
    click.echo(f"  voting from second {start + 1} to {end}")
    if governor.state(proposal.id) == STATES.index("queued"):
        click.echo(f"  executable from second {governor.proposalEta(proposal.id)}")


@cli.command(cls=Command)
@network_option()
@click.option("--file", type=click.Path(path_type=Path), help="a proposal, in place of --function and --args")
@click.option("--deployments", type=click.Path(path_type=Path), default=Path("deployments"))
@_calls
def plan(
    provider: ProviderAPI, file: Path | None, deployments: Path, functions: tuple[str, ...], arguments: tuple[str, ...]
) -> None:
    """Say what calls would do, as the chain stands; send nothing. Fails where a call would."""
    if file and functions:
        raise click.UsageError("either --file, or --function and --args")
    targets = targets_of(_contracts(provider, deployments))
    proposal = load_proposal(file) if file else Proposal(description="", calls=_steps(targets, functions, arguments))
    effects = preview(proposal, targets, _ask(provider, targets["Timelock"].address))
    for effect in effects:
        click.echo(f"  {effect.what}" + (f"\n    {effect.wrong}" if effect.wrong else ""))
    if any(effect.wrong for effect in effects):
        raise click.ClickException("a proposal of these calls could not be executed as the chain stands")


def _ask(provider: ProviderAPI, timelock: str) -> Ask:
    def ask(target: str, amount: int, data: bytes) -> tuple[bytes, str]:
        call = {"from": timelock, "to": target, "value": hex(amount), "data": "0x" + data.hex()}
        try:
            returned = provider.make_request("eth_call", [call, "latest"])
        except (ContractLogicError, VirtualMachineError, ProviderError) as error:
            return b"", str(error) or "without a reason"
        return bytes.fromhex(returned.removeprefix("0x")), ""

    return ask


@cli.command(cls=Command)
@_options
@_calls
@click.option("--why", required=True, help="what voters read")
def propose(
    provider: ProviderAPI, file: Path, deployments: Path, alias: str | None, functions: tuple[str, ...],
    arguments: tuple[str, ...], why: str,
) -> None:  # fmt: skip
    """Write the proposal's file, and propose it."""
    account = _account(provider, alias)
    steps = _steps(targets_of(_contracts(provider, deployments)), functions, arguments)
    # The mark keeps others from proposing it first, only to cancel it.
    proposal = Proposal(description=f"{why}\n#proposer={account.address}", calls=steps)
    if not file.exists():
        proposal.write(file)
    elif load_proposal(file) != proposal:
        raise click.UsageError(f"{file} is another proposal")
    governor = _governor(provider, deployments)
    _send(governor.propose, (*proposal.lists, proposal.description), account)
    _say(governor, proposal)


@cli.command(cls=Command)
@_options
@click.option("--support", type=click.Choice(list(SUPPORT)), required=True)
@click.option("--reason", default="")
def vote(provider: ProviderAPI, file: Path, deployments: Path, alias: str | None, support: str, reason: str) -> None:
    """Vote with all that the account had at the snapshot."""
    proposal, governor = load_proposal(file), _governor(provider, deployments)
    _send(governor.castVoteWithReason, (proposal.id, SUPPORT[support], reason), _account(provider, alias))
    _say(governor, proposal)


@cli.command(cls=Command)
@_options
def queue(provider: ProviderAPI, file: Path, deployments: Path, alias: str | None) -> None:
    """Let a proposal that succeeded wait in the timelock."""
    proposal, governor = load_proposal(file), _governor(provider, deployments)
    _send(governor.queue, proposal.key, _account(provider, alias))
    _say(governor, proposal)


@cli.command(cls=Command)
@_options
def execute(provider: ProviderAPI, file: Path, deployments: Path, alias: str | None) -> None:
    """Make the calls of a proposal that has waited."""
    proposal, governor = load_proposal(file), _governor(provider, deployments)
    _send(governor.execute, proposal.key, _account(provider, alias))
    _say(governor, proposal)


@cli.command(cls=Command)
@_options
def show(provider: ProviderAPI, file: Path, deployments: Path, alias: str | None) -> None:
    """Say where a proposal stands."""
    _say(_governor(provider, deployments), load_proposal(file))
