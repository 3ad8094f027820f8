"""Who a record is: its entities, where it was born, what people call it, and our names for its lines."""

from __future__ import annotations

from dataclasses import replace

from syncd.core.content import label, match_keys
from syncd.core.decision import Case, Context
from syncd.core.lines import carry_keys
from syncd.model.content import Content
from syncd.model.nouns import Invoice, InvoiceStatus
from syncd.model.record import Record
from syncd.model.references import Side
from syncd.model.snapshot import Presence, Snapshot


def identified(case: Case, context: Context) -> Record:
    """The record with its sides re-pointed after merges, its origin settled and its name up to date."""
    record = case.record
    for side in Side:
        snapshot = case.side(side)
        if snapshot is not None and snapshot.presence is Presence.MERGED and snapshot.merged_into:
            record = with_entity(record, side, snapshot.merged_into)
    origin = record.origin or _origin(case, context)
    named = next(
        (s for s in (_side(case, origin), case.left, case.right) if s is not None and s.noun is not None), None
    )
    if named is not None and named.noun is not None:
        keys = [key.value for key in match_keys(named.noun) if key.field in context.flow.match]
        record = replace(record, label=label(named.noun, named.id), key=record.key or (keys[0] if keys else None))
    return replace(record, origin=origin)


def _origin(case: Case, context: Context) -> Side | None:
    if case.left is None or case.right is None:
        return Side.LEFT if case.right is None else Side.RIGHT
    if context.flow.origin_rule:
        return Side.LEFT if case.left.native is not False and case.left.marker is None else Side.RIGHT
    return Side.LEFT


def _side(case: Case, side: Side | None) -> Snapshot | None:
    return None if side is None else case.side(side)


def with_entity(record: Record, side: Side, id: str | None) -> Record:
    """The record with one side's entity set."""
    return replace(record, left=id) if side is Side.LEFT else replace(record, right=id)


def keyed(now: Content, base: Content | None, *, strong_ids: bool) -> Content:
    """The content with our line keys: those of the base where a line is still the same one, new ones else."""
    if now.lines is None:
        return now
    known = base.lines if base is not None and base.lines is not None else ()
    used = [int(line.key) for line in known if line.key and line.key.isdigit()]
    counter = iter(range(max(used, default=0) + 1, 10**9))
    lines = carry_keys(known, now.lines, strong_ids, lambda: str(next(counter)))
    return replace(now, lines=lines)


def voided(snapshot: Snapshot | None) -> bool:
    """Whether an invoice was cancelled."""
    noun = snapshot.noun if snapshot is not None else None
    return isinstance(noun, Invoice) and noun.status is InvoiceStatus.VOIDED
