"""Changes to a vendor's JSON answer on its way out: an item left out, a value replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from syncd.sandbox.base import Response, decode_json, encode_json

BATCH_RESULTS = ("results", "BatchItemResponse")  # where HubSpot and QuickBooks list the outcomes of a batch

ABSENT = object()
"""Handed to a change where the document has no value yet; returned by a change that wants none there."""

Change = Callable[[Any], object]


def without_item(response: Response, index: int) -> Response:
    """The answer without one outcome of its batch; unchanged when it is no batch answer or shorter than `index`."""

    def drop(document: Any) -> None:
        for name in BATCH_RESULTS:
            items = document.get(name) if isinstance(document, dict) else None
            if isinstance(items, list) and -len(items) <= index < len(items):
                del items[index]

    return _edited(response, drop)


def with_change(response: Response, path: Sequence[str], change: Change) -> Response:
    """The answer with `change` applied wherever `path` leads; `*` means every member."""
    return _edited(response, lambda document: _apply(document, path, change))


def tidy(how: str, size: int) -> Change:
    """A vendor's silent normalisation: how = text, strip, lower, cut (to `size` signs) or round (to `size` digits).

    Raises:
        KeyError: there is no such normalisation.
    """
    alter = _TIDY[how]
    return lambda value: alter(value, size) if isinstance(value, str | int | Decimal) else value


_TIDY: dict[str, Callable[[Any, int], object]] = {
    "text": lambda value, _: format(value, "f") if isinstance(value, Decimal) else str(value),
    "strip": lambda value, _: value.strip() if isinstance(value, str) else value,
    "lower": lambda value, _: value.lower() if isinstance(value, str) else value,
    "cut": lambda value, size: value[:size] if isinstance(value, str) else value,
    "round": lambda value, size: _rounded(value, size),
}


def _rounded(value: str | int | Decimal, digits: int) -> object:
    """A number, or a text that is one (HubSpot's amounts), with so many decimals; any other text stays as it is."""
    try:
        number = round(Decimal(value), digits)
    except InvalidOperation:
        return value
    return format(number, "f") if isinstance(value, str) else number


def _edited(response: Response, edit: Callable[[Any], None]) -> Response:
    try:
        document = decode_json(response.body)
    except ValueError:
        return response
    edit(document)
    return replace(response, body=encode_json(document))


def _apply(container: Any, path: Sequence[str], change: Change) -> None:
    name, rest = path[0], path[1:]
    for key in _keys(container, name, adds=not rest):
        if rest:
            _apply(container[key], rest, change)
            continue
        known = isinstance(container, list) or key in container
        value = change(container[key] if known else ABSENT)
        if value is not ABSENT:
            container[key] = value
        elif known:
            del container[key]


def _keys(container: Any, name: str, *, adds: bool) -> Iterable[Any]:
    if isinstance(container, list):
        count = len(container)
        if name == "*":
            return reversed(range(count))  # from the end, so that a removal does not move what is still to come
        return [int(name)] if name.isdigit() and int(name) < count else []
    if isinstance(container, dict):
        return list(container) if name == "*" else [name] if adds or name in container else []
    return []
