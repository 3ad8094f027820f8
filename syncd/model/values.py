"""The values a field can hold, and their one canonical text form.

Decimals keep their digits but not their trailing zeros when compared: `10.0` and `10.00` are the same amount. The
canonical form is what digests are made of and what is stored; it must never change its meaning silently, so it carries
a version: a release that canonicalises differently recomputes digests instead of seeing changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

Value = None | str | bool | Decimal | date | datetime
"""One field. `datetime` values are aware and in UTC."""

CANONICAL_VERSION = "1"

_AS_THEY_ARE = frozenset((str, bool, type(None)))  # in JSON


def plain(value: Value) -> str | bool | dict[str, str] | None:
    """A value as JSON: text, booleans and null as they are, the rest tagged so that `from_plain` gives it back."""
    if value is None or value.__class__ is str or isinstance(value, str | bool):
        return value  # its class first: a union is slow to be looked through, and this is asked for every field
    if isinstance(value, Decimal):
        return {"decimal": decimal_text(value)}
    if isinstance(value, datetime):
        return {"time": value.astimezone(UTC).isoformat()}
    return {"date": value.isoformat()}


def from_plain(raw: object) -> Value:
    """The inverse of `plain`.

    Raises:
        ValueError: not something `plain` makes.
    """
    if raw.__class__ in _AS_THEY_ARE:
        return raw  # type: ignore[return-value] # what is in there
    if isinstance(raw, dict) and len(raw) == 1:
        ((tag, text),) = raw.items()
        if tag == "decimal":
            return Decimal(text)
        if tag == "date":
            return date.fromisoformat(text)
        if tag == "time":
            return datetime.fromisoformat(text)
    raise ValueError(f"not a stored value: {raw!r}")


def decimal_text(amount: Decimal) -> str:
    """An amount without exponent and without trailing zeros: `10.50` gives `10.5`, `1E+3` gives `1000`."""
    text = str(amount)
    if "E" in text:
        text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def digest(content: object) -> str:
    """A short hash of canonical JSON content (mappings, sequences and values).

    Returns:
        `<canonicaliser version>:<32 hex digits>`.
    """
    text = json.dumps(_canonical(content), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return f"{CANONICAL_VERSION}:{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"


def _canonical(content: object) -> object:
    if isinstance(content, Mapping):
        # A field without a value and a field that is not there mean the same.
        return {str(key): _canonical(value) for key, value in content.items() if value is not None}
    if isinstance(content, Decimal | date):
        return plain(content)
    if isinstance(content, str) or content is None or isinstance(content, bool | int):
        return content
    if isinstance(content, Sequence):
        return [_canonical(item) for item in content]
    raise TypeError(f"cannot canonicalise {type(content).__name__}")
