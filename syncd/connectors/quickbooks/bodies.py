"""From an order's values to the body of a request. Names of values are those of `model.nouns`.

Updates are sparse: what is not named stays. Objects inside (an address, the list of custom fields, the lines) are
replaced as a whole, so those are laid over what was just read. A text is cleared by sending it empty; that a date or
number can be cleared at all is unconfirmed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from syncd.connectors.base import Order, Unwritable
from syncd.connectors.quickbooks.address import ADDRESS_FIELDS, written_over
from syncd.connectors.quickbooks.books import Books
from syncd.connectors.quickbooks.lines import LineError, discount_line, discount_lines, overlaid, tax_of
from syncd.connectors.quickbooks.manifest import MANIFEST
from syncd.connectors.quickbooks.wire import LISTS, Raw
from syncd.model.nouns import Allocation, Invoice, Payment
from syncd.model.record import Op
from syncd.model.references import Kind
from syncd.model.values import Value

PLAIN: Mapping[Kind, Mapping[str, str]] = {
    Kind.PARTY: {
        "name": "DisplayName",
        "first_name": "GivenName",
        "last_name": "FamilyName",
        "company": "CompanyName",
        "active": "Active",
    },
    Kind.PRODUCT: {
        "name": "Name",
        "sku": "Sku",
        "description": "Description",
        "unit_price": "UnitPrice",
        "active": "Active",
    },
    Kind.INVOICE: {
        "number": "DocNumber",
        "issue_date": "TxnDate",
        "due_date": "DueDate",
        "tracking_number": "TrackingNum",
        "ship_date": "ShipDate",
    },
    Kind.PAYMENT: {"amount": "TotalAmt", "date": "TxnDate", "reference": "PaymentRefNum"},
}
NESTED: Mapping[Kind, Mapping[str, tuple[str, str]]] = {
    Kind.PARTY: {
        "email": ("PrimaryEmailAddr", "Address"),
        "phone": ("PrimaryPhone", "FreeFormNumber"),
        "website": ("WebAddr", "URI"),
    },
    Kind.PRODUCT: {},
    Kind.INVOICE: {
        "customer": ("CustomerRef", "value"),
        "comment": ("CustomerMemo", "value"),
        "shipping_method": ("ShipMethodRef", "value"),  # there is no list of methods: the value is the name
    },
    Kind.PAYMENT: {"customer": ("CustomerRef", "value")},
}
_NAMES = frozenset({"name", "first_name", "last_name"})
_NOT_IN_NAMES = re.compile(r"\s*[:\t\r\n]+\s*")  # Intuit: entity reference; refused with 2040


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What bodies are made from besides the order.

    Attributes:
        income_account: the id of an account by its name.
        po_field: label of the custom field for purchase order numbers.
        raw: the object as just read, for updates that write over a part of it.
    """

    books: Books
    income_account: Callable[[str], str | None]
    po_field: str
    raw: Raw


def needs_look(order: Order) -> bool:
    """Whether the object has to be read right before it is written: a part of it is replaced as a whole."""
    if order.id is None:
        return False
    overlaid_names = ADDRESS_FIELDS | {"discount", "po_number"}
    return (
        order.if_version is None
        or order.lines is not None
        or order.allocations is not None
        or any(name in overlaid_names or name.startswith("custom.") for name in order.values)
    )


def body(order: Order, known: Known) -> Raw:
    """The object to send, with its id and token if it exists.

    Raises:
        Unwritable: this vendor cannot hold it.
    """
    if order.op is Op.CREATE:
        return _marked(order) | _fields(order, known)
    head = {"Id": order.id, "SyncToken": _token(order, known)}
    if order.op is Op.UPDATE:
        return head | {"sparse": True} | _fields(order, known)
    if order.op is Op.DELETE and order.kind in LISTS:
        return head | {"sparse": True, "Active": False}
    if order.op is Op.VOID and order.kind is Kind.PAYMENT:
        return head | {"sparse": True}
    return head


def _token(order: Order, known: Known) -> str:
    token = order.if_version or known.raw.get("SyncToken")
    if token is None:
        raise Unwritable(order.intent, "record_gone", "it is not there any more")
    return str(token)


def _marked(order: Order) -> Raw:
    # Items have no field that customers never see: they carry no reference and are found by SKU or name.
    if order.marker is None or order.kind is Kind.PRODUCT:
        return {}
    return {"Notes" if order.kind is Kind.PARTY else "PrivateNote": order.marker}


def _fields(order: Order, known: Known) -> Raw:
    made: Raw = {}
    custom: dict[str, Value] = {}
    for name, value in order.values.items():
        if name in PLAIN[order.kind]:
            made[PLAIN[order.kind][name]] = _plain(order.kind, name, value)
        elif name in NESTED[order.kind]:
            outer, inner = NESTED[order.kind][name]
            made[outer] = {inner: _plain(order.kind, name, value)}
        elif order.kind is Kind.INVOICE and (name == "po_number" or name.startswith("custom.")):
            custom[known.po_field if name == "po_number" else name.removeprefix("custom.")] = value
        elif name not in _ELSEWHERE[order.kind] or (name == "income_account" and order.op is not Op.CREATE):
            # An item's account is the books' own: changing it would rewrite what is booked already.
            raise Unwritable(order.intent, "field_not_writable", f"{name} cannot be written in QuickBooks")
    if custom:
        made["CustomField"] = _custom(order, custom, known)
    return made | _PARTS[order.kind](order, known)


