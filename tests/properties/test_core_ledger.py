"""Laws of the graph of payments and invoices: no money is lost or made, and the order of arrival plays no part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from syncd.core.ledger import filled, received, rest, shares, standing
from syncd.model.money import minor_digits
from syncd.model.nouns import Allocation, Invoice, InvoiceStatus, Payment, PaymentStatus

Graph = tuple[str, dict[str, Decimal], dict[str, Payment]]
"""A currency, totals of invoices, payments; both by id."""

currencies = st.sampled_from(["USD", "JPY", "KWD"])  # 2, 0 and 3 decimals
invoices = st.sampled_from(["1", "2", "3", "4"])


def _amounts(currency: str, most: int = 100_000) -> st.SearchStrategy[Decimal]:
    return st.integers(0, most).map(lambda units: Decimal(units).scaleb(-minor_digits(currency)))


@st.composite
def graphs(draw: st.DrawFn, *, said: bool) -> Graph:
    """A currency, invoices' totals and payments; `said`: they say how they are split, credits included."""
    currency = draw(currencies)
    totals = draw(st.dictionaries(invoices, _amounts(currency), min_size=1))
    made = {}
    for number in range(draw(st.integers(0, 6))):
        paid = draw(st.lists(st.sampled_from(sorted(totals)), unique=True, max_size=3))
        parts = tuple(Allocation(invoice=id, amount=draw(_amounts(currency)) if said else None) for id in paid)
        given_out = sum((part.amount or Decimal(0) for part in parts), Decimal(0))
        credit = draw(_amounts(currency, 500)) if said else Decimal(0)
        amount = max(Decimal(0), given_out - credit) + draw(_amounts(currency))
        made[str(number)] = Payment(
            status=draw(st.sampled_from([PaymentStatus.SUCCEEDED, PaymentStatus.SUCCEEDED, PaymentStatus.PENDING])),
            amount=amount,
            currency=currency,
            date=draw(st.sampled_from([None, date(2026, 11, 1), date(2026, 11, 2)])),
            allocations=parts,
            credit=credit,
        )
    return currency, totals, made


@given(graphs(said=True))
def test_what_a_payment_gives_and_keeps_is_what_it_has(
    graph: Graph,
) -> None:
    """Sum of allocations + rest = amount + credits, and neither money nor credit gives more than there is."""
    for payment in graph[2].values():
        arrived = replace(payment, status=PaymentStatus.SUCCEEDED)
        parts = shares(arrived)
        assert sum((p.money + p.credit for p in parts), Decimal(0)) + rest(arrived) == arrived.amount + arrived.credit
        assert sum((p.credit for p in parts), Decimal(0)) <= arrived.credit
        assert all(p.money >= 0 and p.credit >= 0 for p in parts)


@given(graphs(said=True), st.data())
def test_an_invoice_is_paid_credited_or_open(graph: Graph, data: st.DataObject) -> None:
    """Balance = total - allocations - credits, in every order in which the payments came."""
    currency, totals, payments = graph
    for id, total in totals.items():
        invoice = Invoice(
            status=InvoiceStatus.OPEN, currency=currency, total=total, balance=data.draw(_amounts(currency))
        )
        listed = data.draw(st.permutations(list(payments.values())))
        found = standing(invoice, id, listed)
        assert found == standing(invoice, id, payments.values())
        assert found.balance == found.total - found.paid - found.credit
        assert (found.status is InvoiceStatus.PAID) == (invoice.balance <= 0)


@given(graphs(said=False), st.data())
def test_payments_fill_invoices_and_nothing_over(graph: Graph, data: st.DataObject) -> None:
    """Where nobody says the split: never more than an invoice's total, money kept, either order of arrival the same."""
    _, totals, payments = graph
    made = filled(payments, totals)
    shuffled = dict(data.draw(st.permutations(list(payments.items()))))
    assert filled(shuffled, totals) == made
    for id, payment in payments.items():
        assert sum((p.amount or Decimal(0) for p in made[id].allocations), Decimal(0)) <= received(payment)
        assert rest(made[id]) >= 0
    for id, total in totals.items():
        given_to = _given(made, id)
        assert given_to <= total
        alone = [p for p in payments.values() if any(a.invoice == id for a in p.allocations)]
        if given_to < total:  # what is not full has had all there was
            assert all(rest(made[key]) == 0 for key, p in payments.items() if p in alone and received(p))


def _given(made: Mapping[str, Payment], id: str) -> Decimal:
    return sum((p.amount or Decimal(0) for m in made.values() for p in m.allocations if p.invoice == id), Decimal(0))
