"""Rate limits: rolling windows and the day's counter (HubSpot usage guidelines)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from syncd.sandbox.hubspot.errors import ApiError
from syncd.sandbox.hubspot.settings import Settings


class Meter:
    """Counts requests; refused ones count too. Search and associations have windows of their own."""

    def __init__(self) -> None:
        self.today = 0
        self._day: date | None = None
        self._windows: dict[str, deque[datetime]] = {}

    def count(self, bucket: str, settings: Settings, now: datetime) -> None:
        """Take one request into the books.

        Raises:
            ApiError: 429, only when limits are switched on.
        """
        if now.date() != self._day:  # the account's time zone is UTC; the real zone of the reset is unconfirmed
            self._day, self.today = now.date(), 0
        self.today += 1
        seen = self._window(bucket, settings, now)
        seen.append(now)
        if not settings.limits:
            return
        if self.today > settings.daily_limit:
            raise too_many("daily", "DAILY")
        if len(seen) > _figures(bucket, settings)[0]:
            raise too_many("secondly", "SECONDLY") if bucket == "search" else too_many("ten_secondly_rolling")

    def headers(self, bucket: str, settings: Settings, now: datetime, *, oauth: bool) -> Mapping[str, str]:
        """Search answers carry none (unconfirmed), OAuth calls no daily ones."""
        if bucket == "search":
            return {}
        most, seconds = _figures(bucket, settings)
        headers = {
            "X-HubSpot-RateLimit-Max": str(most),
            "X-HubSpot-RateLimit-Remaining": str(max(0, most - len(self._window(bucket, settings, now)))),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(seconds * 1000),
        }
        if not oauth:
            headers["X-HubSpot-RateLimit-Daily"] = str(settings.daily_limit)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, settings.daily_limit - self.today))
        return headers

    def _window(self, bucket: str, settings: Settings, now: datetime) -> deque[datetime]:
        seen = self._windows.setdefault(bucket, deque())
        start = now - timedelta(seconds=_figures(bucket, settings)[1])
        while seen and seen[0] <= start:
            seen.popleft()
        return seen


def _figures(bucket: str, settings: Settings) -> tuple[int, int]:
    """Requests and the seconds they are counted over."""
    if bucket == "search":
        return settings.search_limit, 1
    return (settings.associations_limit if bucket == "associations" else settings.burst_limit), settings.burst_seconds


def too_many(limit: str, policy: str | None = None) -> ApiError:
    """The 429 of a limit: `daily`, `secondly` or `ten_secondly_rolling`."""
    return ApiError(
        429,
        f"You have reached your {limit} limit.",
        extra={"errorType": "RATE_LIMIT", "policyName": policy or limit.upper()},
    )
