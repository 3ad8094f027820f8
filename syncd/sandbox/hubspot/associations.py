"""Associations v4: single pairs and batches (associations guide)."""

from __future__ import annotations

from collections.abc import Sequence

from syncd.sandbox.hubspot import link_types, shape
from syncd.sandbox.hubspot.batch import inputs, reply
from syncd.sandbox.hubspot.call import Call, Reply
from syncd.sandbox.hubspot.errors import ApiError, invalid, not_found
from syncd.sandbox.hubspot.kinds import KINDS, Kind, find
from syncd.sandbox.hubspot.objects import locate, type_ids
from syncd.sandbox.hubspot.record import Record
from syncd.sandbox.hubspot.view import Json
from syncd.sandbox.hubspot.writes import Writes

READ_MOST, CREATE_MOST, ARCHIVE_MOST = 1_000, 2_000, 100
PAGE = 500


def _pair(call: Call, origin: str, target: str, access: str) -> tuple[Kind, Kind]:
    """Both kinds, after the scopes of both ends were asked for."""
    kinds = find(origin), find(target)
    for kind in kinds:
        call.require(kind, access)
    return kinds


def read(call: Call, origin: str, id: str, target: str) -> Reply:
    origin_kind, target_kind = _pair(call, origin, target, "read")
    record = locate(call.portal, origin_kind, id, None)
    others = call.portal.linked(record, target_kind.name)
    limit = shape.whole(call.args.get("limit"), "limit", PAGE)
    start = shape.whole(call.args.get("after"), "after", 0)
    if not 1 <= limit <= PAGE or start < 0:
        raise invalid(f"limit must be between 1 and {PAGE}")
    body: dict[str, object] = {"results": [_end(call, record, other) for other in others[start : start + limit]]}
    if start + limit < len(others):
        body["paging"] = {"next": {"after": str(start + limit)}}
    return Reply(200, body)


def _end(call: Call, record: Record, other: Record) -> Json:
    types = [link_types.TYPES[each] for each in call.portal.links.types(record.ref, other.ref)]
    return {
        "toObjectId": int(other.id) if call.portal.settings.numeric_to_object_id else other.id,
        "associationTypes": [_type(each) for each in types],
    }


def _type(each: link_types.LinkType) -> Json:
    return {"category": "HUBSPOT_DEFINED", "typeId": each.id, "label": each.label}


def labels(call: Call, origin: str, target: str) -> Reply:
    kinds = _pair(call, origin, target, "read")
    return Reply(200, {"results": [_type(each) for each in link_types.between(kinds[0].name, kinds[1].name)]})


def put(call: Call, writes: Writes, origin: str, id: str, target: str, target_id: str) -> Reply:
    """A labelled link: the body's list replaces the labels there were."""
    origin_kind, target_kind = _pair(call, origin, target, "write")
    one, other = locate(call.portal, origin_kind, id, None), locate(call.portal, target_kind, target_id, None)
    types = type_ids(shape.any_body(call.request.body or b"[]"))
    writes.associate(one, other, types, call.hand)
    return Reply(201, _made(one, other, types))


def put_default(call: Call, writes: Writes, origin: str, id: str, target: str, target_id: str) -> Reply:
    origin_kind, target_kind = _pair(call, origin, target, "write")
    one, other = locate(call.portal, origin_kind, id, None), locate(call.portal, target_kind, target_id, None)
    return reply(call, 200, list(reversed(_link_default(call, writes, one, other))), [])


def put_old(call: Call, writes: Writes, path: Sequence[str], type_: str) -> Reply:
    """The v3 sub-route: the type is an id or a name such as `contact_to_company`."""
    origin, id, target, target_id = path
    origin_kind, target_kind = _pair(call, origin, target, "write")
    one, other = locate(call.portal, origin_kind, id, None), locate(call.portal, target_kind, target_id, None)
    possible = link_types.between(origin_kind.name, target_kind.name)
    named = [each.id for each in possible if type_ in (str(each.id), link_types.name(each.id))]
    if not named:
        raise ApiError(400, f"{type_} is not an association type", "VALIDATION_ERROR")
    writes.associate(one, other, named, call.hand)
    return Reply(200, {"id": one.id})


