"""What a backfill lets in: what is there already is linked, what is nearly there is a person's, the rest is made."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from syncd.core.rules import SyncRules
from syncd.model.references import Kind
from tests.unit.core.builders import LEFT, START, invoice, line, rules
from tests.unit.core.closed_world import ANN, World

OLD = START - timedelta(days=200)
DAY = date(2026, 4, 15)


def lifted(since: datetime | None) -> SyncRules:
    """The rules with the history of invoices let in from a moment on."""
    sync = rules()
    flows = tuple(replace(f, since=since) if f.name == "invoices" else f for f in sync.flows)
    return replace(sync, flows=flows)


def old_world(since: datetime | None = OLD) -> tuple[World, str, str]:
    """An old invoice on the left whose customer is known on both sides; the invoice's id and the customer's there."""
    w = World(sync=lifted(since))
    customer, there = w.left.add(ANN), w.right.add(ANN)
    made = OLD + timedelta(days=1)
    sold = w.left.add(invoice(customer, number="INV-1", issue_date=DAY), created=made, modified=made)
    return w, sold, there


def test_before_the_backfills_date_nothing_is_let_in() -> None:
    """The filter is lifted from the date on, and no further."""
    for since in (None, OLD + timedelta(days=2)):
        w, id, _ = old_world(since)
        w.run()
        assert w.standing("invoices", id) == ("excluded", "before_start")


def test_what_is_nowhere_is_made_once() -> None:
    """An old invoice without its like goes over as any other does."""
    w, id, _ = old_world()
    w.run()
    assert w.standing("invoices", id) == ("synced", "")
    assert len(w.right.all(Kind.INVOICE)) == 1


NEAR = {
    "the same": ({"number": "INV-1"}, ("synced", "")),
    "another number": ({"number": "77"}, ("failed", "document_ambiguous")),
    "no number": ({"number": None}, ("failed", "document_ambiguous")),
    "another date": ({"number": "INV-1", "issue_date": date(2026, 4, 16)}, ("failed", "document_ambiguous")),
    "another total": ({"number": "77", "lines": (line("99.00"),)}, ("synced", "")),
}


@pytest.mark.parametrize("case", NEAR)
def test_what_looks_like_it_on_the_other_side(case: str) -> None:
    """Linked when number, customer, total and date agree; a person's when number or date differ; else made."""
    more, expected = NEAR[case]
    w, id, there = old_world()
    made = OLD + timedelta(days=3)
    known: dict[str, Any] = {"issue_date": DAY, **more}
    lines = known.pop("lines", ())
    other = w.right.add(invoice(there, *lines, **known), created=made, modified=made)
    w.run()
    assert w.standing("invoices", id) == expected
    if expected[0] == "failed":
        assert other in w.record("invoices", id).words
        assert len(w.right.all(Kind.INVOICE)) == 1
    else:
        assert (w.record("invoices", id).right == other) is (case == "the same")


def test_a_series_of_equal_invoices_is_linked_one_by_one() -> None:
    """A rent each month, all of one amount: each finds its own number, and only the one without is made."""
    w, first, there = old_world()
    (party,) = w.left.all(Kind.PARTY)
    made = OLD + timedelta(days=4)
    for month in range(1, 5):
        number, day = f"RENT-{month}", date(2026, month, 1)
        w.left.add(invoice(party, number=number, issue_date=day), created=made, modified=made)
        if month != 2:
            w.right.add(invoice(there, number=number, issue_date=day), created=made, modified=made)
    w.run()
    states = {r.label: (r.status.value, r.code) for r in w.records.values() if r.flow == "invoices"}
    assert states == dict.fromkeys(["INV-1", *(f"RENT-{month}" for month in range(1, 5))], ("synced", ""))
    assert w.record("invoices", first).right is not None


def test_what_is_new_is_never_doubted() -> None:
    """An invoice from after the start goes over although an equal one stands there: customers buy the same twice."""
    w, _, there = old_world()
    (party,) = w.left.all(Kind.PARTY)
    w.right.add(invoice(there, number="X-1", issue_date=DAY))
    fresh = w.left.add(invoice(party, number="INV-2"))
    w.run()
    assert w.standing("invoices", fresh) == ("synced", "")
    assert w.record("invoices", fresh).origin is LEFT
    assert {n.total for n in w.right.all(Kind.INVOICE).values()} == {Decimal("100.00")}
