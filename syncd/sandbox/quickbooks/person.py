"""A person in the web application: the same rules as the API's, with simpler words.

Fields may be given in the vendor's own names, or in the short ones of `SHORT`, `lines`, `customer` and `invoice`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from syncd.sandbox.base import Refusal
from syncd.sandbox.quickbooks.books import Books, Call, find, present
from syncd.sandbox.quickbooks.lines import SALE
from syncd.sandbox.quickbooks.merge import merge_customers, merge_items
from syncd.sandbox.quickbooks.schema import PROPERTIES
from syncd.sandbox.quickbooks.store import Record
from syncd.sandbox.quickbooks.wire import Json, amount, cents, number, objects, ref, ref_id
from syncd.sandbox.quickbooks.writes import write

SHORT = {
    "name": {"Customer": "DisplayName", "Vendor": "DisplayName", "Item": "Name"},
    "company": {"Customer": "CompanyName"},
    "first_name": {"Customer": "GivenName"},
    "last_name": {"Customer": "FamilyName"},
    "sku": {"Item": "Sku"},
    "price": {"Item": "UnitPrice"},
    "type": {"Item": "Type"},
    "description": {"Item": "Description"},
    "date": dict.fromkeys(("Invoice", "CreditMemo", "SalesReceipt", "Payment"), "TxnDate"),
    "due": {"Invoice": "DueDate"},
    "number": {"Invoice": "DocNumber", "CreditMemo": "DocNumber"},
    "note": {"Invoice": "PrivateNote", "CreditMemo": "PrivateNote", "Payment": "PrivateNote", "Customer": "Notes"},
    "ref": {"Payment": "PaymentRefNum"},
    "amount": {"Payment": "TotalAmt"},
}
DEFAULT_ACCOUNT = "79"  # Sales of Product Income


def act(books: Books, call: Call, op: str, kind: str, id: str | None, fields: Json) -> Json:
    """Carry out what a person does; returns the record as it is afterwards.

    Raises:
        Fault: the vendor's rules forbid it.
        Refusal: there is no such button.
    """
    match op:
        case "create" if kind == "TaxCode":
            return _new_tax_code(books, call, str(fields["name"]), number(fields["rate"], "rate"))
        case "create" if kind in PROPERTIES:
            return write(books, call, "create", kind, _worded(books, call, kind, fields, new=True))
        case "update" if kind in PROPERTIES:
            return write(books, call, "update", kind, {**_known(books, kind, id), **_worded(books, call, kind, fields)})
        case "archive" | "restore" if kind in PROPERTIES:
            return write(books, call, "update", kind, {**_known(books, kind, id), "Active": op == "restore"})
        case "delete" | "void" if kind in PROPERTIES:
            return write(books, call, op, kind, _known(books, kind, id))
        case "pay" if kind == "Invoice":
            return _pay(books, call, _record(books, kind, id), fields)
        case "merge" if kind in ("Customer", "Item"):
            merge = merge_customers if kind == "Customer" else merge_items
            return merge(books, call, _record(books, kind, id), _record(books, kind, str(fields.get("other"))))
    raise Refusal(f"{op} is not something that can be done to {kind}")


def _pay(books: Books, call: Call, invoice: Record, fields: Json) -> Json:
    """Receive a payment on an invoice: {amount, date, ref}; without an amount, all that is open."""
    total = fields.get("amount", invoice.fields["Balance"])
    payment = {key: value for key, value in fields.items() if key != "amount"}
    payment |= {"customer": ref_id(invoice.fields, "CustomerRef"), "amount": total, "invoice": invoice.id}
    act(books, call, "create", "Payment", None, payment)
    return present(books, _record(books, "Invoice", invoice.id))


def _record(books: Books, kind: str, id: str | None) -> Record:
    record = books.store.get(kind, id or "")
    if record is None or record.deleted:
        raise Refusal(f"there is no {kind} {id}")
    return record


def _known(books: Books, kind: str, id: str | None) -> Json:
    record = _record(books, kind, id)
    return {"Id": record.id, "SyncToken": str(record.token), "sparse": True}


def _worded(books: Books, call: Call, kind: str, fields: Json, *, new: bool = False) -> Json:
    """The fields in the vendor's words."""
    body: Json = {}
    for name, value in fields.items():
        match name:
            case "customer":
                body["CustomerRef"] = ref(_customer(books, str(value)))
            case "email":
                body["BillEmail" if kind in ("Invoice", "CreditMemo") else "PrimaryEmailAddr"] = {"Address": value}
            case "phone":
                body["PrimaryPhone"] = {"FreeFormNumber": value}
            case "memo":
                body["CustomerMemo"] = {"value": value}
            case "lines":
                body["Line"] = [_line(books, call, line) for line in objects(value, "lines")]
            case "invoice":
                link = {"TxnId": str(value), "TxnType": "Invoice"}
                body["Line"] = [{"Amount": fields.get("amount"), "LinkedTxn": [link]}]
            case _:
                body[SHORT.get(name, {}).get(kind, name)] = value
    if kind in ("Invoice", "CreditMemo", "Estimate") and new and books.settings.Country != "US":
        body = {"GlobalTaxCalculation": "TaxExcluded", **body}
    if kind == "Item" and new:
        body = {"Type": "Service", "IncomeAccountRef": ref(DEFAULT_ACCOUNT), **body}
    return body


