"""From an order's values to HubSpot's properties. Everything is text there; an empty text clears."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from syncd.connectors.hubspot import moments
from syncd.connectors.hubspot.fields import FIELDS, UNUSED
from syncd.connectors.hubspot.mapping import PAYMENT_STATUS
from syncd.model.nouns import InvoiceStatus, Line, PaymentStatus
from syncd.model.references import Kind
from syncd.model.values import Value, decimal_text

# HubSpot keeps four statuses: a partial payment shows in the amounts (invoices guide).
INVOICE_STATUS = {status.value: status.value for status in InvoiceStatus} | {
    InvoiceStatus.PARTIALLY_PAID.value: InvoiceStatus.OPEN.value
}
PAYMENT_STATUS_WORDS = {
    PaymentStatus.PENDING.value: "processing",
    PaymentStatus.SUCCEEDED.value: "succeeded",
    PaymentStatus.FAILED.value: "failed",
    PaymentStatus.REFUNDED.value: "refunded",
}
AMOUNTS = frozenset(["unit_price", "total", "tax_total", "discount", "amount_paid", "balance", "amount"])
DATES = frozenset({"issue_date", "due_date", "payment_date", "date"})
METHODS = frozenset(
    ["card", "ach", "cash", "check", "wire_transfer", "other", "sepa", "bacs", "pads"]
)  # payments guide


def properties_of(kind: Kind, values: Mapping[str, Value]) -> dict[str, str]:
    """The properties that set these fields. `customer` is an association and not among them.

    Raises:
        KeyError: a field HubSpot has no property for.
    """
    made = {}
    for field, value in values.items():
        if field == "customer" or field in UNUSED.get(kind, ()):
            continue
        if field.startswith("custom."):
            made[field.removeprefix("custom.")] = text_of(value)
        else:
            made[FIELDS[kind][field]] = _special(kind, field, text_of(value))
    return made


def field_of(kind: Kind, name: str) -> str:
    """The field a property stands for: the inverse of the above, for names."""
    return next((field for field, known in FIELDS[kind].items() if known == name), f"custom.{name}")


def value_of(kind: Kind, field: str, text: str | None, zone: ZoneInfo) -> Value:
    """One property's text as the field's value; the text itself where it is no amount or date."""
    if not text:
        return None
    try:
        if field in AMOUNTS:
            return Decimal(text)
        if field in DATES:
            return moments.day(text, zone)
    except (InvalidOperation, ValueError):
        return text
    if kind is Kind.PAYMENT and field == "status" and text in PAYMENT_STATUS:
        return PAYMENT_STATUS[text].value
    return text


def line_properties_of(line: Line, position: int, service_date: str) -> dict[str, str]:
    """The properties of one line of a mirror; what is empty clears.

    HubSpot computes a line's amount itself, from quantity, price and discount per unit, so a line that has only an
    amount is one piece at that price. `service_date` names the property for it, if there is one.
    """
    quantity, price, off = line.quantity, line.unit_price, Decimal(0)
    if quantity is None or price is None:
        quantity, price = Decimal(1), line.amount
    elif line.discount and quantity:
        off = line.discount / quantity
        if off * quantity != line.discount:
            quantity, price, off = Decimal(1), line.amount, Decimal(0)
    made = {
        "description": text_of(line.description),
        "quantity": text_of(quantity),
        "price": text_of(price),
        "discount": text_of(off or None),
        "hs_product_id": text_of(line.product),
        "hs_position_on_quote": str(position),
    }
    if line.name:  # else the product's own name shows
        made["name"] = line.name
    if service_date:
        made[service_date] = text_of(line.service_date)
    return made


def text_of(value: Value) -> str:
    """One value as HubSpot takes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, datetime):
        return moments.printed(value)
    return moments.midnight(value) if isinstance(value, date) else value


def agree(sent: str, shown: str | None) -> bool:
    """Whether a property shows what was sent, however HubSpot prints it: case, blanks, digits, kinds of time."""
    shown = shown or ""
    if sent.strip().casefold() == shown.strip().casefold():
        return True
    try:
        return Decimal(sent) == Decimal(shown)
    except InvalidOperation:
        pass
    try:
        return moments.parse(sent) == moments.parse(shown)
    except ValueError:
        return False


def _special(kind: Kind, field: str, text: str) -> str:
    if kind is Kind.INVOICE and field == "status":
        return INVOICE_STATUS[text]
    if kind is Kind.PAYMENT and field == "status":
        return PAYMENT_STATUS_WORDS[text]
    if kind is Kind.PAYMENT and field == "method":
        return text if text in METHODS or not text else "other"
    return text
