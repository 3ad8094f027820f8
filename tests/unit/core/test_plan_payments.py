"""Payments: both ways, mirrored where they cannot be recorded, and what their invoice does to them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from syncd.model.nouns import Allocation, InvoiceStatus, PaymentStatus
from syncd.model.references import Kind
from syncd.model.snapshot import Presence
from tests.unit.core.builders import LEFT, RIGHT, invoice, line, payment, rules
from tests.unit.core.closed_world import ANN, World


def booked(world: World | None = None) -> tuple[World, str, str]:
    """An invoice of 100.00 born on the left, with its booked counterpart."""
    w = world or World()
    id = w.left.add(invoice(w.left.add(ANN), number="INV-1"))
    w.run()
    return w, id, w.record("invoices", id).right or ""


def unrecordable() -> World:
    """A world whose left side has no way to record payments."""
    w = World()
    w.sides[LEFT] = replace(w.sides[LEFT], writable=frozenset(Kind) - {Kind.PAYMENT})
    return w


def test_a_payment_goes_over_and_both_balances_agree() -> None:
    """HQ-07: partial ones included, from either side, once."""
    w, left, right = booked()
    one = w.left.add(payment(left, "40.00", reference="A"))
    two = w.right.add(payment(right, "25.00", reference="B"))
    assert w.run() == 2

    assert w.standing("payments", one) == w.standing("payments", two) == ("synced", "")
    for side, id in ((w.left, left), (w.right, right)):
        noun = side.noun(Kind.INVOICE, id)
        assert (noun.amount_paid, noun.balance, noun.status) == (Decimal(65), Decimal(35), "partially_paid")
    assert w.twin("payments", one).customer == w.right.noun(Kind.INVOICE, right).customer
    assert w.run() == 0


def test_a_payment_that_is_there_already_is_joined() -> None:
    """C-07: the same amount, day and invoice; equal ones are interchangeable, and each is taken once."""
    w, left, right = booked()
    for _ in range(2):
        w.left.add(payment(left, "10.00"))
        w.right.add(payment(right, "10.00"))
    assert w.run() == 0
    joined = [r for r in w.records.values() if r.flow == "payments"]
    assert len(joined) == 2
    assert all(r.left and r.right for r in joined)


def test_money_that_has_not_arrived_is_not_booked() -> None:
    """HQ-07: it goes over when it has."""
    w, left, _ = booked()
    id = w.left.add(payment(left, status=PaymentStatus.PENDING))
    assert w.run() == 0
    assert w.standing("payments", id) == ("excluded", "filtered")
    w.left.edit(Kind.PAYMENT, id, status=PaymentStatus.SUCCEEDED)
    assert w.run() == 1


def test_a_payment_waits_for_its_invoice() -> None:
    """C-13: children after parents, in the pass in which the invoice arrives."""
    w = World()
    left = w.left.add(invoice(w.left.add(ANN), number="INV-1"))
    id = w.left.add(payment(left))
    w.decide_all()
    record = w.record("payments", id)
    assert (record.code, record.waits_for) == ("waits_parent", f"record:{w.record('invoices', left).id}")
    w.run()
    assert w.standing("payments", id) == ("synced", "")


def test_a_payment_of_an_excluded_invoice_is_excluded_and_woken_with_it() -> None:
    """C-08: the reason names the invoice; when the invoice goes over, so does the payment."""
    w = World()
    left = w.left.add(invoice(w.left.add(ANN), number="INV-1", status=InvoiceStatus.DRAFT))
    id = w.left.add(payment(left))
    w.run()
    record = w.record("payments", id)
    assert (record.status.value, record.code) == ("excluded", "filtered")
    assert record.waits_for == f"record:{w.record('invoices', left).id}"
    assert "INV-1" in record.words

    w.left.edit(Kind.INVOICE, left, status=InvoiceStatus.OPEN)
    w.run()
    assert w.standing("payments", id) == ("synced", "")


def test_a_payment_of_a_failed_invoice_says_so() -> None:
    """C-13: `parent_failed`, naming the cause, and by itself once the invoice is right."""
    w = World()
    left = w.left.add(invoice(w.left.add(ANN), number="INV-1", total=Decimal("99.99")))
    id = w.left.add(payment(left))
    w.run()
    record = w.record("payments", id)
    assert (record.code, record.words) == ("parent_failed", "INV-1: totals would differ")
    assert record.waits_for == f"record:{w.record('invoices', left).id}"
    w.left.edit(Kind.INVOICE, left, total=Decimal("100.00"))
    w.run()
    assert w.standing("payments", id) == ("synced", "")


def test_inbound_only_invoices_make_no_payments_but_their_mirrors_follow() -> None:
    """HQ-07: paid amount and balance still follow."""
    w = World(sync=rules(invoices={"direction": "right-to-left"}))
    right = w.right.add(invoice(w.right.add(ANN), number="7"))
    w.run()
    id = w.right.add(payment(right, "30.00"))
    w.run()
    assert w.standing("payments", id) == ("excluded", "direction_off")
    assert not w.left.all(Kind.PAYMENT)
    mirror = w.twin("invoices", right)
    assert (mirror.amount_paid, mirror.balance, mirror.status) == (Decimal(30), Decimal(70), "partially_paid")
    w.right.mark(Kind.PAYMENT, id, Presence.DELETED)
    w.run()
    assert (w.twin("invoices", right).balance, w.twin("invoices", right).status) == (Decimal(100), "open")


def test_a_payment_changed_where_it_was_made_changes_over_there() -> None:
    """HQ-05: the amount and what it is for change together."""
    w, left, right = booked()
    id = w.left.add(payment(left, "40.00"))
    w.run()
    fifty = Decimal("50.00")
    w.left.edit(Kind.PAYMENT, id, amount=fifty, allocations=(Allocation(invoice=left, amount=fifty),))
    assert w.run() == 1
    made = w.twin("payments", id)
    assert (made.amount, made.allocations) == (fifty, (Allocation(invoice=right, amount=fifty),))
    assert w.run() == 0
    assert w.right.noun(Kind.INVOICE, right).balance == Decimal(50)


def test_a_payment_moved_to_another_invoice_moves_over_there() -> None:
    """What a payment is for is said in each side's own ids, and comes back as no edit."""
    w, left, _ = booked()
    other = w.left.add(invoice(w.left.noun(Kind.INVOICE, left).customer, line("60.00"), number="INV-2"))
    id = w.left.add(payment(left, "40.00"))
    w.run()
    w.left.edit(Kind.PAYMENT, id, allocations=(Allocation(invoice=other, amount=Decimal("40.00")),))
    assert w.run() == 1
    assert w.twin("invoices", other).amount_paid == Decimal(40)
    assert w.twin("invoices", left).amount_paid == Decimal(0)
    assert w.run() == 0
    assert w.standing("payments", id) == ("synced", "")


