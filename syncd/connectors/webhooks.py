"""What a vendor's webhook is to the engine: a signed request that names entities, or one that is refused.

`verify_webhook` of each vendor is a pure function. An event only names an entity; whatever values it carries are never
used, the entity is read again. So nothing here is trusted beyond ids made of digits.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from syncd.model.references import Kind

_ID = re.compile(r"[0-9]{1,32}")
_INTEGER_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class RawWebhook:
    """A request as it came, but for its address.

    Attributes:
        url: the public address the vendor was given; from the configuration, never from the request.
        headers: by names in lower case.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One entity that an event names.

    Attributes:
        account: the vendor's account id; one app sends the events of all its accounts.
        event: tells the event from all others. Several hints of one event share it.
        grain: seconds within which another event may look exactly the same.
        after: seconds to wait before the entity is read. erase: a person asked to be forgotten.
    """

    account: str
    kind: Kind
    id: str
    event: bytes
    grain: float = 0.0
    after: float = 0.0
    erase: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a genuine webhook says. `events` is how many it holds, `ignored` how many of them are of no use."""

    hints: tuple[Hint, ...]
    events: int
    ignored: int


class Reason(StrEnum):
    """Why a webhook is refused."""

    SIGNATURE = "signature"  # missing, wrong, or made with another secret
    STALE = "stale"  # rightly signed, at another time
    MALFORMED = "malformed"  # rightly signed, and not what this vendor sends


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing in the request may be used."""

    reason: Reason


Verify = Callable[[RawWebhook, datetime], Told | Refusal]
"""A vendor's `verify_webhook` with one connection's secrets and options."""


def matches(given: str, expected: Iterable[bytes]) -> bool:
    """Whether a signature is one of these; takes as long whether and wherever it differs."""
    raw = given.encode("utf-8", "replace")
    return sum(hmac.compare_digest(raw, each) for each in expected) > 0  # a sum, so that none is passed over


def decoded(body: bytes) -> Any:
    """JSON of which no two readers could think differently.

    Raises:
        ValueError, RecursionError: no UTF-8, no JSON, a number that is none or absurdly long, a key given twice.
    """
    return json.loads(
        body.decode(),
        object_pairs_hook=_without_doubles,
        parse_constant=_refuse,
        parse_float=str,  # none is used, and an enormous exponent costs nothing as text
        parse_int=_integer,
    )


def identity(*parts: object) -> bytes:
    """A hash of what tells an event from all others.

    Raises:
        ValueError, RecursionError: text that cannot be written (half a surrogate pair), or too deep a nesting.
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=16).digest()


def events(listed: object) -> list[dict[str, Any]]:
    """A list of JSON objects.

    Raises:
        ValueError: something else.
    """
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise ValueError("no list of objects")
    return listed


def entity_id(raw: object) -> str | None:
    """An id as text; None for anything but digits, be they written as a number or as text."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = str(raw)
    return raw if isinstance(raw, str) and _ID.fullmatch(raw) else None


def text(raw: object) -> str:
    """A text; empty for anything else."""
    return raw if isinstance(raw, str) else ""


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is given twice")
    return made


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _integer(digits: str) -> int:
    if len(digits) > _INTEGER_DIGITS:
        raise ValueError("an absurdly long number")
    return int(digits)
