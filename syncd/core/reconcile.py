"""Both halves of a record are there: what moved since the last success, where it goes, and who may move it."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from syncd.core.allocations import refilled
from syncd.core.commands import DERIVED, Moved, compared, new_lines, present_noun, retold, told_noun, untold, update
from syncd.core.conflict import UNMET, Both, Flowing, changed_fields, first_meeting, forced, merge_rows
from syncd.core.content import allocation_text, compared_rows, money_fields, project, rules_by_row
from syncd.core.decision import Case, Command, Context, Decision, noted
from syncd.core.identity import keyed, voided
from syncd.core.ledger import rest
from syncd.core.lifecycle import pending, synced
from syncd.core.merged import followed
from syncd.core.mirrored import MIRRORED, OTHER_CREDIT, REFUNDED, given_back, remarks, unrecorded
from syncd.core.outcome import Settled
from syncd.core.parents import GONE, INACTIVE, customer_there
from syncd.core.restoring import Edit, chosen, lines_lost, lines_put_back, moves, put_back, restores
from syncd.core.rules import Conflict, Direction, Group, Row
from syncd.core.translate import allocations_there, imposed, validate_invoice
from syncd.core.vanished import set_aside
from syncd.core.variance import ACCEPTED, MARK, is_accepted, was_accepted
from syncd.model.content import Content, line_facts, shown
from syncd.model.money import rounded
from syncd.model.nouns import Allocation, Invoice, Payment
from syncd.model.record import Activity, FieldChange, Record
from syncd.model.references import Kind, Side
from syncd.model.values import Value


def reconcile(case: Case, context: Context) -> Decision:
    """Compare each side with its own base and let what changed flow.

    Raises:
        Settled: a forbidden edit, a held conflict, or something that may not go over.
    """
    if (aside := set_aside(case, context)) is not None:
        return aside
    if all(voided(case.side(side)) for side in Side):
        # What was voided on both sides is done with.
        return Decision(record=synced(_with_bases_now(case, context), context.now))
    if (given := given_back(case, context)) is not None:
        return given
    both, merges = followed(case, context, _both(case, context))
    return replace(_compared(case, context, both), merges=merges)


def _compared(case: Case, context: Context, both: Both) -> Decision:
    origin = case.record.origin
    assert origin is not None
    strangers = case.record.left_base is None or case.record.right_base is None
    money = money_fields(context.flow) if context.flow.origin_rule else frozenset()
    if not strangers and money and not restores(case):
        together = moves(both, money, origin) if case.doubted else Edit()
        _refuse_outside_edit(both, _owed(context, money, origin.other), origin.other, together)
    if strangers and context.flow.kind is Kind.INVOICE:
        _refuse_other_total(case, context, origin)  # a person may have linked what does not fit
    rows = tuple(
        _effective(row, context.flow.direction) for row in compared_rows(context.flow) if row.name not in money
    )
    if case.will.force is not None:
        flowing = forced(both, rows, case.will.force)
    else:
        merge = first_meeting if strangers else merge_rows
        careful = case.doubted or (context.restored and strangers and _made_by_us(case))
        flowing = merge(both, rows, chosen(case.will, Conflict.HOLD if careful else context.flow.conflict))
    if flowing.held:
        raise Settled("conflict_held", ", ".join(flowing.held))
    commands = _commands(case, context, both, flowing, money, strangers)
    return _decision(case, context, both, flowing, money, commands, strangers)


def _both(case: Case, context: Context) -> Both:
    now, base, rules = {}, {}, {}
    for side in Side:
        snapshot = case.side(side)
        assert snapshot is not None
        facts = context.facts.sides[side]
        known = case.record.base(side)
        base[side] = known or Content()
        now[side] = keyed(project(snapshot, context.flow, side), known, strong_ids=facts.strong_line_ids)
        rules[side] = rules_by_row(context.flow, side, facts.normalisers.get(context.flow.kind, {}))
    return Both(now=now, base=base, rules=rules)


def _with_bases_now(case: Case, context: Context) -> Record:
    both = _both(case, context)
    return replace(case.record, left_base=both.now[Side.LEFT], right_base=both.now[Side.RIGHT])


def _owed(context: Context, money: frozenset[str], side: Side) -> frozenset[str]:
    """What nobody may change there: a side that does not own its numbers is given them by others."""
    return money if context.facts.sides[side].owns_numbers else money - {"number"}


def _made_by_us(case: Case) -> bool:
    return any(snapshot is not None and snapshot.marker == case.record.marker for snapshot in (case.left, case.right))


def _refuse_outside_edit(both: Both, money: frozenset[str], side: Side, together: Edit) -> None:
    """Money fields may only move where the record was born; anywhere else the whole record waits for the undo.

    Args:
        together: what may have moved on both sides by our own hand, which we do not remember.
    """
    moved = moves(both, money, side)
    if edit := Edit(fields=moved.fields - together.fields, lines=moved.lines and not together.lines):
        raise Settled("edited_outside_origin", ", ".join([*sorted(edit.fields), *["lines"] * edit.lines]))


def _effective(row: Row, direction: Direction) -> Row:
    allowed = [side for side in Side if row.direction.allows(side) and direction.allows(side)]
    if len(allowed) == 2:
        return replace(row, direction=Direction.BOTH)
    if not allowed:
        return replace(row, direction=Direction.OFF)
    return replace(row, direction=Direction.LEFT_TO_RIGHT if allowed[0] is Side.LEFT else Direction.RIGHT_TO_LEFT)


def _commands(
    case: Case, context: Context, both: Both, flowing: Flowing, money: frozenset[str], strangers: bool
) -> list[Command]:
    origin = case.record.origin
    assert origin is not None
    commands = []
    for target in Side:
        source = target.other
        moved = Moved(fields=dict(flowing.to[target]), told=_told(case, context, source))
        if money and not strangers and source is origin and context.flow.direction.allows(source):
            _money_there(case, context, both, source, money, moved)
            _drop_agreed(both, source, moved, flowing)
            if case.doubted and not restores(case):
                _refuse_to_undo(case, both, source, money, moved, flowing)
        if moved:
            commands.append(update(context, case, target, moved, both.now[source]))
    return commands


def _money_there(case: Case, context: Context, both: Both, source: Side, money: frozenset[str], moved: Moved) -> None:
    """Add what changed of the money fields where the record was born, in the other side's terms."""
    now, noun = both.now[source], present_noun(case, source)
    own, edit = moves(both, money, source), moves(both, _owed(context, money, source.other), source.other)
    if not restores(case):
        edit = Edit()
    elif case.will.force is source:
        # Said anew, as if it had moved here; an accepted difference too.
        own, edit = own | edit | Edit(lines=not _same_total(case, source)), Edit()
    moved.fields |= put_back(both, source.other, edit.fields - own.fields)
    moved.fields |= {name: now.fields.get(name) for name in sorted(own.fields)}
    if isinstance(noun, Invoice):
        if own or edit:
            validate_invoice(context, noun, source)
        if "customer" in own.fields:
            moved.fields["customer"] = customer_there(context, noun, source)
        if own.lines or ("issue_date" in own.fields and context.flow.service_date == "issue_date"):
            moved.lines = new_lines(context, noun, source, now.lines or (), both.now[source.other].lines or ())
        elif edit.lines:
            moved.lines = lines_put_back(both, source.other)
        elif "discount" not in own.fields | edit.fields:
            _refuse_other_total(case, context, source)
    if isinstance(noun, Payment):
        if (own.fields | edit.fields) & {"amount", "allocations"}:
            said = told_noun(context, case, source)
            assert isinstance(said, Payment)
            moved.allocations = allocations_there(context, said, source)
        elif not was_accepted(case):
            moved.allocations = _more_of_it(case, context, source)
        if moved.allocations is not None:
            moved.fields["allocations"] = allocation_text(moved.allocations, noun.amount)


