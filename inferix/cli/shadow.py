# SPDX-License-Identifier: Apache-2.0
"""``shadow``: what calibrations that are only tried would have decided."""

from typing import Any

import click

from inferix.cli.common import json_option, print_json
from inferix.cli.replayed import chain_options, replayed
from inferix.errors import InferixError
from inferix.models.result import Measurement
from inferix.replay.shadow import tried
from inferix.storage import open_store
from inferix.storage.documents import get_document


@click.command()
@chain_options
@json_option
def shadow(rpc: str, chain_id: int, deployment: str, storage: str, as_json: bool) -> None:
    """How often calibrations in the shadow err on real work, from chain and storage alone.

    A verifier tries one by `inferix node start --shadow FILE`; nothing is decided by it.
    """
    store, missing = open_store(storage), 0

    def measurement(digest: bytes) -> Measurement | None:
        nonlocal missing
        try:
            return get_document(store, Measurement, digest)
        except InferixError:
            missing += 1
            return None

    _, network = replayed(rpc, chain_id, deployment, storage)
    rows: list[dict[str, Any]] = [
        {
            "rule": row.rule,
            "accepted": row.accepted.tiles,
            "accepted_it_rejects": row.accepted.failed,
            "at_most_ppm": row.accepted.at_most_ppm if row.accepted.tiles else 1_000_000,
            "rejected": row.rejected.tiles,
            "rejected_it_rejects": row.rejected.failed,
            "unsure": row.unsure,
        }
        for row in tried(network, measurement)
    ]
    if as_json:
        print_json({"rules": rows, "missing": missing})
        return
    for row in rows:
        click.echo(f"{row['rule']}")
        wrong = f"{row['accepted_it_rejects']} (at most {row['at_most_ppm'] / 10_000:.3f} %)"
        click.echo(f"  accepted frames  {row['accepted']:6}, of which it rejects {wrong}")
        click.echo(f"  rejected frames  {row['rejected']:6}, of which it rejects {row['rejected_it_rejects']}")
        click.echo(f"  unsure           {row['unsure']:6}")
    if not rows:
        click.echo("no verifier tries a calibration: `inferix node start --shadow FILE`")
    if missing:
        click.echo(f"{missing} measurements are not to be had")
