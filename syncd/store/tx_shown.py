"""What was last shown of records inside the applications, so that only what differs is written again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from syncd.model.references import Side
from syncd.store import schema
from syncd.store.base import TxPart, chunks
from syncd.store.many import upserted

_table = schema.shown
_SAVE = upserted(_table)


class ShownPart(TxPart):
    """Table `shown`."""

    def shown(self, records: Sequence[str]) -> dict[tuple[str, Side], str]:
        """Digests by record and side; what was never shown is absent."""
        found = {}
        for chunk in chunks(records):
            for row in self._connection.execute(select(_table).where(_table.c.record.in_(chunk))):
                found[row.record, Side(row.side)] = row.digest
        return found

    def save_shown(self, digests: Mapping[tuple[str, Side], str]) -> None:
        """Remember what is shown now."""
        rows = [{"record": record, "side": side.value, "digest": digest} for (record, side), digest in digests.items()]
        _SAVE.run(self._connection, rows)

    def told_since(self, number: int, limit: int) -> tuple[int, list[str]]:
        """The records of the entries of the activity after this number, at most so many, and the last one's number."""
        table = schema.activity
        query = select(table.c.number, table.c.record).where(table.c.number > number).order_by(table.c.number)
        rows = self._connection.execute(query.limit(limit)).all()
        return (rows[-1].number if rows else number), list(dict.fromkeys(row.record for row in rows))
