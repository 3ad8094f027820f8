"""Invoices: what goes over, for whom, on which products, and what is there already."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from syncd.model.nouns import Adjustment, AdjustmentKind, InvoiceStatus, Party, Product
from syncd.model.references import Kind
from tests.unit.core.builders import LEFT, RIGHT, START, invoice, line, rules
from tests.unit.core.closed_world import ANN, World, inbound, outbound, refused


def test_an_invoice_goes_over_to_the_cent_for_the_right_customer() -> None:
    """HQ-01, C-15: total, customer, number, dates; and a second look writes nothing."""
    w, id = outbound(line("10.10"), line("20.25"), due_date=date(2026, 12, 1), comment="Thanks", po_number="PO 7")
    made = w.twin("invoices", id)

    assert (made.total, made.number, made.due_date) == (Decimal("30.35"), "INV-1", date(2026, 12, 1))
    assert (made.comment, made.po_number) == ("Thanks", "PO 7")
    assert w.right.noun(Kind.PARTY, made.customer).email == "ann@example.com"
    assert w.standing("invoices", id) == ("synced", "")
    assert w.run() == 0


def test_a_mirror_is_told_what_it_cannot_compute() -> None:
    """HQ-06, HQ-10: status, total and taxes of the books come in as they are shown."""
    tax = Adjustment(kind=AdjustmentKind.TAX, amount=Decimal("8.00"))
    w, id = inbound(line("100.00"), adjustments=[tax], tax_total=Decimal("8.00"))
    mirror = w.twin("invoices", id)

    assert (mirror.total, mirror.tax_total, mirror.status) == (Decimal("108.00"), Decimal("8.00"), "open")
    assert w.run() == 0
    w.right.edit(Kind.INVOICE, id, status=InvoiceStatus.PARTIALLY_PAID, amount_paid=Decimal(8), balance=Decimal(100))
    w.right.entities[Kind.INVOICE, id] = replace(
        w.right.entities[Kind.INVOICE, id],
        noun=replace(
            w.right.noun(Kind.INVOICE, id),
            status=InvoiceStatus.PARTIALLY_PAID,
            amount_paid=Decimal(8),
            balance=Decimal(100),
        ),
    )
    assert w.run() == 1
    mirror = w.twin("invoices", id)
    assert (mirror.status, mirror.amount_paid, mirror.balance) == ("partially_paid", Decimal(8), Decimal(100))


@pytest.mark.parametrize(
    ("snapshot", "code"),
    [
        ({"native": False}, "other_source"),
        ({"native": None, "source": "Stripe"}, "other_source"),
        ({"native": None, "source": None}, "other_source"),
        ({"marker": "syncd:" + "0" * 32}, "other_source"),
        ({"created": START - timedelta(days=2)}, "before_start"),
    ],
)
def test_what_was_not_born_here_or_not_since_the_start_stays(snapshot: dict[str, Any], code: str) -> None:
    """HQ-02: the fixed filters outbound; doubt means another source."""
    w = World()
    id = w.left.add(invoice(w.left.add(ANN), number="INV-1"), **snapshot)
    if code == "before_start":
        found = w.left.entities[Kind.INVOICE, id]
        w.left.entities[Kind.INVOICE, id] = replace(found, modified=START - timedelta(days=1))
    assert w.run() == 0
    assert w.standing("invoices", id) == ("excluded", code)


def test_what_is_linked_already_stays_though_its_source_is_called_otherwise() -> None:
    """HQ-02: who was born here is settled once; a vendor may rename its word for it."""
    w, id = outbound()
    found = w.left.entities[Kind.INVOICE, id]
    w.left.entities[Kind.INVOICE, id] = replace(found, native=None, source="renamed")
    w.left.edit(Kind.INVOICE, id, po_number="PO 1")
    assert w.run() == 1
    assert w.standing("invoices", id) == ("synced", "")


def test_a_draft_waits_until_it_is_finalized() -> None:
    """HQ-02: and goes over by itself then."""
    w, id = outbound(status=InvoiceStatus.DRAFT)
    assert w.standing("invoices", id) == ("excluded", "draft")
    w.left.edit(Kind.INVOICE, id, status=InvoiceStatus.OPEN)
    w.run()
    assert w.standing("invoices", id) == ("synced", "")


def test_an_invoice_voided_before_it_went_over_stays() -> None:
    """Nothing is made only to be voided, from either side."""
    w, id = outbound(status=InvoiceStatus.VOIDED)
    assert w.standing("invoices", id) == ("excluded", "filtered")
    w, id = inbound(status=InvoiceStatus.VOIDED)
    assert w.standing("invoices", id) == ("excluded", "filtered")


def test_a_country_that_wants_tax_codes_is_said_so() -> None:
    """HQ-10: outbound invoices of companies outside the US."""
    w = World()
    w.sides[RIGHT] = replace(w.sides[RIGHT], taxes_required=True)
    _, id = outbound(world=w)
    assert w.standing("invoices", id) == ("excluded", "unsupported_region")


@pytest.mark.parametrize(
    ("direction", "left", "right"),
    [
        ("off", "direction_off", "direction_off"),
        ("left-to-right", "", "direction_off"),
        ("right-to-left", "direction_off", ""),
    ],
)
def test_each_direction_can_be_off(direction: str, left: str, right: str) -> None:
    """C-03, HQ-01: off, HubSpot to QuickBooks, QuickBooks to HubSpot, both."""
    w = World(sync=rules(invoices={"direction": direction}))
    _, one = outbound(world=w)
    _, two = inbound(world=w)
    assert (w.record("invoices", one).code, w.record("invoices", two).code) == (left, right)


def test_an_invoice_for_nobody_usable_names_who_was_tried() -> None:
    """HQ-08: without contact, or with one that has no address; replacing the contact cures it."""
    w = World()
    bare, usable = w.left.add(Party(first_name="Bo")), w.left.add(ANN)
    id = w.left.add(replace(invoice(bare, number="INV-1"), customer=None))
    w.run()
    assert refused(w, id) == ("customer_missing", "The invoice names no customer.")

    w.left.edit(Kind.INVOICE, id, customer=bare)
    w.run()
    assert refused(w, id) == ("customer_missing", "Bo: It has no e-mail address.")
    assert w.record("invoices", id).waits_for == f"record:{w.record('contacts', bare).id}"

    w.left.edit(Kind.INVOICE, id, customer=usable)
    w.run()
    assert w.standing("invoices", id) == ("synced", "")


def test_no_customers_are_made_while_their_flow_is_off() -> None:
    """HQ-08: `customer_missing`, naming contact and address."""
    w, id = outbound(world=World(sync=rules(contacts={"direction": "off"})))
    code, words = refused(w, id)
    assert (code, "Ann Lee (ann@example.com)" in words) == ("customer_missing", True)


def test_a_job_stands_for_its_topmost_parent() -> None:
    """HQ-08: the mirror is for the parent's contact."""
    w = World()
    top = w.right.add(ANN)
    job = w.right.add(Party(name="Job", parent=top))
    id = w.right.add(invoice(job, number="7"))
    w.run()
    assert w.left.noun(Kind.PARTY, w.twin("invoices", id).customer).email == "ann@example.com"


