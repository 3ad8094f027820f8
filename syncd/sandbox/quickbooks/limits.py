"""Throttling as the vendor does it: so many requests and batches in the last minute and second, else 429."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from syncd.sandbox.quickbooks.errors import Fault
from syncd.sandbox.quickbooks.settings import Settings

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


class Limits:
    """The requests let through lately. Ten requests at the same time cannot happen here: each is answered at once."""

    def __init__(self) -> None:
        self._requests: deque[datetime] = deque()
        self._batches: deque[datetime] = deque()

    def check(self, settings: Settings, now: datetime, *, batch: bool) -> None:
        """Count one request, or raise 3001."""
        if not settings.limits:
            return
        for calls in (self._requests, self._batches):
            while calls and calls[0] <= now - MINUTE:
                calls.popleft()
        last_second = sum(1 for at in self._requests if at > now - SECOND)
        if (
            len(self._requests) >= settings.limit_per_minute
            or last_second >= settings.limit_per_second
            or (batch and len(self._batches) >= settings.limit_batches_per_minute)
        ):
            raise Fault("3001", "The request limit was reached.  Try again later")
        self._requests.append(now)
        if batch:
            self._batches.append(now)
