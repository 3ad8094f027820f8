"""`syncd plan` and `syncd apply`: who is asked, what is printed, what is written to the file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import msgspec

from syncd.cli_client import Daemon, daemon
from syncd.cli_output import clean, in_terminal, print_lines, print_table
from syncd.config import Config
from syncd.errors import Exit, UsageError

ASK_AGAIN = 0.5  # seconds between two looks at how far a daemon has come
_OPS = ("create", "update", "void", "delete")
_SHOWN = 50  # entries printed; the file has all of them


async def plan(config: Config, environ: Mapping[str, str], sync: str | None, flow: str | None) -> dict[str, Any]:
    """The plan, from the daemon while one runs."""
    async with daemon(config, environ) as running:
        if running is not None:
            return await running.plan(sync, flow)
    from syncd import runs

    return await runs.planned(config, sync, flow)


async def apply(config: Config, environ: Mapping[str, str], file: Path, wait: float) -> dict[str, Any]:
    """Have a plan carried out, and wait until it is: by the daemon while one runs."""
    raw = read(file)
    async with daemon(config, environ) as running:
        if running is not None:
            return await _followed(running, raw, wait)
    from syncd import runs

    return await runs.applied(config, raw, wait=wait)


async def _followed(running: Daemon, raw: object, wait: float) -> dict[str, Any]:
    told = await running.apply(raw)
    outcome = await running.applied()
    with anyio.move_on_after(wait):
        while outcome["waiting"]:
            await anyio.sleep(ASK_AGAIN)
            outcome = await running.applied()
    return {**told, **outcome}


def read(file: Path) -> object:
    """A plan file's JSON; what it says is checked by whoever applies it.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return msgspec.json.decode(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{file} is no plan: {error}; make one with `syncd plan --out {file}`") from error


def write(made: Mapping[str, Any], file: Path) -> None:
    """Write a plan for its owner alone: it holds names and amounts."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n")


def show(made: Mapping[str, Any]) -> None:
    """A plan for people: figures, warnings, what it costs, the first entries."""
    if in_terminal():
        from syncd import cli_terminal

        cli_terminal.plan(made)
        return
    for sync in made["syncs"]:
        rows = [
            [
                flow["name"],
                *(flow[op] for op in _OPS),
                flow["linked"],
                *(_codes(flow[g]) for g in ("failed", "excluded")),
            ]
            for flow in sync["flows"]
        ]
        title = f"{sync['name']}: {sync['left']} <-> {sync['right']}"
        print_table(("flow", *_OPS, "link", "failed", "excluded"), rows, title)
    entries = made["entries"]
    rows = [
        [entry["op"], entry["flow"], entry["label"], entry["connection"], _changes(entry)] for entry in entries[:_SHOWN]
    ]
    print_table(("write", "flow", "record", "to", "what"), rows)
    if len(entries) > _SHOWN:
        print_lines(f"and {len(entries) - _SHOWN} more; --out or --json has all of them")
    for failed in made["failed"][:_SHOWN]:
        print_lines(f"failed: {failed['flow']} {clean(failed['label'])}: {failed['code']} {clean(failed['words'])}")
    for one in made["connections"]:
        print_lines(f"{one['name']}: {one['calls']} calls, {_minutes(one['seconds'])}")
    print_lines(*(f"warning: {clean(words)}" for words in made["warnings"]))


def show_applied(told: Mapping[str, Any]) -> None:
    """What became of a plan."""
    for one in told["moved"]:
        print_lines(f"moved: {one['op']} {one['flow']} {clean(one['label'])}: {clean(one['words'])}")
    figures = ("done", "failed", "waiting")
    print_lines(f"{told['allowed']} allowed, " + ", ".join(f"{told[name]} {name}" for name in figures))


def exit_of(told: Mapping[str, Any]) -> Exit:
    """Whether everything the plan says is done."""
    return Exit.SOME_FAILED if told["moved"] or told["failed"] or told["waiting"] else Exit.DONE


def _codes(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{code} {n}" for code, n in counts.items())


def _changes(entry: Mapping[str, Any]) -> str:
    lines = [] if entry["lines"] is None else [f"{entry['lines']} lines"]
    if entry["op"] == "create":
        return "; ".join([*(f"{f['field']} {f['new']}" for f in entry["fields"] if f["new"]), *lines])
    return "; ".join([*(f"{f['field']}: {f['old']} -> {f['new']}" for f in entry["fields"]), *lines])


def _minutes(seconds: int) -> str:
    if seconds < 60:
        return "less than a minute"
    return f"{-(-seconds // 60)} minutes at the vendor's limits"
