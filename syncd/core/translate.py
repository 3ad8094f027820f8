"""What the other side should hold, in the other side's terms; and whether it may."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from syncd.core.content import order_discount, shown_name
from syncd.core.decision import Context
from syncd.core.facts import SideFacts
from syncd.core.lines import expressible, total
from syncd.core.outcome import Settled
from syncd.core.parents import customer_there, invoice_there, products_there
from syncd.core.rules import Group
from syncd.model.money import rounded
from syncd.model.nouns import (
    AdjustmentKind,
    Allocation,
    Invoice,
    Line,
    Noun,
    Party,
    Payment,
    Product,
    field_value,
)
from syncd.model.references import Kind, Side
from syncd.model.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A whole entity as the other side should have it: fields of its noun, lines (keyed), allocations."""

    values: dict[str, Value]
    lines: tuple[Line, ...] | None = None
    allocations: tuple[Allocation, ...] | None = None


def whole(context: Context, noun: Noun, source: Side, lines: tuple[Line, ...] | None) -> Wanted:
    """Everything of a noun, for a create. `lines` are the source's lines with our keys.

    Raises:
        Settled: it may not go over, with the reason.
    """
    values = mapped(context, noun, source)
    if isinstance(noun, Party):
        values.setdefault("name", shown_name(noun))
        return Wanted(values=values)
    if isinstance(noun, Invoice):
        validate_invoice(context, noun, source)
        values["customer"] = customer_there(context, noun, source)
        if (discount := order_discount(noun.adjustments)) is not None:
            values["discount"] = discount
        return Wanted(
            values=values | derived(context, noun, source), lines=lines_there(context, noun, source, lines or ())
        )
    if isinstance(noun, Payment):
        return payment_there(context, noun, source, values)
    assert isinstance(noun, Product)
    return Wanted(values=values)


def mapped(context: Context, noun: Noun, source: Side) -> dict[str, Value]:
    """The mapped fields that may go this way, under the other side's names; empty ones take the mapping's constant."""
    made: dict[str, Value] = {}
    for row in context.flow.rows:
        if row.group is Group.DERIVED or not row.direction.allows(source):
            continue
        value = field_value(noun, row.path(source))
        value = row.constant if value is None else value
        if value is not None:
            made[row.path(source.other)] = value
    return made


def derived(context: Context, noun: Noun, source: Side) -> dict[str, Value]:
    """What the other side cannot compute of a mirror and is told: status, amounts."""
    return {
        row.path(source.other): field_value(noun, row.path(source))
        for row in context.flow.rows
        if row.group is Group.DERIVED and row.direction.allows(source)
    }


def lines_there(context: Context, invoice: Invoice, source: Side, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """The lines with the other side's products, each saying its amount in a way that adds up there."""
    products = products_there(context, invoice, source)
    made = []
    for line in lines:
        there = products.get(line.product)
        spoken = _spoken(line, matched=there is not None and there != products.get(None))
        made.append(replace(expressible(spoken, invoice.currency), id=None, product=there, sku=None))
    return tuple(made)


def _spoken(line: Line, *, matched: bool) -> Line:
    # A line on the product it was made with needs no name of its own; any other says what it is.
    if matched:
        return replace(line, description=line.description or line.name)
    parts = [part for part in (line.name, line.description) if part]
    return replace(line, description=" - ".join(dict.fromkeys(parts)) or None)


def validate_invoice(context: Context, invoice: Invoice, source: Side) -> None:
    """Whether the other side can hold this invoice to the cent.

    Raises:
        Settled: `currency_mismatch`, `order_level_amount`, `tax_code_required`, `service_date_required`,
            `field_required` or `amount_mismatch`.
    """
    target = context.facts.sides[source.other]
    if not target.multi_currency and invoice.currency.upper() != target.currency.upper():
        raise Settled(
            "currency_mismatch", f"The invoice is in {invoice.currency}, the other side keeps {target.currency}."
        )
    if not _imposed(context, source):
        _validate_computed(invoice, target)


def _imposed(context: Context, source: Side) -> bool:
    # Where the total itself is written (a mirror), nothing has to add up from lines over there.
    return any(row.right == "total" and row.direction.allows(source) for row in context.flow.rows)


def _validate_computed(invoice: Invoice, target: SideFacts) -> None:
    discounts = [a for a in invoice.adjustments if a.kind is AdjustmentKind.DISCOUNT]
    others = [a for a in invoice.adjustments if a.kind is not AdjustmentKind.DISCOUNT]
    if others or len(discounts) > 1:
        what = ", ".join(a.label or a.kind.value for a in (others or discounts))
        raise Settled("order_level_amount", what)
    if invoice.tax_total:
        raise Settled("tax_code_required", "A line carries tax.")
    if not invoice.lines:
        raise Settled("field_required", "The invoice has no line.")
    if target.service_date_required and any(line.service_date is None for line in invoice.lines):
        raise Settled("service_date_required")
    computed = rounded(total(invoice.lines) - (order_discount(invoice.adjustments) or Decimal(0)), invoice.currency)
    if computed != rounded(invoice.total, invoice.currency):
        raise Settled("amount_mismatch", "The lines do not add up to the total.")


def payment_there(context: Context, payment: Payment, source: Side, values: dict[str, Value]) -> Wanted:
    """A payment with the other side's invoices and customer.

    Raises:
        Settled: an invoice it pays is not there.
    """
    target = context.facts.sides[source.other]
    if not target.multi_currency and payment.currency.upper() != target.currency.upper():
        raise Settled(
            "currency_mismatch", f"The payment is in {payment.currency}, the other side keeps {target.currency}."
        )
    paid = [(allocation, invoice_there(context, allocation.invoice, source)) for allocation in payment.allocations]
    first = context.facts.snapshot(source.other, Kind.INVOICE, paid[0][1])
    if first is None or not isinstance(first.noun, Invoice):
        raise Settled("waits_parent", "Its invoice is not to be seen on the other side yet.")
    values["customer"] = first.noun.customer
    values["currency"] = payment.currency
    # One invoice: all of the payment that is said to be for it; where nothing is said, all of it.
    split = tuple(
        Allocation(invoice=there, amount=payment.amount if a.amount is None and len(paid) == 1 else a.amount)
        for a, there in paid
    )
    return Wanted(values=values, allocations=split)
