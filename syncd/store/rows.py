"""Shapes that exist only between the store and its callers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.model.breaker import Breaker
from syncd.model.quick import quick
from syncd.model.record import IntentState, Record
from syncd.model.references import EntityRef, MatchKey
from syncd.model.snapshot import Snapshot

NOTE = "note"
"""Stands in `CountRow.status` where the row counts a note (`code` is the note) and not a status."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One look at an entity. `keys` is what it can be found by; our marker on the snapshot is added by the store."""

    ref: EntityRef
    snapshot: Snapshot
    keys: tuple[MatchKey, ...] = ()
    cause: str
    at: datetime


@dataclass(frozen=True, slots=True)
class UnderWay:
    """How far one of a record's writes has come, without what it writes."""

    id: str
    record: str
    state: IntentState
    step: int


@dataclass(frozen=True, slots=True)
class Approval:
    """One command an applied plan allows: for the record born in this place, the write with this digest."""

    sync: str
    place: str
    op: str
    command: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """How far the backfill of a flow has come.

    Attributes:
        phase: `left` and `right` while that side's history is read, `deciding`, `done`.
        cursor: where to go on within the phase.
        looked: entities that were read. passed: of these, how many were looked through for what is let in.
        let_in: those that are.
        decided_from: when deciding began, for the rate.
    """

    sync: str
    flow: str
    since: datetime
    phase: str
    cursor: str | None = None
    looked: int = 0
    passed: int = 0
    let_in: int = 0
    started_at: datetime
    decided_from: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tripped:
    """A breaker that holds something, with its figures; or lets all of it go until a moment."""

    sync: str
    flow: str
    breaker: Breaker
    since: datetime
    figures: Mapping[str, str]
    released_until: datetime | None = None


@dataclass(frozen=True, slots=True, order=True)
class CountRow:
    """How many records of a flow stand in one status and code, or carry one note."""

    sync: str
    flow: str
    status: str
    code: str
    n: int


@dataclass(frozen=True, slots=True, order=True)
class HourRow:
    """How many records of a flow stood in one status when that hour was first looked at."""

    hour: datetime
    sync: str
    flow: str
    status: str
    n: int


@dataclass(frozen=True, slots=True, order=True)
class CountDifference:
    """A maintained count that is not what a recount finds."""

    sync: str
    flow: str
    status: str
    code: str
    maintained: int
    actual: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """One page of a listing; `next` is the `after` of the following page, None on the last one."""

    rows: list[Record]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long what is only history is kept. Bases, records and open work never expire."""

    version_content: timedelta = timedelta(days=30)
    versions: timedelta = timedelta(days=400)
    activity: timedelta = timedelta(days=90)
    counts_hourly: timedelta = timedelta(days=90)
