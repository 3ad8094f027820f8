"""What a create would bring forth, for a plan: the other side's entity as it was asked for, under a name of its own.

A plan decides parents and their children in one go, so the children need something to refer to. The name is made of
where the parent was born and not of chance: planned again later, the same create has the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from syncd.model.nouns import (
    Adjustment,
    AdjustmentKind,
    Invoice,
    InvoiceStatus,
    Noun,
    Party,
    Payment,
    PaymentStatus,
    Product,
    field_names,
)
from syncd.model.record import Intent, Record
from syncd.model.references import Kind, Side
from syncd.model.snapshot import Snapshot

_PREFIX = "there:"
_NOUNS: Mapping[Kind, type[Noun]] = {
    Kind.PARTY: Party,
    Kind.PRODUCT: Product,
    Kind.INVOICE: Invoice,
    Kind.PAYMENT: Payment,
}


def place(record: Record) -> str:
    """Where a record was born: the same for every run and every state, unlike its id."""
    side = record.origin
    if side is None or record.entity(side) is None:
        side = Side.LEFT if record.left is not None else Side.RIGHT
    id = record.entity(side)
    made_here = record.key is not None and record.key.startswith("fallback:")
    return f"{record.flow}:{record.key}" if made_here or id is None else f"{record.flow}:{side}:{id}"


def name_there(place: str) -> str:
    """What the counterpart is called that a plan would make for the record of this place."""
    return _PREFIX + place


def is_imagined(id: str | None) -> bool:
    """Whether an entity is one that a plan would make."""
    return id is not None and id.startswith(_PREFIX)


def imagined(intent: Intent, record: Record) -> Snapshot:
    """The entity that a create asks for; without content where too little of it is known."""
    try:
        noun: Noun | None = _noun(intent)
    except TypeError:  # a field the noun cannot be without is not said
        noun = None
    return Snapshot(
        kind=intent.kind,
        id=name_there(place(record)),
        version="",
        noun=noun,
        marker=record.marker,
        native=False,
    )


def _noun(intent: Intent) -> Noun:
    made = _NOUNS[intent.kind]
    values: dict[str, Any] = {name: v for name, v in intent.values.items() if name in field_names(made)}
    custom = {n.removeprefix("custom."): v for n, v in intent.values.items() if n.startswith("custom.")}
    if made is Invoice:
        values = _priced(intent, values)
    if made is Payment:
        values = {"status": PaymentStatus.SUCCEEDED, **values, "allocations": intent.allocations or ()}
    return made(**values, custom=custom)


def _priced(intent: Intent, values: dict[str, Any]) -> dict[str, Any]:
    lines, discount = intent.lines or (), intent.values.get("discount")
    off = (Adjustment(kind=AdjustmentKind.DISCOUNT, amount=discount),) if isinstance(discount, Decimal) else ()
    total = sum((line.amount or Decimal(0) for line in lines), Decimal(0)) - sum((a.amount for a in off), Decimal(0))
    return {"status": InvoiceStatus.OPEN, "total": total, **values, "lines": lines, "adjustments": off}
