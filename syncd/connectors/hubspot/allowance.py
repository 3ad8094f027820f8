"""What HubSpot says of its limits with every answer: others call the same account, and its edition may allow more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from syncd.clock import Clock
from syncd.connectors.http import HttpReply
from syncd.connectors.hubspot.errors import is_daily
from syncd.connectors.hubspot.manifest import LIMITS
from syncd.core.pacing import Pacer, Window

HEADER = "x-hubspot-ratelimit-"
LONGEST = 16  # digits of a figure
RESET_LASTS = timedelta(hours=1)  # a day that has just begun may have begun a little later on HubSpot's clock


class Allowance:
    """Teaches a pacer what the answers say."""

    def __init__(self, pacer: Pacer, clock: Clock) -> None:
        self._pacer = pacer
        self._clock = clock
        self._zone: tzinfo = UTC

    def learn_zone(self, name: str) -> None:
        """The account's time zone: the day's quota is reset at midnight there (unconfirmed)."""
        try:
            self._zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            self._zone = UTC

    def heed(self, sort: str, reply: HttpReply) -> None:
        """Take in what the headers say, and that the day's quota is gone."""
        now = self._clock.monotonic()
        most, left, span = (_figure(reply.headers, name) for name in ("max", "remaining", "interval-milliseconds"))
        if most and left is not None and span:
            self._pacer.told(now, sort, Window(most, span / 1000), left)
        calls, remaining = _figure(reply.headers, "daily"), _figure(reply.headers, "daily-remaining")
        if calls and remaining is not None:
            self._pacer.told_day(calls, remaining, now + until_reset(self._clock.now(), self._zone))
        if is_daily(reply):
            self._pacer.pause(now + self.daily_wait())

    def daily_wait(self) -> float:
        """Seconds to wait after HubSpot said that the day's quota is gone."""
        now = self._clock.now()
        if until_reset(now, self._zone) > (timedelta(days=1) - RESET_LASTS).total_seconds():
            return LIMITS.daily_pause
        return until_reset(now, self._zone)


def until_reset(now: datetime, zone: tzinfo) -> float:
    """Seconds until the next midnight of the zone."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return (datetime.combine(tomorrow, time(), zone) - now).total_seconds()


def _figure(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(HEADER + name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < LONGEST else None
