"""Records whose bases are from a state that was put back: both sides may have moved together since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, or_, select, update

from syncd.model.record import IntentState
from syncd.store import schema
from syncd.store.base import TxPart, chunks

_table = schema.doubts


class DoubtsPart(TxPart):
    """The table `doubts`."""

    def doubt_everything(self, now: datetime) -> None:
        """Trust no base, drop what was only planned, and look anew at every record without a counterpart.

        What was begun and not brought to its end is dropped too: its other steps may have been taken since.
        """
        records, intents = schema.records, schema.intents
        self._connection.execute(delete(_table))
        based = select(records.c.id).where(or_(records.c.left_base.is_not(None), records.c.right_base.is_not(None)))
        self._connection.execute(insert(_table).from_select(["record"], based))
        planned = intents.c.state == IntentState.OPEN.value
        lone = or_(records.c.left_id.is_(None), records.c.right_id.is_(None))
        again = or_(lone, records.c.id.in_(select(intents.c.record).where(planned)))
        self._connection.execute(update(records).where(again).values(next_at=now))
        self._connection.execute(delete(intents).where(planned))

    def doubted(self, records: Sequence[str]) -> set[str]:
        """Which of these are."""
        found: set[str] = set()
        for chunk in chunks(records):
            found |= set(self._connection.scalars(select(_table.c.record).where(_table.c.record.in_(chunk))))
        return found

    def trust(self, records: Sequence[str]) -> None:
        """These have met anew."""
        for chunk in chunks(records):
            self._connection.execute(delete(_table).where(_table.c.record.in_(chunk)))

    def trust_the_synced(self) -> int:
        """Nothing has moved of those that are synced; returns how many others are left."""
        synced = select(schema.records.c.id).where(schema.records.c.status == "synced")
        self._connection.execute(delete(_table).where(_table.c.record.in_(synced)))
        return self._connection.scalar(select(func.count()).select_from(_table)) or 0
