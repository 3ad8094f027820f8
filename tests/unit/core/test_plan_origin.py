"""Who may edit what of an invoice, what goes over as a void, and what is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from syncd.model.nouns import Adjustment, AdjustmentKind, Invoice, InvoiceStatus, Party
from syncd.model.references import Kind
from syncd.model.snapshot import Presence
from tests.unit.core.builders import LEFT, RIGHT, invoice, line, rules
from tests.unit.core.closed_world import ANN, World, inbound, outbound

OFF = AdjustmentKind.DISCOUNT


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


def test_a_field_of_lines_that_the_other_side_has_no_place_for_is_left_out() -> None:
    """Neither sent nor missed afterwards; changed where it can be said, nothing has to be written."""
    w = World()
    w.sides[LEFT] = replace(w.sides[LEFT], absent={Kind.INVOICE: frozenset({"lines.service_date"})})
    _, id = inbound(line(service_date=date(2026, 11, 2)), world=w)
    assert w.twin("invoices", id).lines[0].service_date is None
    assert w.run() == 0
    w.right.edit(Kind.INVOICE, id, lines=(replace(w.right.noun(Kind.INVOICE, id).lines[0], service_date=None),))
    assert w.run() == 0
    assert w.standing("invoices", id) == ("synced", "")


def test_an_invoice_given_to_a_job_of_its_customer_stays_with_the_contact() -> None:
    """HQ-08: nothing changes over there, so nothing is written, and it is agreed on."""
    w, id = inbound()
    job = w.right.add(Party(name="Job", parent=w.right.noun(Kind.INVOICE, id).customer))
    w.right.edit(Kind.INVOICE, id, customer=job)
    assert w.run() == 0
    record = w.record("invoices", id)
    assert record.right_base is not None
    assert (record.code, record.right_base.fields["customer"]) == ("", job)


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


@pytest.mark.parametrize("side", [LEFT, RIGHT])
def test_shared_fields_may_be_edited_on_both_sides(side: Any) -> None:
    """HQ-05: due date, PO number and custom fields of either origin; different ones are merged."""
    mappings = [{"left": "custom.track", "right": "custom.Tracking"}]
    w = World(sync=rules(invoices={"mappings": mappings}))
    w.left.customs, w.right.customs = {Kind.INVOICE: ("track",)}, {Kind.INVOICE: ("Tracking",)}
    w, id = outbound(world=w)
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
