"""A value on its way to the other side: constants, value maps, and the type the other field has.

Content holds each side's values in its own terms, so two sides are compared by letting one cross over. A custom field
holds text, whatever its vendor calls its type: amounts without trailing zeros, days as `2026-12-24`, `true`, `false`.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from syncd.core.filter_values import FieldType
from syncd.core.outcome import Settled
from syncd.core.rules import Row
from syncd.model.references import Side
from syncd.model.values import Value, decimal_text

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def cross(row: Row, value: Value, source: Side) -> Value:
    """What a value of `source` is on the other side.

    Raises:
        Settled: `option_unknown` when the mapping's values do not know it, `field_value_invalid` when the other field
            cannot hold it.
    """
    if value is None:
        value = row.constant
    elif row.values:
        options = row.options(source)
        if (chosen := as_text(value)) not in options:
            raise Settled(
                "option_unknown", f"“{chosen}” has no value in {row.name}, which knows {', '.join(sorted(options))}."
            )
        value = options[chosen]
    target = row.type(source.other)
    if value is None or target is None:
        return value
    try:
        return as_type(value, target)
    except ValueError as error:
        raise Settled("field_value_invalid", f"{row.path(source.other)} needs {target}: {as_text(value)}") from error


def crosses_to(row: Row, value: Value, source: Side) -> tuple[Value, ...]:
    """As `cross`, for comparing: nothing where the value cannot go over."""
    try:
        return (cross(row, value, source),)
    except Settled:
        return ()


def as_text(value: Value) -> str:
    """A value in the one form texts have."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return decimal_text(value)
    return value.isoformat() if isinstance(value, date) else value.strip()


def as_type(value: Value, wanted: FieldType) -> Value:
    """The same value as a field of this type holds it.

    Raises:
        ValueError: it cannot.
    """
    text = as_text(value)
    match wanted:
        case FieldType.TEXT | FieldType.CUSTOM:
            return text
        case FieldType.AMOUNT:
            if not _NUMBER.fullmatch(text):
                raise ValueError(text)
            return Decimal(text)
        case FieldType.DAY:
            return date.fromisoformat(text)
        case FieldType.SWITCH:
            if text.casefold() not in ("true", "false"):
                raise ValueError(text)
            return text.casefold() == "true"
        case _:
            raise ValueError(text)  # no field of ours holds a moment
