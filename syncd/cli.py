"""The command line: reads words, calls the one thing each command is about, prints what came of it.

Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from syncd import cli_actions, cli_backup
from syncd.errors import ConfigError, Exit, SyncdError

if TYPE_CHECKING:
    from datetime import date

    from syncd.cli_client import Answers
    from syncd.config import Config

T = TypeVar("T")

app = typer.Typer(
    help="Keeps the sales side and the books side telling the same story.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
StateDir = Annotated[Path | None, typer.Option("--state-dir", help="Where the state is, instead of the file's.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Word = Annotated[str, typer.Argument(help="A record's id, number, e-mail, SKU or vendor id.")]

SyncName = Annotated[str, typer.Argument(help="The sync's name in the configuration.")]
ConnectionName = Annotated[str, typer.Argument(help="The connection's name in the configuration.")]
FlowName = Annotated[str, typer.Argument(help="contacts, products, invoices or payments.")]
AnyFlow = Annotated[str | None, typer.Argument(help="One flow; all of them without it.")]
DEFAULT_CONFIG = Path("syncd.toml")
NEEDS_PERMISSION = frozenset({"authorization_lost", "account_changed", "permission_missing"})
OUT_OF_REACH = frozenset({"vendor_unavailable", "tls_failed", "quota_exhausted", "malformed_answer"})


app.add_typer(cli_actions.app)
app.add_typer(cli_backup.app)
app.add_typer(cli_actions.tokens, name="token")


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


@app.command()
def init(
    recipe: Annotated[str, typer.Option(help="Which pair of vendors.")] = "hubspot-quickbooks",
    sandbox: Annotated[str | None, typer.Option(metavar="URL", help="A running sandbox to work against.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")] = False,
    json: Json = False,
) -> None:
    """Write a configuration: for a running sandbox one that works, for live accounts one to complete."""
    from syncd import cli_init, cli_output, recipes
    from syncd.clock import SystemClock
    from syncd.errors import UsageError

    if recipe not in recipes.names():
        raise UsageError(f"no recipe is called {recipe!r}; there are: {', '.join(recipes.names())}")
    if sandbox:
        written = _run(partial(cli_init.write_for_sandbox, recipe, sandbox, output, force=force))
        following = f"next: syncd once --config {output}"
    else:
        written = [cli_init.write_for_live(recipe, output, SystemClock().now().date(), force=force)]
        following = f"next: complete {output}, provide its secrets, then syncd connect crm --config {output}"
    if json:
        cli_output.print_json({"written": [str(path) for path in written]})
    else:
        cli_output.print_lines(*(f"wrote {path}" for path in written), following)


@app.command()
def check(config: ConfigFile = DEFAULT_CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """Look at the configuration, the credentials and both accounts' settings. Writes to no vendor."""
    from syncd import checkup, cli_output

    _log()
    findings = [asdict(finding) for finding in _run(partial(checkup.check, _load(config, state_dir)))]
    if json:
        cli_output.print_json({"findings": findings})
    else:
        cli_output.print_findings(findings)
    raise typer.Exit(_exit_of([finding["code"] for finding in findings if finding["severity"] == "error"]))


