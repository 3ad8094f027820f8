"""The composition root: configuration in, a running engine out. The only file that knows everyone."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from syncd import mapped
from syncd.accounts import Accounts
from syncd.approvals import Gate
from syncd.assembly import WEBHOOKS, connectors_of, fitted, rules_of, settings_of
from syncd.bell import Bell
from syncd.clock import Chance, Clock, SystemChance, SystemClock
from syncd.clockwatch import ClockWatch
from syncd.config import Config
from syncd.connectors.http import AioTransport, Transport
from syncd.connectors.pages import page_of
from syncd.connectors.settings import ConnectionSettings, TokenKeeper
from syncd.disk import Disk
from syncd.engine import Engine
from syncd.feed import doors
from syncd.feed.backfill import Backfiller
from syncd.feed.intake import Intake
from syncd.feed.poller import Poller
from syncd.guard import Guard
from syncd.health import Health
from syncd.incarnation import OWN, Incarnation
from syncd.meters import Meters
from syncd.model.references import Kind
from syncd.outbox.executor import Executor
from syncd.outbox.shown import Showing
from syncd.ownership.local import owned
from syncd.planning import Planner
from syncd.readoption import Readoption
from syncd.replan import Replanner
from syncd.running import App
from syncd.situation import Situation
from syncd.store.secrets import Secrets
from syncd.store.store import Store
from syncd.turn import Turn
from syncd.upkeep import Upkeep


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What everything stands on, whatever the configuration says. A simulation has its own clock, chance and network.

    Attributes:
        store: an open one. keeper: where a connection's tokens are kept, by its name.
        owner: whether the state is ours to change. disk: where it lies, if not where the configuration says.
    """

    store: Store
    keeper: Callable[[str], TokenKeeper]
    clock: Clock
    chance: Chance
    owner: bool = True
    network: Callable[[], Transport] = AioTransport
    disk: Disk | None = None


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
        owner = purpose is not None
        ground = Ground(store=store, keeper=secrets.keeper, clock=clock, chance=chance, owner=owner)
        app = await assembled(config, ground)
        app.situation.pulse = store.pulse
        stack.push_async_callback(app.close)
        yield app


async def assembled(config: Config, ground: Ground, before: App | None = None) -> App:
    """Everything that runs.

    Args:
        before: what runs already; connectors that would be made the same way again are taken from there.

    Raises:
        ConfigError: a connection lacks what its vendor needs.
    """
    settings = _settings(config)
    engine = await _engine(config, ground, settings, before)
    health = Health(ground.store, ground.clock)
    await health.load({name: connection.vendor for name, connection in config.connections.items()})
    accounts = Accounts(engine, health, {name: own.account for name, own in config.connections.items()})
    accounts.remember()
    situation = before.situation if before else Situation(ahead=engine.meters.ahead)
    readoption = Readoption(engine, situation, _incarnation(ground))
    await readoption.load(first=before is None)
    backfiller = Backfiller(engine, health)
    await backfiller.load()
    bell, disk = before.bell if before else Bell(), ground.disk or Disk(config)
    intake = Intake(engine, health, doors.build(config, settings, WEBHOOKS), bell.ring, disk.low)
    engine.meters.receipts = intake.receipts.of
    gate = Gate(engine, {name: sync.approval for name, sync in config.syncs.items()})
    return App(
        config=config,
        engine=engine,
        health=health,
        accounts=accounts,
        poller=Poller(engine, health),
        turn=Turn(engine, health, _guard(config, engine), gate),
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
        remake=lambda other, running: assembled(other, ground, running),
    )


def _settings(config: Config) -> dict[str, ConnectionSettings]:
    return {
        name: settings_of(name, connection, mapped.fields(config, name), _shown(config, name))
        for name, connection in config.connections.items()
    }


async def _engine(
    config: Config, ground: Ground, settings: Mapping[str, ConnectionSettings], before: App | None
) -> Engine:
    store, clock, chance = ground.store, ground.clock, ground.chance
    meters = before.engine.meters if before else Meters()
    same = {n: before.engine.connectors[n] for n, own in settings.items() if before and before.settings.get(n) == own}
    others = {name: own for name, own in settings.items() if name not in same}
    connectors = same | connectors_of(config, others, ground.keeper, clock, chance, ground.network, meters)
    rules = [await rules_of(config, name, store, clock, owner=ground.owner) for name in config.syncs]
    syncs = [fitted(sync, connectors) for sync in rules]
    return Engine(store=store, connectors=connectors, syncs=syncs, clock=clock, chance=chance, meters=meters)


def _incarnation(ground: Ground) -> Incarnation | None:
    return Incarnation(ground.store, ground.keeper(OWN), ground.chance) if ground.owner else None


def _guard(config: Config, engine: Engine) -> Guard:
    limits = {name: sync.guard.limits() for name, sync in config.syncs.items()}
    return Guard(limits, config.daemon.language, lambda name: engine.connectors[name].skew())


def _shown(config: Config, connection: str) -> tuple[str, ...]:
    """The syncs of a connection whose states are to be shown."""
    found = (n for n, sync in config.syncs.items() if sync.state_properties and connection in (sync.left, sync.right))
    return tuple(found)


def _page(config: Config, engine: Engine, connection: str, kind: Kind, id: str) -> str | None:
    """Where a person finds an entity in its application."""
    account = engine.accounts.get(connection)
    return None if account is None else page_of(config.connections[connection].vendor, account.id, kind, id)
