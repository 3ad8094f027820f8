"""Exceptions as logs tell them: which, and where, for the whole chain of causes - never their text or variables.

A vendor's answer, a customer's name or a token may stand in any exception's text. Only the operating system's and
SQLite's own texts are known to hold none of that.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any

MOST = 20  # exceptions of one chain or group

Event = MutableMapping[str, Any]


def in_places(logger: object, method: str, event: Event) -> Event:
    """A processor for machines: `exception` becomes a list, the outermost first."""
    if (error := _error(event)) is not None:
        event["exception"] = [
            {
                "exc_type": type(each).__qualname__,
                "exc_value": harmless(each),
                "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in _frames(each)],
            }
            for each in _all(error)
        ]
    return event


def in_words(logger: object, method: str, event: Event) -> Event:
    """The same as text, for a terminal."""
    if (error := _error(event)) is not None:
        lines = []
        for each in _all(error):
            lines.append(f"{type(each).__qualname__}: {harmless(each)}".removesuffix(": "))
            lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in _frames(each)]
        event["exception"] = "\n".join(lines)
    return event


def harmless(error: BaseException) -> str:
    """As much of an exception's text as cannot hold data."""
    if isinstance(error, sqlite3.Error):
        return str(error)
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else ""


def place_of(error: BaseException) -> str:
    """Which exception, and where it was raised: what tells one fault from another."""
    last = _frames(error)[-1]
    return f"{type(error).__qualname__} {last.filename}:{last.lineno}"


def _error(event: Event) -> BaseException | None:
    told = event.pop("exc_info", None)
    if isinstance(told, BaseException):
        return told
    found = told if isinstance(told, tuple | list) else sys.exc_info() if told else (None, None, None)
    error: BaseException | None = found[1]
    return error


def _all(error: BaseException) -> Iterator[BaseException]:
    """It, its causes, and those a group holds."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < MOST:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        cause = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        waiting += [*([cause] if cause is not None else []), *getattr(each, "exceptions", ())]


def _frames(error: BaseException) -> traceback.StackSummary:
    return traceback.extract_tb(error.__traceback__)
