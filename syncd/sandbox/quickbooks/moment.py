"""Time as the company writes it: whole seconds with the Pacific offset in records, milliseconds in envelopes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

PST, PDT = timezone(timedelta(hours=-8)), timezone(timedelta(hours=-7))


def local(moment: datetime) -> datetime:
    """The moment on the company's clock. The rule is computed here, so that no time zone database is needed."""
    year = moment.astimezone(PST).year
    starts = datetime(year, 3, _sunday(year, 3, 2), 10, tzinfo=UTC)  # 02:00 PST
    ends = datetime(year, 11, _sunday(year, 11, 1), 9, tzinfo=UTC)  # 02:00 PDT
    return moment.astimezone(PDT if starts <= moment < ends else PST)


def _sunday(year: int, month: int, which: int) -> int:
    first = 1 + (6 - date(year, month, 1).weekday()) % 7
    return first + 7 * (which - 1)


def stamp(moment: datetime) -> str:
    """As in MetaData: `2025-01-09T13:25:20-08:00`."""
    return local(moment).isoformat(timespec="seconds")


def stamp_millis(moment: datetime) -> str:
    """As in an envelope's `time`: `2025-01-09T13:25:20.110-08:00`."""
    return local(moment).isoformat(timespec="milliseconds")


def today(moment: datetime) -> str:
    """The company's date, `YYYY-MM-DD`."""
    return local(moment).date().isoformat()


def parse_moment(text: str) -> datetime | None:
    """A time stamp or date of a request; one without an offset is the company's time. None: it is neither."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if not 1900 <= moment.year < 3000:
        return None
    if moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=local(moment.replace(tzinfo=PST)).tzinfo)


def parse_date(text: object) -> date | None:
    """`YYYY-MM-DD`, also with a time behind it, which is dropped. None: it is no date."""
    try:
        found = date.fromisoformat(str(text)[:10])
    except ValueError:
        return None
    return found if 1900 <= found.year < 3000 else None
