"""Query strings into questions. What is not understood is refused: a misspelt filter must not answer everything."""

from __future__ import annotations

from aiohttp import web

from syncd.status.reader import DEFAULT_LIMIT, BadQuestion, Query


def asked(request: web.Request, *more: str) -> Query:
    """The filters in the query string; an empty one counts as not given, as forms send it."""
    given = parameters(request, "sync", "flow", "status", "code", "q", "cursor", "limit", *more)
    limit = number("limit", given.pop("limit", str(DEFAULT_LIMIT)))
    return Query(**{name: value for name, value in given.items() if name not in more}, limit=limit)


def parameters(request: web.Request, *known: str) -> dict[str, str]:
    """The query string, each name known and given once.

    Raises:
        BadQuestion: one is not.
    """
    given: dict[str, str] = {}
    for name, value in request.query.items():
        if name not in known or name in given:
            raise BadQuestion(f"{name}: {'given twice' if name in given else 'no such parameter'}")
        given[name] = value
    return {name: value for name, value in given.items() if value}


def number(name: str, text: str) -> int:
    """A whole number that is not negative."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BadQuestion(f"{name}: a whole number, not {text!r}")
    return int(text)
