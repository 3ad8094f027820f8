"""Polls one connection: stores what was seen together with the cursor that says so, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from syncd.bring import naming
from syncd.connectors.base import Page, Sighting
from syncd.connectors.errand import Errand, on
from syncd.connectors.together import together
from syncd.engine import Engine, observed
from syncd.health import Health
from syncd.model.record import Change, Priority
from syncd.model.references import EntityRef, Kind
from syncd.model.snapshot import Presence, Snapshot
from syncd.store.codec import same_content
from syncd.store.store import Tx
from syncd.vanishing import TOLD_GONE

log = structlog.get_logger("syncd.poll")


class Poller:
    """Brings in what changed at the vendors."""

    def __init__(self, engine: Engine, health: Health) -> None:
        self._engine = engine
        self._health = health

    async def poll(self, connection: str) -> int:
        """One pass over everything a connection may have changed; returns how many entities are new or different.

        Raises:
            ConnectionTrouble: what was stored by then stays; the next pass goes on from there.
        """
        engine, fine = self._engine, self._health.fine(connection)
        cursors = await engine.store.read(lambda tx: tx.cursors(connection))
        # What was there before we came can wait for everything else.
        priority = Priority.POLL if cursors else Priority.BACKFILL
        kinds = engine.kinds(connection)
        # A vendor that may still be in trouble is asked one thing at a time.
        apart = fine and engine.connectors[connection].traits.polls_apart
        with naming(connection), on(Errand(priority=priority, probe=not fine)):
            groups = [(kind,) for kind in kinds] if apart else [kinds]
            found = sum(await together(*(self._follow(connection, cursors, each, priority) for each in groups)))
        await self._health.success(connection)
        if found:
            engine.meters.polled[connection] += found
            log.info("poll.changed", connection=connection, entities=found)
        return found

    async def _follow(
        self, connection: str, cursors: Mapping[str, str], kinds: Sequence[Kind], priority: Priority
    ) -> int:
        now, found = self._engine.clock.now(), 0
        async for page in self._engine.connectors[connection].changes_since(cursors, kinds, now):
            found += await self._store(connection, page, priority)
        return found

    async def _store(self, connection: str, page: Page, priority: Priority) -> int:
        """The page's news and its cursors, in one transaction: a cursor is never ahead of the work it stands for."""
        self._engine.steps += 1
        return await self._engine.store.write(lambda tx: self._keep(tx, connection, page, priority))

    def _keep(self, tx: Tx, connection: str, page: Page, priority: Priority) -> int:
        now = self._engine.clock.now()
        news = _news(tx, connection, page.sightings)
        looks = [s.snapshot for s in news if s.snapshot is not None and not _doubtful(s)]
        touched = self._only_shown_on(tx, connection, looks)
        tx.observe([observed(connection, snapshot, "poll", self._engine.clock) for snapshot in looks])
        news = [s for s in news if EntityRef(connection, s.kind, s.id) not in touched]
        seen = {(snapshot.kind, snapshot.id) for snapshot in looks}
        tx.put_changes(
            [
                Change(
                    ref=EntityRef(connection, s.kind, s.id),
                    # What the poll brought whole need not be read again; what it says is gone has to be proven.
                    cause="seen" if (s.kind, s.id) in seen else TOLD_GONE if _doubtful(s) else "poll",
                    priority=priority,
                    due_at=now,
                )
                for s in news
            ]
        )
        tx.set_cursors(connection, page.cursors, now)
        return len(news)

    def _only_shown_on(self, tx: Tx, connection: str, looks: Sequence[Snapshot]) -> set[EntityRef]:
        """Of these, what is new about them only for the state that we have shown there."""
        shown = {ref: s for s in looks if self._engine.is_displayed(ref := EntityRef(connection, s.kind, s.id), s)}
        known = tx.snapshots(list(shown)) if shown else {}
        return {ref for ref, snapshot in shown.items() if ref in known and same_content(known[ref], snapshot)}


def _doubtful(sighting: Sighting) -> bool:
    return sighting.presence in (Presence.ARCHIVED, Presence.DELETED)


def _news(tx: Tx, connection: str, sightings: Sequence[Sighting]) -> list[Sighting]:
    """The sightings that are not what is known already: the overlap of two polls costs nothing further."""
    by_kind: dict[Kind, list[Sighting]] = {}
    for sighting in sightings:
        by_kind.setdefault(sighting.kind, []).append(sighting)
    news: list[Sighting] = []
    for kind, listed in by_kind.items():
        known = tx.entity_versions(connection, kind, [s.id for s in listed])
        new = [s for s in listed if known.get(s.id) != (s.version, s.presence) and not _long_gone(s, known)]
        overtaken = _overtaken(tx, connection, [s for s in new if s.id in known])
        news += [s for s in new if s.id not in overtaken]
    return news


def _overtaken(tx: Tx, connection: str, sightings: Sequence[Sighting]) -> set[str]:
    """What a list shows as it was before our last look at it: the vendor's search lags behind its records."""
    shown = {
        EntityRef(connection, s.kind, s.id): when for s in sightings if (when := _modified(s.snapshot)) is not None
    }
    known = tx.snapshots(list(shown)) if shown else {}
    return {ref.id for ref, when in shown.items() if (last := _modified(known.get(ref))) is not None and when < last}


def _modified(snapshot: Snapshot | None) -> datetime | None:
    return snapshot.modified if snapshot is not None and snapshot.presence is Presence.PRESENT else None


def _long_gone(sighting: Sighting, known: dict[str, tuple[str, Presence]]) -> bool:
    # Something that was gone before we ever saw it, or that we know to be gone, is no news; where it went is.
    if sighting.presence is Presence.PRESENT:
        return False
    _, presence = known.get(sighting.id, ("", sighting.presence))
    return presence is sighting.presence or (_doubtful(sighting) and presence is not Presence.PRESENT)
