"""The command line: puts the commands together, and turns what goes wrong into words and an exit code.

Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from syncd.commands import actions, copies, flows, look, start, work
from syncd.errors import ConfigError, Exit, SyncdError

app = typer.Typer(
    help="Keeps the sales side and the books side telling the same story.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for topic in (start, work, look, actions, flows, copies):
    app.add_typer(topic.app)


def main() -> NoReturn:
    """Run the command line and exit with one of the documented codes."""
    try:
        app()
    except SyncdError as error:
        _end(error)
    except ExceptionGroup as group:
        # Raised inside a task group; one reason is enough to end a command.
        told = group.subgroup(SyncdError)
        if told is None:
            raise
        _end(_leaf(told))
    sys.exit(Exit.DONE)


def _leaf(error: BaseException) -> BaseException:
    return _leaf(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _end(error: BaseException) -> NoReturn:
    assert isinstance(error, SyncdError)
    _complain(error)
    sys.exit(error.exit)


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if show_version:
        typer.echo(f"syncd {version('syncd')}")
        raise typer.Exit


def _complain(error: SyncdError) -> None:
    """Say what is wrong: on stderr for people; as JSON on stdout too when the command was to print JSON."""
    if "--json" in sys.argv:
        from syncd.cli_output import print_json

        problems = error.problems if isinstance(error, ConfigError) else ()
        rows = [asdict(problem) | {"file": str(problem.file)} for problem in problems]
        print_json({"error": str(error), "exit": int(error.exit), "problems": rows})
    typer.echo(f"syncd: {error}", err=True)
