"""The stored form of snapshots: what stands on disk today must be readable for ever."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from syncd.model.nouns import (
    Adjustment,
    AdjustmentKind,
    Allocation,
    Invoice,
    InvoiceStatus,
    Line,
    Party,
    Payment,
    PaymentStatus,
)
from syncd.model.references import Kind
from syncd.model.snapshot import Presence, Snapshot
from syncd.store.codec import content_digest, snapshot_from_plain, snapshot_to_plain

INVOICE = Snapshot(
    kind=Kind.INVOICE,
    id="9",
    version="3",
    created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    marker="syncd:abc",
    native=False,
    noun=Invoice(
        status=InvoiceStatus.PARTIALLY_PAID,
        currency="EUR",
        total=Decimal("12345678901234567.89"),
        due_date=date(2026, 2, 1),
        lines=(Line(id="1", quantity=Decimal("1.50")),),
        adjustments=(Adjustment(kind=AdjustmentKind.FEE, amount=Decimal("0.05"), label="Shipping"),),
        custom={"PO Number": "7", "Signed": True, "Since": date(2020, 1, 1), "Rate": Decimal("0.1"), "None": None},
    ),
)
STORED = {
    "version": "3",
    "presence": "present",
    "marker": "syncd:abc",
    "native": False,
    "created": "2026-01-02T03:04:05+00:00",
    "noun": {
        "status": "partially_paid",
        "currency": "EUR",
        "total": {"decimal": "12345678901234567.89"},
        "due_date": {"date": "2026-02-01"},
        "lines": [{"id": "1", "quantity": {"decimal": "1.5"}}],
        "adjustments": [{"kind": "fee", "amount": {"decimal": "0.05"}, "label": "Shipping"}],
        "tax_total": {"decimal": "0"},
        "amount_paid": {"decimal": "0"},
        "balance": {"decimal": "0"},
        "custom": {
            "PO Number": "7",
            "Signed": True,
            "Since": {"date": "2020-01-01"},
            "Rate": {"decimal": "0.1"},
            "None": None,
        },
    },
}


def test_the_stored_form_of_an_invoice() -> None:
    """Exactly these words are on disk; a change of the codec that alters them needs a migration."""
    assert snapshot_to_plain(INVOICE) == STORED
    assert snapshot_from_plain(Kind.INVOICE, "9", STORED) == INVOICE


def test_a_payment_comes_back() -> None:
    """Its status and its allocations are typed again, a split the vendor does not tell stays unknown."""
    noun = Payment(
        status=PaymentStatus.SUCCEEDED,
        amount=Decimal("5"),
        currency="EUR",
        allocations=(Allocation(invoice="9", amount=Decimal("4.99")), Allocation(invoice="10")),
    )
    payment = Snapshot(kind=Kind.PAYMENT, id="1", version="1", noun=noun)
    assert snapshot_from_plain(Kind.PAYMENT, "1", snapshot_to_plain(payment)) == payment


def test_what_is_missing_comes_back_as_the_default() -> None:
    """A noun that gains a field with a default in a later release still reads what was stored before."""
    raw = {"version": "1", "presence": "deleted"}
    assert snapshot_from_plain(Kind.PARTY, "1", raw) == Snapshot(
        kind=Kind.PARTY, id="1", version="1", presence=Presence.DELETED
    )
    assert snapshot_from_plain(Kind.PARTY, "1", {**raw, "noun": {"email": "a@b.c"}}).noun == Party(email="a@b.c")


@pytest.mark.parametrize("field", ["version", "created", "modified", "native", "source", "torn"])
def test_what_vendors_touch_is_not_content(field: str) -> None:
    """A new version, time or source without new content leaves the digest alone."""
    assert content_digest({**STORED, field: "other"}) == content_digest(STORED)


@pytest.mark.parametrize("field", ["noun", "presence", "marker", "merged_into"])
def test_what_an_entity_holds_is_content(field: str) -> None:
    """A changed field, a disappearance or our marker changes the digest."""
    assert content_digest({**STORED, field: "other"}) != content_digest(STORED)
