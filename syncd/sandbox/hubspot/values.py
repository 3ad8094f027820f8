"""From what a client sends to the text HubSpot keeps: every property value is text, whatever its type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from syncd.sandbox.hubspot.errors import BadProperty
from syncd.sandbox.hubspot.schema import Property
from syncd.sandbox.hubspot.times import milliseconds, parse, stamp

_WIDE = Context(prec=80, rounding=ROUND_HALF_UP)  # wide enough for the product of any two accepted numbers
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class BadValue(Exception):
    """A value that does not fit its property."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def to_text(definition: Property, raw: object) -> str | None:
    """The stored text; null and the empty string clear a value.

    Raises:
        BadValue: the value does not fit the property's type.
    """
    text = _plain(raw)
    if text is None or text == "":
        return None
    return _BY_TYPE[definition.type](definition, text)


def _plain(raw: object) -> str | None:
    if raw is None or isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int):
        return str(raw)
    if isinstance(raw, Decimal):
        return format(raw, "f")
    raise BadValue("INVALID_TYPE", "the value must be text, a number or a boolean")


def _string(definition: Property, text: str) -> str:
    if definition.name != "email":
        return text
    text = text.strip().lower()
    if not _EMAIL.fullmatch(text):
        raise BadValue("INVALID_EMAIL", f"Email address {text} is invalid")
    return text


def _number(definition: Property, text: str) -> str:
    if number(text) is None:
        raise BadValue("INVALID_LONG", f"{text} was not a valid number.")
    return text.strip()


def _datetime(definition: Property, text: str) -> str:
    moment = parse(text)
    if moment is None:
        raise BadValue("INVALID_DATE", f"{text} was not a valid date.")
    return stamp(milliseconds(moment))


def _date(definition: Property, text: str) -> str:
    moment = parse(text)
    if moment is None or (moment.hour, moment.minute, moment.second, moment.microsecond) != (0, 0, 0, 0):
        raise BadValue("INVALID_DATE", f"{text} was not a valid date: midnight UTC is required.")
    return f"{moment:%Y-%m-%d}"


def _choice(definition: Property, text: str) -> str:
    chosen = text.split(";") if definition.field_type == "checkbox" else [text]
    if not definition.external_options and not set(chosen) <= set(definition.choices):
        allowed = ", ".join(definition.choices)
        raise BadValue("INVALID_OPTION", f"{text} was not one of the allowed options: [{allowed}]")
    return text


def _bool(definition: Property, text: str) -> str:
    if text.lower() not in ("true", "false"):
        raise BadValue("INVALID_OPTION", f"{text} was not one of the allowed options: [true, false]")
    return text.lower()


_BY_TYPE = {
    "string": _string,
    "number": _number,
    "datetime": _datetime,
    "date": _date,
    "enumeration": _choice,
    "bool": _bool,
}


def number(text: str | None) -> Decimal | None:
    """A finite number of a size HubSpot could keep, or None."""
    if text is None or len(text) > 40:
        return None
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < Decimal("1e18") else None


def rounded(value: Decimal, digits: int = 2) -> str:
    """The text of an amount, half a unit rounded away from zero."""
    return format(_WIDE.quantize(value, Decimal(1).scaleb(-digits)), "f")


def normalised(rules: Mapping[str, object], name: str, text: str | None) -> str | None:
    """What a portal that trims, cuts or rounds keeps of a text the API sent (setting `normalise`)."""
    if text is None:
        return None
    if rules.get("trim"):
        text = text.strip()
    length = _rule(rules, "truncate", name)
    if length is not None:
        text = text[:length]
    digits = _rule(rules, "round", name)
    value = number(text)
    if digits is not None and value is not None:
        text = rounded(value, digits)
    return text or None


def _rule(rules: Mapping[str, object], rule: str, name: str) -> int | None:
    by_name = rules.get(rule)
    figure = by_name.get(name) if isinstance(by_name, dict) else None
    return figure if isinstance(figure, int) else None


def bad(definition: Property, raw: object, error: BadValue) -> BadProperty:
    return BadProperty(definition.name, error.code, str(error), raw if isinstance(raw, str) else None)
