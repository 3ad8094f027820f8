"""The composition root: configuration in, a running engine out. The only file that knows everyone."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio
import structlog

from syncd import recipes
from syncd.bell import Bell
from syncd.clock import Chance, Clock, SystemChance, SystemClock
from syncd.config import Config, Connection, secret
from syncd.connectors import hubspot, quickbooks
from syncd.connectors.base import Account, Condition, ConnectionTrouble, Connector, Finding, Severity
from syncd.connectors.http import AioTransport
from syncd.connectors.oauth import Issuer
from syncd.connectors.settings import ConnectionSettings
from syncd.connectors.webhooks import Verify
from syncd.consent import carry_out
from syncd.controls import control
from syncd.core.rules import Direction, FlowRules, Row, SyncRules
from syncd.engine import Engine, account_from_plain, account_to_plain
from syncd.errors import ConfigError, Problem
from syncd.feed import doors
from syncd.feed.intake import Intake
from syncd.feed.listener import listening
from syncd.feed.poller import Poller
from syncd.guard import Guard
from syncd.health import Health
from syncd.model.record import Record
from syncd.model.references import Kind, Side
from syncd.outbox.executor import Executor
from syncd.ownership.local import owned
from syncd.status.local import known, labels
from syncd.status.reader import Reader
from syncd.status.server import serving, socket_path
from syncd.store.secrets import Secrets
from syncd.store.store import Store, Tx
from syncd.turn import Turn
from syncd.upkeep import Upkeep

log = structlog.get_logger("syncd.daemon")

CONNECTORS: Mapping[str, Callable[..., Connector]] = {"hubspot": hubspot.connect, "quickbooks": quickbooks.connect}
WEBHOOKS: Mapping[str, Callable[[ConnectionSettings], Verify]] = {
    "hubspot": hubspot.verifier,
    "quickbooks": quickbooks.verifier,
}
ISSUERS: Mapping[str, Callable[..., Issuer]] = {"hubspot": hubspot.issuer, "quickbooks": quickbooks.issuer}
PREPARED = "2"  # raised when connectors need more on an account than before
STOP_SECONDS = 8.0  # how long requests that are out when we are told to stop are waited for
IDLE_SECONDS = 1.0  # how long the loop sleeps at most: a due record is seen after this
CLOSED = "closed"  # a direction that is off; opened again, it starts at that moment: to catch up, pause instead
REPLAN_BATCH = 500  # records planned again per pass after a change of rules: in the background, behind live work


Progress = Callable[[int, int], None]


@dataclass(slots=True)
class App:
    """Everything that runs for one configuration.

    Attributes:
        bell: ends the loop's sleep. intake: takes webhooks in; its `receipts` count them.
    """

    config: Config
    engine: Engine
    health: Health
    poller: Poller
    turn: Turn
    executor: Executor
    upkeep: Upkeep
    intake: Intake
    bell: Bell
    version: str
    met: set[str] = field(default_factory=set)
    stopping: bool = False
    _next_poll: dict[str, float] = field(default_factory=dict)

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
    def labels(self) -> Mapping[str, str]:
        return labels(self.config)

    async def control(self, action: str, sync: str, flow: str) -> dict[str, object]:
        """Pause, resume or release a flow, as a person told."""
        known(self.syncs, sync, flow)
        now = self.clock.now()
        return await self.store.write(lambda tx: control(tx, action, sync, flow, now))

    async def connection(self, action: str, name: str) -> dict[str, object]:
        """Disconnect a connection, or take in that a person has connected it anew."""
        try:
            return await carry_out(self.engine, self.health, action, name)
        finally:
            self.met.discard(name)  # the next contact compares the account anew
            self.bell.ring()

    def ready(self) -> tuple[bool, str]:
        """Vendors' trouble is shown, and never makes the daemon unready."""
        return (False, "stopping") if self.stopping else (True, "")

    async def poll(self, *, everything: bool = False) -> int:
        """Poll the connections that are due (or all that can be used); returns how many entities are news."""
        found: list[int] = []

        async def one(name: str) -> None:
            try:
                await self._meet(name)
                found.append(await self.poller.poll(name))
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

    async def _meet(self, name: str) -> None:
        """First contact of this process: is it still the account we know, and is it ready for our reference?"""
        if name in self.met:
            return
        connector, row = self.engine.connectors[name], self.health.rows[name]
        told = self.config.connections[name].account
        if row.account_id is not None and told not in (None, row.account_id):
            words = f"pinned to {row.account_id}, the configuration names {told}"
            raise ConnectionTrouble(Condition.ACCOUNT_CHANGED, words)
        account = await connector.account()
        if row.account_id is not None and row.account_id != account.id:
            words = f"pinned to {row.account_id}, the credentials open {account.id}"
            raise ConnectionTrouble(Condition.ACCOUNT_CHANGED, words)
        settings = {**account_to_plain(account), "prepared": row.settings.get("prepared")}
        if settings["prepared"] != PREPARED:
            await connector.prepare(self.engine.kinds(name))
            settings["prepared"] = PREPARED
        row = replace(row, account_id=account.id, account_name=account.name, settings=settings)
        self.health.rows[name] = row
        await self.store.write(lambda tx: tx.save_connection(row))
        self.engine.accounts[name] = account
        self.met.add(name)

    async def step(self) -> int:
        """One round: poll what is due, decide, carry out. Returns how much there was to do."""
        found = await self.poll()
        return found + await self._settle()

    async def _settle(self) -> int:
        if not self._all_met():
            return 0
        return await self.turn.run() + await self.executor.flush() + await self._replan()

    def _all_met(self) -> bool:
        # Decisions need both accounts' settings; nothing is decided on guesses.
        return all(name in self.engine.accounts for name in self.engine.connectors)

    async def _replan(self) -> int:
        """After a change of rules: only records that were planned by other ones, a batch at a time."""
        now, found = self.clock.now(), 0
        for sync in self.engine.syncs:
            for flow in sync.flows:
                found += await self._replan_flow(sync.name, flow.name, flow.digest, now)
        return found

    async def _replan_flow(self, sync: str, flow: str, digest: str, now: Any) -> int:
        others = await self.store.read(lambda tx: tx.records_with_other_rules(sync, flow, digest, REPLAN_BATCH))
        due: list[Record] = [replace(record, next_at=now) for record in others if record.next_at is None]
        if due:
            await self.store.write(lambda tx: tx.save_records(due))
        return len(due)

    async def work(self, until: anyio.Event) -> None:
        """Go on until told to stop. What is under way then may end, unless a vendor keeps us waiting too long."""
        async with anyio.create_task_group() as group:
            group.start_soon(_leave, group.cancel_scope, until)
            while not until.is_set():
                await self.upkeep.run()
                self.bell.hush()
                if await self.step() == 0:
                    await self.bell.rest(IDLE_SECONDS, until)
            group.cancel_scope.cancel()

    async def drain(self, wait: float, progress: Progress | None = None) -> None:
        """Poll, work until nothing is due; wait at most so many seconds for what will be due soon."""
        deadline = self.clock.monotonic() + wait
        await self.poll(everything=True)
        while True:
            moved = 0
            while (count := await self._settle()) > 0:
                moved += count
                await self._report(progress)
            if moved and await self.poll(everything=True):
                continue  # what we wrote ourselves is known now too, and so is what a person did meanwhile
            pause = await self._soon()
            if pause is None or self.clock.monotonic() + pause > deadline:
                return
            await self.clock.sleep(pause)
            if not all(self.health.fine(name) for name in self.engine.connectors):
                await self.poll(everything=True)

    async def _soon(self) -> float | None:
        """Seconds until the next thing is due; None when nothing is."""
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
        settings = {name: settings_of(name, connection) for name, connection in config.connections.items()}
        connectors = _connectors(config, settings, secrets, clock, chance)
        for connector in connectors.values():
            stack.push_async_callback(connector.close)
        syncs = [_fitted(await _sync(config, name, store, clock), connectors) for name in config.syncs]
        engine = Engine(store=store, connectors=connectors, syncs=syncs, clock=clock, chance=chance)
        health = Health(store, clock)
        await health.load({name: connection.vendor for name, connection in config.connections.items()})
        engine.accounts |= _remembered(health)
        bell = Bell()
        guard = Guard(max((sync.guard.records for sync in config.syncs.values()), default=20))
        yield App(
            config=config,
            engine=engine,
            health=health,
            poller=Poller(engine, health),
            turn=Turn(engine, health, guard),
            executor=Executor(engine, health, bell),
            upkeep=Upkeep(engine),
            intake=Intake(engine, health, doors.build(config, settings, WEBHOOKS), bell.ring),
            bell=bell,
            version=version("syncd"),
        )


