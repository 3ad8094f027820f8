"""The life of a record: one table of what may follow what, and the only ways to write a new status.

The status is one of four, the code says why. Every change of status goes through the table; the diagram in the schema's
documentation is printed from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from syncd.core.catalogue import CATALOGUE, Group
from syncd.model.quick import replace
from syncd.model.record import Record, Status


class Event(StrEnum):
    """What can happen to a record."""

    PLANNED = "planned"  # there is something to look at or to write
    POSTPONED = "postponed"  # a passing fault: again later
    BLOCKED = "blocked"  # another record or a connection comes first
    HELD = "held"  # a person's pause, a breaker or a missing approval
    RELEASED = "released"
    LOST = "lost"  # the answer to a write never came
    RESOLVED = "resolved"  # it was found out that the lost write did not happen
    WRITTEN = "written"
    ADOPTED = "adopted"  # both sides were found to agree, nothing was written
    REFUSED = "refused"  # by a vendor, or by our own rules before anything was sent
    EXCLUDED = "excluded"
    SOURCE_CHANGED = "source_changed"
    WOKEN = "woken"  # what it waited for has happened, or a person said "retry now"


TRANSITIONS: dict[tuple[Status, Event], Status] = {
    (Status.PENDING, Event.PLANNED): Status.PENDING,
    (Status.PENDING, Event.POSTPONED): Status.PENDING,
    (Status.PENDING, Event.BLOCKED): Status.PENDING,
    (Status.PENDING, Event.HELD): Status.PENDING,
    (Status.PENDING, Event.RELEASED): Status.PENDING,
    (Status.PENDING, Event.LOST): Status.PENDING,
    (Status.PENDING, Event.RESOLVED): Status.PENDING,
    (Status.PENDING, Event.SOURCE_CHANGED): Status.PENDING,
    (Status.PENDING, Event.WOKEN): Status.PENDING,
    (Status.PENDING, Event.WRITTEN): Status.SYNCED,
    (Status.PENDING, Event.ADOPTED): Status.SYNCED,
    (Status.PENDING, Event.REFUSED): Status.FAILED,
    (Status.PENDING, Event.EXCLUDED): Status.EXCLUDED,
    (Status.SYNCED, Event.SOURCE_CHANGED): Status.PENDING,
    (Status.SYNCED, Event.PLANNED): Status.PENDING,
    (Status.SYNCED, Event.POSTPONED): Status.PENDING,
    (Status.SYNCED, Event.BLOCKED): Status.PENDING,
    (Status.SYNCED, Event.HELD): Status.PENDING,
    (Status.SYNCED, Event.WOKEN): Status.PENDING,
    (Status.SYNCED, Event.ADOPTED): Status.SYNCED,
    (Status.SYNCED, Event.REFUSED): Status.FAILED,
    (Status.SYNCED, Event.EXCLUDED): Status.EXCLUDED,
    (Status.FAILED, Event.SOURCE_CHANGED): Status.PENDING,
    (Status.FAILED, Event.WOKEN): Status.PENDING,
    (Status.FAILED, Event.PLANNED): Status.PENDING,
    (Status.FAILED, Event.POSTPONED): Status.PENDING,
    (Status.FAILED, Event.BLOCKED): Status.PENDING,
    (Status.FAILED, Event.HELD): Status.PENDING,
    # One write of a record was refused while the answer to another is still out: that answer comes first.
    (Status.FAILED, Event.LOST): Status.PENDING,
    (Status.FAILED, Event.ADOPTED): Status.SYNCED,
    (Status.FAILED, Event.REFUSED): Status.FAILED,
    (Status.FAILED, Event.EXCLUDED): Status.EXCLUDED,
    # An excluded record is still watched; only a plan that lets it in again brings it back.
    (Status.EXCLUDED, Event.SOURCE_CHANGED): Status.EXCLUDED,
    (Status.EXCLUDED, Event.WOKEN): Status.EXCLUDED,
    (Status.EXCLUDED, Event.EXCLUDED): Status.EXCLUDED,
    (Status.EXCLUDED, Event.PLANNED): Status.PENDING,
    (Status.EXCLUDED, Event.BLOCKED): Status.PENDING,
    (Status.EXCLUDED, Event.HELD): Status.PENDING,
    (Status.EXCLUDED, Event.ADOPTED): Status.SYNCED,
    (Status.EXCLUDED, Event.REFUSED): Status.FAILED,
}

_PENDING_EVENTS = {
    "queued": Event.PLANNED,
    "retry": Event.POSTPONED,
    "waits_parent": Event.BLOCKED,
    "waits_connection": Event.BLOCKED,
    "resolving": Event.LOST,
    "paused": Event.HELD,
    "held": Event.HELD,
    "not_approved": Event.HELD,
}


class ImpossibleTransition(ValueError):
    """A record cannot go from its status through this event: a fault of ours, stopped before it is stored."""


def advance(status: Status, event: Event) -> Status:
    """The status after an event.

    Raises:
        ImpossibleTransition: the table knows no such way.
    """
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise ImpossibleTransition(f"a {status} record cannot be {event}") from None


def diagram() -> str:
    """The table as a Mermaid state diagram, one arrow for all events between two statuses."""
    arrows: dict[tuple[Status, Status], list[Event]] = {}
    for (status, event), after in TRANSITIONS.items():
        arrows.setdefault((status, after), []).append(event)
    drawn = [f"    {a} --> {b}: {', '.join(events)}" for (a, b), events in arrows.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {Status.PENDING}: first seen", *drawn])


def pending(
    record: Record,
    code: str,
    now: datetime,
    *,
    words: str = "",
    waits_for: str | None = None,
    next_at: datetime | None = None,
) -> Record:
    """The daemon or time will act: at `next_at`, or when `waits_for` moves.

    Each `retry` is counted as an attempt; a record that had failed starts counting anew.

    Raises:
        ValueError: not a pending code, or not possible from here.
    """
    _require(code, Group.PENDING)
    attempts = (0 if record.status is Status.FAILED else record.attempts) + (code == "retry")
    event = _PENDING_EVENTS[code]
    return _moved(record, event, code, now, words=words, waits_for=waits_for, next_at=next_at, attempts=attempts)


def failed(record: Record, category: str, words: str, now: datetime, *, waits_for: str | None = None) -> Record:
    """A person must act; `words` are the vendor's own, or which contact, which line.

    Raises:
        ValueError: not a category of the catalogue.
    """
    _require(category, Group.FAILED)
    return _moved(record, Event.REFUSED, category, now, words=words, waits_for=waits_for)


def excluded(record: Record, reason: str, now: datetime, words: str = "") -> Record:
    """It does not belong to the flow. Its bases stay as they are.

    Raises:
        ValueError: not a reason of the catalogue.
    """
    _require(reason, Group.EXCLUDED)
    return _moved(record, Event.EXCLUDED, reason, now, words=words, attempts=0)


def synced(record: Record, now: datetime, notes: Iterable[str] = ()) -> Record:
    """Both sides agree; `notes` replace those it had, which an unfinished record keeps.

    Raises:
        ValueError: a note that is not in the catalogue.
    """
    noted = tuple(notes)
    for note in noted:
        _require(note, Group.NOTE)
    return _moved(record, Event.ADOPTED, "", now, notes=noted, attempts=0)


def _moved(
    record: Record,
    event: Event,
    code: str,
    now: datetime,
    *,
    words: str = "",
    waits_for: str | None = None,
    next_at: datetime | None = None,
    notes: tuple[str, ...] | None = None,
    attempts: int | None = None,
) -> Record:
    status = advance(record.status, event)
    return replace(
        record,
        status=status,
        code=code,
        words=words,
        waits_for=waits_for,
        next_at=next_at,
        since=record.since if (record.status, record.code) == (status, code) else now,
        notes=record.notes if notes is None else notes,
        attempts=record.attempts if attempts is None else attempts,
    )


def _require(code: str, group: Group) -> None:
    row = CATALOGUE.get(code)
    if row is None or row.group is not group:
        raise ValueError(f"{code!r} is no {group} code of the catalogue")
