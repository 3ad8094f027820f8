"""References across sides: which customer, product and invoice over there stand for the ones over here."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from syncd.core.catalogue import text
from syncd.core.decision import Context
from syncd.core.facts import together
from syncd.core.outcome import Settled
from syncd.core.rules import Creation, FlowRules
from syncd.model.nouns import Invoice, Party, Product
from syncd.model.record import Record, Status
from syncd.model.references import EntityRef, Kind, MatchKey, Side
from syncd.model.snapshot import Presence
from syncd.model.waiting import on_entity, on_key, on_record

GONE = "counterpart_gone"
"""The note of a record that is kept although the other side no longer has it."""

INACTIVE = "counterpart_inactive"
"""The note of a record whose other side is out of use."""

FALLBACK = "fallback:"
"""How the keys of records begin that a flow makes for itself."""


def customer_there(context: Context, invoice: Invoice, source: Side) -> str:
    """The id, on the other side, of the party this invoice is for.

    Raises:
        Settled: `customer_missing`, `parent_failed` or `waits_parent`, naming the customer and what was tried.
    """
    flow = _flow(context, context.flow.customers)
    if invoice.customer is None:
        raise Settled("customer_missing", "The invoice names no customer.")
    top = _topmost(context, source, invoice.customer)
    record = context.facts.partner(flow.name, source, top)
    if record is None:
        unseen = on_entity(EntityRef(context.sync.connection(source), Kind.PARTY, top))
        raise Settled("customer_missing", f"Customer {top} could not be read.", waits_for=unseen)
    there = record.entity(source.other)
    if there is not None:
        # What keeps a contact's own fields from flowing does not make it another customer.
        shaken = record.status is Status.EXCLUDED or GONE in record.notes or INACTIVE in record.notes
        return _living(context, record, there, source.other) if shaken else there
    if not flow.direction.allows(source):
        raise Settled(
            "customer_missing", _tried(record, "the customers flow does not go this way"), waits_for=_on(record)
        )
    if record.status is Status.FAILED:
        raise Settled("parent_failed", _tried(record, _title(record)), waits_for=_on(record))
    on_demand = flow.creation.get(source) is Creation.WHEN_WANTED
    if record.status is Status.EXCLUDED and (record.wanted or not on_demand or record.code != "filtered"):
        raise Settled("customer_missing", _tried(record, record.words or _title(record)), waits_for=_on(record))
    raise Settled(
        _waiting(record),
        _tried(record, "it is being created"),
        waits_for=_on(record),
        wants=() if record.wanted else (record.id,),
    )


def _living(context: Context, record: Record, id: str, side: Side) -> str:
    """The customer itself, or the one it was merged into.

    Raises:
        Settled: it is gone, or not to be used any more.
    """
    passed: set[str] = set()
    snapshot = context.facts.snapshot(side, Kind.PARTY, id)
    while snapshot is not None and snapshot.presence is Presence.MERGED and snapshot.merged_into not in passed:
        if snapshot.merged_into is None:
            break
        passed.add(snapshot.merged_into)
        snapshot = context.facts.snapshot(side, Kind.PARTY, snapshot.merged_into)
    if snapshot is None or snapshot.presence is not Presence.PRESENT:
        raise Settled("customer_missing", _tried(record, "its counterpart is gone"), waits_for=_on(record))
    if isinstance(snapshot.noun, Party) and not snapshot.noun.active:
        raise Settled("customer_missing", _tried(record, "its counterpart is inactive"), waits_for=_on(record))
    return snapshot.id


def _topmost(context: Context, side: Side, party: str) -> str:
    # A job or sub-customer stands for its topmost parent: that is who the other side knows.
    snapshot = context.facts.snapshot(side, Kind.PARTY, party)
    noun = snapshot.noun if snapshot is not None else None
    return noun.parent if isinstance(noun, Party) and noun.parent is not None else party


def products_there(context: Context, invoice: Invoice, source: Side) -> tuple[dict[str, str], str | None]:
    """The ids, on the other side, of the products named on the lines.

    Returns:
        Those that have a counterpart; and the product for all other lines, if there are any and the recipe has one.

    Raises:
        Settled: `product_ambiguous`; `waits_parent` while the product for all other lines is being made.
    """
    named = {line.product for line in invoice.lines}
    ids = sorted(id for id in named if id is not None)
    found: dict[str, str] = {}
    if context.flow.products is not None:
        records = context.facts.partners_of(context.flow.products, source, ids)
        there = {id: record.entity(source.other) for id, record in records.items() if record is not None}
        found = {id: product for id, product in there.items() if product is not None}
        alone = [record for id, record in records.items() if record is not None and id not in found]
        _refuse_ambiguous(context, context.flow.products, source.other, alone)
    others = source is Side.LEFT and bool(named - found.keys())
    fallback = context.flow.fallback_product if others else None
    return found, None if fallback is None else _fallback(context, fallback)


def _refuse_ambiguous(context: Context, flow: str, side: Side, alone: list[Record]) -> None:
    # A product without a counterpart because several could be it is not just any line's: which is meant is a person's
    # word.
    field = context.sync.flow(flow).match[0]
    known = [(record, MatchKey(field, record.key)) for record in alone if record.key]
    listed = together(partial(context.facts.index, side, Kind.PRODUCT, key) for _, key in known)
    for (record, key), found in zip(known, listed, strict=True):
        fitting = sorted(s.id for s in found if isinstance(s.noun, Product) and s.noun.active)
        if len(fitting) > 1:
            names = on_key(context.sync.connection(side), Kind.PRODUCT, key)
            raise Settled("product_ambiguous", _tried(record, ", ".join(fitting)), waits_for=names)


def _fallback(context: Context, name: str) -> str:
    assert context.flow.products is not None
    record = context.facts.partner(context.flow.products, Side.RIGHT, fallback_key(name))
    assert record is not None, "the turn makes the record of a fallback product"
    if record.right is not None:
        return record.right
    if record.status is Status.FAILED:
        raise Settled("parent_failed", _tried(record, _title(record)), waits_for=_on(record))
    raise Settled(_waiting(record), f"The product “{name}” is being made.", waits_for=_on(record))


def fallback_key(name: str) -> str:
    """The record key of a product a flow makes for itself."""
    return f"{FALLBACK}{name.casefold()}"


def invoices_there(context: Context, ids: Iterable[str], source: Side) -> list[str]:
    """The same as `invoice_there` for several invoices, asked for at once."""
    wanted = list(ids)
    context.facts.partners_of(_flow(context, context.flow.invoices).name, source, wanted)
    return [invoice_there(context, id, source) for id in wanted]


def invoice_there(context: Context, invoice_id: str, source: Side) -> str:
    """The id, on the other side, of the invoice a payment pays.

    Raises:
        Settled: its invoice is not there (yet).
    """
    flow = _flow(context, context.flow.invoices)
    record = context.facts.partner(flow.name, source, invoice_id)
    if record is None:
        unseen = on_entity(EntityRef(context.sync.connection(source), Kind.INVOICE, invoice_id))
        raise Settled("filtered", "Its invoice is not part of this sync.", waits_for=unseen)
    there = record.entity(source.other)
    if record.status is Status.EXCLUDED:
        words = f"Its invoice {record.label} is excluded: {record.words or _title(record)}"
        raise Settled("filtered", words, waits_for=_on(record))
    if there is not None and record.status is not Status.FAILED:
        return there
    if record.status is Status.FAILED:
        raise Settled("parent_failed", _tried(record, _title(record)), waits_for=_on(record))
    raise Settled(_waiting(record), _tried(record, "it is on its way"), waits_for=_on(record))


def _waiting(parent: Record) -> str:
    # What waits for a parent that waits for a person waits for that person, too.
    return "not_approved" if parent.code == "not_approved" else "waits_parent"


def _flow(context: Context, name: str | None) -> FlowRules:
    assert name is not None, f"the recipe does not say what {context.flow.name} refers to"
    return context.sync.flow(name)


def _title(record: Record) -> str:
    return text(record.code, "en", left="", right="").title.lower() if record.code else ""


def _tried(record: Record, why: str) -> str:
    key = f" ({record.key})" if record.key and record.key != record.label else ""
    return f"{record.label}{key}: {why}"


def _on(record: Record) -> str:
    return on_record(record.id)
