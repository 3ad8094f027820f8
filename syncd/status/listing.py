"""Lists of records as a table: which columns there are, which somebody wants, and the same as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

COLUMNS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "flow": lambda record: record["flow"],
    "status": lambda record: record["status"],
    "reason": lambda record: record["title"],
    "remedy": lambda record: record["remedy"],
    "since_column": lambda record: record["since"],
    "words": lambda record: record["words"],
    "key": lambda record: record["key"],
    "left": lambda record: record["left"]["id"],
    "right": lambda record: record["right"]["id"],
    "origin": lambda record: record["origin"] and record[record["origin"]]["label"],
    "attempts": lambda record: record["attempts"],
    "next_at": lambda record: record["next_at"],
    "sync": lambda record: record["sync"],
    "id": lambda record: record["id"],
}
"""Name, a word of the page too but for the two sides, to what stands there. The record itself is always shown."""
USUAL = ("flow", "status", "reason", "remedy", "since_column")
COOKIE = "syncd_columns"


def chosen(text: str | None) -> tuple[str, ...]:
    """The columns in a cookie or an address, in our order; the usual ones where none is known."""
    wanted = set((text or "").split("."))
    return tuple(name for name in COLUMNS if name in wanted) or USUAL


def headings(words: Mapping[str, str], ends: Mapping[str, str]) -> dict[str, str]:
    """What stands above each column."""
    return {name: ends.get(name) or words[name] for name in COLUMNS}


def table(headings: Iterable[str], rows: Iterable[Mapping[str, Any]], *, head: bool) -> str:
    """Records with all columns as comma separated values."""
    out = io.StringIO()
    writer = csv.writer(out)
    if head:
        writer.writerow(headings)
    for row in rows:
        writer.writerow([harmless(row["label"]), *(harmless(column(row)) for column in COLUMNS.values())])
    return out.getvalue()


def harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula, as the text it is."""
    if (isinstance(value, str) and value.lstrip()[:1] in ("=", "+", "-", "@", "|")) or str(value)[:1] in ("\t", "\r"):
        return f"'{value}"
    return value
