"""Documents of the past that are nearly there already: listed for a person, neither made again nor joined by guess.

Only for what a backfill lets in. Somebody may have typed it in on the other side long ago, under another number or
date; what is new cannot have been.
"""

from __future__ import annotations

from functools import partial

from syncd.core.content import bill_key
from syncd.core.decision import Case, Context
from syncd.core.facts import together
from syncd.core.outcome import Settled
from syncd.core.parents import customer_there
from syncd.core.requirements import touched_before
from syncd.model.nouns import Invoice, InvoiceStatus
from syncd.model.record import Record
from syncd.model.references import Kind, MatchKey, Side
from syncd.model.snapshot import Presence, Snapshot

AMBIGUOUS = "document_ambiguous"
APART = "apart_by_person"
"""The note of a record that a person has said to be none of those that look like it."""


def historic(context: Context, snapshot: Snapshot, source: Side) -> bool:
    """Whether only a backfill lets this in, or would have to."""
    if context.flow.since is None or not isinstance(snapshot.noun, Invoice):
        return False
    opened = context.flow.opened.get(source, context.sync.start)
    return touched_before(snapshot, max(context.sync.start, opened))


def refuse_other_date(case: Case, context: Context, source: Side, found: Snapshot) -> None:
    """Refuse to join two documents of the past that agree in all but their dates.

    Raises:
        Settled: they do.
    """
    own, other = case.side(source), found.noun
    if own is None or APART in case.record.notes or not historic(context, own, source):
        return
    if isinstance(own.noun, Invoice) and isinstance(other, Invoice) and own.noun.issue_date != other.issue_date:
        raise Settled(AMBIGUOUS, f"{_named(found)} has another date.")


def refuse_near(case: Case, context: Context, source: Side) -> None:
    """Refuse to make a document of the past when the same customer owes the same on one that is nobody else's.

    Raises:
        Settled: there is one. Missing: a look-up has to be made first.
    """
    own = case.side(source)
    if own is None or APART in case.record.notes or not historic(context, own, source):
        return
    assert isinstance(own.noun, Invoice)
    there, customer = source.other, customer_there(context, own.noun, source)
    known = context.facts.index(there, Kind.INVOICE, bill_key(customer, own.noun))
    standing = [s for s in known if s.presence is Presence.PRESENT and s.marker is None and not _voided(s)]
    free = [s for s, taken in zip(standing, together(partial(_taken, context, case, s, there) for s in standing),
                                  strict=True) if not taken]  # fmt: skip
    if free:
        raise Settled(AMBIGUOUS, f"{', '.join(map(_named, free))}: same customer and total.")


def _taken(context: Context, case: Case, candidate: Snapshot, there: Side) -> bool:
    """Whether the candidate is, or will be, another document's counterpart."""
    holder: Record | None = context.facts.holder(context.flow.name, there, candidate.id)
    if holder is not None and holder.id != case.record.id and holder.entity(there.other) is not None:
        return True
    noun = candidate.noun
    if not isinstance(noun, Invoice) or not noun.number:
        return False
    alike = context.facts.index(there.other, Kind.INVOICE, MatchKey("number", noun.number.strip()))
    own = case.record.entity(there.other)
    return any(s.id != own and isinstance(s.noun, Invoice) and s.noun.total == noun.total for s in alike)


def _voided(snapshot: Snapshot) -> bool:
    return isinstance(snapshot.noun, Invoice) and snapshot.noun.status is InvoiceStatus.VOIDED


def _named(snapshot: Snapshot) -> str:
    noun = snapshot.noun
    if not isinstance(noun, Invoice):
        return snapshot.id
    parts = [noun.number or "no number", f"id {snapshot.id}", noun.issue_date.isoformat() if noun.issue_date else ""]
    return f"{parts[0]} ({', '.join(part for part in parts[1:] if part)})"
