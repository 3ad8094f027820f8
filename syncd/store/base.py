"""What all parts of a transaction share: the connection, the seal, and what keeps statements in bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection

from syncd.store.seal import Seal

T = TypeVar("T")

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


def unindexed(column: ColumnElement[str]) -> ColumnElement[str]:
    """The column, hidden from the planner: without statistics SQLite prefers an index on a column with few values
    (all rows of a sync) to the one that gives the rows in the order that is asked for."""
    return column + ""
