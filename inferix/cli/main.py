# SPDX-License-Identifier: Apache-2.0
"""The command group: errors become one clear line and a stable exit code; other packages add their own groups.

Exit codes: 0 done, 2 wrong input or usage, 3 refused, 4 not found, 5 the network does not answer, 6 corrupt data,
7 the job did not complete, 1 anything else.
"""

import sys
from importlib.metadata import entry_points

import click

from inferix import __version__
from inferix.cli import audit, jobs, money
from inferix.errors import Corrupt, InferixError, InvalidInput, Misconfigured, NotFound, Refused, Unavailable

_CODES: tuple[tuple[type[InferixError], int], ...] = (
    (InvalidInput, 2),
    (Misconfigured, 2),
    (Refused, 3),
    (NotFound, 4),
    (Unavailable, 5),
    (Corrupt, 6),
)


@click.group()
@click.version_option(__version__)
def cli() -> None:
    """Order work from the Inferix network, follow it, and see your money."""


for command in (*jobs.COMMANDS, *money.COMMANDS, *audit.COMMANDS):
    cli.add_command(command)


def main() -> None:
    """Entry point of the console script."""
    for plugin in entry_points(group="inferix.commands"):
        try:
            cli.add_command(plugin.load(), plugin.name)
        except ImportError:  # its extra is not installed on this machine
            continue
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("stopped; nothing that was ordered is lost: `inferix jobs`", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except InferixError as error:
        click.secho(f"error: {error}", fg="red", err=True)
        sys.exit(next((code for kind, code in _CODES if isinstance(error, kind)), 1))