def _party(order: Order, known: Known) -> Raw:
    made = _currency(order, known) if order.op is Op.CREATE else {}
    if not ADDRESS_FIELDS & order.values.keys():
        return made
    wanted = {name: as_sent(order.kind, name, value) for name, value in order.values.items() if name in ADDRESS_FIELDS}
    return made | {"BillAddr": written_over(known.raw.get("BillAddr") or {}, wanted)}


def _product(order: Order, known: Known) -> Raw:
    if order.op is not Op.CREATE:
        return {}
    name = order.values.get("income_account")
    if not isinstance(name, str):
        raise Unwritable(order.intent, "field_required", "a product needs an income account")
    account = known.income_account(name)
    if account is None:
        raise Unwritable(order.intent, "field_value_invalid", f"there is no income account named {name!r}")
    return {"Type": "Service", "IncomeAccountRef": {"value": account}}


def _invoice(order: Order, known: Known) -> Raw:
    made = _currency(order, known) if order.op is Op.CREATE else {}
    if order.lines is None and "discount" not in order.values:
        return made
    before: list[Raw] = known.raw.get("Line") or []
    if order.lines is None:
        lines = [line for line in before if line.get("DetailType") not in ("SubTotalLineDetail", "DiscountLineDetail")]
    else:
        try:
            lines = overlaid(order.lines, before, _document_currency(order, known), known.books.american)
        except LineError as error:
            raise Unwritable(order.intent, error.category, str(error)) from error
        made |= tax_of(order.lines, known.raw.get("TxnTaxDetail") or {}, known.books)
    discount = order.values.get("discount")
    if "discount" not in order.values:
        lines += discount_lines(before)
    elif isinstance(discount, Decimal) and discount:
        lines.append(discount_line(discount, before, known.books.discount_account))
    return made | {"Line": lines}


def _payment(order: Order, known: Known) -> Raw:
    made = _currency(order, known) if order.op is Op.CREATE else {}
    if order.allocations is None:
        return made
    # Credit memos and the like that the books' people applied stay; the serializer's noise does not.
    kept = [
        {"Amount": line.get("Amount"), "LinkedTxn": line["LinkedTxn"]}
        for line in known.raw.get("Line") or []
        if any(txn.get("TxnType") != "Invoice" for txn in line.get("LinkedTxn") or [])
    ]
    return made | {"Line": [*(_allocated(order, part) for part in order.allocations), *kept]}


def _allocated(order: Order, part: Allocation) -> Raw:
    amount = part.amount
    if amount is None and order.allocations is not None and len(order.allocations) == 1:
        written = order.values.get("amount")
        amount = written if isinstance(written, Decimal) else None
    if amount is None:
        raise Unwritable(order.intent, "field_required", "it is not said how much of the payment is for which invoice")
    return {"Amount": amount, "LinkedTxn": [{"TxnId": part.invoice, "TxnType": "Invoice"}]}


def _currency(order: Order, known: Known) -> Raw:
    currency = order.values.get("currency")
    return {"CurrencyRef": {"value": currency}} if currency and known.books.account.multi_currency else {}


def _document_currency(order: Order, known: Known) -> str:
    seen = order.seen.noun if order.seen else None
    if isinstance(seen, Invoice | Payment):
        return seen.currency
    return str(order.values.get("currency") or known.books.account.currency)


def _custom(order: Order, wanted: Mapping[str, Value], known: Known) -> list[Raw]:
    made: dict[str, Raw] = {str(field["DefinitionId"]): field for field in known.raw.get("CustomField") or []}
    for label, value in wanted.items():
        id = known.books.custom_field(label)
        if id is None:
            words = (
                f"sales forms have no custom field {label!r}"
                if label
                else "no custom field is chosen for it (po_field)"
            )
            raise Unwritable(order.intent, "field_not_writable", words)
        made[id] = made.get(id, {}) | {
            "DefinitionId": id,
            "Type": "StringType",
            "StringValue": _text(value) or "",
        }
    return list(made.values())


def as_sent(kind: Kind, name: str, value: Value) -> Value:
    """A value made to fit: names without what the vendor forbids in them, texts not longer than it takes."""
    if not isinstance(value, str):
        return value
    if name in _NAMES and kind in LISTS:
        value = _NOT_IN_NAMES.sub(" ", value).strip()
    return value[: MANIFEST.longest(kind, name)]


def _plain(kind: Kind, name: str, value: Value) -> object:
    value = as_sent(kind, name, value)
    if isinstance(value, Decimal | bool):
        return value
    return _text(value) or ""


def _text(value: Value) -> str | None:
    return value.isoformat() if isinstance(value, date) else None if value is None else str(value)


_PARTS: Mapping[Kind, Callable[[Order, Known], Raw]] = {
    Kind.PARTY: _party,
    Kind.PRODUCT: _product,
    Kind.INVOICE: _invoice,
    Kind.PAYMENT: _payment,
}
_ELSEWHERE: Mapping[Kind, frozenset[str]] = {
    Kind.PARTY: ADDRESS_FIELDS | {"currency"},
    Kind.PRODUCT: frozenset({"income_account"}),
    Kind.INVOICE: frozenset({"currency", "discount"}),
    Kind.PAYMENT: frozenset({"currency"}),
}
