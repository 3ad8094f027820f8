"""The vendor's JSON in Python: objects are dicts, money is Decimal, references are `{"value": id, "name": label}`."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from syncd.sandbox.quickbooks.errors import Fault

Json = dict[str, Any]

ZERO = Decimal(0)
CENT = Decimal("0.01")


def cents(value: Decimal) -> Decimal:
    """The value to the cent, halves away from zero."""
    return value.quantize(CENT, ROUND_HALF_UP)


def number(value: object, element: str) -> Decimal:
    """A JSON number, or a string that reads as one, exactly as written.

    Raises:
        Fault: 2090, it is something else.
    """
    if isinstance(value, Decimal | int | str) and not isinstance(value, bool):
        try:
            result = Decimal(value)
        except InvalidOperation:
            result = Decimal("NaN")
        if result.is_finite() and abs(result) < Decimal("1e13"):
            return result
    raise Fault("2090", f"Invalid Number : {value}", element)


def amount(fields: Json, key: str) -> Decimal:
    """A money field that may be missing (then 0)."""
    value = fields.get(key)
    return ZERO if value is None else number(value, key)


def ref_id(fields: Json, key: str) -> str | None:
    """The id a reference field points to, None when the field is missing or blank.

    Raises:
        Fault: 2030, the field holds no reference.
    """
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, dict):
        found = value.get("value")
        if found is None or found == "":
            return None
        if isinstance(found, str | int) and not isinstance(found, bool):
            return str(found)
    raise Fault("2030", f"Invalid ID : {key}", key)


def filled(fields: Json) -> Json:
    """An object as it is stored: a null or blank value clears a property, and properties without a value do not exist.

    The same holds for the objects in it, such as addresses; lists stay as they are.
    """
    pruned = {key: filled(value) if isinstance(value, dict) else value for key, value in fields.items()}
    return {key: value for key, value in pruned.items() if value not in (None, "", {})}


def ref(id: str, name: object = None) -> Json:
    """A reference as the vendor writes it."""
    return {"value": id} if name is None else {"value": id, "name": name}


def objects(value: object, element: str) -> list[Json]:
    """A list of objects, empty when missing.

    Raises:
        Fault: 2010, it is something else.
    """
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return value
    raise Fault("2010", f"Property Name:{element} is expected to be a list of objects", element)
