"""The composition root: configuration in, a running engine out. The only file that knows everyone."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio
import structlog

from syncd import mapped, remap
from syncd.accounts import Accounts
from syncd.announce import Announcer
from syncd.approvals import Gate, tell
from syncd.assembly import WEBHOOKS, connectors_of, fitted, rules_of, settings_of
from syncd.attending import attended
from syncd.bell import Bell
from syncd.clock import Chance, Clock, SystemChance, SystemClock
from syncd.clockwatch import ClockWatch
from syncd.config import Config
from syncd.connectors.base import ConnectionTrouble, Connector, Quota
from syncd.connectors.http import AioTransport, Transport
from syncd.connectors.pages import page_of
from syncd.connectors.settings import ConnectionSettings, TokenKeeper
from syncd.consent import carry_out
from syncd.core.rules import SyncRules
from syncd.disk import Disk
from syncd.engine import Engine
from syncd.feed import doors
from syncd.feed.backfill import Backfiller
from syncd.feed.intake import Intake
from syncd.feed.listener import listening
from syncd.feed.poller import Poller
from syncd.guard import Guard
from syncd.health import Health
from syncd.incarnation import OWN, Incarnation
from syncd.log_errors import place_of
from syncd.meters import Meters
from syncd.model.references import Kind
from syncd.notify_systemd import Notifier
from syncd.outbox.executor import Executor
from syncd.outbox.shown import Showing
from syncd.ownership.local import owned
from syncd.planning import Planner
from syncd.readoption import Readoption
from syncd.replan import Replanner
from syncd.situation import Situation
from syncd.status.local import known, labels
from syncd.status.reader import Reader
from syncd.status.server import serving, socket_path
from syncd.store.errors import is_locked
from syncd.store.secrets import Secrets
from syncd.store.store import Store
from syncd.turn import Turn
from syncd.upkeep import Upkeep

log = structlog.get_logger("syncd.daemon")

STOP_SECONDS = 8.0  # how long requests that are out when we are told to stop are waited for
LONGEST_REST = 60.0  # seconds between rounds that fail
STAYS = frozenset(
    {
        "intake",
        "bell",
        "situation",
        "upkeep",
        "between",
        "stopping",
        "faulty",
        "_next_poll",
        "_replaced",
        "_rest",
        "_fault",
    }
)
"""What of a running daemon another configuration does not replace."""
LOCKED = "locked"
PATIENCE = 60.0  # seconds a command waits for what is due soon
IDLE_SECONDS = 1.0  # how long the loop sleeps at least when nothing could be done
LONGEST_IDLE = 15.0  # and at most: a net under what should have woken it


Progress = Callable[[int, int], None]


@dataclass(slots=True)
class App:
    """Everything that runs for one configuration.

    Attributes:
        bell: ends the loop's sleep. intake: takes webhooks in; its `receipts` count them.
        remake: puts everything together anew for another configuration. between: carried out between two rounds.
        settings: what each connector was made with.
    """

    config: Config
    engine: Engine
    health: Health
    accounts: Accounts
    poller: Poller
    turn: Turn
    gate: Gate
    planner: Planner
    backfiller: Backfiller
    executor: Executor
    replanner: Replanner
    upkeep: Upkeep
    showing: Showing
    watch: ClockWatch
    intake: Intake
    bell: Bell
    disk: Disk
    version: str
    situation: Situation
    readoption: Readoption
    settings: Mapping[str, ConnectionSettings]
    remake: Callable[[Config, App], Awaitable[App]]
    between: Callable[[], Awaitable[None]] | None = None
    stopping: bool = False
    faulty: bool = False
    _next_poll: dict[str, float] = field(default_factory=dict)
    _replaced: list[Connector] = field(default_factory=list)  # not closed before the end: a plan may be using them
    _rest: float = IDLE_SECONDS
    _fault: str = ""

    @property
    def store(self) -> Store:
        return self.engine.store

    @property
    def clock(self) -> Clock:
        return self.engine.clock

    @property
    def syncs(self) -> tuple[SyncRules, ...]:
        return tuple(self.engine.syncs)

    @property
    def meters(self) -> Meters:
        return self.engine.meters

    def expiries(self) -> dict[str, datetime]:
        """When the access token of each connection that has one ends."""
        known = {name: one.authorization for name, one in self.engine.connectors.items()}
        return {name: at for name, own in known.items() if own is not None and (at := own.expires_at) is not None}

    @property
    def labels(self) -> Mapping[str, str]:
        return labels(self.config)

    async def control(self, action: str, sync: str, flow: str | None, breaker: str | None = None) -> dict[str, object]:
        """Pause, resume, release or remap a flow, as a person told."""
        rules, now = known(self.syncs, sync, flow), self.clock.now()
        try:
            if action == remap.ACTION and flow is not None:
                return await remap.mark(self.engine, sync, flow)
            return await self.store.write(lambda tx: tell(tx, action, rules, flow, now, breaker))
        finally:
            self.bell.ring()

    def ring(self) -> None:
        """Something was asked of a record: it is to be looked at now."""
        self.bell.ring()

    async def backfill(self, sync: str, flow: str | None, since: datetime) -> dict[str, object]:
        """Begin to let in the history of a flow, or of all flows that have one, from a moment on."""
        await self.backfiller.start(known(self.syncs, sync, flow), flow, since)
        self.bell.ring()
        return await self.backfills()

    async def backfills(self) -> dict[str, object]:
        """How far the backfills have come."""
        return {"backfills": await self.backfiller.progress()}

    async def connection(self, action: str, name: str) -> dict[str, object]:
        """Disconnect a connection, or take in that a person has connected it anew."""
        try:
            return await carry_out(self.engine, self.health, action, name)
        finally:
            self.accounts.forget(name)
            self.bell.ring()

    def quotas(self) -> dict[str, Quota]:
        """What is left of the day's calls, for connections whose vendor has said so."""
        found = {name: connector.quota() for name, connector in self.engine.connectors.items()}
        return {name: quota for name, quota in found.items() if quota is not None}

    def condition(self) -> dict[str, Any]:
        """How the daemon itself is."""
        return self.situation.plain()

    async def renew(self, config: Config) -> None:
        """Go on by another configuration; to be called between two rounds.

        Raises:
            ConfigError: it cannot be used, and nothing has changed.
        """
        new = await self.remake(config, self)
        old, now = self.engine.connectors, new.engine.connectors
        self._replaced += [connector for name, connector in old.items() if now.get(name) is not connector]
        self.intake.take_over(new.intake)
        self.meters.receipts = self.intake.receipts.of
        for each in fields(self):
            if each.name not in STAYS:
                setattr(self, each.name, getattr(new, each.name))

    def ready(self) -> tuple[bool, str]:
        """Vendors' trouble is shown, and never makes the daemon unready."""
        if self.stopping:
            return False, "stopping"
        return (False, "the last round failed; the log says why") if self.faulty else (True, "")

    async def poll(self, *, everything: bool = False) -> int:
        """Poll the connections that are due (or all that can be used); returns how many entities are news."""
        found: list[int] = []
        if self.disk.low():
            return 0

        async def one(name: str) -> None:
            try:
                await self.accounts.meet(name)
                found.append(await self.poller.poll(name))
                self.readoption.polled(name)
            except ConnectionTrouble as trouble:
                trouble.connection = name
                await self.health.trouble(trouble)

        async with anyio.create_task_group() as group:
            for name in self.engine.connectors:
                if self.health.usable(name) and (everything or self._poll_due(name)):
                    self._next_poll[name] = self.clock.monotonic() + self._interval(name)
                    group.start_soon(one, name)
        return sum(found)

    def _poll_due(self, name: str) -> bool:
        return self._next_poll.get(name, 0.0) <= self.clock.monotonic() or not self.health.fine(name)

    def _interval(self, name: str) -> float:
        used = [s.poll for s in self.config.syncs.values() if name in (s.left, s.right)]
        return min(used).total_seconds() if used else 60.0

    async def step(self) -> int:
        """One round: poll what is due, decide, carry out. Returns how much there was to do."""
        found = await self.poll()
        return found + await self._settle()

    async def _settle(self) -> int:
        if not self._all_met() or self.disk.low() or self.readoption.holds():
            return 0
        moved = await self.turn.run() + await self.executor.flush() + await self.replanner.run()
        moved = moved or await self._review() or await self.backfiller.step()
        await self.readoption.settle(idle=moved == 0, sent=self.executor.sent)
        return moved

    async def _review(self) -> int:
        """When nothing is due: whether new syncs may go on by themselves."""
        ready = [s for s in self.engine.syncs if self.health.fine(s.left) and self.health.fine(s.right)]
        waiting = [sync for sync in ready if self.gate.watches(sync.name)]
        return await self.store.write(lambda tx: self.gate.review(tx, waiting)) if waiting else 0

    def _all_met(self) -> bool:
        # Decisions need both accounts' settings; nothing is decided on guesses.
        return all(name in self.engine.accounts for name in self.engine.connectors)

    async def work(self, until: anyio.Event) -> None:
        """Go on until told to stop. What is under way then may end, unless a vendor keeps us waiting too long."""
        async with anyio.create_task_group() as group:
            group.start_soon(_leave, group.cancel_scope, until)
            while not until.is_set():
                if self.between is not None:
                    await self.between()
                self.bell.hush()
                if await self._round() == 0:
                    await self.bell.rest(await self._pause(), until)
            group.cancel_scope.cancel()

    async def _pause(self) -> float:
        """Seconds until there may be something to do; what comes from outside rings the bell before."""
        if self.faulty or not self._all_met():
            return self._rest
        polls = [self._next_poll.get(name, 0.0) - self.clock.monotonic() for name in self.engine.connectors]
        soon = await self._soon()
        return max(IDLE_SECONDS, min([LONGEST_IDLE, *polls, *([] if soon is None else [soon])]))

    async def _round(self) -> int:
        """One round; what fails as a whole is tried again, more and more slowly, and makes the daemon unready."""
        try:
            await self.watch.look()
            await self.upkeep.run()
            found = await self.step()
            await self.showing.run()
        except Exception as error:  # ours, or the disk's: it is in the log, and everything decided is still stored
            if is_locked(error):  # the status says so; nothing is lost by waiting
                if self._fault != LOCKED:
                    log.warning("database.locked")
                self._fault = LOCKED
                return 0
            if self._fault != (fault := place_of(error)):
                log.exception("daemon.round_failed")
            self._fault = fault
            self._rest, self.faulty = min(LONGEST_REST, self._rest * 2), True
            return 0
        finally:
            self.engine.steps += 1
        if self._fault:
            log.info("daemon.round_works")
        self._rest, self.faulty, self._fault = IDLE_SECONDS, False, ""
        return found

    async def close(self) -> None:
        """Give back what the connectors hold, also those that another configuration has replaced."""
        await self.readoption.leave(self.executor.sent)
        for connector in (*self.engine.connectors.values(), *self._replaced):
            await connector.close()

    async def drain(self, wait: float, progress: Progress | None = None) -> None:
        """Poll, work until nothing is due; wait at most so many seconds for what will be due soon."""
        deadline = self.clock.monotonic() + wait
        await self.poll(everything=True)
        while True:
            sent = self.executor.sent
            while await self._settle() > 0:
                self.bell.hush()
                await self._report(progress)
            if self.executor.sent > sent and await self.poll(everything=True):
                continue  # what we wrote ourselves is known now too, and so is what a person did meanwhile
            pause = await self._soon()
            if pause is None or self.clock.monotonic() + pause > deadline:
                await self.showing.run(at_once=True)
                return
            await self.clock.sleep(pause)
            if not all(self.health.fine(name) for name in self.engine.connectors):
                await self.poll(everything=True)

    async def _soon(self) -> float | None:
        """Seconds until the next thing is due; None when nothing is."""
        if self.disk.low():
            return None  # only somebody else can make room, however long we wait
        now = self.clock.now()
        blocked = [row.retry_at for row in self.health.rows.values() if row.retry_at is not None and row.retry_at > now]
        if blocked:
            return max(0.05, (min(blocked) - now).total_seconds())
        due = await self.store.read(lambda tx: tx.next_due(list(self.engine.connectors)))
        return None if due is None else max(0.05, (due - now).total_seconds())

    async def _report(self, progress: Progress | None) -> None:
        if progress is not None:
            counts = await self.store.read(lambda tx: tx.counts())
            rows = [row for row in counts if row.status != "note"]
            progress(sum(r.n for r in rows if r.status != "pending"), sum(r.n for r in rows))


