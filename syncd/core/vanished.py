"""What happens when an entity is gone, or was cancelled: one table of kind x which side x how.

Nothing is ever deleted on the other side because something is missing here. A void goes over as a void, and so does the
removal of a payment, because the invoice's balance over there would lie otherwise.
"""

from __future__ import annotations

from syncd.core.commands import act
from syncd.core.decision import Case, Context, Decision, noted
from syncd.core.lifecycle import pending, synced
from syncd.core.outcome import Settled
from syncd.core.parents import GONE
from syncd.model.nouns import Payment, PaymentStatus
from syncd.model.record import Op
from syncd.model.references import Kind, Side
from syncd.model.snapshot import Presence, Snapshot


def vanished(case: Case, context: Context) -> Decision | None:
    """The decision if a side is gone; None when everything the record has is still there.

    Raises:
        Settled: it ends as excluded or failed.
    """
    gone = [side for side in Side if case.side(side) is not None and _gone(case.side(side))]
    if not gone:
        return None
    known = [side for side in Side if case.side(side) is not None]
    if gone == known:
        raise Settled("deleted_at_source", "It was deleted." if len(known) == 1 else "It is gone on both sides.")
    (side,) = gone
    if context.flow.kind is Kind.PAYMENT:
        return _payment(case, context, side)
    if context.flow.kind is Kind.INVOICE:
        return _invoice(case, context, side)
    return _marked(case, context, side)


def _gone(snapshot: Snapshot | None) -> bool:
    assert snapshot is not None
    if snapshot.presence is not Presence.PRESENT:
        return True
    return isinstance(snapshot.noun, Payment) and snapshot.noun.status is PaymentStatus.VOIDED


def _payment(case: Case, context: Context, side: Side) -> Decision:
    if side is not case.record.origin:
        raise Settled("edited_outside_origin", "The payment was removed there.")
    if not context.flow.direction.allows(side):
        raise Settled("deleted_at_source", "It was removed, and this flow does not go that way.")
    command = act(context, case, side.other, Op.VOID)
    return Decision(
        record=pending(case.record, "queued", context.now),
        commands=(command,),
        activity=(noted(context, case.record, "record.planned", side=side.other, words="void"),),
    )


def _invoice(case: Case, context: Context, side: Side) -> Decision:
    if side is case.record.origin:
        raise Settled("deleted_at_source", "It was deleted where it was born; the other side keeps its copy.")
    if case.record.origin is Side.LEFT:
        raise Settled("record_gone", "The booked invoice was deleted.")
    return _marked(case, context, side)


def _marked(case: Case, context: Context, side: Side) -> Decision:
    record = synced(case.record, context.now, notes=(GONE,))
    known = record.notes == case.record.notes and record.status is case.record.status
    return Decision(record=record, activity=() if known else (noted(context, record, "record.gone", side=side),))