@app.command()
def run(config: ConfigFile = DEFAULT_CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """Run the daemon until it is told to stop (SIGTERM or Ctrl-C). --json: JSON log lines in a terminal too."""
    from syncd import app as application

    _log(json)
    loaded = _load(config, state_dir)
    raise typer.Exit(_run(partial(_until_stopped, partial(application.run, loaded))))


@app.command()
def once(
    config: ConfigFile = DEFAULT_CONFIG,
    state_dir: StateDir = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait at most for a vendor that is slow or busy.")] = 60.0,
    json: Json = False,
) -> None:
    """Poll, work until nothing is due, then exit: 0, or 1 if some records failed."""
    from syncd import app as application
    from syncd import cli_output

    _log()
    loaded = _load(config, state_dir)
    with cli_output.progress("records") as progress:
        result = _run(partial(application.once, loaded, wait=wait, progress=progress))
    if json:
        cli_output.print_json(result.status)
    else:
        cli_output.print_status(result.status)
    trouble = _exit_of([one["state"] for one in result.status["connections"] if one["state"] not in ("ok", "new")])
    raise typer.Exit(trouble or (Exit.SOME_FAILED if result.failed else Exit.DONE))


@app.command()
def status(config: ConfigFile = DEFAULT_CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """Show the totals of every flow and the condition of every connection."""
    from syncd import cli_output

    shown = _ask(config, state_dir, lambda source: source.status())
    (cli_output.print_json if json else cli_output.print_status)(shown)


@app.command()
def records(
    search: Annotated[str | None, typer.Argument(help="A number, e-mail, SKU or vendor id, or its beginning.")] = None,
    sync: Annotated[str | None, typer.Option(help="Only this sync.")] = None,
    flow: Annotated[str | None, typer.Option(help="Only this flow.")] = None,
    only: Annotated[str | None, typer.Option("--status", help="synced, pending, failed or excluded.")] = None,
    code: Annotated[str | None, typer.Option(help="Only this category or reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Records on a page.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """List records with their status, why, and what to do."""
    from syncd import cli_output
    from syncd.status.reader import Query

    query = Query(sync=sync, flow=flow, status=only, code=code, q=search, cursor=cursor, limit=limit)
    page = _ask(config, state_dir, lambda source: source.records(query))
    (cli_output.print_json if json else cli_output.print_records)(page)


@app.command()
def show(word: Word, config: ConfigFile = DEFAULT_CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """Show one record: both sides, what they agreed on last, and its account. Several hits are listed."""
    from syncd import cli_output

    async def answer(source: Answers, id: str) -> dict[str, Any]:
        return {"record": await source.record(id), **await source.activity(id)}

    shown = _one(config, state_dir, word, answer, json=json)
    if json:
        cli_output.print_json(shown)
    else:
        cli_output.print_record(shown["record"])
        cli_output.print_activity(shown["activity"])


@app.command()
def explain(word: Word, config: ConfigFile = DEFAULT_CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """Explain why a record stands where it stands, and what happens next. Several hits are listed."""
    from syncd import cli_output

    shown = _one(config, state_dir, word, lambda source, id: source.explain(id), json=json)
    (cli_output.print_json if json else cli_output.print_explanation)(shown)


@app.command()
def reconcile(
    sync: Annotated[str | None, typer.Option(help="Only this sync.")] = None,
    flow: Annotated[str | None, typer.Option(help="Only this flow.")] = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="Only documents of this day and later.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Only documents of this day and earlier.")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Prove that both sides amount to the same: read every document afresh, and explain what differs. Writes nothing.

    Exit 0: no difference is left unexplained; 1: some are.
    """
    from syncd import auditing, cli_output

    _log()
    scope = auditing.Scope(sync=sync, flow=flow, since=_day(since), until=_day(until))
    with cli_output.progress("documents") as progress:
        told = _run(partial(auditing.prove, _load(config, state_dir), scope, progress))
    (cli_output.print_json if json else cli_output.print_proof)(told)
    raise typer.Exit(Exit.SOME_FAILED if told["unexplained"] else Exit.DONE)


@app.command()
def erase(
    word: Annotated[str | None, typer.Argument(metavar="RECORD", help="A person's record id or vendor id.")] = None,
    email: Annotated[str | None, typer.Option(help="The person's e-mail address.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it: it cannot be undone.")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Remove our copies of a person's data. Nothing is touched at the vendors; without --yes only say who is meant."""
    from syncd import cli_erase, cli_output
    from syncd.errors import UsageError

    _log()
    if (word is None) == (email is None):
        raise UsageError("say who is meant: RECORD, or --email")
    told = _run(partial(cli_erase.erased, _load(config, state_dir), word, email, carry_out=yes))
    (cli_output.print_json if json else cli_output.print_erased)(told)


def _day(text: str | None) -> date | None:
    from datetime import date

    from syncd.errors import UsageError

    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no day: write it like 2026-11-01") from None


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

    told = _ask(config, state_dir, lambda source: source.control(action, sync, flow, breaker))
    if json:
        cli_output.print_json(told)
    else:
        cli_output.print_lines(f"{sync} {flow or '(all flows)'}: {action}d, {told['records']} records brought forward")


@app.command()
def plan(
    config: ConfigFile = DEFAULT_CONFIG,
    state_dir: StateDir = None,
    sync: Annotated[str | None, typer.Option(help="Of this sync alone.")] = None,
    flow: Annotated[str | None, typer.Option(help="Of this flow alone.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the plan to this file, for `syncd apply`.")] = None,
    json: Json = False,
) -> None:
    """Show what would be created, changed and voided now, and what it costs. Writes to no vendor."""
    from syncd import cli_output, cli_plan

    _log()
    made = _run(partial(cli_plan.plan, _load(config, state_dir), os.environ, sync, flow))
    if out is not None:
        cli_plan.write(made, out)
    (cli_output.print_json if json else cli_plan.show)(made)


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="A plan that `syncd plan --out` has made.")],
    config: ConfigFile = DEFAULT_CONFIG,
    state_dir: StateDir = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait at most until it is carried out.")] = 600.0,
    json: Json = False,
) -> None:
    """Carry out a plan: exactly the writes it lists, but for those that would be different now."""
    from syncd import cli_output, cli_plan

    _log()
    loaded = _load(config, state_dir)
    if not yes and not json and sys.stdin.isatty():
        raw = cli_plan.read(file)
        typer.confirm(f"Carry out {len(raw.get('entries', ())) if isinstance(raw, dict) else 0} writes?", abort=True)
    told = _run(partial(cli_plan.apply, loaded, os.environ, file, wait))
    (cli_output.print_json if json else cli_plan.show_applied)(told)
    raise typer.Exit(cli_plan.exit_of(told))


@app.command()
def mappings(
    sync: Annotated[str | None, typer.Option(help="Only this sync.")] = None,
    flow: Annotated[str | None, typer.Option(help="Only this flow.")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """List which field equals which, in what direction, and which mappings can be switched."""
    from syncd import cli_output, mapped

    rows = mapped.listed(_load(config, state_dir), sync, flow)
    if json:
        cli_output.print_json({"mappings": rows})
    else:
        cli_output.print_mappings(rows)


@app.command("remap")
def remap_command(
    sync: Annotated[str | None, typer.Option(help="Only this sync.")] = None,
    flow: Annotated[str | None, typer.Option(help="Only this flow.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Carry it out, instead of only showing what it would do.")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Let changed mappings reach records that are synced already. Shows what would change; --yes has it done.

    A running daemon works by the configuration it was started with: restart it first.
    """
    from syncd import cli_output, cli_remap

    _log()
    told = _run(partial(cli_remap.remapped, _load(config, state_dir), sync, flow, carry_out=yes))
    (cli_output.print_json if json else cli_output.print_remap)(told)


@app.command()
def backfill(
    sync: SyncName,
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day its last change may lie back to.")],
    config: ConfigFile = DEFAULT_CONFIG,
    state_dir: StateDir = None,
    flow: Annotated[str | None, typer.Option(help="Of this flow alone.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to follow it; a daemon goes on by itself.")] = 86400.0,
    json: Json = False,
) -> None:
    """Bring over what is older than the sync. Documents that are there already are linked, doubtful ones listed."""
    from syncd import cli_backfill, cli_output

    _log()
    loaded = _load(config, state_dir)
    with cli_backfill.shown(json=json) as tell:
        told = _run(partial(cli_backfill.backfill, loaded, os.environ, sync, flow, since.date(), wait, tell))
    if json:
        cli_output.print_json(told)
    else:
        cli_output.print_lines(*(cli_backfill.line(one) for one in told["backfills"] if one["sync"] == sync))
    raise typer.Exit(cli_backfill.exit_of(told, sync))


@app.command()
def pause(
    sync: SyncName, flow: FlowName, config: ConfigFile = DEFAULT_CONFIG, state_dir: StateDir = None, json: Json = False
) -> None:
    """Stop writing anything of a flow. It is still read and compared; `resume` catches up."""
    _tell("pause", sync, flow, config, state_dir, json=json)


@app.command()
def resume(
    sync: SyncName, flow: FlowName, config: ConfigFile = DEFAULT_CONFIG, state_dir: StateDir = None, json: Json = False
) -> None:
    """Go on with a paused flow, from where it was paused."""
    _tell("resume", sync, flow, config, state_dir, json=json)


@app.command()
def release(
    sync: SyncName,
    flow: AnyFlow = None,
    breaker: Annotated[str | None, typer.Option(help="Only what this circuit breaker holds.")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Let go what waits for a person: what a new sync would create, and what circuit breakers hold."""
    _tell("release", sync, flow, config, state_dir, json=json, breaker=breaker)


@app.command()
def connect(
    name: ConnectionName,
    config: ConfigFile = DEFAULT_CONFIG,
    state_dir: StateDir = None,
    browser: Annotated[bool, typer.Option(help="Open the vendor's page, or only print its address.")] = True,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the person to agree.")] = 600.0,
    json: Json = False,
) -> None:
    """Connect an account: a person agrees on the vendor's page, syncd keeps the tokens. Resumes a disconnected one."""
    import webbrowser

    from syncd import cli_output
    from syncd import connect as connecting

    _log()
    # What the person is to do goes to stderr: with --json stdout holds JSON and nothing else.
    person = connecting.Person(partial(typer.echo, err=True), webbrowser.open if browser else None, wait)
    told = _run(partial(connecting.connect, _load(config, state_dir), name, person, os.environ))
    (cli_output.print_json if json else cli_output.print_connected)(told)
    raise typer.Exit(_exit_of([told["state"]] if told["state"] != "ok" else []))


@app.command()
def disconnect(
    name: ConnectionName, config: ConfigFile = DEFAULT_CONFIG, state_dir: StateDir = None, json: Json = False
) -> None:
    """Pause the flows that use a connection, revoke its tokens and erase them. No record is touched anywhere."""
    from syncd import cli_output
    from syncd import connect as connecting

    _log()
    told = _run(partial(connecting.disconnect, _load(config, state_dir), name, os.environ))
    (cli_output.print_json if json else cli_output.print_disconnected)(told)


sandbox_app = typer.Typer(help="Run stand-ins for the vendors, with their own rules and data, on this machine.")
app.add_typer(sandbox_app, name="sandbox")


@sandbox_app.callback(invoke_without_command=True)
def sandbox(
    context: typer.Context, port: Annotated[int, typer.Option(help="Where to listen on this machine.")] = 8400
) -> None:
    """Run stand-ins for the vendors, with their own rules and data, on this machine."""
    if context.invoked_subcommand is not None:
        return
    from syncd.sandbox import server

    _run(partial(server.run, port, announce=lambda address: typer.echo(f"sandbox on {address}, stop with Ctrl-C")))


@sandbox_app.command()
def gauntlet(
    config: Annotated[Path | None, typer.Option(help="Whose rules; those of a new configuration without it.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="A scenario's number or name; may be given again.")] = None,
    json: Json = False,
) -> None:
    """Play what users of such programs complain about against a configuration's rules, and say how many hold."""
    from syncd import cli_gauntlet, log

    log.configure(level="error")  # hundreds of warnings are what the scenarios are about
    made = _run(partial(cli_gauntlet.play, config, only or [], json=json))
    raise typer.Exit(1 if made["broken"] else 0)


@app.command()
def demo(
    seconds: Annotated[float | None, typer.Option("--for", help="Stop after so many seconds.")] = None,
    recipe: Annotated[str, typer.Option(help="Which pair of vendors.")] = "hubspot-quickbooks",
    json: Json = False,
) -> None:
    """Run sandbox, daemon and a scripted person on both sides: no account and no network needed."""
    from syncd import demo as demonstration

    _log(json)
    raise typer.Exit(_run(partial(demonstration.run, seconds=seconds, recipe=recipe, json=json)))


def _load(path: Path, state_dir: Path | None) -> Config:
    from syncd.config import load

    return load(path, os.environ, state_dir)


def _ask(path: Path, state_dir: Path | None, question: Callable[[Answers], Awaitable[T]]) -> T:
    from syncd.cli_client import answers

    config = _load(path, state_dir)

    async def asked() -> T:
        async with answers(config, os.environ) as source:
            return await question(source)

    return _run(asked)


def _one(
    path: Path,
    state_dir: Path | None,
    word: str,
    question: Callable[[Answers, str], Awaitable[dict[str, Any]]],
    *,
    json: bool,
) -> dict[str, Any]:
    """The answer about the one record that is meant; several are listed instead, and the command ends."""
    from syncd import cli_output
    from syncd.cli_client import look_up

    async def asked(source: Answers) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        hits = await look_up(source, word)
        return hits, await question(source, hits[0]["id"]) if len(hits) == 1 else {}

    hits, answer = _ask(path, state_dir, asked)
    if len(hits) > 1:
        (cli_output.print_json if json else cli_output.print_records)({"records": hits, "next": None})
        raise typer.Exit(Exit.USAGE)
    return answer


def _run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    import gc

    import anyio

    # What was imported stays: looking through it again and again for garbage took a tenth of a long pass.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    return anyio.run(work)


async def _until_stopped(work: Callable[..., Awaitable[T]]) -> T:
    """Carry out `work(until=event)`; the event is set by SIGTERM and SIGINT, so that it can end in good order."""
    import asyncio
    import signal

    import anyio

    stop = anyio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return await work(until=stop)


def _log(json: bool = False) -> None:
    from syncd import log

    log.configure(json=json or None)


def _exit_of(codes: list[str | None]) -> Exit:
    """The exit code for what is wrong: permission first, then what cannot be reached, else the configuration."""
    if not codes:
        return Exit.DONE
    if NEEDS_PERMISSION.intersection(codes):
        return Exit.PERMISSION
    return Exit.UNREACHABLE if OUT_OF_REACH.intersection(codes) else Exit.CONFIGURATION


def _complain(error: SyncdError) -> None:
    """Say what is wrong: on stderr for people; as JSON on stdout too when the command was to print JSON."""
    if "--json" in sys.argv:
        from syncd.cli_output import print_json

        problems = error.problems if isinstance(error, ConfigError) else ()
        rows = [asdict(problem) | {"file": str(problem.file)} for problem in problems]
        print_json({"error": str(error), "exit": int(error.exit), "problems": rows})
    typer.echo(f"syncd: {error}", err=True)
