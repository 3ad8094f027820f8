"""From what must flow to the writes themselves, each with the part of the bases it settles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from syncd.core.allocations import accounted, split
from syncd.core.content import NAME_TAKEN, allocation_text, comparable, compared_rows, named_apart, project
from syncd.core.currencies import currency_for
from syncd.core.decision import Case, Command, Context
from syncd.core.limits import refuse_too_long
from syncd.core.match import natural_key
from syncd.core.rules import Group
from syncd.core.translate import Wanted, derived, lines_there, whole
from syncd.model.content import Content
from syncd.model.nouns import Allocation, Invoice, Line, Noun, Party, Payment, field_value
from syncd.model.quick import replace
from syncd.model.record import Op
from syncd.model.references import Side
from syncd.model.values import Value

DERIVED = "derived."
"""Prefix under which a base remembers what was last told to a mirror; such fields are never diffed."""


def create(context: Context, case: Case, source: Side, now: Content) -> Command:
    """The counterpart of what `source` holds. `now` is the source's content, its lines keyed."""
    noun = told_noun(context, case, source)
    wanted = whole(context, noun, source, now.lines)
    if isinstance(noun, Party):
        wanted = replace(wanted, values=wanted.values | _newcomer(context, case, noun, source))
    refuse_too_long(context.flow.kind, wanted.values, wanted.lines, context.facts.sides[source.other])
    return Command(
        side=source.other,
        op=Op.CREATE,
        kind=context.flow.kind,
        natural_key=natural_key(context, noun) or f"{source}:{case.record.entity(source)}",
        values=wanted.values,
        lines=wanted.lines,
        allocations=wanted.allocations,
        mirror=True,
        patch={source: now, source.other: sent_content(context, source.other, wanted)},
    )


def _newcomer(context: Context, case: Case, party: Party, source: Side) -> dict[str, Value]:
    """What only matters when somebody is new over there: a name of their own, and the currency they keep."""
    made: dict[str, Value] = {}
    id = case.record.entity(source) or ""
    if context.flow.name_pattern is not None and case.record.words == NAME_TAKEN:
        made["name"] = named_apart(context.flow.name_pattern, party, id)
    if (currency := currency_for(context, party, id, source)) is not None:
        made["currency"] = currency
    return made


@dataclass(slots=True, kw_only=True)
class Moved:
    """What goes to one side.

    Attributes:
        fields: row names to the values to be written there, in that side's terms.
        lines: its whole new list.
        allocations: the invoices a payment pays there.
        told: derived fields for a mirror, by noun field.
    """

    fields: dict[str, Value] = field(default_factory=dict)
    lines: tuple[Line, ...] | None = None
    allocations: tuple[Allocation, ...] | None = None
    told: Mapping[str, Value] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.fields or self.told or self.lines is not None)


def update(context: Context, case: Case, target: Side, moved: Moved, source: Content) -> Command:
    """Changes to what `target` holds. `source` is what the other side holds now: its base where it moved."""
    there = case.side(target)
    assert there is not None
    paths = {row.name: row.path(target) for row in context.flow.rows}
    values = {paths.get(name, name): value for name, value in moved.fields.items() if name != "allocations"}
    settled = {name: source.fields.get(name) for name in moved.fields}
    refuse_too_long(context.flow.kind, values, moved.lines, context.facts.sides[target])
    return Command(
        side=target,
        op=Op.UPDATE,
        kind=context.flow.kind,
        entity=there.id,
        values=values | dict(moved.told),
        lines=moved.lines,
        allocations=moved.allocations,
        mirror=case.record.origin is target.other,
        if_version=there.version,
        expected=project(there, context.flow, target).digest(),
        patch={
            target.other: Content(fields=settled, lines=None if moved.lines is None else source.lines),
            target: Content(fields=moved.fields | _remembered(moved.told), lines=compared(moved.lines)),
        },
    )


def act(context: Context, case: Case, target: Side, op: Op) -> Command:
    """A void or delete of what `target` holds."""
    there = case.side(target)
    assert there is not None
    return Command(
        side=target,
        op=op,
        kind=context.flow.kind,
        entity=there.id,
        mirror=case.record.origin is target.other,
        if_version=there.version,
    )


def sent_content(context: Context, target: Side, wanted: Wanted) -> Content:
    """What was asked for, as the target's content would show it: the base until the vendor's answer refines it."""
    fields = {
        row.name: wanted.values[row.path(target)]
        for row in compared_rows(context.flow)
        if row.path(target) in wanted.values
    }
    if wanted.lines is not None:
        fields |= {name: wanted.values[name] for name in ("customer", "discount") if name in wanted.values}
    if wanted.allocations is not None:
        amount = wanted.values.get("amount")
        assert isinstance(amount, Decimal)
        fields["allocations"] = allocation_text(wanted.allocations, amount)
    told = {
        row.path(target): wanted.values[row.path(target)]
        for row in context.flow.rows
        if row.group is Group.DERIVED and row.path(target) in wanted.values
    }
    return Content(fields=fields | _remembered(told), lines=compared(wanted.lines))


def compared(lines: tuple[Line, ...] | None) -> tuple[Line, ...] | None:
    """New lines as the target's content will show them."""
    return None if lines is None else tuple(comparable(line) for line in lines)


def untold(context: Context, case: Case, source: Side) -> dict[str, Value]:
    """Derived fields the mirror has not been told yet, or that have moved since."""
    base = case.record.base(source.other) or Content()
    wanted = derived(context, told_noun(context, case, source), source)
    return {path: value for path, value in wanted.items() if base.fields.get(DERIVED + path) != value}


def retold(context: Context, case: Case, source: Side) -> dict[str, Value]:
    """Derived fields the mirror shows differently from how they are: edited there, or told since by a later us."""
    there = present_noun(case, source.other)
    wanted = derived(context, told_noun(context, case, source), source)
    return {path: value for path, value in wanted.items() if field_value(there, path) != value}


def new_lines(
    context: Context, invoice: Invoice, source: Side, keyed: tuple[Line, ...], there: tuple[Line, ...]
) -> tuple[Line, ...]:
    """The target's whole new list: the source's keyed lines translated; lines that exist there keep their vendor id."""
    known = {line.key: line for line in there}
    return tuple(_over(line, known.get(line.key)) for line in lines_there(context, invoice, source, keyed))


def _over(line: Line, there: Line | None) -> Line:
    # A date of service the source does not say is not ours to clear.
    if there is None:
        return line
    return replace(line, id=there.id, service_date=line.service_date or there.service_date)


def present_noun(case: Case, side: Side) -> Noun:
    """What a side shows; the callers have made sure that it shows something."""
    snapshot = case.side(side)
    assert snapshot is not None and snapshot.noun is not None
    return snapshot.noun


def told_noun(context: Context, case: Case, side: Side) -> Noun:
    """What a side shows, an invoice with what its payments say of it, a payment with how much is for which invoice."""
    noun, id = present_noun(case, side), case.record.entity(side) or ""
    if isinstance(noun, Invoice):
        return accounted(context, side, id, noun)
    return replace(noun, allocations=split(context, side, id, noun)) if isinstance(noun, Payment) else noun


def _remembered(told: Mapping[str, Value]) -> dict[str, Value]:
    return {DERIVED + path: value for path, value in told.items()}
