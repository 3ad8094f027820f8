"""The outbox: writes that were decided, and the requests they went out in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, exists, func, or_, select, update

from syncd.model.record import Intent, IntentState, Op, Priority, StoredSend
from syncd.model.references import Kind, Side
from syncd.store import schema
from syncd.store.asked import Asked
from syncd.store.base import TxPart, chunks
from syncd.store.codec import Reading, intent_body, intent_body_fields
from syncd.store.many import Many, Row, added, each, same
from syncd.store.rows import UnderWay

_table = schema.intents
_SET_ONCE = frozenset(
    ("id", "record", "sync", "flow", "connection", "side", "op", "kind", "created_at", "body", "priority")
)
_COLUMNS = tuple(column.name for column in _table.c if column.name != "body")
_CODED = frozenset(("side", "op", "kind", "state", "priority"))
_MOVING = tuple(name for name in _COLUMNS if name not in _SET_ONCE)
_ADD = Many(
    lambda insert, _: insert(_table).on_conflict_do_nothing(
        index_elements=["connection", "kind", "natural_key"], index_where=schema.IS_CREATE
    )
)
_SAVE = each(update(_table).where(*same(_table, ("id",))).values({name: bindparam(name) for name in _MOVING}))
_ADD_SENDS = added(schema.sends)


def _listed(*conditions: ColumnElement[bool], urgent: bool = False) -> Select[Any]:
    order = (_table.c.priority,) if urgent else ()
    return select(_table).where(*conditions).order_by(*order, _table.c.created_at, _table.c.id)


_IS_OPEN = _table.c.state == IntentState.OPEN.value
_IS_OUT = or_(_table.c.state == IntentState.SENT.value, _table.c.state == IntentState.UNKNOWN.value)
_HERE = _table.c.connection == bindparam("connection")
_OF = Asked(lambda within: _listed(within(_table.c.record)))
_UNSENT = Asked(lambda _: _listed(_IS_OPEN, _table.c.step == 0))
_UNRESOLVED = Asked(lambda _: _listed(_HERE, _IS_OUT))
_OPEN = Asked(
    lambda _: _listed(
        _HERE,
        _IS_OPEN,
        or_(_table.c.not_before.is_(None), _table.c.not_before <= bindparam("now")),
        _table.c.sync == bindparam("sync"),
        urgent=True,
    ).limit(bindparam("most"))
)
_UNDER_WAY = Asked(
    lambda within: (
        select(_table.c.id, _table.c.record, _table.c.state, _table.c.step)
        .where(within(_table.c.record))
        .order_by(_table.c.created_at, _table.c.id)
    )
)
_ANY = Asked(lambda _: select(_table.c.id).where(_HERE).limit(1))
_DROP = each(delete(_table).where(*same(_table, ("id",))))
_STORED = Asked(lambda within: select(_table.c.id).where(within(_table.c.id)))
_SEND = Asked(lambda _: select(schema.sends).where(schema.sends.c.id == bindparam("id")))


class IntentsPart(TxPart):
    """Tables `intents` and `sends`."""

    def add_intents(self, intents: Sequence[Intent]) -> list[Intent]:
        """Store intents, in this order.

        Returns:
            Those that were not stored, because another open create holds the same connection, kind and natural key.
        """
        _ADD.run(self._connection, [_row_of(intent) for intent in intents])
        rivals = [intent for intent in intents if intent.natural_key is not None]
        stored: set[str] = set()
        for chunk in chunks(intent.id for intent in rivals):
            stored |= {row.id for row in _STORED.rows(self._connection, listed=chunk)}
        return [intent for intent in rivals if intent.id not in stored]

    def intents_of(self, record_ids: Sequence[str]) -> dict[str, list[Intent]]:
        """The intents of these records, oldest first; a record without any is absent."""
        found = defaultdict(list)
        for chunk in chunks(record_ids):
            for intent in map(_intent_of, _OF.rows(self._connection, listed=chunk)):
                found[intent.record].append(intent)
        return dict(found)

    def under_way(self, record_ids: Sequence[str]) -> dict[str, list[UnderWay]]:
        """How far the intents of these records have come, oldest first; a record without any is absent."""
        found = defaultdict(list)
        for chunk in chunks(record_ids):
            for id, record, state, step in _UNDER_WAY.rows(self._connection, listed=chunk):
                found[record].append(UnderWay(id, record, IntentState(state), step))
        return dict(found)

    def open_intents(self, connection: str, syncs: Sequence[str], now: datetime, limit: int) -> list[Intent]:
        """What may be sent now for these syncs, the most urgent and then the oldest first.

        Each sync has an equal part of the limit. What has to wait for a parent is the caller's matter.
        """
        part = -(-limit // max(1, len(syncs)))
        rows = [
            row
            for sync in syncs
            for row in _OPEN.rows(self._connection, connection=connection, now=now, sync=sync, most=part)
        ]
        return sorted(map(_intent_of, rows), key=lambda one: (one.priority, one.created_at, one.id))

    def with_intents(self, connections: Sequence[str]) -> list[str]:
        """Those of the connections that something stands in the outbox of, whatever has become of it."""
        return [name for name in connections if _ANY.rows(self._connection, connection=name)]

    def unsent_intents(self) -> list[Intent]:
        """Everything that is decided and has not left, of all connections, oldest first."""
        return [_intent_of(row) for row in _UNSENT.rows(self._connection)]

    def unresolved_intents(self, connection: str) -> list[Intent]:
        """What went out and has no stored outcome, oldest first."""
        return [_intent_of(row) for row in _UNRESOLVED.rows(self._connection, connection=connection)]

    def save_intents(self, intents: Sequence[Intent]) -> None:
        """Update how far stored intents have come; one that was dropped meanwhile does not come back.

        What they write stays as it was added.
        """
        _SAVE.run(self._connection, [{**_columns_of(i, _MOVING), "key_id": i.id} for i in intents])

    def drop_intents(self, ids: Sequence[str]) -> None:
        _DROP.run(self._connection, [{"key_id": id} for id in ids])

    def open_counts(self, sync: str, flow: str) -> dict[Op, int]:
        """How many writes of each sort wait to be sent; what there is none of is absent."""
        query = (
            select(_table.c.op, func.count().label("n"))
            .where(_table.c.sync == sync, _table.c.flow == flow, _table.c.state == IntentState.OPEN.value)
            .group_by(_table.c.op)
        )
        return {Op(row.op): row.n for row in self._connection.execute(query)}

    def add_sends(self, sends: Sequence[StoredSend]) -> None:
        """Store requests that are about to leave, their bodies under the seal."""
        _ADD_SENDS.run(self._connection, [{**_send_row(send), "body": self._seal.close(send.body)} for send in sends])

    def send(self, id: str) -> StoredSend | None:
        rows = _SEND.rows(self._connection, id=id)
        return StoredSend(**{**rows[0]._asdict(), "body": self._seal.open(rows[0].body)}) if rows else None

    def drop_sends(self, older_than: datetime) -> None:
        """Forget requests sent before that time, except those an intent still needs for its replay."""
        sends = schema.sends
        needed = exists().where(_table.c.send == sends.c.id)
        self._connection.execute(delete(sends).where(sends.c.sent_at < older_than, ~needed))


def _send_row(send: StoredSend) -> Row:
    return {column.name: getattr(send, column.name) for column in schema.sends.c}


def _row_of(intent: Intent) -> Row:
    return {**_columns_of(intent, _COLUMNS), "body": intent_body(intent)}


def _columns_of(intent: Intent, names: Iterable[str]) -> Row:
    row = {name: getattr(intent, name) for name in names}
    for name in _CODED & row.keys():
        row[name] = row[name].value
    return row


def _intent_of(row: Any) -> Intent:
    with Reading("intent", row.id):
        values = {**row._asdict(), **intent_body_fields(row.body)}
        del values["body"]
        values |= {
            "side": Side(row.side),
            "op": Op(row.op),
            "kind": Kind(row.kind),
            "state": IntentState(row.state),
            "priority": Priority(row.priority),
        }
        return Intent(**values)
