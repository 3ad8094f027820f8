"""What a command runs from beginning to end: the daemon, or one pass."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import anyio
import structlog

from syncd.announce import Announcer
from syncd.app import opened
from syncd.attending import attended
from syncd.config import Config
from syncd.feed.listener import listening
from syncd.loop import Progress
from syncd.notify_systemd import Notifier
from syncd.running import App
from syncd.status.reader import Reader
from syncd.status.server import serving, socket_path

log = structlog.get_logger("syncd.daemon")

PATIENCE = 60.0  # seconds a command waits for what is due soon


async def run(config: Config, *, until: anyio.Event) -> int:
    """The daemon: the engine, the status server and the listener for webhooks, until told to stop.

    Returns:
        The exit code.
    """
    async with (
        opened(config, "run") as app,
        serving(app, socket_path(config.state_dir, os.environ)) as address,
        listening(config.webhooks, app.intake) as webhooks,
        attended(app, Notifier.of(os.environ), until),
    ):
        names = [sync.name for sync in app.syncs]
        log.info("daemon.started", version=app.version, page=address, webhooks=webhooks, syncs=names)
        async with anyio.create_task_group() as group:
            group.start_soon(app.meters.watch_loop)
            group.start_soon(Announcer(app).run)
            await app.loop.work(until)
            group.cancel_scope.cancel()
        app.stopping = True
        log.info("daemon.stopping")
    log.info("daemon.stopped")
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OnceResult:
    """What one pass left behind: the status JSON, and how many records failed."""

    status: dict[str, Any]
    failed: int


async def once(config: Config, *, wait: float = 60.0, progress: Progress | None = None) -> OnceResult:
    """Poll, work until nothing is due, then say how things stand."""
    async with opened(config, "once") as app:
        await app.loop.drain(wait, progress)
        status = await Reader(app).status()
    return OnceResult(status=status, failed=sum(flow["failed"] for s in status["syncs"] for flow in s["flows"]))


async def planned(config: Config, sync: str | None, flow: str | None) -> dict[str, Any]:
    """What would be done now; nothing is written to any vendor."""
    async with opened(config, "plan") as app:
        return await app.planner.plan(sync, flow)


async def applied(config: Config, plan: object, *, wait: float, progress: Progress | None = None) -> dict[str, Any]:
    """Carry out what a plan says, and nothing else."""
    async with opened(config, "apply") as app:
        return await carried_out(app, plan, wait=wait, progress=progress)


async def carried_out(app: App, plan: object, *, wait: float, progress: Progress | None = None) -> dict[str, Any]:
    """The same by an app that is open, and does nothing else."""
    app.gate.strict = True
    told = await app.planner.apply(plan)
    await app.loop.drain(wait, progress)
    return {**told, **await app.planner.outcome()}


async def backfilled(
    config: Config, sync: str, flow: str | None, since: datetime, *, wait: float, tell: Callable[[Any], None]
) -> dict[str, Any]:
    """Let in history and work until it is done; `tell` hears how far it has come."""
    async with opened(config, "backfill") as app:
        await app.backfill(sync, flow, since)
        async with anyio.create_task_group() as group:
            group.start_soon(_telling, app, tell)
            with anyio.move_on_after(wait):
                # What is only due in minutes is not history's: it is left to the next run.
                await app.loop.drain(PATIENCE)
                while app.backfiller.reading(sync):
                    await anyio.sleep(1)
                    await app.loop.drain(PATIENCE)
            group.cancel_scope.cancel()
        return await app.backfills()


async def _telling(app: App, tell: Callable[[Any], None]) -> None:
    while True:
        await anyio.sleep(1)
        tell(await app.backfills())
