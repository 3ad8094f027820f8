"""One turn: for a batch of due records read what is needed, let the core decide, store the decision.

The one place where the core meets I/O. Everything a turn learned and decided is stored in one transaction, and only
then are the hints it worked from deleted - each only in the generation it was claimed in, so that what came in
meanwhile is looked at again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import structlog

from syncd.approvals import Gate
from syncd.bring import Seen, naming
from syncd.connectors.base import ConnectionTrouble
from syncd.connectors.errand import Errand, on
from syncd.deciding import KEPT, Decider, Work
from syncd.engine import Engine
from syncd.erasure import AGAIN, ERASE, SCRUB, ask, erase
from syncd.guard import Guard
from syncd.health import Health
from syncd.keeping import Keeper
from syncd.model.record import Change, Priority, Record, Status
from syncd.model.references import EntityRef, Kind, Side
from syncd.model.snapshot import Presence, Snapshot
from syncd.store.codec import same_content
from syncd.store.store import Tx
from syncd.vanishing import doubted, kept

log = structlog.get_logger("syncd.turn")

BATCH = 1000  # records a turn: the largest batch a vendor reads; small enough that a transaction stays short
TORN_AGAIN = (2.0, 5.0, 15.0)  # seconds until a composite that does not add up is read again; then it is taken as it is
AT_HAND = ("seen", KEPT)  # causes of hints at what the store holds already
_LEVELS = {Kind.PARTY: 0, Kind.PRODUCT: 0, Kind.INVOICE: 1, Kind.PAYMENT: 2}


class Turn:
    """Works through what is due for all syncs of an engine."""

    def __init__(self, engine: Engine, health: Health, guard: Guard, gate: Gate) -> None:
        self._engine = engine
        self._health = health
        self._keeper = Keeper(engine, guard, gate)
        self._was_urgent = False

    async def run(self) -> int:
        """One batch of about equal urgency. Returns how many hints and records it took on; 0 when nothing was due."""
        engine, now = self._engine, self._engine.clock.now()
        usable = [name for name in engine.connectors if self._health.fine(name)]  # else a poll looks first
        ready = [s for s in engine.syncs if s.left in usable and s.right in usable]
        used = sorted({name for sync in ready for name in (sync.left, sync.right)})
        names = [sync.name for sync in ready]
        changes, records = await engine.store.read(
            lambda tx: (tx.due_changes(used, now, BATCH), tx.due_records(names, now, BATCH))
        )
        if not changes and not records:
            return 0
        if asked := [change for change in changes if change.cause == ERASE]:
            return await self._erase(asked)
        priority, changes, records = self._group(changes, records)
        seen = Seen()
        try:
            with on(Errand(priority=priority)):
                claimed, later = await self._look(changes, seen)
            moved = await self._moved(claimed, seen)
            works = []
            for sync in ready:
                with on(Errand(priority=priority, sync=sync.name)):
                    mine = [record for record in records if record.sync == sync.name]
                    works.append(await Decider(engine, Work(sync, priority), seen).decide(moved, mine))
        except ConnectionTrouble as trouble:
            # Nothing was decided; the hints stay and are taken up when the connection is back.
            await self._health.trouble(trouble)
            return 0
        await engine.store.write(lambda tx: self._keeper.store(tx, works, claimed, later, seen))
        for work in works:
            _notice(engine, work, claimed)
            log.info("turn.decided", sync=work.sync.name, records=len(work.decisions), **_tally(work))
        return len(changes) + len(records)

    async def _erase(self, asked: list[Change]) -> int:
        """Forget people, before anything else is done with them."""
        engine, now = self._engine, self._engine.clock.now()

        def body(tx: Tx) -> None:
            found = erase(tx, engine.syncs, [change.ref for change in asked], now)
            tx.finish_changes(asked)
            ask(tx, found.busy, now + timedelta(seconds=AGAIN))
            tx.set_meta(SCRUB, "1")

        await engine.store.write(body)
        return len(asked)

    def _group(self, changes: list[Change], records: list[Record]) -> tuple[Priority, list[Change], list[Record]]:
        """The most urgent of what is due, or all that is not urgent: whose turn it is, by turns if there is both."""
        urgency = {record.id: self._keeper.hurried.get(record.id, Priority.POLL) for record in records}
        first = min([*(change.priority for change in changes), *urgency.values()])
        last = max([*(change.priority for change in changes), *urgency.values()])
        self._was_urgent = first < Priority.POLL and not (self._was_urgent and last >= Priority.POLL)
        if self._was_urgent:
            changes = [change for change in changes if change.priority is first]
            records = [record for record in records if urgency[record.id] is first]
        else:
            changes = _parents_first(_live_first([change for change in changes if change.priority >= Priority.POLL]))
            records = [record for record in records if urgency[record.id] >= Priority.POLL]
            first = min([*(change.priority for change in changes), *(Priority.POLL for _ in records[:1])])
        for record in records:
            self._keeper.hurried.pop(record.id, None)
        return first, changes, records

    async def _look(self, changes: list[Change], seen: Seen) -> tuple[list[Change], list[tuple[Change, float]]]:
        """Read what the hints name, unless the poll that left them brought the whole entity.

        Returns:
            The hints to be worked on, and those to come back to, with the seconds until then.
        """
        groups: dict[tuple[str, Kind], list[Change]] = {}
        for change in changes:
            if change.cause not in AT_HAND:
                groups.setdefault((change.ref.connection, change.ref.kind), []).append(change)
        later: list[tuple[Change, float]] = []
        for (connection, kind), group in groups.items():
            with naming(connection):
                found = await self._engine.connectors[connection].read(kind, [c.ref.id for c in group])
            gone = [EntityRef(connection, kind, s.id) for s in found.values() if s.presence is not Presence.PRESENT]
            known = await self._known(gone)
            for change in group:
                snapshot, before = found.get(change.ref.id), known.get(change.ref)
                if snapshot is None:
                    continue
                again = _torn(change, snapshot) or doubted(change, snapshot, before)
                if again is not None:
                    later.append(again)
                elif before is not None or snapshot.presence is Presence.PRESENT:
                    seen.add(connection, [kept(snapshot, before)])
        skipped = {change.ref for change, _ in later}
        return [change for change in changes if change.ref not in skipped], later

    async def _moved(self, claimed: list[Change], seen: Seen) -> list[Change]:
        """Without what a poll brought only because we have shown a record's state there: there is nothing to decide."""
        shown = {
            change.ref: fresh
            for change in claimed
            if change.cause == "poll" and change.priority >= Priority.POLL
            if (fresh := seen.fresh.get(change.ref)) is not None and self._engine.is_displayed(change.ref, fresh)
        }
        known = await self._known(list(shown))
        touched = {ref for ref, fresh in shown.items() if ref in known and same_content(known[ref], fresh)}
        return [change for change in claimed if change.ref not in touched]

    async def _known(self, refs: list[EntityRef]) -> dict[EntityRef, Snapshot]:
        return await self._engine.store.read(lambda tx: tx.snapshots(refs)) if refs else {}


