"""Batch calls: up to 100 records, answered in an order that is not the inputs' (object guides, error handling guide).

An unknown id costs that row only; any other bad row fails the whole batch, unless every input carries an
`objectWriteTraceId`: then it is one entry of a 207.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from syncd.sandbox.hubspot import shape, view
from syncd.sandbox.hubspot.call import Call, Reply
from syncd.sandbox.hubspot.errors import ApiError, invalid, missing_objects
from syncd.sandbox.hubspot.kinds import Kind, find
from syncd.sandbox.hubspot.objects import checked_id_property, create_one
from syncd.sandbox.hubspot.record import Record
from syncd.sandbox.hubspot.times import iso
from syncd.sandbox.hubspot.writes import Writes

MOST = 100
Row = Mapping[str, object]


class _Missing(Exception):
    """A row names a record that is not there."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.id = id


def read(call: Call, kind_name: str) -> Reply:
    kind = find(kind_name)
    call.require(kind, "read")
    body = call.body()
    asked = shape.texts(body.get("properties"), "properties")
    history = shape.texts(body.get("propertiesWithHistory"), "propertiesWithHistory")
    id_property = shape.optional_text(body.get("idProperty"), "idProperty")
    found: dict[str, Record] = {}
    missing: list[str] = []
    for row in inputs(body):
        id = shape.text(row.get("id"), "id")
        record = _known(call, kind, id, id_property)
        if record is None or (record.archived_at is not None) != call.flag("archived"):
            missing.append(id)
        else:
            found[record.id] = record
    results = [view.shown(call.portal, record, asked, history=history) for record in found.values()]
    return reply(call, 200, results, _missing_entry(kind, missing))


def create(call: Call, writes: Writes, kind_name: str) -> Reply:
    kind = find(kind_name)
    call.require(kind, "write")

    def one(row: Row) -> view.Json:
        return view.made(create_one(call, writes, kind, row))

    return _rows(call, kind, one, 201)


def update(call: Call, writes: Writes, kind_name: str) -> Reply:
    kind = find(kind_name)
    call.require(kind, "write")
    _refuse_duplicates(inputs(call.body()))

    def one(row: Row) -> view.Json | None:
        id = shape.text(row.get("id"), "id")
        record = _known(call, kind, id, shape.optional_text(row.get("idProperty"), "idProperty"))
        if record is None or record.archived_at is not None:
            raise _Missing(id)
        merged_away = id in call.portal.table(kind).records and record.id != id
        if merged_away:  # silently left out, as observed
            return None
        values = writes.update(record, _properties(row), call.hand)
        return view.written(record, list(values))

    return _rows(call, kind, one, 200)


def upsert(call: Call, writes: Writes, kind_name: str) -> Reply:
    """By e-mail (contacts) or a custom unique property; `new` says which of the two it was."""
    kind = find(kind_name)
    call.require(kind, "write")

    def one(row: Row) -> view.Json:
        id = shape.text(row.get("id"), "id")
        name = checked_id_property(call.portal, kind, shape.text(row.get("idProperty"), "idProperty"))
        record = call.portal.table(kind).holder(name, id)
        if record is None:
            made = writes.create(kind, {**_properties(row), name: id}, [], call.hand)
            return {"new": True, **view.made(made)}
        values = writes.update(record, _properties(row), call.hand)
        return {"new": False, **view.written(record, list(values))}

    return _rows(call, kind, one, 200)


def archive(call: Call, writes: Writes, kind_name: str) -> Reply:
    """Unknown ids and those archived before are passed over."""
    kind = find(kind_name)
    call.require(kind, "write")
    records = call.portal.table(kind).records
    with call.portal.atomic():
        for row in inputs(call.body()):
            record = records.get(shape.text(row.get("id"), "id"))
            if record is not None and record.live:
                writes.archive(record, call.hand)
    return Reply(204)


def inputs(body: Mapping[str, object], most: int = MOST) -> list[Row]:
    rows = shape.mappings(body.get("inputs"), "inputs")
    if not rows:
        raise invalid("inputs must not be empty")
    if len(rows) > most:
        raise invalid(f"The maximum number of inputs in a batch is {most}, {len(rows)} were sent")
    return rows


def _refuse_duplicates(rows: Sequence[Row]) -> None:
    ids = [str(row.get("id")) for row in rows]
    twice = sorted({id for id in ids if ids.count(id) > 1})
    if twice:
        raise invalid(f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique")


def _known(call: Call, kind: Kind, id: str, id_property: str | None) -> Record | None:
    table = call.portal.table(kind)
    if id_property in (None, "", "hs_object_id"):
        return table.survivor(id)
    return table.holder(checked_id_property(call.portal, kind, id_property or ""), id)


def _properties(row: Row) -> Mapping[str, object]:
    return shape.mapping(row.get("properties", {}), "properties")


def _rows(call: Call, kind: Kind, one: Callable[[Row], view.Json | None], success: int) -> Reply:
    """Write row by row: together without trace ids, each on its own with them."""
    rows = inputs(call.body())
    traces = [shape.optional_text(row.get("objectWriteTraceId"), "objectWriteTraceId") for row in rows]
    each_alone = all(trace is not None for trace in traces)
    results: list[view.Json] = []
    errors: list[view.Json] = []
    missing: list[str] = []
    with call.portal.atomic():
        for row, trace in zip(rows, traces, strict=True):
            try:
                with call.portal.atomic():
                    result = one(row)
            except _Missing as error:
                missing.append(error.id)
            except ApiError as error:
                if not each_alone:
                    raise
                errors.append(error.entry(trace))
            else:
                if result is not None:
                    results.append(result | ({"objectWriteTraceId": trace} if trace is not None else {}))
    return reply(call, success, results, errors + _missing_entry(kind, missing))


def _missing_entry(kind: Kind, ids: list[str]) -> list[view.Json]:
    return [missing_objects(kind.singular, ids).entry()] if ids else []


def reply(call: Call, success: int, results: Sequence[view.Json], errors: Sequence[view.Json]) -> Reply:
    """The batch envelope; 207 as soon as there is an error entry. The last input's result comes first."""
    at = iso(call.hand.now)
    body: dict[str, object] = {"status": "COMPLETE", "results": list(reversed(results))}
    if errors:
        body |= {"numErrors": len(errors), "errors": list(errors)}
    return Reply(207 if errors else success, {**body, "startedAt": at, "completedAt": at})
