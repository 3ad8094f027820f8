"""A difference between the two sides that a person has accepted; it stands until what is owed moves on either of them.

Each base remembers the digest of what its side showed then. Shared fields are not part of it: they go on flowing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from syncd.core.commands import DERIVED
from syncd.core.conflict import UNMET
from syncd.core.content import compared_rows, money_fields, project
from syncd.core.decision import Case, Context
from syncd.core.identity import keyed
from syncd.core.rules import FlowRules
from syncd.model.content import Content, line_facts
from syncd.model.nouns import Invoice, Payment
from syncd.model.record import Record
from syncd.model.references import Side
from syncd.model.snapshot import Snapshot
from syncd.model.values import digest

ACCEPTED = "variance_accepted"
ACCEPTABLE = frozenset({"amount_mismatch", "edited_outside_origin"})
MARK = f"{DERIVED}accepted"
"""The field of a base that remembers what was accepted; like all of ours in there it is never diffed."""


def agreed_as_they_are(case: Case, context: Context) -> Record:
    """The record with the difference accepted: what belongs to the side of birth is as agreed as it stands."""
    record, money = case.record, money_fields(context.flow)
    bases: dict[Side, Content] = {}
    for side in Side:
        snapshot, base = case.side(side), record.base(side)
        assert snapshot is not None
        strong = context.facts.sides[side].strong_line_ids
        now = keyed(project(snapshot, context.flow, side), base, strong_ids=strong)
        fields = {name: value for name, value in now.fields.items() if name in money}
        patch = Content(fields={**fields, MARK: _mark(snapshot, context.flow, side)}, lines=now.lines)
        unmet = {UNMET + row.name: True for row in compared_rows(context.flow) if row.name not in money}
        bases[side] = (base or Content(fields=unmet)).patched(patch)
    notes = (*(note for note in record.notes if note != ACCEPTED), ACCEPTED)
    return replace(record, left_base=bases[Side.LEFT], right_base=bases[Side.RIGHT], notes=notes)


def is_accepted(case: Case, context: Context) -> bool:
    """Whether a person has accepted exactly what both sides show of it now."""
    return stands(case.record, {side: case.side(side) for side in Side}, context.flow)


def stands(record: Record, shown: Mapping[Side, Snapshot | None], flow: FlowRules) -> bool:
    """Whether what a person has accepted of a record is exactly what these looks show."""
    return all(_is_marked(record.base(side), shown[side], flow, side) for side in Side)


def was_accepted(case: Case) -> bool:
    """Whether a person has accepted what both sides showed then."""
    return any(MARK in base.fields for side in Side if (base := case.record.base(side)) is not None)


def _is_marked(base: Content | None, snapshot: Snapshot | None, flow: FlowRules, side: Side) -> bool:
    if base is None or snapshot is None or MARK not in base.fields:
        return False
    return base.fields[MARK] == _mark(snapshot, flow, side)


def _mark(snapshot: Snapshot, flow: FlowRules, side: Side) -> str:
    content, noun = project(snapshot, flow, side), snapshot.noun
    money = money_fields(flow)
    return digest(
        {
            "presence": snapshot.presence.value,
            "status": str(noun.status) if isinstance(noun, Payment) else None,
            "total": noun.total if isinstance(noun, Invoice) else None,
            "fields": {name: value for name, value in content.fields.items() if name in money},
            # Vendors put lines in another order as they like.
            "lines": sorted(line_facts(content.lines) or (), key=repr),
        }
    )
