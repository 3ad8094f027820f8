"""The commands about copies of the state. With --state-dir they need no configuration, and none of its secrets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from syncd.commands.common import CONFIG, ConfigFile, Json

if TYPE_CHECKING:
    from syncd.backups import Place

app = typer.Typer()

StateDir = Annotated[Path | None, typer.Option("--state-dir", help="Where the state is; no configuration is read.")]


@app.command()
def backup(
    to: Annotated[Path | None, typer.Option(help="The file to write, instead of one in the state's backups.")] = None,
    keep: Annotated[int, typer.Option(min=1, help="How many of the state's backups to keep.")] = 14,
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Copy the state, also while the daemon runs. The copy is checked; secrets are never part of it."""
    from syncd import backups, cli_output
    from syncd.clock import SystemClock

    told = backups.backup(_place(config, state_dir), to, keep, SystemClock().now())
    if json:
        cli_output.print_json(told)
    else:
        cli_output.print_lines(f"wrote {told['written']}, {told['bytes']:,} bytes; {told['pruned']} older ones removed")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A copy that `syncd backup` has made.")],
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Put a copy of the state back. Stop the daemon first; what is replaced is kept beside it.

    The next start looks for everything that happened since the copy was made, before it creates anything.
    """
    from syncd import backups, cli_output
    from syncd.clock import SystemClock

    told = backups.restore(_place(config, state_dir), file, SystemClock().now())
    if json:
        cli_output.print_json(told)
    else:
        replaced = (f"what was there is now {told['replaced']}",) if told["replaced"] else ()
        cli_output.print_lines(f"{told['state']} is now what {told['restored']} holds", *replaced)


def _place(config: Path, state_dir: Path | None) -> Place:
    from syncd.backups import Place
    from syncd.config import load

    return Place(state_dir.absolute()) if state_dir else Place.of(load(config, os.environ))