def _remembered(health: Health) -> dict[str, Account]:
    # A vendor that is down at start must not stop us from planning with what we know of the account.
    known = {}
    for name, row in health.rows.items():
        if row.account_id is not None and "currency" in row.settings:
            plain = {key: value for key, value in row.settings.items() if key != "prepared"}
            known[name] = account_from_plain(plain)
    return known


async def _sync(config: Config, name: str, store: Store, clock: Clock) -> SyncRules:
    section = config.raw["syncs"][name]
    start = config.syncs[name].start
    if start is None:
        # Without a date of its own a sync starts at the moment of its first run, and that never moves.
        key = f"start:{name}"
        known = await store.read(lambda tx: tx.meta(key))
        if known is None:
            known = clock.now().isoformat()
            await store.write(lambda tx: tx.set_meta(key, known or ""))
        start = clock.now().fromisoformat(known)
    sync = recipes.build(name, section, start)
    opened = await store.write(lambda tx: _directions(tx, sync, clock.now()))
    return replace(sync, flows=tuple(replace(flow, opened=opened[flow.name]) for flow in sync.flows))


def _directions(tx: Tx, sync: SyncRules, now: datetime) -> dict[str, dict[Side, datetime]]:
    """When each direction was opened, if that was after the sync's first run; noted the first time it is seen open."""
    begun = f"begun:{sync.name}"
    first_run = tx.meta(begun) is None
    opened: dict[str, dict[Side, datetime]] = {flow.name: {} for flow in sync.flows}
    for flow in sync.flows:
        for side in Side:
            key = f"opened:{sync.name}:{flow.name}:{side}"
            moment = tx.meta(key)
            if not flow.direction.allows(side):
                tx.set_meta(key, CLOSED)
                continue
            if moment is None or moment == CLOSED:
                moment = "" if first_run else now.isoformat()
                tx.set_meta(key, moment)
            if moment:
                opened[flow.name][side] = datetime.fromisoformat(moment)
    tx.set_meta(begun, "1")
    return opened


