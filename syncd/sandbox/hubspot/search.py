"""Search: filters, sorting, pages, and an index that lags behind the records (search guide)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from syncd.sandbox.hubspot import shape, view
from syncd.sandbox.hubspot.call import Call, Reply
from syncd.sandbox.hubspot.errors import invalid
from syncd.sandbox.hubspot.kinds import Kind, find
from syncd.sandbox.hubspot.operators import Test, has_tokens, sort_key, test_of
from syncd.sandbox.hubspot.portal import Portal
from syncd.sandbox.hubspot.record import Record
from syncd.sandbox.hubspot.schema import Property

BODY_MOST = 3_000
RESULTS_MOST = 10_000
PAGE_MOST = 200
GROUPS_MOST, FILTERS_MOST, FILTERS_IN_ALL = 5, 6, 18

Matches = Callable[[Record], bool]
Reader = Callable[[Record, str], str | None]


def search(call: Call, kind_name: str) -> Reply:
    kind = find(kind_name)
    call.require(kind, "read")
    if len(call.request.body.decode(errors="replace")) > BODY_MOST:
        raise invalid(f"The request body is longer than {BODY_MOST} characters")
    body = call.body()
    limit = shape.whole(body.get("limit"), "limit", 10)
    after = shape.whole(body.get("after"), "after", 0)
    if not 1 <= limit <= PAGE_MOST:
        raise invalid(f"limit must be between 1 and {PAGE_MOST}")
    if after < 0 or after + limit > RESULTS_MOST:
        raise invalid()
    lag = call.portal.settings.lag
    moment = call.hand.now - lag if lag else None
    found = _found(call.portal, kind, body, moment)
    asked = shape.texts(body.get("properties"), "properties")
    page = found[after : after + limit]
    results = [view.shown(call.portal, record, asked, moment=moment) for record in page]
    answer: dict[str, object] = {"total": len(found), "results": results}
    if after + limit < len(found):
        answer["paging"] = {"next": {"after": str(after + limit)}}
    return Reply(200, answer)


def _found(portal: Portal, kind: Kind, body: Mapping[str, object], moment: datetime | None) -> list[Record]:
    read = _reader(moment)
    matches = _filter(portal, kind, body, read)
    words = shape.optional_text(body.get("query"), "query")
    records = [
        record
        for record in portal.table(kind).after(0)
        if _indexed(record, moment) and matches(record) and (not words or _mentions(portal, record, words, read))
    ]
    return _sorted(portal, kind, records, body.get("sorts"), read)


def _reader(moment: datetime | None) -> Reader:
    if moment is None:
        return lambda record, name: record.value(name)
    then = moment
    return lambda record, name: record.value_at(name, then)


def _indexed(record: Record, moment: datetime | None) -> bool:
    """Whether the index holds the record: made, and not yet deleted, at the moment it was last brought up to date."""
    if record.merged_into is not None:
        return False
    if moment is None:
        return record.archived_at is None
    return record.created_at <= moment and (record.archived_at is None or record.archived_at > moment)


def _filter(portal: Portal, kind: Kind, body: Mapping[str, object], read: Reader) -> Matches:
    """Groups are alternatives, the filters of one all have to hold."""
    groups = shape.mappings(body.get("filterGroups"), "filterGroups")
    if body.get("filters") is not None:
        groups = [*groups, {"filters": body["filters"]}]
    filters = [shape.mappings(group.get("filters"), "filters") for group in groups]
    if (
        len(filters) > GROUPS_MOST
        or any(len(each) > FILTERS_MOST for each in filters)
        or sum(map(len, filters)) > FILTERS_IN_ALL
    ):
        raise invalid(
            f"At most {GROUPS_MOST} filter groups, {FILTERS_MOST} filters in a group and {FILTERS_IN_ALL} in all"
        )
    tests = [[_match(portal, kind, each, read) for each in group] for group in filters]
    if not tests:
        return lambda record: True
    return lambda record: any(all(matches(record) for matches in group) for group in tests)


def _match(portal: Portal, kind: Kind, filter_: Mapping[str, object], read: Reader) -> Matches:
    name = shape.text(filter_.get("propertyName"), "propertyName")
    if name.startswith("associations."):
        return _associated(portal, name.removeprefix("associations."), filter_)
    test: Test = test_of(_definition(portal, kind, name), filter_)
    return lambda record: test(read(record, name))


def _associated(portal: Portal, other: str, filter_: Mapping[str, object]) -> Matches:
    """The pseudo-property `associations.contact`; associations are not part of the lagging index here."""
    kind = find(other)
    if filter_.get("operator") != "EQ":
        raise invalid("associations can be filtered by EQ only")
    target = (kind.name, shape.text(filter_.get("value"), "value"))
    return lambda record: bool(portal.links.types(record.ref, target))


def _definition(portal: Portal, kind: Kind, name: str) -> Property:
    definition = portal.schema.properties[kind.name].get(name)
    if definition is None:
        raise invalid(f"There was a problem with the request. Property {name} does not exist.")
    return definition


def _mentions(portal: Portal, record: Record, words: str, read: Reader) -> bool:
    texts = (
        read(record, each.name) for each in portal.schema.properties[record.kind.name].values() if each.type == "string"
    )
    return any(has_tokens(text, words) for text in texts if text)


def _sorted(portal: Portal, kind: Kind, records: list[Record], sorts: object, read: Reader) -> list[Record]:
    """By at most one property, empty values last; otherwise, and among equals, in the order of creation."""
    wanted: Sequence[object] = shape.items(sorts, "sorts")
    if not wanted:
        return records
    if len(wanted) > 1:
        raise invalid("Only one sort is supported")
    name, falling = _direction(wanted[0])
    definition = _definition(portal, kind, name)
    keyed = [(sort_key(definition, text), record) for record in records if (text := read(record, name)) is not None]
    empty = [record for record in records if read(record, name) is None]
    keyed.sort(key=lambda pair: pair[0], reverse=falling)
    return [record for _, record in keyed] + empty


def _direction(sort: object) -> tuple[str, bool]:
    """`{propertyName, direction}`, or the older text form with a minus sign for falling."""
    if isinstance(sort, str):
        return sort.removeprefix("-"), sort.startswith("-")
    each = shape.mapping(sort, "sorts")
    direction = shape.optional_text(each.get("direction"), "direction") or "ASCENDING"
    if direction not in ("ASCENDING", "DESCENDING"):
        raise invalid(f"{direction} is not a direction")
    return shape.text(each.get("propertyName"), "propertyName"), direction == "DESCENDING"
