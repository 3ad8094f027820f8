"""The commands to begin with: a configuration, stand-ins for the vendors, and a demonstration of both."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from syncd.commands.common import CONFIG, Json, run_async, set_up_log
from syncd.errors import UsageError

app = typer.Typer()
sandbox_app = typer.Typer(help="Run stand-ins for the vendors, with their own rules and data, on this machine.")
app.add_typer(sandbox_app, name="sandbox")


@app.command()
def init(
    recipe: Annotated[str, typer.Option(help="Which pair of vendors.")] = "hubspot-quickbooks",
    sandbox: Annotated[str | None, typer.Option(metavar="URL", help="A running sandbox to work against.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
    json: Json = False,
) -> None:
    """Write a configuration: for a running sandbox one that works, for live accounts one to complete."""
    from syncd import cli_init, cli_output, recipes
    from syncd.clock import SystemClock

    if recipe not in recipes.names():
        raise UsageError(f"no recipe is called {recipe!r}; there are: {', '.join(recipes.names())}")
    if sandbox:
        written = run_async(partial(cli_init.write_for_sandbox, recipe, sandbox, output, force=force))
        following = f"next: syncd once --config {output}"
    else:
        written = [cli_init.write_for_live(recipe, output, SystemClock().now().date(), force=force)]
        following = f"next: complete {output}, provide its secrets, then syncd connect crm --config {output}"
    if json:
        cli_output.print_json({"written": [str(path) for path in written]})
    else:
        cli_output.print_lines(*(f"wrote {path}" for path in written), following)


@sandbox_app.callback(invoke_without_command=True)
def sandbox(
    context: typer.Context, port: Annotated[int, typer.Option(help="Where to listen on this machine.")] = 8400
) -> None:
    """Run stand-ins for the vendors, with their own rules and data, on this machine."""
    if context.invoked_subcommand is not None:
        return
    from syncd.sandbox import server

    run_async(partial(server.run, port, announce=lambda address: typer.echo(f"sandbox on {address}, stop with Ctrl-C")))


@sandbox_app.command()
def gauntlet(
    config: Annotated[Path | None, typer.Option(help="Whose rules; those of a new configuration without it.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="A scenario's number or name; may be given again.")] = None,
    json: Json = False,
) -> None:
    """Play what users of such programs complain about against a configuration's rules, and say how many hold."""
    from syncd import cli_gauntlet, log

    log.configure(level="error")  # hundreds of warnings are what the scenarios are about
    made = run_async(partial(cli_gauntlet.play, config, only or [], json=json))
    raise typer.Exit(1 if made["broken"] else 0)


@app.command()
def demo(
    seconds: Annotated[float | None, typer.Option("--for", help="Stop after so many seconds.")] = None,
    recipe: Annotated[str, typer.Option(help="Which pair of vendors.")] = "hubspot-quickbooks",
    json: Json = False,
) -> None:
    """Run sandbox, daemon and a scripted person on both sides: no account and no network needed."""
    from syncd import demo as demonstration

    set_up_log(json)
    raise typer.Exit(run_async(partial(demonstration.run, seconds=seconds, recipe=recipe, json=json)))
