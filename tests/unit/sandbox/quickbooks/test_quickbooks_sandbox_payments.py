"""QuickBooks sandbox: payments, and what they do to the invoices at the other end."""

from decimal import Decimal

import pytest


def test_payment_lowers_the_balance_and_bumps_the_invoice(qbo):
    """A payment links both sides; the invoice gets a new SyncToken and LastUpdatedTime."""
    qbo.later(minutes=10)
    payment = qbo.pay("70", 56, "20")
    invoice = qbo.get("Invoice", "70")
    assert (invoice["Balance"], invoice["SyncToken"]) == (100, "1")
    assert invoice["MetaData"]["LastUpdatedTime"] == payment["MetaData"]["LastUpdatedTime"]
    assert invoice["LinkedTxn"] == [{"TxnId": payment["Id"], "TxnType": "Payment"}]
    assert payment["Line"][0]["LinkedTxn"] == [{"TxnId": "70", "TxnType": "Invoice"}]
    assert payment["Line"][0]["LineEx"]["any"][1]["value"] == {"Name": "txnOpenBalance", "Value": "156.00"}
    assert payment["DepositToAccountRef"] == {"value": "4"}
    assert qbo.get("Customer", "20")["Balance"] == 170


def test_one_payment_for_several_invoices(qbo):
    """Lines may settle several invoices; what is left is unapplied and a credit of the customer."""
    lines = [{"Amount": a, "LinkedTxn": [{"TxnId": i, "TxnType": "Invoice"}]} for i, a in (("69", 70), ("70", 56))]
    body = {"CustomerRef": {"value": "20"}, "TotalAmt": 150, "Line": lines}
    payment = qbo.ok("Payment", body)
    assert payment["UnappliedAmt"] == 24
    assert (qbo.get("Invoice", "69")["Balance"], qbo.get("Invoice", "70")["Balance"]) == (0, 100)
    assert qbo.get("Customer", "20")["Balance"] == 76


def test_update_void_and_delete_give_the_balance_back(qbo):
    """Each change of a payment moves the balance again and counts as a change of the invoice."""
    payment = qbo.pay("70", 56, "20")
    key = {"Id": payment["Id"], "SyncToken": "0", "sparse": True}
    line = {"Amount": 6, "LinkedTxn": [{"TxnId": "70", "TxnType": "Invoice"}]}
    assert qbo.ok("Payment", {**key, "Line": [line]})["UnappliedAmt"] == 50
    assert (qbo.get("Invoice", "70")["Balance"], qbo.get("Invoice", "70")["SyncToken"]) == (150, "2")
    qbo.ok("Payment", {**key, "SyncToken": "1", "PrivateNote": "memo"})
    assert qbo.get("Invoice", "70")["SyncToken"] == "2"
    void = qbo.ok("Payment", {**key, "SyncToken": "2"}, operation="update", include="void")
    assert (void["TotalAmt"], void["UnappliedAmt"], void["Line"]) == (0, 0, [])
    assert void["PrivateNote"] == "Voided - memo"
    invoice = qbo.get("Invoice", "70")
    assert (invoice["Balance"], invoice["LinkedTxn"], invoice["SyncToken"]) == (156, [], "3")
    other = qbo.pay("70", 156, "20")
    assert qbo.get("Invoice", "70")["Balance"] == 0
    qbo.ok("Payment", {"Id": other["Id"], "SyncToken": "0"}, operation="delete")
    assert qbo.get("Invoice", "70")["Balance"] == 156


