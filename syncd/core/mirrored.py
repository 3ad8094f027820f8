"""Payments that the other side's API cannot record are shown there instead: amount, balance and day on the invoice.

So is other credit, and what was given back. The invoice's own record tells them, so that they follow whatever becomes
of the payments later.
"""

from __future__ import annotations

from functools import partial

from syncd.core.allocations import account, accounted
from syncd.core.commands import DERIVED, act, present_noun, told_noun
from syncd.core.decision import Case, Context, Decision, noted
from syncd.core.facts import SideFacts, together
from syncd.core.ledger import settles_whole
from syncd.core.lifecycle import pending, synced
from syncd.core.outcome import Settled
from syncd.core.parents import GONE, invoices_there
from syncd.core.rules import Group
from syncd.core.translate import derived
from syncd.core.vanished import happened
from syncd.model.content import Content
from syncd.model.nouns import Invoice, Noun, Payment, PaymentStatus
from syncd.model.record import Op, Record, Status
from syncd.model.references import Kind, MatchKey, Side
from syncd.model.snapshot import Presence
from syncd.model.values import Value
from syncd.model.waiting import on_record

MIRRORED = "payment_mirrored"
REFUNDED = "payment_refunded"
OTHER_CREDIT = "other_credit"
SHOWN = ("amount_paid", "balance", "payment_date")


def cannot_be_recorded(noun: Noun | None, target: SideFacts) -> bool:
    """Whether the target has no way to hold this as a payment."""
    if not isinstance(noun, Payment):
        return False
    if Kind.PAYMENT not in target.writable:
        return True
    return not target.splits_payments and not settles_whole(noun)


def mirror_payment(case: Case, context: Context, source: Side) -> Decision:
    """Synced with the note, once the invoices it pays show its effect.

    Raises:
        Settled: one of them does not yet; its record is asked to.
    """
    noun = present_noun(case, source)
    assert isinstance(noun, Payment)
    _shown(context, noun, source)
    return Decision(record=synced(case.record, context.now, notes=(MIRRORED,)))


def _shown(context: Context, payment: Payment, source: Side) -> None:
    assert context.flow.invoices is not None
    ids = list(dict.fromkeys(allocation.invoice for allocation in payment.allocations))
    invoices_there(context, ids, source)
    records = context.facts.partners_of(context.flow.invoices, source, ids)
    gone = [id for id in ids if (record := records[id]) is not None and GONE in record.notes]
    if gone == ids:
        raise Settled("filtered", "Its invoice is gone on the other side.", waits_for=_on(records[ids[0]]))
    seen = together(partial(context.facts.snapshot, source, Kind.INVOICE, id) for id in ids)
    invoices = {s.id: s.noun for s in seen if s is not None and isinstance(s.noun, Invoice)}
    paid = together(partial(accounted, context, source, id, noun) for id, noun in invoices.items())
    for id, noun in zip(invoices, paid, strict=True):
        record = records[id]
        if record is not None and id not in gone and not _told(context, record, source, noun):
            words = f"{record.label}: its paid amount is being written"
            wants = () if record.status is Status.PENDING else (record.id,)
            raise Settled("waits_parent", words, waits_for=_on(record), wants=wants)


def _on(record: Record | None) -> str | None:
    return None if record is None else on_record(record.id)


def _told(context: Context, record: Record, source: Side, invoice: Invoice) -> bool:
    base = record.base(source.other) or Content()
    rows = context.sync.flow(record.flow).rows
    told = [row for row in rows if row.group is Group.DERIVED and row.name in SHOWN and row.direction.allows(source)]
    return all(base.fields.get(DERIVED + row.path(source.other)) == getattr(invoice, row.path(source)) for row in told)


