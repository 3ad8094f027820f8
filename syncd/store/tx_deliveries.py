"""Which webhook events were taken already."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select

from syncd.store import schema
from syncd.store.asked import Asked
from syncd.store.base import TxPart
from syncd.store.many import added

_table = schema.deliveries
_ADD = added(_table)
_ASKED = Asked(lambda _: select(_table.c.at).where(_table.c.event == bindparam("event")))
_BATCH = 20_000  # rows a pruning transaction drops at most: some ten milliseconds


class DeliveriesPart(TxPart):
    """Table `deliveries`."""

    def known_deliveries(self, events: Iterable[bytes]) -> dict[bytes, datetime]:
        """Those of the events that were remembered, with when."""
        asked = ((event, _ASKED.value(self._connection, event=event)) for event in events)
        return {event: at for event, at in asked if at is not None}

    def remember_deliveries(self, events: Iterable[bytes], at: datetime) -> None:
        """Remember events that are not known yet, each of them once."""
        _ADD.run(self._connection, [{"event": event, "at": at} for event in events])

    def prune_deliveries(self, until: datetime, most: int) -> int:
        """Forget one batch of what was remembered before `until`, or is more than `most` rows back.

        Rows are numbered in the order of time, so both are the first ones.

        Returns:
            How many rows went; call again, in another transaction, until there are none.
        """
        newest = self._connection.scalar(select(func.max(_table.c.number))) or 0
        query = select(_table.c.number, _table.c.at).order_by(_table.c.number).limit(_BATCH)
        old = [row.number for row in self._connection.execute(query) if row.at < until or row.number <= newest - most]
        if old:
            self._connection.execute(delete(_table).where(_table.c.number <= old[-1]))
        return len(old)
