"""Invoices: drafts, finalizing, computed totals, the lock, deleting, voiding, and mirrors."""

from __future__ import annotations

import pytest


def draft(hub, **properties):
    """A draft of contact 1001 with one line of 2 x 10.00."""
    invoice = hub.create("invoices", {"1001": 177}, hs_currency="USD", **properties)
    hub.create("line_items", {invoice: 410}, name="Work", price="10.00", quantity="2")
    return invoice


def amounts(hub, invoice):
    found = hub.properties("invoices", invoice, "hs_invoice_status", "hs_amount_billed", "hs_balance_due")
    return tuple(found.values())


def test_a_new_invoice_is_a_draft_with_defaults(hub):
    """Dates are now; the source literal is that of the creator; recipient and names come from the contact."""
    invoice = draft(hub)
    found = hub.properties(
        "invoices",
        invoice,
        "hs_invoice_billable",
        "hs_invoice_source",
        "hs_invoice_date",
        "hs_due_date",
        "hs_recipient_shipping_city",
        "hs_invoice_latest_contact_email",
        "hs_number",
    )
    assert list(found.values()) == [
        "true",
        "integration",
        "2026-11-02T09:00:00Z",
        "2026-11-02T09:00:00Z",
        "Bayshore",
        "birds@intuit.com",
        None,
    ]
    assert amounts(hub, invoice) == ("draft", "20.00", "20.00")
    by_hand = hub.person("create", "invoices", contact="1001")
    assert by_hand["properties"]["hs_invoice_source"] == "hubspot"


def test_finalizing_needs_a_contact_and_a_line_and_gives_the_next_number(hub):
    """A refused one takes no number."""
    assert hub.patch("invoices", "5030", hs_invoice_status="open")[0] == 400
    assert hub.patch("invoices", "5031", hs_invoice_status="open")[0] == 400
    assert hub.patch("invoices", "5029", hs_invoice_status="open")[0] == 200
    invoice = draft(hub)
    hub.patch("invoices", invoice, hs_invoice_status="open")
    assert hub.properties("invoices", "5029", "hs_number") == {"hs_number": "INV-1029"}
    assert hub.properties("invoices", invoice, "hs_number") == {"hs_number": "INV-1030"}
    assert [operation for _, operation, _ in hub.journal()] == ["finalize", "create", "create", "finalize"]


def test_a_line_inherits_from_its_product_and_computes_its_amounts(hub):
    """Percent or amount per unit off; a tax rate; no amount without a quantity."""
    line = hub.create("line_items", {"5029": 410}, hs_product_id="3005", quantity="2", hs_discount_percentage="10")
    found = hub.properties("line_items", line, "name", "hs_sku", "price", "hs_total_discount", "amount")
    assert list(found.values()) == ["Rock Fountain", "ROCK-FOUNTAIN", "275.00", "55.00", "495.00"]
    hub.patch("line_items", line, hs_discount_percentage="", discount="25", hs_tax_rate_group_id="7001")
    found = hub.properties("line_items", line, "hs_total_discount", "amount", "hs_tax_amount", "hs_post_tax_amount")
    assert list(found.values()) == ["50.00", "500.00", "40.00", "540.00"]
    hub.patch("line_items", line, quantity="")
    assert hub.properties("line_items", line, "amount") == {"amount": None}


def test_the_total_takes_discounts_then_fees_then_taxes_in_their_order(hub):
    """Percentages are of what was reached so far; taxes all of the same amount."""
    invoice = draft(hub)
    for kind, type_id, properties in (
        ("taxes", 416, {"hs_type": "PERCENT", "hs_value": "10"}),
        ("fees", 414, {"hs_type": "FIXED", "hs_value": "5"}),
        ("discounts", 412, {"hs_type": "FIXED", "hs_value": "3", "hs_sort_order": 2}),
        ("discounts", 412, {"hs_type": "PERCENT", "hs_value": "10", "hs_sort_order": 1}),
    ):
        hub.create(kind, {invoice: type_id}, **properties)
    # 20.00 - 10 % = 18.00 - 3.00 = 15.00 + 5.00 = 20.00 + 10 %
    assert amounts(hub, invoice) == ("draft", "22.00", "22.00")


def test_totals_follow_lines_that_change_come_and_go(hub):
    """And move the modified date of the invoice, which a line's words alone do not."""
    invoice = draft(hub)
    hub.later()
    line = hub.create("line_items", {invoice: 410}, name="More", price="1", quantity="1")
    assert amounts(hub, invoice)[1] == "21.00"
    assert hub.get(f"/crm/v3/objects/invoices/{invoice}")["updatedAt"] == "2026-11-02T09:00:01.000Z"
    hub.later()
    hub.patch("line_items", line, description="only words")
    assert hub.get(f"/crm/v3/objects/invoices/{invoice}")["updatedAt"] == "2026-11-02T09:00:01.000Z"
    hub.vendor.settings({"line_change_bumps": True})
    hub.patch("line_items", line, description="other words")
    assert hub.get(f"/crm/v3/objects/invoices/{invoice}")["updatedAt"] == "2026-11-02T09:00:02.000Z"
    hub.patch("line_items", line, quantity="5")
    assert amounts(hub, invoice)[1] == "25.00"
    hub("DELETE", f"/crm/v3/objects/line_items/{line}")
    assert amounts(hub, invoice)[1] == "20.00"


