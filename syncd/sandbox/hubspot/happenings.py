"""What happened in a portal, as webhooks tell it: the journal's operations and every property value that changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from syncd.sandbox.base import Entry
from syncd.sandbox.hubspot import link_types
from syncd.sandbox.hubspot.auth import APP_ID, STATIC
from syncd.sandbox.hubspot.kinds import KINDS, Kind
from syncd.sandbox.hubspot.person import USER
from syncd.sandbox.hubspot.record import Record, Version

Change = tuple[Record, str, Version]

Happening = tuple[Kind, str, datetime, Mapping[str, Any]]
"""Kind, subscription without the kind, when, and what the event says of it."""

GENERIC_ONLY = {
    "objectTypeId",
    "isSensitive",
    "fromObjectTypeId",
    "toObjectTypeId",
    "associationTypeId",
    "associationCategory",
}
"""What classic events do not have (changelog: generic webhook subscriptions)."""

_FLAGS = {"creation": "CREATED", "deletion": "DELETED", "privacyDeletion": "DELETED", "restore": "RESTORED"}
_OPERATIONS = {"create": "creation", "archive": "deletion", "restore": "restore", "forget": "privacyDeletion"}


def happened(entries: Sequence[Entry], changes: Sequence[Change]) -> Iterator[Happening]:
    """What journal entries and changed values amount to, in the words of generic events.

    A new record's first values count as changes too.
    """
    yield from _operations(entries, changes)
    yield from map(_value, changes)


def _operations(entries: Sequence[Entry], changes: Sequence[Change]) -> Iterator[Happening]:
    for entry in entries:
        kind, by = KINDS[entry.kind], _source(entry.caller)
        if name := _OPERATIONS.get(entry.operation):
            yield kind, name, entry.at, {**_named(kind, entry.id), "changeFlag": _FLAGS[name], **by}
        match entry.operation:
            case "create":
                for end in entry.fields.get("associations", []):
                    yield from _ends(kind, entry, end, by, removed=False)
            case "associate" | "dissociate":
                yield from _ends(kind, entry, entry.fields, by, removed=entry.operation == "dissociate")
            case "merge":
                yield kind, "merge", entry.at, {**_merge(entry, changes), **by}


def _ends(
    kind: Kind, entry: Entry, end: Mapping[str, Any], by: Mapping[str, str], *, removed: bool
) -> Iterator[Happening]:
    """Both ends are told of an association, each from its side."""
    other = KINDS[end["to"]]
    pairs = ((kind, entry.id, other, end["id"]), (other, end["id"], kind, entry.id))
    for origin, origin_id, target, target_id in pairs:
        facts = {
            "associationType": f"{origin.singular}_TO_{target.singular}".upper(),
            "fromObjectId": int(origin_id),
            "toObjectId": int(target_id),
            "fromObjectTypeId": origin.type_id,
            "toObjectTypeId": target.type_id,
            "associationTypeId": link_types.default_id(origin.name, target.name),
            "associationCategory": "HUBSPOT_DEFINED",
            "associationRemoved": removed,
            "isPrimaryAssociation": bool(link_types.PRIMARY & set(end["types"])),
        }
        yield origin, "associationChange", entry.at, {**facts, **by}


def _merge(entry: Entry, changes: Sequence[Change]) -> Mapping[str, Any]:
    moved = [name for record, name, _ in changes if record.ref == (entry.kind, entry.id)]
    return {
        **_named(KINDS[entry.kind], entry.id),
        "primaryObjectId": int(entry.fields["primary"]),
        "mergedObjectIds": [int(entry.fields["merged"])],
        "newObjectId": int(entry.id),
        "numberOfPropertiesMoved": len({*moved} - {KINDS[entry.kind].modified, "hs_merged_object_ids"}),
    }


def _value(change: Change) -> Happening:
    record, name, version = change
    facts = {
        **_named(record.kind, record.id),
        "propertyName": name,
        "propertyValue": version.value or "",
        "changeSource": version.source,
        "sourceId": version.source_id,
        "isSensitive": False,
    }
    return record.kind, f"propertyChange:{name}", version.at, facts


def _named(kind: Kind, id: str) -> Mapping[str, Any]:
    return {"objectId": int(id), "objectTypeId": kind.type_id}


def _source(caller: str) -> Mapping[str, str]:
    """As property history shows the same hand."""
    if caller == "person":
        return {"changeSource": "CRM_UI", "sourceId": USER}
    return {"changeSource": "INTEGRATION", "sourceId": STATIC.app_id if caller == f"api:{STATIC.name}" else APP_ID}
