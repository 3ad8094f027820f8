"""What every vendor of the sandbox is: a function from a request and a time to a response, plus a journal.

A vendor holds its own rules and data in plain Python values and never reads a clock, opens a socket or draws a random
number: `now` and the random source are handed in. So the same vendor answers real HTTP (`server.py`) and an in-process
simulation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, Protocol
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as a vendor sees it. `path` has no vendor prefix, header names are lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def args(self) -> dict[str, str]:
        """The query string's parameters; of a repeated name the last one counts."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer of a vendor."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def decode_json(body: bytes) -> Any:
    """JSON with every number that has a fraction or exponent as the exact Decimal of its literal."""
    return json.loads(body, parse_float=Decimal)


def encode_json(value: object) -> bytes:
    """The counterpart of `decode_json`: Decimals leave as JSON numbers, digit for digit."""
    return _text(value).encode()


def _text(value: object) -> str:
    # The standard library cannot print a Decimal as a number, so containers are walked here and leaves are left to it.
    # Whole accounts go through this: what is frequent is asked for first.
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list | tuple):
        return "[" + ",".join([_text(each) for each in value]) + "]"
    if isinstance(value, dict | Mapping):  # in this order: the abstract class is slow to ask
        return "{" + ",".join([f"{encode_basestring(str(key))}:{_text(each)}" for key, each in value.items()]) + "}"
    return json.dumps(value)


@dataclass(slots=True)
class Entry:
    """One accepted write: what the vendor's own audit log would show. `caller` is `api:<token name>` or `person`."""

    seq: int
    at: datetime
    caller: str
    operation: str
    kind: str
    id: str
    fields: Mapping[str, Any]
    key: str | None = None


class Journal:
    """The append-only list of accepted writes of one vendor: the ground truth checkers judge by."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(
        self,
        at: datetime,
        caller: str,
        operation: str,
        kind: str,
        id: str,
        fields: Mapping[str, Any],
        key: str | None = None,
    ) -> None:
        """Append one accepted write. `key` is the idempotency key it came with, if any."""
        self.entries.append(Entry(len(self.entries) + 1, at, caller, operation, kind, id, fields, key))


class Refusal(Exception):
    """A person's hand was refused by the vendor's own rules. Carries the words the vendor's screen would show."""


class Vendor(Protocol):
    """One vendor: `handle` for its API, the rest for the control routes under `/_sandbox`."""

    name: str
    journal: Journal

    def handle(self, request: Request, now: datetime) -> Response:
        """Answer one API request by the vendor's rules. Never raises for anything a client can send."""

    def person(self, op: str, kind: str, id: str | None, fields: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
        """What a person does on the vendor's screen; returns the record as it is afterwards.

        Raises:
            Refusal: the vendor's rules forbid it.
        """

    def records(self, kind: str) -> list[Mapping[str, Any]]:
        """Ground truth: every record of a kind, deleted ones included and marked, in the vendor's own JSON."""

    def settings(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change settings (unknown names raise KeyError) and return all of them."""

    def credentials(self) -> Mapping[str, str]:
        """What a client needs to connect: names and values for a configuration file."""

    def reset(self) -> None:
        """Start again from the seed data, with an empty journal and default settings."""