def _fitted(sync: SyncRules, connectors: Mapping[str, Connector]) -> SyncRules:
    """The rules without mappings to fields a connection has no place for."""

    def kept(flow: FlowRules, row: Row) -> bool:
        absent = {side: connectors[sync.connection(side)].traits.absent for side in Side}
        return all(row.path(side) not in absent[side].get(flow.kind, ()) for side in Side)

    flows = (replace(flow, rows=tuple(row for row in flow.rows if kept(flow, row))) for flow in sync.flows)
    return replace(sync, flows=tuple(flows))


def _connectors(
    config: Config, settings: Mapping[str, ConnectionSettings], secrets: Secrets, clock: Clock, chance: Chance
) -> dict[str, Connector]:
    made: dict[str, Connector] = {}
    problems: list[Problem] = []
    for name, own in settings.items():
        try:
            made[name] = CONNECTORS[own.vendor](own, AioTransport(), clock, chance, secrets.keeper(name))
        except ValueError as error:
            problems.append(config.problem(("connections", name), str(error), "add what is missing"))
    if problems:
        raise ConfigError(problems)
    return made


def settings_of(name: str, connection: Connection) -> ConnectionSettings:
    """A connection as its connector is given it."""
    return ConnectionSettings(
        name=name,
        vendor=connection.vendor,
        url=connection.url,
        token=secret(connection.token),
        client_id=connection.client_id,
        client_secret=secret(connection.client_secret),
        refresh_token=secret(connection.refresh_token),
        webhook_secrets=tuple(each.get_secret_value() for each in connection.webhook_secrets),
        account=connection.account,
        options=connection.options,
    )


