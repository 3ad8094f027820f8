"""The commands that steer: flows stop and go on, connections are made and ended."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from syncd.commands import completing
from syncd.commands.common import (
    CONFIG,
    ConfigFile,
    Json,
    StateDir,
    SyncName,
    ask,
    exit_of,
    load,
    run_async,
    set_up_log,
)

app = typer.Typer()

ConnectionName = Annotated[
    str, typer.Argument(help="The connection's name in the configuration.", autocompletion=completing.connections)
]
FlowName = Annotated[
    str, typer.Argument(help="contacts, products, invoices or payments.", autocompletion=completing.flows)
]
AnyFlow = Annotated[
    str | None, typer.Argument(help="One flow; all of them without it.", autocompletion=completing.flows)
]


@app.command()
def pause(
    sync: SyncName, flow: FlowName, config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False
) -> None:
    """Stop writing anything of a flow. It is still read and compared; `resume` catches up."""
    _tell("pause", sync, flow, config, state_dir, json=json)


@app.command()
def resume(
    sync: SyncName, flow: FlowName, config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False
) -> None:
    """Go on with a paused flow, from where it was paused."""
    _tell("resume", sync, flow, config, state_dir, json=json)


@app.command()
def release(
    sync: SyncName,
    flow: AnyFlow = None,
    breaker: Annotated[
        str | None, typer.Option(help="Only what this circuit breaker holds.", autocompletion=completing.breakers)
    ] = None,
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Let go what waits for a person: what a new sync would create, and what circuit breakers hold."""
    _tell("release", sync, flow, config, state_dir, json=json, breaker=breaker)


def _tell(
    action: str,
    sync: str,
    flow: str | None,
    config: Path,
    state_dir: Path | None,
    *,
    json: bool,
    breaker: str | None = None,
) -> None:
    from syncd import cli_output

    told = ask(config, state_dir, lambda source: source.control(action, sync, flow, breaker))
    if json:
        cli_output.print_json(told)
    else:
        cli_output.print_lines(f"{sync} {flow or '(all flows)'}: {action}d, {told['records']} records brought forward")


@app.command()
def connect(
    name: ConnectionName,
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    browser: Annotated[bool, typer.Option(help="Open the vendor's page, or only print its address.")] = True,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the person to agree.")] = 600.0,
    json: Json = False,
) -> None:
    """Connect an account: a person agrees on the vendor's page, syncd keeps the tokens. Resumes a disconnected one."""
    import webbrowser

    from syncd import cli_output
    from syncd import connect as connecting

    set_up_log()
    # What the person is to do goes to stderr: with --json stdout holds JSON and nothing else.
    person = connecting.Person(partial(typer.echo, err=True), webbrowser.open if browser else None, wait)
    told = run_async(partial(connecting.connect, load(config, state_dir), name, person, os.environ))
    (cli_output.print_json if json else cli_output.print_connected)(told)
    raise typer.Exit(exit_of([told["state"]] if told["state"] != "ok" else []))


@app.command()
def disconnect(
    name: ConnectionName, config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False
) -> None:
    """Pause the flows that use a connection, revoke its tokens and erase them. No record is touched anywhere."""
    from syncd import cli_output
    from syncd import connect as connecting

    set_up_log()
    told = run_async(partial(connecting.disconnect, load(config, state_dir), name, os.environ))
    (cli_output.print_json if json else cli_output.print_disconnected)(told)
