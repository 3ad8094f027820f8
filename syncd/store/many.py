"""One statement for many rows, past SQLAlchemy's own work for each call and each row.

That work - building, hashing and binding a statement anew - costs more than the database does. Here a statement is
compiled once for each database and set of columns, and the driver is given plain rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Delete, Insert, Update

Row = dict[str, Any]
OnConflict = sqlite.Insert | postgresql.Insert
"""A dialect's own insert: only these know ON CONFLICT."""


class Many:
    """A statement and what it becomes on each database.

    Args:
        make: builds it from the dialect's own `insert` and the names of the columns that are given.
    """

    def __init__(self, make: Callable[[Callable[[Table], OnConflict], Collection[str]], Insert | Update | Delete]):
        self._make = make
        self._compiled: dict[tuple[str, tuple[str, ...]], Compiled] = {}

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Execute it for each row; all rows name the same columns in the same order."""
        if not rows:
            return
        dialect, names = connection.dialect, tuple(rows[0])
        compiled = self._compiled.get((dialect.name, names))
        if compiled is None:
            compiled = self._compiled[dialect.name, names] = Compiled(self._statement(dialect, names), dialect, names)
        connection.exec_driver_sql(compiled.text, compiled.plain(rows))

    def _statement(self, dialect: Dialect, names: Sequence[str]) -> SQLCompiler:
        insert: Callable[[Table], OnConflict] = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
        statement = self._make(insert, names)
        made = statement.compile(
            dialect=dialect,
            column_keys=list(names) if isinstance(statement, Insert) else None,  # they are what an insert is made of
        )
        assert isinstance(made, SQLCompiler)
        return made


class Compiled:
    """Text for the driver, and how a row becomes the driver's own parameters."""

    def __init__(self, compiled: SQLCompiler, dialect: Dialect, names: Sequence[str]) -> None:
        self.text = compiled.string
        order = compiled.positiontup or list(compiled.binds)
        self._names = None if compiled.positiontup else tuple(order)
        given = [name for name in order if name in names]
        self._values = itemgetter(*given) if len(given) > 1 else lambda row: [row[name] for name in given]
        bound = {name: compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in order}
        self._processors = [(place, made) for place, name in enumerate(given) if (made := bound[name]) is not None]
        # What the statement itself says, e.g. the 1 of `n + 1`.
        self._own = [
            (place, made(value) if (made := bound[name]) else value)
            for place, name in enumerate(order)
            if name not in names and (value := compiled.binds[name].value) is not None
        ]
        assert len(given) + len(self._own) == len(order), f"{self.text} lacks some of its values"

    def plain(self, rows: Iterable[Mapping[str, Any]]) -> list[Any]:
        made = []
        for row in rows:
            values = list(self._values(row))
            for place, process in self._processors:
                values[place] = process(values[place])
            for place, value in self._own:
                values.insert(place, value)
            made.append(tuple(values) if self._names is None else dict(zip(self._names, values, strict=True)))
        return made


def added(table: Table) -> Many:
    """Insert rows."""
    return Many(lambda insert, _: insert(table))


def upserted(table: Table, changes: Callable[[Any], Mapping[str, Any]] | None = None) -> Many:
    """Insert rows, or update those whose primary key is there.

    Args:
        changes: columns whose new value is not simply the row's own, as expressions over the row (`excluded`).
    """
    key = {column.name for column in table.primary_key}

    def make(insert: Callable[[Table], OnConflict], names: Collection[str]) -> OnConflict:
        statement = insert(table)
        new = statement.excluded
        values = {name: new[name] for name in names if name not in key} | dict(changes(new) if changes else {})
        return statement.on_conflict_do_update(index_elements=sorted(key), set_=values)

    return Many(make)


def each(statement: Update | Delete) -> Many:
    """Run a statement for each row of parameters; see `same`."""
    return Many(lambda insert, names: statement)


def same(table: Table, names: Iterable[str]) -> list[ColumnElement[bool]]:
    """Conditions `column = :key_column`; parameters may not be named like the columns that are set."""
    return [table.c[name] == bindparam(f"key_{name}") for name in names]
