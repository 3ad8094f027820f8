"""What is counted while the daemon runs, in memory: plain numbers, taken where things happen, shown by `/metrics`.

Everything is counted by connection; whoever shows it knows the vendors. A restart begins again at zero.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import anyio

from syncd.clock import Clock
from syncd.connectors.base import Advanced, Done, NotDone, Outcome, Refused, Stale, Unknown
from syncd.connectors.http import HttpReply, HttpRequest, NotSent, TlsFailed, Transport, clock_ahead
from syncd.feed.received import Received
from syncd.model.record import Intent, IntentState

OUTCOMES: Mapping[type, str] = {
    Done: "done",
    Refused: "refused",
    Stale: "stale",
    NotDone: "postponed",
    Unknown: "unknown",
}
"""What may become of a write. One that has only come a step further is not over."""
ANSWERS = ("2xx", "3xx", "4xx", "5xx", "lost", "not_sent", "tls_failed")
"""How a call may end."""
CALL_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds, as OpenTelemetry recommends them for HTTP."""
BOUNDS = (*CALL_BOUNDS, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
MOST_NOTICED = 20_000  # records whose beginning is remembered; of more the first are forgotten
LAG_SECONDS = 60  # how long the worst lag is remembered


@dataclass(slots=True)
class Histogram:
    """Durations in seconds, counted by the bounds they stay within; the last count is of those beyond all."""

    bounds: tuple[float, ...] = BOUNDS
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class Meters:
    """All counts of one engine.

    Attributes:
        writes: by connection, operation and outcome. attempts: by connection and operation, every time one went out.
        calls: durations by connection and class of the answer. limited: answers that said we call too often.
        polled: entities that polls found changed. ahead: by how many seconds each vendor's clock was ahead of ours.
        violations: broken invariants, by what found them. receipts: webhooks, by connection.
        lag: the longest the event loop was late within a minute, in seconds.
    """

    writes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    attempts: Counter[tuple[str, str]] = field(default_factory=Counter)
    calls: dict[tuple[str, str], Histogram] = field(default_factory=dict)
    limited: Counter[str] = field(default_factory=Counter)
    polled: Counter[str] = field(default_factory=Counter)
    ahead: dict[str, float] = field(default_factory=dict)
    violations: Counter[str] = field(default_factory=Counter)
    propagation: dict[tuple[str, str], Histogram] = field(default_factory=dict)
    receipts: Mapping[str, Received] = field(default_factory=dict)
    lag: float = 0.0
    _noticed: OrderedDict[str, datetime] = field(default_factory=OrderedDict)

    def called(self, connection: str, answer: str, seconds: float) -> None:
        """A vendor was called."""
        self.calls.setdefault((connection, answer), Histogram(CALL_BOUNDS)).add(seconds)

    def sent(self, intents: Iterable[Intent]) -> None:
        """These writes went out."""
        self.attempts.update((intent.connection, str(intent.op)) for intent in intents)

    def settled(self, intents: Mapping[str, Intent], outcomes: Iterable[Outcome], now: datetime) -> None:
        """What became of writes (by id) is stored. Looking once more at an outcome that is unknown counts once."""
        for outcome in outcomes:
            intent = intents[outcome.intent]
            if isinstance(outcome, Advanced) or (isinstance(outcome, Unknown) and intent.state is IntentState.UNKNOWN):
                continue
            self.writes[intent.connection, str(intent.op), OUTCOMES[type(outcome)]] += 1
            if isinstance(outcome, Done):
                began = self._noticed.pop(intent.record, intent.created_at)
                histogram = self.propagation.setdefault((intent.sync, intent.flow), Histogram())
                histogram.add(max(0.0, (now - began).total_seconds()))

    def noticed(self, record: str, at: datetime) -> None:
        """A change that is to be carried over was first heard of at this moment."""
        self._noticed.setdefault(record, at)
        if len(self._noticed) > MOST_NOTICED:
            self._noticed.popitem(last=False)

    async def watch_loop(self) -> None:
        """Measure how late the event loop is, until cancelled."""
        clock, lately = asyncio.get_running_loop().time, deque[float](maxlen=LAG_SECONDS)
        while True:
            before = clock()
            await anyio.sleep(1)
            lately.append(max(0.0, clock() - before - 1))
            self.lag = max(lately)


class Metered:
    """A `Transport` whose calls are counted."""

    def __init__(self, transport: Transport, connection: str, meters: Meters, clock: Clock) -> None:
        self._transport = transport
        self._connection = connection
        self._meters = meters
        self._clock = clock

    async def send(self, request: HttpRequest) -> HttpReply:
        began, answer = self._clock.monotonic(), "lost"
        try:
            reply = await self._transport.send(request)
            answer = f"{reply.status // 100}xx"
        except NotSent:
            answer = "not_sent"
            raise
        except TlsFailed:
            answer = "tls_failed"
            raise
        finally:
            self._meters.called(self._connection, answer, self._clock.monotonic() - began)
        if reply.status == 429:
            self._meters.limited[self._connection] += 1
        if (ahead := clock_ahead(reply, self._clock)) is not None:
            self._meters.ahead[self._connection] = ahead
        return reply

    async def close(self) -> None:
        await self._transport.close()
