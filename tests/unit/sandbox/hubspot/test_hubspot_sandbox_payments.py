"""Payments and what they do to invoices."""

from __future__ import annotations

import pytest


def pay(hub, amount, *invoices, status="succeeded", **more):
    links = dict.fromkeys(invoices, 542)
    return hub.create(
        "commerce_payments",
        links,
        hs_initial_amount=amount,
        hs_initiated_date="2026-11-01T00:00:00.000Z",
        hs_latest_status=status,
        **more,
    )


def state(hub, invoice):
    names = ("hs_invoice_status", "hs_amount_paid", "hs_balance_due", "hs_payment_date")
    return tuple(hub.properties("invoices", invoice, *names).values())


def test_a_full_payment_pays_the_invoice_and_deleting_it_opens_it_again(hub):
    """Both move the invoice's modified date."""
    payment = pay(hub, "35.00", "5001")
    assert state(hub, "5001") == ("paid", "35.00", "0.00", "2026-11-01T00:00:00Z")
    assert hub.get("/crm/v3/objects/invoices/5001")["updatedAt"] == "2026-11-02T09:00:00.000Z"
    hub.later()
    assert hub("DELETE", f"/crm/v3/objects/commerce_payments/{payment}")[0] == 204
    assert state(hub, "5001") == ("open", "0.00", "35.00", None)
    assert hub.get("/crm/v3/objects/invoices/5001")["updatedAt"] == "2026-11-02T09:00:01.000Z"


def test_partial_payments_add_up(hub):
    """Open until the last cent."""
    pay(hub, "10", "5001")
    assert state(hub, "5001")[:3] == ("open", "10.00", "25.00")
    pay(hub, "25", "5001")
    assert state(hub, "5001")[:3] == ("paid", "35.00", "0.00")


def test_one_payment_fills_several_invoices_in_the_order_of_association(hub):
    """The last one gets what is left; parting one passes its share on."""
    payment = pay(hub, "100", "5007", "5001", "5026")  # 70 + 35 + 35
    assert [state(hub, id)[1] for id in ("5007", "5001", "5026")] == ["70.00", "30.00", "0.00"]
    hub("DELETE", f"/crm/v4/objects/commerce_payments/{payment}/associations/invoices/5007")
    assert [state(hub, id)[1] for id in ("5007", "5001", "5026")] == ["0.00", "35.00", "35.00"]
    found = hub.properties(
        "commerce_payments", payment, "hs_has_associated_invoice", "hs_number_of_associated_invoices"
    )
    assert list(found.values()) == ["true", "2"]


@pytest.mark.parametrize(
    ("status", "counts"),
    [("processing", False), ("succeeded", True), ("failed", False), ("refunded", False), ("disputed_lost", False)],
)
def test_only_money_that_arrived_counts(hub, status, counts):
    """By `hs_latest_status`."""
    pay(hub, "35", "5001", status=status)
    assert state(hub, "5001")[0] == ("paid" if counts else "open")


def test_a_payment_is_processing_unless_it_says_otherwise_and_can_change(hub):
    """A later success pays, a partial refund takes back."""
    payment = hub.create("commerce_payments", {"5001": 542}, hs_initial_amount="35", hs_initiated_date="2026-11-01")
    assert hub.properties("commerce_payments", payment, "hs_latest_status") == {"hs_latest_status": "processing"}
    assert state(hub, "5001")[0] == "open"
    hub.patch("commerce_payments", payment, hs_latest_status="succeeded")
    assert state(hub, "5001")[0] == "paid"
    hub.patch("commerce_payments", payment, hs_latest_status="partially_refunded", hs_refunds_amount="5")
    assert state(hub, "5001")[:3] == ("open", "30.00", "5.00")


def test_payments_leave_mirrors_and_voided_invoices_alone(hub):
    """Only billable invoices are computed."""
    pay(hub, "205", "5032")
    pay(hub, "100", "5028")
    assert state(hub, "5032")[:2] == ("open", None)
    assert state(hub, "5028")[:2] == ("voided", "0.00")


def test_without_a_processor_the_api_cannot_create_but_a_person_can_record(hub):
    """Setting `processor_connected`."""
    hub.vendor.settings({"processor_connected": False})
    properties = {"hs_initial_amount": "35", "hs_initiated_date": "2026-11-01"}
    status, body = hub("POST", "/crm/v3/objects/commerce_payments", {"properties": properties})
    assert (status, body["category"]) == (400, "VALIDATION_ERROR")
    hub.person("pay", "invoices", "5001")
    assert state(hub, "5001")[0] == "paid"


def test_processed_payments_belong_to_the_processing(hub):
    """No change and no delete through the API."""
    payment = pay(hub, "35", "5001", hs_processor_type="hs_payments")
    assert hub.patch("commerce_payments", payment, hs_internal_comment="x")[0] == 400
    assert hub("DELETE", f"/crm/v3/objects/commerce_payments/{payment}")[0] == 400


def test_a_payment_cannot_be_used_up_twice(hub):
    """Two payments on one invoice: the second fills only what the first left."""
    pay(hub, "30", "5001")
    pay(hub, "30", "5001", "5026")
    assert [state(hub, id)[1] for id in ("5001", "5026")] == ["35.00", "25.00"]
