"""Going through all records of a flow, a page at a time, without their bases: what the money proof needs of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import literal, select, tuple_

from syncd.model.record import Status
from syncd.store import schema
from syncd.store.base import TxPart

_table = schema.records


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a page ended."""

    status: str
    code: str
    since: datetime
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A record without its bases."""

    place: Place
    left: str | None
    right: str | None


class AuditPart(TxPart):
    """Pages over `records`, in the order of their listing index: only the pages themselves are read."""

    def audit_page(self, sync: str, flow: str, after: Place | None, limit: int) -> list[Standing]:
        """The following records that belong to the flow; the excluded ones do not.

        A record that changes its status between two pages may be missed: it is being worked on.
        """
        order = (_table.c.status, _table.c.code, _table.c.since, _table.c.id)
        query = (
            select(*order, _table.c.left_id, _table.c.right_id)
            .where(_table.c.sync == sync, _table.c.flow == flow, _table.c.status != Status.EXCLUDED.value)
            .order_by(*order)
            .limit(limit)
        )
        if after is not None:
            place = (after.status, after.code, after.since, after.id)
            values = [literal(value, column.type) for value, column in zip(place, order, strict=True)]
            query = query.where(tuple_(*order) > tuple_(*values))
        return [
            Standing(place=Place(row.status, row.code, row.since, row.id), left=row.left_id, right=row.right_id)
            for row in self._connection.execute(query)
        ]
