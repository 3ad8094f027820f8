"""Connections, their cursors, and the few facts about the state itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from syncd.model.connection import ConnectionRow
from syncd.store import schema
from syncd.store.asked import Asked
from syncd.store.base import TxPart
from syncd.store.many import upserted

_SET = upserted(schema.meta)
_SAVE = upserted(schema.connections)
_MOVE = upserted(schema.cursors)
_META = Asked(lambda _: select(schema.meta.c.value).where(schema.meta.c.key == bindparam("key")))
_ONE = Asked(lambda _: select(schema.connections).where(schema.connections.c.name == bindparam("name")))
_ALL = Asked(lambda _: select(schema.connections).order_by(schema.connections.c.name))
_CURSORS = Asked(
    lambda _: select(schema.cursors.c.name, schema.cursors.c.cursor).where(
        schema.cursors.c.connection == bindparam("connection")
    )
)


class ConnectionsPart(TxPart):
    """Tables `meta`, `connections` and `cursors`."""

    def meta(self, key: str) -> str | None:
        value: str | None = _META.value(self._connection, key=key)
        return value

    def metas(self, keys: Iterable[str]) -> dict[str, str]:
        """Those of these keys that have a value."""
        query = select(schema.meta.c.key, schema.meta.c.value).where(schema.meta.c.key.in_(list(keys)))
        return {row.key: row.value for row in self._connection.execute(query)}

    def set_meta(self, key: str, value: str) -> None:
        _SET.run(self._connection, [{"key": key, "value": value}])

    def connection(self, name: str) -> ConnectionRow | None:
        rows = _ONE.rows(self._connection, name=name)
        return _connection_of(rows[0]) if rows else None

    def connections(self) -> list[ConnectionRow]:
        """All of them, by name."""
        return [_connection_of(row) for row in _ALL.rows(self._connection)]

    def save_connection(self, row: ConnectionRow) -> None:
        values = {name: getattr(row, name) for name in schema.connections.c.keys()}  # noqa: SIM118 - columns, not a dict
        _SAVE.run(self._connection, [values])

    def cursors(self, connection: str) -> dict[str, str]:
        """The connector's own texts by their names (a kind, or a kind and more)."""
        return dict(_CURSORS.rows(self._connection, connection=connection))

    def set_cursors(self, connection: str, cursors: Mapping[str, str], at: datetime) -> None:
        """Move these cursors; others stay. Belongs in the transaction that stores what was seen up to them."""
        rows = [{"connection": connection, "name": name, "cursor": text, "at": at} for name, text in cursors.items()]
        _MOVE.run(self._connection, rows)


def _connection_of(row: Any) -> ConnectionRow:
    return ConnectionRow(**row._asdict())
