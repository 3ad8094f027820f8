"""The demonstration as a whole: a sandbox, a configuration as `syncd init` writes it, the daemon, and the telling.

Everything about syncd that is told is read from its own records; nothing is known beforehand.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio

from syncd import cli_init, cli_output, log
from syncd.app import App, opened
from syncd.config import Config, load
from syncd.config_values import Listen
from syncd.core import catalogue
from syncd.demo.actor import Actor
from syncd.demo.news import Watcher
from syncd.demo.script import Scene, Step, scenes
from syncd.demo.telling import Teller
from syncd.demo.voice import Voice
from syncd.errors import UsageError
from syncd.sandbox import server
from syncd.sandbox.client import Control
from syncd.sandbox.world import create_world
from syncd.status.local import VENDOR_NAMES
from syncd.status.reader import Reader
from syncd.status.server import serving, socket_path

Script = Callable[[], Iterator[Scene]]
SCRIPTS: Mapping[str, Script] = {"hubspot-quickbooks": scenes}
POLL = timedelta(seconds=1)
PAUSE = 2.5  # seconds between two things the person does
LOOK = 0.4  # seconds between two looks for news
SOON = 1.0  # what is due later than this does not keep the first sync from being over
FIRST_SYNC = 60.0  # seconds after which the person begins in any case
ENVIRON: Mapping[str, str] = {}  # nothing from the environment: this state belongs to nobody


async def run(*, seconds: float | None, recipe: str, json: bool) -> int:
    """Show syncd at work until told to stop, or for so many seconds. Returns the exit code.

    Raises:
        UsageError: there is no script for the recipe.
    """
    if recipe not in SCRIPTS:
        raise UsageError(f"there is no demonstration of {recipe!r}; there is: {', '.join(SCRIPTS)}")
    voice = Voice(sys.stderr if json else sys.stdout)
    stop = anyio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with TemporaryDirectory(prefix="syncd-demo-") as name, _logged_to(Path(name) / "syncd.log"):
        async with server.serving(create_world(timer=time.perf_counter)) as sandbox, Control(sandbox) as hand:
            config = await _configured(Path(name) / "syncd.toml", recipe, sandbox)
            async with (
                opened(config, "demo", environ=ENVIRON) as app,
                serving(app, socket_path(config.state_dir, ENVIRON)) as page,
            ):
                show = Show(app, hand, voice, stop)
                show.opening(page, sandbox)
                await show.perform(SCRIPTS[recipe], seconds)
                status = await Reader(app).status()
    if json:
        cli_output.print_json(status)
    else:
        _closing(voice, status)
    return 0


class Show:
    """The daemon at work, the person, and whoever tells what both of them do."""

    def __init__(self, app: App, hand: Control, voice: Voice, stop: anyio.Event) -> None:
        self._app = app
        self._voice = voice
        self._stop = stop
        self._watcher = Watcher(app)
        self._begun = False
        names = {name: VENDOR_NAMES[one.vendor] for name, one in app.config.connections.items()}
        self._teller = Teller(names, app.config.daemon.language)
        self._actor = Actor(hand, self._tell_step, PAUSE)

    def opening(self, page: str, sandbox: str) -> None:
        """Where everything is."""
        voice, place = self._voice, self._app.config.file.parent
        voice.say("syncd at work: HubSpot and QuickBooks in a sandbox on this machine, kept together by polling.")
        voice.fact("page", f"{page}/?live=1")
        voice.fact("vendors", f"{sandbox}/_sandbox")
        voice.fact("files", f"{place} (removed at the end): syncd.toml, syncd.log, the state")
        voice.fact("ask it", f"syncd records --config {self._app.config.file}")
        voice.fact("stop", "Ctrl-C")
        voice.say()
        voice.say("First sync: both sides hold data already, some of it made to fail ...", title=True)

    async def perform(self, script: Script, seconds: float | None) -> None:
        """Until told to stop, or for so many seconds from now."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._deadline, seconds)
            group.start_soon(self._show, script)
            await self._app.work(self._stop)
        if self._begun:
            await self._news()

    async def _deadline(self, seconds: float | None) -> None:
        with anyio.move_on_after(seconds):
            await self._stop.wait()
        self._stop.set()

    async def _show(self, script: Script) -> None:
        start = self._app.clock.monotonic()
        while not await self._settled() and self._app.clock.monotonic() - start < FIRST_SYNC:
            if await self._stopped_within(LOOK):
                return
        await self._watcher.skip()
        self._begun = True
        _counts(self._voice, await Reader(self._app).status())
        self._voice.say(f"That took {self._app.clock.monotonic() - start:.1f} s. Now somebody works on both sides:")
        self._voice.say()
        async with anyio.create_task_group() as group:
            group.start_soon(self._play, script)
            while not await self._stopped_within(LOOK):
                await self._news()
            group.cancel_scope.cancel()

    async def _settled(self) -> bool:
        """Whether there were records, and nothing is to be done with any of them."""
        names = list(self._app.engine.connectors)
        counts, due = await self._app.store.read(lambda tx: (tx.counts(), tx.next_due(names)))
        if due is not None and (due - self._app.clock.now()).total_seconds() < SOON:
            return False
        return any(row.n for row in counts) and not any(row.n for row in counts if row.status == "pending")

    async def _play(self, script: Script) -> None:
        for scene in script():
            await self._actor.play(scene)

    async def _news(self) -> None:
        news = [one for moved in await self._watcher.look() for one in self._teller.tell(moved)]
        for one in sorted(news, key=lambda one: one.at):
            self._voice.event(one.at, "  syncd", one.text, one.status)

    def _tell_step(self, step: Step, words: str, taken: bool) -> None:
        tone = "wrong" if step.wrong or not taken else ""
        self._voice.event(self._app.clock.now(), VENDOR_NAMES[step.vendor], words, tone)

    async def _stopped_within(self, seconds: float) -> bool:
        with anyio.move_on_after(seconds):
            await self._stop.wait()
        return self._stop.is_set()


