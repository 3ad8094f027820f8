"""The decision: what both sides show, and what each held at the last success, in; a plan, out.

One total function of values. The questions are asked in this order: gone? - filters - match - origin - what changed on
each side against its own base - conflict rule - mapping and validation - parents - commands.
"""

from __future__ import annotations

from syncd.core.actions import BY_PERSON, carried_out
from syncd.core.catalogue import Group, entry
from syncd.core.commands import create
from syncd.core.content import project
from syncd.core.decision import Case, Command, Context, Decision, noted
from syncd.core.doubles import BOOKS, doubled, refuse_double
from syncd.core.filters import describe, matches, needs_customer
from syncd.core.identity import identified, keyed, survivors
from syncd.core.joining import joined
from syncd.core.lifecycle import excluded, failed, pending, synced
from syncd.core.limits import refuse_unknown_fields
from syncd.core.match import counterpart
from syncd.core.mirrored import cannot_be_recorded, instead, mirror_payment
from syncd.core.near import refuse_near, refuse_other_date
from syncd.core.outcome import Settled
from syncd.core.parents import fallback_key
from syncd.core.reconcile import reconcile
from syncd.core.requirements import Asked, turned_away
from syncd.core.translate import ready
from syncd.core.vanished import revived, vanished
from syncd.core.variance import ACCEPTABLE, ACCEPTED, is_accepted
from syncd.core.waking import woken_by
from syncd.model.nouns import Invoice, Party, Payment, Product
from syncd.model.quick import replace
from syncd.model.record import Activity, Op
from syncd.model.references import Kind, MatchKey, Side
from syncd.model.snapshot import Presence, Snapshot


def plan(case: Case, context: Context) -> Decision:
    """What becomes of one record.

    Raises:
        Missing: facts that were not brought yet; bring what it names and ask again.
    """
    if case.asked or case.record.code == BY_PERSON:
        return carried_out(case, context, _planned)
    return _planned(case, context)


def _planned(case: Case, context: Context) -> Decision:
    folds, before = None, case.record
    try:
        case, folds = survivors(case, context)
        case = revived(case, context)
        case = replace(case, record=identified(case, context))
        decision = _decide(case, context)
    except Settled as end:
        if end.code in ACCEPTABLE and is_accepted(case, context):
            decision = Decision(record=synced(case.record, context.now, notes=(ACCEPTED,)))
        else:
            decision = settled(case, context, end)
    relinked = tuple(
        noted(context, before, "record.relinked", side=side, words=f"{before.entity(side)} -> {new}")
        for side in Side
        if before.entity(side) is not None and (new := case.record.entity(side)) not in (None, before.entity(side))
    )
    return replace(decision, folds=folds or decision.folds, activity=(*relinked, *decision.activity))


def settled(case: Case, context: Context, end: Settled) -> Decision:
    """A decision that ends early: the record gets the code, its bases stay as they were."""
    record, now = case.record, context.now
    match entry(end.code).group:
        case Group.PENDING:
            made = pending(record, end.code, now, words=end.words)
        case Group.EXCLUDED:
            made = excluded(record, end.code, now, end.words)
        case _:
            made = failed(record, end.code, end.words, now)
    made = replace(made, waits_for=end.waits_for or _account(case, context, end.code))
    activity: tuple[Activity, ...] = ()
    if (made.status, made.code, made.words) != (record.status, record.code, record.words):
        activity = (noted(context, made, f"record.{made.status}", code=made.code, words=made.words),)
    return Decision(record=made, activity=activity, wants=end.wants)


def _account(case: Case, context: Context, code: str) -> str | None:
    """The account whose settings stand in the way: that of the side it would go to."""
    origin = case.record.origin
    return None if origin is None else woken_by(code, context.sync.connection(origin.other), context.flow.kind, {})


def _decide(case: Case, context: Context) -> Decision:
    if context.flow.fallback_product and case.record.key == fallback_key(context.flow.fallback_product):
        return _fallback_product(case, context)
    if (shown := instead(case, context)) is not None:
        return shown
    if (gone := vanished(case, context)) is not None:
        return gone
    source = case.record.origin
    assert source is not None
    _refuse_unreadable(case, source)
    if not _flows(context, case, source):
        raise Settled("direction_off")
    refuse_double(case, context)
    _filter(case, context, source)
    refuse_unknown_fields(context)
    if any(snapshot is not None and snapshot.torn for snapshot in (case.left, case.right)):
        raise Settled("amount_mismatch", "Its parts do not add up to its own total.")
    if case.left is not None and case.right is not None:
        return reconcile(case, context)
    return _introduce(case, context, source)


