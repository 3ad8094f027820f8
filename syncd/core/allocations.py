"""The allocation graph out of what has been seen: an invoice's payments, and how a payment is split."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import partial

from syncd.core.decision import Context
from syncd.core.facts import together
from syncd.core.ledger import ZERO, Standing, filled, rest, standing
from syncd.core.outcome import Settled
from syncd.model.nouns import Allocation, Invoice, InvoiceStatus, Payment, PaymentStatus
from syncd.model.quick import replace
from syncd.model.references import Kind, MatchKey, Side
from syncd.model.snapshot import Presence, Snapshot

STEPS = 3  # from invoice to payment to invoice: payments more entangled than that are for a person


def paid_by(context: Context, side: Side, id: str, invoice: Invoice) -> tuple[Payment, ...]:
    """The payments of an invoice: those its vendor names, else those we have seen naming it.

    Raises:
        Missing: they were not brought.
    """
    facts = context.facts
    if invoice.payments:
        seen = together(partial(facts.snapshot, side, Kind.PAYMENT, payment) for payment in invoice.payments)
    else:
        seen = list(facts.index(side, Kind.PAYMENT, MatchKey("invoice", id)))
    return tuple(noun for snapshot in seen if (noun := _present(snapshot)) is not None)


def account(context: Context, side: Side, id: str, invoice: Invoice) -> Standing:
    """Where an invoice stands; nothing has to be asked of one nobody has paid."""
    payments = paid_by(context, side, id, invoice) if invoice.total != invoice.balance else ()
    return standing(invoice, id, payments)


def split(context: Context, side: Side, id: str, payment: Payment) -> tuple[Allocation, ...]:
    """A payment's invoices with how much of it is for which, worked out where its vendor does not say.

    Raises:
        Settled: it cannot be told.
        Missing: other payments of these invoices were not brought.
    """
    if context.facts.sides[side].splits_payments or all(part.amount is not None for part in payment.allocations):
        return payment.allocations
    payments, totals = {id: payment}, dict.fromkeys((part.invoice for part in payment.allocations), ZERO)
    shown, wanted = dict[str, Invoice](), list(totals)
    for _ in range(STEPS):
        shown |= _invoices(context, side, wanted)
        payments |= _others(context, side, wanted)
        named = {part.invoice for one in payments.values() for part in one.allocations}
        wanted = sorted(named - shown.keys() - totals.keys())
        totals |= {invoice: noun.total for invoice, noun in shown.items()}
        if not wanted:
            break
    else:
        raise Settled("field_required", "It is not said how much of the payment is for which invoice.")
    made = filled(payments | {id: payment}, totals)
    if len(payment.allocations) > 1:
        _check(payment, made, shown)
    return made[id].allocations


def refilled(
    context: Context, side: Side, id: str, payment: Payment, wanted: Iterable[Allocation]
) -> tuple[Allocation, ...] | None:
    """What a payment with money left over gives to its invoices once they have room again; None when nothing more.

    Args:
        side, id, payment: as it stands where the split is said. wanted: the split as worked out, in that side's terms.

    Raises:
        Missing: the invoices' other payments were not brought.
    """
    left, made = rest(payment), {part.invoice: part.amount or ZERO for part in payment.allocations}
    for part in wanted:
        given = made.get(part.invoice, ZERO)
        if left > 0 and part.amount is not None and part.amount > given:
            more = min(part.amount - given, left, _room(context, side, part.invoice, id) - given)
            if more > 0:
                made[part.invoice], left = given + more, left - more
    if left == rest(payment):
        return None
    return tuple(Allocation(invoice=invoice, amount=amount) for invoice, amount in made.items())


def _room(context: Context, side: Side, invoice: str, id: str) -> Decimal:
    """How much of an invoice is left for one payment by all others."""
    shown, others = _invoices(context, side, [invoice]).get(invoice), _others(context, side, [invoice])
    parts = [part for key, one in others.items() if key != id for part in one.allocations if part.invoice == invoice]
    return (ZERO if shown is None else shown.total) - sum((part.amount or ZERO for part in parts), ZERO)


def _check(payment: Payment, made: dict[str, Payment], shown: dict[str, Invoice]) -> None:
    # The order in which a vendor fills invoices is not documented: its own paid amounts have to say the same.
    parts = [part for one in made.values() for part in one.allocations]
    for allocation in payment.allocations:
        paid = sum((part.amount or ZERO for part in parts if part.invoice == allocation.invoice), ZERO)
        invoice = shown.get(allocation.invoice)
        if invoice is None or invoice.amount_paid != paid:
            raise Settled("field_required", "It is not said how much of the payment is for which invoice.")


def _invoices(context: Context, side: Side, ids: list[str]) -> dict[str, Invoice]:
    seen = together(partial(context.facts.snapshot, side, Kind.INVOICE, id) for id in ids)
    return {s.id: s.noun for s in seen if s is not None and isinstance(s.noun, Invoice)}


def _others(context: Context, side: Side, invoices: list[str]) -> dict[str, Payment]:
    keys = [MatchKey("invoice", id) for id in invoices]
    found = together(partial(context.facts.index, side, Kind.PAYMENT, key) for key in keys)
    return {s.id: noun for listed in found for s in listed if (noun := _present(s)) is not None}


def _present(snapshot: Snapshot | None) -> Payment | None:
    if snapshot is None or snapshot.presence is not Presence.PRESENT or not isinstance(snapshot.noun, Payment):
        return None
    return snapshot.noun if snapshot.noun.status is PaymentStatus.SUCCEEDED else None


def accounted(context: Context, side: Side, id: str, invoice: Invoice) -> Invoice:
    """The invoice with the day of its last payment, its status as the amounts say."""
    if invoice.status in (InvoiceStatus.DRAFT, InvoiceStatus.VOIDED):
        return invoice
    found = account(context, side, id, invoice)
    return replace(invoice, payment_date=found.paid_on, status=found.status)
