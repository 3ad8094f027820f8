"""What an order consists of at HubSpot: parts, each one input of one batch call.

Most orders are one part. A mirror invoice is its record and then its lines; a changed one may need lines created,
changed and taken away, its contact replaced, and last its own properties. The parts are worked out once, when the order
begins; what is left of them travels in the order's carry, so that a step never has to be guessed from what is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import takewhile
from typing import Any

import msgspec

from syncd.connectors.base import Order, Unwritable
from syncd.connectors.hubspot.fields import (
    CONTACTS,
    INVOICES,
    LINES,
    LINK_TYPES,
    MIRROR_ONLY,
    PAYMENTS,
    REFERENCE,
    TYPES,
)
from syncd.connectors.hubspot.manifest import LIMITS
from syncd.connectors.hubspot.options import Options
from syncd.connectors.hubspot.values import line_properties_of, properties_of, text_of
from syncd.model.nouns import Invoice, Line, Payment
from syncd.model.record import Op
from syncd.model.references import Kind


class Verb(StrEnum):
    """The batch calls there are."""

    CREATE = "create"
    UPDATE = "update"
    ARCHIVE = "archive"
    LINK = "link"
    UNLINK = "unlink"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One input.

    Attributes:
        name: unique within its order.
        type, to: the object it is about, and for links the type at the other end. A created line goes `to` its invoice.
        id: the record it changes; for links the other end's id; None for creates.
    """

    name: str
    verb: Verb
    type: str
    to: str = ""
    id: str | None = None
    properties: dict[str, str] = {}
    links: tuple[tuple[str, str], ...] = ()  # (type, id) that a created record is tied to

    @property
    def route(self) -> tuple[Verb, str, str]:
        """Parts of one route fit into one request."""
        return (self.verb, self.type, self.to)


class Carry(msgspec.Struct, frozen=True, kw_only=True):
    """What an order still has to do, and the created record as HubSpot answered it."""

    id: str
    todo: tuple[Part, ...]
    record: dict[str, Any] | None = None


def carry_of(order: Order) -> Carry | None:
    """The order's carry."""
    return msgspec.json.decode(order.carry, type=Carry) if order.carry else None


def carry_text(carry: Carry) -> str:
    """A carry as an order keeps it."""
    return msgspec.json.encode(carry).decode()


def all_parts(order: Order, options: Options) -> tuple[Part, ...]:
    """Everything an order still has to do.

    Raises:
        Unwritable: HubSpot has no way to do it.
    """
    if carry := carry_of(order):
        return carry.todo
    try:
        made = tuple(_begun(order, options))
    except KeyError as error:
        raise Unwritable(order.intent, "field_not_writable", f"HubSpot has no field for {error}") from error
    if not made:
        raise Unwritable(order.intent, "field_not_writable", "nothing of this can be written to HubSpot")
    return made


def next_parts(order: Order, options: Options) -> tuple[Part, ...]:
    """What goes into the order's next request: the first parts of one route, as many as one batch takes."""
    parts = all_parts(order, options)
    return tuple(takewhile(lambda part: part.route == parts[0].route, parts))[: LIMITS.batch]


def _begun(order: Order, options: Options) -> Iterator[Part]:
    match order.op, order.kind:
        case Op.CREATE, _:
            return _create(order, options)
        case Op.UPDATE, _:
            return _update(order, options)
        case Op.VOID, Kind.INVOICE:
            return iter([_header(order, {"hs_invoice_status": "voided"} | _values(order))])
        case ((Op.VOID | Op.DELETE), Kind.PAYMENT):
            return iter([Part(name="archive", verb=Verb.ARCHIVE, type=PAYMENTS, id=order.id)])
        case _:
            raise Unwritable(order.intent, "state_not_allowed", f"a HubSpot {order.kind} cannot be {order.op}d here")


def _create(order: Order, options: Options) -> Iterator[Part]:
    if order.kind is Kind.INVOICE and not order.mirror:
        raise Unwritable(order.intent, "state_not_allowed", "invoices are born in HubSpot by its own people only")
    properties = {name: text for name, text in _values(order).items() if text}
    properties |= _fixed(order, options)
    if order.marker:
        properties[REFERENCE] = order.marker
    links = []
    if customer := order.values.get("customer"):
        links.append((CONTACTS, text_of(customer)))
    links += [(INVOICES, allocation.invoice) for allocation in order.allocations or ()]
    object_type = TYPES[order.kind]
    yield Part(name="create", verb=Verb.CREATE, type=object_type, properties=properties, links=tuple(links))
    for position, line in enumerate(order.lines or ()):
        yield _new_line(order, line, position, options)


