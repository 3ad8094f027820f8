"""What runs for one configuration, and what may be asked of it from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from syncd import remap
from syncd.accounts import Accounts
from syncd.approvals import Gate, tell
from syncd.bell import Bell
from syncd.clock import Clock
from syncd.clockwatch import ClockWatch
from syncd.config import Config
from syncd.connectors.base import Connector, Quota
from syncd.connectors.settings import ConnectionSettings
from syncd.consent import carry_out
from syncd.core.rules import SyncRules
from syncd.disk import Disk
from syncd.engine import Engine
from syncd.feed.backfill import Backfiller
from syncd.feed.intake import Intake
from syncd.feed.poller import Poller
from syncd.health import Health
from syncd.loop import Loop
from syncd.meters import Meters
from syncd.outbox.executor import Executor
from syncd.outbox.shown import Showing
from syncd.planning import Planner
from syncd.readoption import Readoption
from syncd.reloading import refuse_outdated
from syncd.replan import Replanner
from syncd.situation import Situation
from syncd.status.local import known, labels
from syncd.store.store import Store
from syncd.turn import Turn
from syncd.upkeep import Upkeep

STAYS = frozenset({"intake", "bell", "situation", "upkeep", "loop", "stopping", "_replaced"})
"""What of a running daemon another configuration does not replace."""


@dataclass(slots=True)
class App:
    """Everything that runs for one configuration.

    Attributes:
        bell: ends the loop's sleep. intake: takes webhooks in; its `receipts` count them.
        remake: puts everything together anew for another configuration. loop: the rounds it works in.
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
    loop: Loop = field(init=False)
    stopping: bool = False
    _replaced: list[Connector] = field(default_factory=list)  # not closed before the end: a plan may be using them

    def __post_init__(self) -> None:
        self.loop = Loop(self)

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
                refuse_outdated(self.config)
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
        return not self.loop.faulty, self.loop.faulty

    async def close(self) -> None:
        """Give back what the connectors hold, also those that another configuration has replaced."""
        await self.readoption.leave(self.executor.sent)
        for connector in (*self.engine.connectors.values(), *self._replaced):
            await connector.close()
