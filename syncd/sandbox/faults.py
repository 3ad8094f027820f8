"""Faults a test arms: which requests they meet, when they strike, and how often they did.

Everything is repeatable: a fault counts the requests it meets, and draws from random numbers of its own that begin at
its seed. Faults stand in the way in the order they were armed; one that stops a request hides it from the next.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from urllib.parse import unquote_plus

from syncd.sandbox.base import Request, Response, Vendor
from syncd.sandbox.delivery import Call, Delivery
from syncd.sandbox.effects import EFFECTS, Effect

WRITES_ONLY = {"maintenance"}

READING_POSTS = re.compile(r"/(search|read|query|token|bearer)$")
"""HubSpot's searches and batch reads, QuickBooks' queries, the token calls of both: POST, yet no record is changed."""


@runtime_checkable
class OwnFaults(Protocol):
    """A vendor with faults of its own kind, such as an error code on the n-th item of a batch."""

    def fault(self, name: str, options: Mapping[str, Any], request: Request, now: datetime) -> Response | None:
        """The answer under the fault `name`, or None when it does not apply to this request."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a fault meets.

    `path` is a regular expression from the path's first character on, so a plain prefix will do. `contains` is looked
    for in the query and the body, because QuickBooks has one path for the queries and batches of all kinds.
    """

    method: str = ""
    path: str = ""
    contains: str = ""

    def __post_init__(self) -> None:
        re.compile(self.path)

    def meets(self, request: Request) -> bool:
        """Whether the fault stands in this request's way."""
        return (
            self.method.upper() in ("", request.method)
            and re.match(self.path, request.path) is not None
            and (
                not self.contains
                or self.contains in unquote_plus(request.query)
                or self.contains.encode() in request.body
            )
        )


@dataclass(slots=True)
class Fault:
    """One armed fault. It strikes from the `nth` request it meets on, or with a probability, at most `times` times."""

    id: int
    vendor: str
    name: str
    match: Match
    effect: Effect
    options: Mapping[str, Any]
    nth: int | None
    probability: float | None
    times: int | None
    seed: int
    met: int = 0
    hits: int = 0
    _draw: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)  # noqa: S311 - repeatable on purpose

    def strikes(self, request: Request) -> bool:
        """Whether the fault acts on this request; counts it."""
        if not self.match.meets(request) or (self.name in WRITES_ONLY and not changes_something(request)):
            return False
        self.met += 1
        if self.times is not None and self.hits >= self.times:
            return False
        if self.nth is not None and self.met < self.nth:
            return False
        if self.probability is not None and self._draw.random() >= self.probability:
            return False
        self.hits += 1
        return True

    def row(self) -> Mapping[str, Any]:
        """The fault as the control route lists it."""
        names = ("id", "vendor", "nth", "probability", "times", "seed", "options", "met", "hits")
        match = {"method": self.match.method, "path": self.match.path, "contains": self.match.contains}
        return {"fault": self.name, "match": match, **{name: getattr(self, name) for name in names}}


class Faults:
    """The armed faults of all vendors, in the order they were armed. Ids are never given twice."""

    def __init__(self) -> None:
        self._armed: dict[int, Fault] = {}
        self._last_id = 0

    def rows(self) -> list[Mapping[str, Any]]:
        """What is armed, and how often each met a request and struck."""
        return [fault.row() for fault in self._armed.values()]

    def of(self, vendor: str) -> list[Fault]:
        """One vendor's faults."""
        return [fault for fault in self._armed.values() if fault.vendor == vendor]

    def arm(self, vendor: Vendor, order: Mapping[str, Any]) -> Fault:
        """Arm what the control call `POST /_sandbox/faults` orders.

        Raises:
            KeyError: no such fault.
            ValueError: the order or its options make no sense.
        """
        try:
            fault = _fault(self._last_id + 1, vendor, **order)
        except (TypeError, re.error) as error:
            raise ValueError(str(error)) from error
        self._last_id = fault.id
        self._armed[fault.id] = fault
        return fault

    def disarm(self, id: int) -> None:
        """Remove one fault; KeyError if there is none with this id."""
        del self._armed[id]

    def clear(self) -> None:
        """Remove all faults."""
        self._armed.clear()


def changes_something(request: Request) -> bool:
    """Whether the request is a write, told from its shape alone."""
    if request.method in ("GET", "HEAD") or READING_POSTS.search(request.path):
        return False
    queries_only = b'"Query"' in request.body and b'"operation"' not in request.body  # a QuickBooks batch of queries
    return not queries_only


def _fault(
    id: int,
    vendor: Vendor,
    *,
    fault: str,
    match: Mapping[str, str] | None = None,
    nth: int | None = None,
    probability: float | None = None,
    times: int | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Fault:
    if nth is not None and probability is not None:
        raise ValueError("a fault strikes by nth or by probability, not by both")
    for name, count in (("nth", nth), ("times", times)):
        if count is not None and (not isinstance(count, int) or count < 1):
            raise ValueError(f"{name} is a whole number from 1 on, not {count!r}")
    if probability is not None and not 0 <= probability <= 1:
        raise ValueError(f"a probability is between 0 and 1, not {probability}")
    if nth is not None and times is None:
        times = 1
    given = dict(options or {})
    effect = _effect(fault, vendor, given)
    return Fault(id, vendor.name, fault, Match(**(match or {})), effect, given, nth, probability, times, seed)


def _effect(name: str, vendor: Vendor, options: Mapping[str, Any]) -> Effect:
    if name in EFFECTS:
        return EFFECTS[name](**options)
    if isinstance(vendor, OwnFaults):
        own = vendor
        return lambda call: _own_fault(own, name, options, call)
    raise KeyError(f"{vendor.name} knows no fault {name}")


def _own_fault(vendor: OwnFaults, name: str, options: Mapping[str, Any], call: Call) -> Delivery:
    response = vendor.fault(name, options, call.request, call.now)
    return call.proceed() if response is None else Delivery(response)
