"""One query, asked again and again, past SQLAlchemy's own work for each call and each row.

That work - building, hashing and binding a query anew, and wrapping its rows - costs twenty times what SQLite does.
Here a query is compiled once for each database; its rows are plain named tuples.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable
from itertools import starmap
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Dialect, Select, bindparam, text
from sqlalchemy.sql.compiler import SQLCompiler

from syncd.store.many import Compiled

Within = Callable[..., ColumnElement[bool]]
"""`within(column)`: the column is one of the values of parameter `listed`, or of the one that is named."""

_EACH = "SELECT value FROM json_each(:{})"
_EACH_ON_POSTGRESQL = "SELECT json_array_elements_text(CAST(:{} AS json))"


class Asked:
    """A query and what it becomes on each database.

    Args:
        make: builds it; its parameters are `bindparam`s and what `Within` names.
    """

    def __init__(self, make: Callable[[Within], Select[Any]]) -> None:
        self._make = make
        self._ready: dict[str, _Ready] = {}

    def rows(self, connection: Connection, /, **given: Any) -> list[Any]:
        """What it finds, as named tuples. Sequences among the parameters are what `within` looks in."""
        dialect = connection.dialect
        ready = self._ready.get(dialect.name)
        if ready is None:
            ready = self._ready[dialect.name] = _Ready(self._make(_within(dialect)), dialect, tuple(given))
        return ready.rows(connection, given)

    def value(self, connection: Connection, /, **given: Any) -> Any:
        """The first column of the first row; None if there is none."""
        found = self.rows(connection, **given)
        return found[0][0] if found else None


class _Ready:
    """Text for the driver, how parameters become the driver's own, and how its rows become ours."""

    def __init__(self, query: Select[Any], dialect: Dialect, names: tuple[str, ...]) -> None:
        made = query.compile(dialect=dialect)
        assert isinstance(made, SQLCompiler)
        self._compiled = Compiled(made, dialect, names)
        self._direct = dialect.name == "sqlite"
        columns = query.selected_columns
        self._row: Callable[..., Any] = namedtuple("Found", [column.key or "n" for column in columns])  # type: ignore[misc]
        processors = (column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns)
        self._processors = [(place, process) for place, process in enumerate(processors) if process is not None]

    def rows(self, connection: Connection, given: dict[str, Any]) -> list[Any]:
        row = {name: _encoded(value) if isinstance(value, list | tuple) else value for name, value in given.items()}
        parameters = self._compiled.plain((row,))[0]
        if self._direct:
            cursor = connection.connection.cursor()
            try:
                cursor.execute(self._compiled.text, parameters)
                found: Iterable[Any] = cursor.fetchall()
            finally:
                cursor.close()
        else:
            found = connection.exec_driver_sql(self._compiled.text, parameters)  # it notices what is disconnected
        if self._processors:
            found = map(self._processed, found)
        return list(starmap(self._row, found))

    def _processed(self, row: Iterable[Any]) -> list[Any]:
        values = list(row)
        for place, process in self._processors:
            values[place] = process(values[place])
        return values


def _within(dialect: Dialect) -> Within:
    each = _EACH if dialect.name == "sqlite" else _EACH_ON_POSTGRESQL

    def within(column: ColumnElement[str], name: str = "listed") -> ColumnElement[bool]:
        return column.in_(text(each.format(name)).bindparams(bindparam(name)))

    return within


def _encoded(values: list[str] | tuple[str, ...]) -> str:
    """The values as one parameter: SQLAlchemy renders its own IN anew for every single value."""
    return msgspec.json.encode(values).decode()
