"""QuickBooks' objects as they travel: the parts we read. Keys we do not name are ignored here and kept in the raw
object where something is written over it. Source: Intuit V3 schema (Finance.xsd, IntuitNamesTypes.xsd).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from syncd.model.money import sensible
from syncd.model.references import Kind
from syncd.model.values import decimal_text

Raw = dict[str, Any]
"""One object as it was decoded: text, booleans, whole numbers, Decimals, lists and further objects."""

ENTITIES: Mapping[Kind, str] = {
    Kind.PARTY: "Customer",
    Kind.PRODUCT: "Item",
    Kind.INVOICE: "Invoice",
    Kind.PAYMENT: "Payment",
}
SALES = "SalesReceipt"  # a sale and its payment in one; to us a payment that pays no invoice
SALE = "sale:"  # how the ids of those begin here
LISTS = frozenset({Kind.PARTY, Kind.PRODUCT})  # name lists: never deleted, only made inactive


class Wire(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """What all have in common: names in PascalCase, anything may be absent."""


class Amounts(Wire, frozen=True, kw_only=True):
    """Something with amounts in it: one that is no number to calculate with spoils the object."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal) and not sensible(value):
                raise ValueError(f"{name} is no number to calculate with")


class Ref(msgspec.Struct, frozen=True):
    """A reference; `name` is for display only."""

    value: str
    name: str | None = None


class Text(msgspec.Struct, frozen=True):
    """A text in an object of its own (`CustomerMemo`)."""

    value: str | None = None


Stamp = Annotated[datetime, msgspec.Meta(tz=True)]


class MetaData(Wire, frozen=True, kw_only=True):
    create_time: Stamp | None = None
    last_updated_time: Stamp | None = None


class Entity(Amounts, frozen=True, kw_only=True):
    """The head of every object. `status` is `Deleted` on what is gone."""

    id: str
    sync_token: str | None = None
    meta_data: MetaData = MetaData()
    status: str | None = msgspec.field(default=None, name="status")


class Email(Wire, frozen=True, kw_only=True):
    address: str | None = None


class Phone(Wire, frozen=True, kw_only=True):
    free_form_number: str | None = None


class Web(Wire, frozen=True, kw_only=True):
    uri: str | None = msgspec.field(default=None, name="URI")


class Address(Wire, frozen=True, kw_only=True):
    line1: str | None = None
    line2: str | None = None
    line3: str | None = None
    line4: str | None = None
    line5: str | None = None
    city: str | None = None
    country_sub_division_code: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Customer(Entity, frozen=True, kw_only=True):
    display_name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    company_name: str | None = None
    primary_email_addr: Email = Email()
    primary_phone: Phone = Phone()
    web_addr: Web = Web()
    bill_addr: Address = Address()
    currency_ref: Ref | None = None
    parent_ref: Ref | None = None
    notes: str | None = None
    active: bool = True


class Item(Entity, frozen=True, kw_only=True):
    name: str | None = None
    sku: str | None = None
    description: str | None = None
    unit_price: Decimal | None = None
    type: str | None = None
    income_account_ref: Ref | None = None
    active: bool = True


class SalesDetail(Amounts, frozen=True, kw_only=True):
    item_ref: Ref | None = None
    tax_code_ref: Ref | None = None
    qty: Decimal | None = None
    unit_price: Decimal | None = None
    service_date: date | None = None
    discount_amt: Decimal | None = None


class TextDetail(Wire, frozen=True, kw_only=True):
    service_date: date | None = None


class GroupDetail(Amounts, frozen=True, kw_only=True):
    group_item_ref: Ref | None = None
    quantity: Decimal | None = None
    line: tuple[GroupedLine, ...] = ()


class GroupedLine(Amounts, frozen=True, kw_only=True):
    amount: Decimal | None = None


class Linked(Wire, frozen=True, kw_only=True):
    txn_id: str
    txn_type: str


class SalesLine(Amounts, frozen=True, kw_only=True):
    """A line of an invoice. `detail_type` is left as text: an unknown one must not spoil the rest."""

    detail_type: str
    id: str | None = None
    description: str | None = None
    amount: Decimal | None = None
    sales_item_line_detail: SalesDetail = SalesDetail()
    description_line_detail: TextDetail = TextDetail()
    group_line_detail: GroupDetail = GroupDetail()


class CustomField(Wire, frozen=True, kw_only=True):
    definition_id: str | None = None
    name: str | None = None
    string_value: str | None = None


class TaxDetail(Amounts, frozen=True, kw_only=True):
    total_tax: Decimal = Decimal(0)
    txn_tax_code_ref: Ref | None = None


class Invoice(Entity, frozen=True, kw_only=True):
    doc_number: str | None = None
    txn_date: date | None = None
    due_date: date | None = None
    currency_ref: Ref | None = None
    customer_ref: Ref | None = None
    customer_memo: Text = Text()
    private_note: str | None = None
    line: tuple[SalesLine, ...] = ()
    txn_tax_detail: TaxDetail = TaxDetail()
    custom_field: tuple[CustomField, ...] = ()
    tracking_num: str | None = None
    ship_method_ref: Text = Text()
    ship_date: date | None = None
    linked_txn: tuple[Linked, ...] = ()
    total_amt: Decimal
    balance: Decimal


class PaymentLine(Amounts, frozen=True, kw_only=True):
    amount: Decimal | None = None
    linked_txn: tuple[Linked, ...] = ()


class Payment(Entity, frozen=True, kw_only=True):
    txn_date: date | None = None
    currency_ref: Ref | None = None
    customer_ref: Ref | None = None
    payment_method_ref: Ref | None = None
    payment_ref_num: str | None = None
    private_note: str | None = None
    line: tuple[PaymentLine, ...] = ()
    total_amt: Decimal


class SalesReceipt(Entity, frozen=True, kw_only=True):
    txn_date: date | None = None
    currency_ref: Ref | None = None
    customer_ref: Ref | None = None
    payment_ref_num: str | None = None
    total_amt: Decimal


STRUCTS: Mapping[Kind, type[Entity]] = {
    Kind.PARTY: Customer,
    Kind.PRODUCT: Item,
    Kind.INVOICE: Invoice,
    Kind.PAYMENT: Payment,
}


_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(body: object) -> bytes:
    """The bytes of a request; amounts as plain numbers."""
    return _encoder.encode(_plain_numbers(body))


def _plain_numbers(value: object) -> object:
    if isinstance(value, Decimal):
        return Decimal(decimal_text(value))  # 1E+3 is not what every parser takes for a number
    if isinstance(value, Mapping):
        return {key: _plain_numbers(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_numbers(item) for item in value]
    return value


def instant(text: object) -> datetime:
    """A time stamp of the vendor.

    Raises:
        ValueError: it is none.
    """
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:  # not quoted: what stands there may be anything
        raise ValueError("no time stamp with an offset")
    return in_utc(moment)


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC.

    Raises:
        ValueError: it is beyond all calendars there.
    """
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"a time beyond all calendars: {moment.isoformat()}") from error


def moment_text(moment: datetime) -> str:
    """A time stamp as the vendor takes it in addresses and statements: whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def quoted(text: str) -> str:
    """A value as the query language wants it. That a backslash is doubled is unconfirmed."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
