"""From HubSpot's records to our nouns, one function a kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from syncd.connectors.hubspot import moments
from syncd.connectors.hubspot.fields import (
    AMOUNT_PAID,
    BALANCE_DUE,
    DISCOUNT_TOTAL,
    FIELDS,
    REFERENCE,
    TAX_TOTAL,
    modified_property,
)
from syncd.connectors.hubspot.options import Options
from syncd.connectors.hubspot.wire import Record
from syncd.model.money import rounded
from syncd.model.nouns import (
    Adjustment,
    AdjustmentKind,
    Allocation,
    Invoice,
    InvoiceStatus,
    Line,
    Noun,
    Party,
    Payment,
    PaymentStatus,
    Product,
)
from syncd.model.quick import quick, replace
from syncd.model.references import Kind
from syncd.model.snapshot import Presence, Snapshot
from syncd.model.values import Value

ZERO = Decimal(0)

# The money has arrived and is still here, wherever a refund or dispute is only under way (HubSpot: payments API).
PAYMENT_STATUS = {
    "processing": PaymentStatus.PENDING,
    "succeeded": PaymentStatus.SUCCEEDED,
    "failed": PaymentStatus.FAILED,
    "partially_refunded": PaymentStatus.SUCCEEDED,
    "refunded": PaymentStatus.REFUNDED,
    "processing_refund": PaymentStatus.SUCCEEDED,
    "disputed_won": PaymentStatus.SUCCEEDED,
    "disputed_lost": PaymentStatus.REFUNDED,
    "disputed_action_required": PaymentStatus.SUCCEEDED,
    "disputed_awaiting_decision": PaymentStatus.SUCCEEDED,
}


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLine:
    """A line item, with the tax HubSpot computed on it and the time it was changed last."""

    line: Line
    tax: Decimal
    modified: str


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What belongs to an invoice besides its own record."""

    customer: str | None = None
    lines: tuple[ReadLine, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    complete: bool = True

    @property
    def net(self) -> Decimal:
        """The lines' amounts, before tax."""
        return sum((read.line.amount or ZERO for read in self.lines), ZERO)

    @property
    def tax(self) -> Decimal:
        """Taxes of the lines and of the whole invoice."""
        return sum((read.tax for read in self.lines), ZERO) + _sum(self.adjustments, AdjustmentKind.TAX)

    @property
    def total(self) -> Decimal:
        """What the parts add up to."""
        taken = _sum(self.adjustments, AdjustmentKind.DISCOUNT)
        return self.net - taken + _sum(self.adjustments, AdjustmentKind.FEE) + self.tax


def version_of(record: Record, object_type: str) -> str:
    """The time of the last change, in the one form that sorts; empty when HubSpot does not say."""
    text = record.text(modified_property(object_type)) or record.updated_at
    return moments.printed(moments.stamped(text)) if text else ""


def party(record: Record, options: Options) -> Snapshot:
    """A contact."""
    named: dict[str, Any] = {field: record.text(name) for field, name in FIELDS[Kind.PARTY].items()}
    noun = Party(**named, custom=_custom(record, Kind.PARTY, options))
    return _snapshot(record, Kind.PARTY, "contacts", noun)


def product(record: Record, options: Options) -> Snapshot:
    """A product."""
    noun = Product(
        sku=record.text("hs_sku"),
        name=record.text("name"),
        description=record.text("description"),
        unit_price=record.number("price"),
        custom=_custom(record, Kind.PRODUCT, options),
    )
    return _snapshot(record, Kind.PRODUCT, "products", noun)


def line(
    record: Record, sku: str | None, zone: ZoneInfo, options: Options, rates: Mapping[str, str] | None = None
) -> ReadLine:
    """A line item. `amount` is HubSpot's own net amount; with tiered prices there is no unit price.

    Args:
        sku: the product's, for a line that does not carry it.
        rates: percentages by the ids of the account's tax library.
    """
    quantity, price = record.number("quantity"), record.number("price")
    amount, discount = record.number("amount"), record.number("hs_total_discount")
    gross = None if price is None else price * (Decimal(1) if quantity is None else quantity)
    if amount is None and gross is not None:
        amount = gross - (discount or ZERO)
    if discount is None and gross is not None and amount is not None and gross > amount:
        discount = gross - amount
    served = record.text(options.line_service_date) if options.line_service_date else None
    tax, group = record.number("hs_tax_amount") or ZERO, record.text("hs_tax_rate_group_id")
    made = Line(
        id=record.id,
        product=record.text("hs_product_id"),
        sku=record.text("hs_sku") or sku,
        name=record.text("name"),
        description=record.text("description"),
        quantity=quantity,
        unit_price=price,
        amount=amount,
        discount=discount or None,
        service_date=moments.day(served, zone) if served else None,
        tax_code=(rates or {}).get(group, unreadable_rate(group)) if group else None,
        tax=tax or None,
    )
    return ReadLine(line=made, tax=tax, modified=version_of(record, "line_items"))


def unreadable_rate(id: str) -> str:
    """What stands for the percentage of a tax rate that is gone or may not be read; no configuration knows it."""
    return f"tax rate {id}, which cannot be read"


def billable(record: Record) -> bool:
    """Whether HubSpot bills it; what is not billable is a record of something billed elsewhere."""
    return record.text("hs_invoice_billable") != "false"


def adds_up(record: Record, parts: Parts) -> bool:
    """Whether the parts make HubSpot's total. HubSpot computes it for billable invoices only."""
    billed = record.number("hs_amount_billed")
    if billed is None or not billable(record):
        return True
    currency = record.text("hs_currency") or ""
    return rounded(billed, currency) == rounded(parts.total, currency)


def invoice(record: Record, parts: Parts, zone: ZoneInfo, options: Options) -> Snapshot:
    """An invoice, whole. Its version is the last change of it or of one of its lines."""
    mirrored = record.number(DISCOUNT_TOTAL)
    adjustments = parts.adjustments or (
        (Adjustment(kind=AdjustmentKind.DISCOUNT, amount=mirrored),) if mirrored else ()
    )
    whole = replace(parts, adjustments=adjustments)
    noun = Invoice(
        **_header(record, whole.total, zone, options),
        customer=parts.customer,
        lines=tuple(read.line for read in parts.lines),
        adjustments=adjustments,
        tax_total=_first(record.number(TAX_TOTAL), whole.tax),
    )
    made = _snapshot(record, Kind.INVOICE, "invoices", noun)
    source = record.text("hs_invoice_source")
    return replace(
        made,
        version=max((made.version, *(read.modified for read in parts.lines))),
        native=_native(record, source, options),
        source=source,
        torn=not parts.complete or not adds_up(record, parts),
    )


def invoice_over(seen: Snapshot, record: Record, zone: ZoneInfo, options: Options) -> Snapshot:
    """An invoice of which only its own record was read again: lines and customer stay as they were seen."""
    assert isinstance(seen.noun, Invoice)
    header = _header(record, seen.noun.total, zone, options)
    if (taxed := record.number(TAX_TOTAL)) is not None:
        header["tax_total"] = taxed
    made = _snapshot(record, Kind.INVOICE, "invoices", replace(seen.noun, **header))
    return replace(made, version=max(made.version, seen.version), native=seen.native, source=seen.source)


def payment(
    record: Record, customer: str | None, invoices: tuple[str, ...], zone: ZoneInfo, options: Options
) -> Snapshot:
    """A payment. HubSpot does not say how one is split over several invoices."""
    amount = record.number("hs_initial_amount") or ZERO
    status = (record.text("hs_latest_status") or "processing").casefold()
    refunded = amount if PAYMENT_STATUS[status] is PaymentStatus.REFUNDED else record.number("hs_refunds_amount")
    noun = Payment(
        status=PAYMENT_STATUS[status],
        amount=amount,
        currency=(record.text("hs_currency_code") or "").upper(),
        customer=customer,
        date=_day(record, "hs_initiated_date", zone),
        method=record.text("hs_payment_method_type"),
        reference=record.text("hs_reference_number"),
        allocations=tuple(Allocation(invoice=id) for id in invoices),
        refunded=refunded or ZERO,
        custom=_custom(record, Kind.PAYMENT, options),
    )
    return replace(
        _snapshot(record, Kind.PAYMENT, "commerce_payments", noun), source=record.text("hs_payment_source_app")
    )


def gone(kind: Kind, id: str, presence: Presence, version: str = "", into: str | None = None) -> Snapshot:
    """Something that is not there any more."""
    return Snapshot(kind=kind, id=id, version=version, presence=presence, merged_into=into)


def unreadable(record: Record, kind: Kind, object_type: str) -> Snapshot:
    """A record with a value we cannot understand: never planned on, and no reason to stop the others."""
    return replace(_snapshot(record, kind, object_type, None), torn=True)


def _header(record: Record, computed: Decimal, zone: ZoneInfo, options: Options) -> dict[str, Any]:
    total = _first(record.number("hs_amount_billed"), computed)
    # Our own properties say what the other side knows of payments; HubSpot's figures know of its own ones only.
    paid = _first(record.number(AMOUNT_PAID), record.number("hs_amount_paid"), ZERO)
    balance = _first(record.number(BALANCE_DUE), record.number("hs_balance_due"), total - paid)
    return {
        "status": _status(record, paid, balance),
        "currency": (record.text("hs_currency") or "").upper(),
        "total": total,
        "number": record.text("hs_number"),
        "issue_date": _day(record, "hs_invoice_date", zone),
        "due_date": _day(record, "hs_due_date", zone),
        "comment": record.text("hs_comments"),
        "po_number": record.text("hs_purchase_order_number"),
        "amount_paid": paid,
        "balance": balance,
        "custom": _custom(record, Kind.INVOICE, options),
    }


def _status(record: Record, paid: Decimal, balance: Decimal) -> InvoiceStatus:
    status = InvoiceStatus((record.text("hs_invoice_status") or "draft").casefold())
    if status is InvoiceStatus.OPEN and paid > 0:
        return InvoiceStatus.PARTIALLY_PAID if balance > 0 else InvoiceStatus.PAID
    return status


def _native(record: Record, source: str | None, options: Options) -> bool | None:
    if not billable(record):
        return False
    if source is None or options.native(source):
        return True
    return None  # billable, yet of a foreign source: not for us to decide


def _snapshot(record: Record, kind: Kind, object_type: str, noun: Noun | None) -> Snapshot:
    version = version_of(record, object_type)
    return Snapshot(
        kind=kind,
        id=record.id,
        version=version,
        noun=noun,
        created=moments.stamped(record.created_at) if record.created_at else None,
        modified=moments.parse(version) if version else None,
        marker=record.text(REFERENCE),
    )


def _custom(record: Record, kind: Kind, options: Options) -> dict[str, Value]:
    # What was asked for and is empty is answered as null; what is left out was not asked for, or is not there.
    return {name: record.text(name) for name in options.custom(kind) if name in record.properties}


def _day(record: Record, name: str, zone: ZoneInfo) -> Any:
    text = record.text(name)
    return moments.day(text, zone) if text else None


def _first(*amounts: Decimal | None) -> Decimal:
    return next(amount for amount in amounts if amount is not None)


def _sum(adjustments: tuple[Adjustment, ...], kind: AdjustmentKind) -> Decimal:
    return sum((one.amount for one in adjustments if one.kind is kind), ZERO)
