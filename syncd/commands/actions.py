"""The commands of a person's hand: what is asked of a record, and the access tokens of others who may ask.

They go through the daemon's socket while one runs, and into the state itself when none does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from syncd.commands import completing
from syncd.commands.common import CONFIG, ConfigFile, Json, StateDir, Word
from syncd.errors import Exit, Unconfirmed, UsageError

if TYPE_CHECKING:
    from syncd.cli_client import Answers

T = TypeVar("T")

app = typer.Typer()
tokens = typer.Typer(help="Access tokens of the HTTP API.", no_args_is_help=True)
app.add_typer(tokens, name="token")

MaybeWord = Annotated[
    str | None, typer.Argument(metavar="[RECORD]", help="A record's id, number, e-mail, SKU or vendor id.")
]
Sync = Annotated[str | None, typer.Option(help="Of all records of this sync.", autocompletion=completing.syncs)]
Flow = Annotated[str | None, typer.Option(help="Of all records of this flow.", autocompletion=completing.flows)]
Code = Annotated[
    str | None, typer.Option(help="Of all records with this category or reason.", autocompletion=completing.codes)
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it although it cannot be undone.")]
TokenName = Annotated[str, typer.Argument(metavar="NAME", help="What the token is called.")]


@app.command()
def retry(
    record: MaybeWord = None,
    sync: Sync = None,
    flow: Flow = None,
    code: Code = None,
    yes: Yes = False,
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Try again what failed or waits: one record, or all failed ones of a sync, flow or category."""
    which = {"sync": sync, "flow": flow, "code": code}
    _one_or_many("retry", record, which, {"status": "failed"}, yes, config, state_dir, json=json)


