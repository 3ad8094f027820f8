"""From what must flow to the writes themselves, each with the part of the bases it settles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from syncd.core.content import allocation_text, compared_rows, project
from syncd.core.decision import Case, Command, Context
from syncd.core.match import natural_key
from syncd.core.rules import Group
from syncd.core.translate import Wanted, derived, lines_there, validate_invoice, whole
from syncd.model.content import Content
from syncd.model.nouns import Allocation, Invoice, Line, Noun, Payment
from syncd.model.record import Op
from syncd.model.references import Kind, Side
from syncd.model.values import Value

DERIVED = "derived."
"""Prefix under which a base remembers what was last told to a mirror; such fields are never diffed."""


def create(context: Context, case: Case, source: Side, now: Content) -> Command:
    """The counterpart of what `source` holds. `now` is the source's content, its lines keyed."""
    noun = present_noun(case, source)
    wanted = whole(context, noun, source, now.lines)
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


def update(
    context: Context,
    case: Case,
    target: Side,
    fields: Mapping[str, Value],
    settled: Mapping[str, Value],
    *,
    lines: tuple[tuple[Line, ...], tuple[Line, ...]] | None = None,
    allocations: tuple[Allocation, ...] | None = None,
    told: Mapping[str, Value] | None = None,
) -> Command:
    """Changes to what `target` holds.

    Args:
        fields: row names to the values to be written there.
        settled: row names to what the source's base becomes.
        lines: the source's keyed lines and the target's new ones.
        told: derived fields for a mirror, by noun field.
    """
    there = case.side(target)
    assert there is not None
    paths = {row.name: row.path(target) for row in context.flow.rows}
    told = told or {}
    source_lines, target_lines = lines if lines is not None else (None, None)
    return Command(
        side=target,
        op=Op.UPDATE,
        kind=context.flow.kind,
        entity=there.id,
        values={paths.get(name, name): value for name, value in fields.items() if name != "allocations"} | dict(told),
        lines=target_lines,
        allocations=allocations,
        mirror=case.record.origin is target.other,
        if_version=there.version,
        expected=project(there, context.flow, target).digest(),
        patch={
            target.other: Content(fields=dict(settled), lines=source_lines),
            target: Content(fields={**fields, **_remembered(told)}, lines=target_lines),
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
    return Content(fields=fields | _remembered(told), lines=wanted.lines)


def untold(context: Context, case: Case, source: Side) -> dict[str, Value]:
    """Derived fields the mirror has not been told yet, or that have moved since."""
    base = case.record.base(source.other) or Content()
    wanted = derived(context, present_noun(case, source), source)
    return {path: value for path, value in wanted.items() if base.fields.get(DERIVED + path) != value}


def new_lines(
    context: Context, case: Case, source: Side, keyed: tuple[Line, ...], there: tuple[Line, ...]
) -> tuple[Line, ...]:
    """The target's whole new list: the source's keyed lines translated; lines that exist there keep their vendor id.

    Raises:
        Settled: the invoice may not be held over there as it is now.
    """
    noun = present_noun(case, source)
    assert isinstance(noun, Invoice)
    validate_invoice(context, noun, source)
    ids = {line.key: line.id for line in there if line.key is not None}
    return tuple(replace(line, id=ids.get(line.key or "")) for line in lines_there(context, noun, source, keyed))


def present_noun(case: Case, side: Side) -> Noun:
    """What a side shows; the callers have made sure that it shows something."""
    snapshot = case.side(side)
    assert snapshot is not None and snapshot.noun is not None
    return snapshot.noun


def mirrored_amounts(left: Invoice, right: Invoice, invoice: str, version: str) -> Command | None:
    """A payment that cannot be recorded on the left is shown on the left invoice's mirror fields; None if it is."""
    if (left.amount_paid, left.balance) == (right.amount_paid, right.balance):
        return None
    return Command(
        side=Side.LEFT,
        op=Op.UPDATE,
        kind=Kind.INVOICE,
        entity=invoice,
        values={"amount_paid": right.amount_paid, "balance": right.balance},
        if_version=version,
    )


def _remembered(told: Mapping[str, Value]) -> dict[str, Value]:
    return {DERIVED + path: value for path, value in told.items()}


def paid_amount(payment: Payment) -> Decimal:
    """How much of a payment pays invoices."""
    return sum((a.amount if a.amount is not None else payment.amount for a in payment.allocations), Decimal(0))
