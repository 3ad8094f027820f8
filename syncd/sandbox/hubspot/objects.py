"""Single-record calls: create, read, update, archive, merge, list."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from syncd.sandbox.hubspot import link_types, shape, view
from syncd.sandbox.hubspot.call import Call, Reply
from syncd.sandbox.hubspot.errors import ApiError, invalid, not_found, not_numeric
from syncd.sandbox.hubspot.kinds import KINDS, Kind, find
from syncd.sandbox.hubspot.portal import Portal
from syncd.sandbox.hubspot.record import Record
from syncd.sandbox.hubspot.writes import Wanted, Writes

BASE = "https://api.hubapi.com"
PAGE_MAX = 100


def create(call: Call, writes: Writes, kind_name: str) -> Reply:
    kind = find(kind_name)
    call.require(kind, "write")
    record = create_one(call, writes, kind, call.body())
    return Reply(201, view.made(record), {"Location": f"{BASE}/crm/v3/objects/{kind.name}/{record.id}"})


def create_one(call: Call, writes: Writes, kind: Kind, body: Mapping[str, object]) -> Record:
    """One `{properties, associations}` of a create or a batch create."""
    wanted = [_wanted(call.portal, kind, each) for each in shape.mappings(body.get("associations"), "associations")]
    return writes.create(kind, shape.mapping(body.get("properties", {}), "properties"), wanted, call.hand)


def _wanted(portal: Portal, kind: Kind, association: Mapping[str, object]) -> Wanted:
    """The type ids alone say which kind the other end is."""
    id = shape.text(shape.mapping(association.get("to"), "to").get("id"), "to.id")
    types = type_ids(association.get("types"))
    known = [link_types.TYPES[each] for each in types if each in link_types.TYPES]
    if not types or len(known) < len(types) or any(each.origin != kind.name for each in known):
        raise ApiError(
            400,
            f"One or more association types are not valid for {kind.singular}: {types}",
            "VALIDATION_ERROR",
            sub_category="crm.associations.INVALID_ASSOCIATION_TYPE",
        )
    target = portal.table(KINDS[known[0].target]).survivor(id)
    if target is None or not target.live:
        context = {"INVALID_OBJECT_IDS": [id]}
        raise ApiError(404, f"No {known[0].target} found with id {id}", "OBJECT_NOT_FOUND", context=context)
    return Wanted(target, types)


def type_ids(types: object) -> list[int]:
    """The ids of `[{associationCategory, associationTypeId}]`."""
    return [
        shape.whole(each.get("associationTypeId"), "associationTypeId", 0) for each in shape.mappings(types, "types")
    ]


def read(call: Call, kind_name: str, id: str) -> Reply:
    kind = find(kind_name)
    call.require(kind, "read")
    record = locate(call.portal, kind, id, call.args.get("idProperty"), archived=call.flag("archived"))
    body = view.shown(call.portal, record, call.names("properties"), history=call.names("propertiesWithHistory"))
    block = view.associations(call.portal, record, _kinds_asked(call))
    return Reply(200, body | ({"associations": block} if block else {}))


def _kinds_asked(call: Call) -> list[str]:
    for name in call.names("associations"):
        call.require(find(name), "read")
    return call.names("associations")


def update(call: Call, writes: Writes, kind_name: str, id: str) -> Reply:
    kind = find(kind_name)
    call.require(kind, "write")
    record = locate(call.portal, kind, id, call.args.get("idProperty"))
    values = writes.update(record, shape.mapping(call.body().get("properties", {}), "properties"), call.hand)
    return Reply(200, view.written(record, list(values)))


def archive(call: Call, writes: Writes, kind_name: str, id: str) -> Reply:
    kind = find(kind_name)
    call.require(kind, "write")
    known = call.portal.table(kind).records.get(id)
    if known is None:
        raise not_found() if id.isdigit() else not_numeric()
    if known.live:  # again, or on a merged id: nothing to do
        writes.archive(known, call.hand)
    return Reply(204)


def merge(call: Call, writes: Writes, kind_name: str) -> Reply:
    kind = find(kind_name)
    call.require(kind, "write")
    body = call.body()
    primary, other = (
        locate(call.portal, kind, shape.text(body.get(name), name), None)
        for name in ("primaryObjectId", "objectIdToMerge")
    )
    return Reply(200, view.made(writes.merge(primary, other, call.hand)))


def locate(portal: Portal, kind: Kind, id: str, id_property: str | None, *, archived: bool = False) -> Record:
    """The record, or the survivor of a merge, by id or by a unique property.

    Raises:
        ApiError: 404, also when it is archived and `archived` was not asked for, or the other way round.
    """
    table = portal.table(kind)
    if id_property in (None, "", "hs_object_id"):
        if not (id.isascii() and id.isdigit()):
            raise not_numeric()
        record = table.survivor(id)
    else:
        record = table.holder(checked_id_property(portal, kind, id_property or ""), id)
    if record is None or (record.archived_at is not None) != archived:
        raise not_found()
    return record


def checked_id_property(portal: Portal, kind: Kind, name: str) -> str:
    if name not in portal.table(kind).unique:
        raise invalid(f"{name} is not a unique property of {kind.name}")
    return name


def list_page(call: Call, kind_name: str) -> Reply:
    """In id order, live records or archived ones."""
    kind = find(kind_name)
    call.require(kind, "read")
    limit = shape.whole(call.args.get("limit"), "limit", 10)
    if not 1 <= limit <= PAGE_MAX:
        raise invalid(f"limit must be between 1 and {PAGE_MAX}")
    archived = call.flag("archived")
    after = call.args.get("after", "")
    page: list[Record] = []
    more = False
    for record in call.portal.table(kind).after(_from_cursor(after)):
        if record.merged_into is not None or (record.archived_at is not None) != archived:
            continue
        if len(page) == limit:
            more = True
            break
        page.append(record)
    body: dict[str, object] = {"results": [_listed(call, record) for record in page]}
    if more:
        cursor = _cursor(page[-1])
        link = f"{BASE}{call.request.path}?limit={limit}&after={cursor}"
        body["paging"] = {"next": {"after": cursor, "link": link}}
    return Reply(200, body)


def _listed(call: Call, record: Record) -> dict[str, object]:
    body = view.shown(call.portal, record, call.names("properties"), history=call.names("propertiesWithHistory"))
    block = view.associations(call.portal, record, _kinds_asked(call))
    return body | ({"associations": block} if block else {})


def _cursor(record: Record) -> str:
    return base64.urlsafe_b64encode(f"after {record.id}".encode()).decode().rstrip("=")


def _from_cursor(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        words = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split()
        if len(words) == 2 and words[0] == "after" and words[1].isdigit():
            return int(words[1])
    except (binascii.Error, ValueError):
        pass
    raise invalid("The after cursor is not valid")