async def _leave(scope: anyio.CancelScope, until: anyio.Event) -> None:
    # A request that is cut off has been written down: what became of it is found out after the next start.
    await until.wait()
    await anyio.sleep(STOP_SECONDS)
    scope.cancel()


@asynccontextmanager
async def opened(
    config: Config,
    purpose: str | None,
    *,
    clock: Clock | None = None,
    chance: Chance | None = None,
    environ: Mapping[str, str] = os.environ,
) -> AsyncIterator[App]:
    """Own the state and build everything over it.

    Args:
        purpose: what the owner does, for whoever finds the state in use; None to look without owning it.

    Raises:
        StateBusy: another process owns the state.
        ConfigError: a connection lacks what its vendor needs.
    """
    clock, chance = clock or SystemClock(), chance or SystemChance()
    config.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with AsyncExitStack() as stack:
        if purpose is not None:
            stack.enter_context(owned(config.state_dir, purpose))
        given = environ.get("CREDENTIALS_DIRECTORY")
        secrets = await Secrets.open(config.state_dir, Path(given) if given else None)
        store = await Store.open(config.database_url, cipher=secrets.cipher)
        stack.push_async_callback(store.close)
        app = await assembled(config, store, secrets.keeper, clock=clock, chance=chance, owner=purpose is not None)
        app.situation.pulse = store.pulse
        stack.push_async_callback(app.close)
        yield app