def test_the_customer_changed_at_the_origin_changes_over_there() -> None:
    """HQ-05: money, hence only where it was born."""
    w, id = outbound()
    w.left.edit(Kind.INVOICE, id, customer=w.left.add(Party(email="bo@example.com")))
    w.run()
    assert w.right.noun(Kind.PARTY, w.twin("invoices", id).customer).email == "bo@example.com"
    assert w.run() == 0


def test_lines_keep_their_product_or_go_on_the_one_for_everything_else() -> None:
    """HQ-09: what the line was called is in its description then."""
    w = World()
    w.right.add(Product(sku="A-1", name="Hours"))
    w.run()
    (known,) = w.left.all(Kind.PRODUCT)
    unknown = w.left.add(Product(sku="Z-9", name="Travel"))
    lines = (
        line(product=known, name="Hours", description=None),
        line(product=unknown, name="Travel", description="To Lyon"),
        line(name="Lunch", description="Lunch"),
    )
    _, id = outbound(*lines, world=w)

    first, second, third = w.twin("invoices", id).lines
    assert [w.right.noun(Kind.PRODUCT, one.product).name for one in (first, second, third)] == [
        "Hours",
        "Custom Line Item",
        "Custom Line Item",
    ]
    assert [one.description for one in (first, second, third)] == [None, "Travel - To Lyon", "Lunch"]
    assert w.run() == 0


def test_a_line_of_the_books_without_a_synced_product_keeps_its_name() -> None:
    """HQ-03: items without a SKU are no products over there, and no reason to keep the invoice back."""
    w = World()
    item = w.right.add(Product(name="Gardening"))
    _, id = inbound(line(product=item, name="Gardening", description=None), world=w)
    (one,) = w.twin("invoices", id).lines
    assert (one.product, one.name) == (None, "Gardening")
    assert w.run() == 0


def test_an_invoice_of_a_product_that_several_could_be_waits() -> None:
    """HQ-09, C-07: which item is meant is never guessed; one item with the SKU cures it."""
    w = World()
    one, two = (w.right.add(Product(sku="A-1", name=name)) for name in ("Grey", "Red"))
    product = w.left.add(Product(sku="A-1", name="Paver"))
    _, id = outbound(line(product=product), world=w)
    assert refused(w, id)[0] == "product_ambiguous"

    w.right.edit(Kind.PRODUCT, two, active=False)
    w.run()
    assert w.twin("invoices", id).lines[0].product == one


@pytest.mark.parametrize("seen", [LEFT, RIGHT])
def test_an_invoice_that_is_there_already_is_joined_and_not_made_again(seen: Any) -> None:
    """C-07: number, customer and total; it was born on the left whichever half was seen first."""
    w = World(sync=rules(invoices={"direction": "off"}))
    one, other = w.left.add(ANN), w.right.add(ANN)
    w.run()
    made = {LEFT: (w.left, invoice(one, number="1")), RIGHT: (w.right, invoice(other, number="1"))}
    for side in (seen, seen.other):
        made[side][0].add(made[side][1])
        w.run()
    w.sync = rules()

    assert w.run() == 0
    (record,) = (r for r in w.records.values() if r.flow == "invoices")
    assert (record.left, record.right, record.origin) == ("l2", "r2", LEFT)


def test_another_total_or_customer_is_another_invoice() -> None:
    """C-07: the number alone says nothing in the books."""
    w = World()
    w.right.add(invoice(w.right.add(Party(email="bo@example.com")), number="1"))
    w.run()
    id = w.right.add(invoice(w.right.add(ANN), line("5.00"), number="1"))
    w.run()
    assert len(w.left.all(Kind.INVOICE)) == 2
    assert w.twin("invoices", id).total == Decimal(5)


def test_two_invoices_that_could_both_be_it_are_not_guessed() -> None:
    """C-07: the same number, customer and total twice."""
    w = World(sync=rules(invoices={"direction": "left-to-right"}))
    other = w.right.add(ANN)
    for _ in range(2):
        w.right.add(invoice(other, number="INV-1"))
    w.run()
    id = w.left.add(invoice(w.left.all(Kind.PARTY).popitem()[0], number="INV-1"))
    w.run()
    assert w.standing("invoices", id) == ("failed", "duplicate_document_number")
