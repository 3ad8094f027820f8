"""The daemon at work, the person, and whoever tells what both of them do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import anyio

from syncd.demo.actor import Actor, Hand
from syncd.demo.news import Watcher
from syncd.demo.script import Scene, Step
from syncd.demo.telling import Teller
from syncd.demo.voice import Voice
from syncd.model.record import Status
from syncd.running import App
from syncd.status.local import VENDOR_NAMES
from syncd.status.reader import Reader
from syncd.store.rows import CountRow
from syncd.store.store import Tx

LOOK = 0.4  # seconds between two looks for news
QUIET = 3  # looks in a row at which nothing is pending and no count has moved: the first sync is over
FIRST_SYNC = 60.0  # seconds after which the person begins in any case
REACTION = 4.0  # seconds the person waits at most for syncd to react
BREATH = 1.5  # seconds to read what it did

Script = Callable[[], Iterator[Scene]]


class Show:
    """One demonstration over an open application."""

    def __init__(self, app: App, hand: Hand, voice: Voice, stop: anyio.Event) -> None:
        self._app = app
        self._voice = voice
        self._stop = stop
        self._reader = Reader(app)
        self._watcher = Watcher(app)
        names = {name: VENDOR_NAMES[one.vendor] for name, one in app.config.connections.items()}
        self._teller = Teller(names, app.config.daemon.language)
        self._actor = Actor(hand, self._tell_step, self._pause)
        self._begun = False
        self._first_over = anyio.Event()
        self._told = anyio.Event()

    def opening(self, page: str, sandbox: str) -> None:
        """Where everything is."""
        file = self._app.config.file
        self._voice.fact("page", f"{page}/")
        self._voice.fact("sandbox", f"{sandbox}/_sandbox")
        self._voice.fact("files", f"{file.parent} with syncd.toml and syncd.log; removed at the end")
        self._voice.fact("ask it", f"syncd records --config {file}")
        self._voice.fact("stop", "Ctrl-C")
        self._voice.say()
        self._voice.say("First sync: both sides hold data already, some of it made to fail ...", title=True)

    async def perform(self, script: Script, until: float | None) -> Mapping[str, Any]:
        """Until told to stop, or until a time of the monotonic clock but not before the first sync is over.

        Returns the last status.
        """
        async with anyio.create_task_group() as group:
            group.start_soon(self._deadline, until)
            group.start_soon(self._show, script)
            await self._app.loop.work(self._stop)
        if self._begun:
            await self._tell_news()
        return await self._reader.status()

    def closing(self, status: Mapping[str, Any]) -> None:
        """How things stand in the end, and where to go from here."""
        self._voice.say()
        self._voice.say("Stopped. How things stand:", title=True)
        self._counts(status)
        self._voice.say()
        self._voice.say("Where to look next:", title=True)
        self._voice.fact("by hand", "syncd sandbox; in another terminal: syncd init --sandbox http://127.0.0.1:8400")
        self._voice.fact("", "then syncd run, and syncd status, records, show, explain while it runs")
        self._voice.fact("accounts", "syncd init for real ones, syncd check to look at them; README.md says how")

    async def _deadline(self, until: float | None) -> None:
        left = None if until is None else max(0.0, until - self._app.clock.monotonic())
        with anyio.move_on_after(left):
            await self._stop.wait()
        await self._first_over.wait()  # before it there is nothing to show, however slow the machine
        self._stop.set()

    async def _show(self, script: Script) -> None:
        start = self._app.clock.monotonic()
        over = await self._first_sync(start + FIRST_SYNC)
        self._first_over.set()
        if not over:
            return
        await self._watcher.skip()
        self._begun = True
        self._counts(await self._reader.status())
        self._voice.say(f"done in {self._app.clock.monotonic() - start:.1f} seconds")
        self._voice.say()
        self._voice.say("Now somebody works on both sides, and makes mistakes:", title=True)
        async with anyio.create_task_group() as group:
            group.start_soon(self._play, script)
            while not await self._stopped_within(LOOK):
                await self._tell_news()
            group.cancel_scope.cancel()

    async def _first_sync(self, patience: float) -> bool:
        """Until there are records and nothing moves any more; False if told to stop before."""
        quiet, before = 0, None
        while quiet < QUIET and self._app.clock.monotonic() < patience:
            if await self._stopped_within(LOOK):
                return False
            counts, due = await self._app.store.read(self._standing)
            # What nobody has looked at yet has no record that could be pending.
            waiting = due is not None and due <= self._app.clock.now()
            busy = waiting or not counts or any(row.n for row in counts if row.status == Status.PENDING)
            quiet = 0 if busy or counts != before else quiet + 1
            before = counts
        return True

    def _standing(self, tx: Tx) -> tuple[list[CountRow], datetime | None]:
        """The counts, and when something is due next."""
        return sorted(tx.counts()), tx.next_due(list(self._app.engine.connectors))

    async def _play(self, script: Script) -> None:
        for scene in script():
            await self._actor.play(scene)

    async def _pause(self) -> None:
        """Until syncd has reacted and one has read it."""
        with anyio.move_on_after(REACTION):
            await self._told.wait()
        await anyio.sleep(BREATH)

    async def _tell_news(self) -> None:
        news = [one for moved in await self._watcher.look() for one in self._teller.tell(moved)]
        for one in sorted(news, key=lambda one: one.at):
            self._voice.event(self._app.clock.now(), "  syncd", one.text, one.status)
            self._told.set()

    def _tell_step(self, step: Step, words: str, taken: bool) -> None:
        self._told = anyio.Event()
        tone = "wrong" if step.wrong or not taken else ""
        self._voice.event(self._app.clock.now(), VENDOR_NAMES[step.vendor], words, tone)

    def _counts(self, status: Mapping[str, Any]) -> None:
        for flow, text in self._teller.counts(status):
            self._voice.fact(flow, text)

    async def _stopped_within(self, seconds: float) -> bool:
        with anyio.move_on_after(seconds):
            await self._stop.wait()
        return self._stop.is_set()