def _more_of_it(case: Case, context: Context, source: Side) -> tuple[Allocation, ...] | None:
    """How a payment fills its invoices further since others have left them: only one side says how it is split."""
    sides, there = context.facts.sides, present_noun(case, source.other)
    assert isinstance(there, Payment)
    if sides[source].splits_payments or not sides[source.other].splits_payments or rest(there) <= 0:
        return None
    said = told_noun(context, case, source)
    assert isinstance(said, Payment)
    wanted = allocations_there(context, said, source)
    return refilled(context, source.other, case.record.entity(source.other) or "", there, wanted)


def _drop_agreed(both: Both, source: Side, moved: Moved, flowing: Flowing) -> None:
    """What the other side shows already needs no write: a job's invoice is for the same contact as its parent's."""
    there = both.now[source.other]
    for name, value in tuple(moved.fields.items()):
        if name != "allocations" and name in there.fields and there.fields[name] == value:
            del moved.fields[name]
            for side in Side:
                flowing.settled[side][name] = both.now[side].fields.get(name)
    if moved.lines is not None and line_facts(compared(moved.lines)) == line_facts(there.lines):
        moved.lines, flowing.lines_agreed = None, True


def _refuse_to_undo(
    case: Case, both: Both, source: Side, money: frozenset[str], moved: Moved, flowing: Flowing
) -> None:
    """Both sides moved since a base that is too old to tell who moved last: what is not the same is a person's matter.

    Raises:
        Settled: it is not.
    """
    there = moves(both, money, source.other)
    if names := there.fields & moved.fields.keys():
        raise Settled("conflict_held", ", ".join(sorted(names)))
    if there.lines and moved.lines is not None:
        if not _same_total(case, source):
            raise Settled("conflict_held", "lines")
        moved.lines, flowing.lines_agreed = None, True


