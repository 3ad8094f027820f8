"""Takes webhooks in: verified, then stored, and only then acknowledged.

All requests that wait are stored in one transaction: its commit costs as much for one of them as for a hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto

import anyio
import structlog

from syncd.connectors.webhooks import Hint, RawWebhook, Reason, Refusal
from syncd.engine import Engine
from syncd.erasure import ask
from syncd.feed.doors import Door
from syncd.feed.received import Receipts
from syncd.health import Health
from syncd.model.record import Change, Priority
from syncd.model.references import EntityRef
from syncd.store.store import Tx

log = structlog.get_logger("syncd.webhooks")

STORE_SECONDS = 2.0  # vendors wait 3 seconds at least; whoever is not stored by then is asked to come again
MOST_WAITING = 20_000  # hints in memory; beyond, vendors are asked to come again


class Verdict(Enum):
    """How a request is answered."""

    STORED = auto()
    FORGED = auto()
    MALFORMED = auto()
    LATER = auto()
    FULL = auto()


@dataclass(slots=True, eq=False)
class _Parcel:
    """One request's hints on their way into the store.

    Attributes:
        done: happens when it is known what became of them. accepted: how many events were new.
    """

    hints: Sequence[tuple[EntityRef, Hint]]
    done: anyio.Event = field(default_factory=anyio.Event)
    stored: bool = False
    accepted: int = 0


class Intake:
    """Everything behind the doors.

    Args:
        wake: called when there is something new to look at. full: whether the disk has no room for more.
    """

    def __init__(
        self,
        engine: Engine,
        health: Health,
        doors: Mapping[str, Door],
        wake: Callable[[], None],
        full: Callable[[], bool] = lambda: False,
    ) -> None:
        self._engine = engine
        self._health = health
        self._kinds = {name: frozenset(engine.kinds(name)) for name in engine.connectors}
        self._wake = wake
        self._full = full
        self._parcels: list[_Parcel] = []
        self._brought = anyio.Event()
        self.doors = doors
        self.receipts = Receipts(doors, engine.clock)

    def take_over(self, other: Intake) -> None:
        """Go on with the doors of another configuration; what waits to be stored is stored."""
        self._engine, self._health, self._kinds, self._full = other._engine, other._health, other._kinds, other._full
        self.doors = other.doors
        self.receipts.count(other.doors)

    async def receive(self, door: Door, method: str, headers: Mapping[str, str], body: bytes) -> Verdict:
        """Take a request; what is genuine is durable when this returns STORED."""
        request = RawWebhook(method=method, url=door.url, headers=headers, body=body)
        told = door.verify(request, self._engine.clock.now())
        if isinstance(told, Refusal):
            self.receipts.refused(door.connection, told.reason)
            return Verdict.MALFORMED if told.reason is Reason.MALFORMED else Verdict.FORGED
        if self._full():
            self.receipts.deferred(door.connection)
            return Verdict.FULL
        hints = list(self._addressed(door.vendor, told.hints))
        parcel = _Parcel(hints)
        if not await self._stored(parcel):
            self.receipts.deferred(door.connection)
            return Verdict.LATER
        strange = {hint.event for hint in told.hints} - {hint.event for _, hint in hints}
        dropped = len(strange) + told.ignored
        duplicate = told.events - dropped - parcel.accepted
        self.receipts.stored(door.connection, accepted=parcel.accepted, duplicate=duplicate, dropped=dropped)
        return Verdict.STORED

    async def run(self) -> None:
        """Store what comes, until cancelled."""
        while True:
            await self._brought.wait()
            self._brought = anyio.Event()
            parcels, self._parcels = self._parcels, []
            await self._store(parcels)

    def _addressed(self, vendor: str, hints: Iterable[Hint]) -> Iterable[tuple[EntityRef, Hint]]:
        """The hints about what is synced; an account may be behind several connections, or behind none."""
        for hint in hints:
            for connection, row in self._health.rows.items():
                known = (row.vendor, row.account_id) == (vendor, hint.account)
                if known and hint.kind in self._kinds[connection]:
                    yield EntityRef(connection, hint.kind, hint.id), hint

    async def _stored(self, parcel: _Parcel) -> bool:
        if not parcel.hints:
            return True
        if sum(len(waiting.hints) for waiting in self._parcels) > MOST_WAITING:
            return False
        self._parcels.append(parcel)
        self._brought.set()
        with anyio.move_on_after(STORE_SECONDS):
            await parcel.done.wait()
        return parcel.stored

    async def _store(self, parcels: list[_Parcel]) -> None:
        now = self._engine.clock.now()
        try:
            counted = await self._engine.store.write(lambda tx: _keep(tx, parcels, now))
        except Exception:
            # Whatever it is, the vendors send it again, and the next poll finds it anyway.
            if self.receipts.speaks("webhook.not_stored"):
                log.exception("webhook.not_stored", requests=len(parcels))
            counted = None
        if counted is not None:
            for parcel, accepted in zip(parcels, counted, strict=True):
                parcel.stored, parcel.accepted = True, accepted
            if any(counted):
                self._wake()
        for parcel in parcels:
            parcel.done.set()


def _keep(tx: Tx, parcels: Sequence[_Parcel], now: datetime) -> list[int]:
    """Store the hints of events that are new; returns how many each parcel brought."""
    known = tx.known_deliveries(hint.event for parcel in parcels for _, hint in parcel.hints)
    fresh: set[bytes] = set()
    changes: dict[EntityRef, Change] = {}
    counted: list[int] = []
    for parcel in parcels:
        listed = {hint.event: hint for _, hint in parcel.hints}
        new = {event for event, hint in listed.items() if event not in fresh and not _repeated(hint, known, now)}
        fresh |= new
        counted.append(len(new))
        for ref, hint in parcel.hints:
            if hint.event in new:
                _add(changes, ref, now + timedelta(seconds=hint.after))
    tx.put_changes(list(changes.values()))
    ask(tx, [ref for parcel in parcels for ref, hint in parcel.hints if hint.erase and hint.event in fresh], now)
    tx.remember_deliveries(sorted(fresh - known.keys()), now)
    return counted


def _repeated(hint: Hint, known: Mapping[bytes, datetime], now: datetime) -> bool:
    return hint.event in known and known[hint.event] + timedelta(seconds=hint.grain) <= now


def _add(changes: dict[EntityRef, Change], ref: EntityRef, due_at: datetime) -> None:
    # Of what came together the longest pause counts: it is about the vendor's still writing.
    if ref not in changes or changes[ref].due_at < due_at:
        changes[ref] = Change(ref=ref, cause="webhook", priority=Priority.WEBHOOK, due_at=due_at)
