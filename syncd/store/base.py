"""What all parts of a transaction share: the connection, the seal, and what keeps statements in bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, text

from syncd.store.seal import Seal

T = TypeVar("T")

_EACH = text("SELECT value FROM json_each(:listed)")
_EACH_ON_POSTGRESQL = text("SELECT json_array_elements_text(CAST(:listed AS json))")

CHUNK = 500
"""Values in one IN list: far below SQLite's 32,766 variables, and few enough distinct statement lengths."""


class TxPart:
    """A group of a transaction's methods. All of them are synchronous, take batches and answer in batches."""

    def __init__(self, connection: Connection, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values, each once and in order, in lists of at most `size`."""
    rest = iter(dict.fromkeys(values))
    while chunk := list(islice(rest, size)):
        yield chunk


def within(connection: Connection, column: ColumnElement[str], values: Sequence[str]) -> ColumnElement[bool]:
    """`column IN (values)`, the values as one parameter: SQLAlchemy renders its own anew for every single value.

    The values are compared as they are, whatever the column's type makes of those that are stored.
    """
    each = _EACH if connection.dialect.name == "sqlite" else _EACH_ON_POSTGRESQL
    return column.in_(each.bindparams(bindparam("listed", msgspec.json.encode(values).decode(), unique=True)))


def unindexed(column: ColumnElement[str]) -> ColumnElement[str]:
    """The column, hidden from the planner: without statistics SQLite prefers an index on a column with few values
    (all rows of a sync) to the one that gives the rows in the order that is asked for."""
    return column + ""
