"""On which product of the books a line goes where its own does not decide it, and which products are out of use."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from syncd.core.decision import Context
from syncd.core.facts import together
from syncd.core.outcome import Settled
from syncd.model.nouns import Invoice, Line, Product
from syncd.model.record import Record
from syncd.model.references import EntityRef, Kind, MatchKey, Side
from syncd.model.snapshot import Presence, Snapshot
from syncd.model.waiting import on_entity, on_key


def refuse_inactive(context: Context, invoice: Invoice, source: Side) -> None:
    """Whether every product of the lines may still be used: one that is out of use is never used, nor passed over.

    Raises:
        Settled: `product_inactive`, naming the product.
    """
    if context.flow.products is None:
        return
    there, flow = source.other, context.sync.flow(context.flow.products)
    ids = sorted({line.product for line in invoice.lines if line.product is not None})
    records = [record for record in context.facts.partners_of(flow.name, source, ids).values() if record is not None]
    for record, seen in zip(records, together(partial(_stands_for, context, r, there) for r in records), strict=True):
        if seen and not any(_active(one) for one in seen):
            waits_for = on_entity(EntityRef(context.sync.connection(there), Kind.PRODUCT, seen[0].id))
            raise Settled("product_inactive", f"{record.label} ({record.key or seen[0].id})", waits_for=waits_for)


def _stands_for(context: Context, record: Record, side: Side) -> list[Snapshot]:
    """What is there of a product: its counterpart, or whatever else bears its key."""
    seen: Iterable[Snapshot | None] = ()
    if (id := record.entity(side)) is not None:
        seen = [context.facts.snapshot(side, Kind.PRODUCT, id)]
    elif record.key:
        field = context.sync.flow(record.flow).match[0]
        seen = context.facts.index(side, Kind.PRODUCT, MatchKey(field, record.key))
    return [one for one in seen if one is not None and one.presence is Presence.PRESENT]


def is_tax(line: Line, context: Context) -> bool:
    """Whether a line stands for a tax: it bears the name, or the SKU, of the product for taxes."""
    name = context.flow.tax_product
    said = {text.strip().casefold() for text in (line.name, line.sku) if text}
    return name is not None and name.strip().casefold() in said


def tax_product_there(context: Context, invoice: Invoice, source: Side) -> str | None:
    """The product that lines with a tax are booked on; None if there is no such line.

    Raises:
        Settled: `option_unknown`, the books have no such active product.
    """
    name = context.flow.tax_product
    if name is None or source is not Side.LEFT or not any(is_tax(line, context) for line in invoice.lines):
        return None
    side, keys = Side.RIGHT, (MatchKey("name", name.strip()), MatchKey("sku", name.strip()))
    for look in (context.facts.index, context.facts.find):
        found = sorted(one.id for key in keys for one in look(side, Kind.PRODUCT, key) if _active(one))
        if found:
            return found[0]
    waits_for = on_key(context.sync.connection(side), Kind.PRODUCT, keys[0])
    raise Settled("option_unknown", f"There is no active product “{name}” for taxes.", waits_for=waits_for)


def _active(one: Snapshot) -> bool:
    return one.presence is Presence.PRESENT and isinstance(one.noun, Product) and one.noun.active
