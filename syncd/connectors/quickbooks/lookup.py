"""Looking at the books for what a lost request may have done.

Creates are recognised by our reference among what was created since; items, which carry none, by SKU or name. Updates
are recognised by the version they were sent with: while it stands, they were not carried out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from syncd.connectors.base import Done, NotDone, Order, Outcome, Stale, Unknown
from syncd.connectors.quickbooks.bodies import as_sent
from syncd.connectors.quickbooks.manifest import MANIFEST
from syncd.connectors.quickbooks.reader import Reader
from syncd.connectors.quickbooks.wire import ENTITIES, LISTS, moment_text, quoted
from syncd.model.nouns import (
    Invoice,
    InvoiceStatus,
    Line,
    Noun,
    Payment,
    PaymentStatus,
    Product,
    field_names,
    field_value,
)
from syncd.model.record import Op
from syncd.model.references import Kind
from syncd.model.snapshot import Presence, Snapshot
from syncd.model.values import Value

CLOCKS_DIFFER = timedelta(minutes=10)  # the vendor's clock and ours


async def look(reader: Reader, orders: Sequence[Order], sent_at: datetime, age: float) -> list[Outcome]:
    """What became of these orders, by what the books show now."""
    creates = [order for order in orders if order.op is Op.CREATE]
    changes = [order for order in orders if order.op is not Op.CREATE]
    too_late = age > MANIFEST.all_traits().late_commit
    return [
        *await _created(reader, creates, sent_at, too_late=too_late),
        *await _changed(reader, changes, too_late=too_late),
    ]


async def _created(reader: Reader, orders: Sequence[Order], sent_at: datetime, *, too_late: bool) -> list[Outcome]:
    since = f"MetaData.CreateTime >= {quoted(moment_text(sent_at - CLOCKS_DIFFER))}"
    candidates: dict[Kind, list[Snapshot]] = {}
    for kind in dict.fromkeys(order.kind for order in orders):
        candidates[kind] = [
            seen
            async for answer in reader.pages(ENTITIES[kind], since)
            for seen in await reader.snapshots(kind, answer.rows)
        ]
    outcomes: list[Outcome] = []
    for order in orders:
        ours = next((seen for seen in candidates[order.kind] if _is_ours(seen, order)), None)
        if ours is not None:
            outcomes.append(Done(intent=order.intent, id=ours.id, snapshot=ours))
        else:
            outcomes.append(_absent(order, too_late=too_late))
    return outcomes


async def _changed(reader: Reader, orders: Sequence[Order], *, too_late: bool) -> list[Outcome]:
    seen: dict[Kind, Mapping[str, Snapshot]] = {}
    for kind in dict.fromkeys(order.kind for order in orders):
        seen[kind] = await reader.read(kind, [order.id for order in orders if order.kind is kind and order.id])
    return [_compared(order, seen[order.kind][order.id or ""], too_late=too_late) for order in orders]


def _compared(order: Order, now: Snapshot, *, too_late: bool) -> Outcome:
    if now.presence is not Presence.PRESENT:
        if order.op is Op.DELETE:
            return Done(intent=order.intent, id=now.id, snapshot=now)
        return Stale(intent=order.intent, words="it was deleted meanwhile")
    if now.version == order.if_version:
        return _absent(order, too_late=too_late)
    if now.noun is not None and _shows(now.noun, order):
        return Done(intent=order.intent, id=now.id, snapshot=now)
    # It moved, and not by us: our version would be refused from now on.
    return Stale(intent=order.intent, words="it was changed meanwhile")


def _absent(order: Order, *, too_late: bool) -> Outcome:
    if too_late:
        return NotDone(intent=order.intent, words="the books do not show it")
    return Unknown(intent=order.intent, words="the books do not show it yet")


def _is_ours(seen: Snapshot, order: Order) -> bool:
    if not isinstance(seen.noun, Product):
        return order.marker is not None and seen.marker == order.marker
    wanted = "sku" if order.values.get("sku") else "name"
    return _same(field_value(seen.noun, wanted), as_sent(order.kind, wanted, order.values.get(wanted)))


def _shows(noun: Noun, order: Order) -> bool:
    if order.op is Op.VOID:
        return isinstance(noun, Invoice | Payment) and noun.status in (InvoiceStatus.VOIDED, PaymentStatus.VOIDED)
    if order.op is Op.DELETE:
        return order.kind in LISTS and field_value(noun, "active") is False
    plain = {name: value for name, value in order.values.items() if name in field_names(type(noun))}
    if not all(_same(field_value(noun, name), as_sent(order.kind, name, value)) for name, value in plain.items()):
        return False
    if isinstance(noun, Invoice) and order.lines is not None:
        return [_facts(line) for line in noun.lines] == [_facts(line) for line in order.lines]
    if isinstance(noun, Payment) and order.allocations is not None:
        return {part.invoice for part in noun.allocations} == {part.invoice for part in order.allocations}
    return True


def _facts(line: Line) -> tuple[Value, ...]:
    return line.product, line.amount or Decimal(0)


def _same(one: Value, other: Value) -> bool:
    return (one or None) == (other or None)
