"""The commands that look: totals, lists, one record, and why it stands where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.commands import completing
from syncd.commands.common import CONFIG, ConfigFile, Json, OnlyFlow, OnlySync, StateDir, Word, about_one, ask, load

if TYPE_CHECKING:
    from syncd.cli_client import Answers

app = typer.Typer()


@app.command()
def status(config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """Show the totals of every flow and the condition of every connection."""
    from syncd import cli_output

    shown = ask(config, state_dir, lambda source: source.status())
    (cli_output.print_json if json else cli_output.print_status)(shown)


@app.command()
def records(
    search: Annotated[str | None, typer.Argument(help="A number, e-mail, SKU or vendor id, or its beginning.")] = None,
    sync: OnlySync = None,
    flow: OnlyFlow = None,
    only: Annotated[
        str | None,
        typer.Option("--status", help="synced, pending, failed or excluded.", autocompletion=completing.statuses),
    ] = None,
    code: Annotated[
        str | None, typer.Option(help="Only this category or reason.", autocompletion=completing.codes)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Records on a page.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """List records with their status, why, and what to do."""
    from syncd import cli_output
    from syncd.status.reader import Query

    query = Query(sync=sync, flow=flow, status=only, code=code, q=search, cursor=cursor, limit=limit)
    page = ask(config, state_dir, lambda source: source.records(query))
    (cli_output.print_json if json else cli_output.print_records)(page)


@app.command()
def show(word: Word, config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """Show one record: both sides, what they agreed on last, and its account. Several hits are listed."""
    from syncd import cli_output

    async def answer(source: Answers, id: str) -> dict[str, Any]:
        return {"record": await source.record(id), **await source.activity(id)}

    shown = about_one(config, state_dir, word, answer, json=json)
    if json:
        cli_output.print_json(shown)
    else:
        cli_output.print_record(shown["record"])
        cli_output.print_activity(shown["activity"])


@app.command()
def explain(word: Word, config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """Explain why a record stands where it stands, and what happens next. Several hits are listed."""
    from syncd import cli_output

    shown = about_one(config, state_dir, word, lambda source, id: source.explain(id), json=json)
    (cli_output.print_json if json else cli_output.print_explanation)(shown)


@app.command()
def schema(
    command: Annotated[list[str] | None, typer.Argument(help="A command; all of them without it.")] = None,
) -> None:
    """Show what a command prints with --json, as JSON Schema."""
    from syncd import cli_output
    from syncd.commands import shapes
    from syncd.errors import UsageError

    name = " ".join(command or ())
    if not name:
        cli_output.print_lines(*shapes.COMMANDS)
        return
    if name not in shapes.COMMANDS:
        raise UsageError(f"no command “{name}” prints JSON; these do: {', '.join(shapes.COMMANDS)}")
    cli_output.print_json(shapes.described(name))


@app.command()
def mappings(
    sync: OnlySync = None,
    flow: OnlyFlow = None,
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """List which field equals which, in what direction, and which mappings can be switched."""
    from syncd import cli_output, mapped

    rows = mapped.listed(load(config, state_dir), sync, flow)
    if json:
        cli_output.print_json({"mappings": rows})
    else:
        cli_output.print_mappings(rows)
