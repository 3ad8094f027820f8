"""The state of each record on its own HubSpot record: four properties for each sync, in the group of our own.

They are never read, so they are no content, and what they show can be used in lists, reports and workflows.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

import structlog

from syncd.connectors.base import Shown
from syncd.connectors.hubspot import moments, wire
from syncd.connectors.hubspot.client import Client
from syncd.connectors.hubspot.errors import Rejected
from syncd.connectors.hubspot.fields import OURS, TYPES
from syncd.connectors.hubspot.manifest import LIMITS
from syncd.connectors.hubspot.mapping import version_of
from syncd.connectors.hubspot.wire import Records
from syncd.model.references import Kind

log = structlog.get_logger("syncd.hubspot")

TEXT = {"type": "string", "fieldType": "text"}
MOMENT = {"type": "datetime", "fieldType": "date"}
PARTS = {
    "status": ("sync status", TEXT),
    "category": ("sync problem", TEXT),
    "last_success": ("last synced", MOMENT),
    "link": ("link to the other application", TEXT),
}


def properties(syncs: Collection[str]) -> dict[str, tuple[str, dict[str, str]]]:
    """The properties that show these syncs: name to label and kind."""
    return {
        _name(sync, part): (f"{sync}: {label} (syncd)", kind)
        for sync in sorted(syncs)
        for part, (label, kind) in PARTS.items()
    }


async def show(client: Client, sync: str, kind: Kind, rows: Sequence[Shown]) -> dict[str, str]:
    """Write the states, a full batch at a time; returns the new versions. HubSpot's refusals are logged and no more."""
    made: dict[str, str] = {}
    path = client.paths.objects(TYPES[kind]) + "/batch/update"
    for start in range(0, len(rows), LIMITS.batch):
        inputs = [{"id": row.id, "properties": dict(_values(sync, row))} for row in rows[start : start + LIMITS.batch]]
        try:
            answer = wire.to(Records, await client.post(path, {"inputs": inputs}))
            made |= {record.id: version_of(record, TYPES[kind]) for record in answer.results}
        except Rejected as refusal:
            log.info("hubspot.state_not_shown", object=TYPES[kind], status=refusal.status, records=len(inputs))
    return made


def _values(sync: str, row: Shown) -> Iterator[tuple[str, str]]:
    yield _name(sync, "status"), row.status
    yield _name(sync, "category"), row.category
    yield _name(sync, "link"), row.link or ""
    if row.last_success is not None:
        yield _name(sync, "last_success"), moments.printed(row.last_success)


def _name(sync: str, part: str) -> str:
    """HubSpot's names are lower-case letters, digits and underscores."""
    return f"{OURS}{re.sub(r'[^a-z0-9]+', '_', sync.lower()).strip('_')}_{part}"
