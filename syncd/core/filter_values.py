"""The types of fields a filter can name, how its values are read, and how two values are compared."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum, StrEnum
from typing import TypeVar, get_args, get_type_hints

from syncd.model.nouns import Noun, Party, field_names
from syncd.model.values import Value

CUSTOMER = "customer."
CUSTOM = "custom."


class FieldType(StrEnum):
    """What kind of values a field holds, in the words of a message."""

    TEXT = "a text"
    AMOUNT = "a number"
    DAY = "a date"
    MOMENT = "a date or time"
    SWITCH = "true or false"
    CUSTOM = "a text, number, date, or true or false"


@dataclass(frozen=True, slots=True)
class Field:
    """A field's type; `choices` are all it can hold, when they are fixed."""

    type: FieldType
    choices: tuple[str, ...] = ()


SNAPSHOT_FIELDS = {
    "created": Field(FieldType.MOMENT),
    "modified": Field(FieldType.MOMENT),
    "source": Field(FieldType.TEXT),
}
_TYPES = {str: FieldType.TEXT, Decimal: FieldType.AMOUNT, date: FieldType.DAY, bool: FieldType.SWITCH}

Ordered = TypeVar("Ordered", str, Decimal, date, bool)


def fields_of(noun: type[Noun]) -> Mapping[str, Field]:
    """Every plain field a filter on this noun can name; fields of the associated party are `customer.<field>`."""
    hints = get_type_hints(noun)
    fields = {name: _field(hints[name]) for name in sorted(field_names(noun))} | SNAPSHOT_FIELDS
    if "customer" in fields:
        fields |= {CUSTOMER + name: field for name, field in fields_of(Party).items() if name not in SNAPSHOT_FIELDS}
    return fields


def field_of(noun: type[Noun], path: str) -> Field | None:
    """The field a path names; None if there is none. Custom fields are known only to the vendor, so any name goes."""
    inner = path.removeprefix(CUSTOMER) if CUSTOMER + "name" in fields_of(noun) else path
    if inner.startswith(CUSTOM) and inner != CUSTOM:
        return Field(FieldType.CUSTOM)
    return fields_of(noun).get(path)


def _field(hint: object) -> Field:
    (type_,) = [part for part in (get_args(hint) or (hint,)) if part is not type(None)]
    if issubclass(type_, Enum):
        return Field(FieldType.TEXT, tuple(member.value for member in type_))
    return Field(_TYPES[type_])


def convert(raw: object, field: Field) -> Value:
    """A configured (or custom) value as the field's type.

    Raises:
        ValueError: it is none; the message completes "needs ...".
    """
    value = _converted(raw, field.type)
    if value is None or value == "":
        raise ValueError(field.type.value)
    if field.choices and value not in field.choices:
        raise ValueError(f"one of {', '.join(field.choices)}")
    return value


def _converted(raw: object, type_: FieldType) -> Value:
    match type_:
        case FieldType.TEXT:
            return raw if isinstance(raw, str) else None
        case FieldType.AMOUNT:
            return None if isinstance(raw, bool | date) else _amount(str(raw))
        case FieldType.DAY:
            return _moment(raw) if not isinstance(_moment(raw), datetime) else None
        case FieldType.MOMENT:
            return _moment(raw)
        case FieldType.SWITCH:
            return {"true": True, "false": False}.get(str(raw).lower())
        case FieldType.CUSTOM:
            return raw if isinstance(raw, str | bool) else _amount_or_moment(raw)


def ordering_value(raw: object) -> Value:
    """A custom field's value for `<` and its like: a number, a date or a time.

    Raises:
        ValueError: it is neither.
    """
    value = None if isinstance(raw, bool) else _amount_or_moment(raw)
    if value is None:
        raise ValueError("a number, a date or a time")
    return value


def _amount_or_moment(raw: object) -> Value:
    amount = _amount(str(raw))
    return _moment(raw) if amount is None else amount


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _moment(raw: object) -> date | None:
    """A day, or an aware time; a time without a zone is taken as UTC."""
    made: date
    if isinstance(raw, date):
        made = raw
    else:
        try:
            text = str(raw).strip()
            made = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
        except ValueError:
            return None
    if isinstance(made, datetime):
        try:
            return made.replace(tzinfo=UTC) if made.tzinfo is None else made.astimezone(UTC)
        except OverflowError:  # beyond all calendars
            return None
    return made


def compare(actual: Value, wanted: Value) -> int | None:
    """-1, 0 or 1 as the actual value is below, at or above the wanted one; None when they cannot be compared.

    A text is read as the other one's type: custom fields often hold numbers and dates as text.
    """
    one, other = _same_type(actual, wanted)
    if isinstance(one, bool) and isinstance(other, bool):
        return _sign(one, other)
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return _sign(one, other)
    if isinstance(one, date) and isinstance(other, date):
        return _sign(one, other)
    if isinstance(one, str) and isinstance(other, str):
        return _sign(folded(one), folded(other))
    return None


def folded(text: str) -> str:
    """A text without its case, composed alike however it was typed."""
    return unicodedata.normalize("NFC", text).casefold()


def _sign(one: Ordered, other: Ordered) -> int:
    return (one > other) - (one < other)


def _same_type(one: Value, other: Value) -> tuple[Value, Value]:
    if isinstance(one, str) and not isinstance(other, str):
        one = _converted(one, _type_of(other))
    elif isinstance(other, str) and not isinstance(one, str):
        other = _converted(other, _type_of(one))
    if isinstance(one, datetime) is not isinstance(other, datetime):
        return _day(one), _day(other)
    return one, other


def _type_of(value: Value) -> FieldType:
    return FieldType.MOMENT if isinstance(value, datetime) else _TYPES.get(type(value), FieldType.TEXT)


def _day(value: Value) -> Value:
    return value.astimezone(UTC).date() if isinstance(value, datetime) else value
