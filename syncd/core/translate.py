"""What the other side should hold, in the other side's terms; and whether it may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from syncd.core.booked import is_tax, refuse_inactive, tax_product_there
from syncd.core.content import order_discount, shown_name
from syncd.core.crossing import cross
from syncd.core.currencies import customer_keeps, same_currency
from syncd.core.decision import Context
from syncd.core.facts import Missing, Needs, SideFacts
from syncd.core.lines import expressible
from syncd.core.outcome import Settled
from syncd.core.parents import customer_there, invoices_there, products_there
from syncd.core.rules import FlowRules, Group
from syncd.core.tax import code_there, refuse_other_tax
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
from syncd.model.quick import replace
from syncd.model.references import EntityRef, Kind, Side
from syncd.model.snapshot import Presence
from syncd.model.values import Value
from syncd.model.waiting import on_entity


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A whole entity as the other side should have it: fields of its noun, lines (keyed), allocations."""

    values: dict[str, Value]
    lines: tuple[Line, ...] | None = None
    allocations: tuple[Allocation, ...] | None = None


def ready(context: Context, noun: Noun, source: Side) -> None:
    """Whether an entity may go over now, before anything of it is worked out.

    Raises:
        Settled: it may not, or waits for a parent. Missing: its parents' records were not brought.
    """
    if isinstance(noun, Invoice):
        validate_invoice(context, noun, source)
        customer_keeps(context, noun, customer_there(context, noun, source), source)
        _each(
            lambda: refuse_inactive(context, noun, source),
            lambda: products_there(context, noun, source),
            lambda: tax_product_there(context, noun, source),
        )


def _each(*questions: Callable[[], object]) -> None:
    """Ask all of them: first for what any of them lacks, at once; then the first refusal counts."""
    wanted, refused = [], []
    for ask in questions:
        try:
            ask()
        except Missing as missing:
            wanted.append(missing.needs)
        except Settled as end:
            refused.append(end)
    if wanted:
        raise Missing(Needs.union(wanted))
    if refused:
        raise refused[0]


def whole(context: Context, noun: Noun, source: Side, lines: tuple[Line, ...] | None) -> Wanted:
    """Everything of a noun that is `ready`, for a create. `lines` are the source's lines with our keys.

    Raises:
        Settled: it may not go over, with the reason.
    """
    values = mapped(context, noun, source)
    if isinstance(noun, Party):
        values.setdefault("name", shown_name(noun))
        return Wanted(values=values)
    if isinstance(noun, Invoice):
        values["customer"] = customer_there(context, noun, source)
        if (discount := order_discount(noun)) is not None:
            values["discount"] = discount
        return Wanted(
            values=values | derived(context, noun, source), lines=lines_there(context, noun, source, lines or ())
        )
    if isinstance(noun, Payment):
        return payment_there(context, noun, source, values)
    assert isinstance(noun, Product)
    if source is Side.LEFT:
        if context.flow.income_account is None:
            raise Settled("field_required", "No income account is configured for products made over there.")
        values["income_account"] = context.flow.income_account
    return Wanted(values=values)


def mapped(context: Context, noun: Noun, source: Side) -> dict[str, Value]:
    """The mapped fields that may go this way, under the other side's names and in its terms.

    Raises:
        Settled: a value cannot be said over there.
    """
    made: dict[str, Value] = {}
    for row in context.flow.rows:
        if row.group is Group.DERIVED or not row.direction.allows(source):
            continue
        value = cross(row, field_value(noun, row.path(source)), source)
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
    """The invoice's lines with the other side's products, each saying its amount in a way that adds up there.

    Args:
        lines: the same lines as they are compared, with our keys.
    """
    products, fallback = products_there(context, invoice, source)
    target, told = context.facts.sides[source.other], imposed(context, source)
    taxes, served = tax_product_there(context, invoice, source), None if told else service_date(invoice, context.flow)
    dated = "lines.service_date" not in target.absent.get(Kind.INVOICE, ())
    made = []
    for read, line in zip(invoice.lines, lines, strict=True):
        there = products.get(line.product or "") or (taxes if taxes and is_tax(read, context) else None)
        amount = rounded(line.amount or Decimal(0), invoice.currency)
        product, name, description = _said(read, line, there, fallback)
        # A mirror shows the tax of the whole; what computes it needs a code on every line.
        code = None if told or line.amount is None else code_there(line.tax_code, context.flow, target)
        said = Line(
            key=line.key,
            product=product,
            name=name,
            description=description,
            quantity=read.quantity,
            unit_price=read.unit_price,
            discount=read.discount,
            amount=amount,
            tax_code=code.id if code else None,
            tax=read.tax if code else None,
            service_date=(line.service_date or served) if dated else None,
        )
        spoken = expressible(said, invoice.currency)
        # What was taken off is part of the amount: a line over there has no place of its own for it.
        made.append(spoken if spoken.discount is None else replace(spoken, discount=None))
    return tuple(made)


