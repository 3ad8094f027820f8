"""Finding the counterpart before making one. Ambiguity is said, never guessed."""

from __future__ import annotations

from syncd.core.content import match_keys
from syncd.core.decision import Case, Context
from syncd.core.outcome import Settled
from syncd.core.parents import customer_there, invoice_there
from syncd.model.nouns import Invoice, Noun, Party, Payment, Product
from syncd.model.record import Record
from syncd.model.references import Kind, MatchKey, Side
from syncd.model.snapshot import Presence, Snapshot

AMBIGUOUS = {Kind.PARTY: "customer_ambiguous", Kind.PRODUCT: "product_ambiguous"}


def natural_key(context: Context, noun: Noun) -> str | None:
    """The key two open creates may never share: what the vendor, or a person, would see twice."""
    keys = [key for key in match_keys(noun) if key.field in context.flow.match]
    return f"{keys[0].field}:{keys[0].value}" if keys else None


def counterpart(context: Context, case: Case, source: Side) -> Snapshot | None:
    """The entity on the other side that is this one, if it is already there and free.

    Raises:
        Settled: several could be it, or it belongs to another record already.
        Missing: a look-up has to be made first.
    """
    snapshot = case.side(source)
    assert snapshot is not None and snapshot.noun is not None
    _refuse_twins(context, snapshot, source)
    found = [c for c in _candidates(context, case, snapshot.noun, source) if c.presence is Presence.PRESENT]
    ours = [candidate for candidate in found if candidate.marker == case.record.marker]
    if ours:
        return ours[0]
    fitting = [c for c in found if _fits(context, snapshot.noun, c, source)]
    free = [c for c in fitting if _holder(context, case, c, source.other) is None]
    if isinstance(snapshot.noun, Payment) and free:
        return min(free, key=lambda c: c.id)  # equal payments of one invoice are interchangeable
    if len(fitting) > 1 and context.flow.kind in AMBIGUOUS:
        raise Settled(AMBIGUOUS[context.flow.kind], ", ".join(sorted(c.id for c in fitting)))
    if len(free) > 1:
        raise Settled("customer_ambiguous", ", ".join(sorted(c.id for c in free)))
    if not free and fitting and context.flow.kind in AMBIGUOUS:
        holder = _holder(context, case, fitting[0], source.other)
        assert holder is not None
        raise Settled(
            AMBIGUOUS[context.flow.kind], f"It belongs to {holder.label} already.", waits_for=f"record:{holder.id}"
        )
    return free[0] if free else None


def _refuse_twins(context: Context, snapshot: Snapshot, source: Side) -> None:
    # Two entities of one side under one key: whichever came first would take the counterpart, and that is a guess.
    if context.flow.kind not in AMBIGUOUS:
        return
    for key in match_keys(snapshot.noun):
        if key.field not in context.flow.match:
            continue
        twins = {
            twin.id
            for twin in context.facts.index(source, context.flow.kind, key)
            if twin.presence is Presence.PRESENT and _stands_alone(twin.noun)
        } - {snapshot.id}
        if twins:
            raise Settled(AMBIGUOUS[context.flow.kind], ", ".join(sorted({snapshot.id} | twins)))


def _stands_alone(noun: Noun | None) -> bool:
    if isinstance(noun, Party):
        return noun.parent is None and noun.active
    return noun.active if isinstance(noun, Product) else noun is not None


def _candidates(context: Context, case: Case, noun: Noun, source: Side) -> list[Snapshot]:
    there, kind = source.other, context.flow.kind
    if isinstance(noun, Payment):
        found: dict[str, Snapshot] = {}
        for allocation in noun.allocations:
            paid = invoice_there(context, allocation.invoice, source)
            found |= {c.id: c for c in context.facts.index(there, kind, MatchKey("invoice", paid))}
        return list(found.values())
    keys = [key for key in match_keys(noun) if key.field in context.flow.match]
    seen = {c.id: c for key in keys for c in context.facts.index(there, kind, key)}
    # What we have seen comes first; the vendor is asked only when a create is about to follow.
    if not any(c.presence is Presence.PRESENT and _fits(context, noun, c, source) for c in seen.values()):
        seen |= {c.id: c for key in keys for c in context.facts.find(there, kind, key)}
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
            == {invoice_there(context, a.invoice, source) for a in noun.allocations}
        )
    return _stands_alone(other)


def _holder(context: Context, case: Case, candidate: Snapshot, side: Side) -> Record | None:
    """The record that already joins this candidate with another entity; a lone half is free.

    Raises:
        Settled: a request about that record is out, and its outcome decides.
    """
    holder = context.facts.holder(context.flow.name, side, candidate.id)
    if holder is None or holder.id == case.record.id:
        return None
    if holder.id in context.facts.busy:
        raise Settled("waits_parent", f"{holder.label}: a write is on its way", waits_for=f"record:{holder.id}")
    return holder if holder.entity(side.other) is not None else None
