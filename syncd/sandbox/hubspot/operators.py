"""The filter operators of search (search guide; what it leaves open is said where it is decided).

Text is compared without letter case, but IN and NOT_IN find lower-case values only; enumerations keep their case. An
empty property is matched by NOT_HAS_PROPERTY alone: NEQ, NOT_IN and NOT_CONTAINS_TOKEN pass it by (unconfirmed).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache

from syncd.sandbox.hubspot import shape
from syncd.sandbox.hubspot.errors import invalid
from syncd.sandbox.hubspot.schema import Property
from syncd.sandbox.hubspot.times import milliseconds, parse
from syncd.sandbox.hubspot.values import number

Test = Callable[[str | None], bool]
Comparable = str | Decimal | datetime

_WORD = re.compile(r"[^\W_]+")
_ORDERED: dict[str, Callable[[Comparable, Comparable], bool]] = {
    "LT": lambda a, b: a < b,  # type: ignore[operator]  # both sides are of the property's one type
    "LTE": lambda a, b: a <= b,  # type: ignore[operator]
    "GT": lambda a, b: a > b,  # type: ignore[operator]
    "GTE": lambda a, b: a >= b,  # type: ignore[operator]
}


def test_of(definition: Property, filter_: Mapping[str, object]) -> Test:
    """The test a filter makes of a property's text.

    Raises:
        ApiError: an unknown operator, or a value the property's type cannot have.
    """
    operator = shape.text(filter_.get("operator"), "operator")
    if operator == "HAS_PROPERTY":
        return lambda text: text is not None
    if operator == "NOT_HAS_PROPERTY":
        return lambda text: text is None
    return _of_present(_comparison(definition, operator, filter_))


def _of_present(test: Callable[[str], bool]) -> Test:
    return lambda text: text is not None and test(text)


def _comparison(definition: Property, operator: str, filter_: Mapping[str, object]) -> Callable[[str], bool]:
    if operator in ("IN", "NOT_IN"):
        return _membership(definition, operator, shape.texts(filter_.get("values"), "values"))
    value = shape.text(filter_.get("value"), "value")
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        wanted = operator == "CONTAINS_TOKEN"
        return lambda text: has_tokens(text, value) is wanted
    if operator in ("EQ", "NEQ"):
        same = _key(definition, value)
        return lambda text: (sort_key(definition, text) == same) is (operator == "EQ")
    if operator == "BETWEEN":
        low, high = _key(definition, value), _key(definition, shape.text(filter_.get("highValue"), "highValue"))
        above, below = _ORDERED["GTE"], _ORDERED["LTE"]
        return lambda text: above(sort_key(definition, text), low) and below(sort_key(definition, text), high)
    if operator in _ORDERED:
        bound, compare = _key(definition, value), _ORDERED[operator]
        return lambda text: compare(sort_key(definition, text), bound)
    raise invalid(f"{operator} is not an operator")


def _membership(definition: Property, operator: str, values: Sequence[str]) -> Callable[[str], bool]:
    if not values:
        raise invalid("values must not be empty")
    if definition.type == "string":
        # As given: a value with a capital letter is never found.
        chosen: set[Comparable] = set(values)
    else:
        chosen = {_key(definition, value) for value in values}
    return lambda text: (sort_key(definition, text) in chosen) is (operator == "IN")


def _key(definition: Property, value: str) -> Comparable:
    if definition.type == "number" and number(value) is None:
        raise invalid(f"{value} is not a number")
    if definition.type in ("date", "datetime") and parse(value) is None:
        raise invalid(f"{value} is not a date")
    return sort_key(definition, value)


def sort_key(definition: Property, text: str) -> Comparable:
    """What values of the property's type are compared by."""
    if definition.type == "number":
        return number(text) or Decimal(0)
    if definition.type in ("date", "datetime"):
        return _moment(text)
    return text if definition.type in ("enumeration", "bool") else text.lower()


@lru_cache(maxsize=200_000)
def _moment(text: str) -> datetime:
    # Kept, because a search by time goes through all records, and polls search by time.
    moment = parse(text)
    assert moment is not None, "dates are checked before they are kept"
    return milliseconds(moment)


def has_tokens(text: str, pattern: str) -> bool:
    """Every word of the pattern among the words of the text; `*` stands for any letters, also across words."""
    text, pattern = text.lower(), pattern.lower()
    words = _WORD.findall(text)
    if "*" in pattern:
        return any(fnmatchcase(each, pattern) for each in (text, *words))
    return set(_WORD.findall(pattern)) <= set(words)