def _refuse_unreadable(case: Case, source: Side) -> None:
    for side in Side:
        snapshot = case.side(side)
        if snapshot is None and (side is source or case.record.entity(side) is not None):
            raise Settled("record_gone", "It could not be read.")  # which is not to say that it was deleted
        if snapshot is not None and snapshot.noun is None:
            raise Settled("field_value_invalid", "It holds something that cannot be understood.")


def _flows(context: Context, case: Case, source: Side) -> bool:
    linked = case.left is not None and case.right is not None
    direction = context.flow.direction
    return direction.allows(source) or (linked and direction.allows(source.other))


def _filter(case: Case, context: Context, source: Side) -> None:
    snapshot = case.side(source)
    assert snapshot is not None
    linked = case.left is not None and case.right is not None
    asked = Asked(
        snapshot=snapshot,
        record=case.record,
        side=source,
        flow=context.flow,
        start=context.sync.start,
        target=context.facts.sides[source.other],
    )
    if (turned := turned_away(asked, linked=linked)) is not None:
        raise Settled(turned[0].code, turned[1])
    wanted = context.flow.filters.get(source)
    if wanted is not None:
        verdict = matches(wanted, snapshot, _customer(context, snapshot, source) if needs_customer(wanted) else None)
        if not verdict.ok:
            raise Settled("filtered", f"The filter asks for {describe(verdict.failed or wanted)}.")


def _customer(context: Context, snapshot: Snapshot, side: Side) -> Party | None:
    if not isinstance(snapshot.noun, Invoice) or snapshot.noun.customer is None:
        return None
    customer = context.facts.snapshot(side, Kind.PARTY, snapshot.noun.customer)
    return customer.noun if customer is not None and isinstance(customer.noun, Party) else None


def _introduce(case: Case, context: Context, source: Side) -> Decision:
    if (found := counterpart(context, case, source)) is not None:
        return _adopt(case, context, source, found)
    snapshot = case.side(source)
    assert snapshot is not None
    if cannot_be_recorded(snapshot.noun, context.facts.sides[source.other]):
        return mirror_payment(case, context, source)
    assert snapshot.noun is not None
    ready(context, snapshot.noun, source)
    # What we have seen came first; the vendor is asked only now that a create is about to follow.
    if (found := counterpart(context, case, source, ask=True)) is not None:
        return _adopt(case, context, source, found)
    refuse_near(case, context, source)
    command = create(context, case, source, keyed(project(snapshot, context.flow, source), None, strong_ids=False))
    customer = command.values.get("customer")
    twice: tuple[tuple[Side, Kind, str], ...] = ()
    if isinstance(snapshot.noun, Payment) and source.other is BOOKS and isinstance(customer, str):
        twice = doubled(context, snapshot.noun, customer)
    return Decision(
        record=pending(case.record, "queued", context.now),
        commands=(command,),
        activity=(noted(context, case.record, "record.planned", side=source.other, words="create"),),
        looks=twice,
    )


def _adopt(case: Case, context: Context, source: Side, found: Snapshot) -> Decision:
    """Both halves are there: join them, and let what differs flow."""
    refuse_other_date(case, context, source, found)
    both, folds = joined(case, context, source, found)
    try:
        decision = reconcile(both, context)
    except Settled as end:
        decision = settled(both, context, end)
    linked = noted(context, both.record, "record.linked", side=source.other, words=case.record.key or "")
    return replace(decision, folds=folds, activity=(linked, *decision.activity))


def _fallback_product(case: Case, context: Context) -> Decision:
    """The product of lines that have none: found by its name or made, once, and then left alone."""
    name, facts = context.flow.fallback_product, context.facts
    assert name is not None
    record, key = replace(case.record, label=name), MatchKey("name", name)
    if record.right is not None:
        return Decision(record=synced(record, context.now))
    there = facts.index(Side.RIGHT, Kind.PRODUCT, key) or facts.find(Side.RIGHT, Kind.PRODUCT, key)
    for found in there:
        if found.presence is Presence.PRESENT and isinstance(found.noun, Product) and found.noun.active:
            holder = facts.holder(context.flow.name, Side.RIGHT, found.id)
            if holder is not None and holder.left is not None:
                raise Settled("product_ambiguous", f"“{name}” is synced with a product of its own.")
            record = synced(replace(record, right=found.id), context.now)
            linked = noted(context, record, "record.linked", side=Side.RIGHT, words=name)
            return Decision(record=record, activity=(linked,), folds=None if holder is None else holder.id)
    command = Command(
        side=Side.RIGHT,
        op=Op.CREATE,
        kind=Kind.PRODUCT,
        natural_key=f"name:{name.casefold()}",
        values={"name": name, "income_account": context.flow.fallback_account},
        mirror=True,
    )
    return Decision(record=pending(record, "queued", context.now), commands=(command,))
