"""Small values to fill a store with; every test says only what it is about."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from syncd.model.content import Content
from syncd.model.nouns import Allocation, Invoice, InvoiceStatus, Line
from syncd.model.record import Activity, FieldChange, Intent, Op, Priority, Record, StoredSend
from syncd.model.references import EntityRef, Kind, MatchKey, Side
from syncd.model.snapshot import Snapshot
from syncd.store.rows import Observed

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

LINE = Line(
    id="7", key="k1", sku="W-1", quantity=Decimal("1.5"), unit_price=Decimal("10.05"), service_date=date(2026, 1, 2)
)
CONTENT = Content(
    fields={"number": "INV-1", "total": Decimal("15.08"), "due": date(2026, 12, 1), "sent": None}, lines=(LINE,)
)


def record(id: str, **fields: Any) -> Record:
    return Record(**{"id": id, "sync": "invoicing", "flow": "invoices", "since": NOW, **fields})


def intent(id: str, of: str, **fields: Any) -> Intent:
    """A create in the books, unless the fields say otherwise."""
    common = {"sync": "invoicing", "flow": "invoices", "connection": "books", "side": Side.RIGHT}
    return Intent(
        **{"id": id, "record": of, **common, "op": Op.CREATE, "kind": Kind.INVOICE, "created_at": NOW, **fields}
    )


def full_intent(id: str, of: str) -> Intent:
    """An intent with every field set."""
    return intent(
        id,
        of,
        entity="12",
        natural_key="INV-1",
        values={"customer": "5", "total": Decimal("15.08"), "due_date": date(2026, 12, 1), "comment": None},
        lines=(LINE,),
        allocations=(Allocation(invoice="9", amount=Decimal("1.10")), Allocation(invoice="10")),
        mirror=True,
        if_version="3",
        expected="1:abc",
        patch={Side.LEFT: CONTENT, Side.RIGHT: Content()},
        step=1,
        carry='{"invoice": "12"}',
        send="send-1",
        item="bid1",
        sent_at=NOW,
        not_before=NOW,
        attempts=2,
        priority=Priority.WEBHOOK,
    )


def snapshot(id: str, **fields: Any) -> Snapshot:
    noun = Invoice(status=InvoiceStatus.OPEN, currency="EUR", total=Decimal("15.08"), lines=(LINE,))
    return Snapshot(**{"kind": Kind.INVOICE, "id": id, "version": "1", "noun": noun, **fields})


def observed(seen: Snapshot, *keys: MatchKey, at: datetime = NOW) -> Observed:
    return Observed(ref=EntityRef("crm", seen.kind, seen.id), snapshot=seen, keys=keys, cause="poll", at=at)


def activity(of: str, **fields: Any) -> Activity:
    change = FieldChange(field="total", old="10", new="a secret amount", side=Side.LEFT)
    return Activity(**{"record": of, "at": NOW, "event": "write.done", "by": "poll", "changes": (change,), **fields})


def send(id: str, **fields: Any) -> StoredSend:
    return StoredSend(
        **{
            "id": id,
            "connection": "books",
            "method": "POST",
            "path": "/v3/batch",
            "content_type": "application/json",
            "body": b'{"name": "a secret name"}\x00\xff',
            "replayable": True,
            "items": {"intent-1": "bid1"},
            "sent_at": NOW,
            **fields,
        }
    )
