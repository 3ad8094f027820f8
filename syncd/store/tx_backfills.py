"""Backfills: how far they have come, and what they go through."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import func, select

from syncd.model.record import Priority
from syncd.model.references import Kind
from syncd.model.snapshot import Presence, Snapshot
from syncd.store import schema
from syncd.store.base import TxPart
from syncd.store.codec import snapshot_from_plain
from syncd.store.many import upserted
from syncd.store.rows import Backfill

_table = schema.backfills
_SAVE = upserted(_table)


class BackfillsPart(TxPart):
    """Table `backfills`."""

    def backfills(self) -> list[Backfill]:
        """All there ever were, the last of each flow, by sync and flow."""
        rows = self._connection.execute(select(_table).order_by(_table.c.sync, _table.c.flow))
        return [Backfill(**row._mapping) for row in rows]

    def save_backfill(self, backfill: Backfill) -> None:
        _SAVE.run(self._connection, [asdict(backfill)])

    def entity_page(self, connection: str, kind: Kind, after: str, limit: int) -> list[Snapshot]:
        """What is there of a kind, by id, after that id."""
        table = schema.entities
        query = (
            select(table.c.id, table.c.body)
            .where(table.c.connection == connection, table.c.kind == kind.value, table.c.id > after)
            .where(table.c.presence == Presence.PRESENT.value)
            .order_by(table.c.id)
            .limit(limit)
        )
        return [snapshot_from_plain(kind, row.id, row.body) for row in self._connection.execute(query)]

    def backlog(self, connections: tuple[str, str], kind: Kind) -> int:
        """How many hints of a backfill wait for these connections' entities."""
        table = schema.changes
        query = select(func.count()).where(
            table.c.kind == kind.value,
            table.c.priority == Priority.BACKFILL.value,
            table.c.connection.in_(connections),
        )
        return self._connection.scalar(query) or 0
