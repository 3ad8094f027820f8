"""`syncd backfill`: who is asked, and how far it has come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import anyio
import msgspec

from syncd.cli_client import daemon
from syncd.config import Config
from syncd.errors import Exit

ASK_AGAIN = 1.0
Told = Mapping[str, Any]


async def backfill(
    config: Config,
    environ: Mapping[str, str],
    sync: str,
    flow: str | None,
    since: date,
    wait: float,
    tell: Callable[[Told], None],
) -> Told:
    """Begin a backfill and follow it to its end; by the daemon while one runs, which goes on when we leave."""
    async with daemon(config, environ) as running:
        if running is not None:
            told = await running.backfill(sync, flow, since)
            with anyio.move_on_after(wait):
                while working(told, sync):
                    tell(told)
                    await anyio.sleep(ASK_AGAIN)
                    told = await running.backfills()
            return told
    from syncd import runs

    midnight = datetime(since.year, since.month, since.day, tzinfo=UTC)
    return await runs.backfilled(config, sync, flow, midnight, wait=wait, tell=tell)


def working(told: Told, sync: str) -> bool:
    """Whether a backfill of the sync has something left to do."""
    return any(one["sync"] == sync and (one["phase"] != "done" or one["waiting"]) for one in told["backfills"])


def exit_of(told: Told, sync: str) -> Exit:
    """Done, or not yet."""
    return Exit.SOME_FAILED if working(told, sync) else Exit.DONE


def line(one: Told) -> str:
    """How far one has come, in a line."""
    if one["phase"] in ("left", "right"):
        return f"{one['flow']}: reading, {one['looked']} looked at"
    left = one["seconds_left"]
    rest = "" if left is None else f", {one['per_minute']} a minute, {_duration(left)} left"
    return f"{one['flow']}: {one['let_in'] - one['waiting']} of {one['let_in']} settled{rest}"


def print_line(told: Told) -> None:
    """One JSON object on a line of its own: a program reads them as they come."""
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    sys.stdout.flush()


def _duration(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 90 else f"{-(-seconds // 60)} minutes"


@contextmanager
def shown(*, json: bool) -> Iterator[Callable[[Told], None]]:
    """Where progress goes: a bar in a terminal, a JSON line each time with --json, else nowhere."""
    if json:
        yield print_line
        return
    if not sys.stderr.isatty():
        yield lambda told: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        tasks: dict[tuple[str, str], Any] = {}

        def tell(told: Told) -> None:
            for one in told["backfills"]:
                key = (one["sync"], one["flow"])
                tasks.setdefault(key, bar.add_task("") if key not in tasks else tasks[key])
                whole = one["let_in"] + max(0, one["looked"] - one["passed"])
                bar.update(
                    tasks[key], description=line(one), total=whole or None, completed=one["let_in"] - one["waiting"]
                )

        yield tell
