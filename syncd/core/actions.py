"""What a person asked of a record, carried out: each action changes what is decided on, and then the rules decide.

Actions never go around the rules: origin, a closed period and the totals check stand above every one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from syncd.core.decision import Case, Context, Decision, Will, noted
from syncd.core.doubles import DENIED, SUSPECTED
from syncd.core.identity import identified, with_entity
from syncd.core.joining import joined
from syncd.core.lifecycle import excluded, pending
from syncd.core.near import AMBIGUOUS, APART
from syncd.core.rules import FlowRules
from syncd.core.vanished import gone
from syncd.core.variance import ACCEPTABLE, agreed_as_they_are
from syncd.model.action import Action, ActionName, ActionState
from syncd.model.record import Activity, Op, Record, Status
from syncd.model.references import Side
from syncd.model.snapshot import Presence

BY_PERSON = "by_person"
REMOVALS = {Op.VOID: "voided", Op.DELETE: "deleted"}

Decide = Callable[[Case, Context], Decision]


class NotPossible(Exception):
    """An action does not apply to the record as it stands; says why."""


def why_not(record: Record, action: Action, flow: FlowRules) -> str | None:
    """Why an action cannot be meant, from the record alone; None when it can."""
    standing, both = _standing(record), record.left is not None and record.right is not None
    match action.name:
        case ActionName.RETRY if record.status not in (Status.PENDING, Status.FAILED):
            return f"it is {standing}: there is nothing to try again; “refresh” reads it anew"
        case ActionName.EXCLUDE if record.code == BY_PERSON:
            return "it is excluded by a person already"
        case ActionName.INCLUDE if record.code not in (BY_PERSON, AMBIGUOUS):
            return f"it is {standing}, and neither excluded by a person nor perhaps there already"
        case ActionName.FORCE if not both or record.status is Status.EXCLUDED:
            return f"it is {standing}: only what stands on both sides can be forced"
        case ActionName.FORCE if action.take is not None and not flow.direction.allows(action.take):
            return "the flow does not go that way"
        case ActionName.RESOLVE if record.code != "conflict_held":
            return f"it is {standing}: no conflict is held"
        case ActionName.ACCEPT if record.code != SUSPECTED and (record.code not in ACCEPTABLE or not both):
            return f"it is {standing}: there is no difference between two sides to accept"
        case ActionName.REVERT if record.code != "edited_outside_origin" or record.origin is None:
            return f"it is {standing}: there is no forbidden edit to revert"
        case ActionName.REVERT if record.origin is not None and not flow.direction.allows(record.origin):
            return "the flow does not go that way"
        case ActionName.LINK if both or (record.left is None and record.right is None):
            return "it has both halves already" if both else "it has no half of its own"
        case ActionName.UNLINK if not both:
            return "it has one half only"
    return None


def risk(record: Record, action: Action) -> str | None:
    """What an action may do that cannot be undone, from the record alone."""
    if action.name is ActionName.RETRY and record.code == "unknown_outcome":
        return "the write is sent again: if the first one was carried out after all, it is there twice"
    return None


def removal(decision: Decision) -> str | None:
    """What of a decision cannot be undone, in words."""
    gone = [f"{command.kind} {command.entity} is {REMOVALS[command.op]}" for command in decision.commands
            if command.op in REMOVALS]  # fmt: skip
    return ", ".join(gone) or None


def vouched(action: Action) -> bool:
    """Whether a person answers for what became of a write whose outcome nobody could find out."""
    ends = (ActionName.LINK, ActionName.EXCLUDE, ActionName.UNLINK)
    return action.name in ends or (action.name is ActionName.RETRY and action.confirmed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """How far the actions on one record have come. `out`: a person keeps it out."""

    case: Case
    out: bool
    folds: str | None = None
    splits: tuple[Record, ...] = ()
    account: tuple[Activity, ...] = ()


def carried_out(case: Case, context: Context, decide: Decide) -> Decision:
    """The decision on a record of which something was asked, or that a person keeps out.

    Raises:
        Missing: as `plan`.
    """
    course = _Course(case=case, out=case.record.code == BY_PERSON)
    done: list[Action] = []
    refused: list[tuple[Action, str]] = []
    for action in case.asked:
        try:
            course = _step(course, action, context)
            done.append(action)
        except NotPossible as no:
            refused.append((action, str(no)))
    decision = _left_out(course.case, context) if course.out else decide(course.case, context)
    unconfirmed = [action for action in done if not action.confirmed]
    if unconfirmed and (lost := removal(decision)) is not None:
        # It was not to be seen when they asked. What happens without their word happens all the same.
        decision, done, course = (
            carried_out(replace(case, asked=()), context, decide),
            [],
            _Course(case=case, out=False),
        )
        refused += [(action, f"it was not confirmed, and cannot be undone: {lost}") for action in case.asked]
    return _accounted(decision, course, context, done, refused)


def refused_all(case: Case, why: str) -> tuple[tuple[str, ActionState, str], ...]:
    """The end of everything that was asked, when nothing could be decided."""
    return tuple((action.id, ActionState.REFUSED, why) for action in case.asked)


def _left_out(case: Case, context: Context) -> Decision:
    return Decision(record=excluded(case.record, BY_PERSON, context.now, case.record.words))


def _accounted(
    decision: Decision, course: _Course, context: Context, done: list[Action], refused: list[tuple[Action, str]]
) -> Decision:
    record, standing = decision.record, _standing(decision.record)
    said = [_entry(context, record, action, f"action.{action.name}", standing) for action in done]
    said += [_entry(context, record, action, "action.refused", f"{action.name}: {why}") for action, why in refused]
    by, halves = done[-1].by if done else context.cause, {half.id for half in course.splits}
    followed = tuple(replace(entry, by=by) for entry in (*course.account, *decision.activity))
    return replace(
        decision,
        folds=course.folds or decision.folds,
        splits=course.splits,
        activity=(
            *said,
            *(entry if entry.record in halves else replace(entry, record=record.id) for entry in followed),
        ),
        ended=(
            *((action.id, ActionState.DONE, standing) for action in done),
            *((action.id, ActionState.REFUSED, why) for action, why in refused),
        ),
    )


def _entry(context: Context, record: Record, action: Action, event: str, words: str) -> Activity:
    return replace(noted(context, record, event, side=action.take, words=words), by=action.by)


def _step(course: _Course, action: Action, context: Context) -> _Course:
    record = course.case.record
    if (no := why_not(record, action, context.flow)) is not None:
        raise NotPossible(no)
    match action.name:
        case ActionName.EXCLUDE:
            return replace(course, case=_kept_out(course.case, action, context), out=True)
        case ActionName.INCLUDE:
            return replace(course, case=_let_in(course.case, context), out=False)
        case ActionName.LINK:
            return _link(course, action, context)
        case ActionName.UNLINK:
            return _unlink(course, action, context)
        case ActionName.ACCEPT:
            return replace(course, case=_accepted(course.case, context))
        case ActionName.REVERT:
            return replace(course, case=_reverting(course.case))
        case ActionName.FORCE:
            return replace(course, case=replace(course.case, will=replace(course.case.will, force=action.take)))
        case ActionName.RESOLVE:
            will = Will(take=action.take or course.case.will.take, fields={**course.case.will.fields, **action.fields})
            return replace(course, case=replace(course.case, will=will))
    return course


def _kept_out(case: Case, action: Action, context: Context) -> Case:
    return replace(case, record=excluded(case.record, BY_PERSON, context.now, f"Excluded by {action.by}."))


def _let_in(case: Case, context: Context) -> Case:
    record = case.record
    if record.code == AMBIGUOUS:
        record = replace(record, notes=(*record.notes, APART))
    return replace(case, record=pending(record, "queued", context.now))


def _link(course: _Course, action: Action, context: Context) -> _Course:
    case, flow, facts = course.case, context.flow, context.facts
    there = Side.LEFT if case.record.left is None else Side.RIGHT
    assert action.entity is not None
    found = facts.snapshot(there, flow.kind, action.entity)
    if found is None or found.presence is not Presence.PRESENT or found.noun is None:
        raise NotPossible(f"{action.entity} is not to be found there")
    holder = facts.holder(flow.name, there, found.id)
    if holder is not None and holder.entity(there.other) is not None:
        raise NotPossible(f"{action.entity} belongs to {holder.label} already")
    if holder is not None and holder.id in facts.busy:
        raise NotPossible(f"a write about {action.entity} is on its way; ask again")
    both, folds = joined(case, context, there.other, found)
    linked = noted(context, both.record, "record.linked", side=there, words=f"by {action.by}")
    return replace(course, case=_let_in(both, context), folds=folds, out=False, account=(*course.account, linked))


def _unlink(course: _Course, action: Action, context: Context) -> _Course:
    case, words = course.case, f"Unlinked by {action.by}."
    stays = _marked_side(case)
    goes = stays.other
    half = Record(
        id=action.id,
        sync=case.record.sync,
        flow=case.record.flow,
        label=case.record.label,
        key=case.record.key,
        origin=goes,
        since=context.now,
        rules_digest=context.flow.digest,
    )
    half = excluded(with_entity(half, goes, case.record.entity(goes)), BY_PERSON, context.now, words)
    half = identified(Case(record=half, left=None, right=None).with_side(goes, case.side(goes)), context)
    record = replace(case.record, left_base=None, right_base=None, origin=stays, notes=())
    record = excluded(with_entity(record, goes, None), BY_PERSON, context.now, words)
    set_free = noted(context, record, "record.unlinked", side=goes, words=case.record.entity(goes) or "")
    return replace(
        course,
        case=replace(case, record=record).with_side(goes, None),
        out=True,
        splits=(*course.splits, half),
        account=(*course.account, set_free, replace(set_free, record=half.id)),
    )


def _marked_side(case: Case) -> Side:
    """The half that keeps the record: what carries our reference at its vendor has to stay what it refers to."""
    for side in Side:
        snapshot = case.side(side)
        if snapshot is not None and snapshot.marker == case.record.marker:
            return side
    return case.record.origin or Side.LEFT


def _accepted(case: Case, context: Context) -> Case:
    if case.record.code == SUSPECTED:
        return _let_in(replace(case, record=replace(case.record, notes=(*case.record.notes, DENIED))), context)
    if any(snapshot is not None and snapshot.torn for snapshot in (case.left, case.right)):
        raise NotPossible("its parts do not add up to its own total, on one side alone")
    return replace(case, record=agreed_as_they_are(case, context))


def _reverting(case: Case) -> Case:
    origin, record = case.record.origin, case.record
    assert origin is not None
    there = case.side(origin.other)
    if there is None or not gone(there):
        return replace(case, will=replace(case.will, revert=True))
    # What was removed there is made anew.
    record = with_entity(replace(record, left_base=None, right_base=None), origin.other, None)
    return replace(case, record=record).with_side(origin.other, None)


def _standing(record: Record) -> str:
    return f"{record.status} ({record.code})" if record.code else str(record.status)
