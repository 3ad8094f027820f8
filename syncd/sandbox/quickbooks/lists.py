"""The rules of items, and of the short lists beside them: accounts, terms, payment methods."""

from __future__ import annotations

from syncd.sandbox.quickbooks.books import Books, Call, referred, required
from syncd.sandbox.quickbooks.checks import check_date
from syncd.sandbox.quickbooks.errors import business, missing
from syncd.sandbox.quickbooks.names import DELETED, check_name, check_unique
from syncd.sandbox.quickbooks.store import Record
from syncd.sandbox.quickbooks.wire import ZERO, Json, cents, number, ref, ref_id

CLASSIFICATION = {
    "Income": "Revenue",
    "Other Income": "Revenue",
    "Expense": "Expense",
    "Other Expense": "Expense",
    "Cost of Goods Sold": "Expense",
    "Equity": "Equity",
    "Accounts Payable": "Liability",
    "Credit Card": "Liability",
    "Other Current Liability": "Liability",
    "Long Term Liability": "Liability",
}


def prepared(books: Books, call: Call, kind: str, before: Record | None, fields: Json) -> Json:
    """The fields of a created or updated item, account, term or payment method.

    Raises:
        Fault: any rule of that list.
    """
    fields = {"Active": True, **fields, "Name": _name(fields, before)}
    if kind == "Item":
        return _item(books, call, before, fields)
    if kind == "Account":
        return _account(books, call, before, fields)
    check_unique(books, kind, fields["Name"], before)
    return {"Type": "STANDARD", **fields} if kind == "Term" else fields


def _name(fields: Json, before: Record | None) -> str:
    name = fields.get("Name")
    if not name:
        raise missing("Name")
    check_name(name, "Name")
    if before is not None and name == before.fields["Name"] + DELETED:
        return str(before.fields["Name"])
    return str(name)


def _item(books: Books, call: Call, before: Record | None, fields: Json) -> Json:
    old = before.fields if before else None
    kind = fields.get("Type")
    if kind is None:
        raise missing("Type")
    if old and kind != old["Type"]:
        raise business("The type of an item cannot be changed.")
    if kind in ("Service", "Inventory", "NonInventory"):
        account = required(books, call, fields, "IncomeAccountRef", "Account", before=old)
        fields["IncomeAccountRef"] = ref(account.id, account.fields["FullyQualifiedName"])
    if kind == "Inventory":
        _check_inventory(books, call, fields, old)
    parent = referred(books, call, fields, "ParentRef", "Item", before=old)
    full = f"{parent.fields['FullyQualifiedName']}:{fields['Name']}" if parent else fields["Name"]
    check_unique(books, "Item", full, before)
    for name in ("UnitPrice", "PurchaseCost", "QtyOnHand"):
        if fields.get(name) is not None:
            value = number(fields[name], name)
            fields[name] = cents(value) if "round" in books.settings.normalise else value
    defaults = {"Taxable": False, "UnitPrice": ZERO, "PurchaseCost": ZERO, "TrackQtyOnHand": False}
    return {**defaults, **fields, "FullyQualifiedName": full}


def _check_inventory(books: Books, call: Call, fields: Json, old: Json | None) -> None:
    if fields.get("TrackQtyOnHand") is not True:
        raise missing("TrackQtyOnHand")
    for name in ("QtyOnHand", "InvStartDate"):
        if fields.get(name) is None:
            raise missing(name)
    check_date(fields, "InvStartDate")
    for name in ("AssetAccountRef", "ExpenseAccountRef"):
        required(books, call, fields, name, "Account", before=old)


def _account(books: Books, call: Call, before: Record | None, fields: Json) -> Json:
    if not fields.get("AccountType"):
        raise missing("AccountType")
    parent = referred(books, call, fields, "ParentRef", "Account", before=before.fields if before else None)
    full = f"{parent.fields['FullyQualifiedName']}:{fields['Name']}" if parent else fields["Name"]
    check_unique(books, "Account", full, before)
    return {
        "CurrentBalance": ZERO,
        **fields,
        "FullyQualifiedName": full,
        "SubAccount": ref_id(fields, "ParentRef") is not None,
        "Classification": CLASSIFICATION.get(fields["AccountType"], "Asset"),
    }
