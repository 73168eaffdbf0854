# SPDX-License-Identifier: Apache-2.0
"""``trace``: whether pictures are frames of a job that was ordered with marks."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.table import Table

from inferix.cli.common import console, home_option, json_option, print_json
from inferix.client.jobfile import load_job
from inferix.client.marks import Traced, marks_of, trace
from inferix.errors import InferixError
from inferix.plugins import read_picture
from inferix.proofs.pictures import load_pictures


@click.command("trace")
@click.argument("job")
@click.argument(
    "pictures", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True)
)
@home_option
@json_option
def trace_command(job: str, pictures: tuple[Path, ...], home: Path, as_json: bool) -> None:
    """Tell whether PICTURES (PNG, at the size that was ordered) are frames of JOB, which was ordered with --marks.

    Nothing is sent anywhere. Exits with 1 where none of them is. A picture without marks says nothing: whoever has the
    scene can take them out, or paste them onto another picture.
    """
    job_file = load_job(home, job)
    tried = len(marks_of(job_file).frames)
    found: list[tuple[Path, Traced | InferixError]] = []
    with TemporaryDirectory(prefix="inferix-") as work:
        for picture in pictures:
            try:
                found.append((picture, trace(job_file, read_picture(picture.resolve(), Path(work)))))
            except InferixError as error:  # the others are looked at all the same
                found.append((picture, error))
    if as_json:
        print_json([_view(*item) for item in found])
    else:
        console.print(_table(found))
        keys = load_pictures().keys
        click.echo(
            f"Above {keys.threshold:g} it shows the marks of that frame, of {tried} that were tried. Of random keys of "
            f"twelve marks about {keys.alpha_ppm} in a million score as much; fewer were not counted."
        )
    if any(isinstance(item, Traced) and item.found for _, item in found):
        return
    for _, item in found:
        if isinstance(item, InferixError):
            raise item
    sys.exit(1)


def _view(picture: Path, item: Traced | InferixError) -> dict[str, object]:
    if isinstance(item, InferixError):
        return {"picture": str(picture), "found": False, "error": str(item)}
    return {
        "picture": str(picture),
        "found": item.found,
        "frame": item.frame,
        "score": round(item.score, 2),
        "tried": item.tried,
    }


def _table(found: list[tuple[Path, Traced | InferixError]]) -> Table:
    table = Table("picture", "is", "score")
    for picture, item in found:
        if isinstance(item, InferixError):
            table.add_row(click.format_filename(picture), str(item), "")
        else:
            says = f"frame {item.frame}" if item.found else "no frame with marks"
            table.add_row(click.format_filename(picture), says, f"{item.score:.1f}")
    return table
