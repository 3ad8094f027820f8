"""Suspected double billing: a sale in the books that bills once more what a synced invoice has billed already.

It comes from a second automation: every payment makes a paid invoice or sales receipt in the books, those of invoices
included. Such a sale has the customer, the amount and about the day of a payment of an invoice that was born on the
other side. It is reported and left alone until a person has looked.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from syncd.core.content import owed_key, sum_key
from syncd.core.decision import Case, Context
from syncd.core.facts import together
from syncd.core.outcome import Settled
from syncd.model.nouns import Invoice, Payment, PaymentStatus
from syncd.model.record import Record
from syncd.model.references import Kind, Side
from syncd.model.snapshot import Presence, Snapshot

SUSPECTED = "suspected_double_billing"
DENIED = "double_billing_denied"
"""The note of a sale of which a person has said that it is one of its own."""

BOOKS = Side.RIGHT  # in every recipe
DAYS = 5  # between a payment and the sale it made; a workflow runs at once, people date things back


def refuse_double(case: Case, context: Context) -> None:
    """Stop at a sale of the books that looks like another bill for what was billed on the other side.

    Raises:
        Settled: it does.
    """
    snapshot = case.side(BOOKS)
    if snapshot is None or case.record.origin is not BOOKS or snapshot.marker or DENIED in case.record.notes:
        return
    noun = snapshot.noun
    if not isinstance(noun, Invoice | Payment) or not _is_paid_sale(noun) or noun.customer is None:
        return
    for side, payment in _payments(context, noun, noun.customer):
        if _apart(noun, payment) > DAYS:
            continue
        for invoice in _invoices(context, side, payment):
            if invoice.entity(BOOKS) != snapshot.id and invoice.origin is BOOKS.other:
                words = f"{invoice.label} of the same customer was paid with the same amount."
                raise Settled(SUSPECTED, words, waits_for=f"record:{invoice.id}")


def _is_paid_sale(noun: Invoice | Payment) -> bool:
    if isinstance(noun, Payment):
        return noun.sale and noun.status is PaymentStatus.SUCCEEDED
    return noun.total > 0 and noun.balance == 0


def _payments(context: Context, sale: Invoice | Payment, customer: str) -> list[tuple[Side, Payment]]:
    """Payments of the same customer and amount, on both sides: one may not have gone over yet."""
    amount = sale.amount if isinstance(sale, Payment) else sale.total
    customers = context.sync.flow_of(Kind.PARTY)
    holder = None if customers is None else context.facts.holder(customers.name, BOOKS, customer)
    known = {BOOKS: customer, BOOKS.other: None if holder is None else holder.entity(BOOKS.other)}
    asked = [(side, id) for side, id in known.items() if id is not None]
    found = together(partial(context.facts.index, side, Kind.PAYMENT, sum_key(id, amount)) for side, id in asked)
    listed = [(side, s.noun) for (side, _), seen in zip(asked, found, strict=True) for s in _there(seen)]
    return [(side, noun) for side, noun in listed if isinstance(noun, Payment) and not noun.sale]


def _invoices(context: Context, side: Side, payment: Payment) -> list[Record]:
    invoices = context.sync.flow_of(Kind.INVOICE)
    if invoices is None:
        return []
    ids = (part.invoice for part in payment.allocations)
    held = together(partial(context.facts.holder, invoices.name, side, id) for id in ids)
    return [record for record in held if record is not None]


def _apart(sale: Invoice | Payment, payment: Payment) -> int:
    day = sale.issue_date if isinstance(sale, Invoice) else sale.date
    return 0 if day is None or payment.date is None else abs((day - payment.date).days)


def doubled(context: Context, payment: Payment, customer: str) -> tuple[tuple[Side, Kind, str], ...]:
    """Sales that look like they were made for this payment, which is about to be booked; to be looked at again.

    Args:
        payment: of the side that is not the books. customer: who pays it, in the books.
    """
    amount, currency = payment.amount, payment.currency
    keys = {Kind.INVOICE: owed_key(customer, amount, currency), Kind.PAYMENT: sum_key(customer, amount)}
    flows = [flow for kind in keys if (flow := context.sync.flow_of(kind)) is not None]
    found = together(partial(context.facts.index, BOOKS, flow.kind, keys[flow.kind]) for flow in flows)
    sales = [
        (flow, s.id)
        for flow, seen in zip(flows, found, strict=True)
        for s in _there(seen)
        if s.marker is None and isinstance(s.noun, Invoice | Payment) and _is_paid_sale(s.noun)
    ]
    held = together(partial(context.facts.holder, flow.name, BOOKS, id) for flow, id in sales)
    return tuple(
        (BOOKS, flow.kind, id)
        for (flow, id), record in zip(sales, held, strict=True)
        if record is not None and record.code != SUSPECTED and DENIED not in record.notes
    )


def _there(seen: Iterable[Snapshot]) -> list[Snapshot]:
    return [snapshot for snapshot in seen if snapshot.presence is Presence.PRESENT]
