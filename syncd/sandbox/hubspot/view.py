"""A record as the API shows it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from syncd.sandbox.hubspot import link_types
from syncd.sandbox.hubspot.errors import PORTAL_ID
from syncd.sandbox.hubspot.kinds import find
from syncd.sandbox.hubspot.portal import Portal
from syncd.sandbox.hubspot.record import Record
from syncd.sandbox.hubspot.times import iso

Json = dict[str, object]


def shown(
    portal: Portal,
    record: Record,
    asked: Sequence[str] = (),
    *,
    history: Sequence[str] = (),
    moment: datetime | None = None,
) -> Json:
    """The envelope with the properties asked for, empty ones as null, unknown names left out.

    With nothing asked for, the kind's usual set. `moment` shows the record as it was then, as the search index does.
    """
    names = {*(asked or record.kind.shown), *record.kind.always, *history}
    known = portal.schema.properties[record.kind.name]
    properties = {
        name: record.value(name) if moment is None else record.value_at(name, moment)
        for name in sorted(names)
        if name in known
    }
    body = _envelope(record, properties)
    if moment is not None:
        body["updatedAt"] = body["updatedAt"] if record.updated_at <= moment else _modified_at(record, moment)
    if history:
        body["propertiesWithHistory"] = {name: _versions(record, name) for name in history if name in known}
    return body


def written(record: Record, names: Sequence[str]) -> Json:
    """The answer to an update: what was sent, as it is kept now, beside the properties always returned."""
    return _envelope(record, {name: record.value(name) for name in sorted({*names, *record.kind.always})})


def made(record: Record) -> Json:
    """The answer to a create: everything that is not empty."""
    return _envelope(record, dict(sorted(record.values().items())))


def _envelope(record: Record, properties: dict[str, str | None]) -> Json:
    body: Json = {
        "id": record.id,
        "properties": properties,
        "createdAt": iso(record.created_at),
        "updatedAt": iso(record.updated_at),
        "archived": record.archived_at is not None,
        "url": f"https://app.hubspot.com/contacts/{PORTAL_ID}/record/{record.kind.type_id}/{record.id}",
    }
    if record.archived_at is not None:
        body["archivedAt"] = iso(record.archived_at)
    return body


def _modified_at(record: Record, moment: datetime) -> str:
    last = max((each.at for each in record.history[record.kind.modified] if each.at <= moment), default=moment)
    return iso(last)


def _versions(record: Record, name: str) -> list[Json]:
    """Newest first."""
    return [
        {"value": each.value or "", "timestamp": iso(each.at), "sourceType": each.source, "sourceId": each.source_id}
        for each in reversed(record.history.get(name, []))
    ]


def associations(portal: Portal, record: Record, kinds: Sequence[str]) -> Json:
    """The `associations` block of a read: live records only, kinds with none left out."""
    block: Json = {}
    for asked in kinds:
        kind = find(asked)
        results = [
            {"id": other.id, "type": link_types.name(type_id)}
            for other in portal.linked(record, kind.name)
            for type_id in portal.links.types(record.ref, other.ref)
        ]
        if results:
            key = portal.settings.line_items_key if kind.name == "line_items" else kind.name
            block[key] = {"results": results}
    return block


def truth(portal: Portal, record: Record) -> Json:
    """Everything about a record, for checkers: deleted and merged ones too."""
    body = _envelope(record, dict(record.values()))
    body["associations"] = {kind: list(portal.links.ends(record.ref, kind)) for kind in portal.links.kinds(record.ref)}
    if record.merged_into is not None:
        body |= {"archived": True, "mergedInto": record.merged_into}
    return body
