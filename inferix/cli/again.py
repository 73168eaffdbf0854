# SPDX-License-Identifier: Apache-2.0
"""``again``: a frame rendered here, with the seed it was made with, against what the network accepted."""

import sys
from pathlib import Path

import click

from inferix.cli.common import Bars, Unlock, api_option, client_of, json_option, print_json, wallet_options
from inferix.client.again import Again


@click.command()
@click.argument("job")
@click.option("--frame", required=True, type=int)
@click.option("--threads", default=0, type=click.IntRange(0), help="Threads to render with; 0 is all.")
@api_option
@json_option
@wallet_options
def again(job: str, frame: int, threads: int, api: str, as_json: bool, home: Path, unlock: Unlock) -> None:
    """Render an accepted FRAME of JOB here and compare it bit for bit; exit 1 when it should be equal and is not."""
    bars = Bars()
    client = client_of(api, unlock(), home, bars)
    with bars.progress:
        found = client.again(job, frame, threads=threads)
    if as_json:
        print_json(_view(found))
    else:
        click.echo(_words(found))
    sys.exit(1 if found.comparable and not found.equal else 0)


def _view(found: Again) -> dict[str, object]:
    accepted = found.accepted
    return {
        "frame": accepted.frame.frame,
        "node": accepted.result.node,
        "attempt": accepted.result.attempt,
        "seed": accepted.seed,
        "raw": accepted.frame.raw.cid,
        "pixels": {"accepted": accepted.frame.pixels.hex(), "again": found.pixels.hex()},
        "device_class": {"accepted": accepted.result.device_class, "again": found.device_class},
        "build": {"accepted": accepted.result.build, "again": found.build},
        "equal": found.equal,
        "comparable": found.comparable,
    }


def _words(found: Again) -> str:
    accepted, result = found.accepted, found.accepted.result
    name = f"frame {accepted.frame.frame} of node {result.node}, attempt {result.attempt}, seed {accepted.seed}"
    if found.equal:
        return f"{name}: rendered again, equal to the last bit"
    if found.comparable:
        return f"{name}: rendered again, and it is NOT what was accepted: claim the result"
    return (
        f"{name}: rendered on {result.device_class} with {result.build}, here on {found.device_class} with "
        f"{found.build}: bits differ between them, so this says nothing; render on the same class to compare"
    )
