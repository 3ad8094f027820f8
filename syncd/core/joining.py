"""Two halves that belong together become one record."""

from __future__ import annotations

from syncd.core.decision import Case, Context
from syncd.core.identity import identified, with_entity
from syncd.model.quick import replace
from syncd.model.references import Side
from syncd.model.snapshot import Snapshot


def joined(case: Case, context: Context, source: Side, found: Snapshot) -> tuple[Case, str | None]:
    """The case with `found` as its counterpart on the other side of `source`.

    Returns:
        Also the record that is swallowed, if `found` had one of its own.
    """
    there = source.other
    holder = context.facts.holder(context.flow.name, there, found.id)
    record, folds = case.record, None
    if holder is not None and holder.id != record.id:
        # The older id stays: it may stand as our reference at a vendor, and in somebody's notes.
        older = holder if not case.stored or holder.since <= record.since else record
        if found.marker == record.marker:
            older = record
        folds = record.id if older is holder else holder.id
        record = replace(older, wanted=record.wanted or holder.wanted, label=record.label, key=record.key)
        record = with_entity(record, source, case.record.entity(source))
    # Where it was born does not depend on which half was seen first.
    record = replace(with_entity(record, there, found.id), origin=None)
    both = replace(case, record=record).with_side(there, found)
    return replace(both, record=identified(both, context)), folds
