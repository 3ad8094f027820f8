"""The things that are kept in sync, as both sides can say them.

A field that a side does not have is None. Identifiers inside a noun (`customer`, `product`, `invoice`) are the ids of
the *same* connection the noun was read from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum

from syncd.model.quick import quick
from syncd.model.values import Value


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Someone who is invoiced: a contact on the sales side, a customer on the books side.

    Attributes:
        name: the name a list shows; unique on some vendors. None where a vendor has only the name's parts.
        parent: the id of the topmost parent when this is a sub-customer or job of another, else None.
    """

    email: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    phone: str | None = None
    website: str | None = None
    street: str | None = None
    city: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    currency: str | None = None
    parent: str | None = None
    active: bool = True
    custom: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something that can stand on an invoice line."""

    sku: str | None = None
    name: str | None = None
    description: str | None = None
    unit_price: Decimal | None = None
    income_account: str | None = None
    active: bool = True
    custom: Mapping[str, Value] = field(default_factory=dict)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an invoice.

    Attributes:
        id: the vendor's line id; strong on some vendors, renumbered on others.
        key: our own name for the line, the same on both sides; None on lines just read.
        product: id of the product on this connection; None for a line that names none.
        amount: what the line adds to the invoice: quantity times unit price less the line's discount, before tax;
            None on a line of text only.
        discount: what was taken off the line, as an amount >= 0.
        tax_code: how the line is taxed in this connection's own terms: a rate in percent (`20`), or a tax code's id;
            None on a line without tax.
        tax: the tax on the line, where the connection says it line by line.
    """

    id: str | None = None
    key: str | None = None
    product: str | None = None
    sku: str | None = None
    name: str | None = None
    description: str | None = None
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    amount: Decimal | None = None
    discount: Decimal | None = None
    service_date: date | None = None
    tax_code: str | None = None
    tax: Decimal | None = None


class AdjustmentKind(StrEnum):
    """An amount that belongs to the whole invoice and not to a line."""

    DISCOUNT = "discount"
    FEE = "fee"
    TAX = "tax"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """An order-level amount, always >= 0; a discount lowers the total, fees and taxes raise it."""

    kind: AdjustmentKind
    amount: Decimal
    label: str | None = None


class InvoiceStatus(StrEnum):
    """Where an invoice stands. Overdue is not a status: it is computed from the due date when shown."""

    DRAFT = "draft"
    OPEN = "open"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    VOIDED = "voided"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One invoice, with its lines.

    `total` is what the vendor says; `tax_total` the part of it that is tax; `balance` what is still owed.
    All amounts are in `currency` (ISO 4217). `payments` are the ids of the payments its vendor names, none where it
    does not; `payment_date` is the day of the last one, which is worked out from the payments.
    """

    status: InvoiceStatus
    currency: str
    total: Decimal
    number: str | None = None
    customer: str | None = None
    issue_date: date | None = None
    due_date: date | None = None
    comment: str | None = None
    po_number: str | None = None
    tracking_number: str | None = None
    shipping_method: str | None = None
    ship_date: date | None = None
    lines: tuple[Line, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    tax_total: Decimal = Decimal(0)
    amount_paid: Decimal = Decimal(0)
    balance: Decimal = Decimal(0)
    payment_date: date | None = None
    payments: tuple[str, ...] = ()
    custom: Mapping[str, Value] = field(default_factory=dict)


class PaymentStatus(StrEnum):
    """Whether the money arrived. Only `SUCCEEDED` payments are booked."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUNDED = "refunded"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """The part of a payment that pays one invoice. `amount` is None where the vendor does not say how it is split."""

    invoice: str
    amount: Decimal | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money received, and the invoices it pays.

    Attributes:
        credit: what was applied along with it that is no money: credit memos and the like.
        refunded: what of the amount was given back.
        sale: it is a whole sale, paid at once and without an invoice.
    """

    status: PaymentStatus
    amount: Decimal
    currency: str
    customer: str | None = None
    date: date | None = None
    method: str | None = None
    reference: str | None = None
    allocations: tuple[Allocation, ...] = ()
    credit: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    sale: bool = False
    custom: Mapping[str, Value] = field(default_factory=dict)


Noun = Party | Product | Invoice | Payment


def field_value(noun: Noun, path: str) -> Value:
    """One field by the path a mapping or filter uses: `due_date`, `custom.PO Number`.

    Raises:
        KeyError: the noun has no such field.
    """
    if path.startswith("custom."):
        return noun.custom.get(path.removeprefix("custom."))
    if path not in field_names(type(noun)):
        raise KeyError(path)
    value: Value = getattr(noun, path)
    return value


def field_names(noun: type[Noun]) -> frozenset[str]:
    """The plain fields of a noun: everything but its lists and its custom fields."""
    return _FIELD_NAMES[noun]


_FIELD_NAMES: Mapping[type[Noun], frozenset[str]] = {
    noun: frozenset(f.name for f in fields(noun)) - {"lines", "adjustments", "allocations", "payments", "custom"}
    for noun in (Party, Product, Invoice, Payment)
}
