"""The outbox: writes that were decided, and the requests they went out in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, exists, func, or_, select, update
from sqlalchemy import Row as SqlRow

from syncd.model.record import Intent, IntentState, Op, Priority, StoredSend
from syncd.model.references import Kind, Side
from syncd.store import schema
from syncd.store.base import TxPart, chunks, within
from syncd.store.codec import intent_body, intent_body_fields
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
            stored |= set(
                self._connection.scalars(select(_table.c.id).where(within(self._connection, _table.c.id, chunk)))
            )
        return [intent for intent in rivals if intent.id not in stored]

    def intents_of(self, record_ids: Sequence[str]) -> dict[str, list[Intent]]:
        """The intents of these records, oldest first; a record without any is absent."""
        found = defaultdict(list)
        for chunk in chunks(record_ids):
            for intent in self._intents(within(self._connection, _table.c.record, chunk)):
                found[intent.record].append(intent)
        return dict(found)

    def under_way(self, record_ids: Sequence[str]) -> dict[str, list[UnderWay]]:
        """How far the intents of these records have come, oldest first; a record without any is absent."""
        found = defaultdict(list)
        for chunk in chunks(record_ids):
            query = select(_table.c.id, _table.c.record, _table.c.state, _table.c.step)
            ordered = query.where(within(self._connection, _table.c.record, chunk)).order_by(
                _table.c.created_at, _table.c.id
            )
            for id, record, state, step in self._connection.execute(ordered):
                found[record].append(UnderWay(id, record, IntentState(state), step))
        return dict(found)

    def open_intents(self, connection: str, syncs: Sequence[str], now: datetime, limit: int) -> list[Intent]:
        """What may be sent now for these syncs, the most urgent and then the oldest first.

        Each sync has an equal part of the limit. What has to wait for a parent is the caller's matter.
        """
        ready = or_(_table.c.not_before.is_(None), _table.c.not_before <= now)
        place = (_table.c.connection == connection, _table.c.state == IntentState.OPEN.value, ready)
        part = -(-limit // max(1, len(syncs)))
        found = [one for sync in syncs for one in self._intents(*place, _table.c.sync == sync, limit=part, urgent=True)]
        return sorted(found, key=lambda one: (one.priority, one.created_at, one.id))

    def unsent_intents(self) -> list[Intent]:
        """Everything that is decided and has not left, of all connections, oldest first."""
        return self._intents(_table.c.state == IntentState.OPEN.value, _table.c.step == 0)

    def unresolved_intents(self, connection: str) -> list[Intent]:
        """What went out and has no stored outcome, oldest first."""
        states = (IntentState.SENT.value, IntentState.UNKNOWN.value)
        return self._intents(_table.c.connection == connection, _table.c.state.in_(states))

    def save_intents(self, intents: Sequence[Intent]) -> None:
        """Update how far stored intents have come; one that was dropped meanwhile does not come back.

        What they write stays as it was added.
        """
        _SAVE.run(self._connection, [{**_columns_of(i, _MOVING), "key_id": i.id} for i in intents])

    def drop_intents(self, ids: Sequence[str]) -> None:
        for chunk in chunks(ids):
            self._connection.execute(delete(_table).where(within(self._connection, _table.c.id, chunk)))

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
        row = self._connection.execute(select(schema.sends).where(schema.sends.c.id == id)).first()
        return None if row is None else StoredSend(**{**row._mapping, "body": self._seal.open(row.body)})

    def drop_sends(self, older_than: datetime) -> None:
        """Forget requests sent before that time, except those an intent still needs for its replay."""
        sends = schema.sends
        needed = exists().where(_table.c.send == sends.c.id)
        self._connection.execute(delete(sends).where(sends.c.sent_at < older_than, ~needed))

    def _intents(
        self, *conditions: ColumnElement[bool], limit: int | None = None, urgent: bool = False
    ) -> list[Intent]:
        order = (_table.c.priority,) if urgent else ()
        query = select(_table).where(*conditions).order_by(*order, _table.c.created_at, _table.c.id).limit(limit)
        return [_intent_of(row) for row in self._connection.execute(query)]


def _send_row(send: StoredSend) -> Row:
    return {column.name: getattr(send, column.name) for column in schema.sends.c}


def _row_of(intent: Intent) -> Row:
    return {**_columns_of(intent, _COLUMNS), "body": intent_body(intent)}


def _columns_of(intent: Intent, names: Iterable[str]) -> Row:
    row = {name: getattr(intent, name) for name in names}
    for name in _CODED & row.keys():
        row[name] = row[name].value
    return row


def _intent_of(row: SqlRow[Any]) -> Intent:
    values = {**row._mapping, **intent_body_fields(row.body)}
    del values["body"]
    values |= {
        "side": Side(row.side),
        "op": Op(row.op),
        "kind": Kind(row.kind),
        "state": IntentState(row.state),
        "priority": Priority(row.priority),
    }
    return Intent(**values)
