"""From QuickBooks' objects to our nouns. The other way round is `bodies`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import msgspec
import structlog

from syncd.connectors.quickbooks.wire import (
    ENTITIES,
    SALE,
    SALES,
    STRUCTS,
    Customer,
    Entity,
    Invoice,
    Item,
    Payment,
    PaymentLine,
    Raw,
    Ref,
    SalesLine,
    SalesReceipt,
    in_utc,
)
from syncd.model.nouns import (
    Adjustment,
    AdjustmentKind,
    Allocation,
    InvoiceStatus,
    Line,
    Noun,
    Party,
    PaymentStatus,
    Product,
)
from syncd.model.nouns import Invoice as InvoiceNoun
from syncd.model.nouns import Payment as PaymentNoun
from syncd.model.references import Kind
from syncd.model.snapshot import Presence, Snapshot

log = structlog.get_logger("syncd.quickbooks")

DELETED = "deleted"  # the version of what is gone: tombstones have no SyncToken
TAXED, UNTAXED = "TAX", "NON"  # the pseudo tax codes of lines in the US
SHIPPING_ITEM = "SHIPPING_ITEM_ID"  # stands on a line like an item, but is none
_MARKER = re.compile(r"\bsyncd:[0-9a-f]{32}\b")
_INACTIVE_SUFFIX = " (deleted)"  # how names of inactive records are shown to some readers


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is needed besides the object.

    Attributes:
        home_currency: of documents that name none.
        american: lines carry one of two pseudo tax codes, and the invoice the real one.
        po_field: label of the custom field that holds the purchase order number; empty for none.
        slots: custom fields that mappings use, as they name them, to their definition's id.
        tops: the topmost parent of each sub-customer at hand.
    """

    home_currency: str
    american: bool = False
    po_field: str = ""
    slots: Mapping[str, str] = field(default_factory=dict)
    tops: Mapping[str, str] = field(default_factory=dict)


def snapshot(kind: Kind, raw: Raw, reading: Reading) -> Snapshot:
    """One object as a snapshot. One that cannot be understood is torn: it is read again and never planned on."""
    if raw.get("status") == "Deleted":
        return gone(kind, str(raw.get("Id")))
    try:
        entity = msgspec.convert(raw, STRUCTS[kind])
        noun = _noun(entity, reading)
    except (msgspec.ValidationError, ValueError) as error:
        log.warning("quickbooks.unreadable", entity=ENTITIES[kind], error=type(error).__name__, at=_place(error))
        return Snapshot(kind=kind, id=str(raw.get("Id")), version=str(raw.get("SyncToken")), torn=True)
    return Snapshot(
        kind=kind,
        id=entity.id,
        version=entity.sync_token or "",
        noun=noun,
        created=_in_utc(entity.meta_data.create_time),
        modified=_in_utc(entity.meta_data.last_updated_time),
        marker=marker(entity),
    )


def _place(error: Exception) -> str:
    """The field that could not be read, as msgspec names it; the rest of the text may quote its value."""
    found = re.search(r"`(\$[\w.\[\]]*)`$", str(error))
    return found[1] if found else ""


def sale(raw: Raw, reading: Reading) -> Snapshot:
    """A sales receipt as the payment it is, under an id of its own."""
    id = SALE + str(raw.get("Id"))
    if raw.get("status") == "Deleted":
        return gone(Kind.PAYMENT, id)
    try:
        receipt = msgspec.convert(raw, SalesReceipt)
    except (msgspec.ValidationError, ValueError) as error:
        log.warning("quickbooks.unreadable", entity=SALES, error=type(error).__name__, at=_place(error))
        return Snapshot(kind=Kind.PAYMENT, id=id, version=str(raw.get("SyncToken")), torn=True)
    noun = PaymentNoun(
        status=PaymentStatus.SUCCEEDED if receipt.total_amt else PaymentStatus.VOIDED,
        amount=receipt.total_amt,
        currency=_name_of(receipt.currency_ref, reading.home_currency),
        customer=receipt.customer_ref.value if receipt.customer_ref else None,
        date=receipt.txn_date,
        reference=receipt.payment_ref_num or None,
        sale=True,
    )
    return Snapshot(
        kind=Kind.PAYMENT,
        id=id,
        version=receipt.sync_token or "",
        noun=noun,
        created=_in_utc(receipt.meta_data.create_time),
        modified=_in_utc(receipt.meta_data.last_updated_time),
    )