def _link_default(call: Call, writes: Writes, one: Record, other: Record) -> list[Json]:
    """Keeps the labels there are; answers with both directions."""
    there = call.portal.links.types(one.ref, other.ref)
    default = link_types.default_id(one.kind.name, other.kind.name)
    writes.associate(one, other, sorted({*there, default}), call.hand)
    back = link_types.TYPES[default].inverse
    return [_direction(one, other, default), _direction(other, one, back)]


def _direction(one: Record, other: Record, type_id: int) -> Json:
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}
    return {"from": {"id": one.id}, "to": {"id": other.id}, "associationSpec": spec}


def _made(one: Record, other: Record, types: Sequence[int]) -> Json:
    return {
        "fromObjectTypeId": one.kind.type_id,
        "fromObjectId": one.id,
        "toObjectTypeId": other.kind.type_id,
        "toObjectId": other.id,
        "labels": [label for each in types if (label := link_types.TYPES[each].label) is not None],
    }


def delete(call: Call, writes: Writes, origin: str, id: str, target: str, target_id: str) -> Reply:
    origin_kind, target_kind = _pair(call, origin, target, "write")
    one, other = locate(call.portal, origin_kind, id, None), locate(call.portal, target_kind, target_id, None)
    writes.dissociate(one, other, [], call.hand)
    return Reply(204)


def batch_read(call: Call, origin: str, target: str) -> Reply:
    """An input without any association of that kind is an error entry and makes the answer a 207."""
    kinds = _pair(call, origin, target, "read")
    results: list[Json] = []
    errors: list[Json] = []
    for row in inputs(call.body(), READ_MOST):
        id = shape.text(row.get("id"), "id")
        record = call.portal.table(kinds[0]).survivor(id)
        others = call.portal.linked(record, kinds[1].name) if record is not None and record.live else []
        if record is not None and others:
            results.append({"from": {"id": record.id}, "to": [_end(call, record, other) for other in others]})
        else:
            errors.append(_none_found(kinds, id))
    return reply(call, 200, results, errors)


def _none_found(kinds: tuple[Kind, Kind], id: str) -> Json:
    origin, target = (kind.singular for kind in kinds)
    return ApiError(
        404,
        f"No {target} is associated with {origin} {id}.",
        "OBJECT_NOT_FOUND",
        sub_category="crm.associations.NO_ASSOCIATIONS_FOUND",
        context={"fromObjectId": [id], "fromObjectType": [origin], "toObjectType": [target]},
    ).entry()


def batch_write(call: Call, writes: Writes, origin: str, target: str, operation: str) -> Reply:
    """`create`, `associate/default`, `archive` and `labels/archive`: all rows or none."""
    kinds = _pair(call, origin, target, "write")
    rows = inputs(call.body(), CREATE_MOST)
    if operation == "archive" and len({str(row.get("from")) for row in rows}) > ARCHIVE_MOST:
        raise invalid(f"At most {ARCHIVE_MOST} different records can be parted in one batch")
    results: list[Json] = []
    with call.portal.atomic():
        for row in rows:
            one = _end_of(call, kinds[0], row.get("from"))
            ends = row.get("to")
            for end in ends if isinstance(ends, list) else [ends]:
                other = _end_of(call, kinds[1], end)
                types = type_ids(row.get("types"))
                results.extend(_write(call, writes, operation, one, other, types))
    if operation in ("archive", "labels/archive"):
        return Reply(204)
    return reply(call, 201 if operation == "create" else 200, results, [])


def _write(call: Call, writes: Writes, operation: str, one: Record, other: Record, types: Sequence[int]) -> list[Json]:
    if operation == "create":
        writes.associate(one, other, types, call.hand)
        return [_made(one, other, types)]
    if operation == "associate/default":
        return _link_default(call, writes, one, other)
    if operation == "labels/archive" and not types:
        raise invalid("types must not be empty")
    writes.dissociate(one, other, types if operation == "labels/archive" else [], call.hand)
    return []


def _end_of(call: Call, kind: Kind, end: object) -> Record:
    id = shape.text(shape.mapping(end, "from and to").get("id"), "id")
    record = call.portal.table(KINDS[kind.name]).survivor(id)
    if record is None or not record.live:
        raise not_found()
    return record
