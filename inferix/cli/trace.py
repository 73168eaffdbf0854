# SPDX-License-Identifier: Apache-2.0
"""``trace``: whether pictures are frames of a job that was ordered with marks."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.markup import escape
from rich.table import Table

from inferix.cli.common import console, home_option, json_option, print_json
from inferix.client.jobfile import load_job
from inferix.client.marks import Traced, trace
from inferix.plugins import read_picture
from inferix.proofs.pictures import load_pictures


@click.command("trace")
@click.argument("job")
@click.argument("pictures", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@home_option
@json_option
def trace_command(job: str, pictures: tuple[Path, ...], home: Path, as_json: bool) -> None:
    """Tell whether PICTURES (PNG, at the size that was ordered) are frames of JOB, which was ordered with --marks.

    Nothing is sent anywhere. Exits with 1 where none of them is. A picture without marks says nothing: whoever has the
    scene can take them out, or paste them onto another picture.
    """
    job_file = load_job(home, job)
    with TemporaryDirectory(prefix="inferix-") as work:
        found = [(picture, trace(job_file, read_picture(picture.resolve(), Path(work)))) for picture in pictures]
    if as_json:
        print_json([_view(*item) for item in found])
    else:
        console.print(_table(found))
        keys = load_pictures().keys
        click.echo(
            f"Above {keys.threshold:g} it shows the marks of that frame, of {found[0][1].tried} that were tried. Of "
            f"random keys of twelve marks about {keys.alpha_ppm} in a million score as much; fewer were not counted."
        )
    sys.exit(0 if any(item.found for _, item in found) else 1)


def _view(picture: Path, item: Traced) -> dict[str, object]:
    return {
        "picture": str(picture),
        "found": item.found,
        "frame": item.frame,
        "score": round(item.score, 2),
        "tried": item.tried,
    }


def _table(found: list[tuple[Path, Traced]]) -> Table:
    table = Table("picture", "is", "score")
    for picture, item in found:
        says = f"frame {item.frame}" if item.found else "no frame with marks"
        table.add_row(escape(str(picture)), says, f"{item.score:.1f}")
    return table