async def _configured(file: Path, recipe: str, sandbox: str) -> Config:
    """What `syncd init` writes for this sandbox, with a poll one can watch and a port that is free."""
    await cli_init.write_for_sandbox(recipe, sandbox, file, force=False)
    config = load(file, ENVIRON)
    listen = Listen(config.daemon.listen.host, _port(config.daemon.listen))
    daemon = config.daemon.model_copy(update={"listen": listen})
    syncs = {name: sync.model_copy(update={"poll": POLL}) for name, sync in config.syncs.items()}
    return replace(config, daemon=daemon, syncs=syncs)


def _port(wanted: Listen) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(wanted)
        except OSError:
            return 0
    return wanted.port


@contextmanager
def _logged_to(file: Path) -> Iterator[None]:
    """The daemon's log goes to a file, so that the telling stays readable."""
    with file.open("w", encoding="utf-8") as stream:
        with redirect_stderr(stream):
            log.configure()
        try:
            yield
        finally:
            log.configure()


def _counts(voice: Voice, status: Mapping[str, Any]) -> None:
    for sync in status["syncs"]:
        for flow in sync["flows"]:
            voice.fact(flow["name"], ", ".join(_groups(flow)))


def _groups(flow: Mapping[str, Any]) -> Iterator[str]:
    for status, codes in (
        ("synced", "notes"),
        ("pending", "waiting"),
        ("failed", "categories"),
        ("excluded", "reasons"),
    ):
        if flow[status]:
            why = ", ".join(f"{_title(code)} {n}" for code, n in flow[codes].items())
            yield f"{flow[status]} {status}" + (f" ({why})" if why else "")


def _title(code: str) -> str:
    return catalogue.text(code, "en", left="HubSpot", right="QuickBooks").title


def _closing(voice: Voice, status: Mapping[str, Any]) -> None:
    voice.say()
    voice.say("Stopped. How things stand:", title=True)
    _counts(voice, status)
    voice.say()
    voice.say("Where to look next:", title=True)
    voice.fact("by hand", "syncd sandbox; then: syncd init --sandbox http://127.0.0.1:8400, syncd run")
    voice.fact("questions", "syncd status, records, show, explain - while it runs, and afterwards")
    voice.fact("accounts", "syncd init writes a configuration for real ones, syncd check looks at them; see README.md")
