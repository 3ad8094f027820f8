"""Judges of what came out, by the vendors' own books alone: the journals of both vendors and what they hold now.

Nothing here asks the daemon. Each judge returns what is wrong in words, so that a failing test names it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from syncd.sandbox.client import Control

Row = Mapping[str, Any]
Facts = Counter[tuple[Any, ...]]

REFERENCES = {"contacts": "syncd_ref", "products": "syncd_ref", "invoices": "syncd_ref", "line_items": "syncd_ref"} | {
    "commerce_payments": "syncd_ref",
    "Customer": "Notes",
    "Invoice": "PrivateNote",
    "Payment": "PrivateNote",
}
"""Where our reference stands, by kind; QuickBooks' items have no place for one."""

KEYED = {"hubspot": ("contacts", "products"), "quickbooks": ("Customer", "Item")}
"""Kinds whose live members must not share an e-mail address or article number with one that we made."""


async def duplicates(control: Control) -> list[str]:
    """What programs created more than once: under one reference, or as the same thing in a person's eyes."""
    found = []
    for vendor, kinds in KEYED.items():
        created = [e for e in await control.journal(vendor) if e["operation"] == "create" and e["caller"] != "person"]
        by_reference = Counter((e["kind"], reference) for e in created if (reference := _reference(e)))
        by_face = Counter((e["kind"], *face) for e in created if (face := _face(e)))
        found += [f"{vendor}: {n} x {key}" for key, n in (by_reference + by_face).items() if n > 1]
        live = Counter([key for kind in kinds for key in await _keys(control, kind)])
        made = {key for entry in created for key in _face_keys(entry)}
        found += [f"{vendor}: {live[key]} x {key}, one of them by us" for key in made if live[key] > 1]
    return found


async def differences(control: Control) -> list[str]:
    """Invoices that stand on both sides, one of them made by us, and differ in total, balance or customer."""
    crm = [_crm_invoice(row) for row in await control.records("hubspot", "invoices") if not row["archived"]]
    books = await _books_invoices(control)
    people = {row["id"]: row["properties"].get("email", "") for row in await control.records("hubspot", "contacts")}
    found = []
    for mine, theirs in ((crm, books), (books, crm)):
        for copy in (invoice for invoice in mine if invoice["ours"]):
            twins = [one for one in theirs if one["number"] == copy["number"] and not one["ours"]]
            twins = [one for one in twins if _email(one, people) == _email(copy, people)] or twins
            if len(twins) != 1:
                found.append(f"invoice {copy['number']}: {len(twins)} originals")
                continue
            found += [
                f"invoice {copy['number']}: {name} {copy[name]} of {twins[0][name]}"
                for name in ("total", "balance")
                if copy[name] != twins[0][name]
            ]
    return found


async def picture(control: Control) -> Facts:
    """What both sides hold, without the ids and times that differ from one run to the next.

    Two runs that came to the same end have the same picture.
    """
    facts: Facts = Counter()
    contacts = await control.records("hubspot", "contacts")
    people = {row["id"]: row["properties"].get("email") for row in contacts}
    for kind in ("contacts", "products", "invoices", "commerce_payments", "line_items"):
        for row in await control.records("hubspot", kind):
            facts[("hubspot", kind, row["archived"], *_crm_facts(kind, row, people))] += 1
    customers = {row["Id"]: row["DisplayName"] for row in await control.records("quickbooks", "Customer")}
    items = {row["Id"]: row["Name"] for row in await control.records("quickbooks", "Item")}
    numbers = {row["Id"]: row.get("DocNumber") for row in await control.records("quickbooks", "Invoice")}
    for kind in ("Customer", "Item", "Invoice", "Payment"):
        for row in await control.records("quickbooks", kind):
            facts[("quickbooks", kind, *_books_facts(kind, row, customers, items, numbers))] += 1
    return facts


def unlike(found: Facts, expected: Facts) -> list[str]:
    """How two pictures differ."""
    return [f"missing: {key}" for key in expected - found] + [f"too many: {key}" for key in found - expected]


async def assert_in_order(control: Control) -> None:
    """No duplicate and no invoice that differs from its original."""
    assert await duplicates(control) == []
    assert await differences(control) == []


def _reference(entry: Row) -> str | None:
    text = entry["fields"].get(REFERENCES.get(entry["kind"], ""), "") or ""
    return text if text.startswith("syncd:") else None


def _face(entry: Row) -> tuple[Any, ...] | None:
    """By what a person would call two of them the same."""
    fields = entry["fields"]
    match entry["kind"]:
        case "contacts":
            return _named(fields.get("email"))
        case "products":
            return _named(fields.get("hs_sku"))
        case "invoices":
            return _named(fields.get("hs_number"))
        case "commerce_payments":
            paid = tuple(sorted(a["id"] for a in fields["associations"] if a["to"] == "invoices"))
            return (paid, fields["hs_initial_amount"], fields["hs_initiated_date"], fields.get("hs_reference_number"))
        case "Customer":
            return _named(fields.get("PrimaryEmailAddr", {}).get("Address"))
        case "Item":
            return _named(fields.get("Sku") or fields["Name"])
        case "Invoice":
            return _named(fields.get("DocNumber"))
        case "Payment":
            paid = tuple(sorted(t["TxnId"] for line in fields["Line"] for t in line["LinkedTxn"]))
            return (paid, str(fields["TotalAmt"]), fields["TxnDate"], fields.get("PaymentRefNum"))
    return None