async def assembled(
    config: Config,
    store: Store,
    keeper: Callable[[str], TokenKeeper],
    *,
    clock: Clock,
    chance: Chance,
    owner: bool = True,
    network: Callable[[], Transport] = AioTransport,
    before: App | None = None,
    disk: Disk | None = None,
) -> App:
    """Everything that runs, over a store that is open. A simulation hands in its own clock, chance and network.

    Args:
        keeper: where a connection's tokens are kept, by its name.
        owner: whether the state is ours to change.
        before: what runs already; connectors that would be made the same way again are taken from there.

    Raises:
        ConfigError: a connection lacks what its vendor needs.
    """

    async def remake(other: Config, running: App) -> App:
        return await assembled(
            other, store, keeper, clock=clock, chance=chance, owner=owner, network=network, before=running
        )

    settings = {
        name: settings_of(name, connection, mapped.fields(config, name), _shown(config, name))
        for name, connection in config.connections.items()
    }
    meters = before.engine.meters if before else Meters()
    same = {n: before.engine.connectors[n] for n, own in settings.items() if before and before.settings.get(n) == own}
    others = {name: own for name, own in settings.items() if name not in same}
    connectors = same | connectors_of(config, others, keeper, clock, chance, network, meters)
    rules = [await rules_of(config, name, store, clock, owner=owner) for name in config.syncs]
    syncs = [fitted(sync, connectors) for sync in rules]
    engine = Engine(store=store, connectors=connectors, syncs=syncs, clock=clock, chance=chance, meters=meters)
    health = Health(store, clock)
    await health.load({name: connection.vendor for name, connection in config.connections.items()})
    accounts = Accounts(engine, health, {name: own.account for name, own in config.connections.items()})
    accounts.remember()
    situation = before.situation if before else Situation()
    readoption = Readoption(engine, situation, Incarnation(store, keeper(OWN), chance) if owner else None)
    await readoption.load(first=before is None)
    bell, disk = before.bell if before else Bell(), disk or Disk(config)
    limits = {name: sync.guard.limits() for name, sync in config.syncs.items()}
    guard = Guard(limits, config.daemon.language, lambda name: connectors[name].skew())
    backfiller = Backfiller(engine, health)
    await backfiller.load()
    intake = Intake(engine, health, doors.build(config, settings, WEBHOOKS), bell.ring, disk.low)
    meters.receipts = intake.receipts.of
    gate = Gate(engine, {name: sync.approval for name, sync in config.syncs.items()})
    return App(
        config=config,
        engine=engine,
        health=health,
        accounts=accounts,
        poller=Poller(engine, health),
        turn=Turn(engine, health, guard, gate),
        gate=gate,
        backfiller=backfiller,
        planner=Planner(engine, bell, config.state_dir, version("syncd")),
        executor=Executor(engine, health, bell),
        replanner=Replanner(engine),
        showing=Showing(engine, health, partial(_page, config, engine)),
        upkeep=Upkeep(engine, config),
        intake=intake,
        watch=ClockWatch(engine, health),
        bell=bell,
        disk=disk,
        version=version("syncd"),
        situation=situation,
        readoption=readoption,
        settings=settings,
        remake=remake,
    )


def _shown(config: Config, connection: str) -> tuple[str, ...]:
    """The syncs of a connection whose states are to be shown."""
    found = (n for n, sync in config.syncs.items() if sync.state_properties and connection in (sync.left, sync.right))
    return tuple(found)


def _page(config: Config, engine: Engine, connection: str, kind: Kind, id: str) -> str | None:
    """Where a person finds an entity in its application."""
    account = engine.accounts.get(connection)
    return None if account is None else page_of(config.connections[connection].vendor, account.id, kind, id)


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
            await app.work(until)
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
        await app.drain(wait, progress)
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
    await app.drain(wait, progress)
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
                await app.drain(PATIENCE)
                while app.backfiller.reading(sync):
                    await anyio.sleep(1)
                    await app.drain(PATIENCE)
            group.cancel_scope.cancel()
        return await app.backfills()


async def _telling(app: App, tell: Callable[[Any], None]) -> None:
    while True:
        await anyio.sleep(1)
        tell(await app.backfills())
