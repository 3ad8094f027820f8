"""Removing a person's data. Ids and the fact stay, so that nothing is made again and nothing is stored again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, Table, delete, func, or_, select, update

from syncd.model.references import EntityRef
from syncd.model.snapshot import Presence, Snapshot
from syncd.store import schema
from syncd.store.base import chunks
from syncd.store.codec import snapshot_to_plain
from syncd.store.tx_entities import ERASED
from syncd.store.tx_records import RecordsPart

_TEXTS: Sequence[tuple[Table, Column[str]]] = (
    (schema.records, schema.records.c.words),
    (schema.activity, schema.activity.c.words),
    (schema.actions, schema.actions.c.outcome),
)
"""Where sentences about others may name the person."""


class ErasurePart(RecordsPart):
    """What `erasure` needs of every table."""

    def bodies_of(self, refs: Sequence[EntityRef]) -> list[object]:
        """All that is stored of these entities, now and earlier, as plain JSON values."""
        found: list[object] = []
        for table in (schema.entities, schema.versions):
            for ref in refs:
                query = select(table.c.body).where(*_is(table, ref), table.c.body.is_not(None))
                found += self._connection.scalars(query)
        return found

    def erase_entities(self, refs: Sequence[EntityRef]) -> None:
        """Forget what these entities held and were found by."""
        for ref in refs:
            table = schema.entities
            row = self._connection.execute(select(table.c.version, table.c.presence).where(*_is(table, ref))).first()
            if row is not None:
                blank = Snapshot(kind=ref.kind, id=ref.id, version=row.version, presence=Presence(row.presence))
                values = {"body": snapshot_to_plain(blank), "digest": ERASED}
                self._connection.execute(update(table).where(*_is(table, ref)).values(**values))
            self._connection.execute(delete(schema.entity_keys).where(*_is(schema.entity_keys, ref)))
            self._connection.execute(update(schema.versions).where(*_is(schema.versions, ref)).values(body=None))

    def erase_accounts(self, records: Sequence[str]) -> None:
        """Forget the values and words in these records' accounts, and what people said when they acted on them."""
        for chunk in chunks(records):
            account, acts = schema.activity, schema.actions
            self._connection.execute(update(account).where(account.c.record.in_(chunk)).values(changes=None, words=""))
            self._connection.execute(update(acts).where(acts.c.record.in_(chunk)).values(arguments={}, outcome=""))

    def erase_mentions(self, texts: Sequence[str]) -> int:
        """Empty every sentence that holds one of these texts, in any case; returns how many. Reads whole tables."""
        count = 0
        for table, column in _TEXTS:
            holds = or_(*(func.instr(func.lower(column), text.lower()) > 0 for text in texts))
            if self._connection.dialect.name == "postgresql":
                holds = or_(*(func.strpos(func.lower(column), text.lower()) > 0 for text in texts))
            count += self._connection.execute(
                update(table).where(column != "", holds).values({column.name: ""})
            ).rowcount
        return count

    def drop_settled_sends(self) -> None:
        """Forget the bytes of all requests whose outcome is known."""
        sends, intents = schema.sends, schema.intents
        waited_for = select(intents.c.send).where(intents.c.send.is_not(None))
        self._connection.execute(delete(sends).where(sends.c.id.not_in(waited_for)))


def _is(table: Table, ref: EntityRef) -> tuple[ColumnElement[bool], ...]:
    return table.c.connection == ref.connection, table.c.kind == ref.kind.value, table.c.id == ref.id