def test_a_payment_taken_off_its_invoice_pays_nothing_over_there() -> None:
    """The books can unapply a payment without deleting it."""
    w, left, right = booked()
    id = w.right.add(payment(right, "40.00"))
    w.run()
    w.right.edit(Kind.PAYMENT, id, allocations=())
    assert w.run() == 1
    assert w.twin("payments", id).allocations == ()
    assert w.left.noun(Kind.INVOICE, left).amount_paid == Decimal(0)
    assert w.run() == 0


def test_a_payment_edited_outside_its_origin_waits_for_the_undo() -> None:
    """HQ-05: like every money field."""
    w, left, _ = booked()
    id = w.left.add(payment(left, "40.00"))
    w.run()
    made = w.record("payments", id).right or ""
    w.right.edit(Kind.PAYMENT, made, reference="mine")
    assert w.run() == 0
    assert w.standing("payments", id) == ("failed", "edited_outside_origin")
    w.right.edit(Kind.PAYMENT, made, reference=None)
    assert w.run() == 0
    assert w.standing("payments", id) == ("synced", "")


@pytest.mark.parametrize("how", ["deleted", "voided"])
def test_a_payment_removed_where_it_was_made_is_removed_over_there(how: str) -> None:
    """The balance over there would lie otherwise; the removal on both sides is the end."""
    w, left, right = booked()
    id = w.right.add(payment(right))
    w.run()
    if how == "deleted":
        w.right.mark(Kind.PAYMENT, id, Presence.DELETED)
    else:
        w.right.edit(Kind.PAYMENT, id, status=PaymentStatus.VOIDED, amount=Decimal(0), allocations=())
    assert w.run() == 1
    assert w.left.noun(Kind.INVOICE, left).balance == Decimal(100)
    assert w.standing("payments", id) == ("excluded", "deleted_at_source")
    assert w.run() == 0


def test_a_payment_removed_outside_its_origin_fails() -> None:
    """HQ-05: a payment of the sales side removed in the books; restored, it is well again."""
    w, left, _ = booked()
    id = w.left.add(payment(left))
    w.run()
    made = w.record("payments", id).right or ""
    w.right.mark(Kind.PAYMENT, made, Presence.DELETED)
    assert w.run() == 0
    assert w.standing("payments", id) == ("failed", "edited_outside_origin")
    assert w.left.all(Kind.PAYMENT)
    w.right.mark(Kind.PAYMENT, made, Presence.PRESENT)
    assert w.run() == 0
    assert w.standing("payments", id) == ("synced", "")