async def run(config: Config, *, until: anyio.Event) -> int:
    """The daemon: the engine, the status server and the listener for webhooks, until told to stop.

    Returns:
        The exit code.
    """
    async with (
        opened(config, "run") as app,
        serving(app, socket_path(config.state_dir, os.environ)) as address,
        listening(config.webhooks, app.intake) as webhooks,
    ):
        names = [sync.name for sync in app.syncs]
        log.info("daemon.started", version=app.version, page=address, webhooks=webhooks, syncs=names)
        await app.work(until)
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


async def check(config: Config) -> list[Finding]:
    """Look at every connection and at what the configuration will make of it; changes nothing at a vendor."""
    async with opened(config, None) as app:
        findings, silent = doors.look(config), set[str]()
        for name, connector in app.engine.connectors.items():
            try:
                found = await connector.check(app.engine.kinds(name))
                findings += [replace(one, title=f"{name}: {one.title}") for one in found]
                findings += await _pinned(app, name, connector)
            except ConnectionTrouble as trouble:
                title = f"{name}: {trouble.words}"
                findings.append(Finding(severity=Severity.ERROR, title=title, code=str(trouble.condition)))
                silent.add(name)
        for sync in app.syncs:
            findings += _flows(sync)
            if sync.right not in silent:
                findings += await _fallback_account(app, sync)
        return findings


async def _pinned(app: App, name: str, connector: Connector) -> list[Finding]:
    row, account = app.health.rows[name], await connector.account()
    if row.account_id is None or row.account_id == account.id:
        return [Finding(severity=Severity.OK, title=f"{name}: account {account.id}")]
    title = f"{name}: pinned to account {row.account_id}, but the credentials open {account.id}"
    cure = "use credentials of the first account, or a new state directory for the new one"
    return [Finding(severity=Severity.ERROR, title=title, cure=cure, code=str(Condition.ACCOUNT_CHANGED))]


def _flows(sync: SyncRules) -> list[Finding]:
    """Invoices without their customers or products: what follows, and the cure."""
    invoices = sync.flow_of(Kind.INVOICE)
    if invoices is None or invoices.direction is Direction.OFF:
        return []
    needed = {
        invoices.customers: "invoices for customers the other side does not know will fail as customer_missing",
        invoices.products: "every line without a known product goes on the fallback product",
    }
    return [
        Finding(
            severity=Severity.WARNING,
            title=f"{sync.name}: the {name} flow is off: {follows}",
            cure=f"set a direction for syncs.{sync.name}.flows.{name}",
        )
        for name, follows in needed.items()
        if name is not None and sync.flow(name).direction is Direction.OFF
    ]


async def _fallback_account(app: App, sync: SyncRules) -> list[Finding]:
    invoices = sync.flow_of(Kind.INVOICE)
    if invoices is None or invoices.fallback_product is None:
        return []
    option = f"syncs.{sync.name}.flows.{invoices.name}.options.custom_line_item_account"
    if invoices.fallback_account is None:
        title = f"{sync.name}: no income account for “{invoices.fallback_product}”"
        return [Finding(severity=Severity.ERROR, title=title, cure=f"set {option}", code="configuration")]
    connector = app.engine.connectors[sync.right]
    exists = getattr(connector, "account_exists", None)
    if exists is not None and not await exists(invoices.fallback_account):
        title = f"{sync.name}: {sync.right} has no income account “{invoices.fallback_account}”"
        return [Finding(severity=Severity.ERROR, title=title, cure=f"correct {option}", code="configuration")]
    return []