@app.command()
def refresh(
    record: MaybeWord = None,
    sync: Sync = None,
    flow: Flow = None,
    code: Code = None,
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Read both sides of a record now, or of all records of a sync, flow or category."""
    _one_or_many("refresh", record, {"sync": sync, "flow": flow, "code": code}, {}, False, config, state_dir, json=json)


@app.command()
def exclude(word: Word, config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """Keep a record out until it is included again. Both sides keep what they hold."""
    _one("exclude", word, {}, False, config, state_dir, json=json)


@app.command()
def include(
    word: Word, yes: Yes = False, config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False
) -> None:
    """Let an excluded record in again; it is compared with what each side held at the last success."""
    _one("include", word, {}, yes, config, state_dir, json=json)


@app.command()
def force(
    word: Word,
    source: Annotated[str, typer.Option("--from", help="Whose values go over: left, right or a connection's name.")],
    yes: Yes = False,
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Write one side's values to the other, moved or not. Origin, closed books and totals stand above it."""
    _one("force", word, {"from": source}, yes, config, state_dir, json=json)


@app.command()
def resolve(
    word: Word,
    take: Annotated[str | None, typer.Option(help="Whose values stay: left, right or a connection's name.")] = None,
    field: Annotated[
        list[str] | None, typer.Option(metavar="NAME=SIDE", help="The same for one field; as often as needed.")
    ] = None,
    yes: Yes = False,
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Decide a conflict that is held: for the whole record, or field by field."""
    chosen = dict(_pair(text) for text in field or ())
    given: dict[str, Any] = {name: value for name, value in (("take", take), ("fields", chosen)) if value}
    _one("resolve", word, given, yes, config, state_dir, json=json)


@app.command()
def accept(word: Word, config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """Accept a difference between both sides as it stands, until one of them moves again."""
    _one("accept", word, {}, False, config, state_dir, json=json)


@app.command()
def revert(
    word: Word, yes: Yes = False, config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False
) -> None:
    """Undo an edit that was made outside the side of birth: the last agreed values are put back there."""
    _one("revert", word, {}, yes, config, state_dir, json=json)


@app.command()
def link(
    word: Word,
    entity: Annotated[str | None, typer.Option("--id", help="The id the missing half has at its vendor.")] = None,
    other: Annotated[str | None, typer.Option("--record", help="Or the id of the record that holds it.")] = None,
    yes: Yes = False,
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Join a record that has one half with the other half."""
    given = {name: value for name, value in (("id", entity), ("record", other)) if value}
    _one("link", word, given, yes, config, state_dir, json=json)


@app.command()
def unlink(word: Word, config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """Separate the two halves of a record; both are kept out until they are linked or included."""
    _one("unlink", word, {}, False, config, state_dir, json=json)


@tokens.command("create")
def create_token(
    name: TokenName,
    role: Annotated[str, typer.Option(help="read, or operator: read and act.")],
    expires: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="Until when, like 2027-01-01; else until it is revoked.")
    ] = None,
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Make an access token. It is shown this once."""
    from syncd import cli_output

    given = {"role": role} | ({"expires": expires} if expires else {})
    told, _ = _asked(config, state_dir, lambda source: source.token("create", name, given))
    if json:
        cli_output.print_json(told)
    else:
        cli_output.print_lines(told["token"])
        typer.echo("Keep it well: it is not shown again. Send it as “Authorization: Bearer ...”.", err=True)


@tokens.command("list")
def list_tokens(config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """List the tokens with their roles and dates."""
    from syncd import cli_output

    told, _ = _asked(config, state_dir, lambda source: source.tokens())
    (cli_output.print_json if json else cli_output.print_tokens)(told)


@tokens.command("revoke")
def revoke_token(name: TokenName, config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """Accept a token no longer, from this moment on."""
    from syncd import cli_output

    told, _ = _asked(config, state_dir, lambda source: source.token("revoke", name, {}))
    if json:
        cli_output.print_json(told)
    else:
        cli_output.print_lines(f"{told['name']}: revoked")


def _pair(text: str) -> tuple[str, str]:
    name, equals, side = text.partition("=")
    if not (name and equals and side):
        raise UsageError(f"--field: a field and a side, like due_date=left, not {text!r}")
    return name, side


def _one_or_many(
    action: str,
    word: str | None,
    which: dict[str, str | None],
    usually: dict[str, str],
    yes: bool,
    config: Path,
    state_dir: Path | None,
    *,
    json: bool,
) -> None:
    from syncd import cli_output

    wanted = {name: value for name, value in which.items() if value is not None}
    if (word is None) != bool(wanted):
        raise UsageError("say which: either one record, or --sync, --flow or --code for many")
    if word is not None:
        _one(action, word, {}, yes, config, state_dir, json=json)
        return
    given = {"confirm": True} if yes else {}
    told, runs = _asked(config, state_dir, lambda source: source.act_on_many(action, usually | wanted, given))
    if json:
        cli_output.print_json(told | {"daemon": runs})
    else:
        cli_output.print_lines(
            f"{action}: asked of {told['asked']} records, {_when(runs)}",
            *(f"not of {one['record']}: {cli_output.clean(one['detail'])}" for one in told["refused"]),
        )
    if told["not_taken"]:
        raise typer.Exit(Exit.SOME_FAILED)


def _one(
    action: str, word: str, given: dict[str, Any], yes: bool, config: Path, state_dir: Path | None, *, json: bool
) -> None:
    from syncd import cli_output
    from syncd.cli_client import look_up

    async def ask(source: Answers) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        hits = await look_up(source, word)
        if len(hits) > 1:
            return hits, {}
        try:
            return hits, await source.act(action, hits[0]["id"], given | ({"confirm": True} if yes else {}))
        except Unconfirmed as risk:
            if json or not sys.stdin.isatty():
                raise Unconfirmed(f"{risk}: --yes") from risk
            typer.confirm(f"{risk}. Do it", abort=True, err=True)
            return hits, await source.act(action, hits[0]["id"], given | {"confirm": True})

    (hits, told), runs = _asked(config, state_dir, ask)
    if len(hits) > 1:
        (cli_output.print_json if json else cli_output.print_records)({"records": hits, "next": None})
        raise typer.Exit(Exit.USAGE)
    if json:
        cli_output.print_json(told | {"daemon": runs})
    else:
        cli_output.print_lines(
            f"{action}: asked of {cli_output.clean(hits[0]['label'] or told['record'])}, {_when(runs)}"
        )


def _when(runs: bool) -> str:
    return "carried out within moments" if runs else "carried out by the next `syncd run` or `syncd once`"


def _asked(path: Path, state_dir: Path | None, question: Callable[[Answers], Awaitable[T]]) -> tuple[T, bool]:
    """The answer, and whether a daemon gave it."""
    import anyio

    from syncd.cli_client import Daemon, answers
    from syncd.config import load

    config = load(path, os.environ, state_dir)

    async def asked() -> tuple[T, bool]:
        async with answers(config, os.environ) as source:
            return await question(source), isinstance(source, Daemon)

    return anyio.run(asked)
