"""What a vendor that sends webhooks is: news, the words it is told in, and settings for how badly it is carried.

The vendor says what happened and how a request about it looks; `outgoing.py` says when which request is due.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, Self, runtime_checkable

PREFIX = "webhook_"
"""What the settings here are called by begins with it: `webhook_url`, `webhook_drop` ..."""

# The sandbox never calls out, so only addresses of this machine are targets.
_TARGET = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?(/[!-\"$-\[\]-~]*)?")


@dataclass(frozen=True)
class Settings:
    """How webhooks are sent. Faults are drawn for each event from random numbers that begin at `seed`."""

    url: str = ""  # where to; nothing is sent, and nothing kept, while it is empty
    timeout: float = 5.0  # seconds the receiver has for its answer
    parallel: int = 10  # requests on their way at the same time
    retry_scale: float = 1.0  # the vendor's waits before retries are multiplied by it
    drop: float = 0.0  # probability that an event is never sent
    duplicate: float = 0.0  # probability that an event is sent twice, in the same request or soon after
    delay: float = 0.0  # seconds between the write and the first try
    reorder: bool = False  # events overtake each other, within requests and across them
    seed: int = 0  # setting it, to the same number too, begins the random numbers anew

    def __post_init__(self) -> None:
        if self.url and not _TARGET.fullmatch(self.url):
            raise ValueError(f"webhooks go to http addresses of this machine only, not to {self.url!r}")
        for name in ("drop", "duplicate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{PREFIX}{name} is a probability")
        if not (self.timeout > 0 and self.retry_scale > 0 and self.parallel >= 1 and self.delay >= 0):
            raise ValueError("times are not negative, and there is at least one request at a time")

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """The settings with some changed, named with their prefix.

        Raises:
            KeyError: no such setting.
            ValueError: a value of the wrong type or out of range.
        """
        known = {PREFIX + each.name: getattr(self, each.name) for each in fields(self)}
        taken = {name.removeprefix(PREFIX): _fitting(name, value, known[name]) for name, value in changes.items()}
        return replace(self, **taken)

    def shown(self) -> Mapping[str, Any]:
        """Every setting under its prefixed name."""
        return {PREFIX + each.name: getattr(self, each.name) for each in fields(self)}


def one_of(name: str, value: str, possible: Sequence[str]) -> None:
    """ValueError unless the setting has one of these values."""
    if value not in possible:
        raise ValueError(f"{PREFIX}{name} is one of {', '.join(possible)}, not {value!r}")


def _fitting(name: str, value: Any, known: object) -> Any:
    if isinstance(known, float) and isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(known) or (isinstance(value, list) and not all(isinstance(e, str) for e in value)):
        raise ValueError(f"{name} takes {type(known).__name__}, not {value!r}")
    return value


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened at the vendor. `content` is for the announcer that made it."""

    at: datetime
    content: Mapping[str, Any]


class Announcer(Protocol):
    """One vendor's webhooks. `most`: events in a request."""

    settings: Settings
    most: int

    @property
    def holds_back(self) -> bool:
        """Whether later events wait until the request before them was acknowledged."""

    def news(self) -> Sequence[Event]:
        """What happened since the last call and somebody subscribed to; nothing while there is no target."""

    def leaves(self, at: datetime) -> datetime:
        """When an event of that moment is sent, if nothing delays it."""

    def pause(self, retries: int, luck: float) -> timedelta | None:
        """The wait before the next retry when so many were made; None gives up. `luck`: a random number below 1."""

    def body(self, events: Sequence[Event], attempt: int) -> bytes:
        """One request's body; `attempt` counts from 0."""

    def headers(self, body: bytes, at: datetime) -> Mapping[str, str]:
        """One request's headers, signed."""


@runtime_checkable
class Announcing(Protocol):
    """A vendor that sends webhooks."""

    def announcer(self) -> Announcer:
        """Its webhooks from now on; asked for once after each reset."""
