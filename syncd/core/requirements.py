"""The fixed filters of the recipes: named tests of what a side shows, with the words for what is turned away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from syncd.core.facts import SideFacts
from syncd.core.rules import FlowRules, Requirement
from syncd.model.nouns import Invoice, InvoiceStatus, Party, Payment, PaymentStatus, Product
from syncd.model.quick import quick
from syncd.model.record import Record
from syncd.model.references import Side
from syncd.model.snapshot import Snapshot


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a test may look at. `target` is the account the record would go to."""

    snapshot: Snapshot
    record: Record
    side: Side
    flow: FlowRules
    start: datetime
    target: SideFacts


Test = Callable[[Asked], str | None]
"""None lets the record through; words turn it away."""

# A linked record has been through these when it was created; they gate creation only.
# A vendor that renames its word for "born here" later must not turn away what is linked already.
CREATION_ONLY = frozenset({"native", "after_start", "wanted", "not_voided", "taxes_not_required", "pays_invoice"})


# A direction that is opened later starts at that moment, as a sync does.
OPENED = Requirement(test="after_start", code="before_start")


def turned_away(asked: Asked, *, linked: bool) -> tuple[Requirement, str] | None:
    """The first fixed filter that turns the record away, with words; None if all let it through."""
    if not linked and (words := _before(asked, asked.flow.opened.get(asked.side))) is not None:
        return OPENED, words
    for requirement in asked.flow.requires.get(asked.side, ()):
        if linked and requirement.test in CREATION_ONLY:
            continue
        words = TESTS[requirement.test](asked)
        if words is not None:
            return requirement, words
    return None


def _native(asked: Asked) -> str | None:
    snapshot = asked.snapshot
    if snapshot.marker is not None:
        return "It carries our reference, but no record of ours made it here."
    literals = asked.flow.native_sources.get(asked.side)
    foreign = literals is not None and snapshot.source is not None and snapshot.source.casefold() not in literals
    if snapshot.native is False or foreign:
        return f"Its source is {snapshot.source or 'another system'}."
    if snapshot.native is None and literals is not None and snapshot.source is None:
        return "Nothing tells where it was born."
    return None


def _finalized(asked: Asked) -> str | None:
    noun = asked.snapshot.noun
    draft = isinstance(noun, Invoice) and noun.status is InvoiceStatus.DRAFT
    return "It is still a draft." if draft else None


def _not_voided(asked: Asked) -> str | None:
    noun = asked.snapshot.noun
    voided = isinstance(noun, Invoice) and noun.status is InvoiceStatus.VOIDED
    return "It was voided before it was ever sent." if voided else None


def _after_start(asked: Asked) -> str | None:
    return _before(asked, asked.start)


def _before(asked: Asked, moment: datetime | None) -> str | None:
    if moment is None:
        return None
    # A backfill lifts this filter, from its date on, and no other.
    since = min(moment, asked.flow.since or moment)
    return f"It was last changed before {since.date().isoformat()}." if touched_before(asked.snapshot, since) else None


def touched_before(snapshot: Snapshot, moment: datetime) -> bool:
    """Whether an entity was last made or changed before a moment, as far as its vendor tells."""
    touched = [when for when in (snapshot.created, snapshot.modified) if when is not None]
    return bool(touched) and max(touched) < moment


def _has_email(asked: Asked) -> str | None:
    noun = asked.snapshot.noun
    return None if isinstance(noun, Party) and noun.email and noun.email.strip() else "It has no e-mail address."


def _has_sku(asked: Asked) -> str | None:
    noun = asked.snapshot.noun
    return None if isinstance(noun, Product) and noun.sku and noun.sku.strip() else "It has no SKU."


def _top_level(asked: Asked) -> str | None:
    noun = asked.snapshot.noun
    below = isinstance(noun, Party) and noun.parent is not None
    return "It is a job or sub-customer: its invoices go to the contact of its parent." if below else None


def _active(asked: Asked) -> str | None:
    noun = asked.snapshot.noun
    return "It is inactive." if isinstance(noun, Party | Product) and not noun.active else None


def _wanted(asked: Asked) -> str | None:
    return None if asked.record.wanted else "No invoice needs it on the other side yet."


def _pays_invoice(asked: Asked) -> str | None:
    noun = asked.snapshot.noun
    return None if isinstance(noun, Payment) and noun.allocations else "It pays no invoice."


def _received(asked: Asked) -> str | None:
    noun = asked.snapshot.noun
    booked = asked.record.entity(asked.side.other) is not None
    if booked and isinstance(noun, Payment) and noun.status is PaymentStatus.REFUNDED:
        return None  # it did come; that it was given back is shown
    if isinstance(noun, Payment) and noun.status is not PaymentStatus.SUCCEEDED:
        return f"The money is not there: the payment is {noun.status}."
    return None


def _taxes_not_required(asked: Asked) -> str | None:
    if asked.target.taxes_required and not asked.flow.tax_codes:
        return "The other side's country asks for a tax code on every line, and none is configured."
    return None


TESTS: dict[str, Test] = {
    "native": _native,
    "finalized": _finalized,
    "not_voided": _not_voided,
    "after_start": _after_start,
    "has_email": _has_email,
    "has_sku": _has_sku,
    "top_level": _top_level,
    "active": _active,
    "wanted": _wanted,
    "pays_invoice": _pays_invoice,
    "received": _received,
    "taxes_not_required": _taxes_not_required,
}