def _refuse_other_total(case: Case, context: Context, source: Side) -> None:
    """Nothing that makes up the total moved: if it is not the same on both sides, something cannot be carried over.

    Raises:
        Settled: what that is, or `amount_mismatch`.
    """
    if _same_total(case, source) or is_accepted(case, context):
        return
    if was_accepted(case) or not imposed(context, source):
        here, there = present_noun(case, source), present_noun(case, source.other)
        assert isinstance(here, Invoice) and isinstance(there, Invoice)
        validate_invoice(context, here, source)
        raise Settled("amount_mismatch", f"One side says {shown(here.total)}, the other one {shown(there.total)}.")


def _same_total(case: Case, source: Side) -> bool:
    here, there = present_noun(case, source), present_noun(case, source.other)
    if not isinstance(here, Invoice) or not isinstance(there, Invoice):
        return True
    return rounded(here.total, here.currency) == rounded(there.total, there.currency)


def _told(case: Case, context: Context, source: Side) -> dict[str, Value]:
    if context.flow.kind is not Kind.INVOICE:
        return {}
    if source is not case.record.origin:
        return unrecorded(case, context, source)
    if not context.flow.direction.allows(source):
        return {}
    told = untold(context, case, source)
    # What a memory that was put back says we told last may be long past.
    return told | retold(context, case, source) if restores(case) or case.doubted else told


