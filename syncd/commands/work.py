"""The commands that work: they own the state for a while, or have the daemon do it."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from syncd.commands.common import (
    CONFIG,
    ConfigFile,
    Json,
    OnlyFlow,
    OnlySync,
    StateDir,
    SyncName,
    exit_of,
    load,
    run_async,
    set_up_log,
    until_stopped,
)
from syncd.errors import Exit, UsageError

app = typer.Typer()


@app.command()
def check(config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """Look at the configuration, the credentials and both accounts' settings. Writes to no vendor."""
    from syncd import checkup, cli_output

    set_up_log()
    findings = [asdict(finding) for finding in run_async(partial(checkup.check, load(config, state_dir)))]
    if json:
        cli_output.print_json({"findings": findings})
    else:
        cli_output.print_findings(findings)
    raise typer.Exit(exit_of([finding["code"] for finding in findings if finding["severity"] == "error"]))


@app.command()
def run(config: ConfigFile = CONFIG, state_dir: StateDir = None, json: Json = False) -> None:
    """Run the daemon until it is told to stop (SIGTERM or Ctrl-C). --json: JSON log lines in a terminal too."""
    from syncd import runs

    set_up_log(json)
    loaded = load(config, state_dir)
    raise typer.Exit(run_async(partial(until_stopped, partial(runs.run, loaded))))


@app.command()
def once(
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait at most for a vendor that is slow or busy.")] = 60.0,
    json: Json = False,
) -> None:
    """Poll, work until nothing is due, then exit: 0, or 1 if some records failed."""
    from syncd import cli_output, runs

    set_up_log()
    loaded = load(config, state_dir)
    with cli_output.progress("records") as progress:
        result = run_async(partial(runs.once, loaded, wait=wait, progress=progress))
    if json:
        cli_output.print_json(result.status)
    else:
        cli_output.print_status(result.status)
    trouble = exit_of([one["state"] for one in result.status["connections"] if one["state"] not in ("ok", "new")])
    raise typer.Exit(trouble or (Exit.SOME_FAILED if result.failed else Exit.DONE))


@app.command()
def plan(
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    sync: Annotated[str | None, typer.Option(help="Of this sync alone.")] = None,
    flow: Annotated[str | None, typer.Option(help="Of this flow alone.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the plan to this file, for `syncd apply`.")] = None,
    json: Json = False,
) -> None:
    """Show what would be created, changed and voided now, and what it costs. Writes to no vendor."""
    from syncd import cli_output, cli_plan

    set_up_log()
    made = run_async(partial(cli_plan.plan, load(config, state_dir), os.environ, sync, flow))
    if out is not None:
        cli_plan.write(made, out)
    (cli_output.print_json if json else cli_plan.show)(made)


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="A plan that `syncd plan --out` has made.")],
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait at most until it is carried out.")] = 600.0,
    json: Json = False,
) -> None:
    """Carry out a plan: exactly the writes it lists, but for those that would be different now."""
    from syncd import cli_output, cli_plan

    set_up_log()
    loaded = load(config, state_dir)
    if not yes and not json and sys.stdin.isatty():
        raw = cli_plan.read(file)
        typer.confirm(f"Carry out {len(raw.get('entries', ())) if isinstance(raw, dict) else 0} writes?", abort=True)
    told = run_async(partial(cli_plan.apply, loaded, os.environ, file, wait))
    (cli_output.print_json if json else cli_plan.show_applied)(told)
    raise typer.Exit(cli_plan.exit_of(told))


@app.command()
def reconcile(
    sync: OnlySync = None,
    flow: OnlyFlow = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="Only documents of this day and later.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Only documents of this day and earlier.")] = None,
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Prove that both sides amount to the same: read every document afresh, and explain what differs. Writes nothing.

    Exit 0: no difference is left unexplained; 1: some are.
    """
    from syncd import auditing, cli_output

    set_up_log()
    scope = auditing.Scope(sync=sync, flow=flow, since=_day(since), until=_day(until))
    with cli_output.progress("documents") as progress:
        told = run_async(partial(auditing.prove, load(config, state_dir), scope, progress))
    (cli_output.print_json if json else cli_output.print_proof)(told)
    raise typer.Exit(Exit.SOME_FAILED if told["unexplained"] else Exit.DONE)


@app.command("remap")
def remap_command(
    sync: OnlySync = None,
    flow: OnlyFlow = None,
    yes: Annotated[bool, typer.Option("--yes", help="Carry it out, instead of only showing what it would do.")] = False,
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Let changed mappings reach records that are synced already. Shows what would change; --yes has it done.

    A running daemon has to have read the configuration as it is now: reload it first.
    """
    from syncd import cli_output, cli_remap

    set_up_log()
    told = run_async(partial(cli_remap.remapped, load(config, state_dir), sync, flow, carry_out=yes))
    (cli_output.print_json if json else cli_output.print_remap)(told)


@app.command()
def backfill(
    sync: SyncName,
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day its last change may lie back to.")],
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    flow: Annotated[str | None, typer.Option(help="Of this flow alone.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds to follow it; a daemon goes on by itself.")] = 86400.0,
    json: Json = False,
) -> None:
    """Bring over what is older than the sync. Documents that are there already are linked, doubtful ones listed."""
    from syncd import cli_backfill, cli_output

    set_up_log()
    loaded = load(config, state_dir)
    with cli_backfill.shown(json=json) as tell:
        told = run_async(partial(cli_backfill.backfill, loaded, os.environ, sync, flow, since.date(), wait, tell))
    if json:
        cli_backfill.print_line(told)
    else:
        cli_output.print_lines(*(cli_backfill.line(one) for one in told["backfills"] if one["sync"] == sync))
    raise typer.Exit(cli_backfill.exit_of(told, sync))


@app.command()
def erase(
    word: Annotated[str | None, typer.Argument(metavar="RECORD", help="A person's record id or vendor id.")] = None,
    email: Annotated[str | None, typer.Option(help="The person's e-mail address.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it: it cannot be undone.")] = False,
    config: ConfigFile = CONFIG,
    state_dir: StateDir = None,
    json: Json = False,
) -> None:
    """Remove our copies of a person's data. Nothing is touched at the vendors; without --yes only say who is meant."""
    from syncd import cli_erase, cli_output

    set_up_log()
    if (word is None) == (email is None):
        raise UsageError("say who is meant: RECORD, or --email")
    told = run_async(partial(cli_erase.erased, load(config, state_dir), word, email, carry_out=yes))
    (cli_output.print_json if json else cli_output.print_erased)(told)


def _day(text: str | None) -> date | None:
    from datetime import date

    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no day: write it like 2026-11-01") from None
