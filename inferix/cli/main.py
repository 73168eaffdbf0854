# SPDX-License-Identifier: Apache-2.0
"""The command group: errors become one clear line and a stable exit code; other packages add their own groups.

Exit codes: 0 done, 2 wrong input or usage, 3 refused, 4 not found, 5 the network does not answer, 6 corrupt data,
7 the job ended without a film, 130 stopped by hand, 1 anything else (``audit``, ``again``: something is false;
``trace``: no picture is of the job).
"""

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import click

from inferix import __version__
from inferix.chain.fees import GWEI, MAX_FEE
from inferix.errors import Corrupt, InferixError, InvalidInput, Misconfigured, NotFound, Refused, Unavailable
from inferix.storage.files import NO_ROOM

# A command's module is imported when it is called: each brings no more than it needs, and the others no second.
COMMANDS = {
    "again": "inferix.cli.again:again",
    "audit": "inferix.cli.audit:audit",
    "call": "inferix.cli.call:call",
    "cancel": "inferix.cli.jobs:cancel",
    "contradict": "inferix.cli.contradict:contradict_command",
    "escape": "inferix.cli.escape:escape",
    "explain": "inferix.cli.explain:explain",
    "fetch": "inferix.cli.jobs:fetch",
    "jobs": "inferix.cli.jobs:jobs_command",
    "money": "inferix.cli.money:money",
    "object": "inferix.cli.object:object_command",
    "participation": "inferix.cli.participation:participation",
    "render": "inferix.cli.jobs:render",
    "resume": "inferix.cli.jobs:resume",
    "shadow": "inferix.cli.shadow:shadow",
    "trace": "inferix.cli.trace:trace_command",
    "top-up": "inferix.cli.topup:top_up_command",
    "wallet": "inferix.cli.money:wallet",
}
STOPPED = 130
_CODES: tuple[tuple[type[InferixError], int], ...] = (
    (InvalidInput, 2),
    (Misconfigured, 2),
    (Refused, 3),
    (NotFound, 4),
    (Unavailable, 5),
    (Corrupt, 6),
)


class Failure(click.ClickException):
    """An error as the command line shows it."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def show(self, file: Any = None) -> None:
        """One line on standard error (more only where several things are wrong)."""
        click.secho(f"error: {self.message}", file=file, fg="red", err=True)


class Commands(click.Group):
    """The commands of ``COMMANDS`` and of the entry points ``inferix.commands``; they may raise any InferixError."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names in order."""
        return sorted({*COMMANDS, *(point.name for point in entry_points(group="inferix.commands"))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by name; None also when its extra is not installed on this machine."""
        if cmd_name in COMMANDS:
            module, _, name = COMMANDS[cmd_name].partition(":")
            found: click.Command = getattr(import_module(module), name)
            return found
        for plugin in entry_points(group="inferix.commands", name=cmd_name):
            try:
                added: click.Command = plugin.load()
            except ImportError:
                continue
            return added
        return None

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; what goes wrong becomes a Failure."""
        try:
            return super().invoke(ctx)
        except InferixError as error:
            own: int = getattr(error, "exit_code", 0)
            code = own or next((code for kind, code in _CODES if isinstance(error, kind)), 1)
            raise Failure(str(error), code) from error
        except OSError as error:
            is_full = error.errno in NO_ROOM
            mend = "free some room and call it again" if is_full else error.filename or "the system refuses"
            raise Failure(f"{error.strerror or error}: {mend}", 1) from error
        except (KeyboardInterrupt, click.Abort) as error:
            raise Failure("stopped; nothing that was ordered is lost: `inferix jobs`", STOPPED) from error


@click.group(cls=Commands)
@click.version_option(__version__)
@click.option("--max-fee-gwei", envvar="INFERIX_MAX_FEE_GWEI", default=200, show_default=True,
              type=click.IntRange(1, 10**6), help="The most that a transaction pays per gas.")  # fmt: skip
def main(max_fee_gwei: int) -> None:
    """Order work from the Inferix network, follow it, and see your money."""
    MAX_FEE.set(max_fee_gwei * GWEI)