@pytest.mark.parametrize(
    ("payment", "code"),
    [
        ({"TotalAmt": None}, "2020"),
        ({"CustomerRef": {"value": "1"}}, "620"),
        ({"TotalAmt": 200, "amount": 157}, "6000"),
        ({"amount": 57}, "6000"),
        ({"invoice": "9999"}, "620"),
        ({"invoice": "10"}, "620"),
        ({"kind": "Check"}, "2170"),
        ({"TxnDate": "2018-01-01"}, "6200"),
        ({"PaymentMethodRef": {"value": "77"}}, "2500"),
        ({"PaymentRefNum": "1" * 22}, "2050"),
        ({"TotalAmt": -1}, "6000"),
    ],
)
def test_refusals(qbo, payment, code):
    """Foreign, paid, missing or overpaid invoices and the rest of a payment's rules; the invoice stays as it was."""
    change = dict(payment)
    link = {"TxnId": change.pop("invoice", "70"), "TxnType": change.pop("kind", "Invoice")}
    line = {"Amount": change.pop("amount", 56), "LinkedTxn": [link]}
    body = {"CustomerRef": {"value": "20"}, "TotalAmt": 56, "Line": [line], **change}
    assert qbo.refused("Payment", {key: value for key, value in body.items() if value is not None}) == code
    assert (qbo.get("Invoice", "70")["Balance"], qbo.get("Invoice", "70")["SyncToken"]) == (156, "0")


def test_parent_pays_for_its_job(qbo):
    """A customer may pay its sub-customers' invoices, not the other way round."""
    qbo.pay("13", 4, "7")
    assert qbo.get("Invoice", "13")["Balance"] == 0


def test_deposited_payment_is_locked(qbo):
    """A payment in a bank deposit can be neither changed, voided nor deleted."""
    qbo.set(deposited_payments=["101"])
    key = {"Id": "101", "SyncToken": "0"}
    assert qbo.refused("Payment", {**key, "sparse": True, "PrivateNote": "x"}) == "6540"
    assert qbo.refused("Payment", key, operation="delete") == "6540"
    assert qbo.refused("Payment", {**key, "sparse": True}, operation="update", include="void") == "6540"


def test_credit_memo_settles_an_invoice(qbo, line):
    """A payment of 0 links a credit memo with an invoice; undoing it gives both back."""
    memo = qbo.ok("CreditMemo", {"CustomerRef": {"value": "20"}, "Line": [line(40)]})
    assert (memo["Balance"], memo["RemainingCredit"]) == (40, 40)
    lines = [
        {"Amount": 40, "LinkedTxn": [{"TxnId": id, "TxnType": kind}]}
        for kind, id in (("Invoice", "70"), ("CreditMemo", memo["Id"]))
    ]
    payment = qbo.ok("Payment", {"CustomerRef": {"value": "20"}, "TotalAmt": 0, "Line": lines})
    assert qbo.get("Invoice", "70")["Balance"] == 116
    assert qbo.get("CreditMemo", memo["Id"])["RemainingCredit"] == 0
    assert qbo.refused("CreditMemo", {"Id": memo["Id"], "SyncToken": "1"}, operation="delete") == "6000"
    qbo.ok("Payment", {"Id": payment["Id"], "SyncToken": "0"}, operation="delete")
    assert qbo.get("Invoice", "70")["Balance"] == 156
    assert qbo.get("CreditMemo", memo["Id"])["Balance"] == 40


def test_smaller_invoice_lets_go_of_its_payment(qbo, line):
    """An invoice that shrinks below what was paid is paid in full; the payment keeps the rest as unapplied."""
    invoice = qbo.invoice(line(100))
    payment = qbo.pay(invoice["Id"], 80)
    after = qbo.ok("Invoice", {"Id": invoice["Id"], "SyncToken": "1", "sparse": True, "Line": [line(30)]})
    assert (after["TotalAmt"], after["Balance"]) == (30, 0)
    paid = qbo.get("Payment", payment["Id"])
    assert (paid["Line"][0]["Amount"], paid["UnappliedAmt"], paid["SyncToken"]) == (30, 50, "1")


def test_payments_survive_an_invoice_update(qbo, line):
    """Payment links are read-only on the invoice: even a full update that leaves them out keeps them."""
    invoice = qbo.invoice(line(100))
    qbo.pay(invoice["Id"], Decimal("40.50"))
    full = {"Id": invoice["Id"], "SyncToken": "1", "CustomerRef": {"value": "2"}, "Line": [line(120)], "LinkedTxn": []}
    after = qbo.ok("Invoice", full)
    assert after["Balance"] == Decimal("79.50")
    assert [link["TxnType"] for link in after["LinkedTxn"]] == ["Payment"]
    full |= {"SyncToken": "2", "CustomerRef": {"value": "3"}}
    assert qbo.refused("Invoice", full) == "6000"
