# SPDX-License-Identifier: Apache-2.0
"""``contradict``: says that the tiles of a verifier's vote, rendered again, say otherwise; a panel renders them."""

from pathlib import Path

import click

from inferix.chain.deployment import Contracts
from inferix.cli.common import Unlock, wallet_options
from inferix.cli.object import send_with_bond, store_claim
from inferix.cli.replayed import chain_options, replayed, task_digest
from inferix.contradict import final_leaf
from inferix.errors import NotFound, Refused
from inferix.messages import Vote
from inferix.models.document import Bytes32
from inferix.models.objection import MAX_SAYS, VoteClaim
from inferix.models.roles import Outcome
from inferix.replay import Network
from inferix.units import IFX_DECIMALS, format_decimal

SignedVote = tuple[Vote, bytes]


@click.command("contradict")
@click.argument("task")
@click.argument("node", type=int)
@click.option("--reason", default="its tiles say otherwise", show_default=True, help="For the panel.")
@chain_options
@click.option("--yes", is_flag=True, help="Pay the bond without asking.")
@wallet_options
def contradict_command(
    task: str, node: int, reason: str, rpc: str, chain_id: int, deployment: str, storage: str, yes: bool, home: Path,
    unlock: Unlock,
) -> None:  # fmt: skip
    """Contradict the vote of verifier NODE on the newest attempt at TASK that it voted on.

    Takes a bond in IFX, which comes back where a panel of verifiers renders that vote's tiles and finds otherwise.
    """
    contracts, network = replayed(rpc, chain_id, deployment, storage)
    vote, signature = find(network, task_digest(task), node)
    final = final_leaf(network, vote)
    if final is None:
        raise Refused("the vote is neither accepted nor rejected, or its outcome is not final yet: try again then")
    bond = int(contracts.read("Contradictions", "bond"))
    tell(vote, bond)
    if not yes:
        click.confirm("Contradict?", abort=True)
    key = unlock()
    said = store_claim(storage, key, home, VoteClaim(vote=vote.digest(network.domain), says=reason[:MAX_SAYS]))
    send(contracts, key, bond, (vote, signature), final, said)


def find(network: Network, task: Bytes32, node: int) -> SignedVote:
    """The newest vote of a verifier on a task. NotFound where there is none, Refused where it was contradicted."""
    state = network.tasks.get(task)
    if state is None:
        raise NotFound(f"no order has a task {task.hex()}")
    found = next((attempt.votes[node] for attempt in reversed(state.attempts) if node in attempt.votes), None)
    if found is None:
        raise NotFound(f"node {node} has not voted on task {task.hex()}")
    known = network.contradictions.get(found[0].digest(network.domain))
    if known is not None:
        raise Refused(f"this vote was contradicted before, once and for all: {known.status.name.lower()}")
    return found


def tell(vote: Vote, bond: int) -> None:
    """What it is about, what it costs, what can be won and lost."""
    says = Outcome(vote.outcome).name.lower()
    click.echo(f"node {vote.node} voted {says} on attempt {vote.attempt} of task {vote.task.hex()}")
    click.echo(f"bond {format_decimal(bond, IFX_DECIMALS)} IFX. A panel of verifiers renders its tiles again:")
    click.echo("  they say otherwise: the bond comes back, and half as much; the verifier pays and is jailed")
    click.echo("  they do not, or cannot tell: the bond is lost, half of it burned, half for the verifier's owner")
    click.echo("  nobody decides: half of the bond is burned, the verifier keeps all")


def send(contracts: Contracts, key: bytes, bond: int, signed: SignedVote, final: object, reason: Bytes32) -> None:
    """Approves the bond and contradicts."""
    vote, signature = signed
    values = tuple(getattr(vote, name) for name in Vote.model_fields)
    call = contracts.deployment.call("Contradictions", "contradict", values, signature, final, 0, reason)
    send_with_bond(contracts, key, bond, call)
    click.echo("`GET /contradictions` shows what the panel votes, `inferix money` the bond")
