"""Invoices: what goes over and what does not, to the cent; origin, voids, shared fields, mirrors."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from syncd.model.nouns import Adjustment, AdjustmentKind, Invoice, InvoiceStatus, Party, Product
from syncd.model.references import Kind
from syncd.model.snapshot import Presence
from tests.unit.core.builders import LEFT, RIGHT, START, World, invoice, line, rules

ANN = Party(email="ann@example.com", first_name="Ann", last_name="Lee")
OFF = AdjustmentKind.DISCOUNT


def outbound(*lines: Any, world: World | None = None, **more: Any) -> tuple[World, str]:
    """A world with one invoice born on the left, after everything went over."""
    w = world or World()
    id = w.left.add(invoice(w.left.add(ANN), *lines, **{"number": "INV-1"} | more))
    w.run()
    return w, id


def inbound(*lines: Any, world: World | None = None, **more: Any) -> tuple[World, str]:
    """A world with one invoice born on the right, after everything came over."""
    w = world or World()
    id = w.right.add(invoice(w.right.add(ANN), *lines, **{"number": "1001"} | more))
    w.run()
    return w, id


def refused(w: World, id: str) -> tuple[str, str]:
    """Code and words of a record that failed, and nothing of it stands on the other side."""
    assert not w.right.all(Kind.INVOICE)
    record = w.record("invoices", id)
    assert record.status.value == "failed"
    return record.code, record.words


# -- going over


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


# -- amounts


def test_one_discount_on_the_whole_is_the_invoices_discount() -> None:
    """HQ-10: one order-level discount; removed again it is taken off over there."""
    w, id = outbound(line("100.00"), adjustments=[Adjustment(kind=OFF, amount=Decimal("10.00"))])
    assert (w.twin("invoices", id).total, w.twin("invoices", id).adjustments[0].amount) == (Decimal(90), Decimal(10))

    w.left.edit(Kind.INVOICE, id, adjustments=())
    assert w.run() == 1
    assert (w.twin("invoices", id).total, w.twin("invoices", id).adjustments) == (Decimal(100), ())
    assert w.run() == 0


@pytest.mark.parametrize(
    "adjustments",
    [
        [Adjustment(kind=AdjustmentKind.FEE, amount=Decimal(5), label="Fee")],
        [Adjustment(kind=AdjustmentKind.TAX, amount=Decimal(5), label="VAT")],
        [Adjustment(kind=OFF, amount=Decimal(5)), Adjustment(kind=OFF, amount=Decimal(1))],
    ],
)
def test_other_amounts_of_the_whole_invoice_are_refused(adjustments: list[Adjustment]) -> None:
    """HQ-10: taxes, fees or a second discount fail `order_level_amount`, from the start and when added later."""
    w, id = outbound(adjustments=adjustments)
    assert refused(w, id)[0] == "order_level_amount"

    w, id = outbound()
    w.left.edit(Kind.INVOICE, id, adjustments=tuple(adjustments))
    assert w.run() == 0 or w.standing("invoices", id)[1] == "order_level_amount"
    assert w.standing("invoices", id) == ("failed", "order_level_amount")
    w.left.edit(Kind.INVOICE, id, adjustments=())
    w.run()
    assert w.standing("invoices", id) == ("synced", "")


def test_a_line_with_tax_needs_a_tax_code() -> None:
    """HQ-10: taxes of the sales side are not silently lost."""
    w, id = outbound(total=Decimal("108.00"), tax_total=Decimal("8.00"))
    assert refused(w, id)[0] == "tax_code_required"


@pytest.mark.parametrize("total", ["99.99", "100.01"])
def test_a_total_off_by_a_cent_is_never_posted(total: str) -> None:
    """C-15: refused, in words."""
    w, id = outbound(line("100.00"), total=Decimal(total))
    assert refused(w, id) == ("amount_mismatch", "The lines do not add up to the total.")


def test_lines_with_parts_of_a_cent_count_as_they_will_be_rounded() -> None:
    """C-15: three lines of a third are a cent short of the total once each line is rounded."""
    third = line("33.333333")
    w, id = outbound(third, third, third, total=Decimal("100.00"))
    assert refused(w, id)[0] == "amount_mismatch"

    w, id = outbound(line("33.333333"), line("66.67"), total=Decimal("100.00"))
    assert w.twin("invoices", id).total == Decimal("100.00")
    assert w.run() == 0


def test_quantity_and_price_go_only_where_they_make_the_amount() -> None:
    """C-15: else the amount alone, and the description says the rest."""
    whole = line("30.00", quantity=Decimal(3), unit_price=Decimal(10))
    odd = line("10.00", quantity=Decimal(3), unit_price=Decimal("3.30"), description="Odd")
    off = line("15.00", quantity=Decimal(2), unit_price=Decimal(10), discount=Decimal(5), description="Off")
    w, id = outbound(whole, odd, off)
    first, second, third = w.twin("invoices", id).lines

    assert (first.quantity, first.unit_price, first.amount) == (3, 10, 30)
    assert (second.quantity, second.amount, second.description) == (None, Decimal(10), "3 × 3.30 Odd")
    assert (third.discount, third.amount, third.description) == (None, Decimal(15), "2 × 10.00 − 5.00 Off")
    assert w.run() == 0


def test_currencies_must_be_kept_over_there() -> None:
    """C-15: another currency needs a multi-currency account."""
    w, id = outbound(currency="EUR")
    assert refused(w, id)[0] == "currency_mismatch"

    w = World()
    w.sides[RIGHT] = replace(w.sides[RIGHT], multi_currency=True)
    _, id = outbound(currency="EUR", world=w)
    assert w.twin("invoices", id).currency == "EUR"


def test_revenue_recognition_wants_a_date_on_every_line() -> None:
    """HQ-12."""
    w = World()
    w.sides[RIGHT] = replace(w.sides[RIGHT], service_date_required=True)
    _, id = outbound(world=w)
    assert refused(w, id)[0] == "service_date_required"
    w.left.edit(Kind.INVOICE, id, lines=(line(service_date=date(2026, 11, 2)),))
    w.run()
    assert w.standing("invoices", id) == ("synced", "")


def test_closed_books_are_not_written_into() -> None:
    """HQ-13: never forced; the other direction is free."""
    w = World()
    w.sides[RIGHT] = replace(w.sides[RIGHT], books_closed_until=date(2026, 11, 2))
    _, id = outbound(world=w)
    _, other = inbound(world=w)
    assert w.standing("invoices", id) == ("failed", "accounting_period_closed")
    assert w.standing("invoices", other) == ("synced", "")


def test_books_that_number_by_themselves_are_given_no_number() -> None:
    """HQ-11: number is an equal field only where we own it."""
    w = World()
    w.sides[RIGHT] = replace(w.sides[RIGHT], owns_numbers=False)
    w.right.defaults = {Kind.INVOICE: {"number": "1038"}}
    _, id = outbound(world=w)
    assert w.twin("invoices", id).number == "1038"
    w.left.edit(Kind.INVOICE, id, number="INV-2")
    assert w.run() == 0
    assert w.standing("invoices", id) == ("synced", "")


def test_what_does_not_add_up_in_itself_is_not_planned_on() -> None:
    """A torn composite: it stays as it was until it is read whole."""
    w, id = outbound()
    found = w.left.entities[Kind.INVOICE, id]
    w.left.entities[Kind.INVOICE, id] = replace(found, torn=True, noun=replace(found.noun, lines=()))
    assert w.run() == 0
    assert w.standing("invoices", id) == ("failed", "amount_mismatch")
    w.left.entities[Kind.INVOICE, id] = found
    assert w.run() == 0
    assert w.standing("invoices", id) == ("synced", "")


# -- customers and products


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


# -- matching


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


# -- origin


@pytest.mark.parametrize(
    "edit",
    [
        {"number": "X"},
        {"comment": "mine"},
        {"issue_date": date(2026, 11, 9)},
        {"lines": (line("90.00"),)},
        {"lines": (line("100.00"), line("1.00"))},
        {"lines": ()},
        {"adjustments": (Adjustment(kind=OFF, amount=Decimal(1)),)},
        {"customer": "r99"},
    ],
)
def test_money_is_edited_where_it_was_born_or_the_record_waits_for_the_undo(edit: dict[str, Any]) -> None:
    """HQ-05: the whole record waits, also what may flow; once the undo is seen everything resumes by itself."""
    w, id = outbound()
    mirror = w.record("invoices", id).right
    assert mirror is not None
    before = w.right.noun(Kind.INVOICE, mirror)
    bases = w.record("invoices", id).left_base, w.record("invoices", id).right_base
    w.right.edit(Kind.INVOICE, mirror, **edit)
    w.left.edit(Kind.INVOICE, id, due_date=date(2026, 12, 24))
    assert w.run() == 0
    record = w.record("invoices", id)
    assert (record.status.value, record.code) == ("failed", "edited_outside_origin")
    assert (record.left_base, record.right_base) == bases

    undo = {name: getattr(before, name) for name in edit}
    w.right.edit(Kind.INVOICE, mirror, **undo)
    assert w.run() == 1
    assert w.twin("invoices", id).due_date == date(2026, 12, 24)
    assert w.standing("invoices", id) == ("synced", "")


def test_the_amounts_of_a_mirror_are_not_to_be_edited() -> None:
    """HQ-05: neither are they in HubSpot, for what was born in the books."""
    w, id = inbound()
    mirror = w.record("invoices", id).left
    assert mirror is not None
    w.left.edit(Kind.INVOICE, mirror, lines=(line("1.00"),))
    assert w.run() == 0
    assert w.record("invoices", id).words == "lines"


def test_the_books_edit_their_own_invoices_freely() -> None:
    """HQ-05: lines added, changed, removed and moved arrive on the mirror in one write."""
    w, id = inbound(line("10.00", description="A"), line("20.00", description="B"), line("30.00", description="C"))
    a, b, c = w.right.noun(Kind.INVOICE, id).lines
    w.right.edit(Kind.INVOICE, id, lines=(c, replace(a, description="A+"), line("5.00", description="D")), number="9")
    assert w.run() == 1
    mirror = w.twin("invoices", id)
    assert [one.description for one in mirror.lines] == ["C", "A+", "D"]
    assert (mirror.total, mirror.number) == (Decimal(45), "9")
    assert w.run() == 0
    assert b.description == "B"


def test_lines_that_are_only_shown_in_another_order_did_not_change() -> None:
    """C-13: a vendor that re-orders is silent."""
    w, id = outbound(line("10.00", description="A"), line("20.00", description="B"))
    mirror = w.record("invoices", id).right
    assert mirror is not None
    w.right.edit(Kind.INVOICE, mirror, lines=w.right.noun(Kind.INVOICE, mirror).lines[::-1])
    assert w.run() == 0
    assert w.standing("invoices", id) == ("synced", "")

    first, second = w.left.noun(Kind.INVOICE, id).lines
    w.left.edit(Kind.INVOICE, id, lines=(first, replace(second, description="B+")))
    assert w.run() == 1
    assert [one.description for one in w.twin("invoices", id).lines] == ["A", "B+"]
    assert w.run() == 0


def test_a_date_of_service_given_by_the_books_survives_a_change_of_the_lines() -> None:
    """What the source does not say is not ours to clear, and no edit afterwards."""
    w, id = outbound()
    mirror = w.record("invoices", id).right
    assert mirror is not None
    served = replace(w.right.noun(Kind.INVOICE, mirror).lines[0], service_date=date(2026, 11, 3))
    w.right.edit(Kind.INVOICE, mirror, lines=(served,))
    record = w.record("invoices", id)
    base = record.right_base
    assert base is not None
    assert base.lines is not None
    agreed = replace(base, lines=(replace(base.lines[0], service_date=date(2026, 11, 3)),))
    w.records[record.id] = replace(record, right_base=agreed)
    assert w.run() == 0

    w.left.edit(Kind.INVOICE, id, lines=(replace(w.left.noun(Kind.INVOICE, id).lines[0], description="More"),))
    assert w.run() == 1
    assert w.twin("invoices", id).lines[0].service_date == date(2026, 11, 3)
    assert w.run() == 0
    assert w.standing("invoices", id) == ("synced", "")


def test_a_total_that_moved_by_something_else_is_said() -> None:
    """C-15: taxes that the books added by themselves make another total, without any line having moved."""
    w, id = outbound()
    mirror = w.record("invoices", id).right
    assert mirror is not None
    w.right.edit(Kind.INVOICE, mirror, total=Decimal("108.00"), tax_total=Decimal("8.00"))
    assert w.run() == 0
    assert w.standing("invoices", id) == ("failed", "amount_mismatch")


def test_what_the_vendor_fills_in_by_itself_is_nobodys_edit() -> None:
    """A due date from the customer's terms, a comment from the company's settings: at creation they are agreed on."""
    w = World()
    w.right.defaults = {Kind.INVOICE: {"due_date": date(2026, 12, 2), "comment": "Thank you!"}}
    _, id = outbound(world=w)
    assert w.run() == 0
    assert w.standing("invoices", id) == ("synced", "")
    assert w.left.noun(Kind.INVOICE, id).comment is None


# -- shared fields, voids, what is gone


@pytest.mark.parametrize("side", [LEFT, RIGHT])
def test_shared_fields_may_be_edited_on_both_sides(side: Any) -> None:
    """HQ-05: due date, PO number and custom fields of either origin; different ones are merged."""
    mappings = [{"left": "custom.track", "right": "custom.Tracking"}]
    w, id = outbound(world=World(sync=rules(invoices={"mappings": mappings})))
    mirror = w.record("invoices", id).right
    assert mirror is not None
    ids, names = {LEFT: id, RIGHT: mirror}, {LEFT: "track", RIGHT: "Tracking"}
    w.vendor(side).edit(Kind.INVOICE, ids[side], due_date=date(2027, 1, 1), custom={names[side]: "1Z"})
    w.vendor(side.other).edit(Kind.INVOICE, ids[side.other], po_number="PO 9")
    assert w.run() == 2
    for where in (LEFT, RIGHT):
        noun = w.vendor(where).noun(Kind.INVOICE, ids[where])
        assert (noun.due_date, noun.po_number, noun.custom[names[where]]) == (date(2027, 1, 1), "PO 9", "1Z")
    assert w.run() == 0


@pytest.mark.parametrize("side", [LEFT, RIGHT])
@pytest.mark.parametrize("origin", [LEFT, RIGHT])
def test_a_void_goes_over_as_a_void_from_either_side(side: Any, origin: Any) -> None:
    """HQ-06, and before any other question: a void zeroes amounts, which is no edit."""
    w, id = outbound() if origin is LEFT else inbound()
    record = w.record("invoices", id)
    ids = {LEFT: record.left or "", RIGHT: record.right or ""}
    w.vendor(side).void(ids[side])
    assert w.run() == 1
    assert all(w.vendor(s).noun(Kind.INVOICE, ids[s]).status is InvoiceStatus.VOIDED for s in (LEFT, RIGHT))
    assert w.standing("invoices", id) == ("synced", "")
    assert w.run() == 0


def test_a_void_against_the_direction_is_said() -> None:
    """C-03: a one-way flow carries no void back."""
    w, id = outbound(world=World(sync=rules(invoices={"direction": "left-to-right"})))
    w.right.void(w.record("invoices", id).right or "")
    assert w.run() == 0
    assert w.standing("invoices", id) == ("failed", "invoice_voided")


@pytest.mark.parametrize(
    ("origin", "gone", "standing", "notes"),
    [
        (LEFT, LEFT, ("excluded", "deleted_at_source"), ()),
        (LEFT, RIGHT, ("failed", "record_gone"), ()),
        (RIGHT, RIGHT, ("excluded", "deleted_at_source"), ()),
        (RIGHT, LEFT, ("synced", ""), ("counterpart_gone",)),
    ],
)
def test_a_deleted_invoice_deletes_nothing(origin: Any, gone: Any, standing: Any, notes: Any) -> None:
    """C-14: kind x side x origin; restored, everything goes on."""
    w, id = outbound() if origin is LEFT else inbound()
    record = w.record("invoices", id)
    lost = record.entity(gone) or ""
    w.vendor(gone).mark(Kind.INVOICE, lost, Presence.ARCHIVED)
    assert w.run() == 0
    assert (w.standing("invoices", id), w.record("invoices", id).notes) == (standing, notes)
    w.vendor(gone).mark(Kind.INVOICE, lost, Presence.PRESENT)
    assert w.run() == 0
    assert (w.standing("invoices", id), w.record("invoices", id).notes) == (("synced", ""), ())


def test_the_command_says_what_it_saw() -> None:
    """The look right before a write compares with the digest the decision saw, in the target's own terms."""
    w, id = outbound()
    w.left.edit(Kind.INVOICE, id, po_number="PO 1")
    record = w.record("invoices", id)
    (command,) = w.planned(w.sync.flow("invoices"), record).commands
    shown = w.right.entities[Kind.INVOICE, record.right or ""]
    assert (command.entity, command.if_version) == (record.right, shown.version)
    assert record.right_base is not None
    assert command.expected == record.right_base.digest()


