"""Records: the state table, its search keys and its counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, null, select, update

from syncd.model.content import content_from_plain, content_to_plain
from syncd.model.record import Record, Status
from syncd.model.references import Side
from syncd.store import schema
from syncd.store.asked import Asked
from syncd.store.base import chunks, unindexed
from syncd.store.codec import Reading
from syncd.store.columns import index_key
from syncd.store.many import Row, added, each, same, upserted
from syncd.store.tx_counts import CountsPart, Standing
from syncd.store.waking import wake

_table = schema.records
_SIDES = {Side.LEFT: _table.c.left_id, Side.RIGHT: _table.c.right_id}
_SAVE = upserted(_table, lambda new: {"revision": _table.c.revision + 1})
_LET_GO = {
    column.name: each(update(_table).where(*same(_table, ("id",))).values({column.name: null()}))
    for column in _SIDES.values()
}
_SLIM = [
    null().label(column.name) if column.name in ("left_base", "right_base") else column for column in _table.columns
]
_ADD_KEYS = added(schema.keys)
_DROP_KEYS = each(delete(schema.keys).where(*same(schema.keys, ("record",))))
_SEARCHED = ("label", "match_key", "left_id", "right_id")
_FLOW = (_table.c.sync == bindparam("sync"), _table.c.flow == bindparam("flow"))
_BY_ID = Asked(lambda within: select(_table).where(within(_table.c.id)).order_by(_table.c.id))
_SLIM_BY_ID = Asked(lambda within: select(*_SLIM).where(within(_table.c.id)).order_by(_table.c.id))
_BY_ENTITY = {
    side: Asked(lambda within, held=held: select(_table).where(*_FLOW, within(held)).order_by(_table.c.id))  # type: ignore[misc]
    for side, held in _SIDES.items()
}
_BY_KEY = Asked(lambda within: select(_table).where(*_FLOW, within(_table.c.match_key)).order_by(_table.c.id))
_DUE = Asked(
    lambda within: (
        select(_table)
        .where(_table.c.next_at <= bindparam("now"), within(unindexed(_table.c.sync), "syncs"))
        .order_by(_table.c.next_at, _table.c.id)
        .limit(bindparam("most"))
    )
)
_BEFORE = Asked(
    lambda within: (
        select(*(_table.c[name] for name in ("id", "sync", "flow", "status", "code", "notes", *_SEARCHED)))
        .where(within(_table.c.id))
        .order_by(_table.c.id)
        .with_for_update()
    )
)


class RecordsPart(CountsPart):
    """Tables `records` and `keys`; keeps `counts` in step."""

    def records(self, ids: Sequence[str], *, bases: bool = True) -> dict[str, Record]:
        """Those there are. Without `bases` they lack what both sides agreed on: most of what a record weighs."""
        found = {}
        for chunk in chunks(ids):
            for row in (_BY_ID if bases else _SLIM_BY_ID).rows(self._connection, listed=chunk):
                record = _record_of(row)
                found[record.id] = record
        return found

    def records_of_entities(self, sync: str, flow: str, side: Side, ids: Sequence[str]) -> dict[str, Record]:
        """The records that hold these entities on this side, by entity id."""
        found = {}
        for chunk in chunks(ids):
            for row in _BY_ENTITY[side].rows(self._connection, sync=sync, flow=flow, listed=chunk):
                record = _record_of(row)
                found[str(record.entity(side))] = record
        return found

    def records_by_key(self, sync: str, flow: str, keys: Sequence[str]) -> dict[str, list[Record]]:
        """The records that have these keys, by key; a key nobody has is absent."""
        found = defaultdict(list)
        for chunk in chunks(keys):
            asked = {index_key(key): key for key in chunk}
            for row in _BY_KEY.rows(self._connection, sync=sync, flow=flow, listed=list(asked)):
                record = _record_of(row)
                found[asked[str(record.key)]].append(record)
        return dict(found)

    def save_records(self, records: Sequence[Record]) -> None:
        """Insert or update whole records. The stored revision counts up by itself; the value given is not used.

        Of several states of one record in the batch the last counts.

        Raises:
            sqlalchemy.exc.IntegrityError: an entity would stand in two records of a flow.
        """
        rows = {record.id: _row_of(record) for record in records}
        before = self._before(rows)
        self._let_go(rows, before)
        _SAVE.run(self._connection, list(rows.values()))
        self._replace_search_keys(
            row for id, row in rows.items() if id not in before or _searched(before[id]) != _searched(row)
        )
        self._count([_standing(row) for row in before.values()], [_standing(row) for row in rows.values()])

    def delete_record(self, id: str, into: str) -> None:
        """Fold a record into an older one, which takes over its activity, what was asked of it and whoever waits."""
        before = self._before([id])
        if id not in before:
            return
        self._connection.execute(update(schema.activity).where(schema.activity.c.record == id).values(record=into))
        self._connection.execute(
            update(_table).where(_table.c.waits_for == f"record:{id}").values(waits_for=f"record:{into}")
        )
        self._connection.execute(update(schema.actions).where(schema.actions.c.record == id).values(record=into))
        self._connection.execute(delete(schema.keys).where(schema.keys.c.record == id))
        self._connection.execute(delete(schema.shown).where(schema.shown.c.record == id))
        self._connection.execute(delete(_table).where(_table.c.id == id))
        self._count([_standing(before[id])], [])

    def due_records(self, syncs: Sequence[str], now: datetime, limit: int) -> list[Record]:
        """Records whose time has come, the longest waiting first."""
        return [_record_of(row) for row in _DUE.rows(self._connection, now=now, syncs=list(syncs), most=limit)]

    def wake(self, waits_for: Sequence[str], now: datetime) -> int:
        """Make records due that wait for one of these; says how many. Synced ones wait for nothing."""
        return wake(self._connection, waits_for, now)

    def first_waiting(self, waits_for: str, code: str) -> str | None:
        """Of the records that failed with this code and wait for this, the id of the one that stands longest."""
        query = select(_table.c.id).where(_table.c.waits_for == waits_for, unindexed(_table.c.code) == code)
        return self._connection.scalar(query.order_by(_table.c.since, _table.c.id).limit(1))

    def bring_forward(self, ids: Sequence[str], now: datetime) -> None:
        """Make these records due, whatever they wait for."""
        for chunk in chunks(ids):
            self._connection.execute(update(_table).where(_table.c.id.in_(chunk)).values(next_at=now))

    def records_with_other_rules(self, sync: str, flow: str, rules_digest: str, limit: int) -> list[Record]:
        """Records last planned by other rules than these; two steps into an index, however many records there are."""
        found: list[Record] = []
        for other in (_table.c.rules_digest < rules_digest, _table.c.rules_digest > rules_digest):
            query = select(_table).where(_table.c.sync == sync, _table.c.flow == flow, other)
            rows = self._connection.execute(query.limit(limit - len(found)))
            found += [_record_of(row) for row in rows]
        return found

    def _before(self, ids: Iterable[str]) -> dict[str, Row]:
        """What counts and keys were made of, locked against other writers until the end of the transaction."""
        found = {}
        for chunk in chunks(ids):
            for row in _BEFORE.rows(self._connection, listed=chunk):
                found[row.id] = row._asdict()
        return found

    def _let_go(self, rows: Mapping[str, Row], before: Mapping[str, Row]) -> None:
        """Free the entities that change hands within the batch, so that the order of its rows does not matter."""
        for name in ("left_id", "right_id"):
            moved = [
                {"key_id": id} for id, row in before.items() if row[name] is not None and row[name] != rows[id][name]
            ]
            _LET_GO[name].run(self._connection, moved)

    def _replace_search_keys(self, rows: Iterable[Row]) -> None:
        changed = list(rows)
        _DROP_KEYS.run(self._connection, [{"key_record": row["id"]} for row in changed])
        _ADD_KEYS.run(self._connection, [{"key": key, "record": row["id"]} for row in changed for key in _keys(row)])


def _keys(row: Mapping[str, Any]) -> set[str]:
    """What a record is found by when people search; `index_key` here, so that equal keys meet in the set."""
    return {index_key(value.lower()) for value in _searched(row) if value}


def _searched(row: Mapping[str, Any]) -> tuple[str | None, ...]:
    return tuple(row[name] for name in _SEARCHED)


def _standing(row: Mapping[str, Any]) -> Standing:
    return Standing(row["sync"], row["flow"], row["status"], row["code"], tuple(row["notes"] or ()))


def _row_of(record: Record) -> Row:
    return {
        "id": record.id,
        "sync": record.sync,
        "flow": record.flow,
        "left_id": record.left,
        "right_id": record.right,
        "origin": None if record.origin is None else record.origin.value,
        "match_key": record.key,
        "label": record.label,
        "left_base": content_to_plain(record.left_base),
        "right_base": content_to_plain(record.right_base),
        "status": record.status.value,
        "code": record.code,
        "notes": list(record.notes) or None,
        "words": record.words,
        "waits_for": record.waits_for,
        "since": record.since,
        "attempts": record.attempts,
        "next_at": record.next_at,
        "wanted": record.wanted,
        "rules_digest": record.rules_digest,
        "revision": 1,
    }


def _record_of(row: Any) -> Record:
    with Reading("record", row.id):
        return Record(
            id=row.id,
            sync=row.sync,
            flow=row.flow,
            left=row.left_id,
            right=row.right_id,
            origin=None if row.origin is None else Side(row.origin),
            key=row.match_key,
            label=row.label,
            left_base=content_from_plain(row.left_base),
            right_base=content_from_plain(row.right_base),
            status=Status(row.status),
            code=row.code,
            notes=tuple(row.notes or ()),
            words=row.words,
            waits_for=row.waits_for,
            since=row.since,
            attempts=row.attempts,
            next_at=row.next_at,
            wanted=row.wanted,
            rules_digest=row.rules_digest,
            revision=row.revision,
        )
