"""History on demand: reads it on both sides, then lets in what only its age kept out, behind everything else.

First both sides are read, so that what is there already is known before anything is decided. Then what is let in is
hinted at, a page at a time and as the least urgent there is; turns and outbox do the rest. How far it has come is
stored with what was seen or hinted up to there, so a kill costs one page at most.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog

from syncd.bring import naming
from syncd.connectors.base import ConnectionTrouble, Page, Sighting
from syncd.connectors.errand import Errand, on
from syncd.core.requirements import touched_before
from syncd.core.rules import FlowRules, SyncRules
from syncd.engine import Engine, observed
from syncd.errors import UsageError
from syncd.health import Health
from syncd.model.record import Change, Priority, Record, Status
from syncd.model.references import EntityRef, Side
from syncd.model.snapshot import Snapshot
from syncd.store.rows import Backfill
from syncd.store.store import Tx

log = structlog.get_logger("syncd.backfill")

PAGE = 500  # entities looked through at once: as many as a turn takes on
DECIDING = "deciding"
DONE = "done"
_NEXT = {Side.LEFT.value: Side.RIGHT.value, Side.RIGHT.value: DECIDING}

Walk = tuple[str, AsyncIterator[Page]]
"""A phase, and the pages of it that are still to come."""


class Backfiller:
    """All backfills of an engine."""

    def __init__(self, engine: Engine, health: Health) -> None:
        self._engine = engine
        self._health = health
        self._open: dict[tuple[str, str], Backfill] = {}
        self._walks: dict[tuple[str, str], Walk] = {}

    async def load(self) -> None:
        """Go on with what was begun; history that was let in stays so."""
        for backfill in await self._engine.store.read(lambda tx: tx.backfills()):
            self._let_in(backfill)
            if backfill.phase != DONE:
                self._open[backfill.sync, backfill.flow] = backfill

    async def start(self, sync: SyncRules, flow: str | None, since: datetime) -> list[Backfill]:
        """Let in the history of one flow, or of all that have one, from a moment on.

        Raises:
            UsageError: nothing of that age is kept out of the flow.
        """
        flows = [f for f in sync.flows if flow in (None, f.name) and _begins(f)]
        if not flows:
            raise UsageError(f"nothing is kept out of {flow or sync.name} for its age; there is nothing to backfill")
        now = self._engine.clock.now()
        if since >= now:
            raise UsageError(f"{since.date()} is not in the past")
        made = [
            Backfill(sync=sync.name, flow=f.name, since=since, phase=Side.LEFT.value, started_at=now) for f in flows
        ]

        def begin(tx: Tx) -> None:
            for one in made:
                tx.save_backfill(one)

        await self._engine.store.write(begin)
        for one in made:
            self._let_in(one)
            self._walks.pop((one.sync, one.flow), None)
            self._open[one.sync, one.flow] = one
            log.info("backfill.started", sync=one.sync, flow=one.flow)
        return made

    async def progress(self) -> list[dict[str, Any]]:
        """How far each backfill has come, with its rate and the seconds it will still take, once they can be told."""
        return await self._engine.store.read(self._progress)

    def _progress(self, tx: Tx) -> list[dict[str, Any]]:
        rules = {sync.name: sync for sync in self._engine.syncs}
        counts = tx.counts()
        told = []
        for one in tx.backfills():
            if one.sync not in rules:
                continue
            sync = rules[one.sync]
            waiting = tx.backlog((sync.left, sync.right), sync.flow(one.flow).kind) + sum(
                row.n for row in counts if (row.sync, row.flow, row.status) == (one.sync, one.flow, Status.PENDING)
            )
            told.append(_told(one, waiting, self._engine.clock.now()))
        return told

    def reading(self, sync: str) -> bool:
        """Whether some of a sync's history has still to be looked at."""
        return any(backfill.sync == sync for backfill in self._open.values())

    async def step(self) -> int:
        """One page of each unfinished backfill whose connections can be used; returns how many there were."""
        found = 0
        for key in list(self._open):
            backfill = self._open[key]
            sync = next((s for s in self._engine.syncs if s.name == backfill.sync), None)
            if sync is None or not (self._health.fine(sync.left) and self._health.fine(sync.right)):
                continue
            try:
                with on(Errand(priority=Priority.BACKFILL, sync=sync.name)):
                    found += await self._page(sync, sync.flow(backfill.flow), backfill)
            except ConnectionTrouble as trouble:
                self._walks.pop(key, None)
                await self._health.trouble(trouble)
        return found

    async def _page(self, sync: SyncRules, flow: FlowRules, backfill: Backfill) -> int:
        if backfill.phase == DECIDING:
            after, found = await self._engine.store.write(lambda tx: self._hint(tx, sync, flow, backfill))
        else:
            after, found = await self._read(sync, flow, backfill), 1
        key = (backfill.sync, backfill.flow)
        if after.phase == DONE:
            del self._open[key]
            log.info("backfill.done", sync=after.sync, flow=after.flow, looked=after.looked, let_in=after.let_in)
        else:
            self._open[key] = after
        return found

    # --- reading

    async def _read(self, sync: SyncRules, flow: FlowRules, backfill: Backfill) -> Backfill:
        """Store one page of a side's history."""
        key, name = (backfill.sync, backfill.flow), sync.connection(Side(backfill.phase))
        with naming(name):
            phase, walk = self._walks.get(key) or (backfill.phase, self._walk(name, flow, backfill))
            page = await anext(walk, None)
            if page is None:
                self._walks.pop(key, None)
                now = self._engine.clock.now()
                following = _NEXT[backfill.phase]
                begun = now if following == DECIDING else None
                after = replace(backfill, phase=following, cursor=None, decided_from=begun)
                await self._engine.store.write(lambda tx: tx.save_backfill(after))
                return after
            self._walks[key] = (phase, walk)
            snapshots = await self._whole(name, flow, page.sightings)
        after = replace(
            backfill, cursor=page.cursors.get(flow.kind, backfill.cursor), looked=backfill.looked + len(page.sightings)
        )

        def keep(tx: Tx) -> None:
            tx.observe([observed(name, snapshot, "backfill", self._engine.clock) for snapshot in snapshots])
            tx.save_backfill(after)

        await self._engine.store.write(keep)
        return after

    def _walk(self, name: str, flow: FlowRules, backfill: Backfill) -> AsyncIterator[Page]:
        connector, now = self._engine.connectors[name], self._engine.clock.now()
        return connector.history(flow.kind, backfill.since, backfill.cursor, now)

    async def _whole(self, name: str, flow: FlowRules, sightings: Sequence[Sighting]) -> list[Snapshot]:
        """What was seen, whole. What is known in that version is not read again, only found by all its keys."""
        refs = [EntityRef(name, flow.kind, sighting.id) for sighting in sightings]
        known = await self._engine.store.read(lambda tx: tx.snapshots(refs))
        same = {s.id: known[ref] for s, ref in zip(sightings, refs, strict=True)
                if ref in known and known[ref].version == s.version}  # fmt: skip
        brought = {s.id: s.snapshot for s in sightings if s.snapshot is not None}
        unseen = [s.id for s in sightings if s.id not in same and s.id not in brought]
        read = await self._engine.connectors[name].read(flow.kind, unseen) if unseen else {}
        return list({**same, **brought, **read}.values())

    # --- letting in

    def _hint(self, tx: Tx, sync: SyncRules, flow: FlowRules, backfill: Backfill) -> tuple[Backfill, int]:
        """Hint at one page of what only its age kept out; how many were looked through."""
        now, (side, after) = self._engine.clock.now(), _place(backfill.cursor)
        name = sync.connection(side)
        page = tx.entity_page(name, flow.kind, after, PAGE)
        old = [s for s in page if not touched_before(s, backfill.since)]
        held = tx.records_of_entities(sync.name, flow.name, side, [s.id for s in old])
        wanted = [s for s in old if _kept_out(held.get(s.id))]
        tx.put_changes(
            [
                Change(
                    ref=EntityRef(name, flow.kind, s.id),
                    cause="poll" if s.torn else "seen",
                    priority=Priority.BACKFILL,
                    due_at=now,
                )
                for s in wanted
            ]
        )
        moved = replace(backfill, passed=backfill.passed + len(old), let_in=backfill.let_in + len(wanted))
        if len(page) == PAGE:
            moved = replace(moved, cursor=f"{side}:{page[-1].id}")
        elif side is Side.LEFT:
            moved = replace(moved, cursor=f"{Side.RIGHT}:")
        else:
            moved = replace(moved, phase=DONE, cursor=None, ended_at=now)
        tx.save_backfill(moved)
        return moved, max(1, len(wanted))

    def _let_in(self, backfill: Backfill) -> None:
        """The rules of the flow let its history in from now on."""

        def lifted(flow: FlowRules) -> FlowRules:
            return replace(flow, since=backfill.since) if flow.name == backfill.flow else flow

        self._engine.syncs = [
            replace(sync, flows=tuple(map(lifted, sync.flows))) if sync.name == backfill.sync else sync
            for sync in self._engine.syncs
        ]


