"""People who are deleted, merged, restored or cannot be read."""

from __future__ import annotations

from dataclasses import replace

from syncd.model.nouns import Party
from syncd.model.references import Kind
from syncd.model.snapshot import Presence
from tests.unit.core.builders import invoice
from tests.unit.core.closed_world import ANN, World


def test_a_contact_gone_on_one_side_is_marked_and_nothing_is_deleted() -> None:
    """C-14: the record is marked; the mark stays as long as it is true, and goes when the contact is restored."""
    w = World()
    left, right = w.left.add(ANN), w.right.add(ANN)
    w.run()
    w.left.mark(Kind.PARTY, left, Presence.ARCHIVED)
    assert w.run() == 0
    assert w.record("contacts", right).notes == ("counterpart_gone",)
    assert w.standing("contacts", right) == ("synced", "")
    assert len(w.words("record.gone")) == 1

    w.left.mark(Kind.PARTY, left, Presence.PRESENT)
    assert w.run() == 0
    assert w.record("contacts", right).notes == ()


def test_a_half_that_is_gone_alone_is_over() -> None:
    """C-14: deleted before it ever had a counterpart."""
    w = World()
    id = w.right.add(Party(name="No address"))
    w.run()
    w.right.mark(Kind.PARTY, id, Presence.DELETED)
    w.run()
    assert w.standing("contacts", id) == ("excluded", "deleted_at_source")


def test_a_pair_follows_a_contact_into_the_one_it_was_merged_into() -> None:
    """C-14: however many merges later; the lone record of the survivor is swallowed."""
    w = World()
    old, middle, new = w.left.add(ANN), w.left.add(Party(email="b@x.org")), w.left.add(Party(email="c@x.org"))
    right = w.right.add(ANN)
    w.run()
    w.left.mark(Kind.PARTY, middle, Presence.MERGED, merged_into=new)
    w.left.mark(Kind.PARTY, old, Presence.MERGED, merged_into=middle)
    w.run()

    assert w.record("contacts", right).left == new
    assert len([r for r in w.records.values() if new in (r.left, r.right)]) == 1


def test_a_pair_merged_into_another_pair_ends() -> None:
    """C-14: the other pair goes on; an invoice of the customer left behind follows to the contact that lives on."""
    w = World()
    one, two = w.left.add(ANN), w.left.add(Party(email="b@x.org"))
    left_behind, other = w.right.add(ANN), w.right.add(Party(email="b@x.org"))
    w.run()
    w.left.mark(Kind.PARTY, one, Presence.MERGED, merged_into=two)
    id = w.right.add(invoice(left_behind, number="7"))
    w.run()

    assert w.standing("contacts", left_behind) == ("excluded", "deleted_at_source")
    assert w.record("contacts", other).left == two
    assert w.standing("invoices", id) == ("synced", "")
    assert w.twin("invoices", id).customer == two


def test_what_cannot_be_read_is_neither_deleted_nor_made_again() -> None:
    """A counterpart that nobody can show is no reason to create a second one."""
    w = World()
    left, right = w.left.add(ANN), w.right.add(ANN)
    w.run()
    del w.right.entities[Kind.PARTY, right]
    assert w.run() == 0
    assert w.standing("contacts", left) == ("failed", "record_gone")


def test_what_cannot_be_understood_is_not_planned_on() -> None:
    """An entity with an unreadable value fails by itself, with bases as they were, and not as if it were empty."""
    w = World()
    left, right = w.left.add(ANN), w.right.add(ANN)
    w.run()
    before, shown = w.record("contacts", left), w.left.entities[Kind.PARTY, left]
    w.left.entities[Kind.PARTY, left] = replace(shown, noun=None, torn=True)
    assert w.run() == 0
    record = w.record("contacts", right)
    assert (record.code, record.left_base) == ("field_value_invalid", before.left_base)

    w.left.entities[Kind.PARTY, left] = shown
    assert w.run() == 0
    assert w.standing("contacts", left) == ("synced", "")
