"""The two ways HubSpot prints a moment, and the ways it accepts one."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = re.compile(r"-?\d{1,15}")


def iso(moment: datetime) -> str:
    """As in `createdAt` and error contexts: always with milliseconds."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def stamp(moment: datetime) -> str:
    """As a property value: a zero fraction is left out, which readers must cope with."""
    return iso(moment).replace(".000Z", "Z")


def milliseconds(moment: datetime) -> datetime:
    """Cut to what HubSpot stores, so that a value read back compares equal to the value kept."""
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


def parse(text: str) -> datetime | None:
    """ISO 8601 (a bare date is midnight UTC) or epoch milliseconds; None when it is neither."""
    try:
        if _MILLISECONDS.fullmatch(text):
            return _EPOCH + timedelta(milliseconds=int(text))
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
