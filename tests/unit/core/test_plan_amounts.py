"""Amounts of invoices: to the cent, or refused in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from syncd.model.nouns import Adjustment, AdjustmentKind, Party
from syncd.model.references import Kind
from tests.unit.core.builders import RIGHT, invoice, line
from tests.unit.core.closed_world import World, inbound, outbound, refused

OFF = AdjustmentKind.DISCOUNT


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


def test_what_does_not_fit_is_refused_and_never_cut() -> None:
    """HQ-11 and limits: the length, and the limit, are said."""
    w = World()
    w.sides[RIGHT] = replace(w.sides[RIGHT], most={Kind.INVOICE: {"number": 21, "lines": 2}})
    _, id = outbound(world=w, number="N" * 22)
    assert refused(w, id) == ("field_value_invalid", "number has 22 characters, at most 21 fit there.")
    w.left.edit(Kind.INVOICE, id, number="N" * 21, lines=(line("1"), line("2"), line("3")))
    w.run()
    assert refused(w, id) == ("field_value_invalid", "It has 3 lines, at most 2 fit there.")


def test_a_number_that_is_taken_is_refused_before_it_is_sent() -> None:
    """HQ-11: also where the vendor would let the second one through; another vendor may have as many as it likes."""
    w = World()
    w.sides[RIGHT] = replace(w.sides[RIGHT], unique_numbers=True)
    w.right.add(invoice(w.right.add(Party(email="bob@example.com", name="Bob")), line("7"), number="INV-1"))
    _, id = outbound(world=w, number="INV-1")
    assert w.standing("invoices", id) == ("failed", "duplicate_document_number")
    assert len(w.right.all(Kind.INVOICE)) == 1


@pytest.mark.parametrize("own", [True, False])
def test_a_number_is_equal_on_both_sides_only_where_it_is_ours_to_choose(own: bool) -> None:
    """HQ-11: where the other side numbers, a number it changes is no edit."""
    w = World()
    w.sides[RIGHT] = replace(w.sides[RIGHT], owns_numbers=own)
    _, id = outbound(world=w)
    w.right.edit(Kind.INVOICE, w.record("invoices", id).right or "", number="1038")
    assert w.run() == 0
    assert w.standing("invoices", id) == (("failed", "edited_outside_origin") if own else ("synced", ""))


def test_discounts_that_are_switched_off_over_there() -> None:
    """HQ-10: said as the amount on the whole that it is."""
    w = World()
    w.sides[RIGHT] = replace(w.sides[RIGHT], allows_discount=False)
    _, id = outbound(line(), world=w, adjustments=[Adjustment(kind=OFF, amount=Decimal(1))])
    assert refused(w, id)[0] == "order_level_amount"
