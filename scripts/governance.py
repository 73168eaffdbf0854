# SPDX-License-Identifier: Apache-2.0
"""Govern with Ape: `ape run governance propose --function Parameters.set --args "name:slot 31" --why TEXT --file FILE`.

Then `vote`, `queue` and `execute` with the same file, which anybody may have; `show` says where a proposal stands.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from ape import accounts, project
from ape.api import AccountAPI, ProviderAPI
from ape.cli import ConnectedProviderCommand, network_option

from deploy.proposal import Proposal, load_proposal, plan_step, targets_of

STATES = ("pending", "active", "canceled", "defeated", "succeeded", "queued", "expired", "executed")
SUPPORT = {"against": 0, "for": 1, "abstain": 2}


@click.group()
def cli() -> None:
    """Propose, vote, queue, execute."""


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """What every step takes."""
    file = click.option("--file", type=click.Path(path_type=Path), required=True, help="the proposal")
    folder = click.option("--deployments", type=click.Path(path_type=Path), default=Path("deployments"))
    account = click.option("--account", "alias", help="Ape's name of an account; a local network has test accounts")
    return network_option()(file(folder(account(command))))


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


@cli.command(cls=ConnectedProviderCommand)
@_options
@click.option("--function", "functions", multiple=True, required=True, help="Contract.function; once a call")
@click.option("--args", "arguments", multiple=True, required=True, help="its arguments, in one text; once a call")
@click.option("--why", required=True, help="what voters read")
def propose(
    provider: ProviderAPI, file: Path, deployments: Path, alias: str | None, functions: tuple[str, ...],
    arguments: tuple[str, ...], why: str,
) -> None:  # fmt: skip
    """Write the proposal's file, and propose it."""
    if len(functions) != len(arguments):
        raise click.UsageError("as many --args as --function")
    account = _account(provider, alias)
    targets = targets_of(_contracts(provider, deployments))
    steps = [plan_step(targets, *pair) for pair in zip(functions, arguments, strict=True)]
    # The mark keeps others from proposing it first, only to cancel it.
    proposal = Proposal(description=f"{why}\n#proposer={account.address}", calls=steps)
    if not file.exists():
        proposal.write(file)
    elif load_proposal(file) != proposal:
        raise click.UsageError(f"{file} is another proposal")
    governor = _governor(provider, deployments)
    governor.propose(*proposal.lists, proposal.description, sender=account)
    _say(governor, proposal)


@cli.command(cls=ConnectedProviderCommand)
@_options
@click.option("--support", type=click.Choice(list(SUPPORT)), required=True)
@click.option("--reason", default="")
def vote(provider: ProviderAPI, file: Path, deployments: Path, alias: str | None, support: str, reason: str) -> None:
    """Vote with all that the account had at the snapshot."""
    proposal, governor = load_proposal(file), _governor(provider, deployments)
    governor.castVoteWithReason(proposal.id, SUPPORT[support], reason, sender=_account(provider, alias))
    _say(governor, proposal)


@cli.command(cls=ConnectedProviderCommand)
@_options
def queue(provider: ProviderAPI, file: Path, deployments: Path, alias: str | None) -> None:
    """Let a proposal that succeeded wait in the timelock."""
    proposal, governor = load_proposal(file), _governor(provider, deployments)
    governor.queue(*proposal.key, sender=_account(provider, alias))
    _say(governor, proposal)


@cli.command(cls=ConnectedProviderCommand)
@_options
def execute(provider: ProviderAPI, file: Path, deployments: Path, alias: str | None) -> None:
    """Make the calls of a proposal that has waited."""
    proposal, governor = load_proposal(file), _governor(provider, deployments)
    governor.execute(*proposal.key, sender=_account(provider, alias))
    _say(governor, proposal)


@cli.command(cls=ConnectedProviderCommand)
@_options
def show(provider: ProviderAPI, file: Path, deployments: Path, alias: str | None) -> None:
    """Say where a proposal stands."""
    _say(_governor(provider, deployments), load_proposal(file))