def _live_first(changes: list[Change]) -> list[Change]:
    """Without a backlog, while anything else is due."""
    first = min((change.priority for change in changes), default=Priority.POLL)
    return [change for change in changes if change.priority is first]


def _parents_first(changes: list[Change]) -> list[Change]:
    """Without what depends on others in the batch: once their counterparts are made it is decided once, not twice."""
    level = min((_LEVELS[change.ref.kind] for change in changes), default=0)
    return [change for change in changes if _LEVELS[change.ref.kind] == level]


def _torn(change: Change, found: Snapshot) -> tuple[Change, float] | None:
    """The hint to come back to if the parts of what was read do not add up yet."""
    times = int(change.cause.removeprefix("torn:")) if change.cause.startswith("torn:") else 0
    if not found.torn or times >= len(TORN_AGAIN):
        return None
    return replace(change, cause=f"torn:{times + 1}"), TORN_AGAIN[times]


def _notice(engine: Engine, work: Work, claimed: list[Change]) -> None:
    """From when on the changes that are to be carried over were known."""
    heard = {change.ref: change.due_at for change in claimed}
    for decision in work.decisions.values():
        record = decision.record
        kind, sync = work.sync.flow(record.flow).kind, work.sync
        refs = [EntityRef(sync.connection(side), kind, record.entity(side) or "") for side in Side]
        since = min((heard[ref] for ref in refs if ref in heard), default=None)
        if decision.commands and since is not None:
            engine.meters.noticed(record.id, since)


def _tally(work: Work) -> dict[str, int]:
    statuses = [decision.record.status for decision in work.decisions.values()]
    return {str(status): statuses.count(status) for status in Status if status in statuses}