def unrecorded(case: Case, context: Context, source: Side) -> dict[str, Value]:
    """Paid amount and balance for an invoice born on the other side that does not know all of them by itself.

    Once shown they are kept up to date, also when the payment is gone.
    """
    payments, target = context.sync.flow_of(Kind.PAYMENT), source.other
    if payments is None or not payments.direction.allows(source):
        return {}
    here = told_noun(context, case, source)
    assert isinstance(here, Invoice)
    known = (case.record.base(target) or Content()).fields
    if DERIVED + SHOWN[0] not in known and not (here.amount_paid and _any(case, context, source)):
        return {}
    wanted = derived(context, here, source)
    return {path: wanted[path] for path in SHOWN if path in wanted and known.get(DERIVED + path) != wanted[path]}


def _any(case: Case, context: Context, source: Side) -> bool:
    """Whether something of this invoice's payments cannot be recorded on the other side, or was given back there."""
    recorded = context.facts.sides[source.other]
    here, there = together(partial(_payments, case, context, side) for side in (source, source.other))
    return (
        any(cannot_be_recorded(payment, recorded) for payment in here)
        or any(payment.refunded for payment in there)
        or other_credit(case, context, source)
    )


def _payments(case: Case, context: Context, side: Side) -> list[Payment]:
    found = context.facts.index(side, Kind.PAYMENT, MatchKey("invoice", case.record.entity(side) or ""))
    listed = [snapshot.noun for snapshot in found if snapshot.presence is Presence.PRESENT]
    counted = (PaymentStatus.SUCCEEDED, PaymentStatus.REFUNDED)
    return [noun for noun in listed if isinstance(noun, Payment) and noun.status in counted]


def other_credit(case: Case, context: Context, side: Side) -> bool:
    """Whether something that is no payment settles a part of the invoice, where the vendor says who pays what."""
    noun = present_noun(case, side)
    if not isinstance(noun, Invoice) or not context.facts.sides[side].splits_payments:
        return False
    return account(context, side, case.record.entity(side) or "", noun).credit > 0


def remarks(case: Case, context: Context) -> tuple[str, ...]:
    """The notes of a record both sides of which are there: other credit, money that was given back."""
    if context.flow.kind is Kind.INVOICE:
        return (OTHER_CREDIT,) if any(other_credit(case, context, side) for side in Side) else ()
    nouns = (present_noun(case, side) for side in Side)
    return (REFUNDED,) if any(isinstance(noun, Payment) and noun.refunded for noun in nouns) else ()


def given_back(case: Case, context: Context) -> Decision | None:
    """The decision on a payment all of which was given back: nothing is taken back over there, the invoice shows it.

    None for all others; where only a part was given back the invoice has to show that before anything else flows.

    Raises:
        Settled: the invoice does not show it yet; its record is asked to.
    """
    for side in Side:
        noun = present_noun(case, side)
        if not isinstance(noun, Payment) or not noun.refunded:
            continue
        other = present_noun(case, side.other)
        assert isinstance(other, Payment)
        if context.flow.direction.allows(side.other):
            _shown(context, other, side.other)
        if noun.status is PaymentStatus.REFUNDED:
            record = synced(case.record, context.now, notes=(REFUNDED,))
            known = record.notes == case.record.notes
            told = () if known else (noted(context, record, "record.refunded", side=side),)
            return Decision(record=record, activity=told)
    return None


def instead(case: Case, context: Context) -> Decision | None:
    """The decision on a recorded payment that has become one the other side cannot record; None for all others.

    It was split or joined with a credit since. What was recorded is taken back, and the invoices show it.

    Raises:
        Settled: they do not show it yet.
    """
    origin = case.record.origin
    if context.flow.kind is not Kind.PAYMENT or origin is None or not context.flow.direction.allows(origin):
        return None
    born, there = case.side(origin), case.side(origin.other)
    facts = context.facts.sides[origin.other]
    if born is None or there is None or happened(born) is not None or Kind.PAYMENT not in facts.writable:
        return None
    if not cannot_be_recorded(born.noun, facts):
        return None
    if happened(there) is not None:
        return mirror_payment(case, context, origin)
    return Decision(
        record=pending(case.record, "queued", context.now),
        commands=(act(context, case, origin.other, Op.VOID),),
        activity=(noted(context, case.record, "record.planned", side=origin.other, words="void"),),
    )