def test_an_unsent_command_is_planned_again_as_it_was() -> None:
    """An intent that never left is dropped and planned anew; nothing may be taken for agreed meanwhile."""
    w = World()
    left, right = w.left.add(replace(ANN, phone="1")), w.right.add(replace(ANN, city="Paris"))
    w.decide_all()
    dropped = {(i.side, tuple(i.values.items())) for i in w.intents.values()}
    w.intents.clear()
    w.decide_all()
    assert {(i.side, tuple(i.values.items())) for i in w.intents.values()} == dropped
    w.carry_out()
    w.run()
    assert (w.left.noun(Kind.PARTY, left).city, w.right.noun(Kind.PARTY, right).phone) == ("Paris", "1")


def test_a_refused_write_leaves_the_bases_alone() -> None:
    """C-13: what was not written is not agreed, and is planned again."""
    w, id = outbound()
    w.left.edit(Kind.INVOICE, id, po_number="PO 1")
    before = w.record("invoices", id)
    w.right.denies = "record_locked"
    w.decide_all()
    w.carry_out()
    after = w.record("invoices", id)
    assert (after.code, after.left_base, after.right_base) == ("record_locked", before.left_base, before.right_base)
    w.right.denies = None
    assert w.run() == 1
    assert w.twin("invoices", id).po_number == "PO 1"


def test_the_natural_key_lets_one_number_be_made_once() -> None:
    """C-07: two open creates never share it."""
    w, _ = outbound()
    customer = w.left.add(Party(email="bo@example.com"))
    w.left.add(invoice(customer, number="INV-2"))
    w.run()
    one = w.right.all(Kind.INVOICE)
    assert sorted(made.number for made in one.values()) == ["INV-1", "INV-2"]


def test_invoice_is_what_the_builders_say() -> None:
    """The builders' own arithmetic."""
    made = invoice("c", line("10"), adjustments=[Adjustment(kind=OFF, amount=Decimal(1))])
    assert isinstance(made, Invoice)
    assert made.total == made.balance == Decimal(9)
