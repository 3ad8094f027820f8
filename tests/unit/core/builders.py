"""What decisions are made about: the real recipe bent as a configuration would, documents that add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from syncd.core.rules import SyncRules
from syncd.model.money import rounded
from syncd.model.nouns import (
    Adjustment,
    AdjustmentKind,
    Allocation,
    Invoice,
    InvoiceStatus,
    Line,
    Payment,
    PaymentStatus,
)
from syncd.model.references import Side
from syncd.recipes import build

LEFT, RIGHT = Side.LEFT, Side.RIGHT
START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = START + timedelta(days=1)


def rules(**flows: Mapping[str, Any]) -> SyncRules:
    """The rules of HubSpot (left, `crm`) and QuickBooks (right, `books`), each flow bent as a configuration would."""
    told = {"invoices": {"options": {"custom_line_item_account": "Services"}}} | {
        name: {"options": {"custom_line_item_account": "Services"}, **bent} if name == "invoices" else dict(bent)
        for name, bent in flows.items()
    }
    section = {"recipe": "hubspot-quickbooks", "left": "crm", "right": "books", "flows": told}
    return build("invoicing", section, START)


def line(amount: str | Decimal = "100.00", **more: Any) -> Line:
    """One piece at this amount, unless it is said otherwise."""
    sum_ = Decimal(amount)
    return Line(**{"description": "Work", "quantity": Decimal(1), "unit_price": sum_, "amount": sum_} | more)


def invoice(customer: str, *lines: Line, adjustments: Sequence[Adjustment] = (), **more: Any) -> Invoice:
    """An open invoice over 100.00 USD, unless it is said otherwise; the total is what its parts add up to."""
    lines = lines or (line(),)
    values: dict[str, Any] = {
        "status": InvoiceStatus.OPEN,
        "currency": "USD",
        "total": summed(lines, adjustments, more.get("currency", "USD")),
        "customer": customer,
        "issue_date": date(2026, 11, 2),
    }
    values["balance"] = values["total"]
    return Invoice(**values | more, lines=lines, adjustments=tuple(adjustments))


def summed(lines: Iterable[Line], adjustments: Iterable[Adjustment], currency: str) -> Decimal:
    """What lines and order-level amounts come to."""
    off = {AdjustmentKind.DISCOUNT: -1}
    taken = sum((a.amount * off.get(a.kind, 1) for a in adjustments), Decimal(0))
    return rounded(sum((one.amount or Decimal(0) for one in lines), Decimal(0)) + taken, currency)


def payment(of: str, amount: str = "100.00", **more: Any) -> Payment:
    """Money that came in for one invoice."""
    values: dict[str, Any] = {
        "status": PaymentStatus.SUCCEEDED,
        "amount": Decimal(amount),
        "currency": "USD",
        "date": date(2026, 11, 2),
        "allocations": (Allocation(invoice=of, amount=Decimal(amount)),),
    }
    return Payment(**values | more)
