"""What people do in these tests, in one word each: a new customer buys something new and pays a part of it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.acceptance.checkers import assert_in_order
from tests.acceptance.world import Row, World


@dataclass(frozen=True)
class Sale:
    """One sale; ids are those of the side it was made on."""

    email: str
    sku: str
    number: str
    customer: str
    product: str
    invoice: str
    payment: str


async def crm_sale(w: World, name: str = "Nora Quill") -> Sale:
    """A sale in HubSpot: contact, product, finalized invoice of two lines over 200.00, of which 50.00 are paid."""
    first, last = name.split()
    email, sku = f"{first}@{last}.example".lower(), f"{last}-1".upper()
    contact = await w.crm("create", "contacts", email=email, firstname=first, lastname=last)
    product = await w.crm("create", "products", name=f"{last} Kit", hs_sku=sku, price="80")
    lines = [
        {"product": product["id"], "quantity": "2", "price": "80"},
        {"product": "3001", "quantity": "1", "price": "40"},
    ]
    draft = await w.crm(
        "create",
        "invoices",
        contact=contact["id"],
        lines=lines,
        hs_currency="USD",
        hs_invoice_date="2026-11-02",
        finalize=True,
    )
    payment = await w.crm("pay", "invoices", draft["id"], amount="50", reference=f"R-{last}")
    number = draft["properties"]["hs_number"]
    return Sale(email, sku, number, contact["id"], product["id"], draft["id"], payment["id"])


async def books_sale(w: World, name: str = "Otto Fern") -> Sale:
    """A sale in QuickBooks: customer, item, invoice of two lines over 200.00, of which 50.00 are paid."""
    first, last = name.split()
    email, sku = f"{first}@{last}.example".lower(), f"{last}-1".upper()
    customer = await w.books("create", "Customer", name=name, first_name=first, last_name=last, email=email)
    item = await w.books("create", "Item", name=f"{last} Kit", sku=sku, price="80")
    lines = [{"item": item["Id"], "qty": "2", "price": "80"}, {"item": "PEST-CONTROL", "qty": "1", "price": "40"}]
    invoice = await w.books("create", "Invoice", customer=customer["Id"], lines=lines, number=f"N-{last}")
    await w.books("pay", "Invoice", invoice["Id"], amount="50", ref=f"R-{last}")
    payment = [
        row for row in await w.control.records("quickbooks", "Payment") if row.get("PaymentRefNum") == f"R-{last}"
    ]
    return Sale(email, sku, invoice["DocNumber"], customer["Id"], item["Id"], invoice["Id"], payment[0]["Id"])


async def of_sale(w: World, sale: Sale) -> dict[str, Row]:
    """The records of a sale, by flow."""
    flows = {sale.customer: "contacts", sale.product: "products", sale.invoice: "invoices", sale.payment: "payments"}
    ends = [((row[side] or {}).get("id"), row) for row in await w.records() for side in ("left", "right")]
    return {row["flow"]: row for id, row in ends if flows.get(id) == row["flow"]}


async def ended_well(w: World, *sales: Sale) -> None:
    """One more pass, and everything of the sales stands on both sides once; a further pass writes nothing."""
    await w.once()
    for sale in sales:
        found = await of_sale(w, sale)
        states = {flow: (found[flow]["status"], found[flow]["code"]) for flow in ("contacts", "invoices", "payments")}
        assert states == dict.fromkeys(states, ("synced", "")), states
    await assert_in_order(w.control)
    end = await w.mark()
    await w.once()
    assert await w.written(end) == []
