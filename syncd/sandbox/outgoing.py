"""One vendor's webhooks on their way: what is due now, what became of it, what is tried again. No socket is needed.

All times are the vendors'.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, islice
from random import Random
from urllib.parse import urlsplit

from syncd.sandbox.webhooks import Announcer, Event, Settings

REMEMBERED_ATTEMPTS = 100_000

SPREAD = timedelta(seconds=1)
"""How far apart a duplicate or an overtaken event can come."""


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """One POST to make now. `number` counts the tries for these events from 0, `timeout` is in real seconds."""

    vendor: str
    number: int
    at: datetime
    url: str
    headers: dict[str, str]
    body: bytes
    timeout: float
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Sent:
    """One finished try in the log. `status`: 0 when there was no answer, which `error` then explains."""

    seq: int
    vendor: str
    at: datetime
    path: str
    status: int
    error: str
    attempt: int
    events: int


class SentLog:
    """What all vendors sent, in the order the answers came."""

    def __init__(self) -> None:
        self._rows: deque[Sent] = deque(maxlen=REMEMBERED_ATTEMPTS)
        self._numbers = count(1)

    def add(self, vendor: str, at: datetime, url: str, status: int, error: str, attempt: int, events: int) -> None:
        """Append one try, or one event that was dropped on purpose."""
        path = urlsplit(url).path or "/"
        self._rows.append(Sent(next(self._numbers), vendor, at, path, status, error, attempt, events))

    def rows(self, after: int = 0) -> Sequence[Sent]:
        """The log from the row after number `after` on, as far as it is remembered."""
        if not self._rows:
            return ()
        return tuple(islice(self._rows, max(0, after + 1 - self._rows[0].seq), None))


@dataclass(order=True, slots=True)
class _Waiting:
    """Events until they are due. Fresh ones wait alone, those of a request that failed stay together."""

    due: datetime
    order: int
    events: Sequence[Event] = field(compare=False)
    attempt: int = field(compare=False, default=0)


class Outgoing:
    """The queue of one vendor."""

    def __init__(self, vendor: str, announcer: Announcer, log: SentLog) -> None:
        self._vendor, self._announcer, self._log = vendor, announcer, log
        self._fresh: list[_Waiting] = []
        self._failed: list[_Waiting] = []
        self._flying: set[Attempt] = set()
        self._order = count()
        self._seed()

    @property
    def settings(self) -> Settings:
        """How they are sent; change them with `configure`."""
        return self._announcer.settings

    def configure(self, settings: Settings, *, reseed: bool) -> None:
        """Send in another way from now on. Without a target, everything that still waits is forgotten."""
        self._announcer.settings = settings
        if not settings.url:
            self._fresh.clear()
            self._failed.clear()
        if reseed:
            self._seed()

    def collect(self) -> None:
        """Queue what happened at the vendor."""
        for event in self._announcer.news():
            self._take(event)

    def due(self, at: datetime) -> list[Attempt]:
        """The requests to be made now. Each has to be reported to `answered`."""
        attempts: list[Attempt] = []
        while len(self._flying) < self.settings.parallel:
            attempt = self._again(at) or self._first(at)
            if attempt is None:
                break
            self._flying.add(attempt)
            attempts.append(attempt)
        return attempts

    def next_due(self) -> datetime | None:
        """When `due` has something again, unless an answer comes before."""
        if len(self._flying) >= self.settings.parallel:
            return None
        waiting = self._failed[:1] + ([] if self._held_back() else self._fresh[:1])
        return min((each.due for each in waiting), default=None)

    def answered(self, attempt: Attempt, status: int, error: str, at: datetime) -> None:
        """Take in how a request ended: an HTTP status, or 0 and the reason why there is none."""
        if attempt not in self._flying:
            return  # sent before a reset
        self._flying.remove(attempt)
        self._log.add(self._vendor, attempt.at, attempt.url, status, error, attempt.number, len(attempt.events))
        if 200 <= status < 300 or not self.settings.url:
            return
        pause = self._announcer.pause(attempt.number, self._luck.random())
        if pause is not None:
            due = at + pause * self.settings.retry_scale
            heapq.heappush(self._failed, _Waiting(due, next(self._order), attempt.events, attempt.number + 1))

    def _seed(self) -> None:
        # Answers come in any order, so retries draw from numbers of their own and leave the events' fate repeatable.
        self._fate, self._luck = Random(self.settings.seed), Random(self.settings.seed)  # noqa: S311

    def _take(self, event: Event) -> None:
        settings = self.settings
        lost, doubled, place, lag = (
            self._fate.random() for _ in range(4)
        )  # all of them, so that settings do not shift
        if lost < settings.drop:
            self._log.add(self._vendor, event.at, settings.url, 0, "dropped", 0, 1)
            return
        due = self._announcer.leaves(event.at) + timedelta(seconds=settings.delay)
        if settings.reorder:
            due += place * SPREAD
        self._wait(due, event)
        if doubled < settings.duplicate:
            self._wait(due + max(0.0, 2 * lag - 1) * SPREAD, event)  # every other one at the same moment

    def _wait(self, due: datetime, event: Event) -> None:
        heapq.heappush(self._fresh, _Waiting(due, next(self._order), (event,)))

    def _held_back(self) -> bool:
        return self._announcer.holds_back and bool(self._flying or self._failed)

    def _first(self, at: datetime) -> Attempt | None:
        events: list[Event] = []
        most = 0 if self._held_back() else self._announcer.most
        while len(events) < most and self._fresh and self._fresh[0].due <= at:
            events.extend(heapq.heappop(self._fresh).events)
        return self._attempt(events, 0, at) if events else None

    def _again(self, at: datetime) -> Attempt | None:
        if not self._failed or self._failed[0].due > at:
            return None
        waiting = heapq.heappop(self._failed)
        return self._attempt(waiting.events, waiting.attempt, at)

    def _attempt(self, events: Sequence[Event], number: int, at: datetime) -> Attempt:
        body = self._announcer.body(events, number)
        headers = {"Content-Type": "application/json", **self._announcer.headers(body, at)}
        return Attempt(self._vendor, number, at, self.settings.url, headers, body, self.settings.timeout, events)
