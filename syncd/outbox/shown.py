"""The state of each record, to be read inside the applications that have a place for it.

It is no content and no intent: it is written behind everything else, a whole batch at a time, from what the account of
the records says has happened since the last time. A state that moves to and fro meanwhile costs nothing, one that is
shown already is not written again, and a write that fails is forgotten: no record depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from syncd.connectors.base import ConnectionTrouble, Shown
from syncd.connectors.errand import Errand, on
from syncd.core.rules import SyncRules
from syncd.engine import Engine
from syncd.health import Health
from syncd.model.record import Priority, Record, Status
from syncd.model.references import EntityRef, Kind, Side
from syncd.model.values import digest
from syncd.store.store import Tx

log = structlog.get_logger("syncd.shown")

HISTORY = "before_start"
"""What is kept out for its age is not touched: written to, it would have changed just now and be let in."""

EVERY = 60.0  # seconds between two looks: what a minute brings goes out in the fewest calls
MOST_REMEMBERED = 20_000
PAGE = 2000  # entries of the activity looked at in one go

Pages = Callable[[str, Kind, str], str | None]
"""Connection, kind and id of an entity -> the address of its page in the vendor's application."""


@dataclass(slots=True)
class Showing:
    """Shows the states of an engine's records."""

    engine: Engine
    health: Health
    pages: Pages
    _next: float = field(default=0.0)

    async def run(self, *, at_once: bool = False) -> None:
        """Show what has moved, once a minute at most unless it is wanted at once. Never raises for a vendor."""
        now = self.engine.clock.monotonic()
        if now < self._next and not at_once:
            return
        self._next = now + EVERY
        for sync in self.engine.syncs:
            sides = [side for side in Side if self._shows(sync, side)]
            while sides and await self._some(sync, sides):
                pass

    def _shows(self, sync: SyncRules, side: Side) -> bool:
        name = sync.connection(side)
        return sync.name in self.engine.connectors[name].traits.shows and self.health.fine(name)

    async def _some(self, sync: SyncRules, sides: list[Side]) -> bool:
        """One page of the activity; whether there is more."""
        key = f"shown:{sync.name}"

        def look(tx: Tx) -> tuple[int, list[str], dict[str, Record], dict[tuple[str, Side], str]]:
            last, ids = tx.told_since(int(tx.meta(key) or 0), PAGE)
            records = {id: record for id, record in tx.records(ids).items() if record.sync == sync.name}
            return last, ids, records, tx.shown(list(records))

        last, ids, records, known = await self.engine.store.read(look)
        if not ids:
            return False
        digests: dict[tuple[str, Side], str] = {}
        for side in sides:
            rows = self._rows(sync, side, records.values())
            new = {id: row for id, row in rows.items() if known.get((id, side)) != digest(row.facts())}
            try:
                await self._show(sync, side, new, records)
            except ConnectionTrouble as trouble:
                # They are shown the next time; what this is about will show where a record needs the connection.
                log.info("shown.postponed", connection=sync.connection(side), condition=str(trouble.condition))
                return False
            digests |= {(id, side): digest(row.facts()) for id, row in new.items()}

        def keep(tx: Tx) -> None:
            tx.save_shown(digests)
            tx.set_meta(key, str(last))

        await self.engine.store.write(keep)
        return True

    async def _show(
        self, sync: SyncRules, side: Side, rows: Mapping[str, Shown], records: Mapping[str, Record]
    ) -> None:
        connection = sync.connection(side)
        connector = self.engine.connectors[connection]
        with on(Errand(priority=Priority.BACKFILL, sync=sync.name)):
            for flow in sync.flows:
                mine = [row for id, row in rows.items() if records[id].flow == flow.name]
                if mine:
                    self._remember(connection, flow.kind, await connector.show(sync.name, flow.kind, mine))

    def _remember(self, connection: str, kind: Kind, versions: Mapping[str, str]) -> None:
        known = self.engine.displayed
        if len(known) > MOST_REMEMBERED:
            known.clear()  # what is forgotten is looked at once more
        known.update({EntityRef(connection, kind, id): version for id, version in versions.items()})

    def _rows(self, sync: SyncRules, side: Side, records: Iterable[Record]) -> dict[str, Shown]:
        """What is to be shown of the records that stand on this side."""
        kinds = {flow.name: flow.kind for flow in sync.flows}
        return {
            record.id: Shown(
                id=id,
                status=str(record.status),
                category=record.code,
                last_success=record.since if record.status is Status.SYNCED else None,
                link=self._link(sync, side.other, kinds[record.flow], record.entity(side.other)),
            )
            for record in records
            if (id := record.entity(side)) is not None and record.code != HISTORY
        }

    def _link(self, sync: SyncRules, side: Side, kind: Kind, id: str | None) -> str | None:
        return None if id is None else self.pages(sync.connection(side), kind, id)
