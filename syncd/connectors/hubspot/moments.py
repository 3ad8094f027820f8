"""HubSpot's times. It prints ISO 8601 with or without milliseconds and takes the same or epoch milliseconds."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from syncd.connectors.base import Condition, ConnectionTrouble

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse(text: str) -> datetime:
    """A time as HubSpot prints it, in UTC.

    Raises:
        ValueError: not a time.
    """
    try:
        if text.lstrip("-").isdigit():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"a time beyond all calendars: {text[:40]!r}") from error


def stamped(text: str) -> datetime:
    """A time that HubSpot itself puts on everything. One that is none leaves nothing of the answer to rely on.

    Raises:
        ConnectionTrouble: not a time.
    """
    try:
        return parse(text)
    except ValueError as error:
        raise ConnectionTrouble(Condition.MALFORMED_ANSWER, f"a time stamp that is none: {error}") from error


def printed(moment: datetime) -> str:
    """One form for all: milliseconds and `Z`. Such texts sort as the times do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def millis(moment: datetime) -> str:
    """Epoch milliseconds, as search filters want them."""
    return str(round(moment.timestamp() * 1000))


def day(text: str, zone: ZoneInfo) -> date:
    """The calendar day a date property means.

    A date chosen without a time is stored as midnight UTC and means that day wherever the account is; anything else is
    a moment, and means the day it falls on in the account's time zone. So no date slides by one.
    """
    moment = parse(text)
    try:
        return moment.date() if moment.time() == time(0) else moment.astimezone(zone).date()
    except OverflowError as error:
        raise ValueError(f"a day beyond all calendars: {text[:40]!r}") from error


def midnight(day: date) -> str:
    """A day as HubSpot stores it."""
    return f"{day.isoformat()}T00:00:00Z"
