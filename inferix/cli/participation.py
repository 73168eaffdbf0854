# SPDX-License-Identifier: Apache-2.0
"""``participation``: the list that the buyback of licences goes by, made anew from chain and storage."""

import hashlib
from pathlib import Path

import click

from inferix.chain.deployment import Contracts
from inferix.cli.common import json_option, print_json
from inferix.cli.replayed import chain_options, replayed
from inferix.errors import NotFound
from inferix.lists import StandardTree
from inferix.replay.participation import TYPES, participations

Rows = list[tuple[int, int]]


@click.command()
@click.option("--licence", type=int, help="What its owner gives to Buyback.request: share and proof.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the whole list: licence,basis points."
)
@chain_options
@json_option
def participation(
    licence: int | None, out: Path | None, rpc: str, chain_id: int, deployment: str, storage: str, as_json: bool
) -> None:
    """The share of its epochs that each sold licence took part in, and the Merkle root of all.

    An epoch counts in which nodes of the licence answered 90 % of the hours that were asked. Governance posts root and
    digest by Buyback.post_participation; whoever doubts them makes the list again by this command.
    """
    contracts, network = replayed(rpc, chain_id, deployment, storage)
    rows = participations(network)
    if not rows:
        raise NotFound("no licence was sold yet: there is no list to make")
    tree = StandardTree(TYPES, rows)
    if licence is not None:
        print_json(_place(rows, tree, licence))
        return
    text = "".join(f"{number},{bps}\n" for number, bps in rows)
    if out is not None:
        out.write_text(text)
    posted = bytes(contracts.read("Buyback", "participation_root"))
    told = {
        "licences": len(rows),
        "enough": sum(bps > _limit(contracts) for _, bps in rows),
        "root": "0x" + tree.root.hex(),
        "data": "0x" + hashlib.sha256(text.encode()).hexdigest(),
        "posted": "0x" + posted.hex(),
    }
    if as_json:
        print_json(told)
        return
    click.echo(f"{told['licences']} licences, {told['enough']} with more than {_limit(contracts) / 100:.2f} %")
    click.echo(f"root    {told['root']}")
    click.echo(f"data    {told['data']} (SHA-256 of the list{f', now in {out}' if out else ': --out FILE'})")
    said = "this list" if posted == tree.root else "another list" if any(posted) else "none"
    click.echo(f"posted  {told['posted']}: {said}")


def _limit(contracts: Contracts) -> int:
    return int(contracts.read("Buyback", "PARTICIPATION_BPS"))


def _place(rows: Rows, tree: StandardTree, licence: int) -> dict[str, object]:
    """Arguments of Buyback.request. Raises NotFound."""
    at = next((at for at, (number, _) in enumerate(rows) if number == licence), None)
    if at is None:
        raise NotFound(f"licence {licence} was not sold: only those that were are bought back")
    proof = ["0x" + word.hex() for word in tree.proof(at)]
    return {"licence": licence, "participation": rows[at][1], "proof": proof}
