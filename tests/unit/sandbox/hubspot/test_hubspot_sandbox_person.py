"""What a person does on HubSpot's screen."""

from __future__ import annotations

import pytest

from syncd.sandbox.base import Refusal


def test_an_invoice_is_made_with_lines_and_finalized_in_one_go(hub):
    """Lines by product or by hand, adjustments, number by hand; the answer is the record as it is."""
    made = hub.person(
        "create",
        "invoices",
        contact="1001",
        company="2001",
        hs_number="A-7",
        lines=[{"product": "3001", "quantity": 2}, {"name": "By hand", "price": "5.50", "quantity": "1"}],
        discounts=[{"hs_type": "FIXED", "hs_value": "0.50"}],
        finalize=True,
    )
    assert made["properties"]["hs_amount_billed"] == "75.00"
    assert made["properties"]["hs_number"] == "A-7"
    assert made["properties"]["hs_invoice_status"] == "open"
    assert {kind: len(ids) for kind, ids in made["associations"].items()} == {
        "contacts": 1,
        "companies": 1,
        "line_items": 2,
        "discounts": 1,
    }
    assert {caller for caller, _, _ in hub.journal()} == {"person"}


def test_a_refused_step_leaves_nothing_behind(hub):
    """Finalizing without lines: no invoice, no journal, no number used."""
    with pytest.raises(Refusal, match="at least one line item"):
        hub.person("create", "invoices", contact="1001", finalize=True)
    assert len(hub.vendor.records("invoices")) == 34
    assert hub.journal() == []


def test_a_person_edits_lines_of_an_open_invoice_but_not_of_a_paid_one(hub):
    """A row with id changes that line, one without adds, the others go."""
    lines = [{"id": "500201", "quantity": "1"}, {"name": "Extra", "price": "1", "quantity": "1"}]
    edited = hub.person("update", "invoices", "5002", lines=lines)
    assert edited["properties"]["hs_amount_billed"] == "16.00"
    with pytest.raises(Refusal, match="cannot be changed"):
        hub.person("update", "invoices", "5009", lines=[])
    with pytest.raises(Refusal, match="cannot be changed"):
        hub.person("update", "line_items", "500901", price="1")
    with pytest.raises(Refusal, match="READ_ONLY_VALUE"):
        hub.person("update", "invoices", "5002", hs_number="A-8")


def test_the_contact_of_an_invoice_can_be_replaced(hub):
    """The association is all that changes, beside HubSpot's copies of the contact."""
    before = hub.get("/crm/v3/objects/invoices/5025")["updatedAt"]
    replaced = hub.person("update", "invoices", "5025", contact="1020")
    assert replaced["associations"]["contacts"] == ["1020"]
    assert replaced["properties"]["hs_invoice_latest_contact_email"] == "owen.park@example.com"
    assert replaced["updatedAt"] == before
    assert hub.journal() == [("person", "dissociate", "invoices"), ("person", "associate", "invoices")]


def test_a_save_without_a_change_moves_the_modified_date_only(hub):
    """An update with no fields."""
    saved = hub.person("update", "invoices", "5001")
    assert saved["updatedAt"] == "2026-11-02T09:00:00.000Z"
    history = hub.get("/crm/v3/objects/invoices/5001?propertiesWithHistory=hs_number")
    assert len(history["propertiesWithHistory"]["hs_number"]) == 1


def test_paying_records_a_payment_from_the_invoice(hub):
    """The balance by default; with contact, source and reference; not more than is due, not on drafts or mirrors."""
    paid = hub.person("pay", "invoices", "5001", amount="5", date="2026-11-01", method="check", reference="4712")
    assert paid["properties"]["hs_payment_source_app"] == "INVOICE"
    assert paid["properties"]["hs_reference_number"] == "4712"
    assert paid["associations"] == {"invoices": ["5001"], "contacts": ["1001"]}
    with pytest.raises(Refusal, match="higher than the balance"):
        hub.person("pay", "invoices", "5001", amount="30.01")
    hub.person("pay", "invoices", "5001")
    assert hub.properties("invoices", "5001", "hs_invoice_status") == {"hs_invoice_status": "paid"}
    for invoice in ("5001", "5028", "5029", "5032"):
        with pytest.raises(Refusal, match="open invoices"):
            hub.person("pay", "invoices", invoice)


def test_delete_and_restore(hub):
    """Lines come back with their invoice, amounts with a payment, an e-mail only while it is free."""
    hub.person("delete", "invoices", "5029")
    restored = hub.person("restore", "invoices", "5029")
    assert restored["properties"]["hs_amount_billed"] == "140.00"
    assert hub.get("/crm/v3/objects/line_items/502901")["archived"] is False
    hub.person("delete", "commerce_payments", "6002")
    hub.person("restore", "commerce_payments", "6002")
    assert hub.properties("invoices", "5010", "hs_amount_paid") == {"hs_amount_paid": "300.00"}
    hub.person("archive", "contacts", "1001")
    hub.create("contacts", email="birds@intuit.com")
    with pytest.raises(Refusal, match="already exists"):
        hub.person("restore", "contacts", "1001")
    with pytest.raises(Refusal, match="not in the recycle bin"):
        hub.person("restore", "contacts", "1002")
    with pytest.raises(Refusal, match="in the recycle bin"):
        hub.person("update", "contacts", "1001", city="x")


def test_merging_and_plain_records(hub):
    """`other` goes into the named one; a contact's company is text, `company_id` the association."""
    merged = hub.person("merge", "contacts", "1011", other="1010")
    assert (merged["id"], merged["properties"]["hs_additional_emails"]) == ("1011", "john@melton.com")
    contact = hub.person("create", "contacts", firstname="A", company="Text", company_id="2001")
    assert contact["properties"]["company"] == "Text"
    assert contact["associations"] == {"companies": ["2001"]}
    product = hub.person("create", "products", name="P", price="1.20", hs_sku="P-1")
    assert hub.person("update", "products", product["id"], price="1.30")["properties"]["price"] == "1.30"


@pytest.mark.parametrize(
    ("op", "kind", "id", "fields"),
    [
        ("dance", "contacts", "1001", {}),
        ("update", "contacts", "9", {}),
        ("update", "spaceships", "1", {}),
        ("finalize", "contacts", "1001", {}),
        ("update", "contacts", "1001", {"nonsense": "x"}),
        ("create", "invoices", None, {"contact": "9"}),
        ("merge", "invoices", "5001", {"other": "5002"}),
        ("update", "invoices", "5002", {"lines": [{"id": "9"}]}),
    ],
)
def test_what_a_person_cannot_do(hub, op, kind, id, fields):
    """Refused with words, never with another exception."""
    with pytest.raises(Refusal):
        hub.person(op, kind, id, **fields)