def _in_utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else in_utc(moment)


def gone(kind: Kind, id: str) -> Snapshot:
    """What is deleted for good."""
    return Snapshot(kind=kind, id=id, version=DELETED, presence=Presence.DELETED)


def marker(entity: Entity) -> str | None:
    """Our reference. Items have no field that only the books' own people see, so they carry none: they are found by
    SKU or name."""
    text = None
    if isinstance(entity, Customer):
        text = entity.notes
    elif isinstance(entity, Invoice | Payment):
        text = entity.private_note
    found = _MARKER.search(text or "")
    return found[0] if found else None


def _noun(entity: Entity, reading: Reading) -> Noun:
    if isinstance(entity, Customer):
        return _party(entity, reading)
    if isinstance(entity, Item):
        return _product(entity)
    if isinstance(entity, Invoice):
        return _invoice(entity, reading)
    assert isinstance(entity, Payment)
    return _payment(entity, reading)


def _party(customer: Customer, reading: Reading) -> Party:
    address = customer.bill_addr
    lines = (address.line1, address.line2, address.line3, address.line4, address.line5)
    return Party(
        email=customer.primary_email_addr.address or None,
        name=_active_name(customer.display_name, customer.active),
        first_name=customer.given_name,
        last_name=customer.family_name,
        company=customer.company_name,
        phone=customer.primary_phone.free_form_number or None,
        website=customer.web_addr.uri or None,
        street="\n".join(line for line in lines if line) or None,
        city=address.city,
        region=address.country_sub_division_code,
        postal_code=address.postal_code,
        country=address.country,
        currency=_name_of(customer.currency_ref, reading.home_currency),
        parent=None if customer.parent_ref is None else reading.tops.get(customer.id, customer.parent_ref.value),
        active=customer.active,
    )


def _product(item: Item) -> Product:
    return Product(
        sku=item.sku or None,
        name=_active_name(item.name, item.active),
        description=item.description,
        unit_price=item.unit_price,
        income_account=item.income_account_ref.name if item.income_account_ref else None,
        active=item.active,
    )


def _invoice(invoice: Invoice, reading: Reading) -> InvoiceNoun:
    ref = invoice.txn_tax_detail.txn_tax_code_ref
    taxes = {TAXED: ref.value if ref else TAXED} if reading.american else None
    custom = {f.name: f.string_value for f in invoice.custom_field if f.name and f.string_value}
    by_id = {f.definition_id: f.string_value or None for f in invoice.custom_field}
    folded = {name.strip().casefold(): text for name, text in custom.items()}
    return InvoiceNoun(
        status=_status(invoice),
        currency=_name_of(invoice.currency_ref, reading.home_currency),
        total=invoice.total_amt,
        number=invoice.doc_number or None,
        customer=invoice.customer_ref.value if invoice.customer_ref else None,
        issue_date=invoice.txn_date,
        due_date=invoice.due_date,
        comment=invoice.customer_memo.value or None,
        po_number=folded.get(reading.po_field.strip().casefold()) if reading.po_field else None,
        tracking_number=invoice.tracking_num or None,
        shipping_method=invoice.ship_method_ref.value or None,
        ship_date=invoice.ship_date,
        lines=tuple(_line(line, taxes) for line in invoice.line if line.detail_type not in _NO_LINES),
        adjustments=tuple(_discount(line) for line in invoice.line if line.detail_type == "DiscountLineDetail"),
        tax_total=invoice.txn_tax_detail.total_tax,
        amount_paid=invoice.total_amt - invoice.balance,
        balance=invoice.balance,
        payments=tuple(txn.txn_id for txn in invoice.linked_txn if txn.txn_type == "Payment"),
        custom={**custom, **{name: by_id.get(id) for name, id in reading.slots.items()}},
    )