def test_a_removal_against_the_direction_removes_nothing() -> None:
    """C-03: a flow that is off sends nothing, no removal either."""
    w, _, right = booked()
    id = w.right.add(payment(right))
    w.run()
    w.sync = rules(payments={"direction": "off"})
    w.right.mark(Kind.PAYMENT, id, Presence.DELETED)
    assert w.run() == 0
    assert w.standing("payments", id) == ("excluded", "deleted_at_source")
    assert w.left.all(Kind.PAYMENT)


def test_a_payment_that_cannot_be_recorded_is_shown_on_the_invoice() -> None:
    """HQ-07: synced with the note, paid amount and balance on the invoice; the note stays as long as it is true."""
    w, left, right = booked(unrecordable())
    id = w.right.add(payment(right, "30.00"))
    assert w.run() == 1

    record = w.record("payments", id)
    assert (record.status.value, record.notes) == ("synced", ("payment_mirrored",))
    shown = w.left.noun(Kind.INVOICE, left)
    assert (shown.amount_paid, shown.balance) == (Decimal(30), Decimal(70))
    assert w.run() == 0
    assert w.record("payments", id).notes == ("payment_mirrored",)


def test_what_is_shown_of_payments_follows_them_back() -> None:
    """HQ-06, HQ-07: changed or removed later, the invoice says so."""
    w, left, right = booked(unrecordable())
    id = w.right.add(payment(right, "30.00"))
    w.run()
    forty = Decimal("40.00")
    w.right.edit(Kind.PAYMENT, id, amount=forty, allocations=(Allocation(invoice=right, amount=forty),))
    assert w.run() == 1
    assert w.left.noun(Kind.INVOICE, left).amount_paid == forty

    w.right.mark(Kind.PAYMENT, id, Presence.DELETED)
    assert w.run() == 1
    shown = w.left.noun(Kind.INVOICE, left)
    assert (shown.amount_paid, shown.balance) == (Decimal(0), Decimal(100))
    assert w.standing("payments", id) == ("excluded", "deleted_at_source")


def test_one_payment_for_two_invoices_is_shown_on_both() -> None:
    """HQ-07: where the other side cannot say how a payment is split, both invoices show their part."""
    w, left, right = booked()
    other = w.left.add(invoice(w.left.noun(Kind.INVOICE, left).customer, line("50.00"), number="INV-2"))
    w.run()
    second = w.record("invoices", other).right or ""
    split = (Allocation(invoice=right, amount=Decimal(60)), Allocation(invoice=second, amount=Decimal(50)))
    id = w.right.add(payment(right, "110.00", allocations=split))
    w.run()

    assert w.record("payments", id).notes == ("payment_mirrored",)
    assert w.left.noun(Kind.INVOICE, left).balance == Decimal(40)
    assert w.left.noun(Kind.INVOICE, other).balance == Decimal(0)
    assert not w.left.all(Kind.PAYMENT)
    assert w.run() == 0


def test_recordable_payments_are_not_shown_twice() -> None:
    """An invoice whose payments are all recorded over there computes its own balance."""
    w, left, right = booked()
    w.right.add(payment(right, "30.00"))
    assert w.run() == 1  # the payment itself, and nothing on the invoice
    assert not w.left.told
    assert w.left.noun(Kind.INVOICE, left).balance == Decimal(70)


def test_a_payment_in_another_currency_is_refused() -> None:
    """C-15."""
    w, left, _ = booked()
    id = w.left.add(payment(left, currency="EUR"))
    w.run()
    assert w.standing("payments", id) == ("failed", "currency_mismatch")


def test_a_payment_of_many_invoices_asks_for_all_of_them_at_once() -> None:
    """The rounds of questions do not grow with the number of invoices."""
    w = World()
    customer = w.left.add(ANN)
    ids = [w.left.add(invoice(customer, line("10.00"), number=f"INV-{n}")) for n in range(12)]
    w.run()
    paid = tuple(Allocation(invoice=w.record("invoices", id).right or "", amount=Decimal(10)) for id in ids)
    w.right.add(payment(paid[0].invoice, "120.00", allocations=paid))
    w.run()
    assert all(w.left.noun(Kind.INVOICE, id).balance == 0 for id in ids)
    assert w.most_rounds <= 8


def test_sides_can_say_what_they_cannot_hold() -> None:
    """The world's own settings, so that the tests above mean what they say."""
    assert not World().sides[LEFT].splits_payments
    assert World().sides[RIGHT].splits_payments