def _new_tax_code(books: Books, call: Call, name: str, percent: Decimal) -> Json:
    """A tax of one rate, as the tax centre sets it up."""
    rate_id, code_id = books.store.new_id("TaxRate"), books.store.new_id("TaxCode")
    rate = {"Name": name, "RateValue": percent, "Active": True, "SpecialTaxType": "NONE", "DisplayType": "ReadOnly"}
    detail = {"TaxRateRef": ref(rate_id, name), "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0}
    code = {"Name": name, "Active": True, "Taxable": True, "TaxGroup": True}
    code["SalesTaxRateList"] = {"TaxRateDetail": [detail]}
    with books.store.atomic():
        books.store.put(Record("TaxRate", rate_id, 0, call.second, call.second, rate))
        books.store.put(made := Record("TaxCode", code_id, 0, call.second, call.second, code))
    return present(books, made)


def _tax_ref(books: Books, tax: object) -> Json:
    if isinstance(tax, str):
        named = [code.id for code in books.store.every("TaxCode") if tax in (code.id, code.fields["Name"])]
        return ref(named[0] if named else tax)
    return ref("TAX" if tax else "NON")


def _customer(books: Books, value: str) -> str:
    named = [record.id for record in books.store.named("Customer", value) if record.kind == "Customer"]
    return value if books.store.get("Customer", value) or not named else named[0]


def _line(books: Books, call: Call, line: Json) -> Json:
    """`{item, qty, price, description, amount, tax, service_date}`; item is an id, a name or a SKU."""
    if "item" not in line:
        return {"DetailType": "DescriptionOnly", "Description": line.get("description", "")}
    item = _item(books, call, str(line["item"]))
    detail: Json = {"ItemRef": ref(item.id if item else str(line["item"]))}
    detail["TaxCodeRef"] = _tax_ref(books, line.get("tax"))
    if "service_date" in line:
        detail["ServiceDate"] = line["service_date"]
    total: Any = line.get("amount")
    if total is None or "qty" in line or "price" in line:
        quantity = number(line.get("qty", 1), "qty")
        price = number(line.get("price", amount(item.fields, "UnitPrice") if item else Decimal(0)), "price")
        detail |= {"Qty": quantity, "UnitPrice": price}
        total = cents(quantity * price) if total is None else total
    text = line.get("description", item.fields.get("Description") if item else None)
    return {"DetailType": SALE, "Amount": total, "Description": text, SALE: detail}


def _item(books: Books, call: Call, value: str) -> Record | None:
    named = books.store.named("Item", value)
    skus = (record for record in books.store.every("Item") if record.fields.get("Sku") == value and not record.deleted)
    return find(books, call, "Item", value) or (named[0] if named else next(skus, None))
