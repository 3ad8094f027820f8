"""What all parts of a transaction share: the connection, the seal, and the few statements that need care."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Delete, Update

from syncd.store.seal import Seal

T = TypeVar("T")
Row = dict[str, Any]

CHUNK = 500
"""Values in one IN list: far below SQLite's 32,766 variables, and few enough distinct statement lengths."""


class TxPart:
    """A group of a transaction's methods. All of them are synchronous, take batches and answer in batches."""

    def __init__(self, connection: Connection, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal

    def _upsert(self, table: Table, rows: Sequence[Row], changes: Mapping[str, Any] | None = None) -> None:
        """Insert rows, or update those whose primary key is there.

        Args:
            changes: columns whose new value is not simply the row's own, as expressions; see `excluded`.
        """
        if not rows:
            return
        statement = self._insert(table)
        key = {column.name for column in table.primary_key}
        values: dict[str, Any] = {name: statement.excluded[name] for name in rows[0] if name not in key}
        statement = statement.on_conflict_do_update(index_elements=sorted(key), set_={**values, **(changes or {})})
        self._connection.execute(statement, list(rows))

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """The dialect's own insert: only these know ON CONFLICT."""
        return sqlite.insert(table) if self._connection.dialect.name == "sqlite" else postgresql.insert(table)

    def _each(self, statement: Update | Delete, rows: Iterable[Row]) -> None:
        """Run one statement for each row of parameters, as one executemany."""
        if parameters := list(rows):
            self._connection.execute(statement, parameters)


def same(table: Table, names: Iterable[str]) -> list[ColumnElement[bool]]:
    """Conditions `column = :key_column` for `_each`; parameters may not be named like the columns that are set."""
    return [table.c[name] == bindparam(f"key_{name}") for name in names]


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values, each once and in order, in lists of at most `size`."""
    rest = iter(dict.fromkeys(values))
    while chunk := list(islice(rest, size)):
        yield chunk


def unindexed(column: ColumnElement[str]) -> ColumnElement[str]:
    """The column, hidden from the planner: without statistics SQLite prefers an index on a column with few values
    (all rows of a sync) to the one that gives the rows in the order that is asked for."""
    return column + ""
