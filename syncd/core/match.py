"""Finding the counterpart before making one. Ambiguity is said, never guessed."""

from __future__ import annotations

from functools import partial

from syncd.core.content import match_keys
from syncd.core.decision import Case, Context
from syncd.core.facts import together
from syncd.core.outcome import Settled
from syncd.core.parents import customer_there, invoices_there
from syncd.model.nouns import Invoice, Noun, Party, Payment, PaymentStatus, Product
from syncd.model.record import Record
from syncd.model.references import Kind, MatchKey, Side
from syncd.model.snapshot import Presence, Snapshot
from syncd.model.waiting import on_key

AMBIGUOUS = {Kind.PARTY: "customer_ambiguous", Kind.PRODUCT: "product_ambiguous"}


def natural_key(context: Context, noun: Noun) -> str | None:
    """The key two open creates may never share: what the vendor, or a person, would see twice."""
    keys = [key for key in match_keys(noun) if key.field in context.flow.match]
    return f"{keys[0].field}:{keys[0].value}" if keys else None


def counterpart(context: Context, case: Case, source: Side, *, ask: bool = False) -> Snapshot | None:
    """The entity on the other side that is this one, if it is already there and free.

    Args:
        ask: the vendor, too, where nothing we have seen fits.

    Raises:
        Settled: several could be it, or it belongs to another record already.
        Missing: a look-up has to be made first.
    """
    snapshot = case.side(source)
    assert snapshot is not None and snapshot.noun is not None
    _refuse_twins(context, case, snapshot, source)
    candidates = [
        *_forgotten(context, case.record, source.other, ask=ask),
        *_candidates(context, snapshot.noun, source, ask=ask),
    ]
    found = [
        candidate for candidate in candidates if candidate.presence is Presence.PRESENT and not _void(candidate.noun)
    ]
    ours = [candidate for candidate in found if candidate.marker == case.record.marker]
    if ours:
        return ours[0]
    fitting = [c for c in found if _fits(context, snapshot.noun, c, source)]
    holders = together(partial(_holder, context, case, c, source.other) for c in fitting)
    free = sorted((c for c, holder in zip(fitting, holders, strict=True) if holder is None), key=lambda c: c.id)
    if isinstance(snapshot.noun, Payment):
        return free[0] if free else None  # equal payments of one invoice are interchangeable
    if isinstance(snapshot.noun, Invoice):
        if len(free) > 1:
            raise _number_taken(context, snapshot, source, ", ".join(c.id for c in free))
        if ask and not free and found and context.facts.sides[source.other].unique_numbers:
            # The vendor might let a second one through, or not: that is a switch nobody can see from outside.
            words = f"{snapshot.noun.number} stands on {', '.join(sorted(c.id for c in found))} there."
            raise _number_taken(context, snapshot, source, words)
    elif len(fitting) > 1:
        raise _ambiguous(context, source.other, fitting)
    elif fitting and not free:
        (holder,) = holders
        assert holder is not None
        words = f"It belongs to {holder.label} already."
        raise Settled(AMBIGUOUS[context.flow.kind], words, waits_for=f"record:{holder.id}")
    return free[0] if free else None


def _forgotten(context: Context, record: Record, there: Side, *, ask: bool) -> tuple[Snapshot, ...]:
    """What we made of this record once and do not remember: our reference on it says so."""
    if not context.restored:
        return ()
    kind, key = context.flow.kind, MatchKey("marker", record.marker)
    return context.facts.index(there, kind, key) or (context.facts.find(there, kind, key) if ask else ())


def _void(noun: Noun | None) -> bool:
    return isinstance(noun, Payment) and noun.status is PaymentStatus.VOIDED


def _number_taken(context: Context, snapshot: Snapshot, source: Side, words: str) -> Settled:
    """The refusal of a number; it wakes when a document that has it changes."""
    taken = next(key for key in match_keys(snapshot.noun) if key.field in context.flow.match)
    waits_for = on_key(context.sync.connection(source.other), context.flow.kind, taken)
    return Settled("duplicate_document_number", words, waits_for=waits_for)


def _ambiguous(context: Context, side: Side, several: list[Snapshot]) -> Settled:
    """The refusal to choose; it wakes when one of those that share the key changes."""
    flow = context.flow
    shared = next(key for key in match_keys(several[0].noun) if key.field in flow.match)
    waits_for = on_key(context.sync.connection(side), flow.kind, shared)
    return Settled(AMBIGUOUS[flow.kind], ", ".join(sorted(s.id for s in several)), waits_for=waits_for)


def _refuse_twins(context: Context, case: Case, snapshot: Snapshot, source: Side) -> None:
    # Two entities of one side under one key: whichever came first would take the counterpart, and that is a guess.
    if context.flow.kind not in AMBIGUOUS:
        return
    for key in match_keys(snapshot.noun):
        if key.field not in context.flow.match:
            continue
        twins = [
            twin
            for twin in context.facts.index(source, context.flow.kind, key)
            if twin.id != snapshot.id and twin.presence is Presence.PRESENT and _stands_alone(twin.noun)
        ]
        if twins:
            raise _ambiguous(context, source, [snapshot, *twins])


def _stands_alone(noun: Noun | None) -> bool:
    if isinstance(noun, Party):
        return noun.parent is None and noun.active
    return noun.active if isinstance(noun, Product) else noun is not None


def _candidates(context: Context, noun: Noun, source: Side, *, ask: bool) -> list[Snapshot]:
    there, kind = source.other, context.flow.kind
    facts = context.facts
    if isinstance(noun, Payment):
        paid = invoices_there(context, [allocation.invoice for allocation in noun.allocations], source)
        listed = together(partial(facts.index, there, kind, MatchKey("invoice", invoice)) for invoice in paid)
        return list({c.id: c for found in listed for c in found}.values())
    keys = [key for key in match_keys(noun) if key.field in context.flow.match]
    seen = {c.id: c for key in keys for c in facts.index(there, kind, key)}
    if ask and not any(c.presence is Presence.PRESENT and _fits(context, noun, c, source) for c in seen.values()):
        seen |= {c.id: c for key in keys for c in facts.find(there, kind, key)}
    return list(seen.values())


def _fits(context: Context, noun: Noun, candidate: Snapshot, source: Side) -> bool:
    other = candidate.noun
    if isinstance(noun, Invoice):
        return (
            isinstance(other, Invoice)
            and other.total == noun.total
            and other.currency == noun.currency
            and other.customer == customer_there(context, noun, source)
        )
    if isinstance(noun, Payment):
        return (
            isinstance(other, Payment)
            and (other.amount, other.date, other.status) == (noun.amount, noun.date, noun.status)
            and {a.invoice for a in other.allocations}
            == set(invoices_there(context, [a.invoice for a in noun.allocations], source))
        )
    return _stands_alone(other)


def _holder(context: Context, case: Case, candidate: Snapshot, side: Side) -> Record | None:
    """The record that joins this candidate with another entity, or that a person keeps out; a lone half is free.

    Raises:
        Settled: a request about that record is out, and its outcome decides.
    """
    holder = context.facts.holder(context.flow.name, side, candidate.id)
    if holder is None or holder.id == case.record.id:
        return None
    if holder.id in context.facts.busy:
        raise Settled("waits_parent", f"{holder.label}: a write is on its way", waits_for=f"record:{holder.id}")
    return holder if holder.entity(side.other) is not None or holder.code == "by_person" else None
