"""The money proof's comparison: blind to which side is which, silent on equal amounts, and never fooled by a cent."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.audit import Cause, Controls, Difference, Seen, amounts, compared
from syncd.model.money import minor_unit
from syncd.model.nouns import Allocation, Invoice, InvoiceStatus, Line, Payment, PaymentStatus
from syncd.model.record import Record, Status
from syncd.model.references import Kind, Side
from syncd.model.snapshot import Snapshot

RECORD = Record(
    id="1", sync="s", flow="invoices", left="a", right="a", status=Status.SYNCED, code="", since=datetime.now(UTC)
)
CENTS = st.decimals(min_value=0, max_value=10**9, places=2)


@st.composite
def sides(draw: st.DrawFn) -> Seen:
    """One side of a document, and the payments that pay it."""
    total, tax = draw(CENTS), draw(st.sampled_from([Decimal(0), Decimal("1.90")]))
    currency = draw(st.sampled_from(["USD", "JPY", "KWD"]))
    paid = draw(st.decimals(min_value=0, max_value=total, places=2))
    credit = draw(st.sampled_from([Decimal(0), Decimal(0), Decimal(5)]))
    lines = tuple(Line(amount=Decimal(1)) for _ in range(draw(st.integers(1, 4))))
    invoice = Invoice(
        status=InvoiceStatus.OPEN,
        currency=currency,
        total=total,
        tax_total=tax,
        balance=total - paid - credit,
        lines=lines,
        issue_date=date(2026, 11, 2),
    )
    payment = Payment(
        status=PaymentStatus.SUCCEEDED, amount=paid, currency=currency, allocations=(Allocation(invoice="a"),)
    )
    return Seen(snapshot=Snapshot(kind=Kind.INVOICE, id="a", version="1", noun=invoice), payments=(payment,))


@given(sides(), sides())
def test_the_cause_does_not_depend_on_the_side(one: Seen, other: Seen) -> None:
    """Left and right exchanged: the same cause for the same fields."""
    there, back = compared(RECORD, one, other), compared(RECORD, other, one)
    assert (there is None) == (back is None)
    if there is not None and back is not None:
        assert (there.cause, there.fields) == (back.cause, back.fields)
        assert there.digest != back.digest


@given(sides())
def test_equal_amounts_are_no_difference(one: Seen) -> None:
    """Whatever else is different about the two."""
    assert compared(RECORD, one, replace(one, payments=())) is None


@given(sides(), st.decimals(min_value=Decimal("0.001"), max_value=10**6, places=3))
def test_another_total_is_never_passed_over(one: Seen, off: Decimal) -> None:
    """Rounding explains a minor unit a line and no more."""
    assert one.snapshot is not None
    noun = one.snapshot.noun
    assert isinstance(noun, Invoice)
    other = replace(noun, total=noun.total + off, balance=noun.balance + off)
    difference = compared(RECORD, one, replace(one, snapshot=replace(one.snapshot, noun=other)))
    assert difference is not None
    small = off <= len(noun.lines) * minor_unit(noun.currency)
    assert difference.cause is (Cause.ROUNDING if small else Cause.UNEXPLAINED)


@given(st.lists(st.tuples(sides(), sides()), max_size=6))
def test_control_totals_are_explained_by_their_documents(pairs: list[tuple[Seen, Seen]]) -> None:
    """A month whose documents are all equal is equal; one that differs without a differing document is unexplained."""
    controls, found = Controls(), list[Difference]()
    for left, right in pairs:
        difference = compared(RECORD, left, right)
        both = {Side.LEFT: amounts(left, "a"), Side.RIGHT: amounts(right, "a")}
        controls.add("Ann", date(2026, 11, 2), both, difference)
        found += [difference] if difference else []
    differing = list(controls.differing())
    assert not differing or found
    if all(one.explained for one in found):
        assert all(explained for _, _, explained in differing)
