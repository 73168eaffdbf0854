# SPDX-License-Identifier: Apache-2.0
"""``make simulate-economy``: four years of the economy under several scenarios, and what makes cheating or washing pay.

Tables, pictures and report.json go to out/economy/. The same settings and seed write the same bytes.
"""

import sys
from pathlib import Path

import click

from inferix.errors import InferixError
from simulator.files import write
from simulator.results import collect
from simulator.settings import FILE, Scenario, Settings, load_settings, only
from simulator.world import World

OUT = Path("out/economy")


@click.command(help="Simulate the economy with the contracts' own arithmetic; see docs/economy.md.")
@click.option(
    "--scenarios", type=click.Path(path_type=Path), default=FILE, show_default=True, help="TOML of scenarios."
)
@click.option("--only", "names", multiple=True, metavar="NAME", help="This scenario alone; may be given again.")
@click.option("--epochs", type=click.IntRange(1, 487), help="How many epochs of 72 h, in place of the file's.")
@click.option("--seed", type=click.IntRange(0), help="In place of the file's.")
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True, help="Where results go.")
def main(scenarios: Path, names: tuple[str, ...], epochs: int | None, seed: int | None, out: Path) -> None:
    """0 when all was written, 1 with the reason when the settings are wrong."""
    try:
        settings = only(load_settings(scenarios), names)
        changes = {"epochs": epochs, "seed": seed}
        settings = settings.model_copy(update={key: value for key, value in changes.items() if value is not None})
        worlds = {name: _run(name, each, settings) for name, each in settings.scenarios.items()}
        print("washing, cheating, collusion")
        found = write(collect(settings, worlds), out)
    except (InferixError, OSError) as error:
        click.echo(f"the simulation failed: {error}", err=True)
        sys.exit(1)
    print("", *found, "", f"on disk: {out}", sep="\n")


def _run(name: str, scenario: Scenario, settings: Settings) -> World:
    """One scenario, with a line that tells how far it is."""
    experiments, lively = settings.experiments, sys.stdout.isatty()
    world = World(scenario, name, settings.seed, experiments.jobs[0], experiments.machine)
    place = f"{list(settings.scenarios).index(name) + 1}/{len(settings.scenarios)} {name}"
    for row in world.run(settings.epochs):
        if lively and row.epoch % 10 == 0:
            print(f"\r{place}: epoch {row.epoch}", end="", flush=True)
    last = world.rows[-1]
    clear = "\r" if lively else ""
    print(f"{clear}{place}: {len(world.rows)} epochs, an IFX at {last.price / 1e9:.4f} USD, {last.machines} machines")
    return world


if __name__ == "__main__":
    main()
