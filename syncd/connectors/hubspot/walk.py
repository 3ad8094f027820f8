"""Going through everything that was modified since some time.

Searches go by value and never by page offset: each asks for the records from the last seen time on, so that nothing is
skipped when records move while we read, and no search ever reaches HubSpot's end of 10,000 results. Where one instant
holds more than a page, it is read by id.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from syncd.connectors.hubspot import moments
from syncd.connectors.hubspot.client import Client, Filter, by_number
from syncd.connectors.hubspot.fields import modified_property
from syncd.connectors.hubspot.manifest import LIMITS
from syncd.connectors.hubspot.mapping import version_of
from syncd.connectors.hubspot.wire import Record
from syncd.connectors.onward import Onward


@dataclass(frozen=True, slots=True)
class Step:
    """Some of the records of a walk. `upto`: everything modified before is seen; `began`: when the walk did."""

    records: list[Record]
    upto: datetime
    began: datetime
    last: bool


class Walker:
    """Walks through objects of one portal."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def walk(
        self, object_type: str, since: datetime, properties: Sequence[str], now: datetime
    ) -> AsyncIterator[Step]:
        """Every record modified at `since` or later, in that order, a page at a time."""
        name = modified_property(object_type)
        began: datetime | None = None
        start, operator, known, onward = since, "GTE", frozenset[str](), Onward()
        while True:
            onward.to((start, operator))
            filters = [Filter(name, operator, moments.millis(start))]
            page = await self._client.search(object_type, filters, properties, name, LIMITS.search_page)
            began = began or page.at or now
            fresh = [record for record in page.records if record.id not in known]
            if not page.more:
                yield Step(fresh, began, began, last=True)
                return
            last = _modified(page.records[-1], object_type)
            yield Step(fresh, last, began, last=False)
            known = frozenset(r.id for r in page.records if _modified(r, object_type) == last)
            operator = "GTE"
            if len(known) == len(page.records):
                async for records in self._instant(object_type, last, properties):
                    fresh = [record for record in records if record.id not in known]
                    yield Step(fresh, last, began, last=False)
                operator, known = "GT", frozenset()
            start = last

    async def _instant(
        self, object_type: str, moment: datetime, properties: Sequence[str]
    ) -> AsyncIterator[list[Record]]:
        """Every record modified at one instant, by id."""
        here = Filter(modified_property(object_type), "EQ", moments.millis(moment))
        filters, onward = [here], Onward()
        while True:
            page = await self._client.search(object_type, filters, properties, "hs_object_id", LIMITS.search_page)
            yield page.records
            if not page.more:
                return
            last = max((r.id for r in page.records), key=by_number)
            onward.to(last)
            filters = [here, Filter("hs_object_id", "GT", last)]


def _modified(record: Record, object_type: str) -> datetime:
    return moments.stamped(version_of(record, object_type))
