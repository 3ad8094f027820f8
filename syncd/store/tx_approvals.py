"""What an applied plan has allowed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select

from syncd.store import schema
from syncd.store.base import TxPart, chunks
from syncd.store.many import upserted
from syncd.store.rows import Approval

_table = schema.approvals
_ADD = upserted(_table)


class ApprovalsPart(TxPart):
    """Table `approvals`."""

    def approvals(self, sync: str, places: Collection[str] | None, since: datetime) -> list[Approval]:
        """What was allowed for these places of a sync since then; without places, everything."""
        query = select(_table).where(_table.c.sync == sync, _table.c.at >= since)
        queries = [query] if places is None else [query.where(_table.c.place.in_(chunk)) for chunk in chunks(places)]
        return [Approval(**row._mapping) for one in queries for row in self._connection.execute(one)]

    def add_approvals(self, approvals: Sequence[Approval]) -> None:
        """Allow these, too."""
        _ADD.run(
            self._connection,
            [
                {"sync": one.sync, "place": one.place, "op": one.op, "command": one.command, "at": one.at}
                for one in approvals
            ],
        )

    def forget_approvals(self, syncs: Collection[str], before: datetime) -> None:
        """Allow nothing any more in these syncs, and nowhere what was allowed before that time."""
        self._connection.execute(delete(_table).where(or_(_table.c.sync.in_(sorted(syncs)), _table.c.at < before)))