def _told(backfill: Backfill, waiting: int, now: datetime) -> dict[str, Any]:
    """`per_minute`: documents decided and written. While history is read nobody knows how much there is."""
    seconds = (now - backfill.decided_from).total_seconds() if backfill.decided_from else 0.0
    settled, left = max(0, backfill.let_in - waiting), max(0, backfill.looked - backfill.passed)
    rate = settled / seconds if seconds > 0 else 0.0
    running = backfill.phase != DONE or waiting > 0
    return {
        "sync": backfill.sync,
        "flow": backfill.flow,
        "since": backfill.since.isoformat(),
        "phase": backfill.phase if backfill.phase != DONE or not waiting else DECIDING,
        "looked": backfill.looked,
        "passed": backfill.passed,
        "let_in": backfill.let_in,
        "waiting": waiting,
        "per_minute": round(rate * 60),
        "seconds_left": round((waiting + left) / rate) if running and rate else None,
        "started_at": backfill.started_at.isoformat(),
        "ended_at": backfill.ended_at.isoformat() if backfill.ended_at and not running else None,
    }


def _begins(flow: FlowRules) -> bool:
    """Whether anything is kept out of a flow for its age."""
    tests = {requirement.test for required in flow.requires.values() for requirement in required}
    return "after_start" in tests or bool(flow.opened)


def _kept_out(record: Record | None) -> bool:
    return record is None or record.code == "before_start"


def _place(cursor: str | None) -> tuple[Side, str]:
    side, _, after = (cursor or f"{Side.LEFT}:").partition(":")
    return Side(side), after