def _named(text: str | None) -> tuple[str] | None:
    return (text.casefold(),) if text else None


def _face_keys(entry: Row) -> Iterable[tuple[str, str]]:
    if entry["kind"] in ("contacts", "products", "Customer", "Item") and (face := _face(entry)):
        yield (entry["kind"], face[0])


async def _keys(control: Control, kind: str) -> list[tuple[str, str]]:
    """The e-mail addresses or article numbers of everything that is live."""
    if kind[0].islower():
        name = "email" if kind == "contacts" else "hs_sku"
        rows = [row["properties"] for row in await control.records("hubspot", kind) if not row["archived"]]
        return [(kind, row[name].casefold()) for row in rows if row.get(name)]
    listed = await control.records("quickbooks", kind)
    rows = [row for row in listed if row["Active"] and row.get("status") != "Deleted"]  # merged ones keep it all
    if kind == "Item":
        return [(kind, (row.get("Sku") or row["Name"]).casefold()) for row in rows]
    return [(kind, row["PrimaryEmailAddr"]["Address"].casefold()) for row in rows if "PrimaryEmailAddr" in row]


def _crm_invoice(row: Row) -> Row:
    fields = row["properties"]
    paid = fields.get("hs_balance_due") if fields.get("hs_invoice_billable") != "false" else fields["syncd_balance_due"]
    return {
        "ours": bool(fields.get("syncd_ref")),
        "number": fields.get("hs_number"),
        "total": _cents(fields.get("hs_amount_billed")),
        "balance": _cents(paid),
        "contact": next(iter(row["associations"].get("contacts", ())), None),
    }


async def _books_invoices(control: Control) -> list[Row]:
    emails = {
        row["Id"]: row.get("PrimaryEmailAddr", {}).get("Address", "")
        for row in await control.records("quickbooks", "Customer")
    }
    return [
        {
            "ours": row.get("PrivateNote", "").startswith("syncd:"),
            "number": row.get("DocNumber"),
            "total": _cents(row["TotalAmt"]),
            "balance": _cents(row["Balance"]),
            "email": emails[row["CustomerRef"]["value"]],
        }
        for row in await control.records("quickbooks", "Invoice")
    ]


def _email(invoice: Row, people: Mapping[str, str]) -> str:
    return str(invoice.get("email") or people.get(invoice.get("contact") or "") or "").casefold()


def _cents(text: object) -> Decimal:
    return Decimal(str(text or 0)).quantize(Decimal("0.01"))


def _crm_facts(kind: str, row: Row, people: Mapping[str, Any]) -> Sequence[Any]:
    fields, ends = row["properties"], row["associations"]
    names = {
        "contacts": ("email", "firstname", "lastname", "company", "phone", "city"),
        "products": ("hs_sku", "name", "price", "description"),
        "invoices": ("hs_number", "hs_invoice_status", "hs_amount_billed", "hs_balance_due", "syncd_balance_due"),
        "commerce_payments": ("hs_initial_amount", "hs_initiated_date", "hs_reference_number"),
        "line_items": ("name", "quantity", "price", "amount"),
    }[kind]
    whose = tuple(sorted(str(people.get(id)) for id in ends.get("contacts", ())))
    linked = tuple((end, len(ids)) for end, ids in sorted(ends.items()))
    return (*(fields.get(name) for name in names), bool(fields.get("syncd_ref")), whose, linked)


def _books_facts(
    kind: str, row: Row, customers: Mapping[str, Any], items: Mapping[str, Any], numbers: Mapping[str, Any]
) -> Sequence[Any]:
    match kind:
        case "Customer":
            return row["DisplayName"], row.get("PrimaryEmailAddr", {}).get("Address"), row["Active"], row["Balance"]
        case "Item":
            return row["Name"], row.get("Sku"), row["Active"], str(row.get("UnitPrice"))
        case "Invoice":
            lines = tuple(
                (
                    items.get(line.get("SalesItemLineDetail", {}).get("ItemRef", {}).get("value")),
                    str(line.get("Amount")),
                )
                for line in row["Line"]
            )
            money = (str(row["TotalAmt"]), str(row["Balance"]))
            return row.get("DocNumber"), customers[row["CustomerRef"]["value"]], *money, lines
    pays = tuple(sorted(str(numbers.get(txn["TxnId"])) for line in row["Line"] for txn in line.get("LinkedTxn", ())))
    return str(row["TotalAmt"]), row["TxnDate"], customers[row["CustomerRef"]["value"]], pays
