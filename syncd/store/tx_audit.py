"""Going through all records of a flow, a page at a time, without their bases: what the money proof needs of them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import literal, select, tuple_

from syncd.model.record import Status
from syncd.store import schema
from syncd.store.base import TxPart

_table = schema.records


class Standing(NamedTuple):
    """A record without its bases."""

    status: str
    code: str
    since: datetime
    id: str
    left: str | None
    right: str | None


class AuditPart(TxPart):
    """Pages over `records`, in the order of their listing index: only the pages themselves are read."""

    def audit_page(self, sync: str, flow: str, after: Standing | None, limit: int) -> list[Standing]:
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
            values = [literal(value, column.type) for value, column in zip(after, order, strict=False)]
            query = query.where(tuple_(*order) > tuple_(*values))
        return [Standing(*row) for row in self._connection.execute(query)]