def _decision(
    case: Case,
    context: Context,
    both: Both,
    flowing: Flowing,
    money: frozenset[str],
    commands: list[Command],
    strangers: bool,
) -> Decision:
    waiting = flowing.to[Side.LEFT].keys() | flowing.to[Side.RIGHT].keys()
    mapped = money | {row.name for row in compared_rows(context.flow)}
    settled_now = {side: _known(_settled(both, flowing, side, money), mapped, waiting) for side in Side}
    if strangers:
        # Two strangers just met: what nobody has to change is agreed from now on; what has to, once it is written.
        unmet = Content(fields={UNMET + name: True for name in waiting})
        settled_now = {side: both.now[side].without(waiting).patched(unmet) for side in Side}
    notes = (*_kept_notes(case), *remarks(case, context))
    if not is_accepted(case, context):
        settled_now = {side: content.without({MARK}) for side, content in settled_now.items()}
        notes = tuple(note for note in notes if note != ACCEPTED)
    record = replace(case.record, left_base=settled_now[Side.LEFT], right_base=settled_now[Side.RIGHT], notes=notes)
    if not commands:
        return Decision(record=synced(record, context.now, notes=notes))
    activity = [_planned(context, case, command, both) for command in commands]
    if flowing.lost:
        activity.append(noted(context, record, "conflict.resolved", changes=tuple(flowing.lost)))
    return Decision(record=pending(record, "queued", context.now), commands=tuple(commands), activity=tuple(activity))


def _kept_notes(case: Case) -> tuple[str, ...]:
    # Both halves are there and in use: neither is gone, nor only shown; the others are worked out anew.
    renewed = (GONE, INACTIVE, MIRRORED, OTHER_CREDIT, REFUNDED)
    return tuple(note for note in case.record.notes if note not in renewed)


def _settled(both: Both, flowing: Flowing, side: Side, money: frozenset[str]) -> Content:
    """The side's base with what needs no write: agreed values, and what the base could not know before it was read."""
    base, now = both.base[side], both.now[side]
    learned = {name: value for name, value in now.fields.items() if name in money and name not in base.fields}
    settled = base.patched(Content(fields=learned | flowing.settled[side]))
    if flowing.lines_agreed or base.lines is None or now.lines is None:
        return replace(settled, lines=now.lines)
    # Vendors renumber lines and put them in another order.
    ids = {line.key: line.id for line in now.lines}
    return replace(settled, lines=tuple(replace(line, id=ids.get(line.key, line.id)) for line in base.lines))


def _known(base: Content, mapped: frozenset[str], waiting: Set[str]) -> Content:
    """A base without what is no longer mapped, so that a mapping that comes back starts from there."""
    kept = {UNMET + name for name in waiting} | mapped
    return Content(
        fields={name: value for name, value in base.fields.items() if name in kept or name.startswith(DERIVED)},
        lines=base.lines,
    )


def _planned(context: Context, case: Case, command: Command, both: Both) -> Activity:
    target = command.side
    names = {row.path(target): row.name for row in context.flow.rows if row.group is not Group.DERIVED}
    changes = tuple(
        FieldChange(
            field=names.get(path, path),
            old=shown(both.now[target].fields.get(names.get(path, path))),
            new=shown(value),
            side=target,
        )
        for path, value in command.values.items()
    )
    if command.lines is not None and restores(case):
        changes = (*changes, lines_lost(both, target, command.lines))
    words = "update, lines too" if command.lines is not None else "update"
    return noted(context, case.record, "record.planned", side=target, words=words, changes=changes)


def met_anew(case: Case, context: Context) -> dict[str, Flowing | Settled]:
    """What a person who asks for it would set in motion: for each shared field that differs although nobody moved it
    since the last success, what would flow if both values met for the first time; or why none can."""
    both = _both(case, context)
    money = money_fields(context.flow) if context.flow.origin_rule else frozenset()
    moved = frozenset[str]().union(*(changed_fields(both.now[s], both.base[s], both.rules[s]) for s in Side))
    rule = chosen(case.will, context.flow.conflict)
    found: dict[str, Flowing | Settled] = {}
    for row in compared_rows(context.flow):
        if row.name not in money | moved:
            try:
                flowing = first_meeting(both, (_effective(row, context.flow.direction),), rule)
            except Settled as end:
                found[row.name] = end
            else:
                if flowing.held or any(flowing.to.values()):
                    found[row.name] = flowing
    return found
