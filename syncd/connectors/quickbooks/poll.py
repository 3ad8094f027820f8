"""What changed since the cursors: one change data call for all kinds, or whole lists where that cannot tell.

A cursor is the server's own clock at an answer. Change data looks back 30 days and stops, without a word, at 1000
objects; whether of each entity or of all together is not confirmed, so either is taken for cut, as
singer-io/tap-quickbooks does. Deletions older than the window, or lost to the cap, are for the audit to find: it
compares ids.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from syncd.connectors.base import Condition, ConnectionTrouble, Page, Sighting
from syncd.connectors.onward import Onward
from syncd.connectors.quickbooks.client import LIMITS, ReadRefused
from syncd.connectors.quickbooks.errors import CODE_TOO_FAR_BACK
from syncd.connectors.quickbooks.reader import Reader
from syncd.connectors.quickbooks.wire import ENTITIES, SALES, Raw, instant, moment_text, quoted
from syncd.model.nouns import Product
from syncd.model.references import Kind
from syncd.model.snapshot import Snapshot

log = structlog.get_logger("syncd.quickbooks")


async def changes_since(
    reader: Reader, cursors: Mapping[str, str], kinds: Sequence[Kind], now: datetime, overlap: timedelta
) -> AsyncIterator[Page]:
    """Pages of what may have changed; kinds without a usable cursor are listed whole."""
    since = {kind: instant(cursors[kind]) for kind in kinds if kind in cursors}
    oldest = now - timedelta(days=LIMITS.cdc_days)
    followed = [kind for kind in kinds if kind in since and since[kind] - overlap > oldest]
    listed = [kind for kind in kinds if kind not in followed]
    if followed:
        start = min(since[kind] for kind in followed) - overlap
        try:
            async for page in _followed(reader, followed, start):
                yield page
        except ReadRefused as refusal:
            if refusal.fault.code != CODE_TOO_FAR_BACK:
                raise
            listed = list(kinds)
    for kind in listed:
        async for page in _listed(reader, kind, sales=since.get(kind)):
            yield page


async def history(reader: Reader, kind: Kind, since: datetime, cursor: str | None) -> AsyncIterator[Page]:
    """Everything last changed at `since` or later, in that order; a cursor is the last time that was seen.

    Each page begins at the last time of the one before, so that nothing is missed when rows move meanwhile. A whole
    page of one time is stepped over by its place.
    """
    start, place, onward = instant(cursor) if cursor else since, 1, Onward()
    while True:
        rows = (await reader.since(kind, start, place)).rows
        last = _updated(rows[-1]) if rows else start
        yield Page(sightings=tuple(await _sightings(reader, kind, rows)), cursors={kind: _cursor(last)})
        if len(rows) < LIMITS.page_rows:
            return
        onward.to((rows[0]["Id"], rows[-1]["Id"]))
        start, place = (last, 1) if last > start else (start, place + len(rows))


async def _followed(reader: Reader, kinds: Sequence[Kind], since: datetime) -> AsyncIterator[Page]:
    # Sales receipts come along in the same call: one may bill again what an invoice has billed.
    names = [*(ENTITIES[kind] for kind in kinds), *([SALES] if Kind.PAYMENT in kinds else [])]
    found, time = await reader.client.changes(names, since)
    if sum(map(len, found.values())) < LIMITS.page_rows:
        seen = [sighting for kind in kinds for sighting in await _changed(reader, kind, found[ENTITIES[kind]])]
        seen += await _sales(reader, found.get(SALES, ()))
        yield Page(sightings=tuple(seen), cursors=dict.fromkeys(kinds, _cursor(time)))
    elif len(kinds) > 1:
        for kind in kinds:
            async for page in _followed(reader, [kind], since):
                yield page
    else:
        async for page in _overflowed(reader, kinds[0], found, since, time):
            yield page


async def _overflowed(
    reader: Reader, kind: Kind, found: Mapping[str, Sequence[Raw]], since: datetime, time: datetime
) -> AsyncIterator[Page]:
    log.warning("quickbooks.changes_cut", entity=ENTITIES[kind], rows=sum(map(len, found.values())))
    gone = await _changed(reader, kind, _tombstones(found[ENTITIES[kind]]))
    gone += await _sales(reader, _tombstones(found.get(SALES, ())))
    yield Page(sightings=tuple(gone), cursors={})
    async for page in _listed(reader, kind, _since(since), sales=since, time=time):
        yield page


async def _listed(
    reader: Reader, kind: Kind, *conditions: str, sales: datetime | None = None, time: datetime | None = None
) -> AsyncIterator[Page]:
    """All of a kind that meet the conditions; with payments the sales receipts that changed since `sales`, if ever."""
    # The cursor is the clock before the list was read: what changes meanwhile is seen by the next poll.
    async for answer in reader.pages(ENTITIES[kind], *conditions):
        time = answer.time if time is None else time
        yield Page(sightings=tuple(await _sightings(reader, kind, answer.rows)), cursors={})
    if kind is Kind.PAYMENT and sales is not None:
        async for answer in reader.pages(SALES, _since(sales)):
            yield Page(sightings=tuple(await _sales(reader, answer.rows)), cursors={})
    assert time is not None, "a list has at least one page"
    yield Page(sightings=(), cursors={kind: _cursor(time)})


def _since(moment: datetime) -> str:
    return f"MetaData.LastUpdatedTime >= {quoted(moment_text(moment))}"


def _tombstones(rows: Sequence[Raw]) -> list[Raw]:
    return [row for row in rows if row.get("status") == "Deleted"]


async def _sales(reader: Reader, rows: Sequence[Raw]) -> list[Sighting]:
    return [_sighting(sale) for sale in await reader.sales(rows)]


async def _changed(reader: Reader, kind: Kind, rows: Sequence[Raw]) -> list[Sighting]:
    # Whether change data may leave Sku out, as `select *` was seen to, is unconfirmed: without one it is only a hint.
    return [
        replace(seen, snapshot=None) if _without_sku(seen.snapshot) else seen
        for seen in await _sightings(reader, kind, rows)
    ]


async def _sightings(reader: Reader, kind: Kind, rows: Sequence[Raw]) -> list[Sighting]:
    return [_sighting(seen) for seen in await reader.snapshots(kind, rows)]


def _sighting(seen: Snapshot) -> Sighting:
    return Sighting(kind=seen.kind, id=seen.id, version=seen.version, presence=seen.presence, snapshot=seen)


def _without_sku(seen: Snapshot | None) -> bool:
    return seen is not None and isinstance(seen.noun, Product) and seen.noun.sku is None


def _updated(row: Raw) -> datetime:
    try:
        return instant(row["MetaData"]["LastUpdatedTime"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConnectionTrouble(Condition.MALFORMED_ANSWER, "an object without the time of its last change") from error


def _cursor(time: datetime) -> str:
    return time.astimezone(UTC).isoformat()