def _update(order: Order, options: Options) -> Iterator[Part]:
    _check_owner(order)
    yield from _relinks(order)
    if order.lines is not None:
        yield from _line_changes(order, order.lines, options)
    # Last, so that the answer to the whole order shows the record as it is at the end.
    if properties := _values(order):
        yield _header(order, properties)


def _check_owner(order: Order) -> None:
    if order.kind is Kind.INVOICE and not order.mirror:
        owned = sorted(MIRROR_ONLY & order.values.keys())
        if owned or order.lines is not None:
            what = ", ".join(owned) or "lines"
            raise Unwritable(order.intent, "field_not_writable", f"HubSpot computes this of its own invoices: {what}")


def _relinks(order: Order) -> Iterator[Part]:
    seen = order.seen.noun if order.seen else None
    if order.kind is Kind.INVOICE and "customer" in order.values:
        customer = order.values["customer"]
        before = [seen.customer] if isinstance(seen, Invoice) and seen.customer else []
        yield from _replaced(INVOICES, CONTACTS, before, [text_of(customer)] if customer else [])
    if order.kind is Kind.PAYMENT and order.allocations is not None:
        before = [one.invoice for one in seen.allocations] if isinstance(seen, Payment) else []
        yield from _replaced(PAYMENTS, INVOICES, before, [one.invoice for one in order.allocations])


def _replaced(source: str, target: str, before: Sequence[str], after: Sequence[str]) -> Iterator[Part]:
    for id in after:
        if id not in before:
            yield Part(name=f"link:{id}", verb=Verb.LINK, type=source, to=target, id=id)
    for id in before:
        if id not in after:
            yield Part(name=f"unlink:{id}", verb=Verb.UNLINK, type=source, to=target, id=id)


def _line_changes(order: Order, lines: Sequence[Line], options: Options) -> Iterator[Part]:
    seen = order.seen.noun if order.seen else None
    before = {line.id: (place, line) for place, line in enumerate(seen.lines)} if isinstance(seen, Invoice) else {}
    for position, line in enumerate(lines):
        if line.id is None:
            yield _new_line(order, line, position, options)
    for position, line in enumerate(lines):
        if line.id is not None:
            properties = line_properties_of(line, position, options.line_service_date)
            if line.id in before:
                place, old = before[line.id]
                shown = line_properties_of(old, place, options.line_service_date)
                properties = {name: text for name, text in properties.items() if text != shown.get(name)}
            if properties:
                yield Part(name=f"~{line.id}", verb=Verb.UPDATE, type=LINES, id=line.id, properties=properties)
    kept = {line.id for line in lines}
    for id in before:
        if id not in kept:
            yield Part(name=f"-{id}", verb=Verb.ARCHIVE, type=LINES, id=id)


def _new_line(order: Order, line: Line, position: int, options: Options) -> Part:
    shown = line_properties_of(line, position, options.line_service_date)
    properties = {name: text for name, text in shown.items() if text}
    key = line.key or str(position)
    properties[REFERENCE] = f"{_marker(order)}:{key}"
    return Part(name=f"+{key}", verb=Verb.CREATE, type=LINES, to=INVOICES, properties=properties)


def _marker(order: Order) -> str:
    return order.marker or (order.seen and order.seen.marker) or f"syncd:{order.id}"


def _header(order: Order, properties: dict[str, str]) -> Part:
    return Part(name="update", verb=Verb.UPDATE, type=TYPES[order.kind], id=order.id, properties=properties)


def _values(order: Order) -> dict[str, str]:
    return properties_of(order.kind, order.values)


def _fixed(order: Order, options: Options) -> dict[str, str]:
    if order.kind is Kind.INVOICE:
        return {"hs_invoice_billable": "false"}
    if order.kind is Kind.PAYMENT:
        # Without a status of its own a payment stays `processing`, and no invoice counts it as paid.
        return {"hs_processor_type": options.payment_processor, "hs_latest_status": "succeeded"}
    return {}


def link_type(source: str, target: str) -> dict[str, Any]:
    """An association's type, as inputs spell it."""
    return {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": LINK_TYPES[(source, target)]}
