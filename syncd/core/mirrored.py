"""Payments that the other side's API cannot record are shown there instead: paid amount and balance on the invoice."""

from __future__ import annotations

from syncd.core.commands import mirrored_amounts, paid_amount, present_noun
from syncd.core.decision import Case, Command, Context, Decision
from syncd.core.lifecycle import pending, synced
from syncd.core.parents import invoice_there
from syncd.model.nouns import Invoice, Payment
from syncd.model.references import Kind, Side

MIRRORED = "payment_mirrored"


def cannot_be_recorded(case: Case, context: Context, source: Side) -> bool:
    """Whether the target has no way to hold this payment as a payment."""
    noun = present_noun(case, source)
    if not isinstance(noun, Payment):
        return False
    target = context.facts.sides[source.other]
    if Kind.PAYMENT not in target.writable:
        return True
    partly = len(noun.allocations) > 1 or paid_amount(noun) != noun.amount
    return partly and not target.splits_payments


def mirror_payment(case: Case, context: Context, source: Side) -> Decision:
    """Synced with the note, after the invoices it pays show its effect."""
    commands = [c for c in (_shown(case, context, source, a.invoice) for a in _payment(case, source).allocations) if c]
    if commands:
        return Decision(record=pending(case.record, "queued", context.now), commands=tuple(commands))
    return Decision(record=synced(case.record, context.now, notes=(MIRRORED,)))


def _shown(case: Case, context: Context, source: Side, invoice_id: str) -> Command | None:
    there = invoice_there(context, invoice_id, source)
    if source is Side.LEFT or not _native_there(context, there):
        return None  # a mirror is told its amounts with the invoice itself
    here = context.facts.snapshot(source, Kind.INVOICE, invoice_id)
    mirror = context.facts.snapshot(source.other, Kind.INVOICE, there)
    if here is None or mirror is None or not isinstance(here.noun, Invoice) or not isinstance(mirror.noun, Invoice):
        return None
    return mirrored_amounts(mirror.noun, here.noun, there, mirror.version)


def _native_there(context: Context, invoice_id: str) -> bool:
    assert context.flow.invoices is not None
    record = context.facts.partner(context.flow.invoices, Side.LEFT, invoice_id)
    return record is not None and record.origin is Side.LEFT


def _payment(case: Case, source: Side) -> Payment:
    noun = present_noun(case, source)
    assert isinstance(noun, Payment)
    return noun
