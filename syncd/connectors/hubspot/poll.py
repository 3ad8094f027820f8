"""What changed since last time, from searches by modified date and from the recycle bins.

A cursor is a time of HubSpot's own clock up to which everything has been seen.

An invoice changes when its lines do. So line items are searched over the same span of time, and the newest of all these
changes is the invoice's version, as it is when the invoice is read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from syncd.connectors.base import Page, Sighting
from syncd.connectors.hubspot import mapping, moments
from syncd.connectors.hubspot.client import Client
from syncd.connectors.hubspot.fields import LINES, REFERENCE, TYPES, modified_property, read_properties
from syncd.connectors.hubspot.lookup import Lookup
from syncd.connectors.hubspot.manifest import LIMITS
from syncd.connectors.hubspot.mapping import version_of
from syncd.connectors.hubspot.options import Options
from syncd.connectors.hubspot.reading import Reader, archived_version
from syncd.connectors.hubspot.touched import time_of, touched
from syncd.connectors.hubspot.walk import Walker
from syncd.connectors.hubspot.wire import Record
from syncd.connectors.onward import Onward
from syncd.model.references import Kind
from syncd.model.snapshot import Presence

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
LINE_CURSOR = f"{Kind.INVOICE}:lines"
WHOLE = frozenset({Kind.PARTY, Kind.PRODUCT})  # a search shows all there is of these


class Poll:
    """Answers `changes_since`."""

    def __init__(self, client: Client, reader: Reader, lookup: Lookup, options: Options) -> None:
        self._client = client
        self._reader = reader
        self._lookup = lookup
        self._walker = Walker(client)
        self._options = options
        self._overlap = timedelta(seconds=options.overlap)

    async def changes(self, cursors: Mapping[str, str], kinds: Sequence[Kind], now: datetime) -> AsyncIterator[Page]:
        """Pages of sightings, kind after kind."""
        for kind in kinds:
            began = now
            async for page, started in self._live(kind, cursors, now):
                began = started
                yield page
            async for page in self._archived(kind, cursors.get(f"{kind}:archived"), began, now):
                yield page

    async def history(self, kind: Kind, since: datetime, cursor: str | None, now: datetime) -> AsyncIterator[Page]:
        """As the contract says; a cursor is a time of HubSpot's clock. Lines alone make no invoice newer here."""
        start = moments.parse(cursor) if cursor else since
        properties = read_properties(kind, self._options) if kind in WHOLE else (modified_property(TYPES[kind]),)
        async for step in self._walker.walk(TYPES[kind], start, properties, now):
            sightings = tuple(await self._sightings(kind, step.records, {}))
            yield Page(sightings=sightings, cursors={str(kind): moments.printed(step.upto)})

    async def _live(
        self, kind: Kind, cursors: Mapping[str, str], now: datetime
    ) -> AsyncIterator[tuple[Page, datetime]]:
        cursor = cursors.get(kind)
        since = moments.parse(cursor) - self._overlap if cursor else BEGINNING
        lines = None
        if kind is Kind.INVOICE and cursor:
            line_cursor = cursors.get(LINE_CURSOR, cursor)
            lines = await touched(self._client, self._walker, line_cursor, self._overlap, now)
        newer = lines.versions if lines else {}
        began = lines.began if lines else None
        properties = read_properties(kind, self._options) if kind in WHOLE else (modified_property(TYPES[kind]),)
        async for step in self._walker.walk(TYPES[kind], since, properties, now):
            began = began or step.began
            sightings = await self._sightings(kind, step.records, newer)
            moved = {str(kind): _later(cursor, began if step.last else step.upto)}
            if step.last and kind is Kind.INVOICE:
                sightings += [Sighting(kind=kind, id=id, version=version) for id, version in newer.items()]
                moment = _later(time_of(cursors.get(LINE_CURSOR, "")), began)
                moved[LINE_CURSOR] = lines.cursor(moment) if lines else moment
            yield Page(sightings=tuple(sightings), cursors=moved), began

    async def _sightings(self, kind: Kind, records: list[Record], newer: dict[str, str]) -> list[Sighting]:
        if kind not in WHOLE:
            versions = [(r.id, max(version_of(r, TYPES[kind]), newer.pop(r.id, ""))) for r in records]
            return [Sighting(kind=kind, id=id, version=version) for id, version in versions]
        made = []
        for record, snapshot in zip(records, await self._reader.snapshots(kind, records), strict=True):
            made.append(Sighting(kind=kind, id=record.id, version=snapshot.version, snapshot=snapshot))
            made += _merged(kind, record)
        return made

    async def _archived(self, kind: Kind, cursor: str | None, began: datetime, now: datetime) -> AsyncIterator[Page]:
        """What went into the recycle bin since the last look, at most one look an hour.

        The cursor holds our time of the last look and HubSpot's: `<ours>|<HubSpot's>`. The bin has no order and no
        filter, so each look reads all of it. What was in it before we began never concerned us.
        """
        looked, _, seen = (cursor or "").partition("|")
        # A look in the future was noted by a clock that has been set back since.
        if looked and timedelta() <= now - moments.parse(looked) < timedelta(seconds=self._options.archived_every):
            return
        done = {f"{kind}:archived": f"{moments.printed(now)}|{moments.printed(began)}"}
        if not seen:
            yield Page(sightings=(), cursors=done)
            return
        since = moments.parse(seen) - self._overlap
        async for gone in self._bin(TYPES[kind], since):
            sightings = tuple(
                Sighting(kind=kind, id=r.id, version=archived_version(r), presence=Presence.ARCHIVED) for r in gone
            )
            yield Page(sightings=sightings, cursors={})
        yield Page(sightings=await self._bereft(since) if kind is Kind.INVOICE else (), cursors=done)

    async def _bereft(self, since: datetime) -> tuple[Sighting, ...]:
        """Mirrors a line was taken from. HubSpot moves no date of theirs, and the line keeps only our reference."""
        newest: dict[str, str] = {}
        async for gone in self._bin(LINES, since):
            for line in gone:
                marker, _, _ = (line.text(REFERENCE) or "").rpartition(":")
                if marker:
                    newest[marker] = max(newest.get(marker, ""), archived_version(line))
        holders = await self._lookup.ids(Kind.INVOICE, REFERENCE, list(newest)) if newest else {}
        return tuple(
            Sighting(kind=Kind.INVOICE, id=id, version=newest[marker]) for marker, ids in holders.items() for id in ids
        )

    async def _bin(self, object_type: str, since: datetime) -> AsyncIterator[list[Record]]:
        """What went into a recycle bin at `since` or later, a page at a time."""
        after: str | None = None
        onward = Onward()
        while True:
            onward.to(after)
            page = await self._client.listed(
                object_type, archived=True, limit=LIMITS.list_page, after=after, properties=(REFERENCE,)
            )
            yield [r for r in page.results if r.archived_at and moments.stamped(r.archived_at) >= since]
            after = page.after
            if not after:
                return


def _later(cursor: str | None, moment: datetime) -> str:
    """Cursors never go back."""
    return max(cursor or "", moments.printed(moment))


def _merged(kind: Kind, record: Record) -> list[Sighting]:
    """The records that were merged into this one. HubSpot lists them on the survivor; nothing else tells."""
    ids = [id.strip() for id in (record.text("hs_merged_object_ids") or "").split(";")]
    return [
        Sighting(
            kind=kind,
            id=id,
            version=record.id,
            presence=Presence.MERGED,
            snapshot=mapping.gone(kind, id, Presence.MERGED, record.id, record.id),
        )
        for id in ids
        if id and id != record.id
    ]
