"""Payments that the other side's API cannot record are shown there instead: paid amount and balance on the invoice.

The invoice's own record tells them, so that they follow whatever becomes of the payments later.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from syncd.core.commands import DERIVED, present_noun
from syncd.core.decision import Case, Context, Decision
from syncd.core.facts import SideFacts, together
from syncd.core.lifecycle import synced
from syncd.core.outcome import Settled
from syncd.core.parents import invoices_there
from syncd.core.translate import derived
from syncd.model.content import Content
from syncd.model.nouns import Invoice, Noun, Payment, PaymentStatus
from syncd.model.record import Record, Status
from syncd.model.references import Kind, MatchKey, Side
from syncd.model.snapshot import Presence
from syncd.model.values import Value

MIRRORED = "payment_mirrored"
SHOWN = ("amount_paid", "balance")


def cannot_be_recorded(noun: Noun | None, target: SideFacts) -> bool:
    """Whether the target has no way to hold this as a payment."""
    if not isinstance(noun, Payment):
        return False
    if Kind.PAYMENT not in target.writable:
        return True
    paid = sum((a.amount if a.amount is not None else noun.amount for a in noun.allocations), Decimal(0))
    return not target.splits_payments and (len(noun.allocations) > 1 or paid != noun.amount)


def mirror_payment(case: Case, context: Context, source: Side) -> Decision:
    """Synced with the note, once the invoices it pays show its effect.

    Raises:
        Settled: one of them does not yet; its record is asked to.
    """
    noun = present_noun(case, source)
    assert isinstance(noun, Payment) and context.flow.invoices is not None
    ids = list(dict.fromkeys(allocation.invoice for allocation in noun.allocations))
    invoices_there(context, ids, source)
    records = context.facts.partners_of(context.flow.invoices, source, ids)
    seen = together(partial(context.facts.snapshot, source, Kind.INVOICE, id) for id in ids)
    for record, snapshot in zip(records.values(), seen, strict=True):
        paid = snapshot.noun if snapshot is not None else None
        if record is not None and isinstance(paid, Invoice) and not _told(record, source.other, paid):
            words = f"{record.label}: its paid amount is being written"
            wants = () if record.status is Status.PENDING else (record.id,)
            raise Settled("waits_parent", words, waits_for=f"record:{record.id}", wants=wants)
    return Decision(record=synced(case.record, context.now, notes=(MIRRORED,)))


def _told(record: Record, target: Side, invoice: Invoice) -> bool:
    base = record.base(target) or Content()
    return all(base.fields.get(DERIVED + name) == getattr(invoice, name) for name in SHOWN)


def unrecorded(case: Case, context: Context, source: Side) -> dict[str, Value]:
    """Paid amount and balance for an invoice born on the other side, where payments made here cannot be recorded.

    Once shown they are kept up to date, also when the payment is gone.
    """
    payments, target = context.sync.flow_of(Kind.PAYMENT), source.other
    if payments is None or not payments.direction.allows(source):
        return {}
    here = present_noun(case, source)
    assert isinstance(here, Invoice)
    known = (case.record.base(target) or Content()).fields
    if DERIVED + SHOWN[0] not in known and not (here.amount_paid and _any(case, context, source)):
        return {}
    wanted = derived(context, here, source)
    return {path: wanted[path] for path in SHOWN if path in wanted and known.get(DERIVED + path) != wanted[path]}


def _any(case: Case, context: Context, source: Side) -> bool:
    """Whether a payment we have seen of this invoice cannot be recorded on the other side."""
    key = MatchKey("invoice", case.record.entity(source) or "")
    return any(
        payment.presence is Presence.PRESENT
        and isinstance(payment.noun, Payment)
        and payment.noun.status is PaymentStatus.SUCCEEDED
        and cannot_be_recorded(payment.noun, context.facts.sides[source.other])
        for payment in context.facts.index(source, Kind.PAYMENT, key)
    )
