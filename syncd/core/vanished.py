"""What becomes of a record one of whose entities has gone, was cancelled, or has come back; `happenings` says what."""

from __future__ import annotations

from dataclasses import replace

from syncd.core.commands import act
from syncd.core.decision import Case, Context, Decision, noted
from syncd.core.happenings import Fate, Happening, fate
from syncd.core.identity import voided, with_entity
from syncd.core.lifecycle import pending, synced
from syncd.core.outcome import Settled
from syncd.core.parents import GONE, INACTIVE
from syncd.model.nouns import Party, Payment, PaymentStatus, Product
from syncd.model.record import Op, Record
from syncd.model.references import Kind, Side
from syncd.model.snapshot import Presence, Snapshot

_EVENTS = {
    Presence.ARCHIVED: Happening.ARCHIVED,
    Presence.DELETED: Happening.DELETED,
    # What it was merged into belongs to nobody here, or is gone itself: `survivors` has followed it as far as it goes.
    Presence.MERGED: Happening.DELETED,
}


def happened(snapshot: Snapshot | None) -> Happening | None:
    """What became of an entity; None while it is simply there."""
    if snapshot is None:
        return None
    if snapshot.presence is not Presence.PRESENT:
        return _EVENTS[snapshot.presence]
    noun = snapshot.noun
    if voided(snapshot) or (isinstance(noun, Payment) and noun.status in (PaymentStatus.VOIDED, PaymentStatus.FAILED)):
        return Happening.VOIDED
    if isinstance(noun, Party | Product) and not noun.active:
        return Happening.INACTIVE
    return None


def vanished(case: Case, context: Context) -> Decision | None:
    """The decision if a side is gone; None when both are there, as far as they are known.

    Raises:
        Settled: it ends as excluded or failed.
    """
    known = [side for side in Side if case.side(side) is not None]
    lost = [side for side in known if gone(case.side(side))]
    if not lost:
        return None
    if lost == known:
        if len(known) == 1 and _failed(case.side(lost[0])):
            return None  # it was never booked: the filters say why
        raise Settled("deleted_at_source", "It was deleted." if len(known) == 1 else "It is gone on both sides.")
    return _decided(case, context, lost[0])


def _failed(snapshot: Snapshot | None) -> bool:
    noun = snapshot.noun if snapshot is not None and snapshot.presence is Presence.PRESENT else None
    return isinstance(noun, Payment) and noun.status is PaymentStatus.FAILED


def set_aside(case: Case, context: Context) -> Decision | None:
    """The decision if a side is still there but void, or out of use; None when both are neither.

    Filters come before it: what has left the flow sends no void either.

    Raises:
        Settled: it ends as excluded or failed.
    """
    aside = [side for side in Side if happened(case.side(side)) is not None]
    if not aside or all(voided(case.side(side)) for side in Side):
        return None
    return _decided(case, context, aside[0])


def gone(snapshot: Snapshot | None) -> bool:
    """Whether it is no longer there."""
    # A void invoice is a document like any other; of a void payment nothing is left.
    event = happened(snapshot)
    if event is Happening.VOIDED:
        return snapshot is not None and isinstance(snapshot.noun, Payment)
    return event not in (None, Happening.INACTIVE)


def _decided(case: Case, context: Context, side: Side) -> Decision:
    event, origin = happened(case.side(side)), case.record.origin
    assert event is not None and origin is not None
    match fate(event, context.flow.kind, side, origin):
        case Fate.MARKED:
            return _noted(case, context, side, GONE, "record.gone")
        case Fate.RESTING:
            return _noted(case, context, side, INACTIVE, "record.inactive")
        case Fate.LEFT_OUT:
            raise Settled("filtered", "It is inactive.")
        case Fate.ENDED:
            raise Settled("deleted_at_source", "It was deleted where it was born; the other side keeps its copy.")
        case Fate.MISSED:
            raise Settled("record_gone", "The booked invoice was deleted.")
        case Fate.FORBIDDEN:
            raise Settled("edited_outside_origin", "The payment was removed there.")
        case _:
            return _taken_back(case, context, side)


def _noted(case: Case, context: Context, side: Side, note: str, event: str) -> Decision:
    record = synced(case.record, context.now, notes=(note,))
    known = record.notes == case.record.notes and record.status is case.record.status
    return Decision(record=record, activity=() if known else (noted(context, record, event, side=side),))


def _taken_back(case: Case, context: Context, side: Side) -> Decision:
    if not context.flow.direction.allows(side):
        if context.flow.kind is Kind.INVOICE:
            raise Settled("invoice_voided", "It was voided there, and this flow does not go that way.")
        raise Settled("deleted_at_source", "It was removed, and this flow does not go that way.")
    return Decision(
        record=pending(case.record, "queued", context.now),
        commands=(act(context, case, side.other, Op.VOID),),
        activity=(noted(context, case.record, "record.planned", side=side.other, words="void"),),
    )


def revived(case: Case, context: Context) -> Case:
    """A payment that came back where it was made, without the counterpart that was voided because of it.

    A void cannot be taken back: the payment is booked anew. So is one that was only shown for a while.
    """
    record = case.record
    origin = record.origin
    taken_back = record.code == "deleted_at_source" or "payment_mirrored" in record.notes
    if context.flow.kind is not Kind.PAYMENT or not taken_back or origin is None:
        return case
    if (
        happened(case.side(origin)) is not None
        or case.side(origin) is None
        or happened(case.side(origin.other)) is None
    ):
        return case
    assert fate(Happening.RESTORED, Kind.PAYMENT, origin, origin) is Fate.BOOKED_ANEW
    return replace(case, record=_alone(record, origin)).with_side(origin.other, None)


def _alone(record: Record, side: Side) -> Record:
    return replace(with_entity(record, side.other, None), notes=(), left_base=None, right_base=None)
