"""The rules of customers and vendors: one space of names, e-mail addresses, sub-customers."""

from __future__ import annotations

from syncd.sandbox.quickbooks.books import Books, Call, find, owed_with_jobs, referred
from syncd.sandbox.quickbooks.checks import check_email
from syncd.sandbox.quickbooks.currency import currency_ref
from syncd.sandbox.quickbooks.errors import Fault, business, missing, unknown_reference
from syncd.sandbox.quickbooks.store import Record
from syncd.sandbox.quickbooks.tax import DEFAULT_CODE
from syncd.sandbox.quickbooks.wire import Json, ref, ref_id

PARTS = ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")
FORBIDDEN = (":", "\t", "\n")
DEEPEST = 4  # levels below the top
DELETED = " (deleted)"
DUPLICATE = (
    "The name supplied already exists. : Another customer, vendor or employee is already using this \n"
    "name. Please use a different name."
)


def prepared(books: Books, call: Call, kind: str, before: Record | None, fields: Json) -> Json:
    """The fields of a created or updated customer or vendor.

    Raises:
        Fault: any rule of names.
    """
    old = before.fields if before else None
    fields = {**fields, "DisplayName": _display_name(fields, old)}
    for name in ("DisplayName", "PrintOnCheckName", *PARTS):
        check_name(fields.get(name), name)
    check_unique(books, kind, fields["DisplayName"], before)
    check_email(fields.get("PrimaryEmailAddr"))
    fields.setdefault("Active", True)
    fields.setdefault("PrintOnCheckName", fields.get("CompanyName") or fields["DisplayName"])
    fields["CurrencyRef"] = _currency(books, fields, old)
    for name in ("BillAddr", "ShipAddr"):
        if isinstance(fields.get(name), dict) and "Id" not in fields[name]:
            fields[name] = {"Id": books.store.new_id("PhysicalAddress"), **fields[name]}
    return _customer(books, call, before, fields) if kind == "Customer" else fields


def check_name(value: object, element: str) -> None:
    """Raise 2040 for a name with a character that names may not have."""
    if any(char in str(value or "") for char in FORBIDDEN):
        raise Fault("2040", f"Invalid String : {element} cannot contain a colon, tab or newline", element)


def check_unique(books: Books, kind: str, name: str, before: Record | None) -> None:
    """Raise 6240 when another record, inactive ones included, holds the name."""
    if any(
        before is None or (other.kind, other.id) != (before.kind, before.id) for other in books.store.named(kind, name)
    ):
        raise Fault("6240", DUPLICATE)


def rename_jobs(books: Books, customer: Record) -> None:
    """Carry a customer's new name into the full names of its sub-customers; their versions stay."""
    for id in books.store.jobs(customer.id):
        job = books.store.get("Customer", id)
        if job is not None:
            full = f"{customer.fields['FullyQualifiedName']}:{job.fields['DisplayName']}"
            renamed = Record(
                job.kind, id, job.token, job.created, job.updated, {**job.fields, "FullyQualifiedName": full}
            )
            books.store.put(renamed)
            rename_jobs(books, renamed)


def _display_name(fields: Json, old: Json | None) -> str:
    name = fields.get("DisplayName") or " ".join(str(fields[part]) for part in PARTS if fields.get(part))
    if not name:
        raise missing("DisplayName")
    if old is not None and name == old["DisplayName"] + DELETED:
        return str(old["DisplayName"])  # a caller echoes what it read while the record was inactive
    return str(name)


def _currency(books: Books, fields: Json, old: Json | None) -> Json:
    given = ref_id(fields, "CurrencyRef")
    fixed = ref_id(old, "CurrencyRef") if old else None
    if fixed and given not in (None, fixed):
        raise business("The currency of a customer cannot be changed.")
    if given not in (None, books.settings.HomeCurrency) and not books.settings.MultiCurrency:
        raise business("Multicurrency is turned off: the currency must be the company's home currency.")
    return currency_ref(fixed or given or books.settings.HomeCurrency)


def _customer(books: Books, call: Call, before: Record | None, fields: Json) -> Json:
    parent = referred(books, call, fields, "ParentRef", "Customer", before=before.fields if before else None)
    if parent is None:
        place: Json = {"FullyQualifiedName": fields["DisplayName"]}
        fields = {key: value for key, value in fields.items() if key not in ("ParentRef", "Level")} | {"Job": False}
    else:
        if before and _within(books, parent, before.id):
            raise business("A customer cannot be a sub-customer of itself.")
        full = f"{parent.fields['FullyQualifiedName']}:{fields['DisplayName']}"
        place = {"FullyQualifiedName": full, "Level": int(parent.fields.get("Level", 0)) + 1, "Job": True}
        if place["Level"] > DEEPEST:
            raise business(f"Sub-customers can be {DEEPEST} levels deep at most.")
    _check_deactivation(books, before, fields)
    if ref_id(fields, "PaymentMethodRef"):
        referred(books, call, fields, "PaymentMethodRef", "PaymentMethod", before=before.fields if before else None)
    code = ref_id(fields, "DefaultTaxCodeRef")
    if code and find(books, call, "TaxCode", code) is None:
        raise unknown_reference("DefaultTaxCodeRef", code)
    defaults: Json = {
        "BillWithParent": False,
        "PreferredDeliveryMethod": "Print",
        "Taxable": books.settings.UsingSalesTax,
    }
    if before is None and books.settings.UsingSalesTax:
        defaults["DefaultTaxCodeRef"] = ref(DEFAULT_CODE)
    return {**defaults, **fields, **place}


def _within(books: Books, customer: Record | None, id: str) -> bool:
    while customer is not None and customer.id != id:
        customer = books.store.get("Customer", ref_id(customer.fields, "ParentRef") or "")
    return customer is not None


def _check_deactivation(books: Books, before: Record | None, fields: Json) -> None:
    leaving = before is not None and before.active and fields["Active"] is False
    if (
        leaving
        and before is not None
        and not books.settings.deactivate_with_balance
        and owed_with_jobs(books, before.id)
    ):
        raise Fault("6220", "A customer with an open balance cannot be made inactive.")