_NO_LINES = frozenset({"SubTotalLineDetail", "DiscountLineDetail", "TaxLineDetail"})


def _line(line: SalesLine, taxes: Mapping[str, str] | None) -> Line:
    if line.detail_type == "DescriptionOnly":
        return Line(id=line.id, description=line.description, service_date=line.description_line_detail.service_date)
    if line.detail_type == "GroupLineDetail":
        # A bundle counts as one line: what it is made of is the books' own matter.
        group = line.group_line_detail
        parts = sum((part.amount or Decimal(0) for part in group.line), Decimal(0))
        return Line(
            id=line.id,
            name=group.group_item_ref.name if group.group_item_ref else None,
            description=line.description,
            amount=parts if line.amount is None else line.amount,
        )
    detail = line.sales_item_line_detail
    item = detail.item_ref
    return Line(
        id=line.id,
        product=item.value if item and item.value != SHIPPING_ITEM else None,
        name=item.name if item else None,
        description=line.description,
        quantity=detail.qty,
        unit_price=detail.unit_price,
        amount=Decimal(0) if line.amount is None else line.amount,
        discount=detail.discount_amt or None,
        service_date=detail.service_date,
        tax_code=_tax_code(detail.tax_code_ref, taxes),
    )


def _tax_code(code: Ref | None, taxes: Mapping[str, str] | None) -> str | None:
    if code is None or code.value == UNTAXED:
        return None
    return code.value if taxes is None else taxes.get(code.value)


def _discount(line: SalesLine) -> Adjustment:
    return Adjustment(kind=AdjustmentKind.DISCOUNT, amount=line.amount or Decimal(0), label=line.description)


def _status(invoice: Invoice) -> InvoiceStatus:
    # There is no field for it. The word alone may have been typed by a person, so the amounts must say so, too.
    if invoice.total_amt == 0 and invoice.balance == 0 and _says_voided(invoice.private_note):
        return InvoiceStatus.VOIDED
    if invoice.balance <= 0:
        return InvoiceStatus.PAID
    return InvoiceStatus.PARTIALLY_PAID if invoice.balance < invoice.total_amt else InvoiceStatus.OPEN


def _payment(payment: Payment, reading: Reading) -> PaymentNoun:
    allocations = tuple(part for line in payment.line for part in _allocations(line))
    # A payment of nothing for nothing is what is left after a void; one that applies a credit memo has its lines.
    voided = payment.total_amt == 0 and not payment.line
    return PaymentNoun(
        status=PaymentStatus.VOIDED if voided else PaymentStatus.SUCCEEDED,
        amount=payment.total_amt,
        currency=_name_of(payment.currency_ref, reading.home_currency),
        customer=payment.customer_ref.value if payment.customer_ref else None,
        date=payment.txn_date,
        method=payment.payment_method_ref.name if payment.payment_method_ref else None,
        reference=payment.payment_ref_num or None,
        allocations=allocations,
        credit=sum((line.amount or Decimal(0) for line in payment.line if not _allocations(line)), Decimal(0)),
    )


def _allocations(line: PaymentLine) -> list[Allocation]:
    return [Allocation(invoice=txn.txn_id, amount=line.amount) for txn in line.linked_txn if txn.txn_type == "Invoice"]


def _says_voided(note: str | None) -> bool:
    return (note or "").lstrip().casefold().startswith("voided")


def _active_name(name: str | None, active: bool) -> str | None:
    return name.removesuffix(_INACTIVE_SUFFIX) if name and not active else name


def _name_of(currency: Ref | None, home: str) -> str:
    return currency.value.upper() if currency else home
