"""From the vendor's objects to nouns."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from syncd.connectors.quickbooks.mapping import Reading, snapshot
from syncd.model.nouns import Allocation, InvoiceStatus, PaymentStatus
from syncd.model.references import Kind
from syncd.model.snapshot import Presence
from tests.unit.connectors.quickbooks.quickbooks_doubles import customer, invoice, sale

READING = Reading(home_currency="USD", po_field="po number")
MARKER = "syncd:" + "0f" * 16


@pytest.mark.parametrize(
    ("total", "balance", "note", "status"),
    [
        ("90", "90", None, InvoiceStatus.OPEN),
        ("90", "30", None, InvoiceStatus.PARTIALLY_PAID),
        ("90", "0", None, InvoiceStatus.PAID),
        ("90", "0", "Voided by hand", InvoiceStatus.PAID),
        ("0", "0", "Voided - rain", InvoiceStatus.VOIDED),
        ("0", "0", "free of charge", InvoiceStatus.PAID),
    ],
)
def test_status_is_read_from_amounts_and_note(total, balance, note, status):
    """There is no status field; the word alone, which anybody can type, does not void."""
    raw = invoice(TotalAmt=Decimal(total), Balance=Decimal(balance), PrivateNote=note)
    noun = snapshot(Kind.INVOICE, raw, READING).noun

    assert noun.status is status
    assert noun.amount_paid == Decimal(total) - Decimal(balance)


def test_lines_of_every_sort():
    """Items, shipping, text and bundles are lines; subtotals are not; the discount belongs to the invoice."""
    lines = [
        sale(1, Decimal("90.00"), Qty=3, UnitPrice=30, ServiceDate="2026-02-01"),
        sale(2, 5, item="SHIPPING_ITEM_ID"),
        {"Id": "3", "Description": "A word", "DetailType": "DescriptionOnly", "DescriptionLineDetail": {}},
        {
            "Id": "4",
            "DetailType": "GroupLineDetail",
            "GroupLineDetail": {"GroupItemRef": {"value": "9", "name": "Set"}, "Line": [sale(5, 4), sale(6, 3)]},
        },
        {"Amount": 102, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}},
        {"Amount": Decimal("2.50"), "DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": False}},
        {"Id": "7", "Amount": 1, "DetailType": "SomethingNew"},
    ]
    noun = snapshot(Kind.INVOICE, invoice(Line=lines), READING).noun

    assert [(each.id, each.product, each.amount) for each in noun.lines] == [
        ("1", "6", Decimal("90.00")),
        ("2", None, Decimal(5)),
        ("3", None, None),
        ("4", None, Decimal(7)),
        ("7", None, Decimal(1)),
    ]
    assert str(noun.lines[0].service_date) == "2026-02-01"
    assert [a.amount for a in noun.adjustments] == [Decimal("2.50")]


def test_amounts_are_exact_and_fields_by_label():
    """Digits stay as they came; the purchase order number is found by the label of its field."""
    custom = [
        {"DefinitionId": "1", "Name": "Crew #", "Type": "StringType"},
        {"DefinitionId": "2", "Name": "PO Number", "Type": "StringType", "StringValue": "PO-1"},
    ]
    raw = invoice(CustomField=custom, TxnTaxDetail={"TotalTax": Decimal("7.10")}, CustomerMemo={"value": "Thanks"})
    noun = snapshot(Kind.INVOICE, raw, READING).noun

    assert (str(noun.total), str(noun.tax_total)) == ("90.00", "7.10")
    assert (noun.po_number, noun.comment, dict(noun.custom)) == ("PO-1", "Thanks", {"PO Number": "PO-1"})


def test_marker_is_found_between_other_words():
    """Our reference is recognised in notes that people wrote in, too; on customers and on payments."""
    note = f"Voided - call first. {MARKER} thanks"
    payment = {"Id": "1", "SyncToken": "0", "TotalAmt": 5, "PrivateNote": note}

    assert snapshot(Kind.INVOICE, invoice(PrivateNote=note), READING).marker == MARKER
    assert snapshot(Kind.PARTY, customer(Notes=note), READING).marker == MARKER
    assert snapshot(Kind.PAYMENT, payment, READING).marker == MARKER
    assert snapshot(Kind.INVOICE, invoice(PrivateNote="syncd:zz"), READING).marker is None


def test_payments_pay_invoices_and_nothing_else():
    """Credit memos on a payment are no allocation; without amount and lines it is void; without a currency, at home."""
    lines = [
        {"Amount": 40, "LinkedTxn": [{"TxnId": "67", "TxnType": "Invoice"}], "LineEx": {"any": [{"nil": False}]}},
        {"Amount": 40, "LinkedTxn": [{"TxnId": "73", "TxnType": "CreditMemo"}]},
    ]
    raw = {"Id": "1", "SyncToken": "0", "TotalAmt": 0, "Line": lines}
    applied = snapshot(Kind.PAYMENT, raw, READING).noun
    voided = snapshot(Kind.PAYMENT, raw | {"Line": [], "PrivateNote": "Voided"}, READING).noun

    assert applied.allocations == (Allocation(invoice="67", amount=Decimal(40)),)
    assert (applied.status, voided.status) == (PaymentStatus.SUCCEEDED, PaymentStatus.VOIDED)
    assert voided.currency == "USD"


def test_inactive_names_are_read_without_the_suffix():
    """Only inactive records carry it; an active one may be called so."""
    assert snapshot(Kind.PARTY, customer(DisplayName="A (deleted)", Active=False), READING).noun.name == "A"
    assert snapshot(Kind.PARTY, customer(DisplayName="A (deleted)"), READING).noun.name == "A (deleted)"


def test_times_are_in_utc():
    """The vendor's offset is taken off."""
    assert snapshot(Kind.PARTY, customer(), READING).created == datetime(2026, 3, 1, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    "broken", [{"TotalAmt": "many"}, {"Balance": None}, {"Line": [{"Amount": 1}]}, {"TxnDate": "?"}]
)
def test_object_that_cannot_be_understood_is_torn(broken):
    """It is never planned on, and does not spoil its neighbours."""
    seen = snapshot(Kind.INVOICE, invoice(7, "3", **broken), READING)

    assert (seen.id, seen.version, seen.torn, seen.noun) == ("7", "3", True, None)


def test_tombstone():
    """What is deleted has no noun."""
    assert snapshot(Kind.INVOICE, {"Id": "7", "status": "Deleted"}, READING).presence is Presence.DELETED
