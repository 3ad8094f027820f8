"""Lists of records for people: any combination of filters, one page at a time, in time that does not grow with N."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from heapq import nlargest
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, FromClause, Select, exists, literal, or_, select, union_all

from syncd.model.record import Status
from syncd.store import schema
from syncd.store.base import chunks
from syncd.store.columns import BytewiseText, index_key, without_nul
from syncd.store.rows import NOTE, CountRow, RecordPage
from syncd.store.tx_records import RecordsPart

_table = schema.records
_LAST = "\U0010ffff"  # sorts after whatever may follow a prefix
_GROUPS_AT_ONCE = 50  # parts of one UNION; SQLite takes 500

_FEW = 2000  # records whose keys are looked at one by one: some twenty milliseconds

_Place = tuple[datetime, str]
_Hit = tuple[str, str]
"""A key and the record it leads to."""


class ListingPart(RecordsPart):
    """Pages over `records`, by `counts` and `keys`."""

    def list_records(
        self,
        *,
        sync: str | None = None,
        flow: str | None = None,
        status: Status | str | None = None,
        code: str | None = None,
        q: str | None = None,
        after: str | None = None,
        limit: int = 50,
        bases: bool = True,
    ) -> RecordPage:
        """Records that pass all filters, those that came into their status last first.

        With `q` (the whole or the beginning of a label, key or vendor id, in any case) sorted by what was found, an
        exact hit first.

        Without `bases` a record comes without what both sides agreed on, to be shown and not to be saved.

        Raises:
            ValueError: `after` is not what a page gave as `next`.
        """
        filters = {"sync": sync, "flow": flow, "status": None if status is None else str(status), "code": code}
        wanted = {name: value for name, value in filters.items() if value is not None}
        if q:
            ids, following = self._found(index_key(q.lower()), wanted, after, limit)
        else:
            ids, following = self._latest(wanted, after, limit)
        records = self.records(ids, bases=bases)
        return RecordPage(rows=[records[id] for id in ids], next=following)

    def _latest(self, wanted: dict[str, str], after: str | None, limit: int) -> tuple[list[str], str | None]:
        """The newest of each group that passes, merged: one index serves every combination of filters."""
        place = None if after is None else _place(after)
        newest: list[_Place] = []
        for some in chunks(self._groups(wanted), _GROUPS_AT_ONCE):
            query = union_all(*(_newest_of(group, place, limit + 1) for group in some))
            found = [(row.since, row.id) for row in self._connection.execute(query)]
            newest = nlargest(limit + 1, [*newest, *found])
        page = newest[:limit]
        return [id for _, id in page], _cursor(page[-1][0].isoformat(), page[-1][1]) if len(newest) > limit else None

    def _found(self, q: str, wanted: dict[str, str], after: str | None, limit: int) -> tuple[list[str], str | None]:
        """Where few records pass the filters, look at their keys; where many do, at the keys in their order."""
        place = ("", "") if after is None else _parts(after)
        groups = self._groups(wanted)
        if sum(group.n for group in groups) <= _FEW:
            hits = self._hits_among(groups, q, place)
        else:
            hits = self._hits_in_order(q, wanted, place, limit + 1)
        page = hits[:limit]
        return [record for _, record in page], _cursor(*page[-1]) if len(hits) > limit else None

    def _hits_among(self, groups: Sequence[CountRow], q: str, place: _Hit) -> list[_Hit]:
        """All hits after the place among these groups' records, sorted; of each record its first."""
        first: dict[str, str] = {}
        for some in chunks(groups, _GROUPS_AT_ONCE):
            ids = self._connection.scalars(union_all(*(select(_table.c.id).where(*_in(group)) for group in some)))
            for chunk in chunks(ids.all()):
                query = select(schema.keys).where(schema.keys.c.record.in_(chunk), *_begins(schema.keys, q))
                for row in self._connection.execute(query):
                    first[row.record] = min(row.key, first.get(row.record, row.key))
        return sorted(hit for record, key in first.items() if (hit := (key, record)) > place)

    def _hits_in_order(self, q: str, wanted: dict[str, str], place: _Hit, limit: int) -> list[_Hit]:
        """The first hits after the place; of each record only its first of all."""
        keys, earlier = schema.keys, schema.keys.alias()
        key, record = place
        query = (
            select(keys.c.key, keys.c.record)
            .join_from(keys, _table)
            .where(*_begins(keys, q))
            .where(*(_table.c[name] == value for name, value in wanted.items()))
            .where(~exists().where(earlier.c.record == keys.c.record, earlier.c.key >= q, earlier.c.key < keys.c.key))
            .where(keys.c.key >= key, or_(keys.c.key > key, keys.c.record > record))
            .order_by(keys.c.key, keys.c.record)
            .limit(limit)
        )
        return [(row.key, row.record) for row in self._connection.execute(query)]

    def _groups(self, wanted: dict[str, str]) -> list[CountRow]:
        return [row for row in self.counts() if row.status != NOTE and _passes(row, wanted)]


def _passes(row: CountRow, wanted: dict[str, str]) -> bool:
    return all(getattr(row, name) == value for name, value in wanted.items())


def _in(group: CountRow) -> list[ColumnElement[bool]]:
    return [_table.c[name] == getattr(group, name) for name in ("sync", "flow", "status", "code")]


def _begins(keys: FromClause, q: str) -> list[ColumnElement[bool]]:
    return [keys.c.key >= q, keys.c.key < literal(q + _LAST, BytewiseText)]


def _newest_of(group: CountRow, place: _Place | None, limit: int) -> Select[Any]:
    query = select(_table.c.since, _table.c.id).where(*_in(group))
    if place is not None:
        since, id = place
        query = query.where(_table.c.since <= since, or_(_table.c.since < since, _table.c.id < id))
    ordered = query.order_by(_table.c.since.desc(), _table.c.id.desc()).limit(limit).subquery()
    return select(ordered)


def _cursor(*parts: str) -> str:
    return urlsafe_b64encode(msgspec.json.encode(parts)).decode()


def _parts(after: str) -> tuple[str, str]:
    try:
        first, second = msgspec.json.decode(urlsafe_b64decode(after), type=tuple[str, str])
    except (ValueError, msgspec.MsgspecError) as error:
        raise ValueError("not the cursor of a page") from error
    return without_nul(first), without_nul(second)


def _place(after: str) -> _Place:
    since, id = _parts(after)
    try:
        moment = datetime.fromisoformat(since)
        if moment.tzinfo is None:
            raise ValueError("without a zone")
        return moment.astimezone(UTC), id
    except (ValueError, OverflowError) as error:
        raise ValueError("not the cursor of a page") from error
