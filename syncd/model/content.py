"""Content: the mapped part of an entity, in its own side's terms. It is what is compared and what bases hold.

A field of content is named by its mapping row, not by a vendor; ids inside it (a customer, a product) are the ids of
the side the content belongs to. Two sides' contents are therefore never compared with each other without translation.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any

from syncd.model.nouns import Line
from syncd.model.quick import quick
from syncd.model.values import Value, decimal_text, digest, from_plain, plain

# Not asdict(): it copies deeply, which cost half of a large transaction.
_LINE_FIELDS = tuple(f.name for f in fields(Line))
_LINE_NAMES = frozenset(_LINE_FIELDS)
_values = attrgetter(*_LINE_FIELDS)
_LINE_FACTS = tuple(name for name in _LINE_FIELDS if name not in ("id", "key"))
_facts = attrgetter(*_LINE_FACTS)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Mapped fields by row name, and an invoice's lines. `lines` is None for kinds that have none."""

    fields: Mapping[str, Value] = field(default_factory=dict)
    lines: tuple[Line, ...] | None = None

    def digest(self) -> str:
        """A hash of everything that counts. Line ids and our line keys do not: vendors renumber, keys are ours."""
        return digest({"fields": dict(self.fields), "lines": line_facts(self.lines)})

    def alike(self, other: Content) -> bool:
        """Whether both count the same, as equal digests say; without making them."""
        mine, theirs = ({n: v for n, v in one.fields.items() if v is not None} for one in (self, other))
        if mine != theirs or self.lines is None or other.lines is None:
            return mine == theirs and self.lines == other.lines
        return list(map(_facts, self.lines)) == list(map(_facts, other.lines))

    def without(self, names: Collection[str]) -> Content:
        """The same content less these fields."""
        return Content(fields={n: v for n, v in self.fields.items() if n not in names}, lines=self.lines)

    def patched(self, patch: Content) -> Content:
        """This content with the patch's fields (and lines, if it has any) laid over it."""
        return Content(fields={**self.fields, **patch.fields}, lines=self.lines if patch.lines is None else patch.lines)


def line_facts(lines: tuple[Line, ...] | None) -> list[dict[str, Value]] | None:
    """What counts on each line when lists are compared: everything but its ids, in order."""
    if lines is None:
        return None
    return [{name: value for name in _LINE_FACTS if (value := getattr(line, name)) is not None} for line in lines]


def content_to_plain(content: Content | None) -> dict[str, object] | None:
    """Content as JSON values, to be stored."""
    if content is None:
        return None
    made: dict[str, object] = {"fields": {name: plain(value) for name, value in content.fields.items()}}
    if content.lines is not None:
        made["lines"] = lines_to_plain(content.lines)
    return made


def content_from_plain(raw: Mapping[str, object] | None) -> Content | None:
    """The inverse of `content_to_plain`."""
    if raw is None:
        return None
    fields, lines = raw["fields"], raw.get("lines")
    assert isinstance(fields, Mapping)
    return Content(
        fields={str(name): from_plain(value) for name, value in fields.items()},
        lines=None if lines is None else lines_from_plain(lines),
    )


def lines_to_plain(lines: tuple[Line, ...]) -> list[dict[str, object]]:
    """Lines as JSON values; fields without a value are left out."""
    return [
        {
            name: value if value.__class__ is str else plain(value)  # most are texts
            for name, value in zip(_LINE_FIELDS, _values(line), strict=True)
            if value is not None
        }
        for line in lines
    ]


def lines_from_plain(raw: object) -> tuple[Line, ...]:
    """The inverse of `lines_to_plain`; what a later release has added is passed over."""
    assert isinstance(raw, list)
    fields: list[dict[str, Any]] = [{k: from_plain(v) for k, v in item.items() if k in _LINE_NAMES} for item in raw]
    return tuple(Line(**item) for item in fields)


def shown(value: Value) -> str | None:
    """A value as a person reads it in the activity."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return decimal_text(value)
    return value.isoformat() if isinstance(value, date) else value