def _said(
    read: Line, line: Line, product: str | None, fallback: str | None
) -> tuple[str | None, str | None, str | None]:
    """Product, name and description over there. The name is not compared, so it is in what was `read` only."""
    # A line on the product it was made with needs no name of its own; on the product for everything else it says what
    # it is, and without any product it keeps its name.
    if product is not None:
        return product, None, line.description
    if fallback is None:
        return None, read.name, line.description
    parts = [part for part in (read.name, line.description) if part]
    return fallback, None, " - ".join(dict.fromkeys(parts)) or None


def validate_invoice(context: Context, invoice: Invoice, source: Side) -> None:
    """Whether the other side can hold this invoice to the cent.

    Raises:
        Settled: `currency_mismatch`, `order_level_amount`, `tax_code_required`, `service_date_required`,
            `field_required` or `amount_mismatch`.
    """
    target = context.facts.sides[source.other]
    same_currency(invoice, target)
    if not imposed(context, source):
        _open_period(invoice.issue_date, target)
        _validate_computed(invoice, context.flow, target)


def service_date(invoice: Invoice, flow: FlowRules) -> date | None:
    """The date of service of lines that say none themselves.

    Raises:
        Settled: `field_value_invalid`, the configured field holds no date.
    """
    value = None if flow.service_date is None else field_value(invoice, flow.service_date)
    if not isinstance(value, str):
        return value if isinstance(value, date) else None
    try:
        return date.fromisoformat(value[:10]) if value else None
    except ValueError:
        raise Settled("field_value_invalid", f"{flow.service_date} is no date: {value}") from None


def _open_period(day: date | None, target: SideFacts) -> None:
    if day is not None and target.books_closed_until is not None and day <= target.books_closed_until:
        raise Settled("accounting_period_closed", f"The books are closed until {target.books_closed_until}.")


def imposed(context: Context, source: Side) -> bool:
    """Whether the total itself is written (a mirror), so that nothing has to add up from lines over there."""
    return any(row.right == "total" and row.direction.allows(source) for row in context.flow.rows)


def _validate_computed(invoice: Invoice, flow: FlowRules, target: SideFacts) -> None:
    discounts = [a for a in invoice.adjustments if a.kind is AdjustmentKind.DISCOUNT]
    others = [a for a in invoice.adjustments if a.kind is not AdjustmentKind.DISCOUNT]
    if others or len(discounts) > 1:
        what = ", ".join(a.label or a.kind.value for a in (others or discounts))
        raise Settled("order_level_amount", what)
    if discounts and not target.allows_discount:
        raise Settled("order_level_amount", "Discounts on the whole are switched off over there.")
    refuse_other_tax(invoice, flow, target)
    if not invoice.lines:
        raise Settled("field_required", "The invoice has no line.")
    undated = service_date(invoice, flow) is None and any(line.service_date is None for line in invoice.lines)
    if target.service_date_required and undated:
        raise Settled("service_date_required")
    # Each line is rounded for itself, as it will be over there.
    lines = sum((rounded(line.amount or Decimal(0), invoice.currency) for line in invoice.lines), Decimal(0))
    net, tax = lines - (order_discount(invoice) or Decimal(0)), rounded(invoice.tax_total, invoice.currency)
    if net + tax != rounded(invoice.total, invoice.currency):
        raise Settled("amount_mismatch", "The lines do not add up to the total.")


def payment_there(context: Context, payment: Payment, source: Side, values: dict[str, Value]) -> Wanted:
    """A payment with the other side's invoices and customer.

    Raises:
        Settled: an invoice it pays is not there.
    """
    target = context.facts.sides[source.other]
    same_currency(payment, target)
    _open_period(payment.date, target)
    allocations = allocations_there(context, payment, source)
    first = context.facts.snapshot(source.other, Kind.INVOICE, allocations[0].invoice)
    if first is not None and first.presence is not Presence.PRESENT:
        there = on_entity(EntityRef(context.sync.connection(source.other), Kind.INVOICE, allocations[0].invoice))
        raise Settled("filtered", "Its invoice is gone on the other side.", waits_for=there)
    if first is None or not isinstance(first.noun, Invoice):
        raise Settled("waits_parent", "Its invoice is not to be seen on the other side yet.")
    values["customer"] = first.noun.customer
    values["currency"] = payment.currency
    return Wanted(values=values, allocations=allocations)


def allocations_there(context: Context, payment: Payment, source: Side) -> tuple[Allocation, ...]:
    """The other side's invoices that a payment pays, with how much of each where that side can say it.

    Raises:
        Settled: an invoice it pays is not there.
    """
    paid = invoices_there(context, [a.invoice for a in payment.allocations], source)
    split = context.facts.sides[source.other].splits_payments
    # One invoice: all of the payment that is said to be for it; where nothing is said, all of it.
    return tuple(
        Allocation(
            invoice=there,
            amount=(payment.amount if a.amount is None and len(paid) == 1 else a.amount) if split else None,
        )
        for a, there in zip(payment.allocations, paid, strict=True)
    )
