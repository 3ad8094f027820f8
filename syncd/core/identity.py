"""Who a record is: its entities, where it was born, what people call it, and our names for its lines."""

from __future__ import annotations

from syncd.core.alignment import carry_keys
from syncd.core.content import label, match_keys
from syncd.core.decision import Case, Context
from syncd.core.outcome import Settled
from syncd.core.parents import FALLBACK
from syncd.model.content import Content
from syncd.model.nouns import Invoice, InvoiceStatus
from syncd.model.quick import replace
from syncd.model.record import Record
from syncd.model.references import Side
from syncd.model.snapshot import Presence, Snapshot


def survivors(case: Case, context: Context) -> tuple[Case, str | None]:
    """The case with a side that was merged away re-pointed at the entity that lives on.

    Returns:
        Also the record that entity had so far, if it was alone in there: this record swallows it.

    Raises:
        Settled: the entity that lives on belongs to another pair, which goes on; this record ends.
    """
    for side in Side:
        survivor = _survivor(case, context, side)
        if survivor is None:
            continue
        holder = context.facts.holder(context.flow.name, side, survivor.id)
        case = replace(case, record=with_entity(case.record, side, survivor.id)).with_side(side, survivor)
        if holder is not None and holder.id != case.record.id:
            _refuse_taken(case, context, side, holder)
            return case, holder.id
    return case, None


def _survivor(case: Case, context: Context, side: Side) -> Snapshot | None:
    snapshot, passed = case.side(side), set()
    while snapshot is not None and snapshot.presence is Presence.MERGED:
        if snapshot.merged_into is None or snapshot.merged_into in passed:
            break
        passed.add(snapshot.merged_into)
        # As we know it, it may be from before the merge: without what it took over.
        snapshot = context.facts.anew(side, context.flow.kind, snapshot.merged_into)
    return snapshot if passed else None


def _refuse_taken(case: Case, context: Context, side: Side, holder: Record) -> None:
    if holder.entity(side.other) is not None or case.record.entity(side.other) is None:
        raise Settled("deleted_at_source", f"It was merged into {holder.label}.")
    if holder.id in context.facts.busy:
        raise Settled("waits_parent", f"{holder.label}: a write is on its way", waits_for=f"record:{holder.id}")


def identified(case: Case, context: Context) -> Record:
    """The record with its origin settled and its name up to date."""
    record = case.record
    origin = record.origin or _origin(case, context)
    named = next(
        (s for s in (_side(case, origin), case.left, case.right) if s is not None and s.noun is not None), None
    )
    if named is None or named.noun is None:
        return replace(record, origin=origin)
    keys = [key.value for key in match_keys(named.noun) if key.field in context.flow.match]
    own = record.key is not None and record.key.startswith(FALLBACK)
    key = record.key if own or not keys else keys[0]
    said = label(named.noun, named.id)
    if (record.label, record.key, record.origin) == (said, key, origin):
        return record
    return replace(record, label=said, key=key, origin=origin)


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