def test_the_api_cannot_impose_amounts_or_number_of_a_billable_invoice(hub):
    """READ_ONLY_VALUE, at creation and later."""
    for name in ("hs_amount_billed", "hs_number", "hs_balance_due", "hs_amount_paid", "hs_invoice_source"):
        status, body = hub.patch("invoices", "5029", **{name: "1"})
        assert (status, body["errors"][0]["code"]) == (400, "READ_ONLY_VALUE")
    properties = {"hs_currency": "USD", "hs_number": "7"}
    assert hub("POST", "/crm/v3/objects/invoices", {"properties": properties})[0] == 400


def test_lines_of_an_open_invoice_are_locked_for_the_api(hub):
    """Change, add, remove, part; custom properties stay writable; the setting unlocks."""
    definition = {"name": "syncd_ref", "label": "R", "type": "string", "fieldType": "text"}
    hub("POST", "/crm/v3/properties/line_items", {**definition, "groupName": "lineiteminformation"})
    locked = [
        ("PATCH", "/crm/v3/objects/line_items/500101", {"properties": {"price": "1"}}),
        ("DELETE", "/crm/v3/objects/line_items/500101", None),
        ("PUT", "/crm/v4/objects/invoices/5001/associations/default/line_items/502901", None),
        ("DELETE", "/crm/v4/objects/invoices/5001/associations/line_items/500101", None),
    ]
    for method, path, body in locked:
        status, answer = hub(method, path, body)
        assert (status, answer["category"]) == (400, "VALIDATION_ERROR")
        assert "edit the invoice in HubSpot" in answer["message"]
    assert hub.journal() == []
    assert hub.patch("line_items", "500101", syncd_ref="x")[0] == 200
    assert hub.patch("invoices", "5001", hs_currency="EUR")[0] == 400
    assert hub.patch("invoices", "5001", hs_due_date="2026-12-31", hs_comments="ok")[0] == 200
    hub.vendor.settings({"lock_open_invoices": False})
    assert hub.patch("line_items", "500101", price="1")[0] == 200
    assert amounts(hub, "5001") == ("open", "1.00", "1.00")


@pytest.mark.parametrize(
    ("invoice", "status", "allowed"),
    [
        ("5001", "voided", True),
        ("5001", "draft", False),
        ("5001", "paid", False),
        ("5029", "paid", False),
        ("5029", "voided", False),
        ("5009", "voided", False),
        ("5010", "voided", False),
        ("5028", "open", False),
    ],
)
def test_status_moves_of_billable_invoices(hub, invoice, status, allowed):
    """Only draft to open and open to voided, and no void with payments on it; paid comes from payments."""
    assert hub.patch("invoices", invoice, hs_invoice_status=status)[0] == (200 if allowed else 400)


def test_voiding_zeroes_the_balance_and_can_be_forbidden_to_the_api(hub):
    """Setting `void_by_api`; a person may anyway."""
    hub.vendor.settings({"void_by_api": False})
    assert hub.patch("invoices", "5001", hs_invoice_status="voided")[0] == 400
    hub.person("void", "invoices", "5001")
    assert amounts(hub, "5001") == ("voided", "35.00", "0.00")
    assert hub.journal() == [("person", "void", "invoices")]


def test_deleting(hub):
    """Drafts always, with their lines; open ones by setting; paid and voided never; mirrors always."""
    assert hub("DELETE", "/crm/v3/objects/invoices/5029")[0] == 204
    assert hub("GET", "/crm/v3/objects/line_items/502901")[0] == 404
    for invoice in ("5001", "5009", "5028"):
        assert hub("DELETE", f"/crm/v3/objects/invoices/{invoice}")[0] == 400
    hub.vendor.settings({"delete_open_invoices": True})
    assert hub("DELETE", "/crm/v3/objects/invoices/5001")[0] == 204
    assert hub("DELETE", "/crm/v3/objects/invoices/5009")[0] == 400
    assert hub("DELETE", "/crm/v3/objects/invoices/5032")[0] == 204


def test_a_mirror_keeps_whatever_is_written(hub):
    """Non-billable: no computing, no checks, any status; never becomes billable."""
    mirror = hub.create(
        "invoices",
        hs_currency="USD",
        hs_invoice_billable="false",
        hs_invoice_status="open",
        hs_number="1047",
        hs_amount_billed="1250.00",
    )
    hub.create("line_items", {mirror: 410}, name="Anything", price="3", quantity="1")
    assert amounts(hub, mirror) == ("open", "1250.00", None)
    for status in ("paid", "voided", "draft", "open"):
        assert hub.patch("invoices", mirror, hs_invoice_status=status, hs_amount_billed="7")[0] == 200
    assert hub.patch("invoices", mirror, hs_invoice_billable=True)[0] == 400
    assert hub.patch("invoices", mirror, hs_balance_due="7")[0] == 400
    hub.vendor.settings({"mirror_balance_writable": True})
    assert hub.patch("invoices", mirror, hs_balance_due="7", hs_amount_paid="0")[0] == 200
    assert hub.patch("invoices", "5001", hs_balance_due="7")[0] == 400


def test_a_line_has_one_parent(hub):
    """Linking a deal's line to an invoice takes it away from the deal."""
    line = hub.create("line_items", {"4001": 20}, name="Work", price="5", quantity="1")
    assert hub("PUT", f"/crm/v4/objects/line_items/{line}/associations/default/invoices/5029")[0] == 200
    assert hub.get("/crm/v4/objects/deals/4001/associations/line_items")["results"] == []
    assert amounts(hub, "5029")[1] == "145.00"
    hub("PUT", f"/crm/v4/objects/line_items/{line}/associations/default/invoices/5030")
    assert (amounts(hub, "5029")[1], amounts(hub, "5030")[1]) == ("140.00", "5.00")


def test_a_negative_price_is_refused(hub):
    """Unit prices only; a discount is said otherwise."""
    assert hub.patch("line_items", "502901", price="-1")[0] == 400
